//! What a large ledger costs: how many parts it has, how large they are, and how many of them a
//! change writes. `make ledger` does it with 100,000 records, in a release build, and says how long
//! it takes (`docs/testing.md`).

#![allow(clippy::print_stdout, reason = "the figures are what it is for")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use deployment_recorder::model::image::Digest;
use deployment_recorder::model::ledger::{Entry, Ledger, Outcome, Owner};
use deployment_recorder::model::moment::Moment;
use deployment_recorder::model::record::{Body, Destination, Identity, Line, Status};
use deployment_recorder::model::risk::Risk;
use deployment_recorder::model::workload::{Kind, Source, Workload};
use deployment_recorder::recorder::store::Store;
use tokio::time::Instant;

use crate::ledger::{NAME, NAMESPACE, bytes};
use crate::objects::namespace;
use crate::support::apiserver::{Apiserver, Verb};

/// What a shard should not pass, and what a ConfigMap cannot:
/// <https://kubernetes.io/docs/concepts/configuration/configmap/>.
const ROOMY: usize = 64 << 10;
const CONFIG_MAP: usize = 1 << 20;

const NOW: Moment = Moment::START;

/// Which of the records, in which of its versions.
#[derive(Clone, Copy)]
struct Which(usize, usize);

impl Which {
    fn owner(self) -> Owner {
        let Self(number, _) = self;
        let workload = Workload {
            kind: Kind::Deployment,
            namespace: format!("team-{:03}", number / 100).into(),
            name: format!("service-{number}").into(),
        };
        Owner::Source(Source::new(workload, "main".into()))
    }

    /// As they are in a cluster: a digest that nothing can compress, tags and a repository.
    fn line(self, destination: &Arc<Destination>) -> Line {
        let Self(number, version) = self;
        let tags = [("team", "storefront"), ("tier", "backend")];
        let tags = tags.map(|(key, text)| (key.into(), text.into()));
        let body = Body {
            digest: Digest::of(format!("{number}:{version}").as_bytes()),
            name: format!("ghcr.io/acme/service-{}", number / 3).into(),
            version: Some(format!("1.{version}.{number}").into()),
            repository: Some(format!("service-{}", number / 3).into()),
            tags: tags.into_iter().collect(),
            risks: [Risk::ALL[number % 4]].into_iter().collect(),
        };
        let name = format!("team-{:03}-service-{number}-main", number / 100);
        Line {
            identity: Identity {
                destination: Arc::clone(destination),
                name: name.into(),
            },
            body: Arc::new(body),
            status: Status::Deployed,
        }
    }
}

fn destination() -> Arc<Destination> {
    Arc::new(Destination {
        host: "api.github.test".into(),
        organization: "acme".into(),
        cluster: "main".into(),
        logical_environment: "production".into(),
        physical_environment: None,
    })
}

/// The sizes of root and shards, in bytes.
fn sizes(api: &Apiserver) -> (usize, Vec<usize>) {
    let name = |map: &serde_json::Value| map["metadata"]["name"].as_str().unwrap().to_owned();
    let mut sizes: BTreeMap<String, usize> = api
        .all("ConfigMap")
        .iter()
        .map(|map| (name(map), bytes(api, &name(map)).len()))
        .collect();
    let root = sizes.remove(NAME).unwrap();
    (root, sizes.into_values().collect())
}

/// A large ledger and where it is stored.
struct Large {
    api: Apiserver,
    store: Store,
    ledger: Ledger,
    destination: Arc<Destination>,
}

impl Large {
    /// So many records, none of them stored yet.
    async fn new(records: usize) -> Self {
        let api = Apiserver::new();
        api.apply(namespace(NAMESPACE));
        let destination = destination();
        let entries = (0..records).map(|number| {
            let which = Which(number, 0);
            let line = which.line(&destination);
            let mut entry = Entry::new(which.owner());
            entry.held = Some(line.body);
            (line.identity, entry)
        });
        let ledger = Ledger::restore(None, entries, [], NOW);
        let mut store = Store::new(api.client(), NAMESPACE, NAME, "one".to_owned());
        assert!(store.load(NOW).await.unwrap().is_none());
        Self {
            api,
            store,
            ledger,
            destination,
        }
    }

    fn writes(&self) -> usize {
        self.api.count(Verb::Create, "ConfigMap") + self.api.count(Verb::Update, "ConfigMap")
    }

    /// Stores what changed; how many writes and how long that takes.
    async fn store(&mut self) -> (usize, Duration) {
        let (before, begun) = (self.writes(), Instant::now());
        let uids = BTreeMap::new();
        self.store
            .store(&mut self.ledger, &uids, NOW)
            .await
            .unwrap();
        (self.writes() - before, begun.elapsed())
    }

    /// These are rolled out: what is about to be sent is stored, then what was acknowledged.
    async fn roll_out(&mut self, numbers: impl Iterator<Item = usize>) -> (usize, usize, Duration) {
        let steps = numbers.map(|number| Which(number, 1));
        let steps: Vec<(Owner, Line)> = steps
            .map(|which| (which.owner(), which.line(&self.destination)))
            .collect();
        for (owner, line) in &steps {
            self.ledger.intend(line, owner);
        }
        let (ahead, took) = self.store().await;
        for (_, line) in &steps {
            self.ledger.leaves(line);
            self.ledger
                .answer(line, Outcome::Acknowledged, NOW, Duration::ZERO);
        }
        let (after, _) = self.store().await;
        (ahead, after, took)
    }

