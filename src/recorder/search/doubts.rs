//! Doubts: organizations that called invalid whatever was sent there. A search costs dozens of requests of
//! the hour that all share, and finds the same each time until something is taken; so the next ones
//! ask by one request only, and few look again.

use std::collections::{BTreeMap, BTreeSet};

use crate::github::pace::Access;

use super::Verdict;

/// How many searches in a row came to that.
#[derive(Debug, Default)]
pub(in crate::recorder) struct Doubts(BTreeMap<Access, u32>);

impl Doubts {
    /// Organizations that are only asked now.
    pub(in crate::recorder) fn asked(&self) -> BTreeSet<Access> {
        let doubted = self.0.iter();
        // Something else may be sent by then, of which part is taken.
        let asked = doubted.filter(|(_, times)| **times != 4 && !times.is_multiple_of(16));
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
