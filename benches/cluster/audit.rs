//! The API server's audit log: which calls one user agent made. One JSON object a line, as
//! <https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/> has it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use serde_json::{Value, json};

/// What belongs to a workload, whose single reads are counted by themselves.
const WORKLOADS: [&str; 8] = [
    "pods",
    "replicasets",
    "replicationcontrollers",
    "deployments",
    "statefulsets",
    "daemonsets",
    "jobs",
    "cronjobs",
];

/// The calls of one user agent.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    /// How often, by verb and resource.
    pub(crate) counts: BTreeMap<(String, String), usize>,
    /// Lists that did not ask for pages.
    pub(crate) whole_lists: usize,
}

impl Calls {
    /// Reads the calls of those whose user agent begins with `agent`.
    pub(crate) fn read(log: &Path, agent: &str) -> Self {
        let (mut calls, mut seen) = (Self::default(), BTreeSet::new());
        for line in BufReader::new(File::open(log).unwrap()).lines() {
            let line = line.unwrap();
            // Most lines are of others; the last may still be being written.
            if !line.contains(agent) {
                continue;
            }
            let Ok(event) = serde_json::from_str::<Value>(&line) else {
                continue;
            };
            let text = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
            // A watch has two lines: one when it begins, one when it ends.
            if text("userAgent").starts_with(agent) && seen.insert(text("auditID")) {
                calls.add(&event, &text("requestURI"));
            }
        }
        calls
    }

    fn add(&mut self, event: &Value, uri: &str) {
        let verb = event["verb"].as_str().unwrap_or_default();
        let resource = event["objectRef"]["resource"].as_str();
        // What is no resource, as /version, has a path only.
        let resource = resource.map_or_else(|| uri.to_owned(), str::to_owned);
        if verb == "list" && !uri.contains("limit=") {
            self.whole_lists += 1;
        }
        *self.counts.entry((verb.to_owned(), resource)).or_default() += 1;
    }

    /// How many there were.
    pub(crate) fn total(&self) -> usize {
        self.counts.values().sum()
    }

    /// How many read a single pod or owner.
    pub(crate) fn single_reads(&self) -> usize {
        let reads = self.counts.iter().filter(|((verb, resource), _)| {
            verb == "get" && WORKLOADS.contains(&resource.as_str())
        });
        reads.map(|(_, count)| count).sum()
    }

    /// How many there were with this verb.
    pub(crate) fn of(&self, verb: &str) -> usize {
        let of_verb = self.counts.iter().filter(|((other, _), _)| other == verb);
        of_verb.map(|(_, count)| count).sum()
    }

    /// All counts, for the file beside the table.
    pub(crate) fn to_json(&self) -> Value {
        let counts = self.counts.iter();
        counts
            .map(|((verb, resource), count)| (format!("{verb} {resource}"), json!(count)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}
