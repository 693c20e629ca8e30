//! The stored form of the ledger: what a root and a shard contain. Its own types, so that the core
//! knows nothing of storage and may change while what is stored stays readable.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::image::Digest;
use crate::model::ledger::{Entry, Fate, Ledger, Owner, Sent};
use crate::model::moment::Moment;
use crate::model::record::{Body, Destination, Identity, Status};
use crate::model::risk::{Risk, Risks};
use crate::model::storage::Shelf;
use crate::model::workload::{Kind, Source, Workload};

use super::Uids;

mod written;

pub(super) use written::Written;

/// What the root contains: nothing of any entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Root {
    /// Who wrote it last.
    pub(super) holder: String,
    /// One more with every store.
    pub(super) sequence: u64,
    /// The uid of each namespace that a cluster was told by.
    pub(super) cluster_uids: Uids,
    /// The template that names are made by.
    pub(super) template: Option<String>,
    /// How many shards there are.
    pub(super) shards: usize,
    /// Whether what stands in a shard that is not its own counts: it was taken over beside a root that was
    /// older, and not every shard has been written again since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) has_strays: bool,
}

/// What a shard contains, as it is read.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(super) struct Shard {
    /// Which shard it is; the first versions did not say.
    #[serde(default)]
    pub(super) index: Option<usize>,
    /// The root's sequence when it was written.
    #[serde(default)]
    pub(super) sequence: u64,
    /// As in the root; the first versions did not say.
    #[serde(default)]
    pub(super) cluster_uids: Uids,
    destinations: Vec<StoredDestination>,
    entries: Vec<StoredEntry>,
    #[serde(default)]
    past: Vec<Past>,
    #[serde(default)]
    storage: Vec<StoredShelf>,
}

