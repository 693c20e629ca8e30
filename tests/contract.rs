//! Every request that may be sent is one of the contract's: its path, its method, its body. The
//! contract is GitHub's own description; here it also refuses every property that it does not name.

#![cfg(feature = "sandbox")]
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed test should say so loudly"
)]

use std::cell::Cell;
use std::sync::Arc;

use bytes::Bytes;
use deployment_recorder::github::api::{ApiUrl, ApiVersion, DEFAULT, DEFAULT_VERSION};
use deployment_recorder::github::job::JobId;
use deployment_recorder::github::operation::Operation;
use deployment_recorder::github::request::{self, MAX_JOB_LINES, MAX_LINES, RequestError};
use deployment_recorder::model::image::Digest;
use deployment_recorder::model::record::{Body, Destination, Identity, Line, Status};
use deployment_recorder::model::risk::Risk;
use deployment_recorder::model::storage::{StorageLine, StorageStatus};
use http::Request;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

#[cfg(test)]
#[path = "contract/any.rs"]
mod any;
#[cfg(test)]
#[path = "fuzz/cluster.rs"]
mod cluster;
#[cfg(test)]
#[path = "contract/plans.rs"]
mod plans;
#[cfg(test)]
#[path = "contract/schema.rs"]
mod schema;

use any::Reach;

type Built = Result<Request<Bytes>, RequestError>;

fn api() -> ApiUrl {
    ApiUrl::parse(DEFAULT, false).unwrap()
}

fn version() -> ApiVersion {
    ApiVersion::parse(DEFAULT_VERSION).unwrap()
}

