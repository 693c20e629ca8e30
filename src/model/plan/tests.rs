//! Tests of the plan: every row of the truth table, the guard, and what holds of every plan.

use std::sync::Arc;

use crate::model::facts::Pod;
use crate::model::fixtures::{Scene, container, destination, digest, image};
use crate::model::gap::Reason;
use crate::model::ledger::{Entry, Ledger, Owner};
use crate::model::moment::Moment;
use crate::model::record::{Body, Destination, Identity};
use crate::model::risk::Risks;
use crate::model::text_map::TextMap;
use crate::model::workload::Kind;

use super::{Plan, Row, Why};

mod crews;
mod exposure;
mod gaps;
mod guard;
mod kinds;
mod properties;
mod repositories;
mod rows_10_to_12;
mod rows_13_to_16;
mod rows_1_to_3;
mod rows_4_to_6;
mod rows_7_to_9;

/// The name of container `app` of workload `web`.
const WEB: &str = "shop-web-app";
/// Its name by the template of [`rename`].
const NEW: &str = "shop/web/app";

/// Changes the template.
fn rename(scene: &mut Scene) {
    scene.policy.template = "{namespace}/{workload}/{container}".parse().unwrap();
}

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
        tags: TextMap::default(),
        risks: Risks::default(),
    }));
    let identity = Identity {
        destination: Arc::new(destination),
        name: WEB.into(),
    };
    scene.ledger = Ledger::restore(None, [(identity, entry)], [], Moment::START);
}

/// A scene in which `web` has a second container, `proxy`, and GitHub holds both.
fn with_proxy(kind: &Kind) -> Scene {
    let mut scene = Scene::new();
    scene.read(kind);
    let proxy = container("proxy", &image("proxy"), 2);
    scene.run(kind, "web", [container("app", &image("web"), 1), proxy]);
    scene.cycle();
    scene
}

/// Drops the container `app` from a pod.
fn without_app(pod: &mut Pod) {
    let rest = pod.containers.iter();
    let rest = rest.filter(|container| &*container.name != "app");
    pod.containers = rest.cloned().collect();
}

/// The identity of that name as the settings of the tests spell it.
fn scene_spelling(name: &Identity) -> Identity {
    Identity {
        destination: Arc::new(destination()),
        name: name.name.clone(),
    }
}

#[test]
fn rows_are_numbered_as_they_stand_in_the_table() {
    let numbers = Row::ALL.map(Row::number);
    assert!(numbers.into_iter().eq(1..=16));
}

#[test]
fn a_reason_for_withholding_is_written_by_its_name() {
    for why in Why::ALL {
        assert_eq!(why.to_string(), why.as_str());
    }
}
