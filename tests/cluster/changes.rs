//! Workloads come, change and go, and GitHub follows (promises 1, 2 and 4).

use deployment_recorder::sandbox::Status;
use serde_json::json;

use super::api::Cascade;
use super::objects::{cron_job, deployment, digest, job_of, workload};
use super::stage::{ENVIRONMENT, Stage};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_runs_at_the_start_is_recorded_and_so_is_what_comes_changes_and_goes_after() {
    let mut stage = Stage::new("start").await;
    stage.look_at_the_whole_cluster();
    let mut web = deployment(&stage.ns, "web", &[("app", "acme/web:1.0")]);
    web["spec"]["template"]["spec"]["initContainers"] = json!([
        {"name": "migrate", "image": "acme/migrate:1.0"},
        {"name": "proxy", "image": "envoy:1.30", "restartPolicy": "Always"},
    ]);
    stage.create(&web).await;
    let pinned = format!("sha256:{}", "5".repeat(64));
    let db = format!("quay.io/acme/db@{pinned}");
    for (kind, name, image) in [
        ("StatefulSet", "db", &*db),
        ("DaemonSet", "agent", "ghcr.io/acme/agent:3"),
    ] {
        let object = workload(kind, &stage.ns, name, &[("app", image)]);
        stage.create(&object).await;
    }
    let nightly = cron_job(&stage.ns, "nightly", &[("run", "acme/nightly:7")]);
    let nightly = stage.create(&nightly).await;
    stage.create(&job_of(&nightly, "nightly-1")).await;
    stage.started("web", "acme/web:1.0").await;

    stage.begin().await;
    stage.runs("web", "app", "acme/web:1.0").await;
    stage.runs("web", "proxy", "envoy:1.30").await;
    stage.runs("agent", "app", "ghcr.io/acme/agent:3").await;
    stage.runs("nightly", "run", "acme/nightly:7").await;
    stage
        .until("the pinned digest", |_| {
            let db = stage.record("db", "app");
            db.is_some_and(|it| it.digest == pinned)
        })
        .await;
    let proxy = stage.record("web", "proxy").unwrap();
    assert_eq!(
        (proxy.name.as_str(), proxy.version.as_deref()),
        ("docker.io/library/envoy", Some("1.30"))
    );
    assert_eq!(stage.deployed().len(), 5, "init containers have no record");

    stage.deploy("new", "acme/new:1").await;
    stage.runs("new", "app", "acme/new:1").await;
    stage.roll("new", "acme/new:2").await;
    stage.runs("new", "app", "acme/new:2").await;
    stage.delete("Deployment", "new").await;
    stage.ends("new", "app").await;
    assert_eq!(stage.deployed().len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_deleted_workload_ends_whichever_of_it_and_its_pods_goes_first() {
    let mut stage = Stage::new("deleted").await;
    // All of them go at once, and the guard against that is another matter.
    stage.set("mass-decommission-hold", "0s");
    let names = ["pods-first", "owner-first", "foreground", "orphans"];
    for name in names {
        stage.deploy(name, "acme/web:1").await;
    }
    stage.begin().await;
    for name in names {
        stage.runs(name, "app", "acme/web:1").await;
    }

    let no_pods = json!({"spec": {"replicas": 0}});
    stage.patch("Deployment", "pods-first", &no_pods).await;
    super::api::eventually("no pod of pods-first", async || {
        let pods = stage.api.list("Pod", &stage.ns).await;
        let of =
            |pod: &serde_json::Value| pod["metadata"]["labels"]["app"] == "pods-first-deployment";
        !pods.iter().any(of)
    })
    .await;
    assert_eq!(
        stage.record("pods-first", "app").unwrap().status,
        Status::Deployed
    );
    for (name, cascade) in [
        ("pods-first", Cascade::Background),
        ("owner-first", Cascade::Background),
        ("foreground", Cascade::Foreground),
        ("orphans", Cascade::Orphan),
    ] {
        stage
            .api
            .delete("Deployment", &stage.ns, name, cascade)
            .await;
    }
    for name in names {
        stage.ends(name, "app").await;
    }
    // The ReplicaSet that lost its owner goes on as a workload of its own.
    let image = digest("acme/web:1");
    stage
        .until("the orphaned ReplicaSet", |_| {
            let deployed = stage.deployed();
            deployed.len() == 1
                && deployed.iter().all(|(environment, name, digest)| {
                    environment == ENVIRONMENT
                        && name.starts_with(&format!("{}-orphans-", stage.ns))
                        && *digest == image
                })
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_deleted_while_the_recorder_is_down_ends_at_its_next_start() {
    let mut stage = Stage::new("down").await;
    for name in ["stays", "goes"] {
        stage.deploy(name, "acme/web:1").await;
    }
    stage.begin().await;
    stage.runs("stays", "app", "acme/web:1").await;
    stage.runs("goes", "app", "acme/web:1").await;
    stage.kill().await;
    stage.remove("goes").await;
    stage.start();
    stage.ends("goes", "app").await;
    assert!(stage.never_ended("stays", "app"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn registries_are_told_of_once_and_not_again_after_a_restart() {
    let mut stage = Stage::new("storage").await;
    stage.set("storage-records", "");
    stage.set("storage-exclude-registries", "docker.io");
    stage.deploy("web", "ghcr.io/acme/web:1").await;
    stage.deploy("hub", "acme/hub:1").await;
    stage.begin().await;
    stage
        .until("a storage record", |github| {
            !github.storage_records().is_empty()
        })
        .await;
    stage.runs("hub", "app", "acme/hub:1").await;
    stage.stop().await;
    stage.start();
    stage.deploy("api", "quay.io/acme/api:1").await;
    stage
        .until("another storage record", |github| {
            github.storage_records().len() > 1
        })
        .await;
    let records = stage.github.storage_records();
    let told: Vec<(&str, &str)> = records
        .iter()
        .map(|it| (&*it.registry_url, &*it.digest))
        .collect();
    let (web, api) = (digest("ghcr.io/acme/web:1"), digest("quay.io/acme/api:1"));
    let expected = [("https://ghcr.io", &*web), ("https://quay.io", &*api)];
    assert!(expected.iter().all(|it| told.contains(it)), "{told:?}");
    let requests = stage.requests().into_iter();
    let sent = requests.filter(|it| it.path.ends_with("/metadata/storage-record"));
    assert_eq!((sent.count(), told.len()), (2, 2));
}
