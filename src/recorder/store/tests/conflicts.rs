//! What is stored, and what is not as it was left: whose it is, and what becomes of it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::{Store, StoreError, Stored};
use super::kept::Kept;
use super::stage::{ROOT, found, loaded, only, report, split, stored, taken_over, with_entries};
use crate::model::fixtures::{Scene, minutes};
use crate::model::ledger::{Ledger, Outcome};
use crate::recorder::logged::Log;

const SHARDS: [&str; 2] = ["book-0", "book-1"];

/// Ours takes the root, and has the shards still to write.
async fn with_the_root(kept: &Kept) -> (Store, Scene) {
    let (mut store, mut scene) = with_entries(kept, 8).await;
    report(&mut scene, 8..9);
    store.swap_root(&BTreeMap::new(), None).await.unwrap();
    (store, scene)
}

fn versions(kept: &Kept) -> Vec<Value> {
    let maps = kept.copy();
    let version = |name| maps[name]["metadata"]["resourceVersion"].clone();
    SHARDS.into_iter().map(version).collect()
}

#[tokio::test]
async fn what_changed_is_stored_and_no_other_shard_is_written() {
    let kept = Kept::default();
    let (mut store, mut scene) = with_entries(&kept, 32).await;
    assert!(scene.ledger.is_stored());
    assert_eq!(found(&kept).await, 32);
    split(&mut store, &scene.ledger).await;
    assert_eq!((store.shards(), found(&kept).await), (2, 32));
    let mut written = [false; 2];
    for number in 32..40 {
        report(&mut scene, number..number + 1);
        let before = versions(&kept);
        let came = stored(&mut store, &mut scene.ledger).await.unwrap();
        assert_eq!(came, Stored::AsPlanned);
        let after = versions(&kept);
        let changed = [0, 1].map(|index| before[index] != after[index]);
        assert_ne!(changed, [true, true], "{number}");
        written = [0, 1].map(|index| written[index] || changed[index]);
        assert_eq!(found(&kept).await, scene.ledger.len());
    }
    assert_eq!(written, [true, true]);
}

#[tokio::test]
async fn promise_3_a_root_that_changed_and_cannot_be_read_is_not_written_over() {
    let kept = Kept::default();
    let mut former = taken_over(&kept, "former").await;
    let mut latter = taken_over(&kept, "latter").await;
    kept.fail_read(0);
    let mut ledger = Ledger::default();
    let failed = stored(&mut former, &mut ledger).await.unwrap_err();
    assert!(matches!(failed, StoreError::Call { .. }), "{failed:?}");
    stored(&mut latter, &mut ledger).await.unwrap();
    let deposed = stored(&mut former, &mut ledger).await.unwrap_err();
    assert!(matches!(deposed, StoreError::Deposed { .. }), "{deposed:?}");
}

#[tokio::test]
async fn promise_3_who_is_deposed_between_the_root_and_a_shard_writes_no_more() {
    let kept = Kept::default();
    let (mut former, mut scene) = with_the_root(&kept).await;
    taken_over(&kept, "latter").await;
    let deposed = former.write_shards(&mut scene.ledger, scene.now).await;
    let deposed = deposed.unwrap_err();
    assert!(matches!(deposed, StoreError::Deposed { .. }), "{deposed:?}");
    assert_eq!(found(&kept).await, 8);
}

#[tokio::test]
async fn a_shard_that_somebody_put_back_is_united_with_what_is_known_and_written_again() {
    let kept = Kept::default();
    let (mut store, mut scene) = with_the_root(&kept).await;
    kept.put_back(only(&kept.copy(), SHARDS[0]));
    let knew_more = store.write_shards(&mut scene.ledger, scene.now).await;
    assert!(!knew_more.unwrap());
    assert_eq!(found(&kept).await, 9);
    // Nor does a damaged root say that it is another's.
    let (mut store, mut scene) = with_the_root(&kept).await;
    let more = Kept::default();
    with_entries(&more, 20).await;
    kept.put_back(only(&more.copy(), SHARDS[0]));
    kept.damage(ROOT);
    let knew_more = store.write_shards(&mut scene.ledger, scene.now).await;
    assert!(knew_more.unwrap());
    assert_eq!(scene.ledger.len(), 20);
}

