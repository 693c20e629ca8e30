//! The search: what is to be sent, and what of it is sent again in parts because GitHub turned it
//! down whole, until what is at fault is alone. Without I/O: it gives batches and is told answers.
//! What a part waits for is the matter of whoever sends: `delivery` for cycles, `hand` for a person.
//!
//! Whole batches go before parts, so that what GitHub turns down holds back nothing else. Parts go
//! the deep way: each search gets to single records, however many are at fault.

mod doubts;
mod parts;
mod ruling;
mod witnesses;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::github::answer::{Answer, Failure};
use crate::github::pace::Access;
use crate::model::gap::Reason;
use crate::model::plan::{Plan, Step};
use crate::model::record::{Destination, Identity, Line, Status};

use super::batch::Batch;

use doubts::Asking;
pub(super) use doubts::Doubts;
pub(super) use ruling::{Ruling, Verdict, is_shut};

use parts::Parts;
use ruling::of_repository;

/// What is to be sent, and what is to be found out about it.
pub(super) struct Search<'a> {
    plan: &'a Plan,
    whole: VecDeque<Batch>,
    parts: Parts,
    /// Organizations that took something: what else they turn down whole is at fault itself.
    taken: BTreeSet<Access>,
    /// Witnesses that were taken again in this search.
    proven: BTreeSet<Identity>,
    /// How many records organizations were asked about, whether they take anything.
    asked: BTreeMap<Access, usize>,
    /// A record of each of them that was taken as deployed, to be asked for once more.
    took: BTreeMap<Access, Step>,
    /// Those that were asked for it.
    asked_again: BTreeSet<Access>,
    /// Organizations that said something of records: what else they deny is no lost access.
    looked: BTreeSet<Access>,
    /// Organizations of which it is believed that access is denied.
    shut: BTreeSet<Access>,
    /// Places that were asked about many of their records at once.
    asked_for_many: Vec<Arc<Destination>>,
    /// Witnesses that were denied like what they were to speak for.
    denied: Vec<Line>,
    /// Those of them that nothing was said about yet.
    unsettled: Vec<Line>,
    /// Organizations with parts that there was no cut left for.
    unsearched: BTreeSet<Access>,
    /// Records that were called invalid although they were alone.
    alone: Vec<Line>,
    /// Organizations that are only asked whether they take anything by now.
    asking: Asking,
    /// What is not sent to them, because they do not.
    left_out: Vec<Batch>,
}

impl<'a> Search<'a> {
    /// A search with nothing to send yet.
    pub(super) fn new(plan: &'a Plan) -> Self {
        Self {
            plan,
            whole: VecDeque::new(),
            parts: Parts::default(),
            taken: BTreeSet::new(),
            proven: BTreeSet::new(),
            asked: BTreeMap::new(),
            took: BTreeMap::new(),
            asked_again: BTreeSet::new(),
            looked: BTreeSet::new(),
            shut: BTreeSet::new(),
            asked_for_many: Vec::new(),
            denied: Vec::new(),
            unsettled: Vec::new(),
            unsearched: BTreeSet::new(),
            alone: Vec::new(),
            asking: Asking::default(),
            left_out: Vec::new(),
        }
    }

    /// The same, but these are only asked: until they take something, nothing is searched for there.
    #[must_use]
    pub(super) fn only_asking(self, organizations: BTreeSet<Access>) -> Self {
        let asking = Asking::new(organizations);
        Self { asking, ..self }
    }

    /// This is to be sent too.
    pub(super) fn add(&mut self, batch: Batch) {
        self.whole.push_back(batch);
    }

    /// Sends first what `rank` puts first, as far as it is whole: parts wait for what is whole.
    pub(super) fn prefer<R: Ord>(&mut self, rank: impl FnMut(&Batch) -> R) {
        self.whole.make_contiguous().sort_by_cached_key(rank);
    }

    /// What is to be sent next.
    pub(super) fn next(&mut self) -> Option<Batch> {
        // While an organization took nothing, its oldest part is tried, as the one farthest from what
        // is invalid so far: whether anything is taken decides all.
        let alone = self.alone.iter().map(|line| &line.identity.destination);
        let alone: BTreeSet<Access> = alone.map(Access::from).collect();
        let in_doubt = |access: &Access| alone.contains(access) && !self.taken.contains(access);
        while let Some(batch) = self.whole.pop_front() {
            let access = batch.access();
            if self.asking.is_over(&access) {
                self.left_out.push(batch);
                continue;
            }
            if self.is_only_asked(&access) && !self.asked.contains_key(&access) {
                // The answer to what was taken before is worth more than any other.
                if let Some(witness) = self.witness_outside(&batch).cloned() {
                    self.count_question(&access);
                    self.whole.push_front(batch);
                    return Some(Batch::alone(witness));
                }
            }
            return Some(batch);
        }
        while let Some(part) = self.parts.next(in_doubt) {
            if !self.asking.is_over(&part.access()) {
                return Some(part);
            }
            self.left_out.push(part);
        }
        None
    }