/// What a shard says, understood.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) entries: Vec<(Identity, Entry)>,
    pub(super) past: Vec<(Identity, Digest)>,
    /// The storage records that GitHub has acknowledged.
    pub(super) stock: Vec<(Arc<Shelf>, Digest)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct StoredDestination {
    host: Arc<str>,
    organization: Arc<str>,
    cluster: Arc<str>,
    logical_environment: Arc<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    physical_environment: Option<Arc<str>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct StoredEntry {
    destination: usize,
    name: Arc<str>,
    source: StoredOwner,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    held: Option<StoredBody>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sent: Vec<StoredSent>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    tombstone: bool,
    /// Whether what is sent is older than what was acknowledged last.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    acknowledged: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum StoredOwner {
    Source(StoredSource),
    /// `null` for an adopted one, else of a form that this version does not know.
    Other(serde_json::Value),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredSource {
    group: String,
    kind: String,
    namespace: Arc<str>,
    workload: Arc<str>,
    container: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct StoredSent {
    source: StoredOwner,
    #[serde(flatten)]
    body: StoredBody,
    status: StoredStatus,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StoredStatus {
    Deployed,
    Decommissioned,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct StoredBody {
    digest: String,
    image: Arc<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    repository: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<Arc<str>, Arc<str>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    risks: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Past {
    destination: usize,
    name: Arc<str>,
    digest: String,
}

/// The storage records that GitHub has acknowledged for one registry. Since format 2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct StoredShelf {
    host: Arc<str>,
    organization: Arc<str>,
    registry: Arc<str>,
    digests: Vec<String>,
}

impl Content {
    /// Adds what another one says.
    pub(super) fn append(&mut self, mut other: Self) {
        self.entries.append(&mut other.entries);
        self.past.append(&mut other.past);
        self.stock.append(&mut other.stock);
    }

    /// The ledger that says this.
    pub(super) fn ledger(self, template: Option<Arc<str>>, now: Moment) -> Ledger {
        Ledger::restore(template, self.entries, self.past, now).with_stock(self.stock)
    }
}

/// What cannot be understood in a shard that is whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct FormError(String);

impl Shard {
    /// Whether it says nothing of any record.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.past.is_empty() && self.storage.is_empty()
    }

    /// What it says.
    pub(super) fn read(self) -> Result<Content, FormError> {
        let destinations: Vec<Arc<Destination>> = self
            .destinations
            .into_iter()
            .map(read_destination)
            .collect();
        let identity = |index: usize, name: Arc<str>| {
            let destination = destinations.get(index).cloned();
            let missing = || FormError(format!("{name} names a destination that is not there"));
            Ok(Identity {
                destination: destination.ok_or_else(missing)?,
                name,
            })
        };
        let mut entries = Vec::with_capacity(self.entries.len());
        for stored in self.entries {
            let identity = identity(stored.destination, stored.name)?;
            let entry = Entry::new(read_owner(stored.source)).with_tombstone(stored.tombstone);
            let mut entry = entry.with_acknowledged_since(stored.acknowledged);
            entry.held = stored.held.map(read_body).transpose()?;
            entry.sent = stored
                .sent
                .into_iter()
                .map(read_sent)
                .collect::<Result<_, _>>()?;
            entries.push((identity, entry));
        }
        let mut past = Vec::with_capacity(self.past.len());
        for stored in self.past {
            let digest = read_digest(&stored.digest)?;
            past.push((identity(stored.destination, stored.name)?, digest));
        }
        let stock = read_stock(self.storage)?;
        Ok(Content {
            entries,
            past,
            stock,
        })
    }
}

fn read_stock(storage: Vec<StoredShelf>) -> Result<Vec<(Arc<Shelf>, Digest)>, FormError> {
    let mut stock = Vec::new();
    for stored in storage {
        let shelf = Arc::new(Shelf {
            host: stored.host,
            organization: stored.organization,
            registry: stored.registry,
        });
        for digest in &stored.digests {
            stock.push((shelf.clone(), read_digest(digest)?));
        }
    }
    Ok(stock)
}

fn read_destination(stored: StoredDestination) -> Arc<Destination> {
    Arc::new(Destination {
        host: stored.host,
        organization: stored.organization,
        cluster: stored.cluster,
        logical_environment: stored.logical_environment,
        physical_environment: stored.physical_environment,
    })
}

fn store_owner(owner: &Owner) -> StoredOwner {
    let source = match owner {
        Owner::Adopted => return StoredOwner::Other(serde_json::Value::Null),
        Owner::Unreadable(text) => {
            let stored = serde_json::from_str(text);
            return StoredOwner::Other(stored.unwrap_or_else(|_| text.to_string().into()));
        }
        Owner::Source(source) => source,
    };
    let workload = &source.workload;
    StoredOwner::Source(StoredSource {
        group: workload.kind.group().to_owned(),
        kind: workload.kind.kind().to_owned(),
        namespace: workload.namespace.clone(),
        workload: workload.name.clone(),
        container: source.container.clone(),
    })
}

/// The owner as stored; one of a form that this version does not know is kept as it is.
fn read_owner(stored: StoredOwner) -> Owner {
    match stored {
        StoredOwner::Source(source) => {
            let workload = Workload {
                kind: Kind::new(&source.group, &source.kind),
                namespace: source.namespace,
                name: source.workload,
            };
            Owner::Source(Source::new(workload, source.container))
        }
        StoredOwner::Other(serde_json::Value::Null) => Owner::Adopted,
        StoredOwner::Other(other) => Owner::Unreadable(other.to_string().into()),
    }
}

fn store_sent(sent: &Sent) -> StoredSent {
    StoredSent {
        source: store_owner(&sent.owner),
        body: store_body(&sent.body),
        status: match sent.status {
            Status::Deployed => StoredStatus::Deployed,
            Status::Decommissioned => StoredStatus::Decommissioned,
        },
    }
}

fn read_sent(stored: StoredSent) -> Result<Sent, FormError> {
    Ok(Sent {
        owner: read_owner(stored.source),
        body: read_body(stored.body)?,
        status: match stored.status {
            StoredStatus::Deployed => Status::Deployed,
            StoredStatus::Decommissioned => Status::Decommissioned,
        },
        fate: Fate::Unknown,
    })
}

fn store_body(body: &Body) -> StoredBody {
    StoredBody {
        digest: body.digest.to_string(),
        image: body.name.clone(),
        version: body.version.clone(),
        repository: body.repository.clone(),
        tags: body
            .tags
            .iter()
            .map(|(key, text)| (key.clone(), text.clone()))
            .collect(),
        risks: body.risks.names().into_iter().map(str::to_owned).collect(),
    }
}

fn read_body(stored: StoredBody) -> Result<Arc<Body>, FormError> {
    let unknown = |risk: &String| FormError(format!("{risk} is no runtime risk"));
    let risks: Risks = stored
        .risks
        .iter()
        .map(|risk| Risk::parse(risk).ok_or_else(|| unknown(risk)))
        .collect::<Result<_, _>>()?;
    Ok(Arc::new(Body {
        digest: read_digest(&stored.digest)?,
        name: stored.image,
        version: stored.version,
        repository: stored.repository,
        tags: stored.tags.into_iter().collect(),
        risks,
    }))
}

fn read_digest(text: &str) -> Result<Digest, FormError> {
    Digest::parse(text).ok_or_else(|| FormError(format!("{text} is no digest")))
}
