//! What is not sent: there is no token for it, or it would break the contract.

use tokio::time::Instant;

use crate::github::exchange::NotSent;
use crate::model::gap::Reason;
use crate::model::ledger::Outcome;
use crate::model::record::{Destination, Line};

use super::batch::Batch;
use super::search::Search;
use super::{Recorder, Transport};

impl<S: Transport> Recorder<S> {
    /// The request never left: there is no token, or it would break the contract.
    pub(super) fn nothing_left(
        &mut self,
        batch: &Batch,
        lines: &[Line],
        error: &NotSent,
        now: Instant,
    ) {
        self.book(lines, Outcome::NotApplied);
        self.no_request(&batch.destination, error, now);
    }

    /// No request to that destination could be made.
    pub(super) fn no_request(&mut self, destination: &Destination, error: &NotSent, now: Instant) {
        let message = super::chain(error);
        self.note_turn(destination, true);
        match error {
            NotSent::Credentials(error) => {
                self.pace.unsent(destination, error, now);
                self.status.lock().auth_failures += 1;
                self.block(destination, &message);
            }
            NotSent::Request(_) => {
                // It was checked before.
                self.pace.outage(destination, now);
                tracing::error!(
                    error = message,
                    "request would break the contract, not sent"
                );
            }
        }
    }

    /// Sets those records apart that break the contract by themselves, and has the others sent. The
    /// core keeps the contract's limits, so this is a defect of ours; it is not to cost more than
    /// those records.
    pub(super) fn leave_out_unlawful(&mut self, batch: &Batch, search: &mut Search<'_>) {
        let Some(github) = &self.github else {
            return;
        };
        let check = |line: &Line| github.check(&batch.destination, std::slice::from_ref(line));
        let (mut lawful, mut unlawful) = (batch.clone(), Vec::new());
        lawful.steps.retain(|step| match check(&step.line) {
            Ok(()) => true,
            Err(error) => {
                let (record, error) = (&step.line.identity, super::chain(&error));
                tracing::error!(%record, error, "record would break the contract, not sent");
                unlawful.push(step.line.clone());
                false
            }
        });
        lawful.witnesses = lawful.witnesses.min(lawful.steps.len());
        self.book(&unlawful, Outcome::Refused(Reason::Invalid));
        if unlawful.is_empty() {
            tracing::error!("request would break the contract, not sent");
            self.book(&batch.lines(), Outcome::NotApplied);
            self.pace.outage(&batch.destination, Instant::now());
        } else if !lawful.steps.is_empty() {
            search.add(lawful);
        }
    }
}
