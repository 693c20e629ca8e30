//! The rest of a full snapshot: which records GitHub is still to be told once more. Each waits by
//! itself, so an organization that is left alone neither ends the snapshot of another nor holds it
//! back, and what is not seen at the moment is told as soon as it is.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::github::pace::Access;
use crate::model::plan::{Plan, Step};
use crate::model::record::Identity;

/// What the full snapshot has not sent yet.
#[derive(Debug, Default)]
pub(super) struct Rest {
    left: BTreeSet<Identity>,
    /// The organizations of which something was left that could have been sent when the last cycle ended.
    under_way: BTreeSet<Access>,
}

impl Rest {
    /// A full snapshot is due: everything that GitHub holds. What is under way goes on: begun anew it
    /// might never end. Where the last one only waits for what cannot be seen, the next one begins.
    pub(super) fn begin(&mut self, plan: &Plan) {
        let mut all: Vec<&Identity> = held(plan).collect();
        all.sort_unstable();
        for of_one in all.chunk_by(|one, other| is_of_one(one, other)) {
            let access = of_one.first().map(|it| Access::from(&it.destination));
            if access.is_some_and(|access| !self.under_way.contains(&access)) {
                self.left.extend(of_one.iter().copied().cloned());
            }
        }
    }

    /// A cycle ends; of these organizations something is left that can be sent.
    pub(super) fn goes_on(&mut self, organizations: impl Iterator<Item = Access>) {
        self.under_way = organizations.collect();
    }

    /// These were sent.
    pub(super) fn sent(&mut self, identities: &[Identity]) {
        for identity in identities {
            self.left.remove(identity);
        }
    }

    /// Nothing more is sent to this organization before the next snapshot.
    pub(super) fn end(&mut self, access: &Access) {
        self.left
            .retain(|it| Access::from(&it.destination) != *access);
    }

    /// What GitHub does not hold any more as it is, is not repeated.
    pub(super) fn keep(&mut self, plan: &Plan) {
        if !self.left.is_empty() {
            let held: BTreeSet<&Identity> = held(plan).collect();
            self.left.retain(|identity| held.contains(identity));
        }
    }

    /// What can be sent of it now, in the order in which it is sent, by organization.
    pub(super) fn of<'a>(&self, plan: &'a Plan) -> Vec<Vec<&'a Step>> {
        if self.left.is_empty() {
            return Vec::new();
        }
        let mut left: Vec<&Step> = kept(plan)
            .filter(|step| self.left.contains(&step.line.identity))
            .collect();
        left.sort_by(|one, other| one.line.identity.cmp(&other.line.identity));
        left.chunk_by(|one, other| is_of_one(&one.line.identity, &other.line.identity))
            .map(<[_]>::to_vec)
            .collect()
    }
}

/// What GitHub holds already and is told as it is. What it does not hold so goes before, as a change.
fn kept(plan: &Plan) -> impl Iterator<Item = &Step> {
    plan.unchanged.iter().chain(&plan.retained)
}

/// The same, and what nothing can be said of now.
fn held(plan: &Plan) -> impl Iterator<Item = &Identity> {
    let withheld = plan.withheld.iter().map(|(identity, _)| identity);
    kept(plan).map(|step| &step.line.identity).chain(withheld)
}

/// Whether both go to one organization.
fn is_of_one(one: &Identity, other: &Identity) -> bool {
    let (one, other) = (&one.destination, &other.destination);
    Arc::ptr_eq(one, other) || Access::from(one) == Access::from(other)
}

#[cfg(test)]
mod tests;
