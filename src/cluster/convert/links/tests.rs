//! Tests of what is read of objects that lead traffic, as people and controllers write them.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::cluster::Scope;
use crate::model::selection::Selection;

fn converter(ways: &[Way]) -> Converter {
    Converter::new(Scope {
        selection: Selection {
            ways: ways.to_vec(),
            ..Selection::default()
        },
        ..Scope::default()
    })
}

fn slim<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_str(&value.to_string()).unwrap()
}

/// As `kubectl get service -o json` shows one of a cloud: with ports, addresses and a status.
fn load_balancer() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {
            "namespace": "shop", "name": "web", "uid": "u", "resourceVersion": "7",
            "annotations": {
                "service.beta.kubernetes.io/azure-load-balancer-internal": "true",
                "kubectl.kubernetes.io/last-applied-configuration": "{}",
                "example.com/owner": "team-a"
            },
            "finalizers": ["service.kubernetes.io/load-balancer-cleanup"],
            "managedFields": [{"manager": "x", "fieldsV1": {"f:a": {}}}]
        },
        "spec": {
            "type": "LoadBalancer", "selector": {"app": "web", "tier": "front"},
            "loadBalancerClass": "service.k8s.aws/nlb",
            "loadBalancerSourceRanges": ["10.0.0.0/8", 7, "192.168.0.0/16"],
            "clusterIP": "10.0.171.239", "allocateLoadBalancerNodePorts": true,
            "ports": [{"port": 80, "targetPort": 9376, "nodePort": 30061, "protocol": "TCP"}]
        },
        "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.127"}]}}
    })
}

#[test]
fn of_a_service_only_what_says_where_traffic_goes_is_kept() {
    let converter = converter(&[Way::LoadBalancer]);
    let service = converter.service(&slim(&load_balancer())).unwrap();
    let expected = Service {
        namespace: "shop".into(),
        name: "web".into(),
        sort: Sort::LoadBalancer,
        selector: TextMap::from([("app", "web"), ("tier", "front")]),
        class: Some("service.k8s.aws/nlb".into()),
        source_ranges: ["10.0.0.0/8".into(), "192.168.0.0/16".into()].into(),
        annotations: TextMap::from([(
            "service.beta.kubernetes.io/azure-load-balancer-internal",
            "true",
        )]),
    };
    assert_eq!(service, expected);
    let mut later = load_balancer();
    later["status"]["loadBalancer"]["ingress"] = json!([]);
    later["metadata"]["annotations"]["example.com/owner"] = json!("team-b");
    later["spec"]["ports"] = json!([]);
    assert_eq!(converter.service(&slim(&later)), Some(expected));
}

/// What cannot be told in a sane length takes the risk away from nobody.
#[test]
fn of_texts_without_end_nothing_is_kept_and_ranges_without_end_are_everybodys() {
    let converter = converter(&[Way::LoadBalancer]);
    let key = "service.beta.kubernetes.io/load-balancer-source-ranges";
    for (length, ranges, is_kept) in [(4096, 256, true), (4097, 257, false)] {
        let mut service = load_balancer();
        service["metadata"]["annotations"] = json!({key: "1".repeat(length)});
        service["spec"]["loadBalancerSourceRanges"] = json!(vec!["10.0.0.0/8"; ranges]);
        let service = converter.service(&slim(&service)).unwrap();
        let expected: &[&str] = if is_kept {
            &["10.0.0.0/8"; 256]
        } else {
            &["0.0.0.0/0"]
        };
        let found: Vec<&str> = service.source_ranges.iter().map(|it| &**it).collect();
        assert_eq!(found, expected);
        assert_eq!(!service.annotations.is_empty(), is_kept, "{length}");
    }
}

