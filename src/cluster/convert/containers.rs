//! Containers: which of a pod count, how far each got, and the digest that it runs.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroU64;
use std::sync::Arc;

use crate::cluster::slim::{ContainerSpec, ContainerStatus, PodSpec, PodStatus, SoftList};
use crate::model::facts::{Container, State};
use crate::model::image::{Digest, ImageId, running_digest};

use super::{Converter, KeptPod};

/// The digest that the status of a container named. A restart of the container runtime can turn a
/// good image ID of a container that runs on into a bare one; digest and image stay true as long as
/// the container is the same.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// A hash of the `containerID`.
    container: NonZeroU64,
    /// `None` where it is the digest that the pod shows, as it nearly always is.
    digest: Option<Box<Digest>>,
}

/// The same, with its digest in any case.
#[derive(Clone, Copy)]
struct Earlier<'a> {
    container: NonZeroU64,
    /// As the spec wrote it when the pod was seen last.
    image: &'a Arc<str>,
    digest: Digest,
}

/// The containers of a pod, and what was seen of each.
pub(super) type Containers = (Box<[Container]>, Box<[Option<Seen>]>);

impl Converter {
    /// The ordinary containers and the native sidecars: init containers that restart always. Other
    /// init containers and ephemeral ones do not count.
    /// <https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/>
    pub(super) fn containers(
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
            let id = status.and_then(container_id);
            let same = earlier.filter(|earlier| Some(earlier.container) == id);
            // An image that is changed in place stands in the spec before the kubelet has ended the
            // container that runs the one before, and no container ever runs a second one.
            let image = match same {
                Some(same) => Arc::clone(same.image),
                None => self.intern(spec.image.text()),
            };
            let image_id = status.map_or("", |status| status.image_id.text());
            let named = running_digest(&image, image_id);
            let digest = named.or(same.map(|same| same.digest));
            let now = match (id, named) {
                (Some(container), Some(digest)) => Some((container, digest)),
                _ => earlier.map(|earlier| (earlier.container, earlier.digest)),
            };
            containers.push(Container {
                name: self.intern(name),
                image,
                state: status.map_or(State::NeverRan, state),
                digest,
                image_id: ImageId::read(image_id).0,
            });
            seen.push(now.map(|(container, known)| Seen {
                container,
                digest: (digest != Some(known)).then(|| Box::new(known)),
            }));
        }
        Some((containers.into(), seen.into()))
    }
}

impl KeptPod {
    fn seen_of(&self, container: &str) -> Option<Earlier<'_>> {
        let mut pairs = self.pod.containers.iter().zip(&self.seen);
        let (shown, seen) = pairs.find(|(known, _)| *known.name == *container)?;
        let seen = seen.as_ref()?;
        Some(Earlier {
            container: seen.container,
            image: &shown.image,
            digest: seen.digest.as_deref().copied().or(shown.digest)?,
        })
    }
}

/// A hash of the ID that a container got from its runtime.
fn container_id(status: &ContainerStatus) -> Option<NonZeroU64> {
    let id = status.container_id.text();
    if id.is_empty() {
        return None;
    }
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    Some(NonZeroU64::new(hasher.finish()).unwrap_or(NonZeroU64::MAX))
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
