//! Lists and their pages.

use serde_json::Value;

use super::stage::{Stage, a_map, maps_in, names, number, version};

/// Creates these.
async fn create(stage: &Stage, names: &[&str]) {
    for name in names {
        stage.create(name, "first").await;
    }
}

/// How a list is continued.
fn token(list: &Value) -> &str {
    let token = list["metadata"]["continue"].as_str();
    token.expect("a list that goes on")
}

pub(crate) async fn a_page_says_how_many_remain_and_how_to_go_on(stage: Stage) {
    create(&stage, &["a", "b", "c", "d", "e"]).await;
    let first = stage.list("limit=2").await;
    assert_eq!(names(&first), ["a", "b"]);
    assert_eq!(first["metadata"]["remainingItemCount"], 3);
    let query = format!("limit=2&continue={}", token(&first));
    let second = stage.list(&query).await;
    assert_eq!(names(&second), ["c", "d"]);
    assert_eq!(second["metadata"]["remainingItemCount"], 1);
    assert_eq!(version(&second), version(&first));
    let query = format!("limit=2&continue={}", token(&second));
    let last = stage.list(&query).await;
    assert_eq!(names(&last), ["e"]);
    assert_eq!(version(&last), version(&first));
    assert!(last["metadata"]["continue"].is_null(), "{last}");
    assert!(last["metadata"]["remainingItemCount"].is_null(), "{last}");
    let exactly = stage.list("limit=5").await;
    assert_eq!(names(&exactly).len(), 5);
    assert!(exactly["metadata"]["continue"].is_null(), "{exactly}");
}

pub(crate) async fn later_pages_show_the_state_of_the_first_whatever_has_changed_since(
    stage: Stage,
) {
    create(&stage, &["a", "c", "d", "e"]).await;
    let first = stage.list("limit=1").await;
    stage.create("b", "second").await;
    stage.replace("c", "second").await;
    stage.delete("d").await;
    stage.delete("e").await;
    stage.create("e", "second").await;
    let query = format!("limit=2&continue={}", token(&first));
    let second = stage.list(&query).await;
    assert_eq!(names(&second), ["c", "d"]);
    assert_eq!(second["metadata"]["remainingItemCount"], 1);
    assert_eq!(second["items"][0]["data"]["word"], "first");
    let query = format!("continue={}", token(&second));
    let last = stage.list(&query).await;
    assert_eq!(names(&last), ["e"]);
    assert_eq!(last["items"][0]["data"]["word"], "first");
    for page in [second, last] {
        assert_eq!(version(&page), version(&first));
    }
    let now = stage.list("").await;
    assert_eq!(names(&now), ["a", "b", "c", "e"]);
    assert!(number(&now) > number(&first));
}

pub(crate) async fn a_page_can_be_asked_for_again(stage: Stage) {
    create(&stage, &["a", "b", "c", "d"]).await;
    let first = stage.list("limit=1").await;
    let query = format!("limit=2&continue={}", token(&first));
    let once = stage.list(&query).await;
    let query = format!("limit=2&continue={}", token(&once));
    assert_eq!(names(&stage.list(&query).await), ["d"]);
    let query = format!("limit=1&continue={}", token(&first));
    let again = stage.list(&query).await;
    assert_eq!(names(&once), ["b", "c"]);
    assert_eq!(names(&again), ["b"], "with another limit");
    assert_eq!(version(&once), version(&again));
}

pub(crate) async fn a_list_without_a_limit_is_whole(stage: Stage) {
    let nothing = stage.list("").await;
    assert_eq!(nothing["kind"], "ConfigMapList");
    assert_eq!(nothing["apiVersion"], "v1");
    assert_eq!(nothing["items"], serde_json::json!([]));
    create(&stage, &["c", "a", "b"]).await;
    for query in ["", "limit=0", "limit=3", "limit=500", "resourceVersion=0"] {
        let list = stage.list(query).await;
        assert_eq!(names(&list), ["a", "b", "c"], "{query}");
        assert!(list["metadata"]["continue"].is_null(), "{query}");
    }
}