/// Builds a request from so many inputs: each that is built is one of the contract's. Gives how many
/// were.
fn judge<T: std::fmt::Debug>(
    operation: Operation,
    inputs: &impl Strategy<Value = T>,
    cases: u32,
    build: impl Fn(&T) -> Built,
) -> u32 {
    let built = Cell::new(0);
    let mut runner = TestRunner::new(Config {
        failure_persistence: None,
        ..Config::with_cases(cases)
    });
    let result = runner.run(inputs, |input| {
        match build(&input) {
            Ok(request) => {
                built.set(built.get() + 1);
                let complaints = schema::complaints(operation, &request);
                prop_assert!(complaints.is_empty(), "{complaints:?}");
            }
            Err(error) => prop_assert!(says_what_to_change(&error), "{error}"),
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{}: {error}", operation.as_str()));
    built.get()
}

/// Whether an error names the field, what it holds and what it may hold, or the line that is too much.
fn says_what_to_change(error: &RequestError) -> bool {
    let text = error.to_string();
    let has = |parts: &[&str]| parts.iter().all(|part| text.contains(part));
    match error {
        RequestError::Field {
            field,
            value,
            limit,
        } => has(&[field, &format!("{value:?}"), limit]),
        RequestError::Count {
            field, count, most, ..
        } => has(&[field, &count.to_string(), &most.to_string()]),
        RequestError::Line { name, error } => {
            has(&[&format!("{name:?}"), &error.to_string()]) && says_what_to_change(error)
        }
        RequestError::SameName(name) | RequestError::OtherDestination(name) => {
            has(&[&format!("{name:?}")])
        }
        RequestError::OtherHost { destination, api } => has(&[destination, api]),
        RequestError::Unwritable(_) => false,
    }
}

/// Judges every operation with inputs that reach so far. Gives how many of its inputs each built.
fn judge_all(reach: Reach, cases: u32) -> Vec<(Operation, u32)> {
    let (api, version) = (api(), version());
    let job = (any::destination(reach, 1), any::<u64>());
    let digest = (any::organization(reach), any::digest());
    let storage = (any::organization(reach), any::storage(reach));
    let judged = |operation| match operation {
        Operation::CreateDeploymentRecord => judge(operation, &any::line(reach), cases, |line| {
            request::create_deployment_record(&api, &version, line)
        }),
        Operation::SetClusterDeploymentRecords => {
            judge(operation, &any::lines(reach, 9), cases, |(place, lines)| {
                request::set_cluster_deployment_records(&api, &version, place, lines)
            })
        }
        Operation::CreateJob => judge(operation, &any::lines(reach, 9), cases, |(place, lines)| {
            request::create_job(&api, &version, place, lines)
        }),
        Operation::GetJob => judge(operation, &job, cases, |(place, id)| {
            request::get_job(&api, &version, place, JobId(*id))
        }),
        Operation::CreateStorageRecord => judge(operation, &storage, cases, |(place, line)| {
            request::create_storage_record(&api, &version, place, line)
        }),
        Operation::ListDeploymentRecords => judge(operation, &digest, cases, |(place, digest)| {
            request::list_deployment_records(&api, &version, place, digest)
        }),
        Operation::ListStorageRecords => judge(operation, &digest, cases, |(place, digest)| {
            request::list_storage_records(&api, &version, place, digest)
        }),
    };
    Operation::ALL
        .map(|operation| (operation, judged(operation)))
        .to_vec()
}

#[test]
fn every_input_within_the_limits_makes_a_request_of_the_contracts() {
    for (operation, built) in judge_all(Reach::Within, 48) {
        assert_eq!(built, 48, "{}", operation.as_str());
    }
}

#[test]
fn no_input_beyond_the_limits_makes_a_request_that_the_contract_refuses() {
    for (operation, built) in judge_all(Reach::Beyond, 256) {
        // Neither all of them were built nor none: the limits were really met from both sides.
        assert!((8..256).contains(&built), "{}: {built}", operation.as_str());
    }
}

#[test]
fn what_is_taken_for_a_url_is_one_to_the_contract() {
    let (api, version) = (api(), version());
    let sample = StorageLine {
        name: "web".into(),
        digest: Digest::parse(&format!("sha256:{}", "0f".repeat(32))).unwrap(),
        version: None,
        registry_url: "https://ghcr.io".into(),
        artifact_url: None,
        path: None,
        repository: None,
        status: StorageStatus::Active,
        github_repository: None,
    };
    let operation = Operation::CreateStorageRecord;
    let built = judge(operation, &any::near_url(), 2048, |url| {
        let registry_url = url.clone();
        let line = StorageLine {
            registry_url,
            ..sample.clone()
        };
        request::create_storage_record(&api, &version, "octo", &line)
    });
    assert!((256..2048).contains(&built), "{built}");
}

#[test]
fn an_image_in_a_registry_with_an_address_makes_a_storage_record_of_the_contracts() {
    let (api, version) = (api(), version());
    let operation = Operation::CreateStorageRecord;
    let built = judge(operation, &any::stored(), 512, |line| {
        request::create_storage_record(&api, &version, "octo", line)
    });
    assert_eq!(built, 512);
}

#[test]
fn the_operations_are_those_of_the_contract_by_their_names() {
    let mut names = Operation::ALL.map(Operation::as_str);
    names.sort_unstable();
    assert!(schema::rules().into_keys().eq(names));
}

/// The fullest line of that name.
fn full_line(destination: &Arc<Destination>, name: String) -> Line {
    let body = Body {
        digest: Digest::parse(&format!("sha256:{}", "0f".repeat(32))).unwrap(),
        name: "x".repeat(256).into(),
        version: Some("v".repeat(100).into()),
        repository: Some("r".repeat(100).into()),
        tags: (0..5)
            .map(|number| (number.to_string().into(), "value".into()))
            .collect(),
        risks: Risk::ALL.into(),
    };
    Line {
        identity: Identity {
            destination: destination.clone(),
            name: name.into(),
        },
        body: Arc::new(body),
        status: Status::Deployed,
    }
}

#[test]
fn a_full_batch_and_a_full_job_are_the_contracts_and_one_more_line_is_not() {
    let destination = Arc::new(Destination {
        host: "api.github.com".into(),
        organization: "octo".into(),
        cluster: "c".repeat(128).into(),
        logical_environment: "e".repeat(128).into(),
        physical_environment: Some("p".repeat(128).into()),
    });
    let lines = |count: usize| -> Vec<Line> {
        let names = (0..count).map(|number| number.to_string());
        names.map(|name| full_line(&destination, name)).collect()
    };
    let (api, version) = (api(), version());
    let set =
        request::set_cluster_deployment_records(&api, &version, &destination, &lines(MAX_LINES));
    let job = request::create_job(&api, &version, &destination, &lines(MAX_JOB_LINES));
    let rules = schema::rules();
    for (operation, request) in [
        (Operation::SetClusterDeploymentRecords, set),
        (Operation::CreateJob, job),
    ] {
        let request = request.unwrap();
        let rules = &rules[operation.as_str()];
        assert_eq!(rules.complaints(&request), [""; 0]);
        let mut body: Value = serde_json::from_slice(request.body()).unwrap();
        let deployments = body["deployments"].as_array_mut().unwrap();
        deployments.push(deployments[0].clone());
        assert!(!rules.takes(&body), "{}", operation.as_str());
    }
}

#[test]
fn the_contract_refuses_what_it_does_not_name() {
    let rules = schema::rules();
    let set = &rules[Operation::SetClusterDeploymentRecords.as_str()];
    let mut body = serde_json::json!({
        "logical_environment": "production",
        "deployments": [
            {"name": "a", "deployment_name": "a", "digest": format!("sha256:{}", "0".repeat(64))}
        ],
    });
    assert!(set.takes(&body));
    body["deployments"][0]["image"] = "a".into();
    assert!(!set.takes(&body));
}
