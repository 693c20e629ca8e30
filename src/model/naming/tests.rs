//! Tests of naming: names are unique, and stay.

use std::sync::Arc;

use crate::model::fixtures::{
    Scene, container, held_by, image, minutes, names, namespace, object, pod, source, source_of,
};
use crate::model::ledger::Outcome;
use crate::model::plan::Plan;
use crate::model::record::Destination;
use crate::model::workload::{Kind, Source};

const WEB: &str = "shop-web-app";
/// printf 'apps\nStatefulSet\nshop\nweb\napp' | sha256sum
const SET_WEB: &str = "shop-web-app-7f968bbc";

/// A kind's `web` with the container `app`.
fn run(scene: &mut Scene, kind: &Kind) {
    scene.run(kind, "web", [container("app", &image("web"), 1)]);
}

fn name<'a>(plan: &'a Plan, source: &Source) -> &'a str {
    &plan.names[source].name
}

fn set() -> Source {
    source_of(Kind::StatefulSet, "web", "app")
}

#[test]
fn of_two_newcomers_the_first_by_the_order_of_kinds_gets_the_name() {
    let mut scene = Scene::new();
    run(&mut scene, &Kind::StatefulSet);
    run(&mut scene, &Kind::Deployment);
    assert_eq!(names(&scene.plan().reports), [WEB, SET_WEB]);
    assert_eq!(name(&scene.plan(), &set()), SET_WEB);
    scene.policy.selection.kinds.swap(0, 1);
    let plan = scene.plan();
    assert_eq!(name(&plan, &set()), WEB);
    assert!(name(&plan, &source("web", "app")).starts_with("shop-web-app-"));
}

#[test]
fn newcomers_of_one_kind_go_by_group_namespace_workload_and_container() {
    let mut scene = Scene::new();
    scene.deploy("a-b", "c", 1);
    scene.deploy("a", "b-c", 1);
    let plan = scene.plan();
    assert_eq!(name(&plan, &source("a", "b-c")), "shop-a-b-c");
    assert!(name(&plan, &source("a-b", "c")).starts_with("shop-a-b-c-"));
}

#[test]
fn a_name_stays_when_the_other_of_its_name_comes_or_goes() {
    let mut scene = Scene::new();
    run(&mut scene, &Kind::StatefulSet);
    scene.cycle();
    run(&mut scene, &Kind::Deployment);
    let plan = scene.cycle();
    assert_eq!(name(&plan, &set()), WEB, "who came first keeps it");
    let second = name(&plan, &source("web", "app")).to_owned();
    assert!(second.starts_with("shop-web-app-"));
    scene.delete(&Kind::StatefulSet, "web");
    run(&mut scene, &Kind::Deployment);
    for _ in 0..3 {
        let plan = scene.cycle();
        assert_eq!(name(&plan, &source("web", "app")), second);
        assert!(plan.reports.is_empty());
        scene.wait(minutes(10));
    }
    assert!(scene.entry(WEB).is_none(), "nobody took it");
}

#[test]
fn a_name_is_free_only_when_its_holder_ends_in_this_plan_or_has_ended() {
    let mut scene = Scene::recorded();
    run(&mut scene, &Kind::StatefulSet);
    assert_eq!(name(&scene.plan(), &set()), SET_WEB, "its holder runs");
    scene.remove_pods("web");
    run(&mut scene, &Kind::StatefulSet);
    assert_eq!(name(&scene.plan(), &set()), SET_WEB, "its holder is idle");
    scene
        .facts
        .objects
        .retain(|object| object.kind != Kind::ReplicaSet);
    scene.forbid(&Kind::ReplicaSet);
    assert_eq!(name(&scene.plan(), &set()), SET_WEB, "its holder is hidden");

    let mut scene = Scene::recorded();
    scene.delete(&Kind::Deployment, "web");
    run(&mut scene, &Kind::StatefulSet);
    let plan = scene.plan();
    assert_eq!(name(&plan, &set()), WEB, "its holder ends in this plan");
    assert!(
        plan.decommissions.is_empty(),
        "the report takes the entry over"
    );
    scene.remove_pods("web");
    scene.cycle();
    assert!(scene.entry(WEB).unwrap().is_tombstone());
    run(&mut scene, &Kind::StatefulSet);
    scene.cycle();
    assert_eq!(
        held_by(&scene, WEB),
        Some(&set()),
        "its holder is a tombstone"
    );
}

