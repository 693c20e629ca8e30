//! The ledger store: the ledger in ConfigMaps, a root and its shards. Every write is a
//! compare-and-swap, the root's before all others, so that a deposed writer stops before it sends.
//! What the ledger means is decided in `model::ledger`; Kubernetes' ConfigMap stays here.

use std::collections::BTreeMap;

use k8s_openapi::Resource;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Client;

use super::rights::Access;
use crate::model::ledger::Ledger;
use crate::model::moment::Moment;

mod config_map;
mod error;
mod form;
#[cfg(feature = "fuzz")]
pub(crate) mod fuzz;
mod load;
mod part;
mod shards;
mod unite;
mod write;

pub use config_map::CallError;
pub use error::StoreError;
pub use part::PartError;

use config_map::{ConfigMaps, Doing, Version};
use form::{Root, Written};

/// The uid of each namespace that tells clusters apart.
pub type Uids = BTreeMap<String, String>;

/// The ledger in ConfigMaps.
#[derive(Debug)]
pub struct Store {
    maps: ConfigMaps,
    holder: String,
    root: Option<(Root, Version)>,
    /// The version of each shard as last read or written; `None` for one that is not there.
    versions: Vec<Option<Version>>,
    /// Whether every shard is to be written again, whatever was touched: until that is done.
    rewrite: bool,
    /// Whether what stands in a shard that is not its own counts: until every shard is written again
    /// after the root was older than one of them.
    has_strays: bool,
    /// The size that a shard should not pass, in bytes.
    roomy: usize,
}

/// What keeping the ledger `name` asks for while it has so many shards, and with the last shard that
/// it may ever have.
pub fn access(name: &str, shards: usize) -> Vec<Access> {
    let shards = (0..shards.clamp(1, shards::MOST - 1)).chain([shards::MOST - 1]);
    let parts = std::iter::once(None).chain(shards.map(Some));
    let names: Vec<String> = parts.map(|part| config_map::name(name, part)).collect();
    let of = |doing: Doing, name| Access {
        group: ConfigMap::GROUP,
        resource: ConfigMap::URL_PATH_SEGMENT,
        verb: doing.verb(),
        name,
    };
    let of_names = |doing| match doing {
        Doing::Creating => vec![of(doing, None)],
        Doing::Reading | Doing::Replacing => {
            let names = names.iter().cloned();
            names.map(|name| of(doing, Some(name))).collect()
        }
    };
    Doing::ALL.into_iter().flat_map(of_names).collect()
}

/// What came of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// All of it is stored.
    AsPlanned,
    /// All of it is stored, and there was more in the store than the ledger knew: it knows now, and
    /// what was planned before is out of date.
    United,
}

impl Store {
    /// The store of the ledger `name` in `namespace`, written by `holder`.
    pub fn new(client: Client, namespace: &str, name: &str, holder: String) -> Self {
        Self {
            maps: ConfigMaps::new(client, namespace, name),
            holder,
            root: None,
            versions: Vec::new(),
            rewrite: false,
            has_strays: false,
            roomy: shards::ROOMY,
        }
    }

    /// The same, whose shards are split beyond so many bytes instead of 64 KiB: so that a small ledger
    /// has as many as else only a large one.
    #[must_use]
    pub fn with_roomy_shards(self, bytes: usize) -> Self {
        Self {
            roomy: bytes,
            ..self
        }
    }

    /// Where it is: namespace and name of the root.
    pub fn place(&self) -> (&str, &str) {
        self.maps.place()
    }

    /// The size of the stored ledger is not known; how many shards it has is.
    pub fn shards(&self) -> usize {
        self.versions.len()
    }

    /// What somebody deleted, damaged or put back shows only where it is written over: from now until that
    /// is done, every part counts as changed.
    pub fn renew(&mut self) {
        self.rewrite = true;
    }

    /// Whether there is something to write even if the ledger has not changed.
    pub fn is_due(&self) -> bool {
        self.rewrite
    }

    /// Says whose cluster this is. An error if the ledger is known to be of another one.
    pub fn check_cluster(&self, namespace: &str, uid: &str) -> Result<(), StoreError> {
        let root = self.known_root();
        let known = root.and_then(|root| root.cluster_uids.get(namespace));
        match known {
            Some(stored) if stored != uid => Err(StoreError::OtherCluster {
                part: self.maps.name(None),
                namespace: namespace.to_owned(),
                stored: stored.clone(),
                found: uid.to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// Makes this process the one that writes: takes the root over, whoever held it, and marks
    /// every shard, so that whatever the former writer had under way is either read here or fails
    /// there. To be called once, after [`Store::load`].
    pub async fn take_over(
        &mut self,
        ledger: &mut Ledger,
        uids: &Uids,
        now: Moment,
    ) -> Result<(), StoreError> {
        if self.root.is_none() {
            let empty = self.maps.part(Some(0), &Written::new(0, 0), part::FIRST)?;
            self.write_shard(0, empty).await?;
        }
        self.swap_root(uids, ledger.template()).await?;
        if let Some((root, _)) = &self.root {
            // The former writer may have stored more since the ledger was read; nothing of ours is
            // in it yet.
            let mut loaded = self.load_shards(root, now).await?;
            if self.has_strays {
                loaded.unite_strays(now);
            }
            (*ledger, self.versions) = (loaded.ledger, loaded.versions);
        }
        self.rewrite = true;
        self.write_shards(ledger, now).await?;
        self.has_strays = false;
        Ok(())
    }

    /// Stores what changed in the ledger: the root first, then every changed shard.
    pub async fn store(
        &mut self,
        ledger: &mut Ledger,
        uids: &Uids,
        now: Moment,
    ) -> Result<Stored, StoreError> {
        if let Some((root, _)) = &self.root {
            // A store that was given up while it split left shards that the root does not name.
            self.versions.truncate(root.shards);
        }
        let knew_more = match self.swap_root(uids, ledger.template()).await {
            Ok(()) => false,
            Err(error) if error.is_conflict() => {
                self.rewrite = true;
                let knew_more = self.settle_conflict(ledger, now).await?;
                self.swap_root(uids, ledger.template()).await?;
                knew_more
            }
            Err(error) => return Err(error),
        };
        let united = self.write_shards(ledger, now).await?;
        Ok(if united || knew_more {
            Stored::United
        } else {
            Stored::AsPlanned
        })
    }
}

#[cfg(test)]
mod tests;
