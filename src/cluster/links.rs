//! The mirrors of what leads traffic to pods. None of them is there unless somebody asks for a way
//! from outside.

mod leading;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::exposure::links::{Gateway, Ingress, Link, Route, Service};
use crate::model::facts::Facts;

use super::coverage::Seen;
use super::index::Kept;
use super::keep::Shared;
use super::mirror::Mirror;
use super::place::Place;
use super::resolver::Resolver;
use super::tasks::Tasks;
use super::wake::Wake;
use super::{MirrorHealth, handle};

use leading::{Leading, Leads};

/// The mirrors of every such kind.
#[derive(Clone, Debug, Default)]
pub(super) struct LinkMirrors {
    services: Vec<Arc<Mirror<Leading<Service>>>>,
    ingresses: Vec<Arc<Mirror<Leading<Ingress>>>>,
    gateways: Vec<Arc<Mirror<Leading<Gateway>>>>,
    routes: Vec<Arc<Mirror<Leading<Route>>>>,
    /// Of the kinds that are not there always.
    resolvers: BTreeMap<Link, Arc<Resolver>>,
}

impl LinkMirrors {
    /// Starts to watch a kind in a place.
    pub(super) fn start(
        &mut self,
        link: Link,
        place: Place,
        shared: &Arc<Shared>,
        wake: &Wake,
        tasks: &mut Tasks,
    ) {
        let resolver = (!link.is_built_in()).then(|| {
            let new = || Arc::new(Resolver::new(link.into()));
            Arc::clone(self.resolvers.entry(link).or_insert_with(new))
        });
        let (shared, wake) = (Arc::clone(shared), wake.clone());
        match link {
            Link::Service => self
                .services
                .push(begin(link, place, shared, wake, resolver, tasks)),
            Link::Ingress => self
                .ingresses
                .push(begin(link, place, shared, wake, resolver, tasks)),
            Link::Gateway => self
                .gateways
                .push(begin(link, place, shared, wake, resolver, tasks)),
            Link::HttpRoute
            | Link::GrpcRoute
            | Link::TlsRoute
            | Link::TcpRoute
            | Link::UdpRoute => self
                .routes
                .push(begin(link, place, shared, wake, resolver, tasks)),
        }
    }

    /// Adds what is known to `facts`.
    pub(super) fn tell(&self, facts: &mut Facts) {
        let mut seen: BTreeMap<Link, Seen> = BTreeMap::new();
        facts.links.services = shown(&self.services, &mut seen);
        facts.links.ingresses = shown(&self.ingresses, &mut seen);
        facts.links.gateways = shown(&self.gateways, &mut seen);
        facts.links.routes = shown(&self.routes, &mut seen);
        let seen = seen.into_iter().map(|(link, seen)| (link, seen.view()));
        facts.coverage.links = seen.collect();
    }

    /// How each mirror is.
    pub(super) fn health(&self) -> Vec<MirrorHealth> {
        let services = self.services.iter().map(|mirror| handle::health_of(mirror));
        let ingresses = self.ingresses.iter().map(|it| handle::health_of(it));
        let gateways = self.gateways.iter().map(|it| handle::health_of(it));
        let routes = self.routes.iter().map(|mirror| handle::health_of(mirror));
        let all = services.chain(ingresses).chain(gateways).chain(routes);
        all.collect()
    }
}

fn begin<T: Leads>(
    link: Link,
    place: Place,
    shared: Arc<Shared>,
    wake: Wake,
    resolver: Option<Arc<Resolver>>,
    tasks: &mut Tasks,
) -> Arc<Mirror<Leading<T>>> {
    let mirror = Mirror::new(place, Leading::new(link, shared), wake);
    match resolver {
        Some(resolver) => tasks.start_resolved(mirror, resolver),
        None => tasks.start(mirror),
    }
}

/// What these mirrors show, and where it is whole.
fn shown<T: Leads>(
    mirrors: &[Arc<Mirror<Leading<T>>>],
    seen: &mut BTreeMap<Link, Seen>,
) -> Vec<Arc<T>> {
    let mut objects = Vec::new();
    for mirror in mirrors {
        let state = mirror.state();
        let seen = seen.entry(mirror.keep().link()).or_default();
        seen.add(&mirror.place, state.shown());
        let leading = state.index.iter().filter(|it| !it.is_idle());
        objects.extend(leading.cloned());
    }
    objects
}
