//! Of which organization which digests are asked for, and what its lists decide.

use super::*;
use crate::model::ledger::{Entry, Owner};
use crate::model::organization::Organizations;

/// Which digests are asked for at which organization.
fn asked(expected: &Expected) -> Vec<(&str, Vec<Digest>)> {
    let all = expected.digests().iter();
    all.map(|(organization, digests)| (&**organization, digests.iter().copied().collect()))
        .collect()
}

/// A recorded workload, and another one with that digest whose records go to an organization of its own.
fn with_tools(number: u64) -> Scene {
    let mut scene = Scene::new();
    let organizations = Organizations::parse(["quay.io/tools/.*=Tools"]);
    scene.policy.organizations = organizations.unwrap();
    scene.deploy("web", "app", 1);
    let lint = crate::model::fixtures::container("app", "quay.io/tools/lint:1", number);
    scene.run(&Kind::Deployment, "lint", [lint]);
    scene.cycle();
    scene
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
    assert_eq!(
        asked(&expected),
        [
            ("acme", vec![digest(1), digest(2), digest(3)]),
            ("other", vec![digest(1)]),
        ]
    );
}

#[test]
fn each_organization_is_asked_for_what_goes_there_and_adopts_what_it_lacks() {
    let mut scene = with_tools(2);
    let found = expected(&scene);
    assert_eq!(
        asked(&found),
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
    // The same digest in both.
    let scene = with_tools(1);
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
fn a_record_of_an_organization_of_its_own_is_found_in_another_environment_of_it() {
    let scene = with_tools(2);
    let lint = elsewhere(&listed(&scene, "shop-lint-app", 2), |place| {
        place.organization = "tools".into();
        place.logical_environment = "test".into();
    });
    let found = compare(&scene, &[listed(&scene, WEB, 1), lint.clone()]);
    assert_eq!(kinds(&found), [("shop-lint-app", WrongEnvironment)]);
    let strange = elsewhere(&lint, |place| place.organization = "other".into());
    let found = compare(&scene, &[listed(&scene, WEB, 1), strange]);
    assert_eq!(kinds(&found), [("shop-lint-app", Missing)]);
}
