//! What GitHub may hold under an identity instead of what it acknowledged last, because an answer is
//! missing.

use std::sync::Arc;

use crate::model::record::{Body, Status};
use crate::model::workload::Source;

use super::Entry;
use crate::model::ledger::sent::Sent;

impl Entry {
    /// Whether something else than what GitHub acknowledged last may still be applied, so that
    /// saying the latter again could undo it.
    pub fn is_in_doubt(&self) -> bool {
        let held = self.held.as_ref();
        let is_in_doubt = self.unanswered().any(|sent| {
            let as_held = held == Some(&sent.body) && sent.status == Status::Deployed;
            !as_held
        });
        is_in_doubt && self.unknown_since.is_some()
    }

    /// Whether something that was never answered may have ended it or given it to somebody else.
    pub fn may_be_undone(&self) -> bool {
        self.unanswered().any(|sent| !self.is_own_report(sent))
    }

    /// Whether a report that was never answered may have given it to somebody else.
    pub fn may_be_anothers(&self) -> bool {
        let mut reports = self
            .unanswered()
            .filter(|sent| sent.status == Status::Deployed);
        reports.any(|sent| sent.owner != self.owner)
    }

    /// Whether all that was never answered was said for one and the same.
    pub fn is_of_one(&self) -> bool {
        let mut owners = self.unanswered().map(|sent| &sent.owner);
        let first = owners.next();
        owners.all(|owner| Some(owner) == first)
    }

    /// Whether GitHub has acknowledged it for `source`, as deployed, and nothing that was said since may
    /// have undone that.
    pub fn stands_for(&self, source: &Source) -> bool {
        let is_its = self.is_acknowledged() && self.owner.source() == Some(source);
        is_its && (self.acknowledged_since || !self.may_be_undone())
    }

    /// What was said of its owner last: a report that was never answered, or what is held.
    pub fn said_last(&self) -> Option<&Arc<Body>> {
        let own = self.unanswered().rfind(|sent| self.is_own_report(sent));
        let newer = own.filter(|_| !self.acknowledged_since);
        newer.map(|sent| &sent.body).or(self.held.as_ref())
    }

    /// The report by which somebody may have this name although it is another's, or has ended: it was
    /// never answered, and nothing was sent or acknowledged since.
    pub fn claim(&self) -> Option<&Sent> {
        let newest = self.unanswered().next_back()?;
        let is_report = newest.status == Status::Deployed;
        let is_claim = self.tombstone || newest.owner != self.owner;
        (is_report && is_claim && !self.acknowledged_since).then_some(newest)
    }
}
