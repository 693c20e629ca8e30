//! The recorder signs in as a GitHub App, by its flags (promise 7).

use std::path::PathBuf;

use deployment_recorder::sandbox::{AppChange, Endpoint};

use super::stage::Stage;

/// A file of this test program.
fn key_file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.pem"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_app_records_what_runs_and_goes_on_after_its_token_and_its_key_are_replaced() {
    let mut stage = Stage::new("app").await;
    let key = key_file("app");
    let only = AppChange {
        only: Some(true),
        ..AppChange::default()
    };
    stage.github.change_app(only).unwrap();
    let first = stage.github.app_key().unwrap();
    std::fs::write(&key, &first).unwrap();
    stage.set("github-app-id", "7");
    stage.set("github-app-private-key-file", &key.display().to_string());
    stage.deploy("web", "acme/web:1").await;
    stage.begin().await;
    stage.runs("web", "app", "acme/web:1").await;

    let replaced = AppChange {
        rotate: true,
        revoke: true,
        ..AppChange::default()
    };
    stage.github.change_app(replaced).unwrap();
    let second = stage.github.app_key().unwrap();
    std::fs::write(&key, &second).unwrap();
    stage.roll("web", "acme/web:2").await;
    stage.runs("web", "app", "acme/web:2").await;

    let asked = stage.requests();
    let count = |endpoint| {
        asked
            .iter()
            .filter(|it| it.endpoint == Some(endpoint))
            .count()
    };
    assert_eq!(count(Endpoint::GetInstallation), 1);
    assert_eq!(count(Endpoint::CreateInstallationToken), 2);
    let said = stage.recorder().said();
    let shown = format!(
        "GitHub App 7, installation in acme, key in {}",
        key.display()
    );
    assert!(said.contains(&shown), "{said}");
    assert!(said.contains("both --github-app-id and GITHUB_TOKEN are given"));
    let lines = [&first, &second].map(|key| key.lines().nth(2).unwrap());
    for secret in [lines[0], lines[1], "ghs_", "eyJ", "PRIVATE KEY", "a-token"] {
        assert!(!said.contains(secret), "{secret} is in the log");
    }
    stage.stop().await;
    std::fs::remove_file(key).unwrap();
}
