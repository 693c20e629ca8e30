//! Rows 7 to 9: what is gone, refused or known.

use std::sync::Arc;

use crate::model::fixtures::{
    SHOP, Scene, annotations, container, digest, image, minutes, names, object, pod, source,
    source_of,
};
use crate::model::gap::Reason;
use crate::model::ledger::Outcome;
use crate::model::plan::{Row, Why};
use crate::model::record::Body;
use crate::model::risk::Risk;
use crate::model::workload::Kind;

use super::{NEW, WEB, rename};

#[test]
fn row_7_a_workload_that_is_gone_ends_its_records_while_its_last_pods_are_still_there() {
    for kind in [
        Kind::Deployment,
        Kind::StatefulSet,
        Kind::CronJob,
        Kind::DaemonSet,
    ] {
        let mut scene = Scene::new();
        scene.run(&kind, "web", [container("app", &image("web"), 1)]);
        scene.cycle();
        scene.facts.objects.clear();
        let plan = scene.plan();
        assert_eq!(names(&plan.decommissions), [WEB], "{kind}");
        assert_eq!(
            plan.rows[&source_of(kind.clone(), "web", "app")],
            Row::WorkloadGone
        );
        assert_eq!(
            plan.orphans.len(),
            1,
            "{kind}: a pod without its owner is counted"
        );
        assert_eq!(plan.orphans[0].reason, Reason::OwnerNotRead);
        assert!(plan.gaps.is_empty());
    }
}

#[test]
fn row_7_a_pod_before_its_replica_set_changes_nothing() {
    let mut scene = Scene::recorded();
    let late = object(Kind::ReplicaSet, SHOP, "web-2");
    scene.add_pod(
        pod("web-9", [container("app", &image("web"), 2)])
            .created(9)
            .under(&late),
    );
    let plan = scene.plan();
    assert_eq!(names(&plan.unchanged), [WEB]);
    assert!(plan.reports.is_empty() && plan.decommissions.is_empty());
    assert_eq!(plan.orphans.len(), 1);
}

#[test]
fn row_8_a_refused_change_is_a_gap_and_what_is_held_is_retained() {
    let mut scene = Scene::recorded();
    scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(2)));
    scene.cycle_with(|_| Outcome::Refused(Reason::NotFound));
    let plan = scene.plan();
    assert!(plan.reports.is_empty());
    assert_eq!(plan.retained[0].line.body.digest, digest(1));
    assert_eq!(plan.gaps[0].reason, Reason::NotFound);
    assert_eq!(plan.rows[&source("web", "app")], Row::Refused);
    assert_eq!(plan.due, Some(scene.now + minutes(1)));
}

#[test]
fn row_8_a_snapshot_that_github_takes_does_not_bring_a_refused_change_back_early() {
    let mut scene = Scene::recorded();
    scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(2)));
    for expected in [1, 2, 4, 8] {
        let plan = scene.cycle_with(|_| Outcome::Refused(Reason::NotFound));
        assert_eq!(names(&plan.reports), [WEB]);
        scene.snapshot_with(|_| Outcome::Acknowledged);
        assert_eq!(scene.plan().due, Some(scene.now + minutes(expected)));
        scene.wait(minutes(expected));
    }
}

#[test]
fn row_8_a_record_that_was_taken_before_and_is_refused_now_is_not_sent() {
    let mut scene = Scene::recorded();
    scene.snapshot_with(|_| Outcome::Refused(Reason::Invalid));
    let plan = scene.plan();
    assert!(plan.snapshot().is_empty(), "{:?}", plan.snapshot());
    assert_eq!(plan.silent.len(), 1);
    assert_eq!(plan.gaps[0].reason, Reason::Invalid);
    scene.wait(minutes(60));
    assert_eq!(names(&scene.plan().reports), [WEB]);
}

#[test]
fn row_8_what_is_held_may_be_refused_beside_its_change_and_each_keeps_its_own_retry() {
    let mut scene = Scene::recorded();
    scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(2)));
    for expected in [1, 2, 4, 8] {
        let plan = scene.cycle_with(|_| Outcome::Refused(Reason::NotFound));
        assert_eq!(plan.reports[0].line.body.digest, digest(2));
        let plan = scene.snapshot_with(|_| Outcome::Refused(Reason::Unauthorized));
        assert_eq!(plan.retained[0].line.body.digest, digest(1));
        let plan = scene.plan();
        assert!(plan.snapshot().is_empty(), "{:?}", plan.snapshot());
        assert_eq!(plan.gaps[0].reason, Reason::NotFound);
        assert_eq!(plan.due, Some(scene.now + minutes(expected)));
        scene.wait(minutes(expected));
    }
    assert_eq!(names(&scene.cycle().reports), [WEB]);
    assert_eq!(scene.ledger.refusals().count(), 0, "both are history");
}

#[test]
fn row_8_changes_that_are_refused_one_after_the_other_are_not_all_remembered() {
    let mut scene = Scene::recorded();
    for number in 2..9 {
        scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(number)));
        scene.snapshot_with(|_| Outcome::Refused(Reason::NotFound));
        assert!(scene.ledger.refusals().count() <= 2);
    }
}

