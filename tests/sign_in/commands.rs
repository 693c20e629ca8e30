//! What writes and reads for commands, signed in as an App: at the same pace as with a token.

use std::sync::Arc;

use deployment_recorder::github::api::{ApiUrl, ApiVersion};
use deployment_recorder::github::client::Client;
use deployment_recorder::github::reader::Reader;
use deployment_recorder::github::writer::Writer;
use deployment_recorder::model::image::Digest;
use deployment_recorder::model::record::{Body, Destination, Identity, Line, Status};
use deployment_recorder::sandbox::{AppChange, Endpoint, Fault, FaultKind, SandboxService};
use futures::future::join_all;
use tokio::time::{Instant, sleep};

use crate::stage::{MINUTE, SECOND, Stage};

fn digest() -> Digest {
    Digest::parse(&format!("sha256:{}", "a".repeat(64))).unwrap()
}

fn line(name: &str) -> Line {
    let destination = Destination {
        host: "api.github.test".into(),
        organization: "acme".into(),
        cluster: "main".into(),
        logical_environment: "production".into(),
        physical_environment: None,
    };
    let body = Body {
        digest: digest(),
        name: "ghcr.io/acme/web".into(),
        version: None,
        repository: None,
        tags: [].into(),
        risks: [].into_iter().collect(),
    };
    Line {
        identity: Identity {
            destination: Arc::new(destination),
            name: name.into(),
        },
        body: Arc::new(body),
        status: Status::Deployed,
    }
}

fn commands(stage: &Stage) -> (Writer<SandboxService>, Reader<SandboxService>) {
    let client = Client::new(
        stage.github.service(),
        ApiUrl::parse("https://api.github.test", false).unwrap(),
        ApiVersion::parse("2022-11-28").unwrap(),
        stage.credentials.clone(),
        30 * SECOND,
    );
    let reader = client.reader();
    (Writer::new(client), reader)
}

#[tokio::test(start_paused = true)]
async fn writes_stay_a_second_apart_with_the_requests_for_their_tokens_between_them() {
    let stage = Stage::default();
    let (mut writer, _) = commands(&stage);
    for minutes in [0, 30, 30] {
        sleep(minutes * MINUTE).await;
        for name in ["web", "cart"] {
            let exchange = writer.create_deployment_record(&line(name)).await.unwrap();
            assert!(exchange.answer.is_ok());
        }
    }
    assert_eq!(stage.mints(), 2);
    assert_eq!(stage.github.violations(), []);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_gets_no_token_leaves_nothing_and_the_next_waits_for_its_time() {
    let stage = Stage::default();
    let (mut writer, _) = commands(&stage);
    let fault = Fault::once(FaultKind::Status { status: 403 });
    stage
        .github
        .fault(fault.at(Endpoint::CreateInstallationToken));
    assert!(writer.create_deployment_record(&line("web")).await.is_err());
    assert!(stage.github.records().is_empty());
    let start = Instant::now();
    let exchange = writer.create_deployment_record(&line("web")).await.unwrap();
    assert!(exchange.answer.is_ok());
    assert!(start.elapsed() >= MINUTE, "{:?}", start.elapsed());
    assert_eq!(stage.github.violations(), []);
}

#[tokio::test(start_paused = true)]
async fn reads_at_once_share_one_token_and_one_replacement() {
    let stage = Stage::default();
    let (_, reader) = commands(&stage);
    let digest = digest();
    let read = || join_all((0..8).map(|_| reader.deployment_records("acme", &digest)));
    assert!(
        read()
            .await
            .iter()
            .all(|read| read.as_ref().unwrap().answer.is_ok())
    );
    assert_eq!(stage.mints(), 1);
    stage.change(AppChange {
        revoke: true,
        ..AppChange::default()
    });
    let refused = read().await;
    let refused = refused.iter().map(|read| read.as_ref().unwrap());
    assert!(
        refused
            .filter(|read| read.answer.is_err())
            .all(|read| read.token_renewed)
    );
    assert!(
        read()
            .await
            .iter()
            .all(|read| read.as_ref().unwrap().answer.is_ok())
    );
    assert_eq!(stage.mints(), 2);
}
