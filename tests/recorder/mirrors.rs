//! Mirrors that fail: what is not seen is never gone (promise 2), and what is over is seen.

use crate::objects::deployment;
use crate::support::apiserver::{Fault as ApiFault, Verb};
use crate::world::{INTERVAL, MINUTE, SECOND, World};

const KINDS: [&str; 9] = [
    "Pod",
    "ReplicaSet",
    "ReplicationController",
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "CronJob",
    "Namespace",
];

async fn three() -> World {
    let world = World::with(&["api", "cart", "web"].map(|name| deployment("shop", name))).await;
    world.pass(MINUTE).await;
    world
}

#[tokio::test(start_paused = true)]
async fn rights_that_are_taken_away_withhold_and_rights_that_are_given_back_settle() {
    for kind in ["Pod", "ReplicaSet", "Deployment", "Namespace"] {
        let mut world = three().await;
        world.api.forbid(kind);
        world.api.drop_watches(kind);
        world.pass(5 * SECOND).await;
        world.vanish("shop", "cart");
        world.pass(3 * INTERVAL).await;
        assert_eq!(world.deployed(), world.wanted, "{kind}");
        assert!(
            world.reasons().contains("not-covered"),
            "{kind}: {:?}",
            world.reasons()
        );
        world.api.allow(kind);
        world.unwant("shop", "cart");
        world.run(&deployment("shop", "web").image("ghcr.io/acme/web:2"));
        world.agreed_within(6 * MINUTE).await;
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_forbidden_kind_withholds_only_what_it_is_needed_for() {
    let mut world = three().await;
    world.api.forbid("StatefulSet");
    world.api.drop_watches("StatefulSet");
    world.pass(5 * SECOND).await;
    world.remove("shop", "cart");
    world.run(&deployment("shop", "new"));
    world.agreed_within(5 * SECOND).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_is_forbidden_from_the_start_is_waited_for_a_minute_at_most() {
    let mut world = three().await;
    world.kill().await;
    let before = world.requests();
    world.api.forbid("Deployment");
    world.vanish("shop", "cart");
    world.restart().await;
    world.pass(3 * INTERVAL).await;
    assert_eq!(world.deployed(), world.wanted);
    assert!(world.posts(before).iter().all(|post| !post.ends()));
    world.api.allow("Deployment");
    world.unwant("shop", "cart");
    world.agreed_within(6 * MINUTE).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn the_first_cycle_waits_for_every_mirror() {
    for kind in ["Pod", "Deployment", "Namespace"] {
        let mut world = three().await;
        world.kill().await;
        let before = world.requests();
        world
            .api
            .fail(Verb::List, kind, ApiFault::Slow(20 * SECOND));
        world.remove("shop", "cart");
        world.run(&deployment("shop", "new"));
        world.restart().await;
        world.pass(19 * SECOND).await;
        assert_eq!(world.requests(), before, "{kind}");
        world.agreed_within(6 * SECOND).await;
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_expires_between_its_pages_is_begun_again_and_nothing_is_gone() {
    let mut world = World::with(&[
        deployment("shop", "many").replicas(250),
        deployment("shop", "web"),
        deployment("shop", "cart"),
    ])
    .await;
    world
        .api
        .fail(Verb::List, "Pod", ApiFault::Slow(SECOND))
        .skip(1)
        .times(1);
    world.api.expire("Pod");
    world
        .within(MINUTE, "a second page", |world| {
            world.api.count(Verb::List, "Pod") >= 5
        })
        .await;
    world.api.expire_lists("Pod");
    world.remove("shop", "cart");
    world.pass(SECOND / 2).await;
    assert_ne!(world.deployed(), world.wanted);
    world.agreed_within(2 * MINUTE).await;
    let ends = world
        .posts(0)
        .into_iter()
        .filter(crate::sight::Post::ends)
        .collect::<Vec<_>>();
    assert!(
        ends.iter().all(|post| post.names() == ["shop-cart-main"]),
        "{ends:?}"
    );
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_is_gone_for_long_is_waited_for() {
    let mut world = three().await;
    for kind in KINDS.into_iter().chain(["ConfigMap"]) {
        for verb in [
            Verb::List,
            Verb::Watch,
            Verb::Get,
            Verb::Create,
            Verb::Update,
        ] {
            world.api.fail(verb, kind, ApiFault::Refused).forever();
        }
        world.api.drop_watches(kind);
    }
    let before = world.requests();
    world.remove("shop", "cart");
    world.run(&deployment("shop", "new"));
    world.pass(2 * INTERVAL).await;
    assert_eq!(world.requests(), before, "{}", world.story());
    world.api.heal();
    world.agreed_within(6 * MINUTE).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_restarts_costs_nothing_but_a_moment() {
    let mut world = three().await;
    for kind in KINDS {
        world.api.drop_watches(kind);
    }
    world.run(&deployment("shop", "web").image("ghcr.io/acme/web:2"));
    world.remove("shop", "cart");
    world.agreed_within(3 * MINUTE).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn events_that_were_missed_are_found_by_the_next_list() {
    let mut world = three().await;
    for kind in ["Pod", "ReplicaSet", "Deployment"] {
        world
            .api
            .fail(Verb::Watch, kind, ApiFault::Status(500))
            .times(3);
        world.api.drop_watches(kind);
    }
    world.remove("shop", "cart");
    world.run(&deployment("shop", "new"));
    for kind in ["Pod", "ReplicaSet", "Deployment"] {
        world.api.expire(kind);
    }
    world.agreed_within(3 * MINUTE).await;
    world.finish().await;
}