#[test]
fn a_service_that_no_way_asks_for_leads_nowhere() {
    for (kind, ways, sort, leads) in [
        (
            "LoadBalancer",
            &[Way::LoadBalancer][..],
            Sort::LoadBalancer,
            true,
        ),
        ("LoadBalancer", &[Way::NodePort], Sort::Other, false),
        ("LoadBalancer", &[Way::Ingress], Sort::Other, true),
        ("NodePort", &[Way::NodePort], Sort::NodePort, true),
        ("NodePort", &[Way::LoadBalancer], Sort::Other, false),
        (
            "ClusterIP",
            &[Way::LoadBalancer, Way::NodePort],
            Sort::Other,
            false,
        ),
        ("ClusterIP", &[Way::Gateway], Sort::Other, true),
        ("ClusterIP", &[Way::Ingress], Sort::Other, true),
        ("ExternalName", &Way::ALL, Sort::Other, false),
    ] {
        let mut service = load_balancer();
        service["spec"]["type"] = json!(kind);
        let service = converter(ways).service(&slim(&service)).unwrap();
        assert_eq!(service.sort, sort, "{kind} {ways:?}");
        assert_eq!(!service.selector.is_empty(), leads, "{kind} {ways:?}");
        let reads = sort == Sort::LoadBalancer;
        assert_eq!(!service.annotations.is_empty(), reads, "{kind} {ways:?}");
    }
}

/// Of <https://kubernetes.io/docs/concepts/services-networking/ingress/>: a default backend, rules with
/// and without paths, and a resource as backend.
#[test]
fn an_ingress_leads_to_the_services_of_its_default_backend_and_of_every_rule() {
    let ingress = json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {
            "namespace": "shop", "name": "front",
            "annotations": {
                "kubernetes.io/ingress.class": "alb",
                "alb.ingress.kubernetes.io/scheme": "internet-facing",
                "nginx.ingress.kubernetes.io/rewrite-target": "/"
            }
        },
        "spec": {
            "ingressClassName": "external",
            "defaultBackend": {"service": {"name": "rest", "port": {"number": 80}}},
            "tls": [{"hosts": ["shop.example.com"], "secretName": "tls"}],
            "rules": [
                {"host": "a.example.com", "http": {"paths": [
                    {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"name": "http"}}}},
                    {"path": "/api", "pathType": "Prefix", "backend": {"service": {"name": "api", "port": {"number": 80}}}},
                    {"path": "/icons", "pathType": "ImplementationSpecific", "backend": {
                        "resource": {"apiGroup": "k8s.example.com", "kind": "StorageBucket", "name": "icon-assets"}
                    }}
                ]}},
                {"host": "b.example.com"},
                {"http": {"paths": [{"path": "/", "backend": {"service": {"name": "web"}}}]}},
                "odd"
            ]
        },
        "status": {"loadBalancer": {"ingress": [{"hostname": "x.elb.amazonaws.com"}]}}
    });
    let read = converter(&[Way::Ingress]).ingress(&slim(&ingress)).unwrap();
    let backends: Vec<&str> = read.backends.iter().map(|name| &**name).collect();
    assert_eq!(backends, ["api", "rest", "web"]);
    assert_eq!(read.class.as_deref(), Some("external"));
    let expected = [
        ("alb.ingress.kubernetes.io/scheme", "internet-facing"),
        ("kubernetes.io/ingress.class", "alb"),
    ];
    assert_eq!(read.annotations, TextMap::from(expected));
}

#[test]
fn a_gateway_says_its_class_and_what_it_hands_on() {
    let gateway = json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
        "metadata": {
            "namespace": "infra", "name": "edge",
            "annotations": {"networking.istio.io/service-type": "ClusterIP", "a": "b"}
        },
        "spec": {
            "gatewayClassName": "istio",
            "infrastructure": {
                "labels": {"a": "b"},
                "annotations": {"service.beta.kubernetes.io/scw-loadbalancer-private": "true", "a": "b"}
            },
            "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}]
        }
    });
    let read = converter(&[Way::Gateway]).gateway(&slim(&gateway)).unwrap();
    assert_eq!(&*read.class, "istio");
    assert_eq!(read.annotations.len(), 1);
    let expected = [(
        "service.beta.kubernetes.io/scw-loadbalancer-private",
        "true",
    )];
    assert_eq!(read.infrastructure, TextMap::from(expected));
}

