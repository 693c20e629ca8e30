//! Claims: reports that were never answered, of whoever may have a name by now, and what another copy
//! of the ledger says was held.

use crate::model::facts::State;
use crate::model::fixtures::{Scene, annotations, container, digest, held_by, minutes, names};
use crate::model::gap::Reason;
use crate::model::ledger::Outcome;
use crate::model::plan::Why;
use crate::model::record::Status;
use crate::model::workload::Kind;

pub(super) const WEB: &str = "shop-web-app";

/// A scene in which the Deployment `web` is gone and the report of the StatefulSet `web`, which took
/// its name over with digest 2, was never answered.
pub(super) fn taken_over() -> Scene {
    let mut scene = Scene::recorded();
    scene.delete(&Kind::Deployment, "web");
    take_over(&mut scene);
    scene
}

/// The same, but the Deployment is still there, idle for long.
pub(super) fn taken_over_from_an_idle_one() -> Scene {
    let mut scene = idle_for_long();
    take_over(&mut scene);
    scene
}

/// A scene in which the Deployment `web` is idle for long.
pub(super) fn idle_for_long() -> Scene {
    let mut scene = Scene::recorded();
    scene.remove_pods("web");
    scene.cycle();
    scene.wait(minutes(61));
    scene
}

pub(super) fn take_over(scene: &mut Scene) {
    run_set(scene);
    scene.cycle_with(|_| Outcome::Unknown);
}

/// The StatefulSet `web` with digest 2.
pub(super) fn run_set(scene: &mut Scene) {
    let container = container("app", "ghcr.io/acme/web:2", 2);
    scene.run(&Kind::StatefulSet, "web", [container]);
}

/// A scene in which the Deployment `web` had ended and is back with digest 2, which was never answered.
fn came_back() -> Scene {
    let mut scene = Scene::recorded();
    scene.delete(&Kind::Deployment, "web");
    scene.cycle();
    scene.deploy("web", "app", 2);
    scene.cycle_with(|_| Outcome::Unknown);
    scene
}

fn is_withheld(scene: &Scene) -> bool {
    let plan = scene.plan();
    assert!(plan.reports.is_empty() && plan.decommissions.is_empty());
    plan.withheld == [(scene.identity(WEB), Why::NotCovered)]
}

#[test]
fn promise_2_a_takeover_that_was_not_answered_is_not_ended_while_who_took_over_is_not_seen() {
    let mut scene = taken_over();
    scene.forbid(&Kind::StatefulSet);
    assert!(is_withheld(&scene));
    scene.wait(minutes(60));
    scene.restart();
    assert!(is_withheld(&scene), "as a new process knows it");
    scene.read(&Kind::StatefulSet);
    assert_eq!(names(&scene.cycle().reports), [WEB]);
    let owner = held_by(&scene, WEB).unwrap();
    assert_eq!(owner.workload.kind, Kind::StatefulSet);
}

#[test]
fn promise_2_nor_is_one_of_a_name_that_ended_already() {
    let mut scene = Scene::recorded();
    scene.delete(&Kind::Deployment, "web");
    scene.cycle();
    assert!(scene.entry(WEB).unwrap().is_tombstone());
    take_over(&mut scene);
    scene.forbid(&Kind::StatefulSet);
    scene.wait(minutes(60));
    assert!(is_withheld(&scene));
}

/// What is planned for the name: the kind of who is reported, or nothing.
fn reported(scene: &Scene) -> Option<Kind> {
    let plan = scene.plan();
    assert!(plan.decommissions.is_empty(), "{:?}", plan.decommissions);
    let step = plan.reports.first()?;
    step.owner
        .source()
        .map(|source| source.workload.kind.clone())
}

/// GitHub had acknowledged it, and the process died before it could store that.
#[test]
fn promise_2_a_takeover_that_was_not_answered_is_reported_again_while_its_new_owner_is_there() {
    type Change = fn(&mut Scene);
    let cases: [(&str, Change); 3] = [
        ("idle", |scene| scene.remove_pods("web")),
        ("without a digest", |scene| {
            scene.change_pods("web", |pod| pod.containers[0].digest = None);
        }),
        ("crash-looping", |scene| {
            scene.change_pods("web", |pod| {
                pod.containers[0].state = State::Ran;
                pod.containers[0].digest = None;
            });
        }),
    ];
    for (case, change) in cases {
        for dies in [false, true] {
            let mut scene = taken_over();
            change(&mut scene);
            if dies {
                scene.restart();
            }
            assert_eq!(reported(&scene), Some(Kind::StatefulSet), "{case}");
            let plan = scene.cycle();
            assert_eq!(plan.reports[0].line.body.digest, digest(2), "{case}");
            let owner = held_by(&scene, WEB).unwrap();
            assert_eq!(owner.workload.kind, Kind::StatefulSet, "{case}");
            assert_eq!(reported(&scene), None, "{case}");
        }
    }
}

