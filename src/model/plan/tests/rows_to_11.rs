//! Rows 7 to 11: what is gone, refused, known, moved or new.

use std::sync::Arc;

use crate::model::facts::View;
use crate::model::fixtures::{
    SHOP, Scene, annotations, container, digest, held_by, image, minutes, names, object, pod,
    rollout, source, source_of,
};
use crate::model::gap::Reason;
use crate::model::ledger::{Ledger, Outcome};
use crate::model::plan::{Row, Why};
use crate::model::record::{Body, Destination, Risk};
use crate::model::workload::Kind;

const WEB: &str = "shop-web-app";
const NEW: &str = "shop/web/app";

fn rename(scene: &mut Scene) {
    scene.policy.template = "{namespace}/{workload}/{container}".parse().unwrap();
}

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
            |body| body.risks.contains(&Risk::SensitiveData),
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
    scene.change_pods("web", |pod| pod.annotations.clear());
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
    assert_eq!(
        names(&scene.cycle().reports),
        [WEB],
        "once more, late enough"
    );
    let plan = scene.cycle();
    assert_eq!((names(&plan.unchanged), plan.due), (vec![WEB], None));
}

#[test]
fn row_10_a_move_reports_the_new_first_and_ends_the_old_once_the_new_is_acknowledged() {
    type Change = fn(&mut Scene);
    let changes: [Change; 5] = [
        rename,
        |scene| {
            let namespace = Arc::make_mut(&mut scene.facts.namespaces[0]);
            namespace.logical_environment = Some("staging".into());
        },
        |scene| {
            let namespace = Arc::make_mut(&mut scene.facts.namespaces[0]);
            namespace.physical_environment = Some("eu".into());
        },
        |scene| {
            scene.policy.destination = Arc::new(Destination {
                cluster: "prod-2".into(),
                ..Destination::clone(&scene.policy.destination)
            });
        },
        |scene| {
            scene.policy.destination = Arc::new(Destination {
                organization: "other".into(),
                ..Destination::clone(&scene.policy.destination)
            });
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut scene = Scene::recorded();
        let old = scene.identity(WEB);
        change(&mut scene);
        for outcome in [Outcome::NotApplied, Outcome::Unknown, Outcome::Acknowledged] {
            let plan = scene.cycle_with(|_| outcome);
            assert_eq!(plan.reports.len(), 1, "{number}");
            assert_ne!(plan.reports[0].line.identity, old, "{number}");
            assert_eq!(plan.withheld, [(old.clone(), Why::Moving)], "{number}");
            assert!(plan.decommissions.is_empty(), "{number}");
        }
        let plan = scene.cycle();
        assert_eq!(plan.decommissions[0].line.identity, old, "{number}");
        assert!(plan.missing.is_empty(), "{number}: a move is not missing");
    }
}

#[test]
fn row_10_identities_that_differ_only_in_case_or_emptiness_are_the_same() {
    for respelled in [
        Destination {
            cluster: "PROD".into(),
            ..crate::model::fixtures::destination()
        },
        Destination {
            physical_environment: Some("".into()),
            ..crate::model::fixtures::destination()
        },
    ] {
        let mut scene = Scene::recorded();
        scene.policy.destination = Arc::new(respelled);
        scene.deploy("api", "app", 2);
        let plan = scene.plan();
        assert!(plan.decommissions.is_empty() && plan.withheld.is_empty());
        assert_eq!(names(&plan.unchanged), [WEB]);
        let lines = plan.unchanged.iter().chain(&plan.reports);
        for step in lines {
            let destination = &step.line.identity.destination;
            assert_eq!(
                &*destination.cluster, "prod",
                "the ledger's spelling is sent"
            );
            assert_eq!(destination.physical_environment, None);
        }
        assert_eq!(plan.respelled.len(), 2, "a warning says so");
        let (settings, ledger) = &plan.respelled[0];
        assert!(!settings.is_spelled_as(ledger) && settings == ledger);
        assert!(
            plan.names
                .values()
                .all(|name| name.is_spelled_as(&scene_spelling(name)))
        );
    }
}

fn scene_spelling(name: &crate::model::record::Identity) -> crate::model::record::Identity {
    crate::model::record::Identity {
        destination: Arc::new(crate::model::fixtures::destination()),
        name: name.name.clone(),
    }
}

#[test]
fn row_11_what_runs_and_is_new_is_reported() {
    let mut scene = Scene::new();
    let sidecar = container("proxy", "envoy:v1", 2);
    scene.run(
        &Kind::DaemonSet,
        "web",
        [container("app", &image("web"), 1), sidecar],
    );
    let plan = scene.cycle();
    assert_eq!(names(&plan.reports), [WEB, "shop-web-proxy"]);
    assert!(plan.reports.iter().all(|step| step.fresh));
    let body = &plan.reports[1].line.body;
    assert_eq!(&*body.name, "docker.io/library/envoy");
    assert_eq!(body.version.as_deref(), Some("v1"));
    assert_eq!(body.digest, digest(2));
    let owner = source_of(Kind::DaemonSet, "web", "app");
    assert_eq!(held_by(&scene, WEB), Some(&owner));
    assert_eq!(names(&scene.plan().unchanged), [WEB, "shop-web-proxy"]);
}

#[test]
fn one_digest_has_one_name_and_version_in_everything_that_is_sent() {
    let mut scene = Scene::new();
    for (name, image) in [
        ("a", "ghcr.io/acme/web"),
        ("b", "ghcr.io/acme/web:2"),
        ("c", "ghcr.io/acme/zoo:1"),
    ] {
        scene.run(&Kind::StatefulSet, name, [container("app", image, 1)]);
    }
    scene.cycle();
    scene.run(
        &Kind::StatefulSet,
        "d",
        [container("app", "ghcr.io/acme/a:7", 1)],
    );
    scene.change_pods("a", |pod| pod.containers[0].digest = None);
    scene.delete(&Kind::StatefulSet, "b");
    let plan = scene.plan();
    assert_eq!(names(&plan.retained), ["shop-a-app"]);
    assert_eq!(names(&plan.decommissions), ["shop-b-app"]);
    assert_eq!(names(&plan.reports), ["shop-c-app", "shop-d-app"]);
    for step in plan
        .reports
        .iter()
        .chain(&plan.retained)
        .chain(&plan.decommissions)
    {
        let body = &step.line.body;
        assert_eq!(
            (&*body.name, body.version.as_deref()),
            ("ghcr.io/acme/a", Some("7"))
        );
    }
    // Without a running source the ledger's smallest speaks; no version comes last.
    let mut scene = Scene::new();
    for (name, image) in [("a", "ghcr.io/acme/web"), ("b", "ghcr.io/acme/web:2")] {
        scene.run(&Kind::StatefulSet, name, [container("app", image, 1)]);
    }
    assert!(
        scene
            .cycle()
            .reports
            .iter()
            .all(|step| step.line.body.version.is_some())
    );
}

#[test]
fn an_owner_that_cannot_be_read_has_the_tags_that_are_held_and_a_gap() {
    let mut scene = Scene::new();
    let owner = object(rollout(), SHOP, "web");
    scene
        .facts
        .objects
        .push(Arc::new(crate::model::facts::Object {
            annotations: annotations(&[("team", "cart"), ("runtime-risks", "sensitive-data")]),
            ..owner.clone()
        }));
    let replicas = object(Kind::ReplicaSet, SHOP, "web-1").under(&owner);
    scene.facts.objects.push(Arc::new(replicas.clone()));
    scene.add_pod(pod("web-0", [container("app", &image("web"), 1)]).under(&replicas));
    scene
        .facts
        .coverage
        .kinds
        .insert(rollout(), View::Everything);
    let plan = scene.cycle();
    assert_eq!(plan.reports[0].line.body.tags.len(), 1);
    assert!(
        plan.gaps.is_empty(),
        "a kind that is read is like any other: {:?}",
        plan.gaps
    );

    scene
        .facts
        .objects
        .retain(|object| object.kind != rollout());
    scene.facts.coverage.kinds.remove(&rollout());
    scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(2)));
    let plan = scene.plan();
    let body = &plan.reports[0].line.body;
    assert_eq!(
        (body.digest, body.tags.len(), body.risks.len()),
        (digest(2), 1, 1)
    );
    assert_eq!(plan.gaps[0].reason, Reason::OwnerUnreadable);

    // Nothing is held: what namespace and pod say.
    scene.ledger = Ledger::default();
    assert!(scene.plan().reports[0].line.body.tags.is_empty());
    // It asks only for what its pods' walk passed.
    scene.forbid(&Kind::ReplicationController);
    assert_eq!(names(&scene.plan().reports), [WEB]);
    scene.forbid(&Kind::ReplicaSet);
    assert!(scene.plan().reports.is_empty());
}

#[test]
fn promise_2_without_a_running_pod_an_owner_that_cannot_be_read_is_withheld() {
    let mut scene = Scene::new();
    scene.run(&rollout(), "web", [container("app", &image("web"), 1)]);
    assert_eq!(names(&scene.cycle().reports), [WEB]);
    scene.change_pods("web", |pod| pod.deleting = true);
    assert_eq!(
        scene.plan().withheld,
        [(scene.identity(WEB), Why::NotCovered)]
    );
    scene.remove_pods("web");
    scene.wait(minutes(600));
    let plan = scene.plan();
    assert_eq!(plan.withheld, [(scene.identity(WEB), Why::NotCovered)]);
    assert!(plan.decommissions.is_empty());
}