/// A route as Envoy Gateway leaves it: its status repeats the reference, with what was left out filled in.
/// <https://gateway.envoyproxy.io/docs/tasks/traffic/http-routing/>
fn route() -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"namespace": "shop", "name": "web"},
        "spec": {
            "hostnames": ["www.example.com"],
            "parentRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "eg"}],
            "rules": [{
                "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                "backendRefs": [
                    {"group": "", "kind": "Service", "name": "web", "port": 3000, "weight": 1}
                ]
            }]
        },
        "status": {"parents": [{
            "controllerName": "gateway.envoyproxy.io/gatewayclass-controller",
            "parentRef": {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "eg", "namespace": "shop"},
            "conditions": [
                {"type": "Accepted", "status": "True", "reason": "Accepted", "observedGeneration": 1},
                {"type": "ResolvedRefs", "status": "True", "reason": "ResolvedRefs", "observedGeneration": 1}
            ]
        }]}
    })
}

fn read(route: &Value) -> Route {
    let converter = converter(&[Way::Gateway]);
    converter.route(Link::HttpRoute, &slim(route)).unwrap()
}

fn leads_to(route: &Value) -> Vec<String> {
    let backends = read(route).backends;
    let said = backends
        .iter()
        .map(|(namespace, name)| format!("{namespace}/{name}"));
    said.collect()
}

