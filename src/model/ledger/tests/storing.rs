//! Storing: what has to be stored before something leaves, and what has changed since.

use std::collections::BTreeMap;

use crate::model::fixtures::{Scene, annotations, digest, minutes, names, source_of};
use crate::model::gap::Reason;
use crate::model::ledger::{Entry, Ledger, Outcome, Owner};
use crate::model::moment::Moment;
use crate::model::record::{Identity, Status};
use crate::model::workload::Kind;

const WEB: &str = "shop-web-app";

#[test]
fn promise_3_everything_that_github_may_not_hold_yet_is_stored_first() {
    type Change = fn(&mut Scene);
    let cases: [(&str, Change, bool); 6] = [
        ("new", |scene| scene.deploy("api", "app", 3), true),
        (
            "digest",
            |scene| scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(2))),
            true,
        ),
        (
            "version",
            |scene| {
                scene.change_pods("web", |pod| {
                    pod.containers[0].image = "ghcr.io/acme/web:2".into();
                });
            },
            true,
        ),
        (
            "repository",
            |scene| {
                scene.change_pods("web", |pod| {
                    pod.annotations = annotations(&[("repository", "web")]);
                });
            },
            true,
        ),
        (
            "tags only",
            |scene| {
                scene.change_pods("web", |pod| {
                    pod.annotations = annotations(&[("team", "cart")]);
                });
            },
            false,
        ),
        (
            "decommission",
            |scene| scene.delete(&Kind::Deployment, "web"),
            true,
        ),
    ];
    for (case, change, stored) in cases {
        let mut scene = Scene::recorded();
        change(&mut scene);
        scene.ledger.stored();
        let plan = scene.plan();
        let mut steps = plan.reports.iter().chain(&plan.decommissions);
        let step = steps.next().unwrap();
        assert_eq!(
            scene.ledger.intend(&step.line, &step.owner),
            stored,
            "{case}"
        );
        assert_eq!(
            scene.ledger.touched().contains(&step.line.identity),
            stored,
            "{case}"
        );
    }
}

#[test]
fn a_snapshot_that_is_taken_or_cut_short_leaves_nothing_to_store() {
    let mut scene = Scene::recorded();
    for outcome in [Outcome::Acknowledged, Outcome::NotApplied] {
        scene.snapshot_with(|_| outcome);
        assert!(scene.ledger.touched().is_empty(), "{outcome:?}");
    }
    let plan = scene.plan();
    for step in plan.snapshot() {
        assert!(!scene.ledger.intend(&step.line, &step.owner));
    }
    scene.ledger.take_back_unsent();
    assert!(scene.ledger.touched().is_empty());
}

#[test]
fn what_comes_of_a_stored_line_has_to_be_stored_too() {
    for (outcome, len) in [
        (Outcome::Acknowledged, 1),
        (Outcome::Refused(Reason::NotFound), 0),
        (Outcome::NotApplied, 0),
    ] {
        let mut scene = Scene::new();
        scene.deploy("web", "app", 1);
        scene.cycle_with(|_| outcome);
        assert_eq!(scene.ledger.len(), len, "{outcome:?}");
        assert!(
            scene.ledger.touched().contains(&scene.identity(WEB)),
            "{outcome:?}"
        );
    }
}

#[test]
fn tags_that_github_took_are_stored_after_it() {
    let mut scene = Scene::recorded();
    scene.change_pods("web", |pod| {
        pod.annotations = annotations(&[("team", "cart")]);
    });
    scene.cycle();
    assert_eq!(scene.ledger.touched().len(), 1);
}

#[test]
fn an_older_copy_of_the_ledger_adds_what_is_missing_and_changes_nothing_else() {
    let mut older = Scene::recorded();
    older.deploy("api", "app", 3);
    older.cycle();
    let mut scene = Scene::recorded();
    scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(2)));
    scene.cycle();
    scene.ledger.stored();
    let stored = std::mem::take(&mut older.ledger);
    assert!(scene.ledger.unite(stored), "it had another entry");
    assert_eq!(scene.ledger.len(), 2);
    assert_eq!(
        scene.entry(WEB).unwrap().held.as_ref().unwrap().digest,
        digest(2)
    );
    assert_eq!(scene.ledger.touched().len(), 2);
    scene.wait(minutes(1));
    let ends: Vec<_> = scene
        .plan()
        .decommissions
        .into_iter()
        .map(|step| step.line.status)
        .collect();
    assert_eq!(
        ends,
        [Status::Decommissioned],
        "what it added is gone from the cluster"
    );
}