#[test]
fn a_tombstones_own_source_comes_before_whoever_would_take_its_name() {
    let mut scene = Scene::new();
    run(&mut scene, &Kind::StatefulSet);
    scene.cycle();
    scene.delete(&Kind::StatefulSet, "web");
    scene.cycle();
    run(&mut scene, &Kind::StatefulSet);
    run(&mut scene, &Kind::Deployment);
    assert_eq!(name(&scene.plan(), &set()), WEB);
}

#[test]
fn a_name_that_was_given_and_lost_on_the_way_stays_given() {
    let mut scene = Scene::new();
    run(&mut scene, &Kind::StatefulSet);
    scene.cycle_with(|_| Outcome::Unknown);
    scene.restart();
    run(&mut scene, &Kind::Deployment);
    assert_eq!(name(&scene.plan(), &set()), WEB);
}

#[test]
fn promise_2_a_name_that_somebody_may_have_by_an_unanswered_report_is_not_given_to_a_third() {
    type Change = fn(&mut Scene);
    let cases: [(&str, Change, bool); 5] = [
        ("runs", |_| {}, false),
        ("idle", |scene| scene.remove_pods("web"), false),
        ("not seen", |scene| scene.forbid(&Kind::StatefulSet), false),
        (
            "gone",
            |scene| scene.delete(&Kind::StatefulSet, "web"),
            true,
        ),
        (
            "idle for long",
            |scene| {
                scene.remove_pods("web");
                scene.cycle_with(|_| Outcome::Unknown);
                scene.wait(minutes(61));
            },
            true,
        ),
    ];
    for (case, change, is_free) in cases {
        for ended in [false, true] {
            let mut scene = Scene::recorded();
            scene.policy.selection.kinds.reverse();
            scene.delete(&Kind::Deployment, "web");
            if ended {
                scene.cycle();
            }
            run(&mut scene, &Kind::StatefulSet);
            scene.cycle_with(|_| Outcome::Unknown);
            change(&mut scene);
            run(&mut scene, &Kind::DaemonSet);
            let plan = scene.plan();
            let third = name(&plan, &source_of(Kind::DaemonSet, "web", "app"));
            assert_eq!(third == WEB, is_free, "{case}, ended: {ended}: {third}");
        }
    }
}

#[test]
fn names_are_taken_whatever_their_case() {
    let mut scene = Scene::new();
    scene.policy.template = "{workload}".parse().unwrap();
    let upper = object(Kind::StatefulSet, "shop", "WEB");
    scene.facts.objects.push(Arc::new(upper.clone()));
    scene.add_pod(pod("WEB-0", [container("app", &image("web"), 1)]).under(&upper));
    run(&mut scene, &Kind::Deployment);
    let plan = scene.plan();
    assert_eq!(name(&plan, &source("web", "app")), "web");
    let other = name(&plan, &source_of(Kind::StatefulSet, "WEB", "app"));
    assert!(other.starts_with("WEB-"), "{other}");
}

#[test]
fn a_source_takes_its_name_along_to_another_environment() {
    let mut scene = Scene::new();
    run(&mut scene, &Kind::Deployment);
    run(&mut scene, &Kind::StatefulSet);
    scene.cycle();
    scene.remove_pods("web");
    run(&mut scene, &Kind::StatefulSet);
    let namespace = Arc::make_mut(&mut scene.facts.namespaces[0]);
    namespace.logical_environment = Some("staging".into());
    let plan = scene.plan();
    assert_eq!(
        name(&plan, &set()),
        SET_WEB,
        "with its hash, though nobody has the other there"
    );
    assert_eq!(
        &*plan.names[&set()].destination.logical_environment,
        "staging"
    );
}

