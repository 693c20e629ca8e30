//! Who has which record: names that more than one workload would have, and environments
//! (promises 2, 3 and 8).

use deployment_recorder::sandbox::{Record, Status};
use serde_json::json;

use super::objects::{deployment, digest, workload};
use super::stage::{ENVIRONMENT, Stage};

/// The records whose names only begin with the one that both kinds would have.
fn others(stage: &Stage) -> Vec<Record> {
    let name = stage.name("web", "app");
    let records = stage.github.records().into_iter();
    records
        .filter(|it| it.key.deployment_name != name)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn workloads_of_one_name_have_a_record_each_and_a_name_that_is_released_is_given_again() {
    let mut stage = Stage::new("names").await;
    let web = |kind, image| workload(kind, "names", "web", &[("app", image)]);
    stage.create(&web("StatefulSet", "acme/db:1")).await;
    stage.create(&web("Deployment", "acme/web:1")).await;
    // Both are there before the first name is given: the kind decides, not who was seen first.
    stage
        .pods_are("web-statefulset", "acme/db:1", "running")
        .await;
    stage
        .pods_are("web-deployment", "acme/web:1", "running")
        .await;
    stage.begin().await;
    stage.runs("web", "app", "acme/web:1").await;
    stage
        .until("the other one", |_| others(&stage).len() == 1)
        .await;
    let set = others(&stage)[0].clone();
    let suffix = set
        .key
        .deployment_name
        .strip_prefix(&stage.name("web", "app"));
    assert_eq!(
        (suffix.map(str::len), set.status),
        (Some(9), Status::Deployed)
    );
    assert_eq!(set.digest, digest("acme/db:1"));

    stage.delete("Deployment", "web").await;
    stage.ends("web", "app").await;
    stage.create(&web("DaemonSet", "acme/agent:1")).await;
    stage.runs("web", "app", "acme/agent:1").await;
    assert_eq!(others(&stage), [set], "who has a name keeps it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn names_that_are_equal_although_their_parts_differ_are_told_apart_until_one_is_free() {
    let mut stage = Stage::new("parts").await;
    stage.set("namespaces", "parts,parts-a");
    let metadata = json!({"name": "parts-a"});
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata});
    stage.create(&namespace).await;
    stage
        .api
        .wait_for("ServiceAccount", "parts-a", "default")
        .await;
    stage
        .create(&deployment("parts", "a-b", &[("app", "acme/one:1")]))
        .await;
    stage.begin().await;
    stage.runs("a-b", "app", "acme/one:1").await;

    stage
        .create(&deployment("parts-a", "b", &[("app", "acme/two:1")]))
        .await;
    stage
        .until("a record with another name", |github| {
            let records = github.records();
            records.iter().any(|it| it.digest == digest("acme/two:1"))
        })
        .await;
    assert_eq!(
        stage.record("a-b", "app").unwrap().digest,
        digest("acme/one:1")
    );
    stage.delete("Deployment", "a-b").await;
    stage.ends("a-b", "app").await;
    let second = deployment(
        "parts-a",
        "b",
        &[("new", "acme/two:1"), ("app", "acme/two:1")],
    );
    stage
        .api
        .delete(
            "Deployment",
            "parts-a",
            "b",
            super::api::Cascade::Foreground,
        )
        .await;
    super::api::eventually("b is gone", async || {
        stage.api.get("Deployment", "parts-a", "b").await.is_none()
    })
    .await;
    stage.create(&second).await;
    stage
        .until("the new container under its plain name", |github| {
            let record = github.record(ENVIRONMENT, "parts-a-b-new");
            record.is_some_and(|it| it.status == Status::Deployed)
        })
        .await;
    let deployed = stage.deployed();
    assert_eq!(deployed.len(), 2, "{deployed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_changed_environment_label_moves_a_record_and_ends_the_old_one_after_the_new_is_held() {
    let mut stage = Stage::new("moved").await;
    stage.look_at_the_whole_cluster();
    stage.set("logical-environment-label", "example.com/stage");
    let label = |value: &str| json!({"metadata": {"labels": {"example.com/stage": value}}});
    let ns = stage.ns.clone();
    stage
        .api
        .patch("Namespace", "", &ns, &label("staging"))
        .await;
    stage
        .create(&deployment(&ns, "web", &[("app", "acme/web:1")]))
        .await;
    stage.begin().await;
    let name = stage.name("web", "app");
    let status = |environment: &str| {
        let record = stage.github.record(environment, &name);
        record.map(|it| it.status)
    };
    stage
        .until("staging", |_| status("staging") == Some(Status::Deployed))
        .await;

    stage
        .api
        .patch("Namespace", "", &ns, &label("canary"))
        .await;
    stage
        .until("the old one ends", |_| {
            status("staging") == Some(Status::Decommissioned)
        })
        .await;
    assert_eq!(status("canary"), Some(Status::Deployed));
    let [first, .., last] = &stage.github.history("staging", &name)[..] else {
        panic!("it was deployed and ended");
    };
    let new = stage.github.history("canary", &name)[0].request;
    assert!(first.request < new && new < last.request);
    // The label without a value is none: the record goes where the flag says.
    stage.api.patch("Namespace", "", &ns, &label("")).await;
    stage
        .until("production", |_| {
            status(ENVIRONMENT) == Some(Status::Deployed)
        })
        .await;
    stage
        .until("the second ends", |_| {
            status("canary") == Some(Status::Decommissioned)
        })
        .await;
}
