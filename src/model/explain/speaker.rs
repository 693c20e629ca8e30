//! Speakers: which container speaks for a source and why, and those that do not. The choice itself is
//! made in `evidence`.

use std::sync::Arc;

use crate::model::evidence::{Evidence, Lost, Other};
use crate::model::facts::Container;
use crate::model::image::{Digest, ImageId, ImageRef};
use crate::model::workload::Source;

use super::View;

/// How many containers that do not speak are named.
const MOST: usize = 10;

/// The container that speaks.
#[derive(Clone, Debug)]
pub struct Speaker {
    /// Its pod.
    pub pod: Arc<str>,
    /// Whether that pod is ready.
    pub ready: bool,
    /// Why it speaks.
    pub speaks_as: SpeaksAs,
    /// The image as its spec writes it.
    pub image: Arc<str>,
    /// The digest that it runs.
    pub digest: Option<Digest>,
    /// Whether its spec is pinned to that digest.
    pub pinned: bool,
    /// What its status names as what it runs.
    pub image_id: ImageId,
}

/// Why a container speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpeaksAs {
    /// Of `ready` ready pods that run it, as many as `agree` run its image and digest; it is the
    /// newest of these.
    NewestReady {
        /// How many are ready.
        ready: usize,
        /// How many of them run the same.
        agree: usize,
    },
    /// None is ready; it is in the newest pod in which it runs.
    NewestRunning,
    /// Its pods run to an end; it is in the newest in which a container ran.
    NewestRun,
}

impl SpeaksAs {
    /// Its name, in kebab case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NewestReady { .. } => "newest-ready",
            Self::NewestRunning => "newest-running",
            Self::NewestRun => "newest-run",
        }
    }
}

/// A container that does not speak.
#[derive(Clone, Debug)]
pub struct Loser {
    /// Its pod.
    pub pod: Arc<str>,
    /// The image as its spec writes it.
    pub image: Arc<str>,
    /// The digest that it runs.
    pub digest: Option<Digest>,
    /// Why it does not speak.
    pub lost: Lost,
}

/// Who speaks for a source and who does not.
#[derive(Clone, Debug, Default)]
pub(super) struct Voices {
    pub(super) speaker: Option<Speaker>,
    /// The newest first, at most [`MOST`].
    pub(super) losers: Vec<Loser>,
    /// How many more there are.
    pub(super) more_losers: usize,
    /// How many others say the same as the speaker.
    pub(super) agree: usize,
}

impl View<'_> {
    /// Who speaks for `source`, which has that evidence.
    pub(super) fn voices(&self, source: &Source, evidence: Option<&Evidence>) -> Voices {
        let others = self.inventory.others(source, evidence);
        let agree = others.iter().filter(|other| other.lost.is_none()).count();
        let mut losers: Vec<Loser> = others
            .iter()
            .filter_map(|other| loser(source, other))
            .collect();
        let more_losers = losers.len().saturating_sub(MOST);
        losers.truncate(MOST);
        Voices {
            speaker: evidence.and_then(|evidence| speaker(source, evidence, &others)),
            losers,
            more_losers,
            agree,
        }
    }
}

fn loser(source: &Source, other: &Other) -> Option<Loser> {
    let container = other.pod.container(&source.container)?;
    Some(Loser {
        pod: other.pod.name.clone(),
        image: container.image.clone(),
        digest: container.digest,
        lost: other.lost?,
    })
}

fn speaker(source: &Source, evidence: &Evidence, others: &[Other]) -> Option<Speaker> {
    let container: &Container = evidence.pod.container(&source.container)?;
    let kind = &source.workload.kind;
    let completes = if kind.is_built_in() {
        kind.runs_to_completion()
    } else {
        !evidence.pod.restarts_always
    };
    let is_ready = |other: &&Other| {
        let lost = other.lost;
        other.pod.ready
            && matches!(
                lost,
                None | Some(Lost::AnotherImage | Lost::Outvoted | Lost::Older)
            )
    };
    let ready = others.iter().filter(is_ready);
    let agree = ready.clone().filter(|other| other.lost.is_none()).count();
    let speaks_as = if completes {
        SpeaksAs::NewestRun
    } else if evidence.pod.ready {
        SpeaksAs::NewestReady {
            ready: ready.count() + 1,
            agree: agree + 1,
        }
    } else {
        SpeaksAs::NewestRunning
    };
    let pin = ImageRef::parse(&evidence.image).and_then(|image| image.digest);
    Some(Speaker {
        pod: evidence.pod.name.clone(),
        ready: evidence.pod.ready,
        speaks_as,
        image: evidence.image.clone(),
        digest: evidence.digest,
        pinned: pin.is_some() && pin == evidence.digest,
        image_id: container.image_id,
    })
}
