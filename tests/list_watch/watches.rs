//! Watches: what they begin with, what they tell, how they end.

use serde_json::json;

use super::stage::{Event, Stage, a_map, maps_in, number, say, version};

/// Changes of every kind.
async fn change(stage: &Stage) {
    stage.create("new", "first").await;
    stage.replace("old", "second").await;
    stage.replace("new", "second").await;
    stage.delete("old").await;
    stage.create("old", "third").await;
    stage.create("end", "").await;
}

/// What a watch tells of them.
fn is_told(events: &[Event]) {
    let told = [
        "ADDED new",
        "MODIFIED old",
        "MODIFIED new",
        "DELETED old",
        "ADDED old",
    ];
    assert_eq!(say(events), told);
    let versions: Vec<u64> = events.iter().map(|event| number(&event.object)).collect();
    assert!(
        versions.is_sorted_by(|one, next| one < next),
        "{versions:?}"
    );
    let words = events.iter().map(|event| &event.object["data"]["word"]);
    let words: Vec<&str> = words.map(|word| word.as_str().unwrap()).collect();
    assert_eq!(words, ["first", "second", "second", "second", "third"]);
    for event in events {
        assert_eq!(event.object["kind"], "ConfigMap");
        assert_eq!(event.object["apiVersion"], "v1");
    }
}

pub(crate) async fn a_watch_from_the_version_of_a_list_tells_exactly_what_came_later_in_order(
    stage: Stage,
) {
    stage.create("before", "").await;
    stage.create("old", "first").await;
    stage.delete("before").await;
    let list = stage.list("").await;
    change(&stage).await;
    let query = format!("resourceVersion={}", version(&list));
    is_told(&stage.watch(&query).await.until("end").await);
    let from = stage.get(&stage.map("old")).await.must(200);
    let query = format!("resourceVersion={}", version(&from));
    let later = stage.watch(&query).await.until("end").await;
    assert_eq!(say(&later), [""; 0], "nothing is told twice");
}

pub(crate) async fn a_watch_that_is_open_tells_the_same(stage: Stage) {
    stage.create("old", "first").await;
    let list = stage.list("").await;
    let query = format!("resourceVersion={}", version(&list));
    let mut watch = stage.watch(&query).await;
    change(&stage).await;
    is_told(&watch.until("end").await);
}

pub(crate) async fn a_deletion_shows_the_last_state_and_the_version_of_the_deletion(stage: Stage) {
    stage.create("it", "first").await;
    let last = stage.replace("it", "last").await;
    stage.delete("it").await;
    let end = stage.create("end", "").await;
    let query = format!("resourceVersion={}", version(&last));
    let events = stage.watch(&query).await.until("end").await;
    assert_eq!(say(&events), ["DELETED it"]);
    let gone = &events[0].object;
    assert_eq!(gone["data"]["word"], "last");
    assert_eq!(gone["metadata"]["uid"], last["metadata"]["uid"]);
    assert!(number(gone) > number(&last) && number(gone) < number(&end));
    let query = format!("resourceVersion={}", version(gone));
    let later = stage.watch(&query).await.until("end").await;
    assert_eq!(say(&later), [""; 0], "it is the version to go on from");
}

pub(crate) async fn a_watch_from_nowhere_begins_with_what_is_there(stage: Stage) {
    stage.create("a", "first").await;
    stage.create("b", "first").await;
    stage.create("c", "first").await;
    stage.delete("b").await;
    stage.replace("a", "second").await;
    // A server may begin such a watch with an earlier state; not with one that a list showed it to
    // be past (https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-watch).
    stage.list("").await;
    for query in ["", "resourceVersion=0", "resourceVersion="] {
        let mut watch = stage.watch(query).await;
        let mut begins = vec![watch.next().await.unwrap(), watch.next().await.unwrap()];
        begins.sort_by_key(Event::says);
        assert_eq!(say(&begins), ["ADDED a", "ADDED c"], "{query}");
        assert_eq!(begins[0].object["data"]["word"], "second");
        stage.create("d", "").await;
        stage.delete("d").await;
        assert_eq!(watch.next().await.unwrap().says(), "ADDED d");
        assert_eq!(watch.next().await.unwrap().says(), "DELETED d");
    }
}

