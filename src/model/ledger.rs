//! Ledger: what GitHub may hold because of us, per identity, and how outcomes change it. How it is
//! stored is decided elsewhere; what is only remembered while the process runs is here as well.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::gap::Reason;
use super::image::Digest;
use super::moment::Moment;
use super::record::{Body, Destination, Identity, Line, Status};
use super::workload::Source;

mod by_hand;
mod entry;
mod refusal;
mod sent;
mod stock;
mod unite;

pub use entry::Entry;
pub use refusal::Refusal;
pub use sent::{Fate, Owner, Sent};
pub use stock::{Setback, Stock};

use refusal::Refusals;

/// What GitHub may hold because of us.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    template: Option<Arc<str>>,
    entries: BTreeMap<Identity, Entry>,
    past: BTreeMap<Identity, Digest>,
    refusals: Refusals,
    touched: BTreeSet<Identity>,
    stock: Stock,
    idle: BTreeMap<Source, Moment>,
}

/// The entries of each source.
pub type BySource<'a> = BTreeMap<&'a Source, Vec<(&'a Identity, &'a Entry)>>;

/// What came of one line of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// GitHub has it.
    Acknowledged,
    /// GitHub refuses this record, and nothing of it was applied.
    Refused(Reason),
    /// The request was turned down whole, and nothing of it was applied.
    NotApplied,
    /// It may have been applied, and may still be.
    Unknown,
    /// GitHub names the record with a cause that nobody knows: unknown too, and not asked again at
    /// once.
    Unconfirmed,
}

impl Ledger {
    /// A ledger as it was stored. What is sent and unanswered in it may still be applied; all
    /// waiting begins at `now`.
    pub fn restore(
        template: Option<Arc<str>>,
        entries: impl IntoIterator<Item = (Identity, Entry)>,
        past: impl IntoIterator<Item = (Identity, Digest)>,
        now: Moment,
    ) -> Self {
        // Each stored part names its destinations anew. They are few: held once they are compared
        // without a look at their letters.
        let mut destinations: Vec<Arc<Destination>> = Vec::new();
        let mut shared = |mut identity: Identity| {
            let mut known = destinations.iter();
            match known.find(|known| known.is_spelled_as(&identity.destination)) {
                Some(known) => identity.destination = Arc::clone(known),
                None => destinations.push(identity.destination.clone()),
            }
            identity
        };
        let mut restored = BTreeMap::new();
        for (identity, mut entry) in entries {
            entry.begin_anew(now);
            restored.insert(shared(identity), entry);
        }
        let past = past.into_iter();
        let past = past.map(|(identity, digest)| (shared(identity), digest));
        let past = past.collect();
        Self {
            template,
            entries: restored,
            past,
            ..Self::default()
        }
    }

    /// The template that its names were made by, once it is stored.
    pub fn template(&self) -> Option<&str> {
        self.template.as_deref()
    }

    /// Says which template names are made by from now on.
    pub fn set_template(&mut self, template: Arc<str>) {
        self.template = Some(template);
    }

    /// Every entry, by identity.
    pub fn entries(&self) -> impl Iterator<Item = (&Identity, &Entry)> {
        self.entries.iter()
    }

    /// How many entries it has.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entry of that identity.
    pub fn entry(&self, identity: &Identity) -> Option<&Entry> {
        self.entries.get(identity)
    }

    /// The entry of that identity, with the identity as the ledger spells it.
    pub fn entry_of(&self, identity: &Identity) -> Option<(&Identity, &Entry)> {
        self.entries.get_key_value(identity)
    }

