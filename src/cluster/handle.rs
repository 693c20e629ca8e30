//! The health of all mirrors at one moment, and a handle to ask for it from elsewhere. A handle keeps
//! no watch going and changes nothing.

use std::sync::Arc;

use super::health::MirrorState;
use super::keep::{Keep, Owners, Pods};
use super::links::LinkMirrors;
use super::mirror::Mirror;
use super::others::{Others, is_other};
use super::{Cluster, KnownNamespaces, MirrorHealth};

/// How the mirrors of a cluster are, for whoever shows it while somebody else owns the cluster.
/// Clones share everything.
#[derive(Clone, Debug)]
pub struct HealthHandle {
    pods: Vec<Arc<Mirror<Pods>>>,
    owners: Vec<Arc<Mirror<Owners>>>,
    others: Arc<Others>,
    links: LinkMirrors,
    namespaces: KnownNamespaces,
}

impl HealthHandle {
    /// How each mirror is: pods first, then owners by kind, built-in ones before others, then what leads
    /// traffic to pods, then namespaces. Locks one mirror after
    /// the other, each for a moment only.
    pub fn health(&self) -> Vec<MirrorHealth> {
        let mut health: Vec<MirrorHealth> =
            self.pods.iter().map(|mirror| health_of(mirror)).collect();
        health.extend(self.owners.iter().map(|mirror| health_of(mirror)));
        for other in self.others.all() {
            for mirror in other.mirrors() {
                let given_up = other.is_given_up(&mirror.state());
                health.push(MirrorHealth {
                    given_up,
                    ..health_of(mirror)
                });
            }
        }
        health.extend(self.links.health());
        match &self.namespaces {
            KnownNamespaces::Watched(mirror) => health.push(health_of(mirror)),
            KnownNamespaces::Exact(exact) => health.extend(exact.health()),
        }
        health
    }
}

impl Cluster {
    /// A handle to the health of the mirrors, for others to keep.
    pub fn health_handle(&self) -> HealthHandle {
        HealthHandle {
            pods: self.pods.clone(),
            owners: self.owners.clone(),
            others: Arc::clone(&self.others),
            links: self.links.clone(),
            namespaces: self.namespaces.clone(),
        }
    }
}

impl MirrorHealth {
    /// Whether there is nothing left to wait for when a process starts: the mirror has shown
    /// everything once, or the API server forbids it to, or it is given up.
    pub fn has_settled(&self) -> bool {
        self.was_synced || self.state == MirrorState::Forbidden || self.given_up
    }

    /// Whether it shows everything, or is known not to be allowed to, at this moment.
    pub(super) fn has_answered(&self) -> bool {
        matches!(self.state, MirrorState::Synced | MirrorState::Forbidden)
    }

    /// Whether nothing is known of its kind, and what is recorded without it is known: it is no owner that
    /// is built in, and the API server forbids to read it, or it is given up.
    pub fn is_done_without(&self) -> bool {
        is_other(&self.kind) && (self.state == MirrorState::Forbidden || self.given_up)
    }
}

/// How a mirror is.
pub(super) fn health_of<K: Keep>(mirror: &Mirror<K>) -> MirrorHealth {
    let state = mirror.state();
    MirrorHealth {
        kind: mirror.place.kind.clone(),
        namespace: mirror.place.namespace.clone(),
        state: state.shown(),
        since: state.health.state().1,
        was_synced: state.health.was_synced(),
        error: state.error(),
        objects: state.index.len(),
        given_up: false,
    }
}
