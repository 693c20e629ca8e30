//! Every fault at every endpoint: what the client sees, and what was applied.

use std::time::Duration;

use bytes::Bytes;
use deployment_recorder::sandbox::{Endpoint, Fault, FaultKind, Sandbox};
use http::{Method, Request};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::client::*;

/// A sandbox that holds a deployment record, a storage record and a job of the digest `aaa...`.
async fn stocked() -> Sandbox {
    let sandbox = Sandbox::default();
    post(&sandbox, SET, &batch(&[item("shop", 'a')])).await;
    let storage = json!({"name": "n", "digest": digest('a'), "registry_url": "https://r/"});
    post(&sandbox, STORE, &storage).await;
    let job = json!({"logical_environment": "job", "deployments": [item("old", 'a')]});
    assert_eq!(post(&sandbox, JOBS, &job).await.body["job_id"], 1);
    sleep(Duration::from_secs(3)).await;
    sandbox
}

/// The endpoints of records. Those of a GitHub App are struck in `tests/sign_in.rs`.
fn endpoints() -> impl Iterator<Item = Endpoint> {
    let all = Endpoint::ALL.into_iter();
    all.filter(|endpoint| !endpoint.is_of_apps())
}

/// A good request to an endpoint of records; one that writes brings something new, of the digest `bbb...`.
fn good(endpoint: Endpoint) -> Request<Bytes> {
    let around = json!({"logical_environment": "new"});
    let (path, body) = match endpoint {
        Endpoint::CreateDeploymentRecord => {
            let status = json!({"status": "deployed"});
            (
                CREATE.to_owned(),
                with(item("cart", 'b'), with(around, status)),
            )
        }
        Endpoint::SetClusterRecords => (SET.to_owned(), with(around, of_cart())),
        Endpoint::CreateJob => (JOBS.to_owned(), with(around, of_cart())),
        Endpoint::CreateStorageRecord => {
            let body = json!({"name": "n", "digest": digest('b'), "registry_url": "https://r/"});
            (STORE.to_owned(), body)
        }
        Endpoint::GetJob => (format!("{JOBS}/1"), Value::Null),
        Endpoint::ListDeploymentRecords => (list("deployment-records"), Value::Null),
        Endpoint::ListStorageRecords => (list("storage-records"), Value::Null),
        Endpoint::GetInstallation | Endpoint::CreateInstallationToken => {
            panic!("an App asks as itself")
        }
    };
    request(endpoint.method(), &path, &body)
}

fn of_cart() -> Value {
    json!({"deployments": [item("cart", 'b')]})
}

fn list(what: &str) -> String {
    format!("/orgs/acme/artifacts/{}/metadata/{what}", digest('a'))
}

/// Whether the request of [`good`] has left something behind; a job is given its time.
async fn is_applied(sandbox: &Sandbox) -> bool {
    sleep(Duration::from_secs(4)).await;
    sandbox.records().len() + sandbox.storage_records().len() > 3
}

/// The status with which a good request is answered.
fn success(endpoint: Endpoint) -> u16 {
    if endpoint == Endpoint::CreateJob {
        202
    } else {
        200
    }
}

/// What a client sees: a status, a broken connection (0), or nothing within an hour (1).
async fn seen(sandbox: &Sandbox, endpoint: Endpoint) -> u16 {
    let sent = try_send(sandbox, good(endpoint));
    match timeout(Duration::from_hours(1), sent).await {
        Ok(Ok(got)) => got.status.as_u16(),
        Ok(Err(_)) => 0,
        Err(_) => 1,
    }
}

