//! Custom resources: where they differ from built-in ones.

use serde_json::{Value, json};

use super::stage::{Stage, THINGS, names, say, version};

fn things_of(stage: &Stage) -> String {
    format!("{THINGS}/namespaces/{}/things", stage.ns)
}

fn a_thing(name: &str, word: &str) -> Value {
    json!({
        "kind": "Thing", "apiVersion": "tests.example.com/v1",
        "metadata": {"name": name}, "spec": {"word": word},
    })
}

pub(crate) async fn items_of_a_list_of_custom_resources_say_their_kind(stage: Stage) {
    stage.define().await;
    let path = things_of(&stage);
    stage.post(&path, &a_thing("a", "first")).await.must(201);
    stage.post(&path, &a_thing("b", "first")).await.must(201);
    let list = stage.get(&format!("{path}?limit=1")).await.must(200);
    assert_eq!(list["kind"], "ThingList");
    assert_eq!(list["apiVersion"], "tests.example.com/v1");
    assert_eq!(list["items"][0]["kind"], "Thing");
    assert_eq!(list["items"][0]["apiVersion"], "tests.example.com/v1");
    let token = list["metadata"]["continue"].as_str().unwrap();
    let rest = stage.get(&format!("{path}?continue={token}")).await;
    let rest = rest.must(200);
    assert_eq!(names(&rest), ["b"]);
    let partial = stage.get_metadata(&path).await.must(200);
    assert_eq!(partial["items"][0]["kind"], "PartialObjectMetadata");
    let from = format!("resourceVersion={}", version(&list));
    let path = format!("{path}/b");
    stage.ask("DELETE", &path, &Value::Null).await.must(200);
    let mut watch = stage.watch_at(&things_of(&stage), &from).await;
    let event = watch.next().await.unwrap();
    assert_eq!(say(std::slice::from_ref(&event)), ["DELETED b"]);
    assert_eq!(event.object["kind"], "Thing");
}

pub(crate) async fn a_custom_resource_is_replaced_by_its_version_alone(stage: Stage) {
    stage.define().await;
    let path = things_of(&stage);
    let one = format!("{path}/it");
    let status = stage.put(&one, &a_thing("it", "first")).await;
    let status = status.refuses(404, "NotFound");
    let details = json!({"name": "it", "group": "tests.example.com", "kind": "things"});
    assert_eq!(status["details"], details);
    let mut thing = stage.post(&path, &a_thing("it", "first")).await.must(201);
    let answer = stage.put(&one, &a_thing("it", "second")).await;
    answer.refuses(422, "Invalid");
    thing["spec"]["word"] = json!("second");
    stage.put(&one, &thing).await.must(200);
    stage.put(&one, &thing).await.refuses(409, "Conflict");
}

pub(crate) async fn a_custom_resource_that_is_not_defined_has_no_page(stage: Stage) {
    stage.define().await;
    for path in [
        format!("{THINGS}/others"),
        THINGS.replace("v1", "v2") + "/things",
    ] {
        let answer = stage.get(&path).await;
        assert_eq!(answer.code, 404, "{path}");
        assert_eq!(answer.text, "404 page not found\n", "{path}");
    }
}
