//! Rows 12 to 16: what is there and does not run, or not with a digest.

use std::sync::Arc;

use crate::model::facts::{Pod, State, View};
use crate::model::fixtures::{
    SHOP, Scene, container, digest, image, minutes, names, object, pod, rollout, source, source_of,
};
use crate::model::gap::Reason;
use crate::model::ledger::{Ledger, Outcome};
use crate::model::plan::{Plan, Row};
use crate::model::selection::KindGroup;
use crate::model::workload::Kind;

const WEB: &str = "shop-web-app";

fn is_quiet(plan: &Plan) -> bool {
    plan.reports.is_empty() && plan.decommissions.is_empty()
}

/// The scene's `web` has a second container, `proxy`, that is recorded too.
fn with_proxy(kind: &Kind) -> Scene {
    let mut scene = Scene::new();
    let proxy = container("proxy", &image("proxy"), 2);
    scene.run(kind, "web", [container("app", &image("web"), 1), proxy]);
    scene.cycle();
    scene
}

fn without_app(pod: &mut Pod) {
    let rest = pod
        .containers
        .iter()
        .filter(|container| &*container.name != "app");
    pod.containers = rest.cloned().collect();
}

#[test]
fn row_12_without_a_digest_what_is_held_is_retained_and_a_gap() {
    let mut scene = Scene::recorded();
    for (change, reason) in [
        (
            (|pod| pod.containers[0].digest = None) as fn(&mut Pod),
            Reason::NoDigest,
        ),
        (
            |pod| pod.containers[0].image = "not an image".into(),
            Reason::InvalidImage,
        ),
        (
            |pod| pod.containers[0].image = format!("ghcr.io/{}", "a/".repeat(130) + "a").into(),
            Reason::NameTooLong,
        ),
    ] {
        scene.facts.pods.clear();
        scene.deploy("web", "app", 2);
        scene.change_pods("web", change);
        let plan = scene.plan();
        assert!(is_quiet(&plan));
        assert_eq!(plan.retained[0].line.body.digest, digest(1), "as held");
        assert_eq!(plan.gaps[0].reason, reason);
        assert_eq!(plan.rows[&source("web", "app")], Row::NoDigest);

        let held = std::mem::take(&mut scene.ledger);
        let plan = scene.plan();
        assert!(is_quiet(&plan) && plan.retained.is_empty());
        assert_eq!(plan.gaps[0].reason, reason);
        scene.ledger = held;
    }
}

#[test]
fn promise_1_other_digests_of_ready_pods_are_a_gap() {
    let mut scene = Scene::recorded();
    scene.deploy("web", "app", 2);
    scene.deploy("web", "app", 2);
    let plan = scene.plan();
    assert_eq!(plan.reports[0].line.body.digest, digest(2));
    assert_eq!(plan.gaps.len(), 1);
    assert_eq!(plan.gaps[0].reason, Reason::OtherDigest);
    assert_eq!(*plan.gaps[0].detail, *digest(1).to_string());
}

#[test]
fn row_13_what_crashes_or_is_being_deleted_is_retained() {
    for change in [
        (|pod| pod.containers[0].state = State::Ran) as fn(&mut Pod),
        |pod| pod.containers[0].state = State::NeverRan,
        |pod| pod.deleting = true,
    ] {
        let mut scene = Scene::recorded();
        scene.change_pods("web", change);
        scene.wait(minutes(600));
        let plan = scene.plan();
        assert!(is_quiet(&plan));
        assert_eq!(names(&plan.retained), [WEB]);
        assert_eq!(plan.rows[&source("web", "app")], Row::NotRunning);
        assert_eq!(plan.not_running, 0);

        scene.ledger = Ledger::default();
        let plan = scene.plan();
        assert!(is_quiet(&plan) && plan.gaps.is_empty());
        assert_eq!(plan.not_running, 1);
    }
}

#[test]
fn a_retained_line_is_sent_exactly_as_held_and_not_at_all_while_something_is_unanswered() {
    let mut scene = Scene::recorded();
    let held = scene.entry(WEB).unwrap().held.clone();
    scene.change_pods("web", |pod| pod.containers[0].state = State::Ran);
    assert_eq!(Some(&scene.plan().retained[0].line.body), held.as_ref());

    scene.change_pods("web", |pod| {
        pod.containers[0].state = State::Running;
        pod.containers[0].digest = Some(digest(2));
    });
    scene.cycle_with(|_| Outcome::Unknown);
    scene.change_pods("web", |pod| pod.containers[0].state = State::Ran);
    let plan = scene.plan();
    assert!(plan.snapshot().is_empty() && is_quiet(&plan));
    assert_eq!(plan.silent, [scene.identity(WEB)]);
}

