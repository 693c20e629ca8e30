//! Reports: taken, refused, lost, and when they are sent again.

use crate::model::fixtures::{Scene, digest, held_by, minutes, names, source_of};
use crate::model::gap::Reason;
use crate::model::ledger::{Fate, Outcome};
use crate::model::workload::Kind;

const WEB: &str = "shop-web-app";

/// How many minutes pass between refusals, one after the other.
fn pauses(scene: &mut Scene, reason: Reason, count: usize) -> Vec<u64> {
    let mut pauses = Vec::new();
    for _ in 0..count {
        assert_eq!(
            names(&scene.cycle_with(|_| Outcome::Refused(reason)).reports),
            [WEB]
        );
        let plan = scene.plan();
        assert!(plan.reports.is_empty(), "not before its retry");
        let pause = plan.due.unwrap().since(scene.now);
        pauses.push(pause.as_secs() / 60);
        scene.wait(pause);
    }
    pauses
}

#[test]
fn an_acknowledged_report_is_held_and_nothing_is_under_way() {
    let scene = Scene::recorded();
    let entry = scene.entry(WEB).unwrap();
    assert_eq!(entry.held.as_ref().unwrap().digest, digest(1));
    assert!(entry.sent.is_empty() && !entry.is_tombstone() && !entry.is_unanswered());
}

#[test]
fn a_refused_report_is_retried_after_a_minute_doubling_to_an_hour_and_after_a_day_once_a_day() {
    let mut scene = Scene::new();
    scene.deploy("web", "app", 1);
    let pauses = pauses(&mut scene, Reason::NotFound, 33);
    assert_eq!(pauses[..8], [1, 2, 4, 8, 16, 32, 60, 60]);
    // Six doublings make 63 minutes; 23 hours later a day has passed.
    assert_eq!(pauses[28..], [60, 1440, 1440, 1440, 1440]);
}

#[test]
fn a_refusal_for_another_reason_goes_on_with_the_same_schedule() {
    let mut scene = Scene::new();
    scene.deploy("web", "app", 1);
    assert_eq!(pauses(&mut scene, Reason::NotFound, 2), [1, 2]);
    assert_eq!(pauses(&mut scene, Reason::Unauthorized, 2), [4, 8]);
}

#[test]
fn a_quarantined_report_is_retried_after_an_hour_doubling_to_a_day() {
    let mut scene = Scene::new();
    scene.deploy("web", "app", 1);
    let pauses = pauses(&mut scene, Reason::Invalid, 7);
    assert_eq!(pauses, [60, 120, 240, 480, 960, 1440, 1440]);
}

#[test]
fn a_refused_change_leaves_what_is_held() {
    let mut scene = Scene::recorded();
    scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(2)));
    scene.cycle_with(|_| Outcome::Refused(Reason::NotFound));
    let entry = scene.entry(WEB).unwrap();
    assert_eq!(entry.held.as_ref().unwrap().digest, digest(1));
    assert!(entry.sent.is_empty());
    // A new process asks once more.
    scene.restart();
    assert_eq!(names(&scene.cycle().reports), [WEB]);
    assert_eq!(
        scene.entry(WEB).unwrap().held.as_ref().unwrap().digest,
        digest(2)
    );
    assert_eq!(scene.ledger.refusals().count(), 0);
}

#[test]
fn promise_3_a_refused_report_stays_while_it_may_still_be_applied_and_leaves_when_refused_later() {
    let mut scene = Scene::new();
    scene.deploy("web", "app", 1);
    scene.cycle_with(|_| Outcome::Unknown);
    scene.cycle_with(|_| Outcome::Refused(Reason::NotFound));
    scene.wait(minutes(9));
    scene.cycle_with(|_| Outcome::Refused(Reason::NotFound));
    let entry = scene.entry(WEB).unwrap();
    assert!(entry.held.is_none() && entry.is_unanswered());
    let mut gone = scene.plan();
    assert!(gone.decommissions.is_empty(), "it runs");
    scene.delete(&Kind::Deployment, "web");
    gone = scene.plan();
    assert_eq!(names(&gone.decommissions), [WEB], "it may be there");

    scene.deploy("web", "app", 1);
    scene.wait(minutes(2));
    scene.cycle_with(|_| Outcome::Refused(Reason::NotFound));
    assert!(scene.ledger.is_empty(), "GitHub never had it");
    assert_eq!(scene.ledger.touched().len(), 1);
    let plan = scene.plan();
    assert_eq!(plan.gaps[0].reason, Reason::NotFound);
    scene.delete(&Kind::Deployment, "web");
    assert!(scene.plan().decommissions.is_empty());
}

#[test]
fn promise_3_the_refusal_of_another_body_says_nothing_of_one_that_may_have_been_applied() {
    let mut scene = Scene::new();
    scene.deploy("web", "app", 1);
    scene.cycle_with(|_| Outcome::Unknown);
    scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(2)));
    scene.wait(minutes(600));
    scene.cycle_with(|_| Outcome::Refused(Reason::NotFound));
    assert!(scene.entry(WEB).is_some());
    scene.delete(&Kind::Deployment, "web");
    assert_eq!(scene.plan().decommissions[0].line.body.digest, digest(1));
}

