//! A ledger that grows: shards are split, and at whatever write that is cut short nothing is lost.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use deployment_recorder::model::storage::StorageRule;

use crate::ledger::{NAME, NAMESPACE, bytes, put, shard};
use crate::objects::{Deployment, deployment};
use crate::support::apiserver::{Fault as ApiFault, Verb};
use crate::world::{INTERVAL, MINUTE, SECOND, World};

/// A Deployment whose entry is large and cannot be compressed.
pub fn large(number: usize) -> Deployment {
    let mut large = deployment("shop", &format!("web{number:03}"));
    for tag in ["one", "two", "three", "four", "five"] {
        let text = |half| {
            let bytes = digest(&SHA256, format!("{number} {tag} {half}").as_bytes());
            let letter = |byte: &u8| {
                char::from(
                    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
                        [usize::from(byte % 64)],
                )
            };
            bytes.as_ref().iter().map(letter).collect::<String>()
        };
        large = large.annotation(tag, &format!("{}{}{}", text(0), text(1), text(2)));
    }
    large
}

/// A ledger of one shard that is nearly full.
pub async fn nearly_full() -> World {
    let deployments: Vec<Deployment> = (0..100).map(large).collect();
    let world = World::with(&deployments).await;
    world.pass(2 * MINUTE).await;
    assert_eq!(world.ledger().root["shards"], 1);
    world
}

/// Every write of a split: the root, the new shard, the root that names it, both shards.
const WRITES: [(Verb, usize); 5] = [
    (Verb::Update, 0),
    (Verb::Create, 0),
    (Verb::Update, 1),
    (Verb::Update, 2),
    (Verb::Update, 3),
];

/// Sixty more of them run, and are reported.
pub async fn grow(world: &mut World) {
    for number in 100..160 {
        world.run(&large(number));
    }
    world.pass(3 * SECOND).await;
}

/// A ledger of several shards half a second before all of it is due to be written again, which is a minute
/// behind the beginning of a snapshot; each write takes so long.
pub async fn before_all_is_written_again(write: Duration) -> World {
    let mut world = nearly_full().await;
    grow(&mut world).await;
    world.agreed_within(MINUTE).await;
    let before = world.requests();
    world.requested(before + 1, 2 * INTERVAL).await;
    let slow = ApiFault::Slow(write);
    world.api.fail(Verb::Update, "ConfigMap", slow).forever();
    world.pass(Duration::from_millis(59_500)).await;
    world
}

async fn vanish_some_and_restart(mut world: World) {
    for number in [3, 50, 110, 130, 150] {
        world.remove("shop", &format!("web{number:03}"));
    }
    world.restart().await;
    world.agreed_within(2 * MINUTE).await;
    world.pass(2 * INTERVAL).await;
    world.agreed().await;
    let stored = world.ledger();
    assert_eq!((stored.names().len(), stored.misplaced), (155, 0));
    assert_eq!(stored.root["shards"], 2);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn killed_at_any_write_of_a_split_nothing_is_forgotten() {
    for (verb, skip) in WRITES {
        let mut world = nearly_full().await;
        world
            .api
            .fail(verb, "ConfigMap", ApiFault::Hang)
            .skip(skip)
            .forever();
        grow(&mut world).await;
        world.kill().await;
        world.check();
        world.api.heal();
        vanish_some_and_restart(world).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_split_whose_writes_fail_or_lose_their_answers_is_made_later_and_nothing_is_forgotten() {
    for fault in [ApiFault::Status(503), ApiFault::AnswerLost] {
        for (verb, skip) in WRITES {
            let mut world = nearly_full().await;
            world.api.fail(verb, "ConfigMap", fault.clone()).skip(skip);
            grow(&mut world).await;
            world.agreed_within(MINUTE).await;
            world.run(&large(160));
            world.agreed_within(10 * SECOND).await;
            world.check();
            world.remove("shop", "web160");
            world.agreed_within(10 * SECOND).await;
            world.kill().await;
            world.check();
            vanish_some_and_restart(world).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn stopped_during_a_split_that_hangs_nothing_is_forgotten() {
    let mut world = nearly_full().await;
    let fail = |verb, fault| {
        world.api.fail(verb, "ConfigMap", fault);
    };
    // Slow enough that the stop has no patience left when the new shard is to be made.
    fail(Verb::Update, ApiFault::Slow(4 * SECOND));
    fail(Verb::Get, ApiFault::Slow(5 * SECOND));
    fail(Verb::Create, ApiFault::Hang);
    fail(Verb::Create, ApiFault::Hang);
    grow(&mut world).await;
    assert!(world.stop().await <= 20 * SECOND);
    world.check();
    world.api.heal();
    vanish_some_and_restart(world).await;
}

#[tokio::test(start_paused = true)]
async fn promise_3_a_split_does_not_replace_another_ledger_that_has_the_name_of_its_shard() {
    let mut world = nearly_full().await;
    // A ledger named `ledger-1` in the same namespace: this is its root.
    let root = bytes(&world.api, NAME);
    put(&world.api, &shard(1), root.clone());
    grow(&mut world).await;
    let said = world.ended().await;
    assert!(said.contains("ConfigMap ledger-1 stands where"), "{said}");
    assert!(said.contains("--ledger-name"), "{said}");
    assert_eq!(bytes(&world.api, &shard(1)), root);
    // Once it is out of the way nothing is lost.
    world.api.delete("ConfigMap", NAMESPACE, &shard(1));
    vanish_some_and_restart(world).await;
}

#[tokio::test(start_paused = true)]
async fn storage_records_are_known_after_a_split() {
    let mut world = World::default();
    world.policy.storage = Some(StorageRule::default());
    for number in 0..100 {
        world.run(&large(number));
    }
    world.start();
    world.agreed().await;
    world.pass(2 * MINUTE).await;
    grow(&mut world).await;
    world.agreed_within(2 * MINUTE).await;
    world.pass(2 * MINUTE).await;
    assert_eq!(world.ledger().root["shards"], 2);
    world.stop().await;
    world.restart().await;
    world.pass(5 * MINUTE).await;
    let records = world.github.storage_records();
    assert!(records.len() > 80, "{}", records.len());
    let once = records.iter().all(|it| it.created_at == it.updated_at);
    assert!(once, "{records:#?}");
    world.finish().await;
}
