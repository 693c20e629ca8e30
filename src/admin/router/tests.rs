//! Tests of each path, in process.

use axum::body::{Body, to_bytes};
use http::Request;
use http::header::{ACCEPT, ALLOW, CONTENT_TYPE};
use serde_json::Value;
use tower::ServiceExt as _;

use super::*;
use crate::admin::samples::{self, Api};
use crate::model::gap::{Gap, Reason, Subject};
use crate::model::plan::Plan;
use crate::model::workload::Kind;
use crate::recorder::status::Shared;

/// An answer: its status, its headers and its text.
async fn ask(routes: &Router, method: &str, path: &str) -> (StatusCode, HeaderMap, String) {
    let request = Request::builder().method(method).uri(path);
    send(routes, request.body(Body::empty()).unwrap()).await
}

async fn send(routes: &Router, request: Request<Body>) -> (StatusCode, HeaderMap, String) {
    let answer = routes.clone().oneshot(request).await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = to_bytes(answer.into_body(), 16 << 20).await.unwrap();
    (status, headers, String::from_utf8(body.to_vec()).unwrap())
}

fn routes() -> (Router, Admin, Shared) {
    let (admin, shared) = samples::admin();
    (router(admin.clone()), admin, shared)
}

#[tokio::test(start_paused = true)]
async fn the_process_is_alive_while_its_loop_turns_and_not_when_it_stands_still() {
    let (routes, admin, shared) = routes();
    for path in ["/livez", "/healthz"] {
        let (code, headers, text) = ask(&routes, "GET", path).await;
        assert_eq!((code, &*text), (StatusCode::OK, "ok\n"));
        assert_eq!(headers[CACHE_CONTROL], "no-store");
    }
    let within = checks::TURNS_WITHIN + samples::GITHUB_TIMEOUT;
    tokio::time::advance(within).await;
    assert_eq!(ask(&routes, "GET", "/livez").await.0, StatusCode::OK);
    tokio::time::advance(Duration::from_secs(1)).await;
    for path in ["/livez", "/healthz", "/livez?verbose"] {
        let (code, _, text) = ask(&routes, "GET", path).await;
        assert_eq!(code, StatusCode::SERVICE_UNAVAILABLE);
        assert!(text.starts_with("[-]recorder-loop failed: "), "{text}");
        assert!(text.ends_with("\nlivez check failed\n"), "{text}");
    }
    shared.lock().heartbeat = admin.0.clock.now();
    for path in ["/livez?verbose", "/livez?verbose=1", "/livez?x=y&verbose"] {
        let (code, _, text) = ask(&routes, "GET", path).await;
        assert_eq!(code, StatusCode::OK);
        assert_eq!(text, "[+]recorder-loop ok\nlivez check passed\n");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_about_github_or_the_store_makes_the_process_dead_or_unready() {
    let (routes, admin, shared) = routes();
    let cluster = samples::cluster(|_| Api::Empty);
    admin.show(cluster.health_handle());
    assert!(cluster.first_sync(Duration::from_secs(10)).await);
    samples::fill(&mut shared.lock());
    assert!(!shared.lock().blocked.is_empty() && shared.lock().store_error.is_some());
    for path in ["/livez", "/readyz"] {
        assert_eq!(ask(&routes, "GET", path).await.0, StatusCode::OK, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn readiness_waits_for_the_ledger_the_cluster_and_each_mirror_in_turn() {
    let (routes, admin, shared) = routes();
    let unready = async |lines: &[&str]| {
        let (code, _, text) = ask(&routes, "GET", "/readyz").await;
        assert_eq!(code, StatusCode::SERVICE_UNAVAILABLE, "{text}");
        for line in lines {
            assert!(text.lines().any(|found| found == *line), "{line} in {text}");
        }
    };
    unready(&[
        "[-]ledger failed: it is not read yet",
        "[-]cluster failed: its API server is not reached yet",
        "readyz check failed",
    ])
    .await;
    shared.lock().ledger_read = true;
    unready(&["[+]ledger ok"]).await;

    let slow = samples::cluster(|plural| match plural {
        "pods" => Api::Silent,
        "cronjobs" => Api::Forbidden,
        _ => Api::Empty,
    });
    admin.show(slow.health_handle());
    assert!(!slow.first_sync(Duration::from_secs(10)).await);
    unready(&[
        "[+]cluster ok",
        "[-]mirror-Pod failed: listing for 10 s",
        "[+]mirror-Deployment ok",
    ])
    .await;
    let (_, _, text) = ask(&routes, "GET", "/readyz").await;
    assert!(
        text.contains("[+]mirror-CronJob ok (forbidden for "),
        "{text}"
    );
    assert!(text.contains("[+]mirror-Namespace ok"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_ready_process_says_so_and_lists_its_mirrors_when_asked() {
    let (routes, admin, shared) = routes();
    shared.lock().ledger_read = true;
    let cluster = samples::cluster(|_| Api::Empty);
    admin.show(cluster.health_handle());
    assert!(cluster.first_sync(Duration::from_secs(10)).await);
    let (code, _, text) = ask(&routes, "GET", "/readyz").await;
    assert_eq!((code, &*text), (StatusCode::OK, "ok\n"));
    let (_, _, text) = ask(&routes, "GET", "/readyz?verbose").await;
    assert!(
        text.starts_with("[+]ledger ok\n[+]cluster ok\n[+]mirror-Pod ok\n"),
        "{text}"
    );
    assert!(
        text.ends_with("\n[+]mirror-Namespace ok\nreadyz check passed\n"),
        "{text}"
    );
    shared.lock().ledger_read = false;
    assert_eq!(
        ask(&routes, "GET", "/readyz").await.0,
        StatusCode::SERVICE_UNAVAILABLE
    );
}

#[tokio::test(start_paused = true)]
async fn metrics_come_in_the_format_that_is_asked_for() {
    let (routes, ..) = routes();
    let (code, headers, text) = ask(&routes, "GET", "/metrics").await;
    assert_eq!(code, StatusCode::OK);
    assert_eq!(
        headers[CONTENT_TYPE],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    assert!(
        text.contains("# TYPE deployment_recorder_cycles_total counter\n"),
        "{text}"
    );
    let request = Request::builder()
        .uri("/metrics")
        .header(ACCEPT, "application/openmetrics-text;version=1.0.0");
    let (_, headers, text) = send(&routes, request.body(Body::empty()).unwrap()).await;
    let kind = headers[CONTENT_TYPE].to_str().unwrap();
    assert!(
        kind.starts_with("application/openmetrics-text; version=1.0.0"),
        "{kind}"
    );
    assert!(
        text.contains("# TYPE deployment_recorder_cycles counter\n"),
        "{text}"
    );
    assert!(text.ends_with("# EOF\n"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_status_is_json_and_no_more_than_two_are_in_memory_at_once() {
    let (routes, _, shared) = routes();
    samples::fill(&mut shared.lock());
    let get = || Request::get("/api/status").body(Body::empty()).unwrap();
    let (code, headers, text) = send(&routes, get()).await;
    assert_eq!(
        (code, &headers[CONTENT_TYPE]),
        (StatusCode::OK, &"application/json".parse().unwrap())
    );
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["cycles"], 42);

    let first = routes.clone().oneshot(get()).await.unwrap();
    let second = routes.clone().oneshot(get()).await.unwrap();
    let third = routes.clone().oneshot(get()).await.unwrap();
    assert_eq!(third.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(third.headers()[RETRY_AFTER], "5");
    to_bytes(first.into_body(), 1 << 20).await.unwrap();
    assert_eq!(send(&routes, get()).await.0, StatusCode::OK);
    drop(second);
}

#[tokio::test(start_paused = true)]
async fn nothing_can_be_changed_and_other_paths_are_not_there() {
    let (routes, ..) = routes();
    for path in [
        "/livez",
        "/healthz",
        "/readyz",
        "/metrics",
        "/api/status",
        "/api/status/explain",
    ] {
        for method in ["POST", "PUT", "DELETE", "PATCH"] {
            let (code, headers, _) = ask(&routes, method, path).await;
            assert_eq!(code, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            assert_eq!(headers[ALLOW], "GET,HEAD");
        }
        let (_, _, text) = ask(&routes, "HEAD", path).await;
        assert_eq!(text, "", "{path}");
    }
    assert_eq!(ask(&routes, "GET", "/").await.0, StatusCode::NOT_FOUND);
    assert_eq!(
        ask(&routes, "GET", "/metrics/").await.0,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test(start_paused = true)]
async fn an_explanation_is_json_whatever_it_comes_to() {
    let (routes, ..) = routes();
    for (path, expected) in [
        (
            "/api/status/explain?namespace=a&name=b",
            StatusCode::SERVICE_UNAVAILABLE,
        ),
        ("/api/status/explain?namespace=a", StatusCode::BAD_REQUEST),
    ] {
        let (code, headers, text) = ask(&routes, "GET", path).await;
        assert_eq!(code, expected);
        assert_eq!(headers[CONTENT_TYPE], "application/json");
        let error = serde_json::from_str::<Value>(&text).unwrap();
        assert!(error["error"].is_string(), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_tenant_writes_breaks_no_line_and_is_no_page() {
    let (routes, admin, shared) = routes();
    let cluster = samples::cluster(|_| Api::Empty);
    admin.show(cluster.health_handle());
    // Anybody can write it as the kind of an owner.
    let odd = "K\"} 1\n[+]forged ok\nforged 1\u{1b}[31m<script>alert(1)</script>";
    cluster.remember([Kind::new("x.example", odd)].into());
    cluster.facts();
    let gap = Gap {
        subject: Subject::Source(samples::source(odd)),
        reason: Reason::OwnerUnreadable,
        detail: odd.into(),
    };
    let plan = Plan {
        gaps: vec![gap],
        ..Plan::default()
    };
    shared.lock().plan = Some(Arc::new(plan));
    for path in ["/readyz?verbose", "/metrics", "/api/status"] {
        let (_, headers, text) = ask(&routes, "GET", path).await;
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        let kind = headers[CONTENT_TYPE].to_str().unwrap();
        assert!(!kind.contains("html"), "{path}: {kind}");
        // Each of them says it, and none as a line.
        assert!(text.contains("<script>"), "{path}: {text}");
        let forged = |line: &str| line.starts_with("[+]forged") || line.starts_with("forged");
        assert!(!text.lines().any(forged), "{path}: {text}");
        let is_odd = |letter: char| letter.is_control() && letter != '\n';
        assert!(
            path == "/metrics" || !text.contains(is_odd),
            "{path}: {text:?}"
        );
    }
    cluster.stop().await;
}
