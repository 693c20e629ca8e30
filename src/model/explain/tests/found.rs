//! Every way to a name, and what is said where there is none.

use crate::model::facts::{Object, View as Seen};
use crate::model::fixtures::{object, pod, rollout};

use super::*;

fn how(scene: &Scene, name: &str) -> (String, How) {
    let explanation = explained(scene, name);
    (explanation.workload.to_string(), explanation.how)
}

fn near(scene: &Scene, name: &str) -> Vec<String> {
    match ask(scene, name) {
        Answer::Missing(Missing::Name { near, any: true }) => near,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_name_may_be_a_workloads_a_pods_an_owners_or_a_records() {
    let mut scene = Scene::recorded();
    let web = "Deployment shop/web".to_owned();
    assert_eq!(how(&scene, "web"), (web.clone(), How::Workload));
    assert_eq!(how(&scene, "deploy/web"), (web.clone(), How::Workload));
    assert_eq!(
        how(&scene, "web-0"),
        (web.clone(), How::Pod("web-0".into()))
    );
    assert_eq!(
        how(&scene, "po/web-0"),
        (web.clone(), How::Pod("web-0".into()))
    );
    let set = How::Between("ReplicaSet web-1".into());
    assert_eq!(how(&scene, "rs/web-1"), (web.clone(), set));
    let record = How::Record("shop-web-app".into());
    assert_eq!(how(&scene, "shop-web-app"), (web.clone(), record.clone()));
    assert_eq!(how(&scene, "SHOP-web-app"), (web.clone(), record));
    scene.policy.template = "{namespace}/{workload}/{container}".parse().unwrap();
    let slashes = How::Record("shop/web/app".into());
    assert_eq!(how(&scene, "shop/web/app"), (web.clone(), slashes));
    scene.delete(&Kind::Deployment, "web");
    assert_eq!(
        how(&scene, "web"),
        (web, How::Workload),
        "the ledger remembers it"
    );
}

#[test]
fn several_kinds_of_one_name_are_all_explained() {
    let mut scene = Scene::new();
    for kind in [Kind::Deployment, Kind::StatefulSet, rollout()] {
        scene.run(&kind, "web", [container("app", &image("web"), 1)]);
    }
    let Answer::Explained(found) = ask(&scene, "web") else {
        panic!("they are known")
    };
    let kinds: Vec<String> = found
        .iter()
        .map(|one| one.workload.kind.to_string())
        .collect();
    assert_eq!(kinds, ["Deployment", "StatefulSet", "Rollout.argoproj.io"]);
    let one = explained(&scene, "rollouts.argoproj.io/web");
    assert_eq!(one.workload.kind, rollout());
    assert_eq!(
        explained(&scene, "sts/web").workload.kind,
        Kind::StatefulSet
    );
}

#[test]
fn pods_lead_up_to_their_workload_by_name() {
    let mut scene = Scene::recorded();
    let owner = object(Kind::Deployment, "shop", "web");
    let newer = object(Kind::ReplicaSet, "shop", "web-2").under(&owner);
    scene.add_pod(pod("web-9", [container("app", &image("web"), 2)]).under(&newer));
    scene.facts.objects.push(Arc::new(newer));
    let way = |pods: &[&str], passed: &str| Way {
        pods: pods.iter().map(|pod| (*pod).into()).collect(),
        passed: vec![passed.to_owned()],
        remembered: false,
    };
    let ways = explained(&scene, "web").ways;
    let expected = [
        way(&["web-0"], "ReplicaSet web-1"),
        way(&["web-9"], "ReplicaSet web-2"),
    ];
    assert_eq!(ways, expected);
}

#[test]
fn a_pod_without_a_known_workload_says_where_its_way_ends() {
    let lost = |scene: &Scene| match ask(scene, "web-0") {
        Answer::Stray(lost) => lost,
        other => panic!("{other:?}"),
    };
    let without = |kind: Kind| {
        let mut scene = Scene::recorded();
        let objects = &mut scene.facts.objects;
        objects.retain(|object: &Arc<Object>| object.kind != kind);
        scene
    };
    let scene = without(Kind::ReplicaSet);
    let found = lost(&scene);
    assert_eq!(
        (found.end, &*found.owner),
        (End::Orphan, "ReplicaSet web-1")
    );
    assert!(found.passed.is_empty());
    let found = lost(&without(Kind::Deployment));
    assert_eq!((found.end, &*found.owner), (End::Orphan, "Deployment web"));
    assert_eq!(found.passed, ["ReplicaSet web-1"]);
    let mut scene = without(Kind::ReplicaSet);
    scene.forbid(&Kind::ReplicaSet);
    assert_eq!(lost(&scene).end, End::NotRead);
    scene.facts.coverage.kinds.remove(&Kind::ReplicaSet);
    assert_eq!(lost(&scene).end, End::NotWatched);
}

#[test]
fn ways_that_end_before_a_workload_are_told_apart() {
    let all = [End::Orphan, End::NotRead, End::NotWatched];
    for words in [End::as_str, End::meaning, End::advice] {
        assert_told_apart(all.map(words));
    }
}

#[test]
fn a_record_of_another_namespace_is_not_found_nor_one_of_another_name_that_is_nobodys() {
    let mut scene = Scene::recorded();
    let body = scene.entry("shop-web-app").unwrap().held.clone().unwrap();
    let adopted = scene.identity("from-before");
    scene.ledger.adopt(adopted, body, None);
    let asked = |namespace, text| answer(&scene, &Asked::new(namespace, text, None));
    assert!(matches!(asked("shop", "from-before"), Answer::Unowned(_)));
    for (namespace, text) in [("bank", "shop-web-app"), ("shop", "from-elsewhere")] {
        let answer = asked(namespace, text);
        assert!(matches!(answer, Answer::Missing(_)), "{answer:?}");
    }
}

#[test]
fn what_is_not_there_is_told_with_what_is_near() {
    let mut scene = Scene::recorded();
    scene.deploy("cart", "redis", 2);
    assert_eq!(near(&scene, "wep"), ["Deployment/web", "Pod/web-0"][..1]);
    assert_eq!(near(&scene, "sts/web"), ["Deployment/web", "Pod/web-0"]);
    assert_eq!(near(&scene, "carts")[0], "Deployment/cart");
    let container = "Deployment/cart with a container of that name";
    assert_eq!(near(&scene, "redis"), [container]);
    assert_eq!(near(&scene, "something-else"), [""; 0]);
}

#[test]
fn a_namespace_that_is_missing_empty_or_not_looked_at_is_told_apart() {
    let mut scene = Scene::recorded();
    let missing =
        |scene: &Scene, namespace: &str| match answer(scene, &Asked::new(namespace, "web", None)) {
            Answer::Missing(missing) => missing,
            other => panic!("{other:?}"),
        };
    assert_eq!(missing(&scene, "shpo"), Missing::Namespace);
    scene
        .facts
        .namespaces
        .push(Arc::new(crate::model::fixtures::namespace("empty")));
    let (near, any) = (Vec::new(), false);
    assert_eq!(missing(&scene, "empty"), Missing::Name { near, any });
    let only = Seen::Only(["shop".into()].into());
    scene.facts.coverage.pods = only.clone();
    scene.facts.coverage.namespaces = only;
    assert_eq!(missing(&scene, "else"), Missing::NotLookedAt);
}

#[test]
fn one_container_can_be_asked_for() {
    let mut scene = Scene::new();
    let both = [
        container("app", &image("web"), 1),
        container("proxy", &image("proxy"), 2),
    ];
    scene.run(&Kind::Deployment, "web", both);
    let of = |container| answer(&scene, &Asked::new("shop", "web", Some(container)));
    let Answer::Explained(found) = of("proxy") else {
        panic!("it is there")
    };
    assert_eq!(found[0].parts.len(), 1);
    assert_eq!(&*found[0].parts[0].source.container, "proxy");
    let Answer::Missing(Missing::Container { near }) = of("prxy") else {
        panic!("it is not there")
    };
    assert_eq!(near, ["app".into(), "proxy".into()]);
}
