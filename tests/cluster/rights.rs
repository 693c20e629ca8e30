//! Rights that are few, that are taken away and given back (promises 2 and 7).

use deployment_recorder::sandbox::Status;
use serde_json::{Value, json};

use super::api::{Cascade, eventually};
use super::objects::{annotations, deployment};
use super::proxy::Proxy;
use super::stage::{Stage, deployed};

/// The rules of the ClusterRole without one resource.
fn without(resource: &str) -> Value {
    let mut rules = deployed("ClusterRole")["rules"].clone();
    for rule in rules.as_array_mut().expect("rules") {
        let resources = rule["resources"].as_array_mut().expect("resources");
        resources.retain(|it| it != resource);
    }
    rules
}

/// The right to read a resource is taken away while a workload is deleted, and given back.
async fn taken_away(name: &str, group: &str, resource: &str, kind: &str) {
    let mut stage = Stage::new(name).await;
    // A 403 shows only when a watch is begun anew.
    let proxy = Proxy::start(&stage.kubeconfig).await;
    stage.set("kubeconfig", proxy.kubeconfig().to_str().unwrap());
    stage.look_at_the_whole_cluster();
    for name in ["goes", "stays"] {
        stage
            .create(&deployment(&stage.ns, name, &[("app", "acme/web:1")]))
            .await;
    }
    stage.begin().await;
    stage.runs("goes", "app", "acme/web:1").await;
    stage.runs("stays", "app", "acme/web:1").await;

    let change = json!({"rules": without(resource)});
    stage
        .api
        .patch("ClusterRole", "", &stage.user, &change)
        .await;
    stage.wait_for_right(false, group, resource, "").await;
    proxy.end_watches();
    stage
        .recorder()
        .says("a mirror is forbidden", |event| event["kind"] == kind)
        .await;
    let done = stage.recorder().events("cycle done").len();
    stage
        .api
        .delete("Deployment", &stage.ns, "goes", Cascade::Foreground)
        .await;
    eventually("it is gone", async || {
        stage
            .api
            .get("Deployment", &stage.ns, "goes")
            .await
            .is_none()
    })
    .await;
    let recorder = stage.recorder.as_ref().unwrap();
    eventually("a cycle", async || {
        recorder.events("cycle done").len() > done
    })
    .await;
    // Whatever of this can still be seen makes it look once more.
    let tag = annotations(&json!({"metadata.github.com/looked": "again"}));
    let done = recorder.events("cycle done").len();
    stage.patch("Deployment", "stays", &tag).await;
    stage.api.patch("Namespace", "", &stage.ns, &tag).await;
    eventually("a cycle", async || {
        recorder.events("cycle done").len() > done
    })
    .await;
    for name in ["goes", "stays"] {
        assert_eq!(
            stage.record(name, "app").unwrap().status,
            Status::Deployed,
            "{name}"
        );
    }

    let change = json!({"rules": deployed("ClusterRole")["rules"]});
    stage
        .api
        .patch("ClusterRole", "", &stage.user, &change)
        .await;
    stage.ends("goes", "app").await;
    stage
        .until("what stays has its tag", |_| {
            stage
                .record("stays", "app")
                .is_some_and(|it| it.tags.contains_key("looked"))
        })
        .await;
    let history = stage.history("stays", "app");
    assert!(
        history
            .iter()
            .all(|it| it.record.status == Status::Deployed)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nothing_ends_while_pods_may_not_be_read_and_all_is_right_when_they_may_again() {
    taken_away("no-pods", "", "pods", "Pod").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nothing_ends_while_deployments_may_not_be_read_and_all_is_right_when_they_may_again() {
    taken_away("no-deployments", "apps", "deployments", "Deployment").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nothing_ends_while_namespaces_may_not_be_read_and_all_is_right_when_they_may_again() {
    taken_away("no-namespaces", "", "namespaces", "Namespace").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn roles_in_one_namespace_are_rights_enough_for_that_namespace() {
    let mut stage = Stage::new("roles").await;
    let ns = stage.ns.clone();
    stage.set("ledger-namespace", &ns);
    let mut rules = deployed("ClusterRole")["rules"].as_array().unwrap().clone();
    rules.extend(deployed("Role")["rules"].as_array().unwrap().clone());
    let rbac = "rbac.authorization.k8s.io";
    let metadata = json!({"name": "recorder", "namespace": ns});
    let role = json!({
        "apiVersion": format!("{rbac}/v1"), "kind": "Role", "metadata": metadata, "rules": rules,
    });
    let binding = json!({
        "apiVersion": format!("{rbac}/v1"), "kind": "RoleBinding", "metadata": metadata,
        "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "recorder"},
        "subjects": stage.subjects(),
    });
    stage.create(&role).await;
    stage.create(&binding).await;
    stage.wait_for_right(true, "", "pods", &ns).await;
    stage
        .create(&deployment(&ns, "web", &[("app", "acme/web:1")]))
        .await;
    stage.start();
    stage.runs("web", "app", "acme/web:1").await;
    stage.delete("Deployment", "web").await;
    stage.ends("web", "app").await;
    assert!(stage.recorder().events("a mirror is forbidden").is_empty());
}
