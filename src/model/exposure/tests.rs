//! Tests of the ways from outside to pods.

use std::collections::BTreeSet;

use super::links::{Gateway, Ingress, Parent, Route};
use super::*;
use crate::model::facts::View;

fn all_seen() -> Facts {
    let mut facts = Facts::default();
    let everywhere = |link| (link, View::Everything);
    facts.coverage.links = Link::ALL.into_iter().map(everywhere).collect();
    facts
}

fn service(name: &str, sort: Sort, selector: &[(&str, &str)]) -> Service {
    let pairs = selector.iter();
    Service {
        namespace: "shop".into(),
        name: name.into(),
        sort,
        selector: pairs
            .map(|(key, value)| ((*key).into(), (*value).into()))
            .collect(),
        class: None,
        source_ranges: Box::default(),
        annotations: TextMap::default(),
    }
}

fn web(sort: Sort) -> Service {
    service("web", sort, &[("app", "web")])
}

fn ingress(backend: &str) -> Ingress {
    Ingress {
        namespace: "shop".into(),
        name: "front".into(),
        class: Some("nginx".into()),
        annotations: TextMap::default(),
        backends: [backend.into()].into(),
    }
}

fn gateway(namespace: &str) -> Gateway {
    Gateway {
        namespace: namespace.into(),
        name: "edge".into(),
        class: "istio".into(),
        annotations: TextMap::default(),
        infrastructure: TextMap::default(),
    }
}

fn route(gateway_in: &str, backend_in: &str) -> Route {
    Route {
        link: Link::HttpRoute,
        namespace: "shop".into(),
        name: "web".into(),
        parents: [Parent {
            namespace: gateway_in.into(),
            name: "edge".into(),
            accepted: true,
            not_permitted: false,
        }]
        .into(),
        backends: [(backend_in.into(), "web".into())].into(),
    }
}

fn labels() -> TextMap {
    TextMap::from([("app", "web"), ("tier", "front")])
}

fn by(facts: &Facts, ways: &[Way]) -> Exposed {
    let exposure = Exposure::new(facts, ways, None);
    exposure.of(&"shop".into(), std::iter::once(&labels()))
}

fn said(facts: &Facts, ways: &[Way]) -> Vec<String> {
    let exposure = Exposure::new(facts, ways, None);
    let labels = [labels(), labels()];
    let doors = exposure.doors(&"shop".into(), labels.iter());
    doors.into_iter().map(ToString::to_string).collect()
}

fn unknown(link: Link, namespace: Option<&str>) -> Exposed {
    Exposed::Unknown(Unread {
        link,
        namespace: namespace.map(Into::into),
    })
}

#[test]
fn a_word_is_its_way_and_no_other() {
    for way in Way::ALL {
        assert_eq!(Way::parse(way.as_str()), Some(way));
    }
    assert_eq!(Way::parse("LoadBalancer"), None);
    for link in Link::ALL {
        assert_eq!(Link::of(&link.into()), Some(link));
    }
    assert_eq!(Link::of(&crate::model::workload::Kind::Pod), None);
}

#[test]
fn each_type_of_service_counts_for_its_own_way_alone() {
    let mut facts = all_seen();
    for (sort, way) in [
        (Sort::LoadBalancer, Some(Way::LoadBalancer)),
        (Sort::NodePort, Some(Way::NodePort)),
        (Sort::Other, None),
    ] {
        facts.links.services = vec![Arc::new(web(sort))];
        for asked in Way::ALL {
            let expected = if Some(asked) == way {
                Exposed::Yes
            } else {
                Exposed::No
            };
            assert_eq!(by(&facts, &[asked]), expected, "{sort:?} {asked:?}");
        }
    }
    assert_eq!(by(&facts, &[]), Exposed::No);
}

