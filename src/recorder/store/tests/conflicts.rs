//! A root that is not as it was left: whose it is.

use std::collections::BTreeMap;

use super::super::{Store, StoreError};
use super::kept::Kept;
use crate::model::ledger::Ledger;
use crate::model::moment::Moment;

async fn taken_over(kept: &Kept, holder: &str) -> Store {
    let mut store = Store::new(kept.client(), "ns", "book", holder.to_owned());
    let mut ledger = store.load(Moment::START).await.unwrap().unwrap_or_default();
    let uids = BTreeMap::new();
    let taken = store.take_over(&mut ledger, &uids, Moment::START);
    taken.await.unwrap();
    store
}

async fn store(store: &mut Store) -> Result<(), StoreError> {
    let (mut ledger, uids) = (Ledger::default(), BTreeMap::new());
    let stored = store.store(&mut ledger, &uids, Moment::START);
    stored.await.map(drop)
}

#[tokio::test]
async fn promise_3_a_root_that_changed_and_cannot_be_read_is_not_written_over() {
    let kept = Kept::default();
    let mut former = taken_over(&kept, "former").await;
    let mut latter = taken_over(&kept, "latter").await;
    kept.fail_next_read();
    let failed = store(&mut former).await.unwrap_err();
    assert!(matches!(failed, StoreError::Call { .. }), "{failed:?}");
    store(&mut latter).await.unwrap();
    let deposed = store(&mut former).await.unwrap_err();
    assert!(matches!(deposed, StoreError::Deposed { .. }), "{deposed:?}");
}
