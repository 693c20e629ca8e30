//! What leads traffic to pods, under broken lists and watches, and kinds that are installed and removed
//! while somebody looks.

use std::collections::BTreeSet;
use std::time::Duration;

use deployment_recorder::cluster::{Cluster, MirrorHealth, MirrorState, Scope};
use deployment_recorder::model::exposure::links::Link;
use deployment_recorder::model::exposure::{Exposed, Exposure, Way};
use deployment_recorder::model::facts::{Facts, View};
use deployment_recorder::model::workload::Kind;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::support::apiserver::{Apiserver, Definition, Fault, Verb};
use super::{exactly, namespace, pod, settle, start, state_of, until, until_state};

fn looking_for(ways: &[Way]) -> Scope {
    with(ways, Scope::default())
}

fn with(ways: &[Way], mut scope: Scope) -> Scope {
    scope.selection.ways = ways.to_vec();
    scope
}

/// A server with a namespace and a pod of the app `web`.
fn server() -> Apiserver {
    let server = Apiserver::new();
    server.apply(namespace("shop"));
    let mut web = pod("shop", "web-1", None);
    web["metadata"]["labels"] = json!({"app": "web", "pod-template-hash": "1"});
    server.apply(web);
    server
}

/// Installs the Gateway API, but for UDPRoute.
fn install(server: &Apiserver) {
    for (plural, kind) in [
        ("gateways", "Gateway"),
        ("httproutes", "HTTPRoute"),
        ("grpcroutes", "GRPCRoute"),
        ("tlsroutes", "TLSRoute"),
        ("tcproutes", "TCPRoute"),
    ] {
        let group = "gateway.networking.k8s.io";
        server.define(Definition::new(group, "v1", plural, kind));
    }
}

fn service(kind: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"namespace": "shop", "name": "web"},
        "spec": {"type": kind, "selector": {"app": "web"}, "ports": [{"port": 80}]}
    })
}

fn ingress() -> Value {
    let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"namespace": "shop", "name": "front"}, "spec": {"defaultBackend": backend}
    })
}

fn gateway() -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
        "metadata": {"namespace": "shop", "name": "edge"}, "spec": {"gatewayClassName": "eg"}
    })
}

fn route(kind: &str) -> Value {
    let parent = json!({"name": "edge"});
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": kind,
        "metadata": {"namespace": "shop", "name": "web"},
        "spec": {"parentRefs": [parent], "rules": [{"backendRefs": [{"name": "web", "port": 80}]}]},
        "status": {"parents": [{
            "parentRef": parent, "conditions": [{"type": "Accepted", "status": "True"}]
        }]}
    })
}

/// Whether the pod is reached, by all that is known.
fn exposed(facts: &Facts, ways: &[Way]) -> Exposed {
    let exposure = Exposure::new(facts, ways, None);
    let labels = facts.pods.iter().map(|pod| &pod.labels);
    exposure.of(&"shop".into(), labels)
}

