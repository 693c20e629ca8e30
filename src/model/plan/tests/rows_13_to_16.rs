//! Rows 13 to 16: what is there and does not run.

use std::sync::Arc;

use crate::model::facts::{Pod, State};
use crate::model::fixtures::{
    SHOP, Scene, container, digest, image, minutes, names, object, pod, rollout, source, source_of,
};
use crate::model::inventory::Inventory;
use crate::model::ledger::{Ledger, Outcome};
use crate::model::plan::Row;
use crate::model::selection::KindGroup;
use crate::model::workload::Kind;

use super::{WEB, is_quiet, with_proxy, without_app};

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
    scene.refuse(&rollout());
    assert_eq!(
        names(&scene.plan().decommissions),
        [WEB],
        "another one runs"
    );
}

#[test]
fn row_14_the_idle_time_of_a_dropped_container_goes_on_while_no_other_runs() {
    let mut scene = with_proxy(&rollout());
    scene.change_pods("web", without_app);
    scene.cycle();
    for state in [State::Ran, State::Running] {
        scene.wait(minutes(20));
        scene.change_pods("web", |pod| pod.containers[0].state = state);
        assert!(scene.cycle().decommissions.is_empty());
    }
    scene.wait(minutes(20));
    assert_eq!(names(&scene.plan().decommissions), [WEB]);
}

#[test]
fn the_row_of_a_source_is_that_of_its_present_record_and_not_of_one_that_ended() {
    for ended in ["a", "zzz"] {
        let mut scene = Scene::new();
        let place = |scene: &mut Scene, environment: Option<&str>| {
            let namespace = Arc::make_mut(&mut scene.facts.namespaces[0]);
            namespace.logical_environment = environment.map(Into::into);
        };
        place(&mut scene, Some(ended));
        scene.deploy("web", "app", 1);
        scene.cycle();
        place(&mut scene, None);
        scene.cycle();
        scene.cycle();
        scene.change_pods("web", |pod| pod.containers[0].state = State::Ran);
        assert_eq!(scene.ledger.len(), 2);
        let rows = scene.plan().rows;
        assert_eq!(rows[&source("web", "app")], Row::NotRunning, "{ended}");
    }
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
    scene.facts.remembered = vec![(uid.clone(), last)];
    let web = source_of(Kind::CronJob, "web", "app").workload.clone();
    let inventory = Inventory::new(&scene.facts, &scene.policy);
    assert_eq!(inventory.uid(&web), Some(&uid));
    assert_eq!(names(&scene.cycle().reports), [WEB]);
    assert_eq!(names(&scene.plan().unchanged), [WEB]);
    scene.delete(&Kind::CronJob, "web");
    assert_eq!(names(&scene.plan().decommissions), [WEB]);
}

