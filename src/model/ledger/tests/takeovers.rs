//! Names that one workload takes over from another while answers are missing or GitHub refuses: whose
//! the name is meanwhile, and that what is gone does not stay.

use std::sync::Arc;

use crate::model::facts::State;
use crate::model::fixtures::{
    Scene, container, digest, held_by, minutes, names, source, source_of,
};
use crate::model::gap::Reason;
use crate::model::ledger::{Entry, Outcome, Owner};
use crate::model::plan::Step;
use crate::model::record::Status;
use crate::model::workload::{Kind, Source};

use super::claims::{
    WEB, idle_for_long, run_set, take_over, taken_over, taken_over_from_an_idle_one,
};

type Change = fn(&mut Scene);

fn set() -> Source {
    source_of(Kind::StatefulSet, "web", "app")
}

fn refuses_reports(step: &Step) -> Outcome {
    match step.line.status {
        Status::Deployed => Outcome::Refused(Reason::NotFound),
        Status::Decommissioned => Outcome::Acknowledged,
    }
}

/// The Deployment goes, and its pods.
fn only_the_set_is_left(scene: &mut Scene) {
    scene
        .facts
        .objects
        .retain(|it| it.kind == Kind::StatefulSet);
    scene.facts.pods.retain(|pod| {
        let controller = pod.controller.as_ref();
        controller.is_some_and(|it| it.kind == Kind::StatefulSet)
    });
}

/// After how many minutes the record has ended, while GitHub refuses every report.
fn refused_until_it_ends(scene: &mut Scene) -> Option<u64> {
    (0..500).map(|cycle| cycle * 10).find(|_| {
        scene.cycle_with(refuses_reports);
        let has_ended = scene.entry(WEB).is_none_or(Entry::is_tombstone);
        scene.wait(minutes(10));
        has_ended
    })
}

#[test]
fn promise_7_who_takes_over_and_is_refused_with_its_next_image_does_not_keep_the_old_record() {
    let mut scene = taken_over();
    scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(3)));
    let ended = refused_until_it_ends(&mut scene);
    assert!(ended.is_some_and(|ended| ended <= 70), "{ended:?}");
}

#[test]
fn promise_7_who_wants_the_name_of_an_idle_one_and_is_refused_does_not_keep_its_record() {
    let mut scene = idle_for_long();
    run_set(&mut scene);
    let ended = refused_until_it_ends(&mut scene);
    assert!(ended.is_some_and(|ended| ended <= 60), "{ended:?}");
}

#[test]
fn a_name_that_is_wanted_stays_the_same_while_the_request_fails() {
    let mut scene = idle_for_long();
    run_set(&mut scene);
    for _ in 0..3 {
        let plan = scene.cycle_with(|_| Outcome::NotApplied);
        assert_eq!(&*plan.names[&set()].name, WEB);
        scene.wait(minutes(1));
    }
}

#[test]
fn promise_2_the_old_owner_that_is_back_does_not_write_over_who_may_have_its_name() {
    // Whether the set is reported at once, if the name had not ended or had: else it is withheld.
    let cases: [(&str, Change, [bool; 2]); 3] = [
        ("runs", |_| {}, [true, true]),
        ("idle", |scene| scene.remove_pods("web"), [false, true]),
        (
            "not seen",
            |scene| scene.forbid(&Kind::StatefulSet),
            [false, false],
        ),
    ];
    for (case, change, is_said_again) in cases {
        for ended in [false, true] {
            let mut scene = Scene::recorded();
            scene.delete(&Kind::Deployment, "web");
            if ended {
                scene.cycle();
            }
            take_over(&mut scene);
            change(&mut scene);
            scene.deploy("web", "app", 3);
            let plan = scene.cycle_with(|_| Outcome::Unknown);
            let own = &plan.names[&source("web", "app")].name;
            assert_ne!(&**own, WEB, "{case}, ended: {ended}");
            let mut of_web = plan.reports.iter();
            let of_web = of_web.find(|step| &*step.line.identity.name == WEB);
            let of_web = of_web.map(|step| &step.owner);
            let expected = is_said_again[usize::from(ended)].then(|| Owner::Source(set()));
            assert_eq!(of_web, expected.as_ref(), "{case}, ended: {ended}");
            only_the_set_is_left(&mut scene);
            let plan = scene.plan();
            assert!(!names(&plan.decommissions).contains(&WEB), "{case}");
        }
    }
}

