//! Containers: which of a pod count, how far each got, and the digest that it runs.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroU64;
use std::sync::Arc;

use crate::cluster::slim::{ContainerSpec, ContainerStatus, PodSpec, PodStatus, SoftList};
use crate::model::facts::{Container, State};
use crate::model::image::{Digest, ImageId, ImageRef, running_digest};

use super::{Converter, KeptPod};

/// The container that was there last, by the ID that its runtime gave it, and what is known of it.
/// Neither image nor digest of a container ever changes, but what is said of them does: a restart of
/// the runtime can turn a good image ID into a bare one, and an image that is changed in place stands
/// in the spec before the kubelet has ended the container that runs the one before.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// A hash of the `containerID`.
    container: NonZeroU64,
    /// `None` where it is what the pod shows, as it nearly always is.
    known: Option<Box<Known>>,
}

/// What a container runs.
#[derive(Clone, Debug, PartialEq)]
struct Known {
    image: Arc<str>,
    digest: Option<Digest>,
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
            let status = status_of(name, statuses);
            let earlier = before.and_then(|before| before.seen_of(name));
            let (known, now) = self.known(spec.image.text(), status, earlier);
            let image_id = status.map_or("", |status| status.image_id.text());
            seen.push(now);
            containers.push(Container {
                name: self.intern(name),
                image: known.image,
                state: status.map_or(State::NeverRan, state),
                digest: known.digest,
                image_id: ImageId::read(image_id).0,
            });
        }
        Some((containers.into(), seen.into()))
    }

    /// What a container runs whose spec says `written`, and what to remember of it.
    fn known(
        &self,
        written: &str,
        status: Option<&ContainerStatus>,
        earlier: Option<(NonZeroU64, Known)>,
    ) -> (Known, Option<Seen>) {
        let id = status.and_then(container_id);
        let same = earlier
            .as_ref()
            .filter(|(container, _)| Some(*container) == id);
        let same = same.map(|(_, known)| known);
        // It was seen first behind such a change, and that was taken back.
        let is_written = || status.is_some_and(|status| is_said_to_run(written, status));
        let image = match same {
            Some(same) if *same.image != *written && !is_written() => Arc::clone(&same.image),
            _ => self.intern(written),
        };
        let image_id = status.map_or("", |status| status.image_id.text());
        let digest = running_digest(&image, image_id).or(same.and_then(|same| same.digest));
        let known = Known { image, digest };
        let now = match id {
            Some(container) => Some(Seen {
                container,
                known: None,
            }),
            None => earlier.map(|(container, was)| Seen {
                container,
                known: (was != known).then(|| Box::new(was)),
            }),
        };
        (known, now)
    }
}

impl KeptPod {
    fn seen_of(&self, container: &str) -> Option<(NonZeroU64, Known)> {
        let mut pairs = self.pod.containers.iter().zip(&self.seen);
        let (shown, seen) = pairs.find(|(known, _)| *known.name == *container)?;
        let seen = seen.as_ref()?;
        let shown = || Known {
            image: Arc::clone(&shown.image),
            digest: shown.digest,
        };
        let known = seen.known.as_deref().cloned();
        Some((seen.container, known.unwrap_or_else(shown)))
    }
}

/// Whether the status says that it is this image that runs, as a spec writes it. Runtimes name one of
/// the tags that an image has on its node there, or nothing of use.
fn is_said_to_run(written: &str, status: &ContainerStatus) -> bool {
    let Some(image) = ImageRef::parse(written) else {
        return false;
    };
    if image.digest.is_some() {
        return ImageId::read(status.image_id.text()).1 == image.digest;
    }
    let tag = |image: &ImageRef| image.tag.as_deref().unwrap_or("latest").to_owned();
    ImageRef::parse(status.image.text())
        .is_some_and(|said| said.name == image.name && tag(&said) == tag(&image))
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
