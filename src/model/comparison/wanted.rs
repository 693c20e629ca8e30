//! What GitHub is to hold under one identity, and how what it lists differs from that.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::image::Digest;
use crate::model::ledger::{Entry, Fate, Owner};
use crate::model::record::{Body, Identity, Status};
use crate::model::risk::Risk;
use crate::model::workload::Source;

use super::{Difference, DifferenceKind, Listed};

/// What GitHub is to hold under one identity.
#[derive(Debug)]
pub(super) struct Wanted {
    /// Each of these is right, the likeliest first.
    pub(super) right: Vec<Right>,
    /// Whether it is right, too, that GitHub lists nothing.
    pub(super) may_be_absent: bool,
    /// The status that GitHub acknowledged last, unless something is unanswered since.
    pub(super) remembered: Option<Status>,
    /// Whether the ledger has the name.
    pub(super) is_in_ledger: bool,
    /// Whose it is.
    pub(super) source: Option<Source>,
}

/// A body and a status that are right.
#[derive(Debug)]
pub(super) struct Right {
    pub(super) body: Arc<Body>,
    pub(super) status: Status,
}

impl Wanted {
    /// What GitHub is to hold of an entry, for which the plan has that line or none. What is sent
    /// and unanswered may be applied or not: either is right.
    pub(super) fn of_entry(entry: &Entry, planned: Option<&Right>) -> Self {
        let mut right: Vec<Right> = Vec::new();
        let mut add = |body: &Arc<Body>, status| {
            let known = |right: &Right| right.body == *body && right.status == status;
            if !right.iter().any(known) {
                let body = body.clone();
                right.push(Right { body, status });
            }
        };
        if let Some(Right { body, status }) = planned {
            add(body, *status);
        }
        let is_in_doubt = entry.is_in_doubt();
        let sent = entry.sent.iter().rev();
        for sent in sent.filter(|sent| sent.fate != Fate::Intended && is_in_doubt) {
            add(&sent.body, sent.status);
        }
        let held_as = if entry.is_tombstone() {
            Status::Decommissioned
        } else {
            Status::Deployed
        };
        if let Some(held) = entry
            .held
            .as_ref()
            .filter(|_| is_in_doubt || planned.is_none())
        {
            add(held, held_as);
        }
        let may_have_ended = |right: &Right| right.status == Status::Decommissioned;
        Self {
            may_be_absent: entry.held.is_none() || right.iter().any(may_have_ended),
            right,
            remembered: entry
                .held
                .as_ref()
                .filter(|_| !is_in_doubt)
                .map(|_| held_as),
            is_in_ledger: true,
            source: source_of(&entry.owner),
        }
    }

    /// How the record that was found under this identity differs. GitHub has one record of a name:
    /// of several that are listed, the likest counts.
    pub(super) fn against(&self, identity: &Identity, found: &[&Listed]) -> Vec<Difference> {
        let pairs = found
            .iter()
            .flat_map(|record| self.right.iter().map(move |right| (right, *record)));
        let compared = pairs.map(|(right, record)| (self.unlike(right, record), right, record));
        let Some((kinds, right, record)) = compared.min_by_key(|(kinds, ..)| kinds.len()) else {
            return Vec::new();
        };
        let difference = |kind| Difference {
            kind,
            identity: identity.clone(),
            source: self.source.clone(),
            expected: Some((right.body.clone(), right.status)),
            found: Some(record.clone()),
        };
        kinds.into_iter().map(difference).collect()
    }

    fn unlike(&self, right: &Right, record: &Listed) -> Vec<DifferenceKind> {
        let Right { body, status } = right;
        // Where GitHub does not tell, the status is what it acknowledged last.
        let told = record.status.or(self.remembered);
        let risks = body.risks.iter().map(Risk::as_str);
        let has_risks = record.risks.iter().map(|risk| &**risk).eq(risks);
        [
            (DifferenceKind::WrongDigest, record.digest != body.digest),
            (DifferenceKind::WrongTags, record.tags != body.tags),
            (DifferenceKind::WrongRisks, !has_risks),
            (
                DifferenceKind::WrongStatus,
                told.is_some_and(|told| told != *status),
            ),
            (
                DifferenceKind::StatusNotKnown,
                told.is_none() && !self.is_in_ledger,
            ),
        ]
        .into_iter()
        .filter_map(|(kind, differs)| differs.then_some(kind))
        .collect()
    }

    pub(super) fn missing(&self, identity: &Identity, elsewhere: Option<&Listed>) -> Difference {
        let right = self.right.first();
        Difference {
            kind: match elsewhere {
                Some(_) => DifferenceKind::WrongEnvironment,
                None => DifferenceKind::Missing,
            },
            identity: identity.clone(),
            source: self.source.clone(),
            expected: right.map(|right| (right.body.clone(), right.status)),
            found: elsewhere.cloned(),
        }
    }

    /// Whether every digest was asked for under which this may be.
    pub(super) fn was_asked_for(&self, lists: &BTreeMap<Digest, Vec<Listed>>) -> bool {
        let mut right = self.right.iter();
        right.all(|right| lists.contains_key(&right.body.digest))
    }
}

pub(super) fn source_of(owner: &Owner) -> Option<Source> {
    match owner {
        Owner::Source(source) => Some(source.clone()),
        Owner::Adopted | Owner::Unreadable(_) => None,
    }
}
