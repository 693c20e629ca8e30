//! A store over an API server in memory, and the ledger that is kept there.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::{Store, StoreError, Stored};
use super::kept::Kept;
use crate::model::fixtures::Scene;
use crate::model::ledger::Ledger;
use crate::model::moment::Moment;

/// The name of the root.
pub(super) const ROOT: &str = "book";

/// A store that is this holder's from now on.
pub(super) async fn taken_over(kept: &Kept, holder: &str) -> Store {
    let mut store = Store::new(kept.client(), "ns", ROOT, holder.to_owned());
    let mut ledger = store.load(Moment::START).await.unwrap().unwrap_or_default();
    let uids = BTreeMap::new();
    let taken = store.take_over(&mut ledger, &uids, Moment::START);
    taken.await.unwrap();
    store
}

/// What comes of storing it.
pub(super) async fn stored(store: &mut Store, ledger: &mut Ledger) -> Result<Stored, StoreError> {
    let uids = BTreeMap::new();
    store.store(ledger, &uids, Moment::START).await
}

/// A store of one shard that is ours, with so many entries, and who knows them.
pub(super) async fn with_entries(kept: &Kept, count: u64) -> (Store, Scene) {
    let (mut store, mut scene) = (taken_over(kept, "it").await, Scene::new());
    report(&mut scene, 0..count);
    let stored = stored(&mut store, &mut scene.ledger).await.unwrap();
    assert_eq!(stored, Stored::AsPlanned);
    (store, scene)
}

/// So many Deployments run and are acknowledged.
pub(super) fn report(scene: &mut Scene, numbers: std::ops::Range<u64>) {
    for number in numbers {
        scene.deploy(&format!("web{number}"), "app", number);
    }
    scene.cycle();
}

/// Its one shard becomes two.
pub(super) async fn split(store: &mut Store, ledger: &Ledger) {
    let whole = store.compose(ledger, 1, &[0].into()).unwrap();
    store.roomy = whole[&0].len() - 1;
    store.split(ledger, whole).await.unwrap();
    store.roomy = usize::MAX;
}

/// What somebody finds who starts now.
pub(super) async fn loaded(kept: &Kept) -> (Store, Ledger) {
    let mut store = Store::new(kept.client(), "ns", ROOT, "it".to_owned());
    let ledger = store.load(Moment::START).await.unwrap().unwrap();
    (store, ledger)
}

/// How many entries that are.
pub(super) async fn found(kept: &Kept) -> usize {
    loaded(kept).await.1.len()
}

/// One of these objects, to be put back alone.
pub(super) fn only<'a>(
    maps: &'a BTreeMap<String, Value>,
    name: &str,
) -> impl Iterator<Item = (&'a String, &'a Value)> {
    maps.iter().filter(move |(known, _)| *known == name)
}
