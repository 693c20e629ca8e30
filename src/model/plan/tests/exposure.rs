//! The runtime risk that is found out: what is reached from outside gets it, what is known not to be
//! loses it, and what is not known stays as GitHub was told.

use std::sync::Arc;

use crate::model::exposure::links::{Link, Service, Sort};
use crate::model::exposure::{DoorState, Exposed, Way};
use crate::model::facts::View;
use crate::model::fixtures::{SHOP, Scene, annotations, object, pod, rollout, workload};
use crate::model::gap::Reason;
use crate::model::inventory::Inventory;
use crate::model::ledger::Outcome;
use crate::model::plan::Plan;
use crate::model::risk::Risk;
use crate::model::text_map::TextMap;
use crate::model::workload::Kind;

use super::{WEB, is_quiet, reasons, rename};

/// A scene that looks for load balancers, in which Deployment `web` runs, with one in front of it.
fn scene() -> Scene {
    let mut scene = Scene::new();
    scene.policy.selection.ways = vec![Way::LoadBalancer];
    scene.deploy("web", "app", 1);
    let labels = TextMap::from([("app", "web")]);
    scene.change_pods("web", |pod| pod.labels = labels.clone());
    see(&mut scene, true);
    balance(&mut scene);
    scene
}

fn see(scene: &mut Scene, seen: bool) {
    let view = if seen {
        View::Everything
    } else {
        View::Nothing
    };
    scene.facts.coverage.links.insert(Link::Service, view);
}

fn balance(scene: &mut Scene) {
    scene.facts.links.services = vec![Arc::new(Service {
        namespace: SHOP.into(),
        name: "web".into(),
        sort: Sort::LoadBalancer,
        selector: TextMap::from([("app", "web")]),
        class: None,
        source_ranges: Box::default(),
        annotations: TextMap::default(),
    })];
}

fn unbalance(scene: &mut Scene) {
    scene.facts.links.services.clear();
}

/// The risks that a plan tells of `web`.
fn told(plan: &Plan) -> Vec<&'static str> {
    let snapshot = plan.snapshot();
    let mut steps = snapshot
        .iter()
        .filter(|step| *step.line.identity.name == *WEB);
    steps.next().unwrap().line.body.risks.names()
}

const EXPOSED: [&str; 1] = ["internet-exposed"];

#[test]
fn what_is_reached_gets_the_risk_and_loses_it_when_it_is_known_not_to_be() {
    let mut scene = scene();
    assert_eq!(told(&scene.cycle()), EXPOSED);
    assert!(is_quiet(&scene.plan()));
    unbalance(&mut scene);
    let plan = scene.cycle();
    assert_eq!((plan.reports.len(), told(&plan)), (1, vec![]));
    assert_eq!(reasons(&plan), []);
}

#[test]
fn nothing_is_found_out_unless_a_person_asks() {
    let mut scene = scene();
    scene.policy.selection.ways.clear();
    assert_eq!(told(&scene.plan()), [""; 0]);
    see(&mut scene, false);
    assert_eq!(reasons(&scene.plan()), []);
}

#[test]
fn what_is_found_out_is_joined_to_what_is_declared() {
    let mut scene = scene();
    let declared = annotations(&[("runtime-risks", "sensitive-data")]);
    scene.change_pods("web", |pod| pod.annotations = declared.clone());
    let both = ["internet-exposed", "sensitive-data"];
    assert_eq!(told(&scene.cycle()), both);
    // What is declared is not up to what is found out.
    let declared = annotations(&[("runtime-risks", "internet-exposed")]);
    scene.change_pods("web", |pod| pod.annotations = declared.clone());
    unbalance(&mut scene);
    assert_eq!(told(&scene.cycle()), EXPOSED);
    see(&mut scene, false);
    let plan = scene.plan();
    assert!(is_quiet(&plan), "declared is declared");
    assert_eq!(reasons(&plan), []);
}

