//! Conversion: from slim types to the core's facts. The one place that knows what a field of
//! Kubernetes means here; live watches and files both come through it.

mod containers;
mod links;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::facts::{Annotations, Namespace, Object, OwnerRef, Pod, Pull};
use crate::model::text_map::TextMap;
use crate::model::workload::Kind;

use super::intern::Interner;
use super::scope::Scope;
use super::slim::{Meta, PodSpec, PodStatus, SlimMeta, SlimPod};

use containers::Seen;

/// Converts the objects of one cluster.
#[derive(Debug)]
pub(super) struct Converter {
    scope: Scope,
    interner: Mutex<Interner>,
}

/// A pod, with what was seen of its containers earlier.
#[derive(Clone, Debug)]
pub(super) struct KeptPod {
    /// The pod as the core sees it.
    pub(super) pod: Arc<Pod>,
    /// For each of its containers, in their order.
    seen: Box<[Option<Seen>]>,
}

impl Converter {
    /// A converter for what is looked at.
    pub(super) fn new(scope: Scope) -> Self {
        Self {
            scope,
            interner: Mutex::default(),
        }
    }

    /// What is looked at.
    pub(super) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The one copy of `text`.
    pub(super) fn intern(&self, text: &str) -> Arc<str> {
        self.interner().intern(text)
    }

    fn interner(&self) -> MutexGuard<'_, Interner> {
        self.interner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A pod; `before` is what was kept of it. `None` if it has no name or no readable containers:
    /// a valid pod has both.
    pub(super) fn pod(&self, slim: &SlimPod, before: Option<&KeptPod>) -> Option<KeptPod> {
        let name = slim.meta.name.0.as_deref()?;
        let uid = slim.meta.uid.0.as_deref()?;
        let before = before.filter(|before| *before.pod.uid == *uid);
        let (containers, seen) = self.containers(&slim.spec, &slim.status, before)?;
        let pod = Pod {
            namespace: self.intern(slim.meta.namespace.0.as_deref()?),
            name: before.map_or_else(|| name.into(), |before| Arc::clone(&before.pod.name)),
            uid: before.map_or_else(|| uid.into(), |before| Arc::clone(&before.pod.uid)),
            created: seconds(slim.meta.creation_timestamp.text()),
            deleting: slim.meta.deletion_timestamp.0.is_some(),
            finished: matches!(slim.status.phase.text(), "Succeeded" | "Failed"),
            ready: is_ready(&slim.status),
            restarts_always: matches!(slim.spec.restart_policy.text(), "" | "Always"),
            controller: self.controller(&slim.meta),
            selected: self.selects(&slim.meta),
            annotations: self.annotations(&slim.meta),
            labels: self.labels(&slim.meta),
            containers,
            pull: self.scope.pull_secrets.then(|| self.pull(&slim.spec)),
        };
        let pod = match before {
            Some(before) if *before.pod == pod => Arc::clone(&before.pod),
            _ => Arc::new(pod),
        };
        Some(KeptPod { pod, seen })
    }

    /// An owner; `None` if it has no name. One of a kind that is not built in may be in no namespace.
    pub(super) fn object(&self, kind: &Kind, slim: &SlimMeta) -> Option<Object> {
        let none = (!kind.is_built_in()).then_some("");
        Some(Object {
            kind: kind.clone(),
            namespace: self.intern(slim.meta.namespace.0.as_deref().or(none)?),
            name: self.intern(slim.meta.name.0.as_deref()?),
            uid: self.intern(slim.meta.uid.0.as_deref()?),
            controller: self.controller(&slim.meta),
            selected: self.selects(&slim.meta),
            annotations: self.annotations(&slim.meta),
        })
    }

    /// A namespace; `None` if it has no name.
    pub(super) fn namespace(&self, slim: &SlimMeta) -> Option<Namespace> {
        let none = BTreeMap::new();
        let labels = slim
            .meta
            .labels
            .0
            .as_ref()
            .map_or(&none, |labels| &labels.0);
        let label = |name: &Option<String>| {
            let value = labels
                .get(name.as_deref()?)
                .filter(|value| !value.is_empty())?;
            Some(self.intern(value))
        };
        Some(Namespace {
            name: self.intern(slim.meta.name.0.as_deref()?),
            selected: self.scope.selects_namespace(labels),
            logical_environment: label(&self.scope.logical_environment_label),
            physical_environment: label(&self.scope.physical_environment_label),
            organization: label(&self.scope.organization_label),
            annotations: self.annotations(&slim.meta),
        })
    }

    fn pull(&self, spec: &PodSpec) -> Arc<Pull> {
        let named = spec.image_pull_secrets.0.iter().flatten();
        let named = named.filter_map(|secret| secret.0.as_ref()?.name.0.as_deref());
        let pull = Pull {
            secrets: named.map(|name| self.intern(name)).collect(),
            service_account: self.intern(spec.service_account_name.text()),
        };
        self.interner().share_pull(pull)
    }

    fn selects(&self, meta: &Meta) -> bool {
        let none = BTreeMap::new();
        self.scope
            .selects_workload(meta.labels.0.as_ref().map_or(&none, |labels| &labels.0))
    }

    fn annotations(&self, meta: &Meta) -> Annotations {
        let ours = meta
            .annotations
            .0
            .iter()
            .flat_map(|annotations| &annotations.0);
        let ours: Annotations = ours
            .map(|(key, value)| (self.intern(key), self.intern(value)))
            .collect();
        self.interner().share(ours)
    }

    /// The labels of a pod: only what traffic from outside may go by is kept.
    fn labels(&self, meta: &Meta) -> TextMap {
        let asked = !self.scope.selection.ways.is_empty();
        let labels = meta.labels.0.as_ref().filter(|_| asked);
        labels
            .map(|labels| self.texts(&labels.0))
            .unwrap_or_default()
    }

    fn controller(&self, meta: &Meta) -> Option<OwnerRef> {
        let mut owners = meta
            .owner_references
            .0
            .iter()
            .flatten()
            .filter_map(|owner| owner.0.as_ref());
        let owner = owners.find(|owner| owner.controller.0 == Some(true))?;
        let group = owner
            .api_version
            .text()
            .rsplit_once('/')
            .map_or("", |(group, _)| group);
        let mut kind = Kind::new(group, owner.kind.text());
        if let Kind::Other { group, kind } = &mut kind {
            (*group, *kind) = (self.intern(group), self.intern(kind));
        }
        Some(OwnerRef {
            kind,
            name: self.intern(owner.name.text()),
            uid: self.intern(owner.uid.text()),
        })
    }
}

fn is_ready(status: &PodStatus) -> bool {
    let conditions = status.conditions.0.iter().flatten();
    conditions
        .filter_map(|condition| condition.0.as_ref())
        .any(|condition| condition.kind.text() == "Ready" && condition.status.text() == "True")
}

/// Seconds since 1970; 0 for what is no time, which is then older than anything.
fn seconds(time: &str) -> i64 {
    time.parse::<jiff::Timestamp>()
        .map_or(0, jiff::Timestamp::as_second)
}

#[cfg(test)]
mod tests;
