//! Shards: which one an entry belongs to, and how they are split when they grow.

use std::collections::BTreeMap;

use crate::model::image::Digest;
use crate::model::ledger::Ledger;
use crate::model::record::Identity;

use super::config_map::Version;
use super::form::Content;
use super::{PartError, Store, StoreError};

/// Shards as they are stored, by index.
pub(super) type Parts = BTreeMap<usize, Vec<u8>>;

/// The size that a shard should not pass, in bytes. Every change rewrites the shards that it
/// touches, so small ones are cheap; a ConfigMap holds 1 MiB at most.
pub(super) const ROOMY: usize = 64 << 10;

/// There are never more shards, because their names stand in a Role.
pub(super) const MOST: usize = 256;

/// The shard of `identity` among `count`, a power of two: the last bits of its SHA-256, so that
/// doubling moves an entry of shard `i` to `i + count` or leaves it.
pub(super) fn of(identity: &Identity, count: usize) -> usize {
    let folded = identity.folded();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, folded.as_bytes());
    let last = digest.as_ref().last().copied().unwrap_or_default();
    usize::from(last) % count.max(1)
}

/// The shard of a storage record: by the last bits of the digest itself, which is a SHA-256 too.
pub(super) fn of_digest(digest: Digest, count: usize) -> usize {
    let [.., last] = digest.bytes();
    usize::from(*last) % count.max(1)
}

/// Leaves in `content` only what belongs to the shard `index` among `count`; returns the rest.
pub(super) fn keep_own(content: &mut Content, index: usize, count: usize) -> Content {
    let is_strange = |identity: &Identity| of(identity, count) != index;
    let entries = content.entries.extract_if(.., |it| is_strange(&it.0));
    let entries = entries.collect();
    let past = content.past.extract_if(.., |it| is_strange(&it.0));
    let past = past.collect();
    let stock = &mut content.stock;
    let stock = stock.extract_if(.., |it| of_digest(it.1, count) != index);
    Content {
        entries,
        past,
        stock: stock.collect(),
    }
}

/// The size of the largest of these shards as it is stored, in bytes.
fn largest(parts: &Parts) -> usize {
    parts.values().map(Vec::len).max().unwrap_or_default()
}

impl Store {
    /// Whether one of these shards has grown too large and can still be split.
    pub(super) fn is_crowded(&self, parts: &Parts) -> bool {
        self.versions.len() != MOST && largest(parts) > self.roomy
    }

    /// Doubles the number of shards until none is too large: the new ones are written, then the
    /// root names them; what moved leaves the old ones when those are written next. Until the root
    /// names them they do not count, so a split that fails has not begun. `parts`: those that have
    /// grown too large.
    pub(super) async fn split(
        &mut self,
        ledger: &Ledger,
        mut parts: Parts,
    ) -> Result<(), StoreError> {
        let old = self.versions.len();
        let mut count = old;
        while count != MOST && largest(&parts) > self.roomy {
            // All at once: each time costs as much as writing all of the ledger.
            let times = largest(&parts).div_ceil(self.roomy).next_power_of_two();
            count = (count * times).min(MOST);
            parts = self.compose(ledger, count, &(0..count).collect())?;
        }
        let new = parts.split_off(&old);
        let result = self.write_split(ledger, count, new).await;
        if result.is_err() {
            self.versions.truncate(old);
            self.set_count(old);
        }
        result
    }

    async fn write_split(
        &mut self,
        ledger: &Ledger,
        count: usize,
        parts: Parts,
    ) -> Result<(), StoreError> {
        for (index, part) in parts {
            let left = self.left_over(index).await?;
            self.versions.push(left);
            self.write_shard(index, part).await?;
        }
        self.set_count(count);
        let template = ledger.template().map(str::to_owned);
        self.swap_root(&BTreeMap::new(), template.as_deref()).await
    }

    /// The shard of a split that was cut short, if there is one: no root names it. Whatever else has
    /// its name, such as the root of another ledger, is somebody's, and stays.
    async fn left_over(&self, index: usize) -> Result<Option<Version>, StoreError> {
        match self.read_shard(index, self.known_root()).await {
            Ok(left) => Ok(left.map(|(_, version)| version)),
            // Put here by mistake, as under a recorder that runs.
            Err(StoreError::Unreadable {
                source: PartError::OtherCluster { .. },
                ..
            }) => self.maps.version(Some(index)).await,
            Err(StoreError::Unreadable { part, source }) => Err(StoreError::Taken { part, source }),
            Err(error) => Err(error),
        }
    }

    /// How many shards the root names when it is written next.
    fn set_count(&mut self, count: usize) {
        if let Some((root, _)) = &mut self.root {
            root.shards = count;
        }
    }
}
