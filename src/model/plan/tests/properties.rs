//! What holds of every plan, whatever was seen and sent before.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::model::facts::{Coverage, Facts};
use crate::model::fixtures::worlds::{World, cases, history};
use crate::model::fixtures::{Scene, minutes};
use crate::model::gap::{Reason, Subject};
use crate::model::ledger::{Outcome, Owner};
use crate::model::plan::{Plan, Step};
use crate::model::policy::Policy;
use crate::model::record::{Identity, Line, Status};
use crate::model::selection::KindGroup;
use crate::model::workload::{Kind, Source};

/// What comes of one line after the other, for ever.
fn outcomes() -> impl Strategy<Value = Vec<Outcome>> {
    let one = prop_oneof![
        6 => Just(Outcome::Acknowledged),
        1 => Just(Outcome::Unknown),
        1 => Just(Outcome::Unconfirmed),
        1 => Just(Outcome::NotApplied),
        1 => Just(Outcome::Refused(Reason::NotFound)),
        1 => Just(Outcome::Refused(Reason::Invalid)),
    ];
    vec(one, 1..20)
}

/// A scene with the ledger that such a past leaves, at the last of its worlds, and the plan.
fn lived(worlds: Vec<World>, outcomes: &[Outcome]) -> (Scene, Plan) {
    let mut scene = Scene::new();
    let mut outcomes = outcomes.iter().copied().cycle();
    let last = worlds.len() - 1;
    for (number, world) in worlds.into_iter().enumerate() {
        scene.facts = world.facts;
        scene.policy = world.policy;
        if number < last {
            scene.snapshot_with(|_| outcomes.next().unwrap());
            scene.wait(minutes(7));
        }
    }
    let plan = scene.plan();
    (scene, plan)
}

fn lines(plan: &Plan) -> impl Iterator<Item = &Step> {
    plan.snapshot().into_iter().chain(&plan.decommissions)
}

/// Whether the scope of `source` is covered, by the words of the documentation.
fn is_covered(source: &Source, coverage: &Coverage, facts: &Facts) -> bool {
    let place = &*source.workload.namespace;
    let runs = facts.pods.iter().any(|pod| {
        let owner = pod.controller.as_ref();
        pod.namespace == source.workload.namespace
            && owner.is_some_and(|owner| owner.name == source.workload.name)
    });
    let unreadable = coverage.unreadable.get(&source.workload.kind);
    let cannot_be_read = unreadable.is_some_and(|it| it.view.covers(place));
    let scope: &[Kind] = match source.workload.kind {
        Kind::Deployment => &[Kind::ReplicaSet, Kind::Deployment],
        Kind::CronJob => &[Kind::Job, Kind::CronJob],
        // It cannot be read and owns its pods itself.
        Kind::Other { .. } if runs && cannot_be_read => &[],
        ref kind => std::slice::from_ref(kind),
    };
    coverage.namespaces.covers(place)
        && coverage.pods.covers(place)
        && scope.iter().all(|kind| coverage.covers(kind, place))
}

