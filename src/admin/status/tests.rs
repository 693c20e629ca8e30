//! Tests of the status: its shape, its words and its size.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::records::State;
use super::super::samples;
use super::*;
use crate::model::gap::Reason;
use crate::model::inventory::sight::Unselected;
use crate::model::plan::{Row, Why};
use crate::model::record::Status as Standing;
use crate::model::storage::StoragePlan;
use crate::recorder::status::reasons;

const GUIDE: &str = include_str!("../../../docs/status.md");

fn shown(admin: &Admin) -> Value {
    serde_json::from_slice(&json(admin).unwrap()).unwrap()
}

fn full() -> Value {
    let (admin, shared) = samples::admin();
    samples::fill(&mut shared.lock());
    shown(&admin)
}

#[tokio::test(start_paused = true)]
async fn before_the_first_plan_everything_is_there_and_empty() {
    let (admin, _) = samples::admin();
    let status = shown(&admin);
    assert_eq!(status["now"], "2026-03-01T12:00:00.000Z");
    assert_eq!(status["settings"], json!({ "interval_seconds": 600 }));
    assert_eq!(status["last_success"], Value::Null);
    assert_eq!(status["ledger"]["read"], false);
    assert_eq!(status["lease"], Value::Null);
    for list in [
        "coverage",
        "sources",
        "other_records",
        "other_gaps",
        "refused_storage",
        "orphans",
    ] {
        assert_eq!(status[list], json!([]), "{list}");
    }
    assert_eq!(status["counts"]["records"]["deployed"], 0);
}

#[tokio::test(start_paused = true)]
async fn a_source_is_shown_with_its_row_its_record_and_its_gaps() {
    let status = full();
    let sources = status["sources"].as_array().unwrap();
    let of = |name: &str| {
        sources
            .iter()
            .find(|source| source["workload"] == name)
            .unwrap()
    };
    assert_eq!(
        of("web"),
        &json!({
            "group": "apps", "kind": "Deployment", "namespace": "shop", "workload": "web", "container": "app",
            "row": "known",
            "records": [{
                "name": "shop-web-app",
                "destination": {
                    "host": "api.github.com", "organization": "acme", "cluster": "prod-eu",
                    "logical_environment": "production", "physical_environment": "eu-central-1",
                },
                "state": "deployed",
                "reason": null,
                "body": {
                    "image": "ghcr.io/acme/web", "version": "1.2.3",
                    "digest": format!("sha256:{}", "ab".repeat(32)),
                    "repository": "web", "tags": { "team": "cart" }, "runtime_risks": ["internet-exposed"],
                },
            }],
            "gaps": [{ "reason": "invalid-tag", "detail": "a \"quoted\"\nline" }],
        })
    );
    let bare = of("bare");
    assert_eq!(
        (&bare["row"], &bare["records"]),
        (&json!("no-digest"), &json!([]))
    );
    assert_eq!(bare["gaps"][0]["detail"], "nginx");
    for (name, state, reason) in [
        ("new", "reporting", Value::Null),
        ("nightly", "retained", Value::Null),
        ("old", "decommissioning", Value::Null),
        ("quiet", "silent", Value::Null),
        ("unseen", "withheld", json!("not-covered")),
        ("over", "tombstone", Value::Null),
    ] {
        let record = &of(name)["records"][0];
        assert_eq!(
            (&record["state"], &record["reason"]),
            (&json!(state), &reason),
            "{name}"
        );
    }
    assert!(sources.iter().all(|source| source["workload"] != "hidden"));
}