#[tokio::test]
async fn what_cannot_be_read_or_written_of_a_shard_ends_the_store_and_nothing_counts_as_stored() {
    let kept = Kept::default();
    let (mut store, mut scene) = with_the_root(&kept).await;
    kept.fail_replacing();
    let failed = store.write_shards(&mut scene.ledger, scene.now).await;
    assert!(matches!(failed, Err(StoreError::Call { .. })), "{failed:?}");
    // First the root is read, then the shard.
    for behind in [0, 1] {
        kept.put_back(only(&kept.copy(), SHARDS[0]));
        kept.fail_read(behind);
        let failed = store.write_shards(&mut scene.ledger, scene.now).await;
        assert!(
            matches!(failed, Err(StoreError::Call { .. })),
            "{behind} {failed:?}"
        );
        assert!(!scene.ledger.is_stored());
    }
    store
        .write_shards(&mut scene.ledger, scene.now)
        .await
        .unwrap();
    assert!(scene.ledger.is_stored());
}

#[tokio::test]
async fn promise_3_an_older_copy_that_was_put_back_is_united_with_what_is_known() {
    let kept = Kept::default();
    let (mut store, mut scene) = with_entries(&kept, 8).await;
    let older = kept.copy();
    split(&mut store, &scene.ledger).await;
    for number in 8..12 {
        report(&mut scene, number..number + 1);
        stored(&mut store, &mut scene.ledger).await.unwrap();
    }
    let sequence = |store: &Store| store.root.as_ref().unwrap().0.sequence;
    let highest = sequence(&store);
    kept.put_back(&older);
    report(&mut scene, 12..13);
    let came = stored(&mut store, &mut scene.ledger).await.unwrap();
    assert_eq!(came, Stored::AsPlanned, "it knows nothing that we do not");
    assert_eq!((store.shards(), found(&kept).await), (2, 13));
    assert!(sequence(&store) > highest, "{highest}");
}

#[tokio::test]
async fn promise_3_what_a_copy_has_besides_is_known_once_its_root_is_found() {
    let kept = Kept::default();
    let (mut store, mut scene) = with_entries(&kept, 8).await;
    let (mut more, mut others) = (taken_over(&kept, "it").await, Scene::new());
    report(&mut others, 8..20);
    stored(&mut more, &mut others.ledger).await.unwrap();
    split(&mut more, &others.ledger).await;
    let united = stored(&mut store, &mut scene.ledger).await.unwrap();
    assert_eq!((united, scene.ledger.len()), (Stored::United, 20));
    assert_eq!((store.shards(), found(&kept).await), (2, 20));
}

#[tokio::test]
async fn a_root_that_was_damaged_is_written_again_and_one_that_cannot_be_written_is_an_error() {
    let kept = Kept::default();
    let (mut store, mut scene) = with_entries(&kept, 8).await;
    kept.damage(ROOT);
    let came = stored(&mut store, &mut scene.ledger).await.unwrap();
    assert_eq!((came, found(&kept).await), (Stored::AsPlanned, 8));
    kept.fail_replacing();
    let failed = stored(&mut store, &mut scene.ledger).await;
    assert!(matches!(failed, Err(StoreError::Call { .. })), "{failed:?}");
}

#[tokio::test]
async fn the_ledger_of_another_cluster_is_known_by_its_namespace() {
    let kept = Kept::default();
    let (mut store, mut scene) = with_entries(&kept, 1).await;
    let uids = BTreeMap::from([("ns".to_owned(), "ours".to_owned())]);
    let stored = store.store(&mut scene.ledger, &uids, scene.now);
    stored.await.unwrap();
    assert!(store.check_cluster("ns", "ours").is_ok());
    assert!(store.check_cluster("other", "any").is_ok());
    let other = store.check_cluster("ns", "another").unwrap_err();
    assert!(
        matches!(other, StoreError::OtherCluster { .. }),
        "{other:?}"
    );
}

#[tokio::test]
async fn a_root_of_another_with_no_more_writes_than_ours_is_a_copy_that_was_put_back() {
    let kept = Kept::default();
    let (mut store, mut scene) = with_entries(&kept, 8).await;
    let ours = kept.copy();
    taken_over(&kept, "another").await;
    let anothers = kept.copy();
    for copy in [&ours, &anothers] {
        kept.put_back(copy);
        let came = stored(&mut store, &mut scene.ledger).await.unwrap();
        assert_eq!(came, Stored::AsPlanned);
    }
    assert_eq!(found(&kept).await, 8);
}

