//! Records that GitHub refuses: never sent in vain, never in the way of others.

use deployment_recorder::sandbox::{Attestation, Fault, FaultKind};

use crate::objects::{deployment, digest};
use crate::world::{INTERVAL, MINUTE, SECOND, World};

fn attest(world: &World, image: &str) {
    world.github.attest(Attestation {
        digest: digest(image),
        repository: Some("acme".to_owned()),
    });
}

#[tokio::test(start_paused = true)]
async fn a_third_partys_image_is_refused_forgotten_and_accepted_at_its_retry_once_attested() {
    let mut world = World::default();
    world.github.set_unknown_digests(true);
    attest(&world, "ghcr.io/acme/web:1");
    world.run(&deployment("shop", "web"));
    world.roll_out(&deployment("shop", "cache").image("redis:7"));
    world.start();
    world.agreed().await;
    world.pass(15 * MINUTE).await;
    assert_eq!(world.ledger().names(), ["shop-web-main"]);
    assert!(
        world.reasons().contains("not-found"),
        "{:?}",
        world.reasons()
    );
    let sends = world.sends_of(0, "shop-cache-main");
    assert!(
        (4..=5).contains(&sends),
        "{sends} sends within 15 minutes\n{}",
        world.story()
    );
    attest(&world, "redis:7");
    world.want(&deployment("shop", "cache").image("redis:7"));
    world.agreed_within(17 * MINUTE).await;
    world.check();
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_held_record_whose_change_is_refused_is_kept_as_it_was_until_the_retry() {
    for kind in [FaultKind::UnknownDigest, FaultKind::Unauthorized] {
        let mut world = World::with(&[deployment("shop", "web"), deployment("shop", "cart")]).await;
        let newer = deployment("shop", "web").image("ghcr.io/acme/web:2");
        world.fault(Fault::new(kind).digest(&digest("ghcr.io/acme/web:2")));
        world.roll_out(&newer);
        world.pass(2 * INTERVAL).await;
        assert_eq!(world.deployed(), world.wanted, "it is retained");
        let refused = |world: &World| {
            let requests = world.github.requests();
            let wanted = digest("ghcr.io/acme/web:2");
            let sent = requests
                .iter()
                .filter_map(|request| request.body.as_deref());
            sent.filter(|body| body.to_string().contains(&wanted))
                .count()
        };
        let sends = refused(&world);
        assert!(
            (4..=6).contains(&sends),
            "{sends} sends in 20 minutes\n{}",
            world.story()
        );
        world.github.clear();
        world.want(&newer);
        world.agreed_within(17 * MINUTE).await;
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_record_is_sent_at_once_when_anything_in_it_changes() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    world.fault(Fault::new(FaultKind::UnknownDigest).digest(&digest("redis:7")));
    world.roll_out(&deployment("shop", "cache").image("redis:7"));
    world.pass(150 * SECOND).await;
    assert_eq!(world.ledger().names(), ["shop-web-main"]);
    world.run(&deployment("shop", "cache").image("redis:8"));
    world.agreed_within(3 * SECOND).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_record_that_vanishes_is_never_decommissioned() {
    let world = World::with(&[deployment("shop", "web")]).await;
    world.fault(Fault::new(FaultKind::UnknownDigest).digest(&digest("redis:7")));
    world.roll_out(&deployment("shop", "cache").image("redis:7"));
    world.pass(10 * SECOND).await;
    world.vanish("shop", "cache");
    world.github.clear();
    world.pass(2 * INTERVAL).await;
    assert!(
        world
            .github
            .record("production", "shop-cache-main")
            .is_none()
    );
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_decommission_is_kept_and_tried_again_less_and_less_often() {
    let mut world = World::with(&[deployment("shop", "web"), deployment("shop", "cart")]).await;
    let before = world.requests();
    world.fault(Fault::new(FaultKind::Unauthorized).record("shop-cart-main"));
    world.vanish("shop", "cart");
    world.pass(16 * MINUTE).await;
    let sends = world.sends_of(before, "shop-cart-main");
    assert!(
        (4..=6).contains(&sends),
        "{sends} sends within 16 minutes\n{}",
        world.story()
    );
    assert!(world.reasons().contains("end-refused"));
    world.check();
    world.github.clear();
    world.unwant("shop", "cart");
    world.agreed_within(17 * MINUTE).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_decommission_that_is_not_found_is_tried_with_the_other_body() {
    let mut world = World::with(&[deployment("shop", "web"), deployment("shop", "cart")]).await;
    world.once(FaultKind::Reset);
    world.run(&deployment("shop", "cart").image("ghcr.io/acme/cart:2"));
    world.requested(2, 5 * SECOND).await;
    world.fault(Fault::new(FaultKind::UnknownDigest).digest(&digest("ghcr.io/acme/cart:2")));
    world.remove("shop", "cart");
    world.agreed_within(20 * SECOND).await;
    world.finish().await;
}