#[test]
fn a_service_reaches_the_pods_that_have_every_label_of_its_selector_in_its_namespace() {
    let lb = Sort::LoadBalancer;
    for (selector, reached) in [
        (&[("app", "web")][..], true),
        (&[("app", "web"), ("tier", "front")], true),
        (&[("app", "web"), ("tier", "back")], false),
        (&[("app", "api")], false),
        (&[("app", "web"), ("zone", "a")], false),
        (&[], false),
    ] {
        let mut facts = all_seen();
        // Others with the same pair stand beside it.
        let beside = [
            [("app", "web"), ("tier", "none")],
            [("tier", "front"), ("a", "b")],
        ];
        let mut services: Vec<Service> = beside.iter().map(|it| service("x", lb, it)).collect();
        services.push(service("web", lb, selector));
        facts.links.services = services.into_iter().map(Arc::new).collect();
        let expected = if reached { Exposed::Yes } else { Exposed::No };
        assert_eq!(by(&facts, &[Way::LoadBalancer]), expected, "{selector:?}");
        let exposure = Exposure::new(&facts, &[Way::LoadBalancer], None);
        let elsewhere = exposure.of(&"other".into(), std::iter::once(&labels()));
        assert_eq!(elsewhere, Exposed::No);
    }
}

#[test]
fn an_ingress_leads_to_the_pods_of_its_services() {
    let mut facts = all_seen();
    facts.links.services = vec![Arc::new(web(Sort::Other))];
    facts.links.ingresses = vec![Arc::new(ingress("web"))];
    assert_eq!(by(&facts, &[Way::Ingress]), Exposed::Yes);
    assert_eq!(by(&facts, &[Way::LoadBalancer, Way::NodePort]), Exposed::No);
    facts.links.ingresses = vec![Arc::new(ingress("api"))];
    assert_eq!(by(&facts, &[Way::Ingress]), Exposed::No);
    let mut internal = ingress("web");
    internal.class = Some("gce-internal".into());
    facts.links.ingresses = vec![Arc::new(internal)];
    assert_eq!(by(&facts, &[Way::Ingress]), Exposed::No);
    assert_eq!(
        said(&facts, &[Way::Ingress]),
        ["Ingress shop/front through Service shop/web: internal by its class gce-internal"]
    );
}

#[test]
fn a_gateway_leads_by_the_routes_that_it_has_accepted() {
    let mut facts = all_seen();
    facts.links.services = vec![Arc::new(web(Sort::Other))];
    facts.links.gateways = vec![Arc::new(gateway("infra"))];
    facts.links.routes = vec![Arc::new(route("infra", "shop"))];
    let ways = [Way::Gateway];
    assert_eq!(by(&facts, &ways), Exposed::Yes);
    let found = said(&facts, &ways);
    assert_eq!(
        found,
        ["Gateway infra/edge through HTTPRoute shop/web, Service shop/web: open to the internet"]
    );
    for link in Link::ROUTES {
        Arc::make_mut(&mut facts.links.routes[0]).link = link;
        assert_eq!(by(&facts, &ways), Exposed::Yes, "{link}");
    }
    let mut refused = route("infra", "shop");
    refused.parents[0].accepted = false;
    facts.links.routes = vec![Arc::new(refused)];
    assert_eq!(by(&facts, &ways), Exposed::No);
    assert!(said(&facts, &ways)[0].ends_with("it has not accepted the route"));
    facts.links.routes = vec![Arc::new(route("elsewhere", "shop"))];
    assert_eq!(by(&facts, &ways), Exposed::No);
    assert!(said(&facts, &ways)[0].ends_with("it does not exist"));
}

#[test]
fn a_route_leads_to_another_namespace_unless_that_is_not_permitted() {
    let mut facts = all_seen();
    facts.links.services = vec![Arc::new(web(Sort::Other))];
    facts.links.gateways = vec![Arc::new(gateway("infra"))];
    for (from, not_permitted, expected) in [
        ("routes", false, Exposed::Yes),
        ("routes", true, Exposed::No),
        // Some other Service of that route is meant: this one needs no permission.
        ("shop", true, Exposed::Yes),
    ] {
        let mut route = route("infra", "shop");
        route.namespace = from.into();
        route.parents[0].not_permitted = not_permitted;
        facts.links.routes = vec![Arc::new(route)];
        assert_eq!(
            by(&facts, &[Way::Gateway]),
            expected,
            "{from} {not_permitted}"
        );
    }
}