#[tokio::test(start_paused = true)]
async fn who_holds_the_lease_is_shown_with_since_when() {
    let (admin, shared) = samples::admin();
    samples::fill(&mut shared.lock());
    let lease = json!({
        "holder": "pod/recorder-0/uid-1/1/1/1/tag", "since": "2026-03-01T12:00:00.000Z",
    });
    assert_eq!(shown(&admin)["lease"], lease);
    if let Some(holder) = &mut shared.lock().holder {
        holder.name = String::new();
    }
    assert_eq!(shown(&admin)["lease"]["holder"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_sources_is_listed_apart() {
    let status = full();
    let [found] = &status["other_records"].as_array().unwrap()[..] else {
        panic!("{status}")
    };
    assert_eq!(
        (&found["name"], &found["owner"], &found["body"]),
        (&json!("shop-found-app"), &json!("adopted"), &Value::Null)
    );
    assert_eq!(
        status["other_gaps"],
        json!([{ "namespace": "shop", "pod": "lost", "reason": "owner-not-read", "detail": "its ReplicaSet x is not read" }])
    );
    assert_eq!(status["orphans"][0]["pod"], "alone");
}

#[expect(clippy::too_many_lines, reason = "one answer, looked at whole")]
#[tokio::test(start_paused = true)]
async fn the_ledger_github_and_the_counts_are_shown_as_they_are() {
    let status = full();
    assert_eq!(
        status["ledger"],
        json!({
            "read": true, "first_start": true, "records": 8, "tombstones": 1,
            "store_error": "writing the root took longer than 10 s",
        })
    );
    assert_eq!(
        status["github"],
        json!({
            "auth_failures": 3,
            "blocked": [{
                "host": "api.github.com", "organization": "acme",
                "since": "2026-03-01T12:00:00.000Z", "message": "Not Found",
            }],
            "pace": {
                "requests_left": { "minute": 80, "hour": 450 },
                "remaining": null,
                "waits": [
                    {
                        "host": "api.github.com", "organization": "acme", "purpose": "change",
                        "records": 2, "requests": 1, "reason": "told-to-wait",
                        "until": "2026-03-01T12:01:30.000Z",
                    },
                    {
                        "host": "api.github.com", "organization": "acme", "purpose": "snapshot",
                        "records": 3, "requests": 1, "reason": "told-to-wait",
                        "until": "2026-03-01T12:01:30.000Z",
                    },
                ],
            },
            "last_answers": [{
                "at": "2026-03-01T12:00:00.000Z", "operation": "set-cluster-deployment-records", "lines": 12,
                "status": "207", "outcome": "partial", "request_id": "AB12:CD34", "duration_seconds": 0.25,
            }],
        })
    );
    let counts = &status["counts"];
    let sum: u64 = counts["records"]
        .as_object()
        .unwrap()
        .values()
        .map(|count| count.as_u64().unwrap())
        .sum();
    assert_eq!((sum, &counts["records"]["deployed"]), (9, &json!(2)));
    assert_eq!(counts["gaps"]["no-digest"], 1);
    assert_eq!(counts["withheld"]["adopted"], 1);
    assert_eq!(counts["not_selected"]["opted-out"], 2);
    assert_eq!(counts["storage_records"]["kept"], 7);
    assert_eq!(
        status["refused_storage"],
        json!([{
            "registry": "ghcr.io", "image": "ghcr.io/acme/web", "reason": "unauthorized",
            "digest": format!("sha256:{}", "ab".repeat(32)),
        }])
    );
    assert_eq!(
        (
            &counts["not_running"],
            &counts["orphans"],
            &counts["respelled"]
        ),
        (&json!(4), &json!(1), &json!(1))
    );
}

#[tokio::test(start_paused = true)]
async fn coverage_is_shown_for_each_kind_with_since_when() {
    let (admin, _) = samples::admin();
    let cluster = samples::cluster(|plural| match plural {
        "jobs" => samples::Api::Forbidden,
        _ => samples::Api::Empty,
    });
    admin.show(cluster.health_handle());
    assert!(!cluster.first_sync(std::time::Duration::from_secs(30)).await);
    let status = shown(&admin);
    assert_eq!(status["now"], "2026-03-01T12:00:30.000Z");
    let coverage = status["coverage"].as_array().unwrap();
    let of = |kind: &str| {
        coverage
            .iter()
            .find(|mirror| mirror["kind"] == kind)
            .unwrap()
    };
    assert_eq!(
        of("Deployment"),
        &json!({
            "group": "apps", "kind": "Deployment", "namespace": null, "state": "synced",
            "since": "2026-03-01T12:00:00.000Z", "error": null, "objects": 0,
        })
    );
    let jobs = of("Job");
    assert_eq!(
        (&jobs["state"], &jobs["error"]),
        (&json!("forbidden"), &json!("may not list (403)"))
    );
}

#[tokio::test(start_paused = true)]
async fn four_thousand_records_are_at_most_three_megabytes() {
    let (admin, shared) = samples::admin();
    let mut plan = Plan::default();
    for number in 0..4000 {
        let name = format!("a-workload-of-usual-length-{number:04}");
        plan.rows.insert(samples::source(&name), Row::Known);
        plan.unchanged
            .push(samples::step(&name, Standing::Deployed));
    }
    shared.lock().plan = Some(Arc::new(plan));
    let bytes = json(&admin).unwrap().len();
    assert!((2_000_000..=3_000_000).contains(&bytes), "{bytes}");
}

/// Every key in `value`, wherever it is, but the reader's own.
fn keys(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                found.insert(key.clone());
                if !["settings", "tags"].contains(&&**key) {
                    keys(value, found);
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| keys(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test(start_paused = true)]
async fn the_guide_names_every_key_and_every_word() {
    let (admin, shared) = samples::admin();
    samples::fill(&mut shared.lock());
    let cluster = samples::cluster(|_| samples::Api::Empty);
    admin.show(cluster.health_handle());
    let mut words = BTreeSet::new();
    keys(&shown(&admin), &mut words);
    words.extend(Row::ALL.map(|row| row.as_str().to_owned()));
    words.extend(State::ALL.map(|state| state.as_str().to_owned()));
    words.extend(Why::ALL.map(|why| why.as_str().to_owned()));
    words.extend(Reason::ALL.map(|reason| reason.as_str().to_owned()));
    words.extend(
        StoragePlan::default()
            .counts()
            .map(|(word, _)| word.to_owned()),
    );
    words.extend(Unselected::ALL.map(|why| why.as_str().to_owned()));
    words.extend(reasons().map(str::to_owned));
    let missing: Vec<&String> = words
        .iter()
        .filter(|word| !GUIDE.contains(&format!("`{word}`")))
        .collect();
    assert_eq!(missing, Vec::<&String>::new());
}
