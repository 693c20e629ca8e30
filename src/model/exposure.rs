//! Exposure: whether traffic from outside the cluster reaches the pods of a workload, through which
//! object, or whether nobody can say because something on the way is not fully seen. Which objects
//! are internal is decided in [`internal`]; nothing in here knows of records.

use std::collections::HashMap;
use std::sync::Arc;

use super::facts::{Coverage, Facts};
use super::text_map::TextMap;

mod addresses;
mod door;
pub mod internal;
pub mod links;
mod routes;
mod selectors;

pub use door::{Closed, Door, DoorState, Named, Unread};

use links::{Link, Links, Service, Sort};
use selectors::Selectors;

/// A word of `--infer-risks`: a way by which traffic from outside comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// `loadbalancer`: a Service of type LoadBalancer.
    LoadBalancer,
    /// `ingress`: an Ingress.
    Ingress,
    /// `gateway`: a Gateway, by the routes that are attached to it.
    Gateway,
    /// `nodeport`: a Service of type NodePort.
    NodePort,
}

impl Way {
    /// Every word.
    pub const ALL: [Self; 4] = [
        Self::LoadBalancer,
        Self::Ingress,
        Self::Gateway,
        Self::NodePort,
    ];

    /// The word as typed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LoadBalancer => "loadbalancer",
            Self::Ingress => "ingress",
            Self::Gateway => "gateway",
            Self::NodePort => "nodeport",
        }
    }

    /// The way of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.as_str() == word)
    }

    /// The kinds of objects that are followed for it.
    pub fn links(self) -> &'static [Link] {
        match self {
            Self::LoadBalancer | Self::NodePort => &[Link::Service],
            Self::Ingress => &[Link::Service, Link::Ingress],
            Self::Gateway => &[
                Link::Service,
                Link::Gateway,
                Link::HttpRoute,
                Link::GrpcRoute,
                Link::TlsRoute,
                Link::TcpRoute,
                Link::UdpRoute,
            ],
        }
    }
}

/// Whether traffic from outside reaches a workload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Exposed {
    /// It does.
    Yes,
    /// It does not by any of the ways that are looked at.
    #[default]
    No,
    /// Nothing that is seen lets it in, and this is not fully seen.
    Unknown(Unread),
}

/// What is known of the ways in. Made once for all workloads.
#[derive(Debug)]
pub struct Exposure {
    ways: Vec<Way>,
    /// The Services with a door, by their namespaces.
    reached: HashMap<Arc<str>, Selectors>,
    coverage: Coverage,
    /// What of the routes is not seen anywhere where it is looked for, which may lead to any namespace.
    unseen_routes: Option<Unread>,
}

impl Exposure {
    /// What `facts` say of these ways; `one_by_one`: the namespaces that are looked at one by one.
    pub fn new(facts: &Facts, ways: &[Way], one_by_one: Option<&[Arc<str>]>) -> Self {
        let mut exposure = Self {
            ways: ways.to_vec(),
            reached: HashMap::new(),
            coverage: Coverage {
                links: facts.coverage.links.clone(),
                ..Coverage::default()
            },
            unseen_routes: None,
        };
        let whole = |link: Link| {
            let view = facts.coverage.links.get(&link);
            view.is_some_and(|view| view.is_whole(one_by_one))
        };
        if ways.contains(&Way::Gateway) {
            let mut unseen = Link::ROUTES.into_iter().filter(|link| !whole(*link));
            exposure.unseen_routes = unseen.next().map(|link| Unread {
                link,
                namespace: None,
            });
        }
        let mut doors = exposure.doors_behind_services(&facts.links);
        let mut reached: HashMap<Arc<str>, Vec<(TextMap, Vec<Door>)>> = HashMap::new();
        for service in &facts.links.services {
            let key = (service.namespace.clone(), service.name.clone());
            let mut doors = doors.remove(&key).unwrap_or_default();
            doors.extend(exposure.own_door(service));
            // Nobody but an EndpointSlice says where a Service without a selector leads.
            if !doors.is_empty() && !service.selector.is_empty() {
                let namespace = service.namespace.clone();
                let selected = (service.selector.clone(), doors);
                reached.entry(namespace).or_default().push(selected);
            }
        }
        let reached = reached.into_iter();
        exposure.reached = reached
            .map(|(namespace, services)| (namespace, Selectors::new(services)))
            .collect();
        exposure
    }

