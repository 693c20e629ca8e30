//! Kinds that are not built in, bare Jobs and bare pods.

use std::sync::Arc;

use crate::model::facts::{Object, Pod, View};
use crate::model::fixtures::{
    SHOP, Scene, annotations, container, digest, image, minutes, names, object, pod, rollout,
};
use crate::model::gap::Reason;
use crate::model::ledger::Ledger;
use crate::model::plan::Why;
use crate::model::selection::KindGroup;
use crate::model::workload::Kind;

use super::{WEB, is_quiet, reasons};

#[test]
fn an_owner_that_cannot_be_read_has_the_tags_that_are_held_and_a_gap() {
    let mut scene = Scene::new();
    let owner = object(rollout(), SHOP, "web");
    scene.facts.objects.push(Arc::new(Object {
        annotations: annotations(&[("team", "cart"), ("runtime-risks", "sensitive-data")]),
        ..owner.clone()
    }));
    let replicas = object(Kind::ReplicaSet, SHOP, "web-1").under(&owner);
    scene.facts.objects.push(Arc::new(replicas.clone()));
    scene.add_pod(pod("web-0", [container("app", &image("web"), 1)]).under(&replicas));
    scene.read(&rollout());
    let plan = scene.cycle();
    assert_eq!(plan.reports[0].line.body.tags.len(), 1);
    assert!(
        plan.gaps.is_empty(),
        "a kind that is read is like any other: {:?}",
        plan.gaps
    );

    scene
        .facts
        .objects
        .retain(|object| object.kind != rollout());
    scene.refuse(&rollout());
    scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(2)));
    let plan = scene.plan();
    let body = &plan.reports[0].line.body;
    assert_eq!(
        (body.digest, body.tags.len(), body.risks.iter().count()),
        (digest(2), 1, 1)
    );
    assert_eq!(plan.gaps[0].reason, Reason::OwnerUnreadable);
    assert_eq!(&*plan.gaps[0].detail, "list and watch");

    // Nothing is held: what namespace and pod say.
    scene.ledger = Ledger::default();
    assert!(scene.plan().reports[0].line.body.tags.is_empty());
    // It asks only for what its pods' walk passed.
    scene.forbid(&Kind::ReplicationController);
    assert_eq!(names(&scene.plan().reports), [WEB]);
    scene.forbid(&Kind::ReplicaSet);
    assert!(scene.plan().reports.is_empty());
}

#[test]
fn promise_2_without_a_running_pod_an_owner_that_cannot_be_read_is_withheld() {
    let mut scene = Scene::new();
    scene.refuse(&rollout());
    scene.run(&rollout(), "web", [container("app", &image("web"), 1)]);
    assert_eq!(names(&scene.cycle().reports), [WEB]);
    scene.change_pods("web", |pod| pod.deleting = true);
    assert_eq!(
        scene.plan().withheld,
        [(scene.identity(WEB), Why::NotCovered)]
    );
    scene.remove_pods("web");
    scene.wait(minutes(600));
    let plan = scene.plan();
    assert_eq!(plan.withheld, [(scene.identity(WEB), Why::NotCovered)]);
    assert!(plan.decommissions.is_empty());
}

#[test]
fn promise_2_a_kind_that_is_not_read_yet_decides_nothing_whether_its_pods_run_or_not() {
    for view in [None, Some(View::Nothing)] {
        let mut scene = Scene::new();
        scene.read(&rollout());
        scene.run(&rollout(), "web", [container("app", &image("web"), 1)]);
        scene.run(&rollout(), "new", [container("app", &image("new"), 1)]);
        let mut new = scene.facts.pods.pop().unwrap();
        scene.cycle();
        let kinds = &mut scene.facts.coverage.kinds;
        kinds.remove(&rollout());
        kinds.extend(view.map(|view| (rollout(), view)));
        // Its owner may say that it opts out.
        Arc::make_mut(&mut new).containers[0].digest = Some(digest(3));
        scene.facts.pods.push(new);
        scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(2)));
        let plan = scene.plan();
        assert!(is_quiet(&plan));
        assert_eq!(plan.withheld, [(scene.identity(WEB), Why::NotCovered)]);
        assert_eq!(reasons(&plan), [Reason::NotCovered; 2]);

        scene.facts.pods.clear();
        scene.wait(minutes(600));
        assert_eq!(scene.plan().withheld, plan.withheld);
    }
}

