//! Reading the ledger when nothing is known but what is stored: all of it, or a clear refusal.
//! Never a part of it, and never an empty one where something was.

use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _};

use crate::model::ledger::Ledger;
use crate::model::moment::Moment;

use super::config_map::{CallError, Version};
use super::form::{Content, FormError, Root, Shard};
use super::{PartError, Store, StoreError, Uids, shards};

/// How many parts are read at a time where nothing is expected.
const AT_A_TIME: usize = 16;

/// What all shards say together.
pub(super) struct Loaded {
    pub(super) ledger: Ledger,
    /// The version of each shard.
    pub(super) versions: Vec<Option<Version>>,
    /// The highest sequence of the root under which one of them was written.
    newest: u64,
    /// What stands in a shard that is not its own.
    strays: Content,
}

impl Loaded {
    /// Lets count what stands in a shard that is not its own.
    pub(super) fn unite_strays(&mut self, now: Moment) {
        let strays = std::mem::take(&mut self.strays);
        self.ledger.unite_strays(strays.ledger(None, now), now);
    }
}

impl Store {
    /// Reads the ledger; `None` where nothing at all is there, which is a first start.
    pub async fn load(&mut self, now: Moment) -> Result<Option<Ledger>, StoreError> {
        let Some((mut root, version)) = self.read_root().await? else {
            self.expect_nothing().await?;
            return Ok(None);
        };
        let mut loaded = self.load_shards(&root, now).await?;
        let newest = loaded.newest.max(self.newest_beyond(&root).await?);
        let is_older = newest > root.sequence;
        self.has_strays = is_older || root.has_strays;
        if is_older {
            root.sequence = newest;
            loaded = self.load_beside_old_root(&mut root, now).await?;
        }
        if self.has_strays {
            loaded.unite_strays(now);
        }
        self.versions = loaded.versions;
        self.root = Some((root, version));
        Ok(Some(loaded.ledger))
    }

    /// The sequence of the shard behind the last one that the root names: a root that was put back together
    /// with all of its shards is older than one that a split has made since. What a split left that was cut
    /// short is not: the root that it was to be named by had been written before.
    async fn newest_beyond(&self, root: &Root) -> Result<u64, StoreError> {
        if root.shards == shards::MOST {
            return Ok(0);
        }
        let beyond = self.read_unnamed(root.shards, Some(root)).await?;
        Ok(beyond.map_or(0, |shard| shard.sequence))
    }

