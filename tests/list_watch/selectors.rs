//! Selectors: which objects lists and watches show.

use serde_json::{Value, json};

use super::stage::{Stage, a_map, maps_in, names, number, parameter, say, version};

fn labelled(name: &str, labels: &Value) -> Value {
    let mut map = a_map(name, "");
    map["metadata"]["labels"] = labels.clone();
    map
}

async fn create(stage: &Stage, name: &str, labels: &Value) -> Value {
    let object = labelled(name, labels);
    stage.post(&stage.maps(), &object).await.must(201)
}

async fn relabel(stage: &Stage, name: &str, labels: &Value) -> Value {
    let object = labelled(name, labels);
    stage.put(&stage.map(name), &object).await.must(200)
}

pub(crate) async fn labels_select_in_lists(stage: Stage) {
    create(
        &stage,
        "dev",
        &json!({"tier": "dev", "app.example.com/name": "web"}),
    )
    .await;
    create(&stage, "none", &json!({})).await;
    create(
        &stage,
        "prod",
        &json!({"tier": "prod", "app.example.com/name": "api"}),
    )
    .await;
    create(&stage, "void", &json!({"tier": ""})).await;
    let cases: [(&str, &[&str]); 17] = [
        ("", &["dev", "none", "prod", "void"]),
        ("tier=dev", &["dev"]),
        ("tier==dev", &["dev"]),
        ("tier = dev", &["dev"]),
        ("tier=", &["void"]),
        ("tier!=dev", &["none", "prod", "void"]),
        ("tier in (dev,prod)", &["dev", "prod"]),
        ("tier in (dev, test)", &["dev"]),
        ("tier in ()", &["void"]),
        ("tier notin (dev,prod)", &["none", "void"]),
        ("tier", &["dev", "prod", "void"]),
        ("!tier", &["none"]),
        ("tier,tier!=dev", &["prod", "void"]),
        ("tier in (dev,prod),app.example.com/name=api", &["prod"]),
        ("app.example.com/name notin (web),tier=prod", &["prod"]),
        ("tier=dev,tier=prod", &[]),
        ("other", &[]),
    ];
    for (selector, selected) in cases {
        let list = stage.list(&parameter("labelSelector", selector)).await;
        assert_eq!(names(&list), selected, "{selector}");
    }
    let all = format!(
        "/api/v1/configmaps?{}",
        parameter("labelSelector", "tier=void")
    );
    assert_eq!(names(&stage.get(&all).await.must(200)), [""; 0]);
}

/// A life in and out of a selection.
async fn live(stage: &Stage) -> [Value; 3] {
    create(stage, "other", &json!({"tier": "dev"})).await;
    create(stage, "it", &json!({"tier": "dev"})).await;
    let came = relabel(stage, "it", &json!({"tier": "prod"})).await;
    let changed = relabel(stage, "it", &json!({"tier": "prod", "more": "yes"})).await;
    let went = relabel(stage, "it", &json!({})).await;
    relabel(stage, "it", &json!({"more": "yes"})).await;
    stage.delete("it").await;
    create(stage, "that", &json!({"tier": "prod"})).await;
    stage.delete("that").await;
    create(stage, "end", &json!({"tier": "prod"})).await;
    [came, changed, went]
}

const LIVED: [&str; 5] = [
    "ADDED it",
    "MODIFIED it",
    "DELETED it",
    "ADDED that",
    "DELETED that",
];

pub(crate) async fn labels_select_in_watches_where_what_begins_to_match_comes_and_what_stops_goes(
    stage: Stage,
) {
    let from = version(&stage.list("").await);
    let selector = parameter("labelSelector", "tier=prod");
    let query = format!("resourceVersion={from}&{selector}");
    let mut watch = stage.watch(&query).await;
    let [came, changed, went] = live(&stage).await;
    let events = watch.until("end").await;
    assert_eq!(say(&events), LIVED);
    let versions: Vec<u64> = events[..3].iter().map(|it| number(&it.object)).collect();
    assert_eq!(versions, [number(&came), number(&changed), number(&went)]);
    // As it was when it was last selected.
    let labels = &events[2].object["metadata"]["labels"];
    assert_eq!(*labels, json!({"tier": "prod", "more": "yes"}));
    let mut others = stage
        .watch(&parameter("labelSelector", "tier notin (prod)"))
        .await;
    assert_eq!(others.next().await.unwrap().says(), "ADDED other");
}

