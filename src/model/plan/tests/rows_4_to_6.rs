//! Rows 4 to 6: whether a source is in scope, and seen.

use std::sync::Arc;

use crate::model::facts::{State, View};
use crate::model::fixtures::{
    SHOP, Scene, annotations, container, image, minutes, names, namespace, object, pod, rollout,
    source, source_of,
};
use crate::model::gap::Reason;
use crate::model::image_map::ImageMap;
use crate::model::inventory::sight::Unselected;
use crate::model::ledger::Ledger;
use crate::model::plan::{Row, Why};
use crate::model::selection::{KindGroup, Pattern};
use crate::model::workload::Kind;

use super::{WEB, is_quiet, reasons, why};

#[test]
fn row_4_a_namespace_that_is_gone_ends_its_records_even_if_nothing_else_is_seen() {
    let mut scene = Scene::recorded();
    scene.facts.namespaces.clear();
    for kind in Kind::OWNERS.into_iter().chain([Kind::Pod]) {
        scene.forbid(&kind);
    }
    let plan = scene.plan();
    assert_eq!(names(&plan.decommissions), [WEB]);
    assert_eq!(plan.rows[&source("web", "app")], Row::NamespaceGone);
    scene.facts.coverage.namespaces = View::Nothing;
    assert!(is_quiet(&scene.plan()), "unread is never gone");
}

#[test]
fn row_4_says_of_a_new_source_only_that_its_context_is_unknown() {
    let mut scene = Scene::new();
    scene.facts.namespaces.clear();
    scene.deploy("web", "app", 1);
    let plan = scene.plan();
    assert!(is_quiet(&plan));
    assert_eq!(reasons(&plan), [Reason::ContextUnknown]);
}

#[test]
fn row_5_what_a_person_takes_out_of_scope_ends_and_is_counted() {
    type Change = fn(&mut Scene);
    let cases: [(Unselected, Change); 7] = [
        (Unselected::Namespace, |scene| {
            scene.policy.selection.exclude_namespaces = vec![Pattern::new("sh*")];
        }),
        (Unselected::NamespaceLabels, |scene| {
            scene.policy.selection.by_namespace_labels = true;
            Arc::make_mut(&mut scene.facts.namespaces[0]).selected = false;
        }),
        (Unselected::Kind, |scene| {
            scene.policy.selection.kinds = vec![KindGroup::StatefulSets];
        }),
        (Unselected::WorkloadLabels, |scene| {
            scene.policy.selection.by_workload_labels = true;
            scene.change_object(&Kind::Deployment, |object| object.selected = false);
        }),
        (Unselected::Image, |scene| {
            scene.policy.selection.exclude_images = vec![Pattern::new("ghcr.io/acme/*")];
        }),
        (Unselected::OptedOut, |scene| {
            scene.change_object(&Kind::Deployment, |object| {
                object.annotations = annotations(&[("ignore", "true")]);
            });
        }),
        (Unselected::OptedOut, |scene| {
            scene.change_pods("web", |pod| {
                pod.annotations = annotations(&[("ignore", "true")]);
            });
        }),
    ];
    for (number, (reason, change)) in cases.into_iter().enumerate() {
        let mut scene = Scene::recorded();
        change(&mut scene);
        let plan = scene.plan();
        assert_eq!(names(&plan.decommissions), [WEB], "{reason:?} {number}");
        assert!(plan.reports.is_empty() && plan.gaps.is_empty());
        assert_eq!(
            plan.not_selected.get(&reason),
            Some(&1),
            "{reason:?} {number}"
        );

        scene.ledger = Ledger::default();
        let plan = scene.plan();
        assert!(
            is_quiet(&plan) && plan.gaps.is_empty(),
            "{reason:?} {number}"
        );
        assert_eq!(
            plan.not_selected.get(&reason),
            Some(&1),
            "{reason:?} {number}"
        );
    }
}

