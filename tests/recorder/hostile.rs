//! Objects that somebody wrote to take from others what is theirs, or to see how much is borne: the
//! rest is reported, and nothing of another namespace changes.

use serde_json::{Value, json};

use crate::objects::{Deployment, deployment, digest, namespace, owned_by, running_pod};
use crate::world::{ENVIRONMENT, INTERVAL, MINUTE, SECOND, World};

/// Who means no good.
const EVIL: &str = "evil";

/// A pod of `evil` that runs and says of itself who owns it.
fn pod(name: &str, owner: (&str, &str, &str, &str)) -> Value {
    let metadata = json!({
        "namespace": EVIL, "name": name, "ownerReferences": owned_by(owner),
        "creationTimestamp": "2026-01-09T00:00:00Z",
    });
    running_pod(
        &metadata,
        &[("main".to_owned(), "ghcr.io/evil/image:1".to_owned())],
    )
}

fn uid(object: &Value) -> String {
    object["metadata"]["uid"].as_str().unwrap().to_owned()
}

/// An owner of that kind.
fn owner(
    api_version: &str,
    kind: &str,
    namespace: &str,
    name: &str,
    above: Option<Value>,
) -> Value {
    let mut object = json!({
        "apiVersion": api_version, "kind": kind,
        "metadata": {"namespace": namespace, "name": name}
    });
    if let Some(above) = above {
        object["metadata"]["ownerReferences"] = above;
    }
    object
}

/// A CronJob of the namespace `shop` with a Job and a pod of it; the uids of CronJob and Job.
fn cron_job(world: &World) -> (String, String) {
    let cron_job = uid(&world
        .api
        .apply(owner("batch/v1", "CronJob", "shop", "tick", None)));
    let above = owned_by(("batch/v1", "CronJob", "tick", &cron_job));
    let job = uid(&world
        .api
        .apply(owner("batch/v1", "Job", "shop", "tick-1", Some(above))));
    let metadata = json!({
        "namespace": "shop", "name": "tick-1-a",
        "ownerReferences": owned_by(("batch/v1", "Job", "tick-1", &job)),
    });
    let containers = [("main".to_owned(), "ghcr.io/acme/tick:1".to_owned())];
    world.api.apply(running_pod(&metadata, &containers));
    (cron_job, job)
}

