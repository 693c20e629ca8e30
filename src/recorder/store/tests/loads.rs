//! What somebody finds who starts with nothing but what is stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::{Store, shards};
use super::kept::Kept;
use super::stage::{ROOT, found, loaded, only, report, split, stored, with_entries};
use crate::model::fixtures::digest;
use crate::model::moment::Moment;
use crate::model::storage::Shelf;

#[tokio::test]
async fn a_root_that_is_no_older_than_its_shards_leaves_nothing_in_another_s_place() {
    let kept = Kept::default();
    let (mut ours, mut scene) = with_entries(&kept, 8).await;
    split(&mut ours, &scene.ledger).await;
    report(&mut scene, 8..9);
    stored(&mut ours, &mut scene.ledger).await.unwrap();
    let (store, ledger) = loaded(&kept).await;
    assert!(!store.has_strays);
    assert_eq!((store.shards(), ledger.len()), (2, 9));
}

#[tokio::test]
async fn promise_3_beside_an_older_root_what_stands_in_another_shard_counts_until_all_is_written() {
    let kept = Kept::default();
    let (mut ours, mut scene) = with_entries(&kept, 8).await;
    let older = kept.copy();
    report(&mut scene, 8..16);
    stored(&mut ours, &mut scene.ledger).await.unwrap();
    // Of a split that was cut short a second shard is left, and the first has what came later.
    let whole = ours.compose(&scene.ledger, 1, &[0].into()).unwrap();
    ours.roomy = whole[&0].len() - 1;
    kept.fail_replacing();
    ours.split(&scene.ledger, whole).await.unwrap_err();
    ours.roomy = usize::MAX;
    report(&mut scene, 16..32);
    stored(&mut ours, &mut scene.ledger).await.unwrap();
    let highest = ours.root.as_ref().unwrap().0.sequence;
    kept.put_back(only(&older, ROOT));
    let (mut store, mut ledger) = loaded(&kept).await;
    assert!(store.has_strays);
    assert_eq!((store.shards(), ledger.len()), (2, 32));
    assert_eq!(store.root.as_ref().unwrap().0.sequence, highest);
    // A start that is cut short behind its root leaves them to the next one.
    let uids = BTreeMap::new();
    store.swap_root(&uids, None).await.unwrap();
    let (again, found) = loaded(&kept).await;
    assert!(again.has_strays);
    assert_eq!(found.len(), 32);
    let taken = store.take_over(&mut ledger, &uids, Moment::START);
    taken.await.unwrap();
    stored(&mut store, &mut ledger).await.unwrap();
    let (after, found) = loaded(&kept).await;
    assert!(
        !after.has_strays,
        "all is where it belongs, and the root says so"
    );
    assert_eq!(found.len(), 32);
}

#[tokio::test]
async fn promise_3_beside_all_of_an_older_copy_the_shard_that_a_split_made_since_counts() {
    let kept = Kept::default();
    let (mut ours, mut scene) = with_entries(&kept, 8).await;
    let older = kept.copy();
    split(&mut ours, &scene.ledger).await;
    report(&mut scene, 8..32);
    stored(&mut ours, &mut scene.ledger).await.unwrap();
    let of_second = scene.ledger.entries();
    let of_second = of_second.filter(|(identity, _)| shards::of(identity, 2) == 1);
    let of_second: Vec<_> = of_second.map(|(identity, _)| identity.clone()).collect();
    // No copy of the second shard was made, so it stays.
    kept.put_back(&older);
    let (store, ledger) = loaded(&kept).await;
    assert_eq!(store.shards(), 2);
    assert!(store.has_strays);
    let knows = |identity| ledger.entries().any(|(known, _)| known == identity);
    assert!(of_second.len() > 8 && of_second.iter().all(knows));
}

#[tokio::test]
async fn what_stands_where_the_next_shard_would_be_and_is_none_keeps_nobody_from_starting() {
    let kept = Kept::default();
    let (ours, _) = with_entries(&kept, 8).await;
    // The root of another ledger.
    let (name, mut other) = (format!("{ROOT}-1"), kept.copy()[ROOT].clone());
    other["metadata"]["name"] = name.clone().into();
    kept.add(&name, other);
    let (store, ledger) = loaded(&kept).await;
    assert!(!store.has_strays);
    assert_eq!((store.shards(), ledger.len()), (ours.shards(), 8));
}

#[tokio::test]
async fn where_only_the_shards_that_are_there_may_be_read_they_are_all_there_is() {
    let kept = Kept::default();
    with_entries(&kept, 8).await;
    // Behind the root and its one shard.
    kept.forbid_read(2);
    assert_eq!(found(&kept).await, 8);
    // An error that passes tells nothing.
    kept.fail_read(2);
    let mut store = Store::new(kept.client(), "ns", ROOT, "it".to_owned());
    assert!(store.load(Moment::START).await.is_err());
}

#[tokio::test]
async fn storage_records_that_are_stored_are_found() {
    let kept = Kept::default();
    let (mut ours, scene) = with_entries(&kept, 1).await;
    let shelf: Arc<Shelf> = Shelf::of(&scene.policy.destination, "ghcr.io/acme/web").into();
    let more = (0..4).map(|number| (shelf.clone(), digest(number)));
    let mut ledger = scene.ledger.with_stock(more.clone());
    ledger.touch_all();
    stored(&mut ours, &mut ledger).await.unwrap();
    let (_, found) = loaded(&kept).await;
    let found = found.stock().kept();
    let mut found: Vec<_> = found
        .map(|(shelf, digest)| (shelf.clone(), digest))
        .collect();
    found.sort();
    let mut all: Vec<_> = more.collect();
    all.sort();
    assert_eq!(found, all);
}
