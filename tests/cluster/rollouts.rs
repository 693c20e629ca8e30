//! What a rollout, an edit and an annotation change, and what they do not (promises 1, 2 and 4).

use std::collections::BTreeMap;

use deployment_recorder::sandbox::Status;
use serde_json::{Value, json};

use super::api::eventually;
use super::objects::{annotations, deployment, digest, with_containers};
use super::stage::Stage;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_removed_container_ends_although_the_sidecar_beside_it_crashes_all_the_time() {
    let mut stage = Stage::new("removed").await;
    let side = ("side", "acme/side:1-crashes");
    let all = [("app", "acme/web:1"), ("helper", "acme/helper:1"), side];
    let mut web = deployment(&stage.ns, "web", &all);
    web["spec"]["strategy"] = json!({"type": "Recreate"});
    stage.create(&web).await;
    stage.begin().await;
    stage.runs("web", "app", "acme/web:1").await;
    stage.runs("web", "helper", "acme/helper:1").await;

    let fewer = with_containers(&[("app", "acme/web:1"), side]);
    stage.patch("Deployment", "web", &fewer).await;
    stage.ends("web", "helper").await;
    assert!(stage.never_ended("web", "app"));
    assert_eq!(stage.record("web", "side"), None, "it never ran");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_rollout_that_never_gets_ready_is_not_recorded_and_a_rollback_changes_nothing() {
    let mut stage = Stage::new("failed").await;
    stage.deploy("web", "acme/web:1").await;
    stage.begin().await;
    stage.runs("web", "app", "acme/web:1").await;

    for (image, state) in [
        ("acme/web:2-unready", "running"),
        ("acme/web:3-crashes", "waiting"),
    ] {
        stage.roll("web", image).await;
        stage.pods_are("web-deployment", image, state).await;
        // The cycle that sends this began when the new pod had been there for a while.
        let tag = annotations(&json!({"metadata.github.com/tried": image}));
        stage.patch("Deployment", "web", &tag).await;
        stage
            .until("the tag", |_| {
                let record = stage.record("web", "app");
                record.is_some_and(|it| it.tags.get("tried").is_some_and(|it| it == image))
            })
            .await;
    }
    stage.roll("web", "acme/web:1").await;
    eventually("only the old pod is left", async || {
        let pods = stage.api.list("Pod", &stage.ns).await;
        let image = |pod: &Value| pod["spec"]["containers"][0]["image"] == "acme/web:1";
        pods.len() == 1 && pods.iter().all(image)
    })
    .await;
    stage.roll("web", "acme/web:4").await;
    stage.runs("web", "app", "acme/web:4").await;
    let history = stage.history("web", "app");
    let mut digests: Vec<&str> = history.iter().map(|it| &*it.record.digest).collect();
    digests.dedup();
    assert_eq!(digests, [digest("acme/web:1"), digest("acme/web:4")]);
    assert!(stage.never_ended("web", "app"));
}

/// Waits until a record has this tag `from`, or none, and these risks.
async fn tagged(stage: &Stage, from: Option<&str>, risks: &[&str]) {
    let tags: BTreeMap<String, String> = from
        .map(|from| ("from".to_owned(), from.to_owned()))
        .into_iter()
        .collect();
    stage
        .until(&format!("tags {tags:?} and risks {risks:?}"), |_| {
            let record = stage.record("web", "app");
            record.is_some_and(|it| it.tags == tags && it.runtime_risks == risks)
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn annotations_reach_github_when_they_are_added_edited_and_removed_at_every_level() {
    let mut stage = Stage::new("annotated").await;
    // Where namespaces are read one by one, their annotations are read only once an interval.
    stage.look_at_the_whole_cluster();
    let from = |value: &str| annotations(&json!({"metadata.github.com/from": value}));
    let nothing = annotations(&json!({
        "metadata.github.com/from": null, "metadata.github.com/runtime-risks": null,
    }));
    let ns = stage.ns.clone();
    stage
        .api
        .patch("Namespace", "", &ns, &from("namespace"))
        .await;
    stage.deploy("web", "acme/web:1").await;
    stage.begin().await;
    tagged(&stage, Some("namespace"), &[]).await;

    stage.patch("Deployment", "web", &from("workload")).await;
    tagged(&stage, Some("workload"), &[]).await;
    let pods = stage.api.list("Pod", &ns).await;
    let pod = pods[0]["metadata"]["name"].as_str().unwrap().to_owned();
    let risky = json!({
        "metadata.github.com/from": "pod",
        "metadata.github.com/runtime-risks": "internet-exposed, sensitive-data",
    });
    stage.patch("Pod", &pod, &annotations(&risky)).await;
    tagged(&stage, Some("pod"), &["internet-exposed", "sensitive-data"]).await;

    stage.patch("Pod", &pod, &nothing).await;
    tagged(&stage, Some("workload"), &[]).await;
    stage.patch("Deployment", "web", &from("workload-2")).await;
    tagged(&stage, Some("workload-2"), &[]).await;
    stage.patch("Deployment", "web", &nothing).await;
    tagged(&stage, Some("namespace"), &[]).await;
    stage
        .api
        .patch("Namespace", "", &ns, &from("namespace-2"))
        .await;
    tagged(&stage, Some("namespace-2"), &[]).await;
    stage.api.patch("Namespace", "", &ns, &nothing).await;
    tagged(&stage, None, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_rollout_to_an_image_that_is_excluded_ends_its_record() {
    let mut stage = Stage::new("excluded").await;
    stage.set("exclude-images", "docker.io/acme/secret*");
    for name in ["web", "other"] {
        stage.deploy(name, "acme/web:1").await;
    }
    stage.begin().await;
    stage.runs("web", "app", "acme/web:1").await;
    stage.runs("other", "app", "acme/web:1").await;
    let secret = with_containers(&[("app", "acme/secret-web:1")]);
    stage.patch("Deployment", "web", &secret).await;
    stage.ends("web", "app").await;
    assert_eq!(
        stage.record("other", "app").unwrap().status,
        Status::Deployed
    );
    let sent = stage.history("web", "app");
    assert!(
        sent.iter()
            .all(|it| it.record.digest == digest("acme/web:1")),
        "{sent:?}"
    );
}
