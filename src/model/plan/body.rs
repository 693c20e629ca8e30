//! Bodies: what a record says. One digest has one name and version in everything that is sent,
//! because GitHub keeps one artifact per digest.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::context::Context;
use crate::model::image::Digest;
use crate::model::inventory::sight::{NameAndVersion, Running, Sight, Standing};
use crate::model::ledger::{Entry, Ledger};
use crate::model::moment::Moment;
use crate::model::record::{Body, Destination};

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
pub(super) fn of_end(entry: &Entry, canon: &Canon, now: Moment) -> Option<Arc<Body>> {
    // With the name and version that go out: what was tried is remembered as it was sent.
    let bodies = entry.bodies().into_iter();
    let bodies: Vec<Arc<Body>> = bodies.map(|body| canon.apply(body)).collect();
    let body = match &entry.end_refusal {
        None => bodies.first(),
        Some(refusal) => refusal.next_body(&bodies, now),
    };
    body.cloned()
}

/// The one name and version of each digest.
#[derive(Debug, Default)]
pub(super) struct Canon(BTreeMap<Digest, NameAndVersion>);

impl Canon {
    /// The smallest name and version among the sources that run, else among the ledger's, of
    /// which tombstones only speak where nothing else does; no version comes last.
    pub(super) fn new<'a>(running: impl Iterator<Item = &'a Sight>, ledger: &Ledger) -> Self {
        let mut canon = BTreeMap::new();
        for (running, ..) in running.filter_map(Sight::reportable) {
            if let (Some(digest), Ok(name)) = (running.evidence.digest, &running.image) {
                take_smaller(&mut canon, digest, name);
            }
        }
        for ended in [false, true] {
            let mut remembered = BTreeMap::new();
            let entries = ledger.entries().map(|(_, entry)| entry);
            for entry in entries.filter(|entry| entry.is_tombstone() == ended) {
                for body in entry.bodies() {
                    let name = (body.name.clone(), body.version.clone());
                    take_smaller(&mut remembered, body.digest, &name);
                }
            }
            for (digest, name) in remembered {
                canon.entry(digest).or_insert(name);
            }
        }
        Self(canon)
    }

    /// `body` with its digest's name and version.
    pub(super) fn apply(&self, body: &Arc<Body>) -> Arc<Body> {
        match self.0.get(&body.digest) {
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

fn take_smaller(
    canon: &mut BTreeMap<Digest, NameAndVersion>,
    digest: Digest,
    name: &NameAndVersion,
) {
    let smallest = canon.entry(digest).or_insert_with(|| name.clone());
    if compare(name, smallest).is_lt() {
        smallest.clone_from(name);
    }
}

fn compare(one: &NameAndVersion, other: &NameAndVersion) -> Ordering {
    let key = |(name, version): &NameAndVersion| (name.clone(), version.is_none(), version.clone());
    key(one).cmp(&key(other))
}
