//! GitHub refuses, asks for patience, answers late or not at all, and the recorder is asked to stop
//! meanwhile (promises 2, 3, 5 and 6).

use std::time::Duration;

use deployment_recorder::sandbox::{Attestation, Entry, Fault, FaultKind, Status};
use serde_json::json;

use super::objects::{deployment, digest};
use super::stage::Stage;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_third_party_image_that_github_does_not_know_is_recorded_once_it_is_attested() {
    let mut stage = Stage::new("attested").await;
    let attest = |image: &str| Attestation {
        digest: digest(image),
        repository: Some("web".to_owned()),
    };
    stage.github.set_unknown_digests(true);
    stage.github.attest(attest("acme/web:1"));
    let both = [("app", "acme/web:1"), ("proxy", "envoy:1.30")];
    stage.create(&deployment(&stage.ns, "web", &both)).await;
    stage.begin().await;
    stage.runs("web", "app", "acme/web:1").await;
    let refused = |event: &serde_json::Value| event["reason"] == "not-found";
    stage
        .recorder()
        .says("not recorded as it should be", refused)
        .await;
    assert_eq!(stage.record("web", "proxy"), None);
    let name = stage.name("web", "proxy");
    let asked = |stage: &Stage| {
        let bodies = stage.requests().into_iter().filter_map(|it| it.body);
        bodies
            .filter(|body| body.to_string().contains(&name))
            .count()
    };
    assert_eq!(asked(&stage), 1);

    stage.github.attest(attest("envoy:1.30"));
    stage.runs("web", "proxy", "envoy:1.30").await;
    assert_eq!(
        asked(&stage),
        2,
        "it is asked again after a minute, and not before"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_long_retry_after_is_waited_out_and_then_only_what_is_true_by_then_is_sent() {
    const PAUSE: u64 = 15;
    let mut stage = Stage::new("patient").await;
    for name in ["goes", "changes", "returns", "trigger"] {
        stage.deploy(name, "acme/web:1").await;
    }
    stage.begin().await;
    for name in ["goes", "changes", "returns", "trigger"] {
        stage.runs(name, "app", "acme/web:1").await;
    }
    stage.github.fault(Fault::once(FaultKind::Throttled {
        status: 429,
        retry_after: Some(PAUSE),
        reset_after: None,
    }));
    let count = stage.github.request_count();
    stage.roll("trigger", "acme/web:2").await;
    stage
        .until("the refusal", |github| github.request_count() > count)
        .await;

    let done = stage.recorder().cycles();
    for name in ["goes", "changes", "returns"] {
        stage.remove(name).await;
    }
    stage.recorder().cycles_after(done).await;
    stage.deploy("changes", "acme/web:3").await;
    stage.deploy("returns", "acme/web:1").await;
    stage.started("changes", "acme/web:3").await;
    stage.started("returns", "acme/web:1").await;

    stage.ends("goes", "app").await;
    stage.runs("changes", "app", "acme/web:3").await;
    stage.runs("trigger", "app", "acme/web:2").await;
    for name in ["changes", "returns", "trigger"] {
        assert!(stage.never_ended(name, "app"), "{name}");
    }
    let requests = stage.requests();
    let refused = requests
        .iter()
        .position(|it| it.status == Some(429))
        .unwrap();
    let waited = requests[refused + 1].at.abs_diff(requests[refused].at);
    assert!(waited >= Duration::from_secs(PAUSE), "{waited:?}");
    let again = "GitHub is written to again";
    stage.recorder().says(again, |_| true).await;
    let said = |message| stage.recorder.as_ref().unwrap().events(message);
    let [begun] = &said("GitHub is not written to for a while")[..] else {
        panic!("it is said once")
    };
    let (level, reason) = (&begun["level"], &begun["reason"]);
    assert_eq!((level, reason), (&json!("WARN"), &json!("told-to-wait")));
    assert!(
        begun["until"].is_string() && begun["records"].is_u64(),
        "{begun}"
    );
    let [over] = &said(again)[..] else {
        panic!("its end is said once")
    };
    let seconds = over["seconds"].as_u64().unwrap();
    assert!((PAUSE - 2..=PAUSE + 5).contains(&seconds), "{over}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_answer_that_takes_longer_than_the_flag_allows_is_given_up_and_the_rest_goes_on() {
    let mut stage = Stage::new("hasty").await;
    stage.set("github-timeout", "2s");
    stage.deploy("web", "acme/web:1").await;
    stage.started("web", "acme/web:1").await;
    stage
        .github
        .fault(Fault::once(FaultKind::Slow { millis: 20_000 }));
    stage.begin().await;
    stage.runs("web", "app", "acme/web:1").await;
    stage.deploy("new", "acme/new:1").await;
    stage.runs("new", "app", "acme/new:1").await;
    let asked = stage.recorder().events("asked GitHub");
    let (first, rest) = asked.split_first().unwrap();
    assert_eq!(first["answer"], "unknown", "{first}");
    assert!(first["status"].is_null(), "{first}");
    let took = first["duration_ms"].as_u64().unwrap();
    assert!((2000..10_000).contains(&took), "{first}");
    // The outcome is unknown, so the same is told again.
    assert!(rest.iter().all(|event| event["status"] == 200), "{rest:?}");
    let names = |entry: &Entry| entry.body.as_ref().unwrap().to_string();
    let requests = stage.requests();
    let name = stage.name("web", "app");
    assert!(names(&requests[0]).contains(&name) && names(&requests[1]).contains(&name));
    assert_eq!(requests[0].status, None);
    let waited = requests[1].at.abs_diff(requests[0].at);
    // It was sent 2 s after an outage of 2 s; how soon the first one was read is this machine's matter.
    assert!(waited >= Duration::from_secs(3), "{waited:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_version_of_githubs_api_is_that_of_the_flag_in_every_request() {
    let mut stage = Stage::new("version").await;
    stage.deploy("web", "acme/web:1").await;
    stage.begin().await;
    stage.runs("web", "app", "acme/web:1").await;
    stage.stop().await;
    let usual = stage.requests();
    assert!(usual.iter().all(|entry| entry.api_version == "2022-11-28"));
    stage.set("github-api-version", "2026-03-10");
    stage.start();
    stage.roll("web", "acme/web:2").await;
    stage.runs("web", "app", "acme/web:2").await;
    assert_eq!(stage.run("check", &[]).await.code, Some(0));
    let newer = &stage.requests()[usual.len()..];
    assert!(
        newer.iter().any(|entry| entry.method == "GET"),
        "check asks too"
    );
    assert!(newer.iter().all(|entry| entry.api_version == "2026-03-10"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_recorder_that_is_asked_to_stop_hears_the_answer_and_says_nothing_is_gone() {
    let mut stage = Stage::new("stopped").await;
    for name in ["stays", "goes"] {
        stage.deploy(name, "acme/web:1").await;
        stage.started(name, "acme/web:1").await;
    }
    stage
        .github
        .fault(Fault::once(FaultKind::Slow { millis: 2000 }));
    stage.begin().await;
    stage
        .until("a request", |github| github.request_count() == 1)
        .await;
    stage.stop().await;
    assert_eq!(
        stage.requests()[0].status,
        Some(200),
        "the answer was waited for"
    );
    assert_eq!(stage.deployed().len(), 2);

    // GitHub's answer stands in the ledger: what has gone meanwhile is known to be there.
    stage.remove("goes").await;
    stage.github.fault(Fault::once(FaultKind::Hang));
    let count = stage.github.request_count();
    stage.start();
    stage
        .until("a request", |github| github.request_count() > count)
        .await;
    stage.stop().await;
    stage.start();
    stage.ends("goes", "app").await;
    assert_eq!(
        stage.record("stays", "app").unwrap().status,
        Status::Deployed
    );
}
