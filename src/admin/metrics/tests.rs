//! Tests of the metrics as they are read: names, labels, values, and the page that lists them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use super::*;
use crate::admin::samples::{self, Api};
use crate::recorder::OPERATION;
use crate::recorder::status::Note;

/// A family of metrics, as its page describes it.
#[derive(Debug, Default)]
struct Family {
    help: String,
    kind: String,
    unit: Option<String>,
    /// The values of each label.
    labels: BTreeMap<String, BTreeSet<String>>,
    /// The name of each sample with its labels, and the value.
    samples: BTreeMap<String, f64>,
}

/// Reads a page in the OpenMetrics text format.
fn families(page: &str) -> BTreeMap<String, Family> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut current = String::new();
    let body = page.strip_suffix("# EOF\n").expect("an end");
    for line in body.lines() {
        if let Some(rest) = line.strip_prefix("# ") {
            let [word, name, text] = rest.splitn(3, ' ').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            current = name.to_owned();
            let family = families.entry(current.clone()).or_default();
            match word {
                "HELP" => text.clone_into(&mut family.help),
                "TYPE" => text.clone_into(&mut family.kind),
                "UNIT" => family.unit = Some(text.to_owned()),
                word => panic!("{word}"),
            }
            continue;
        }
        let family = families.get_mut(&current).expect("a described family");
        let (sample, value) = line.rsplit_once(' ').unwrap();
        assert!(sample.starts_with(&current), "{line} in {current}");
        let old = family
            .samples
            .insert(sample.to_owned(), value.parse().unwrap());
        assert!(old.is_none(), "{line} stands there twice");
        if let Some((_, labels)) = sample.split_once('{') {
            for pair in labels.trim_end_matches('}').split("\",") {
                let (label, value) = pair.split_once("=\"").unwrap();
                let values = family.labels.entry(label.to_owned()).or_default();
                values.insert(value.trim_end_matches('"').to_owned());
            }
        }
    }
    families
}

async fn page(fill: impl FnOnce(&mut Status)) -> String {
    let (admin, shared) = samples::admin();
    let cluster = samples::cluster(|plural| match plural {
        "jobs" => Api::Forbidden,
        _ => Api::Empty,
    });
    admin.show(cluster.health_handle());
    assert!(!cluster.first_sync(Duration::from_secs(5)).await);
    fill(&mut shared.lock());
    open_metrics(&admin).unwrap()
}