#[test]
fn a_route_is_accepted_by_the_parents_whose_status_says_so_of_that_very_reference() {
    const HTTPS: &str = r#"{"sectionName": "https"}"#;
    const INFRA: &str = r#"{"namespace": "infra"}"#;
    const YES: (&str, &str) = ("Accepted", "True");
    for (parent, told, condition, namespace, accepted) in [
        ("{}", "{}", YES, "shop", true),
        ("{}", r#"{"namespace": "shop"}"#, YES, "shop", true),
        (INFRA, INFRA, YES, "infra", true),
        (INFRA, "{}", YES, "infra", false),
        ("{}", r#"{"name": "other"}"#, YES, "shop", false),
        (HTTPS, HTTPS, YES, "shop", true),
        (HTTPS, r#"{"sectionName": "http"}"#, YES, "shop", false),
        (r#"{"port": 443}"#, r#"{"port": 80}"#, YES, "shop", false),
        (
            "{}",
            r#"{"kind": "Service", "group": ""}"#,
            YES,
            "shop",
            false,
        ),
        ("{}", "{}", ("Accepted", "False"), "shop", false),
        ("{}", "{}", ("Accepted", "Unknown"), "shop", false),
        ("{}", "{}", ("ResolvedRefs", "True"), "shop", false),
    ] {
        let mut route = route();
        route["spec"]["parentRefs"] = json!([reference(parent)]);
        let status = &mut route["status"]["parents"][0];
        status["parentRef"] = reference(told);
        status["conditions"] = json!([{"type": condition.0, "status": condition.1}]);
        let parents = read(&route).parents;
        assert_eq!(parents.len(), 1, "{parents:?}");
        let found = (&*parents[0].namespace, parents[0].accepted);
        assert_eq!(
            found,
            (namespace, accepted),
            "{parent} {told} {condition:?}"
        );
    }
    let mut unseen = route();
    unseen.as_object_mut().unwrap().remove("status");
    let parents = read(&unseen).parents;
    assert!(!parents[0].accepted, "nobody has looked at it yet");
}

/// A reference to Gateway `eg`, with what else it says.
fn reference(more: &str) -> Value {
    let mut reference = json!({"name": "eg"});
    let more: serde_json::Map<String, Value> = serde_json::from_str(more).unwrap();
    reference.as_object_mut().unwrap().extend(more);
    reference
}

#[test]
fn a_route_of_a_mesh_has_no_gateway() {
    let mut mesh = route();
    mesh["spec"]["parentRefs"] = json!([{"group": "", "kind": "Service", "name": "web"}]);
    assert_eq!(read(&mesh).parents.len(), 0);
    mesh["spec"]["parentRefs"] =
        json!([{"group": "gateway.networking.k8s.io", "kind": "ListenerSet", "name": "web"}]);
    assert_eq!(read(&mesh).parents.len(), 0);
}

#[test]
fn a_route_leads_to_every_service_that_gets_any_of_its_traffic() {
    let mut many = route();
    many["spec"]["rules"] = json!([
        {"backendRefs": [
            {"name": "web", "port": 80},
            {"name": "green", "port": 80, "weight": 0},
            {"name": "blue", "port": 80, "weight": 9},
            {"name": "pool", "kind": "InferencePool", "group": "inference.networking.k8s.io"},
            {"name": "far", "kind": "ServiceImport", "group": "multicluster.x-k8s.io"},
            {"name": "web", "namespace": "other", "port": 80},
        ]},
        {"backendRefs": [{"name": "web", "port": 81}], "filters": [
            {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "copies", "port": 80}}},
            {"type": "RequestRedirect", "requestRedirect": {"statusCode": 301}},
        ]},
        {},
        7,
    ]);
    let expected = ["other/web", "shop/blue", "shop/copies", "shop/web"];
    assert_eq!(leads_to(&many), expected);
}

#[test]
fn a_service_that_may_not_be_referred_to_is_known_by_the_status() {
    let mut route = route();
    assert!(!read(&route).parents[0].not_permitted);
    let conditions = &mut route["status"]["parents"][0]["conditions"];
    conditions[1] = json!({"type": "ResolvedRefs", "status": "False", "reason": "BackendNotFound"});
    assert!(!read(&route).parents[0].not_permitted);
    let conditions = &mut route["status"]["parents"][0]["conditions"];
    conditions[1] = json!({"type": "ResolvedRefs", "status": "False", "reason": "RefNotPermitted"});
    assert!(read(&route).parents[0].not_permitted);
    // Of two Services elsewhere nobody can tell which one it is about.
    let two = json!([{"name": "web", "namespace": "a"}, {"name": "web", "namespace": "b"}]);
    route["spec"]["rules"] = json!([{"backendRefs": two}]);
    assert!(!read(&route).parents[0].not_permitted);
}

#[test]
fn whatever_stands_for_such_an_object_is_read_or_said_to_be_unreadable() {
    let converter = converter(&Way::ALL);
    for odd in [
        json!(null),
        json!([]),
        json!("web"),
        json!({"metadata": []}),
        json!({"metadata": {"name": "web"}, "spec": 7}),
    ] {
        assert_eq!(converter.service(&slim(&odd)), None, "{odd}");
        assert_eq!(converter.ingress(&slim(&odd)), None, "{odd}");
        assert_eq!(converter.gateway(&slim(&odd)), None, "{odd}");
        assert_eq!(converter.route(Link::TcpRoute, &slim(&odd)), None, "{odd}");
    }
    let bare = json!({"metadata": {"namespace": "shop", "name": "web"}, "spec": [], "status": 1});
    assert!(converter.service(&slim(&bare)).unwrap().selector.is_empty());
    assert!(converter.ingress(&slim(&bare)).unwrap().backends.is_empty());
    assert!(
        converter
            .route(Link::TcpRoute, &slim(&bare))
            .unwrap()
            .parents
            .is_empty()
    );
    let kinds: BTreeSet<Link> = Scope::default().links().into_iter().collect();
    assert!(
        kinds.is_empty(),
        "nothing is looked at unless somebody asks"
    );
}
