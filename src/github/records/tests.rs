//! What lists mean, on bytes.

use super::super::samples::received;
use super::*;

fn deployments(status: u16, body: &str) -> Answer<Records<DeploymentRecord>> {
    received(status, body.as_bytes(), Records::<DeploymentRecord>::read)
}

fn storage(status: u16, body: &str) -> Answer<Records<StorageRecord>> {
    received(status, body.as_bytes(), Records::<StorageRecord>::read)
}

fn hex() -> String {
    format!("sha256:{}", "ab".repeat(32))
}

/// A list of one deployment record with these fields.
fn list(record: &str) -> String {
    format!(r#"{{"total_count":1,"deployment_records":[{record}]}}"#)
}

#[test]
fn a_deployment_record_is_read_with_what_the_contract_has_and_more() {
    let hex = hex();
    let body = list(&format!(
        r#"{{"id":4,"digest":"{hex}","logical_environment":"prod","physical_environment":"eu",
        "cluster":"c","deployment_name":"web","tags":{{"team":"x"}},
        "runtime_risks":["sensitive-data","brand-new"],"created_at":"then","updated_at":"now",
        "attestation_id":9,"status":"decommissioned","name":"nginx","version":"1.27",
        "github_repository":"web","unheard_of":{{"x":[]}}}}"#
    ));
    let expected = DeploymentRecord {
        id: Some(4),
        digest: Digest::parse(&hex).unwrap(),
        name: "web".to_owned(),
        logical_environment: "prod".to_owned(),
        physical_environment: "eu".to_owned(),
        cluster: "c".to_owned(),
        tags: BTreeMap::from([("team".to_owned(), "x".to_owned())]),
        risks: vec!["sensitive-data".to_owned(), "brand-new".to_owned()],
        created_at: Some("then".to_owned()),
        updated_at: Some("now".to_owned()),
        attestation_id: Some(9),
        status: Some("decommissioned".to_owned()),
        artifact_name: Some("nginx".to_owned()),
        version: Some("1.27".to_owned()),
        repository: Some("web".to_owned()),
    };
    let records = deployments(200, &body).unwrap();
    assert!(records.is_whole());
    assert_eq!(records.records, [expected]);
}

