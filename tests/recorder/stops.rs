//! Stops, dry runs, and a cluster whose identity is not known.

use deployment_recorder::sandbox::{Fault, FaultKind};

use crate::logged::Log;
use crate::objects::{deployment, digest, namespace};
use crate::shards::{before_all_is_written_again, large};
use crate::support::apiserver::{Fault as ApiFault, Verb};
use crate::world::{INTERVAL, MINUTE, SECOND, World};

#[tokio::test(start_paused = true)]
async fn a_stop_sends_nothing_and_ends_at_once() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    let before = world.requests();
    assert!(world.stop().await < SECOND);
    assert_eq!(world.requests(), before);
    assert_eq!(world.deployed(), world.wanted);
    assert_eq!(
        world.entry("shop-web-main")["held"]["digest"],
        digest("ghcr.io/acme/web:1")
    );
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_lets_the_request_in_flight_finish_and_stores_its_answer() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    world.once(FaultKind::Slow { millis: 5000 });
    world.run(&deployment("shop", "cart"));
    world.run(&deployment("shop", "api"));
    world.requested(2, 5 * SECOND).await;
    let took = world.stop().await;
    assert!(took > 4 * SECOND && took < 6 * SECOND, "{took:?}");
    assert_eq!(
        world.entry("shop-cart-main")["held"]["digest"],
        digest("ghcr.io/acme/cart:1")
    );
    assert_eq!(
        world.entry("shop-cart-main")["sent"],
        serde_json::Value::Null
    );
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_within_twenty_seconds_even_if_nothing_answers() {
    for kind in [FaultKind::Hang, FaultKind::Lost { hang: true }] {
        for silent in [false, true] {
            let mut world = World::with(&[deployment("shop", "web")]).await;
            world.once(kind.clone());
            world.run(&deployment("shop", "cart"));
            world.requested(2, 5 * SECOND).await;
            if silent {
                for verb in [Verb::Get, Verb::Update, Verb::List, Verb::Watch] {
                    for of in ["ConfigMap", "Namespace", "Pod"] {
                        world.api.fail(verb, of, ApiFault::Hang).forever();
                    }
                }
            }
            let took = world.stop().await;
            assert!(took <= 20 * SECOND, "{took:?}");
            world.check();
            world.api.heal();
            world.remove("shop", "cart");
            world.restart().await;
            world.agreed().await;
            world.finish().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_while_the_api_server_is_silent_ends_within_twenty_seconds() {
    // During the first lists, during a store, while the cluster's identity is read.
    for (verb, kind, wait) in [
        (Verb::List, "Pod", 5 * SECOND),
        (Verb::Update, "ConfigMap", 5 * SECOND),
        (Verb::Get, "ConfigMap", 5 * SECOND),
        (Verb::Get, "Namespace", INTERVAL + MINUTE),
    ] {
        let mut world = World::default();
        world.run(&deployment("shop", "web"));
        if verb == Verb::List {
            world.api.fail(verb, kind, ApiFault::Hang).forever();
            world.start();
        } else {
            world.start();
            world.agreed().await;
            world.pass(2 * SECOND).await;
            world.api.fail(verb, kind, ApiFault::Hang).forever();
            world.run(&deployment("shop", "cart"));
        }
        world.pass(wait).await;
        let took = world.stop().await;
        assert!(took <= 20 * SECOND, "{verb:?} {kind}: {took:?}");
        world.check();
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_behind_which_all_of_the_ledger_would_be_written_again_ends_within_twenty_seconds() {
    let mut world = before_all_is_written_again(4 * SECOND).await;
    let before = world.requests();
    world.once(FaultKind::Hang);
    world.run(&large(3).image("ghcr.io/acme/web:2"));
    world.requested(before + 1, MINUTE).await;
    let took = world.stop().await;
    assert!(took <= 20 * SECOND, "{took:?}");
    world.check();
}

#[tokio::test(start_paused = true)]
async fn a_stop_during_a_search_for_an_invalid_record_ends_in_time() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    world.fault(Fault::new(FaultKind::Poison { status: 422 }).record("shop-cart-*"));
    world.fault(Fault::new(FaultKind::Slow { millis: 800 }));
    let cart = (0..20).fold(deployment("shop", "cart"), |cart, number| {
        cart.container(
            &format!("c{number}"),
            &format!("ghcr.io/acme/cart:{number}"),
        )
    });
    world.roll_out(&cart);
    world.requested(5, 30 * SECOND).await;
    assert!(world.stop().await < 3 * SECOND);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_says_that_the_ledger_is_not_stored_where_it_is_not() {
    for (dry_run, is_closed, said) in [(false, true, 1), (false, false, 0), (true, true, 0)] {
        let log = Log::default();
        let guard = log.begin();
        let mut world = World::with(&[deployment("shop", "web")]).await;
        world.stop().await;
        world.dry_run = dry_run;
        world.restart().await;
        world.roll_out(&deployment("shop", "cart"));
        world.pass(10 * SECOND).await;
        if is_closed {
            let updates = world
                .api
                .fail(Verb::Update, "ConfigMap", ApiFault::Status(503));
            updates.forever();
        }
        world.stop().await;
        drop(guard);
        assert_eq!(log.count("ledger not stored on stop"), said, "{dry_run}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_sends_nothing_and_writes_nothing() {
    for known in [false, true] {
        let mut world = World::default();
        world.run(&deployment("shop", "web"));
        if known {
            world.start();
            world.agreed().await;
            world.stop().await;
        }
        let (stored, requests) = (world.api.all("ConfigMap"), world.requests());
        world.dry_run = true;
        world.restart().await;
        world.pass(MINUTE).await;
        world.roll_out(&deployment("shop", "cart"));
        world.vanish("shop", "web");
        world.pass(2 * INTERVAL).await;
        assert!(world.runs());
        assert_eq!(world.requests(), requests);
        assert_eq!(world.api.all("ConfigMap"), stored);
        world.stop().await;
        assert_eq!(world.api.all("ConfigMap"), stored);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_while_nobody_knows_which_cluster_this_is() {
    let mut world = World::default();
    world.run(&deployment("shop", "web"));
    world
        .api
        .fail(Verb::Get, "Namespace", ApiFault::Status(503))
        .forever();
    world.start();
    world.pass(5 * MINUTE).await;
    assert_eq!(world.requests(), 0);
    world.api.heal();
    world.agreed_within(20 * SECOND).await;
    assert!(world.ledger().root["cluster_uids"]["kube-system"].is_string());
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn where_kube_system_may_not_be_read_the_ledgers_namespace_tells_the_cluster() {
    let mut world = World::default();
    world.run(&deployment("shop", "web"));
    world.api.forbid_in("Namespace", "kube-system");
    world.start();
    world.agreed().await;
    let uids = &world.ledger().root["cluster_uids"];
    assert!(
        uids["recorder"].is_string() && uids["kube-system"].is_null(),
        "{uids}"
    );
    world.stop().await;
    world.api.heal();
    world.restart().await;
    world.run(&deployment("shop", "cart"));
    world.agreed().await;
    assert!(world.ledger().root["cluster_uids"]["kube-system"].is_string());
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_turns_into_another_one_stops_the_recorder_and_keeps_its_ledger() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    world.pass(2 * MINUTE).await;
    let mut other = namespace("kube-system");
    other["metadata"]["uid"] = "another".into();
    world.api.apply(other);
    let (stored, before) = (world.api.all("ConfigMap"), world.requests());
    world.pass(INTERVAL).await;
    let error = world.ended().await;
    assert!(error.contains("another cluster"), "{error}");
    assert_eq!(world.requests(), before);
    assert_eq!(world.api.all("ConfigMap"), stored);
}
