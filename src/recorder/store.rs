//! The ledger store: the ledger in ConfigMaps, a root and its shards. Every write is a
//! compare-and-swap, the root's before all others, so that a deposed writer stops before it sends.
//! What the ledger means is decided in `model::ledger`; Kubernetes' ConfigMap stays here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kube::Client;

use crate::model::ledger::Ledger;
use crate::model::moment::Moment;

mod config_map;
mod form;
mod part;
mod shards;

pub use config_map::CallError;
pub use part::PartError;

use config_map::{ConfigMaps, Version};
use form::{FormError, Root, Shard};

/// The ledger in ConfigMaps.
#[derive(Debug)]
pub struct Store {
    maps: ConfigMaps,
    holder: String,
    root: Option<(Root, Version)>,
    /// The version of each shard as last read or written; `None` for one that is not there.
    versions: Vec<Option<Version>>,
    /// The size that a shard should not pass, in bytes.
    roomy: usize,
}

/// Why the ledger cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A call failed. What was asked for may have been done all the same.
    #[error("ConfigMap {part}")]
    Call {
        /// The ConfigMap.
        part: String,
        /// The call's error.
        source: CallError,
    },
    /// A part is missing while others are there.
    #[error(
        "ConfigMap {part} of the ledger is missing while {other} is there: restore it from a \
         backup, or delete every ConfigMap of the ledger and run `deployment-recorder verify --adopt`"
    )]
    Missing {
        /// The missing part.
        part: String,
        /// One that is there.
        other: String,
    },
    /// A part cannot be read.
    #[error("ConfigMap {part} of the ledger: {source}")]
    Unreadable {
        /// The part.
        part: String,
        /// What is wrong with it.
        source: PartError,
    },
    /// The ledger is of another cluster.
    #[error(
        "ConfigMap {part} holds the ledger of another cluster: namespace {namespace} had uid \
         {stored} there and has {found} here. Give this cluster a ledger of its own \
         (--ledger-name or --ledger-namespace); the records of the other one stay as they are"
    )]
    OtherCluster {
        /// The root.
        part: String,
        /// The namespace whose uid was compared.
        namespace: String,
        /// The uid in the ledger.
        stored: String,
        /// The uid in the cluster.
        found: String,
    },
    /// Another process writes the ledger.
    #[error(
        "{holder} has taken over ConfigMap {part} of the ledger (sequence {sequence}): only one \
         process may write it, so this one stops"
    )]
    Deposed {
        /// The root.
        part: String,
        /// The other process.
        holder: String,
        /// Its sequence.
        sequence: u64,
    },
}

