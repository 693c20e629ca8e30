//! A ledger that somebody edited who may write its ConfigMaps: where records go is not theirs to say.

use serde_json::{Value, json};

use crate::ledger::{self, shard};
use crate::objects::{deployment, digest};
use crate::tap::HOST;
use crate::world::{INTERVAL, MINUTE, World};

/// Puts an entry into the stored ledger, as held for a workload that is not there.
fn plant(world: &World, destination: &Value, name: &str, held: &Value) {
    let mut content = ledger::content(&world.api, &shard(0)).unwrap();
    let destinations = content["destinations"].as_array_mut().unwrap();
    destinations.push(destination.clone());
    let index = destinations.len() - 1;
    content["entries"].as_array_mut().unwrap().push(json!({
        "destination": index, "name": name, "held": held,
        "source": {
            "group": "apps", "kind": "Deployment", "namespace": "shop", "workload": name,
            "container": "main"
        },
    }));
    ledger::put(&world.api, &shard(0), ledger::part(&content.to_string()));
}

fn held() -> Value {
    json!({"digest": digest("planted"), "image": "ghcr.io/acme/planted"})
}

fn destination(key: &str, value: &str) -> Value {
    let mut destination = json!({
        "host": HOST, "organization": "acme", "cluster": "main", "logical_environment": "production"
    });
    destination[key] = json!(value);
    destination
}

/// A recorder that starts with such an entry, and goes on with what runs.
async fn with(destination: &Value, name: &str, held: &Value) -> World {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    world.stop().await;
    plant(&world, destination, name, held);
    world.restart().await;
    world.run(&deployment("shop", "new"));
    world.agreed_within(2 * MINUTE).await;
    world.pass(INTERVAL).await;
    world
}

#[tokio::test(start_paused = true)]
async fn the_token_never_goes_to_a_host_that_only_the_ledger_names() {
    for host in [
        "evil.example",
        "kubernetes.default.svc",
        "api.github.test:8443",
        "API.github.test.evil.example",
        "",
    ] {
        // What stands between recorder and GitHub fails at any host but GitHub's.
        let world = with(&destination("host", host), "planted", &held()).await;
        assert!(
            world.reasons().contains("foreign-host"),
            "{host}: {:?}",
            world.reasons()
        );
        assert!(
            world
                .ledger()
                .entries
                .values()
                .any(|it| it["name"] == "planted")
        );
        assert_eq!(world.github.record("production", "planted"), None);
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_makes_no_valid_request_is_never_sent_and_holds_back_nothing() {
    let long = "x".repeat(300);
    for (key, value) in [
        ("organization", "../../repos"),
        ("organization", "acme\r\nx: y"),
        ("organization", ""),
        ("cluster", "a?b#c"),
        ("logical_environment", &*long),
    ] {
        let world = with(&destination(key, value), "planted", &held()).await;
        for entry in world.github.requests() {
            // Whatever it is, it stands in its own segment of the one path that records go to.
            let segments: Vec<&str> = entry.path.trim_matches('/').split('/').collect();
            let fixed = ["artifacts", "metadata", "deployment-record", "cluster"];
            let is_ours = segments.len() == 7 && segments[0] == "orgs" && segments[2..6] == fixed;
            assert!(is_ours, "{key} {value:?}: {}", entry.path);
        }
        assert_eq!(world.github.violations(), []);
    }
    let mut odd = held();
    odd["image"] = json!(long);
    odd["tags"] = json!({long.clone(): long});
    let world = with(&destination("host", HOST), "planted", &odd).await;
    assert_eq!(world.github.violations(), []);
    let world = with(&destination("host", HOST), &long, &held()).await;
    assert_eq!(world.github.violations(), []);
}
