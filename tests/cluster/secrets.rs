//! No token in anything that is shown, at any level, and none at a host that it is not for.

use std::time::Duration;

use deployment_recorder::sandbox::{Fault, FaultKind};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use super::lease::answer;
use super::program::Program;
use super::stage::Stage;

/// As GitHub's are made.
const TOKEN: &str = "ghp_0123456789abcdefghijABCDEFGHIJ012345";

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn no_token_is_in_logs_metrics_status_or_errors_whatever_is_logged_and_none_leaves_for_another_host()
 {
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let location = format!("http://{}/orgs/acme", elsewhere.local_addr().unwrap());
    let mut stage = Stage::new("secret").await;
    stage.deploy("web", "acme/web:1").await;
    stage.grant().await;
    stage.github.set_token(Some(TOKEN.to_owned()));
    for kind in [
        FaultKind::Redirect {
            status: 307,
            location: Some(location.clone()),
        },
        FaultKind::Html { applied: false },
        FaultKind::Status { status: 401 },
    ] {
        stage.github.fault(Fault::once(kind));
    }
    // What the crates below log is shown as well.
    let variables = [("GITHUB_TOKEN", TOKEN), ("RUST_LOG", "trace")];
    let arguments = stage.arguments("run");
    stage.recorder = Some(Program::start_with(&stage.ns, &arguments, &variables));
    stage
        .until("three requests that failed", |github| {
            github.request_count() > 2
        })
        .await;
    let mut shown = Vec::new();
    for path in ["/metrics", "/api/status", "/readyz?verbose"] {
        shown.push(answer(stage.recorder(), path).await);
    }
    assert!(shown[1].contains("acme"), "{}", shown[1]);
    let said = stage.recorder().said();
    assert!(said.contains(&location), "where it was sent to is said");
    assert!(said.contains("TRACE"), "what is not logged shows nothing");
    shown.push(said);
    for text in &shown {
        for secret in [TOKEN, &TOKEN[4..], "Bearer ghp"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    // Nobody came by there.
    let came = tokio::time::timeout(Duration::from_millis(200), async {
        let (mut connection, _) = elsewhere.accept().await.unwrap();
        let mut text = String::new();
        let _ = connection.read_to_string(&mut text).await;
        text
    });
    assert!(came.await.is_err());
    drop(stage);
}
