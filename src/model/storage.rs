//! Storage records: in which registry an artifact that runs is kept. Which of them GitHub is to be
//! told is decided here; what a registry's address is, in `address`. What GitHub has acknowledged
//! is remembered in the ledger ([`Stock`]).
//!
//! A digest has one for each registry that it is run from, sent once: a record cannot be deleted,
//! and nobody knows which of its fields GitHub tells two apart by (`contract/README.md`), so one
//! whose name or version changes later might be a second one. Sent is only what GitHub holds a
//! deployment record of: it knows the artifact then, and third parties' images are not asked for
//! in vain.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::gap::Reason;
use super::image::Digest;
use super::ledger::Stock;
use super::moment::Moment;
use super::record::{Body, Destination};
use super::selection::Pattern;

mod address;
mod line;
#[cfg(test)]
mod tests;

pub use address::registry;
pub use line::{StorageLine, StorageStatus};

/// The most bytes that a repository's name may have; a longer one is left out, the path has it too.
const MAX_REPOSITORY: usize = 128;

/// What a person wants of storage records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StorageRule {
    /// Registries of which GitHub is told nothing, as [`registry`] writes them.
    pub exclude: Vec<Pattern>,
}

/// A registry as one organization at GitHub knows it, all in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shelf {
    /// The API's host.
    pub host: Arc<str>,
    /// The organization.
    pub organization: Arc<str>,
    /// The registry: a host, with its port unless that is 443.
    pub registry: Arc<str>,
}

impl Shelf {
    /// The registry of `image`, a normalised name, as this organization knows it.
    pub fn of(destination: &Destination, image: &str) -> Self {
        Self {
            host: destination.host.to_lowercase().into(),
            organization: destination.organization.to_lowercase().into(),
            registry: registry(spelled(image)).into(),
        }
    }

    /// Whether it has an address that the contract allows and that is not each machine's own.
    pub fn has_address(&self) -> bool {
        address::is_shared(&self.registry)
    }
}

/// The registry in a normalised name.
fn spelled(image: &str) -> &str {
    image
        .split_once('/')
        .map_or(image, |(registry, _)| registry)
}

/// One artifact in one registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageStep {
    /// Which registry.
    pub shelf: Arc<Shelf>,
    /// Where its deployment record goes: it is sent to the same host and organization.
    pub place: Arc<Destination>,
    /// The name that it has there, normalised.
    pub image: Arc<str>,
    /// What its deployment record says: digest, name, version and repository are the same here.
    pub body: Arc<Body>,
}

impl StorageStep {
    /// What GitHub is to be told. The registry's address is its origin without a slash, as GitHub's
    /// own action writes it (<https://github.com/actions/attest>, `src/attest.ts`). The path is the
    /// image's reference as a URI; where it can be downloaded differs from registry to registry, and
    /// is left out.
    pub fn line(&self) -> StorageLine {
        let registry = &self.shelf.registry;
        let repository = self.image.split_once('/').map_or("", |(_, path)| path);
        let digest = self.body.digest;
        StorageLine {
            name: self.body.name.clone(),
            digest,
            version: self.body.version.clone(),
            registry_url: format!("https://{registry}").into(),
            artifact_url: None,
            path: Some(format!("oci://{registry}/{repository}@{digest}").into()),
            repository: (repository.len() <= MAX_REPOSITORY).then(|| repository.into()),
            status: StorageStatus::Active,
            github_repository: self.body.repository.clone(),
        }
    }

    /// Which of two sources speaks for an artifact that both run from one registry.
    fn rank(&self) -> (&str, bool, Option<&str>) {
        let repository = self.body.repository.as_deref();
        (&self.image, repository.is_none(), repository)
    }
}