#[test]
fn the_old_owner_that_is_back_goes_on_with_its_name_when_who_took_it_over_is_gone() {
    let mut scene = taken_over();
    scene.delete(&Kind::StatefulSet, "web");
    scene.deploy("web", "app", 3);
    assert_eq!(names(&scene.plan().reports), [WEB]);
}

/// It is said again to settle what is unanswered, which need not be stored.
#[test]
fn what_is_not_stored_of_what_came_later_does_not_open_a_claim_again() {
    for leaves in [false, true] {
        let mut scene = taken_over();
        scene.delete(&Kind::StatefulSet, "web");
        scene.deploy("web", "app", 1);
        scene.cycle();
        scene.wait(minutes(10));
        if leaves {
            scene.cycle_with(|_| Outcome::Unknown);
        } else {
            let plan = scene.plan();
            let step = &plan.reports[0];
            scene.ledger.intend(&step.line, &step.owner);
        }
        scene.restart();
        scene.delete(&Kind::Deployment, "web");
        scene.add_workload(&Kind::StatefulSet, "web");
        let plan = scene.plan();
        assert_eq!(names(&plan.reports), [""; 0], "it left: {leaves}");
        assert_eq!(names(&plan.decommissions), [WEB], "it left: {leaves}");
    }
}

#[test]
fn promise_2_what_is_to_be_said_again_and_never_left_closes_no_claim() {
    let mut scene = taken_over();
    scene.delete(&Kind::StatefulSet, "web");
    scene.deploy("web", "app", 1);
    let plan = scene.plan();
    let step = &plan.reports[0];
    scene.ledger.intend(&step.line, &step.owner);
    scene.restart();
    let claim = scene.entry(WEB).unwrap().claim();
    assert_eq!(claim.and_then(|claim| claim.owner.source()), Some(&set()));
}

/// The set is gone, and the Deployment, which is back, does not run yet.
#[test]
fn promise_7_what_is_held_is_said_again_where_who_may_have_written_over_it_is_gone() {
    let cases: [(&str, Change); 2] = [
        ("without a digest", |scene| {
            scene.change_pods("web", |pod| pod.containers[0].digest = None);
        }),
        ("starting", |scene| {
            scene.change_pods("web", |pod| pod.containers[0].state = State::NeverRan);
        }),
    ];
    for (case, change) in cases {
        let mut scene = taken_over();
        scene.delete(&Kind::StatefulSet, "web");
        scene.deploy("web", "app", 3);
        change(&mut scene);
        let plan = scene.cycle();
        assert_eq!(names(&plan.reports), [WEB], "{case}");
        assert_eq!(plan.reports[0].owner.source(), Some(&source("web", "app")));
        assert_eq!(plan.reports[0].line.body.digest, digest(1), "{case}");
        let plan = scene.cycle();
        assert_eq!(names(&plan.reports), [""; 0], "{case}");
        assert_eq!(plan.due, Some(scene.now + minutes(10)), "{case}");
        scene.wait(minutes(10));
        assert_eq!(names(&scene.cycle().reports), [WEB], "to settle it: {case}");
        let plan = scene.plan();
        assert_eq!(names(&plan.retained), [WEB], "{case}");
        assert!(plan.reports.is_empty() && plan.due.is_none(), "{case}");
    }
}

#[test]
fn promise_7_what_its_owner_said_last_is_said_again_where_who_may_have_written_over_it_is_gone() {
    let mut scene = Scene::recorded();
    scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(3)));
    scene.cycle_with(|_| Outcome::Unknown);
    scene.delete(&Kind::Deployment, "web");
    take_over(&mut scene);
    scene.delete(&Kind::StatefulSet, "web");
    scene.deploy("web", "app", 4);
    scene.change_pods("web", |pod| pod.containers[0].state = State::NeverRan);
    let plan = scene.plan();
    assert_eq!(names(&plan.reports), [WEB]);
    assert_eq!(plan.reports[0].line.body.digest, digest(3));
    assert_eq!(plan.reports[0].owner.source(), Some(&source("web", "app")));
}

/// The Deployment has another name by then, since the set may have its own.
#[test]
fn promise_2_a_name_that_may_be_anothers_is_no_place_that_its_owner_is_back_at() {
    let mut scene = taken_over();
    scene.forbid(&Kind::StatefulSet);
    scene.delete(&Kind::StatefulSet, "web");
    scene.deploy("web", "app", 3);
    let other = scene.cycle().reports[0].line.identity.clone();
    assert_ne!(&*other.name, WEB);
    scene.read(&Kind::StatefulSet);
    for outcome in [Outcome::Unknown, Outcome::Acknowledged] {
        let plan = scene.cycle_with(|_| outcome);
        assert_eq!(names(&plan.reports), [WEB]);
        assert_eq!(names(&plan.decommissions), [""; 0]);
    }
    assert_eq!(scene.plan().decommissions[0].line.identity, other);
}

