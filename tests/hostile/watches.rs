//! Watches that say too much at once, too little, or the same for ever.

use std::time::Duration;

use deployment_recorder::cluster::{Cluster, MirrorState, Scope};
use deployment_recorder::model::workload::Kind;
use tokio::time::sleep;

use crate::between::{
    Between, MIB, deployment, health, pod, pods, server, trouble, until_whole, watches_pods,
};
use crate::support::apiserver::Apiserver;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

/// A Deployment that comes is seen.
async fn deployments_are_seen(api: &Apiserver, cluster: &Cluster) {
    let before = cluster.facts().objects.len();
    api.apply(deployment(&format!("web-{before}")));
    sleep(SECOND).await;
    assert_eq!(cluster.facts().objects.len(), before + 1);
}

#[tokio::test(start_paused = true)]
async fn a_line_of_a_watch_that_never_ends_is_given_up_at_sixteen_mebibytes() {
    let (api, between) = (server(&["web"]), Between::default());
    let client = between.client(&api, |between, asked| {
        let part = vec![b'x'; 256 << 10];
        watches_pods(asked).then(|| between.endless(part, SECOND / 1000))
    });
    let cluster = Cluster::start(client, Scope::default(), 7);
    until_whole(&cluster, MINUTE).await;
    for _ in 0..5 {
        sleep(10 * SECOND).await;
        assert_ne!(health(&cluster, &Kind::Pod).state, MirrorState::Synced);
        let error = trouble(&cluster);
        assert!(
            error.contains("more than 16777216 bytes at once"),
            "{error}"
        );
        deployments_are_seen(&api, &cluster).await;
        assert_eq!(pods(&cluster.facts()), ["web"], "what was known is kept");
    }
    let each = between.taken() / between.answered();
    assert!(each <= 16 * MIB + (512 << 10), "{each}");
    // Tried again at growing pauses.
    assert!(between.answered() < 12, "{}", between.answered());
    api.apply(pod("new"));
    between.is_over();
    sleep(3 * MINUTE).await;
    assert_eq!(pods(&until_whole(&cluster, MINUTE).await), ["new", "web"]);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_trickles_without_a_line_is_begun_anew_within_five_minutes() {
    let (api, between) = (server(&["web"]), Between::default());
    let client = between.client(&api, |between, asked| {
        watches_pods(asked).then(|| between.endless(&b"x"[..], SECOND))
    });
    let cluster = Cluster::start(client, Scope::default(), 7);
    until_whole(&cluster, MINUTE).await;
    deployments_are_seen(&api, &cluster).await;
    api.apply(pod("new"));
    between.is_over();
    sleep(295 * SECOND).await;
    assert_eq!(pods(&cluster.facts()), ["new", "web"]);
    assert!(between.taken() < 300, "{}", between.taken());
}

#[tokio::test(start_paused = true)]
async fn bookmarks_without_end_hold_up_nothing_and_nothing_of_them_is_kept() {
    let (api, between) = (server(&["web"]), Between::default());
    let line = r#"{"type":"BOOKMARK","object":{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"7"}}}"#;
    let lines = format!("{line}\n").repeat(100);
    let client = between.client(&api, move |between, asked| {
        watches_pods(asked).then(|| between.endless(lines.clone(), SECOND / 20))
    });
    let cluster = Cluster::start(client, Scope::default(), 7);
    until_whole(&cluster, MINUTE).await;
    for _ in 0..10 {
        deployments_are_seen(&api, &cluster).await;
    }
    assert_eq!(health(&cluster, &Kind::Pod).state, MirrorState::Synced);
    assert_eq!(pods(&cluster.facts()), ["web"]);
    assert!(between.taken() > MIB && between.answered() == 1);
    let woken = tokio::time::timeout(MINUTE, async {
        cluster.changed().await;
        cluster.changed().await;
    });
    assert!(woken.await.is_err(), "a bookmark woke the cycle");
}
