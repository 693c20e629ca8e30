//! Where a record's repository comes from, and that nothing changes at GitHub because somebody has not
//! been asked yet.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::facts::{Container, Pull};
use crate::model::fixtures::{Scene, annotations, container, digest, image, source};
use crate::model::ledger::Outcome;
use crate::model::origin::{Account, Origin, Place};
use crate::model::plan::Plan;
use crate::model::regex_map::RegexMap;
use crate::model::workload::Kind;

/// A scene that reads labels, in which a Deployment `web` runs digest 1.
fn scene() -> Scene {
    let mut scene = Scene::new();
    scene.policy.reads_labels = true;
    scene.deploy("web", "app", 1);
    scene
}

fn learn(scene: &mut Scene, number: u64, label: Option<&str>) {
    let labels = Arc::make_mut(&mut scene.facts.labels);
    labels.insert(digest(number), label.map(Into::into));
}

/// The repository of every record that the plan sends or keeps, by name.
fn repositories(plan: &Plan) -> Vec<(&str, Option<&str>)> {
    let steps = plan.snapshot().into_iter();
    steps
        .map(|step| {
            (
                &*step.line.identity.name,
                step.line.body.repository.as_deref(),
            )
        })
        .collect()
}

const WEB: &str = "https://github.com/acme/web";

#[test]
fn a_first_report_does_not_wait_for_a_label_and_a_second_one_follows_it() {
    let mut scene = scene();
    let plan = scene.cycle();
    assert_eq!(repositories(&plan), [("shop-web-app", None)]);
    let wanted: Vec<_> = plan.unread.keys().collect();
    assert_eq!(wanted, [&digest(1)]);
    assert!(scene.cycle().reports.is_empty());
    learn(&mut scene, 1, Some(WEB));
    let plan = scene.cycle();
    assert_eq!(plan.reports.len(), 1);
    assert_eq!(repositories(&plan), [("shop-web-app", Some("web"))]);
    assert!(plan.unread.is_empty());
    assert!(scene.cycle().reports.is_empty());
}

#[test]
fn after_a_restart_a_record_keeps_its_repository_until_the_label_is_read_again() {
    let mut scene = scene();
    learn(&mut scene, 1, Some(WEB));
    scene.cycle();
    scene.restart();
    scene.facts.labels = Arc::default();
    let plan = scene.plan();
    assert!(plan.reports.is_empty(), "{:?}", plan.reports);
    assert_eq!(repositories(&plan), [("shop-web-app", Some("web"))]);
    assert!(plan.unread.contains_key(&digest(1)));
    // It says so now, and said otherwise before: nothing but a person's hand could do that.
    learn(&mut scene, 1, None);
    let plan = scene.cycle();
    assert_eq!(repositories(&plan), [("shop-web-app", None)]);
    assert_eq!(plan.reports.len(), 1);
}

#[test]
fn a_report_without_an_answer_speaks_for_its_repository_too() {
    let mut scene = scene();
    learn(&mut scene, 1, Some(WEB));
    scene.cycle_with(|_| Outcome::Unknown);
    scene.restart();
    scene.facts.labels = Arc::default();
    assert_eq!(repositories(&scene.plan()), [("shop-web-app", Some("web"))]);
}

#[test]
fn another_digest_keeps_nothing_and_neither_does_another_organization() {
    let mut scene = scene();
    learn(&mut scene, 1, Some(WEB));
    scene.cycle();
    scene.facts.labels = Arc::default();
    let before = scene.policy.destination.clone();
    scene.policy.destination = Arc::new(crate::model::record::Destination {
        organization: "other".into(),
        ..(*before).clone()
    });
    let moved = scene.plan();
    assert_eq!(moved.reports.len(), 1);
    assert_eq!(moved.reports[0].line.body.repository, None);
    scene.policy.destination = before;
    scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(2)));
    assert_eq!(repositories(&scene.plan()), [("shop-web-app", None)]);
}

