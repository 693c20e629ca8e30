//! Comparison: each kind of difference, and what is fair while something is under way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;

use super::DifferenceKind::{
    self, Missing, StatusNotKnown, Unknown, WrongDigest, WrongEnvironment, WrongRisks, WrongStatus,
    WrongTags,
};
use super::*;
use crate::model::facts::State;
use crate::model::fixtures::worlds::{cases, history};
use crate::model::fixtures::{Scene, annotations, digest, minutes, names};
use crate::model::gap::Reason;
use crate::model::ledger::{Entry, Ledger, Outcome, Owner};
use crate::model::organization::Organizations;
use crate::model::plan::Step;
use crate::model::record::{Destination, Line};
use crate::model::selection::Pattern;
use crate::model::workload::Kind;

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
fn every_digest_that_runs_or_stands_in_the_ledger_is_asked_for_where_its_record_is() {
    let mut scene = Scene::recorded();
    scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(2)));
    scene.cycle_with(|_| Outcome::Unknown);
    scene.run(
        &Kind::Pod,
        "bare",
        [crate::model::fixtures::container(
            "app",
            "ghcr.io/acme/bare:1",
            3,
        )],
    );
    let mut entry = Entry::new(Owner::Adopted);
    entry.held.clone_from(&scene.entry(WEB).unwrap().held);
    let place = Destination {
        organization: "other".into(),
        ..Destination::clone(&scene.policy.destination)
    };
    let foreign = Destination {
        host: "api.acme.ghe.com".into(),
        organization: "third".into(),
        ..place.clone()
    };
    let moved = [place, foreign].map(|place| Identity {
        destination: Arc::new(place),
        name: "moved".into(),
    });
    let entries = scene.ledger.entries();
    let entries = entries.map(|(identity, entry)| (identity.clone(), entry.clone()));
    let entries = entries.chain(moved.map(|identity| (identity, entry.clone())));
    scene.ledger = Ledger::restore(None, entries.collect::<Vec<_>>(), [], scene.now);
    let expected = expected(&scene);
    let asked: Vec<(&str, Vec<Digest>)> = expected
        .digests()
        .iter()
        .map(|(organization, digests)| (&**organization, digests.iter().copied().collect()))
        .collect();
    assert_eq!(
        asked,
        [
            ("acme", vec![digest(1), digest(2), digest(3)]),
            ("other", vec![digest(1)]),
        ]
    );
}

#[test]
fn each_organization_is_asked_for_what_goes_there_and_adopts_what_it_lacks() {
    let mut scene = Scene::new();
    let organizations = Organizations::parse(["quay.io/tools/.*=Tools"]);
    scene.policy.organizations = organizations.unwrap();
    scene.deploy("web", "app", 1);
    let lint = crate::model::fixtures::container("app", "quay.io/tools/lint:1", 2);
    scene.run(&Kind::Deployment, "lint", [lint]);
    scene.cycle();
    let found = expected(&scene);
    let asked: Vec<(&str, Vec<Digest>)> = found
        .digests()
        .iter()
        .map(|(organization, digests)| (&**organization, digests.iter().copied().collect()))
        .collect();
    assert_eq!(
        asked,
        [("Tools", vec![digest(2)]), ("acme", vec![digest(1)])]
    );
    // A ledger that was lost: each finds its own again, and nothing of an organization that is not ours.
    scene.ledger = Ledger::default();
    let tools = |name: &str, organization: &str| {
        let record = listed(&scene, name, 2);
        elsewhere(&record, |place| place.organization = organization.into())
    };
    let records = [
        listed(&scene, WEB, 1),
        tools("shop-lint-app", "tools"),
        tools("shop-old-app", "tools"),
        tools("shop-old-app", "nobody"),
    ];
    let found = expected(&scene);
    let lists = lists(&found, &records);
    let adopted = found.adoptable(&lists);
    let adopted: Vec<(&str, &str, bool)> = adopted
        .iter()
        .map(|one| {
            let identity = &one.record.identity;
            let name = &one.body.as_ref().unwrap().name;
            (&*identity.name, &**name, one.keeper.is_some())
        })
        .collect();
    assert_eq!(
        adopted,
        [
            (WEB, "ghcr.io/acme/web", true),
            ("shop-lint-app", "quay.io/tools/lint", true),
            ("shop-old-app", "quay.io/tools/lint", false),
        ]
    );
}

#[test]
fn of_an_organization_that_is_not_read_nothing_is_missing_and_nothing_counts_as_the_same() {
    let mut scene = Scene::new();
    let organizations = Organizations::parse(["quay.io/tools/.*=Tools"]);
    scene.policy.organizations = organizations.unwrap();
    scene.deploy("web", "app", 1);
    // The same digest in both.
    let lint = crate::model::fixtures::container("app", "quay.io/tools/lint:1", 1);
    scene.run(&Kind::Deployment, "lint", [lint]);
    scene.cycle();
    let lists = BTreeMap::from([(digest(1), vec![listed(&scene, WEB, 1)])]);
    let all = expected(&scene).compare(&lists);
    assert_eq!(
        (all.same, kinds(&all)),
        (1, vec![("shop-lint-app", Missing)])
    );
    let is_unread = |organization: &str| organization == "Tools";
    let some = expected(&scene).without(is_unread).compare(&lists);
    assert_eq!((some.same, kinds(&some)), (1, vec![]));
    let none = expected(&scene).without(|_| true).compare(&BTreeMap::new());
    assert_eq!((none.same, kinds(&none)), (0, vec![]));
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
fn what_was_not_asked_for_is_not_missing_and_what_changed_meanwhile_is_no_difference() {
    let mut scene = Scene::recorded();
    let before = expected(&scene);
    let lists = lists(&before, &[listed(&scene, WEB, 1)]);
    assert_eq!(before.compare(&lists).same, 1);
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