async fn until_exposed(cluster: &Cluster, ways: &[Way], expected: &Exposed) {
    until(cluster, |facts| exposed(facts, ways) == *expected).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_for_and_no_label_is_kept_unless_somebody_asks() {
    let server = server();
    server.apply(service("LoadBalancer"));
    let cluster = start(&server, Scope::default()).await;
    let facts = cluster.facts();
    assert_eq!(facts.links.services, []);
    assert!(facts.coverage.links.is_empty() && facts.pods[0].labels.is_empty());
    let known = ["Service", "Ingress", "Gateway"];
    let calls = server.calls().into_iter();
    let more: Vec<_> = calls
        .filter(|call| call.verb == Verb::Discover || known.contains(&&*call.kind))
        .collect();
    assert!(more.is_empty(), "{more:?}");
}

#[tokio::test(start_paused = true)]
async fn each_way_looks_at_its_own_kinds_alone() {
    for (way, expected) in [
        (Way::LoadBalancer, &["Service"][..]),
        (Way::NodePort, &["Service"]),
        (Way::Ingress, &["Service", "Ingress"]),
        (
            Way::Gateway,
            &[
                "Service",
                "Gateway",
                "HTTPRoute",
                "GRPCRoute",
                "TLSRoute",
                "TCPRoute",
            ],
        ),
    ] {
        let server = server();
        install(&server);
        let cluster = start(&server, looking_for(&[way])).await;
        let links = Link::ALL.map(Link::kind);
        let listed: BTreeSet<String> = server
            .calls()
            .into_iter()
            .filter(|call| call.verb == Verb::List && links.contains(&&*call.kind))
            .map(|call| call.kind)
            .collect();
        let expected: BTreeSet<String> = expected.iter().map(|it| (*it).to_owned()).collect();
        assert_eq!(listed, expected, "{way:?}");
        cluster.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_lets_traffic_in_and_what_goes_does_not() {
    let ways = Way::ALL;
    let server = server();
    install(&server);
    let cluster = start(&server, looking_for(&ways)).await;
    until_exposed(&cluster, &ways, &Exposed::No).await;
    for kind in ["LoadBalancer", "NodePort"] {
        server.apply(service(kind));
        until_exposed(&cluster, &ways, &Exposed::Yes).await;
        server.apply(service("ClusterIP"));
        until_exposed(&cluster, &ways, &Exposed::No).await;
    }
    server.apply(ingress());
    until_exposed(&cluster, &ways, &Exposed::Yes).await;
    server.delete("Ingress", "shop", "front");
    until_exposed(&cluster, &ways, &Exposed::No).await;
    server.apply(gateway());
    for kind in ["HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"] {
        server.apply(route(kind));
        until_exposed(&cluster, &ways, &Exposed::Yes).await;
        server.delete(kind, "shop", "web");
        until_exposed(&cluster, &ways, &Exposed::No).await;
    }
}

#[tokio::test(start_paused = true)]
async fn promise_2_a_list_that_is_forbidden_or_broken_says_neither_yes_nor_no() {
    let ways = [Way::LoadBalancer];
    let server = server();
    server.apply(service("LoadBalancer"));
    let cluster = start(&server, looking_for(&ways)).await;
    until_exposed(&cluster, &ways, &Exposed::Yes).await;
    server.forbid("Service");
    server.expire("Service");
    let unknown = |facts: &Facts| matches!(exposed(facts, &ways), Exposed::Unknown(_));
    until(&cluster, unknown).await;
    server.delete("Service", "shop", "web");
    tokio::time::sleep(Duration::from_mins(10)).await;
    assert!(unknown(&cluster.facts()));
    server.allow("Service");
    until_exposed(&cluster, &ways, &Exposed::No).await;
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_is_not_installed_is_seen_to_have_no_objects_and_is_found_when_it_comes() {
    let ways = [Way::Gateway];
    let server = server();
    server.apply(service("ClusterIP"));
    let begun = Instant::now();
    let cluster = start(&server, looking_for(&ways)).await;
    assert!(begun.elapsed() >= Duration::from_secs(5), "said twice");
    let facts = cluster.facts();
    assert!(
        Link::ROUTES
            .iter()
            .all(|link| facts.coverage.links[link] == View::Everything)
    );
    until_exposed(&cluster, &ways, &Exposed::No).await;
    let asked = server.calls().len();
    tokio::time::sleep(Duration::from_mins(10)).await;
    let discovered = server.calls().len() - asked;
    assert!(
        (120..=160).contains(&discovered),
        "two questions a minute for each of six kinds: {discovered}"
    );

    install(&server);
    server.apply(gateway());
    server.apply(route("HTTPRoute"));
    until_exposed(&cluster, &ways, &Exposed::Yes).await;

    server.delete("HTTPRoute", "shop", "web");
    for kind in ["Gateway", "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"] {
        server.undefine(kind);
        server.expire(kind);
    }
    until_exposed(&cluster, &ways, &Exposed::No).await;
    let http_route = Kind::from(Link::HttpRoute);
    until(&cluster, |_| {
        state_of(&cluster, &http_route) == MirrorState::Synced
    })
    .await;
    install(&server);
    server.apply(route("HTTPRoute"));
    until_exposed(&cluster, &ways, &Exposed::Yes).await;
}

#[tokio::test(start_paused = true)]
async fn promise_2_a_question_that_fails_is_no_answer_that_there_is_no_such_kind() {
    let ways = [Way::Gateway];
    let server = server();
    let group = "/apis/gateway.networking.k8s.io";
    for fault in [
        Fault::Status(503),
        Fault::Refused,
        Fault::Text("<html>".to_owned()),
    ] {
        server.fail(Verb::Discover, group, fault).times(6);
    }
    let cluster = Cluster::start(server.client(), looking_for(&ways), 7);
    settle().await;
    assert_eq!(
        cluster.facts().coverage.links[&Link::HttpRoute],
        View::Nothing
    );
    let state = state_of(&cluster, &Kind::from(Link::HttpRoute));
    assert_eq!(state, MirrorState::Interrupted);
    until_exposed(&cluster, &ways, &Exposed::No).await;
}

#[tokio::test(start_paused = true)]
async fn promise_2_one_answer_that_there_is_no_such_kind_takes_nothing_away() {
    let ways = [Way::Gateway];
    let server = server();
    install(&server);
    server.apply(service("ClusterIP"));
    server.apply(gateway());
    server.apply(route("HTTPRoute"));
    let cluster = start(&server, looking_for(&ways)).await;
    until_exposed(&cluster, &ways, &Exposed::Yes).await;
    // Another API server behind the same address has not heard of it yet.
    server.undefine("HTTPRoute");
    server.expire("HTTPRoute");
    let http_route = Kind::from(Link::HttpRoute);
    until_state(&cluster, &http_route, MirrorState::Interrupted).await;
    let group = "/apis/gateway.networking.k8s.io";
    let asked = server.count(Verb::Discover, group);
    while server.count(Verb::Discover, group) == asked {
        settle().await;
    }
    settle().await;
    install(&server);
    let back = |facts: &Facts| {
        assert_ne!(exposed(facts, &ways), Exposed::No);
        facts.coverage.links[&Link::HttpRoute] == View::Everything
    };
    until(&cluster, back).await;
    until_exposed(&cluster, &ways, &Exposed::Yes).await;
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_was_forbidden_and_is_removed_is_found_absent_and_holds_up_no_start() {
    let ways = [Way::Gateway];
    let server = server();
    install(&server);
    server.apply(service("ClusterIP"));
    server.apply(gateway());
    server.apply(route("HTTPRoute"));
    server.forbid("HTTPRoute");
    let cluster = Cluster::start(server.client(), looking_for(&ways), 7);
    let http_route = Kind::from(Link::HttpRoute);
    until_state(&cluster, &http_route, MirrorState::Forbidden).await;
    tokio::time::sleep(Duration::from_mins(10)).await;
    let unknown = |facts: &Facts| matches!(exposed(facts, &ways), Exposed::Unknown(_));
    assert!(unknown(&cluster.facts()));
    // Who may not list is told so whether or not there is such a thing.
    server.undefine("HTTPRoute");
    server.fail(Verb::List, "", Fault::Status(403)).forever();
    until_exposed(&cluster, &ways, &Exposed::No).await;
    assert_eq!(state_of(&cluster, &http_route), MirrorState::Synced);
}

#[tokio::test(start_paused = true)]
async fn a_kind_whose_api_is_broken_holds_up_readiness_for_a_minute_or_two() {
    let server = server();
    install(&server);
    server
        .fail(Verb::List, "HTTPRoute", Fault::Status(500))
        .forever();
    let cluster = Cluster::start(server.client(), looking_for(&[Way::Gateway]), 7);
    let settled = || cluster.health().iter().all(MirrorHealth::has_settled);
    let begun = Instant::now();
    until(&cluster, |_| settled()).await;
    let took = begun.elapsed().as_secs();
    assert!((60..=240).contains(&took), "{took}");
    let links = cluster.facts().coverage.links;
    assert_eq!(links[&Link::HttpRoute], View::Nothing);
}

#[tokio::test(start_paused = true)]
async fn services_and_ingresses_that_stay_forbidden_are_done_without_until_they_may_be_read_again()
{
    let server = server();
    server.forbid("Service");
    server.forbid("Ingress");
    let cluster = start(&server, looking_for(&[Way::Ingress])).await;
    let links = [Link::Service, Link::Ingress].map(Kind::from);
    let done_without = || {
        let health = cluster.health().into_iter();
        let without = health.filter(MirrorHealth::is_done_without);
        without.map(|mirror| mirror.kind).collect::<Vec<_>>()
    };
    assert_eq!(done_without(), [], "it may be over in a moment");
    tokio::time::sleep(Duration::from_mins(2)).await;
    assert_eq!(done_without(), links);
    for kind in ["Service", "Ingress"] {
        server.allow(kind);
    }
    until_exposed(&cluster, &[Way::Ingress], &Exposed::No).await;
    assert_eq!(done_without(), []);
    // Taken away once they were read.
    server.forbid("Service");
    server.expire("Service");
    tokio::time::sleep(Duration::from_mins(2)).await;
    assert_eq!(done_without(), links[..1]);
}

#[tokio::test(start_paused = true)]
async fn in_named_namespaces_everything_is_asked_for_there_alone() {
    let server = server();
    install(&server);
    server.apply(namespace("cart"));
    server.apply(service("LoadBalancer"));
    let scope = with(&Way::ALL, exactly(&["shop", "cart"]));
    let cluster = start(&server, scope).await;
    let links = Link::ALL.map(Link::kind);
    let calls = server.calls().into_iter();
    let calls: Vec<_> = calls.filter(|call| links.contains(&&*call.kind)).collect();
    assert!(
        calls.iter().all(|call| call.namespace.is_some()),
        "{calls:?}"
    );
    let asked = calls.iter().filter(|call| call.verb == Verb::List);
    assert_eq!(
        asked.count(),
        2 * (Link::ALL.len() - 1),
        "but for what is not installed"
    );
    let facts = cluster.facts();
    let both = View::Only(["shop".into(), "cart".into()].into());
    assert!(
        facts.coverage.links.values().all(|view| *view == both),
        "{:?}",
        facts.coverage
    );
    // One answer is enough for both namespaces; what is not installed is asked for twice.
    assert_eq!(
        server.count(Verb::Discover, "/apis/gateway.networking.k8s.io"),
        7
    );
}

#[tokio::test(start_paused = true)]
async fn what_says_nothing_about_exposure_wakes_nobody() {
    let server = server();
    let mut balanced = service("LoadBalancer");
    server.apply(balanced.clone());
    let cluster = start(&server, looking_for(&[Way::LoadBalancer])).await;
    settle().await;
    let _ = tokio::time::timeout(Duration::from_secs(1), cluster.changed()).await;
    balanced["status"] = json!({"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}});
    balanced["metadata"]["annotations"] = json!({"example.com/owner": "a"});
    server.apply(balanced.clone());
    let mut inside = service("ClusterIP");
    inside["metadata"]["name"] = json!("inside");
    server.apply(inside);
    server.delete("Service", "shop", "inside");
    let woken = tokio::time::timeout(Duration::from_mins(1), cluster.changed()).await;
    assert!(woken.is_err(), "what matters to nobody woke the cycle");
    balanced["metadata"]["annotations"] =
        json!({"service.beta.kubernetes.io/azure-load-balancer-internal": "true"});
    server.apply(balanced);
    let woken = tokio::time::timeout(Duration::from_mins(1), cluster.changed()).await;
    assert!(woken.is_ok(), "it is internal now");
}