#[tokio::test(start_paused = true)]
async fn owner_references_in_rings_of_wrong_kinds_or_into_other_namespaces_take_nothing_from_anybody()
 {
    let mut world = World::default();
    world.run(&deployment("shop", "web"));
    world.run(&deployment(EVIL, "own"));
    let (cron_job, job) = cron_job(&world);
    let tick = (ENVIRONMENT.to_owned(), "shop-tick-main".to_owned());
    world.wanted.insert(tick, digest("ghcr.io/acme/tick:1"));
    world.start();
    world.agreed().await;

    let of = |kind: &str| {
        uid(&world
            .api
            .all(kind)
            .into_iter()
            .find(|it| it["metadata"]["namespace"] == "shop")
            .unwrap())
    };
    let (web, replicas) = (of("Deployment"), of("ReplicaSet"));
    // Two that own each other, and one that owns itself.
    for (name, above) in [("one", "two"), ("two", "one"), ("self", "self")] {
        let above = owned_by(("apps/v1", "ReplicaSet", above, &format!("ring-{above}")));
        let mut ring = owner("apps/v1", "ReplicaSet", EVIL, name, Some(above));
        ring["metadata"]["uid"] = json!(format!("ring-{name}"));
        world.api.apply(ring);
    }
    // A Job of its own under the CronJob of another namespace.
    let above = owned_by(("batch/v1", "CronJob", "tick", &cron_job));
    let own_job = uid(&world
        .api
        .apply(owner("batch/v1", "Job", EVIL, "tick-9", Some(above))));
    for (name, reference) in [
        ("ring", ("apps/v1", "ReplicaSet", "one", "ring-one")),
        ("self", ("apps/v1", "ReplicaSet", "self", "ring-self")),
        ("of-web", ("apps/v1", "Deployment", "web", &*web)),
        (
            "of-replicas",
            ("apps/v1", "ReplicaSet", "web-1", &*replicas),
        ),
        ("of-job", ("batch/v1", "Job", "tick-1", &*job)),
        ("of-own-job", ("batch/v1", "Job", "tick-9", &*own_job)),
        ("of-cron-job", ("batch/v1", "CronJob", "tick", &*cron_job)),
        ("wrong-kind", ("apps/v1", "StatefulSet", "web", &*web)),
        ("odd-group", ("../../api/v1/x", "Secret", "web", &*web)),
        ("odd-kind", ("", "", "", "")),
    ] {
        world.api.apply(pod(name, reference));
    }
    world.run(&deployment("shop", "new"));
    world.agreed_within(30 * SECOND).await;
    // What claims to be of a kind that nobody can read is recorded as its namespace's own.
    let odd = (ENVIRONMENT.to_owned(), "evil-web-main".to_owned());
    world.wanted.insert(odd, digest("ghcr.io/evil/image:1"));
    world.pass(3 * INTERVAL).await;
    world.agreed().await;
    // All pods go; what is remembered of the CronJob's image stays its own.
    for name in ["of-job", "of-own-job", "of-cron-job"] {
        world.api.delete("Pod", EVIL, name);
    }
    world.api.delete("Pod", "shop", "tick-1-a");
    world.api.delete("Job", "shop", "tick-1");
    world.pass(3 * INTERVAL).await;
    world.agreed().await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn names_at_every_limit_are_cut_and_stay_apart() {
    let space = "n".repeat(63);
    let long = |last: char| format!("{}{last}", "w".repeat(252));
    let world = World::with(&[deployment("shop", "web")]).await;
    let mut digests = Vec::new();
    for last in ['a', 'b'] {
        let mut deployment =
            deployment(&space, &long(last)).image(&format!("ghcr.io/acme/{last}:1"));
        deployment.containers[0].0 = "c".repeat(63);
        digests.push(digest(&deployment.containers[0].1));
        world.roll_out(&deployment);
    }
    world
        .at_github(MINUTE, "both are recorded", |world| {
            world.deployed().len() == 3
        })
        .await;
    let mut held = world.deployed();
    held.retain(|(_, name), _| name.starts_with("nnn"));
    for (_, name) in held.keys() {
        assert_eq!(name.len(), 256);
        let (_, hash) = name.rsplit_once('-').unwrap();
        assert!(
            hash.len() == 8 && hash.chars().all(|it| it.is_ascii_hexdigit()),
            "{name}"
        );
    }
    let mut found: Vec<String> = held.into_values().collect();
    found.sort();
    digests.sort();
    assert_eq!(found, digests);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_thousand_containers_in_one_pod_are_a_thousand_records() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    let mut crowd = deployment(EVIL, "crowd");
    for number in 1..1_000 {
        crowd = crowd.container(&format!("c{number}"), &format!("ghcr.io/acme/c{number}:1"));
    }
    let before = world.requests();
    world.run(&crowd);
    world.agreed_within(MINUTE).await;
    assert_eq!(world.deployed().len(), 1_001);
    // What was never held, up to a thousand with its witness.
    assert!(
        world.requests() - before <= 3,
        "{}",
        world.requests() - before
    );
    world.remove(EVIL, "crowd");
    world.run(&deployment("shop", "new"));
    world.agreed_within(10 * MINUTE).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn annotations_of_256_kib_on_everything_cost_a_record_its_tags_and_nothing_else() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    let long = "x".repeat(256 << 10);
    let key = |number: usize| format!("metadata.github.com/tag-{number:04}");
    let many = (0..8_000).map(|number| (key(number), json!("y".repeat(12))));
    let many: serde_json::Map<String, Value> = many.collect();
    let mut space = namespace(EVIL);
    space["metadata"]["annotations"] = json!({"metadata.github.com/repository": long});
    world.api.apply(space);
    let mut noisy = deployment(EVIL, "noisy")
        .annotation("runtime-risks", &format!("sensitive-data,{long}"))
        .annotation("ignore", &long);
    for (key, value) in many {
        noisy.annotations[key] = value;
    }
    world.run(&noisy);
    world.run(&deployment("shop", "new"));
    world.agreed_within(30 * SECOND).await;
    let record = world.github.record(ENVIRONMENT, "evil-noisy-main").unwrap();
    let said = format!("{record:?}");
    assert!(
        said.len() < 2_000 && said.contains("tag-0000") && !said.contains("tag-0005"),
        "{said}"
    );
    let reasons = world.reasons();
    for reason in ["too-many-tags", "invalid-repository", "invalid-risk"] {
        assert!(reasons.contains(reason), "{reasons:?}");
    }
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_tenant_cannot_change_or_take_the_record_of_another_namespace() {
    // Both would be called `team-a-web-main`.
    let mut world = World::with(&[deployment("team-a", "web")]).await;
    let thief = deployment("team", "a-web")
        .image("ghcr.io/evil/image:1")
        .annotation("repository", "evil")
        .annotation("runtime-risks", "sensitive-data")
        .annotation("ignore", "false");
    world.roll_out(&thief);
    let name = "team-a-web-main";
    world
        .at_github(MINUTE, "both are recorded", |world| {
            world.deployed().len() == 2
        })
        .await;
    let whose = |world: &World| world.digest_of(name);
    assert_eq!(whose(&world), Some(digest("ghcr.io/acme/web:1")));
    let record = world.github.record(ENVIRONMENT, name).unwrap();
    assert!(record.runtime_risks.is_empty(), "{record:?}");
    world.pass(2 * INTERVAL).await;
    world.kill().await;
    world.restart().await;
    world.run(&deployment("team-a", "web").image("ghcr.io/acme/web:2"));
    world
        .at_github(2 * MINUTE, "its own image", |world| {
            whose(world) == Some(digest("ghcr.io/acme/web:2"))
        })
        .await;
    let other = world
        .deployed()
        .into_iter()
        .find(|((_, it), _)| it != name)
        .unwrap();
    assert!(other.0.1.starts_with("team-a-web-main-"), "{other:?}");
    assert_eq!(other.1, digest("ghcr.io/evil/image:1"));
    world.finish().await;
}

/// A workload of `evil` that is there for some seconds, one after the other.
fn passing(number: usize) -> Deployment {
    deployment(EVIL, &format!("passing-{number}"))
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_never_rests_delays_others_by_a_minute_and_spends_no_more_than_the_hour_allows()
 {
    const EVERY: u32 = 3;
    let mut world = World::with(&[deployment("shop", "web")]).await;
    let mut slowest = std::time::Duration::ZERO;
    let before = world.requests();
    let begun = tokio::time::Instant::now();
    // More than an hour; each workload comes, and goes when the next one does.
    for number in 0..1_300_usize {
        if number > 0 {
            world.remove(EVIL, &format!("passing-{}", number - 1));
        }
        world.run(&passing(number));
        if number % 100 == 50 {
            let image = format!("ghcr.io/acme/web:{number}");
            world.run(&deployment("shop", "web").image(&image));
            let since = tokio::time::Instant::now();
            let is_there = |world: &World| world.digest_of("shop-web-main") == Some(digest(&image));
            while !is_there(&world) {
                world.pass(SECOND / 4).await;
                assert!(since.elapsed() < 10 * MINUTE, "{}", world.story());
            }
            slowest = slowest.max(since.elapsed());
        }
        world.pass(EVERY * SECOND).await;
    }
    let hours = begun.elapsed().as_secs_f64() / 3600.0;
    let spent = world.requests() - before;
    println!("slowest {slowest:?}, {spent} requests in {hours:.2} hours");
    assert!(slowest <= 75 * SECOND, "{slowest:?}");
    assert!(spent <= 600, "{spent}");
    world.remove(EVIL, "passing-1299");
    world.pass(INTERVAL * 3).await;
    world.agreed().await;
    // Nothing is left of 1,300 names but what GitHub keeps of them.
    assert_eq!(world.ledger().names(), ["shop-web-main"]);
    world.finish().await;
}
