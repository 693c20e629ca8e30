//! Writes of single objects, and the conditions that they meet.

use serde_json::{Value, json};

use super::stage::{Stage, a_map, maps_in, names, say, version};

/// The same object with a field of its metadata set.
fn with(object: &Value, field: &str, value: impl Into<Value>) -> Value {
    let mut object = object.clone();
    object["metadata"][field] = value.into();
    object
}

pub(crate) async fn a_write_with_a_stale_version_is_a_conflict(stage: Stage) {
    let first = stage.create("it", "first").await;
    let second = stage.replace("it", "second").await;
    let stale = with(&a_map("it", "stale"), "resourceVersion", version(&first));
    let status = stage.put(&stage.map("it"), &stale).await;
    let status = status.refuses(409, "Conflict");
    assert_eq!(
        status["details"],
        json!({"name": "it", "kind": "configmaps"})
    );
    let message = status["message"].as_str().unwrap();
    assert!(
        message.contains("the object has been modified"),
        "{message}"
    );
    let now = stage.get(&stage.map("it")).await.must(200);
    assert_eq!(now, second);
    let fresh = with(&a_map("it", "third"), "resourceVersion", version(&second));
    let third = stage.put(&stage.map("it"), &fresh).await.must(200);
    assert_eq!(third["data"]["word"], "third");
    assert_ne!(version(&third), version(&second));
}

pub(crate) async fn a_write_without_a_version_wins(stage: Stage) {
    stage.create("it", "first").await;
    stage.replace("it", "second").await;
    for version in [Value::Null, "".into(), "0".into()] {
        let word = format!("with {version}");
        let object = with(&a_map("it", &word), "resourceVersion", version);
        let stored = stage.put(&stage.map("it"), &object).await.must(200);
        assert_eq!(stored["data"]["word"], word);
    }
}

pub(crate) async fn a_write_to_what_is_not_there_is_not_found(stage: Stage) {
    let details = json!({"name": "it", "kind": "configmaps"});
    let past = stage.create("it", "first").await;
    stage.delete("it").await;
    for object in [a_map("it", "second"), past] {
        let status = stage.put(&stage.map("it"), &object).await;
        let status = status.refuses(404, "NotFound");
        assert_eq!(status["message"], "configmaps \"it\" not found");
        assert_eq!(status["details"], details);
    }
    for method in ["GET", "DELETE"] {
        let status = stage.ask(method, &stage.map("it"), &Value::Null).await;
        let status = status.refuses(404, "NotFound");
        assert_eq!(status["details"], details);
    }
    let path = format!("/apis/apps/v1/namespaces/{}/deployments/it", stage.ns);
    let status = stage.get(&path).await.refuses(404, "NotFound");
    assert_eq!(status["message"], "deployments.apps \"it\" not found");
    let details = json!({"name": "it", "group": "apps", "kind": "deployments"});
    assert_eq!(status["details"], details);
}

pub(crate) async fn what_is_there_cannot_be_created_again(stage: Stage) {
    let first = stage.create("it", "first").await;
    let status = stage.post(&stage.maps(), &a_map("it", "second")).await;
    let status = status.refuses(409, "AlreadyExists");
    assert_eq!(status["message"], "configmaps \"it\" already exists");
    assert_eq!(
        status["details"],
        json!({"name": "it", "kind": "configmaps"})
    );
    assert_eq!(stage.get(&stage.map("it")).await.must(200), first);
    let other = maps_in(&stage.other);
    stage.post(&other, &a_map("it", "")).await.must(201);
}

pub(crate) async fn a_write_that_changes_nothing_is_none(stage: Stage) {
    let first = stage.create("it", "first").await;
    for object in [a_map("it", "first"), first.clone()] {
        let stored = stage.put(&stage.map("it"), &object).await.must(200);
        assert_eq!(version(&stored), version(&first));
    }
    stage.create("end", "").await;
    let query = format!("resourceVersion={}", version(&first));
    let events = stage.watch(&query).await.until("end").await;
    assert_eq!(say(&events), [""; 0]);
}

pub(crate) async fn an_object_that_is_created_again_is_another_one(stage: Stage) {
    let first = stage.create("it", "first").await;
    let replaced = stage.replace("it", "second").await;
    let uid = |object: &Value| object["metadata"]["uid"].as_str().unwrap().to_owned();
    assert_eq!(uid(&replaced), uid(&first));
    stage.delete("it").await;
    let again = stage.create("it", "first").await;
    assert_ne!(uid(&again), uid(&first));
}

pub(crate) async fn a_write_to_another_uid_is_a_conflict(stage: Stage) {
    let first = stage.create("it", "first").await;
    stage.delete("it").await;
    let again = stage.create("it", "first").await;
    let mut object = with(&first, "resourceVersion", version(&again));
    let status = stage.put(&stage.map("it"), &object).await;
    let status = status.refuses(409, "Conflict");
    let message = status["message"].as_str().unwrap();
    assert!(message.contains("UID in precondition"), "{message}");
    object = with(&object, "uid", again["metadata"]["uid"].clone());
    stage.put(&stage.map("it"), &object).await.must(200);
}

