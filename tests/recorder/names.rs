//! Names and environments: whose a name is, and what becomes of it when it moves.

use std::sync::Arc;

use deployment_recorder::model::record::Destination;
use deployment_recorder::model::template::Template;
use serde_json::json;

use crate::objects::{deployment, digest, namespace};
use crate::world::{ENVIRONMENT, INTERVAL, MINUTE, SECOND, World};

#[tokio::test(start_paused = true)]
async fn names_that_collide_are_told_apart_and_each_keeps_its_own() {
    // Both would be named a-b-c-main.
    let (first, second) = (deployment("a", "b-c"), deployment("a-b", "c"));
    let mut world = World::default();
    world.roll_out(&first);
    world.roll_out(&second);
    world.start();
    world
        .within(10 * SECOND, "two records", |world| {
            world.deployed().len() == 2
        })
        .await;
    let names: Vec<String> = world.deployed().into_keys().map(|(_, name)| name).collect();
    assert_eq!(names[0], "a-b-c-main");
    assert!(
        names[1].starts_with("a-b-c-main-") && names[1].len() == 19,
        "{names:?}"
    );
    assert_eq!(
        world.digest_of("a-b-c-main"),
        Some(digest("ghcr.io/acme/b-c:1"))
    );
    world.stop().await;
    world.restart().await;
    world.pass(MINUTE).await;
    assert_eq!(world.deployed().len(), 2);
    // The first is released; the second keeps the name that it has.
    world.vanish("a", "b-c");
    world
        .within(5 * SECOND, "one record", |world| {
            world.deployed().len() == 1
        })
        .await;
    assert_eq!(world.digest_of(&names[1]), Some(digest("ghcr.io/acme/c:1")));
    // A newcomer takes the free name over, tombstone or not.
    world.roll_out(&first.image("ghcr.io/acme/b-c:2"));
    world
        .within(5 * SECOND, "two records", |world| {
            world.deployed().len() == 2
        })
        .await;
    assert_eq!(
        world.digest_of("a-b-c-main"),
        Some(digest("ghcr.io/acme/b-c:2"))
    );
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_released_in_the_same_moment_is_taken_over_without_a_decommission() {
    let mut world = World::default();
    world.roll_out(&deployment("a", "b-c"));
    world.start();
    world
        .within(10 * SECOND, "a record", |world| world.deployed().len() == 1)
        .await;
    world.vanish("a", "b-c");
    world.roll_out(&deployment("a-b", "c"));
    let taken = |world: &World| world.digest_of("a-b-c-main") == Some(digest("ghcr.io/acme/c:1"));
    world
        .within(5 * SECOND, "the name is taken over", taken)
        .await;
    world.pass(3 * INTERVAL).await;
    assert!(taken(&world) && world.deployed().len() == 1);
    assert!(world.posts(0).iter().all(|post| !post.ends()));
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_changed_environment_label_moves_records_the_new_first_and_then_the_old_ends() {
    let mut world = World::default();
    world.policy.environments_by_label = true;
    world.scope.logical_environment_label = Some("env".to_owned());
    let label = |world: &World, environment: &str| {
        let mut shop = namespace("shop");
        shop["metadata"]["labels"] = json!({"env": environment});
        world.api.apply(shop);
    };
    label(&world, "staging");
    world.roll_out(&deployment("shop", "web"));
    let key = |environment: &str| (environment.to_owned(), "shop-web-main".to_owned());
    let digest = digest("ghcr.io/acme/web:1");
    world.wanted = [(key("staging"), digest.clone())].into();
    world.start();
    world.agreed().await;
    for (from, to) in [("staging", "live"), ("live", ""), (ENVIRONMENT, "staging")] {
        let before = world.requests();
        label(&world, to);
        let to = if to.is_empty() { ENVIRONMENT } else { to };
        world.wanted = [(key(to), digest.clone())].into();
        world.agreed_within(5 * SECOND).await;
        let posts = world.posts(before);
        assert!(
            !posts[0].ends() && posts[1].ends(),
            "{from} to {to}: {posts:?}"
        );
        world.check();
    }
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_setting_that_differs_only_in_letter_case_keeps_the_records_as_they_are_spelled() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    world.stop().await;
    let respelled = Destination {
        cluster: "MAIN".into(),
        physical_environment: None,
        ..Destination::clone(&world.policy.destination)
    };
    world.policy.destination = Arc::new(respelled);
    world.run(&deployment("shop", "web").image("ghcr.io/acme/web:2"));
    world.run(&deployment("shop", "cart"));
    world.restart().await;
    world.agreed().await;
    world.pass(2 * INTERVAL).await;
    assert!(
        world
            .github
            .records()
            .iter()
            .all(|record| record.key.cluster == "main")
    );
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn another_template_renames_every_record_once() {
    let mut world = World::with(&[deployment("shop", "web"), deployment("shop", "cart")]).await;
    world.stop().await;
    let before = world.requests();
    world.policy.template = "{{namespace}}/{{deploymentName}}/{{containerName}}"
        .parse::<Template>()
        .unwrap();
    let slashed = |name: &str| name.replace('-', "/");
    world.wanted = world
        .wanted
        .iter()
        .map(|((environment, name), digest)| ((environment.clone(), slashed(name)), digest.clone()))
        .collect();
    world.restart().await;
    world.agreed().await;
    world.pass(3 * INTERVAL).await;
    world.agreed().await;
    assert_eq!(world.ledger().names(), ["shop/cart/main", "shop/web/main"]);
    let posts = world.posts(before);
    assert!(!posts[0].ends() && posts[1].ends(), "{posts:?}");
    world.finish().await;
}
