//! Parts of the ledger that are put back from backups, all together or some: nothing that is stored
//! is read over, nothing false is sent, and what is lost is what the backup lacks.

use std::collections::BTreeMap;

use deployment_recorder::model::storage::StorageRule;
use serde_json::{Value, json};

use crate::ledger::{self, NAME, NAMESPACE, shard};
use crate::objects::{deployment, namespace};
use crate::shards::{grow, nearly_full};
use crate::support::apiserver::{Apiserver, Fault as ApiFault, Verb};
use crate::world::{INTERVAL, MINUTE, SECOND, World};

/// The parts of the ledger as they are stored.
type Copy = BTreeMap<String, Vec<u8>>;

fn copy(world: &World) -> Copy {
    let name = |map: Value| map["metadata"]["name"].as_str().unwrap().to_owned();
    let names = world.api.all("ConfigMap").into_iter().map(name);
    names
        .map(|name| (name.clone(), ledger::bytes(&world.api, &name)))
        .collect()
}

/// A ledger that was split after the first copy was made, with both copies; nothing runs.
async fn split() -> (World, Copy, Copy) {
    let mut world = nearly_full().await;
    let before = copy(&world);
    grow(&mut world).await;
    world.agreed_within(2 * MINUTE).await;
    world.stop().await;
    let after = copy(&world);
    assert_eq!((before.len(), after.len()), (2, 3));
    (world, before, after)
}

