//! The requests for one record each, to the byte, with their limits.

use super::super::super::samples::storage_line;
use super::*;
use crate::model::storage::{StorageLine, StorageStatus};

/// The request for a line in which this field holds that value.
fn deployment_with(field: &str, value: &str) -> Result<Request<Bytes>, RequestError> {
    let one = line_with(field, value);
    create_deployment_record(&api(), &version(), &one)
}

/// The request for a storage record in which this field holds that value.
fn storage_with(field: &str, value: &str) -> Result<Request<Bytes>, RequestError> {
    let mut one = storage_line();
    let some = || Some(Arc::from(value));
    match field {
        "org" => return create_storage_record(&api(), &version(), value, &one),
        "name" => one.name = value.into(),
        "version" => one.version = some(),
        "registry_url" => one.registry_url = value.into(),
        "artifact_url" => one.artifact_url = some(),
        "path" => one.path = some(),
        "repository" => one.repository = some(),
        "github_repository" => one.github_repository = some(),
        other => panic!("{other}"),
    }
    create_storage_record(&api(), &version(), "octo", &one)
}

fn text(request: &Request<Bytes>) -> &str {
    std::str::from_utf8(request.body()).unwrap()
}

#[test]
fn a_request_for_one_deployment_record_is_the_contracts() {
    let request = deployment_with("version", "1.27").unwrap();
    assert_eq!(request.method(), Method::POST);
    assert_eq!(
        request.uri(),
        "https://api.github.com/orgs/octo/artifacts/metadata/deployment-record"
    );
    let digest = format!("sha256:{}", "ab".repeat(32));
    let expected = format!(
        r#"{{"logical_environment":"production","cluster":"prod-1","name":"docker.io/library/nginx","digest":"{digest}","version":"1.27","status":"deployed","deployment_name":"a","tags":{{}},"runtime_risks":[],"return_records":false}}"#
    );
    assert_eq!(text(&request), expected);
    let without = deployment_with("cluster", "").unwrap();
    assert!(!text(&without).contains("cluster"), "{}", text(&without));
}

#[test]
fn each_limit_of_one_deployment_record_is_held_and_named() {
    let table: [(&str, usize, usize, &[&str]); 8] = [
        ("org", 1, 1000, &[".", ".."]),
        ("cluster", 0, 128, &[]),
        ("logical_environment", 1, 128, &[]),
        ("physical_environment", 0, 128, &[]),
        ("deployment_name", 1, 256, &[]),
        ("name", 1, 256, &[]),
        ("version", 1, 100, &[]),
        ("github_repository", 1, 100, &["octo/web", "a b"]),
    ];
    for (field, least, most, refused) in table {
        assert_limits(field, least, most, refused, deployment_with, "");
    }
    let mut one = line("a");
    let tags = (0..6).map(|n| (n.to_string().into(), "".into())).collect();
    let body = Body::clone(&one.body);
    one.body = Arc::new(Body { tags, ..body });
    let error = create_deployment_record(&api(), &version(), &one);
    assert!(matches!(
        error,
        Err(RequestError::Count { field: "tags", .. })
    ));
}

#[test]
fn a_request_for_one_storage_record_is_the_contracts() {
    let digest = format!("sha256:{}", "ab".repeat(32));
    let request = create_storage_record(&api(), &version(), "octo", &storage_line()).unwrap();
    assert_eq!(
        request.uri(),
        "https://api.github.com/orgs/octo/artifacts/metadata/storage-record"
    );
    let least = format!(
        r#"{{"name":"docker.io/library/nginx","digest":"{digest}","registry_url":"https://docker.io/","status":"active","return_records":false}}"#
    );
    assert_eq!(text(&request), least);
    let full = StorageLine {
        version: Some("1.27".into()),
        artifact_url: Some("https://ghcr.io/octo/web".into()),
        path: Some("https://ghcr.io/v2/octo/web".into()),
        repository: Some("octo/web".into()),
        status: StorageStatus::Eol,
        github_repository: Some("web".into()),
        ..storage_line()
    };
    let request = create_storage_record(&api(), &version(), "octo", &full).unwrap();
    let expected = format!(
        r#"{{"name":"docker.io/library/nginx","digest":"{digest}","version":"1.27","artifact_url":"https://ghcr.io/octo/web","path":"https://ghcr.io/v2/octo/web","registry_url":"https://docker.io/","repository":"octo/web","status":"eol","github_repository":"web","return_records":false}}"#
    );
    assert_eq!(text(&request), expected);
}

#[test]
fn each_limit_of_one_storage_record_is_held_and_named() {
    let http: &[&str] = &[
        "http://ghcr.io",
        "ghcr.io",
        "HTTPS://ghcr.io",
        "https://a b",
        "https://",
    ];
    let table: [(&str, usize, usize, &[&str], &str); 8] = [
        ("org", 1, 1000, &[".", ".."], ""),
        ("name", 1, 256, &[], ""),
        ("version", 1, 100, &[], ""),
        ("registry_url", 9, 256, http, "https://"),
        ("artifact_url", 9, 152, http, "https://"),
        ("path", 2, 512, &["octo/web", "/octo", "https:// "], "x:"),
        ("repository", 0, 128, &[], ""),
        ("github_repository", 1, 100, &["octo/web", "a b"], ""),
    ];
    for (field, least, most, refused, start) in table {
        assert_limits(field, least, most, refused, storage_with, start);
    }
}

/// Asserts that a field may have from `least` to `most` bytes, with this start, and not these
/// values.
fn assert_limits(
    field: &str,
    least: usize,
    most: usize,
    refused: &[&str],
    build: fn(&str, &str) -> Result<Request<Bytes>, RequestError>,
    start: &str,
) {
    let of = |length: usize| format!("{start:x<length$}")[..length].to_owned();
    for length in [least, most] {
        let built = build(field, &of(length));
        assert!(built.is_ok(), "{field} of {length}: {built:?}");
    }
    let short = least.checked_sub(1).map(of);
    let long = Some(of(most + 1)).filter(|_| field != "org");
    let refused = refused.iter().map(ToString::to_string);
    for value in short.into_iter().chain(long).chain(refused) {
        assert_names(build(field, &value), field, &value);
    }
}

#[test]
fn one_record_is_not_sent_to_a_host_that_the_token_is_not_for() {
    let place = Destination {
        host: "api.octo.ghe.com".into(),
        ..destination()
    };
    let mut one = line("a");
    one.identity.destination = Arc::new(place);
    let error = create_deployment_record(&api(), &version(), &one);
    assert!(matches!(error, Err(RequestError::OtherHost { .. })));
}

#[test]
fn at_ghe_com_the_same_paths_follow_the_hosts_own_name() {
    let api = ApiUrl::parse("api.octo.ghe.com", false).unwrap();
    let request = create_storage_record(&api, &version(), "octo", &storage_line()).unwrap();
    assert_eq!(
        request.uri(),
        "https://api.octo.ghe.com/orgs/octo/artifacts/metadata/storage-record"
    );
}
