//! Conversion of what leads traffic to pods. Only what is asked for is kept, so that nothing else of
//! these objects wakes anybody.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::cluster::slim::links::{
    LinkMeta, Reference, RouteParent, RouteSpec, RouteStatus, SlimGateway, SlimIngress, SlimRoute,
    SlimService,
};
use crate::cluster::slim::{Labels, SoftList};
use crate::cluster::soft::Soft;
use crate::model::exposure::Way;
use crate::model::exposure::internal::{reads_of_gateway, reads_of_ingress, reads_of_service};
use crate::model::exposure::links::{Gateway, Ingress, Link, Parent, Route, Service, Sort};
use crate::model::text_map::TextMap;

use super::Converter;

/// The longest annotation that means something, in bytes: a list of two hundred ranges. Of a longer one nothing
/// is kept, since whoever may write a Service may write many.
const LONGEST: usize = 4 << 10;

/// So many ranges of addresses are kept. More of them count as one, of everybody.
const MOST_RANGES: usize = 256;

/// Every address.
const ANYBODY: &str = "0.0.0.0/0";

impl Converter {
    /// A Service; `None` if it has no name.
    pub(in crate::cluster) fn service(&self, slim: &SlimService) -> Option<Service> {
        let (namespace, name) = self.names(&slim.meta)?;
        let ways = &self.scope.selection.ways;
        let kind = slim.spec.kind.text();
        let sort = match kind {
            "LoadBalancer" if ways.contains(&Way::LoadBalancer) => Sort::LoadBalancer,
            "NodePort" if ways.contains(&Way::NodePort) => Sort::NodePort,
            _ => Sort::Other,
        };
        // Something else may lead to it.
        let is_led_to = ways.contains(&Way::Ingress) || ways.contains(&Way::Gateway);
        let matters = (sort != Sort::Other || is_led_to) && kind != "ExternalName";
        let selector = slim.spec.selector.0.as_ref().filter(|_| matters);
        let selector = selector.map(|selector| self.texts(&selector.0));
        let mut service = Service {
            namespace,
            name,
            sort,
            selector: selector.unwrap_or_default(),
            class: None,
            source_ranges: Box::default(),
            annotations: TextMap::default(),
        };
        if sort == Sort::LoadBalancer {
            service.class = self.word(&slim.spec.load_balancer_class);
            let ranges = each(&slim.spec.load_balancer_source_ranges);
            service.source_ranges = match ranges.clone().nth(MOST_RANGES) {
                None => ranges.map(|range| self.intern(range)).collect(),
                Some(_) => [self.intern(ANYBODY)].into(),
            };
            service.annotations = self.chosen(&slim.meta.annotations, reads_of_service);
        }
        Some(service)
    }

    /// An Ingress; `None` if it has no name.
    pub(in crate::cluster) fn ingress(&self, slim: &SlimIngress) -> Option<Ingress> {
        let (namespace, name) = self.names(&slim.meta)?;
        let spec = &slim.spec;
        let rules = each(&spec.rules).filter_map(|rule| rule.http.0.as_ref());
        let paths = rules.flat_map(|http| each(&http.paths));
        let backends = paths.filter_map(|path| path.backend.0.as_ref());
        let backends = backends.chain(&spec.default_backend.0);
        let names: BTreeSet<&str> = backends
            .filter_map(|backend| backend.service.0.as_ref()?.name.0.as_deref())
            .collect();
        Some(Ingress {
            namespace,
            name,
            class: self.word(&spec.ingress_class_name),
            annotations: self.chosen(&slim.meta.annotations, reads_of_ingress),
            backends: names.into_iter().map(|name| self.intern(name)).collect(),
        })
    }

    /// A Gateway; `None` if it has no name.
    pub(in crate::cluster) fn gateway(&self, slim: &SlimGateway) -> Option<Gateway> {
        let (namespace, name) = self.names(&slim.meta)?;
        let infrastructure = slim.spec.infrastructure.0.as_ref();
        let reads = |key: &str| reads_of_service(key) || reads_of_gateway(key);
        let handed_on = infrastructure.map(|it| self.chosen(&it.annotations, reads));
        Some(Gateway {
            namespace,
            name,
            class: self.intern(slim.spec.gateway_class_name.text()),
            annotations: self.chosen(&slim.meta.annotations, reads_of_gateway),
            infrastructure: handed_on.unwrap_or_default(),
        })
    }

    /// A route; `None` if it has no name.
    pub(in crate::cluster) fn route(&self, link: Link, slim: &SlimRoute) -> Option<Route> {
        let (namespace, name) = self.names(&slim.meta)?;
        let backends: BTreeSet<(Arc<str>, Arc<str>)> = backends(&slim.spec)
            .map(|(elsewhere, name)| {
                let namespace = elsewhere.map_or_else(|| namespace.clone(), |it| self.intern(it));
                (namespace, self.intern(name))
            })
            .collect();
        let mut parents: BTreeSet<Parent> = each(&slim.spec.parent_refs)
            .filter(|reference| is_gateway(reference))
            .filter_map(|reference| self.parent(reference, &slim.status, &namespace))
            .collect();
        // The condition is about the whole route: of several Services elsewhere it does not say which.
        let elsewhere = backends.iter().filter(|(at, _)| *at != namespace);
        if elsewhere.count() > 1 {
            let open = |parent: Parent| Parent {
                not_permitted: false,
                ..parent
            };
            parents = parents.into_iter().map(open).collect();
        }
        Some(Route {
            link,
            parents: parents.into_iter().collect(),
            backends: backends.into_iter().collect(),
            namespace,
            name,
        })
    }

