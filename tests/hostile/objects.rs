//! Objects with fields of any shape, and with texts as long as an API server takes them.

use std::collections::BTreeSet;
use std::time::Duration;

use deployment_recorder::cluster::{Cluster, MirrorState, Scope};
use deployment_recorder::model::workload::Kind;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::between::{health, pod, pods, server, trouble, until_whole};

const MINUTE: Duration = Duration::from_mins(1);

/// What the mirror says where nobody can tell which pod the odd one is or what runs in it. Nothing is proven gone
/// meanwhile.
const UNREADABLE: &str = "an object cannot be read: shop/odd";

/// By these one can.
const NEEDED: [&str; 8] = [
    "/metadata/uid",
    "/spec",
    "/spec/containers",
    "/spec/containers/0",
    "/spec/containers/0/name",
    "/spec/initContainers",
    "/spec/initContainers/0",
    "/spec/initContainers/0/name",
];

/// The places of all fields in `value`, from `at` on.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(key, it)| (key.clone(), it)).collect(),
        Value::Array(items) => {
            let numbered = items.iter().enumerate();
            numbered.map(|(key, it)| (key.to_string(), it)).collect()
        }
        _ => return,
    };
    for (key, value) in inner {
        let at = format!("{at}/{}", key.replace('/', "~1"));
        places(value, &at, found);
        found.push(at);
    }
}

/// The pod without what stands at that place.
fn without(pod: &Value, place: &str) -> Value {
    let mut pod = pod.clone();
    let (parent, key) = place.rsplit_once('/').unwrap();
    match pod.pointer_mut(parent).unwrap() {
        Value::Object(fields) => drop(fields.remove(&key.replace("~1", "/"))),
        Value::Array(items) => drop(items.remove(key.parse().unwrap())),
        _ => unreachable!("only these have places in them"),
    }
    pod
}

/// Asserts that who lists all of these odd pods at once sees the other one behind them.
async fn in_a_list(odd: &[Value]) {
    let api = server(&["web"]);
    for (number, odd) in odd.iter().enumerate() {
        let mut odd = odd.clone();
        odd["metadata"]["name"] = json!(format!("odd-{number}"));
        api.apply(odd);
    }
    let cluster = Cluster::start(api.client(), Scope::default(), 7);
    let seen = pods(&until_whole(&cluster, MINUTE).await);
    assert!(seen.contains(&"web".to_owned()), "{odd:?}");
}

/// A pod with something in every field that is read.
fn rich() -> Value {
    let mut odd = pod("odd");
    odd["metadata"]["ownerReferences"] = json!([{
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "a", "uid": "a", "controller": true
    }]);
    odd["metadata"]["annotations"] = json!({"metadata.github.com/team": "shop"});
    odd["metadata"]["labels"] = json!({"app": "odd"});
    odd["metadata"]["uid"] = json!("odd");
    odd["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:00Z");
    odd["spec"]["initContainers"] = json!([{
        "name": "side", "image": "side:1", "restartPolicy": "Always"
    }]);
    odd
}

#[tokio::test(start_paused = true)]
async fn whatever_is_null_absent_or_of_another_shape_in_a_pod_hides_no_other() {
    let api = server(&["web"]);
    let cluster = Cluster::start(api.client(), Scope::default(), 7);
    until_whole(&cluster, MINUTE).await;
    let odd = rich();
    let (mut found, mut unreadable) = (Vec::new(), BTreeSet::new());
    places(&odd, "", &mut found);
    // By these it is found at all.
    let fixed = [
        "/kind",
        "/metadata",
        "/metadata/name",
        "/metadata/namespace",
    ];
    found.retain(|place| !fixed.contains(&&**place));
    assert!(found.len() > 30, "{found:?}");
    let others = [
        json!(null),
        json!("text"),
        json!(-7),
        json!(1e300),
        json!([]),
        json!({}),
        json!([[{}]]),
    ];
    for place in &found {
        let mut changed: Vec<Value> = others
            .iter()
            .map(|other| {
                let mut odd = odd.clone();
                *odd.pointer_mut(place).unwrap() = other.clone();
                odd
            })
            .collect();
        changed.push(without(&odd, place));
        for odd in &changed {
            // What comes after it is seen too: the watch goes on.
            api.apply(odd.clone());
            api.apply(pod("zebra"));
            sleep(Duration::from_millis(1)).await;
            let seen = pods(&cluster.facts());
            let both = ["web", "zebra"].map(str::to_owned);
            assert!(both.iter().all(|it| seen.contains(it)), "{place}: {odd}");
            // The watch and the lists are understood, and of the odd one no more than that it is there.
            let mirror = health(&cluster, &Kind::Pod);
            if mirror.state != MirrorState::Synced {
                assert_eq!(trouble(&cluster), UNREADABLE, "{place}: {odd}");
                unreadable.insert(place.as_str());
            }
            api.delete("Pod", "shop", "zebra");
        }
        api.delete("Pod", "shop", "odd");
        if !unreadable.contains(&**place) {
            in_a_list(&changed).await;
        }
    }
    assert!(unreadable.iter().eq(&NEEDED), "{unreadable:?}");
    api.apply(pod("new"));
    sleep(3 * MINUTE).await;
    assert_eq!(pods(&until_whole(&cluster, MINUTE).await), ["new", "web"]);
}

/// How many bytes of texts are kept of a pod.
fn kept(pod: &deployment_recorder::model::facts::Pod) -> usize {
    let annotations = pod.annotations.iter();
    let annotations = annotations.map(|(key, value)| key.len() + value.len());
    let containers = pod
        .containers
        .iter()
        .map(|it| it.name.len() + it.image.len());
    annotations.chain(containers).sum()
}

#[tokio::test(start_paused = true)]
async fn of_annotations_and_images_no_more_is_kept_than_can_mean_something() {
    let api = server(&[]);
    let key = |key: &str| format!("metadata.github.com/{key}");
    let mut long = pod("long");
    long["metadata"]["annotations"] = json!({key("team"): "x".repeat(256 << 10)});
    long["spec"]["containers"][0]["image"] = json!("y".repeat(1 << 20));
    let mut many = pod("many");
    let tags = (0..8_000).map(|number| (key(&format!("tag-{number:04}")), json!("x".repeat(20))));
    let mut tags: serde_json::Map<String, Value> = tags.collect();
    for word in ["ignore", "repository", "runtime-risks"] {
        tags.insert(key(word), json!(word));
    }
    many["metadata"]["annotations"] = Value::Object(tags);
    for pod in [long, many] {
        api.apply(pod);
    }
    let cluster = Cluster::start(api.client(), Scope::default(), 7);
    let facts = until_whole(&cluster, MINUTE).await;
    assert_eq!(pods(&facts), ["long", "many"]);
    for pod in &facts.pods {
        assert!(kept(pod) < 20 << 10, "{} keeps {}", pod.name, kept(pod));
    }
    let many = facts.pods.iter().find(|pod| &*pod.name == "many").unwrap();
    let has = |key: &str| many.annotations.contains_key(key);
    assert!(has("tag-0000") && has("tag-0004") && has("tag-0031") && !has("tag-0032"));
    assert!(has("ignore") && has("repository") && has("runtime-risks"));
    let long = facts.pods.iter().find(|pod| &*pod.name == "long").unwrap();
    // Cut, and still no valid tag or image.
    assert!(long.annotations.get("team").unwrap().ends_with('…'));
    assert!(long.containers[0].image.ends_with('…'));
}
