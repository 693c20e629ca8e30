//! Faults, one by one: what the client sees, and what was applied.

use std::time::Duration;

use deployment_recorder::sandbox::{Endpoint, Fault, FaultKind, Sandbox};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use super::client::*;

fn two() -> Value {
    let of = |name: &str, letter, repository: &str| {
        with(item(name, letter), json!({"github_repository": repository}))
    };
    batch(&[of("shop", 'a', "shop"), of("cart", 'b', "cart")])
}

fn names(sandbox: &Sandbox) -> Vec<String> {
    sandbox
        .records()
        .into_iter()
        .map(|record| record.key.deployment_name)
        .collect()
}

/// Sends the two records to a sandbox with this fault.
async fn struck(fault: Fault) -> (Sandbox, std::io::Result<Got>) {
    let sandbox = Sandbox::default();
    sandbox.fault(fault);
    let request = request(http::Method::POST, SET, &two());
    let got = try_send(&sandbox, request).await;
    (sandbox, got)
}

#[tokio::test(start_paused = true)]
async fn whole_requests_fail_with_the_status_asked_for_and_nothing_is_applied() {
    for status in [400, 401, 403, 404, 409, 410, 413, 422, 429, 500, 502, 503] {
        let (sandbox, got) = struck(Fault::once(FaultKind::Status { status })).await;
        let got = got.unwrap();
        assert_eq!((got.status.as_u16(), names(&sandbox).len()), (status, 0));
        assert_eq!(got.header("x-ratelimit-remaining"), Some("4999"));
        assert_eq!(got.header("retry-after"), None);
        assert_eq!(post(&sandbox, SET, &two()).await.status, 200);
    }
}

#[tokio::test(start_paused = true)]
async fn a_bare_answer_has_no_header_of_github() {
    let (_, got) = struck(Fault::once(FaultKind::Bare { status: 403 })).await;
    let got = got.unwrap();
    assert_eq!(
        (got.status.as_u16(), got.header("x-ratelimit-limit")),
        (403, None)
    );
    assert_eq!(got.header("x-github-request-id"), None);
}

#[tokio::test(start_paused = true)]
async fn rate_limits_come_with_and_without_headers() {
    let kind = |retry_after, reset_after| FaultKind::Throttled {
        status: 429,
        retry_after,
        reset_after,
    };
    let (sandbox, got) = struck(Fault::once(kind(Some(30), None))).await;
    let got = got.unwrap();
    assert_eq!(
        (got.status.as_u16(), got.header("retry-after")),
        (429, Some("30"))
    );
    assert!(names(&sandbox).is_empty());
    let (_, got) = struck(Fault::once(kind(None, None))).await;
    let got = got.unwrap();
    assert_eq!(
        (
            got.header("retry-after"),
            got.header("x-ratelimit-remaining")
        ),
        (None, Some("4999"))
    );
    let (sandbox, got) = struck(Fault::once(kind(None, Some(90)))).await;
    let got = got.unwrap();
    let reset = (sandbox.now().as_second() + 90).to_string();
    assert_eq!(got.header("x-ratelimit-remaining"), Some("0"));
    assert_eq!(got.header("x-ratelimit-reset"), Some(reset.as_str()));
}

