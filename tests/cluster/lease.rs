//! One writer, by a Lease at a real API server: who waits takes over as soon as is promised, and who
//! has lost it sends nothing.

use std::time::Duration;

use deployment_recorder::clock::Clock;
use deployment_recorder::recorder::lease::{Candidate, Identity, LeaseError, Patience};
use deployment_recorder::recorder::status::Shared;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use super::api::client;
use super::grants::deployed;
use super::program::Program;
use super::stage::Stage;

const NAME: &str = "deployment-recorder";

/// The message of whoever has it now.
const ACQUIRED: &str = "lease acquired";

/// A stage on which `web` runs and is recorded by a recorder in a pod of its own.
async fn led(name: &str) -> Stage {
    let mut stage = Stage::new(name).await;
    stage.set("leader-elect", "");
    stage.deploy("web", "acme/web:1").await;
    stage.grant().await;
    stage.recorder = Some(in_pod(&stage, "one"));
    stage.runs("web", "app", "acme/web:1").await;
    stage
}

/// Another recorder for this stage.
fn in_pod(stage: &Stage, pod: &str) -> Program {
    let name = format!("{}-{pod}", stage.ns);
    Program::start_in_pod(&name, &stage.arguments("run"), &name)
}

/// Another one, which waits.
async fn standby(stage: &Stage, pod: &str) -> Program {
    let standby = in_pod(stage, pod);
    let waits_for = |event: &Value| {
        let holder = event["holder"].as_str().unwrap_or_default();
        holder.starts_with("pod ") && event["since"].is_string()
    };
    standby.says("standing by for the lease", waits_for).await;
    standby
}

async fn acquired(program: &Program) {
    program.says(ACQUIRED, |_| true).await;
}

async fn lease(stage: &Stage) -> Value {
    let lease = stage.api.get("Lease", &stage.ledger(), NAME).await;
    lease.expect("a Lease")["spec"].take()
}

