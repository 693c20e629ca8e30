//! The mirrors of a cluster against a scripted API server, in process and under a paused clock:
//! what breaks never looks gone, and what is over is seen.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed test should say so loudly"
)]

#[cfg(test)]
#[path = "support"]
pub mod support {
    //! What tests share.
    pub mod apiserver;
}

#[cfg(test)]
#[path = "mirror/others.rs"]
mod others;

#[cfg(test)]
#[path = "mirror/links.rs"]
mod links;

use std::time::Duration;

use deployment_recorder::cluster::{Cluster, MirrorState, Scope};
use deployment_recorder::model::facts::{Facts, View};
use deployment_recorder::model::selection::{KindGroup, Pattern, Selection};
use deployment_recorder::model::workload::Kind;
use serde_json::{Value, json};

use support::apiserver::{Apiserver, Fault, Verb};

fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}

fn pod(namespace: &str, name: &str, owner: Option<(&str, &str, &str)>) -> Value {
    let digest = "a".repeat(64);
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"containers": [{"name": "main", "image": "nginx:1"}]},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{
                "name": "main", "state": {"running": {}}, "containerID": format!("c://{name}"),
                "imageID": format!("docker.io/library/nginx@sha256:{digest}")
            }]
        }
    });
    if let Some((api_version, kind, uid)) = owner {
        pod["metadata"]["ownerReferences"] = owned_by(api_version, kind, uid);
    }
    pod
}

fn owned_by(api_version: &str, kind: &str, uid: &str) -> Value {
    json!([{"apiVersion": api_version, "kind": kind, "name": uid, "uid": uid, "controller": true}])
}

fn object(api_version: &str, kind: &str, namespace: &str, name: &str) -> Value {
    let metadata = json!({"namespace": namespace, "name": name, "uid": name});
    json!({"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": {"replicas": 1}})
}

/// A server with a namespace and some pods.
fn server(pods: usize) -> Apiserver {
    let server = Apiserver::new();
    server.apply(namespace("shop"));
    for number in 0..pods {
        server.apply(pod("shop", &format!("web-{number:04}"), None));
    }
    server
}

fn exactly(namespaces: &[&str]) -> Scope {
    let namespaces = namespaces.iter().map(|name| Pattern::new(name)).collect();
    Scope {
        selection: Selection {
            namespaces,
            ..Selection::default()
        },
        ..Scope::default()
    }
}

async fn start(server: &Apiserver, scope: Scope) -> Cluster {
    let cluster = Cluster::start(server.client(), scope, 7);
    assert!(
        cluster.first_sync(Duration::from_mins(1)).await,
        "{:?}",
        cluster.health()
    );
    cluster
}

/// Waits until the facts are as wished; fails after an hour of the paused clock.
async fn until(cluster: &Cluster, wish: impl Fn(&Facts) -> bool) -> Facts {
    let wished = async {
        loop {
            let facts = cluster.facts();
            if wish(&facts) {
                return facts;
            }
            cluster.changed().await;
        }
    };
    let wished = tokio::time::timeout(Duration::from_hours(1), wished).await;
    wished.unwrap_or_else(|_| panic!("never came: {:?}\n{:?}", cluster.facts(), cluster.health()))
}

async fn until_state(cluster: &Cluster, kind: &Kind, state: MirrorState) {
    until(cluster, |_| state_of(cluster, kind) == state).await;
}

fn state_of(cluster: &Cluster, kind: &Kind) -> MirrorState {
    cluster
        .health()
        .iter()
        .find(|mirror| mirror.kind == *kind)
        .unwrap()
        .state
}

fn names(facts: &Facts) -> Vec<&str> {
    let mut names: Vec<&str> = facts.pods.iter().map(|pod| &*pod.name).collect();
    names.sort_unstable();
    names
}