#[test]
fn row_5_labels_that_match_take_nothing_out_and_labels_that_are_not_read_decide_nothing() {
    let mut scene = Scene::recorded();
    let selection = &mut scene.policy.selection;
    (selection.by_namespace_labels, selection.by_workload_labels) = (true, true);
    let plan = scene.plan();
    assert_eq!(names(&plan.unchanged), [WEB]);
    assert!(plan.not_selected.is_empty(), "{:?}", plan.not_selected);
    // The namespace's are all that is not seen.
    scene.policy.selection.by_workload_labels = false;
    scene.facts.namespaces.clear();
    scene.facts.coverage.namespaces = View::Nothing;
    let plan = scene.plan();
    assert!(is_quiet(&plan));
    assert_eq!(plan.withheld.len(), 1);
    scene.ledger = Ledger::default();
    let plan = scene.plan();
    assert!(is_quiet(&plan));
    assert_eq!(reasons(&plan), [Reason::NotCovered]);
}

/// What its pods run is reported without the object, but for a label of it that decides.
#[test]
fn row_6_a_label_of_an_object_that_cannot_be_read_is_unread() {
    let mut scene = Scene::new();
    scene.run(&rollout(), "web", [container("app", &image("web"), 1)]);
    scene.facts.objects.clear();
    scene.refuse(&rollout());
    assert_eq!(names(&scene.plan().reports), [WEB]);
    scene.policy.selection.by_workload_labels = true;
    let plan = scene.plan();
    assert!(is_quiet(&plan));
    assert_eq!(reasons(&plan), [Reason::NotCovered]);
}

#[test]
fn row_5_without_evidence_the_image_is_the_one_that_github_holds() {
    for (change, row) in [
        (
            (|scene| scene.remove_pods("web")) as fn(&mut Scene),
            Row::NotSelected,
        ),
        (|scene| scene.forbid(&Kind::Pod), Row::NotSelected),
    ] {
        let mut scene = Scene::recorded();
        change(&mut scene);
        scene.policy.selection.exclude_images = vec![Pattern::new("*/acme/*")];
        let plan = scene.plan();
        assert_eq!(names(&plan.decommissions), [WEB]);
        assert_eq!(plan.rows[&source("web", "app")], row);
    }
}

#[test]
fn row_5_an_image_map_that_is_new_takes_nothing_out_of_scope_that_does_not_run() {
    type Change = fn(&mut Scene);
    let changes: [Change; 2] = [
        |scene| scene.change_pods("web", |pod| pod.containers[0].state = State::Ran),
        |scene| scene.remove_pods("web"),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut scene = Scene::new();
        let mirrored = container("app", "mirror.test/hub/web:1", 1);
        scene.run(&Kind::Deployment, "web", [mirrored]);
        scene.cycle();
        change(&mut scene);
        scene.restart();
        scene.policy.image_map = ImageMap::parse(["mirror.test/hub=docker.io"]).unwrap();
        scene.policy.selection.images = vec![Pattern::new("docker.io/*")];
        let plan = scene.plan();
        assert!(is_quiet(&plan), "{number}: {:?}", plan.decommissions);
        assert_eq!(names(&plan.retained), [WEB], "{number}");

        scene.policy.selection.images = vec![Pattern::new("ghcr.io/*")];
        assert_eq!(names(&scene.plan().decommissions), [WEB], "{number}");
    }
}

#[test]
fn row_5_a_map_whose_result_it_would_map_again_takes_nothing_out_of_scope() {
    let mut scene = Scene::new();
    scene.policy.image_map = ImageMap::parse(["ghcr.io/acme=ghcr.io/acme/copies"]).unwrap();
    scene.policy.selection.images = vec![Pattern::new("ghcr.io/acme/copies/web")];
    scene.deploy("web", "app", 1);
    assert_eq!(names(&scene.cycle().reports), [WEB]);
    scene.remove_pods("web");
    assert_eq!(names(&scene.plan().retained), [WEB]);
}

#[test]
fn row_5_a_pod_that_crashes_names_its_own_image_and_not_the_one_that_its_digest_goes_by() {
    let mut scene = Scene::recorded();
    let copy = container("app", "ghcr.io/acme/a:1", 1);
    scene.run(&Kind::StatefulSet, "a", [copy]);
    scene.cycle();
    let held = scene.entry(WEB).unwrap().held.clone().unwrap();
    assert_eq!(&*held.name, "ghcr.io/acme/a", "one digest has one name");
    scene.change_pods("web", |pod| pod.containers[0].state = State::Ran);
    scene.policy.selection.exclude_images = vec![Pattern::new("ghcr.io/acme/a")];
    let plan = scene.plan();
    assert_eq!(names(&plan.decommissions), ["shop-a-app"]);
    assert_eq!(names(&plan.retained), [WEB]);
}

