//! Status: what the recorder lets others see of itself. Written by the cycle, read by whoever shows
//! it; nothing is decided by it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::metrics::histogram::Histogram;

pub use super::waits::{Wait, reasons};
use crate::clock::Clock;
pub use crate::github::pace::Room;
use crate::model::explain::Known;
use crate::model::ledger::{Entry, Ledger, Owner};
use crate::model::moment::Moment;
use crate::model::plan::{Plan, Why};
use crate::model::record::{Body, Identity};
pub use crate::registry::{LookUps, Outcome};

use super::PULSE;

/// How many of the last requests are remembered.
const REMEMBERED: usize = 20;

/// What the recorder lets others see of itself, shared.
#[derive(Clone, Debug, Default)]
pub struct Shared(Arc<Mutex<Status>>);

impl Shared {
    /// The status now. To be held for a moment only.
    pub fn lock(&self) -> MutexGuard<'_, Status> {
        // A reader that panicked cannot have left it half written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `future`, of which each step has a limit of its own: while it is waited for, the process is seen to
    /// live.
    pub(super) async fn alive<T>(&self, clock: &Clock, future: impl Future<Output = T>) -> T {
        let mut future = std::pin::pin!(future);
        loop {
            tokio::select! {
                biased;
                result = &mut future => return result,
                () = tokio::time::sleep(PULSE) => self.lock().heartbeat = clock.now(),
            }
        }
    }

    /// A recorder begins: its ledger of so many entries is read, and its labels of images are there.
    pub(super) fn begin(&self, ledger_records: usize, labels: Option<&LookUps>) {
        let mut status = self.lock();
        status.ledger_read = true;
        status.ledger_records = ledger_records;
        status.labels = labels.cloned();
    }
}

/// What the recorder lets others see of itself. A clone is cheap: what is large in it is shared.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// Whether the stored ledger was read.
    pub ledger_read: bool,
    /// Whether there was no ledger when the process started.
    pub first_start: bool,
    /// Whether this process is the one that writes.
    pub leader: bool,
    /// Who holds the Lease, as it was seen last.
    pub holder: Option<Holder>,
    /// How many entries the ledger has.
    pub ledger_records: usize,
    /// How many tombstones are among them.
    pub tombstones: usize,
    /// The last plan.
    pub plan: Option<Arc<Plan>>,
    /// The entries of the ledger that the last plan sends nothing for.
    pub unsent: Arc<[Unsent]>,
    /// What the ledger knows besides the last plan, for explanations.
    pub known: Arc<[Known]>,
    /// How many pods have had no owner for at least a minute.
    pub orphans: usize,
    /// How many cycles there were.
    pub cycles: u64,
    /// When the loop turned last.
    pub heartbeat: Moment,
    /// When GitHub was last known to have everything that was to be sent.
    pub last_success: Option<Timestamp>,
    /// How many requests were answered, by operation and by status or what stands for one.
    pub requests: BTreeMap<(&'static str, String), u64>,
    /// How often GitHub turned the token down or there was none.
    pub auth_failures: u64,
    /// How many events on workloads there were, by result ([`super::events::RESULTS`]).
    pub events: BTreeMap<&'static str, u64>,
    /// The last requests, the newest last.
    pub exchanges: VecDeque<Note>,
    /// What GitHub does not let happen at all, by host and organization.
    pub blocked: BTreeMap<(Arc<str>, Arc<str>), Blocked>,
    /// From a change to its acknowledgement.
    pub report_lag: Lag,
    /// Why the ledger could not be stored last, if it could not.
    pub store_error: Option<String>,
    /// What waits until it may be written at GitHub, as of the last cycle.
    pub waits: Vec<Wait>,
    /// How many requests may still be written there.
    pub room: Room,
    /// Labels of images, if they are read.
    pub labels: Option<LookUps>,
}

/// Who holds the Lease.
#[derive(Clone, Debug)]
pub struct Holder {
    /// What stands in the Lease; empty: nobody.
    pub name: String,
    /// Since when, by the holder's clock.
    pub since: Option<Timestamp>,
    /// Whether that is this process.
    pub ours: bool,
}

/// An entry of the ledger that nothing is sent for.
#[derive(Clone, Debug)]
pub struct Unsent {
    /// Its key.
    pub identity: Identity,
    /// Whose name it is.
    pub owner: Owner,
    /// What GitHub last acknowledged.
    pub held: Option<Arc<Body>>,
    /// Why nothing is sent.
    pub rest: Rest,
}

/// Why nothing is sent for an entry of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// [`Plan::silent`].
    Silent,
    /// [`Plan::withheld`].
    Withheld(Why),
    /// GitHub has acknowledged its end once, and it is not yet time to say it again.
    Tombstone,
}

impl Unsent {
    /// The entries of `ledger` that `plan` sends nothing for.
    pub(super) fn of(plan: &Plan, ledger: &Ledger) -> Arc<[Self]> {
        let new = |identity: &Identity, entry: &Entry, rest| Self {
            identity: identity.clone(),
            owner: entry.owner.clone(),
            held: entry.held.clone(),
            rest,
        };
        let silent = plan.silent.iter().map(|identity| (identity, Rest::Silent));
        let withheld = plan
            .withheld
            .iter()
            .map(|(identity, why)| (identity, Rest::Withheld(*why)));
        let mut unsent: Vec<Self> = silent
            .chain(withheld)
            .filter_map(|(identity, rest)| Some(new(identity, ledger.entry(identity)?, rest)))
            .collect();

        let mut tombstones = ledger
            .entries()
            .filter(|(_, entry)| entry.is_tombstone())
            .peekable();
        if tombstones.peek().is_some() {
            let sent = plan.reports.iter().chain(&plan.decommissions);
            let sent = sent.map(|step| &step.line.identity);
            let withheld = plan.withheld.iter().map(|(identity, _)| identity);
            let elsewhere: BTreeSet<&Identity> = sent.chain(withheld).collect();
            let resting = tombstones.filter(|(identity, _)| !elsewhere.contains(identity));
            unsent.extend(resting.map(|(identity, entry)| new(identity, entry, Rest::Tombstone)));
        }
        unsent.into()
    }
}

