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
    stage.started("web", "acme/web:1").await;
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
async fn one_text_that_three_workloads_would_be_called_is_given_to_one_at_a_time() {
    let mut stage = Stage::new("parts").await;
    stage.set("namespaces", "parts,parts-a");
    let metadata = json!({"name": "parts-a"});
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata});
    stage.create(&namespace).await;
    let account = ("ServiceAccount", "parts-a", "default");
    stage.api.wait_for(account.0, account.1, account.2).await;
    stage.deploy("a-b", "acme/one:1").await;
    stage.begin().await;
    stage.runs("a-b", "app", "acme/one:1").await;

    let second = deployment("parts-a", "b", &[("app", "acme/two:1")]);
    stage.create(&second).await;
    let of_second = |stage: &Stage| {
        let mut records = stage.github.records().into_iter();
        records.find(|it| it.digest == digest("acme/two:1"))
    };
    stage
        .until("a record of the second", |_| of_second(&stage).is_some())
        .await;
    let second = of_second(&stage).unwrap();
    let name = stage.name("a-b", "app");
    assert!(second.key.deployment_name.starts_with(&format!("{name}-")));
    assert!(stage.never_ended("a-b", "app"));

    stage.remove("a-b").await;
    stage.ends("a-b", "app").await;
    let third = deployment("parts", "a", &[("b-app", "acme/three:1")]);
    stage.create(&third).await;
    stage.runs("a", "b-app", "acme/three:1").await;
    assert_eq!(stage.name("a", "b-app"), name, "this is the same text");
    assert_eq!(of_second(&stage), Some(second), "who has a name keeps it");
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
    stage.deploy("web", "acme/web:1").await;
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