#[test]
fn row_5_a_pod_that_opted_in_stays_in_while_it_crashes() {
    let mut scene = Scene::new();
    let apart = annotations(&[("ignore", "true")]);
    Arc::make_mut(&mut scene.facts.namespaces[0]).annotations = apart;
    scene.deploy("web", "app", 1);
    scene.change_pods("web", |pod| {
        pod.annotations = annotations(&[("ignore", "false")]);
    });
    assert_eq!(names(&scene.cycle().reports), [WEB]);
    scene.change_pods("web", |pod| {
        pod.containers[0].state = State::Ran;
    });
    let plan = scene.plan();
    assert!(is_quiet(&plan), "{:?}", plan.decommissions);
    assert_eq!(names(&plan.retained), [WEB]);
}

#[test]
fn promise_2_a_pod_that_opted_in_and_is_gone_for_a_moment_has_not_opted_out() {
    for (kind, row) in [
        (Kind::Deployment, Row::Idle),
        (Kind::CronJob, Row::BetweenRuns),
    ] {
        let mut scene = Scene::new();
        let apart = annotations(&[("ignore", "true")]);
        Arc::make_mut(&mut scene.facts.namespaces[0]).annotations = apart;
        scene.run(&kind, "web", [container("app", &image("web"), 1)]);
        scene.change_pods("web", |pod| {
            pod.annotations = annotations(&[("ignore", "false")]);
        });
        assert_eq!(names(&scene.cycle().reports), [WEB]);
        scene.remove_pods("web");
        let plan = scene.plan();
        assert!(is_quiet(&plan), "{kind}: {:?}", plan.decommissions);
        assert_eq!(names(&plan.retained), [WEB], "{kind}");
        assert_eq!(plan.rows[&source_of(kind, "web", "app")], row);
    }
}

#[test]
fn row_5_an_opt_out_that_no_pod_confirms_ends_nothing_before_the_idle_time() {
    let mut scene = Scene::recorded();
    scene.remove_pods("web");
    scene.change_object(&Kind::Deployment, |object| {
        object.annotations = annotations(&[("ignore", "true")]);
    });
    assert!(is_quiet(&scene.cycle()));
    scene.wait(minutes(60));
    let plan = scene.plan();
    assert_eq!(names(&plan.decommissions), [WEB]);
    assert_eq!(plan.rows[&source("web", "app")], Row::Idle);
}

#[test]
fn row_6_a_kind_that_a_workload_does_not_depend_on_may_be_forbidden() {
    let mut scene = Scene::recorded();
    for kind in [
        Kind::StatefulSet,
        Kind::Job,
        Kind::CronJob,
        Kind::ReplicationController,
    ] {
        scene.forbid(&kind);
    }
    assert_eq!(names(&scene.plan().unchanged), [WEB]);
}

#[test]
fn row_6_a_new_source_that_is_not_covered_is_a_gap() {
    let mut scene = Scene::new();
    scene.deploy("web", "app", 1);
    scene.facts.coverage.namespaces = View::Nothing;
    let plan = scene.plan();
    assert!(is_quiet(&plan));
    assert_eq!(reasons(&plan), [Reason::NotCovered]);
    assert_eq!(plan.rows[&source("web", "app")], Row::NotCovered);
}