/// Two shards with 32 entries, and who knows them.
async fn with_two_shards(kept: &Kept) -> (Store, Scene) {
    let (mut store, mut scene) = with_entries(kept, 32).await;
    split(&mut store, &scene.ledger).await;
    stored(&mut store, &mut scene.ledger).await.unwrap();
    (store, scene)
}

#[tokio::test]
async fn what_is_renewed_is_written_whole_once_and_is_no_news() {
    let kept = Kept::default();
    let (mut store, mut scene) = with_two_shards(&kept).await;
    assert!(!store.is_due());
    store.renew();
    for is_due in [true, false] {
        assert_eq!(store.is_due(), is_due);
        let before = versions(&kept);
        let came = stored(&mut store, &mut scene.ledger).await.unwrap();
        assert_eq!(came, Stored::AsPlanned);
        let after = versions(&kept);
        let written = [0, 1].map(|index| before[index] != after[index]);
        assert_eq!(written, [is_due; 2]);
    }
}

/// Objects as they were.
type Copies = BTreeMap<String, Value>;

#[tokio::test]
async fn promise_3_a_shard_that_was_deleted_or_put_back_is_whole_again_once_all_is_renewed() {
    type Hand = fn(&Kept, &Copies);
    let table: [(Hand, &str); 3] = [
        (|kept, _| kept.delete(SHARDS[1]), "deleted"),
        (|kept, _| kept.damage(SHARDS[1]), "damaged"),
        (|kept, older| kept.put_back(only(older, SHARDS[1])), ""),
    ];
    for (hand, word) in table {
        let (kept, log) = (Kept::default(), Log::default());
        let _logs = log.begin();
        let (mut store, mut scene) = with_two_shards(&kept).await;
        let older = kept.copy();
        report(&mut scene, 32..48);
        stored(&mut store, &mut scene.ledger).await.unwrap();
        hand(&kept, &older);
        let came = stored(&mut store, &mut scene.ledger).await.unwrap();
        assert_eq!(came, Stored::AsPlanned, "nobody looked");
        store.renew();
        // It stays due until all of it is written.
        kept.fail_replacing();
        stored(&mut store, &mut scene.ledger).await.unwrap_err();
        assert!(store.is_due());
        let came = stored(&mut store, &mut scene.ledger).await.unwrap();
        assert_eq!((came, found(&kept).await), (Stored::AsPlanned, 48));
        let said = log.text();
        assert!(said.contains(word), "{said}");
        assert_eq!(said.contains("book-1"), !word.is_empty(), "{said}");
    }
}

#[tokio::test]
async fn a_root_that_was_deleted_or_damaged_is_said_and_written_again() {
    type Hand = fn(&Kept);
    let table: [(Hand, &str); 2] = [
        (|kept| kept.delete(ROOT), "deleted while running"),
        (|kept| kept.damage(ROOT), "damaged while running"),
    ];
    for (hand, words) in table {
        let (kept, log) = (Kept::default(), Log::default());
        let _logs = log.begin();
        let (mut store, mut scene) = with_entries(&kept, 8).await;
        hand(&kept);
        let came = stored(&mut store, &mut scene.ledger).await.unwrap();
        assert_eq!((came, found(&kept).await), (Stored::AsPlanned, 8));
        assert!(log.text().contains(words), "{}", log.text());
    }
}

#[tokio::test]
async fn a_shard_that_was_damaged_is_said_and_written_again() {
    let log = Log::default();
    let _logs = log.begin();
    let kept = Kept::default();
    let (mut store, mut scene) = with_the_root(&kept).await;
    kept.damage(SHARDS[0]);
    store
        .write_shards(&mut scene.ledger, scene.now)
        .await
        .unwrap();
    assert_eq!(found(&kept).await, 9);
    let said = log.text();
    assert!(said.contains("ledger was damaged while running"), "{said}");
}