/// What becomes of each artifact that runs, for each registry that it runs from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoragePlan {
    /// To be sent, by registry and digest.
    pub due: Vec<StorageStep>,
    /// Sent and not taken, for that reason: sent again later.
    pub refused: Vec<(StorageStep, Reason)>,
    /// Not sent before GitHub has acknowledged a deployment record of the artifact.
    pub unrecorded: Vec<StorageStep>,
    /// How many GitHub has acknowledged.
    pub kept: usize,
    /// How many a person does not want to be sent.
    pub excluded: usize,
    /// How many have no address that GitHub would take or anybody else could use.
    pub no_address: usize,
}

impl StoragePlan {
    /// How many there are of each, by the names that metrics and `/api/status` give them.
    pub fn counts(&self) -> [(&'static str, usize); 6] {
        [
            ("kept", self.kept),
            ("waiting", self.due.len()),
            ("refused", self.refused.len()),
            ("unrecorded", self.unrecorded.len()),
            ("excluded", self.excluded),
            ("no-address", self.no_address),
        ]
    }
}

/// The artifacts that a plan in the making has come across.
#[derive(Debug)]
pub(super) struct Stocktaking<'a> {
    rule: &'a StorageRule,
    /// Each registry as an organization knows it, by how names spell it.
    shelves: BTreeMap<(Arc<Destination>, Box<str>), Arc<Shelf>>,
    /// Whether GitHub holds a deployment record of it, and the source that speaks for it.
    found: BTreeMap<(Arc<Shelf>, Digest), (bool, StorageStep)>,
}

impl<'a> Stocktaking<'a> {
    /// Begins.
    pub(super) fn new(rule: &'a StorageRule) -> Self {
        Self {
            rule,
            shelves: BTreeMap::new(),
            found: BTreeMap::new(),
        }
    }

    /// A source runs `image`, a normalised name. `body` is that of its deployment record, which goes
    /// to `place`, and `recorded` says whether GitHub holds it.
    pub(super) fn note(
        &mut self,
        place: &Arc<Destination>,
        image: Arc<str>,
        body: Arc<Body>,
        recorded: bool,
    ) {
        let shelf = self.shelf(place, &image);
        let key = (shelf.clone(), body.digest);
        let place = Arc::clone(place);
        let step = StorageStep {
            shelf,
            place,
            image,
            body,
        };
        let speaks = |(known, other): &(bool, StorageStep)| {
            (!recorded, step.rank()) < (!known, other.rank())
        };
        if self.found.get(&key).is_none_or(speaks) {
            self.found.insert(key, (recorded, step));
        }
    }

    /// The shelf of a name's registry: one value for each, however it is spelled.
    fn shelf(&mut self, place: &Arc<Destination>, image: &str) -> Arc<Shelf> {
        let key = (Arc::clone(place), Box::from(spelled(image)));
        if let Some(known) = self.shelves.get(&key) {
            return known.clone();
        }
        let shelf = Shelf::of(place, image);
        let alike = self.shelves.values().find(|known| ***known == shelf);
        let shelf = alike.cloned().unwrap_or_else(|| shelf.into());
        self.shelves.insert(key, shelf.clone());
        shelf
    }

    /// What is to become of each, given what GitHub has taken and not; and when the first of those
    /// that it would not take is sent again.
    pub(super) fn finish(self, stock: &Stock, now: Moment) -> (StoragePlan, Option<Moment>) {
        let (mut plan, mut due) = (StoragePlan::default(), None::<Moment>);
        for ((shelf, digest), (recorded, step)) in self.found {
            let excluded = |pattern: &Pattern| pattern.matches(&shelf.registry);
            let setback = stock.setback(&step).filter(|known| now < known.retry_at);
            if self.rule.exclude.iter().any(excluded) {
                plan.excluded += 1;
            } else if !shelf.has_address() {
                plan.no_address += 1;
            } else if stock.has(&shelf, digest) {
                plan.kept += 1;
            } else if !recorded {
                plan.unrecorded.push(step);
            } else if let Some(setback) = setback {
                due = Some(due.map_or(setback.retry_at, |due| due.min(setback.retry_at)));
                plan.refused.push((step, setback.reason));
            } else {
                plan.due.push(step);
            }
        }
        (plan, due)
    }
}
