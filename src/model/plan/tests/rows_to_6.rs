//! Rows 1 to 6: whose entry it is, and whether it is in scope and seen.

use std::sync::Arc;

use crate::model::facts::View;
use crate::model::fixtures::{
    SHOP, Scene, annotations, container, digest, image, minutes, names, namespace, object, source,
};
use crate::model::gap::Reason;
use crate::model::inventory::sight::Unselected;
use crate::model::ledger::{Entry, Ledger, Outcome, Owner};
use crate::model::moment::Moment;
use crate::model::plan::{Plan, Row, Why};
use crate::model::record::{Body, Destination, Identity};
use crate::model::selection::{KindGroup, Pattern};
use crate::model::workload::Kind;

const WEB: &str = "shop-web-app";

fn is_quiet(plan: &Plan) -> bool {
    plan.reports.is_empty() && plan.decommissions.is_empty()
}

fn why(plan: &Plan, name: &str) -> Option<Why> {
    let mut withheld = plan.withheld.iter();
    withheld
        .find(|(identity, _)| &*identity.name == name)
        .map(|(_, why)| *why)
}

fn reasons(plan: &Plan) -> Vec<Reason> {
    plan.gaps.iter().map(|gap| gap.reason).collect()
}

/// Puts one entry that GitHub holds, of that owner, into the scene.
fn hold(scene: &mut Scene, destination: Destination, owner: Owner) {
    let mut entry = Entry::new(owner);
    entry.held = Some(Arc::new(Body {
        digest: digest(1),
        name: "ghcr.io/acme/web".into(),
        version: None,
        repository: None,
        tags: std::collections::BTreeMap::new(),
        risks: std::collections::BTreeSet::new(),
    }));
    let identity = Identity {
        destination: Arc::new(destination),
        name: WEB.into(),
    };
    scene.ledger = Ledger::restore(None, [(identity, entry)], [], Moment::START);
}

#[test]
fn row_1_an_entry_of_another_host_is_withheld_whatever_is_seen_of_its_source() {
    let mut scene = Scene::new();
    let elsewhere = Destination {
        host: "api.acme.ghe.com".into(),
        ..Destination::clone(&scene.policy.destination)
    };
    hold(&mut scene, elsewhere, Owner::Source(source("web", "app")));
    let plan = scene.plan();
    assert!(is_quiet(&plan));
    assert_eq!(why(&plan, WEB), Some(Why::ForeignHost));

    scene.deploy("web", "app", 1);
    let plan = scene.plan();
    assert_eq!(names(&plan.reports), [WEB], "at the present host");
    assert_eq!(
        &*plan.reports[0].line.identity.destination.host,
        "api.github.com"
    );
    assert_eq!(why(&plan, WEB), Some(Why::ForeignHost));
    scene.cycle();
    assert!(scene.plan().decommissions.is_empty(), "no token goes there");
}

#[test]
fn row_1_an_entry_whose_source_cannot_be_read_is_withheld_and_keeps_its_name() {
    let mut scene = Scene::new();
    let destination = Destination::clone(&scene.policy.destination);
    hold(&mut scene, destination, Owner::Unreadable("v9".into()));
    scene.deploy("web", "app", 1);
    let plan = scene.plan();
    assert_eq!(why(&plan, WEB), Some(Why::UnreadableSource));
    assert!(plan.decommissions.is_empty());
    assert_eq!(plan.reports.len(), 1);
    assert!(names(&plan.reports)[0].starts_with("shop-web-app-"));
}

#[test]
fn row_2_a_tombstone_ends_a_second_time_only_after_it_has_settled() {
    let mut scene = Scene::recorded();
    scene.delete(&Kind::Deployment, "web");
    assert_eq!(names(&scene.cycle().decommissions), [WEB]);
    assert!(scene.entry(WEB).unwrap().is_tombstone());

    scene.wait(minutes(9));
    let plan = scene.plan();
    assert!(is_quiet(&plan));
    assert_eq!(plan.due, Some(scene.now + minutes(1)));
    scene.wait(minutes(1));
    assert_eq!(names(&scene.cycle().decommissions), [WEB]);
    assert!(scene.entry(WEB).is_none());
    assert!(is_quiet(&scene.plan()));
    assert_eq!(scene.ledger.past().count(), 1);
}

#[test]
fn row_2_the_second_end_waits_for_a_report_of_unknown_outcome() {
    let mut scene = Scene::recorded();
    scene.delete(&Kind::Deployment, "web");
    scene.cycle();
    scene.wait(minutes(5));
    scene.deploy("web", "app", 1);
    scene.cycle_with(|_| Outcome::Unknown);
    scene.delete(&Kind::Deployment, "web");
    scene.wait(minutes(9));
    assert!(is_quiet(&scene.plan()), "14 minutes after the first end");
    scene.wait(minutes(1));
    assert_eq!(names(&scene.plan().decommissions), [WEB]);
}

