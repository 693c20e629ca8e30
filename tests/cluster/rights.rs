//! Rights that are few, that are taken away and given back (promises 2 and 7).

use serde_json::{Value, json};

use super::grants::{all_in_one, deployed, documents};
use super::objects::annotations;
use super::proxy::Proxy;
use super::stage::Stage;

/// The rules of the `ClusterRole` without one resource.
fn without(resource: &str) -> Value {
    let mut rules = deployed("ClusterRole")["rules"].clone();
    let all = rules.as_array_mut().expect("rules");
    for rule in all.iter_mut() {
        let resources = rule["resources"].as_array_mut().expect("resources");
        resources.retain(|it| it != resource);
    }
    // A rule is about something.
    all.retain(|rule| rule["resources"] != json!([]));
    rules
}

/// Changes what the recorder may read of the whole cluster.
async fn may_read(stage: &Stage, rules: &Value) {
    let change = json!({"rules": rules});
    let role = &stage.user;
    stage.api.patch("ClusterRole", "", role, &change).await;
}

/// Changes what runs, and waits until the recorder has looked at all of it that it may see.
async fn look_on(stage: &Stage) {
    let recorder = stage.recorder.as_ref().unwrap();
    let done = recorder.cycles();
    stage.remove("goes").await;
    recorder.cycles_after(done).await;
    // Whatever of this can still be seen makes it look once more.
    let tag = annotations(&json!({"metadata.github.com/looked": "again"}));
    let done = recorder.cycles();
    stage.patch("Deployment", "stays", &tag).await;
    stage.api.patch("Namespace", "", &stage.ns, &tag).await;
    recorder.cycles_after(done).await;
}

/// The right to read a resource is taken away while a workload is deleted, and given back.
async fn taken_away(name: &str, group: &str, resource: &str, kind: &str) {
    let mut stage = Stage::new(name).await;
    // A 403 shows only when a watch is begun anew.
    let proxy = Proxy::start(&stage.kubeconfig).await;
    stage.set("kubeconfig", proxy.kubeconfig().to_str().unwrap());
    stage.look_at_the_whole_cluster();
    for name in ["goes", "stays"] {
        stage.deploy(name, "acme/web:1").await;
    }
    stage.begin().await;
    stage.runs("goes", "app", "acme/web:1").await;
    stage.runs("stays", "app", "acme/web:1").await;

    may_read(&stage, &without(resource)).await;
    stage.wait_for_right(false, group, resource, "").await;
    proxy.end_watches();
    let forbidden = |event: &Value| event["kind"] == kind;
    stage
        .recorder()
        .says("a mirror is forbidden", forbidden)
        .await;
    look_on(&stage).await;
    for name in ["goes", "stays"] {
        assert!(stage.never_ended(name, "app"), "{name}");
    }

    may_read(&stage, &deployed("ClusterRole")["rules"]).await;
    stage.ends("goes", "app").await;
    stage
        .until("what stays has its tag", |_| {
            let record = stage.record("stays", "app");
            record.is_some_and(|it| it.tags.contains_key("looked"))
        })
        .await;
    assert!(stage.never_ended("stays", "app"));
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
    for object in all_in_one(&ns, &stage.subjects()) {
        stage.create(&object).await;
    }
    stage.wait_for_right(true, "", "pods", &ns).await;
    stage.deploy("web", "acme/web:1").await;
    stage.start();
    stage.runs("web", "app", "acme/web:1").await;
    stage.delete("Deployment", "web").await;
    stage.ends("web", "app").await;
    assert!(stage.recorder().events("a mirror is forbidden").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn roles_beside_workloads_and_ledger_are_rights_enough_and_one_that_lacks_is_named() {
    let mut stage = Stage::new("namespaced").await;
    stage.grant_namespaced().await;
    let roles = documents("rbac-namespaced.yaml").into_iter();
    let mut roles = roles.filter(|object| object["metadata"]["name"] == "deployment-recorder");
    let role = roles.find(|object| object["kind"] == "Role").unwrap();
    let rules = stage.placed(role)["rules"].clone();
    let all = rules.as_array().unwrap().iter();
    let lacking: Vec<&Value> = all
        .filter(|rule| rule["resources"] != json!(["namespaces"]))
        .collect();
    let ledger = stage.ledger();
    let may = |rules: Value| json!({"rules": rules});
    let asked =
        json!({"verb": "get", "resource": "namespaces", "namespace": ledger, "name": ledger});
    let api = stage.api.clone();
    api.patch("Role", &ledger, "deployment-recorder", &may(json!(lacking)))
        .await;
    api.wait_for_right(&stage.user, false, &asked).await;

    stage.deploy("web", "acme/web:1").await;
    stage.start();
    let unknown = "cluster is not identified, nothing is sent";
    let rule = format!("resources: [namespaces], verbs: [get], resourceNames: [{ledger}]");
    let named = |event: &Value| event["error"].as_str().unwrap().contains(&rule);
    stage.recorder().says(unknown, named).await;
    assert_eq!(stage.requests().len(), 0);

    api.patch("Role", &ledger, "deployment-recorder", &may(rules))
        .await;
    stage.runs("web", "app", "acme/web:1").await;
    stage.delete("Deployment", "web").await;
    stage.ends("web", "app").await;
    let recorder = stage.recorder();
    assert_eq!(recorder.events(unknown).len(), 1);
    assert!(recorder.events("a mirror is forbidden").is_empty());
}
