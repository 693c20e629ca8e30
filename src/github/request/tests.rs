//! Requests, to the byte, and every limit of the contract.

use std::sync::Arc;

use super::super::samples::{api, destination, line, version};
use super::*;
use crate::model::record::{Body, Destination, Line, Status};
use crate::model::risk::Risk;

mod jobs_and_lists;
mod one;

fn built(destination: &Destination, lines: &[Line]) -> Result<Request<Bytes>, RequestError> {
    set_cluster_deployment_records(&api(), &version(), destination, lines)
}

#[test]
fn a_request_is_the_contracts_path_headers_and_body() {
    let mut full = line("shop-web-nginx");
    let body = Body {
        version: Some("1.27".into()),
        repository: Some("web".into()),
        tags: [("z", "1"), ("team", "a\"b")].into(),
        risks: [Risk::SensitiveData, Risk::CriticalResource].into(),
        ..Body::clone(&full.body)
    };
    full.body = Arc::new(body);
    full.status = Status::Decommissioned;
    let request = built(&destination(), &[full, line("shop-db")]).unwrap();
    assert_eq!(request.method(), Method::POST);
    assert_eq!(
        request.uri(),
        "https://api.github.com/orgs/octo/artifacts/metadata/deployment-record/cluster/prod-1"
    );
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    assert_eq!(header("accept"), Some("application/vnd.github+json"));
    assert_eq!(header("content-type"), Some("application/json"));
    assert_eq!(header("user-agent"), Some(AGENT));
    assert_eq!(header("x-github-api-version"), Some("2022-11-28"));
    assert_eq!(header("authorization"), None);
    let digest = format!("sha256:{}", "ab".repeat(32));
    let expected = format!(
        r#"{{"logical_environment":"production","deployments":[{{"name":"docker.io/library/nginx","digest":"{digest}","version":"1.27","status":"decommissioned","deployment_name":"shop-web-nginx","github_repository":"web","tags":{{"team":"a\"b","z":"1"}},"runtime_risks":["critical-resource","sensitive-data"]}},{{"name":"docker.io/library/nginx","digest":"{digest}","status":"deployed","deployment_name":"shop-db","tags":{{}},"runtime_risks":[]}}],"partial_success":true,"return_records":false}}"#
    );
    assert_eq!(request.body(), expected.as_bytes());
}

#[test]
fn a_physical_environment_is_sent_only_where_there_is_one() {
    for (given, sent) in [(None, None), (Some(""), None), (Some("eu"), Some("eu"))] {
        let place = Destination {
            physical_environment: given.map(Arc::from),
            ..destination()
        };
        let mut one = line("a");
        one.identity.destination = Arc::new(place.clone());
        let request = built(&place, &[one]).unwrap();
        let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
        let found = body
            .get("physical_environment")
            .and_then(serde_json::Value::as_str);
        assert_eq!(found, sent, "{given:?}");
    }
}

#[test]
fn segments_of_the_path_are_escaped_and_never_change_the_endpoint() {
    let request = built_with("org", "a/../b?c#d é").unwrap();
    assert_eq!(
        request.uri().path(),
        "/orgs/a%2F..%2Fb%3Fc%23d%20%C3%A9/artifacts/metadata/deployment-record/cluster/prod-1"
    );
    assert_eq!(request.uri().query(), None);
    for organization in ["", ".", ".."] {
        assert!(matches!(
            built_with("org", organization),
            Err(RequestError::Field { field: "org", .. })
        ));
    }
}

/// A line in which this field holds that value, its destination's too.
fn line_with(field: &str, value: &str) -> Line {
    let (mut place, mut one) = (destination(), line("a"));
    let mut body = Body::clone(&one.body);
    match field {
        "org" => place.organization = value.into(),
        "cluster" => place.cluster = value.into(),
        "logical_environment" => place.logical_environment = value.into(),
        "physical_environment" => place.physical_environment = Some(value.into()),
        "deployment_name" => one.identity.name = value.into(),
        "name" => body.name = value.into(),
        "version" => body.version = Some(value.into()),
        "github_repository" => body.repository = Some(value.into()),
        other => panic!("{other}"),
    }
    one.body = Arc::new(body);
    one.identity.destination = Arc::new(place);
    one
}

