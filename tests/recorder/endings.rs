//! The end of a record: said twice, and taken back when its source is there again.

use crate::objects::{deployment, namespace};
use crate::world::{INTERVAL, MINUTE, SECOND, World};
use deployment_recorder::model::selection::Pattern;

#[tokio::test(start_paused = true)]
async fn an_end_is_said_a_second_time_one_interval_later_and_then_forgotten() {
    let mut world = World::with(&[deployment("shop", "web"), deployment("shop", "cart")]).await;
    let before = world.requests();
    world.remove("shop", "cart");
    world.agreed().await;
    world.pass(2 * MINUTE).await;
    assert_eq!(world.ledger().tombstones(), ["shop-cart-main"]);
    assert_eq!(world.sends_of(before, "shop-cart-main"), 1);
    world.pass(INTERVAL).await;
    assert_eq!(world.sends_of(before, "shop-cart-main"), 2);
    assert_eq!(world.ledger().names(), ["shop-web-main"]);
    world.pass(2 * INTERVAL).await;
    assert_eq!(world.sends_of(before, "shop-cart-main"), 2);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_past_name_is_forgotten_with_its_digest_although_a_kind_is_forbidden_for_good() {
    let mut world = World::default();
    world.api.forbid("StatefulSet");
    world.run(&deployment("shop", "web"));
    world.run(&deployment("shop", "cart"));
    world.start();
    world.agreed_within(2 * MINUTE).await;
    world.remove("shop", "cart");
    world.pass(3 * INTERVAL).await;
    assert_eq!(world.ledger().names(), ["shop-web-main"]);
    assert!(world.ledger().past.is_empty(), "{:?}", world.ledger().past);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_source_that_comes_back_after_its_end_is_reported_at_once() {
    let mut world = World::with(&[deployment("shop", "web"), deployment("shop", "cart")]).await;
    for _ in 0..2 {
        world.remove("shop", "cart");
        world.agreed_within(3 * SECOND).await;
        world.pass(MINUTE).await;
        world.run(&deployment("shop", "cart"));
        world.agreed_within(3 * SECOND).await;
    }
    world.pass(3 * INTERVAL).await;
    world.agreed().await;
    assert_eq!(world.ledger().tombstones(), Vec::<&str>::new());
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_second_start_says_the_second_end_too() {
    let mut world = World::with(&[deployment("shop", "web"), deployment("shop", "cart")]).await;
    let before = world.requests();
    world.remove("shop", "cart");
    world.agreed().await;
    world.stop().await;
    world.restart().await;
    world.pass(INTERVAL + 2 * MINUTE).await;
    assert_eq!(world.sends_of(before, "shop-cart-main"), 2);
    assert_eq!(world.ledger().names(), ["shop-web-main"]);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_container_that_is_taken_out_of_its_deployment_ends_alone() {
    let both = deployment("shop", "web").container("log", "nginx:1.27");
    let mut world = World::with(&[both]).await;
    world.run(&deployment("shop", "web"));
    world.agreed_within(3 * SECOND).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_workload_without_pods_keeps_its_record_for_an_hour_and_gets_it_back() {
    let mut world = World::with(&[deployment("shop", "web"), deployment("shop", "cart")]).await;
    world.roll_out(&deployment("shop", "cart").replicas(0));
    world.pass(59 * MINUTE).await;
    assert_eq!(world.deployed(), world.wanted);
    world.unwant("shop", "cart");
    world.agreed_within(2 * MINUTE).await;
    world.run(&deployment("shop", "cart"));
    world.agreed_within(3 * SECOND).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn when_most_names_go_missing_at_once_they_end_only_after_five_minutes() {
    let names = ["api", "cart", "mail", "web"];
    let mut world = World::with(&names.map(|name| deployment("shop", name))).await;
    for name in ["api", "cart", "mail"] {
        world.remove("shop", name);
    }
    world.run(&deployment("shop", "new"));
    world.pass(4 * MINUTE + 50 * SECOND).await;
    assert_eq!(world.deployed().len(), 5);
    assert!(world.reasons().contains("mass-decommission"));
    world.agreed_within(20 * SECOND).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_is_deleted_takes_its_records_with_it() {
    let mut world = World::with(&[deployment("shop", "web"), deployment("pay", "api")]).await;
    world.remove("pay", "api");
    world.api.delete("Namespace", "", "pay");
    world.agreed_within(3 * SECOND).await;
    world.api.apply(namespace("pay"));
    world.run(&deployment("pay", "api"));
    world.agreed_within(3 * SECOND).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn what_flags_take_out_of_scope_ends_at_the_next_start() {
    let mut world = World::with(&[deployment("shop", "web"), deployment("pay", "api")]).await;
    world.stop().await;
    world.policy.selection.exclude_images = vec![Pattern::new("ghcr.io/acme/api")];
    world.scope.selection = world.policy.selection.clone();
    world.unwant("pay", "api");
    world.restart().await;
    world.agreed().await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn an_annotation_that_opts_out_ends_a_record_and_its_removal_brings_it_back() {
    let mut world = World::with(&[deployment("shop", "web"), deployment("shop", "cart")]).await;
    world.roll_out(&deployment("shop", "cart").annotation("ignore", "true"));
    world.unwant("shop", "cart");
    world.agreed_within(3 * SECOND).await;
    world.run(&deployment("shop", "cart"));
    world.agreed_within(3 * SECOND).await;
    world.finish().await;
}