#[test]
fn promise_2_what_is_not_seen_on_a_way_says_neither_yes_nor_no() {
    for (way, link) in [
        (Way::LoadBalancer, Link::Service),
        (Way::NodePort, Link::Service),
        (Way::Ingress, Link::Service),
        (Way::Ingress, Link::Ingress),
    ] {
        for is_there in [true, false] {
            let mut facts = all_seen();
            let sort = match way {
                Way::NodePort => Sort::NodePort,
                Way::LoadBalancer => Sort::LoadBalancer,
                Way::Ingress | Way::Gateway => Sort::Other,
            };
            if is_there {
                facts.links.services = vec![Arc::new(web(sort))];
                facts.links.ingresses = vec![Arc::new(ingress("web"))];
            }
            facts.coverage.links.insert(link, View::Nothing);
            assert_eq!(
                by(&facts, &[way]),
                unknown(link, Some("shop")),
                "{way:?} {link}"
            );
        }
    }
    let mut facts = all_seen();
    facts.coverage.links.insert(Link::TcpRoute, View::Nothing);
    assert_eq!(by(&facts, &[Way::Gateway]), unknown(Link::TcpRoute, None));
    let mut facts = all_seen();
    facts.links.services = vec![Arc::new(web(Sort::Other))];
    facts.links.gateways = vec![Arc::new(gateway("infra"))];
    facts.links.routes = vec![Arc::new(route("infra", "shop"))];
    facts.coverage.links.insert(Link::Gateway, View::Nothing);
    assert_eq!(
        by(&facts, &[Way::Gateway]),
        unknown(Link::Gateway, Some("infra"))
    );
}

#[test]
fn one_way_that_is_seen_lets_traffic_in_whatever_is_not_seen_of_another() {
    let mut facts = all_seen();
    facts.links.services = vec![Arc::new(web(Sort::LoadBalancer))];
    facts.coverage.links.insert(Link::HttpRoute, View::Nothing);
    facts.coverage.links.insert(Link::Ingress, View::Nothing);
    assert_eq!(by(&facts, &Way::ALL), Exposed::Yes);
    let exposure = Exposure::new(&facts, &Way::ALL, None);
    let unread = exposure.unread(&"shop".into());
    let unread: Vec<String> = unread.iter().map(ToString::to_string).collect();
    assert_eq!(
        unread,
        [
            "Ingress in shop is not fully seen",
            "HTTPRoute is not fully seen"
        ]
    );
}

#[test]
fn where_namespaces_are_looked_at_one_by_one_a_gateway_elsewhere_is_not_known() {
    let shop: Arc<str> = "shop".into();
    let only = View::Only(BTreeSet::from([shop.clone()]));
    let mut facts = all_seen();
    for view in facts.coverage.links.values_mut() {
        *view = only.clone();
    }
    let named = [shop.clone()];
    let by = |facts: &Facts| {
        let exposure = Exposure::new(facts, &[Way::Gateway], Some(&named));
        exposure.of(&shop, std::iter::once(&labels()))
    };
    assert_eq!(
        by(&facts),
        Exposed::No,
        "all that anybody asked for is seen"
    );
    facts.links.services = vec![Arc::new(web(Sort::Other))];
    facts.links.routes = vec![Arc::new(route("infra", "shop"))];
    assert_eq!(by(&facts), unknown(Link::Gateway, Some("infra")));
    facts.links.routes = vec![Arc::new(route("shop", "shop"))];
    assert_eq!(by(&facts), Exposed::No, "there is no such Gateway in shop");
    facts.links.gateways = vec![Arc::new(gateway("shop"))];
    assert_eq!(by(&facts), Exposed::Yes);
}

#[test]
fn kinds_are_called_as_kubectl_calls_them_and_two_are_there_without_a_definition() {
    let named = Link::ALL.map(|link| (link.resource(), link.is_built_in()));
    let gateway = |resource: &str| (format!("{resource}.gateway.networking.k8s.io"), false);
    assert_eq!(
        named,
        [
            ("services".to_owned(), true),
            ("ingresses.networking.k8s.io".to_owned(), true),
            gateway("gateways"),
            gateway("httproutes"),
            gateway("grpcroutes"),
            gateway("tlsroutes"),
            gateway("tcproutes"),
            gateway("udproutes"),
        ]
    );
}