/// A new process does not know for how long the one before it had been idle.
#[test]
fn who_took_over_the_name_of_an_idle_one_and_was_not_answered_goes_on_with_that_name() {
    let mut scene = taken_over_from_an_idle_one();
    scene.restart();
    assert_eq!(names(&scene.cycle().reports), [WEB]);
    let owner = held_by(&scene, WEB).unwrap();
    assert_eq!(owner.workload.kind, Kind::StatefulSet);
}

#[test]
fn promise_2_a_report_of_who_came_back_that_was_not_answered_is_made_again_while_it_is_there() {
    let mut scene = came_back();
    scene.remove_pods("web");
    scene.restart();
    assert_eq!(reported(&scene), Some(Kind::Deployment));
    scene.cycle();
    assert!(!scene.entry(WEB).unwrap().is_tombstone());
}

#[test]
fn a_takeover_that_was_not_answered_ends_when_its_new_owner_was_idle_for_long() {
    let mut scene = taken_over();
    scene.remove_pods("web");
    scene.cycle_with(|_| Outcome::Unknown);
    scene.wait(minutes(61));
    assert_eq!(names(&scene.plan().decommissions), [WEB]);
}

#[test]
fn an_end_that_was_not_answered_is_no_claim_nor_is_what_was_answered_by_an_end() {
    let ended = || {
        let mut scene = taken_over();
        scene.remove_pods("web");
        scene.wait(minutes(55));
        scene.cycle_with(|_| Outcome::Unknown);
        scene.delete(&Kind::StatefulSet, "web");
        scene.cycle();
        scene.add_workload(&Kind::StatefulSet, "web");
        assert!(scene.entry(WEB).unwrap().is_tombstone());
        scene
    };
    let mut scene = ended();
    scene.restart();
    assert_eq!(names(&scene.plan().reports), [""; 0]);
    let mut scene = ended();
    scene.wait(minutes(10));
    let plan = scene.cycle_with(|_| Outcome::Unknown);
    assert_eq!(names(&plan.decommissions), [WEB]);
    for _ in 0..2 {
        let plan = scene.plan();
        assert!(plan.reports.is_empty(), "{:?}", plan.reports);
        scene.restart();
    }
}

#[test]
fn a_claimant_that_was_idle_for_long_stays_so_until_its_end_is_said() {
    let mut scene = taken_over();
    scene.remove_pods("web");
    scene.cycle_with(|_| Outcome::Unknown);
    scene.wait(minutes(61));
    for _ in 0..2 {
        let plan = scene.plan();
        assert_eq!(names(&plan.decommissions), [WEB]);
        scene.observe(&plan);
    }
}

#[test]
fn promise_2_how_long_the_old_owner_was_idle_does_not_count_for_who_took_over() {
    let mut scene = taken_over_from_an_idle_one();
    scene.remove_pods("web");
    assert_eq!(reported(&scene), Some(Kind::StatefulSet));
    scene.cycle_with(|_| Outcome::Unknown);
    scene.wait(minutes(59));
    assert_eq!(reported(&scene), Some(Kind::StatefulSet));
    scene.wait(minutes(1));
    assert_eq!(names(&scene.plan().decommissions), [WEB]);
}

#[test]
fn promise_2_who_came_back_and_was_not_answered_is_reported_again_where_it_has_no_digest_now() {
    let mut scene = came_back();
    scene.change_pods("web", |pod| pod.containers[0].digest = None);
    assert_eq!(reported(&scene), Some(Kind::Deployment));
    // While it is refused it is said as often as anything that is.
    scene.cycle_with(|_| Outcome::Refused(Reason::NotFound));
    let plan = scene.plan();
    assert_eq!(plan.withheld, [(scene.identity(WEB), Why::Refused)]);
    scene.now = plan.due.unwrap();
    assert_eq!(reported(&scene), Some(Kind::Deployment));
    scene.wait(minutes(10));
    assert_eq!(reported(&scene), Some(Kind::Deployment));
}

#[test]
fn a_takeover_that_is_refused_in_the_end_leaves_the_name_to_its_old_owners_row() {
    let mut scene = taken_over();
    scene.remove_pods("web");
    scene.wait(minutes(10));
    scene.cycle_with(|_| Outcome::Refused(Reason::NotFound));
    let plan = scene.plan();
    assert_eq!(names(&plan.decommissions), [WEB]);
    assert_eq!(plan.decommissions[0].line.body.digest, digest(1));
}

#[test]
fn a_takeover_that_is_refused_before_that_is_withheld() {
    let mut scene = taken_over();
    scene.cycle_with(|_| Outcome::Refused(Reason::NotFound));
    let plan = scene.plan();
    assert_eq!(plan.withheld, [(scene.identity(WEB), Why::Refused)]);
    assert!(plan.decommissions.is_empty() && plan.reports.is_empty());
}

#[test]
fn a_takeover_that_was_not_answered_ends_when_nobody_of_them_is_there() {
    let mut scene = taken_over();
    scene.delete(&Kind::StatefulSet, "web");
    assert_eq!(names(&scene.plan().decommissions), [WEB]);
}