#[test]
fn promise_3_what_was_sent_by_a_stored_copy_may_have_been_applied() {
    let sent = |number| {
        let mut scene = Scene::recorded();
        scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(number)));
        scene.cycle_with(|_| Outcome::Unknown);
        scene
    };
    let digests = |scene: &Scene| {
        let entry = scene.entry(WEB).unwrap();
        let digests = entry.sent.iter().map(|sent| sent.body.digest);
        digests.collect::<Vec<_>>()
    };
    let mut scene = Scene::recorded();
    assert!(scene.plan().reports.is_empty());
    assert!(scene.ledger.unite(sent(2).ledger));
    assert_eq!(digests(&scene), [digest(2)]);
    assert!(!scene.entry(WEB).unwrap().is_acknowledged_since());
    assert_eq!(
        names(&scene.plan().reports),
        [WEB],
        "what runs is said again"
    );
    // What is known already is not known twice, and what is stored came before it.
    let mut scene = sent(2);
    assert!(!scene.ledger.unite(sent(2).ledger));
    assert_eq!(digests(&scene), [digest(2)]);
    assert!(scene.ledger.unite(sent(3).ledger));
    assert_eq!(digests(&scene), [digest(3), digest(2)]);
    assert!(scene.entry(WEB).unwrap().is_in_doubt());
}

#[test]
fn what_went_since_it_was_stored_is_not_put_back_by_what_is_stored() {
    let mut scene = Scene::new();
    scene.deploy("web", "app", 1);
    scene.cycle_with(|_| Outcome::Unknown);
    let stored = || {
        let mut scene = Scene::new();
        scene.deploy("web", "app", 1);
        scene.cycle_with(|_| Outcome::Unknown);
        scene.ledger
    };
    scene.ledger.stored();
    scene.wait(minutes(10));
    scene.cycle_with(|_| Outcome::Refused(Reason::NotFound));
    assert!(!scene.ledger.unite(stored()));
    assert!(scene.ledger.is_empty());
    // Of what went earlier a copy may be right.
    scene.ledger.stored();
    scene.ledger.unite(stored());
    assert_eq!(scene.ledger.len(), 1);
    assert!(!scene.ledger.is_empty());
}

#[test]
fn what_ended_for_good_and_is_in_an_older_copy_is_an_entry_again_and_no_past_name() {
    let mut scene = Scene::recorded();
    scene.delete(&Kind::Deployment, "web");
    for _ in 0..2 {
        scene.cycle();
        scene.wait(minutes(10));
    }
    assert_eq!((scene.ledger.len(), scene.ledger.past().count()), (0, 1));
    scene.ledger.stored();
    let ended = scene.ledger.clone();
    scene.ledger.unite(Scene::recorded().ledger);
    assert_eq!((scene.ledger.len(), scene.ledger.past().count()), (1, 0));
    // The other way round: what is here is not past, and what is not here is.
    scene.ledger.unite(ended.clone());
    assert_eq!((scene.ledger.len(), scene.ledger.past().count()), (1, 0));
    let mut fresh = Ledger::default();
    assert!(!fresh.unite(ended), "nobody sends for a past name");
    assert_eq!((fresh.len(), fresh.past().count()), (0, 1));
}

#[test]
fn what_stays_intended_is_stored_once_and_is_nobodys_until_it_leaves() {
    let mut scene = Scene::new();
    scene.deploy("web", "app", 1);
    let mut step = scene.plan().reports.remove(0);
    assert!(scene.ledger.intend(&step.line, &step.owner));
    scene.ledger.stored();
    assert!(!scene.ledger.intend(&step.line, &step.owner));
    assert!(scene.ledger.touched().is_empty());
    let other = Owner::Source(source_of(Kind::StatefulSet, "web", "app"));
    assert!(scene.ledger.intend(&step.line, &other));
    assert_eq!(scene.entry(WEB).unwrap().owner, other);

    // What leaves instead of it takes it back.
    scene.ledger.stored();
    step.line.status = Status::Decommissioned;
    scene.ledger.leaves(&step.line);
    assert_eq!(scene.ledger.touched().len(), 1);
    assert_eq!(scene.entry(WEB).unwrap().sent.len(), 1);
}

