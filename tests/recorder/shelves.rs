//! Storage records: each sent once, last in a cycle, within their share of the hour, and in nobody's
//! way.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use deployment_recorder::model::selection::Pattern;
use deployment_recorder::model::storage::StorageRule;
use deployment_recorder::sandbox::{Endpoint, Fault, FaultKind};
use serde_json::{Value, json};

use crate::ledger;
use crate::objects::{Deployment, deployment, digest};
use crate::world::{INTERVAL, MINUTE, SECOND, World};

const ENDPOINT: Endpoint = Endpoint::CreateStorageRecord;

/// A world in which storage records are wanted.
fn wanted() -> World {
    let mut world = World::default();
    world.policy.storage = Some(StorageRule::default());
    world
}

/// A world in which these run and their deployment records are at GitHub.
async fn with(deployments: &[Deployment]) -> World {
    let mut world = wanted();
    for deployment in deployments {
        world.run(deployment);
    }
    world.start();
    world.agreed().await;
    world
}

/// Deployments of a hundred containers each, with so many images in all.
fn many(images: usize) -> Vec<Deployment> {
    let one = |number: usize| {
        let mut one = deployment("shop", &format!("web{number:02}"));
        let image = |image| {
            (
                format!("c{image:03}"),
                format!("ghcr.io/acme/i{image:03}:1"),
            )
        };
        one.containers = (100 * number..100 * (number + 1)).map(image).collect();
        one
    };
    (0..images / 100).map(one).collect()
}

/// A request for a storage record.
struct Told {
    at: Duration,
    body: Value,
    /// Its number among all requests.
    number: usize,
}

impl World {
    /// Every request for a storage record.
    fn told(&self) -> Vec<Told> {
        let requests = self.github.requests().into_iter().enumerate();
        let told = requests.filter(|(_, it)| it.path.ends_with("/metadata/storage-record"));
        told.map(|(number, it)| Told {
            at: it.at,
            body: it.body.as_deref().cloned().unwrap_or_default(),
            number,
        })
        .collect()
    }

    /// How many there were for this image's digest.
    fn told_of(&self, image: &str) -> usize {
        let told = self.told();
        told.iter()
            .filter(|it| it.body["digest"] == digest(image))
            .count()
    }

    /// Waits until there were so many.
    async fn told_within(&self, limit: Duration, count: usize) {
        let what = format!("{count} storage records are sent");
        self.at_github(limit, &what, |world| world.told().len() >= count)
            .await;
    }

    /// The digests of storage records in the stored ledger.
    fn stored_storage(&self) -> BTreeSet<String> {
        let shards = ledger::stored(&self.api).root["shards"]
            .as_u64()
            .unwrap_or(0);
        let shards = (0..shards).map(|index| ledger::content(&self.api, &ledger::shard(index)));
        let lists = shards.filter_map(|part| part.unwrap()["storage"].as_array().cloned());
        let digests = lists
            .flatten()
            .filter_map(|shelf| shelf["digests"].as_array().cloned());
        digests
            .flatten()
            .map(|it| it.as_str().unwrap().to_owned())
            .collect()
    }

    /// What becomes of storage records, by the last plan.
    fn storage_counts(&self) -> BTreeMap<&'static str, usize> {
        let status = self.status();
        let status = status.lock();
        status
            .plan
            .as_ref()
            .expect("a plan")
            .storage
            .counts()
            .into()
    }
}

