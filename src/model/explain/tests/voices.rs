//! Who speaks for a source, who does not and why, and where the digest comes from.

use crate::model::evidence::Lost as Why;
use crate::model::facts::State as Ran;
use crate::model::fixtures::{object, pod, rollout};
use crate::model::image::ImageId;
use crate::model::selection::KindGroup;

use super::*;

/// A pod of the Deployment `web` of that age, number and image.
fn another(scene: &mut Scene, name: &str, at: i64, number: u64, tag: &str) -> usize {
    let owner = object(Kind::Deployment, "shop", "web");
    let maker = object(Kind::ReplicaSet, "shop", "web-1").under(&owner);
    let written = format!("ghcr.io/acme/web:{tag}");
    let made = pod(name, [container("app", &written, number)]).under(&maker);
    scene.add_pod(made.created(at));
    scene.facts.pods.len() - 1
}

fn change(scene: &mut Scene, index: usize, change: impl Fn(&mut crate::model::facts::Pod)) {
    change(Arc::make_mut(&mut scene.facts.pods[index]));
}

#[test]
fn each_container_that_does_not_speak_says_why() {
    let mut scene = Scene::recorded();
    another(&mut scene, "same", 1, 1, "1");
    another(&mut scene, "speaks", 9, 1, "1");
    another(&mut scene, "outvoted", 2, 7, "1");
    another(&mut scene, "another-image", 3, 3, "0");
    for (name, spoil) in [
        (
            "not-ready",
            (|pod| pod.ready = false) as fn(&mut crate::model::facts::Pod),
        ),
        ("being-deleted", |pod| pod.deleting = true),
        ("never-ran", |pod| pod.containers[0].state = Ran::NeverRan),
        ("not-running", |pod| pod.containers[0].state = Ran::Ran),
    ] {
        let index = another(&mut scene, name, 20, 4, "2");
        change(&mut scene, index, spoil);
    }
    let part = part(&scene, "web");
    let speaker = part.speaker.as_ref().unwrap();
    assert_eq!(&*speaker.pod, "speaks");
    let (ready, agree) = (5, 3);
    assert_eq!(speaker.speaks_as, SpeaksAs::NewestReady { ready, agree });
    assert_eq!((part.agree, part.more_losers, part.losers.len()), (2, 0, 6));
    for loser in &part.losers {
        assert_eq!(
            &*loser.pod,
            loser.lost.as_str(),
            "each is called by its reason"
        );
    }
}

#[test]
fn without_a_ready_pod_the_newest_that_runs_speaks() {
    let mut scene = Scene::recorded();
    scene.change_pods("web", |pod| pod.ready = false);
    let index = another(&mut scene, "web-new", 5, 2, "2");
    change(&mut scene, index, |pod| pod.ready = false);
    let part = part(&scene, "web");
    let speaker = part.speaker.unwrap();
    assert_eq!(
        (&*speaker.pod, speaker.speaks_as),
        ("web-new", SpeaksAs::NewestRunning)
    );
    assert_eq!(part.losers[0].lost, Why::Older);
}

#[test]
fn of_pods_that_run_to_an_end_the_newest_in_which_something_ran_speaks() {
    let mut scene = Scene::new();
    let maker = scene.add_workload(&Kind::CronJob, "web");
    let made = |name: &str, at| {
        let made = pod(name, [container("app", &image("web"), 1)]).under(&maker);
        made.created(at).once().finished()
    };
    scene.add_pod(made("older", 1));
    scene.add_pod(made("newest-run", 2));
    let mut waiting = made("never-ran", 3);
    waiting.containers[0].state = Ran::NeverRan;
    scene.add_pod(waiting);
    let part = part(&scene, "web");
    let speaker = part.speaker.unwrap();
    assert_eq!(
        (&*speaker.pod, speaker.speaks_as),
        ("newest-run", SpeaksAs::NewestRun)
    );
    let losers: Vec<&str> = part.losers.iter().map(|loser| &*loser.pod).collect();
    assert_eq!(losers, ["never-ran", "older"]);
    assert!(
        part.losers
            .iter()
            .all(|loser| &*loser.pod == loser.lost.as_str())
    );
}

