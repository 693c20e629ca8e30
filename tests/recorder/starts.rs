//! Starts, stops, kills and restarts.

use crate::objects::deployment;
use crate::world::{MINUTE, SECOND, World};

#[tokio::test(start_paused = true)]
async fn the_first_start_reports_everything_that_runs() {
    let web = deployment("shop", "web")
        .replicas(3)
        .container("log", "nginx:1.27");
    let world = World::with(&[web, deployment("shop", "cart"), deployment("pay", "api")]).await;
    assert_eq!(world.wanted.len(), 4);
    assert_eq!(world.requests(), 1);
    assert!(world.status().lock().first_start);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn after_a_clean_stop_the_next_start_sends_only_the_snapshot() {
    let mut world = World::with(&[deployment("shop", "web"), deployment("pay", "api")]).await;
    world.stop().await;
    let before = world.requests();
    world.restart().await;
    world.requested(before + 1, 30 * SECOND).await;
    assert_eq!(
        world.posts(before)[0].names(),
        ["pay-api-main", "shop-web-main"]
    );
    world.pass(8 * MINUTE).await;
    assert_eq!(world.requests(), before + 1);
    assert!(!world.status().lock().first_start);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_change_reaches_github_within_seconds() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    world.pass(MINUTE).await;
    world.run(&deployment("shop", "web").image("ghcr.io/acme/web:2"));
    world.agreed_within(2 * SECOND).await;
    world.run(&deployment("shop", "cart"));
    world.agreed_within(3 * SECOND).await;
    world.remove("shop", "web");
    world.agreed_within(3 * SECOND).await;
    world.finish().await;
}
