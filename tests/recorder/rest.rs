//! What comes between the requests of a full snapshot: what was left out is told as soon as it can be,
//! and nothing counts as told that was not.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use deployment_recorder::sandbox::{Fault, FaultKind};
use serde_json::json;
use tokio::time::Instant;

use crate::objects::deployment;
use crate::order::many;
use crate::organizations::{labelled, two_tokens};
use crate::shards::{before_all_is_written_again, large};
use crate::sight::Post;
use crate::tap::Away;
use crate::world::{INTERVAL, MINUTE, SECOND, World};

#[tokio::test(start_paused = true)]
async fn promise_7_a_part_of_a_snapshot_that_an_organization_could_not_take_is_sent_when_it_can() {
    let (_files, mut world) = two_tokens();
    world.policy.environments_by_label = true;
    world.scope.logical_environment_label = Some("env".to_owned());
    for organization in ["acme", "tools"] {
        for number in 0..8 {
            let name = format!("{organization}{number}");
            let mut namespace = labelled(&name, organization);
            namespace["metadata"]["labels"]["env"] = json!(format!("env{number}"));
            world.api.apply(namespace);
            world.roll_out(&deployment(&name, "web"));
        }
    }
    world.start();
    let told = |world: &World, organization: &str| world.deployed_in(organization).len() == 8;
    let all = |world: &World| told(world, "acme") && told(world, "tools");
    world.at_github(MINUTE, "all is told", all).await;
    world.pass(2 * MINUTE).await;
    world.kill().await;

    // Each request that fails doubles the pause: of the third the snapshot does not wait for the end, but it
    // is over while requests of the other organization leave.
    world.gate.away("/orgs/acme/", Away::Answers(502));
    let before = world.sets("acme").len();
    let tried = world.gate.tokens().len();
    world.start();
    let fails = |world: &World| {
        let tokens = world.gate.tokens();
        tokens[tried..]
            .iter()
            .filter(|it| it.starts_with("acme"))
            .count()
            == 3
    };
    world.within(MINUTE, "three requests fail", fails).await;
    world.gate.open();
    world.pass(2 * MINUTE).await;
    let sets = world.sets("acme").split_off(before);
    let environment = |body: &serde_json::Value| body["logical_environment"].to_string();
    let bodies = sets.iter().filter_map(|entry| entry.body.as_deref());
    let environments: BTreeSet<String> = bodies.map(environment).collect();
    assert_eq!(environments.len(), 8, "{environments:?}");
    world.kill().await;
}

#[tokio::test(start_paused = true)]
async fn promise_7_what_is_not_seen_for_a_moment_is_sent_with_its_snapshot_all_the_same() {
    let world = World::with(&many(2500)).await;
    world.fault(Fault::new(FaultKind::Slow { millis: 1500 }));
    let before = world.requests();
    world.requested(before + 1, 2 * INTERVAL).await;
    world.api.forbid("Pod");
    world.api.drop_watches("Pod");
    world.pass(20 * SECOND).await;
    assert_eq!(world.requests(), before + 1);
    let status = world.status();
    let told = status.lock().last_success;
    world.pass(2 * MINUTE).await;
    assert_eq!(status.lock().last_success, told);
    world.api.allow("Pod");
    world.requested(before + 3, 2 * MINUTE).await;
    world.pass(MINUTE).await;
    let posts = world.posts(before);
    let names = posts.iter().flat_map(Post::names).collect::<Vec<_>>();
    let unique: BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!((names.len(), unique.len()), (2500, 2500));
    assert!(status.lock().last_success > told);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn github_is_not_known_to_have_everything_while_nothing_is_seen() {
    for kind in ["Pod", "ReplicaSet"] {
        let mut world = World::default();
        world.run(&deployment("shop", "web"));
        world.api.forbid(kind);
        world.start();
        world.pass(2 * INTERVAL).await;
        assert_eq!(world.requests(), 0);
        assert_eq!(world.status().lock().last_success, None, "{kind}");
        world.api.allow(kind);
        world.agreed_within(6 * MINUTE).await;
        assert!(world.status().lock().last_success.is_some());
        // What was told before says nothing of now.
        world.kill().await;
        world.api.forbid(kind);
        world.start();
        world.pass(2 * INTERVAL).await;
        assert_eq!(world.status().lock().last_success, None, "{kind}");
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn of_a_cluster_in_which_nothing_runs_github_is_known_to_have_everything() {
    let mut world = World::default();
    world.start();
    world.pass(MINUTE).await;
    assert!(world.status().lock().last_success.is_some());
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn promise_2_of_a_plan_from_before_the_machine_was_suspended_nothing_more_is_sent() {
    let old = ["api", "cart", "mail"].map(|name| deployment("shop", name));
    let mut world = World::with(&old).await;
    world.pass(2 * MINUTE).await;
    let before = world.requests();
    world.run(&deployment("shop", "cart").image("ghcr.io/acme/cart:2"));
    world.remove("shop", "mail");
    // The next request waits for four seconds, in which the Lease is renewed.
    let limited = FaultKind::Throttled {
        status: 429,
        retry_after: Some(4),
        reset_after: None,
    };
    world.fault(Fault::once(limited));
    world.requested(before + 1, 10 * SECOND).await;
    world.suspended.store(2 * 3600, Ordering::Relaxed);
    world.run(&deployment("shop", "mail"));
    world.agreed_within(MINUTE).await;
    world.pass(MINUTE).await;
    let posts = world.posts(before);
    assert!(!posts.iter().any(Post::ends), "{}", world.story());
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_change_does_not_wait_until_all_of_the_ledger_is_written_again() {
    let mut world = before_all_is_written_again(3 * SECOND).await;
    let due = Instant::now() + SECOND / 2;
    world.run(&large(3).image("ghcr.io/acme/web:2"));
    world.agreed_within(MINUTE).await;
    let took = due.elapsed();
    // The root and one shard.
    assert!(took < 8 * SECOND, "{took:?}");
    world.finish().await;
}