pub(crate) async fn a_watch_of_metadata_tells_nothing_else(stage: Stage) {
    stage.create("a", "first").await;
    let mut watch = stage.watch_metadata("").await;
    let event = watch.next().await.unwrap();
    stage.delete("a").await;
    for event in [event, watch.next().await.unwrap()] {
        let mut object = event.object;
        assert_eq!(object["metadata"]["name"], "a");
        object["metadata"] = json!("seen");
        let partial = json!({
            "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": "seen",
        });
        assert_eq!(object, partial);
    }
}

pub(crate) async fn a_watch_in_a_namespace_tells_nothing_of_others_and_one_of_the_cluster_tells_all(
    stage: Stage,
) {
    let from = format!("resourceVersion={}", version(&stage.list("").await));
    let mut ours = stage.watch(&from).await;
    let mut all = stage.watch_at("/api/v1/configmaps", &from).await;
    let other = maps_in(&stage.other);
    let name = format!("of-{}", stage.ns);
    stage.post(&other, &a_map(&name, "")).await.must(201);
    let end = format!("end-{}", stage.ns);
    stage.create(&end, "").await;
    assert_eq!(say(&ours.until(&end).await), [""; 0]);
    let told = all.until(&end).await;
    let theirs = told
        .iter()
        .find(|event| event.says() == format!("ADDED {name}"));
    let theirs = theirs.expect("what happened in the other namespace");
    assert_eq!(theirs.object["metadata"]["namespace"], *stage.other);
}

pub(crate) async fn bookmarks_come_only_to_those_who_ask_and_can_be_gone_on_from(stage: Stage) {
    stage.create("a", "").await;
    let from = format!(
        "timeoutSeconds=6&resourceVersion={}",
        version(&stage.list("").await)
    );
    let asked = format!("{from}&allowWatchBookmarks=true");
    let with = stage.watch(&asked).await;
    let partial = stage.watch_metadata(&asked).await;
    let without = stage.watch(&from).await;
    let last = stage.replace("a", "new").await;
    stage.bookmark();
    let (with, partial, without) = futures::join!(with.rest(), partial.rest(), without.rest());
    assert_eq!(say(&without), ["MODIFIED a"]);
    for (events, kind, api_version) in [
        (with, "ConfigMap", "v1"),
        (partial, "PartialObjectMetadata", "meta.k8s.io/v1"),
    ] {
        let bookmark = events.last().unwrap();
        assert_eq!(bookmark.what, "BOOKMARK");
        assert_eq!(bookmark.object["kind"], kind);
        assert_eq!(bookmark.object["apiVersion"], api_version);
        assert!(bookmark.object["metadata"]["name"].is_null());
        assert!(number(&bookmark.object) >= number(&last));
        let query = format!("resourceVersion={}", version(&bookmark.object));
        let mut on = stage.watch(&query).await;
        let name = format!("end-{}", kind.to_lowercase());
        stage.create(&name, "").await;
        assert!(!say(&on.until(&name).await).contains(&"MODIFIED a".to_owned()));
    }
}

pub(crate) async fn a_watch_ends_in_good_order_when_its_time_is_over(stage: Stage) {
    let from = version(&stage.list("").await);
    let query = format!("timeoutSeconds=1&resourceVersion={from}");
    let begun = tokio::time::Instant::now();
    let mut watch = stage.watch(&query).await;
    stage.create("a", "").await;
    assert_eq!(watch.next().await.unwrap().says(), "ADDED a");
    assert!(watch.next().await.is_none());
    let lasted = begun.elapsed().as_millis();
    assert!((900..5000).contains(&lasted), "{lasted} ms");
}
