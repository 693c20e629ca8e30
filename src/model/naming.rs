//! Naming: which record name each source has, unique and stable. Names belong to sources and are
//! remembered by the ledger; the template speaks only where the ledger is silent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ledger::{BySource, Entry, Ledger, Owner};
use super::policy::Policy;
use super::record::{Destination, Identity, is_same_name};
use super::selection::KindGroup;
use super::template::Template;
use super::workload::Source;

/// A source that wants a name.
#[derive(Clone, Debug)]
pub struct Candidate<'a> {
    /// The source.
    pub source: &'a Source,
    /// Where its record goes.
    pub destination: &'a Arc<Destination>,
    /// Whether the pods of its workload restart always.
    pub restarts_always: bool,
}

/// Gives every candidate a name. `by_source` is [`Ledger::by_source`]; `released` says which entries
/// of the ledger give up their name in the plan that is being made, `claimed` who may have which of
/// them by a report that was not answered.
pub fn assign<'a>(
    candidates: &[Candidate<'_>],
    ledger: &'a Ledger,
    by_source: &'a BySource<'a>,
    released: &BTreeSet<&'a Identity>,
    claimed: &'a BTreeMap<&'a Identity, &'a Owner>,
    policy: &'a Policy,
) -> BTreeMap<Source, Identity> {
    let mut names = Names {
        ledger,
        policy,
        released: released.clone(),
        claimed,
        given: BTreeMap::new(),
        by_source,
    };
    let mut newcomers = Vec::new();
    let mut taken = BTreeSet::new();
    for candidate in candidates {
        match names.kept(candidate) {
            Some(identity) => {
                taken.insert(identity.clone());
                names.given.insert(candidate.source.clone(), identity);
            }
            None => newcomers.push(candidate),
        }
    }
    // A keeper whose record is already at its new place gives up the others.
    let moved: Vec<&Identity> = ledger
        .entries()
        .filter(|(identity, entry)| names.has_moved(identity, entry))
        .map(|(identity, _)| identity)
        .collect();
    names.released.extend(moved);

    newcomers.sort_by_cached_key(|candidate| names.turn(candidate));
    for candidate in newcomers {
        let identity = names.fresh(candidate, &taken);
        taken.insert(identity.clone());
        names.given.insert(candidate.source.clone(), identity);
    }
    names.given
}

/// The names under which GitHub has acknowledged `source` at `place`: if it has several there, those that
/// the template still makes. Of several that are alike none is known to be the newer.
pub fn acknowledged<'a>(
    source: &Source,
    place: &Destination,
    by_source: &BySource<'a>,
    template: &Template,
) -> Vec<&'a Identity> {
    let own = by_source.get(source).into_iter().flatten();
    let own = own
        .filter(|(identity, entry)| *identity.destination == *place && entry.stands_for(source))
        .map(|(identity, _)| *identity);
    let (made, others): (Vec<&Identity>, Vec<&Identity>) =
        own.partition(|identity| rendered(template, identity, source).is_some());
    if made.is_empty() { others } else { made }
}

/// How the template spells that name of `source`, with a hash or without, if it makes it at all.
/// Every name that was given is of its template's making, so this says whether the template is the
/// same, for each name by itself: a change of it that was cut short goes on where it stopped.
fn rendered(template: &Template, identity: &Identity, source: &Source) -> Option<Arc<str>> {
    possible(template, source).find(|name| is_same_name(name, &identity.name))
}

/// Every name that the template can make of `source`, the plain one first.
pub fn possible(template: &Template, source: &Source) -> impl Iterator<Item = Arc<str>> {
    let plain = std::iter::once_with(|| template.render(source));
    let hashed = SUFFIXES
        .iter()
        .map(|digits| template.suffixed(source, *digits));
    plain.chain(hashed)
}

struct Names<'a> {
    ledger: &'a Ledger,
    policy: &'a Policy,
    released: BTreeSet<&'a Identity>,
    claimed: &'a BTreeMap<&'a Identity, &'a Owner>,
    given: BTreeMap<Source, Identity>,
    by_source: &'a BySource<'a>,
}

impl<'a> Names<'a> {
    /// What the ledger has of this source, by identity.
    fn of_source(&self, source: &Source) -> impl Iterator<Item = (&'a Identity, &'a Entry)> {
        self.by_source.get(source).into_iter().flatten().copied()
    }