#[test]
fn promise_7_a_name_does_not_wait_for_who_took_it_over_and_fails_elsewhere() {
    for failure in [Outcome::Refused(Reason::NotFound), Outcome::NotApplied] {
        let mut scene = taken_over();
        let namespace = Arc::make_mut(&mut scene.facts.namespaces[0]);
        namespace.logical_environment = Some("staging".into());
        let elsewhere = |step: &Step| {
            let environment = &step.line.identity.destination.logical_environment;
            match &**environment {
                "staging" => failure,
                _ => Outcome::Acknowledged,
            }
        };
        scene.cycle_with(elsewhere);
        assert_eq!(held_by(&scene, WEB), Some(&set()), "{failure:?}");
    }
}

/// The Deployment `web` was never answered, nor was the set that took its name over; both are gone.
fn never_answered_and_taken_over() -> Scene {
    let mut scene = Scene::new();
    scene.deploy("web", "app", 1);
    scene.cycle_with(|_| Outcome::Unknown);
    scene.delete(&Kind::Deployment, "web");
    take_over(&mut scene);
    scene.delete(&Kind::StatefulSet, "web");
    scene
}

#[test]
fn promise_7_what_somebody_who_is_gone_may_have_reported_ends_where_its_owner_has_nothing_there() {
    let mut scene = never_answered_and_taken_over();
    scene.deploy("web", "app", 1);
    scene.wait(minutes(10));
    scene.cycle_with(|_| Outcome::Refused(Reason::NotFound));
    let plan = scene.plan();
    assert_eq!(names(&plan.decommissions), [WEB]);
    assert_eq!(plan.decommissions[0].line.body.digest, digest(2));
    assert_eq!(plan.missing, [scene.identity(WEB)], "the guard counts it");
}

#[test]
fn promise_2_of_several_who_may_have_written_over_a_name_not_all_may_be_gone() {
    let mut scene = never_answered_and_taken_over();
    scene.run(
        &Kind::DaemonSet,
        "web",
        [container("app", "ghcr.io/acme/web:4", 4)],
    );
    scene.cycle_with(|_| Outcome::Unknown);
    scene.delete(&Kind::DaemonSet, "web");
    scene.deploy("web", "app", 1);
    scene.wait(minutes(10));
    scene.cycle_with(|_| Outcome::Refused(Reason::NotFound));
    let plan = scene.plan();
    assert_eq!(names(&plan.decommissions), [""; 0]);
    assert_eq!(plan.silent, [scene.identity(WEB)]);
}

#[test]
fn what_was_acknowledged_since_is_not_undone_by_what_was_said_before() {
    let mut scene = taken_over();
    scene.delete(&Kind::StatefulSet, "web");
    scene.deploy("web", "app", 3);
    scene.cycle_with(|_| Outcome::Unknown);
    scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(4)));
    scene.cycle();
    scene.change_pods("web", |pod| pod.containers[0].state = State::Ran);
    scene.wait(minutes(10));
    let plan = scene.plan();
    assert_eq!(names(&plan.reports), [WEB]);
    assert_eq!(plan.reports[0].line.body.digest, digest(4));
}

#[test]
fn what_is_held_is_not_said_again_over_what_its_owner_said_since() {
    let mut scene = Scene::recorded();
    scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(2)));
    scene.cycle_with(|_| Outcome::Unknown);
    scene.change_pods("web", |pod| pod.containers[0].digest = None);
    scene.wait(minutes(60));
    assert_eq!(names(&scene.plan().reports), [""; 0]);
}

#[test]
fn promise_2_for_how_long_somebody_else_is_idle_does_not_count_for_who_takes_the_name_over() {
    let mut scene = taken_over_from_an_idle_one();
    scene.change_pods("web", |pod| pod.containers[0].digest = None);
    for _ in 0..7 {
        scene.cycle_with(|_| Outcome::Unknown);
        scene.wait(minutes(10));
    }
    scene.remove_pods("web");
    assert_eq!(names(&scene.plan().decommissions), [""; 0]);
}
