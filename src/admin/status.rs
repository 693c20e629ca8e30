//! `/api/status`: what is recorded, what is not and why, as JSON. The shape is a promise and
//! described in `docs/status.md`; it is made of types of its own, so that the core can change
//! without it. They borrow from the last plan and live only while one answer is written.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::clock::Clock;
use crate::cluster::MirrorHealth;
use crate::model::gap::{Gap, Reason, Subject};
use crate::model::plan::Plan;
use crate::model::storage::StorageStep;
use crate::recorder::status::{Note, Status};

use super::records::{Count, Counts};
use super::{Admin, VERSION};

mod labels;
mod pace;
mod source;
#[cfg(test)]
mod tests;

use labels::LabelsPart;
use pace::PacePart;
use source::{Record, Source};

/// The whole answer.
#[derive(Serialize)]
struct Report<'a> {
    version: &'static str,
    now: Wall,
    settings: &'a Value,
    leader: bool,
    lease: Option<LeasePart<'a>>,
    cycles: u64,
    last_success: Option<Wall>,
    ledger: LedgerPart<'a>,
    github: GithubPart<'a>,
    coverage: Vec<Mirror>,
    counts: CountsPart,
    sources: Vec<Source<'a>>,
    other_records: Vec<Record<'a>>,
    other_gaps: Vec<PodGap<'a>>,
    refused_storage: Vec<RefusedStorage<'a>>,
    orphans: Vec<PodGap<'a>>,
    image_labels: Option<LabelsPart>,
}

#[derive(Serialize)]
struct LeasePart<'a> {
    holder: Option<&'a str>,
    since: Option<Wall>,
}

#[derive(Serialize)]
struct LedgerPart<'a> {
    read: bool,
    first_start: bool,
    records: usize,
    tombstones: usize,
    store_error: Option<&'a str>,
}

#[derive(Serialize)]
struct GithubPart<'a> {
    auth_failures: u64,
    blocked: Vec<Blocked<'a>>,
    pace: PacePart<'a>,
    last_answers: Vec<LastAnswer<'a>>,
}

#[derive(Serialize)]
struct Blocked<'a> {
    host: &'a str,
    organization: &'a str,
    since: Wall,
    message: &'a str,
}

#[derive(Serialize)]
struct LastAnswer<'a> {
    at: Wall,
    operation: &'static str,
    lines: usize,
    status: &'a str,
    outcome: &'static str,
    request_id: Option<&'a str>,
    duration_seconds: f64,
}

#[derive(Serialize)]
struct Mirror {
    group: String,
    kind: String,
    namespace: Option<Arc<str>>,
    state: &'static str,
    since: Wall,
    error: Option<Arc<str>>,
    objects: usize,
}

#[derive(Serialize)]
struct CountsPart {
    records: Count,
    gaps: Count,
    withheld: Count,
    not_selected: Count,
    storage_records: Count,
    not_running: usize,
    orphans: usize,
    respelled: usize,
}

/// A Gap that is about a pod whose workload is not known.
#[derive(Serialize)]
struct PodGap<'a> {
    namespace: &'a str,
    pod: &'a str,
    reason: &'static str,
    detail: &'a str,
}

/// A storage record that GitHub does not take.
#[derive(Serialize)]
struct RefusedStorage<'a> {
    registry: &'a str,
    image: &'a str,
    digest: String,
    reason: &'static str,
}

/// A date and time, in UTC and with milliseconds.
#[derive(Clone, Copy)]
struct Wall(Timestamp);

impl Serialize for Wall {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.strftime("%Y-%m-%dT%H:%M:%S.%3fZ"))
    }
}

/// The answer at this moment, in one buffer: some 700 bytes for each record.
pub(super) fn json(admin: &Admin) -> serde_json::Result<Vec<u8>> {
    let (status, clock) = (admin.status(), &admin.0.clock);
    let mirrors = admin.mirrors().unwrap_or_default();
    let nothing = Plan::default();
    let plan = status.plan.as_deref().unwrap_or(&nothing);
    let (sources, other_records) = source::all(plan, &status.unsent);
    let report = Report {
        version: VERSION,
        now: Wall(clock.wall()),
        settings: &admin.0.settings,
        leader: status.leader,
        lease: status.holder.as_ref().map(|holder| LeasePart {
            holder: Some(&*holder.name).filter(|name| !name.is_empty()),
            since: holder.since.map(Wall),
        }),
        cycles: status.cycles,
        last_success: status.last_success.map(Wall),
        ledger: ledger(&status),
        github: github(&status),
        coverage: mirrors.into_iter().map(|of| mirror(of, clock)).collect(),
        counts: counts(&status),
        sources,
        other_records,
        other_gaps: plan.gaps.iter().filter_map(pod_gap).collect(),
        refused_storage: plan.storage.refused.iter().map(refused_storage).collect(),
        orphans: plan.orphans.iter().filter_map(pod_gap).collect(),
        image_labels: status.labels.as_ref().map(LabelsPart::new),
    };
    serde_json::to_vec(&report)
}

fn ledger(status: &Status) -> LedgerPart<'_> {
    LedgerPart {
        read: status.ledger_read,
        first_start: status.first_start,
        records: status.ledger_records,
        tombstones: status.tombstones,
        store_error: status.store_error.as_deref(),
    }
}

fn github(status: &Status) -> GithubPart<'_> {
    let blocked = status.blocked.iter();
    GithubPart {
        auth_failures: status.auth_failures,
        blocked: blocked
            .map(|((host, organization), blocked)| Blocked {
                host,
                organization,
                since: Wall(blocked.since),
                message: &blocked.message,
            })
            .collect(),
        pace: PacePart::new(status),
        last_answers: status.exchanges.iter().map(last_answer).collect(),
    }
}

fn last_answer(note: &Note) -> LastAnswer<'_> {
    LastAnswer {
        at: Wall(note.at),
        operation: note.operation,
        lines: note.lines,
        status: &note.status,
        outcome: note.outcome,
        request_id: note.request_id.as_deref(),
        duration_seconds: note.duration.as_secs_f64(),
    }
}

fn mirror(health: MirrorHealth, clock: &Clock) -> Mirror {
    let now = clock.wall();
    let since = now.checked_sub(health.since.elapsed()).unwrap_or(now);
    Mirror {
        group: health.kind.group().to_owned(),
        kind: health.kind.kind().to_owned(),
        namespace: health.namespace,
        state: health.state.as_str(),
        since: Wall(since),
        error: health.error,
        objects: health.objects,
    }
}

fn counts(status: &Status) -> CountsPart {
    let Counts {
        records,
        gaps,
        withheld,
        not_selected,
        storage,
        not_running,
        respelled,
    } = Counts::new(status);
    CountsPart {
        records,
        gaps,
        withheld,
        not_selected,
        storage_records: storage,
        not_running,
        orphans: status.orphans,
        respelled,
    }
}

fn refused_storage((step, reason): &(StorageStep, Reason)) -> RefusedStorage<'_> {
    RefusedStorage {
        registry: &step.shelf.registry,
        image: &step.image,
        digest: step.body.digest.to_string(),
        reason: reason.as_str(),
    }
}

fn pod_gap(gap: &Gap) -> Option<PodGap<'_>> {
    let Subject::Pod { namespace, name } = &gap.subject else {
        return None;
    };
    Some(PodGap {
        namespace,
        pod: name,
        reason: gap.reason.as_str(),
        detail: &gap.detail,
    })
}