#[test]
fn promise_2_labels_and_annotations_that_are_not_read_take_nothing_out_of_scope() {
    type Change = fn(&mut Scene);
    let cases: [Change; 6] = [
        |scene| {
            // The workload says `false`, which is nearer, and nobody sees it.
            Arc::make_mut(&mut scene.facts.namespaces[0]).annotations =
                annotations(&[("ignore", "true")]);
            scene.forbid(&Kind::Deployment);
        },
        |scene| {
            scene.change_pods("web", |pod| {
                pod.annotations = annotations(&[("ignore", "true")]);
            });
            scene.forbid(&Kind::Pod);
        },
        |scene| {
            scene.policy.selection.by_namespace_labels = true;
            Arc::make_mut(&mut scene.facts.namespaces[0]).selected = false;
            scene.facts.coverage.namespaces = View::Nothing;
        },
        |scene| {
            scene.policy.selection.by_workload_labels = true;
            scene.change_object(&Kind::Deployment, |object| object.selected = false);
            scene.forbid(&Kind::Deployment);
        },
        |scene| {
            scene.change_object(&Kind::Deployment, |object| {
                object.annotations = annotations(&[("ignore", "true")]);
            });
            scene.forbid(&Kind::Deployment);
        },
        |scene| {
            // Pods keep the image that they had; a view of them that is not whole decides nothing.
            scene.policy.selection.exclude_images = vec![Pattern::new("ghcr.io/acme/new")];
            scene.change_pods("web", |pod| {
                pod.containers[0].image = "ghcr.io/acme/new:1".into();
            });
            scene.forbid(&Kind::Pod);
        },
    ];
    for (number, change) in cases.into_iter().enumerate() {
        let mut scene = Scene::recorded();
        change(&mut scene);
        let plan = scene.plan();
        assert!(is_quiet(&plan), "{number}");
        assert_eq!(why(&plan, WEB), Some(Why::NotCovered), "{number}");
    }
}

#[test]
fn promise_2_a_forbidden_kind_withholds_its_records() {
    for (kind, of) in [
        (Kind::Pod, Kind::Deployment),
        (Kind::ReplicaSet, Kind::Deployment),
        (Kind::Deployment, Kind::Deployment),
        (Kind::Job, Kind::CronJob),
        (Kind::CronJob, Kind::CronJob),
        (Kind::StatefulSet, Kind::StatefulSet),
        (Kind::DaemonSet, Kind::DaemonSet),
        (Kind::ReplicaSet, Kind::ReplicaSet),
        (Kind::ReplicationController, Kind::ReplicationController),
    ] {
        let mut scene = Scene::new();
        scene.run(&of, "web", [container("app", &image("web"), 1)]);
        scene.cycle();
        for gone in [false, true] {
            scene.forbid(&kind);
            if gone {
                scene.delete(&of, "web");
            }
            let plan = scene.plan();
            assert!(is_quiet(&plan), "{of} without {kind}");
            assert_eq!(
                why(&plan, WEB),
                Some(Why::NotCovered),
                "{of} without {kind}"
            );
            assert!(
                plan.snapshot().is_empty(),
                "withheld lines are not sent at all"
            );
        }
    }
}

#[test]
fn promise_2_coverage_goes_by_namespace() {
    let mut scene = Scene::recorded();
    scene.facts.namespaces.push(Arc::new(namespace("bank")));
    let bank = object(Kind::StatefulSet, "bank", "db");
    let pod = pod("db-0", [container("db", &image("db"), 2)]);
    scene.facts.objects.push(Arc::new(bank.clone()));
    scene.add_pod(pod.under(&bank));
    scene.cycle();
    scene.facts.pods.clear();
    scene.facts.objects.clear();
    let only = View::Only([SHOP.into()].into());
    scene.facts.coverage.pods = only;
    let plan = scene.plan();
    assert_eq!(names(&plan.decommissions), [WEB]);
    assert_eq!(why(&plan, "bank-db-db"), Some(Why::NotCovered));
}

#[test]
fn row_5_what_is_out_of_scope_takes_no_name_from_what_is_in_it() {
    let mut scene = Scene::new();
    // Both are `shop-web-api-app`, and the first of them would get it.
    scene.deploy("web", "api-app", 1);
    scene.deploy("web-api", "app", 2);
    let named = |scene: &Scene| {
        let plan = scene.plan();
        plan.names
            .get(&source("web-api", "app"))
            .unwrap()
            .name
            .clone()
    };
    assert_ne!(&*named(&scene), "shop-web-api-app");
    let pod = Arc::make_mut(&mut scene.facts.pods[0]);
    pod.annotations = annotations(&[("ignore", "true")]);
    assert_eq!(&*named(&scene), "shop-web-api-app");
}