pub(crate) async fn times_and_identities_are_the_servers_whatever_is_sent(stage: Stage) {
    let long_ago = "2001-02-03T04:05:06Z";
    let created = |object: &Value| object["metadata"]["creationTimestamp"].clone();
    let mut object = with(&a_map("it", "first"), "creationTimestamp", long_ago);
    object = with(&object, "uid", "mine");
    let first = stage.post(&stage.maps(), &object).await.must(201);
    assert!(created(&first).is_string());
    assert_ne!(created(&first), long_ago);
    assert_ne!(first["metadata"]["uid"], "mine");
    let object = with(&a_map("it", "second"), "creationTimestamp", long_ago);
    let second = stage.put(&stage.map("it"), &object).await.must(200);
    assert_eq!(created(&second), created(&first));
    assert_eq!(second["metadata"]["uid"], first["metadata"]["uid"]);
    assert_eq!(second["kind"], "ConfigMap");
    assert_eq!(second["apiVersion"], "v1");
    assert_eq!(second["metadata"]["namespace"], *stage.ns);
}

pub(crate) async fn a_deletion_may_be_bound_to_a_uid_and_a_version(stage: Stage) {
    let first = stage.create("it", "first").await;
    let second = stage.replace("it", "second").await;
    let path = stage.map("it");
    let uid = &second["metadata"]["uid"];
    for wrong in [
        json!({"uid": "another"}),
        json!({"resourceVersion": version(&first)}),
        json!({"uid": uid, "resourceVersion": version(&first)}),
    ] {
        let options = json!({"preconditions": wrong});
        let status = stage.ask("DELETE", &path, &options).await;
        status.refuses(409, "Conflict");
    }
    assert_eq!(stage.get(&path).await.must(200), second);
    let right = json!({"uid": uid, "resourceVersion": version(&second)});
    let options = json!({"preconditions": right});
    let status = stage.ask("DELETE", &path, &options).await.must(200);
    assert_eq!(status["kind"], "Status");
    assert_eq!(status["status"], "Success");
    let details = json!({"name": "it", "kind": "configmaps", "uid": uid});
    assert_eq!(status["details"], details);
    stage.get(&path).await.refuses(404, "NotFound");
}

pub(crate) async fn names_in_path_and_object_agree(stage: Stage) {
    stage.create("it", "first").await;
    let elsewhere = with(&a_map("it", ""), "namespace", stage.other.clone());
    let mut nameless = a_map("it", "");
    nameless["metadata"] = json!({});
    let mut pod = a_map("it", "");
    pod["kind"] = json!("Pod");
    pod["apiVersion"] = json!("v1");
    for wrong in [&a_map("other", ""), &elsewhere, &nameless, &pod] {
        let answer = stage.put(&stage.map("it"), wrong).await;
        answer.refuses(400, "BadRequest");
    }
    for wrong in [&elsewhere, &pod, &json!("text")] {
        let answer = stage.post(&stage.maps(), wrong).await;
        answer.refuses(400, "BadRequest");
    }
    let answer = stage.post(&stage.maps(), &nameless).await;
    answer.refuses(422, "Invalid");
    let list = stage.list("").await;
    assert_eq!(names(&list), ["it"]);
    assert_eq!(list["items"][0]["data"]["word"], "first");
}

pub(crate) async fn what_is_created_has_no_version_yet(stage: Stage) {
    let object = with(&a_map("it", ""), "resourceVersion", "1");
    let status = stage.post(&stage.maps(), &object).await.must(500);
    assert_eq!(
        status["message"],
        "resourceVersion should not be set on objects to be created"
    );
    assert_eq!(names(&stage.list("").await), [""; 0]);
}

pub(crate) async fn nothing_is_created_in_a_namespace_that_is_not_there(stage: Stage) {
    let answer = stage.post(&maps_in("nowhere"), &a_map("it", "")).await;
    let status = answer.refuses(404, "NotFound");
    assert_eq!(status["message"], "namespaces \"nowhere\" not found");
    let details = json!({"name": "nowhere", "kind": "namespaces"});
    assert_eq!(status["details"], details);
}

fn a_lease(holder: &str) -> Value {
    json!({"metadata": {"name": "it"}, "spec": {"holderIdentity": holder}})
}

fn lease_of(stage: &Stage) -> String {
    let namespace = &stage.ns;
    format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/it")
}

pub(crate) async fn a_lease_is_created_by_put_and_replaced_by_its_version_alone(stage: Stage) {
    let path = lease_of(&stage);
    let first = stage.put(&path, &a_lease("one")).await.must(201);
    let answer = stage.put(&path, &a_lease("two")).await;
    let status = answer.refuses(422, "Invalid");
    let message = status["message"].as_str().unwrap();
    assert!(
        message.contains("must be specified for an update"),
        "{message}"
    );
    let fresh = with(&a_lease("two"), "resourceVersion", version(&first));
    let second = stage.put(&path, &fresh).await.must(200);
    assert_eq!(second["spec"]["holderIdentity"], "two");
    stage.put(&path, &fresh).await.refuses(409, "Conflict");
}

pub(crate) async fn a_lease_that_is_gone_is_not_created_by_who_held_it(stage: Stage) {
    let path = lease_of(&stage);
    let held = stage.put(&path, &a_lease("one")).await.must(201);
    stage.ask("DELETE", &path, &Value::Null).await.must(200);
    stage.put(&path, &held).await.refuses(409, "Conflict");
    stage.get(&path).await.refuses(404, "NotFound");
    let mut unknown = held;
    unknown["metadata"].as_object_mut().unwrap().remove("uid");
    stage.put(&path, &unknown).await.must(201);
}