#[test]
fn promise_3_a_refused_end_says_nothing_of_what_may_have_been_applied() {
    let mut scene = Scene::new();
    scene.deploy("web", "app", 1);
    scene.cycle_with(|_| Outcome::Unknown);
    scene.delete(&Kind::Deployment, "web");
    for _ in 0..12 {
        scene.cycle_with(|_| Outcome::Refused(Reason::Unauthorized));
        scene.wait(minutes(1440));
    }
    assert!(scene.entry(WEB).is_some());
}

#[test]
fn a_refusal_that_comes_late_enough_ends_the_doubt_about_what_is_held() {
    for refused in [2, 3] {
        let mut scene = Scene::recorded();
        scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(2)));
        scene.cycle_with(|_| Outcome::Unknown);
        scene.change_pods("web", |pod| {
            pod.containers[0].digest = Some(digest(refused));
        });
        scene.cycle_with(|_| Outcome::Refused(Reason::NotFound));
        assert!(
            scene.plan().snapshot().is_empty(),
            "what is held is not sure"
        );
        scene.wait(minutes(10));
        scene.cycle_with(|_| Outcome::Refused(Reason::NotFound));
        assert_eq!(scene.ledger.touched().len(), 1, "{refused}");
        let plan = scene.snapshot_with(|_| Outcome::Acknowledged);
        assert_eq!(plan.retained[0].line.body.digest, digest(1), "{refused}");
        assert!(!scene.entry(WEB).unwrap().is_unanswered(), "{refused}");
    }
}

#[test]
fn what_is_held_is_said_at_once_when_it_runs_again_and_something_else_may_be_there() {
    let mut scene = Scene::recorded();
    scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(2)));
    scene.cycle_with(|_| Outcome::Unknown);
    scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(3)));
    scene.wait(minutes(10));
    scene.cycle_with(|_| Outcome::Refused(Reason::NotFound));
    scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(1)));
    assert_eq!(names(&scene.cycle().reports), [WEB]);
    assert!(!scene.entry(WEB).unwrap().is_unanswered());
    assert_eq!(names(&scene.plan().unchanged), [WEB]);
}

#[test]
fn promise_3_what_may_have_been_applied_is_ended_until_what_is_held_is_acknowledged_again() {
    let mut scene = Scene::recorded();
    scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(2)));
    scene.cycle_with(|_| Outcome::Unknown);
    scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(3)));
    scene.wait(minutes(10));
    scene.cycle_with(|_| Outcome::Refused(Reason::NotFound));
    scene.delete(&Kind::Deployment, "web");
    assert_eq!(scene.plan().decommissions[0].line.body.digest, digest(2));
    scene.cycle_with(|_| Outcome::Refused(Reason::NotFound));
    assert_eq!(scene.plan().decommissions[0].line.body.digest, digest(1));
}

#[test]
fn a_refusal_is_forgotten_when_it_is_due_and_nobody_wants_its_record() {
    let mut scene = Scene::new();
    scene.deploy("web", "app", 1);
    scene.cycle_with(|_| Outcome::Refused(Reason::NotFound));
    let web = scene.identity(WEB);
    scene.ledger.forget_refusals(|_| false, scene.now);
    assert_eq!(scene.ledger.refusals().count(), 1, "not due");
    scene.wait(minutes(1));
    let now = scene.now;
    scene.ledger.forget_refusals(|name| *name == web, now);
    assert_eq!(scene.ledger.refusals().count(), 1, "wanted");
    scene.ledger.forget_refusals(|_| false, now);
    assert_eq!(scene.ledger.refusals().count(), 0);
}

#[test]
fn an_unknown_outcome_is_settled_only_by_an_answer_that_comes_late_enough() {
    let mut scene = Scene::new();
    scene.deploy("web", "app", 1);
    scene.cycle_with(|_| Outcome::Unknown);
    scene.cycle();
    let entry = scene.entry(WEB).unwrap();
    assert!(entry.held.is_some() && entry.is_unanswered());
    assert_eq!(entry.settles_at(minutes(10)), Some(scene.now + minutes(10)));
    scene.wait(minutes(9));
    scene.snapshot_with(|_| Outcome::Acknowledged);
    assert!(scene.entry(WEB).unwrap().is_unanswered());
    scene.wait(minutes(1));
    scene.cycle();
    assert!(!scene.entry(WEB).unwrap().is_unanswered());
}

#[test]
fn a_second_unknown_outcome_begins_the_wait_anew_and_is_kept_once() {
    let mut scene = Scene::new();
    scene.deploy("web", "app", 1);
    for _ in 0..3 {
        scene.cycle_with(|_| Outcome::Unknown);
        scene.wait(minutes(6));
    }
    let entry = scene.entry(WEB).unwrap();
    assert_eq!(entry.sent.len(), 1);
    scene.cycle();
    assert!(
        scene.entry(WEB).unwrap().is_unanswered(),
        "six minutes after the last"
    );
}

