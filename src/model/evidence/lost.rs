//! The containers that do not speak for a source, each with the reason: what the choice in
//! `evidence` looks like from the other side. For explanations alone.

use std::sync::Arc;

use crate::model::facts::{Container, Pod, State};

use super::Evidence;

/// Why a container does not speak for its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lost {
    /// Its pod is being deleted.
    BeingDeleted,
    /// Its pod has run to its end, and another takes its place.
    Finished,
    /// It does not run.
    NotRunning,
    /// It never ran.
    NeverRan,
    /// Its pod is not ready, and another is.
    NotReady,
    /// The newest ready pod runs another image as written.
    AnotherImage,
    /// More ready pods run another digest of the same image as written.
    Outvoted,
    /// Its pod is older.
    Older,
}

impl Lost {
    /// Every reason.
    pub const ALL: [Self; 8] = [
        Self::BeingDeleted,
        Self::Finished,
        Self::NotRunning,
        Self::NeverRan,
        Self::NotReady,
        Self::AnotherImage,
        Self::Outvoted,
        Self::Older,
    ];

    /// Its name, in kebab case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BeingDeleted => "being-deleted",
            Self::Finished => "finished",
            Self::NotRunning => "not-running",
            Self::NeverRan => "never-ran",
            Self::NotReady => "not-ready",
            Self::AnotherImage => "another-image",
            Self::Outvoted => "outvoted",
            Self::Older => "older",
        }
    }

    /// Why `container` of `pod` does not speak; `None` where it says the same as the evidence.
    /// `completes`: whether the workload's pods run to an end, so that the newest speaks alone.
    pub(in crate::model) fn of(
        pod: &Pod,
        container: &Container,
        evidence: Option<&Evidence>,
        completes: bool,
    ) -> Option<Self> {
        if completes {
            let never = !pod.ran();
            return Some(if never { Self::NeverRan } else { Self::Older });
        }
        let running = container.state == State::Running;
        match evidence {
            _ if pod.deleting => Some(Self::BeingDeleted),
            _ if pod.finished => Some(Self::Finished),
            _ if container.state == State::NeverRan => Some(Self::NeverRan),
            _ if !running => Some(Self::NotRunning),
            Some(evidence) if evidence.pod.ready && !pod.ready => Some(Self::NotReady),
            Some(evidence) if evidence.image != container.image => Some(if pod.ready {
                Self::AnotherImage
            } else {
                Self::Older
            }),
            Some(evidence) if evidence.digest == container.digest => None,
            Some(_) if pod.ready && container.digest.is_some() => Some(Self::Outvoted),
            _ => Some(Self::Older),
        }
    }
}

/// Another container of the same source.
#[derive(Clone, Debug)]
pub struct Other {
    /// Its pod.
    pub pod: Arc<Pod>,
    /// Why it does not speak; `None` where it says the same.
    pub lost: Option<Lost>,
}