pub(crate) async fn lists_are_in_the_order_of_their_keys_as_text(stage: Stage) {
    create(&stage, &["b", "a.b", "a-b", "a", "a0"]).await;
    assert_eq!(names(&stage.list("").await), ["a", "a-b", "a.b", "a0", "b"]);
    let other = maps_in(&stage.other);
    stage.post(&other, &a_map("z", "")).await.must(201);
    let all = stage.get("/api/v1/configmaps").await.must(200);
    let ours = |item: &&Value| {
        let namespace = &item["metadata"]["namespace"];
        *namespace == *stage.ns || *namespace == *stage.other
    };
    let ours: Vec<&Value> = all["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(ours)
        .collect();
    // A key is `namespace/name`, and `-` comes before `/`.
    assert_eq!(ours[0]["metadata"]["namespace"], *stage.other);
    assert_eq!(ours[1]["metadata"]["name"], "a");
    assert_eq!(ours.len(), 6);
}

pub(crate) async fn items_of_a_typed_list_do_not_say_their_kind_and_those_of_metadata_do(
    stage: Stage,
) {
    create(&stage, &["a", "b"]).await;
    let typed = stage.list("limit=1").await;
    assert_eq!(
        (&typed["kind"], &typed["apiVersion"]),
        (&"ConfigMapList".into(), &"v1".into())
    );
    let item = typed["items"][0].as_object().unwrap();
    assert!(!item.contains_key("kind") && !item.contains_key("apiVersion"));
    assert_eq!(item["data"]["word"], "first");
    let path = format!("{}?limit=1", stage.maps());
    let partial = stage.get_metadata(&path).await.must(200);
    assert_eq!(partial["kind"], "PartialObjectMetadataList");
    assert_eq!(partial["apiVersion"], "meta.k8s.io/v1");
    assert_eq!(partial["metadata"]["remainingItemCount"], 1);
    let item = &partial["items"][0];
    assert_eq!(item["kind"], "PartialObjectMetadata");
    assert_eq!(item["apiVersion"], "meta.k8s.io/v1");
    assert_eq!(item["metadata"]["name"], "a");
    assert!(item["data"].is_null());
    let one = stage.get(&stage.map("a")).await.must(200);
    assert_eq!(
        (&one["kind"], &one["apiVersion"]),
        (&"ConfigMap".into(), &"v1".into())
    );
}

pub(crate) async fn each_write_has_a_greater_version_and_a_list_has_the_newest(stage: Stage) {
    let mut newest = number(&stage.list("").await);
    for round in ["first", "second"] {
        let created = number(&stage.create("a", round).await);
        assert!(created > newest);
        let replaced = number(&stage.replace("a", "else").await);
        assert!(replaced > created);
        // The server may have more to write than we see.
        let list = stage.list("").await;
        assert!(number(&list) >= replaced);
        assert_eq!(number(&list["items"][0]), replaced);
        stage.delete("a").await;
        let list = stage.list("").await;
        assert!(number(&list) > replaced, "a deletion is a write");
        newest = number(&list);
    }
}

pub(crate) async fn a_list_in_a_namespace_shows_nothing_of_others_and_one_of_the_cluster_shows_all(
    stage: Stage,
) {
    stage.create("ours", "").await;
    let other = maps_in(&stage.other);
    stage.post(&other, &a_map("theirs", "")).await.must(201);
    assert_eq!(names(&stage.list("").await), ["ours"]);
    let list = stage.get(&other).await.must(200);
    assert_eq!(names(&list), ["theirs"]);
    assert_eq!(list["items"][0]["metadata"]["namespace"], *stage.other);
    let all = stage.get("/api/v1/configmaps").await.must(200);
    let all = names(&all);
    assert!(all.contains(&"ours") && all.contains(&"theirs"));
    let nowhere = stage.get(&maps_in("nowhere")).await.must(200);
    assert_eq!(names(&nowhere), [""; 0]);
}
