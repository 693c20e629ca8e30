//! Comparison: each kind of difference, and what is fair while something is under way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::DifferenceKind::{
    self, Missing, StatusNotKnown, Unknown, WrongDigest, WrongEnvironment, WrongRisks, WrongStatus,
    WrongTags,
};
use super::*;
use crate::model::facts::State;
use crate::model::fixtures::{
    Scene, annotations, assert_told_apart, digest, minutes, names, source,
};
use crate::model::ledger::{Ledger, Outcome};
use crate::model::record::Destination;
use crate::model::selection::{Pattern, Selection};
use crate::model::workload::Kind;

mod organizations;
mod properties;

/// The name of container `app` of workload `web`.
const WEB: &str = "shop-web-app";

/// What a test does to a record.
type Change = fn(&mut Listed);

/// What differs, by name.
type Found = Vec<(&'static str, DifferenceKind)>;

/// A record as GitHub lists it, which the contract's fields alone make up.
fn listed(scene: &Scene, name: &str, number: u64) -> Listed {
    Listed {
        identity: scene.identity(name),
        digest: digest(number),
        tags: TextMap::default(),
        risks: BTreeSet::new(),
        status: None,
        name: None,
        version: None,
        repository: None,
    }
}

fn elsewhere(record: &Listed, change: impl Fn(&mut Destination)) -> Listed {
    let mut destination = Destination::clone(&record.identity.destination);
    change(&mut destination);
    let identity = Identity {
        destination: Arc::new(destination),
        name: record.identity.name.clone(),
    };
    Listed {
        identity,
        ..record.clone()
    }
}

fn expected(scene: &Scene) -> Expected {
    Expected::new(&scene.facts, &scene.ledger, &scene.policy)
}

/// What GitHub answers to whoever asks for every digest.
fn lists(expected: &Expected, records: &[Listed]) -> BTreeMap<Digest, Vec<Listed>> {
    let asked = expected.digests().values().flatten();
    asked
        .map(|digest| {
            let under = records.iter().filter(|record| record.digest == *digest);
            (*digest, under.cloned().collect())
        })
        .collect()
}

fn compare(scene: &Scene, records: &[Listed]) -> Comparison {
    let expected = expected(scene);
    expected.compare(&lists(&expected, records))
}

fn kinds(comparison: &Comparison) -> Vec<(&str, DifferenceKind)> {
    let differences = comparison.differences.iter();
    differences
        .map(|difference| (&*difference.identity.name, difference.kind))
        .collect()
}

#[test]
fn a_record_as_it_is_held_is_the_same_and_each_way_to_differ_has_its_name() {
    let scene = Scene::recorded();
    let web = listed(&scene, WEB, 1);
    let table: [(Change, Found); 10] = [
        (|_| {}, vec![]),
        (|it| it.status = Some(Status::Deployed), vec![]),
        (
            |it| it.status = Some(Status::Decommissioned),
            vec![(WEB, WrongStatus)],
        ),
        (
            |it| it.tags = TextMap::from([("team", "x")]),
            vec![(WEB, WrongTags)],
        ),
        (
            |it| it.risks = BTreeSet::from(["brand-new".into()]),
            vec![(WEB, WrongRisks)],
        ),
        (
            |it| {
                it.tags = TextMap::from([("team", "x")]);
                it.risks = BTreeSet::from(["sensitive-data".into()]);
            },
            vec![(WEB, WrongTags), (WEB, WrongRisks)],
        ),
        (
            |it| *it = elsewhere(it, |place| place.logical_environment = "test".into()),
            vec![(WEB, WrongEnvironment)],
        ),
        (
            |it| *it = elsewhere(it, |place| place.physical_environment = Some("eu".into())),
            vec![(WEB, WrongEnvironment)],
        ),
        (
            |it| *it = elsewhere(it, |place| place.cluster = "other".into()),
            vec![(WEB, Missing)],
        ),
        (
            |it| {
                it.identity.name = WEB.to_uppercase().into();
                *it = elsewhere(it, |place| {
                    place.cluster = "PROD".into();
                    place.physical_environment = Some("".into());
                });
            },
            vec![],
        ),
    ];
    for (change, found) in table {
        let mut record = web.clone();
        change(&mut record);
        let comparison = compare(&scene, std::slice::from_ref(&record));
        assert_eq!(kinds(&comparison), found, "{record:?}");
        assert_eq!(comparison.same, usize::from(found.is_empty()));
    }
    assert_eq!(kinds(&compare(&scene, &[])), [(WEB, Missing)]);
}

#[test]
fn kinds_of_differences_are_told_apart() {
    assert_told_apart(DifferenceKind::ALL.map(DifferenceKind::as_str));
}

#[test]
fn tags_and_risks_are_those_of_the_annotations() {
    let mut scene = Scene::recorded();
    scene.change_object(&Kind::Deployment, |object| {
        object.annotations = annotations(&[
            ("team", "x"),
            ("runtime-risks", "sensitive-data,critical-resource"),
        ]);
    });
    let mut record = listed(&scene, WEB, 1);
    let found = [(WEB, WrongTags), (WEB, WrongRisks)];
    assert_eq!(
        kinds(&compare(&scene, std::slice::from_ref(&record))),
        found
    );
    record.tags = TextMap::from([("team", "x")]);
    record.risks = BTreeSet::from(["sensitive-data".into(), "critical-resource".into()]);
    assert_eq!(compare(&scene, &[record]).same, 1);
}

#[test]
fn a_name_under_another_digest_that_was_asked_for_has_the_wrong_digest() {
    let mut scene = Scene::recorded();
    scene.deploy("api", "app", 2);
    scene.cycle();
    let (web, api) = (listed(&scene, WEB, 2), listed(&scene, "shop-api-app", 2));
    let comparison = compare(&scene, &[web.clone(), api.clone()]);
    assert_eq!(kinds(&comparison), [(WEB, WrongDigest)]);
    let difference = &comparison.differences[0];
    let (body, status) = difference.expected.as_ref().unwrap();
    assert_eq!((body.digest, *status), (digest(1), Status::Deployed));
    assert_eq!(difference.source, Some(source("web", "app")));
    assert_eq!(difference.found.as_ref(), Some(&web));
    // GitHub has one record of a name: the likest of those that are listed counts.
    let right = listed(&scene, WEB, 1);
    assert_eq!(compare(&scene, &[web, right, api]).same, 2);
}

#[test]
fn a_name_of_this_cluster_that_the_ledger_lacks_is_unknown_unless_github_says_it_has_ended() {
    let scene = Scene::recorded();
    let web = listed(&scene, WEB, 1);
    let stranger = listed(&scene, "by-hand", 1);
    let with = |status| Listed {
        status,
        ..stranger.clone()
    };
    let there = |change: fn(&mut Destination)| elsewhere(&stranger, change);
    let table: [(Listed, Found); 7] = [
        (with(None), vec![("by-hand", StatusNotKnown)]),
        (with(Some(Status::Deployed)), vec![("by-hand", Unknown)]),
        (with(Some(Status::Decommissioned)), vec![]),
        (there(|place| place.cluster = "other".into()), vec![]),
        (there(|place| place.cluster = "".into()), vec![]),
        (there(|place| place.organization = "other".into()), vec![]),
        (
            there(|place| place.logical_environment = "test".into()),
            vec![],
        ),
    ];
    for (record, found) in table {
        let is_lacking = expected(&scene).lacks(&record);
        assert_eq!(is_lacking, !found.is_empty(), "{record:?}");
        let comparison = compare(&scene, &[web.clone(), record]);
        assert_eq!(kinds(&comparison), found);
    }
}

#[test]
fn environments_of_this_cluster_are_those_of_its_namespaces_and_of_its_ledger() {
    let mut scene = Scene::recorded();
    let test = |scene: &Scene| {
        elsewhere(&listed(scene, "by-hand", 1), |place| {
            place.logical_environment = "test".into();
        })
    };
    assert!(!expected(&scene).lacks(&test(&scene)));
    let namespace = Arc::make_mut(&mut scene.facts.namespaces[0]);
    namespace.logical_environment = Some("test".into());
    assert!(expected(&scene).lacks(&test(&scene)));
    scene.policy.selection.exclude_namespaces = vec![Pattern::new("shop")];
    assert!(!expected(&scene).lacks(&test(&scene)));
    scene.policy.selection.exclude_namespaces.clear();
    scene.cycle();
    Arc::make_mut(&mut scene.facts.namespaces[0]).logical_environment = None;
    assert!(expected(&scene).lacks(&test(&scene)), "by the ledger");
}

#[test]
fn what_runs_and_is_not_in_the_ledger_is_missing_or_of_unknown_status() {
    let mut scene = Scene::recorded();
    scene.ledger = Ledger::default();
    assert_eq!(kinds(&compare(&scene, &[])), [(WEB, Missing)]);
    let record = listed(&scene, WEB, 1);
    assert!(expected(&scene).lacks(&record));
    let comparison = compare(&scene, std::slice::from_ref(&record));
    assert_eq!(kinds(&comparison), [(WEB, StatusNotKnown)]);
    let told = Listed {
        status: Some(Status::Deployed),
        ..record
    };
    assert_eq!(compare(&scene, &[told]).same, 1);
}

#[test]
fn what_runs_no_longer_differs_until_its_end_is_acknowledged() {
    let mut scene = Scene::recorded();
    scene.deploy("api", "app", 1);
    scene.cycle();
    scene.delete(&Kind::Deployment, "web");
    let (web, api) = (listed(&scene, WEB, 1), listed(&scene, "shop-api-app", 1));
    let both = [web.clone(), api.clone()];
    assert_eq!(kinds(&compare(&scene, &both)), [(WEB, WrongStatus)]);
    assert_eq!(compare(&scene, std::slice::from_ref(&api)).same, 2);

    assert_eq!(names(&scene.cycle().decommissions), [WEB]);
    assert!(scene.entry(WEB).unwrap().is_tombstone());
    assert_eq!(compare(&scene, &both).same, 2);
    let deployed = Listed {
        status: Some(Status::Deployed),
        ..web.clone()
    };
    let late = [deployed.clone(), api.clone()];
    assert_eq!(kinds(&compare(&scene, &late)), [(WEB, WrongStatus)]);

    scene.wait(minutes(10));
    scene.cycle();
    assert!(scene.entry(WEB).is_none(), "only a past name is left");
    assert_eq!(kinds(&compare(&scene, &both)), []);
    assert_eq!(kinds(&compare(&scene, &late)), [(WEB, Unknown)]);
    let moved = Listed {
        digest: digest(3),
        ..web
    };
    assert!(
        expected(&scene).lacks(&moved),
        "it ended with another digest"
    );
    // It comes back.
    scene.deploy("web", "app", 1);
    assert_eq!(kinds(&compare(&scene, &both)), [(WEB, WrongStatus)]);
    assert_eq!(compare(&scene, &late).same, 2);
}

#[test]
fn of_what_is_sent_and_unanswered_both_the_old_and_the_new_are_right() {
    let mut scene = Scene::new();
    scene.deploy("web", "app", 1);
    scene.cycle_with(|_| Outcome::Unknown);
    scene.restart();
    let old = listed(&scene, WEB, 1);
    assert_eq!(compare(&scene, &[]).same, 1, "it may not have come");
    assert_eq!(compare(&scene, std::slice::from_ref(&old)).same, 1);
    scene.wait(minutes(10));
    scene.cycle();

    scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(2)));
    let new = listed(&scene, WEB, 2);
    assert_eq!(
        kinds(&compare(&scene, std::slice::from_ref(&old))),
        [(WEB, WrongDigest)]
    );
    scene.cycle_with(|_| Outcome::Unknown);
    scene.restart();
    for record in [&old, &new] {
        assert_eq!(compare(&scene, std::slice::from_ref(record)).same, 1);
    }
    assert_eq!(kinds(&compare(&scene, &[])), [(WEB, Missing)]);

    scene.wait(minutes(10));
    scene.cycle();
    scene.delete(&Kind::Deployment, "web");
    scene.cycle_with(|_| Outcome::Unknown);
    scene.restart();
    for status in [None, Some(Status::Deployed), Some(Status::Decommissioned)] {
        let record = Listed {
            status,
            ..new.clone()
        };
        assert_eq!(compare(&scene, &[record]).same, 1);
    }
}

