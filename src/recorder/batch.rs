//! Batches: the lines of a plan in the order in which they are sent, cut into requests.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::github::pace::{Access, Purpose};
use crate::model::plan::{Plan, Step};
use crate::model::record::{Destination, Identity, Line};

use super::rest::Rest;

/// The lines of one request.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    /// Where it goes.
    pub(super) destination: Arc<Destination>,
    /// Its lines: all reports or all decommissions, but for a witness, which comes last.
    pub(super) steps: Vec<Step>,
    /// What it is for.
    pub(super) purpose: Purpose,
    /// How many of its last lines are records that GitHub has taken before as they are: what it does to
    /// all of them says nothing of the others then.
    pub(super) witnesses: usize,
}

/// The changes of a plan: reports of names that GitHub holds, then of those it never held, then
/// decommissions.
///
/// A batch of never-held names carries one unchanged record as a witness, where there is one: a
/// request that GitHub turns down whole although it has the witness in it says nothing of the
/// other names. No batch has more than `most` lines.
pub(super) fn changes(plan: &Plan, most: usize) -> Vec<Batch> {
    let (fresh, known): (Vec<&Step>, Vec<&Step>) = plan.reports.iter().partition(|step| step.fresh);
    let mut batches = cut(known, most, Purpose::Change);
    let with_witness = usize::from(!plan.unchanged.is_empty());
    let mut newcomers = cut(fresh, most - with_witness, Purpose::Change);
    for batch in &mut newcomers {
        if let Some(witness) = witness(plan, &batch.destination) {
            batch.steps.push(witness.clone());
            batch.witnesses = 1;
        }
    }
    batches.append(&mut newcomers);
    let ends = plan.decommissions.iter().collect();
    batches.append(&mut cut(ends, most, Purpose::Change));
    batches
}

/// What is left of the full snapshot, the organizations in turn.
pub(super) fn snapshot(plan: &Plan, rest: &Rest, most: usize) -> Vec<Batch> {
    let lists = rest.of(plan).into_iter();
    let lists = lists.map(|steps| cut(steps, most, Purpose::Snapshot).into_iter());
    let mut lists: VecDeque<_> = lists.collect();
    let mut batches = Vec::new();
    while let Some(mut list) = lists.pop_front() {
        if let Some(batch) = list.next() {
            batches.push(batch);
            lists.push_back(list);
        }
    }
    batches
}

/// How many requests everything takes that the full snapshot is to hold.
pub(super) fn requests(plan: &Plan, most: usize) -> usize {
    cut(plan.snapshot(), most, Purpose::Snapshot).len()
}

/// An unchanged record of that destination.
fn witness<'a>(plan: &'a Plan, destination: &Destination) -> Option<&'a Step> {
    plan.unchanged
        .iter()
        .find(|step| step.line.identity.destination.is_spelled_as(destination))
}

impl Batch {
    /// A batch of this record alone, which GitHub has taken before as it is.
    pub(super) fn alone(witness: Step) -> Self {
        Self {
            destination: witness.line.identity.destination.clone(),
            steps: vec![witness],
            purpose: Purpose::Change,
            witnesses: 1,
        }
    }

    /// Takes the witnesses off.
    pub(super) fn split_off_witnesses(&mut self) -> Vec<Step> {
        let others = self.steps.len() - std::mem::take(&mut self.witnesses);
        self.steps.split_off(others)
    }

    /// The organization that it goes to.
    pub(super) fn access(&self) -> Access {
        Access::from(&self.destination)
    }

    /// The keys of its records.
    pub(super) fn identities(&self) -> impl Iterator<Item = &Identity> {
        self.steps.iter().map(|step| &step.line.identity)
    }

    /// Its lines, as they are sent.
    pub(super) fn lines(&self) -> Vec<Line> {
        self.steps.iter().map(|step| step.line.clone()).collect()
    }

    /// The first half and the second; itself if it is of one line.
    pub(super) fn halves(mut self) -> Result<[Self; 2], Self> {
        if self.steps.len() < 2 {
            return Err(self);
        }
        let steps = self.steps.split_off(self.steps.len() / 2);
        let second = Self {
            destination: self.destination.clone(),
            witnesses: self.witnesses.min(steps.len()),
            steps,
            purpose: self.purpose,
        };
        self.witnesses -= second.witnesses;
        Ok([self, second])
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
                witnesses: 0,
            }),
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixtures::Scene;

    #[test]
    fn a_snapshot_takes_a_request_for_each_so_many_records_and_place() {
        let mut scene = Scene::new();
        for number in 0..25 {
            scene.deploy(&format!("web-{number}"), "app", 1);
        }
        let plan = scene.plan();
        assert_eq!([25, 24, 10].map(|most| requests(&plan, most)), [1, 2, 3]);
        assert_eq!(requests(&Plan::default(), 10), 0);
    }
}
