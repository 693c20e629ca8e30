//! Writing the ledger: the root first, so that a deposed writer stops here, then each shard that
//! changed. Every write is a compare-and-swap.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::ledger::Ledger;
use crate::model::moment::Moment;

use super::config_map::Version;
use super::form::{Root, Written};
use super::shards::Parts;
use super::{Store, StoreError, Uids, part, shards};

impl Store {
    /// Raises the sequence and takes the root, if it still is as we know it.
    pub(super) async fn swap_root(
        &mut self,
        uids: &Uids,
        template: Option<&str>,
    ) -> Result<(), StoreError> {
        let (mut root, version) = match &self.root {
            Some((root, version)) => (root.clone(), version.clone()),
            None => (first_root(self.versions.len()), Version::absent()),
        };
        root.sequence = root.sequence.saturating_add(1);
        root.holder.clone_from(&self.holder);
        root.template = template.map(str::to_owned);
        root.has_strays = self.has_strays;
        root.cluster_uids.extend(uids.clone());
        let part = self.maps.part(None, &root, part::FIRST)?;
        let version = self.maps.write(None, part, Some(&version)).await?;
        self.root = Some((root, version));
        Ok(())
    }

    /// Writes the shards that changed, or all, splitting them where one has grown too large. Returns
    /// whether the store knew more than the ledger.
    pub(super) async fn write_shards(
        &mut self,
        ledger: &mut Ledger,
        now: Moment,
    ) -> Result<bool, StoreError> {
        let mut united = false;
        let mut parts = self.compose(ledger, self.versions.len(), &self.changed(ledger))?;
        if self.is_crowded(&parts) {
            self.split(ledger, parts).await?;
            self.rewrite = true;
            parts = self.compose(ledger, self.versions.len(), &self.changed(ledger))?;
        }
        // The last one first: what stands in another's shard belongs to a later one, and leaves the earlier
        // only when it is there.
        for (index, part) in parts.into_iter().rev() {
            match self.write_shard(index, part).await {
                Ok(()) => {}
                Err(error) if error.is_conflict() => {
                    self.confirm_holder().await?;
                    united |= self.unite_shard(index, ledger, now).await?;
                    let again = BTreeSet::from([index]);
                    for part in self
                        .compose(ledger, self.versions.len(), &again)?
                        .into_values()
                    {
                        self.write_shard(index, part).await?;
                    }
                }
                Err(error) => return Err(error),
            }
        }
        self.rewrite = false;
        ledger.stored();
        Ok(united)
    }

    /// The shards that have to be written.
    fn changed(&self, ledger: &Ledger) -> BTreeSet<usize> {
        let count = self.versions.len();
        if self.rewrite {
            return (0..count).collect();
        }
        let records = ledger.touched().iter();
        let records = records.map(|identity| shards::of(identity, count));
        let storage = ledger.stock().touched().iter();
        let storage = storage.map(|digest| shards::of_digest(*digest, count));
        records.chain(storage).collect()
    }

    /// The wanted shards as they are stored, if there are `count` in all.
    pub(super) fn compose(
        &self,
        ledger: &Ledger,
        count: usize,
        wanted: &BTreeSet<usize>,
    ) -> Result<Parts, StoreError> {
        let root = self.known_root();
        let sequence = root.map_or(0, |root| root.sequence);
        let uids = root.map(|root| root.cluster_uids.clone());
        let uids = uids.unwrap_or_default();
        let empty = |index: &usize| (*index, Written::new(*index, sequence).of_cluster(&uids));
        let mut shards: BTreeMap<usize, Written<'_>> = wanted.iter().map(empty).collect();
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
        for (shelf, digest) in ledger.stock().kept() {
            if let Some(shard) = shards.get_mut(&shards::of_digest(digest, count)) {
                shard.add_kept(shelf, digest);
            }
        }
        let part = |(index, shard): (usize, Written<'_>)| {
            let part = self.maps.part(Some(index), &shard, shard.version())?;
            Ok((index, part))
        };
        shards.into_iter().map(part).collect()
    }

    pub(super) async fn write_shard(
        &mut self,
        index: usize,
        part: Vec<u8>,
    ) -> Result<(), StoreError> {
        let known = self
            .versions
            .get(index)
            .cloned()
            .flatten()
            .unwrap_or_else(Version::absent);
        let version = self.maps.write(Some(index), part, Some(&known)).await?;
        if let Some(known) = self.versions.get_mut(index) {
            *known = Some(version);
        }
        Ok(())
    }
}

fn first_root(shards: usize) -> Root {
    Root {
        holder: String::new(),
        sequence: 0,
        cluster_uids: BTreeMap::new(),
        template: None,
        shards: shards.max(1),
        has_strays: false,
    }
}
