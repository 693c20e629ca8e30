//! Causes: what events are written for, each once for a workload, however many containers and pods it
//! is seen in.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::gap::{Reason, Subject};
use crate::model::inventory::Inventory;
use crate::model::plan::Plan;
use crate::model::workload::Workload;

/// Something that is wrong with what a workload says, or with its record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::recorder) struct Cause {
    /// The workload.
    pub(super) workload: Workload,
    /// The uid of its object, as its pods have it; `None` where it has no pods.
    pub(super) uid: Option<Arc<str>>,
    /// What is wrong.
    pub(super) reason: Reason,
    /// The value that was found, or the record that was refused.
    pub(super) detail: Arc<str>,
}

/// What a person who sees the workload can do something about: its annotations, and what GitHub
/// refuses of it. Everything else is for whoever runs this program.
fn concerns(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::InvalidTag
            | Reason::TooManyTags
            | Reason::InvalidRisk
            | Reason::InvalidRepository
            | Reason::NotFound
            | Reason::Unauthorized
            | Reason::Invalid
    )
}

/// Everything that is wrong now.
pub(super) fn all(plan: &Plan, inventory: &Inventory) -> BTreeSet<Cause> {
    let gaps = plan.gaps.iter().filter(|gap| concerns(gap.reason));
    let causes = gaps.filter_map(|gap| match &gap.subject {
        Subject::Source(source) => Some(Cause {
            workload: source.workload.clone(),
            uid: inventory.uid(&source.workload).cloned(),
            reason: gap.reason,
            detail: gap.detail.clone(),
        }),
        Subject::Pod { .. } => None,
    });
    causes.collect()
}
