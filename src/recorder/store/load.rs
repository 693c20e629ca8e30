//! Reading the ledger when nothing is known but what is stored: all of it, or a clear refusal.
//! Never a part of it, and never an empty one where something was.

use std::sync::Arc;

use crate::model::ledger::Ledger;
use crate::model::moment::Moment;

use super::config_map::Version;
use super::form::{Content, FormError, Root, Shard};
use super::{PartError, Store, StoreError, shards};

impl Store {
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

    pub(super) async fn load_shards(
        &self,
        root: &Root,
        now: Moment,
    ) -> Result<(Ledger, Vec<Option<Version>>), StoreError> {
        let mut all = Content::default();
        let mut versions = Vec::new();
        for index in 0..root.shards {
            let part = self.maps.name(Some(index));
            let missing = || StoreError::Missing {
                part: part.clone(),
                other: self.maps.name(None),
            };
            let (shard, version) = self.maps.read(Some(index)).await?.ok_or_else(missing)?;
            let content = Shard::read(shard);
            let mut content = content.map_err(|error| self.unreadable(index, &error))?;
            // While shards are being split an entry stands in two; only that of its hash counts.
            shards::keep_own(&mut content, index, root.shards);
            all.entries.append(&mut content.entries);
            all.past.append(&mut content.past);
            all.stock.append(&mut content.stock);
            versions.push(Some(version));
        }
        let template = root.template.as_deref().map(Arc::from);
        Ok((all.ledger(template, now), versions))
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

    pub(super) fn unreadable(&self, index: usize, error: &FormError) -> StoreError {
        let source = PartError::Damaged {
            why: error.to_string(),
        };
        StoreError::Unreadable {
            part: self.maps.name(Some(index)),
            source,
        }
    }
}
