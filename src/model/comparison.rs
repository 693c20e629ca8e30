//! Comparison: what GitHub lists against what it is to hold. Pure: lists come in as [`Listed`], and
//! what GitHub is to hold is [`Expected`], made of the facts and the ledger by the same plan that a
//! cycle makes. Who asks GitHub, and how often, is decided elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::image::Digest;
use super::record::{Body, Identity, Status, is_same_name};
use super::text_map::TextMap;
use super::workload::Source;

mod adoption;
mod expected;
#[cfg(test)]
mod tests;
mod wanted;

pub use adoption::Adoptable;
pub use expected::Expected;

/// A record as GitHub lists it under a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its key.
    pub identity: Identity,
    /// The digest that it is about.
    pub digest: Digest,
    /// Its tags.
    pub tags: TextMap,
    /// Its risks by their names at GitHub, also those that this program does not know.
    pub risks: BTreeSet<Arc<str>>,
    /// Its status, where GitHub tells it: the contract's lists do not (`contract/README.md`).
    pub status: Option<Status>,
    /// The artifact's name, where GitHub tells it.
    pub name: Option<Arc<str>>,
    /// The artifact's version, where GitHub tells it.
    pub version: Option<Arc<str>>,
    /// The repository that it was built from, where GitHub tells it.
    pub repository: Option<Arc<str>>,
}

/// How a record at GitHub differs from what it is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DifferenceKind {
    /// GitHub lists it under no digest that was asked for.
    Missing,
    /// It is in another environment.
    WrongEnvironment,
    /// It is under another digest.
    WrongDigest,
    /// It has other tags.
    WrongTags,
    /// It has other risks.
    WrongRisks,
    /// It is deployed and is to be decommissioned, or the other way round.
    WrongStatus,
    /// It is deployed, it is of this cluster and its environments, and the ledger lacks it.
    Unknown,
    /// The ledger lacks it, and GitHub does not tell its status.
    StatusNotKnown,
}

impl DifferenceKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Missing,
        Self::WrongEnvironment,
        Self::WrongDigest,
        Self::WrongTags,
        Self::WrongRisks,
        Self::WrongStatus,
        Self::Unknown,
        Self::StatusNotKnown,
    ];

    /// Its name, in kebab case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::WrongEnvironment => "wrong-environment",
            Self::WrongDigest => "wrong-digest",
            Self::WrongTags => "wrong-tags",
            Self::WrongRisks => "wrong-risks",
            Self::WrongStatus => "wrong-status",
            Self::Unknown => "unknown",
            Self::StatusNotKnown => "status-not-known",
        }
    }
}

/// A record at GitHub that is not as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// How it differs.
    pub kind: DifferenceKind,
    /// Which: as it is to be; as it is, where nobody knows what it is to be.
    pub identity: Identity,
    /// Whose it is, as far as that is known.
    pub source: Option<Source>,
    /// What it is to be, as far as that is known.
    pub expected: Option<(Arc<Body>, Status)>,
    /// What GitHub has of it.
    pub found: Option<Listed>,
}

/// What came of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// How many records are as they are to be.
    pub same: usize,
    /// The others, by identity and kind.
    pub differences: Vec<Difference>,
}

impl Comparison {
    /// Leaves only what `other`, a comparison of the same lists, finds too. Cluster and ledger
    /// change while GitHub is asked: what is right by what was known before or after is right, and
    /// a record of which nothing is left counts as the same.
    #[must_use]
    pub fn confirmed_by(mut self, other: &Self) -> Self {
        let key = |difference: &Difference| (difference.kind, difference.identity.clone());
        let others: BTreeSet<_> = other.differences.iter().map(key).collect();
        let found = |difference: &Difference| others.contains(&key(difference));
        let differ = |differences: &[Difference]| -> BTreeSet<Identity> {
            let wanted = differences.iter().filter(|it| it.expected.is_some());
            wanted.map(|it| it.identity.clone()).collect()
        };
        let before = differ(&self.differences);
        self.differences.retain(found);
        self.same += before.difference(&differ(&self.differences)).count();
        self
    }
}

impl Expected {
    /// Compares with everything that GitHub lists under [the digests](Self::digests) of it. A
    /// digest that was not asked for says nothing: what should be under it counts as the same.
    pub fn compare(&self, lists: &BTreeMap<Digest, Vec<Listed>>) -> Comparison {
        let mut by_identity: BTreeMap<&Identity, Vec<&Listed>> = BTreeMap::new();
        for record in lists.values().flatten() {
            by_identity
                .entry(&record.identity)
                .or_default()
                .push(record);
        }
        let mut comparison = Comparison::default();
        let mut astray: BTreeSet<&Identity> = BTreeSet::new();
        for (identity, wanted) in &self.wanted {
            let differences = match by_identity.get(identity) {
                Some(found) => wanted.against(identity, found),
                None if wanted.may_be_absent || !wanted.was_asked_for(lists) => Vec::new(),
                None => {
                    let other = self.elsewhere(identity, &by_identity, &astray);
                    astray.extend(other.map(|other| &other.identity));
                    vec![wanted.missing(identity, other)]
                }
            };
            comparison.same += usize::from(differences.is_empty());
            comparison.differences.extend(differences);
        }
        for (identity, found) in by_identity {
            if self.wanted.contains_key(identity) || astray.contains(identity) {
                continue;
            }
            let strange = found.into_iter().filter_map(|record| self.strange(record));
            comparison.differences.extend(strange.take(1));
        }
        let key = |difference: &Difference| (difference.identity.clone(), difference.kind);
        comparison.differences.sort_by_cached_key(key);
        comparison
    }

    /// A record of that name that is in another environment, where nobody expects one, and that
    /// does not stand for another one already.
    fn elsewhere<'a>(
        &self,
        identity: &Identity,
        by_identity: &BTreeMap<&Identity, Vec<&'a Listed>>,
        astray: &BTreeSet<&Identity>,
    ) -> Option<&'a Listed> {
        let mut others = by_identity.iter().filter(|(other, _)| {
            self.is_of_this_cluster(other)
                && is_same_name(&other.name, &identity.name)
                && !self.is_known(other)
                && !astray.contains(*other)
        });
        others.find_map(|(_, found)| found.first().copied())
    }

    /// What is to be said of a record that nobody expects; `None` where nothing is.
    fn strange(&self, record: &Listed) -> Option<Difference> {
        let difference = |kind, expected| Difference {
            kind,
            identity: record.identity.clone(),
            source: None,
            expected,
            found: Some(record.clone()),
        };
        if !self.lacks(record) {
            return None;
        }
        Some(match record.status {
            Some(_) => difference(DifferenceKind::Unknown, None),
            None => difference(DifferenceKind::StatusNotKnown, None),
        })
    }
}
