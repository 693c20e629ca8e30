//! The rest of a full snapshot: how far it is, by organization. Each of them goes on by itself, so one
//! that is left alone neither ends the snapshot of another nor holds it back.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::github::pace::Access;
use crate::model::plan::{Plan, Step};
use crate::model::record::{Destination, Identity};

/// After which identity the snapshot of each organization goes on, `None`: at its start. Of one that
/// is not listed nothing is left.
#[derive(Debug, Default)]
pub(super) struct Rest(BTreeMap<Access, Option<Identity>>);

impl Rest {
    /// A full snapshot is due. What is under way goes on: begun anew it might never end.
    pub(super) fn begin(&mut self, plan: &Plan) {
        for (access, _) in by_access(kept(plan)) {
            self.0.entry(access).or_default();
        }
    }

    /// Whether nothing is left.
    pub(super) fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    /// The organizations of which something is left.
    pub(super) fn organizations(&self) -> impl Iterator<Item = &Access> {
        self.0.keys()
    }

    /// Everything up to this identity was sent there.
    pub(super) fn passed(&mut self, access: Access, identity: Option<Identity>) {
        self.0.insert(access, identity);
    }

    /// Nothing more is sent there before the next snapshot.
    pub(super) fn end(&mut self, access: &Access) {
        self.0.remove(access);
    }

    /// The same for all organizations but these.
    pub(super) fn keep(&mut self, mut is_left: impl FnMut(&Access) -> bool) {
        self.0.retain(|access, _| is_left(access));
    }

    /// What of `plan` is left, in the order in which it is sent, by organization.
    pub(super) fn of<'a>(&self, plan: &'a Plan) -> Vec<Vec<&'a Step>> {
        if self.is_over() {
            return Vec::new();
        }
        let lists = by_access(kept(plan)).into_iter();
        let left = lists.filter_map(|(access, mut steps)| {
            if let Some(passed) = self.0.get(&access)? {
                steps.retain(|step| step.line.identity > *passed);
            }
            Some(steps)
        });
        left.filter(|steps| !steps.is_empty()).collect()
    }
}

/// What GitHub holds already, by identity. What it does not hold as it is goes before, as a change.
fn kept(plan: &Plan) -> Vec<&Step> {
    let mut kept: Vec<&Step> = plan.unchanged.iter().chain(&plan.retained).collect();
    kept.sort_by(|one, other| one.line.identity.cmp(&other.line.identity));
    kept
}

/// Steps that are sorted by identity, those of each organization by themselves.
fn by_access(steps: Vec<&Step>) -> Vec<(Access, Vec<&Step>)> {
    let mut lists: Vec<(Access, Vec<&Step>)> = Vec::new();
    let mut last: Option<&Arc<Destination>> = None;
    for step in steps {
        let destination = &step.line.identity.destination;
        let is_near = last.is_some_and(|last| Arc::ptr_eq(last, destination));
        last = Some(destination);
        let access = (!is_near).then(|| Access::from(destination));
        match (lists.last_mut(), access) {
            (Some((_, list)), None) => list.push(step),
            (Some((known, list)), Some(access)) if *known == access => list.push(step),
            (_, access) => {
                let access = access.unwrap_or_else(|| Access::from(destination));
                lists.push((access, vec![step]));
            }
        }
    }
    lists
}