/// Lets everything that can happen at this moment happen.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn lists_come_in_pages_and_owners_as_metadata_only() {
    let server = server(250);
    server.apply(object("apps/v1", "Deployment", "shop", "web"));
    let cluster = start(&server, Scope::default()).await;
    let facts = cluster.facts();
    assert_eq!(
        (
            facts.pods.len(),
            facts.objects.len(),
            facts.namespaces.len()
        ),
        (250, 1, 1)
    );
    assert!(facts.coverage.is_whole(None));
    assert_eq!(server.count(Verb::List, "Pod"), 3);
    assert!(
        server
            .calls()
            .iter()
            .all(|call| matches!(call.verb, Verb::List | Verb::Watch))
    );
    for call in server.calls() {
        assert_eq!(
            call.accept.contains("PartialObjectMetadata"),
            call.kind != "Pod",
            "{call:?}"
        );
        assert!(
            call.verb == Verb::Watch || call.query.contains("limit=100"),
            "{call:?}"
        );
        assert!(!call.query.contains("sendInitialEvents"), "{call:?}");
    }
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn changes_are_seen_and_what_says_the_same_wakes_nobody() {
    let server = server(1);
    let cluster = start(&server, Scope::default()).await;
    server.apply(pod("shop", "web-new", None));
    until(&cluster, |facts| facts.pods.len() == 2).await;
    server.delete("Pod", "shop", "web-0000");
    let facts = until(&cluster, |facts| facts.pods.len() == 1).await;
    assert_eq!(names(&facts), ["web-new"]);
    settle().await;
    let _ = tokio::time::timeout(Duration::from_secs(1), cluster.changed()).await;
    let mut heartbeat = pod("shop", "web-new", None);
    heartbeat["status"]["conditions"][0]["lastProbeTime"] = json!("2026-01-01T00:00:00Z");
    server.apply(heartbeat);
    server.bookmark("Pod");
    let woken = tokio::time::timeout(Duration::from_mins(1), cluster.changed()).await;
    assert!(woken.is_err(), "a heartbeat woke the cycle");
}

#[tokio::test(start_paused = true)]
async fn a_list_cut_between_two_pages_leaves_no_ghost_and_never_counts_as_whole() {
    let server = server(150);
    server.fail(Verb::List, "Pod", Fault::Status(410)).skip(1);
    let cluster = Cluster::start(server.client(), Scope::default(), 7);
    settle().await;
    assert_eq!(cluster.facts().pods, []);
    assert_eq!(cluster.facts().coverage.pods, View::Nothing);
    server.delete("Pod", "shop", "web-0000");
    let facts = until(&cluster, |facts| facts.coverage.pods == View::Everything).await;
    assert_eq!(facts.pods.len(), 149);
    assert!(!names(&facts).contains(&"web-0000"));
}