#[tokio::test(start_paused = true)]
async fn single_records_are_refused_by_digest_repository_or_name() {
    let table = [
        (
            Fault::new(FaultKind::UnknownDigest).digest(&digest('b')),
            "not_found",
            "cart",
        ),
        (
            Fault::new(FaultKind::Unauthorized).repository("shop"),
            "unauthorized",
            "shop",
        ),
        (
            Fault::new(FaultKind::UnknownDigest).record("sh*"),
            "not_found",
            "shop",
        ),
    ];
    for (fault, cause, name) in table {
        let (sandbox, got) = struck(fault).await;
        let got = got.unwrap();
        assert_contract(Endpoint::SetClusterRecords, &got);
        assert_eq!(
            (got.status.as_u16(), &got.body["total_count"]),
            (207, &json!(1))
        );
        let error = &got.body["errors"][0];
        assert_eq!(
            (
                error["cause"].as_str(),
                &error["deployment"]["deployment_name"]
            ),
            (Some(cause), &json!(name))
        );
        assert!(!names(&sandbox).contains(&name.to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn without_partial_success_repositories_are_named_in_an_object() {
    let sandbox = Sandbox::default();
    sandbox.fault(Fault::new(FaultKind::Unauthorized).repository("cart"));
    let all = with(two(), json!({"partial_success": false}));
    let got = post(&sandbox, SET, &all).await;
    assert_eq!(got.status, 403);
    assert_eq!(got.body["message"]["repositories"], json!([1]));
    assert!(names(&sandbox).is_empty());
    for status in [403, 404] {
        let (sandbox, got) = struck(Fault::once(FaultKind::NamingRepositories { status })).await;
        let got = got.unwrap();
        assert_eq!(got.status.as_u16(), status);
        let listed = got.body["message"]["repositories"].as_array().map(Vec::len);
        assert_eq!((listed, names(&sandbox).len()), (Some(2), 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_poisonous_record_fails_its_batch_without_being_named_and_others_pass() {
    let sandbox = Sandbox::default();
    sandbox.fault(Fault::new(FaultKind::Poison { status: 422 }).record("cart"));
    let got = post(&sandbox, SET, &two()).await;
    assert_eq!(got.status, 422);
    assert!(!got.body.to_string().contains("cart"), "{}", got.body);
    assert_eq!(
        post(&sandbox, SET, &batch(&[item("shop", 'a')]))
            .await
            .status,
        200
    );
    assert_eq!(names(&sandbox), ["shop"]);
    sandbox.clear();
    assert_eq!(post(&sandbox, SET, &two()).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_broken_connection_applies_nothing_everything_or_everything_later() {
    let (sandbox, got) = struck(Fault::once(FaultKind::Reset)).await;
    assert!(got.is_err() && names(&sandbox).is_empty());
    let entry = sandbox.requests().remove(0);
    assert_eq!((entry.status, entry.applied), (None, 0));

    let (sandbox, got) = struck(Fault::once(FaultKind::Lost { hang: false })).await;
    assert!(got.is_err());
    assert_eq!(
        (names(&sandbox).len(), sandbox.requests()[0].applied),
        (2, 2)
    );

    let (sandbox, got) = struck(Fault::once(FaultKind::Late { seconds: 40 })).await;
    assert!(got.is_err() && names(&sandbox).is_empty());
    sandbox.wait_until(|it| it.records().len() == 2).await;
    assert_eq!(sandbox.elapsed(), Duration::from_secs(40));
}

#[tokio::test(start_paused = true)]
async fn a_hanging_answer_never_comes_and_may_have_been_applied() {
    for (kind, applied) in [(FaultKind::Hang, 0), (FaultKind::Lost { hang: true }, 2)] {
        let sandbox = Sandbox::default();
        sandbox.fault(Fault::once(kind));
        let waited = timeout(Duration::from_hours(1), post(&sandbox, SET, &two())).await;
        assert!(waited.is_err());
        assert_eq!(names(&sandbox).len(), applied);
    }
}

#[tokio::test(start_paused = true)]
async fn garbage_has_status_200_and_no_contract_behind_it() {
    for (kind, applied) in [
        (FaultKind::Html { applied: false }, 0),
        (FaultKind::Html { applied: true }, 2),
        (FaultKind::WrongShape { applied: false }, 0),
        (FaultKind::WrongShape { applied: true }, 2),
    ] {
        let html = matches!(kind, FaultKind::Html { .. });
        let (sandbox, got) = struck(Fault::once(kind)).await;
        let got = got.unwrap();
        assert_eq!((got.status.as_u16(), got.body.is_null()), (200, html));
        assert_eq!(names(&sandbox).len(), applied);
    }
}

#[tokio::test(start_paused = true)]
async fn strange_partial_answers_name_nobody_or_an_unknown_cause() {
    let (sandbox, got) = struck(Fault::once(FaultKind::StrangeRecord)).await;
    let got = got.unwrap();
    assert_eq!((got.status.as_u16(), names(&sandbox).len()), (207, 2));
    assert_eq!(
        got.body["errors"][0]["deployment"]["deployment_name"],
        "a-record-of-nobody"
    );

    let (sandbox, got) = struck(Fault::once(FaultKind::StrangeCause).record("cart")).await;
    let got = got.unwrap();
    assert_eq!(
        (got.status.as_u16(), names(&sandbox)),
        (207, vec!["shop".to_owned()])
    );
    assert_eq!(got.body["errors"][0]["cause"], "internal");
}

#[tokio::test(start_paused = true)]
async fn redirects_lead_where_they_are_told_or_back() {
    for status in [301, 302, 307, 308] {
        let (sandbox, got) = struck(Fault::once(FaultKind::Redirect {
            status,
            location: None,
        }))
        .await;
        let got = got.unwrap();
        assert_eq!(
            (got.status.as_u16(), got.header("location")),
            (status, Some(SET))
        );
        assert!(names(&sandbox).is_empty());
    }
    let location = Some("https://elsewhere.test/".to_owned());
    let (_, got) = struck(Fault::once(FaultKind::Redirect {
        status: 307,
        location,
    }))
    .await;
    assert_eq!(
        got.unwrap().header("location"),
        Some("https://elsewhere.test/")
    );
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_comes_late_and_is_applied_at_once() {
    let sandbox = Sandbox::default();
    sandbox.fault(Fault::once(FaultKind::Slow { millis: 7000 }));
    let start = Instant::now();
    let send = tokio::spawn({
        let sandbox = sandbox.clone();
        async move { post(&sandbox, SET, &two()).await }
    });
    sandbox.wait_until(|it| it.records().len() == 2).await;
    sleep(Duration::from_secs(1)).await;
    assert!(!send.is_finished());
    assert_eq!(send.await.unwrap().status, 200);
    assert_eq!(start.elapsed(), Duration::from_secs(7));
}

#[tokio::test(start_paused = true)]
async fn a_job_can_fail_and_a_fault_can_be_bound_to_an_endpoint() {
    let sandbox = Sandbox::default();
    sandbox.fault(Fault::once(FaultKind::JobFails));
    let number = sandbox.fault(Fault::new(FaultKind::Status { status: 500 }).at(Endpoint::GetJob));
    let body = json!({"logical_environment": "prod", "deployments": [item("shop", 'a')]});
    let got = post(&sandbox, JOBS, &body).await;
    assert_eq!(got.status, 202);
    let path = format!("{JOBS}/{}", got.body["job_id"]);
    assert_eq!(get(&sandbox, &path).await.status, 500);
    sandbox.clear_fault(number);
    sleep(Duration::from_secs(3)).await;
    let got = get(&sandbox, &path).await;
    assert_contract(Endpoint::GetJob, &got);
    assert_eq!(got.body["status"], "failed");
    assert!(names(&sandbox).is_empty());
}