/// Whether flags alone, or a namespace that is gone, end a record of `source`.
fn is_out(source: &Source, step: &Step, facts: &Facts, policy: &Policy) -> bool {
    let place = &*source.workload.namespace;
    let there = facts.namespaces.iter().any(|known| &*known.name == place);
    let gone = facts.coverage.namespaces.covers(place) && !there;
    let has = |restarts| {
        let group = KindGroup::of(&source.workload.kind, restarts);
        policy.selection.kinds.contains(&group)
    };
    let image_in = policy.selection.has_image(&step.line.body.name);
    let image_in = image_in && policy.selection.exclude_images.is_empty();
    let in_scope = policy.selection.has_namespace(place) && has(true) && has(false) && image_in;
    gone || !in_scope
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn when_everything_is_acknowledged_there_is_nothing_left_to_say(
        worlds in history(5), outcomes in outcomes(),
    ) {
        let (mut scene, _) = lived(worlds, &outcomes);
        // A move is a report first, then a decommission; the retry of a refusal comes by itself.
        for _ in 0..4 {
            scene.snapshot_with(|_| Outcome::Acknowledged);
        }
        let plan = scene.plan();
        let tombstone = |step: &&Step| scene.ledger.entry(&step.line.identity).unwrap().is_tombstone();
        prop_assert!(plan.reports.iter().all(|step| {
            let refusal = scene.ledger.refusal(&step.line.identity, &step.line.body);
            refusal.is_some_and(|refusal| refusal.retry_at <= scene.now)
        }), "{:?}", plan.reports);
        prop_assert!(plan.decommissions.iter().all(|step| tombstone(&step)), "{:?}", plan.decommissions);
    }

    #[test]
    fn promise_2_nothing_that_runs_in_scope_is_decommissioned_under_its_own_name(
        worlds in history(5), outcomes in outcomes(),
    ) {
        let running = worlds.last().unwrap().running();
        let (scene, plan) = lived(worlds, &outcomes);
        for step in &plan.decommissions {
            let Some(source) = step.owner.source() else { continue };
            prop_assert_ne!(plan.names.get(source), Some(&step.line.identity));
            let moved = plan.names.get(source).and_then(|name| scene.ledger.entry(name));
            let moved = moved.is_some_and(|entry| entry.stands_for(source));
            let tombstone = scene.ledger.entry(&step.line.identity).unwrap().is_tombstone();
            let out = is_out(source, step, &scene.facts, &scene.policy);
            prop_assert!(moved || tombstone || out || !running.contains(source), "{step:?}");
        }
    }

    #[test]
    fn promise_2_what_is_out_of_coverage_is_untouched_beyond_rows_4_and_5(
        worlds in history(5), outcomes in outcomes(),
    ) {
        let (scene, plan) = lived(worlds, &outcomes);
        for step in lines(&plan) {
            let Some(source) = step.owner.source() else { continue };
            let covered = is_covered(source, &scene.facts.coverage, &scene.facts);
            let ends = step.line.status == Status::Decommissioned;
            let out = ends && is_out(source, step, &scene.facts, &scene.policy);
            prop_assert!(covered || out, "{step:?}");
        }
    }

    #[test]
    fn promise_8_the_order_of_facts_does_not_matter(
        worlds in history(4), outcomes in outcomes(), turn in 0usize..10,
    ) {
        let (mut scene, plan) = lived(worlds, &outcomes);
        let Facts { pods, remembered, objects, namespaces, .. } = &mut scene.facts;
        pods.reverse();
        remembered.reverse();
        objects.reverse();
        namespaces.reverse();
        let (of_pods, of_objects) = (turn % pods.len().max(1), turn % objects.len().max(1));
        pods.rotate_left(of_pods);
        objects.rotate_left(of_objects);
        prop_assert_eq!(format!("{plan:?}"), format!("{:?}", scene.plan()));
    }

    #[test]
    fn names_are_unique_and_stay(worlds in history(5), outcomes in outcomes()) {
        let (mut scene, plan) = lived(worlds, &outcomes);
        let names: BTreeSet<&Identity> = plan.names.values().collect();
        prop_assert_eq!(names.len(), plan.names.len());
        prop_assert!(names.iter().all(|name| (1..=256).contains(&name.name.len())));
        for _ in 0..3 {
            let again = scene.snapshot_with(|_| Outcome::Acknowledged);
            prop_assert_eq!(&again.names, &plan.names);
        }
        // What else comes and goes changes no name of what is recorded.
        let gone = scene.facts.pods.len() / 2;
        scene.facts.pods.truncate(gone);
        for (source, name) in scene.cycle().names {
            // Another pod may speak now, whose image belongs to another organization.
            let known = plan.names.get(&source);
            let known = known.filter(|known| known.destination == name.destination);
            prop_assert_eq!(known.unwrap_or(&name), &name);
        }
    }

    #[test]
    fn promise_1_whatever_runs_in_scope_has_a_line_or_a_gap(
        worlds in history(4), outcomes in outcomes(),
    ) {
        let world = worlds.last().unwrap().clone();
        let (scene, plan) = lived(worlds, &outcomes);
        for source in world.running() {
            let place = &source.workload.namespace;
            if !scene.policy.selection.has_namespace(place) {
                continue;
            }
            let owner = Owner::Source(source.clone());
            let has_line = plan.snapshot().iter().any(|step| step.owner == owner);
            let has_gap = plan.gaps.iter().any(|gap| match &gap.subject {
                Subject::Source(subject) => *subject == source,
                Subject::Pod { namespace, .. } => namespace == place,
            });
            let counted = plan.not_selected.values().sum::<usize>() > 0
                && !world.policy.selection.exclude_images.is_empty();
            prop_assert!(has_line || has_gap || counted, "{source}");
        }
    }

    #[test]
    fn promise_5_no_line_breaks_the_contract(worlds in history(5), outcomes in outcomes()) {
        let (scene, plan) = lived(worlds, &outcomes);
        let identities: Vec<&Identity> = lines(&plan).map(|step| &step.line.identity).collect();
        let unique: BTreeSet<&Identity> = identities.iter().copied().collect();
        prop_assert_eq!(unique.len(), identities.len(), "one line for one identity");
        for step in lines(&plan) {
            let Line { identity, body, .. } = &step.line;
            prop_assert!((1..=256).contains(&identity.name.len()));
            prop_assert!((1..=256).contains(&body.name.len()));
            prop_assert!(body.version.as_ref().is_none_or(|version| (1..=100).contains(&version.len())));
            prop_assert!(body.tags.len() <= 5);
            prop_assert!(body.tags.iter().flat_map(|(key, value)| [key, value]).all(|text| !text.is_empty()));
            let is_repository = |name: &std::sync::Arc<str>| crate::model::context::is_repository(name);
            prop_assert!(body.repository.as_ref().is_none_or(is_repository));
            let here = identity.destination.host == scene.policy.destination.host;
            prop_assert!(here, "no token goes elsewhere");
        }
        let mut bodies = std::collections::BTreeMap::new();
        for step in lines(&plan) {
            let body = &step.line.body;
            let name = (&body.name, &body.version);
            let organization = step.line.identity.destination.organization.to_lowercase();
            let key = (organization, body.digest);
            prop_assert_eq!(*bodies.entry(key).or_insert(name), name);
        }
    }
}
