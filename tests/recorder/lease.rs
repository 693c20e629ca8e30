//! One writer: of several recorders one holds the Lease, and only that one reads the ledger for
//! itself, writes it and sends. Kills and stops hand it over, and so do people.

use std::time::Duration;

use deployment_recorder::recorder::lease::LeaseError;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::ledger::{NAME, NAMESPACE};
use crate::life::Running;
use crate::objects::deployment;
use crate::support::apiserver::{Fault as ApiFault, Verb};
use crate::world::{INTERVAL, MINUTE, SECOND, World};

/// How long a recorder that is not heard any more keeps others waiting.
pub const TAKEOVER: Duration = Duration::from_secs(20);

/// What the Lease says.
pub fn lease(world: &World) -> Value {
    let lease = world.api.get("Lease", NAMESPACE, NAME);
    lease.unwrap_or_default()["spec"].take()
}

/// Which recorder the Lease names.
pub fn holder(world: &World) -> String {
    let holder = lease(world)["holderIdentity"].take();
    let holder = holder.as_str().unwrap_or_default().to_owned();
    holder.rsplit('/').next().unwrap_or_default().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_lease_says_who_made_it_as_the_ledger_does() {
    let world = World::with(&[deployment("shop", "web")]).await;
    let labels = |kind| world.api.get(kind, NAMESPACE, NAME).unwrap()["metadata"]["labels"].take();
    let (lease, ledger) = (labels("Lease"), labels("ConfigMap"));
    for key in ["name", "managed-by"] {
        let key = format!("app.kubernetes.io/{key}");
        assert_eq!(lease[&key], "deployment-recorder", "{lease}");
        assert_eq!(lease[&key], ledger[&key]);
    }
    assert_eq!(lease["app.kubernetes.io/component"], "lease");
    world.finish().await;
}

/// A world with a recorder that leads and one that stands by.
pub async fn two() -> (World, Running) {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    world.pass(2 * MINUTE).await;
    let standby = world.stand_by();
    world.pass(MINUTE).await;
    (world, standby)
}

/// The one that stood by is from now on the one that is seen; the other one is returned.
pub fn swap(world: &mut World, standby: Running) -> Running {
    world.running.replace(standby).expect("a recorder")
}

#[tokio::test(start_paused = true)]
async fn who_stands_by_fills_its_mirrors_and_neither_reads_the_ledger_nor_sends() {
    let (mut world, standby) = two().await;
    let asked = |verb, kind| world.api.count(verb, kind);
    let reads = asked(Verb::Get, "ConfigMap");
    world.pass(2 * INTERVAL).await;
    assert_eq!(asked(Verb::Get, "ConfigMap"), reads);
    assert_eq!(world.api.open_watches("Pod"), 2);
    assert!(world.running.as_ref().unwrap().leads() && !standby.leads());
    {
        let status = standby.status.lock();
        assert!(!status.ledger_read && status.plan.is_none());
        let holder = status.holder.as_ref().unwrap();
        assert!(!holder.ours && holder.name.starts_with("pod/recorder-0/"));
        assert!(holder.since.is_some());
    }
    assert!(world.sent.of(standby.number).is_empty());
    assert!(standby.stop().await < SECOND);
    world.run(&deployment("shop", "cart"));
    world.agreed().await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_acquired_renewed_and_given_back_as_others_expect_it() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    let first = lease(&world);
    assert_eq!(first["leaseDurationSeconds"], 15);
    assert_eq!(first["leaseTransitions"], 0);
    let before = world.api.count(Verb::Update, "Lease");
    world.pass(MINUTE).await;
    let renewals = world.api.count(Verb::Update, "Lease") - before;
    assert!((25..=30).contains(&renewals), "{renewals}");
    let renewed = lease(&world);
    assert_eq!(renewed["acquireTime"], first["acquireTime"]);
    assert_ne!(renewed["renewTime"], first["renewTime"]);
    world.stop().await;
    let given_back = lease(&world);
    assert_eq!(given_back["holderIdentity"], "");
    assert_eq!(given_back["leaseDurationSeconds"], 1);
    world.restart().await;
    world.pass(SECOND).await;
    assert_eq!(lease(&world)["leaseTransitions"], 1);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn after_a_kill_another_one_takes_over_and_ends_what_went_meanwhile() {
    let (mut world, standby) = two().await;
    world.kill().await;
    world.remove("shop", "web");
    world.run(&deployment("shop", "cart"));
    world.running = Some(standby);
    world.agreed_within(TAKEOVER + 5 * SECOND).await;
    assert_eq!(holder(&world), "start-2");
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn after_a_stop_another_one_takes_over_within_five_seconds() {
    let (mut world, standby) = two().await;
    assert!(world.stop().await < SECOND);
    world.run(&deployment("shop", "cart"));
    world.running = Some(standby);
    world.agreed_within(5 * SECOND).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_container_that_is_restarted_waits_for_nobody() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    world.pass(MINUTE).await;
    world.kill().await;
    world.start();
    world.run(&deployment("shop", "cart"));
    world.agreed_within(5 * SECOND).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn without_the_right_to_it_a_start_ends_by_naming_the_rule_and_nothing_is_written() {
    for (verb, rule) in [
        (Verb::Get, "verbs: [get, update], resourceNames: [ledger]"),
        (Verb::Create, "verbs: [create]"),
    ] {
        let mut world = World::default();
        world.run(&deployment("shop", "web"));
        world
            .api
            .fail(verb, "Lease", ApiFault::Status(403))
            .forever();
        world.start();
        let error = world.ended().await;
        assert!(
            error.contains("is forbidden, so nothing is written"),
            "{error}"
        );
        let rule = format!("apiGroups: [coordination.k8s.io], resources: [leases], {rule}");
        assert!(error.contains(&rule), "{error}");
        assert_eq!((world.requests(), world.api.all("ConfigMap")), (0, vec![]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_waits_half_a_minute_for_the_lease_and_a_standby_as_long_as_it_takes() {
    let mut world = World::default();
    let down = |world: &World| {
        for verb in [Verb::Get, Verb::Create, Verb::Update] {
            let planned = world.api.fail(verb, "Lease", ApiFault::Status(503));
            planned.forever();
        }
    };
    down(&world);
    let start = Instant::now();
    world.start();
    let error = world.ended().await;
    assert!(
        error.starts_with("Lease recorder/ledger: reading it failed: "),
        "{error}"
    );
    assert!(start.elapsed() > 29 * SECOND && start.elapsed() < 35 * SECOND);
    world.api.heal();

    world.run(&deployment("shop", "web"));
    world.start();
    world.agreed().await;
    let standby = world.stand_by();
    world.pass(5 * SECOND).await;
    down(&world);
    world.pass(5 * MINUTE).await;
    assert!(!standby.task.is_finished());
    let beat = standby.status.lock().heartbeat.since_start();
    assert!(beat > 4 * MINUTE, "{beat:?}");
    world.kill().await;
    world.running = Some(standby);
    world.run(&deployment("shop", "cart"));
    world.api.heal();
    world.agreed_within(TAKEOVER + 5 * SECOND).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_a_person_deletes_is_written_again_and_one_that_is_given_to_another_ends_it() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    world.api.delete("Lease", NAMESPACE, NAME);
    world.pass(5 * SECOND).await;
    assert_eq!(holder(&world), "start-1");
    world.run(&deployment("shop", "cart"));
    world.agreed().await;

    let mut given = world.api.get("Lease", NAMESPACE, NAME).unwrap();
    given["spec"]["holderIdentity"] = json!("somebody-else");
    world.api.apply(given);
    let (before, stored) = (world.requests(), world.api.count(Verb::Update, "ConfigMap"));
    let error = world.ended().await;
    assert!(
        error.contains("\"somebody-else\", which is no name"),
        "{error}"
    );
    assert_eq!(world.requests(), before);
    assert_eq!(world.api.count(Verb::Update, "ConfigMap"), stored);
    // Who that is cannot be told, so it is waited for until its time is over.
    world.restart().await;
    world.pass(12 * SECOND).await;
    assert!(!world.running.as_ref().unwrap().leads());
    world.pass(5 * SECOND).await;
    assert!(world.running.as_ref().unwrap().leads());
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_label_on_the_lease_stays_and_disturbs_nobody() {
    let world = World::with(&[deployment("shop", "web")]).await;
    let mut labelled = world.api.get("Lease", NAMESPACE, NAME).unwrap();
    labelled["metadata"]["labels"]["team"] = json!("shop");
    world.api.apply(labelled);
    world.pass(MINUTE).await;
    let lease = world.api.get("Lease", NAMESPACE, NAME).unwrap();
    assert_eq!(lease["metadata"]["labels"]["team"], "shop");
    assert!(world.running.as_ref().unwrap().leads());
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_command_takes_the_lease_of_a_dead_process_and_leaves_that_of_a_living_one() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    let updates = |world: &World| world.api.count(Verb::Update, "Lease");
    let (start, before) = (Instant::now(), updates(&world));
    let error = world.command().take().await.err().unwrap();
    assert!(start.elapsed() < 5 * SECOND, "{:?}", start.elapsed());
    assert!(matches!(error, LeaseError::Held { .. }), "{error}");
    assert!(updates(&world) - before <= 3, "renewals, and nothing else");
    assert!(world.running.as_ref().unwrap().leads());

    world.kill().await;
    let start = Instant::now();
    let held = world.command().take().await.unwrap();
    let took = start.elapsed();
    assert!(took > 14 * SECOND && took < 18 * SECOND, "{took:?}");
    world.start();
    world.pass(MINUTE).await;
    assert!(held.tenure().is_ours() && !world.running.as_ref().unwrap().leads());
    held.end().await;
    world.run(&deployment("shop", "cart"));
    world.agreed_within(10 * SECOND).await;
    let start = Instant::now();
    world.stop().await;
    world.command().take().await.unwrap().end().await;
    assert!(start.elapsed() < SECOND);
}