#[test]
fn what_was_acknowledged_after_it_is_judged_by_its_own_owner() {
    let mut scene = taken_over();
    scene.delete(&Kind::StatefulSet, "web");
    scene.deploy("web", "app", 3);
    scene.cycle();
    assert_eq!(
        held_by(&scene, WEB).unwrap().workload.kind,
        Kind::Deployment
    );
    scene.forbid(&Kind::StatefulSet);
    scene.delete(&Kind::Deployment, "web");
    assert_eq!(names(&scene.plan().decommissions), [WEB]);
}

#[test]
fn what_is_unanswered_does_not_grow_with_every_change_of_a_tag() {
    let mut scene = Scene::recorded();
    let change = |scene: &mut Scene, number: u64, version: u64| {
        scene.wait(minutes(1));
        scene.change_pods("web", |pod| {
            pod.annotations = annotations(&[("number", &number.to_string())]);
            pod.containers[0].digest = Some(digest(version));
        });
        scene.cycle_with(|_| Outcome::Unknown);
    };
    for number in 0..1440 {
        change(&mut scene, number, 1 + number / 720);
    }
    let entry = scene.entry(WEB).unwrap();
    assert_eq!(entry.sent.len(), 16, "some for each digest");
    assert_eq!(
        entry.bodies()[0].tags.get("number").map(|it| &**it),
        Some("1439")
    );
    assert!(entry.is_in_doubt());

    let same = scene.facts.pods[0].containers.clone();
    scene.delete(&Kind::Deployment, "web");
    scene.run(&Kind::StatefulSet, "web", same);
    scene.cycle_with(|_| Outcome::Unknown);
    let entry = scene.entry(WEB).unwrap();
    assert_eq!(entry.sent.len(), 17, "for another it is another");
}

#[test]
fn promise_3_what_is_refused_late_is_not_all_that_may_have_been_applied() {
    let mut scene = Scene::new();
    scene.deploy("web", "app", 1);
    for tag in ["a", "b"] {
        scene.change_pods("web", |pod| {
            pod.annotations = annotations(&[("tag", tag)]);
        });
        scene.cycle_with(|_| Outcome::Unknown);
    }
    scene.wait(minutes(10));
    scene.cycle_with(|_| Outcome::Refused(Reason::Invalid));
    scene.delete(&Kind::Deployment, "web");
    assert_eq!(names(&scene.plan().decommissions), [WEB]);
}

#[test]
fn promise_2_a_copy_by_which_another_has_the_name_with_the_same_body_lets_it_claim_it() {
    let mut newer = Scene::recorded();
    newer.delete(&Kind::Deployment, "web");
    let same = container("app", "ghcr.io/acme/web:1", 1);
    newer.run(&Kind::StatefulSet, "web", [same]);
    newer.cycle();
    let mut scene = Scene::recorded();
    scene.delete(&Kind::Deployment, "web");
    scene.forbid(&Kind::StatefulSet);
    let strays = std::mem::take(&mut newer.ledger);
    scene.ledger.unite_strays(strays, scene.now);
    assert!(is_withheld(&scene));
}

#[test]
fn promise_3_a_copy_that_may_be_the_newer_one_keeps_what_it_says_was_held() {
    let mut newer = Scene::recorded();
    newer.change_pods("web", |pod| pod.containers[0].digest = Some(digest(2)));
    newer.cycle();
    let mut scene = Scene::recorded();
    let strays = std::mem::take(&mut newer.ledger);
    scene.ledger.unite_strays(strays, scene.now);
    let bodies = scene.entry(WEB).unwrap().bodies();
    let digests: Vec<_> = bodies.iter().map(|body| body.digest).collect();
    assert_eq!(digests, [digest(2), digest(1)]);
    assert_eq!(names(&scene.plan().reports), [WEB], "GitHub is asked");
}

#[test]
fn a_copy_that_says_the_name_has_ended_lets_what_runs_be_reported_again() {
    let mut newer = Scene::recorded();
    newer.delete(&Kind::Deployment, "web");
    newer.cycle();
    assert!(newer.entry(WEB).unwrap().is_tombstone());
    let mut scene = Scene::recorded();
    let strays = std::mem::take(&mut newer.ledger);
    scene.ledger.unite_strays(strays, scene.now);
    let sent = &scene.entry(WEB).unwrap().sent;
    assert_eq!(sent[0].status, Status::Decommissioned);
    assert_eq!(names(&scene.cycle().reports), [WEB]);
}

#[test]
fn a_copy_that_says_the_same_changes_nothing() {
    let mut other = Scene::recorded();
    let mut scene = Scene::recorded();
    let strays = std::mem::take(&mut other.ledger);
    scene.ledger.unite_strays(strays, scene.now);
    assert!(!scene.entry(WEB).unwrap().is_unanswered());
    assert_eq!(names(&scene.plan().unchanged), [WEB]);
}
