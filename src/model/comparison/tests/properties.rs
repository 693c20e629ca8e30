//! Whatever happened: once everything is acknowledged, what is listed is what is expected.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::model::fixtures::worlds::{cases, history};
use crate::model::gap::Reason;
use crate::model::plan::Step;
use crate::model::record::Line;

/// What GitHub holds after a line with that outcome. Of those that are unknown every other one came.
fn apply(github: &mut BTreeMap<Identity, Line>, step: &Step, outcome: Outcome, count: usize) {
    let came = match outcome {
        Outcome::Acknowledged => true,
        Outcome::Unknown | Outcome::Unconfirmed => count.is_multiple_of(2),
        Outcome::Refused(_) | Outcome::NotApplied => false,
    };
    if came {
        github.insert(step.line.identity.clone(), step.line.clone());
    }
}

/// What it lists, with the status or as the contract has it.
fn listed_by(github: &BTreeMap<Identity, Line>, tells: bool) -> Vec<Listed> {
    let lines = github.values();
    lines
        .map(|line| Listed {
            identity: line.identity.clone(),
            digest: line.body.digest,
            tags: line.body.tags.clone(),
            risks: line
                .body
                .risks
                .names()
                .into_iter()
                .map(Into::into)
                .collect(),
            status: tells.then_some(line.status),
            name: None,
            version: None,
            repository: None,
        })
        .collect()
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        6 => Just(Outcome::Acknowledged),
        1 => Just(Outcome::Unknown),
        1 => Just(Outcome::NotApplied),
        1 => Just(Outcome::Refused(Reason::NotFound)),
    ]
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn once_everything_is_acknowledged_nothing_differs_and_nothing_is_lacking(
        worlds in history(4), outcomes in vec(outcome(), 1..20),
    ) {
        let (mut scene, mut github) = (Scene::new(), BTreeMap::new());
        let mut outcomes = outcomes.into_iter().cycle().enumerate();
        for world in worlds {
            (scene.facts, scene.policy) = (world.facts, world.policy);
            scene.snapshot_with(|step| {
                let (count, outcome) = outcomes.next().unwrap();
                apply(&mut github, step, outcome, count);
                outcome
            });
            scene.wait(minutes(7));
        }
        for _ in 0..4 {
            scene.wait(minutes(11));
            scene.snapshot_with(|step| {
                apply(&mut github, step, Outcome::Acknowledged, 0);
                Outcome::Acknowledged
            });
        }
        for tells in [false, true] {
            let records = listed_by(&github, tells);
            let expected = expected(&scene);
            let lists = lists(&expected, &records);
            let comparison = expected.compare(&lists);
            prop_assert_eq!(kinds(&comparison), [], "{:?}", comparison.differences);
            prop_assert_eq!(expected.adoptable(&lists), []);
        }
    }
}
