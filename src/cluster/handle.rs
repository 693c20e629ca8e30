//! What the mirrors show at one moment and how they are, and a handle to ask for it from elsewhere. A
//! handle keeps no watch going and changes nothing.

use std::sync::Arc;

use super::coverage::Seen;
use super::health::MirrorState;
use super::keep::{Keep, Owners, Pods, Shared};
use super::links::LinkMirrors;
use super::mirror::Mirror;
use super::others::Others;
use super::{Cluster, KnownNamespaces, MirrorHealth, namespace_kind};
use crate::model::facts::Facts;
use crate::model::workload::Kind;

/// The mirrors of a cluster, for whoever shows them while somebody else owns the cluster.
/// Clones share everything.
#[derive(Clone, Debug)]
pub struct HealthHandle {
    pods: Vec<Arc<Mirror<Pods>>>,
    owners: Vec<Arc<Mirror<Owners>>>,
    others: Arc<Others>,
    links: LinkMirrors,
    namespaces: KnownNamespaces,
    shared: Arc<Shared>,
}

impl HealthHandle {
    /// How each mirror is: pods first, then owners by kind, built-in ones before others, then what leads
    /// traffic to pods, then namespaces. Locks one mirror after
    /// the other, each for a moment only.
    pub fn health(&self) -> Vec<MirrorHealth> {
        let mut health: Vec<MirrorHealth> =
            self.pods.iter().map(|mirror| health_of(mirror)).collect();
        health.extend(self.owners.iter().map(|mirror| health_of(mirror)));
        health.extend(self.others.health());
        health.extend(self.links.health());
        if self.others.believes_at_first_word() {
            for mirror in &mut health {
                mirror.given_up |=
                    is_optional(&mirror.kind) && mirror.state == MirrorState::Forbidden;
            }
        }
        match &self.namespaces {
            KnownNamespaces::Watched(mirror) => health.push(health_of(mirror)),
            KnownNamespaces::Exact(exact) => health.extend(exact.health()),
        }
        health
    }

    /// What is known now of one namespace: its pods and owners and itself. What is fully seen is told
    /// as it is, of other namespaces too.
    pub fn facts_in(&self, namespace: &str) -> Facts {
        self.facts(Some(namespace))
    }

    /// What is known now, of that namespace or of all.
    pub(super) fn facts(&self, only: Option<&str>) -> Facts {
        let is_in = |namespace: &str| only.is_none_or(|only| namespace == only);
        let mut facts = Facts::default();
        let mut seen = Seen::default();
        for mirror in &self.pods {
            let state = mirror.state();
            seen.add(&mirror.place, state.shown());
            let pods = state.index.iter().map(|kept| &kept.pod);
            let pods = pods.filter(|pod| is_in(&pod.namespace));
            facts.pods.extend(pods.map(Arc::clone));
        }
        facts.coverage.pods = seen.view();
        for mirrors in self
            .owners
            .chunk_by(|one, next| one.place.kind == next.place.kind)
        {
            let mut seen = Seen::default();
            for mirror in mirrors {
                let state = mirror.state();
                seen.add(&mirror.place, state.shown());
                let objects = state.index.iter();
                facts
                    .objects
                    .extend(objects.filter(|it| is_in(&it.namespace)).cloned());
            }
            let kind = mirrors.first().map(|mirror| mirror.place.kind.clone());
            facts
                .coverage
                .kinds
                .extend(kind.map(|kind| (kind, seen.view())));
        }
        self.others.add_to(&mut facts);
        // An owner may stand in no namespace, although its pods do.
        facts
            .objects
            .retain(|it| it.namespace.is_empty() || is_in(&it.namespace));
        match &self.namespaces {
            KnownNamespaces::Exact(exact) => {
                // Behind the pods: one that is among them is seen here too.
                let inhabited = inhabited(&self.pods).chain(inhabited(&self.owners));
                (facts.namespaces, facts.coverage.namespaces) = exact.facts(&inhabited.collect());
            }
            KnownNamespaces::Watched(mirror) => {
                let state = mirror.state();
                let mut seen = Seen::default();
                seen.add(&mirror.place, state.shown());
                facts.coverage.namespaces = seen.view();
                facts.namespaces.extend(state.index.iter().cloned());
            }
        }
        facts.namespaces.retain(|namespace| is_in(&namespace.name));
        // Wherever it stands: traffic comes across namespaces.
        self.links.tell(&mut facts);
        facts.remembered = self.shared.remembered().of(&facts.objects, &facts.pods);
        facts
    }
}

impl Cluster {
    /// A handle to the mirrors, for others to keep.
    pub fn health_handle(&self) -> HealthHandle {
        HealthHandle {
            pods: self.pods.clone(),
            owners: self.owners.clone(),
            others: Arc::clone(&self.others),
            links: self.links.clone(),
            namespaces: self.namespaces.clone(),
            shared: Arc::clone(&self.shared),
        }
    }
}

impl MirrorHealth {
    /// Whether there is nothing left to wait for when a process starts: the mirror has shown
    /// everything once, or the API server forbids it to, believed or not, or it is given up.
    pub fn has_settled(&self) -> bool {
        self.was_synced || self.state == MirrorState::Forbidden || self.given_up
    }

    /// Whether it shows everything, or is known not to be allowed to, at this moment.
    pub(super) fn has_answered(&self) -> bool {
        matches!(self.state, MirrorState::Synced | MirrorState::Forbidden)
    }

    /// Whether it shows everything, or a start need not wait until it does: the pods of an owner that is
    /// not built in are withheld until it is known whether that may be read, and everything else goes on.
    pub(super) fn lets_begin(&self) -> bool {
        let may_not = is_optional(&self.kind) && self.state == MirrorState::Forbidden;
        self.state == MirrorState::Synced || may_not || self.is_done_without()
    }

    /// Whether nothing is known of its kind, and what is recorded without it is known: it is an owner that
    /// is not built in, or leads traffic to pods, and it is given up.
    pub fn is_done_without(&self) -> bool {
        is_optional(&self.kind) && self.given_up
    }
}

/// Whether it is known what to record where objects of `kind` cannot be read: it is an owner that is not
/// built in, of which a gap is told, or it leads traffic to pods. Without pods, owners that are built in
/// and namespaces nothing is known.
fn is_optional(kind: &Kind) -> bool {
    !kind.is_built_in() && *kind != namespace_kind()
}

/// The namespaces in which these show something: where namespaces are looked at one by one, each has mirrors of
/// its own.
fn inhabited<K: Keep>(mirrors: &[Arc<Mirror<K>>]) -> impl Iterator<Item = Arc<str>> {
    mirrors.iter().filter_map(|mirror| {
        let state = mirror.state();
        let shows = state.shown() == MirrorState::Synced && state.index.len() > 0;
        mirror.place.namespace.clone().filter(|_| shows)
    })
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
