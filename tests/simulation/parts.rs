//! The parts of the stored ledger: how many there are, which of them somebody deleted, and that these are
//! written again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;

use crate::faults::Fault;
use crate::ledger::{self, Stored};
use crate::support::apiserver::Apiserver;
use crate::wire::HOST;
use crate::world::World;

/// Parts that somebody deleted and nobody wrote again yet, each with all that was stored when that was done.
/// Clones are the same.
#[derive(Clone)]
pub struct Missing {
    api: Apiserver,
    parts: Arc<Mutex<BTreeMap<String, Arc<Stored>>>>,
}

impl Missing {
    pub fn none(api: Apiserver) -> Self {
        Self {
            api,
            parts: Arc::default(),
        }
    }

    /// Somebody deletes these.
    pub fn delete(&self, names: &[String]) {
        let before = Arc::new(ledger::stored(&self.api));
        for name in names {
            self.api.delete("ConfigMap", ledger::NAMESPACE, name);
        }
        let with_it = names.iter().map(|it| (it.clone(), before.clone()));
        self.parts.lock().unwrap().extend(with_it);
    }

    /// The same, with what was stored before.
    fn parts(&self) -> BTreeMap<String, Arc<Stored>> {
        let mut parts = self.parts.lock().unwrap();
        let is_missing = |name: &str| {
            let found = self.api.get("ConfigMap", ledger::NAMESPACE, name);
            found.is_none()
        };
        parts.retain(|name, _| is_missing(name));
        parts.clone()
    }

    /// Those that are still not there.
    pub fn names(&self) -> BTreeSet<String> {
        self.parts().into_keys().collect()
    }

    /// Whether there is one.
    pub fn is_any(&self) -> bool {
        !self.names().is_empty()
    }

    /// What is stored, read by the root that was there before where there is none.
    pub fn stored(&self) -> Stored {
        let before = self.parts().remove(ledger::NAME);
        match before {
            Some(before) => ledger::stored_under(&self.api, before.root.clone()),
            None => ledger::stored(&self.api),
        }
    }

    /// Whether that stood in one of them: until it is written again the recorder's memory is that part.
    /// What did not stand there has to be stored like everything else.
    pub fn hides(&self, stored: &Stored, environment: &str, name: &str, digest: &str) -> bool {
        let shard = ledger::shard(stored.shard_of(&destination(environment), name));
        let before = self.parts().remove(&shard);
        before.is_some_and(|it| it.knows(environment, name, digest))
    }
}

/// Where records of this environment go.
fn destination(environment: &str) -> serde_json::Value {
    json!({
        "host": HOST, "organization": "acme", "cluster": "main",
        "logical_environment": environment
    })
}

/// What became of the parts of a ledger in its life.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parts {
    /// How many shards there are.
    shards: u64,
    /// How often there were more than before, since the first were written.
    splits: usize,
    /// How often some parts were deleted while there were several shards, and others were not.
    losses: usize,
    /// How long it took until GitHub was right once all was well.
    pub healed: Duration,
    /// Whether something had to wait: `--idle-after`, or the time for which a mass of ends is held back.
    pub waits: bool,
}

/// The same of many lives.
#[derive(Default)]
pub struct Lives(Vec<Parts>);

/// Whether something happened in a life.
type Happened = fn(&Parts) -> bool;

impl Lives {
    /// One more.
    pub fn add(&mut self, life: Parts) {
        self.0.push(life);
    }

    /// How long it took in so many of a hundred until GitHub was right, where nothing had to wait.
    pub fn healed(&self, share: usize) -> Duration {
        let all = self.0.iter().filter(|it| !it.waits);
        let mut all: Vec<Duration> = all.map(|it| it.healed).collect();
        all.sort_unstable();
        let index = all.len().saturating_sub(1) * share / 100;
        all.get(index).copied().unwrap_or_default()
    }

    /// For people.
    pub fn text(&self) -> String {
        let of = |passes: fn(&Parts) -> bool| self.0.iter().filter(|it| passes(it)).count();
        let several = of(|it| it.shards > 1);
        let most = self.0.iter().map(|it| it.shards).max().unwrap_or_default();
        let at = |share: usize| self.healed(share).as_secs();
        format!(
            "where nothing waits GitHub is right after {} s in 50, {} s in 90, {} s in 99 of 100 seeds, \
             {} s at most; \
             several shards in {several} of {} seeds, {most} at most; split during life in {}; \
             some of several deleted in {}",
            at(50),
            at(90),
            at(99),
            at(100),
            self.0.len(),
            of(|it| it.splits > 0),
            of(|it| it.losses > 0),
        )
    }

    /// What did not happen in any.
    pub fn never(&self) -> Vec<&'static str> {
        let cases: [(Happened, &str); 4] = [
            (|it| it.shards == 1, "one shard alone"),
            (|it| it.shards > 8, "more than eight shards"),
            (|it| it.splits > 0, "a split during life"),
            (|it| it.losses > 0, "some of several parts deleted"),
        ];
        let mut never = Vec::new();
        for (happens, what) in cases {
            if !self.0.iter().any(happens) {
                never.push(what);
            }
        }
        never
    }
}

impl World {
    /// The names of the parts that count: a split that was cut short leaves others.
    pub fn part_names(&self) -> Vec<String> {
        let root = ledger::content(&self.land.api, ledger::NAME).unwrap_or_default();
        let shards = root["shards"].as_u64().unwrap_or_default();
        let names = (0..shards).map(ledger::shard);
        names.chain([ledger::NAME.to_owned()]).collect()
    }

    /// Notes that parts of so many are deleted.
    pub fn note_loss(&mut self, deleted: usize, all: usize) {
        self.parts.losses += usize::from(all > 2 && deleted < all);
    }

    /// Notes how many shards there are.
    pub fn note_shards(&mut self, stored: &Stored) {
        let shards = stored.root["shards"].as_u64().unwrap_or_default();
        let before = self.parts.shards;
        if shards > before {
            self.parts.shards = shards;
            self.parts.splits += usize::from(before > 0);
            self.story.tell(&format!("the ledger has {shards} shards"));
        }
    }

    /// What nobody touches is written again once an interval, within a minute behind the snapshot: so
    /// does a part that is missing come again, if nothing else is wrong for so long.
    pub fn note_missing(&mut self, passed: Duration) {
        let names = self.missing.names();
        self.away.retain(|name, _| names.contains(name));
        if names.is_empty() || !self.is_quiet() {
            return;
        }
        let most = self.told.interval.mul_f64(1.1) + Duration::from_secs(75);
        for name in names {
            let away = self.away.entry(name.clone()).or_default();
            *away += passed;
            assert!(*away <= most, "{name} is not written again after {away:?}");
        }
    }

    /// Whether a recorder leads and nothing is wrong, nor was a while ago, but that parts are missing.
    fn is_quiet(&self) -> bool {
        let now = self.troubles.iter().map(|it| it.fault);
        let mut wrong = now.chain(self.shadows.iter().map(|it| it.0));
        let is_planned = ["ConfigMap", "Lease"].map(|kind| self.land.api.is_planned(kind));
        wrong.all(|it| it == Fault::LedgerDeleted)
            && is_planned == [false; 2]
            && self.leader().is_some()
    }
}

/// By part: how long it has been missing while all else was well.
pub type Away = BTreeMap<String, Duration>;
