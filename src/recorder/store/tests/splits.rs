//! When a shard is split, and into how many.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Store;
use super::super::shards::{self, MOST, Parts};
use super::kept::Kept;
use crate::model::fixtures::{Scene, digest};
use crate::model::ledger::Ledger;

/// A ledger of some entries, and a store of one shard that is ours.
async fn stored() -> (Ledger, Store) {
    let mut scene = Scene::new();
    for number in 0..32 {
        scene.deploy(&format!("web{number}"), "app", number);
    }
    scene.cycle();
    let mut store = Store::new(Kept::default().client(), "ns", "book", "it".to_owned());
    assert!(store.load(scene.now).await.unwrap().is_none());
    let (mut nothing, uids) = (Ledger::default(), BTreeMap::new());
    let taken = store.take_over(&mut nothing, &uids, scene.now);
    taken.await.unwrap();
    assert_eq!(store.shards(), 1);
    (scene.ledger, store)
}

/// The whole ledger in so many shards, and the size of the largest.
fn composed(store: &Store, ledger: &Ledger, count: usize) -> (Parts, usize) {
    let wanted: BTreeSet<usize> = (0..count).collect();
    let parts = store.compose(ledger, count, &wanted).unwrap();
    let largest = parts.values().map(Vec::len).max().unwrap();
    (parts, largest)
}

#[tokio::test]
async fn a_shard_is_crowded_once_it_is_larger_than_it_should_be_and_not_before() {
    let (ledger, mut store) = stored().await;
    let (parts, size) = composed(&store, &ledger, 1);
    for (roomy, is_crowded) in [(size - 1, true), (size, false), (size + 1, false)] {
        store.roomy = roomy;
        assert_eq!(store.is_crowded(&parts), is_crowded, "{roomy} of {size}");
    }
    store.roomy = 1;
    store.versions.resize(MOST, None);
    assert!(
        !store.is_crowded(&parts),
        "there are as many as there may be"
    );
}

#[tokio::test]
async fn a_split_ends_once_no_shard_is_larger_than_it_should_be() {
    let (ledger, mut store) = stored().await;
    let (whole, _) = composed(&store, &ledger, 1);
    store.roomy = composed(&store, &ledger, 2).1;
    store.split(&ledger, whole).await.unwrap();
    assert_eq!(store.shards(), 2);
    let (halves, _) = composed(&store, &ledger, 2);
    store.roomy = composed(&store, &ledger, 4).1 - 1;
    store.split(&ledger, halves).await.unwrap();
    assert_eq!(store.shards(), 8);
}

#[test]
fn storage_records_are_spread_by_the_last_bits_of_their_digest() {
    for number in 0..64 {
        let digest = digest(number);
        let last = usize::from(*digest.bytes().last().unwrap());
        for count in [1, 2, 16, MOST] {
            assert_eq!(shards::of_digest(digest, count), last % count);
        }
    }
}