#[test]
fn promise_2_an_owner_that_opted_out_when_it_was_seen_last_is_not_recorded_while_it_cannot_be_read()
{
    let mut scene = Scene::new();
    scene.run(&rollout(), "web", [container("app", &image("web"), 1)]);
    scene.read(&rollout());
    let ignore = annotations(&[("ignore", "true")]);
    scene.change_object(&rollout(), |object| object.annotations = ignore.clone());
    assert!(is_quiet(&scene.plan()));
    scene.refuse(&rollout());
    assert!(is_quiet(&scene.plan()), "the right may be back in a moment");
    scene
        .facts
        .objects
        .retain(|object| object.kind != rollout());
    assert_eq!(
        names(&scene.plan().reports),
        [WEB],
        "nobody has ever seen it"
    );
}

#[test]
fn a_kind_may_be_readable_in_one_namespace_and_not_in_another() {
    let mut scene = Scene::new();
    scene.refuse(&rollout());
    scene.run(&rollout(), "web", [container("app", &image("web"), 1)]);
    let there = View::Only(["bank".into()].into());
    let unreadable = scene.facts.coverage.unreadable.get_mut(&rollout());
    unreadable.unwrap().view = there;
    assert!(is_quiet(&scene.plan()), "in shop it is not read yet");
    scene.read(&rollout());
    assert_eq!(names(&scene.cycle().reports), [WEB]);
}

#[test]
fn an_owner_without_a_namespace_is_the_one_of_pods_in_any() {
    let mut scene = Scene::new();
    scene.read(&rollout());
    let owner = Object {
        annotations: annotations(&[("team", "cart")]),
        ..object(rollout(), "", "web")
    };
    scene.add_pod(Pod {
        controller: Some(owner.as_controller()),
        ..pod("web-0", [container("app", &image("web"), 1)])
    });
    scene.facts.objects.push(Arc::new(owner));
    let plan = scene.cycle();
    assert_eq!(names(&plan.reports), [WEB]);
    assert_eq!(plan.reports[0].line.body.tags.len(), 1);
    scene.remove_pods("web");
    assert_eq!(names(&scene.plan().retained), [WEB], "it is still there");
    scene.facts.objects.clear();
    assert_eq!(names(&scene.plan().decommissions), [WEB]);
}

#[test]
fn bare_jobs_and_bare_pods_only_when_they_are_asked_for() {
    let mut scene = Scene::new();
    scene.run(&Kind::Job, "once", [container("app", &image("web"), 1)]);
    scene.add_pod(pod("alone", [container("app", &image("web"), 1)]));
    let plan = scene.plan();
    assert!(is_quiet(&plan));
    assert_eq!(plan.not_selected.values().sum::<usize>(), 2);
    scene
        .policy
        .selection
        .kinds
        .extend([KindGroup::Jobs, KindGroup::Pods]);
    assert_eq!(
        names(&scene.cycle().reports),
        ["shop-alone-app", "shop-once-app"]
    );
    // A bare pod that is gone, or has run to its end, is a workload that is gone.
    scene.facts.pods.retain(|pod| &*pod.name != "alone");
    assert_eq!(names(&scene.plan().decommissions), ["shop-alone-app"]);
    scene.add_pod(pod("alone", [container("app", &image("web"), 1)]).finished());
    assert_eq!(names(&scene.plan().decommissions), ["shop-alone-app"]);
}
