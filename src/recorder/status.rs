//! Status: what the recorder lets others see of itself. Written by the cycle, read by whoever shows
//! it; nothing is decided by it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::metrics::histogram::Histogram;

use crate::model::moment::Moment;
use crate::model::plan::Plan;

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
}

/// What the recorder lets others see of itself.
#[derive(Debug, Default)]
pub struct Status {
    /// Whether the stored ledger was read.
    pub ledger_read: bool,
    /// Whether there was no ledger when the process started.
    pub first_start: bool,
    /// Whether this process is the one that writes.
    pub leader: bool,
    /// How many entries the ledger has.
    pub ledger_records: usize,
    /// How many tombstones are among them.
    pub tombstones: usize,
    /// The last plan.
    pub plan: Option<Arc<Plan>>,
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
    /// The last requests, the newest last.
    pub exchanges: VecDeque<Note>,
    /// What GitHub does not let happen at all, by host and organization.
    pub blocked: BTreeMap<(Arc<str>, Arc<str>), Blocked>,
    /// From a change to its acknowledgement.
    pub report_lag: Lag,
    /// Why the ledger could not be stored last, if it could not.
    pub store_error: Option<String>,
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
