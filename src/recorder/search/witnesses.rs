//! Witnesses: records that GitHub took before, which are asked whether an organization takes anything, or
//! whether a request holds only what GitHub does not find.

use std::collections::BTreeSet;

use http::StatusCode;

use crate::github::answer::{Answer, Failure};
use crate::github::pace::{Access, Purpose};
use crate::github::request::MAX_LINES;
use crate::model::plan::Step;
use crate::model::record::{Destination, Identity};

use super::ruling::of_repository;
use super::{Batch, Ruling, Search};

/// How many records that GitHub took before have to meet the same until it is believed. One may be at
/// fault itself since.
const WITNESSES: usize = 2;

/// How many of all that it took are asked for at last, in one request: those two may be of one repository that
/// is gone, or was taken out of what the App may see.
const MANY: usize = 100;

impl<'a> Search<'a> {
    /// Whether an answer that denies the access to an organization is not believed: too few records that
    /// it took before met it, or others were taken. Where none of the repositories of a request is one that
    /// GitHub finds, it answers just so.
    pub(in crate::recorder) fn doubts(&self, batch: &Batch, answer: &Answer) -> bool {
        matches!(answer, Err(Failure::NoAccess { .. })) && self.second_word(batch).is_some()
    }

    /// Access is denied, which is not believed yet: what was said is asked once more, with another
    /// witness.
    pub(super) fn denied(
        &mut self,
        mut batch: Batch,
        word: SecondWord,
        status: StatusCode,
    ) -> Ruling {
        let witnesses = batch.split_off_witnesses();
        let witnesses = witnesses.into_iter().map(|step| step.line);
        self.unsettled.extend(witnesses.clone());
        self.denied.extend(witnesses);
        match word {
            SecondWord::Witness(witness) if !batch.steps.is_empty() => {
                batch.steps.push(witness);
                batch.witnesses = 1;
                self.whole.push_front(batch);
            }
            SecondWord::Taken if !batch.steps.is_empty() => {
                return self.turned_down(batch, Some(of_repository(status)));
            }
            SecondWord::Taken => {}
            SecondWord::Witness(witness) | SecondWord::Elsewhere(witness) => {
                self.count_question(&Access::from(&batch.destination));
                self.ask_first(Batch::alone(witness), batch);
            }
            SecondWord::Again(step) => {
                self.asked_again.insert(batch.access());
                self.ask_first(Batch::alone(step), batch);
            }
            SecondWord::Many(witnesses) => {
                self.asked_for_many.push(witnesses.destination.clone());
                self.ask_first(witnesses, batch);
            }
        }
        Ruling::Later
    }

    /// The question goes next, and then what of the batch is left.
    fn ask_first(&mut self, question: Batch, batch: Batch) {
        if !batch.steps.is_empty() {
            self.whole.push_front(batch);
        }
        self.whole.push_front(question);
    }

    /// Tries a record that was taken before, where nothing was taken in this search.
    pub(super) fn ask_whether_anything_is_taken(&mut self, batch: &Batch) {
        let access = Access::from(&batch.destination);
        if self.taken.contains(&access) || !self.may_ask(&access) {
            return;
        }
        if let Some(witness) = self.witness_outside(batch).cloned() {
            self.count_question(&access);
            self.whole.push_front(Batch::alone(witness));
        }
    }

    pub(super) fn may_ask(&self, access: &Access) -> bool {
        self.asked
            .get(access)
            .is_none_or(|count| *count < WITNESSES)
    }

    pub(super) fn count_question(&mut self, access: &Access) {
        *self.asked.entry(access.clone()).or_default() += 1;
    }