#[test]
fn an_entry_that_is_not_held_is_kept_and_not_sent_while_its_source_does_not_run() {
    let mut scene = Scene::new();
    scene.deploy("web", "app", 1);
    scene.cycle_with(|_| Outcome::Unknown);
    scene.change_pods("web", |pod| pod.containers[0].state = State::Ran);
    let plan = scene.plan();
    assert!(plan.snapshot().is_empty());
    assert_eq!(plan.silent, [scene.identity(WEB)]);
}

#[test]
fn row_14_a_container_in_no_pods_spec_ends_while_another_one_runs() {
    let mut scene = with_proxy(&Kind::Deployment);
    scene.change_pods("web", without_app);
    let plan = scene.plan();
    assert_eq!(names(&plan.decommissions), [WEB]);
    assert_eq!(names(&plan.unchanged), ["shop-web-proxy"]);
    assert_eq!(plan.rows[&source("web", "app")], Row::Dropped);
    assert_eq!(plan.missing, [scene.identity(WEB)]);

    scene.change_pods("web", |pod| pod.containers[0].state = State::Ran);
    let plan = scene.plan();
    assert!(
        plan.decommissions.is_empty(),
        "nothing runs: it may be a rollout that fails"
    );
    assert_eq!(names(&plan.retained), [WEB, "shop-web-proxy"]);
}

#[test]
fn row_14_a_pod_that_is_being_deleted_still_has_the_container() {
    let mut scene = with_proxy(&Kind::Deployment);
    scene.change_pods("web", |pod| pod.deleting = true);
    scene.run(
        &Kind::Deployment,
        "web",
        [container("proxy", &image("proxy"), 2)],
    );
    assert_eq!(names(&scene.plan().retained), [WEB]);
    scene.facts.pods.remove(0);
    assert_eq!(names(&scene.plan().decommissions), [WEB]);
}

#[test]
fn row_14_a_finished_pod_is_no_pod_but_under_a_job() {
    let mut scene = with_proxy(&Kind::Deployment);
    let old = Pod::clone(&scene.facts.pods[0]).finished();
    scene.facts.pods = vec![Arc::new(old)];
    assert_eq!(
        names(&scene.plan().retained).len(),
        2,
        "no pod at all: row 16"
    );
    scene.run(
        &Kind::Deployment,
        "web",
        [container("proxy", &image("proxy"), 2)],
    );
    assert_eq!(names(&scene.plan().decommissions), [WEB]);

    let mut scene = with_proxy(&Kind::CronJob);
    scene.change_pods("web", |pod| *pod = pod.clone().finished());
    assert_eq!(names(&scene.plan().unchanged), [WEB, "shop-web-proxy"]);
}

#[test]
fn row_14_a_cron_job_drops_a_container_once_a_newer_pod_ran_without_it() {
    let mut scene = with_proxy(&Kind::CronJob);
    let maker = scene.add_workload(&Kind::CronJob, "web");
    let newer = pod("web-9", [container("proxy", &image("proxy"), 2)]);
    scene.add_pod(newer.created(9).once().under(&maker));
    let plan = scene.plan();
    assert_eq!(names(&plan.retained), [WEB], "an older pod still has it");
    scene.facts.pods.remove(0);
    assert_eq!(names(&scene.plan().decommissions), [WEB]);
}

#[test]
fn row_14_a_kind_that_is_not_built_in_drops_a_container_only_after_the_idle_time() {
    let mut scene = with_proxy(&rollout());
    scene.change_pods("web", without_app);
    assert_eq!(names(&scene.cycle().retained), [WEB]);
    scene.wait(minutes(59));
    let plan = scene.cycle();
    assert!(is_quiet(&plan));
    assert_eq!(plan.due, Some(scene.now + minutes(1)));
    scene.wait(minutes(1));
    let plan = scene.plan();
    assert_eq!(names(&plan.decommissions), [WEB]);
    assert_eq!(plan.rows[&source_of(rollout(), "web", "app")], Row::Dropped);
}

#[test]
fn row_15_a_cron_job_between_its_runs_is_retained_for_ever() {
    let mut scene = Scene::new();
    scene.policy.selection.kinds.push(KindGroup::Jobs);
    for kind in [Kind::CronJob, Kind::Job] {
        scene.run(&kind, "web", [container("app", &image("web"), 1)]);
    }
    scene.cycle();
    scene.facts.pods.clear();
    for _ in 0..5 {
        let plan = scene.cycle();
        assert!(is_quiet(&plan));
        assert_eq!(plan.retained.len(), 2);
        scene.wait(minutes(600));
    }
    assert_eq!(
        scene.plan().rows[&source_of(Kind::Job, "web", "app")],
        Row::BetweenRuns
    );
}

