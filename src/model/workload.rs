//! Workloads and sources: who owns a container. Kinds are compared by API group and kind and
//! objects are linked by uid; nothing here cuts or compares parts of names.

use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::facts::{Coverage, Facts, Object, OwnerRef, Pod};

/// The kind of an object, told apart by API group and kind. The version never matters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `apps` Deployment.
    Deployment,
    /// `apps` StatefulSet.
    StatefulSet,
    /// `apps` DaemonSet.
    DaemonSet,
    /// `batch` CronJob.
    CronJob,
    /// `apps` ReplicaSet.
    ReplicaSet,
    /// ReplicationController of the core group.
    ReplicationController,
    /// `batch` Job.
    Job,
    /// Pod of the core group.
    Pod,
    /// Any other kind: an Argo Rollout, an operator's own kind, a Node.
    Other {
        /// The API group, empty for the core group.
        group: Arc<str>,
        /// The kind as written in `kind:`.
        kind: Arc<str>,
    },
}

impl Kind {
    /// The built-in kinds that can own pods, directly or not.
    pub const OWNERS: [Self; 7] = [
        Self::Deployment,
        Self::StatefulSet,
        Self::DaemonSet,
        Self::CronJob,
        Self::ReplicaSet,
        Self::ReplicationController,
        Self::Job,
    ];

    /// The kind of `group` (empty for the core group) and `kind`.
    pub fn new(group: &str, kind: &str) -> Self {
        match (group, kind) {
            ("apps", "Deployment") => Self::Deployment,
            ("apps", "StatefulSet") => Self::StatefulSet,
            ("apps", "DaemonSet") => Self::DaemonSet,
            ("apps", "ReplicaSet") => Self::ReplicaSet,
            ("batch", "CronJob") => Self::CronJob,
            ("batch", "Job") => Self::Job,
            ("", "ReplicationController") => Self::ReplicationController,
            ("", "Pod") => Self::Pod,
            (group, kind) => Self::Other {
                group: group.into(),
                kind: kind.into(),
            },
        }
    }

    /// The API group, empty for the core group.
    pub fn group(&self) -> &str {
        match self {
            Self::Deployment | Self::StatefulSet | Self::DaemonSet | Self::ReplicaSet => "apps",
            Self::CronJob | Self::Job => "batch",
            Self::ReplicationController | Self::Pod => "",
            Self::Other { group, .. } => group,
        }
    }

    /// The kind as written in `kind:`.
    pub fn kind(&self) -> &str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::CronJob => "CronJob",
            Self::ReplicaSet => "ReplicaSet",
            Self::ReplicationController => "ReplicationController",
            Self::Job => "Job",
            Self::Pod => "Pod",
            Self::Other { kind, .. } => kind,
        }
    }

    /// Whether the walk from a pod to its workload goes on through an object of this kind.
    pub fn is_passed_through(&self) -> bool {
        matches!(
            self,
            Self::ReplicaSet | Self::ReplicationController | Self::Job
        )
    }

    /// Whether pods of this kind run to an end, so that a finished pod still speaks for them.
    pub fn runs_to_completion(&self) -> bool {
        matches!(self, Self::CronJob | Self::Job)
    }

    /// Whether this program watches the objects of this kind.
    pub fn is_built_in(&self) -> bool {
        !matches!(self, Self::Other { .. })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())?;
        if let Self::Other { group, .. } = self
            && !group.is_empty()
        {
            write!(f, ".{group}")?;
        }
        Ok(())
    }
}

/// The owner that a person wrote. Re-created under the same name it is the same workload, so its
/// uid is no part of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Workload {
    /// API group and kind.
    pub kind: Kind,
    /// The namespace it lives in.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
    }
}

/// One container of one workload: what a record is about. Held in many places, so a clone is cheap.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source(Arc<Parts>);

/// What tells sources apart.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Parts {
    /// The workload.
    pub workload: Workload,
    /// The name of the container in the pod template.
    pub container: Arc<str>,
}

impl Deref for Source {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} container {}", self.workload, self.container)
    }
}

impl Source {
    /// The container of that name of `workload`.
    pub fn new(workload: Workload, container: Arc<str>) -> Self {
        Self(Arc::new(Parts {
            workload,
            container,
        }))
    }

