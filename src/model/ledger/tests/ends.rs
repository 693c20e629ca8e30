//! Ends: decommissions, tombstones, and what GitHub will not end.

use std::collections::BTreeSet;

use crate::model::fixtures::{Scene, digest, minutes, names};
use crate::model::gap::Reason;
use crate::model::ledger::Outcome;
use crate::model::plan::Why;
use crate::model::record::Status;
use crate::model::workload::Kind;

const WEB: &str = "shop-web-app";

/// The scene in which `web` was recorded with digest 1, changed to digest 2 without an answer, and
/// is gone.
fn gone_while_unanswered() -> Scene {
    let mut scene = Scene::recorded();
    scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(2)));
    scene.cycle_with(|_| Outcome::Unknown);
    scene.delete(&Kind::Deployment, "web");
    scene
}

/// The digest of the one decommission that is planned, if there is one.
fn end(scene: &Scene) -> Option<crate::model::image::Digest> {
    let plan = scene.plan();
    assert!(plan.decommissions.len() <= 1);
    plan.decommissions.first().map(|step| step.line.body.digest)
}

#[test]
fn a_decommission_is_what_is_held_with_nothing_but_the_status_changed() {
    let mut scene = Scene::new();
    scene.deploy("web", "app", 1);
    scene.change_pods("web", |pod| {
        pod.annotations = crate::model::fixtures::annotations(&[
            ("team", "cart"),
            ("repository", "web"),
            ("runtime-risks", "sensitive-data"),
        ]);
    });
    scene.cycle();
    let held = scene.entry(WEB).unwrap().held.clone().unwrap();
    assert!(held.repository.is_some() && !held.tags.is_empty() && !held.risks.is_empty());
    scene.delete(&Kind::Deployment, "web");
    let line = scene.plan().decommissions[0].line.clone();
    assert_eq!((line.body, line.status), (held, Status::Decommissioned));
}

#[test]
fn a_decommission_of_something_unanswered_names_that_and_when_refused_the_other_once_a_pause() {
    for reason in [Reason::NotFound, Reason::Unauthorized, Reason::Invalid] {
        let mut scene = gone_while_unanswered();
        for pause in [1, 2, 4] {
            assert_eq!(end(&scene), Some(digest(2)), "{reason}");
            scene.cycle_with(|_| Outcome::Refused(reason));
            assert_eq!(end(&scene), Some(digest(1)), "{reason}: at once");
            scene.cycle_with(|_| Outcome::Refused(reason));
            let plan = scene.plan();
            assert_eq!(plan.withheld, [(scene.identity(WEB), Why::EndRefused)]);
            assert_eq!(plan.due, Some(scene.now + minutes(pause)), "{reason}");
            scene.wait(minutes(pause));
        }
        scene.cycle_with(|_| Outcome::Refused(reason));
        scene.cycle();
        assert!(scene.entry(WEB).unwrap().is_tombstone(), "{reason}");
    }
}

#[test]
fn a_decommission_that_is_refused_for_its_tags_is_tried_with_those_that_github_took() {
    let mut scene = Scene::recorded();
    scene.change_pods("web", |pod| {
        pod.annotations = crate::model::fixtures::annotations(&[("team", "cart")]);
    });
    scene.cycle_with(|_| Outcome::Unknown);
    scene.delete(&Kind::Deployment, "web");
    let plan = scene.cycle_with(|_| Outcome::Refused(Reason::Invalid));
    assert!(!plan.decommissions[0].line.body.tags.is_empty());
    let plan = scene.cycle();
    assert!(plan.decommissions[0].line.body.tags.is_empty());
    assert!(scene.entry(WEB).unwrap().is_tombstone());
}

#[test]
fn a_refused_decommission_is_retried_after_a_minute_doubling_to_a_day() {
    for reason in [Reason::NotFound, Reason::Unauthorized, Reason::Invalid] {
        let mut scene = Scene::recorded();
        scene.delete(&Kind::Deployment, "web");
        let mut pauses = Vec::new();
        for _ in 0..13 {
            let plan = scene.cycle_with(|_| Outcome::Refused(reason));
            assert_eq!(names(&plan.decommissions), [WEB]);
            let plan = scene.plan();
            assert!(plan.decommissions.is_empty(), "{reason}");
            let pause = plan.due.unwrap().since(scene.now);
            pauses.push(pause.as_secs() / 60);
            scene.wait(pause);
        }
        assert_eq!(
            pauses,
            [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1440, 1440]
        );
        assert!(scene.entry(WEB).is_some(), "it never leaves by itself");
    }
}

#[test]
fn a_body_that_goes_out_under_another_name_counts_as_tried() {
    let mut scene = Scene::recorded();
    scene.delete(&Kind::Deployment, "web");
    let container = crate::model::fixtures::container("app", "ghcr.io/acme/a:1", 1);
    scene.run(&Kind::Deployment, "a", [container]);
    scene.cycle_with(|step| match step.line.status {
        Status::Deployed => Outcome::Acknowledged,
        Status::Decommissioned => Outcome::Refused(Reason::NotFound),
    });
    let plan = scene.plan();
    assert!(plan.decommissions.is_empty(), "not before its retry");
    assert_eq!(plan.withheld, [(scene.identity(WEB), Why::EndRefused)]);
}

