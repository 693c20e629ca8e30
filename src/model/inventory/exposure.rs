//! Exposure of workloads: whether traffic from outside reaches their pods, and by what.

use crate::model::exposure::{Door, Exposed, Exposure, Unread};
use crate::model::facts::Facts;
use crate::model::policy::Policy;
use crate::model::text_map::TextMap;
use crate::model::workload::Workload;

use super::Inventory;
use super::crew::Crew;

/// How traffic from outside reaches a workload.
#[derive(Debug)]
pub struct Reach<'a> {
    /// Whether it does.
    pub exposed: Exposed,
    /// By what: what lets it in, what does not count and why, and what cannot be told.
    pub doors: Vec<&'a Door>,
    /// What else is not fully seen, so that there may be more.
    pub unread: Vec<Unread>,
}

impl Inventory {
    /// Finds out which workloads are reached, if a person asks for that.
    pub(super) fn look_outside(&mut self, facts: &Facts, policy: &Policy) {
        let ways = &policy.selection.ways;
        if ways.is_empty() {
            return;
        }
        let sought = policy.selection.exact_namespaces();
        let exposure = Exposure::new(facts, ways, sought.as_deref());
        for (workload, crew) in &mut self.crews {
            crew.exposed = exposure.of(&workload.namespace, labels(crew));
        }
        self.exposure = Some(exposure);
    }

    /// How traffic from outside reaches `workload`; `None` where nobody asks.
    pub fn reach(&self, workload: &Workload) -> Option<Reach<'_>> {
        let exposure = self.exposure.as_ref()?;
        let namespace = &workload.namespace;
        let crew = self.crews.get(workload);
        let labels = || crew.into_iter().flat_map(labels);
        Some(Reach {
            exposed: exposure.of(namespace, labels()),
            doors: exposure.doors(namespace, labels()),
            unread: exposure.unread(namespace),
        })
    }
}

/// The labels of a crew's pods. Those of one template have the same and mostly stand together.
fn labels(crew: &Crew) -> impl Iterator<Item = &TextMap> {
    let mut last = None;
    let labels = crew.pods.iter().map(|pod| &pod.labels);
    labels.filter(move |labels| last.replace(*labels) != Some(*labels))
}
