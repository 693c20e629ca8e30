//! Workloads and sources: who owns a container. Kinds are compared by API group and kind and
//! objects are linked by uid; nothing here cuts or compares parts of names.

use std::fmt;
use std::sync::Arc;

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
            (group, kind) => Self::Other { group: group.into(), kind: kind.into() },
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
        matches!(self, Self::ReplicaSet | Self::ReplicationController | Self::Job)
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
        match self {
            Self::Other { group, kind } if !group.is_empty() => write!(f, "{kind}.{group}"),
            kind => f.write_str(kind.kind()),
        }
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

/// One container of one workload: what a record is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// The workload.
    pub workload: Workload,
    /// The name of the container in the pod template.
    pub container: Arc<str>,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} container {}", self.workload, self.container)
    }
}