#[test]
fn a_deployment_record_needs_no_more_than_what_says_which_it_is() {
    let hex = hex();
    let least = format!(
        r#"{{"digest":"{hex}","logical_environment":"prod","deployment_name":"web","cluster":null,
        "attestation_id":null,"tags":null,"status":7,"version":{{}}}}"#
    );
    let records = deployments(200, &list(&least)).unwrap().records;
    let record = &records[0];
    assert_eq!(
        (
            record.cluster.as_str(),
            record.physical_environment.as_str()
        ),
        ("", "")
    );
    assert!(record.status.is_none() && record.version.is_none() && record.tags.is_empty());
    for broken in [
        r#"{"logical_environment":"prod","deployment_name":"web"}"#.to_owned(),
        format!(r#"{{"digest":"{hex}","deployment_name":"web"}}"#),
        format!(r#"{{"digest":"{hex}","logical_environment":"prod"}}"#),
        least.replace("sha256:ab", "sha256:AB"),
        least.replace(r#""cluster":null"#, r#""cluster":7"#),
        least.replace(r#""tags":null"#, r#""tags":{"a":1}"#),
        least.replace(r#""attestation_id":null"#, r#""attestation_id":"x""#),
        r#""web""#.to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
    ] {
        let answer = deployments(200, &list(&broken));
        assert_eq!(answer.unwrap_err().kind(), "unknown", "{broken}");
    }
}

#[test]
fn a_list_is_whole_only_if_as_many_came_as_there_are() {
    let record = format!(
        r#"{{"digest":"{}","logical_environment":"prod","deployment_name":"web"}}"#,
        hex()
    );
    for (count, came, whole) in [
        ("0", "", true),
        ("1", record.as_str(), true),
        ("2", record.as_str(), false),
        ("1", "", false),
        ("null", record.as_str(), false),
    ] {
        let body = format!(r#"{{"total_count":{count},"deployment_records":[{came}]}}"#);
        let records = deployments(200, &body).unwrap();
        assert_eq!(records.is_whole(), whole, "{body}");
    }
    let empty = deployments(200, r#"{"total_count":0}"#).unwrap();
    assert_eq!((empty.records.len(), empty.is_whole()), (0, true));
}

#[test]
fn what_is_no_list_tells_nothing() {
    for body in [
        "",
        "<html>",
        "[]",
        "{}",
        r#"{"total_count":2}"#,
        r#"{"total_count":2,"deployment_records":null}"#,
        r#"{"total_count":"0","deployment_records":[]}"#,
        r#"{"total_count":-1,"deployment_records":[]}"#,
        r#"{"total_count":1,"deployment_records":{}}"#,
        r#"{"total_count":1,"storage_records":[]}"#,
    ] {
        assert_eq!(
            deployments(200, body).unwrap_err().kind(),
            "unknown",
            "{body}"
        );
    }
    assert_eq!(deployments(404, "").unwrap_err().kind(), "no-access");
    assert_eq!(deployments(206, &list("")).unwrap_err().kind(), "unknown");
}

#[test]
fn a_storage_record_is_read_with_what_the_contract_has_and_more() {
    let hex = hex();
    let body = format!(
        r#"{{"total_count":2,"storage_records":[
        {{"id":4,"name":"nginx","digest":"{hex}","artifact_url":"https://a","registry_url":"https://r",
        "repository":"web","status":"eol","created_at":"then","updated_at":"now","version":"1",
        "path":"https://p","github_repository":"w"}}, {{"digest":"{hex}","repository":null}}]}}"#
    );
    let records = storage(200, &body).unwrap();
    assert!(records.is_whole());
    let text = |text: &str| Some(text.to_owned());
    let full = StorageRecord {
        id: Some(4),
        digest: Digest::parse(&hex).unwrap(),
        name: text("nginx"),
        registry_url: text("https://r"),
        artifact_url: text("https://a"),
        repository: text("web"),
        status: text("eol"),
        created_at: text("then"),
        updated_at: text("now"),
        version: text("1"),
        path: text("https://p"),
        github_repository: text("w"),
    };
    assert_eq!(records.records[0], full);
    assert_eq!(
        (&records.records[1].repository, records.records[1].id),
        (&None, None)
    );
    assert_eq!(
        storage(200, r#"{"total_count":1}"#).unwrap_err().kind(),
        "unknown"
    );
}

#[test]
fn of_a_list_the_first_ten_thousand_are_kept_and_it_is_not_whole() {
    let record = format!(
        r#"{{"digest":"{}","logical_environment":"prod","deployment_name":"web"}}"#,
        hex()
    );
    for (total, count, told, whole) in [
        ("1", 10_000, Some(1), true),
        ("1", 10_001, Some(10_001), false),
        ("20000", 10_001, Some(20_000), false),
        ("null", 10_001, None, false),
    ] {
        let all = vec![record.as_str(); count].join(",");
        let body = format!(r#"{{"total_count":{total},"deployment_records":[{all}]}}"#);
        let records = deployments(200, &body).unwrap();
        assert_eq!(records.records.len(), 10_000);
        assert_eq!((records.total_count, records.is_whole()), (told, whole));
    }
}

#[test]
fn of_a_record_the_first_sixteen_tags_and_risks_are_kept() {
    for count in [16, 17] {
        let numbers = 10..10 + count;
        let tags: BTreeMap<String, String> = numbers
            .map(|it| (format!("tag-{it}"), it.to_string()))
            .collect();
        let risks: Vec<&String> = tags.keys().collect();
        let record = serde_json::json!({
            "digest": hex(), "logical_environment": "prod", "deployment_name": "web",
            "tags": tags, "runtime_risks": risks
        });
        let records = deployments(200, &list(&record.to_string()))
            .unwrap()
            .records;
        let names: Vec<&String> = records[0].tags.keys().collect();
        assert_eq!(names, risks[..16]);
        assert_eq!(records[0].tags["tag-25"], "25");
        assert!(records[0].risks.iter().eq(risks[..16].iter().copied()));
    }
}
