//! Events: what a person can do something about is said where they look, at the workload. Each cause
//! once, slowly, beside the cycle: it hands over what is wrong now and waits for nothing, and what
//! cannot be written is no error. What is said stands in `model::advice`, the object in `object`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::Resource as _;
use k8s_openapi::api::events::v1::Event;
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::clock::Clock;
use crate::cluster::{Right, Scope};
use crate::model::inventory::Inventory;
use crate::model::plan::Plan;

use super::lease::Tenure;
use super::status::Shared;

mod cause;
mod object;
#[cfg(test)]
mod tests;

pub(super) use cause::Cause;

/// What RBAC calls it. They are never read, changed or deleted: the API server forgets them by itself
/// (`--event-ttl`, an hour:
/// <https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/>).
const VERB: &str = "create";

/// The least time between two: a namespace with thousands of workloads and one wrong annotation is to
/// cost the API server no more than what it forgets meanwhile, 1,200 of them.
const SPACING: Duration = Duration::from_secs(3);

/// How long one may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long none is written after one that failed, doubling.
const PAUSES: [Duration; 2] = [Duration::from_mins(1), Duration::from_mins(10)];

/// How long to wait where this process may not write.
const NOT_OURS: Duration = Duration::from_secs(15);

/// What became of an event, by the names that metrics give it.
pub const RESULTS: [&str; 3] = [WRITTEN, KNOWN, FAILED];
const WRITTEN: &str = "written";
/// It is there already: another process wrote it, or this one before it was restarted.
const KNOWN: &str = "known";
const FAILED: &str = "failed";

/// Writes events, until it is dropped.
pub(super) struct Events {
    /// What is wrong by the last plan.
    seen: Arc<BTreeSet<Cause>>,
    /// What the writer was told.
    causes: watch::Sender<Arc<BTreeSet<Cause>>>,
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
    pub(super) fn note(&mut self, plan: &Plan, inventory: &Inventory) {
        self.seen = Arc::new(cause::all(plan, inventory));
    }

    /// Has said what is wrong by the last plan. Of what is not any more nothing is remembered.
    pub(super) fn tell(&self) {
        self.causes.send_if_modified(|known| {
            let is_new = **known != *self.seen;
            known.clone_from(&self.seen);
            is_new
        });
    }
}

struct Writer {
    desk: Desk,
    lease: Tenure,
    clock: Clock,
    status: Shared,
}

impl Writer {
    async fn write(self, mut causes: watch::Receiver<Arc<BTreeSet<Cause>>>) {
        let (mut said, mut failed) = (BTreeSet::new(), BTreeSet::new());
        let mut pause = PAUSES[0];
        loop {
            let now = causes.borrow_and_update().clone();
            said.retain(|cause| now.contains(cause));
            failed.retain(|cause| now.contains(cause));
            let Some(cause) = next(&now, &said, &mut failed) else {
                if causes.changed().await.is_err() {
                    return;
                }
                continue;
            };
            let Some(result) = self.lease.during(self.say(&cause)).await else {
                sleep(NOT_OURS).await;
                continue;
            };
            *self.status.lock().events.entry(result).or_default() += 1;
            if result == FAILED {
                failed.insert(cause);
                sleep(pause).await;
                pause = (pause * 2).min(PAUSES[1]);
            } else {
                said.insert(cause);
                pause = PAUSES[0];
                sleep(SPACING).await;
            }
        }
    }

    async fn say(&self, cause: &Cause) -> &'static str {
        let event = object::event(cause, &self.desk.instance, self.clock.wall());
        let namespace = &cause.workload.namespace;
        let api: Api<Event> = Api::namespaced(self.desk.client.clone(), namespace);
        let created = timeout(TIMEOUT, api.create(&PostParams::default(), &event)).await;
        let error = match created {
            Ok(Ok(_)) => return WRITTEN,
            Ok(Err(kube::Error::Api(status))) if status.code == 409 => return KNOWN,
            Ok(Err(error)) => super::chain(&error),
            Err(_) => format!("no answer within {} s", TIMEOUT.as_secs()),
        };
        tracing::debug!(workload = %cause.workload, reason = %cause.reason, error, "event not written");
        FAILED
    }
}

/// What is to be said next: what failed only where nothing else is left.
fn next(
    causes: &BTreeSet<Cause>,
    said: &BTreeSet<Cause>,
    failed: &mut BTreeSet<Cause>,
) -> Option<Cause> {
    let mut open = causes.iter().filter(|cause| !said.contains(*cause));
    let fresh = open.clone().find(|cause| !failed.contains(*cause));
    let next = fresh.or_else(|| open.next()).cloned();
    if fresh.is_none() {
        failed.clear();
    }
    next
}