#[test]
fn what_has_left_and_is_unanswered_is_right_beside_the_newest_and_what_never_left_is_not() {
    let mut scene = Scene::recorded();
    let run = |scene: &mut Scene, number| {
        scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(number)));
    };
    run(&mut scene, 2);
    scene.cycle_with(|_| Outcome::Unknown);
    run(&mut scene, 3);
    let plan = scene.plan();
    scene
        .ledger
        .intend(&plan.reports[0].line, &plan.reports[0].owner);
    run(&mut scene, 4);
    let compare = |number| compare(&scene, &[listed(&scene, WEB, number)]);
    for right in [1, 2, 4] {
        assert_eq!(compare(right).same, 1, "{right}");
    }
    assert_eq!(kinds(&compare(3)), [(WEB, Missing)], "nobody asks for it");
}

#[test]
fn what_is_kept_is_to_be_as_it_is_held() {
    let mut scene = Scene::recorded();
    scene.change_pods("web", |pod| pod.containers[0].digest = None);
    assert_eq!(kinds(&compare(&scene, &[])), [(WEB, Missing)]);
    assert_eq!(compare(&scene, &[listed(&scene, WEB, 1)]).same, 1);
    scene.forbid(&Kind::Pod);
    assert_eq!(kinds(&compare(&scene, &[])), [(WEB, Missing)], "withheld");
}