#[tokio::test(start_paused = true)]
async fn names_keep_the_conventions_of_prometheus() {
    for (name, family) in families(&page(samples::fill).await) {
        let own = name.strip_prefix("deployment_recorder_");
        assert!(own.is_some() || name.starts_with("process_"), "{name}");
        let allowed = |letter: char| letter.is_ascii_lowercase() || letter == '_';
        assert!(name.chars().all(allowed), "{name}");
        assert!(
            family.help.ends_with('.') && family.help.len() > 5,
            "{name}"
        );
        for unit in ["seconds", "bytes"] {
            let ends = name.ends_with(unit);
            assert_eq!(ends, family.unit.as_deref() == Some(unit), "{name}");
        }
        for abbreviated in [
            "_ms", "_millis", "_minutes", "_kb", "_count", "_total", "_timer",
        ] {
            assert!(!name.ends_with(abbreviated), "{name}");
        }
        for sample in family.samples.keys() {
            let bare = sample.split('{').next().unwrap_or_default();
            let suffix = bare.strip_prefix(&*name).unwrap();
            let suffixes: &[&str] = match &*family.kind {
                "counter" => &["_total"],
                "gauge" => &[""],
                "histogram" => &["_bucket", "_sum", "_count"],
                kind => panic!("{name} is a {kind}"),
            };
            assert!(suffixes.contains(&suffix), "{sample}");
        }
        for label in family.labels.keys() {
            assert!(
                !own.is_some_and(|own| own.contains(&format!("by_{label}"))),
                "{name}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn labels_have_values_from_lists_that_do_not_grow_with_the_cluster() {
    let families = families(&page(samples::fill).await);
    let labels: BTreeSet<&str> = families
        .values()
        .flat_map(|family| family.labels.keys().map(String::as_str))
        .collect();
    assert_eq!(
        labels,
        [
            "kind",
            "le",
            "limit",
            "operation",
            "outcome",
            "reason",
            "result",
            "state",
            "status",
            "version"
        ]
        .into()
    );
    let values: Vec<&String> = families
        .values()
        .flat_map(|family| family.labels.values().flatten())
        .collect();
    for secret in ["shop", "acme", "web", "sha256", "api.github.com"] {
        assert!(
            values.iter().all(|value| !value.contains(secret)),
            "{secret}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn every_value_of_a_fixed_list_is_there_from_the_start() {
    let count = |page: &str| {
        let series = |(name, family): (String, Family)| (name, family.samples.len());
        let all: BTreeMap<String, usize> = families(page).into_iter().map(series).collect();
        all
    };
    let empty = page(|_| {}).await;
    assert_eq!(count(&empty), count(&page(samples::fill).await));
    let empty = families(&empty);
    for name in [
        "records",
        "gaps",
        "withheld",
        "not_selected",
        "storage_records",
        "github_requests",
    ] {
        let family = &empty[&format!("deployment_recorder_{name}")];
        assert!(family.samples.len() >= 6, "{name}");
        assert!(family.samples.values().all(|value| *value == 0.0), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn values_are_those_of_the_status() {
    let text = page(|status| {
        samples::fill(status);
        status.note(Note {
            at: samples::noon(),
            operation: OPERATION,
            lines: 1,
            status: "418".to_owned(),
            outcome: "unknown",
            request_id: None,
            duration: Duration::from_secs(1),
        });
    })
    .await;
    let noon = samples::noon().as_second();
    for line in [
        concat!("build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
        "leader 1",
        "first_start 1",
        "cycles_total 42",
        "records{state=\"deployed\"} 2",
        "records{state=\"reporting\"} 1",
        "records{state=\"retained\"} 1",
        "records{state=\"silent\"} 1",
        "records{state=\"withheld\"} 2",
        "records{state=\"decommissioning\"} 1",
        "records{state=\"tombstone\"} 1",
        "gaps{reason=\"no-digest\"} 1",
        "gaps{reason=\"owner-not-read\"} 1",
        "withheld{reason=\"adopted\"} 1",
        "not_selected{reason=\"kind\"} 3",
        "storage_records{state=\"kept\"} 7",
        "storage_records{state=\"refused\"} 1",
        "storage_records{state=\"excluded\"} 3",
        "not_running 4",
        "orphans 1",
        "ledger_records 8",
        "ledger_store_failing 1",
        "github_blocked 1",
        "github_auth_failures_total 3",
        "github_requests_total{operation=\"set-cluster-deployment-records\",status=\"207\"} 1",
        "github_requests_total{operation=\"set-cluster-deployment-records\",status=\"418\"} 1",
        "github_requests_total{operation=\"set-cluster-deployment-records\",status=\"200\"} 0",
        "report_lag_seconds_count 1",
        "report_lag_seconds_bucket{le=\"2.0\"} 1",
        "mirror_synced{kind=\"Deployment\"} 1",
        "mirror_synced{kind=\"Job\"} 0",
        "mirror_objects{kind=\"Pod\"} 0",
    ] {
        let line = format!("deployment_recorder_{line}");
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
    let families = families(&text);
    let success = &families["deployment_recorder_last_success_timestamp_seconds"];
    let seconds = success.samples.values().next().copied().unwrap();
    assert!(
        (seconds - f64::from(u32::try_from(noon).unwrap())).abs() < 1.0,
        "{seconds}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_told_by_what_decides_and_a_wait_grows_shorter() {
    let (admin, shared) = samples::admin();
    samples::fill(&mut shared.lock());
    tokio::time::advance(Duration::from_secs(30)).await;
    let text = open_metrics(&admin).unwrap();
    for line in [
        "github_wait_seconds{reason=\"told-to-wait\"} 60.0",
        "github_wait_seconds{reason=\"outage\"} 0.0",
        "github_waiting_records{reason=\"told-to-wait\"} 5",
        "github_waiting_records{reason=\"share\"} 0",
        "github_requests_left{limit=\"minute\"} 80",
        "github_requests_left{limit=\"hour\"} 450",
    ] {
        let line = format!("deployment_recorder_{line}");
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
    tokio::time::advance(Duration::from_mins(2)).await;
    let text = open_metrics(&admin).unwrap();
    assert!(text.contains("github_wait_seconds{reason=\"told-to-wait\"} 0.0"));
}

/// Mirrors that no cluster has.
#[derive(Debug)]
struct Mirrors(Vec<MirrorHealth>);

impl Collector for Mirrors {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        of_mirrors(&mut Page(encoder), &self.0)
    }
}

#[tokio::test(start_paused = true)]
async fn a_kind_is_synced_only_if_it_is_in_every_namespace_and_namespaces_are_no_labels() {
    let of = |namespace: &str, state, objects| MirrorHealth {
        kind: crate::model::workload::Kind::Deployment,
        namespace: Some(namespace.into()),
        state,
        since: tokio::time::Instant::now(),
        was_synced: true,
        error: None,
        objects,
        given_up: false,
    };
    for (second, synced) in [(MirrorState::Synced, 1.0), (MirrorState::Interrupted, 0.0)] {
        let mut registry = Registry::default();
        let mirrors = vec![of("a", MirrorState::Synced, 3), of("b", second, 4)];
        registry.register_collector(Box::new(Mirrors(mirrors)));
        let mut page = String::new();
        text::encode(&mut page, &registry).unwrap();
        let families = families(&page);
        let value = |name: &str| families[name].samples.values().copied().collect::<Vec<_>>();
        assert_eq!(value("mirror_synced"), [synced]);
        assert_eq!(value("mirror_objects"), [7.0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_the_recorder_does_without_is_no_unsynced_mirror() {
    let of = |kind, state, given_up| MirrorHealth {
        kind,
        namespace: None,
        state,
        since: tokio::time::Instant::now(),
        was_synced: false,
        error: None,
        objects: 0,
        given_up,
    };
    let other = |kind: &str| crate::model::workload::Kind::new("a.io", kind);
    let mirrors = vec![
        of(other("Broken"), MirrorState::Interrupted, true),
        of(other("Forbidden"), MirrorState::Forbidden, true),
        of(other("Interrupted"), MirrorState::Interrupted, false),
        of(
            crate::model::workload::Kind::Job,
            MirrorState::Forbidden,
            false,
        ),
    ];
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Mirrors(mirrors)));
    let mut page = String::new();
    text::encode(&mut page, &registry).unwrap();
    let shown = ["Broken", "Forbidden", "Interrupted", "Job"].map(|kind| page.contains(kind));
    assert_eq!(shown, [false, false, true, true], "{page}");
}

/// Where the list stands in the guide.
const BEGIN: &str = "<!-- The list: written by a test, not by hand. -->\n";
const END: &str = "<!-- The end of the list. -->\n";

fn list(families: BTreeMap<String, Family>) -> String {
    let mut list = String::from("| Name | Type | Labels | Meaning |\n|---|---|---|---|\n");
    for (name, family) in families {
        let total = if family.kind == "counter" {
            "_total"
        } else {
            ""
        };
        let labels: Vec<String> = family
            .labels
            .into_iter()
            .filter(|(label, _)| label != "le")
            .map(|(label, values)| match &*label {
                "limit" | "reason" | "state" | "status" => {
                    let values: Vec<String> =
                        values.iter().map(|value| format!("`{value}`")).collect();
                    format!("`{label}`: {}", values.join(", "))
                }
                label => format!("`{label}`"),
            })
            .collect();
        let (kind, help) = (family.kind, family.help);
        let _ = writeln!(
            list,
            "| `{name}{total}` | {kind} | {} | {help} |",
            labels.join("; ")
        );
    }
    list
}

#[tokio::test(start_paused = true)]
async fn the_guide_lists_every_metric_as_it_is() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
    let guide = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = guide.split_once(BEGIN).unwrap();
    let (listed, tail) = rest.split_once(END).unwrap();
    let list = list(families(&page(|_| {}).await));
    if listed != list {
        std::fs::write(&path, [head, BEGIN, &list, END, tail].concat()).unwrap();
        panic!(
            "docs/metrics.md was out of date; this test has written it anew, look at the difference"
        );
    }
}