#[tokio::test(start_paused = true)]
async fn a_good_request_is_answered_by_the_contract_and_applied() {
    for endpoint in endpoints() {
        let sandbox = stocked().await;
        let got = send(&sandbox, good(endpoint)).await;
        assert_contract(endpoint, &got);
        assert_eq!(got.status, success(endpoint), "{endpoint:?}");
        assert_eq!(
            is_applied(&sandbox).await,
            endpoint.writes(),
            "{endpoint:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn every_fault_of_a_whole_request_strikes_at_every_endpoint() {
    let throttled = FaultKind::Throttled {
        status: 429,
        retry_after: Some(7),
        reset_after: None,
    };
    let redirect = FaultKind::Redirect {
        status: 308,
        location: None,
    };
    // The fault, what is seen of it, whether a write is applied all the same.
    let mut table = vec![
        (throttled, 429, false),
        (redirect, 308, false),
        (FaultKind::Bare { status: 502 }, 502, false),
        (FaultKind::Poison { status: 400 }, 400, false),
        (FaultKind::NamingRepositories { status: 404 }, 404, false),
        (FaultKind::Reset, 0, false),
        (FaultKind::Hang, 1, false),
        (FaultKind::Lost { hang: false }, 0, true),
        (FaultKind::Lost { hang: true }, 1, true),
        (FaultKind::Late { seconds: 1 }, 0, true),
        (FaultKind::Html { applied: false }, 200, false),
        (FaultKind::Html { applied: true }, 200, true),
        (FaultKind::WrongShape { applied: false }, 200, false),
        (FaultKind::WrongShape { applied: true }, 200, true),
    ];
    for status in [400, 401, 403, 404, 409, 410, 413, 422, 429, 500, 503] {
        table.push((FaultKind::Status { status }, status, false));
    }
    for endpoint in endpoints() {
        for (kind, wanted, applied) in &table {
            let sandbox = stocked().await;
            sandbox.fault(Fault::once(kind.clone()).at(endpoint));
            let what = format!("{kind:?} at {endpoint:?}");
            assert_eq!(seen(&sandbox, endpoint).await, *wanted, "{what}");
            let applied = *applied && endpoint.writes();
            assert_eq!(is_applied(&sandbox).await, applied, "{what}");
            assert_eq!(sandbox.faults().len(), 0, "{what}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_addition_to_an_answer_leaves_it_as_it_is_otherwise() {
    for endpoint in endpoints() {
        let sandbox = stocked().await;
        sandbox.fault(Fault::once(FaultKind::Slow { millis: 500 }));
        sandbox.fault(Fault::once(FaultKind::Announces {
            deprecation: Some("@1".to_owned()),
            sunset: None,
        }));
        let got = send(&sandbox, good(endpoint)).await;
        assert_contract(endpoint, &got);
        assert_eq!(got.status, success(endpoint), "{endpoint:?}");
        let headers = ["deprecation", "sunset"].map(|name| got.header(name));
        assert_eq!(headers, [Some("@1"), None], "{endpoint:?}");
        assert_eq!(
            is_applied(&sandbox).await,
            endpoint.writes(),
            "{endpoint:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn every_write_can_be_refused_for_its_record() {
    for (kind, single) in [
        (FaultKind::UnknownDigest, 404),
        (FaultKind::Unauthorized, 403),
    ] {
        for endpoint in endpoints() {
            let wanted = match endpoint {
                // A set without `partial_success` fails whole.
                Endpoint::CreateDeploymentRecord
                | Endpoint::CreateStorageRecord
                | Endpoint::SetClusterRecords => single,
                Endpoint::CreateJob => 202,
                _ => 200,
            };
            let sandbox = stocked().await;
            sandbox.fault(Fault::once(kind.clone()).digest(&digest('b')));
            assert_eq!(
                seen(&sandbox, endpoint).await,
                wanted,
                "{kind:?} {endpoint:?}"
            );
            assert!(!is_applied(&sandbox).await, "{kind:?} {endpoint:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_tells_of_records_that_are_refused_or_were_never_sent() {
    for (kind, cause, name) in [
        (FaultKind::UnknownDigest, "not_found", "cart"),
        (FaultKind::Unauthorized, "unauthorized", "cart"),
        (FaultKind::StrangeCause, "internal", "cart"),
        (FaultKind::StrangeRecord, "not_found", "a-record-of-nobody"),
    ] {
        let sandbox = stocked().await;
        sandbox.fault(Fault::once(kind));
        let got = send(&sandbox, good(Endpoint::CreateJob)).await;
        sleep(Duration::from_secs(3)).await;
        let path = format!("{JOBS}/{}", got.body["job_id"]);
        let job = send(&sandbox, request(Method::GET, &path, &Value::Null)).await;
        assert_eq!(job.body["status"], "completed");
        let error = &job.body["errors"][0];
        let told = (&error["cause"], &error["deployment"]["deployment_name"]);
        assert_eq!(told, (&json!(cause), &json!(name)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_can_be_short_of_a_record_that_it_counts() {
    for (endpoint, field) in [
        (Endpoint::ListDeploymentRecords, "deployment_records"),
        (Endpoint::ListStorageRecords, "storage_records"),
    ] {
        let sandbox = stocked().await;
        let whole = send(&sandbox, good(endpoint)).await;
        sandbox.fault(Fault::once(FaultKind::ShortList).digest(&digest('a')));
        let short = send(&sandbox, good(endpoint)).await;
        assert_contract(endpoint, &short);
        assert_eq!(short.body["total_count"], whole.body["total_count"]);
        let count = |got: &Got| got.body[field].as_array().unwrap().len();
        assert_eq!(count(&short) + 1, count(&whole));
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_can_tell_the_status_that_the_contract_does_not_have() {
    let sandbox = stocked().await;
    sandbox.fault(Fault::once(FaultKind::ListsStatus));
    let got = send(&sandbox, good(Endpoint::ListDeploymentRecords)).await;
    assert_eq!(got.body["deployment_records"][0]["status"], "deployed");
    let got = send(&sandbox, good(Endpoint::ListDeploymentRecords)).await;
    assert_eq!(got.body["deployment_records"][0].get("status"), None);
}
