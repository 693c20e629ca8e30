//! Tests of the file of `records set`, by plain calls: what is read, and what is refused in which
//! words.

use super::*;

const A: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn parse(text: &str) -> Input {
    Input::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn refused(text: &str) -> String {
    match Input::parse(text) {
        Err(InputError(text)) => text,
        Ok(input) => panic!("{input:?}"),
    }
}

#[test]
fn a_list_a_body_and_a_snapshot_hold_the_same_record() {
    let list = format!(
        r#"[{{"deployment_name": "web", "name": "ghcr.io/acme/web", "digest": "{A}", "version": "1",
             "github_repository": "web", "tags": {{"team": "shop"}},
             "runtime_risks": ["sensitive-data"]}}]"#
    );
    let body = format!(
        "logical_environment: production\nphysical_environment: eu\ndeployments:\n\
         - deployment_name: web\n  name: ghcr.io/acme/web\n  digest: {A}\n  version: '1'\n  \
         status: deployed\n  github_repository: web\n  tags: {{team: shop}}\n  \
         runtime_risks: [sensitive-data]\n"
    );
    let snapshot = format!(
        r#"{{"sources": [
             {{"namespace": "shop", "kind": "Deployment", "workload": "web", "container": "web",
               "record": {{"record_name": "web", "organization": "acme", "cluster": "prod",
                 "logical_environment": "production", "physical_environment": "eu",
                 "name": "ghcr.io/acme/web", "version": "1", "digest": "{A}", "repository": "web",
                 "tags": {{"team": "shop"}}, "runtime_risks": ["sensitive-data"]}}, "gaps": []}},
             {{"namespace": "shop", "kind": "Deployment", "workload": "db", "container": "db",
               "record": null, "gaps": []}}],
            "not_selected": {{}}, "not_running": 0}}"#
    );
    let (list, body, snapshot) = (parse(&list), parse(&body), parse(&snapshot));
    let [first] = &list.entries[..] else {
        panic!("{list:?}")
    };
    assert_eq!(first.label, "record 1 (\"web\")");
    assert_eq!(first.place, Said::default());
    let said = |text: &str| Some(Arc::from(text));
    let around = Said {
        logical_environment: said("production"),
        physical_environment: said("eu"),
        ..Said::default()
    };
    let whole = Said {
        organization: said("acme"),
        cluster: said("prod"),
        ..around.clone()
    };
    for (input, place) in [(&body, around), (&snapshot, whole)] {
        let expected = Entry {
            place,
            ..first.clone()
        };
        assert_eq!(input.entries, [expected]);
    }
    assert_eq!((body.without_record, snapshot.without_record), (0, 1));
}

#[test]
fn what_snapshot_prints_is_taken_with_what_it_does_not_know() {
    let text = include_str!("../../../../tests/cli/shop.json");
    let input = parse(text);
    assert_eq!(input.entries.len(), 1);
    assert_eq!(&*input.entries[0].name, "shop-web-nginx");
    assert!(input.without_record > 0);
    let empty = text.replace("\"acme\"", "\"\"").replace("\"prod\"", "\"\"");
    let place = &parse(&empty).entries[0].place;
    assert_eq!((&place.organization, &place.cluster), (&None, &None));
}

#[test]
fn what_is_left_out_or_null_is_empty_and_deployed() {
    let text =
        format!(r#"[{{"deployment_name": "w", "name": "img", "digest": "{A}", "tags": null}}]"#);
    let entry = parse(&text).entries.remove(0);
    assert_eq!(entry.status, Status::Deployed);
    assert!(entry.body.tags.is_empty() && entry.body.risks.is_empty());
    assert_eq!((entry.body.version, entry.body.repository), (None, None));
    assert_eq!(parse("[]"), Input::default());
    assert_eq!(parse("deployments: []"), Input::default());
}

/// A field of the second record with its value, and how what is said about it begins.
const FIELDS: &str = r#"
nmae | x | ("b") has the unknown field "nmae"; its fields are name, digest, version, status
version | 1.0 | ("b"): version is 1.0, but must be a text: put it in quotes
version | [] | ("b"): version is [], but must be a text
digest | sha256:abc | ("b"): digest is "sha256:abc", but must be sha256: and 64 hexadecimal digits
status | gone | ("b"): status is "gone", but must be deployed or decommissioned
tags | {team: 7} | ("b"): the tag "team" is 7, but must be a text: put it in quotes
tags | [a] | ("b"): tags is ["a"], but must be texts by their keys
runtime_risks | [fire] | ("b"): one of runtime_risks is "fire", but must be one of critical-resource
runtime_risks | fire | ("b"): runtime_risks is "fire", but must be a list
"#;

fn with(field: &str, value: &str) -> String {
    let digest = if field == "digest" {
        String::new()
    } else {
        format!("  digest: {A}\n")
    };
    format!(
        "- {{deployment_name: a, name: img, digest: {A}}}\n- deployment_name: b\n  name: img\n\
         {digest}  {field}: {value}\n"
    )
}

#[test]
fn every_mistake_in_a_record_is_named_with_its_record_and_field() {
    for row in FIELDS.lines().filter(|row| !row.is_empty()) {
        let [field, value, message] = row.split(" | ").collect::<Vec<_>>()[..] else {
            panic!("{row}")
        };
        let said = refused(&with(field, value));
        assert!(said.starts_with(&format!("record 2 {message}")), "{said}");
    }
    assert!(refused(&with("status", &"x".repeat(300))).chars().count() < 200);
}

#[test]
fn what_is_no_file_of_records_is_refused() {
    for (text, message) in [
        ("- name: img", "record 1: deployment_name is missing"),
        ("- 7", "record 1 is 7, but must have fields"),
        (
            "deployments: {}",
            "the file: deployments is {}, but must be a list",
        ),
        (
            "deployments: []\npartial_success: true",
            "the file has the unknown field \"partial_success\"; its fields are ",
        ),
        (
            "sources: []\nextra: 1",
            "the snapshot has the unknown field \"extra\"",
        ),
        (
            "sources: [{record: {record_name: w, status: deployed}}]",
            "record 1 (\"w\") has the unknown field \"status\"",
        ),
        ("records: []", "it is neither a list of records, "),
        (" \n", "there is nothing in it"),
        ("{\"a\"", "it is not JSON: "),
        ("a: b: c", "it is not YAML: "),
    ] {
        let said = refused(text);
        assert!(said.starts_with(message), "{said}\n{text}");
    }
}

#[test]
fn a_key_that_stands_twice_is_refused_at_any_depth() {
    let tags = format!(
        r#"[{{"deployment_name": "web", "name": "n", "digest": "{A}", "tags": {{"a": "1", "a": "2"}}}}]"#
    );
    let digest =
        format!(r#"[{{"deployment_name": "web", "name": "n", "digest": "x", "digest": "{A}"}}]"#);
    for (text, key) in [(&tags, "a"), (&digest, "digest")] {
        let said = refused(text);
        let expected = format!("it cannot be taken: the key {key:?} stands there twice at line 1 ");
        assert!(said.starts_with(&expected), "{said}");
    }
    let yaml = format!("- {{deployment_name: web, name: n, name: m, digest: {A}}}");
    let said = refused(&yaml);
    assert!(
        said.starts_with("it is not YAML: ") && said.contains("name"),
        "{said}"
    );
}