pub(crate) async fn a_watch_that_goes_on_selects_by_what_was_then(stage: Stage) {
    let from = version(&stage.list("").await);
    live(&stage).await;
    let selector = parameter("labelSelector", "tier in (prod)");
    let query = format!("resourceVersion={from}&{selector}");
    let events = stage.watch(&query).await.until("end").await;
    assert_eq!(say(&events), LIVED);
}

pub(crate) async fn fields_select_by_name_and_namespace(stage: Stage) {
    for name in ["a", "b", "c"] {
        stage.create(name, "").await;
    }
    let other = maps_in(&stage.other);
    stage.post(&other, &a_map("b", "")).await.must(201);
    let cases: [(String, &[&str]); 5] = [
        ("metadata.name=b".to_owned(), &["b"]),
        ("metadata.name==b".to_owned(), &["b"]),
        ("metadata.name!=b".to_owned(), &["a", "c"]),
        (
            format!("metadata.namespace={},metadata.name=a", stage.ns),
            &["a"],
        ),
        (format!("metadata.namespace!={}", stage.ns), &[]),
    ];
    for (selector, selected) in cases {
        let list = stage.list(&parameter("fieldSelector", &selector)).await;
        assert_eq!(names(&list), selected, "{selector}");
    }
    let selector = format!("metadata.name=b,metadata.namespace={}", stage.other);
    let selector = parameter("fieldSelector", &selector);
    let path = format!("/api/v1/configmaps?{selector}");
    let list = stage.get(&path).await.must(200);
    assert_eq!(names(&list), ["b"]);
    assert_eq!(list["items"][0]["metadata"]["namespace"], *stage.other);
    let mut watch = stage
        .watch(&parameter("fieldSelector", "metadata.name=b"))
        .await;
    stage.replace("a", "new").await;
    stage.replace("b", "new").await;
    assert_eq!(watch.next().await.unwrap().says(), "ADDED b");
    assert_eq!(watch.next().await.unwrap().says(), "MODIFIED b");
}

pub(crate) async fn pages_of_a_selection_count_nothing_and_the_last_may_be_empty(stage: Stage) {
    for name in ["a", "c", "e"] {
        create(&stage, name, &json!({"odd": "yes"})).await;
    }
    for name in ["b", "d", "f"] {
        create(&stage, name, &json!({})).await;
    }
    let selector = parameter("labelSelector", "odd=yes");
    let mut query = format!("limit=1&{selector}");
    let mut pages = Vec::new();
    loop {
        let page = stage.list(&query).await;
        assert!(page["metadata"]["remainingItemCount"].is_null(), "{page}");
        pages.push(names(&page).join(","));
        match page["metadata"]["continue"].as_str() {
            Some(token) => query = format!("limit=1&{selector}&continue={token}"),
            None => break,
        }
    }
    assert_eq!(pages, ["a", "c", "e", ""]);
}

pub(crate) async fn a_selector_that_cannot_be_read_is_a_bad_request(stage: Stage) {
    let labels = ["a b", "a in (b", "a in b", "=b", "a===b", ",", "a=b c=d"];
    let fields = ["metadata.name", "spec.x=1"];
    let labels = labels.map(|it| parameter("labelSelector", it));
    let fields = fields.map(|it| parameter("fieldSelector", it));
    for selector in labels.iter().chain(&fields) {
        for watch in ["false", "true"] {
            let path = format!("{}?watch={watch}&{selector}", stage.maps());
            stage.get(&path).await.refuses(400, "BadRequest");
        }
    }
}
