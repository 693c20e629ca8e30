//! Adoption: which records of GitHub's the ledger lacks, and what each would be in the ledger. A
//! record can be ended only with its artifact's name, which the contract's lists do not tell.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::facts::Facts;
use crate::model::image::{Digest, ImageRef};
use crate::model::inventory::Inventory;
use crate::model::ledger::Ledger;
use crate::model::naming;
use crate::model::plan::Plan;
use crate::model::policy::Policy;
use crate::model::record::{Body, Identity};
use crate::model::risk::{Risk, Risks};
use crate::model::workload::Source;

use super::{Expected, Listed};

/// A record that the ledger lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adoptable {
    /// The record, as GitHub lists it.
    pub record: Listed,
    /// What it is in the ledger once it is adopted; `None` where nobody knows its artifact's name,
    /// without which its end cannot be told.
    pub body: Option<Arc<Body>>,
    /// What is there under this name, running or not, and keeps it; without that its end is told
    /// with the next cycle.
    pub keeper: Option<Source>,
}

/// What is known of an artifact besides its digest.
#[derive(Clone, Debug)]
pub(super) struct Artifact {
    name: Arc<str>,
    version: Option<Arc<str>>,
    repository: Option<Arc<str>>,
}

/// What is known of artifacts, by digest and by the organization that was told so, in lower case; what
/// nobody was told has none.
pub(super) type Artifacts = BTreeMap<(Digest, String), Artifact>;

/// Of what runs first, then of what the ledger remembers, then of any pod that runs it, selected or
/// not.
pub(super) fn artifacts(facts: &Facts, ledger: &Ledger, plan: &Plan, policy: &Policy) -> Artifacts {
    let mut artifacts = Artifacts::new();
    let remembered = ledger.entries().flat_map(|(identity, entry)| {
        let bodies = entry.bodies().into_iter();
        bodies.map(move |body| (identity, body))
    });
    let recorded = plan.snapshot().into_iter();
    let recorded = recorded.map(|step| (&step.line.identity, &step.line.body));
    for (identity, body) in recorded.chain(remembered) {
        let organization = identity.destination.organization.to_lowercase();
        let key = (body.digest, organization);
        artifacts.entry(key).or_insert_with(|| Artifact {
            name: body.name.clone(),
            version: body.version.clone(),
            repository: body.repository.clone(),
        });
    }
    let containers = facts.pods.iter().flat_map(|pod| &pod.containers);
    for container in containers {
        let (Some(digest), Some(image)) = (container.digest, ImageRef::parse(&container.image))
        else {
            continue;
        };
        let key = (digest, String::new());
        artifacts.entry(key).or_insert_with(|| Artifact {
            name: policy.image_map.apply(&image.name),
            version: image.tag.filter(|tag| tag.len() <= 100),
            repository: None,
        });
    }
    artifacts
}

/// The names that each selected source which is there can have. One that does not run has no name
/// in the plan, and the record that it had before may be of any of these.
pub(super) fn present(inventory: &Inventory, policy: &Policy) -> BTreeMap<Identity, Source> {
    let mut present = BTreeMap::new();
    for source in inventory.sources() {
        let sight = inventory.sight(&source, policy);
        let is_out = sight.selected(None, policy).left_out_by().is_some();
        let Some(place) = sight.place.filter(|_| !is_out) else {
            continue;
        };
        for name in naming::possible(&policy.template, &source) {
            let destination = place.clone();
            let identity = Identity { destination, name };
            present.entry(identity).or_insert_with(|| source.clone());
        }
    }
    present
}

impl Expected {
    /// What of `lists` the ledger [lacks](Self::lacks), by identity.
    pub fn adoptable(&self, lists: &BTreeMap<Digest, Vec<Listed>>) -> Vec<Adoptable> {
        let lacking = lists.values().flatten().filter(|record| self.lacks(record));
        // GitHub has one record of a name, whatever it is listed under.
        let by_identity: BTreeMap<_, _> =
            lacking.map(|record| (&record.identity, record)).collect();
        by_identity
            .into_values()
            .map(|record| Adoptable {
                body: self.body_of(record).map(Arc::new),
                keeper: self.keeper_of(record),
                record: record.clone(),
            })
            .collect()
    }

    fn keeper_of(&self, record: &Listed) -> Option<Source> {
        let wanted = self.wanted.get(&record.identity);
        let running = wanted.and_then(|wanted| wanted.source.clone());
        running.or_else(|| self.present.get(&record.identity).cloned())
    }

    /// What its own organization was told of its artifact, else what is known of it otherwise.
    fn artifact_of(&self, record: &Listed) -> Option<&Artifact> {
        let organization = record.identity.destination.organization.to_lowercase();
        let own = self.artifacts.get(&(record.digest, organization));
        let first = (record.digest, String::new());
        let mut others = self.artifacts.range(first..);
        let other = others
            .next()
            .filter(|((digest, _), _)| *digest == record.digest);
        own.or(other.map(|(_, artifact)| artifact))
    }

    fn body_of(&self, record: &Listed) -> Option<Body> {
        let told = || {
            Some(Artifact {
                name: record.name.clone()?,
                version: record.version.clone(),
                repository: record.repository.clone(),
            })
        };
        let artifact = self.artifact_of(record).cloned().or_else(told)?;
        let risks = record.risks.iter();
        let risks: Risks = risks.filter_map(|risk| Risk::parse(risk)).collect();
        Some(Body {
            digest: record.digest,
            name: artifact.name,
            version: artifact.version,
            repository: artifact.repository.or_else(|| record.repository.clone()),
            tags: record.tags.clone(),
            risks,
        })
    }
}
