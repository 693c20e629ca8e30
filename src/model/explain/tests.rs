//! Tests of explanations: each row of the truth table, every way to a name, every origin.

use crate::model::fixtures::{
    Scene, as_stored, assert_told_apart, container, digest, image, source,
};
use crate::model::plan::Row;
use crate::model::workload::Kind;

use super::*;

mod found;
mod origins;
mod rows;
mod voices;

/// What is said of `name` in `shop` (or of `namespace/…`), with what the scene's ledger knows.
fn ask(scene: &Scene, name: &str) -> Answer {
    answer(scene, &Asked::new("shop", name, None))
}

fn answer(scene: &Scene, asked: &Asked) -> Answer {
    let plan = scene.plan();
    let known = Known::all(&scene.ledger, &plan, scene.policy.settle_after);
    let books = Books {
        facts: &scene.facts,
        policy: &scene.policy,
        plan: &plan,
        known: &known,
    };
    Answer::new(asked, books)
}

/// The one workload of that name.
fn explained(scene: &Scene, name: &str) -> Explanation {
    match ask(scene, name) {
        Answer::Explained(mut found) if found.len() == 1 => found.remove(0),
        other => panic!("{other:?}"),
    }
}

/// Container `app` of the one workload of that name.
fn part(scene: &Scene, name: &str) -> Part {
    let parts = explained(scene, name).parts;
    let mut parts = parts
        .into_iter()
        .filter(|part| &*part.source.container == "app");
    parts.next().expect("a container app")
}
