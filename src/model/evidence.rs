//! Evidence: which container speaks for a source. Pure choice among pods; which pods belong to
//! the workload is decided in `inventory`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::facts::{Container, Pod, State};
use super::image::Digest;

mod lost;

pub use lost::{Lost, Other};

/// The container that speaks for a source.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The pod it is in.
    pub pod: Arc<Pod>,
    /// The image as that pod's spec writes it.
    pub image: Arc<str>,
    /// The digest that runs, if anybody names it.
    pub digest: Option<Digest>,
    /// Other digests that run for this source in ready pods.
    pub other_digests: BTreeSet<Digest>,
}

impl Pod {
    /// The container of that name.
    pub fn container(&self, name: &str) -> Option<&Container> {
        self.containers
            .iter()
            .find(|container| &*container.name == name)
    }

    /// Whether it runs something and is meant to go on.
    pub fn runs(&self) -> bool {
        !self.deleting
            && self
                .containers
                .iter()
                .any(|container| container.state == State::Running)
    }

    /// Whether any of its containers runs or ran.
    pub fn ran(&self) -> bool {
        self.containers
            .iter()
            .any(|container| container.state != State::NeverRan)
    }

    /// Newer pods compare greater; among equally old ones the name decides.
    pub(super) fn age(&self) -> (i64, &str) {
        (self.created, &self.name)
    }
}

/// The evidence for `container` of a workload whose pods run until they are deleted: the best pod
/// by (ready, age, name) gives the image as written; among ready pods with that image the digest
/// that most of them run speaks. So a rollout that never gets ready is not reported.
pub fn of_service(pods: &[Arc<Pod>], container: &str) -> Option<Evidence> {
    let running: Vec<(&Arc<Pod>, &Container)> = pods
        .iter()
        .filter(|pod| !pod.deleting && !pod.finished)
        .filter_map(|pod| pod.container(container).map(|found| (pod, found)))
        .filter(|(_, found)| found.state == State::Running)
        .collect();
    let (best, found) = running
        .iter()
        .max_by_key(|(pod, _)| (pod.ready, pod.age()))?;
    let ready = || running.iter().filter(|(pod, _)| pod.ready);

    let mut votes: BTreeMap<Digest, Vec<&Arc<Pod>>> = BTreeMap::new();
    for (pod, other) in ready().filter(|(_, other)| other.image == found.image) {
        if let Some(digest) = other.digest {
            votes.entry(digest).or_default().push(pod);
        }
    }
    let elected = votes
        .into_iter()
        .filter_map(|(digest, pods)| {
            let newest = *pods.iter().max_by_key(|pod| pod.age())?;
            Some((pods.len(), newest, digest))
        })
        .max_by_key(|(count, newest, _)| (*count, newest.age()));
    let (pod, digest) = match elected {
        Some((_, newest, digest)) => (newest, Some(digest)),
        None => (*best, found.digest),
    };
    let other_digests = ready()
        .filter_map(|(_, other)| other.digest)
        .filter(|other| Some(*other) != digest);
    Some(Evidence {
        pod: pod.clone(),
        image: found.image.clone(),
        digest,
        other_digests: other_digests.collect(),
    })
}

/// The pod that speaks alone for a workload whose pods run to completion: the newest in which a
/// container ran.
pub fn speaker(pods: &[Arc<Pod>]) -> Option<&Arc<Pod>> {
    pods.iter()
        .filter(|pod| pod.ran())
        .max_by_key(|pod| pod.age())
}

/// The evidence for `container` of a workload whose pods run to completion.
pub fn of_job(pods: &[Arc<Pod>], container: &str) -> Option<Evidence> {
    let pod = speaker(pods)?;
    // What never ran may be pinned, which says what is to run.
    let found = pod
        .container(container)
        .filter(|it| it.state != State::NeverRan)?;
    Some(Evidence {
        pod: pod.clone(),
        image: found.image.clone(),
        digest: found.digest,
        other_digests: BTreeSet::new(),
    })
}

#[cfg(test)]
mod tests;