#[test]
fn a_name_that_its_holder_has_left_is_free_as_soon_as_github_has_acknowledged_the_other() {
    for outcome in [None, Some(Outcome::Unknown), Some(Outcome::Acknowledged)] {
        let acknowledged = outcome == Some(Outcome::Acknowledged);
        let mut scene = Scene::new();
        scene.policy.template = "{workload}".parse().unwrap();
        scene.deploy("web", "app", 1);
        scene.cycle();
        let place = Arc::make_mut(&mut scene.facts.namespaces[0]);
        place.logical_environment = Some("staging".into());
        if let Some(outcome) = outcome {
            scene.cycle_with(|_| outcome);
        }
        scene.facts.namespaces.push(Arc::new(namespace("bank")));
        let other = object(Kind::StatefulSet, "bank", "web");
        scene.facts.objects.push(Arc::new(other.clone()));
        scene.add_pod(pod("web-x", [container("app", &image("web"), 1)]).under(&other));
        let plan = scene.plan();
        let web = source("web", "app");
        let mut others = plan.names.iter().filter(|(source, _)| **source != web);
        let (_, other) = others.next().unwrap();
        assert_eq!(&*other.name == "web", acknowledged, "{}", other.name);
        assert_eq!(names(&plan.decommissions), [""; 0], "it is taken over");
    }
}

#[test]
fn a_name_that_comes_along_gives_way_to_who_has_it_there() {
    let mut scene = Scene::new();
    scene.policy.template = "{workload}".parse().unwrap();
    scene.deploy("web", "app", 1);
    let mut bank = namespace("bank");
    bank.logical_environment = Some("staging".into());
    scene.facts.namespaces.push(Arc::new(bank));
    let other = object(Kind::StatefulSet, "bank", "web");
    scene.facts.objects.push(Arc::new(other.clone()));
    scene.add_pod(pod("web-x", [container("app", &image("web"), 1)]).under(&other));
    let plan = scene.cycle();
    assert_eq!(
        names(&plan.reports),
        ["web", "web"],
        "one in each environment"
    );
    let namespace = Arc::make_mut(&mut scene.facts.namespaces[0]);
    namespace.logical_environment = Some("staging".into());
    let plan = scene.plan();
    assert!(name(&plan, &source("web", "app")).starts_with("web-"));
    assert_eq!(
        plan.names
            .values()
            .filter(|name| &*name.name == "web")
            .count(),
        1
    );
}

#[test]
fn who_comes_along_with_a_name_goes_before_newcomers_that_would_like_it() {
    let mut scene = Scene::new();
    run(&mut scene, &Kind::StatefulSet);
    scene.cycle();
    scene.policy.destination = Arc::new(Destination {
        cluster: "prod-2".into(),
        ..Destination::clone(&scene.policy.destination)
    });
    run(&mut scene, &Kind::Deployment);
    assert_eq!(name(&scene.plan(), &set()), WEB);
}

#[test]
fn a_change_of_the_template_renames_each_source_sooner_or_later_even_if_it_is_cut_short() {
    let mut scene = Scene::new();
    scene.deploy("a", "app", 1);
    scene.deploy("b", "app", 1);
    scene.deploy("idle", "app", 1);
    scene.cycle();
    scene.remove_pods("idle");
    scene.policy.template = "{workload}".parse().unwrap();
    // Only the first of them comes through before the process ends; the template is stored.
    scene.cycle_with(|step| match &*step.line.identity.name {
        "a" => Outcome::Acknowledged,
        _ => Outcome::NotApplied,
    });
    scene.restart();
    let plan = scene.cycle();
    assert_eq!(names(&plan.reports), ["b"]);
    assert_eq!(names(&plan.decommissions), ["shop-a-app"]);
    assert_eq!(names(&plan.retained), ["shop-idle-app"]);
    scene.deploy("idle", "app", 1);
    assert_eq!(names(&scene.cycle().reports), ["idle"]);
    scene.cycle();
    let plan = scene.plan();
    assert_eq!(names(&plan.unchanged), ["a", "b", "idle"]);
}

#[test]
fn a_template_that_makes_the_same_name_changes_nothing() {
    let mut scene = Scene::recorded();
    scene.policy.template = "shop-{workload}-{container}".parse().unwrap();
    assert_eq!(names(&scene.plan().unchanged), [WEB]);
}

#[test]
fn a_long_name_is_cut_and_kept() {
    let mut scene = Scene::new();
    let long = "x".repeat(250);
    scene.run(&Kind::Deployment, &long, [container("app", "web:1", 1)]);
    let plan = scene.cycle();
    let name = names(&plan.reports)[0].to_owned();
    assert_eq!(name.len(), 256);
    assert_eq!(names(&scene.plan().unchanged), [name]);
}