#[test]
fn row_15_the_remembered_pod_of_a_cron_job_speaks_on() {
    let mut scene = Scene::new();
    scene.run(&Kind::CronJob, "web", [container("app", &image("web"), 1)]);
    let last = scene.facts.pods.remove(0);
    let uid = object(Kind::CronJob, SHOP, "web").uid;
    scene.facts.remembered = vec![(uid, last)];
    assert_eq!(names(&scene.cycle().reports), [WEB]);
    assert_eq!(names(&scene.plan().unchanged), [WEB]);
    scene.delete(&Kind::CronJob, "web");
    assert_eq!(names(&scene.plan().decommissions), [WEB]);
}

#[test]
fn row_16_a_workload_without_pods_is_retained_until_it_is_idle_for_long_and_comes_back() {
    let mut scene = Scene::recorded();
    scene.remove_pods("web");
    let plan = scene.cycle();
    assert_eq!(names(&plan.retained), [WEB]);
    assert_eq!(plan.due, Some(scene.now + minutes(60)));
    scene.wait(minutes(59));
    assert!(is_quiet(&scene.cycle()));
    scene.wait(minutes(1));
    let plan = scene.cycle();
    assert_eq!(names(&plan.decommissions), [WEB]);
    assert_eq!(plan.rows[&source("web", "app")], Row::Idle);
    scene.deploy("web", "app", 1);
    assert_eq!(names(&scene.cycle().reports), [WEB]);
}

#[test]
fn row_16_a_pod_in_between_begins_the_idle_time_anew() {
    let mut scene = Scene::recorded();
    scene.remove_pods("web");
    scene.cycle();
    scene.wait(minutes(59));
    scene.deploy("web", "app", 1);
    scene.cycle();
    scene.remove_pods("web");
    scene.cycle();
    scene.wait(minutes(59));
    assert!(is_quiet(&scene.cycle()));
}

#[test]
fn row_16_never_means_never() {
    let mut scene = Scene::recorded();
    scene.policy.idle_after = None;
    scene.remove_pods("web");
    scene.cycle();
    scene.wait(minutes(60 * 24 * 365));
    let plan = scene.plan();
    assert_eq!((names(&plan.retained), plan.due), (vec![WEB], None));
}

#[test]
fn bare_jobs_and_bare_pods_only_when_they_are_asked_for() {
    let mut scene = Scene::new();
    scene.run(&Kind::Job, "once", [container("app", &image("web"), 1)]);
    scene.add_pod(pod("alone", [container("app", &image("web"), 1)]));
    let plan = scene.plan();
    assert!(is_quiet(&plan));
    assert_eq!(plan.not_selected.values().sum::<usize>(), 2);
    scene
        .policy
        .selection
        .kinds
        .extend([KindGroup::Jobs, KindGroup::Pods]);
    assert_eq!(
        names(&scene.cycle().reports),
        ["shop-alone-app", "shop-once-app"]
    );
    // A bare pod that is gone, or has run to its end, is a workload that is gone.
    scene.facts.pods.retain(|pod| &*pod.name != "alone");
    assert_eq!(names(&scene.plan().decommissions), ["shop-alone-app"]);
    scene.add_pod(pod("alone", [container("app", &image("web"), 1)]).finished());
    assert_eq!(names(&scene.plan().decommissions), ["shop-alone-app"]);
}

#[test]
fn an_operators_cluster_with_servers_and_a_job_is_judged_container_by_container() {
    let cluster = || Kind::new("postgresql.cnpg.io", "Cluster");
    let mut scene = Scene::new();
    let owner = object(cluster(), SHOP, "db");
    scene.facts.objects.push(Arc::new(owner.clone()));
    scene
        .facts
        .coverage
        .kinds
        .insert(cluster(), View::Everything);
    let server = pod("db-1", [container("postgres", "postgres:17", 1)]).under(&owner);
    scene.add_pod(server);
    scene.cycle();
    let job = object(Kind::Job, SHOP, "db-2-join").under(&owner);
    scene.facts.objects.push(Arc::new(job.clone()));
    let join = pod("db-2-join-x", [container("join", "postgres:17", 1)]);
    scene.add_pod(join.created(9).once().under(&job));
    let plan = scene.plan();
    assert_eq!(
        names(&plan.unchanged),
        ["shop-db-postgres"],
        "a newer job speaks not for servers"
    );
    assert!(is_quiet(&plan));
    assert_eq!(
        plan.not_selected.values().sum::<usize>(),
        1,
        "its own container is one of a job"
    );
    // Hibernated: the servers are gone, a job's pod still stands there.
    scene.facts.pods.remove(0);
    let plan = scene.plan();
    assert_eq!(names(&plan.retained), ["shop-db-postgres"]);
    scene.policy.selection.kinds.push(KindGroup::Jobs);
    assert_eq!(names(&scene.plan().reports), ["shop-db-join"]);
}
