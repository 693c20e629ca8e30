//! Tests of `/api/status/explain`: against mirrors of a real cluster's answers, in process.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Query;
use http::StatusCode;
use serde_json::{Value, json};

use super::route::{Question, answer};
use super::*;
use crate::admin::{Admin, samples};
use crate::cluster::Cluster;
use crate::model::fixtures::policy;
use crate::model::inventory::Inventory;
use crate::model::ledger::{Ledger, Outcome};
use crate::model::plan::Plan;
use crate::recorder::status::{Holder, Shared};

const GUIDE: &str = include_str!("../../../docs/status.md");

/// A cluster in which Deployment `web` runs in `shop`.
fn shop(plural: &str) -> Option<Value> {
    let controller = |kind: &str, name: &str, uid: &str| {
        let version = "apps/v1";
        json!([{"apiVersion": version, "kind": kind, "name": name, "uid": uid, "controller": true}])
    };
    let meta = |name: &str, uid: &str| json!({"name": name, "namespace": "shop", "uid": uid});
    Some(match plural {
        "namespaces" => json!([{"metadata": {"name": "shop", "uid": "n"}}]),
        "deployments" => json!([{"metadata": meta("web", "d")}]),
        "replicasets" => {
            let mut set = json!({"metadata": meta("web-1", "r")});
            set["metadata"]["ownerReferences"] = controller("Deployment", "web", "d");
            json!([set])
        }
        "pods" => {
            let mut pod = json!({
                "metadata": meta("web-1-a", "p"),
                "spec": {"containers": [{"name": "app", "image": "ghcr.io/acme/web:1"}]},
                "status": {
                    "conditions": [{"type": "Ready", "status": "True"}],
                    "containerStatuses": [{
                        "name": "app", "state": {"running": {}}, "containerID": "c://1",
                        "imageID": format!("ghcr.io/acme/web@sha256:{}", "ab".repeat(32)),
                    }],
                },
            });
            pod["metadata"]["ownerReferences"] = controller("ReplicaSet", "web-1", "r");
            json!([pod])
        }
        _ => return None,
    })
}

/// An admin server of a recorder whose last cycle was refused.
async fn refused() -> (Admin, Shared, Cluster) {
    let (admin, shared) = samples::admin();
    let cluster = samples::cluster_of(shop);
    assert!(cluster.first_sync(Duration::from_secs(10)).await);
    let policy = Arc::new(policy());
    let inventory = Inventory::new(&cluster.facts(), &policy);
    let mut ledger = Ledger::default();
    let now = admin.0.clock.now();
    let first = Plan::new(&ledger, &inventory, &policy, now);
    for step in &first.reports {
        ledger.intend(&step.line, &step.owner);
        ledger.leaves(&step.line);
        let outcome = Outcome::Refused(crate::model::gap::Reason::NotFound);
        ledger.answer(&step.line, outcome, now, policy.settle_after);
    }
    let plan = Plan::new(&ledger, &inventory, &policy, now);
    let known = explain::Known::all(&ledger, &plan, policy.settle_after);
    {
        let mut status = shared.lock();
        status.known = known.into();
        status.plan = Some(Arc::new(plan));
        status.cycles = 7;
    }
    admin.show(cluster.health_handle());
    admin.explain_by(policy);
    (admin, shared, cluster)
}

fn ask(admin: &Admin, query: &str) -> (StatusCode, Value) {
    let uri = format!("/?{query}").parse().unwrap();
    let (code, json) = answer(admin, Query::<Question>::try_from_uri(&uri));
    (code, serde_json::from_slice(&json).unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_workload_is_explained_with_when_github_is_asked_again() {
    let (admin, ..) = refused().await;
    let (code, shown) = ask(&admin, "namespace=shop&name=deploy%2Fweb");
    assert_eq!(code, StatusCode::OK, "{shown}");
    assert_eq!(shown["from"]["way"], "controller");
    assert_eq!(shown["from"]["cycles"], 7);
    let workload = &shown["workloads"][0];
    let ways = json!([{
        "pods": ["web-1-a"], "count": 1, "passed": ["ReplicaSet web-1"], "remembered": false,
    }]);
    assert_eq!(workload["ways"], ways);
    let container = &workload["containers"][0];
    let row = json!({
        "number": 8, "name": "refused",
        "meaning": "GitHub refuses its record; it is asked again later",
    });
    assert_eq!(container["row"], row);
    assert_eq!(container["speaker"]["digest"]["from"], "runtime");
    let refusal = &container["records"][0]["refused"][0];
    assert_eq!(refusal["reason"], "not-found");
    assert_eq!(refusal["retry_at"], "2026-03-01T12:01:00Z");
    assert!(refusal["advice"].as_str().unwrap().contains("attest"));
    let text = shown.to_string();
    let read: Explained = serde_json::from_str(&text).unwrap();
    assert_eq!(
        serde_json::to_value(&read).unwrap(),
        shown,
        "whoever asks reads what is written"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_a_404_with_what_is_near() {
    let (admin, ..) = refused().await;
    let (code, shown) = ask(&admin, "namespace=shop&name=wep");
    assert_eq!(code, StatusCode::NOT_FOUND);
    let error = "no workload, pod or record wep in namespace shop";
    assert_eq!(shown, json!({"error": error, "near": ["Deployment/web"]}));
    let (code, shown) = ask(&admin, "namespace=shpo&name=web");
    assert_eq!(
        (code, &shown["error"]),
        (StatusCode::NOT_FOUND, &"there is no namespace shpo".into())
    );
    let (code, shown) = ask(&admin, "namespace=shop&name=web&container=ap");
    assert_eq!(
        (code, &shown["near"]),
        (StatusCode::NOT_FOUND, &json!(["app"]))
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_no_question_is_a_400() {
    let (admin, ..) = refused().await;
    let long = format!("namespace=shop&name={}", "x".repeat(601));
    for query in [
        "",
        "namespace=shop",
        "name=web",
        "namespace=a&namespace=b&name=web",
        &long,
    ] {
        assert_eq!(ask(&admin, query).0, StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_has_planned_nothing_says_who_could_answer() {
    let (admin, shared) = samples::admin();
    let query = "namespace=shop&name=web";
    let (code, shown) = ask(&admin, query);
    assert_eq!(code, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(shown["error"], "the API server is not reached yet");
    let cluster = samples::cluster_of(shop);
    admin.show(cluster.health_handle());
    admin.explain_by(Arc::new(policy()));
    assert_eq!(
        ask(&admin, query).1["error"],
        "no cycle has planned anything yet"
    );
    shared.lock().holder = Some(Holder {
        name: "pod/other/1/1/1/1/tag".to_owned(),
        since: None,
        ours: false,
    });
    let said = "this process stands by; pod/other/1/1/1/1/tag holds the Lease";
    assert_eq!(ask(&admin, query).1["error"], said);
}

#[tokio::test(start_paused = true)]
async fn every_key_of_an_explanation_is_described() {
    fn keys(value: &Value, found: &mut std::collections::BTreeSet<String>) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    found.insert(key.clone());
                    keys(value, found);
                }
            }
            Value::Array(list) => list.iter().for_each(|value| keys(value, found)),
            _ => {}
        }
    }
    let (admin, ..) = refused().await;
    let (_, shown) = ask(&admin, "namespace=shop&name=web");
    let mut found = std::collections::BTreeSet::new();
    keys(&shown, &mut found);
    assert!(found.len() > 50, "{found:?}");
    for key in found {
        assert!(
            GUIDE.contains(&format!("`{key}`")),
            "{key} is not in docs/status.md"
        );
    }
}
