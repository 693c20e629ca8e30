//! Samples of the stored ledger, one folder for each format that was ever written, in
//! `tests/ledgers/`: every one of them is read for ever.

use std::path::{Path, PathBuf};

use deployment_recorder::model::storage::StorageRule;
use deployment_recorder::sandbox::FaultKind;

use crate::ledger::{self, NAME, shard};
use crate::objects::{deployment, namespace};
use crate::world::{INTERVAL, MINUTE, SECOND, World};

/// What every sample holds.
const ENTRIES: [&str; 4] = [
    "shop-api-main",
    "shop-cart-main",
    "shop-mail-main",
    "shop-web-main",
];

fn folder(format: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/ledgers")
        .join(format)
}

/// The format that is written now, as a part's first line says it.
fn present(world: &World) -> String {
    let bytes = ledger::bytes(&world.api, NAME);
    let header = String::from_utf8_lossy(&bytes).into_owned();
    format!("format-{}", header.split(' ').nth(1).unwrap())
}

/// A ledger with everything that a ledger can hold: records with and without tags, risks and
/// repository, one that is unanswered, a tombstone, a past name, storage records.
async fn rich() -> World {
    let web = deployment("shop", "web")
        .annotation("repository", "web")
        .annotation("team", "storefront")
        .annotation("runtime-risks", "internet-exposed,sensitive-data");
    let same = deployment("shop", "past").image("ghcr.io/acme/web:1");
    let mut world = World::default();
    world.policy.storage = Some(StorageRule::default());
    for deployment in [
        web,
        same,
        deployment("shop", "api"),
        deployment("shop", "cart"),
    ] {
        world.run(&deployment);
    }
    world.start();
    world.agreed().await;
    world.remove("shop", "past");
    world.agreed().await;
    world.pass(INTERVAL + 2 * MINUTE).await;
    world.remove("shop", "cart");
    world.agreed().await;
    world.pass(2 * MINUTE).await;
    world.once(FaultKind::Lost { hang: true });
    world.run(&deployment("shop", "mail"));
    world.agreed().await;
    world.kill().await;
    let stored = world.ledger();
    assert_eq!(stored.names(), ENTRIES);
    let content = ledger::content(&world.api, &shard(0)).unwrap();
    assert_eq!(content["storage"][0]["registry"], "ghcr.io");
    assert_eq!(
        (stored.tombstones(), stored.past.len()),
        (vec!["shop-cart-main"], 1)
    );
    world
}

#[tokio::test(start_paused = true)]
async fn every_format_that_was_ever_written_is_read() {
    for sample in std::fs::read_dir(folder("")).unwrap() {
        let sample = sample.unwrap().path();
        let mut world = World::default();
        let mut system = namespace("kube-system");
        system["metadata"]["uid"] = "uid-1".into();
        world.api.apply(system);
        ledger::put(
            &world.api,
            NAME,
            std::fs::read(sample.join("root")).unwrap(),
        );
        ledger::put(
            &world.api,
            &shard(0),
            std::fs::read(sample.join("shard-0")).unwrap(),
        );
        assert_eq!(world.ledger().names(), ENTRIES);
        world.start();
        world.pass(INTERVAL + 6 * MINUTE).await;
        // Nothing of it runs here, so all of it ends: the tombstone a second time, the past never.
        let posts = world.posts(0);
        let said = |name: &str| posts.iter().any(|post| post.has(name) && post.ends());
        for name in ENTRIES {
            assert!(
                said(name),
                "{name} of {}\n{}",
                sample.display(),
                world.story()
            );
        }
        assert!(!said("shop-past-main"));
        world.pass(2 * INTERVAL).await;
        assert_eq!(world.ledger().names(), Vec::<&str>::new());
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_format_that_is_written_now_has_a_sample() {
    let world = World::with(&[deployment("shop", "web")]).await;
    let sample = folder(&present(&world));
    assert!(
        sample.join("root").exists() && sample.join("shard-0").exists(),
        "{} is missing: cargo test --features sandbox --test recorder -- --ignored a_sample",
        sample.display()
    );
    world.pass(SECOND).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
#[ignore = "writes a sample of the present format, once for each format"]
async fn a_sample_is_written() {
    let world = rich().await;
    let sample = folder(&present(&world));
    assert!(!sample.exists(), "a sample is never written again");
    std::fs::create_dir_all(&sample).unwrap();
    std::fs::write(sample.join("root"), ledger::bytes(&world.api, NAME)).unwrap();
    std::fs::write(sample.join("shard-0"), ledger::bytes(&world.api, &shard(0))).unwrap();
}