    /// Whether pods with one of these sets of labels are reached.
    pub fn of<'a>(
        &self,
        namespace: &Arc<str>,
        labels: impl Iterator<Item = &'a TextMap>,
    ) -> Exposed {
        let mut unread = None;
        for door in self.doors_to(namespace, labels) {
            match &door.state {
                DoorState::Open => return Exposed::Yes,
                DoorState::Unread(it) => unread = Some(it.clone()),
                DoorState::Closed(_) => {}
            }
        }
        let unread = unread.or_else(|| self.unread(namespace).into_iter().next());
        unread.map_or(Exposed::No, Exposed::Unknown)
    }

    /// Every door to pods with one of these sets of labels, each once and in a fixed order: what
    /// lets traffic in, what does not count and why, and what cannot be told.
    pub fn doors<'a>(
        &self,
        namespace: &Arc<str>,
        labels: impl Iterator<Item = &'a TextMap>,
    ) -> Vec<&Door> {
        let mut doors: Vec<&Door> = self.doors_to(namespace, labels).collect();
        doors.sort();
        doors.dedup();
        doors
    }

    fn doors_to<'a>(
        &self,
        namespace: &Arc<str>,
        labels: impl Iterator<Item = &'a TextMap>,
    ) -> impl Iterator<Item = &Door> {
        let selectors = self.reached.get(namespace);
        let found = selectors.map(|selectors| labels.flat_map(|labels| selectors.matching(labels)));
        found.into_iter().flatten().flatten()
    }

    /// What is not fully seen, so that more could lead to pods of this namespace than is known.
    pub fn unread(&self, namespace: &Arc<str>) -> Vec<Unread> {
        let mut unread: Vec<Unread> = Vec::new();
        for way in &self.ways {
            let local = way.links().iter().filter(|link| link.leads_nowhere_else());
            unread.extend(local.filter_map(|link| self.unseen(*link, namespace)));
        }
        unread.extend(self.unseen_routes.clone());
        unread.sort();
        unread.dedup();
        unread
    }

    /// Says so if this kind is not fully seen in `namespace`.
    fn unseen(&self, link: Link, namespace: &Arc<str>) -> Option<Unread> {
        let is_seen = self.coverage.covers_link(link, namespace);
        (!is_seen).then(|| Unread {
            link,
            namespace: Some(namespace.clone()),
        })
    }

    /// The door that a Service is by its own type.
    fn own_door(&self, service: &Service) -> Option<Door> {
        let state = match service.sort {
            Sort::LoadBalancer if self.ways.contains(&Way::LoadBalancer) => {
                closed_if(internal::of_service(service))
            }
            Sort::NodePort if self.ways.contains(&Way::NodePort) => DoorState::Open,
            Sort::LoadBalancer | Sort::NodePort | Sort::Other => return None,
        };
        let unseen = self.unseen(Link::Service, &service.namespace);
        Some(Door {
            object: service.named(),
            through: Vec::new(),
            state: unseen.map_or(state, DoorState::Unread),
        })
    }

    /// The doors that lead to Services, by namespace and name of these.
    fn doors_behind_services(&self, links: &Links) -> HashMap<(Arc<str>, Arc<str>), Vec<Door>> {
        let mut doors: HashMap<_, Vec<Door>> = HashMap::new();
        let follows = |way: &Way| self.ways.contains(way);
        for ingress in links.ingresses.iter().filter(|_| follows(&Way::Ingress)) {
            let state = closed_if(internal::of_ingress(ingress));
            let seen = [Link::Ingress, Link::Service];
            let mut unseen = seen.map(|link| self.unseen(link, &ingress.namespace));
            let unseen = unseen.iter_mut().find_map(Option::take);
            let state = unseen.map_or(state, DoorState::Unread);
            for name in &ingress.backends {
                let key = (ingress.namespace.clone(), name.clone());
                doors.entry(key).or_default().push(Door {
                    object: ingress.named(),
                    through: vec![service_named(&ingress.namespace, name)],
                    state: state.clone(),
                });
            }
        }
        if follows(&Way::Gateway) {
            self.doors_of_routes(links, &mut doors);
        }
        doors
    }
}

fn closed_if(internal: Option<internal::Internal>) -> DoorState {
    internal.map_or(DoorState::Open, |why| {
        DoorState::Closed(Closed::Internal(why))
    })
}

fn service_named(namespace: &Arc<str>, name: &Arc<str>) -> Named {
    Named {
        link: Link::Service,
        namespace: namespace.clone(),
        name: name.clone(),
    }
}

#[cfg(test)]
mod tests;
