//! Uniting memory with what is stored, where somebody else's hand was on the store: a lost answer
//! of our own, an older copy put back, a former writer, a part that is gone.

use crate::model::ledger::Ledger;
use crate::model::moment::Moment;

use super::config_map::Version;
use super::form::Root;
use super::{Store, StoreError, shards};

impl Store {
    /// The root is not as we left it. Ours by a lost answer, by a foreign hand or gone: go on with
    /// the union of store and memory. Another writer's: stop. Returns whether the store knew more.
    pub(super) async fn settle_conflict(
        &mut self,
        ledger: &mut Ledger,
        now: Moment,
    ) -> Result<bool, StoreError> {
        let last = self.known_root().map_or(0, |root| root.sequence);
        let found = match self.read_root().await {
            Ok(found) => found,
            Err(error) if error.is_damage() => {
                // Whoever damaged it did not hold it; what we hold in memory is whole.
                self.overwrites(None, &error);
                let version = self.maps.version(None).await?;
                if let (Some((_, known)), Some(version)) = (&mut self.root, version) {
                    *known = version;
                }
                return Ok(false);
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
                    sequence,
                    cluster_uids,
                    shards,
                    ..root
                };
                self.root = Some((united, version));
                self.unite_with_store(ledger, now).await
            }
            None => {
                self.misses(None);
                if let Some((_, version)) = &mut self.root {
                    *version = Version::absent();
                }
                self.unite_with_store(ledger, now).await
            }
        }
    }

    /// Reads every shard again and adds to the ledger what it does not know. Returns whether there was
    /// any.
    async fn unite_with_store(
        &mut self,
        ledger: &mut Ledger,
        now: Moment,
    ) -> Result<bool, StoreError> {
        let count = self.known_root().map_or(1, |root| root.shards);
        self.versions.resize(count, None);
        let mut knew_more = false;
        for index in 0..count {
            knew_more |= self.unite_shard(index, ledger, now).await?;
        }
        Ok(knew_more)
    }

    /// The same with one shard.
    pub(super) async fn unite_shard(
        &mut self,
        index: usize,
        ledger: &mut Ledger,
        now: Moment,
    ) -> Result<bool, StoreError> {
        let count = self.versions.len();
        let mut knew_more = false;
        let version = match self.read_shard(index, self.known_root()).await {
            Ok(None) => {
                self.misses(Some(index));
                None
            }
            Ok(Some((_, version))) if self.has_only_touched(index, &version) => Some(version),
            Ok(Some((shard, version))) => {
                match shard.read() {
                    Ok(mut content) => {
                        shards::keep_own(&mut content, index, count);
                        knew_more = ledger.unite(content.ledger(None, now));
                    }
                    Err(error) => self.overwrites(Some(index), &error),
                }
                Some(version)
            }
            Err(error) if error.is_damage() => {
                self.overwrites(Some(index), &error);
                self.maps.version(Some(index)).await?
            }
            Err(error) => return Err(error),
        };
        if let Some(known) = self.versions.get_mut(index) {
            *known = version;
        }
        Ok(knew_more)
    }

    /// Whether a shard has the content that it had when it was read or written last. What is in memory comes
    /// of that, and may know since what became of a request that is unanswered there.
    fn has_only_touched(&self, index: usize, found: &Version) -> bool {
        let known = self.versions.get(index).and_then(Option::as_ref);
        known.is_some_and(|known| known.is_only_touched(found))
    }

    fn overwrites(&self, shard: Option<usize>, error: &(dyn std::error::Error + 'static)) {
        let part = self.maps.name(shard);
        tracing::warn!(
            part,
            error,
            "ledger was damaged while running, writing it again from memory"
        );
    }

    fn misses(&self, shard: Option<usize>) {
        let part = self.maps.name(shard);
        tracing::warn!(
            part,
            "ledger was deleted while running, writing it again from memory"
        );
    }

    /// An error if somebody else has taken the root over. An older copy, or a damaged one, that somebody
    /// put there is another one's matter: the next store finds it.
    pub(super) async fn confirm_holder(&self) -> Result<(), StoreError> {
        let last = self.known_root().map_or(0, |root| root.sequence);
        match self.read_root().await {
            Ok(Some((root, _))) if root.holder != self.holder && root.sequence >= last => {
                Err(StoreError::Deposed {
                    part: self.maps.name(None),
                    holder: root.holder,
                    sequence: root.sequence,
                })
            }
            Err(error) if !error.is_damage() => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}
