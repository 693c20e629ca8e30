//! Answers that hide what became of a request: it is asked again, and settled by a later answer.

use deployment_recorder::sandbox::{Fault, FaultKind};
use serde_json::json;

use crate::objects::{deployment, digest};
use crate::world::{INTERVAL, MINUTE, SECOND, World};

#[tokio::test(start_paused = true)]
async fn whatever_hides_an_outcome_it_is_asked_again_at_once_and_settled_an_interval_later() {
    let elsewhere = Some("https://elsewhere.test/orgs".to_owned());
    let kinds = [
        FaultKind::Status { status: 500 },
        FaultKind::Status { status: 408 },
        FaultKind::Status { status: 409 },
        FaultKind::Bare { status: 503 },
        FaultKind::Reset,
        FaultKind::Hang,
        FaultKind::Lost { hang: false },
        FaultKind::Lost { hang: true },
        FaultKind::Html { applied: false },
        FaultKind::Html { applied: true },
        FaultKind::WrongShape { applied: false },
        FaultKind::WrongShape { applied: true },
        FaultKind::StrangeRecord,
        FaultKind::Redirect {
            status: 307,
            location: elsewhere,
        },
    ];
    for kind in kinds {
        let mut world = World::with(&[deployment("shop", "web")]).await;
        let before = world.requests();
        world.once(kind.clone());
        world.run(&deployment("shop", "cart"));
        world.requested(before + 2, MINUTE).await;
        world.agreed().await;
        world.pass(MINUTE).await;
        assert_eq!(
            world.sends_of(before, "shop-cart-main"),
            2,
            "{kind:?}\n{}",
            world.story()
        );
        world.pass(2 * INTERVAL).await;
        let entry = world.entry("shop-cart-main");
        assert_eq!(
            entry["sent"],
            json!(null),
            "{kind:?} is not settled: {entry}"
        );
        assert_eq!(entry["held"]["digest"], digest("ghcr.io/acme/cart:1"));
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_207_without_errors_acknowledges_nothing() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    world.gate.set(|_| {
        Some((
            207,
            r#"{"total_count": 0, "deployment_records": [], "errors": []}"#,
        ))
    });
    world.run(&deployment("shop", "cart"));
    world.pass(10 * SECOND).await;
    assert!(world.entry("shop-cart-main")["held"].is_null());
    world.gate.open();
    world.agreed_within(MINUTE).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_asked_less_and_less_often_and_over_at_once() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    let before = world.requests();
    world.fault(Fault::new(FaultKind::Status { status: 503 }));
    world.run(&deployment("shop", "cart"));
    world.pass(10 * MINUTE).await;
    let asked = world.requests() - before;
    assert!((10..=20).contains(&asked), "{asked}\n{}", world.story());
    world.github.clear();
    world.agreed_within(MINUTE + 5 * SECOND).await;
    let after = world.requests();
    world.once(FaultKind::Status { status: 503 });
    world.run(&deployment("shop", "mail"));
    world.agreed_within(6 * SECOND).await;
    assert_eq!(world.sends_of(after, "shop-mail-main"), 2);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_applied_late_after_a_newer_one_is_set_right_an_interval_later() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    world.once(FaultKind::Late { seconds: 90 });
    world.run(&deployment("shop", "web").image("ghcr.io/acme/web:2"));
    world.agreed_within(10 * SECOND).await;
    world.run(&deployment("shop", "web").image("ghcr.io/acme/web:3"));
    world.agreed_within(10 * SECOND).await;
    world.pass(90 * SECOND).await;
    assert_eq!(
        world.digest_of("shop-web-main"),
        Some(digest("ghcr.io/acme/web:2"))
    );
    world.check();
    world.agreed_within(INTERVAL).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_report_that_is_applied_after_the_decommission_is_decommissioned_again() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    world.once(FaultKind::Late { seconds: 90 });
    world.run(&deployment("shop", "cart"));
    world.agreed_within(10 * SECOND).await;
    world.remove("shop", "cart");
    world.agreed_within(10 * SECOND).await;
    world.pass(90 * SECOND).await;
    assert!(world.digest_of("shop-cart-main").is_some());
    world.check();
    world.agreed_within(INTERVAL + MINUTE).await;
    world.pass(INTERVAL).await;
    assert_eq!(world.ledger().names(), ["shop-web-main"]);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn redirects_are_followed_at_the_same_origin_with_method_and_body() {
    for status in [301, 302, 307, 308] {
        let mut world = World::with(&[deployment("shop", "web")]).await;
        world.once(FaultKind::Redirect {
            status,
            location: None,
        });
        world.run(&deployment("shop", "cart"));
        world.agreed_within(5 * SECOND).await;
        assert_eq!(world.requests(), 3);
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_strange_cause_leaves_that_record_alone_unknown_and_is_not_asked_again_at_once() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    let before = world.requests();
    world.fault(Fault::new(FaultKind::StrangeCause).record("shop-cart-main"));
    world.run(&deployment("shop", "cart"));
    world.run(&deployment("shop", "api"));
    world.pass(30 * SECOND).await;
    assert_eq!(
        world.sends_of(before, "shop-cart-main"),
        1,
        "{}",
        world.story()
    );
    assert!(world.digest_of("shop-api-main").is_some());
    assert!(!world.entry("shop-cart-main")["sent"].is_null());
    world.github.clear();
    world.agreed_within(2 * MINUTE).await;
    world.finish().await;
}