#[test]
fn a_decommission_of_unknown_outcome_is_sent_again_and_ends_twice_all_the_same() {
    let mut scene = Scene::recorded();
    scene.delete(&Kind::Deployment, "web");
    scene.cycle_with(|_| Outcome::Unknown);
    assert!(!scene.entry(WEB).unwrap().is_tombstone());
    scene.wait(minutes(4));
    assert_eq!(names(&scene.cycle().decommissions), [WEB]);
    assert!(scene.entry(WEB).unwrap().is_tombstone());
    scene.wait(minutes(9));
    assert_eq!(end(&scene), None);
    scene.wait(minutes(1));
    scene.cycle_with(|_| Outcome::Unknown);
    assert!(scene.entry(WEB).is_some());
    scene.wait(minutes(10));
    scene.cycle();
    assert!(scene.entry(WEB).is_none());
}

#[test]
fn a_source_that_comes_back_after_an_unknown_decommission_is_reported_until_that_has_settled() {
    let mut scene = Scene::recorded();
    scene.delete(&Kind::Deployment, "web");
    scene.cycle_with(|_| Outcome::Unknown);
    scene.deploy("web", "app", 1);
    assert_eq!(
        names(&scene.cycle().reports),
        [WEB],
        "what is held is not for sure"
    );
    assert_eq!(names(&scene.plan().unchanged), [WEB]);
    scene.wait(minutes(10));
    assert_eq!(names(&scene.cycle().reports), [WEB]);
    assert!(!scene.entry(WEB).unwrap().is_unanswered());
}

#[test]
fn promise_3_a_refused_second_end_keeps_the_tombstone() {
    let mut scene = Scene::recorded();
    scene.delete(&Kind::Deployment, "web");
    scene.cycle();
    scene.wait(minutes(10));
    scene.cycle_with(|_| Outcome::Refused(Reason::Unauthorized));
    assert!(scene.entry(WEB).unwrap().is_tombstone());
    scene.wait(minutes(1));
    scene.cycle();
    assert!(scene.entry(WEB).is_none());
}

#[test]
fn a_tombstone_whose_source_is_back_is_one_no_longer_once_that_is_acknowledged() {
    let mut scene = Scene::recorded();
    scene.delete(&Kind::Deployment, "web");
    scene.cycle();
    scene.deploy("web", "app", 2);
    scene.cycle_with(|_| Outcome::Refused(Reason::NotFound));
    assert!(scene.entry(WEB).unwrap().is_tombstone());
    scene.wait(minutes(1));
    scene.cycle();
    let entry = scene.entry(WEB).unwrap();
    assert!(!entry.is_tombstone());
    assert_eq!(entry.held.as_ref().unwrap().digest, digest(2));
    assert_eq!(names(&scene.plan().unchanged), [WEB]);
}

#[test]
fn a_restart_begins_the_wait_for_the_second_end_anew() {
    let mut scene = Scene::recorded();
    scene.delete(&Kind::Deployment, "web");
    scene.cycle();
    scene.wait(minutes(9));
    scene.restart();
    scene.wait(minutes(9));
    assert_eq!(end(&scene), None);
    scene.wait(minutes(1));
    assert_eq!(end(&scene), Some(digest(1)));
}

#[test]
fn a_past_name_stays_as_long_as_its_digest_runs_and_holds_no_name() {
    let mut scene = Scene::recorded();
    scene.delete(&Kind::Deployment, "web");
    scene.cycle();
    scene.wait(minutes(10));
    scene.cycle();
    let past: Vec<_> = scene.ledger.past().map(|(_, digest)| digest).collect();
    assert_eq!(past, [digest(1)]);
    let forget = |scene: &mut Scene, running: &[u64]| {
        let running = running.iter().map(|number| digest(*number)).collect();
        scene.ledger.stored();
        scene.ledger.forget_past(&running);
    };
    forget(&mut scene, &[1, 2]);
    assert_eq!(scene.ledger.past().count(), 1);
    assert!(scene.ledger.touched().is_empty());
    forget(&mut scene, &[2]);
    assert_eq!(scene.ledger.past().count(), 0);
    assert_eq!(scene.ledger.touched().len(), 1);

    scene.deploy("web", "app", 1);
    assert_eq!(names(&scene.cycle().reports), [WEB]);
    assert_eq!(scene.ledger.past().count(), 0);
}

#[test]
fn a_past_name_stays_as_long_as_another_name_has_its_digest() {
    let mut scene = Scene::recorded();
    scene.deploy("renamed", "app", 1);
    scene.delete(&Kind::Deployment, "web");
    scene.cycle();
    scene.wait(minutes(10));
    scene.delete(&Kind::Deployment, "renamed");
    scene.cycle();
    let nothing_runs = BTreeSet::new();
    scene.ledger.forget_past(&nothing_runs);
    let past: Vec<_> = scene.ledger.past().map(|(name, _)| &*name.name).collect();
    assert_eq!(past, [WEB]);

    scene.wait(minutes(10));
    scene.cycle();
    assert_eq!(scene.ledger.past().count(), 2);
    scene.ledger.forget_past(&nothing_runs);
    assert_eq!(scene.ledger.past().count(), 0);
}
