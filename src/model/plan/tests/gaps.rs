//! Gaps: each reason is produced once, by the least that makes it, and says what it is about.

use super::*;
use crate::model::exposure::Way;
use crate::model::exposure::links::Link;
use crate::model::facts::{Object, View};
use crate::model::fixtures::{annotations, rollout};
use crate::model::gap::Gap;
use crate::model::ledger::Outcome;

/// The scene of a ready Deployment `web` with that reason for a Gap, and what its detail has to name.
#[expect(clippy::too_many_lines, reason = "a table, a scene for each reason")]
fn with(reason: Reason) -> (Scene, &'static str) {
    let mut scene = Scene::new();
    scene.deploy("web", "app", 1);
    let refused_as = |mut scene: Scene, outcome| {
        scene.cycle_with(|_| outcome);
        (scene, WEB)
    };
    let mark = |scene: &mut Scene, key: &str, value: &str| {
        let marks = [(key, value)];
        scene.change_pods("web", |pod| pod.annotations = annotations(&marks));
    };
    let write = |scene: &mut Scene, image: &str| {
        scene.change_pods("web", |pod| pod.containers[0].image = image.into());
    };
    let detail = match reason {
        Reason::NoDigest => {
            scene.change_pods("web", |pod| pod.containers[0].digest = None);
            "ghcr.io/acme/web:1"
        }
        Reason::OtherDigest => {
            let mut other = Pod::clone(&scene.facts.pods[0]);
            (other.name, other.uid) = ("web-1".into(), "Pod/web-1".into());
            other.containers[0].digest = Some(digest(2));
            scene.add_pod(other);
            "sha256:000000000000"
        }
        Reason::InvalidImage => {
            write(&mut scene, "not an image");
            "not an image"
        }
        Reason::NameTooLong => {
            write(&mut scene, &format!("ghcr.io/{}", "v".repeat(250)));
            "ghcr.io/vvv"
        }
        Reason::ContextUnknown => {
            // The namespaces are whole but for this one, as when it came a moment ago.
            scene.facts.namespaces.clear();
            "namespace"
        }
        Reason::NotCovered => {
            scene.forbid(&Kind::Deployment);
            "not all"
        }
        Reason::OwnerNotRead => {
            scene.forbid(&Kind::ReplicaSet);
            let is_maker = |object: &Arc<Object>| object.kind == Kind::ReplicaSet;
            scene.facts.objects.retain(|object| !is_maker(object));
            "ReplicaSet web-1"
        }
        Reason::OwnerUnreadable => {
            scene = Scene::new();
            scene.run(&rollout(), "web", [container("app", &image("web"), 1)]);
            let is_it = |object: &Arc<Object>| object.kind == rollout();
            scene.facts.objects.retain(|object| !is_it(object));
            scene.refuse(&rollout());
            "list and watch"
        }
        Reason::InvalidTag => {
            mark(&mut scene, "team", "");
            "team"
        }
        Reason::TooManyTags => {
            let six = ["a", "b", "c", "d", "e", "f"].map(|key| (key, "1"));
            scene.change_pods("web", |pod| pod.annotations = annotations(&six));
            "f"
        }
        Reason::ExposureUnknown => {
            scene.policy.selection.ways = vec![Way::LoadBalancer];
            let views = &mut scene.facts.coverage.links;
            views.insert(Link::Service, View::Nothing);
            "Service in shop"
        }
        Reason::InvalidRisk => {
            mark(&mut scene, "runtime-risks", "cats");
            "cats"
        }
        Reason::InvalidRepository => {
            mark(&mut scene, "repository", "else/web");
            "else/web"
        }
        Reason::InvalidOrganization => {
            Arc::make_mut(&mut scene.facts.namespaces[0]).organization = Some("a_b".into());
            "a_b"
        }
        Reason::NotFound | Reason::Unauthorized | Reason::Invalid => {
            return refused_as(scene, Outcome::Refused(reason));
        }
        Reason::Unconfirmed => return refused_as(scene, Outcome::Unconfirmed),
    };
    (scene, detail)
}

#[test]
fn each_reason_of_a_gap_is_produced_by_a_scene_of_its_own_and_names_what_it_is_about() {
    for reason in Reason::ALL {
        let (scene, detail) = with(reason);
        let plan = scene.plan();
        let gaps: Vec<&Gap> = plan.gaps.iter().collect();
        let [gap] = &*gaps else {
            panic!("{reason}: {gaps:?}")
        };
        assert_eq!(gap.reason, reason);
        assert!(gap.detail.contains(detail), "{reason}: {}", gap.detail);
        assert!(gap.subject.to_string().contains("shop"), "{reason}");
    }
}
