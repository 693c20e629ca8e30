//! The ledger in real ConfigMaps: lost, damaged, and wanted by two (promise 3).

use std::collections::BTreeMap;
use std::time::Duration;

use deployment_recorder::model::moment::Moment;
use deployment_recorder::recorder::store::Store;
use deployment_recorder::sandbox::Status;

use super::api::{Cascade, client};
use super::lease::answer;
use super::stage::Stage;

const ROOT: &str = "deployment-recorder";
const SHARD: &str = "deployment-recorder-0";

/// A stage on which these run and are recorded.
async fn recorded(name: &str, names: &[&str]) -> Stage {
    let mut stage = Stage::new(name).await;
    for name in names {
        stage.deploy(name, "acme/web:1").await;
    }
    stage.begin().await;
    for name in names {
        stage.runs(name, "app", "acme/web:1").await;
    }
    stage
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_ledger_that_is_deleted_under_a_running_recorder_is_written_again_as_a_whole() {
    let mut stage = recorded("lost-ledger", &["goes", "stays"]).await;
    stage.lose_ledger().await;
    stage.deploy("new", "acme/new:1").await;
    stage.runs("new", "app", "acme/new:1").await;
    for part in [ROOT, SHARD] {
        stage.api.wait_for("ConfigMap", &stage.ledger(), part).await;
    }
    stage.kill().await;
    stage.remove("goes").await;
    stage.start();
    stage.ends("goes", "app").await;
    assert_eq!(stage.deployed().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_recorder_does_not_start_with_a_part_of_its_ledger_and_says_what_to_do() {
    let mut stage = recorded("lost-shard", &["web"]).await;
    stage.kill().await;
    stage
        .api
        .delete("ConfigMap", &stage.ledger(), SHARD, Cascade::Background)
        .await;
    stage
        .api
        .delete("Deployment", &stage.ns, "web", Cascade::Background)
        .await;
    let requests = stage.github.request_count();
    stage.start();
    let status = stage.recorder().ended(Duration::from_secs(20)).await;
    let error = stage.recorder().reason();
    assert_eq!(status.code(), Some(1), "{}", stage.recorder().said());
    let expected = "the ledger: ConfigMap deployment-recorder-0 of the ledger is missing \
                    while deployment-recorder is there: restore it from a backup";
    assert!(error.starts_with(expected), "{error}");
    assert_eq!(stage.github.request_count(), requests);
    assert_eq!(stage.record("web", "app").unwrap().status, Status::Deployed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_recorder_whose_ledger_is_taken_over_beside_its_lease_stops_before_it_sends() {
    let mut stage = recorded("two-writers", &["web"]).await;
    // As a version does that knows no Lease: it swaps the root and rewrites every shard.
    let client = client(&stage.kubeconfig).await;
    let mut store = Store::new(client, &stage.ledger(), ROOT, "an-older-version".to_owned());
    let now = Moment::START;
    let mut ledger = store.load(now).await.unwrap().expect("a ledger");
    store
        .take_over(&mut ledger, &BTreeMap::new(), now)
        .await
        .unwrap();
    let count = stage.github.request_count();
    stage.deploy("new", "acme/new:1").await;
    let status = stage.recorder().ended(Duration::from_mins(1)).await;
    let error = stage.recorder().reason();
    assert_eq!(status.code(), Some(1), "{}", stage.recorder().said());
    assert!(
        error.starts_with("the ledger: an-older-version has taken over ConfigMap"),
        "{error}"
    );
    assert_eq!(stage.github.request_count(), count);
    assert!(stage.record("new", "app").is_none());
}

/// Whether a start was said to be the first one, in the log and in the metric.
async fn says_first_start(stage: &mut Stage) -> bool {
    let recorder = stage.recorder();
    let is_first = recorder.events("no ledger yet: this is the first start");
    let metrics = answer(recorder, "/metrics").await;
    let metric = format!("deployment_recorder_first_start {}\n", is_first.len());
    assert!(metrics.contains(&metric), "{metrics}");
    !is_first.is_empty()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_ledger_that_is_lost_while_nobody_runs_is_said_in_the_log_and_in_a_metric() {
    let mut stage = recorded("lost-unseen", &["web"]).await;
    assert!(says_first_start(&mut stage).await);
    for (is_lost, new) in [(false, "second"), (true, "third")] {
        stage.stop().await;
        if is_lost {
            stage.lose_ledger().await;
        }
        stage.start();
        stage.deploy(new, "acme/web:1").await;
        stage.runs(new, "app", "acme/web:1").await;
        assert_eq!(says_first_start(&mut stage).await, is_lost);
    }
}