#[tokio::test(start_paused = true)]
async fn a_relist_that_fails_keeps_what_was_known_and_covers_nothing() {
    let server = server(3);
    let cluster = start(&server, Scope::default()).await;
    server.forbid("Pod");
    server.expire("Pod");
    until_state(&cluster, &Kind::Pod, MirrorState::Forbidden).await;
    server.delete("Pod", "shop", "web-0001");
    tokio::time::sleep(Duration::from_mins(10)).await;
    let facts = cluster.facts();
    assert_eq!(
        (facts.pods.len(), facts.coverage.pods.clone()),
        (3, View::Nothing)
    );
    assert_eq!(
        facts.coverage.namespaces,
        View::Everything,
        "other kinds go on"
    );
    let health = cluster.health();
    assert!(
        health[0].error.as_deref().unwrap().contains("forbidden"),
        "{health:?}"
    );
    server.allow("Pod");
    let facts = until(&cluster, |facts| facts.coverage.pods == View::Everything).await;
    assert_eq!(names(&facts), ["web-0000", "web-0002"]);
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_stays_forbidden_is_asked_for_ever_more_rarely() {
    let server = server(1);
    server.forbid("Deployment");
    let cluster = Cluster::start(server.client(), Scope::default(), 7);
    assert!(!cluster.first_sync(Duration::from_mins(1)).await);
    assert_eq!(
        state_of(&cluster, &Kind::Deployment),
        MirrorState::Forbidden
    );
    let first_minute = server.count(Verb::List, "Deployment");
    tokio::time::sleep(Duration::from_mins(10)).await;
    let later = server.count(Verb::List, "Deployment") - first_minute;
    assert!(
        (5..=9).contains(&first_minute),
        "{first_minute} in the first minute"
    );
    assert!(
        (20..=27).contains(&later),
        "{later} in ten minutes: one in about half a minute"
    );
}

#[tokio::test(start_paused = true)]
async fn an_error_ends_synced_and_the_next_event_or_a_watch_that_has_nothing_to_say_restores_it() {
    let server = server(1);
    let cluster = start(&server, Scope::default()).await;
    settle().await;
    server.drop_watches("Pod");
    until_state(&cluster, &Kind::Pod, MirrorState::Interrupted).await;
    assert_eq!(cluster.facts().coverage.pods, View::Nothing);
    server.apply(pod("shop", "web-new", None));
    until(&cluster, |facts| {
        facts.coverage.pods == View::Everything && facts.pods.len() == 2
    })
    .await;
    server.drop_watches("Pod");
    until_state(&cluster, &Kind::Pod, MirrorState::Interrupted).await;
    let broken = tokio::time::Instant::now();
    until_state(&cluster, &Kind::Pod, MirrorState::Synced).await;
    let took = broken.elapsed();
    let soon = Duration::from_secs(5)..Duration::from_secs(8);
    assert!(soon.contains(&took), "{took:?}");
    assert_eq!(
        server.count(Verb::List, "Pod"),
        1,
        "a resumed watch needs no list"
    );
}

#[tokio::test(start_paused = true)]
async fn promise_2_a_watch_that_is_not_opened_again_shows_no_absence_however_long_it_is_quiet() {
    let server = server(1);
    let cluster = start(&server, Scope::default()).await;
    settle().await;
    for fault in [Fault::Status(503), Fault::Hang, Fault::Refused] {
        server.fail(Verb::Watch, "Pod", fault).forever();
        server.drop_watches("Pod");
        for _ in 0..30 {
            tokio::time::sleep(Duration::from_secs(10)).await;
            assert_eq!(state_of(&cluster, &Kind::Pod), MirrorState::Interrupted);
        }
        server.heal();
        until_state(&cluster, &Kind::Pod, MirrorState::Synced).await;
    }
    assert_eq!(server.count(Verb::List, "Pod"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_deleted_while_a_watch_was_broken_is_gone_once_it_goes_on() {
    let server = server(2);
    let cluster = start(&server, Scope::default()).await;
    server.fail(Verb::Watch, "Pod", Fault::Status(500)).times(5);
    server.drop_watches("Pod");
    until_state(&cluster, &Kind::Pod, MirrorState::Interrupted).await;
    server.delete("Pod", "shop", "web-0000");
    let facts = until(&cluster, |facts| facts.coverage.pods == View::Everything).await;
    assert_eq!(names(&facts), ["web-0001"]);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_too_old_is_listed_anew_however_the_server_says_so() {
    for as_status in [false, true] {
        let server = server(2);
        let cluster = start(&server, Scope::default()).await;
        if as_status {
            server.fail(Verb::Watch, "Pod", Fault::Status(410));
            server.drop_watches("Pod");
        } else {
            server.expire("Pod");
        }
        until_state(&cluster, &Kind::Pod, MirrorState::Interrupted).await;
        server.delete("Pod", "shop", "web-0000");
        let facts = until(&cluster, |facts| facts.coverage.pods == View::Everything).await;
        assert_eq!(
            (names(&facts), server.count(Verb::List, "Pod")),
            (vec!["web-0001"], 2)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_too_old_after_hours_is_listed_anew_after_one_short_pause() {
    let server = server(2);
    let cluster = start(&server, Scope::default()).await;
    tokio::time::sleep(Duration::from_hours(3)).await;
    let begun = tokio::time::Instant::now();
    server.expire("Pod");
    until_state(&cluster, &Kind::Pod, MirrorState::Interrupted).await;
    until_state(&cluster, &Kind::Pod, MirrorState::Synced).await;
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert_eq!(server.count(Verb::List, "Pod"), 2);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_cannot_be_read_is_lost_and_so_everything_is_listed_anew() {
    let server = server(1);
    let cluster = start(&server, Scope::default()).await;
    settle().await;
    server.send_raw("Pod", r#"{"type": "ADDED", "object": {"metadata": }}"#);
    until_state(&cluster, &Kind::Pod, MirrorState::Interrupted).await;
    until_state(&cluster, &Kind::Pod, MirrorState::Synced).await;
    assert_eq!(server.count(Verb::List, "Pod"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_never_answers_or_never_ends_is_given_up_and_tried_again() {
    for fault in [
        Fault::Hang,
        Fault::HangBody,
        Fault::Cut,
        Fault::Text("<html>".to_owned()),
    ] {
        let server = server(150);
        server.fail(Verb::List, "Pod", fault.clone()).skip(1);
        let cluster = Cluster::start(server.client(), Scope::default(), 7);
        assert!(
            cluster.first_sync(Duration::from_mins(2)).await,
            "{fault:?} {:?}",
            cluster.health()
        );
        assert_eq!(cluster.facts().pods.len(), 150);
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_never_answers_is_noticed() {
    let server = server(1);
    let cluster = start(&server, Scope::default()).await;
    server.fail(Verb::Watch, "Pod", Fault::Hang);
    server.end_watches("Pod");
    let ended = tokio::time::Instant::now();
    until_state(&cluster, &Kind::Pod, MirrorState::Interrupted).await;
    assert_eq!(ended.elapsed().as_secs(), 60);
    server.apply(pod("shop", "web-new", None));
    until(&cluster, |facts| facts.pods.len() == 2).await;
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_falls_silent_is_begun_anew_within_five_minutes() {
    let server = server(1);
    server.fail(Verb::Watch, "Pod", Fault::HangBody);
    let cluster = start(&server, Scope::default()).await;
    settle().await;
    server.apply(pod("shop", "web-new", None));
    let missed = tokio::time::Instant::now();
    until(&cluster, |facts| facts.pods.len() == 2).await;
    assert!(
        missed.elapsed() <= Duration::from_secs(295),
        "{:?}",
        missed.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn an_object_that_cannot_be_read_hides_no_other_and_proves_no_absence() {
    let server = server(2);
    let mut odd = pod("shop", "odd", None);
    odd["spec"] = json!("none");
    server.apply(odd);
    let cluster = Cluster::start(server.client(), Scope::default(), 7);
    let facts = until(&cluster, |facts| facts.pods.len() == 2).await;
    assert_eq!(facts.coverage.pods, View::Nothing);
    let error = cluster.health()[0].error.clone().unwrap();
    assert!(error.contains("shop/odd"), "{error}");
    server.apply(pod("shop", "odd", None));
    until(&cluster, |facts| {
        facts.coverage.pods == View::Everything && facts.pods.len() == 3
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_object_that_leaves_the_selection_is_still_there() {
    let server = server(0);
    let labelled = |team: &str| {
        let mut deployment = object("apps/v1", "Deployment", "shop", "web");
        deployment["metadata"]["labels"] = json!({"team": team});
        deployment
    };
    server.apply(labelled("a"));
    let scope = Scope {
        workload_labels: Some("team=a".parse().unwrap()),
        ..Scope::default()
    };
    let cluster = start(&server, scope).await;
    assert!(cluster.facts().objects[0].selected);
    server.apply(labelled("b"));
    let facts = until(&cluster, |facts| !facts.objects[0].selected).await;
    assert_eq!(facts.objects.len(), 1);
    assert!(
        server
            .calls()
            .iter()
            .all(|call| !call.query.contains("Selector="))
    );
}

#[tokio::test(start_paused = true)]
async fn exact_namespaces_are_watched_one_by_one_and_read_with_get() {
    let server = server(1);
    server.apply(pod("other", "unwanted", None));
    server.apply(pod("bank", "ledger", None));
    server.forbid_in("Pod", "bank");
    server.forbid_in("Namespace", "vault");
    let cluster = Cluster::start(
        server.client(),
        exactly(&["shop", "bank", "vault", "gone"]),
        7,
    );
    assert!(!cluster.first_sync(Duration::from_mins(1)).await);
    let facts = cluster.facts();
    assert_eq!(names(&facts), ["web-0000"]);
    let only = |names: &[&str]| View::Only(names.iter().map(|name| (*name).into()).collect());
    assert_eq!(facts.coverage.pods, only(&["gone", "shop", "vault"]));
    assert_eq!(
        facts.coverage.kinds[&Kind::Deployment],
        only(&["bank", "gone", "shop", "vault"])
    );
    assert_eq!(
        facts.coverage.namespaces,
        only(&["bank", "gone", "shop"]),
        "404 is an answer"
    );
    assert_eq!(
        facts
            .namespaces
            .iter()
            .map(|n| &*n.name)
            .collect::<Vec<_>>(),
        ["shop"]
    );
    assert!(
        server
            .calls()
            .iter()
            .all(|call| call.namespace.is_some() || call.verb == Verb::Get)
    );
    server.apply(namespace("bank"));
    server.delete("Namespace", "", "shop");
    cluster.refresh_namespaces().await;
    let facts = cluster.facts();
    assert_eq!(
        facts
            .namespaces
            .iter()
            .map(|n| &*n.name)
            .collect::<Vec<_>>(),
        ["bank"]
    );
    server.forbid("Namespace");
    cluster.refresh_namespaces().await;
    let facts = cluster.facts();
    assert_eq!(
        (facts.coverage.namespaces, facts.namespaces.len()),
        (View::Nothing, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn promise_2_a_namespace_that_was_not_found_and_has_pods_is_not_gone_and_is_read_again_at_once()
 {
    let server = server(0);
    let cluster = start(&server, exactly(&["bank"])).await;
    let covered = |facts: &Facts| facts.coverage.namespaces.covers("bank");
    assert!(covered(&cluster.facts()), "404 is an answer");
    server.fail(Verb::Get, "Namespace", Fault::Status(503));
    server.apply(namespace("bank"));
    server.apply(pod("bank", "ledger", None));
    let facts = until(&cluster, |facts| !facts.pods.is_empty()).await;
    assert!(!covered(&facts), "{facts:?}");
    let came = tokio::time::Instant::now();
    let facts = until(&cluster, covered).await;
    assert_eq!(facts.namespaces.len(), 1);
    assert!(came.elapsed() < Duration::from_secs(5));
    // What is still in it is not known while its mirror is not Synced: the answer is the newer one.
    server.forbid_in("Pod", "bank");
    server.drop_watches("Pod");
    until_state(&cluster, &Kind::Pod, MirrorState::Forbidden).await;
    server.delete("Namespace", "", "bank");
    cluster.refresh_namespaces().await;
    let facts = cluster.facts();
    assert!(covered(&facts) && facts.namespaces.is_empty(), "{facts:?}");
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_ends_at_once_is_opened_again_after_a_pause_and_misses_nothing() {
    let server = server(1);
    server
        .fail(Verb::Watch, "Pod", Fault::Text(String::new()))
        .forever();
    let cluster = start(&server, Scope::default()).await;
    tokio::time::sleep(Duration::from_mins(1)).await;
    let asked = server.count(Verb::Watch, "Pod");
    assert!((8..=12).contains(&asked), "{asked} in a minute");
    assert_eq!(state_of(&cluster, &Kind::Pod), MirrorState::Synced);
    server.heal();
    server.apply(pod("shop", "web-new", None));
    let came = tokio::time::Instant::now();
    until(&cluster, |facts| facts.pods.len() == 2).await;
    assert!(came.elapsed() < Duration::from_secs(7));
}

#[tokio::test(start_paused = true)]
async fn a_cronjob_remembers_a_pod_that_came_and_went_between_two_looks() {
    let server = server(0);
    server.apply(object("batch/v1", "CronJob", "shop", "report"));
    let cluster = start(&server, Scope::default()).await;
    let mut job = object("batch/v1", "Job", "shop", "report-1");
    job["metadata"]["ownerReferences"] = owned_by("batch/v1", "CronJob", "report");
    server.apply(pod(
        "shop",
        "report-1-x",
        Some(("batch/v1", "Job", "report-1")),
    ));
    server.apply(job);
    server.delete("Pod", "shop", "report-1-x");
    server.delete("Job", "shop", "report-1");
    let facts = until(&cluster, |facts| !facts.remembered.is_empty()).await;
    let (owner, pod) = &facts.remembered[0];
    assert_eq!(
        (&**owner, &*pod.name, facts.pods.len()),
        ("report", "report-1-x", 0)
    );
    assert!(pod.containers[0].digest.is_some());
    server.expire("CronJob");
    server.delete("CronJob", "shop", "report");
    until(&cluster, |facts| facts.objects.is_empty()).await;
    assert_eq!(cluster.facts().remembered, []);
}

#[tokio::test(start_paused = true)]
async fn what_a_deletion_says_of_a_pod_is_remembered_rather_than_what_was_seen_before() {
    let server = server(0);
    server.apply(object("batch/v1", "CronJob", "shop", "report"));
    let mut job = object("batch/v1", "Job", "shop", "report-1");
    job["metadata"]["ownerReferences"] = owned_by("batch/v1", "CronJob", "report");
    server.apply(job);
    let mut early = pod("shop", "report-1-x", Some(("batch/v1", "Job", "report-1")));
    early["status"]["containerStatuses"][0]["imageID"] = json!("");
    let mut last = server.apply(early);
    let cluster = start(&server, Scope::default()).await;
    settle().await;
    assert_eq!(cluster.facts().pods[0].containers[0].digest, None);
    last["status"] = pod("shop", "report-1-x", None)["status"].clone();
    last["metadata"]["resourceVersion"] = json!("99");
    server.send_raw(
        "Pod",
        &json!({"type": "DELETED", "object": last}).to_string(),
    );
    let facts = until(&cluster, |facts| !facts.remembered.is_empty()).await;
    assert!(facts.remembered[0].1.containers[0].digest.is_some());
}

#[tokio::test(start_paused = true)]
async fn only_the_kinds_that_are_selected_are_watched() {
    let server = server(1);
    let kinds = vec![KindGroup::StatefulSets];
    let scope = Scope {
        selection: Selection {
            kinds,
            ..Selection::default()
        },
        ..Scope::default()
    };
    let cluster = start(&server, scope).await;
    let watched: Vec<String> = cluster
        .health()
        .iter()
        .map(|m| m.kind.to_string())
        .collect();
    assert_eq!(watched, ["Pod", "StatefulSet", "Namespace"]);
    assert!(!cluster.facts().coverage.watches(&Kind::Deployment));
}

#[tokio::test(start_paused = true)]
async fn the_identity_of_a_cluster_is_read_and_a_failed_read_says_nothing() {
    let server = server(0);
    let cluster = start(&server, Scope::default()).await;
    let mut system = namespace("kube-system");
    system["metadata"]["uid"] = json!("the-cluster");
    server.apply(system);
    let identity = async || {
        let identity = cluster.identity("shop").await.ok();
        identity.map(|(namespace, uid)| (namespace.to_string(), uid.to_string()))
    };
    assert_eq!(
        identity().await,
        Some(("kube-system".to_owned(), "the-cluster".to_owned()))
    );
    server.forbid_in("Namespace", "kube-system");
    assert_eq!(
        identity().await,
        Some(("shop".to_owned(), "uid-1".to_owned()))
    );
    for fault in [Fault::Status(500), Fault::Hang, Fault::Refused] {
        server.fail(Verb::Get, "Namespace", fault);
        assert_eq!(identity().await, None);
    }
    server.forbid("Namespace");
    assert_eq!(identity().await, None);
    let why = cluster.identity("shop").await.unwrap_err().to_string();
    let rule = "resources: [namespaces], verbs: [get], resourceNames: [shop]";
    assert!(why.contains(rule), "{why}");
}

#[tokio::test(start_paused = true)]
async fn stopping_ends_every_watch_and_is_no_failure() {
    let server = server(1);
    let cluster = start(&server, Scope::default()).await;
    settle().await;
    assert_eq!(server.open_watches("Pod"), 1);
    cluster.stop().await;
    assert_eq!(server.open_watches("Pod"), 0);
    let failed = tokio::time::timeout(Duration::from_hours(1), cluster.failed()).await;
    assert!(failed.is_err());
    assert_eq!(cluster.facts().pods.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_whose_read_failed_is_read_again_soon_and_then_ever_more_rarely() {
    let server = server(1);
    let only_shop = View::Only(["shop".into()].into());
    server.fail(Verb::Get, "Namespace", Fault::Status(500));
    let cluster = Cluster::start(server.client(), exactly(&["shop"]), 7);
    assert!(cluster.first_sync(Duration::from_secs(3)).await);
    settle().await;
    cluster.changed().await;

    server.fail(Verb::Get, "Namespace", Fault::Status(500));
    cluster.refresh_namespaces().await;
    cluster.changed().await;
    assert_eq!(cluster.facts().coverage.namespaces, View::Nothing);
    let woken = tokio::time::timeout(Duration::from_secs(3), cluster.changed()).await;
    assert!(woken.is_ok(), "nobody is told that it was read");
    assert_eq!(cluster.facts().coverage.namespaces, only_shop);

    server.forbid("Namespace");
    cluster.refresh_namespaces().await;
    let reads = || {
        let calls = server.calls().into_iter();
        calls.filter(|call| call.verb == Verb::Get).count()
    };
    let before = reads();
    tokio::time::sleep(Duration::from_mins(10)).await;
    let reads = reads() - before;
    assert!((15..=35).contains(&reads), "{reads}");
    cluster.stop().await;
}