#[test]
fn of_a_large_workload_a_few_are_named_and_the_others_counted() {
    let mut scene = Scene::recorded();
    for number in 0..30 {
        let index = another(&mut scene, &format!("slow-{number}"), 1, 2, "1");
        change(&mut scene, index, |pod| pod.ready = false);
    }
    let part = part(&scene, "web");
    assert_eq!((part.losers.len(), part.more_losers), (10, 20));
}

#[test]
fn a_digest_is_pinned_or_named_by_the_runtime_or_remembered() {
    let mut scene = Scene::recorded();
    let speaker = |scene: &Scene| part(scene, "web").speaker.unwrap();
    let found = speaker(&scene);
    assert_eq!((found.pinned, found.image_id), (false, ImageId::Manifest));
    scene.change_pods("web", |pod| {
        pod.containers[0].image_id = ImageId::Configuration;
    });
    let found = speaker(&scene);
    assert_eq!(
        (found.digest, found.image_id),
        (Some(digest(1)), ImageId::Configuration)
    );
    let pinned = format!("ghcr.io/acme/web:1@{}", digest(1));
    scene.change_pods("web", |pod| {
        pod.containers[0].image = pinned.as_str().into();
    });
    assert!(speaker(&scene).pinned);
    let other = format!("ghcr.io/acme/web:1@{}", digest(2));
    scene.change_pods("web", |pod| {
        pod.containers[0].image = other.as_str().into();
    });
    assert!(!speaker(&scene).pinned, "another digest runs");
}

#[test]
fn of_a_kind_that_is_not_built_in_the_pods_say_whether_they_run_to_an_end() {
    for always in [true, false] {
        let mut scene = Scene::new();
        scene.policy.selection.kinds = KindGroup::ALL.into();
        scene.run(&rollout(), "web", [container("app", &image("web"), 1)]);
        scene.change_pods("web", |pod| pod.restarts_always = always);
        let found = part(&scene, "web").speaker.unwrap().speaks_as;
        assert_eq!(found == SpeaksAs::NewestRun, !always, "{found:?}");
    }
    let ready = SpeaksAs::NewestReady { ready: 1, agree: 1 };
    let all = [ready, SpeaksAs::NewestRunning, SpeaksAs::NewestRun];
    assert_told_apart(all.map(SpeaksAs::as_str));
}

#[test]
fn a_name_is_the_templates_or_the_ledgers_or_has_a_hash_because_another_has_it() {
    let mut scene = Scene::new();
    scene.policy.template = "{namespace}-{workload}".parse().unwrap();
    let one = [
        container("app", &image("web"), 1),
        container("proxy", &image("proxy"), 2),
    ];
    scene.run(&Kind::Deployment, "web", one);
    let named = |scene: &Scene| -> Vec<Naming> {
        let parts = explained(scene, "web").parts.into_iter();
        parts.map(|part| part.naming.unwrap()).collect()
    };
    let names = named(&scene);
    assert_eq!(names[0].origin, NameOrigin::Template);
    let (plain, of) = ("shop-web".into(), Some(source("web", "app")));
    assert_eq!(names[1].origin, NameOrigin::Hash { plain, of });
    assert!(names[1].identity.name.starts_with("shop-web-"));
    assert_eq!(names[1].template, "{namespace}-{workload}");
    scene.cycle();
    assert_eq!(named(&scene)[0].origin, NameOrigin::Ledger);
    assert!(matches!(named(&scene)[1].origin, NameOrigin::Hash { .. }));
    let (plain, of) = ("web".into(), None);
    let all = [
        NameOrigin::Template,
        NameOrigin::Ledger,
        NameOrigin::Hash { plain, of },
    ];
    assert_told_apart(all.iter().map(NameOrigin::as_str));
}

#[test]
fn a_name_that_the_template_does_not_make_is_the_ledgers() {
    let mut scene = Scene::recorded();
    scene.policy.template = "{namespace}/{workload}/{container}".parse().unwrap();
    scene.change_pods("web", |pod| pod.containers[0].digest = None);
    let naming = part(&scene, "web").naming.unwrap();
    assert_eq!(&*naming.identity.name, "shop-web-app");
    assert_eq!(naming.origin, NameOrigin::Ledger);
}