#[test]
fn promise_1_a_remembered_pod_speaks_for_a_workload_of_its_own_namespace_alone() {
    let mut scene = Scene::new();
    scene.run(&Kind::CronJob, "web", [container("app", &image("web"), 1)]);
    let [own, between] = [(Kind::CronJob, "web"), (Kind::Job, "web-1")]
        .map(|(kind, name)| object(kind, SHOP, name).uid);
    let last = scene.facts.pods.remove(0);
    let mut foreign = Pod::clone(&last);
    foreign.namespace = "bank".into();
    for (uid, pod) in [(own, Arc::new(foreign)), (between, last)] {
        scene.facts.remembered = vec![(uid, pod)];
        let plan = scene.plan();
        assert!(plan.reports.is_empty() && plan.rows.is_empty());
    }
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
fn promise_2_what_ran_at_another_place_meanwhile_was_not_idle() {
    let mut scene = Scene::recorded();
    let pods = scene.facts.pods.clone();
    scene.remove_pods("web");
    scene.cycle();
    scene.wait(minutes(30));
    let namespace = Arc::make_mut(&mut scene.facts.namespaces[0]);
    namespace.logical_environment = Some("staging".into());
    scene.facts.pods = pods;
    for _ in 0..4 {
        scene.cycle_with(|_| Outcome::Unknown);
        scene.wait(minutes(10));
    }
    scene.remove_pods("web");
    assert_eq!(names(&scene.plan().decommissions), [""; 0]);
}

#[test]
fn row_16_how_long_something_is_idle_begins_anew_when_not_all_of_it_was_seen() {
    let mut scene = Scene::recorded();
    scene.remove_pods("web");
    scene.cycle();
    scene.wait(minutes(30));
    scene.forbid(&Kind::ReplicaSet);
    scene.cycle();
    scene.wait(minutes(30));
    assert!(is_quiet(&scene.plan()));
    scene.read(&Kind::ReplicaSet);
    assert!(is_quiet(&scene.cycle()), "pods of a new one may have run");
    scene.wait(minutes(59));
    assert!(is_quiet(&scene.plan()));
    scene.wait(minutes(1));
    assert_eq!(names(&scene.plan().decommissions), [WEB]);
}

#[test]
fn row_16_what_was_idle_for_long_and_may_have_ended_does_not_come_back_with_a_restart() {
    let mut scene = Scene::recorded();
    scene.remove_pods("web");
    scene.cycle();
    scene.wait(minutes(60));
    let plan = scene.cycle_with(|_| Outcome::Unknown);
    assert_eq!(names(&plan.decommissions), [WEB]);
    scene.restart();
    let plan = scene.cycle();
    assert!(plan.snapshot().is_empty(), "{:?}", plan.snapshot());
    scene.wait(minutes(60));
    assert_eq!(names(&scene.plan().decommissions), [WEB]);
}

#[test]
fn promise_2_what_runs_while_not_all_of_it_is_seen_is_not_idle() {
    let mut scene = Scene::recorded();
    let pods = scene.facts.pods.clone();
    scene.remove_pods("web");
    scene.cycle();
    scene.wait(minutes(10));
    scene.forbid(&Kind::ReplicaSet);
    scene.cycle();
    scene.facts.pods = pods;
    scene.wait(minutes(20));
    scene.cycle();
    scene.remove_pods("web");
    scene.wait(minutes(20));
    scene.read(&Kind::ReplicaSet);
    scene.wait(minutes(12));
    assert_eq!(names(&scene.plan().decommissions), [""; 0]);
}

/// The pods of `web` are those of a ReplicaSet, or a Job, that is not seen though its kind is.
fn under_an_unseen(scene: &mut Scene, kind: &Kind, name: &str) {
    let owner = object(kind.clone(), SHOP, name).as_controller();
    scene.change_pods("web", |pod| pod.controller = Some(owner.clone()));
}

#[test]
fn promise_2_pods_that_may_be_of_a_workload_keep_it_from_being_idle() {
    type Change = fn(&mut Scene);
    let table: [(&str, Change, bool); 6] = [
        (
            "of its ReplicaSet",
            |scene| under_an_unseen(scene, &Kind::ReplicaSet, "web-2"),
            true,
        ),
        (
            "of another's",
            |scene| under_an_unseen(scene, &Kind::ReplicaSet, "website-2"),
            false,
        ),
        (
            "of none",
            |scene| under_an_unseen(scene, &Kind::StatefulSet, "web-2"),
            false,
        ),
        (
            "without the container",
            |scene| {
                under_an_unseen(scene, &Kind::ReplicaSet, "web-2");
                scene.change_pods("web", |pod| pod.containers[0].name = "other".into());
            },
            false,
        ),
        (
            "finished",
            |scene| {
                under_an_unseen(scene, &Kind::ReplicaSet, "web-2");
                scene.change_pods("web", |pod| *pod = pod.clone().finished());
            },
            false,
        ),
        (
            "elsewhere",
            |scene| {
                under_an_unseen(scene, &Kind::ReplicaSet, "web-2");
                scene.change_pods("web", |pod| pod.namespace = "bank".into());
            },
            false,
        ),
    ];
    for (which, change, is_kept) in table {
        let mut scene = Scene::recorded();
        change(&mut scene);
        scene.cycle();
        scene.wait(minutes(60));
        let plan = scene.plan();
        assert_eq!(plan.decommissions.is_empty(), is_kept, "{which}");
        let row = if is_kept { Row::NotRunning } else { Row::Idle };
        assert_eq!(plan.rows[&source("web", "app")], row, "{which}");
    }
}

#[test]
fn promise_2_a_container_that_unseen_ones_may_have_is_not_dropped() {
    let mut scene = Scene::recorded();
    let mut other = Arc::clone(&scene.facts.pods[0]);
    under_an_unseen(&mut scene, &Kind::ReplicaSet, "web-2");
    let pod = Arc::make_mut(&mut other);
    pod.name = "web-new".into();
    pod.uid = "web-new".into();
    pod.containers[0].name = "other".into();
    scene.facts.pods.push(other);
    let plan = scene.cycle();
    assert_eq!(plan.rows[&source("web", "app")], Row::NotRunning);
    scene.facts.pods.remove(0);
    assert_eq!(names(&scene.plan().decommissions), [WEB]);
}
