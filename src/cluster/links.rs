//! The mirrors of what leads traffic to pods. None of them is there unless somebody asks for a way
//! from outside.

mod leading;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::exposure::links::{Gateway, Ingress, Link, Route, Service};
use crate::model::facts::Facts;

use super::coverage::Seen;
use super::followed::Followed;
use super::index::Kept;
use super::keep::Shared;
use super::mirror::Mirror;
use super::place::Place;
use super::tasks::Tasks;
use super::wake::Wake;
use super::{MirrorHealth, handle};

use leading::{Leading, Leads};

/// The mirrors of every such kind.
#[derive(Clone, Debug, Default)]
pub(super) struct LinkMirrors {
    services: Vec<Arc<Mirror<Leading<Service>>>>,
    ingresses: Vec<Arc<Mirror<Leading<Ingress>>>>,
    /// Of the Gateway API, which is not there always.
    gateways: Vec<Arc<Followed<Leading<Gateway>>>>,
    routes: Vec<Arc<Followed<Leading<Route>>>>,
}

impl LinkMirrors {
    /// Starts to watch each kind in its places.
    pub(super) fn start(
        kinds: BTreeMap<Link, Vec<Place>>,
        shared: &Arc<Shared>,
        wake: &Wake,
        tasks: &mut Tasks,
    ) -> Self {
        let mut all = Self::default();
        for (link, places) in kinds {
            match link {
                Link::Service => {
                    let mirrors = mirrors(link, places, shared, wake);
                    all.services.extend(mirrors.map(|it| tasks.start(it)));
                }
                Link::Ingress => {
                    let mirrors = mirrors(link, places, shared, wake);
                    all.ingresses.extend(mirrors.map(|it| tasks.start(it)));
                }
                Link::Gateway => {
                    let mirrors = mirrors(link, places, shared, wake).collect();
                    let followed = Followed::new(&link.into(), mirrors, wake);
                    all.gateways.push(tasks.follow(followed));
                }
                Link::HttpRoute
                | Link::GrpcRoute
                | Link::TlsRoute
                | Link::TcpRoute
                | Link::UdpRoute => {
                    let mirrors = mirrors(link, places, shared, wake).collect();
                    let followed = Followed::new(&link.into(), mirrors, wake);
                    all.routes.push(tasks.follow(followed));
                }
            }
        }
        all
    }

    /// Adds what is known to `facts`.
    pub(super) fn tell(&self, facts: &mut Facts) {
        let mut seen: BTreeMap<Link, Seen> = BTreeMap::new();
        let services = self.services.iter().map(|it| &**it);
        let ingresses = self.ingresses.iter().map(|it| &**it);
        let gateways = self.gateways.iter().flat_map(|it| it.mirrors());
        let routes = self.routes.iter().flat_map(|it| it.mirrors());
        facts.links.services = shown(services, &mut seen);
        facts.links.ingresses = shown(ingresses, &mut seen);
        facts.links.gateways = shown(gateways, &mut seen);
        facts.links.routes = shown(routes, &mut seen);
        let seen = seen.into_iter().map(|(link, seen)| (link, seen.view()));
        facts.coverage.links = seen.collect();
    }

    /// How each mirror is.
    pub(super) fn health(&self) -> Vec<MirrorHealth> {
        let services = self.services.iter().map(|it| health_of(it));
        let ingresses = self.ingresses.iter().map(|it| health_of(it));
        let gateways = self.gateways.iter().flat_map(|it| it.health());
        let routes = self.routes.iter().flat_map(|it| it.health());
        let all = services.chain(ingresses).chain(gateways).chain(routes);
        all.collect()
    }
}

/// How the mirror of a kind is that every API server has.
fn health_of<T: Leads>(mirror: &Mirror<Leading<T>>) -> MirrorHealth {
    let given_up = mirror.state().health.is_denied();
    MirrorHealth {
        given_up,
        ..handle::health_of(mirror)
    }
}

/// One for each place.
fn mirrors<T: Leads>(
    link: Link,
    places: Vec<Place>,
    shared: &Arc<Shared>,
    wake: &Wake,
) -> impl Iterator<Item = Mirror<Leading<T>>> {
    let one = move |place| {
        let keep = Leading::new(link, Arc::clone(shared));
        Mirror::new(place, keep, wake.clone())
    };
    places.into_iter().map(one)
}

/// What these mirrors show, and where it is whole.
fn shown<'a, T: Leads>(
    mirrors: impl Iterator<Item = &'a Mirror<Leading<T>>>,
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