    /// When a newcomer chooses: who has a name elsewhere keeps it against those who have none; then
    /// by the order of `--kinds`, and by what the source is.
    fn turn(&self, candidate: &Candidate<'_>) -> impl Ord + use<> {
        let workload = &candidate.source.workload;
        let group = KindGroup::of(&workload.kind, candidate.restarts_always);
        (
            self.elsewhere(candidate.source).is_none(),
            self.policy.selection.rank(group).unwrap_or(usize::MAX),
            Arc::<str>::from(workload.kind.group()),
            (workload.namespace.clone(), workload.name.clone()),
            candidate.source.container.clone(),
            workload.kind.clone(),
        )
    }

    /// The name that the ledger gives this source where its record goes, if the template still
    /// makes it and nobody else claims it.
    fn kept(&self, candidate: &Candidate<'_>) -> Option<Identity> {
        let source = candidate.source;
        let name = self.known(source, |identity| {
            identity.destination == *candidate.destination && !self.is_anothers(identity, source)
        })?;
        Some(Identity {
            destination: Arc::clone(candidate.destination),
            name,
        })
    }

    /// The name that the ledger gives this source somewhere else, if the template still makes it.
    fn elsewhere(&self, source: &Source) -> Option<Arc<str>> {
        self.known(source, |_| true)
    }

    /// A name that the ledger gives this source where `is_asked` says so, if the template still makes it,
    /// as settings spell it; that of a tombstone only if there is no other.
    fn known(&self, source: &Source, is_asked: impl Fn(&Identity) -> bool) -> Option<Arc<str>> {
        self.of_source(source)
            .filter(|(identity, _)| is_asked(identity))
            .filter_map(|(identity, entry)| {
                let name = rendered(&self.policy.template, identity, source)?;
                Some((entry.is_tombstone(), identity, name))
            })
            .min()
            .map(|(_, _, name)| name)
    }

    fn has_moved(&self, identity: &Identity, entry: &Entry) -> bool {
        let Some(source) = entry.owner.source() else {
            return false;
        };
        self.given.get(source).is_some_and(|present| {
            present != identity
                && self
                    .ledger
                    .entry(present)
                    .is_some_and(|entry| entry.stands_for(source))
        })
    }

    /// A free name for a source that has none where its record goes: the one it has elsewhere,
    /// the template's, or the template's with more and more of the source's hash.
    fn fresh(&self, candidate: &Candidate<'_>, taken: &BTreeSet<Identity>) -> Identity {
        let Candidate {
            source,
            destination,
            ..
        } = candidate;
        let elsewhere = self.elsewhere(source);
        let template = &self.policy.template;
        let names = elsewhere.into_iter().chain(possible(template, source));
        let identities = names.map(|name| Identity {
            destination: Arc::clone(destination),
            name,
        });
        let mut last = None;
        for identity in identities {
            if !taken.contains(&identity) && self.is_free(&identity, source) {
                return identity;
            }
            last = Some(identity);
        }
        // All 256 bits of the source's hash: whoever has this name is this source.
        last.unwrap_or_else(|| Identity {
            destination: Arc::clone(destination),
            name: template.suffixed(source, 64),
        })
    }

    /// Whether somebody else may have this name by a report that was not answered.
    fn is_anothers(&self, identity: &Identity, source: &Source) -> bool {
        let claimant = self.claimed.get(identity);
        claimant.is_some_and(|claimant| claimant.source() != Some(source))
    }

    fn is_free(&self, identity: &Identity, source: &Source) -> bool {
        let Some(entry) = self.ledger.entry(identity) else {
            return true;
        };
        // It may be there already, by a report that was not answered. What it owns it keeps.
        let claimant = entry.claim().and_then(|claim| claim.owner.source());
        let own = claimant == Some(source);
        match &entry.owner {
            Owner::Unreadable(_) => false,
            _ if self.is_anothers(identity, source) => false,
            _ if own => true,
            Owner::Source(_) => entry.is_tombstone() || self.released.contains(identity),
            Owner::Adopted => true,
        }
    }
}

/// How many hexadecimal digits of the source's SHA-256 tell names apart; more only where fewer do
/// not.
const SUFFIXES: [usize; 4] = [8, 16, 32, 64];

#[cfg(test)]
mod tests;