/// Whether what is stored is another by what came of the one step of a plan, which was stored before.
fn changes(scene: &mut Scene, outcome: Outcome) -> bool {
    let plan = scene.plan();
    let mut steps = plan.reports.iter().chain(&plan.decommissions);
    let step = steps.next().unwrap();
    assert!(steps.next().is_none());
    scene.ledger.intend(&step.line, &step.owner);
    scene.ledger.stored();
    scene.ledger.leaves(&step.line);
    let (now, settle_after) = (scene.now, scene.policy.settle_after);
    scene.ledger.answer(&step.line, outcome, now, settle_after);
    !scene.ledger.touched().is_empty()
}

#[test]
fn what_was_stored_before_it_left_is_not_stored_again_because_no_answer_came() {
    let mut scene = Scene::new();
    scene.deploy("web", "app", 1);
    assert!(!changes(&mut scene, Outcome::Unknown), "new");
    scene.cycle();
    scene.change_pods("web", |pod| {
        pod.annotations = annotations(&[("team", "cart")]);
    });
    assert!(!changes(&mut scene, Outcome::Unknown), "tags");
    scene.cycle();
    scene.delete(&Kind::Deployment, "web");
    assert!(!changes(&mut scene, Outcome::Unknown), "end");
}

#[test]
fn an_acknowledgement_is_stored_if_it_says_something_new() {
    let mut scene = Scene::new();
    scene.deploy("web", "app", 1);
    assert!(changes(&mut scene, Outcome::Acknowledged), "new");
    scene.delete(&Kind::Deployment, "web");
    assert!(changes(&mut scene, Outcome::Acknowledged), "end");
    scene.deploy("web", "app", 1);
    assert!(changes(&mut scene, Outcome::Acknowledged), "back as it was");
    scene.delete(&Kind::Deployment, "web");
    scene.cycle_with(|_| Outcome::Unknown);
    scene.deploy("web", "app", 1);
    assert!(
        changes(&mut scene, Outcome::Acknowledged),
        "there after all"
    );
}

#[test]
fn the_template_of_names_is_kept_with_what_is_stored() {
    let mut ledger = Ledger::restore(Some("{workload}".into()), [], [], Moment::START);
    assert_eq!(ledger.template(), Some("{workload}"));
    ledger.set_template("{container}".into());
    assert_eq!(ledger.template(), Some("{container}"));
    assert_eq!(Ledger::default().template(), None);
}

#[test]
fn a_ledger_that_is_restored_is_the_one_that_was_stored() {
    let mut scene = Scene::recorded();
    scene.deploy("api", "app", 3);
    scene.cycle_with(|_| Outcome::Unknown);
    scene.delete(&Kind::Deployment, "web");
    scene.cycle();
    let before = form(&scene.ledger);
    scene.restart();
    assert_eq!(form(&scene.ledger), before);
    assert!(scene.ledger.touched().is_empty());
}

/// What is stored of each entry.
fn form(ledger: &Ledger) -> BTreeMap<Identity, String> {
    let form = |entry: &Entry| {
        let sent = entry.sent.iter();
        let sent = sent.filter(|sent| entry.must_be_stored(sent));
        let sent: Vec<_> = sent
            .map(|sent| (&sent.owner, &sent.body, sent.status))
            .collect();
        format!(
            "{:?} {:?} {sent:?} {}",
            entry.owner,
            entry.held,
            entry.is_tombstone()
        )
    };
    let entries = ledger.entries();
    entries
        .map(|(identity, entry)| (identity.clone(), form(entry)))
        .collect()
}

#[test]
fn promise_3_what_has_left_is_not_taken_back_with_what_has_not() {
    for leaves in [false, true] {
        let mut scene = Scene::new();
        scene.deploy("web", "app", 1);
        let plan = scene.plan();
        let step = &plan.reports[0];
        scene.ledger.intend(&step.line, &step.owner);
        if leaves {
            scene.ledger.leaves(&step.line);
        }
        scene.ledger.take_back_unsent();
        assert_eq!(scene.entry(WEB).is_some(), leaves);
    }
}