    /// A shard that no root names; `None` where none is to be seen.
    async fn read_unnamed(
        &self,
        index: usize,
        root: Option<&Root>,
    ) -> Result<Option<Shard>, StoreError> {
        match self.read_shard(index, root).await {
            Ok(found) => Ok(found.map(|(shard, _)| shard)),
            // Whatever else has its name is somebody's.
            Err(error) if error.is_damage() => Ok(None),
            // A Role may name only the shards that are there. The split that needs the next one says so.
            Err(StoreError::Call {
                source: CallError::Refused { code: 403, .. },
                ..
            }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The root is older than a shard, as one that was put back alone is. The ledger may have been
    /// split since: its shards say for themselves how many there are. What stands in a shard that is
    /// not its own counts too, since which of them were written last is not known.
    async fn load_beside_old_root(
        &self,
        root: &mut Root,
        now: Moment,
    ) -> Result<Loaded, StoreError> {
        let named = root.shards;
        while root.shards != shards::MOST {
            if self.read_shard(root.shards, Some(root)).await?.is_none() {
                break;
            }
            root.shards *= 2;
        }
        tracing::warn!(
            ledger = self.maps.name(None),
            named,
            shards = root.shards,
            "the root of the ledger is older than its shards, going on with what they say"
        );
        self.load_shards(root, now).await
    }

    pub(super) async fn load_shards(&self, root: &Root, now: Moment) -> Result<Loaded, StoreError> {
        let (mut all, mut strays) = (Content::default(), Content::default());
        let (mut versions, mut newest) = (Vec::new(), 0);
        for index in 0..root.shards {
            let missing = || StoreError::Missing {
                part: self.maps.name(Some(index)),
                other: self.maps.name(None),
            };
            let found = self.read_shard(index, Some(root)).await?;
            let (shard, version) = found.ok_or_else(missing)?;
            newest = newest.max(shard.sequence);
            let content = Shard::read(shard);
            let mut content = content.map_err(|error| self.unreadable(index, &error))?;
            // While shards are being split an entry stands in two; only that of its hash counts.
            strays.append(shards::keep_own(&mut content, index, root.shards));
            all.append(content);
            versions.push(Some(version));
        }
        let template = root.template.as_deref().map(Arc::from);
        Ok(Loaded {
            ledger: all.ledger(template, now),
            versions,
            newest,
            strays,
        })
    }

    /// Without a root there may be an empty first shard, of a first store that was cut short, and
    /// nothing else.
    async fn expect_nothing(&mut self) -> Result<(), StoreError> {
        let other = |index| self.maps.name(Some(index));
        let missing = |index| StoreError::Missing {
            part: self.maps.name(None),
            other: other(index),
        };
        let first = self.read_shard(0, None).await?;
        if first.as_ref().is_some_and(|(shard, _)| !shard.is_empty()) {
            return Err(missing(0));
        }
        if self.read_shard(1, None).await?.is_some() {
            return Err(missing(1));
        }
        if let Some(index) = self.any_of_the_others().await? {
            return Err(missing(index));
        }
        self.root = None;
        self.versions = vec![first.map(|(_, version)| version)];
        Ok(())
    }

    /// One of the other shards that is there: what is left of a ledger that somebody deleted the rest of,
    /// which a split would write over.
    async fn any_of_the_others(&self) -> Result<Option<usize>, StoreError> {
        let read = async |index| {
            let found = self.read_unnamed(index, None).await?;
            Ok(found.map(|_| index))
        };
        let found = futures::stream::iter(2..shards::MOST).map(read);
        let found = found.buffered(AT_A_TIME);
        let mut there = std::pin::pin!(found.try_filter_map(async |index| Ok(index)));
        there.try_next().await
    }

    /// The root; `None` where it is not there. One that names no such number of shards as is ever
    /// written was not written by this program.
    pub(super) async fn read_root(&self) -> Result<Option<(Root, Version)>, StoreError> {
        let found = self.maps.read::<Root>(None).await?;
        if let Some((root, _)) = &found
            && !(root.shards.is_power_of_two() && root.shards <= shards::MOST)
        {
            let why = format!("it names {} shards", root.shards);
            return Err(StoreError::Unreadable {
                part: self.maps.name(None),
                source: PartError::Damaged { why },
            });
        }
        if let (Some((root, _)), Some(known)) = (&found, self.known_root()) {
            self.expect_one_cluster(None, &root.cluster_uids, known)?;
        }
        Ok(found)
    }

    /// The root as it was read or written last.
    pub(super) fn known_root(&self) -> Option<&Root> {
        self.root.as_ref().map(|(root, _)| root)
    }

    /// An error if a part says that it is of another cluster than the root. Of one ledger each part knows what the
    /// root knew first.
    fn expect_one_cluster(
        &self,
        shard: Option<usize>,
        found: &Uids,
        Root { cluster_uids, .. }: &Root,
    ) -> Result<(), StoreError> {
        let both = |(namespace, uid)| Some((uid, cluster_uids.get(namespace)?));
        let mut common = found.iter().filter_map(both).peekable();
        let is_told = !found.is_empty() && !cluster_uids.is_empty();
        let is_one = common.peek().is_some() && common.all(|(one, other)| one == other);
        if !is_told || is_one {
            return Ok(());
        }
        Err(StoreError::Unreadable {
            part: self.maps.name(shard),
            source: PartError::OtherCluster {
                found: listed(found),
                known: listed(cluster_uids),
            },
        })
    }

    /// A shard; `None` where it is not there. Another one in its place would be read as one that has
    /// nothing of its own, and what is in one of another cluster as what runs no more.
    pub(super) async fn read_shard(
        &self,
        index: usize,
        root: Option<&Root>,
    ) -> Result<Option<(Shard, Version)>, StoreError> {
        let found = self.maps.read::<Shard>(Some(index)).await?;
        let Some((shard, _)) = &found else {
            return Ok(None);
        };
        if let Some(found) = shard.index
            && found != index
        {
            return Err(StoreError::Unreadable {
                part: self.maps.name(Some(index)),
                source: PartError::Elsewhere { found },
            });
        }
        if let Some(root) = root {
            self.expect_one_cluster(Some(index), &shard.cluster_uids, root)?;
        }
        Ok(found)
    }

    pub(super) fn unreadable(&self, index: usize, error: &FormError) -> StoreError {
        StoreError::Unreadable {
            part: self.maps.name(Some(index)),
            source: PartError::damaged(error),
        }
    }
}

/// As a person reads it.
fn listed(uids: &Uids) -> String {
    let all: Vec<String> = uids
        .iter()
        .map(|(namespace, uid)| format!("{namespace} {uid}"))
        .collect();
    all.join(", ")
}
