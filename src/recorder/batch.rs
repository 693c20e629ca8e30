//! Batches: the lines of a plan in the order in which they are sent, cut into requests.

use std::sync::Arc;

use crate::github::pace::Purpose;
use crate::github::request::MAX_LINES;
use crate::model::plan::{Plan, Step};
use crate::model::record::{Destination, Identity};

/// The lines of one request.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    /// Where it goes.
    pub(super) destination: Arc<Destination>,
    /// Its lines, at most [`MAX_LINES`], all reports or all decommissions.
    pub(super) steps: Vec<Step>,
    /// What it is for.
    pub(super) purpose: Purpose,
}

/// The changes of a plan: reports of names that GitHub holds, then of those it never held, then
/// decommissions.
///
/// A batch of never-held names carries one unchanged record as a witness, where there is one: a
/// request that GitHub turns down whole although it has the witness in it says nothing of the
/// other names.
pub(super) fn changes(plan: &Plan) -> Vec<Batch> {
    let (fresh, known): (Vec<&Step>, Vec<&Step>) = plan.reports.iter().partition(|step| step.fresh);
    let mut batches = cut(known, MAX_LINES, Purpose::Change);
    let with_witness = usize::from(!plan.unchanged.is_empty());
    let mut newcomers = cut(fresh, MAX_LINES - with_witness, Purpose::Change);
    for batch in &mut newcomers {
        batch
            .steps
            .extend(witness(plan, &batch.destination).cloned());
    }
    batches.append(&mut newcomers);
    batches.append(&mut cut(
        plan.decommissions.iter().collect(),
        MAX_LINES,
        Purpose::Change,
    ));
    batches
}

/// The full snapshot from `cursor` on, or from its start: what GitHub holds already. What it does
/// not hold as it is goes before, as a change.
pub(super) fn snapshot(plan: &Plan, cursor: Option<&Identity>) -> Vec<Batch> {
    let kept = plan.unchanged.iter().chain(&plan.retained);
    let mut steps: Vec<&Step> = kept
        .filter(|step| cursor.is_none_or(|cursor| step.line.identity > *cursor))
        .collect();
    steps.sort_by(|one, other| one.line.identity.cmp(&other.line.identity));
    cut(steps, MAX_LINES, Purpose::Snapshot)
}

/// How many requests everything takes that the full snapshot is to hold.
pub(super) fn requests(plan: &Plan) -> usize {
    cut(plan.snapshot(), MAX_LINES, Purpose::Snapshot).len()
}

/// An unchanged record of that destination.
pub(super) fn witness<'a>(plan: &'a Plan, destination: &Destination) -> Option<&'a Step> {
    plan.unchanged
        .iter()
        .find(|step| step.line.identity.destination.is_spelled_as(destination))
}

/// An unchanged record of that organization, wherever else it goes.
pub(super) fn witness_of_organization<'a>(
    plan: &'a Plan,
    destination: &Destination,
) -> Option<&'a Step> {
    plan.unchanged.iter().find(|step| {
        let other = &step.line.identity.destination;
        other.host == destination.host && other.organization == destination.organization
    })
}

impl Batch {
    /// The first half and the second; `None` for a batch of one line.
    pub(super) fn halves(self) -> Result<[Self; 2], Self> {
        if self.steps.len() < 2 {
            return Err(self);
        }
        let Self {
            destination,
            mut steps,
            purpose,
        } = self;
        let second = steps.split_off(steps.len() / 2);
        let first = Self {
            destination: destination.clone(),
            steps,
            purpose,
        };
        Ok([
            first,
            Self {
                destination,
                steps: second,
                purpose,
            },
        ])
    }
}

/// Cuts lines into batches, one destination each, in the order of the lines.
fn cut(steps: Vec<&Step>, most: usize, purpose: Purpose) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    for step in steps {
        let destination = &step.line.identity.destination;
        let fits = |batch: &&mut Batch| {
            batch.steps.len() < most && batch.destination.is_spelled_as(destination)
        };
        match batches.iter_mut().rev().find(fits) {
            Some(batch) => batch.steps.push(step.clone()),
            None => batches.push(Batch {
                destination: destination.clone(),
                steps: vec![step.clone()],
                purpose,
            }),
        }
    }
    batches
}