impl StoreError {
    /// Whether trying again may help: the API server may be back by then.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Call { .. })
    }
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
            roomy: shards::ROOMY,
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

    /// Reads the ledger; `None` where nothing at all is there, which is a first start.
    pub async fn load(&mut self, now: Moment) -> Result<Option<Ledger>, StoreError> {
        let Some((root, version)) = self.maps.read::<Root>(None).await? else {
            self.expect_nothing().await?;
            return Ok(None);
        };
        let (ledger, versions) = self.load_shards(&root, now).await?;
        self.versions = versions;
        self.root = Some((root, version));
        Ok(Some(ledger))
    }

    async fn load_shards(
        &self,
        root: &Root,
        now: Moment,
    ) -> Result<(Ledger, Vec<Option<Version>>), StoreError> {
        let mut entries = Vec::new();
        let mut past = Vec::new();
        let mut versions = Vec::new();
        for index in 0..root.shards {
            let part = self.maps.name(Some(index));
            let missing = || StoreError::Missing {
                part: part.clone(),
                other: self.maps.name(None),
            };
            let (shard, version) = self.maps.read(Some(index)).await?.ok_or_else(missing)?;
            let (mut some, mut others) =
                Shard::read(shard).map_err(|error| self.unreadable(index, &error))?;
            // While shards are being split an entry stands in two; only that of its hash counts.
            some.retain(|(identity, _)| shards::of(identity, root.shards) == index);
            others.retain(|(identity, _)| shards::of(identity, root.shards) == index);
            entries.append(&mut some);
            past.append(&mut others);
            versions.push(Some(version));
        }
        let template = root.template.as_deref().map(Arc::from);
        Ok((Ledger::restore(template, entries, past, now), versions))
    }

    /// Without a root there may be an empty first shard, of a first store that was cut short, and
    /// nothing else.
    async fn expect_nothing(&mut self) -> Result<(), StoreError> {
        let other = |index| self.maps.name(Some(index));
        let missing = |index| StoreError::Missing {
            part: self.maps.name(None),
            other: other(index),
        };
        let first = self.maps.read::<Shard>(Some(0)).await?;
        if first.as_ref().is_some_and(|(shard, _)| !shard.is_empty()) {
            return Err(missing(0));
        }
        if self.maps.read::<Shard>(Some(1)).await?.is_some() {
            return Err(missing(1));
        }
        self.root = None;
        self.versions = vec![first.map(|(_, version)| version)];
        Ok(())
    }

    /// Says whose cluster this is. An error if the ledger is known to be of another one.
    pub fn check_cluster(&self, namespace: &str, uid: &str) -> Result<(), StoreError> {
        let known = self
            .root
            .as_ref()
            .and_then(|(root, _)| root.cluster_uids.get(namespace));
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
        uids: &BTreeMap<String, String>,
        now: Moment,
    ) -> Result<(), StoreError> {
        if self.root.is_none() {
            self.write_shard(0, &Shard::default()).await?;
        }
        self.swap_root(uids, ledger.template()).await?;
        self.unite_with_store(ledger, now, OnDamage::Stop).await?;
        ledger.touch_all();
        self.write_shards(ledger, now, Which::All).await.map(drop)
    }

    /// Stores what changed in the ledger: the root first, then every changed shard.
    pub async fn store(
        &mut self,
        ledger: &mut Ledger,
        uids: &BTreeMap<String, String>,
        now: Moment,
    ) -> Result<Stored, StoreError> {
        let mut stored = Stored::AsPlanned;
        match self.swap_root(uids, ledger.template()).await {
            Ok(()) => {}
            Err(error) if error.is_conflict() => {
                self.settle_conflict(ledger, now).await?;
                self.swap_root(uids, ledger.template()).await?;
                stored = Stored::United;
            }
            Err(error) => return Err(error),
        }
        let which = if stored == Stored::United {
            Which::All
        } else {
            Which::Touched
        };
        let united = self.write_shards(ledger, now, which).await?;
        if united {
            Ok(Stored::United)
        } else {
            Ok(stored)
        }
    }

    /// The root is not as we left it. Ours by a lost answer, by a foreign hand or gone: go on with
    /// the union of store and memory. Another writer's: stop.
    async fn settle_conflict(
        &mut self,
        ledger: &mut Ledger,
        now: Moment,
    ) -> Result<(), StoreError> {
        let last = self.root.as_ref().map_or(0, |(root, _)| root.sequence);
        let found = match self.maps.read::<Root>(None).await {
            Ok(found) => found,
            Err(StoreError::Unreadable { .. }) => {
                // Whoever damaged it did not hold it; what we hold in memory is whole.
                let version = self.maps.version(None).await?;
                if let (Some((_, known)), Some(version)) = (&mut self.root, version) {
                    *known = version;
                }
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        match found {
            Some((root, _)) if root.holder != self.holder && root.sequence > last => {
                Err(StoreError::Deposed {
                    part: self.maps.name(None),
                    holder: root.holder,
                    sequence: root.sequence,
                })
            }
            Some((root, version)) => {
                let mine = self.root.take().map(|(mine, _)| mine);
                let shards = root.shards.max(mine.as_ref().map_or(1, |mine| mine.shards));
                let sequence = root.sequence.max(last);
                let cluster_uids = mine.map_or(root.cluster_uids, |mine| mine.cluster_uids);
                let united = Root {
                    shards,
                    sequence,
                    cluster_uids,
                    ..root
                };
                self.root = Some((united, version));
                self.unite_with_store(ledger, now, OnDamage::Overwrite)
                    .await
            }
            None => {
                tracing::warn!(
                    ledger = self.maps.name(None),
                    "ledger is gone, writing it again from memory"
                );
                if let Some((_, version)) = &mut self.root {
                    *version = Version::absent();
                }
                self.unite_with_store(ledger, now, OnDamage::Overwrite)
                    .await
            }
        }
    }

    /// Reads every shard again and adds to the ledger what it does not know.
    async fn unite_with_store(
        &mut self,
        ledger: &mut Ledger,
        now: Moment,
        on_damage: OnDamage,
    ) -> Result<(), StoreError> {
        let count = self.root.as_ref().map_or(1, |(root, _)| root.shards);
        self.versions.resize(count, None);
        for index in 0..count {
            self.unite_shard(index, ledger, now, on_damage).await?;
        }
        Ok(())
    }

    async fn unite_shard(
        &mut self,
        index: usize,
        ledger: &mut Ledger,
        now: Moment,
        on_damage: OnDamage,
    ) -> Result<(), StoreError> {
        let count = self.versions.len();
        let read = self.maps.read::<Shard>(Some(index)).await;
        let version = match read {
            Ok(None) if on_damage == OnDamage::Stop => {
                let part = self.maps.name(Some(index));
                return Err(StoreError::Missing {
                    part,
                    other: self.maps.name(None),
                });
            }
            Ok(None) => None,
            Ok(Some((shard, version))) => {
                match shard.read() {
                    Ok((mut entries, mut past)) => {
                        entries.retain(|(identity, _)| shards::of(identity, count) == index);
                        past.retain(|(identity, _)| shards::of(identity, count) == index);
                        ledger.unite(Ledger::restore(None, entries, past, now));
                    }
                    Err(error) if on_damage == OnDamage::Stop => {
                        return Err(self.unreadable(index, &error));
                    }
                    Err(error) => self.overwrites(index, &error),
                }
                Some(version)
            }
            Err(error @ StoreError::Unreadable { .. }) if on_damage == OnDamage::Overwrite => {
                self.overwrites(index, &error);
                self.maps.version(Some(index)).await?
            }
            Err(error) => return Err(error),
        };
        if let Some(known) = self.versions.get_mut(index) {
            *known = version;
        }
        Ok(())
    }

    fn overwrites(&self, index: usize, error: &(dyn std::error::Error + 'static)) {
        let part = self.maps.name(Some(index));
        tracing::warn!(
            part,
            error,
            "ledger was damaged while running, writing it again from memory"
        );
    }

    fn unreadable(&self, index: usize, error: &FormError) -> StoreError {
        let source = PartError::Damaged {
            why: error.to_string(),
        };
        StoreError::Unreadable {
            part: self.maps.name(Some(index)),
            source,
        }
    }

    /// Raises the sequence and takes the root, if it still is as we know it.
    async fn swap_root(
        &mut self,
        uids: &BTreeMap<String, String>,
        template: Option<&str>,
    ) -> Result<(), StoreError> {
        let (mut root, version) = match &self.root {
            Some((root, version)) => (root.clone(), version.clone()),
            None => (first_root(self.versions.len()), Version::absent()),
        };
        root.sequence += 1;
        root.holder.clone_from(&self.holder);
        root.template = template.map(str::to_owned);
        root.cluster_uids.extend(uids.clone());
        let version = self.maps.write(None, &root, Some(&version)).await?;
        self.root = Some((root, version));
        Ok(())
    }

    /// Writes shards, splitting them all where one has grown too large. Returns whether the store
    /// knew more than the ledger.
    async fn write_shards(
        &mut self,
        ledger: &mut Ledger,
        now: Moment,
        which: Which,
    ) -> Result<bool, StoreError> {
        let mut united = false;
        let mut shards = self.compose(ledger, self.versions.len(), &self.indices(ledger, which));
        if self.is_crowded(&shards)? {
            self.split(ledger).await?;
            let all = self.indices(ledger, Which::All);
            shards = self.compose(ledger, self.versions.len(), &all);
        }
        for (index, shard) in shards {
            match self.write_shard(index, &shard).await {
                Ok(()) => {}
                Err(error) if error.is_conflict() => {
                    united = true;
                    self.confirm_holder().await?;
                    self.unite_shard(index, ledger, now, OnDamage::Overwrite)
                        .await?;
                    let again = self.compose(ledger, self.versions.len(), &BTreeSet::from([index]));
                    for shard in again.values() {
                        self.write_shard(index, shard).await?;
                    }
                }
                Err(error) => return Err(error),
            }
        }
        ledger.stored();
        Ok(united)
    }

    /// An error if somebody else holds the root by now.
    async fn confirm_holder(&self) -> Result<(), StoreError> {
        match self.maps.read::<Root>(None).await? {
            Some((root, _)) if root.holder != self.holder => Err(StoreError::Deposed {
                part: self.maps.name(None),
                holder: root.holder,
                sequence: root.sequence,
            }),
            _ => Ok(()),
        }
    }

    fn indices(&self, ledger: &Ledger, which: Which) -> BTreeSet<usize> {
        let count = self.versions.len();
        match which {
            Which::All => (0..count).collect(),
            Which::Touched => ledger
                .touched()
                .iter()
                .map(|identity| shards::of(identity, count))
                .collect(),
        }
    }

    /// The wanted shards, if there are `count` in all.
    fn compose(
        &self,
        ledger: &Ledger,
        count: usize,
        wanted: &BTreeSet<usize>,
    ) -> BTreeMap<usize, Shard> {
        let sequence = self.root.as_ref().map_or(0, |(root, _)| root.sequence);
        let empty = |index: &usize| (*index, Shard::new(sequence));
        let mut shards: BTreeMap<usize, Shard> = wanted.iter().map(empty).collect();
        for (identity, entry) in ledger.entries() {
            if let Some(shard) = shards.get_mut(&shards::of(identity, count)) {
                shard.add(identity, entry);
            }
        }
        for (identity, digest) in ledger.past() {
            if let Some(shard) = shards.get_mut(&shards::of(identity, count)) {
                shard.add_past(identity, digest);
            }
        }
        shards
    }

    async fn write_shard(&mut self, index: usize, shard: &Shard) -> Result<(), StoreError> {
        let known = self
            .versions
            .get(index)
            .cloned()
            .flatten()
            .unwrap_or_else(Version::absent);
        let version = self.maps.write(Some(index), shard, Some(&known)).await?;
        if self.versions.len() <= index {
            self.versions.resize(index + 1, None);
        }
        if let Some(known) = self.versions.get_mut(index) {
            *known = Some(version);
        }
        Ok(())
    }
}

/// What to do with a shard that cannot be read, or is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OnDamage {
    /// Nothing is known but the store: stop.
    Stop,
    /// Memory is whole: write it again.
    Overwrite,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Touched,
    All,
}

impl StoreError {
    fn is_conflict(&self) -> bool {
        match self {
            Self::Call { source, .. } => source.is_conflict(),
            _ => false,
        }
    }
}

fn first_root(shards: usize) -> Root {
    Root {
        holder: String::new(),
        sequence: 0,
        cluster_uids: BTreeMap::new(),
        template: None,
        shards: shards.max(1),
    }
}