    fn is_only_asked(&self, access: &Access) -> bool {
        self.asking.is_of(access) && !self.taken.contains(access)
    }

    /// Whether something was found out, and only parts are left: they may wait for the next search.
    pub(super) fn may_wait(&self) -> bool {
        self.whole.is_empty() && self.alone.iter().any(|line| self.takes(line))
    }

    /// What was not sent in the end.
    pub(super) fn rest(&mut self) -> impl Iterator<Item = Batch> {
        let left = self.left_out.drain(..).chain(self.whole.drain(..));
        left.chain(self.parts.drain())
    }

    /// What `answer` means for the lines of `batch`.
    pub(super) fn answered(&mut self, batch: Batch, answer: &Answer) -> Ruling {
        if let Ok(_) | Err(Failure::Invalid { .. } | Failure::NamesRepositories { .. }) = answer {
            self.looked.insert(batch.access());
        }
        match answer {
            Ok(taken) => {
                if taken.count(batch.steps.len()) > 0 {
                    self.taken.insert(Access::from(&batch.destination));
                }
                let refused: BTreeSet<usize> =
                    taken.refused.iter().map(|(index, _)| *index).collect();
                let deployed = batch.steps.iter().enumerate().find(|(index, step)| {
                    step.line.status == Status::Deployed && !refused.contains(index)
                });
                if let Some((_, step)) = deployed {
                    self.took.insert(batch.access(), step.clone());
                }
                let others = batch.steps.len() - batch.witnesses;
                let witnesses = batch.steps.into_iter().enumerate().skip(others);
                let proven = witnesses.filter(|(index, _)| !refused.contains(index));
                self.proven
                    .extend(proven.map(|(_, step)| step.line.identity));
                Ruling::Settled
            }
            Err(Failure::Invalid { .. }) => self.turned_down(batch, None),
            Err(Failure::Oversized) => self.turned_down(batch, Some(Reason::Invalid)),
            Err(Failure::NamesRepositories { status, .. }) => {
                self.turned_down(batch, Some(of_repository(*status)))
            }
            Err(Failure::NoAccess { status, .. }) => {
                if let Some(word) = self.second_word(&batch) {
                    return self.denied(batch, word, *status);
                }
                self.shut.insert(batch.access());
                Ruling::Settled
            }
            Err(
                Failure::Unknown { .. }
                | Failure::Refused { .. }
                | Failure::BadToken { .. }
                | Failure::Limited { .. }
                | Failure::VersionWithdrawn { .. },
            ) => Ruling::Settled,
        }
    }

    /// GitHub took nothing of `batch`: its halves are tried, or, where it is one record, that is
    /// refused for `reason`; without one only if others are taken.
    fn turned_down(&mut self, batch: Batch, reason: Option<Reason>) -> Ruling {
        let access = batch.access();
        if reason.is_none() && self.is_only_asked(&access) && self.asking.says_no(&access) {
            self.unsearched.insert(access);
            return Ruling::Dropped;
        }
        if batch.steps.len() > 1 && !self.parts.may_cut(&access) {
            self.unsearched.insert(access);
            self.ask_whether_anything_is_taken(&batch);
            return Ruling::Dropped;
        }
        match (batch.halves(), reason) {
            (Ok(halves), _) => {
                self.parts.add(access, halves);
                Ruling::Later
            }
            (Err(mut batch), Some(reason)) => match batch.steps.pop() {
                Some(step) => Ruling::Refused(step.line, reason),
                None => Ruling::Later,
            },
            (Err(batch), None) => {
                self.ask_whether_anything_is_taken(&batch);
                self.alone
                    .extend(batch.steps.into_iter().map(|step| step.line));
                Ruling::Later
            }
        }
    }

    /// What was alone, judged by what else was taken.
    pub(super) fn verdict(&mut self) -> Verdict {
        let mut alone = std::mem::take(&mut self.alone);
        alone.sort_by(|one, other| one.identity.cmp(&other.identity));
        alone.dedup_by(|one, other| one.identity == other.identity);
        let (invalid, undecided): (Vec<Line>, Vec<Line>) =
            alone.into_iter().partition(|line| self.takes(line));
        let unsearched = std::mem::take(&mut self.unsearched);
        let undecided_at = undecided.iter().map(|line| &*line.identity.destination);
        let mut outages: BTreeSet<Access> = undecided_at.map(Access::from).collect();
        outages.extend(unsearched.difference(&self.taken).cloned());
        Verdict {
            invalid,
            undecided,
            witnesses: std::mem::take(&mut self.unsettled),
            outages,
            taken: self.taken.clone(),
        }
    }

    fn takes(&self, line: &Line) -> bool {
        self.taken
            .contains(&Access::from(&line.identity.destination))
    }
}

#[cfg(test)]
mod tests;