    /// The whole source as one text, a part a line: what may be hashed.
    pub fn text(&self) -> String {
        let Workload {
            kind,
            namespace,
            name,
        } = &self.workload;
        [kind.group(), kind.kind(), namespace, name, &self.container].join("\n")
    }
}

/// Where the walk from a pod along controllers ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Walk {
    /// At its workload.
    Workload {
        /// The workload.
        workload: Workload,
        /// The kinds that the walk passed through.
        passed: Vec<Kind>,
        /// The uid of the workload's object.
        uid: Arc<str>,
    },
    /// At the pod itself: it has no controller, or a Node or a Pod as controller.
    Bare,
    /// At a kind that nobody looks at, so that no workload of a selected kind can be behind it.
    NotWatched(OwnerRef),
    /// At an owner that is missing from a complete view of its kind.
    Orphan(OwnerRef),
    /// At an owner that is missing from an incomplete view of its kind.
    NotRead(OwnerRef),
}

/// What is known of the objects that own pods.
#[derive(Debug)]
pub struct Owners<'facts> {
    by_uid: HashMap<&'facts str, &'facts Object>,
    coverage: &'facts Coverage,
}

impl<'facts> Owners<'facts> {
    /// The object that a controller reference in `namespace` means. One in another namespace is no
    /// owner (<https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/>):
    /// anybody can write its uid, until the garbage collector takes what does.
    fn find(&self, owner: &OwnerRef, namespace: &str) -> Option<&'facts Object> {
        let found = self.by_uid.get(&*owner.uid).copied();
        found.filter(|it| it.namespace.is_empty() || *it.namespace == *namespace)
    }

    /// The owners in `facts`.
    pub fn new(facts: &'facts Facts) -> Self {
        let by_uid = facts
            .objects
            .iter()
            .map(|object| (&*object.uid, &**object))
            .collect();
        Self {
            by_uid,
            coverage: &facts.coverage,
        }
    }
}

/// Follows the controllers of `pod`: through ReplicaSets, ReplicationControllers and Jobs; the
/// first other owner is the workload, whatever owns it in turn.
pub fn walk(pod: &Pod, owners: &Owners<'_>) -> Walk {
    let Some(mut owner) = pod.controller.as_ref() else {
        return Walk::Bare;
    };
    if is_host(&owner.kind) {
        return Walk::Bare;
    }
    let mut passed = Vec::new();
    // No chain of real controllers is longer; a ring of owner references must end somewhere.
    for _ in 0..16 {
        let workload = |owner: &OwnerRef| Workload {
            kind: owner.kind.clone(),
            namespace: pod.namespace.clone(),
            name: owner.name.clone(),
        };
        if is_host(&owner.kind) {
            return Walk::NotWatched(owner.clone());
        }
        let Some(object) = owners.find(owner, &pod.namespace) else {
            return if owners.coverage.covers(&owner.kind, &pod.namespace) {
                Walk::Orphan(owner.clone())
            } else if !owner.kind.is_built_in() {
                // Its pods are all that can be seen of it.
                Walk::Workload {
                    workload: workload(owner),
                    passed,
                    uid: owner.uid.clone(),
                }
            } else if owners.coverage.watches(&owner.kind) {
                Walk::NotRead(owner.clone())
            } else {
                Walk::NotWatched(owner.clone())
            };
        };
        match &object.controller {
            Some(next) if object.kind.is_passed_through() => {
                passed.push(object.kind.clone());
                owner = next;
            }
            _ => {
                // What it is counts, not what a reference calls it.
                let workload = Workload {
                    kind: object.kind.clone(),
                    namespace: pod.namespace.clone(),
                    name: object.name.clone(),
                };
                return Walk::Workload {
                    workload,
                    passed,
                    uid: owner.uid.clone(),
                };
            }
        }
    }
    Walk::Orphan(owner.clone())
}

/// Whether pods with a controller of this kind stand for themselves: static pods, and pods that
/// another pod made.
fn is_host(kind: &Kind) -> bool {
    if let Kind::Other { group, kind } = kind {
        return group.is_empty() && &**kind == "Node";
    }
    *kind == Kind::Pod
}

#[cfg(test)]
mod tests;