#[test]
fn what_never_left_is_taken_back_and_what_nothing_was_sent_for_is_forgotten() {
    let mut scene = Scene::recorded();
    scene.deploy("api", "app", 3);
    scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(2)));
    let plan = scene.plan();
    for step in &plan.reports {
        assert!(scene.ledger.intend(&step.line, &step.owner));
    }
    assert_eq!(scene.ledger.len(), 2);
    scene.ledger.stored();
    scene.ledger.take_back_unsent();
    assert_eq!(scene.ledger.len(), 1);
    assert!(scene.entry(WEB).unwrap().sent.is_empty());
    assert_eq!(scene.ledger.touched().len(), 2, "the store still has both");
}

#[test]
fn a_restart_takes_everything_unanswered_for_unknown_and_waits_anew() {
    let mut scene = Scene::recorded();
    scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(2)));
    let plan = scene.plan();
    scene
        .ledger
        .intend(&plan.reports[0].line, &plan.reports[0].owner);
    scene.restart();
    let entry = scene.entry(WEB).unwrap();
    assert_eq!(entry.sent[0].fate, Fate::Unknown);
    // It did leave, or not: the decommission names what may be there.
    scene.delete(&Kind::Deployment, "web");
    assert_eq!(scene.plan().decommissions[0].line.body.digest, digest(2));
    scene.deploy("web", "app", 1);
    assert_eq!(
        names(&scene.cycle().reports),
        [WEB],
        "held, but not for sure"
    );
    scene.wait(minutes(9));
    scene.cycle();
    assert!(scene.entry(WEB).unwrap().is_unanswered());
    scene.wait(minutes(1));
    scene.cycle();
    assert!(!scene.entry(WEB).unwrap().is_unanswered());
}

#[test]
fn a_takeover_changes_hands_only_when_it_is_acknowledged() {
    let mut scene = Scene::recorded();
    let old = crate::model::fixtures::source("web", "app");
    let new = source_of(Kind::StatefulSet, "web", "app");
    scene.delete(&Kind::Deployment, "web");
    let container = crate::model::fixtures::container("app", "ghcr.io/acme/web:2", 2);
    scene.run(&Kind::StatefulSet, "web", [container]);
    for outcome in [Outcome::NotApplied, Outcome::Unknown] {
        let plan = scene.cycle_with(|_| outcome);
        assert_eq!(names(&plan.reports), [WEB]);
        assert!(plan.decommissions.is_empty());
        assert_eq!(held_by(&scene, WEB), Some(&old));
    }
    scene.cycle();
    assert_eq!(held_by(&scene, WEB), Some(&new));
    assert!(
        scene.entry(WEB).unwrap().is_unanswered(),
        "the unknown one may still come"
    );
    scene.wait(minutes(10));
    assert_eq!(names(&scene.cycle().reports), [WEB]);
    assert_eq!(names(&scene.plan().unchanged), [WEB]);
}

#[test]
fn a_takeover_that_is_refused_still_ends_the_old_record() {
    let mut scene = Scene::recorded();
    scene.delete(&Kind::Deployment, "web");
    let container = crate::model::fixtures::container("app", "ghcr.io/acme/web:2", 2);
    scene.run(&Kind::StatefulSet, "web", [container]);
    scene.cycle_with(|_| Outcome::Refused(Reason::NotFound));
    let plan = scene.cycle();
    assert_eq!(names(&plan.decommissions), [WEB]);
    assert_eq!(plan.decommissions[0].line.body.digest, digest(1));
    assert!(plan.reports.is_empty());
    assert!(scene.entry(WEB).unwrap().is_tombstone());
    assert!(scene.plan().reports.is_empty(), "its retry is not due");
    scene.wait(minutes(1));
    assert_eq!(names(&scene.cycle().reports), [WEB]);
    assert!(!scene.entry(WEB).unwrap().is_tombstone());
}

#[test]
fn promise_3_a_takeover_of_unknown_outcome_ends_with_the_body_that_may_be_there() {
    let mut scene = Scene::recorded();
    scene.delete(&Kind::Deployment, "web");
    let container = crate::model::fixtures::container("app", "ghcr.io/acme/web:2", 2);
    scene.run(&Kind::StatefulSet, "web", [container]);
    scene.cycle_with(|_| Outcome::Unknown);
    scene.delete(&Kind::StatefulSet, "web");
    scene.restart();
    assert_eq!(scene.plan().decommissions[0].line.body.digest, digest(2));
    scene.cycle_with(|_| Outcome::Refused(Reason::NotFound));
    assert_eq!(scene.plan().decommissions[0].line.body.digest, digest(1));
}

#[test]
fn promise_3_a_takeover_by_the_same_body_is_stored_before_it_leaves() {
    let mut scene = Scene::recorded();
    let mut moved = scene.plan().unchanged[0].clone();
    assert!(
        !scene.ledger.intend(&moved.line, &moved.owner),
        "held already"
    );
    moved.owner = crate::model::ledger::Owner::Source(source_of(Kind::Job, "web", "app"));
    assert!(scene.ledger.intend(&moved.line, &moved.owner));
}
