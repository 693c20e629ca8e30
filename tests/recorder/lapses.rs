//! A Lease that cannot be kept: pauses, partitions, an API server that does not answer. Nothing is
//! sent or stored by whoever may not, and what can go on goes on.

use std::time::Duration;

use deployment_recorder::sandbox::{Fault, FaultKind};
use serde_json::Value;
use tokio::time::Instant;

use crate::lease::{TAKEOVER, holder, lease, swap, two};
use crate::life::Running;
use crate::objects::{deployment, digest};
use crate::support::apiserver::{Fault as ApiFault, Verb};
use crate::world::{INTERVAL, MINUTE, SECOND, World};

#[tokio::test(start_paused = true)]
async fn who_is_cut_off_drops_its_request_and_sends_nothing_more_and_another_one_goes_on() {
    let (mut world, standby) = two().await;
    world.once(FaultKind::Slow { millis: 28_000 });
    world.run(&deployment("shop", "cart"));
    let before = world.requests();
    world.requested(before + 1, 5 * SECOND).await;
    let cut = Instant::now();
    world.running.as_ref().unwrap().line.cut();
    world.pass(TAKEOVER + 5 * SECOND).await;
    assert_eq!(holder(&world), "start-2");
    let way = world.sent.of(1).pop().unwrap();
    let took = way.dropped.unwrap() - way.at;
    assert!(took > 5 * SECOND && took <= 11 * SECOND, "{took:?}");

    let older = swap(&mut world, standby);
    world.agreed().await;
    world.run(&deployment("shop", "mail"));
    world.pass(2 * INTERVAL).await;
    world.agreed().await;
    let late = || world.sent.of(1).iter().filter(|way| way.at > cut).count();
    assert_eq!(late(), 0);
    let taken = world.sent.of(2)[0].at;
    assert!(taken > cut + 10 * SECOND && taken < cut + TAKEOVER + 5 * SECOND);
    assert!(!older.task.is_finished() && !older.leads());
    older.line.mend();
    let error = older.ended().await;
    assert!(
        error.starts_with(
            "Lease recorder/ledger is not this process's any more, it now names pod recorder-2"
        ),
        "{error}"
    );
    assert_eq!(late(), 0);
    world.finish().await;
}

/// Two batches are to be sent, a second apart, when the one that leads is stopped between them.
async fn stopped_between_two_requests(pause: Duration) -> (World, Running, usize) {
    let (mut world, standby) = two().await;
    // Reports of what GitHub holds go before those of what it never held, in batches of their own.
    world.run(&deployment("shop", "web").image("ghcr.io/acme/web:2"));
    world.run(&deployment("shop", "cart"));
    let before = world.requests();
    world.requested(before + 1, 5 * SECOND).await;
    world.pass(SECOND / 10).await;
    assert_eq!(world.requests(), before + 1);
    let sent = world.sent.of(1).len();
    world.running.as_ref().unwrap().frost.falls();
    world.pass(pause).await;
    (world, standby, sent)
}

