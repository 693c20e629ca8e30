//! Events on workloads, as kubectl shows them, and the right that they take.

use serde_json::{Value, json};

use super::api::eventually;
use super::calls::audited;
use super::objects::annotations;
use super::stage::Stage;

/// The right to write events in a namespace, as `docs/events.md` says it.
async fn grant_events(stage: &Stage) {
    let rbac = "rbac.authorization.k8s.io";
    let metadata = json!({"namespace": stage.ns, "name": "events"});
    let rules =
        json!([{"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create"]}]);
    let role = json!({
        "apiVersion": format!("{rbac}/v1"), "kind": "Role", "metadata": metadata, "rules": rules,
    });
    let binding = json!({
        "apiVersion": format!("{rbac}/v1"), "kind": "RoleBinding", "metadata": metadata,
        "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "events"},
        "subjects": stage.subjects(),
    });
    for object in [role, binding] {
        stage.api.create(&object).await;
    }
    let asked = json!({
        "verb": "create", "group": "events.k8s.io", "resource": "events", "namespace": stage.ns,
    });
    stage.api.wait_for_right(&stage.user, true, &asked).await;
}

/// What the recorder wrote of a Deployment, by what `kubectl describe` looks for.
async fn events(stage: &Stage, name: &str) -> Vec<Value> {
    let deployment = stage.api.get("Deployment", &stage.ns, name).await.unwrap();
    let mut events = stage.api.list("Event", &stage.ns).await;
    events.retain(|event| {
        let on = &event["regarding"];
        on["uid"] == deployment["metadata"]["uid"]
            && event["reportingController"] == "deployment-recorder"
            && (&on["kind"], &on["apiVersion"]) == (&json!("Deployment"), &json!("apps/v1"))
            && (&on["namespace"], &on["name"]) == (&json!(stage.ns), &json!(name))
    });
    events
}

/// How often the recorder asked to write one.
fn asked(stage: &Stage) -> usize {
    let calls = audited(&stage.user).into_iter();
    calls
        .filter(|call| call["objectRef"]["resource"] == "events")
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_wrong_annotation_is_said_once_at_the_workload_with_the_right_for_that_alone() {
    let mut stage = Stage::new("events").await;
    stage.set("interval", "5s");
    stage.deploy("web", "acme/web:1").await;
    stage.grant().await;
    stage.set("events", "");
    let check = stage.run("check", &[]).await;
    assert_eq!(check.code, Some(1));
    let rule = "{apiGroups: [events.k8s.io], resources: [events], verbs: [create]}";
    assert!(check.out.contains(rule), "{}", check.out);
    grant_events(&stage).await;
    assert_eq!(stage.run("check", &[]).await.code, Some(0));

    stage.start();
    stage.runs("web", "app", "acme/web:1").await;
    let wrong = annotations(&json!({"metadata.github.com/runtime-risks": "cats"}));
    stage
        .api
        .patch("Deployment", &stage.ns, "web", &wrong)
        .await;
    eventually("an event on the Deployment", async || {
        !events(&stage, "web").await.is_empty()
    })
    .await;
    let [event] = &events(&stage, "web").await[..] else {
        panic!("{:?}", events(&stage, "web").await)
    };
    assert_eq!(
        (&event["type"], &event["reason"]),
        (&json!("Warning"), &json!("InvalidRisk"))
    );
    let note = event["note"].as_str().unwrap();
    assert!(
        note.contains("(cats)") && note.contains("To do: "),
        "{note}"
    );

    // A full snapshot later, and after a restart, it is the one that it was.
    let sent = stage.requests().len();
    stage
        .until("snapshots", |github| github.requests().len() > sent)
        .await;
    assert_eq!(asked(&stage), 1);
    stage.stop().await;
    stage.start();
    eventually("another try", async || asked(&stage) == 2).await;
    assert_eq!(events(&stage, "web").await.len(), 1);
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn without_the_flag_no_event_is_written() {
    let mut stage = Stage::new("no-events").await;
    stage.deploy("web", "acme/web:1").await;
    stage.grant().await;
    grant_events(&stage).await;
    let wrong = annotations(&json!({"metadata.github.com/runtime-risks": "cats"}));
    stage
        .api
        .patch("Deployment", &stage.ns, "web", &wrong)
        .await;
    stage.set("interval", "5s");
    stage.start();
    stage.runs("web", "app", "acme/web:1").await;
    let sent = stage.requests().len();
    stage
        .until("snapshots", |github| github.requests().len() > sent)
        .await;
    assert_eq!(asked(&stage), 0);
    stage.stop().await;
}
