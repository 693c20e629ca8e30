//! The guard: when most names go missing at once, something else is likelier than that most of the
//! cluster is gone, so only names that are missing for long go.

use crate::model::ledger::Entry;
use crate::model::record::Identity;

use super::Why;
use super::draft::Draft;

impl Draft<'_> {
    /// Lets decommissions pass, or holds them back.
    pub(super) fn guard(&mut self) {
        let counts = |identity: &Identity, entry: &Entry| {
            // Nothing is decided about those of another host: they must not thin out the rest.
            self.policy.is_here(identity) && entry.held.is_some() && !entry.is_tombstone()
        };
        let held = self
            .ledger
            .entries()
            .filter(|(identity, entry)| counts(identity, entry));
        let missing = self.plan.missing.iter().filter(|identity| {
            let entry = self.ledger.entry(identity);
            entry.is_some_and(|entry| counts(identity, entry))
        });
        let (held, missing) = (held.count(), missing.count());
        let most_are_missing = missing >= 3 && missing * 2 > held;

        for (step, guarded) in std::mem::take(&mut self.endings) {
            let identity = &step.line.identity;
            let since = self
                .ledger
                .entry(identity)
                .and_then(|entry| entry.missing_since);
            let free_at = since.unwrap_or(self.now) + self.policy.mass_decommission_hold;
            if guarded && most_are_missing && self.now < free_at {
                self.due(free_at);
                self.plan
                    .withheld
                    .push((identity.clone(), Why::MassDecommission));
            } else {
                self.plan.decommissions.push(step);
            }
        }
    }
}