#[test]
fn row_8_a_refused_record_is_sent_at_once_when_anything_in_it_changes() {
    let mut scene = Scene::new();
    scene.deploy("web", "app", 1);
    scene.cycle_with(|_| Outcome::Refused(Reason::NotFound));
    assert!(scene.plan().reports.is_empty());
    scene.change_pods("web", |pod| {
        pod.annotations = annotations(&[("team", "cart")]);
    });
    assert_eq!(names(&scene.plan().reports), [WEB]);
}

#[test]
fn row_8_a_refused_record_that_was_never_held_leaves_the_ledger() {
    let mut scene = Scene::new();
    scene.deploy("web", "app", 1);
    scene.cycle_with(|_| Outcome::Refused(Reason::Unauthorized));
    assert!(scene.ledger.is_empty());
    let plan = scene.plan();
    assert!(plan.reports.is_empty() && plan.withheld.is_empty());
    assert_eq!(plan.gaps[0].reason, Reason::Unauthorized);
    scene.delete(&Kind::Deployment, "web");
    assert!(scene.plan().decommissions.is_empty());
}

#[test]
fn row_8_a_refused_move_withholds_the_old_record_and_never_flips_back() {
    let mut scene = Scene::recorded();
    rename(&mut scene);
    for wait in [1, 2, 4, 8] {
        let plan = scene.cycle_with(|_| Outcome::Refused(Reason::NotFound));
        assert_eq!(names(&plan.reports), [NEW]);
        let plan = scene.snapshot_with(|_| Outcome::Acknowledged);
        assert!(plan.snapshot().is_empty());
        assert_eq!(plan.withheld, [(scene.identity(WEB), Why::Refused)]);
        assert_eq!(plan.gaps[0].reason, Reason::NotFound);
        scene.wait(minutes(wait));
    }
    scene.cycle();
    assert_eq!(names(&scene.cycle().decommissions), [WEB]);
}

#[test]
fn row_9_what_is_held_and_answered_is_unchanged_and_any_other_body_is_reported() {
    type Change = fn(&mut Scene);
    type IsIn = fn(&Body) -> bool;
    let cases: [(Change, IsIn); 4] = [
        (
            |scene| scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(2))),
            |body| body.digest == digest(2),
        ),
        (
            |scene| {
                scene.change_pods("web", |pod| {
                    pod.containers[0].image = "ghcr.io/acme/web:2".into();
                });
            },
            |body| body.version.as_deref() == Some("2"),
        ),
        (
            |scene| {
                scene.change_object(&Kind::Deployment, |object| {
                    object.annotations =
                        annotations(&[("team", "cart"), ("repository", "acme/cart")]);
                });
            },
            |body| body.tags.len() == 1 && body.repository.as_deref() == Some("cart"),
        ),
        (
            |scene| {
                let namespace = Arc::make_mut(&mut scene.facts.namespaces[0]);
                namespace.annotations = annotations(&[("runtime-risks", "sensitive-data")]);
            },
            |body| body.risks.contains(Risk::SensitiveData),
        ),
    ];
    for (number, (change, is_in)) in cases.into_iter().enumerate() {
        let mut scene = Scene::recorded();
        let plan = scene.plan();
        assert_eq!(names(&plan.unchanged), [WEB]);
        assert!(plan.reports.is_empty());
        change(&mut scene);
        let plan = scene.cycle();
        assert!(is_in(&plan.reports[0].line.body), "{number}");
        assert!(plan.unchanged.is_empty() && plan.decommissions.is_empty());
        assert!(!plan.reports[0].fresh);
        assert_eq!(names(&scene.plan().unchanged), [WEB]);
    }
}

#[test]
fn row_9_a_removed_annotation_reaches_github() {
    let mut scene = Scene::new();
    scene.deploy("web", "app", 1);
    scene.change_pods("web", |pod| {
        pod.annotations = annotations(&[("team", "cart")]);
    });
    scene.cycle();
    scene.change_pods("web", |pod| pod.annotations = annotations(&[]));
    assert!(scene.plan().reports[0].line.body.tags.is_empty());
}

#[test]
fn row_9_an_unknown_outcome_is_reported_again_until_it_has_settled() {
    let mut scene = Scene::new();
    scene.deploy("web", "app", 1);
    scene.cycle_with(|_| Outcome::Unknown);
    assert_eq!(names(&scene.cycle().reports), [WEB], "at once");
    let plan = scene.cycle();
    assert_eq!(names(&plan.unchanged), [WEB], "then it waits");
    assert_eq!(plan.due, Some(scene.now + minutes(10)));
    scene.wait(minutes(10));
    let plan = scene.cycle();
    assert_eq!(names(&plan.reports), [WEB], "once more, late enough");
    assert_eq!(plan.due, None);
    let plan = scene.cycle();
    assert_eq!((names(&plan.unchanged), plan.due), (vec![WEB], None));
}