#[tokio::test(start_paused = true)]
async fn who_wakes_from_a_pause_sends_nothing_even_if_its_plan_is_fresh() {
    let (mut world, standby, sent) = stopped_between_two_requests(25 * SECOND).await;
    assert_eq!(holder(&world), "start-2");
    let older = swap(&mut world, standby);
    world.agreed().await;
    let stored = world.api.count(Verb::Update, "ConfigMap");
    older.frost.thaws();
    let error = older.ended().await;
    assert!(error.contains("names pod recorder-2"), "{error}");
    assert_eq!(world.sent.of(1).len(), sent);
    assert_eq!(world.api.count(Verb::Update, "ConfigMap"), stored);
    world.run(&deployment("shop", "mail"));
    world.agreed().await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn after_a_short_pause_it_goes_on_where_it_stood() {
    let (world, standby, sent) = stopped_between_two_requests(5 * SECOND).await;
    world.running.as_ref().unwrap().frost.thaws();
    world.agreed_within(SECOND).await;
    assert_eq!(world.sent.of(1).len(), sent + 1);
    standby.stop().await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn who_wakes_from_a_pause_and_finds_the_lease_its_own_goes_on() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    world.pass(2 * MINUTE).await;
    world.running.as_ref().unwrap().frost.falls();
    world.run(&deployment("shop", "cart"));
    world.pass(10 * MINUTE).await;
    world.running.as_ref().unwrap().frost.thaws();
    world.agreed_within(10 * SECOND).await;
    assert!(world.runs());
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn while_the_lease_cannot_be_renewed_nothing_is_sent_or_stored_and_afterwards_it_goes_on() {
    for fault in [
        ApiFault::Status(503),
        ApiFault::Status(403),
        ApiFault::Refused,
        ApiFault::Hang,
    ] {
        let mut world = World::with(&[deployment("shop", "web"), deployment("shop", "old")]).await;
        world.pass(2 * MINUTE).await;
        for verb in [Verb::Get, Verb::Update] {
            world.api.fail(verb, "Lease", fault.clone()).forever();
        }
        world.pass(12 * SECOND).await;
        assert!(!world.running.as_ref().unwrap().leads(), "{fault:?}");
        let (before, stored) = (world.requests(), world.api.count(Verb::Update, "ConfigMap"));
        world.run(&deployment("shop", "cart"));
        world.remove("shop", "old");
        world.pass(2 * INTERVAL).await;
        assert_eq!(world.requests(), before, "{fault:?}");
        assert_eq!(
            world.api.count(Verb::Update, "ConfigMap"),
            stored,
            "{fault:?}"
        );
        assert!(world.runs());
        let beat = world.status().lock().heartbeat.since_start();
        assert!(beat > 2 * INTERVAL, "its loop turns");
        world.api.heal();
        world.agreed_within(10 * SECOND).await;
        assert!(world.running.as_ref().unwrap().leads(), "{fault:?}");
        assert_eq!(lease(&world)["leaseTransitions"], 0);
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_wakes_from_a_pause_within_a_store_stores_no_more_of_it() {
    let (mut world, standby) = two().await;
    let slow = ApiFault::Slow(SECOND);
    world.api.fail(Verb::Update, "ConfigMap", slow);
    let before = world.api.count(Verb::Update, "ConfigMap");
    world.run(&deployment("shop", "cart"));
    world
        .within(5 * SECOND, "a store begins", |world| {
            world.api.count(Verb::Update, "ConfigMap") > before
        })
        .await;
    world.running.as_ref().unwrap().frost.falls();
    world.pass(25 * SECOND).await;
    let older = swap(&mut world, standby);
    world.agreed().await;
    world.pass(5 * SECOND).await;
    let stored = world.api.count(Verb::Update, "ConfigMap");
    older.frost.thaws();
    let error = older.ended().await;
    assert!(error.contains("names pod recorder-2"), "{error}");
    assert_eq!(world.api.count(Verb::Update, "ConfigMap"), stored);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_while_the_lease_is_not_renewed_stores_nothing_and_ends_in_time() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    world.pass(2 * MINUTE).await;
    world.run(&deployment("shop", "cart"));
    world.agreed().await;
    for verb in [Verb::Get, Verb::Update] {
        world.api.fail(verb, "Lease", ApiFault::Hang).forever();
    }
    world.pass(15 * SECOND).await;
    let stored = world.api.count(Verb::Update, "ConfigMap");
    assert!(world.stop().await < 3 * SECOND);
    assert_eq!(world.api.count(Verb::Update, "ConfigMap"), stored);
    assert_eq!(world.entry("shop-cart-main")["held"], Value::Null);
    world.api.heal();
    world.restart().await;
    world.pass(MINUTE).await;
    world.agreed().await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_dropped_with_the_lease_is_settled_like_any_other_without_an_answer() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    world.pass(2 * MINUTE).await;
    world.once(FaultKind::Lost { hang: true });
    world.run(&deployment("shop", "cart"));
    world.requested(2, 5 * SECOND).await;
    world
        .api
        .fail(Verb::Update, "Lease", ApiFault::Hang)
        .times(5);
    world.pass(13 * SECOND).await;
    assert_eq!(world.requests(), 2);
    let entry = world.entry("shop-cart-main");
    assert_eq!(entry["held"], Value::Null);
    assert_eq!(entry["sent"][0]["digest"], digest("ghcr.io/acme/cart:1"));
    world.pass(2 * INTERVAL).await;
    let entry = world.entry("shop-cart-main");
    assert_eq!((&entry["sent"], world.runs()), (&Value::Null, true));
    world.agreed().await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn slow_and_lost_answers_to_its_renewals_do_not_take_the_lease_from_a_process() {
    let faults = [
        ApiFault::Slow(Duration::from_millis(2_900)),
        ApiFault::AnswerLost,
        ApiFault::Cut,
    ];
    for fault in faults {
        let (world, standby) = two().await;
        let every_other = if matches!(fault, ApiFault::Slow(_)) {
            200
        } else {
            1
        };
        for round in 0..40 {
            if every_other == 1 || round == 0 {
                world
                    .api
                    .fail(Verb::Update, "Lease", fault.clone())
                    .times(every_other);
            }
            world.pass(6 * SECOND).await;
            assert!(world.running.as_ref().unwrap().leads(), "{fault:?}");
        }
        assert_eq!(lease(&world)["leaseTransitions"], 0, "{fault:?}");
        assert!(!standby.leads());
        standby.stop().await;
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn of_many_that_come_and_go_each_sends_in_one_go_and_github_is_right_in_the_end() {
    let mut world = World::default();
    world.fault(Fault::new(FaultKind::Slow { millis: 300 }));
    let mut all: Vec<Running> = (0..3).map(|_| world.stand_by()).collect();
    for round in 1..=16 {
        let image = format!("ghcr.io/acme/web:{round}");
        world.run(&deployment("shop", "web").image(&image));
        world.pass(SECOND * (round % 5)).await;
        let leader = all
            .iter()
            .position(|it| holder(&world) == format!("start-{}", it.number));
        match (leader, round % 4) {
            (Some(leader), 0) => all.remove(leader).kill().await,
            (Some(leader), 1) => drop(all.remove(leader).stop().await),
            (Some(leader), 2) => all[leader].line.cut(),
            (Some(leader), _) => all[leader].frost.falls(),
            (None, _) => {}
        }
        all.push(world.stand_by());
        world.pass(SECOND * (round * 7 % 30)).await;
        // Those that were paused go on, to see whether they would send.
        for recorder in &all {
            recorder.frost.thaws();
        }
    }
    world.agreed_within(TAKEOVER + 10 * SECOND).await;
    world.check();
    let mut senders = world.sent.all();
    senders.dedup();
    let mut each = senders.clone();
    each.sort_unstable();
    each.dedup();
    assert!(each.len() > 6, "{senders:?}");
    assert_eq!(senders.len(), each.len(), "{senders:?}");
}
