//! When a shard is split, and into how many.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::form::Content;
use super::super::shards::{self, MOST, Parts};
use super::super::{Store, access};
use super::kept::Kept;
use super::stage::{report, with_entries};
use crate::model::fixtures::{Scene, digest};
use crate::model::ledger::Ledger;
use crate::model::storage::Shelf;

/// The whole ledger in so many shards, and the size of the largest.
fn composed(store: &Store, ledger: &Ledger, count: usize) -> (Parts, usize) {
    let wanted: BTreeSet<usize> = (0..count).collect();
    let parts = store.compose(ledger, count, &wanted).unwrap();
    let largest = parts.values().map(Vec::len).max().unwrap();
    (parts, largest)
}

#[tokio::test]
async fn a_shard_is_crowded_once_it_is_larger_than_it_should_be_and_not_before() {
    let (mut store, scene) = with_entries(&Kept::default(), 32).await;
    let ledger = scene.ledger;
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
    let (mut store, scene) = with_entries(&Kept::default(), 32).await;
    let ledger = scene.ledger;
    let (whole, _) = composed(&store, &ledger, 1);
    store.roomy = composed(&store, &ledger, 2).1;
    store.split(&ledger, whole).await.unwrap();
    assert_eq!(store.shards(), 2);
    let (halves, _) = composed(&store, &ledger, 2);
    store.roomy = composed(&store, &ledger, 4).1 - 1;
    store.split(&ledger, halves).await.unwrap();
    assert_eq!(store.shards(), 8);
}

#[tokio::test]
async fn a_shard_that_a_split_left_behind_is_written_over_by_the_next() {
    let kept = Kept::default();
    let (mut store, scene) = with_entries(&kept, 32).await;
    let ledger = scene.ledger;
    let (whole, size) = composed(&store, &ledger, 1);
    store.roomy = size - 1;
    kept.fail_replacing();
    assert!(
        store.split(&ledger, whole.clone()).await.is_err(),
        "the root is not written"
    );
    assert_eq!(store.shards(), 1);
    assert!(kept.copy().contains_key("book-1"));
    store.split(&ledger, whole).await.unwrap();
    assert_eq!(store.shards(), 2);
}

#[test]
fn what_stands_in_a_shard_is_parted_into_its_own_and_the_rest() {
    let mut scene = Scene::new();
    report(&mut scene, 0..32);
    let shelf: Arc<Shelf> = Shelf::of(&scene.policy.destination, "ghcr.io/acme/web").into();
    let entries = scene.ledger.entries();
    let entries = entries.map(|(identity, entry)| (identity.clone(), entry.clone()));
    let mut own = Content {
        entries: entries.collect(),
        past: (32..64)
            .map(|number| (scene.identity(&format!("web{number}")), digest(number)))
            .collect(),
        stock: (0..32)
            .map(|number| (shelf.clone(), digest(number)))
            .collect(),
    };
    let rest = shards::keep_own(&mut own, 1, 2);
    for (content, index) in [(&own, 1), (&rest, 0)] {
        assert!(
            !content.entries.is_empty() && !content.past.is_empty() && !content.stock.is_empty()
        );
        let shard = |identity| shards::of(identity, 2);
        assert!(
            content
                .entries
                .iter()
                .all(|(identity, _)| shard(identity) == index)
        );
        assert!(
            content
                .past
                .iter()
                .all(|(identity, _)| shard(identity) == index)
        );
        assert!(
            content
                .stock
                .iter()
                .all(|(_, digest)| shards::of_digest(*digest, 2) == index)
        );
    }
    let all = |count: fn(&Content) -> usize| count(&own) + count(&rest);
    assert_eq!(all(|it| it.entries.len()), 32);
    assert_eq!(all(|it| it.past.len()), 32);
    assert_eq!(all(|it| it.stock.len()), 32);
}

#[test]
fn rights_are_asked_for_by_the_names_of_the_root_its_shards_and_the_last_that_may_be() {
    let names = |shards| -> Vec<(&str, Option<String>)> {
        let asked = access("book", shards).into_iter();
        let of_ledgers = asked.filter(|it| (it.group, it.resource) == ("", "configmaps"));
        of_ledgers.map(|it| (it.verb, it.name)).collect()
    };
    let of = |shards: &[usize]| {
        let parts = shards.iter().map(|index| format!("book-{index}"));
        let parts: Vec<String> = std::iter::once("book".to_owned()).chain(parts).collect();
        let named = |verb| {
            parts
                .clone()
                .into_iter()
                .map(move |name| (verb, Some(name)))
        };
        let named = named("get").chain(named("update"));
        named.chain([("create", None)]).collect::<Vec<_>>()
    };
    assert_eq!(names(0), of(&[0, MOST - 1]));
    assert_eq!(names(2), of(&[0, 1, MOST - 1]));
    let most: Vec<usize> = (0..MOST).collect();
    assert_eq!(names(MOST), of(&most));
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