/// Five vanish, the recorder starts, and in the end GitHub is right about every one.
async fn goes_on(mut world: World) {
    for number in [3, 50, 110, 130, 150] {
        world.remove("shop", &format!("web{number:03}"));
    }
    world.restart().await;
    world.agreed_within(2 * MINUTE).await;
    world.pass(2 * INTERVAL).await;
    world.agreed().await;
    let stored = world.ledger();
    assert_eq!((stored.names().len(), stored.misplaced), (155, 0));
    assert_eq!(stored.root["shards"], 2);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn promise_3_a_root_that_is_older_than_its_shards_hides_none_of_them() {
    let (world, before, _) = split().await;
    ledger::put(&world.api, NAME, before[NAME].clone());
    goes_on(world).await;
}

/// A split that was cut short leaves a shard that the root does not name, and the ledger goes on without
/// it. Beside an older root it counts again, and hides nothing that was stored since.
#[tokio::test(start_paused = true)]
async fn promise_3_what_a_split_left_behind_hides_nothing_when_the_root_is_put_back() {
    let (world, before, _) = split().await;
    let read = |index: u64| ledger::content(&world.api, &shard(index)).unwrap();
    let (mut whole, mut left) = (read(0), read(1));
    let all = left["entries"].as_array_mut().unwrap();
    let own = all.clone();
    all.truncate(5);
    whole["entries"].as_array_mut().unwrap().extend(own);
    let put = |index: u64, content: &Value| {
        ledger::put(
            &world.api,
            &shard(index),
            ledger::part(&content.to_string()),
        );
    };
    put(0, &whole);
    put(1, &left);
    ledger::put(&world.api, NAME, before[NAME].clone());
    goes_on(world).await;
}

/// The same, if the first start comes no further than to write the root.
#[tokio::test(start_paused = true)]
async fn promise_3_nothing_is_hidden_by_a_start_beside_an_older_root_that_is_cut_short() {
    for skip in [1, 2] {
        let (world, before, _) = split().await;
        let read = |index: u64| ledger::content(&world.api, &shard(index)).unwrap();
        let (mut whole, mut left) = (read(0), read(1));
        let own = left["entries"].as_array_mut().unwrap();
        let own = own.split_off(5);
        whole["entries"].as_array_mut().unwrap().extend(own);
        for (index, content) in [(0, &whole), (1, &left)] {
            let part = ledger::part(&content.to_string());
            ledger::put(&world.api, &shard(index), part);
        }
        ledger::put(&world.api, NAME, before[NAME].clone());
        let fault = ApiFault::Status(503);
        world.api.fail(Verb::Update, "ConfigMap", fault).skip(skip);
        goes_on(world).await;
    }
}

/// The shards of a split that was cut short do not count beside a root that is the newest.
#[tokio::test(start_paused = true)]
async fn a_start_that_is_cut_short_in_a_split_beside_an_older_root_is_begun_again() {
    let (world, ..) = split().await;
    let mut root = ledger::content(&world.api, NAME).unwrap();
    root["has_strays"] = true.into();
    let mut left = ledger::content(&world.api, &shard(0)).unwrap();
    left["index"] = 2.into();
    for (name, content) in [(NAME.to_owned(), root), (shard(2), left)] {
        ledger::put(&world.api, &name, ledger::part(&content.to_string()));
    }
    goes_on(world).await;
}

/// Which of two copies of an entry was written last is not known beside an older root: GitHub may hold
/// what either says.
#[tokio::test(start_paused = true)]
async fn promise_3_what_a_split_left_behind_is_ended_as_either_copy_says() {
    let (mut world, before, _) = split().await;
    let read = |index: u64| ledger::content(&world.api, &shard(index)).unwrap();
    let (mut whole, mut left) = (read(0), read(1));
    let own = &mut left["entries"][0];
    whole["entries"].as_array_mut().unwrap().push(own.clone());
    let digest = own["held"]["digest"].as_str().unwrap().to_owned();
    let older = format!("sha256:{:064x}", 7);
    own["held"]["digest"] = older.clone().into();
    let name = own["name"].as_str().unwrap().to_owned();
    for (index, content) in [(0, &whole), (1, &left)] {
        let part = ledger::part(&content.to_string());
        ledger::put(&world.api, &shard(index), part);
    }
    ledger::put(&world.api, NAME, before[NAME].clone());
    let workload = name.strip_prefix("shop-").unwrap();
    let workload = workload.strip_suffix("-main").unwrap().to_owned();
    world.remove("shop", &workload);
    world.restart().await;
    world.agreed_within(2 * MINUTE).await;
    assert_eq!(ended(&world, &name).first(), Some(&digest), "not {older}");
}

/// The digests with which a name was ended, in their order.
fn ended(world: &World, name: &str) -> Vec<String> {
    let bodies = world.github.requests().into_iter();
    let bodies = bodies.filter_map(|it| it.body.as_deref().cloned());
    let lines = bodies.flat_map(|body| body["deployments"].as_array().cloned().unwrap_or_default());
    lines
        .filter(|it| it["deployment_name"] == *name && it["status"] == "decommissioned")
        .map(|it| it["digest"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn promise_3_a_shard_from_before_a_split_takes_nothing_from_the_other() {
    let (mut world, before, _) = split().await;
    ledger::put(&world.api, &shard(0), before[&shard(0)].clone());
    // What was first recorded after the copy, and stands in that shard, is lost with it; nothing else.
    let known: Vec<String> = world
        .ledger()
        .names()
        .into_iter()
        .map(str::to_owned)
        .collect();
    let is_lost = |name: &str| !known.contains(&format!("shop-{name}-main"));
    let lost: Vec<String> = (0..160)
        .map(|it| format!("web{it:03}"))
        .filter(|it| is_lost(it))
        .collect();
    assert!(
        lost.len() > 10 && lost.iter().all(|it| it.as_str() >= "web100"),
        "{lost:?}"
    );
    let gone = (100..160)
        .map(|it| format!("web{it}"))
        .find(|it| !is_lost(it))
        .unwrap();
    for name in [&gone, "web003", &lost[0]] {
        world.vanish("shop", name);
    }
    for name in [&gone, "web003"] {
        world.unwant("shop", name);
    }
    world.restart().await;
    world.pass(3 * INTERVAL).await;
    // Only the one that nobody knows any more stays, for `verify --adopt` to find.
    let deployed = world.deployed();
    assert_eq!(deployed, world.wanted, "{}", world.story());
    assert!(
        world.ledger().entries.len() == 157,
        "{}",
        world.ledger().entries.len()
    );
}

#[tokio::test(start_paused = true)]
async fn a_shard_under_the_name_of_another_is_refused_and_nothing_is_sent() {
    for (from, to) in [(0, 1), (1, 0)] {
        let (mut world, _, after) = split().await;
        ledger::put(&world.api, &shard(to), after[&shard(from)].clone());
        let (stored, requests) = (copy(&world), world.requests());
        world.restart().await;
        let error = world.ended().await;
        let expected =
            format!("ConfigMap ledger-{to} of the ledger: it is shard {from} under the name");
        assert!(error.contains(&expected), "{error}");
        assert!(
            error.contains("put each part back under its own name"),
            "{error}"
        );
        assert_eq!((copy(&world), world.requests()), (stored, requests));
        // Put right, all of it is there.
        ledger::put(&world.api, &shard(to), after[&shard(to)].clone());
        goes_on(world).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_root_that_names_no_such_number_of_shards_as_is_ever_written_is_refused() {
    for shards in ["0", "3", "512", "18446744073709551615"] {
        let mut world = World::with(&[deployment("shop", "web")]).await;
        world.stop().await;
        let root = ledger::content(&world.api, NAME).unwrap().to_string();
        let root = root.replace(r#""shards":1"#, &format!(r#""shards":{shards}"#));
        ledger::put(&world.api, NAME, ledger::part(&root));
        let requests = world.requests();
        world.restart().await;
        let error = world.ended().await;
        assert!(
            error.contains(&format!("it names {shards} shards")),
            "{error}"
        );
        assert_eq!(world.requests(), requests);
    }
}

#[tokio::test(start_paused = true)]
async fn a_sequence_at_its_end_stops_nobody() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    world.stop().await;
    let mut root = ledger::content(&world.api, NAME).unwrap();
    root["sequence"] = u64::MAX.into();
    ledger::put(&world.api, NAME, ledger::part(&root.to_string()));
    world.run(&deployment("shop", "cart"));
    world.restart().await;
    world.agreed().await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_whole_older_copy_at_a_start_ends_what_it_knows_and_says_nothing_false() {
    let mut world = World::default();
    world.policy.storage = Some(StorageRule::default());
    for name in ["web", "old", "stays"] {
        world.run(&deployment("shop", name));
    }
    world.start();
    world.agreed().await;
    world.pass(2 * MINUTE).await;
    let before = copy(&world);
    world.remove("shop", "old");
    world.run(&deployment("shop", "web").image("ghcr.io/acme/web:2"));
    world.run(&deployment("shop", "since"));
    world.agreed().await;
    world.pass(2 * INTERVAL).await;
    world.stop().await;
    for (name, bytes) in before {
        ledger::put(&world.api, &name, bytes);
    }
    let requests = world.requests();
    world.vanish("shop", "since");
    world.restart().await;
    world.pass(3 * INTERVAL).await;
    // Nothing that runs was ever ended, what had ended is ended again, and what is in no ledger stays.
    for post in world.posts(requests).iter().filter(|post| post.ends()) {
        assert!(
            post.lines.iter().all(|line| line.1 == "shop-old-main"),
            "{post:?}"
        );
    }
    assert_eq!(world.deployed(), world.wanted);
    assert_eq!(world.ledger().names(), ["shop-stays-main", "shop-web-main"]);
}

/// The parts of another cluster's ledger, which records what does not run in any world of these tests.
async fn of_another_cluster() -> Copy {
    let mut other = World::default();
    let mut system = namespace("kube-system");
    system["metadata"]["uid"] = "another".into();
    other.api.apply(system);
    for name in ["web", "theirs", "more", "yet-more"] {
        other.run(&deployment("shop", name));
    }
    other.start();
    other.agreed().await;
    // They have told GitHub more often than this cluster has.
    other.pass(5 * INTERVAL).await;
    other.stop().await;
    copy(&other)
}

/// The same part as one that another namespace alone is known to.
fn known_by_another_namespace(api: &Apiserver, part: &str, theirs: &[u8]) -> Vec<u8> {
    ledger::put(api, part, theirs.to_vec());
    let mut content = ledger::content(api, part).unwrap();
    content["cluster_uids"] = json!({"elsewhere": "another"});
    ledger::part(&content.to_string())
}

/// Beside this cluster's root they would be records whose workloads are gone.
#[tokio::test(start_paused = true)]
async fn promise_2_a_part_of_another_cluster_is_refused_at_a_start_and_nothing_of_it_is_ended() {
    let theirs = of_another_cluster().await;
    for part in [NAME.to_owned(), shard(0)] {
        for is_known_by_another in [false, true] {
            let mut world = World::with(&[deployment("shop", "web")]).await;
            world.pass(2 * MINUTE).await;
            world.stop().await;
            let ours = copy(&world);
            let bytes = if is_known_by_another {
                known_by_another_namespace(&world.api, &part, &theirs[&part])
            } else {
                theirs[&part].clone()
            };
            ledger::put(&world.api, &part, bytes);
            let (stored, requests) = (copy(&world), world.requests());
            world.restart().await;
            let error = world.ended().await;
            assert!(
                error.contains(
                    "ConfigMap ledger-0 of the ledger: it is of another cluster than the root"
                ),
                "{error}"
            );
            let known = [" elsewhere another ", " kube-system another "];
            assert!(known.iter().any(|it| error.contains(it)), "{error}");
            assert!(
                error.contains("says which of them is this cluster"),
                "{error}"
            );
            assert_eq!((copy(&world), world.requests()), (stored, requests));
            ledger::put(&world.api, &part, ours[&part].clone());
            world.restart().await;
            world.agreed().await;
            world.finish().await;
        }
    }
}

/// One that stands where no shard is yet is written over by the split that needs its place.
#[tokio::test(start_paused = true)]
async fn promise_2_a_shard_of_another_cluster_behind_the_last_is_written_over_by_a_split() {
    let theirs = of_another_cluster().await;
    let mut world = nearly_full().await;
    ledger::put(&world.api, &shard(1), theirs[&shard(0)].clone());
    let mut content = ledger::content(&world.api, &shard(1)).unwrap();
    content["index"] = 1.into();
    ledger::put(&world.api, &shard(1), ledger::part(&content.to_string()));
    grow(&mut world).await;
    world.agreed_within(2 * MINUTE).await;
    let stored = world.ledger();
    assert_eq!(stored.root["shards"], 2);
    assert!(!stored.names().contains(&"shop-theirs-main"));
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn promise_2_a_part_of_another_cluster_that_is_put_under_us_is_written_over_and_nothing_of_it_is_ended()
 {
    let theirs = of_another_cluster().await;
    for parts in [
        vec![NAME.to_owned()],
        vec![shard(0)],
        vec![NAME.to_owned(), shard(0)],
    ] {
        let mut world = World::with(&[deployment("shop", "web")]).await;
        world.pass(2 * MINUTE).await;
        let uids = world.ledger().root["cluster_uids"].clone();
        for part in &parts {
            ledger::put(&world.api, part, theirs[part].clone());
        }
        world.run(&deployment("shop", "cart"));
        world.agreed_within(10 * SECOND).await;
        for wait in [SECOND, 2 * MINUTE, INTERVAL] {
            world.pass(wait).await;
            let stored = world.ledger();
            assert_eq!(stored.names(), ["shop-cart-main", "shop-web-main"]);
            assert_eq!(stored.root["cluster_uids"], uids);
        }
        world.stop().await;
        world.restart().await;
        world.agreed().await;
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_left_of_a_ledger_without_its_root_and_first_shards_is_no_first_start() {
    for left in [2, 3, 100, 255] {
        let mut world = World::with(&[deployment("shop", "web")]).await;
        world.stop().await;
        let mut content = ledger::content(&world.api, &shard(0)).unwrap();
        content["index"] = left.into();
        let part = ledger::part(&content.to_string());
        for name in [NAME.to_owned(), shard(0)] {
            world.api.delete("ConfigMap", NAMESPACE, &name);
        }
        ledger::put(&world.api, &shard(left), part);
        let requests = world.requests();
        world.restart().await;
        let error = world.ended().await;
        let expected = format!("ConfigMap ledger of the ledger is missing while ledger-{left} is");
        assert!(error.contains(&expected), "{error}");
        assert_eq!(world.requests(), requests);
    }
}

/// What has the name of a shard and is none of it is somebody's.
#[tokio::test(start_paused = true)]
async fn another_ledger_that_has_the_name_of_a_shard_does_not_hinder_a_first_start() {
    let mut world = World::default();
    world.run(&deployment("shop", "web"));
    let another = ledger::part(r#"{"holder":"another","sequence":7,"cluster_uids":{},"shards":1}"#);
    ledger::put(&world.api, &shard(7), another);
    world.start();
    world.agreed().await;
    world.finish().await;
}