    /// The entries of each source.
    pub fn by_source(&self) -> BySource<'_> {
        let mut by_source: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (identity, entry) in &self.entries {
            if let Some(source) = entry.owner.source() {
                by_source.entry(source).or_default().push((identity, entry));
            }
        }
        by_source
    }

    /// The ledger's own spelling of that identity; for a new one, its spelling of the destination;
    /// else the given one.
    pub fn spelled(&self, identity: &Identity) -> Identity {
        if let Some((known, _)) = self.entries.get_key_value(identity) {
            return known.clone();
        }
        let first = Identity {
            destination: identity.destination.clone(),
            name: "".into(),
        };
        let next = self.entries.range(first..).next();
        let near = next.map(|(known, _)| &known.destination);
        let destination = near.filter(|destination| **destination == identity.destination);
        Identity {
            destination: destination.unwrap_or(&identity.destination).clone(),
            name: identity.name.clone(),
        }
    }

    /// Names that ended, with the digest that they had: only as long as that digest runs or another
    /// name has it.
    pub fn past(&self) -> impl Iterator<Item = (&Identity, Digest)> {
        self.past
            .iter()
            .map(|(identity, digest)| (identity, *digest))
    }

    /// Every refused report, by identity.
    pub fn refusals(&self) -> impl Iterator<Item = (&Identity, &Refusal)> {
        self.refusals.iter()
    }

    /// The refusal of that very body under that identity.
    pub fn refusal(&self, identity: &Identity, body: &Body) -> Option<&Refusal> {
        self.refusals.of(identity, body)
    }

    /// The entries and past names that changed since [`Ledger::stored`] was called last, for whoever
    /// stores it.
    pub fn touched(&self) -> &BTreeSet<Identity> {
        &self.touched
    }

    /// Takes note that all of it is stored.
    pub fn stored(&mut self) {
        self.touched.clear();
        self.stock.stored();
    }

    /// Takes note, before anything is sent, that `line` is about to be sent for `owner`. Returns
    /// whether that has to be stored before it is sent.
    pub fn intend(&mut self, line: &Line, owner: &Owner) -> bool {
        let entry = self
            .entries
            .entry(line.identity.clone())
            .or_insert_with(|| Entry::new(owner.clone()));
        let store = entry.intend(line, owner);
        if store {
            self.past.remove(&line.identity);
            self.touched.insert(line.identity.clone());
        }
        store
    }

    /// Takes note that a request with `line` leaves now.
    pub fn leaves(&mut self, line: &Line) {
        if let Some(entry) = self.entries.get_mut(&line.identity)
            && entry.leaves(line)
        {
            self.touched.insert(line.identity.clone());
        }
    }

    /// Takes note of what came of `line`, which was [intended](Self::intend) before. `settle_after`
    /// is how much later than its unknown outcome a request may still be applied.
    pub fn answer(&mut self, line: &Line, outcome: Outcome, now: Moment, settle_after: Duration) {
        let identity = &line.identity;
        let Some(entry) = self.entries.get_mut(identity) else {
            return;
        };
        let changed = match (outcome, line.status) {
            (Outcome::Acknowledged, Status::Deployed) => {
                let known = entry.held.as_ref() == Some(&line.body);
                self.refusals.taken(line, known);
                entry.reported(line, now, settle_after)
            }
            (Outcome::Acknowledged, Status::Decommissioned) => {
                if entry.ended(line, now, settle_after) {
                    self.past.insert(identity.clone(), line.body.digest);
                    self.entries.remove(identity);
                }
                true
            }
            (Outcome::Refused(reason), Status::Deployed) => {
                self.refusals.refused(line, reason, now);
                entry.refused(line, now, settle_after)
            }
            (Outcome::Refused(reason), Status::Decommissioned) => {
                entry.end_refused(line, reason, now);
                entry.turned_down(line)
            }
            (Outcome::NotApplied, _) => entry.turned_down(line),
            (Outcome::Unknown, _) => entry.lost(line, now),
            (Outcome::Unconfirmed, Status::Deployed) => {
                self.refusals.refused(line, Reason::Unconfirmed, now);
                entry.lost(line, now)
            }
            (Outcome::Unconfirmed, Status::Decommissioned) => {
                entry.end_refused(line, Reason::Unconfirmed, now);
                entry.lost(line, now)
            }
        };
        if changed {
            self.touched.insert(identity.clone());
        }
        self.forget_if_void(identity);
    }

    /// Takes back what was intended and never left, and forgets entries that nothing was ever
    /// sent for.
    pub fn take_back_unsent(&mut self) {
        let mut taken_back = Vec::new();
        for (identity, entry) in &mut self.entries {
            if entry.take_back_unsent() {
                taken_back.push(identity.clone());
            }
        }
        for identity in taken_back {
            self.forget_if_void(&identity);
            self.touched.insert(identity);
        }
    }

    fn forget_if_void(&mut self, identity: &Identity) {
        if self.entries.get(identity).is_some_and(Entry::is_void) {
            self.entries.remove(identity);
        }
    }

    /// Takes note of which names a plan found missing, and which sources idle.
    pub fn observe(&mut self, missing: &[Identity], idle: &BTreeSet<Source>, now: Moment) {
        let missing: BTreeSet<&Identity> = missing.iter().collect();
        for (identity, entry) in &mut self.entries {
            entry.observe(missing.contains(identity), now);
        }
        self.idle.retain(|source, _| idle.contains(source));
        for source in idle {
            if !self.idle.contains_key(source) {
                self.idle.insert(source.clone(), now);
            }
        }
    }

    /// Sources of which no pod has the container, with since when.
    pub fn idle(&self) -> &BTreeMap<Source, Moment> {
        &self.idle
    }

    /// Forgets storage records whose digest runs no longer, and past names whose digest neither runs
    /// nor stands in an entry: of these two GitHub is asked, and it lists every name of a digest. To be
    /// called with every digest that runs, from a complete view of pods only.
    pub fn forget_past(&mut self, running: &BTreeSet<Digest>) {
        self.stock.forget(running);
        if self.past.values().all(|digest| running.contains(digest)) {
            return;
        }
        let bodies = self.entries.values().flat_map(Entry::bodies);
        let named: BTreeSet<Digest> = bodies.map(|body| body.digest).collect();
        let gone = |_: &Identity, it: &mut Digest| !running.contains(it) && !named.contains(it);
        let gone = self.past.extract_if(.., gone);
        self.touched.extend(gone.map(|(identity, _)| identity));
    }

    /// Forgets refusals that are due of names that have no entry and are not `wanted`: nobody asks
    /// again. Until then one holds for whoever comes back, so that no view of the cluster is needed
    /// to tell who is gone.
    pub fn forget_refusals(&mut self, wanted: impl Fn(&Identity) -> bool, now: Moment) {
        let entries = &self.entries;
        let needed = |name: &Identity| entries.contains_key(name) || wanted(name);
        self.refusals.forget_due(needed, now);
    }

    /// Marks everything as changed, so that all of it is stored again.
    pub fn touch_all(&mut self) {
        self.touched
            .extend(self.entries.keys().chain(self.past.keys()).cloned());
        self.stock.touch_all();
    }
}

#[cfg(test)]
mod tests;
