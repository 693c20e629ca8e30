//! Batches that GitHub turns down whole: cut in two until the one at fault is alone.

use deployment_recorder::sandbox::{Fault, FaultKind};

use crate::objects::{Deployment, deployment};
use crate::world::{INTERVAL, MINUTE, SECOND, World};

/// A Deployment with that many containers, `c000` and so on.
fn wide(name: &str, containers: usize) -> Deployment {
    let mut wide = deployment("shop", name);
    let container = |number| {
        (
            format!("c{number:03}"),
            format!("ghcr.io/acme/{name}:{number}"),
        )
    };
    wide.containers = (0..containers).map(container).collect();
    wide
}

fn poison(record: &str) -> Fault {
    Fault::new(FaultKind::Poison { status: 422 }).record(record)
}

#[tokio::test(start_paused = true)]
async fn an_invalid_record_is_found_and_set_apart_and_all_others_are_taken() {
    for bad in [&["shop-web-c017"][..], &["shop-web-c000", "shop-web-c039"]] {
        let mut world = World::default();
        for name in bad {
            world.fault(poison(name));
        }
        world.run(&wide("web", 40));
        world.wanted.retain(|(_, name), _| !bad.contains(&&**name));
        world.start();
        world.agreed_within(MINUTE).await;
        let set_apart = |world: &World| world.reasons().contains("invalid");
        world.within(5 * SECOND, "a Gap", set_apart).await;
        let before = world.requests();
        world.pass(2 * MINUTE).await;
        assert_eq!(world.ledger().names().len(), 40 - bad.len());
        world.pass(48 * MINUTE).await;
        for name in bad {
            assert_eq!(world.sends_of(before, name), 0);
        }
        world.github.clear();
        world.want(&wide("web", 40));
        world.agreed_within(15 * MINUTE).await;
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_invalid_record_that_is_held_is_set_apart_and_kept() {
    let mut world = World::with(&[wide("web", 8)]).await;
    world.fault(poison("shop-web-c003"));
    world.pass(3 * INTERVAL).await;
    world.agreed().await;
    let sends = world.sends_of(1, "shop-web-c003");
    assert!(
        sends <= 6,
        "{sends} sends in half an hour\n{}",
        world.story()
    );
    world.run(&deployment("shop", "cart"));
    world.agreed_within(3 * SECOND).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn one_invalid_change_is_set_apart_because_an_unchanged_record_is_taken() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    world.fault(poison("shop-cart-main"));
    world.roll_out(&deployment("shop", "cart"));
    world.pass(30 * SECOND).await;
    assert!(world.reasons().contains("invalid"), "{}", world.story());
    world.run(&deployment("shop", "api"));
    world.agreed_within(3 * SECOND).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn one_invalid_decommission_is_set_apart_and_holds_back_nothing() {
    let mut world = World::with(&[deployment("shop", "web"), deployment("shop", "cart")]).await;
    world.fault(poison("shop-cart-main"));
    world.vanish("shop", "cart");
    world.pass(30 * SECOND).await;
    assert!(world.reasons().contains("end-refused"), "{}", world.story());
    world.run(&deployment("shop", "api"));
    world.agreed_within(3 * SECOND).await;
    world.github.clear();
    world.unwant("shop", "cart");
    world.agreed_within(5 * MINUTE).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn when_everything_is_invalid_it_is_an_outage_and_nothing_is_set_apart() {
    for status in [400, 422] {
        let mut world = World::with(&[deployment("shop", "old")]).await;
        world.fault(Fault::new(FaultKind::Status { status }));
        world.run(&wide("web", 8));
        world.pass(5 * MINUTE).await;
        assert!(
            !world.reasons().contains("invalid"),
            "{:?}",
            world.reasons()
        );
        // It is over between one question and the next.
        let asked = world.requests();
        let question = |world: &World| !world.posts(asked).is_empty();
        world
            .within(2 * MINUTE, "the next question", question)
            .await;
        world.github.clear();
        world.agreed_within(MINUTE).await;
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn promise_7_however_long_everything_is_invalid_it_is_right_soon_after() {
    let mut world = World::with(&[deployment("shop", "old")]).await;
    world.fault(Fault::new(FaultKind::Status { status: 422 }));
    world.run(&wide("web", 40));
    // So many that each search takes all of its cuts.
    world.pass(40 * MINUTE).await;
    let requests = world.requests();
    assert!(requests < 250, "{requests} of the hour's 450");
    world.github.clear();
    world.agreed_within(MINUTE + 10 * SECOND).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn many_invalid_records_are_found_over_several_cycles() {
    let mut world = World::default();
    for number in 0..12 {
        world.fault(poison(&format!("shop-web-c{:03}", number * 16)));
    }
    world.run(&wide("web", 200));
    let bad = |name: &str| name[10..].parse::<usize>().unwrap() % 16 == 0;
    world
        .wanted
        .retain(|(_, name), _| !bad(name) || name[10..].parse::<usize>().unwrap() >= 192);
    world.start();
    world.agreed_within(10 * MINUTE).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_too_large_is_cut_in_two() {
    let mut world = World::default();
    world.fault(Fault::new(FaultKind::Status { status: 413 }).times(3));
    world.run(&wide("web", 8));
    world.start();
    world.agreed_within(20 * SECOND).await;
    assert!(world.posts(0).iter().any(|post| post.lines.len() == 1));
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn repositories_that_are_named_refuse_only_the_record_that_is_of_them() {
    for (status, reason) in [(403, "unauthorized"), (404, "not-found")] {
        let mut world = World::with(&[deployment("shop", "old")]).await;
        let kind = FaultKind::NamingRepositories { status };
        world.fault(Fault::new(kind).record("shop-web-c005"));
        let web = wide("web", 8).annotation("repository", "web");
        world.run(&web);
        world.wanted.retain(|(_, name), _| name != "shop-web-c005");
        world.agreed_within(30 * SECOND).await;
        let refused = |world: &World| world.reasons().contains(reason);
        world.within(5 * SECOND, "a Gap", refused).await;
        world.github.clear();
        world.want(&web);
        world.agreed_within(5 * MINUTE).await;
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn promise_5_neighbours_that_are_all_invalid_are_set_apart_and_hold_back_nothing() {
    let mut world = World::with(&[deployment("shop", "old"), deployment("shop", "gone")]).await;
    world.fault(Fault::new(FaultKind::Poison { status: 422 }).record("shop-web-c*"));
    world.roll_out(&wide("web", 21));
    world.pass(SECOND).await;
    world.remove("shop", "gone");
    world.agreed_within(15 * SECOND).await;
    world.run(&deployment("shop", "api"));
    world.agreed_within(15 * SECOND).await;
    world.pass(MINUTE).await;
    let before = world.requests();
    world.pass(2 * MINUTE).await;
    let sends = world.sends_of(before, "shop-web-c000");
    assert_eq!(sends, 0, "{}", world.story());
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn promise_5_a_request_in_which_github_finds_nothing_closes_no_organization() {
    let mut world = World::with(&[deployment("shop", "web"), deployment("shop", "cart")]).await;
    world.fault(Fault::new(FaultKind::NothingFound));
    let third_party = deployment("shop", "cart").image("docker.io/library/redis:7");
    world.fault(Fault::new(FaultKind::UnknownDigest).record("shop-cart-main"));
    world.roll_out(&third_party);
    let refused = |world: &World| world.reasons().contains("not-found");
    world.within(10 * SECOND, "a Gap", refused).await;
    world.run(&deployment("shop", "api"));
    world.agreed_within(5 * SECOND).await;
    assert!(world.blocked().is_empty(), "{:?}", world.blocked());
    // One that GitHub does not find any more cannot be ended, and holds back nothing either.
    world.fault(Fault::new(FaultKind::UnknownDigest).record("shop-web-main"));
    world.vanish("shop", "web");
    let refused = |world: &World| world.reasons().contains("end-refused");
    world.within(20 * SECOND, "a refused end", refused).await;
    world.run(&deployment("shop", "mail"));
    world.agreed_within(5 * SECOND).await;
    world.github.clear();
    world.unwant("shop", "web");
    world.run(&third_party);
    world.agreed_within(10 * MINUTE).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn promise_5_records_of_a_repository_that_is_gone_close_no_organization_after_a_restart() {
    let names = ["aa", "ab", "ac", "web", "x", "y"];
    let mut world = World::with(&names.map(|name| deployment("shop", name))).await;
    world.fault(Fault::new(FaultKind::NothingFound));
    for gone in [
        "shop-aa-main",
        "shop-ab-main",
        "shop-ac-main",
        "shop-redis-main",
    ] {
        world.fault(Fault::new(FaultKind::UnknownDigest).record(gone));
    }
    let third_party = deployment("shop", "redis").image("docker.io/library/redis:7");
    world.roll_out(&third_party);
    let gaps = |world: &World| world.gaps("not-found") == 4;
    world.within(2 * INTERVAL, "four Gaps", gaps).await;
    // What was refused is forgotten with the process, and is asked for first.
    world.stop().await;
    world.restart().await;
    world.within(MINUTE, "four Gaps", gaps).await;
    assert!(world.blocked().is_empty(), "{:?}", world.blocked());
    world.remove("shop", "x");
    world.agreed_within(10 * SECOND).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn promise_7_requests_that_are_too_large_to_be_answered_get_smaller() {
    let mut world = World::default();
    let heavy = FaultKind::TooHeavy {
        records: 60,
        status: 504,
    };
    world.fault(Fault::new(heavy));
    world.run(&wide("web", 400));
    world.start();
    world.agreed_within(20 * MINUTE).await;
    world.run(&deployment("shop", "api"));
    world.agreed_within(5 * SECOND).await;
    world.finish().await;
}
