//! Which calls the program makes, by the API server's own audit log, and what its commands say of a
//! real cluster, or of none (promise 6).

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::api::eventually;
use super::objects::digest;
use super::program::run;
use super::proxy::kubeconfig_for;
use super::stage::Stage;
use crate::control_plane::ControlPlane;

/// What the API server answered this user.
pub(crate) fn audited(user: &str) -> Vec<Value> {
    let log = std::fs::read_to_string(ControlPlane::shared().audit_log()).expect("an audit log");
    let entries = log
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    entries
        .filter(|entry: &Value| entry["user"]["username"] == user)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_start_lists_and_watches_and_asks_for_no_pod_or_owner_by_name() {
    let mut stage = Stage::new("calls").await;
    stage.look_at_the_whole_cluster();
    for name in ["one", "two", "three"] {
        stage.deploy(name, "acme/web:1").await;
    }
    stage.begin().await;
    for name in ["one", "two", "three"] {
        stage.runs(name, "app", "acme/web:1").await;
    }
    let kinds = [
        "pods",
        "replicationcontrollers",
        "namespaces",
        "deployments",
        "replicasets",
        "statefulsets",
        "daemonsets",
        "jobs",
        "cronjobs",
    ];
    let of = |verb: &str, resource: &str| {
        let entries = audited("calls").into_iter();
        entries
            .filter(|it| it["verb"] == verb && it["objectRef"]["resource"] == resource)
            .count()
    };
    eventually("each kind is watched", async || {
        kinds.iter().all(|kind| of("watch", kind) > 0)
    })
    .await;
    for kind in kinds {
        assert!(of("list", kind) > 0, "{kind} are listed");
        assert!(
            kind == "namespaces" || of("get", kind) == 0,
            "GET of {kind}"
        );
    }
    for entry in audited("calls") {
        let agent = entry["userAgent"].as_str().unwrap_or_default();
        assert!(agent.starts_with("deployment-recorder/"), "{entry}");
        let asked = &entry["objectRef"];
        let its_own = ["configmaps", "leases"]
            .iter()
            .any(|it| asked["resource"] == *it)
            && asked["namespace"] == "calls-ledger";
        let reads = ["get", "list", "watch"]
            .iter()
            .any(|verb| entry["verb"] == *verb);
        assert!(reads || its_own, "{entry}");
        if asked["resource"] == "namespaces" && entry["verb"] == "get" {
            assert_eq!(asked["name"], "kube-system");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_dry_run_says_what_it_would_send_and_writes_nothing_anywhere() {
    let mut stage = Stage::new("dry").await;
    stage.set("dry-run", "");
    stage.deploy("web", "acme/web:1").await;
    stage.started("web", "acme/web:1").await;
    stage.begin().await;
    let digest = digest("acme/web:1");
    stage
        .recorder()
        .says("would send", |event| event["digest"] == digest)
        .await;
    stage.stop().await;
    assert_eq!(stage.github.request_count(), 0);
    let calls = audited("dry");
    assert!(!calls.is_empty());
    for entry in calls {
        let reads = ["get", "list", "watch"]
            .iter()
            .any(|verb| entry["verb"] == *verb);
        assert!(reads, "{entry}");
    }
    assert!(
        stage
            .api
            .get("ConfigMap", &stage.ledger(), "deployment-recorder")
            .await
            .is_none()
    );
}

/// What `diff` exits with, and what it shows: action and name.
async fn diff(stage: &Stage) -> (Option<i32>, Value) {
    let ended = stage.run("diff", &["--output=json"]).await;
    let shown: Value = serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{ended:?}"));
    let changes = shown["changes"].as_array().unwrap().iter();
    let changes = changes.map(|it| json!([it["action"], it["record_name"]]));
    (ended.code, changes.collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn diff_shows_what_the_next_cycle_would_send_and_exits_by_it() {
    let mut stage = Stage::new("diff").await;
    stage.deploy("web", "acme/web:1").await;
    stage.started("web", "acme/web:1").await;
    let started = Instant::now();
    let refused = stage.run("diff", &[]).await;
    assert_eq!(refused.code, Some(2), "it may read nothing");
    assert_eq!(
        refused.said.lines().last(),
        Some(
            "error: ConfigMap deployment-recorder: reading it failed: configmaps \
             \"deployment-recorder\" is forbidden: User \"diff\" cannot get resource \
             \"configmaps\" in API group \"\" in the namespace \"diff-ledger\" (403); the Role in \
             its namespace lacks this rule: apiGroups: [\"\"], resources: [configmaps], verbs: \
             [get, update], resourceNames: [deployment-recorder]"
        )
    );
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "it waits for no rights"
    );

    stage.grant().await;
    let record = stage.name("web", "app");
    assert_eq!(diff(&stage).await, (Some(1), json!([["new", record]])));
    stage.start();
    stage.runs("web", "app", "acme/web:1").await;
    stage.stop().await;
    assert_eq!(diff(&stage).await, (Some(0), json!([])));
    stage.roll("web", "acme/web:2").await;
    eventually("only the new pod is left", async || {
        let pods = stage.api.list("Pod", &stage.ns).await;
        pods.iter()
            .all(|pod| pod["spec"]["containers"][0]["image"] == "acme/web:2")
    })
    .await;
    assert_eq!(diff(&stage).await, (Some(1), json!([["update", record]])));
    stage.remove("web").await;
    assert_eq!(
        diff(&stage).await,
        (Some(1), json!([["decommission", record]]))
    );
    assert!(stage.never_ended("web", "app"), "nothing of this was sent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn snapshot_shows_what_would_be_recorded() {
    let stage = Stage::new("snapshot").await;
    stage.grant().await;
    stage.deploy("web", "acme/web:1").await;
    stage.started("web", "acme/web:1").await;
    let snapshot = stage.run("snapshot", &["--output=json"]).await;
    assert_eq!(snapshot.code, Some(0), "{snapshot:?}");
    let shown: Value = serde_json::from_str(&snapshot.out).unwrap();
    let record = &shown["sources"][0]["record"];
    assert_eq!(record["record_name"], stage.name("web", "app"));
    assert_eq!(record["digest"], digest("acme/web:1"));
    assert_eq!(stage.github.request_count(), 0);
}

/// The arguments of a command that knows everything but a cluster.
fn arguments(command: &str, more: &[&str]) -> Vec<String> {
    let flags = [
        "--org=acme",
        "--cluster=main",
        "--logical-environment=production",
    ];
    let all = std::iter::once(&command).chain(&flags).chain(more);
    all.map(|&it| it.to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_server_that_does_not_answer_within_half_a_minute_ends_the_start() {
    // Nothing listens there: the port is reserved.
    let nobody = kubeconfig_for("http://127.0.0.1:1");
    let kubeconfig = format!("--kubeconfig={}", nobody.display());
    let started = Instant::now();
    let (started_run, started_diff) = (
        arguments("run", &[&kubeconfig, "--listen=127.0.0.1:0"]),
        arguments("diff", &[&kubeconfig]),
    );
    let (ran, diff) = tokio::join!(run(&started_run), run(&started_diff));
    assert!(
        started.elapsed() < Duration::from_secs(40),
        "{:?}",
        started.elapsed()
    );
    assert_eq!((ran.code, diff.code), (Some(1), Some(2)));
    let expected = "error: the API server at http://127.0.0.1:1/ was not reached within 30 s: ";
    for ended in [ran, diff] {
        let error = ended.said.lines().last().unwrap_or_default().to_owned();
        assert!(error.starts_with(expected), "{}", ended.said);
        assert_eq!(ended.out, "");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_context_that_is_not_there_is_named_beside_those_that_are() {
    let kubeconfig = kubeconfig_for("http://127.0.0.1:2");
    let given = format!("--kubeconfig={}", kubeconfig.display());
    for (command, code) in [("run", 1), ("snapshot", 1), ("diff", 2)] {
        let mut arguments = arguments(command, &[&given, "--context=prod"]);
        if command == "run" {
            arguments.push("--listen=127.0.0.1:0".to_owned());
        }
        let ended = run(&arguments).await;
        assert_eq!(ended.code, Some(code), "{ended:?}");
        let expected = format!(
            "error: --context: `prod` is not in {}; there is proxy",
            kubeconfig.display()
        );
        assert_eq!(ended.said.lines().last(), Some(&*expected));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_port_that_is_taken_is_named_in_one_line() {
    let kubeconfig = kubeconfig_for("http://127.0.0.1:3");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let given = format!("--kubeconfig={}", kubeconfig.display());
    let listen = format!("--listen={address}");
    let ended = run(&arguments("run", &[&given, &listen])).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let error = ended.said.lines().last().unwrap_or_default();
    let expected = format!("error: --listen: cannot listen on {address} (Address already in use");
    assert!(error.starts_with(&expected), "{error}");
}
