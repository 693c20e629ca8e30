//! The guard: when most names go missing at once, something else is likelier than that most of the
//! cluster is gone, so only names that are missing for long go.

use super::Why;
use super::draft::Draft;

impl Draft<'_> {
    /// Lets decommissions pass, or holds them back.
    pub(super) fn guard(&mut self) {
        let held = |identity| {
            self.ledger
                .entry(identity)
                .is_some_and(|entry| entry.held.is_some() && !entry.is_tombstone())
        };
        let known = self
            .ledger
            .entries()
            .filter(|(identity, _)| held(identity))
            .count();
        let missing = self
            .plan
            .missing
            .iter()
            .filter(|identity| held(identity))
            .count();
        let most_are_missing = missing >= 3 && missing * 2 > known;

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