    /// One in a hundred is ended, and of the one after it no answer came to the newest, or to one before what was
    /// acknowledged last: so every field of an entry says something.
    async fn leave_some_behind(&mut self, records: usize) {
        let settle_after = Duration::from_hours(1);
        for number in (0..records).step_by(100) {
            let sent = [
                (number, 1, Status::Decommissioned, Outcome::Acknowledged),
                (number + 1, 2, Status::Deployed, Outcome::Unknown),
                (number + 2, 2, Status::Deployed, Outcome::Unknown),
                (number + 2, 3, Status::Deployed, Outcome::Acknowledged),
            ];
            for (number, version, status, outcome) in sent {
                let which = Which(number, version);
                let line = Line {
                    status,
                    ..which.line(&self.destination)
                };
                self.ledger.intend(&line, &which.owner());
                self.ledger.leaves(&line);
                self.ledger.answer(&line, outcome, NOW, settle_after);
            }
        }
        self.store().await;
        let is_told: [fn(&Entry) -> bool; 3] =
            [Entry::is_tombstone, Entry::is_acknowledged_since, |it| {
                it.is_unanswered() && !it.is_acknowledged_since()
            }];
        for is_told in is_told {
            let entries = self.ledger.entries().map(|(_, entry)| entry);
            assert_eq!(entries.filter(|it| is_told(it)).count(), records / 100);
        }
    }
}

/// All that the ledger says of each record and that is stored, in order.
fn said(ledger: &Ledger) -> Vec<String> {
    let entries = ledger.entries().map(|(name, it)| {
        let sent = it.sent.iter().filter(|sent| it.must_be_stored(sent));
        let sent: Vec<_> = sent.map(|it| (&it.owner, &it.body, it.status)).collect();
        let (tombstone, acknowledged) = (it.is_tombstone(), it.is_acknowledged_since());
        let (owner, held) = (&it.owner, &it.held);
        format!("{name} {owner:?} {held:?} {sent:?} {tombstone} {acknowledged}")
    });
    let mut all: Vec<String> = entries.collect();
    all.sort();
    all
}

/// What so many records cost, in the limits that hold for any number of them.
async fn costs(records: usize) {
    let mut large = Large::new(records).await;
    let mut first = Ledger::default();
    let uids = BTreeMap::from([("kube-system".to_owned(), "uid".to_owned())]);
    large.store.take_over(&mut first, &uids, NOW).await.unwrap();
    large.ledger.touch_all();
    let (writes, took) = large.store().await;
    let (root, shards) = sizes(&large.api);
    let count = shards.len();
    println!("{records} records, all of them new: {count} shards, {writes} writes, {took:?}");
    let largest = shards.iter().max().copied().unwrap_or_default();
    let sum: usize = shards.iter().sum();
    println!("  root {root} bytes, shards up to {largest} bytes, {sum} together");
    assert!(largest <= ROOMY && root < ROOMY && count <= 256);
    assert!(sum / records < 250, "{} bytes a record", sum / records);
    // The root, the new shards, the root that names them, each shard once more.
    assert!(writes <= 2 + 2 * count, "{writes}");

    let (ahead, after, took) = large.roll_out(std::iter::once(records / 2)).await;
    println!("  one of them rolled out: {ahead} writes ahead in {took:?}, {after} after");
    assert_eq!((ahead, after), (2, 2), "the root and one shard");
    let (ahead, after, took) = large.roll_out((0..records).step_by(records / 100)).await;
    println!("  a hundred rolled out: {ahead} writes ahead in {took:?}, {after} after");
    assert!(ahead <= 1 + count.min(100) && after <= 1 + count.min(100));
    let (ahead, after, took) = large.roll_out(0..records).await;
    println!("  all of them rolled out: {ahead} writes ahead in {took:?}, {after} after");
    // Two digests stand in each entry meanwhile, so it may be split once more.
    let most = 2 + 3 * sizes(&large.api).1.len();
    assert!(ahead <= most && after <= most, "{ahead} {after}");
    let (_, shards) = sizes(&large.api);
    let largest = shards.iter().max().copied().unwrap_or_default();
    println!("  {} shards, up to {largest} bytes", shards.len());
    assert!(shards.len() <= 256 && largest < CONFIG_MAP / 2);

    large.leave_some_behind(records).await;
    let mut other = Store::new(large.api.client(), NAMESPACE, NAME, "two".to_owned());
    let begun = Instant::now();
    let loaded = other.load(NOW).await.unwrap().unwrap();
    println!(
        "  read again: {} parts in {:?}",
        shards.len() + 1,
        begun.elapsed()
    );
    let (read, known) = (said(&loaded), said(&large.ledger));
    let other = read.iter().zip(&known).find(|(read, known)| read != known);
    assert!(other.is_none(), "{other:?}");
    assert_eq!((read.len(), known.len()), (records, records));
}

#[tokio::test]
async fn a_change_writes_the_root_and_the_shards_that_it_is_in_and_all_stay_small() {
    costs(2_000).await;
}

#[tokio::test]
#[ignore = "make ledger: some seconds in a release build, minutes in a debug build"]
async fn a_hundred_thousand_records_fit_and_a_change_writes_what_it_is_in() {
    costs(100_000).await;
}