/// One answered request.
#[derive(Clone, Debug)]
pub struct Note {
    /// When.
    pub at: Timestamp,
    /// The operation.
    pub operation: &'static str,
    /// How many lines.
    pub lines: usize,
    /// GitHub's status, or what stands for one.
    pub status: String,
    /// What became of it.
    pub outcome: &'static str,
    /// GitHub's id for it.
    pub request_id: Option<String>,
    /// How long it took.
    pub duration: Duration,
}

/// What GitHub does not let happen at all.
#[derive(Clone, Debug)]
pub struct Blocked {
    /// Since when.
    pub since: Timestamp,
    /// What GitHub says.
    pub message: String,
}

impl Status {
    /// Remembers an answered request.
    pub fn note(&mut self, note: Note) {
        *self
            .requests
            .entry((note.operation, note.status.clone()))
            .or_default() += 1;
        if self.exchanges.len() == REMEMBERED {
            self.exchanges.pop_front();
        }
        self.exchanges.push_back(note);
    }
}

/// From a change to its acknowledgement, in seconds.
#[derive(Clone, Debug)]
pub struct Lag(pub Histogram);

impl Default for Lag {
    fn default() -> Self {
        Self(Histogram::new([
            1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 3600.0,
        ]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::plan::Step;
    use crate::model::record::{Destination, Line, Status as Standing};
    use crate::model::risk::Risks;
    use crate::model::text_map::TextMap;

    fn identity(name: &str) -> Identity {
        let destination = Destination {
            host: "api.github.com".into(),
            organization: "acme".into(),
            cluster: "prod".into(),
            logical_environment: "production".into(),
            physical_environment: None,
        };
        Identity {
            destination: Arc::new(destination),
            name: name.into(),
        }
    }

    fn body() -> Arc<Body> {
        let digest = format!("sha256:{}", "ab".repeat(32));
        Arc::new(Body {
            digest: crate::model::image::Digest::parse(&digest).unwrap(),
            name: "ghcr.io/acme/web".into(),
            version: None,
            repository: None,
            tags: TextMap::default(),
            risks: Risks::default(),
        })
    }

    #[test]
    fn requests_are_counted_by_what_came_of_them_and_the_last_are_remembered() {
        let mut status = Status::default();
        for number in 0..REMEMBERED + 3 {
            let note = Note {
                at: Timestamp::UNIX_EPOCH,
                operation: "set",
                lines: number,
                status: if number == 0 { "500" } else { "200" }.to_owned(),
                outcome: "acknowledged",
                request_id: None,
                duration: Duration::ZERO,
            };
            status.note(note);
        }
        let counts: Vec<u64> = status.requests.values().copied().collect();
        assert_eq!(counts, [REMEMBERED as u64 + 2, 1]);
        let kept: Vec<usize> = status.exchanges.iter().map(|note| note.lines).collect();
        assert_eq!(kept, (3..REMEMBERED + 3).collect::<Vec<_>>());
    }

    #[test]
    fn a_recorder_begins_with_the_ledger_that_it_has_read() {
        let shared = Shared::default();
        assert!(!shared.lock().ledger_read);
        shared.begin(7, None);
        let status = shared.lock();
        assert!(status.ledger_read);
        assert_eq!(status.ledger_records, 7);
    }

    #[test]
    fn an_entry_is_unsent_once_if_the_plan_sends_nothing_for_it_and_not_at_all_if_it_does() {
        let entry = |tombstone| {
            let mut entry = Entry::new(Owner::Adopted).with_tombstone(tombstone);
            entry.held = Some(body());
            entry
        };
        let names = [
            ("sent", false),
            ("silent", false),
            ("withheld", false),
            ("resting", true),
            ("withheld-tombstone", true),
            ("ending-again", true),
            ("back", true),
        ];
        let entries = names.map(|(name, tombstone)| (identity(name), entry(tombstone)));
        let ledger = Ledger::restore(None, entries, [], Moment::START);
        let step = |name: &str, status| Step {
            line: Line {
                identity: identity(name),
                body: body(),
                status,
            },
            owner: Owner::Adopted,
            fresh: false,
        };
        let why = Why::NotCovered;
        let plan = Plan {
            unchanged: vec![step("sent", Standing::Deployed)],
            reports: vec![step("back", Standing::Deployed)],
            decommissions: vec![step("ending-again", Standing::Decommissioned)],
            silent: vec![identity("silent")],
            withheld: ["withheld", "withheld-tombstone"]
                .map(|name| (identity(name), why))
                .into(),
            ..Plan::default()
        };
        let unsent = Unsent::of(&plan, &ledger);
        let found: Vec<(&str, Rest)> = unsent
            .iter()
            .map(|unsent| (&*unsent.identity.name, unsent.rest))
            .collect();
        assert_eq!(
            found,
            [
                ("silent", Rest::Silent),
                ("withheld", Rest::Withheld(why)),
                ("withheld-tombstone", Rest::Withheld(why)),
                ("resting", Rest::Tombstone),
            ]
        );
        assert!(unsent.iter().all(|unsent| unsent.held == Some(body())));
    }
}
