//! Lists that have no end, or are larger than anybody should hold.

use std::time::Duration;

use deployment_recorder::cluster::{Cluster, Scope};
use deployment_recorder::model::workload::Kind;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::between::{
    Between, MIB, all_but_pods, health, lists_pods, others_go_on, pod, pods, server, trouble,
    until_whole,
};
use crate::support::apiserver::Verb;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

/// A page after which another one comes, for ever.
fn page(items: &[Value]) -> Value {
    let metadata = json!({"resourceVersion": "7", "continue": "more"});
    json!({"apiVersion": "v1", "kind": "PodList", "metadata": metadata, "items": items})
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_a_list_that_never_ends_is_given_up() {
    let (api, between) = (server(&["web"]), Between::default());
    let client = between.client(&api, |between, asked| {
        let part = vec![b' '; 64 << 10];
        lists_pods(asked).then(|| between.endless(part, SECOND / 1000))
    });
    let cluster = all_but_pods(client).await;
    let error = trouble(&cluster);
    assert!(error.contains("more than"), "{error}");
    // Of each no more than may be said, and a part.
    let most = between.answered() * (16 * MIB + (64 << 10));
    assert!(
        between.taken() <= most,
        "{} in {}",
        between.taken(),
        between.answered()
    );
    between.is_over();
    assert_eq!(pods(&until_whole(&cluster, MINUTE).await), ["web"]);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_trickles_is_given_up_after_a_minute() {
    let (api, between) = (server(&["web"]), Between::default());
    let client = between.client(&api, |between, asked| {
        lists_pods(asked).then(|| between.endless(&b" "[..], SECOND))
    });
    let begun = Instant::now();
    let cluster = all_but_pods(client).await;
    sleep(SECOND).await;
    assert!(trouble(&cluster).contains("a list made no progress for 60s"));
    assert!(begun.elapsed() < 2 * MINUTE && between.taken() < 100);
    between.is_over();
    assert_eq!(pods(&until_whole(&cluster, 2 * MINUTE).await), ["web"]);
}

#[tokio::test(start_paused = true)]
async fn a_list_of_pages_without_end_is_given_up_and_nothing_of_it_is_shown() {
    let (api, between) = (server(&["web"]), Between::default());
    let ghost = page(&[pod("ghost")]);
    let client = between.client(&api, move |between, asked| {
        lists_pods(asked).then(|| between.late(&ghost, SECOND))
    });
    let cluster = all_but_pods(client).await;
    assert_eq!(trouble(&cluster), "", "it may still come to an end");
    sleep(15 * MINUTE).await;
    assert!(trouble(&cluster).contains("a list did not end within 900s"));
    others_go_on(&cluster);
    assert_eq!(pods(&cluster.facts()), Vec::<String>::new());
    between.is_over();
    assert_eq!(pods(&until_whole(&cluster, 2 * MINUTE).await), ["web"]);
}

#[tokio::test(start_paused = true)]
async fn a_list_of_empty_pages_without_end_is_given_up_after_a_minute() {
    let (api, between) = (server(&["web"]), Between::default());
    let client = between.client(&api, |between, asked| {
        lists_pods(asked).then(|| between.late(&page(&[]), SECOND))
    });
    let cluster = all_but_pods(client).await;
    sleep(SECOND).await;
    assert!(trouble(&cluster).contains("a list made no progress"));
    assert!(between.answered() < 100);
    between.is_over();
    assert_eq!(pods(&until_whole(&cluster, 2 * MINUTE).await), ["web"]);
}

#[tokio::test(start_paused = true)]
async fn objects_that_are_too_large_for_one_answer_are_asked_for_in_smaller_pages() {
    let api = server(&[]);
    let names: Vec<String> = (0..30).map(|number| format!("large-{number:02}")).collect();
    for name in &names {
        let mut large = pod(name);
        large["spec"]["containers"][0]["args"] = json!(["x".repeat(400 << 10)]);
        api.apply(large);
    }
    let cluster = Cluster::start(api.client(), Scope::default(), 7);
    let facts = until_whole(&cluster, 10 * SECOND).await;
    assert_eq!(pods(&facts), names);
    assert_eq!(health(&cluster, &Kind::Pod).error, None);
    let limits: Vec<String> = api
        .calls()
        .into_iter()
        .filter(|call| call.verb == Verb::List && call.kind == "Pod")
        .map(|call| {
            let words = call.query.split('&');
            let mut limit = words.filter(|word| word.starts_with("limit="));
            limit.next().unwrap_or_default().to_owned()
        })
        .collect();
    // 12 MiB, 10 MiB, then five of 2.4.
    assert_eq!(limits[..2], ["limit=100", "limit=25"]);
    assert_eq!(limits[2..], ["limit=6"; 5]);
}