    /// What tells whether it is access that is denied, where that is not sure.
    pub(super) fn second_word(&self, batch: &Batch) -> Option<SecondWord> {
        let access = Access::from(&batch.destination);
        let denied = self.denied.iter();
        let denied = denied.filter(|line| Access::from(&line.identity.destination) == access);
        let is_enough = denied.count() + batch.witnesses >= WITNESSES;
        // What GitHub found a moment ago it would find.
        let took = self.took.get(&access);
        let is_found = |identity: &Identity| {
            self.proven.contains(identity) || took.is_some_and(|it| it.line.identity == *identity)
        };
        let others = batch.steps.len() - batch.witnesses;
        let mut own = batch.steps.iter().skip(others);
        if self.shut.contains(&access) || own.any(|step| is_found(&step.line.identity)) {
            return None;
        }
        let again = took.filter(|_| !self.asked_again.contains(&access));
        let witness = self.witness_outside(batch).cloned();
        let fits = |witness: &Step| {
            let identity = &witness.line.identity;
            is_of(witness, &batch.destination)
                && batch.steps.len() < MAX_LINES
                && (!is_enough || self.proven.contains(identity))
        };
        match witness {
            Some(witness) if fits(&witness) => Some(SecondWord::Witness(witness)),
            _ if self.looked.contains(&access) => Some(match again {
                Some(step) => SecondWord::Again(step.clone()),
                None => SecondWord::Taken,
            }),
            _ if is_enough => self.many_outside(batch).map(SecondWord::Many),
            Some(witness) if self.may_ask(&access) => Some(SecondWord::Elsewhere(witness)),
            _ => None,
        }
    }

    /// Many records that GitHub has taken as they are before, of one place that was not asked for those yet:
    /// the batch's own, else another one, and of no more than [`WITNESSES`].
    fn many_outside(&self, batch: &Batch) -> Option<Batch> {
        let access = batch.access();
        let asked = self.asked_for_many.iter();
        let asked: Vec<_> = asked.filter(|it| Access::from(&***it) == access).collect();
        if asked.len() >= WITNESSES {
            return None;
        }
        let is_new = |step: &&Step| !asked.iter().any(|place| is_of(step, place));
        let new = self.outside(batch);
        let new: Vec<&Step> = new.into_iter().filter(is_new).collect();
        let near = new.iter().find(|step| is_of(step, &batch.destination));
        let destination = &near.or(new.first())?.line.identity.destination;
        let all: Vec<&Step> = new
            .iter()
            .copied()
            .filter(|step| is_of(step, destination))
            .collect();
        let every = all.len().div_ceil(MANY);
        let steps: Vec<Step> = all.into_iter().step_by(every).cloned().collect();
        Some(Batch {
            destination: destination.clone(),
            witnesses: steps.len(),
            steps,
            purpose: Purpose::Change,
        })
    }

    /// The records of the organization that GitHub has taken as they are before, and which are neither in this
    /// batch nor turned down or denied themselves.
    fn outside(&self, batch: &Batch) -> Vec<&'a Step> {
        let access = batch.access();
        let inside = batch.steps.iter().map(|step| &step.line.identity);
        let tried = self.alone.iter().chain(&self.denied);
        let tried = tried.map(|line| &line.identity);
        let tried: BTreeSet<&Identity> = inside.chain(tried).collect();
        let is_outside = |identity: &Identity| {
            !tried.contains(identity) && Access::from(&*identity.destination) == access
        };
        let unchanged = self.plan.unchanged.iter();
        unchanged
            .filter(|step| is_outside(&step.line.identity))
            .collect()
    }

    /// One of those: of the same place where there is one, best one that was taken again in this search.
    pub(super) fn witness_outside(&self, batch: &Batch) -> Option<&'a Step> {
        let outside = self.outside(batch);
        let near = || {
            outside
                .iter()
                .filter(|step| is_of(step, &batch.destination))
        };
        let proven = near().find(|step| self.proven.contains(&step.line.identity));
        let found = proven.or_else(|| near().next());
        found.or(outside.first()).copied()
    }
}

/// Whether it is a record of that place.
fn is_of(step: &Step, place: &Destination) -> bool {
    step.line.identity.destination.is_spelled_as(place)
}

/// What tells whether access is denied to an organization, or a request holds only what GitHub does
/// not find.
pub(super) enum SecondWord {
    /// The same request with a record in it that was taken before.
    Witness(Step),
    /// Something was taken in this very search, or called wrong by itself.
    Taken,
    /// What was taken, in a request of its own.
    Again(Step),
    /// A record that was taken before, in a request of its own.
    Elsewhere(Step),
    /// Many of them.
    Many(Batch),
}