#[test]
fn a_record_under_a_new_name_keeps_what_the_old_one_had() {
    let mut scene = scene();
    learn(&mut scene, 1, Some(WEB));
    scene.cycle();
    scene.facts.labels = Arc::default();
    scene.policy.template = "{workload}".parse().unwrap();
    let plan = scene.plan();
    let reported: Vec<_> = plan.reports.iter().map(|step| &step.line).collect();
    assert_eq!(&*reported[0].identity.name, "web");
    assert_eq!(reported[0].body.repository.as_deref(), Some("web"));
}

#[test]
fn a_label_is_asked_for_only_where_neither_an_annotation_nor_a_rule_speaks() {
    let mut scene = scene();
    scene.policy.repositories = RegexMap::parse(["ghcr.io/acme/ruled=rule"], |_| true).unwrap();
    scene.deploy("ruled", "app", 2);
    scene.deploy("annotated", "app", 3);
    scene.change_pods("annotated", |pod| {
        pod.annotations = annotations(&[("repository", "written")]);
    });
    scene.deploy("wrong", "app", 4);
    scene.change_pods("wrong", |pod| {
        pod.annotations = annotations(&[("repository", "other/web")]);
    });
    for number in 1..5 {
        learn(&mut scene, number, Some(WEB));
    }
    let expected = [
        ("shop-annotated-app", Some("written")),
        ("shop-ruled-app", Some("rule")),
        ("shop-web-app", Some("web")),
        ("shop-wrong-app", None),
    ];
    assert_eq!(repositories(&scene.plan()), expected);
    scene.facts.labels = Arc::default();
    let unread = scene.plan().unread;
    assert_eq!(unread.into_keys().collect::<Vec<_>>(), [digest(1)]);
    // Where nobody reads labels none is believed, and none wanted.
    learn(&mut scene, 1, Some(WEB));
    scene.policy.reads_labels = false;
    let plan = scene.plan();
    assert_eq!(repositories(&plan)[2], ("shop-web-app", None));
    assert!(plan.unread.is_empty());
}

#[test]
fn a_label_that_points_elsewhere_is_no_gap() {
    let mut scene = scene();
    let elsewhere = "https://github.com/nginx/docker-nginx";
    learn(&mut scene, 1, Some(elsewhere));
    let plan = scene.plan();
    assert_eq!(repositories(&plan), [("shop-web-app", None)]);
    assert!(plan.gaps.is_empty() && plan.unread.is_empty());
    let inventory = crate::model::inventory::Inventory::new(&scene.facts, &scene.policy);
    let sight = inventory.sight(&source("web", "app"), &scene.policy);
    let crate::model::inventory::sight::Standing::Runs(running) = &sight.standing else {
        panic!("it runs")
    };
    let (_, context) = running.frame.as_ref().unwrap();
    assert_eq!(context.origin, Origin::Elsewhere(elsewhere.into()));
}

#[test]
fn an_image_is_asked_for_wherever_it_was_pulled_from_and_by_whom() {
    let mut scene = scene();
    let mirrored = |name: &str| Container {
        image: format!("mirror.test/{name}:1").into(),
        ..container("app", &image("web"), 1)
    };
    scene.run(&Kind::Deployment, "again", [mirrored("web")]);
    scene.run(
        &Kind::StatefulSet,
        "same",
        [container("app", &image("web"), 1)],
    );
    let pull = Arc::new(Pull {
        secrets: ["pull".into()].into(),
        service_account: "default".into(),
    });
    scene.change_pods("again", |pod| pod.pull = Some(pull.clone()));
    let places = scene.plan().unread.remove(&digest(1)).unwrap();
    let expected = BTreeSet::from([
        Place {
            image: image("web").into(),
            account: None,
        },
        Place {
            image: "mirror.test/web:1".into(),
            account: Some(Account {
                namespace: "shop".into(),
                pull,
            }),
        },
    ]);
    assert_eq!(
        places, expected,
        "as the spec has it, not as it is recorded"
    );
}