#[tokio::test(start_paused = true)]
async fn without_the_setting_nothing_is_asked_and_nothing_stored() {
    let world = World::with(&[deployment("shop", "web")]).await;
    world.pass(2 * INTERVAL).await;
    assert_eq!(world.told().len(), 0);
    assert_eq!(world.storage_counts().values().sum::<usize>(), 0);
    let stored = ledger::content(&world.api, &ledger::shard(0)).unwrap();
    assert_eq!(stored["storage"], Value::Null);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn each_artifact_is_told_of_once_for_each_registry_over_many_cycles_and_restarts() {
    let two = deployment("shop", "cart").container("side", "quay.io/acme/side:2");
    let same = deployment("pay", "web")
        .replicas(3)
        .image("ghcr.io/acme/web:1");
    let mut world = with(&[deployment("shop", "web"), two, same]).await;
    world.told_within(10 * SECOND, 3).await;
    world.pass(2 * MINUTE).await;
    let images = [
        "ghcr.io/acme/web:1",
        "ghcr.io/acme/cart:1",
        "quay.io/acme/side:2",
    ];
    assert_eq!(world.stored_storage(), images.map(digest).into());
    let side = world.told().pop().unwrap().body;
    let path = format!("oci://quay.io/acme/side@{}", digest("quay.io/acme/side:2"));
    let expected = json!({
        "name": "quay.io/acme/side", "version": "2", "digest": digest("quay.io/acme/side:2"),
        "registry_url": "https://quay.io", "repository": "acme/side", "path": path,
        "status": "active", "return_records": false,
    });
    assert_eq!(side, expected);
    world.pass(3 * INTERVAL).await;
    world.kill().await;
    world.restart().await;
    world.pass(2 * INTERVAL).await;
    world.stop().await;
    world.restart().await;
    world.run(&deployment("shop", "copy").image("ghcr.io/acme/web:1"));
    world.agreed().await;
    world.pass(2 * INTERVAL).await;
    assert_eq!(world.told().len(), 3, "{}", world.story());
    assert_eq!(world.storage_counts()["kept"], 3);
    world.run(&deployment("shop", "web").image("ghcr.io/acme/web:2"));
    world.agreed().await;
    world.told_within(5 * SECOND, 4).await;
    assert_eq!(world.told_of("ghcr.io/acme/web:2"), 1);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_kill_before_it_is_stored_costs_one_more_request_and_no_second_record() {
    let mut world = with(&[deployment("shop", "web")]).await;
    world.told_within(5 * SECOND, 1).await;
    world.kill().await;
    world.restart().await;
    world.told_within(10 * SECOND, 2).await;
    world.pass(2 * INTERVAL).await;
    assert_eq!(world.told().len(), 2);
    assert_eq!(world.github.storage_records().len(), 1);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_stores_what_was_acknowledged() {
    let mut world = with(&[deployment("shop", "web")]).await;
    world.told_within(5 * SECOND, 1).await;
    world.pass(SECOND).await;
    world.stop().await;
    assert_eq!(
        world.stored_storage(),
        [digest("ghcr.io/acme/web:1")].into()
    );
    world.restart().await;
    world.pass(INTERVAL).await;
    assert_eq!(world.told().len(), 1);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn they_go_last_after_changes_decommissions_and_the_whole_snapshot() {
    let mut world = World::default();
    let mut deployments = many(1100);
    for deployment in &deployments {
        world.run(deployment);
    }
    world.run(&deployment("shop", "old"));
    world.start();
    world.agreed().await;
    world.stop().await;
    let before = world.requests();
    world.policy.storage = Some(StorageRule::default());
    world.fault(Fault::new(FaultKind::Slow { millis: 1500 }));
    world.remove("shop", "old");
    let changed = &mut deployments[0];
    changed.containers[0].1 = "ghcr.io/acme/newer:1".to_owned();
    world.run(changed);
    world.run(&deployment("shop", "new"));
    world.restart().await;
    world.requested(before + 4, MINUTE).await;
    world.run(&deployment("shop", "late"));
    world.told_within(MINUTE, 1).await;
    let posts = world.posts(before);
    let first = world.told()[0].number - before;
    let lines: Vec<usize> = posts[..first].iter().map(|post| post.lines.len()).collect();
    // A change, a new name with its witness, a decommission, most of a snapshot, a name that came
    // meanwhile, with its witness, and the snapshot's rest.
    assert_eq!(lines, [1, 2, 1, 1000, 2, 99], "{}", world.story());
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_change_goes_before_the_next_one() {
    let mut world = with(&many(100)).await;
    world.told_within(20 * SECOND, 3).await;
    for version in 0..3 {
        let before = world.requests();
        world.run(&deployment("pay", "api").image(&format!("ghcr.io/acme/api:{version}")));
        world.agreed_within(4 * SECOND).await;
        let posts = world.posts(before);
        let change = posts
            .iter()
            .position(|post| post.has("pay-api-main"))
            .unwrap();
        assert!(change <= 2, "{}", world.story());
    }
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn one_that_github_does_not_answer_holds_a_change_up_for_five_seconds_at_most() {
    let mut world = with(&[deployment("shop", "web")]).await;
    world.told_within(5 * SECOND, 1).await;
    world.fault(Fault::new(FaultKind::Hang).at(ENDPOINT));
    world.run(&deployment("shop", "cart"));
    world.told_within(5 * SECOND, 2).await;
    world.run(&deployment("shop", "api"));
    world.agreed_within(8 * SECOND).await;
    // And it is told of again, not at once.
    world.github.clear();
    let before = world.told().len();
    world.pass(50 * SECOND).await;
    assert_eq!(world.told().len(), before);
    world.pass(5 * MINUTE).await;
    assert_eq!(world.storage_counts()["kept"], 3, "{}", world.story());
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn promise_6_they_use_at_most_a_quarter_of_an_hours_requests_and_all_go_in_the_end() {
    const HOUR: Duration = Duration::from_hours(1);
    let mut world = with(&many(200)).await;
    let start = world.github.elapsed();
    for ten in 0..12 {
        world.pass(10 * MINUTE).await;
        world.run(&deployment("pay", "api").image(&format!("ghcr.io/acme/api:{ten}")));
        world.agreed_within(4 * SECOND).await;
    }
    world.pass(10 * MINUTE).await;
    let told = world.told();
    let at: Vec<Duration> = told.iter().map(|told| told.at).collect();
    let most = |window: Duration| {
        let within = |first: usize| {
            let after = at[first..].iter();
            after.take_while(|it| **it < at[first] + window).count()
        };
        (0..at.len()).map(within).max()
    };
    assert_eq!((most(HOUR), most(MINUTE)), (Some(112), Some(20)));
    let first_hour = at.iter().filter(|it| **it < start + HOUR).count();
    assert_eq!(first_hour, 112, "the quarter is used");
    let digests: BTreeSet<String> = told
        .iter()
        .map(|it| it.body["digest"].to_string())
        .collect();
    // Each once; of those that ran for ten minutes only the ones that had their turn.
    assert_eq!(told.len(), digests.len());
    assert!((201..=212).contains(&told.len()), "{}", told.len());
    assert_eq!(world.storage_counts()["waiting"], 0);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_one_holds_back_no_other_and_is_sent_again_less_and_less_often() {
    let refused = "ghcr.io/acme/cart:1";
    for status in [404, 403] {
        let mut world = wanted();
        let fault = Fault::new(FaultKind::Status { status });
        world.fault(fault.at(ENDPOINT).digest(&digest(refused)));
        for name in ["api", "cart", "mail", "web"] {
            world.run(&deployment("shop", name));
        }
        world.start();
        world.agreed().await;
        world.pass(10 * SECOND).await;
        let counts = world.storage_counts();
        assert_eq!((counts["kept"], counts["refused"]), (3, 1));
        world.pass(16 * MINUTE).await;
        let sends = world.told_of(refused);
        assert!((4..=6).contains(&sends), "{sends} sends within 16 minutes");
        assert_eq!(world.told().len(), 3 + sends);
        world.github.clear();
        world.pass(17 * MINUTE).await;
        assert_eq!(world.storage_counts()["kept"], 4);
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_whose_answer_is_lost_is_sent_again_and_stays_one() {
    for kind in [
        FaultKind::Lost { hang: false },
        FaultKind::Lost { hang: true },
        FaultKind::Reset,
        FaultKind::Status { status: 500 },
        FaultKind::Html { applied: true },
    ] {
        let mut world = wanted();
        world.fault(Fault::once(kind.clone()).at(ENDPOINT));
        world.run(&deployment("shop", "web"));
        world.start();
        world.agreed().await;
        world.pass(55 * SECOND).await;
        assert_eq!(world.told().len(), 1, "{kind:?}");
        world.pass(MINUTE).await;
        assert_eq!(world.told().len(), 2, "{kind:?}");
        world.pass(INTERVAL).await;
        assert_eq!(world.told().len(), 2, "{kind:?}");
        assert_eq!(world.github.storage_records().len(), 1);
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_fails_for_hours_is_asked_rarely_and_nothing_else_suffers() {
    for status in [500, 404] {
        let mut world = wanted();
        world.fault(Fault::new(FaultKind::Status { status }).at(ENDPOINT));
        for number in 0..30 {
            world.run(&deployment("shop", &format!("web{number:02}")));
        }
        world.start();
        world.agreed().await;
        for version in 0..6 {
            world.pass(10 * MINUTE).await;
            world.run(&deployment("pay", "api").image(&format!("ghcr.io/acme/api:{version}")));
            world.agreed_within(5 * SECOND).await;
        }
        let told = world.told().len();
        assert!((6..=16).contains(&told), "{told} within an hour");
        world.github.clear();
        world.pass(15 * MINUTE).await;
        let counts = world.storage_counts();
        assert_eq!(
            (counts["kept"], counts["waiting"]),
            (31, 0),
            "{}",
            world.story()
        );
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_at_the_storage_endpoint_is_obeyed_by_all() {
    let world = with(&many(100)).await;
    world.told_within(20 * SECOND, 3).await;
    let throttled = FaultKind::Throttled {
        status: 429,
        retry_after: Some(90),
        reset_after: None,
    };
    world.fault(Fault::once(throttled).at(ENDPOINT));
    let before = world.requests();
    world.requested(before + 1, 30 * SECOND).await;
    world.pass(85 * SECOND).await;
    assert_eq!(world.requests(), before + 1);
    world.told_within(10 * MINUTE, 101).await;
    assert_eq!(world.storage_counts()["kept"], 100);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn what_github_knows_no_artifact_of_is_never_told_of() {
    let mut world = wanted();
    let refused = FaultKind::UnknownDigest;
    world.fault(Fault::new(refused).digest(&digest("redis:7")));
    world.run(&deployment("shop", "web"));
    world.roll_out(&deployment("shop", "cache").image("redis:7"));
    world.start();
    world.agreed().await;
    world.pass(2 * INTERVAL).await;
    assert_eq!((world.told().len(), world.told_of("redis:7")), (1, 0));
    assert_eq!(world.storage_counts()["unrecorded"], 1);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn excluded_registries_are_never_told_of() {
    let mut world = World::default();
    let exclude = vec![Pattern::new("docker.io"), Pattern::new("*.azurecr.io")];
    world.policy.storage = Some(StorageRule { exclude });
    for (name, image) in [
        ("hub", "nginx:1"),
        ("azure", "acme.azurecr.io/web:1"),
        ("mine", "ghcr.io/acme/web:1"),
        ("here", "localhost:5000/web:1"),
    ] {
        world.run(&deployment("shop", name).image(image));
    }
    world.start();
    world.agreed().await;
    world.pass(2 * INTERVAL).await;
    assert_eq!(
        (world.told().len(), world.told_of("ghcr.io/acme/web:1")),
        (1, 1)
    );
    let counts = world.storage_counts();
    assert_eq!((counts["excluded"], counts["no-address"]), (2, 1));
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn switched_off_later_nothing_is_sent_and_what_is_stored_harms_nobody() {
    let mut world = with(&[deployment("shop", "web"), deployment("shop", "cart")]).await;
    world.told_within(10 * SECOND, 2).await;
    world.pass(2 * MINUTE).await;
    world.stop().await;
    world.policy.storage = None;
    world.restart().await;
    world.run(&deployment("shop", "api"));
    world.agreed().await;
    world.pass(2 * INTERVAL).await;
    assert_eq!((world.told().len(), world.stored_storage().len()), (2, 2));
    world.remove("shop", "cart");
    world.agreed().await;
    world.pass(2 * MINUTE).await;
    assert_eq!(
        world.stored_storage(),
        [digest("ghcr.io/acme/web:1")].into()
    );
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn what_runs_nowhere_leaves_the_ledger_and_stays_at_github() {
    let mut world = with(&[deployment("shop", "web"), deployment("shop", "cart")]).await;
    world.told_within(10 * SECOND, 2).await;
    world.pass(2 * MINUTE).await;
    world.remove("shop", "cart");
    world.agreed().await;
    world.pass(2 * MINUTE).await;
    assert_eq!(
        world.stored_storage(),
        [digest("ghcr.io/acme/web:1")].into()
    );
    let records = world.github.storage_records();
    assert!(records.iter().all(|record| record.status == "active"));
    assert_eq!(records.len(), 2);
    assert_eq!(world.told().len(), 2);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn none_is_sent_while_the_ledger_cannot_be_written() {
    use crate::support::apiserver::{Fault as ApiFault, Verb};
    let world = with(&many(100)).await;
    world.told_within(20 * SECOND, 3).await;
    let fault = ApiFault::Status(503);
    world.api.fail(Verb::Update, "ConfigMap", fault).forever();
    world.pass(2 * MINUTE).await;
    let before = world.told().len();
    assert!(before < 60, "{before}");
    world.pass(INTERVAL).await;
    assert_eq!(world.told().len(), before);
    world.api.heal();
    world.told_within(INTERVAL, 100).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_sends_none() {
    let mut world = wanted();
    world.dry_run = true;
    world.run(&deployment("shop", "web"));
    world.start();
    world.pass(INTERVAL).await;
    assert_eq!(world.requests(), 0);
    assert_eq!(world.storage_counts()["unrecorded"], 1);
    world.stop().await;
}
