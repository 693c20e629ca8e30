//! The ledger in real ConfigMaps: lost, damaged, and wanted by two (promise 3).

use std::time::Duration;

use deployment_recorder::sandbox::Status;

use super::api::Cascade;
use super::program::Program;
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
    for part in [ROOT, SHARD] {
        stage
            .api
            .delete("ConfigMap", &stage.ledger(), part, Cascade::Background)
            .await;
    }
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
    let said = stage.recorder().said();
    let error = said.lines().last().unwrap_or_default();
    assert_eq!(status.code(), Some(1), "{said}");
    let expected = "error: the ledger: ConfigMap deployment-recorder-0 of the ledger is missing \
                    while deployment-recorder is there: restore it from a backup";
    assert!(error.starts_with(expected), "{error}");
    assert_eq!(stage.github.request_count(), requests);
    assert_eq!(stage.record("web", "app").unwrap().status, Status::Deployed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn of_two_recorders_with_one_ledger_the_older_one_stops_before_it_sends() {
    let mut stage = recorded("two-writers", &["web"]).await;
    let newer = Program::start("two-writers-newer", &stage.arguments("run"));
    // It has taken over when it has sent its first snapshot.
    let count = stage.github.request_count();
    stage
        .until("the newer one's snapshot", |github| {
            github.request_count() > count
        })
        .await;
    stage.deploy("new", "acme/new:1").await;
    let status = stage.recorder().ended(Duration::from_mins(1)).await;
    let said = stage.recorder().said();
    let error = said.lines().last().unwrap_or_default();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(error.starts_with("error: the ledger: "), "{error}");
    assert!(
        error.ends_with("only one process may write it, so this one stops"),
        "{error}"
    );
    stage.runs("new", "app", "acme/new:1").await;
    stage.recorder = Some(newer);
    assert!(stage.recorder().runs());
}