/// A request of one line in which this field holds that value.
fn built_with(field: &str, value: &str) -> Result<Request<Bytes>, RequestError> {
    let one = line_with(field, value);
    built(&one.identity.destination, std::slice::from_ref(&one))
}

/// Asserts that no request was built, and that the error names the field and its value.
fn assert_names(built: Result<Request<Bytes>, RequestError>, field: &str, value: &str) {
    let error = match built.unwrap_err() {
        RequestError::Line { name, error } => {
            assert_eq!(name, "a");
            *error
        }
        error => error,
    };
    let RequestError::Field {
        field: named,
        value: held,
        ..
    } = error
    else {
        panic!("{field} {value:?}: {error:?}")
    };
    assert_eq!((named, held.as_str()), (field, value));
}

#[test]
fn each_limit_of_the_contract_is_held_and_named() {
    // The field, the lengths that it may have, and values that it may not have.
    let table: [(&str, usize, usize, &[&str]); 7] = [
        ("cluster", 1, 128, &["..", ".", "a b", "a/b", "\u{e9}"]),
        ("logical_environment", 1, 128, &[]),
        ("physical_environment", 0, 128, &[]),
        ("deployment_name", 1, 256, &[]),
        ("name", 1, 256, &[]),
        ("version", 0, 100, &[]),
        ("github_repository", 1, 100, &["octo/web", "a b"]),
    ];
    for (field, least, most, refused) in table {
        for length in [least, most] {
            assert!(
                built_with(field, &"x".repeat(length)).is_ok(),
                "{field} of {length}"
            );
        }
        let lengths = [least.checked_sub(1), Some(most + 1)].into_iter().flatten();
        let lengths = lengths.map(|length| "x".repeat(length));
        for value in lengths.chain(refused.iter().map(ToString::to_string)) {
            assert_names(built_with(field, &value), field, &value);
        }
    }
}

#[test]
fn a_request_has_1_to_1000_lines_of_at_most_five_tags() {
    let lines = |count: usize| {
        (0..count)
            .map(|n| line(&format!("n{n}")))
            .collect::<Vec<_>>()
    };
    assert!(built(&destination(), &lines(1000)).is_ok());
    for count in [0, 1001] {
        let error = built(&destination(), &lines(count)).unwrap_err();
        let expected = RequestError::Count {
            field: "deployments",
            count,
            least: 1,
            most: 1000,
        };
        assert_eq!(error, expected);
    }
    let mut tagged = line("a");
    let tags = (0..6).map(|n| (n.to_string().into(), "".into())).collect();
    tagged.body = Arc::new(Body {
        tags,
        ..Body::clone(&tagged.body)
    });
    let error = built(&destination(), &[tagged]).unwrap_err();
    let expected = RequestError::Count {
        field: "tags",
        count: 6,
        least: 0,
        most: 5,
    };
    let RequestError::Line { name, error } = error else {
        panic!("{error:?}")
    };
    assert_eq!((name.as_str(), *error), ("a", expected));
}

#[test]
fn an_error_says_which_line_which_field_what_value_and_what_limit() {
    let error = built_with("version", &"1".repeat(101)).unwrap_err();
    let expected = format!(
        r#"in the line named "a", version is "{}", but must be at most 100 bytes"#,
        "1".repeat(101)
    );
    assert_eq!(error.to_string(), expected);
}

#[test]
fn names_that_differ_in_letter_case_alone_are_not_sent_together() {
    let error = built(&destination(), &[line("Web"), line("web")]).unwrap_err();
    assert_eq!(error, RequestError::SameName("web".to_owned()));
}

#[test]
fn a_line_of_another_destination_or_another_spelling_of_it_is_not_sent() {
    for cluster in ["prod-2", "PROD-1"] {
        let mut other = line("a");
        let place = Destination {
            cluster: cluster.into(),
            ..destination()
        };
        other.identity.destination = Arc::new(place);
        let error = built(&destination(), &[other]).unwrap_err();
        assert_eq!(error, RequestError::OtherDestination("a".to_owned()));
    }
}

#[test]
fn nothing_is_sent_to_a_host_that_the_token_is_not_for() {
    let place = Destination {
        host: "api.octo.ghe.com".into(),
        ..destination()
    };
    let mut one = line("a");
    one.identity.destination = Arc::new(place.clone());
    assert!(matches!(
        built(&place, &[one]),
        Err(RequestError::OtherHost { .. })
    ));
}
