//! Booking: what became of lines, told to the ledger, and what a search came to.

use tokio::time::Instant;

use crate::github::answer::Answer;
use crate::model::gap::Reason;
use crate::model::ledger::Outcome;
use crate::model::record::Line;

use super::delivery::Run;
use super::search::Verdict;
use super::{Recorder, Transport, outcome};

impl<S: Transport> Recorder<S> {
    /// Tells the ledger what an answer means for each line.
    pub(super) fn settle(&mut self, lines: &[Line], answer: &Answer, run: &Run) {
        let changed_at = self.changed_at(lines, run);
        for (line, outcome) in lines.iter().zip(outcome::of(answer, lines.len())) {
            if let (Outcome::Acknowledged, Some(changed_at)) = (outcome, changed_at) {
                self.note_lag(line, changed_at);
            }
            self.book(std::slice::from_ref(line), outcome);
        }
    }

    /// Tells the ledger what became of lines.
    pub(super) fn book(&mut self, lines: &[Line], outcome: Outcome) {
        let now = self.clock.now();
        for line in lines {
            self.ledger
                .answer(line, outcome, now, self.settings.policy.settle_after);
        }
    }

    /// What was turned down alone is at fault if anything else was taken; else GitHub turns
    /// everything down, which says nothing of any record.
    pub(super) fn judge(&mut self, verdict: &Verdict) {
        for line in &verdict.invalid {
            tracing::warn!(record = %line.identity, "GitHub calls this record invalid, it is set apart");
        }
        self.book(&verdict.invalid, Outcome::Refused(Reason::Invalid));
        self.book(&verdict.undecided, Outcome::NotApplied);
        self.book(&verdict.witnesses, Outcome::NotApplied);
        self.doubts.learn(verdict);
        for access in &verdict.outages {
            self.pace.outage(access.clone(), Instant::now());
            let organization = access.organization();
            tracing::error!(
                organization,
                "GitHub calls invalid whatever is sent alone and takes nothing else, which is taken for an outage"
            );
        }
    }
}
