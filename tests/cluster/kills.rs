//! The recorder is killed without a word, again and again, while it talks to GitHub and keeps its
//! ledger, and what it had told GitHub goes meanwhile (promise 3).

use std::collections::BTreeSet;
use std::time::Duration;

use deployment_recorder::sandbox::{Fault, FaultKind};
use futures::future::join_all;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::time::sleep;

use super::objects::digest;
use super::stage::{ENVIRONMENT, Stage};

/// In how many clusters' worth of namespaces, and how often in each.
const STAGES: u64 = 3;
const KILLS: usize = 10;
/// How long GitHub takes to answer: it has applied the request before.
const SLOW: u64 = 600;
/// A kill comes at most so long after the first byte of the first request. The stores that go
/// before the requests of that time are in it, with what follows each of them.
const LATEST: u64 = 2600;

async fn create(stage: &Stage, round: usize) {
    let name = format!("web-{round}");
    stage.deploy(&name, "acme/web:1").await;
}

/// One stage: each workload is there when the recorder starts, or comes while it runs, and goes
/// after it was killed.
async fn killed(seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let mut stage = Stage::new(&format!("kills-{seed}")).await;
    stage.set("mass-decommission-hold", "0s");
    stage
        .github
        .fault(Fault::new(FaultKind::Slow { millis: SLOW }));
    stage.grant().await;
    create(&stage, 0).await;
    stage.started("web-0", "acme/web:1").await;
    for round in 0..KILLS {
        let count = stage.github.request_count();
        stage.start();
        stage
            .until("the first byte", |github| github.request_count() > count)
            .await;
        create(&stage, round + 1).await;
        sleep(Duration::from_millis(random.random_range(0..=LATEST))).await;
        stage.kill().await;
        let name = format!("web-{round}");
        stage.remove(&name).await;
    }
    stage.github.clear();
    stage.start();
    let name = stage.name(&format!("web-{KILLS}"), "app");
    let all = BTreeSet::from([(ENVIRONMENT.to_owned(), name, digest("acme/web:1"))]);
    stage
        .until("what runs, and nothing else", |_| stage.deployed() == all)
        .await;
    let told = stage.github.records().len();
    assert!(told > KILLS / 2, "GitHub heard of only {told} workloads");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_forgotten_when_the_recorder_is_killed_thirty_times_and_workloads_go_meanwhile()
{
    join_all((1..=STAGES).map(killed)).await;
}