#[test]
fn promise_2_what_is_not_seen_takes_the_risk_away_from_nobody_and_gives_it_to_nobody() {
    let mut exposed = scene();
    exposed.cycle();
    see(&mut exposed, false);
    for is_there in [true, false] {
        if !is_there {
            unbalance(&mut exposed);
        }
        let plan = exposed.plan();
        assert!(is_quiet(&plan), "{is_there}");
        assert_eq!(told(&plan), EXPOSED);
        assert_eq!(reasons(&plan), [Reason::ExposureUnknown]);
        assert_eq!(&*plan.gaps[0].detail, "Service in shop is not fully seen");
    }
    // Everything else of it goes on.
    let tag = annotations(&[("team", "cart")]);
    exposed.change_pods("web", |pod| pod.annotations = tag.clone());
    let plan = exposed.cycle();
    assert_eq!((plan.reports.len(), told(&plan)), (1, EXPOSED.to_vec()));
    // So it is after a restart, by what is stored.
    exposed.restart();
    assert_eq!(told(&exposed.plan()), EXPOSED);
    see(&mut exposed, true);
    assert_eq!(told(&exposed.cycle()), [""; 0]);

    let mut unexposed = scene();
    unbalance(&mut unexposed);
    unexposed.cycle();
    balance(&mut unexposed);
    see(&mut unexposed, false);
    let plan = unexposed.plan();
    assert!(is_quiet(&plan));
    assert_eq!(
        (told(&plan), reasons(&plan)),
        (vec![], vec![Reason::ExposureUnknown])
    );
    // What GitHub has never heard of begins without it.
    let mut fresh = scene();
    see(&mut fresh, false);
    assert_eq!(told(&fresh.plan()), [""; 0]);
}

#[test]
fn what_was_sent_and_not_answered_counts_as_told() {
    let mut scene = scene();
    scene.cycle_with(|_| Outcome::Unknown);
    see(&mut scene, false);
    assert_eq!(told(&scene.plan()), EXPOSED);
}

#[test]
fn a_record_that_moves_takes_the_risk_along_while_it_is_not_known() {
    let mut scene = scene();
    scene.cycle();
    see(&mut scene, false);
    rename(&mut scene);
    let plan = scene.plan();
    assert_eq!(plan.reports[0].line.body.risks.names(), EXPOSED);
}

#[test]
fn a_record_that_ended_says_nothing_about_the_next_of_its_name() {
    let mut scene = scene();
    scene.cycle();
    scene.delete(&Kind::Deployment, "web");
    scene.cycle();
    assert!(scene.entry(WEB).unwrap().is_tombstone());
    scene.deploy("web", "app", 1);
    see(&mut scene, false);
    assert_eq!(told(&scene.plan()), [""; 0]);
}

#[test]
fn each_pod_of_a_workload_counts_and_an_owner_that_is_not_built_in_is_like_any_other() {
    let mut scene = scene();
    let first = scene.facts.pods[0].clone();
    scene.change_pods("web", |pod| pod.labels = TextMap::default());
    let mut second = (*first).clone();
    (second.name, second.uid) = ("web-9".into(), "uid-9".into());
    second.ready = false;
    scene.add_pod(second);
    assert_eq!(told(&scene.plan()), EXPOSED);

    let owner = object(rollout(), SHOP, "api");
    let mut of_rollout = pod("api-0", first.containers.clone()).under(&owner);
    of_rollout.labels = TextMap::from([("app", "web")]);
    scene.add_pod(of_rollout);
    let plan = scene.plan();
    let reports = plan.reports.iter().map(|step| step.line.body.risks);
    assert!(
        reports
            .into_iter()
            .all(|risks| risks.contains(Risk::InternetExposed))
    );
}

#[test]
fn it_can_be_said_by_which_object_a_workload_is_reached() {
    let mut scene = scene();
    let web = workload(Kind::Deployment, SHOP, "web");
    let inventory = Inventory::new(&scene.facts, &scene.policy);
    let reach = inventory.reach(&web).unwrap();
    assert_eq!(reach.exposed, Exposed::Yes);
    assert_eq!(reach.doors[0].object.to_string(), "Service shop/web");
    assert_eq!(
        (&reach.doors[0].state, reach.doors.len()),
        (&DoorState::Open, 1)
    );
    assert_eq!(reach.unread, []);
    see(&mut scene, false);
    let inventory = Inventory::new(&scene.facts, &scene.policy);
    let reach = inventory.reach(&web).unwrap();
    assert!(matches!(reach.exposed, Exposed::Unknown(_)));
    assert_eq!(reach.unread.len(), 1);
    scene.policy.selection.ways.clear();
    assert!(
        Inventory::new(&scene.facts, &scene.policy)
            .reach(&web)
            .is_none()
    );
}
