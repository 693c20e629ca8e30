//! Rows 1 to 3: entries that are not a source's to decide, and tombstones.

use crate::model::facts::View;
use crate::model::fixtures::{Scene, minutes, names, source};
use crate::model::ledger::{Outcome, Owner};
use crate::model::plan::{Row, Why};
use crate::model::record::Destination;
use crate::model::selection::Pattern;
use crate::model::workload::Kind;

use super::{WEB, hold, is_quiet, why};

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
    assert_eq!(scene.plan().rows[&source("web", "app")], Row::Known);
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
fn row_2_an_adopted_record_ends_a_second_time_too_whatever_is_seen_by_then() {
    let mut scene = Scene::new();
    let destination = Destination::clone(&scene.policy.destination);
    hold(&mut scene, destination, Owner::Adopted);
    scene.cycle();
    scene.forbid(&Kind::DaemonSet);
    scene.wait(minutes(9));
    let plan = scene.plan();
    assert!(is_quiet(&plan) && plan.withheld.is_empty());
    scene.wait(minutes(1));
    assert_eq!(names(&scene.cycle().decommissions), [WEB]);
    assert!(scene.entry(WEB).is_none());
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
