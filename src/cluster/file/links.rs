//! What leads traffic to pods, as a file has it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::cluster::convert::Converter;
use crate::model::exposure::links::{Gateway, Ingress, Link, Links, Route, Service};
use crate::model::facts::View;
use crate::model::workload::Kind;

use super::slim;

/// Namespace and name.
type Key = (Arc<str>, Arc<str>);

/// What was read so far. An object that is there twice counts as it is there last.
#[derive(Default)]
pub(super) struct ReadLinks {
    wanted: Vec<Link>,
    services: BTreeMap<Key, Arc<Service>>,
    ingresses: BTreeMap<Key, Arc<Ingress>>,
    gateways: BTreeMap<Key, Arc<Gateway>>,
    routes: BTreeMap<(Link, Key), Arc<Route>>,
}

impl ReadLinks {
    /// Nothing yet, of these kinds.
    pub(super) fn new(wanted: Vec<Link>) -> Self {
        Self {
            wanted,
            ..Self::default()
        }
    }

    /// The link of that kind, if it is looked at.
    pub(super) fn wanted(&self, kind: &Kind) -> Option<Link> {
        Link::of(kind).filter(|link| self.wanted.contains(link))
    }

    /// Reads an object; `None` inside if it lacks what every object has.
    pub(super) fn read(
        &mut self,
        converter: &Converter,
        link: Link,
        value: Value,
        looks_at: impl Fn(&Arc<str>) -> bool,
    ) -> Result<Option<()>, String> {
        macro_rules! keep {
            ($read:ident($($link:ident)?) in $map:ident) => {{
                let Some(object) = converter.$read($($link,)? &slim(value)?) else {
                    return Ok(None);
                };
                let key = (Arc::clone(&object.namespace), Arc::clone(&object.name));
                if looks_at(&object.namespace) {
                    $(let key = ($link, key);)?
                    self.$map.insert(key, Arc::new(object));
                }
            }};
        }
        match link {
            Link::Service => keep!(service() in services),
            Link::Ingress => keep!(ingress() in ingresses),
            Link::Gateway => keep!(gateway() in gateways),
            Link::HttpRoute
            | Link::GrpcRoute
            | Link::TlsRoute
            | Link::TcpRoute
            | Link::UdpRoute => keep!(route(link) in routes),
        }
        Ok(Some(()))
    }

    /// All of it, with what `view` says of each kind.
    pub(super) fn told(self, view: impl Fn(Link) -> View) -> (Links, BTreeMap<Link, View>) {
        let seen = self.wanted.iter().map(|link| (*link, view(*link)));
        let seen = seen.collect();
        let links = Links {
            services: self.services.into_values().collect(),
            ingresses: self.ingresses.into_values().collect(),
            gateways: self.gateways.into_values().collect(),
            routes: self.routes.into_values().collect(),
        };
        (links, seen)
    }
}
