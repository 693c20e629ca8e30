//! Stock: the storage records that GitHub has acknowledged, and those that it would not take. The
//! second are remembered while the process runs, like every refusal.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::model::gap::Reason;
use crate::model::image::Digest;
use crate::model::moment::Moment;
use crate::model::record::Body;
use crate::model::storage::{Shelf, StorageStep};

use super::{Ledger, Outcome, refusal};

/// The storage records that GitHub has, as far as it said so.
#[derive(Clone, Debug, Default)]
pub struct Stock {
    kept: BTreeMap<Arc<Shelf>, BTreeSet<Digest>>,
    setbacks: BTreeMap<(Arc<Shelf>, Digest), Setback>,
    touched: BTreeSet<Digest>,
}

/// A storage record that GitHub would not take, or did not answer for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setback {
    /// Why.
    pub reason: Reason,
    /// When it is sent again, if it is still wanted then.
    pub retry_at: Moment,
    image: Arc<str>,
    body: Arc<Body>,
    first: Moment,
    delay: Duration,
}

impl Stock {
    /// Every digest that GitHub has acknowledged, by registry.
    pub fn kept(&self) -> impl Iterator<Item = (&Arc<Shelf>, Digest)> {
        let shelves = self.kept.iter();
        shelves.flat_map(|(shelf, digests)| digests.iter().map(move |digest| (shelf, *digest)))
    }

    /// Whether GitHub has acknowledged that digest in that registry.
    pub fn has(&self, shelf: &Shelf, digest: Digest) -> bool {
        let digests = self.kept.get(shelf);
        digests.is_some_and(|digests| digests.contains(&digest))
    }

    /// What came in the way of that very record.
    pub fn setback(&self, step: &StorageStep) -> Option<&Setback> {
        let setback = self.setbacks.get(&(step.shelf.clone(), step.body.digest))?;
        setback.is_of(step).then_some(setback)
    }

    /// The digests of which something changed since the ledger was stored last.
    pub fn touched(&self) -> &BTreeSet<Digest> {
        &self.touched
    }

    /// Takes note of what came of a record that was sent. One whose outcome is unknown is sent
    /// again, which changes nothing where GitHub has it, but no sooner than a refused one.
    pub fn answer(&mut self, step: &StorageStep, outcome: Outcome, now: Moment) {
        let (shelf, digest) = (&step.shelf, step.body.digest);
        let key = (shelf.clone(), digest);
        let reason = match outcome {
            Outcome::Acknowledged => {
                self.setbacks.remove(&key);
                self.put(shelf.clone(), digest);
                self.touched.insert(digest);
                return;
            }
            Outcome::NotApplied => return,
            Outcome::Refused(reason) => reason,
            Outcome::Unknown | Outcome::Unconfirmed => Reason::Unconfirmed,
        };
        let setback = Setback::new(self.setbacks.get(&key), step, reason, now);
        self.setbacks.insert(key, setback);
    }

    pub(super) fn put(&mut self, shelf: Arc<Shelf>, digest: Digest) {
        self.kept.entry(shelf).or_default().insert(digest);
    }

    /// Forgets what runs nowhere any more: GitHub keeps the record, as the registry may keep the
    /// artifact.
    pub(super) fn forget(&mut self, running: &BTreeSet<Digest>) {
        for digests in self.kept.values_mut() {
            let gone = digests.iter().filter(|digest| !running.contains(digest));
            self.touched.extend(gone);
            digests.retain(|digest| running.contains(digest));
        }
        self.kept.retain(|_, digests| !digests.is_empty());
        self.setbacks
            .retain(|(_, digest), _| running.contains(digest));
    }

    pub(super) fn unite(&mut self, stored: Self) {
        for (shelf, digests) in stored.kept {
            self.kept.entry(shelf).or_default().extend(digests);
        }
    }

    pub(super) fn touch_all(&mut self) {
        self.touched.extend(self.kept.values().flatten());
    }

    pub(super) fn stored(&mut self) {
        self.touched.clear();
    }
}

impl Ledger {
    /// The same ledger, in which GitHub has acknowledged these storage records too.
    #[must_use]
    pub fn with_stock(mut self, kept: impl IntoIterator<Item = (Arc<Shelf>, Digest)>) -> Self {
        for (shelf, digest) in kept {
            self.stock.put(shelf, digest);
        }
        self
    }

    /// The storage records that GitHub has.
    pub fn stock(&self) -> &Stock {
        &self.stock
    }

    /// The same, to take note of what came of one that was sent.
    pub fn stock_mut(&mut self) -> &mut Stock {
        &mut self.stock
    }

    /// Whether all of it is stored.
    pub fn is_stored(&self) -> bool {
        self.touched.is_empty() && self.stock.touched().is_empty()
    }
}

impl Setback {
    fn new(earlier: Option<&Self>, step: &StorageStep, reason: Reason, now: Moment) -> Self {
        let earlier = earlier.filter(|earlier| earlier.is_of(step));
        let delay = refusal::delay(earlier.map(|it| (it.first, it.delay)), reason, now);
        Self {
            reason,
            retry_at: now + delay,
            image: step.image.clone(),
            body: step.body.clone(),
            first: earlier.map_or(now, |earlier| earlier.first),
            delay,
        }
    }

    /// Whether it is of just what would be sent now: anything else is tried at once.
    fn is_of(&self, step: &StorageStep) -> bool {
        let (mine, other) = (&self.body, &step.body);
        self.image == step.image && mine.names_the_same_as(other)
    }
}
