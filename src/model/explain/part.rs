//! Parts: one container of a workload, from the pods that run it to what GitHub holds of it.

use std::sync::Arc;

use crate::model::exposure::Door;
use crate::model::gap::{Gap, Reason, Subject};
use crate::model::inventory::look;
use crate::model::inventory::sight::{self, NameAndVersion, Selected, Sight};
use crate::model::plan::Row;
use crate::model::workload::Source;

use super::View;
use super::name::Naming;
use super::origin::{Context, To};
use super::record::{self, Record};
use super::speaker::{Loser, Speaker, Voices};

/// One container of a workload.
#[derive(Clone, Debug)]
pub struct Part {
    /// The container.
    pub source: Source,
    /// The row of the truth table by which it was decided; `None` where the last plan has not seen it.
    pub row: Option<Row>,
    /// What its pods say.
    pub standing: Standing,
    /// Whether it is selected.
    pub selected: Selected,
    /// What is not fully seen of all that decides about it.
    pub unseen: Vec<look::View>,
    /// The container that speaks for it.
    pub speaker: Option<Speaker>,
    /// Containers that do not, the newest first.
    pub losers: Vec<Loser>,
    /// How many more of these there are.
    pub more_losers: usize,
    /// How many others say the same as the one that speaks.
    pub agree: usize,
    /// What its image is called in a record, or why it has no name.
    pub image: Option<Image>,
    /// What its record is called, and why so.
    pub naming: Option<Naming>,
    /// Where its record goes.
    pub to: Option<To>,
    /// What its record says besides, with where each thing comes from.
    pub context: Context,
    /// Its records: more than one while it moves.
    pub records: Vec<Record>,
    /// What is not recorded, or not as it should be.
    pub gaps: Vec<Gap>,
}

/// What an image is called in a record, or why it has no name.
pub type Image = Result<NameAndVersion, (Reason, Arc<str>)>;

/// What the pods of a workload say about one of its containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It runs.
    Runs,
    /// It stands in some pod's spec and does not run.
    InSpec,
    /// There are pods, and it stands in the spec of none of them.
    Dropped,
    /// There is no pod.
    NoPods,
    /// There is no workload of that name.
    NoWorkload,
    /// There is no such namespace.
    NoNamespace,
}

impl Standing {
    fn of(sight: &Sight) -> Self {
        match &sight.standing {
            _ if sight.namespace_gone => Self::NoNamespace,
            _ if sight.workload_gone => Self::NoWorkload,
            sight::Standing::Runs(_) => Self::Runs,
            sight::Standing::InSpec => Self::InSpec,
            sight::Standing::Dropped { .. } => Self::Dropped,
            sight::Standing::NoPods => Self::NoPods,
        }
    }

    /// Its name, in kebab case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::InSpec => "in-spec",
            Self::Dropped => "dropped",
            Self::NoPods => "no-pods",
            Self::NoWorkload => "no-workload",
            Self::NoNamespace => "no-namespace",
        }
    }
}

impl View<'_> {
    /// What is known of `source`, to whose pods `doors` may lead.
    pub(super) fn part(&self, source: &Source, doors: &[Door]) -> Part {
        let (policy, plan) = (self.books.policy, self.books.plan);
        let sight = self.inventory.sight(source, policy);
        let records = record::all(source, plan, self.books.known);
        let running = match &sight.standing {
            sight::Standing::Runs(running) => Some(&**running),
            _ => None,
        };
        let evidence = running.map(|running| &running.evidence);
        let Voices {
            speaker,
            losers,
            more_losers,
            agree,
        } = self.voices(source, evidence);
        let held = records
            .iter()
            .find_map(|record| record.memory.held.as_ref());
        let newest = self.inventory.pods(&source.workload).iter();
        let newest = newest.filter(|pod| pod.container(&source.container).is_some());
        let newest = newest.max_by_key(|pod| (pod.created, &pod.name));
        let pod = evidence.map(|evidence| &evidence.pod).or(newest);
        let levels = self
            .inventory
            .levels(&source.workload, pod.map(|pod| &**pod));
        let frame = running.and_then(|running| running.frame.as_ref());
        let repository = frame.map(|(_, context)| &context.origin);
        let image = running.and_then(|running| running.image.as_ref().ok());
        let image = image.map(|(name, _)| name);
        let said = records.iter().find_map(|record| record.wanted.as_deref());
        let is_its = |gap: &&Gap| gap.subject == Subject::Source(source.clone());
        Part {
            row: plan.rows.get(source).copied(),
            standing: Standing::of(&sight),
            selected: sight.selected(held.map(|held| &held.name), policy),
            unseen: self.inventory.unseen(source, &policy.selection),
            speaker,
            losers,
            more_losers,
            agree,
            image: running.map(|running| running.image.clone()),
            naming: self.naming(source, &records),
            to: self.place(source, sight.place.clone(), image),
            context: Context::of(said, &levels, repository, doors),
            gaps: plan.gaps.iter().filter(is_its).cloned().collect(),
            records,
            source: source.clone(),
        }
    }
}
