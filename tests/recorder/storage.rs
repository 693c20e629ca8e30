//! The stored ledger: writes that fail or lose their answer, other hands on it, other writers.

use serde_json::Value;
use tokio_util::task::AbortOnDropHandle;

use crate::ledger::{self, NAME, NAMESPACE, shard};
use crate::objects::{deployment, digest, namespace};
use crate::shards::large;
use crate::support::apiserver::{Fault as ApiFault, Verb};
use crate::world::{INTERVAL, MINUTE, SECOND, World};

/// Everything that is stored, as it is.
fn copy(world: &World) -> Vec<Value> {
    world.api.all("ConfigMap")
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_answer_is_lost_is_found_to_be_our_own() {
    for fault in [ApiFault::AnswerLost, ApiFault::Cut] {
        for skip in [0, 1] {
            let mut world = World::with(&[deployment("shop", "web")]).await;
            world
                .api
                .fail(Verb::Update, "ConfigMap", fault.clone())
                .skip(skip);
            world.run(&deployment("shop", "cart"));
            world.agreed_within(10 * SECOND).await;
            world.pass(2 * INTERVAL).await;
            world.agreed().await;
            world.finish().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_while_the_ledger_cannot_be_written() {
    let faults = [
        ApiFault::Status(503),
        ApiFault::Status(403),
        ApiFault::Refused,
        ApiFault::Hang,
    ];
    for fault in faults {
        for skip in [0, 1] {
            let mut world =
                World::with(&[deployment("shop", "web"), deployment("shop", "old")]).await;
            world.pass(2 * MINUTE).await;
            let before = world.requests();
            world
                .api
                .fail(Verb::Update, "ConfigMap", fault.clone())
                .skip(skip)
                .forever();
            world.run(&deployment("shop", "cart"));
            world.remove("shop", "old");
            world.pass(INTERVAL).await;
            assert_eq!(world.requests(), before, "{fault:?}");
            assert!(world.status().lock().store_error.is_some());
            world.api.heal();
            world.agreed_within(80 * SECOND).await;
            assert_eq!(world.status().lock().store_error, None);
            world.finish().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn another_writer_stops_this_one_before_it_sends_anything() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    world.pass(2 * MINUTE).await;
    let older = world.start_another();
    world.pass(5 * SECOND).await;
    world.run(&deployment("shop", "cart"));
    world.agreed().await;
    let error = older.await.unwrap().unwrap_err();
    let error = deployment_recorder::recorder::chain(&error);
    assert!(
        error.contains("recorder-2 has taken over ConfigMap ledger"),
        "{error}"
    );
    assert_eq!(world.sends_of(0, "shop-cart-main"), 1);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn an_older_copy_that_is_put_back_under_us_is_united_with_what_we_know() {
    let mut world = World::with(&[deployment("shop", "web"), deployment("shop", "old")]).await;
    world.pass(2 * MINUTE).await;
    let older = copy(&world);
    world.stop().await;
    world.restart().await;
    world.run(&deployment("shop", "web").image("ghcr.io/acme/web:2"));
    world.remove("shop", "old");
    world.agreed().await;
    world.pass(2 * INTERVAL).await;
    assert_eq!(world.ledger().names(), ["shop-web-main"]);
    for map in older {
        world.api.apply(map);
    }
    world.run(&deployment("shop", "cart"));
    world.agreed_within(10 * SECOND).await;
    world.pass(MINUTE + 5 * SECOND).await;
    world.check();
    assert_eq!(
        world.entry("shop-web-main")["held"]["digest"],
        digest("ghcr.io/acme/web:2")
    );
    world.pass(3 * INTERVAL).await;
    assert_eq!(world.ledger().names(), ["shop-cart-main", "shop-web-main"]);
    world.finish().await;
}

/// Between the write of the root and that of the shard.
#[tokio::test(start_paused = true)]
async fn an_older_copy_that_is_put_back_while_something_is_stored_is_united_too() {
    for damaged in [false, true] {
        let mut world = World::with(&[deployment("shop", "web"), deployment("shop", "old")]).await;
        world.pass(2 * MINUTE).await;
        let older = copy(&world);
        world.stop().await;
        world.restart().await;
        world.agreed().await;
        world.pass(MINUTE).await;
        let slow = ApiFault::Slow(5 * SECOND);
        world.api.fail(Verb::Update, "ConfigMap", slow).skip(1);
        world.run(&deployment("shop", "cart"));
        world.pass(4 * SECOND).await;
        for map in older {
            world.api.apply(map);
        }
        if damaged {
            ledger::put(&world.api, NAME, b"what is this?\n...".to_vec());
        }
        world.agreed_within(MINUTE).await;
        world.run(&deployment("shop", "late"));
        world.agreed_within(MINUTE).await;
        world.check();
        world.finish().await;
    }
}

/// Storing what is to be sent may take longer than a plan may be old: what it finds to be so still is
/// stored by then.
#[tokio::test(start_paused = true)]
async fn what_takes_minutes_to_store_is_sent_all_the_same() {
    let deployments: Vec<_> = (0..600).map(large).collect();
    let mut world = World::with(&deployments).await;
    world.pass(2 * MINUTE).await;
    assert_eq!(world.ledger().root["shards"], 8);
    let slow = ApiFault::Slow(8 * SECOND);
    world.api.fail(Verb::Update, "ConfigMap", slow).forever();
    for number in 0..100 {
        world.run(&large(number).image("ghcr.io/acme/web:2"));
    }
    world.agreed_within(4 * MINUTE).await;

    // Who reads and takes over a ledger for so long lives, and so does who stores.
    world.stop().await;
    let slow = ApiFault::Slow(8 * SECOND);
    world.api.fail(Verb::Get, "ConfigMap", slow).forever();
    world.run(&large(0).image("ghcr.io/acme/web:3"));
    world.restart().await;
    let (begin, before) = (tokio::time::Instant::now(), world.requests());
    while world.requests() == before {
        world.pass(5 * SECOND).await;
        let beat = world.status().lock().heartbeat.since_start();
        assert!(beat + 21 * SECOND > begin.elapsed(), "{beat:?}");
    }
    assert!(begin.elapsed() > 3 * MINUTE);
    world.finish().await;
}

/// A hand that touches these parts whenever somebody else has written them.
fn touching(world: &World, parts: &[String]) -> AbortOnDropHandle<()> {
    let (api, parts) = (world.api.clone(), parts.to_vec());
    AbortOnDropHandle::new(tokio::spawn(async move {
        let mut touches = 0;
        let mut known = vec![Value::Null; parts.len()];
        loop {
            for (name, known) in parts.iter().zip(&mut known) {
                let part = api.get("ConfigMap", NAMESPACE, name);
                let mut part = part.expect("a part of the ledger");
                if part["metadata"]["resourceVersion"] != *known {
                    touches += 1;
                    part["metadata"]["annotations"]["touched"] = touches.to_string().into();
                    *known = api.apply(part)["metadata"]["resourceVersion"].clone();
                }
            }
            tokio::time::sleep(SECOND / 1000).await;
        }
    }))
}

#[tokio::test(start_paused = true)]
async fn a_hand_that_touches_the_ledger_right_after_each_write_keeps_nobody_from_sending() {
    for parts in [vec![NAME.to_owned()], vec![NAME.to_owned(), shard(0)]] {
        let mut world = World::with(&[deployment("shop", "web"), deployment("shop", "old")]).await;
        world.pass(2 * MINUTE).await;
        world.api.writes_take(vec![SECOND / 10]);
        let _hand = touching(&world, &parts);
        world.pass(SECOND).await;
        let before = world.api.count(Verb::Update, "ConfigMap");
        world.run(&deployment("shop", "cart"));
        world.remove("shop", "old");
        world.agreed_within(10 * SECOND).await;
        world.pass(2 * INTERVAL).await;
        world.check();
        let writes = world.api.count(Verb::Update, "ConfigMap") - before;
        assert!(writes < 40, "{parts:?}: {writes}");
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_part_that_is_deleted_or_damaged_while_running_is_written_again_from_memory() {
    let parts = [
        vec![NAME.to_owned()],
        vec![shard(0)],
        vec![NAME.to_owned(), shard(0)],
    ];
    for damaged in [false, true] {
        for parts in &parts {
            let mut world =
                World::with(&[deployment("shop", "web"), deployment("shop", "old")]).await;
            world.pass(2 * MINUTE).await;
            for part in parts {
                if damaged {
                    ledger::put(&world.api, part, b"what is this?\n...".to_vec());
                } else {
                    world.api.delete("ConfigMap", NAMESPACE, part);
                }
            }
            world.run(&deployment("shop", "cart"));
            world.agreed_within(10 * SECOND).await;
            world.check();
            world.kill().await;
            world.remove("shop", "old");
            world.restart().await;
            world.agreed().await;
            world.finish().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_part_that_is_deleted_damaged_or_set_back_is_found_within_an_interval_though_nothing_happens()
 {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    world.pass(2 * MINUTE).await;
    let older = copy(&world);
    world.run(&deployment("shop", "cart"));
    world.agreed_within(10 * SECOND).await;
    world.pass(2 * MINUTE).await;
    let whole = ["shop-cart-main", "shop-web-main"];
    for part in [NAME.to_owned(), shard(0)] {
        let hands: [&dyn Fn(&World); 3] = [
            &|world| world.api.delete("ConfigMap", NAMESPACE, &part),
            &|world| ledger::put(&world.api, &part, b"what is this?\n...".to_vec()),
            &|world| {
                let of_it = |map: &&Value| map["metadata"]["name"] == part;
                world.api.apply(older.iter().find(of_it).unwrap().clone());
            },
        ];
        for (number, hand) in hands.into_iter().enumerate() {
            hand(&world);
            // An interval, which is a tenth longer at most, and a minute.
            world
                .pass(INTERVAL.mul_f64(1.1) + MINUTE + 10 * SECOND)
                .await;
            assert_eq!(world.ledger().names(), whole, "{part} {number}");
            world.kill().await;
            world.restart().await;
            world.pass(10 * SECOND).await;
            world.agreed().await;
        }
    }
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_ledger_that_is_not_whole_ours_or_readable_is_refused_at_the_start_and_left_as_it_is() {
    type Damage = fn(&World);
    let table: [(&str, Damage, &str); 6] = [
        (
            "a shard is missing",
            |world| world.api.delete("ConfigMap", NAMESPACE, &shard(0)),
            "missing",
        ),
        (
            "the root is missing",
            |world| world.api.delete("ConfigMap", NAMESPACE, NAME),
            "missing",
        ),
        (
            "a shard is damaged",
            |world| {
                let mut bytes = ledger::bytes(&world.api, &shard(0));
                *bytes.last_mut().unwrap() ^= 1;
                ledger::put(&world.api, &shard(0), bytes);
            },
            "damaged",
        ),
        (
            "the root is something else",
            |world| ledger::put(&world.api, NAME, b"hello".to_vec()),
            "not part of a ledger",
        ),
        (
            "a newer version wrote it",
            |world| {
                let bytes = ledger::bytes(&world.api, &shard(0));
                let at = bytes.iter().position(|byte| *byte == b' ').unwrap();
                let newer = [&bytes[..at], b" 9", &bytes[at + 2..]].concat();
                ledger::put(&world.api, &shard(0), newer);
            },
            "install the newer version",
        ),
        (
            "it is of another cluster",
            |world| {
                let mut other = namespace("kube-system");
                other["metadata"]["uid"] = "another".into();
                world.api.apply(other);
            },
            "another cluster",
        ),
    ];
    for (what, damage, expected) in table {
        let mut world = World::with(&[deployment("shop", "web")]).await;
        world.stop().await;
        damage(&world);
        let (stored, requests) = (copy(&world), world.requests());
        world.restart().await;
        let error = world.ended().await;
        assert!(error.contains(expected), "{what}: {error}");
        assert_eq!(copy(&world), stored, "{what}");
        assert_eq!(world.requests(), requests, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_store_that_is_cut_short_is_begun_again() {
    for fault in [ApiFault::Refused, ApiFault::AnswerLost] {
        for skip in [0, 1] {
            let mut world = World::default();
            world.run(&deployment("shop", "web"));
            world
                .api
                .fail(Verb::Create, "ConfigMap", fault.clone())
                .skip(skip)
                .forever();
            world.start();
            world.pass(500 * SECOND / 1000).await;
            world.kill().await;
            world.api.heal();
            world.restart().await;
            world.agreed().await;
            world.finish().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_waits_half_a_minute_for_the_ledger_and_then_says_why_not() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    world.stop().await;
    world
        .api
        .fail(Verb::Get, "ConfigMap", ApiFault::Status(503))
        .times(20);
    world.restart().await;
    world.pass(28 * SECOND).await;
    assert!(world.runs());
    world.kill().await;
    world.api.heal();
    world
        .api
        .fail(Verb::Get, "ConfigMap", ApiFault::Status(503))
        .forever();
    world.restart().await;
    let error = world.ended().await;
    assert!(error.contains("ConfigMap ledger"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn what_a_former_writer_stores_while_it_is_deposed_is_not_forgotten() {
    let mut world = World::with(&[deployment("shop", "web"), deployment("shop", "old")]).await;
    world.pass(2 * MINUTE).await;
    // The former writer's shard is written after the new one has read it and before it marks it.
    let slow = |seconds: u32| ApiFault::Slow(seconds * SECOND);
    world.api.fail(Verb::Update, "ConfigMap", slow(3)).skip(1);
    world.api.fail(Verb::Update, "ConfigMap", slow(10)).skip(2);
    world.run(&deployment("shop", "web").image("ghcr.io/acme/web:2"));
    world.run(&deployment("shop", "new"));
    world.pass(2 * SECOND).await;
    let older = world.start_another();
    world.requested(2, 5 * SECOND).await;
    world.pass(8 * SECOND).await;
    world.remove("shop", "new");
    world.remove("shop", "web");
    world.pass(SECOND).await;
    world.check();
    world.agreed().await;
    assert!(older.await.unwrap().is_err());
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_former_writer_that_comes_too_late_stores_and_sends_nothing() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    world.pass(2 * MINUTE).await;
    world
        .api
        .fail(Verb::Update, "ConfigMap", ApiFault::Slow(5 * SECOND))
        .skip(1);
    world.run(&deployment("shop", "new"));
    world.pass(2 * SECOND).await;
    world.remove("shop", "new");
    let older = world.start_another();
    world.pass(MINUTE).await;
    assert!(older.await.unwrap().is_err());
    world.agreed().await;
    assert!(world.github.record("production", "shop-new-main").is_none());
    world.finish().await;
}