/// What others put on it is there, and so is what is ours.
fn assert_both_on(kept: &Kept, name: &str, theirs: &str) {
    let meta = kept.copy()[name]["metadata"].clone();
    let said = [
        &meta["labels"]["team"],
        &meta["annotations"]["note"],
        &meta["ownerReferences"][0]["name"],
    ];
    assert_eq!(said, [theirs; 3], "{meta}");
    assert_eq!(meta["finalizers"][0], format!("example.com/{theirs}"));
    let ours = &meta["labels"]["app.kubernetes.io/component"];
    assert_eq!(ours, "ledger", "{meta}");
}

#[tokio::test]
async fn what_others_put_on_a_part_stays_when_it_is_written_over() {
    let kept = Kept::default();
    let (mut store, mut scene) = with_entries(&kept, 8).await;
    for (name, is_damaged) in [
        (ROOT, false),
        (ROOT, true),
        (SHARDS[0], false),
        (SHARDS[0], true),
    ] {
        let theirs = format!("{name}-{is_damaged}");
        if is_damaged {
            kept.damage(name);
        }
        kept.put_on(name, &theirs);
        // The second one writes over what the first one wrote.
        for _ in 0..2 {
            store.renew();
            stored(&mut store, &mut scene.ledger).await.unwrap();
            assert_both_on(&kept, name, &theirs);
        }
    }
    // Who starts now leaves it there too.
    taken_over(&kept, "latter").await;
    for name in [ROOT, SHARDS[0]] {
        assert_both_on(&kept, name, &format!("{name}-true"));
    }
}

#[tokio::test]
async fn what_was_put_on_a_part_that_is_gone_is_not_put_on_the_new_one() {
    let kept = Kept::default();
    let (mut store, mut scene) = with_entries(&kept, 8).await;
    let usual = [ROOT, SHARDS[0]].map(|name| kept.copy()[name]["metadata"]["labels"].clone());
    for name in [ROOT, SHARDS[0]] {
        kept.put_on(name, "theirs");
    }
    stored(&mut store, &mut scene.ledger).await.unwrap();
    for (name, usual) in [ROOT, SHARDS[0]].into_iter().zip(usual) {
        kept.delete(name);
        store.renew();
        stored(&mut store, &mut scene.ledger).await.unwrap();
        let meta = &kept.copy()[name]["metadata"];
        assert_eq!(meta["labels"], usual);
        assert!(meta["finalizers"].is_null(), "{meta}");
    }
}

#[tokio::test]
async fn a_hand_that_leaves_the_content_as_it_is_brings_no_news() {
    let kept = Kept::default();
    let (mut store, mut scene) = with_entries(&kept, 8).await;
    for (number, name) in [ROOT, SHARDS[0]].into_iter().enumerate() {
        let number = u64::try_from(number).unwrap() + 8;
        report(&mut scene, number..number + 1);
        kept.put_on(name, "theirs");
        let came = stored(&mut store, &mut scene.ledger).await.unwrap();
        assert_eq!(came, Stored::AsPlanned, "{name}");
        assert_eq!(found(&kept).await, scene.ledger.len());
    }
}

#[tokio::test]
async fn what_was_answered_since_it_was_stored_is_not_opened_again_by_a_hand_that_leaves_the_content()
 {
    for touched in [ROOT, SHARDS[0]] {
        let kept = Kept::default();
        let (mut store, mut scene) = with_entries(&kept, 8).await;
        scene.deploy("web8", "app", 8);
        scene.cycle_with(|_| Outcome::Unknown);
        store.renew();
        stored(&mut store, &mut scene.ledger).await.unwrap();
        let is_open = |ledger: &Ledger| ledger.entries().any(|(_, entry)| entry.is_unanswered());
        assert!(is_open(&scene.ledger) && is_open(&loaded(&kept).await.1));
        // What was acknowledged last closes it only when it is said once more, later.
        for _ in 0..3 {
            scene.wait(minutes(15));
            scene.cycle();
        }
        assert!(!is_open(&scene.ledger));
        kept.put_on(touched, "theirs");
        store.renew();
        let came = stored(&mut store, &mut scene.ledger).await.unwrap();
        assert_eq!(came, Stored::AsPlanned, "{touched}");
        assert!(!is_open(&scene.ledger), "{touched}");
        assert!(!is_open(&loaded(&kept).await.1), "{touched}");
    }
}
