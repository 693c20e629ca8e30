//! Crews: the pods of one workload, and which of them count for one of its containers.

use std::borrow::Cow;
use std::sync::Arc;

use crate::model::evidence::{self, Evidence};
use crate::model::exposure::Exposed;
use crate::model::facts::Pod;
use crate::model::selection::Selection;
use crate::model::workload::{Kind, Source};

use super::scope::by_kind;
use super::sight::Selected;

/// The pods of one workload.
#[derive(Debug, Default)]
pub(super) struct Crew {
    /// Every pod that may count, by name.
    pub(super) pods: Vec<Arc<Pod>>,
    /// The kinds that the walks from these pods passed through: one or two, each once.
    pub(super) passed: Vec<Kind>,
    /// Whether traffic from outside reaches them.
    pub(super) exposed: Exposed,
    /// The uid of the workload's object, as these pods have it.
    pub(super) uid: Option<Arc<str>>,
}

/// The pods that count for one container of a workload.
#[derive(Debug)]
pub(super) struct Team<'a> {
    pods: Cow<'a, [Arc<Pod>]>,
    container: &'a str,
    completes: bool,
}

/// Whether a pod that has run to its end still counts under a workload of `kind`. Elsewhere its
/// place is taken by another.
pub(super) fn counts(pod: &Pod, kind: &Kind) -> bool {
    !pod.finished || kind.runs_to_completion() || (!kind.is_built_in() && !pod.restarts_always)
}

/// The pods that speak for `source`, and whether `--kinds` has what they are: those that it leaves out say
/// nothing of those that it does not.
pub(super) fn speaking<'a>(
    crew: Option<&'a Crew>,
    source: &'a Source,
    selection: &Selection,
) -> (Team<'a>, Selected) {
    let (kind, container) = (&source.workload.kind, &source.container);
    let team = crew.map_or_else(Team::empty, |crew| crew.team(kind, container));
    let selected = by_kind(kind, &team, selection);
    let servers = crew.filter(|_| selected == Selected::JobsOnly);
    let team = servers.map_or(team, |crew| crew.servers(container));
    (team, selected)
}

impl Crew {
    /// The pods that count for `container`. Those of a kind that is not built in may be of both
    /// sorts: an operator's cluster owns servers, and jobs that set them up. A container that
    /// stands only in pods that do not restart always is one of a job, and of several sorts of jobs
    /// those count that have it. One that servers have too, as a sidecar that is put into every pod,
    /// is theirs.
    pub(super) fn team<'a>(&'a self, kind: &Kind, container: &'a str) -> Team<'a> {
        if kind.is_built_in() {
            return Team {
                pods: Cow::Borrowed(&*self.pods),
                container,
                completes: kind.runs_to_completion(),
            };
        }
        let mut named = self.pods.iter().filter(|pod| names(pod, container));
        if named.clone().any(|pod| pod.restarts_always) {
            return self.servers(container);
        }
        let completes = named.next().is_some();
        let counts = |pod: &&Arc<Pod>| {
            if completes {
                names(pod, container)
            } else {
                !pod.finished
            }
        };
        Team {
            pods: self.pods.iter().filter(counts).cloned().collect(),
            container,
            completes,
        }
    }

    /// The pods that count for `container` if it is one of those that go on, whoever else has it.
    fn servers<'a>(&'a self, container: &'a str) -> Team<'a> {
        let serve = |pod: &&Arc<Pod>| pod.restarts_always && !pod.finished;
        Team {
            pods: self.pods.iter().filter(serve).cloned().collect(),
            container,
            completes: false,
        }
    }
}

impl Team<'_> {
    /// The team of a workload without a pod.
    fn empty() -> Self {
        Self {
            pods: Cow::Borrowed(&[]),
            container: "",
            completes: false,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pods.is_empty()
    }

    /// The container that speaks.
    pub(super) fn evidence(&self) -> Option<Evidence> {
        if self.completes {
            evidence::of_job(&self.pods, self.container)
        } else {
            evidence::of_service(&self.pods, self.container)
        }
    }

    /// The newest pod whose spec has the container, and the image that it names there.
    pub(super) fn newest_named(&self) -> Option<(&Arc<Pod>, &Arc<str>)> {
        let named = self.pods.iter().filter_map(|pod| {
            let container = pod.container(self.container)?;
            Some((pod, &container.image))
        });
        named.max_by_key(|(pod, _)| pod.age())
    }

    /// Whether one of the pods runs, or for what runs to an end: ran.
    pub(super) fn runs(&self) -> bool {
        if self.completes {
            evidence::speaker(&self.pods).is_some()
        } else {
            self.pods.iter().any(|pod| pod.runs())
        }
    }

    /// Whether the pods with the container restart always, if there are any.
    pub(super) fn restarts_always(&self) -> Option<bool> {
        let mut named = self.pods.iter().filter(|pod| names(pod, self.container));
        named.clone().next()?;
        Some(named.any(|pod| pod.restarts_always))
    }
}

impl Team<'_> {
    /// The pods that name the container, and whether they run to an end. For explanations alone.
    pub(super) fn named(&self) -> (impl Iterator<Item = &Arc<Pod>>, bool) {
        let named = self.pods.iter().filter(|pod| names(pod, self.container));
        (named, self.completes)
    }
}

fn names(pod: &Pod, container: &str) -> bool {
    pod.container(container).is_some()
}