/// What the program answers at this path.
pub(crate) async fn answer(program: &Program, path: &str) -> String {
    let served = program.events("serving health, metrics and status");
    let address = served[0]["address"]
        .as_str()
        .expect("an address")
        .to_owned();
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: it\r\nConnection: close\r\n\r\n");
    stream
        .write_all(request.as_bytes())
        .await
        .expect("it reads");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .await
        .expect("it answers");
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_standby_is_ready_and_takes_over_within_25_seconds_after_a_kill() {
    let mut stage = led("killed-leader").await;
    let standby = standby(&stage, "two").await;
    let cycles = stage.recorder().cycles();
    let ready = async || answer(&standby, "/readyz?verbose").await;
    super::api::eventually("it is ready", async || {
        ready().await.starts_with("HTTP/1.1 200")
    })
    .await;
    let page = ready().await;
    assert!(
        page.contains("[+]ledger ok (another process keeps it)"),
        "{page}"
    );
    assert!(page.contains("[+]mirror-Pod ok"), "{page}");
    let metrics = answer(&standby, "/metrics").await;
    assert!(
        metrics.contains("deployment_recorder_leader 0"),
        "{metrics}"
    );
    assert!(cycles > 0 && standby.cycles() == 0);

    stage.kill().await;
    let killed = Instant::now();
    stage.remove("web").await;
    stage.deploy("new", "acme/new:1").await;
    acquired(&standby).await;
    let took = killed.elapsed();
    assert!(took < Duration::from_secs(25), "{took:?}");
    assert!(
        took > Duration::from_secs(8),
        "nobody can know that it is dead: {took:?}"
    );
    stage.recorder = Some(standby);
    stage.runs("new", "app", "acme/new:1").await;
    stage.ends("web", "app").await;
    let metrics = answer(stage.recorder(), "/metrics").await;
    assert!(
        metrics.contains("deployment_recorder_leader 1"),
        "{metrics}"
    );
    let status = answer(stage.recorder(), "/api/status").await;
    assert!(
        status.contains("\"lease\":{\"holder\":\"pod/killed-leader-two/"),
        "{status}"
    );
    assert_eq!(lease(&stage).await["leaseTransitions"], 1);
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_standby_takes_over_within_5_seconds_after_a_stop() {
    let mut stage = led("stopped-leader").await;
    let standby = standby(&stage, "two").await;
    let recorder = stage.recorder();
    recorder.terminate().await;
    let status = recorder.ended(Duration::from_secs(20)).await;
    assert_eq!(status.code(), Some(0), "{}", recorder.tail());
    assert_eq!(recorder.events("lease given back").len(), 1);
    let stopped = Instant::now();
    acquired(&standby).await;
    let took = stopped.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
    stage.recorder = Some(standby);
    stage.deploy("new", "acme/new:1").await;
    stage.runs("new", "app", "acme/new:1").await;
    stage.stop().await;
    let given_back = lease(&stage).await;
    let holder = given_back["holderIdentity"].as_str().unwrap_or_default();
    assert_eq!(
        (holder, &given_back["leaseDurationSeconds"]),
        ("", &1.into())
    );
}

/// The recorder is killed, and another one begun that can tell that it is dead.
async fn followed_at_once(mut stage: Stage, next: impl Fn(&Stage) -> Program) {
    stage.kill().await;
    let killed = Instant::now();
    stage.recorder = Some(next(&stage));
    acquired(stage.recorder()).await;
    let took = killed.elapsed();
    // Whoever waits, waits for the whole Lease: 15 s.
    assert!(took < Duration::from_secs(10), "{took:?}");
    let event = stage.recorder().events(ACQUIRED).remove(0);
    assert_eq!(event["because"], "its holder is gone", "{event}");
    stage.deploy("new", "acme/new:1").await;
    stage.runs("new", "app", "acme/new:1").await;
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_dead_process_of_this_machine_is_not_waited_for() {
    let mut stage = Stage::new("dead-process").await;
    stage.deploy("web", "acme/web:1").await;
    stage.begin().await;
    stage.runs("web", "app", "acme/web:1").await;
    let next = |stage: &Stage| Program::start("dead-process-next", &stage.arguments("run"));
    followed_at_once(stage, next).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_container_that_is_restarted_in_its_pod_does_not_wait_for_itself() {
    let stage = led("dead-container").await;
    followed_at_once(stage, |stage| in_pod(stage, "one")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_leader_that_is_stopped_between_two_requests_sends_nothing_when_it_wakes() {
    let mut stage = led("paused-leader").await;
    stage.set("mass-decommission-hold", "0s");
    stage.deploy("old", "acme/old:1").await;
    stage.runs("old", "app", "acme/old:1").await;
    stage.stop().await;
    // A report, one of a name that GitHub never held, and an end are requests of their own.
    stage.roll("web", "acme/web:2").await;
    stage.deploy("new", "acme/new:1").await;
    stage.remove("old").await;
    stage.started("web", "acme/web:2").await;
    stage.started("new", "acme/new:1").await;

    let count = stage.github.request_count();
    let mut older = in_pod(&stage, "two");
    stage
        .until("its first request", |github| github.request_count() > count)
        .await;
    older.signal("-STOP").await;
    let (stopped, sent) = (Instant::now(), stage.github.request_count());
    assert_eq!(sent, count + 1, "it was stopped between two requests");
    stage.recorder = Some(standby(&stage, "three").await);
    acquired(stage.recorder()).await;
    stage.runs("new", "app", "acme/new:1").await;
    stage.ends("old", "app").await;
    // What is left is the snapshot of the newer one.
    stage.recorder().cycles_after(0).await;
    sleep(Duration::from_secs(3)).await;
    let (sent, took) = (stage.github.request_count(), stopped.elapsed());
    assert!(
        took < Duration::from_secs(50),
        "its plan is too old to be sent anyway: {took:?}"
    );

    older.signal("-CONT").await;
    let status = older.ended(Duration::from_secs(20)).await;
    let error = older.reason();
    assert_eq!(status.code(), Some(1), "{}", older.said());
    let expected = "Lease paused-leader-ledger/deployment-recorder is not this process's any \
                    more, it now names pod paused-leader-three";
    assert!(error.starts_with(expected), "{error}");
    assert_eq!(stage.github.request_count(), sent);
    assert!(stage.recorder().runs());
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn without_the_right_to_leases_it_ends_by_naming_the_rule_and_writes_nothing() {
    let mut stage = Stage::new("no-leases").await;
    stage.deploy("web", "acme/web:1").await;
    stage.grant_cluster().await;
    let mut role = deployed("Role");
    let rules = role["rules"].as_array_mut().expect("rules");
    rules.retain(|rule| rule["resources"][0] != "leases");
    stage.grant_in_ledger(role).await;
    stage.start();
    let status = stage.recorder().ended(Duration::from_mins(1)).await;
    let error = stage.recorder().reason();
    assert_eq!(status.code(), Some(1), "{}", stage.recorder().said());
    let expected = "Lease no-leases-ledger/deployment-recorder: reading it is forbidden, so \
                    nothing is written. The Role in its namespace lacks this rule: apiGroups: \
                    [coordination.k8s.io], resources: [leases], verbs: [get, update], \
                    resourceNames: [deployment-recorder].";
    assert!(error.starts_with(expected), "{error}");
    assert_eq!(stage.github.request_count(), 0);
    let root = stage.api.get("ConfigMap", &stage.ledger(), NAME).await;
    assert!(root.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_second_recorder_waits_with_a_warning_that_names_the_first_one() {
    let mut stage = Stage::new("second").await;
    stage.deploy("web", "acme/web:1").await;
    stage.begin().await;
    stage.runs("web", "app", "acme/web:1").await;
    let second = Program::start("second-waits", &stage.arguments("run"));
    let message = "another process holds the lease and only one may write, waiting for it";
    let names = |event: &Value| {
        let holder = event["holder"].as_str().unwrap_or_default();
        event["level"] == "WARN" && holder.starts_with("process ")
    };
    second.says(message, names).await;
    let count = stage.github.request_count();
    stage.deploy("new", "acme/new:1").await;
    stage.runs("new", "app", "acme/new:1").await;
    assert_eq!(stage.github.request_count(), count + 1);
    assert_eq!(second.events(message).len(), 1);
    stage.stop().await;
    stage.recorder = Some(second);
    stage.deploy("newer", "acme/newer:1").await;
    stage.runs("newer", "app", "acme/newer:1").await;
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_command_has_the_lease_at_once_or_says_who_has_it_and_disturbs_nothing() {
    let mut stage = led("command").await;
    let candidate = async |pod: &str| Candidate {
        client: client(&stage.kubeconfig).await,
        namespace: stage.ledger(),
        name: NAME.to_owned(),
        identity: format!("pod/{pod}/{pod}/1/1/1/tag")
            .parse::<Identity>()
            .unwrap(),
        clock: Clock::real(),
        status: Shared::default(),
        seed: 1,
        patience: Patience::GiveUp,
    };
    let one = candidate("command-line").await;
    let other = candidate("other-line").await;
    let asked = Instant::now();
    let error = one.take().await.err().expect("it is held");
    assert!(
        asked.elapsed() < Duration::from_secs(8),
        "{:?}",
        asked.elapsed()
    );
    assert!(matches!(error, LeaseError::Held { .. }), "{error}");
    let error = error.to_string();
    assert!(
        error.contains("is held by pod command-one (pod/command-one/"),
        "{error}"
    );
    assert!(error.contains("Stop that one first"), "{error}");
    assert_eq!(lease(&stage).await["leaseTransitions"], 0);
    assert!(stage.recorder().runs());

    stage.stop().await;
    let asked = Instant::now();
    let held = other.take().await.expect("nobody has it");
    assert!(asked.elapsed() < Duration::from_secs(2));
    assert!(held.tenure().is_ours());
    held.end().await;
    assert_eq!(lease(&stage).await["holderIdentity"], "");
}