    /// A Gateway that a route names, and what its status says of it.
    fn parent(
        &self,
        reference: &Reference,
        status: &RouteStatus,
        own_namespace: &Arc<str>,
    ) -> Option<Parent> {
        let namespace = reference.namespace.0.as_deref();
        let of_it = || {
            each(&status.parents).filter(|parent| {
                let told = parent.parent_ref.0.as_ref();
                told.is_some_and(|told| are_same(reference, told, own_namespace))
            })
        };
        Some(Parent {
            namespace: namespace.map_or_else(|| own_namespace.clone(), |it| self.intern(it)),
            name: self.intern(reference.name.0.as_deref()?),
            accepted: of_it().any(|parent| says(parent, "Accepted", "True", None)),
            not_permitted: of_it()
                .any(|parent| says(parent, "ResolvedRefs", "False", Some("RefNotPermitted"))),
        })
    }

    fn names(&self, meta: &LinkMeta) -> Option<(Arc<str>, Arc<str>)> {
        let namespace = meta.namespace.0.as_deref()?;
        let name = meta.name.0.as_deref()?;
        Some((self.intern(namespace), self.intern(name)))
    }

    /// A text that is not empty.
    fn word(&self, text: &Soft<String>) -> Option<Arc<str>> {
        let text = text.0.as_deref().filter(|text| !text.is_empty());
        text.map(|text| self.intern(text))
    }

    /// The one copy of these texts.
    pub(super) fn texts(&self, texts: &BTreeMap<String, String>) -> TextMap {
        let texts = texts.iter();
        let texts = texts.map(|(key, text)| (self.intern(key), self.intern(text)));
        let texts: TextMap = texts.collect();
        self.interner().share(texts)
    }

    /// The annotations that are wanted and no longer than what means something.
    fn chosen(&self, all: &Soft<Labels>, is_wanted: impl Fn(&str) -> bool) -> TextMap {
        let all = all.0.iter().flat_map(|all| &all.0);
        let wanted = all.filter(|(key, text)| text.len() <= LONGEST && is_wanted(key));
        let wanted = wanted.map(|(key, text)| (self.intern(key), self.intern(text)));
        let wanted: TextMap = wanted.collect();
        self.interner().share(wanted)
    }
}

/// What of a list can be read.
fn each<T>(list: &SoftList<T>) -> impl Iterator<Item = &T> + Clone {
    let list = list.0.iter().flatten();
    list.filter_map(|element| element.0.as_ref())
}

/// The Services that a route leads to, requests that are copied included: the namespace if it is
/// named, and the name. What has no weight gets nothing:
/// <https://gateway-api.sigs.k8s.io/reference/spec/#backendref>.
fn backends(spec: &RouteSpec) -> impl Iterator<Item = (Option<&str>, &str)> {
    let references = each(&spec.rules).flat_map(|rule| {
        let copies = each(&rule.filters).filter_map(|filter| filter.request_mirror.0.as_ref());
        let copies = copies.filter_map(|copies| copies.backend_ref.0.as_ref());
        each(&rule.backend_refs).chain(copies)
    });
    references
        .filter(|reference| is_service(reference) && reference.weight.0 != Some(0))
        .filter_map(|reference| {
            Some((
                reference.namespace.0.as_deref(),
                reference.name.0.as_deref()?,
            ))
        })
}

/// Whether a reference is to a Gateway: what one of a route means where it says nothing else.
/// <https://gateway-api.sigs.k8s.io/reference/spec/#parentreference>
fn is_gateway(reference: &Reference) -> bool {
    let group = reference
        .group
        .0
        .as_deref()
        .unwrap_or(Link::Gateway.group());
    let kind = reference.kind.0.as_deref().unwrap_or(Link::Gateway.kind());
    (group, kind) == (Link::Gateway.group(), Link::Gateway.kind())
}

/// Whether a reference is to a Service: what one of a rule means where it says nothing else.
/// <https://gateway-api.sigs.k8s.io/reference/spec/#backendref>
fn is_service(reference: &Reference) -> bool {
    let group = reference.group.text();
    let kind = reference.kind.0.as_deref().unwrap_or(Link::Service.kind());
    (group, kind) == (Link::Service.group(), Link::Service.kind())
}

/// Whether a status tells of this very reference. Its namespace may be filled in there.
fn are_same(asked: &Reference, told: &Reference, own_namespace: &str) -> bool {
    let namespace = |it: &Reference| it.namespace.0.clone().unwrap_or(own_namespace.to_owned());
    is_gateway(told)
        && asked.name.0 == told.name.0
        && namespace(asked) == namespace(told)
        && asked.section_name.0 == told.section_name.0
        && asked.port.0 == told.port.0
}

fn says(parent: &RouteParent, kind: &str, status: &str, reason: Option<&str>) -> bool {
    each(&parent.conditions).any(|condition| {
        let is_it = (condition.kind.text(), condition.status.text()) == (kind, status);
        is_it && reason.is_none_or(|reason| condition.reason.text() == reason)
    })
}

#[cfg(test)]
mod tests;
