//! Events: what a person can do something about is said where they look, at the workload. Each cause
//! once, slowly, beside the cycle: it hands over what is wrong now and waits for nothing, and what
//! cannot be written is no error. What is said stands in `model::advice`, the object in `object`, when
//! it is said in `queue`.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::Resource as _;
use k8s_openapi::api::events::v1::Event;
use kube::Client;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::cluster::{Cluster, Right, Scope};
use crate::model::inventory::Inventory;
use crate::model::plan::Plan;

use super::lease::Tenure;
use super::status::Shared;

mod cause;
mod object;
mod queue;
#[cfg(test)]
mod tests;
mod writer;

use cause::Cause;
use writer::Writer;

/// What RBAC calls it. They are never read, changed or deleted: the API server forgets them by itself
/// (`--event-ttl`, an hour:
/// <https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/>).
const VERB: &str = "create";

/// What became of an event, by the names that metrics give it.
pub const RESULTS: [&str; 3] = [WRITTEN, KNOWN, FAILED];
const WRITTEN: &str = "written";
const KNOWN: &str = "known";
const FAILED: &str = "failed";

/// What is wrong, with group and version of each workload's kind, as far as they are known.
type Wrong = BTreeMap<Cause, Option<Arc<str>>>;

/// Writes events, until it is dropped.
pub(super) struct Events {
    /// What is wrong by the last plan.
    seen: Arc<Wrong>,
    /// What the writer was told.
    causes: watch::Sender<Arc<Wrong>>,
    _writing: JoinSet<()>,
}

/// What events are written with.
#[derive(Clone)]
pub struct Desk {
    /// The API server.
    pub client: Client,
    /// Who writes them, for people: the pod, or the machine.
    pub instance: String,
}

/// What it takes to write them for workloads of this scope.
pub(super) fn rights(scope: &Scope) -> Vec<Right> {
    let right = |namespace| Right {
        group: Event::GROUP.to_owned(),
        resource: Event::URL_PATH_SEGMENT.to_owned(),
        namespace,
        name: None,
        verb: VERB,
    };
    match scope.exact_namespaces() {
        Some(names) => names.into_iter().map(|name| right(Some(name))).collect(),
        None => vec![right(None)],
    }
}

impl Events {
    /// Begins; nothing is written before something is wrong.
    pub(super) fn begin(desk: Desk, lease: Tenure, clock: Clock, status: Shared) -> Self {
        let (causes, told) = watch::channel(Arc::default());
        let writer = Writer {
            desk,
            lease,
            clock,
            status,
        };
        let mut writing = JoinSet::new();
        writing.spawn(writer.write(told));
        Self {
            seen: Arc::default(),
            causes,
            _writing: writing,
        }
    }

    /// Takes note of what is wrong by a plan. Not all of them are told: while the retry of what was
    /// refused is on its way, nobody knows.
    pub(super) fn note(&mut self, plan: &Plan, inventory: &Inventory, cluster: &Cluster) {
        let causes = cause::all(plan, inventory).into_iter();
        let with_version = causes.map(|cause| {
            let version = cluster.api_version(&cause.workload.kind);
            (cause, version)
        });
        self.seen = Arc::new(with_version.collect());
    }

    /// Has said what is wrong by the last plan.
    pub(super) fn tell(&self) {
        self.causes.send_if_modified(|known| {
            let is_new = **known != *self.seen;
            known.clone_from(&self.seen);
            is_new
        });
    }
}
