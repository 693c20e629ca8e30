//! What a server has forgotten.

use super::stage::{Stage, names, number, say, version};

pub(crate) async fn a_watch_from_too_long_ago_is_told_that_it_is_and_ends(mut stage: Stage) {
    stage.create("a", "").await;
    let old = stage.list("").await;
    stage.create("b", "").await;
    stage.age().await;
    let query = format!("resourceVersion={}", version(&old));
    let events = stage.watch(&query).await.rest().await;
    let [event] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(event.what, "ERROR");
    assert_eq!(event.object["kind"], "Status");
    assert_eq!(event.object["status"], "Failure");
    assert_eq!(event.object["reason"], "Expired");
    assert_eq!(event.object["code"], 410);
    let now = stage.list("").await;
    assert_eq!(names(&now), ["a", "b"]);
    let query = format!("resourceVersion={}", version(&now));
    let mut watch = stage.watch(&query).await;
    stage.create("c", "").await;
    let event = watch.next().await.unwrap();
    assert_eq!(say(&[event]), ["ADDED c"]);
}

pub(crate) async fn a_list_that_was_begun_too_long_ago_cannot_be_continued(mut stage: Stage) {
    for name in ["a", "b", "d"] {
        stage.create(name, "").await;
    }
    let first = stage.list("limit=1").await;
    stage.create("c", "").await;
    stage.age().await;
    let token = first["metadata"]["continue"].as_str().unwrap();
    let path = format!("{}?limit=1&continue={token}", stage.maps());
    let status = stage.get(&path).await.refuses(410, "Expired");
    // With this the rest can be read as it is now, for those who can live with that.
    let token = status["metadata"]["continue"].as_str().unwrap();
    let rest = stage.list(&format!("continue={token}")).await;
    assert_eq!(names(&rest), ["b", "c", "d"]);
    assert!(number(&rest) > number(&first));
}
