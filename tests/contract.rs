//! Every request that may be sent is one of the contract's: its path, its method, its body. The
//! contract is GitHub's own description; here it also refuses every property that it does not name.

#![cfg(feature = "sandbox")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed unwrap is a failed test"
)]

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use deployment_recorder::github::api::{ApiUrl, ApiVersion, DEFAULT, DEFAULT_VERSION};
use deployment_recorder::github::request::{MAX_LINES, set_cluster_deployment_records};
use deployment_recorder::model::image::Digest;
use deployment_recorder::model::record::{Body, Destination, Identity, Line, Status};
use deployment_recorder::model::risk::Risk;
use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::Value;

const CONTRACT: &str = include_str!("../contract/artifact-metadata.openapi.json");
const PATH: &str = "/orgs/{org}/artifacts/metadata/deployment-record/cluster/{cluster}";

/// The contract's schema of the body of a set-cluster-deployment-records request.
fn schema() -> Validator {
    let contract: Value = serde_json::from_str(CONTRACT).unwrap();
    let operation = &contract["paths"][PATH]["post"];
    let mut schema = operation["requestBody"]["content"]["application/json"]["schema"].clone();
    refuse_the_unnamed(&mut schema);
    jsonschema::validator_for(&schema).unwrap()
}

/// Refuses properties that a schema does not name, at every level.
fn refuse_the_unnamed(schema: &mut Value) {
    let Value::Object(object) = schema else {
        return;
    };
    if object.contains_key("properties") && !object.contains_key("additionalProperties") {
        object.insert("additionalProperties".to_owned(), false.into());
    }
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        properties.values_mut().for_each(refuse_the_unnamed);
    }
    object
        .get_mut("items")
        .into_iter()
        .for_each(refuse_the_unnamed);
}

/// Text of so many bytes in characters of one, two and four bytes.
fn text(least: usize, most: usize) -> impl Strategy<Value = Arc<str>> {
    let letters = prop_oneof![3 => any::<char>(), 7 => prop::char::range(' ', '~')];
    prop::collection::vec(letters, least..=most).prop_map(move |letters| {
        let mut text = String::new();
        for letter in letters {
            if text.len() + letter.len_utf8() <= most {
                text.push(letter);
            }
        }
        if text.len() < least {
            "x".repeat(least).into()
        } else {
            text.into()
        }
    })
}

fn name(most: usize) -> impl Strategy<Value = Arc<str>> {
    let letters = prop::collection::vec(
        prop::char::ranges(vec!['a'..='z', '0'..='9'].into()),
        1..=most,
    );
    letters.prop_map(|letters| letters.into_iter().collect::<String>().into())
}

prop_compose! {
    fn destination()(
        organization in text(1, 40),
        cluster in name(128),
        logical_environment in text(1, 128),
        physical_environment in prop::option::of(text(0, 128)),
    ) -> Destination {
        let host = "api.github.com".into();
        let is_step = matches!(&*organization, "." | "..");
        let organization = if is_step { "octo".into() } else { organization };
        Destination { host, organization, cluster, logical_environment, physical_environment }
    }
}

prop_compose! {
    fn body()(
        digest in "sha256:[0-9a-f]{64}",
        name in text(1, 256),
        version in prop::option::of(text(0, 100)),
        repository in prop::option::of(name(100)),
        tags in prop::collection::btree_map(text(0, 20), text(0, 100), 0..=5),
        risks in prop::collection::btree_set(prop::sample::select(Risk::ALL.to_vec()), 0..=4),
    ) -> Body {
        let digest = Digest::parse(&digest).unwrap();
        let (tags, risks) = (tags.into_iter().collect(), risks.into_iter().collect());
        Body { digest, name, version, repository, tags, risks }
    }
}

fn lines(destination: &Destination, bodies: Vec<(Arc<str>, Body, bool)>) -> Vec<Line> {
    let destination = Arc::new(destination.clone());
    let mut taken = BTreeSet::new();
    let lines = bodies.into_iter().map(|(name, body, deployed)| Line {
        identity: Identity {
            destination: destination.clone(),
            name,
        },
        body: body.into(),
        status: if deployed {
            Status::Deployed
        } else {
            Status::Decommissioned
        },
    });
    lines
        .filter(|line| taken.insert(line.identity.clone()))
        .collect()
}

fn request(destination: &Destination, lines: &[Line]) -> http::Request<Bytes> {
    let api = ApiUrl::parse(DEFAULT, false).unwrap();
    let version = ApiVersion::parse(DEFAULT_VERSION).unwrap();
    set_cluster_deployment_records(&api, &version, destination, lines).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_request_is_one_of_the_contracts(
        destination in destination(),
        bodies in prop::collection::vec((text(1, 256), body(), any::<bool>()), 1..20),
    ) {
        let lines = lines(&destination, bodies);
        let request = request(&destination, &lines);
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        let schema = schema();
        let problems = schema.iter_errors(&body).map(|error| error.to_string());
        let problems: Vec<String> = problems.collect();
        prop_assert!(problems.is_empty(), "{problems:?}");
        prop_assert_eq!(body["deployments"].as_array().map(Vec::len), Some(lines.len()));

        let path: Vec<&str> = request.uri().path().split('/').collect();
        let pattern: Vec<&str> = PATH.split('/').collect();
        prop_assert_eq!(path.len(), pattern.len());
        for (segment, expected) in path.iter().zip(pattern) {
            let is_filled = expected.starts_with('{') && !segment.is_empty();
            prop_assert!(*segment == expected || is_filled);
        }
        prop_assert_eq!(request.uri().query(), None);
    }
}

#[test]
fn a_full_batch_is_one_of_the_contracts_and_one_more_line_is_not() {
    let full: Arc<str> = "x".repeat(256).into();
    let destination = Destination {
        host: "api.github.com".into(),
        organization: "octo".into(),
        cluster: "c".repeat(128).into(),
        logical_environment: "e".repeat(128).into(),
        physical_environment: Some("p".repeat(128).into()),
    };
    let body = Body {
        digest: Digest::parse(&format!("sha256:{}", "0f".repeat(32))).unwrap(),
        name: full,
        version: Some("v".repeat(100).into()),
        repository: Some("r".repeat(100).into()),
        tags: (0..5)
            .map(|number| (number.to_string().into(), "value".into()))
            .collect(),
        risks: Risk::ALL.into(),
    };
    let bodies = (0..MAX_LINES).map(|number| (number.to_string().into(), body.clone(), true));
    let request = request(&destination, &lines(&destination, bodies.collect()));
    let mut body: Value = serde_json::from_slice(request.body()).unwrap();
    assert!(schema().is_valid(&body));

    let deployments = body["deployments"].as_array_mut().unwrap();
    deployments.push(deployments[0].clone());
    assert!(!schema().is_valid(&body));
}

#[test]
fn the_contract_refuses_what_it_does_not_name() {
    let schema = schema();
    let mut body = serde_json::json!({
        "logical_environment": "production",
        "deployments": [
            {"name": "a", "deployment_name": "a", "digest": format!("sha256:{}", "0".repeat(64))}
        ],
    });
    assert!(schema.is_valid(&body));
    body["deployments"][0]["image"] = "a".into();
    assert!(!schema.is_valid(&body));
}
