//! Storage records: sent one by one at the end of a cycle, when nothing else waits, and only until
//! something does. Which are due is decided in `model::storage`; nothing is written ahead, because
//! one that is sent twice is still one.

use std::collections::BTreeSet;

use tokio::time::{Instant, sleep};

use crate::github::answer::{Answer, Failure};
use crate::github::exchange::NotSent;
use crate::github::operation::Operation;
use crate::github::pace::{Access, Purpose};
use crate::model::gap::Reason;
use crate::model::ledger::Outcome;
use crate::model::plan::Plan;
use crate::model::storage::StorageStep;

use super::batch::Batch;
use super::delivery::{PATIENCE, Turn, long_after};
use super::{Recorder, Transport, batch, chain};

/// The operation of the API by which storage records are written, as metrics name it.
pub const OPERATION: &str = Operation::CreateStorageRecord.as_str();

/// What became of one storage record.
enum Sent {
    /// It was sent.
    With(Outcome),
    /// Its organization is left alone now; others may take theirs.
    NotNow,
    /// None leaves any more within this cycle.
    NotAnyMore,
}

/// What came of the storage records of one cycle.
#[derive(Default)]
struct Tally {
    sent: usize,
    acknowledged: usize,
    refused: usize,
    unknown: usize,
}

impl<S: Transport> Recorder<S> {
    /// Sends storage records that `plan`, the last one, says are due, for as long as a cycle waits.
    pub(super) async fn send_storage(&mut self, plan: &Plan) {
        if plan.storage.due.is_empty() || !self.has_time(plan) {
            return;
        }
        let tally = self.send_due(plan).await;
        let new = (tally.sent > 0).then(|| self.plan());
        let left = new.as_deref().unwrap_or(plan);
        self.schedule_storage(left);
        tally.tell(left.storage.due.len());
    }

    /// The same, before something goes out that may meet a limit and so have everything wait. All
    /// else that could be sent is sent then.
    pub(super) async fn send_storage_before_limits(&mut self, plan: &Plan) {
        if self.may_send_storage() {
            let tally = self.send_due(plan).await;
            tally.tell(plan.storage.due.len().saturating_sub(tally.sent));
        }
    }

    async fn send_due(&mut self, plan: &Plan) -> Tally {
        let end = Instant::now() + PATIENCE;
        let mut tally = Tally::default();
        for step in &plan.storage.due {
            if Instant::now() >= end || self.schedule.has_changes() {
                break;
            }
            let outcome = match self.send_one(step).await {
                Sent::With(outcome) => outcome,
                Sent::NotNow => continue,
                Sent::NotAnyMore => break,
            };
            tally.count(outcome);
            let now = self.clock.now();
            self.ledger.stock_mut().answer(step, outcome, now);
            if let Outcome::Refused(reason) = outcome {
                let (image, digest) = (&*step.image, step.body.digest);
                tracing::warn!(image, %digest, %reason, "GitHub does not take a storage record");
            }
        }
        tally
    }

    /// Whether nothing else waits that could be sent or stored.
    fn has_time(&self, plan: &Plan) -> bool {
        let changes = batch::changes(plan, self.size.most());
        // What cannot be sent holds nothing back.
        let mut changes = changes.iter().map(Batch::access);
        let changed = changes.all(|access| self.is_left_alone(&access, Purpose::Change));
        let rest = batch::snapshot(plan, &self.rest, self.size.most());
        let mut rest = rest.iter().map(Batch::access);
        let repeated = rest.all(|access| self.is_left_alone(&access, Purpose::Snapshot));
        changed && repeated && self.may_send_storage()
    }

    /// Whether storage records may be sent at all now.
    fn may_send_storage(&self) -> bool {
        let sends = self.github.is_some() && !self.uids.is_empty() && self.lease.is_ours();
        let stores = self.store_backoff.is_zero();
        sends && stores && !self.schedule.has_changes()
    }

