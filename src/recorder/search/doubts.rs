//! Doubts: organizations that called invalid whatever was sent there. A search costs dozens of requests of
//! the hour that all share, and finds the same each time until something is taken; so the next ones
//! ask by a few requests only, and from time to time one looks again.

use std::collections::{BTreeMap, BTreeSet};

use crate::github::pace::Access;

use super::Verdict;

/// How often in a row that came out.
#[derive(Debug, Default)]
pub(in crate::recorder) struct Doubts(BTreeMap<Access, u32>);

impl Doubts {
    /// Organizations that are only asked now.
    pub(in crate::recorder) fn asked(&self) -> BTreeSet<Access> {
        let doubted = self.0.iter();
        // Something else may be sent by then, of which part is taken.
        let asked = doubted.filter(|(_, times)| **times != 4 && !times.is_multiple_of(32));
        asked.map(|(access, _)| access.clone()).collect()
    }

    /// What a search came to.
    pub(in crate::recorder) fn learn(&mut self, verdict: &Verdict) {
        for access in &verdict.outages {
            *self.0.entry(access.clone()).or_default() += 1;
        }
        self.keep(|access| !verdict.taken.contains(access));
    }

    /// Forgets all organizations but these.
    pub(in crate::recorder) fn keep(&mut self, is_wanted: impl Fn(&Access) -> bool) {
        self.0.retain(|access, _| is_wanted(access));
    }
}

/// How many requests have to be called invalid: a record that was taken before, another one in its stead,
/// and something else.
const ANSWERS: usize = 3;

/// Organizations that one search only asks whether they take anything by now.
#[derive(Debug, Default)]
pub(super) struct Asking {
    organizations: BTreeSet<Access>,
    /// How often each of them said no.
    answers: BTreeMap<Access, usize>,
}

impl Asking {
    pub(super) fn new(organizations: BTreeSet<Access>) -> Self {
        Self {
            organizations,
            answers: BTreeMap::new(),
        }
    }

    pub(super) fn is_of(&self, access: &Access) -> bool {
        self.organizations.contains(access)
    }

    /// It called a request invalid. Returns whether nothing more is sent there.
    pub(super) fn says_no(&mut self, access: &Access) -> bool {
        *self.answers.entry(access.clone()).or_default() += 1;
        self.is_over(access)
    }

    /// Whether it said no often enough.
    pub(super) fn is_over(&self, access: &Access) -> bool {
        let answers = self.answers.get(access).copied().unwrap_or_default();
        self.is_of(access) && answers >= ANSWERS
    }
}