#[test]
fn row_2_a_tombstone_whose_source_runs_again_is_reported_only_with_a_digest() {
    let mut scene = Scene::recorded();
    scene.delete(&Kind::Deployment, "web");
    scene.cycle();
    scene.deploy("web", "app", 1);
    assert_eq!(names(&scene.plan().reports), [WEB]);

    scene.change_pods("web", |pod| pod.containers[0].digest = None);
    assert!(is_quiet(&scene.plan()), "no digest: nothing");
    scene.wait(minutes(10));
    assert_eq!(names(&scene.plan().decommissions), [WEB]);
}

#[test]
fn row_2_a_tombstone_is_withheld_while_its_scope_is_not_covered() {
    let mut scene = Scene::recorded();
    scene.delete(&Kind::Deployment, "web");
    scene.cycle();
    scene.wait(minutes(60));
    scene.forbid(&Kind::ReplicaSet);
    let plan = scene.plan();
    assert!(is_quiet(&plan));
    assert_eq!(why(&plan, WEB), Some(Why::NotCovered));
}

#[test]
fn row_2_a_tombstone_of_a_source_that_moved_ends_again() {
    let mut scene = Scene::recorded();
    scene.policy.template = "{namespace}/{workload}".parse().unwrap();
    scene.cycle();
    scene.cycle();
    assert!(scene.entry(WEB).unwrap().is_tombstone());
    scene.wait(minutes(10));
    assert_eq!(names(&scene.cycle().decommissions), [WEB]);
    assert!(scene.entry(WEB).is_none() && scene.entry("shop/web").is_some());
}

#[test]
fn row_3_an_adopted_record_ends_only_once_every_view_is_whole() {
    let mut scene = Scene::new();
    let destination = Destination::clone(&scene.policy.destination);
    hold(&mut scene, destination, Owner::Adopted);
    assert_eq!(names(&scene.plan().decommissions), [WEB]);
    for kind in Kind::OWNERS.into_iter().chain([Kind::Pod]) {
        let whole = scene.facts.coverage.clone();
        scene.forbid(&kind);
        let plan = scene.plan();
        assert!(is_quiet(&plan), "{kind}");
        assert_eq!(why(&plan, WEB), Some(Why::Adopted), "{kind}");
        scene.facts.coverage = whole;
    }
    scene.facts.coverage.namespaces = View::Nothing;
    assert!(is_quiet(&scene.plan()));
}

#[test]
fn row_3_views_of_single_namespaces_are_whole_only_with_every_namespace_asked_for() {
    let mut scene = Scene::new();
    let destination = Destination::clone(&scene.policy.destination);
    hold(&mut scene, destination, Owner::Adopted);
    scene.policy.selection.namespaces = vec![Pattern::new("shop"), Pattern::new("bank")];
    for (seen, ends) in [
        (&["shop", "bank"][..], true),
        (&["shop"], false),
        (&[], false),
    ] {
        let view = View::Only(seen.iter().map(|name| (*name).into()).collect());
        let coverage = &mut scene.facts.coverage;
        coverage.pods = view.clone();
        coverage.namespaces = view.clone();
        coverage
            .kinds
            .values_mut()
            .for_each(|kind| *kind = view.clone());
        assert_eq!(
            names(&scene.plan().decommissions).len(),
            usize::from(ends),
            "{seen:?}"
        );
    }
}

#[test]
fn row_3_a_source_that_runs_takes_an_adopted_record_over() {
    let mut scene = Scene::new();
    let destination = Destination::clone(&scene.policy.destination);
    hold(&mut scene, destination, Owner::Adopted);
    scene.deploy("web", "app", 2);
    let plan = scene.cycle();
    assert_eq!(names(&plan.reports), [WEB]);
    assert!(plan.decommissions.is_empty());
    let owner = &scene.entry(WEB).unwrap().owner;
    assert_eq!(*owner, Owner::Source(source("web", "app")));
}

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
fn promise_2_labels_and_annotations_that_are_not_read_take_nothing_out_of_scope() {
    type Change = fn(&mut Scene);
    let cases: [Change; 4] = [
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
        pod.containers[0].state = crate::model::facts::State::Ran;
    });
    let plan = scene.plan();
    assert!(is_quiet(&plan), "{:?}", plan.decommissions);
    assert_eq!(names(&plan.retained), [WEB]);
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
fn promise_2_coverage_goes_by_namespace() {
    let mut scene = Scene::recorded();
    scene.facts.namespaces.push(Arc::new(namespace("bank")));
    let bank = object(Kind::StatefulSet, "bank", "db");
    let pod = crate::model::fixtures::pod("db-0", [container("db", &image("db"), 2)]);
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