    /// The next cycle begins when the next storage record may leave; what was acknowledged is stored.
    fn schedule_storage(&mut self, left: &Plan) {
        let now = Instant::now();
        let due = left.due.map(|due| self.clock.instant(due));
        self.schedule.due_at(due);
        // After a change the next cycle begins when changes are gathered.
        if !self.schedule.has_changes() {
            let places: BTreeSet<Access> = left.storage.due.iter().map(access).collect();
            for access in places {
                let slot = self.pace.slot(access, Purpose::Storage, now);
                self.schedule.again_at(slot.at);
            }
        }
        if !self.is_stored() {
            self.schedule.store_soon(now);
        }
    }

    /// Sends one.
    async fn send_one(&mut self, step: &StorageStep) -> Sent {
        let destination = step.place.clone();
        match self.turn(&destination, Purpose::Storage).await {
            Turn::Now => {}
            Turn::Paused => return Sent::NotNow,
            Turn::Over => return Sent::NotAnyMore,
            Turn::NoToken(error) => {
                self.no_request(&destination, &error, Instant::now());
                return Sent::NotNow;
            }
        }
        self.beat();
        let line = step.line();
        let Some(github) = self.github.as_mut().filter(|_| self.lease.is_ours()) else {
            return Sent::NotAnyMore;
        };
        self.pace.sent(Purpose::Storage, Instant::now());
        let (stop, cluster) = (self.stop.clone(), &self.cluster);
        let call = github.create_storage_record(&destination.organization, &line);
        let mut overtaken = None;
        let result = tokio::select! {
            biased;
            result = self.lease.during(call) => result,
            () = long_after(&stop) => None,
            () = async {
                cluster.changed().await;
                overtaken = Some(Instant::now());
                sleep(PATIENCE).await;
            } => None,
        };
        if let Some(at) = overtaken {
            self.schedule.changed(at);
        }
        let now = Instant::now();
        let outcome = match result {
            Some(Ok(exchange)) => {
                self.pace.answered(&destination, &exchange, now);
                if exchange.answer.is_ok() {
                    self.note_access(&destination, &exchange.answer);
                }
                self.note(OPERATION, 1, &exchange);
                outcome(&exchange.answer)
            }
            Some(Err(error @ NotSent::Credentials(_))) => {
                self.no_request(&destination, &error, now);
                return Sent::NotNow;
            }
            Some(Err(NotSent::Request(error))) => {
                let error = chain(&error);
                tracing::error!(error, "storage record would break the contract, not sent");
                Outcome::Refused(Reason::Invalid)
            }
            None => {
                self.pace.storage_given_up(&destination, now);
                Outcome::Unknown
            }
        };
        Sent::With(outcome)
    }
}

fn access(step: &StorageStep) -> Access {
    Access::from(&step.place)
}

impl Tally {
    /// Says what was sent, if anything was, and how many are left.
    fn tell(&self, waiting: usize) {
        if self.sent > 0 {
            tracing::info!(
                acknowledged = self.acknowledged,
                refused = self.refused,
                unknown = self.unknown,
                waiting,
                "storage records sent"
            );
        }
    }

    fn count(&mut self, outcome: Outcome) {
        self.sent += 1;
        match outcome {
            Outcome::Acknowledged => self.acknowledged += 1,
            Outcome::Refused(_) => self.refused += 1,
            Outcome::Unknown | Outcome::Unconfirmed => self.unknown += 1,
            Outcome::NotApplied => {}
        }
    }
}

/// What an answer means for the one record that was asked about.
fn outcome(answer: &Answer) -> Outcome {
    match answer {
        Ok(_) => Outcome::Acknowledged,
        Err(Failure::Unknown { .. }) => Outcome::Unknown,
        Err(Failure::Invalid { .. } | Failure::Oversized) => Outcome::Refused(Reason::Invalid),
        Err(Failure::Refused { status, .. } | Failure::NamesRepositories { status, .. }) => {
            Outcome::Refused(match status.as_u16() {
                404 => Reason::NotFound,
                _ => Reason::Unauthorized,
            })
        }
        Err(
            Failure::NoAccess { .. }
            | Failure::BadToken { .. }
            | Failure::Limited { .. }
            | Failure::VersionWithdrawn { .. },
        ) => Outcome::NotApplied,
    }
}
