//! A shard as it is written. Each entry takes its stored form only while it is being written,
//! because the forms of all of them are larger than the ledger.

use serde::{Serialize, Serializer};

use crate::model::image::Digest;
use crate::model::ledger::Entry;
use crate::model::record::{Destination, Identity};
use crate::model::storage::Shelf;
use crate::recorder::store::{Uids, part};

use super::{
    Past, StoredDestination, StoredEntry, StoredShelf, store_body, store_owner, store_sent,
};

/// What a shard contains, as it is written.
#[derive(Default, Serialize)]
pub(in crate::recorder::store) struct Written<'a> {
    /// Which shard it is, so that no other can be taken for it.
    index: usize,
    /// The root's sequence when it is written.
    sequence: u64,
    /// Whose it is, as in the root, so that no other cluster's can be taken for it.
    #[serde(skip_serializing_if = "Uids::is_empty")]
    cluster_uids: Uids,
    destinations: Vec<StoredDestination>,
    #[serde(serialize_with = "write_entries")]
    entries: Vec<(usize, &'a Identity, &'a Entry)>,
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "write_past")]
    past: Vec<(usize, &'a Identity, Digest)>,
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "write_stock")]
    storage: Vec<(&'a Shelf, Vec<Digest>)>,
}

impl<'a> Written<'a> {
    /// The empty shard `index`, written under that sequence of the root.
    pub(in crate::recorder::store) fn new(index: usize, sequence: u64) -> Self {
        Self {
            index,
            sequence,
            ..Self::default()
        }
    }

    /// Says whose cluster it is of, by the uids in the root.
    pub(in crate::recorder::store) fn of_cluster(self, uids: &Uids) -> Self {
        Self {
            cluster_uids: uids.clone(),
            ..self
        }
    }

    /// The oldest version of the stored form that can say this.
    pub(in crate::recorder::store) fn version(&self) -> u32 {
        if self.storage.is_empty() {
            part::FIRST
        } else {
            part::VERSION
        }
    }

    /// Adds an entry.
    pub(in crate::recorder::store) fn add(&mut self, identity: &'a Identity, entry: &'a Entry) {
        let destination = self.destination(&identity.destination);
        self.entries.push((destination, identity, entry));
    }

    /// Adds a past name.
    pub(in crate::recorder::store) fn add_past(&mut self, identity: &'a Identity, digest: Digest) {
        let destination = self.destination(&identity.destination);
        self.past.push((destination, identity, digest));
    }

    /// Adds a storage record: those of one registry in a row.
    pub(in crate::recorder::store) fn add_kept(&mut self, shelf: &'a Shelf, digest: Digest) {
        match self.storage.last_mut() {
            Some((last, digests)) if *last == shelf => digests.push(digest),
            _ => self.storage.push((shelf, vec![digest])),
        }
    }

    fn destination(&mut self, destination: &Destination) -> usize {
        let stored = StoredDestination {
            host: destination.host.clone(),
            organization: destination.organization.clone(),
            cluster: destination.cluster.clone(),
            logical_environment: destination.logical_environment.clone(),
            physical_environment: destination.physical_environment.clone(),
        };
        let known = self.destinations.iter().position(|known| *known == stored);
        known.unwrap_or_else(|| {
            self.destinations.push(stored);
            self.destinations.len() - 1
        })
    }
}

fn write_entries<S: Serializer>(
    entries: &[(usize, &Identity, &Entry)],
    out: S,
) -> Result<S::Ok, S::Error> {
    let entries = entries.iter();
    out.collect_seq(entries.map(|(destination, identity, entry)| {
        let sent = entry.sent.iter();
        let sent = sent.filter(|sent| entry.must_be_stored(sent));
        StoredEntry {
            destination: *destination,
            name: identity.name.clone(),
            source: store_owner(&entry.owner),
            held: entry.held.as_deref().map(store_body),
            sent: sent.map(store_sent).collect(),
            tombstone: entry.is_tombstone(),
            acknowledged: entry.is_acknowledged_since(),
        }
    }))
}

fn write_past<S: Serializer>(
    past: &[(usize, &Identity, Digest)],
    out: S,
) -> Result<S::Ok, S::Error> {
    out.collect_seq(past.iter().map(|(destination, identity, digest)| Past {
        destination: *destination,
        name: identity.name.clone(),
        digest: digest.to_string(),
    }))
}

fn write_stock<S: Serializer>(
    storage: &[(&Shelf, Vec<Digest>)],
    out: S,
) -> Result<S::Ok, S::Error> {
    out.collect_seq(storage.iter().map(|(shelf, digests)| StoredShelf {
        host: shelf.host.clone(),
        organization: shelf.organization.clone(),
        registry: shelf.registry.clone(),
        digests: digests.iter().map(ToString::to_string).collect(),
    }))
}
