//! What leads traffic to pods, as JSON: whatever stands there is read, names come from it, and nothing
//! leads anywhere that it does not name.

#![expect(
    clippy::indexing_slicing,
    reason = "of JSON, which has a null for what is not there"
)]

use serde_json::Value;

use super::super::convert::Converter;
use super::super::scope::Scope;
use super::super::slim::links::{SlimGateway, SlimIngress, SlimRoute, SlimService};
use super::{scope, slim, text};
use crate::model::exposure::Way;
use crate::model::exposure::links::{Link, Sort};
use crate::model::text_map::TextMap;

/// An object as JSON, which is read as each kind.
pub(crate) fn link(bytes: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
        let _ = serde_json::from_slice::<SlimRoute>(bytes);
        return;
    };
    let mut scope: Scope = scope();
    scope.selection.ways = Way::ALL.to_vec();
    let converter = Converter::new(scope);
    let meta = |field: &str| text(&value, &format!("/metadata/{field}"));
    let is_whole = meta("name").is_some() && meta("namespace").is_some();
    let named = |namespace: &str, name: &str| {
        assert_eq!(
            (Some(namespace), Some(name)),
            (meta("namespace"), meta("name"))
        );
    };
    let written = value.to_string();
    let is_written = |text: &str| written.contains(&Value::from(text).to_string());

    let service = converter.service(&slim::<SlimService>(&value));
    assert_eq!(service.is_some(), is_whole);
    if let Some(service) = service {
        named(&service.namespace, &service.name);
        let kind = value["spec"]["type"].as_str();
        assert_eq!(
            service.sort == Sort::LoadBalancer,
            kind == Some("LoadBalancer")
        );
        assert_eq!(service.sort == Sort::NodePort, kind == Some("NodePort"));
        stands_in(&service.selector, &value["spec"]["selector"]);
        stands_in(&service.annotations, &value["metadata"]["annotations"]);
    }
    let ingress = converter.ingress(&slim::<SlimIngress>(&value));
    assert_eq!(ingress.is_some(), is_whole);
    if let Some(ingress) = ingress {
        named(&ingress.namespace, &ingress.name);
        assert!(ingress.backends.iter().all(|name| is_written(name)));
        assert!(ingress.backends.is_sorted());
        stands_in(&ingress.annotations, &value["metadata"]["annotations"]);
    }
    let gateway = converter.gateway(&slim::<SlimGateway>(&value));
    assert_eq!(gateway.is_some(), is_whole);
    if let Some(gateway) = gateway {
        named(&gateway.namespace, &gateway.name);
        stands_in(&gateway.annotations, &value["metadata"]["annotations"]);
        let handed_on = &value["spec"]["infrastructure"]["annotations"];
        stands_in(&gateway.infrastructure, handed_on);
    }
    let route = converter.route(Link::HttpRoute, &slim::<SlimRoute>(&value));
    assert_eq!(route.is_some(), is_whole);
    let Some(route) = route else { return };
    named(&route.namespace, &route.name);
    let parents = value["spec"]["parentRefs"].as_array().map_or(0, Vec::len);
    assert!(route.parents.len() <= parents);
    let told = value["status"]["parents"].is_array();
    for parent in &route.parents {
        assert!(is_written(&parent.name) && is_written(&parent.namespace));
        assert!(told || !(parent.accepted || parent.not_permitted));
    }
    for (namespace, name) in &route.backends {
        assert!(is_written(name) && is_written(namespace));
    }
}

/// Every pair that was read stands in that map.
fn stands_in(read: &TextMap, map: &Value) {
    for (key, text) in read.iter() {
        assert_eq!(map[&**key].as_str(), Some(&**text));
    }
}
