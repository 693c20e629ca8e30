//! Conversion: from slim types to the core's facts. The one place that knows what a field of
//! Kubernetes means here; live watches and files both come through it.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::facts::{Annotations, Container, Namespace, Object, OwnerRef, Pod, State};
use crate::model::image::{Digest, running_digest};
use crate::model::workload::Kind;

use super::intern::Interner;
use super::scope::Scope;
use super::slim::{
    ContainerSpec, ContainerStatus, Meta, PodSpec, PodStatus, SlimMeta, SlimPod, SoftList,
};

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

/// The digest that the status of a container named. A restart of the container runtime can turn a
/// good image ID of a container that runs on into a bare one; the digest stays true as long as the
/// container is the same.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// A hash of the `containerID`.
    container: u64,
    digest: Digest,
}

/// The containers of a pod, and what was seen of each.
type Containers = (Box<[Container]>, Box<[Option<Seen>]>);

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
        self.interner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .intern(text)
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
            containers,
        };
        let pod = match before {
            Some(before) if *before.pod == pod => Arc::clone(&before.pod),
            _ => Arc::new(pod),
        };
        Some(KeptPod { pod, seen })
    }

    /// An owner; `None` if it has no name.
    pub(super) fn object(&self, kind: &Kind, slim: &SlimMeta) -> Option<Object> {
        Some(Object {
            kind: kind.clone(),
            namespace: self.intern(slim.meta.namespace.0.as_deref()?),
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
            annotations: self.annotations(&slim.meta),
        })
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
        ours.map(|(key, value)| (self.intern(key), self.intern(value)))
            .collect()
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

    /// The ordinary containers and the native sidecars: init containers that restart always. Other
    /// init containers and ephemeral ones do not count.
    /// <https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/>
    fn containers(
        &self,
        spec: &PodSpec,
        status: &PodStatus,
        before: Option<&KeptPod>,
    ) -> Option<Containers> {
        let ordinary = spec.containers.0.as_ref().filter(|list| !list.is_empty())?;
        let ordinary = ordinary
            .iter()
            .map(|spec| (spec, &status.container_statuses));
        let init = spec.init_containers.0.iter().flatten();
        let init = init.map(|spec| (spec, &status.init_container_statuses));
        let is_sidecar = |spec: &ContainerSpec| spec.restart_policy.text() == "Always";
        let mut containers = Vec::new();
        let mut seen = Vec::new();
        for (is_init, (spec, statuses)) in ordinary
            .map(|entry| (false, entry))
            .chain(init.map(|entry| (true, entry)))
        {
            let spec = spec.0.as_ref()?;
            let name = spec.name.0.as_deref()?;
            if is_init && !is_sidecar(spec) {
                continue;
            }
            let earlier = before.and_then(|before| before.seen_of(name));
            let status = status_of(name, statuses);
            let (digest, now) = digest(spec.image.text(), status, earlier);
            containers.push(Container {
                name: self.intern(name),
                image: self.intern(spec.image.text()),
                state: status.map_or(State::NeverRan, state),
                digest,
            });
            seen.push(now);
        }
        Some((containers.into(), seen.into()))
    }
}

impl KeptPod {
    fn seen_of(&self, container: &str) -> Option<Seen> {
        let mut pairs = self.pod.containers.iter().zip(&self.seen);
        pairs
            .find(|(known, _)| *known.name == *container)
            .and_then(|(_, seen)| *seen)
    }
}

/// The digest that a container runs, and what to remember of it.
fn digest(
    image: &str,
    status: Option<&ContainerStatus>,
    earlier: Option<Seen>,
) -> (Option<Digest>, Option<Seen>) {
    let image_id = status.map_or("", |status| status.image_id.text());
    let container = status.map_or("", |status| status.container_id.text());
    let named = running_digest(image, image_id);
    if container.is_empty() {
        return (named, earlier);
    }
    let container = hash(container);
    match named {
        Some(digest) => (named, Some(Seen { container, digest })),
        None => match earlier.filter(|earlier| earlier.container == container) {
            Some(same) => (Some(same.digest), earlier),
            None => (None, earlier),
        },
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

fn status_of<'a>(
    container: &str,
    statuses: &'a SoftList<ContainerStatus>,
) -> Option<&'a ContainerStatus> {
    let mut statuses = statuses
        .0
        .iter()
        .flatten()
        .filter_map(|status| status.0.as_ref());
    statuses.find(|status| status.name.text() == container)
}

fn state(status: &ContainerStatus) -> State {
    let now = status.state.0.as_ref();
    let last = status.last_state.0.as_ref();
    if now.is_some_and(|state| state.running.0.is_some()) {
        State::Running
    } else if [now, last]
        .into_iter()
        .flatten()
        .any(|state| state.terminated.0.is_some())
        || status.restart_count.0.is_some_and(|count| count > 0)
    {
        State::Ran
    } else {
        State::NeverRan
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
