//! Routes: from Gateways to Services. A route counts for a Gateway that has accepted it; one that is
//! attached to a Service (a mesh) leads nothing in.

use std::collections::HashMap;
use std::sync::Arc;

use super::links::{Gateway, Link, Links, Parent, Route};
use super::{Closed, Door, DoorState, Exposure, Named, Unread, closed_if, internal, service_named};

/// Gateways by namespace and name.
type Gateways<'a> = HashMap<(&'a str, &'a str), &'a Gateway>;

impl Exposure {
    /// Adds the doors that Gateways are to Services, by namespace and name of these.
    pub(super) fn doors_of_routes(
        &self,
        links: &Links,
        doors: &mut HashMap<(Arc<str>, Arc<str>), Vec<Door>>,
    ) {
        let gateways = links.gateways.iter();
        let gateways: Gateways<'_> = gateways
            .map(|gateway| ((&*gateway.namespace, &*gateway.name), &**gateway))
            .collect();
        for route in &links.routes {
            for parent in &route.parents {
                let state = self.through_parent(route, parent, &gateways);
                for backend in &route.backends {
                    let (namespace, name) = backend;
                    let elsewhere = *namespace != route.namespace;
                    let state = match &state {
                        DoorState::Open if elsewhere && parent.not_permitted => {
                            DoorState::Closed(Closed::NotPermitted)
                        }
                        DoorState::Open => self
                            .unseen(Link::Service, namespace)
                            .map_or(DoorState::Open, DoorState::Unread),
                        other @ (DoorState::Closed(_) | DoorState::Unread(_)) => other.clone(),
                    };
                    doors.entry(backend.clone()).or_default().push(Door {
                        object: gateway_named(parent),
                        through: vec![route.named(), service_named(namespace, name)],
                        state,
                    });
                }
            }
        }
    }

    /// Whether traffic comes through this Gateway to the route. One in a namespace that nobody looks
    /// at may be anything.
    fn through_parent(&self, route: &Route, parent: &Parent, gateways: &Gateways<'_>) -> DoorState {
        let unseen: Option<Unread> = self
            .unseen(route.link, &route.namespace)
            .or_else(|| self.unseen(Link::Gateway, &parent.namespace));
        match gateways.get(&(&*parent.namespace, &*parent.name)) {
            _ if unseen.is_some() => unseen.map_or(DoorState::Open, DoorState::Unread),
            None => DoorState::Closed(Closed::Missing),
            Some(_) if !parent.accepted => DoorState::Closed(Closed::NotAccepted),
            Some(gateway) => closed_if(internal::of_gateway(gateway)),
        }
    }
}

fn gateway_named(parent: &Parent) -> Named {
    Named {
        link: Link::Gateway,
        namespace: parent.namespace.clone(),
        name: parent.name.clone(),
    }
}
