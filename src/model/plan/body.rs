//! Bodies: what a record says. One digest has one name and version in everything that is sent to an
//! organization, because GitHub keeps one artifact per digest there. Organizations have artifacts of
//! their own: what one is told says nothing to the other.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::context::Context;
use crate::model::image::Digest;
use crate::model::inventory::sight::{NameAndVersion, Running, Sight, Standing};
use crate::model::ledger::{Entry, Ledger};
use crate::model::moment::Moment;
use crate::model::record::{Body, Destination, Identity, is_same_name};

impl Sight {
    /// What a record is made of, where there is all of it.
    pub(super) fn reportable(&self) -> Option<(&Running, &Arc<Destination>, &Context)> {
        let Standing::Runs(running) = &self.standing else {
            return None;
        };
        let (destination, context) = running.frame.as_ref()?;
        let whole = running.evidence.digest.is_some() && running.image.is_ok();
        whole.then_some((running, destination, context))
    }
}

/// The body of a source that is reportable, with the context that it is from.
pub(super) fn of(sight: &Sight) -> Option<(Body, &Context)> {
    let (running, _, context) = sight.reportable()?;
    let (name, version) = running.image.as_ref().ok()?;
    let body = Body {
        digest: running.evidence.digest?,
        name: name.clone(),
        version: version.clone(),
        repository: context.repository.clone(),
        tags: context.tags.clone(),
        risks: context.risks,
    };
    Some((body, context))
}

/// What GitHub is told the end of under an entry; `None` while a refusal has to wait.
pub(super) fn of_end(
    identity: &Identity,
    entry: &Entry,
    canon: &Canon,
    now: Moment,
) -> Option<Arc<Body>> {
    // With the name and version that go out: what was tried is remembered as it was sent.
    let bodies = entry.bodies().into_iter();
    let place = &identity.destination;
    let bodies: Vec<Arc<Body>> = bodies.map(|body| canon.apply(place, body)).collect();
    let body = match &entry.end_refusal {
        None => bodies.first(),
        Some(refusal) => refusal.next_body(&bodies, now),
    };
    body.cloned()
}

/// The one name and version of each digest in each organization.
#[derive(Debug, Default)]
pub(super) struct Canon {
    /// The organizations, each by one of its destinations. They are few.
    organizations: Vec<Arc<Destination>>,
    /// By the number of the organization in that list.
    names: Names,
}

type Names = BTreeMap<(usize, Digest), NameAndVersion>;

impl Canon {
    /// The smallest name and version among the sources that run, else among the ledger's, of
    /// which tombstones only speak where nothing else does; no version comes last.
    pub(super) fn new<'a>(running: impl Iterator<Item = &'a Sight>, ledger: &Ledger) -> Self {
        let mut canon = Self::default();
        for (running, place, _) in running.filter_map(Sight::reportable) {
            if let (Some(digest), Ok(name)) = (running.evidence.digest, &running.image) {
                let key = (canon.number(place), digest);
                take_smaller(&mut canon.names, key, name);
            }
        }
        for ended in [false, true] {
            let mut remembered = Names::new();
            let entries = ledger.entries();
            for (identity, entry) in entries.filter(|(_, entry)| entry.is_tombstone() == ended) {
                let number = canon.number(&identity.destination);
                for body in entry.bodies() {
                    let name = (body.name.clone(), body.version.clone());
                    take_smaller(&mut remembered, (number, body.digest), &name);
                }
            }
            for (key, name) in remembered {
                canon.names.entry(key).or_insert(name);
            }
        }
        canon
    }

    fn find(&self, place: &Destination) -> Option<usize> {
        let is_it = |known: &Arc<Destination>| {
            is_same_name(&known.organization, &place.organization)
                && is_same_name(&known.host, &place.host)
        };
        self.organizations.iter().position(is_it)
    }

    /// The number of an organization, which is given one if it has none.
    fn number(&mut self, place: &Arc<Destination>) -> usize {
        self.find(place).unwrap_or_else(|| {
            self.organizations.push(Arc::clone(place));
            self.organizations.len() - 1
        })
    }

    /// `body` with its digest's name and version in the organization of this destination.
    pub(super) fn apply(&self, place: &Destination, body: &Arc<Body>) -> Arc<Body> {
        let key = self.find(place).map(|number| (number, body.digest));
        match key.and_then(|key| self.names.get(&key)) {
            Some((name, version)) if *name != body.name || *version != body.version => {
                Arc::new(Body {
                    name: name.clone(),
                    version: version.clone(),
                    ..Body::clone(body)
                })
            }
            _ => body.clone(),
        }
    }
}

fn take_smaller(names: &mut Names, key: (usize, Digest), name: &NameAndVersion) {
    let smallest = names.entry(key).or_insert_with(|| name.clone());
    if compare(name, smallest).is_lt() {
        smallest.clone_from(name);
    }
}

fn compare(one: &NameAndVersion, other: &NameAndVersion) -> Ordering {
    let key = |(name, version): &NameAndVersion| (name.clone(), version.is_none(), version.clone());
    key(one).cmp(&key(other))
}