#[test]
fn only_the_named_namespaces_are_compared_and_names_of_others_stay_known() {
    let mut scene = Scene::recorded();
    scene.policy.selection.namespaces = vec![Pattern::new("bank")];
    let expected = expected(&scene);
    assert!(expected.digests().values().all(BTreeSet::is_empty));
    let web = listed(&scene, WEB, 1);
    assert!(!expected.lacks(&web));
    let comparison = expected.compare(&BTreeMap::from([(digest(1), vec![web])]));
    assert_eq!(comparison, Comparison::default());
}

#[test]
fn where_namespaces_are_named_or_left_out_what_was_adopted_is_of_none_of_them() {
    let mut scene = Scene::recorded();
    let body = scene.entry(WEB).unwrap().held.clone().unwrap();
    scene.ledger.adopt(scene.identity("by-hand"), body, None);
    let mut compared = |selection: Selection| {
        scene.policy.selection = selection;
        let compared = expected(&scene).wanted.into_keys();
        compared.map(|it| it.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(compared(Selection::default()), ["by-hand", WEB]);
    let shop = Selection {
        namespaces: vec![Pattern::new("shop")],
        ..Selection::default()
    };
    assert_eq!(compared(shop), [WEB]);
    let others = Selection {
        exclude_namespaces: vec![Pattern::new("bank")],
        ..Selection::default()
    };
    assert_eq!(compared(others), [WEB]);
}

#[test]
fn what_the_ledger_lacks_is_kept_for_what_is_there_under_its_name_running_or_not() {
    let mut scene = Scene::recorded();
    scene.ledger = Ledger::default();
    // The same digest is known from elsewhere.
    scene.deploy("api", "app", 1);
    let records = [WEB, "shop-gone-app"].map(|name| listed(&scene, name, 1));
    let keepers = |scene: &Scene| {
        let expected = expected(scene);
        let found = expected.adoptable(&lists(&expected, &records));
        let keeper = |found: Adoptable| Some((found.record.identity.name, found.keeper?));
        let keepers = found.into_iter().filter_map(keeper);
        let names =
            keepers.map(|(name, source)| (name.to_string(), source.workload.name.to_string()));
        names.collect::<Vec<_>>()
    };
    let web = [(WEB.to_owned(), "web".to_owned())];
    assert_eq!(keepers(&scene), web);
    scene.change_pods("web", |pod| {
        pod.containers[0].state = State::NeverRan;
        pod.containers[0].digest = None;
    });
    assert_eq!(keepers(&scene), web, "it is there");
    scene.remove_pods("web");
    assert_eq!(keepers(&scene), []);
}

#[test]
fn what_is_adopted_says_of_its_image_what_a_pod_says_of_that_digest() {
    let record = |scene: &Scene| {
        let expected = expected(scene);
        let records = [listed(scene, WEB, 1)];
        let mut found = expected.adoptable(&lists(&expected, &records));
        assert_eq!(found.len(), 1);
        found.remove(0).body.unwrap()
    };
    let mut scene = Scene::new();
    // What is recorded says so itself.
    scene.policy.selection.exclude_images = vec![Pattern::new("*/acme/web")];
    // Digests that are before and behind it in any order are another matter.
    for (name, number) in [("api", 0), ("web", 1), ("cart", 2)] {
        scene.deploy(name, "app", number);
    }
    let named = |tag: &str| format!("ghcr.io/acme/web:{tag}");
    for (tag, is_said) in [("a".repeat(100), true), ("a".repeat(101), false)] {
        scene.change_pods("web", |pod| pod.containers[0].image = named(&tag).into());
        let body = record(&scene);
        assert_eq!((body.digest, &*body.name), (digest(1), "ghcr.io/acme/web"));
        assert_eq!(body.version.as_deref(), is_said.then_some(&*tag));
    }
}

#[test]
fn a_name_is_known_that_is_held_that_ended_or_that_runs() {
    let mut scene = Scene::recorded();
    scene.delete(&Kind::Deployment, "web");
    scene.cycle();
    scene.wait(minutes(10));
    scene.cycle();
    scene.deploy("api", "app", 2);
    scene.cycle();
    scene.deploy("cart", "app", 3);
    let expected = expected(&scene);
    for name in [WEB, "shop-api-app", "shop-cart-app"] {
        assert!(expected.is_known(&scene.identity(name)), "{name}");
    }
    assert!(!expected.is_known(&scene.identity("by-hand")));
}

#[test]
fn what_was_not_asked_for_is_not_missing_and_what_changed_meanwhile_is_no_difference() {
    let mut scene = Scene::recorded();
    let before = expected(&scene);
    let lists = lists(&before, &[listed(&scene, WEB, 1)]);
    assert_eq!(before.compare(&lists).same, 1);
    let nothing = before.compare(&BTreeMap::new());
    assert_eq!((kinds(&nothing), nothing.same), (vec![], 1));
    scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(2)));
    scene.cycle();
    scene.deploy("api", "app", 1);
    let after = expected(&scene).compare(&lists);
    assert_eq!(
        kinds(&after),
        [("shop-api-app", Missing), (WEB, WrongDigest)]
    );
    let confirmed = before.compare(&lists).confirmed_by(&after);
    assert_eq!(kinds(&confirmed), []);
    let after = expected(&scene).compare(&lists);
    let confirmed = after.confirmed_by(&before.compare(&lists));
    assert_eq!((kinds(&confirmed), confirmed.same), (vec![], 2));
}
