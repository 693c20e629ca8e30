//! Explanations: the way from pods to a record, of one workload, with the reason for each step. A pure
//! function of facts, settings, the last plan and what the ledger knows. It decides nothing: every
//! decision in it is asked of those who made it.

use std::sync::Arc;

use super::exposure::{Door, Unread};
use super::facts::{Facts, OwnerRef};
use super::inventory::Inventory;
use super::plan::{Plan, Row};
use super::policy::Policy;
use super::workload::{Source, Workload};

mod ask;
mod find;
mod known;
mod name;
mod near;
mod origin;
mod part;
mod record;
mod speaker;
mod way;

pub use ask::Asked;
pub use find::{Found, How, Missing};
pub use known::{Known, Memory, Refused};
pub use name::{NameOrigin, Naming};
pub use origin::{Context, Label, Origin, Tag, To};
pub use part::{Image, Part, Standing};
pub use record::Record;
pub use speaker::{Loser, Speaker, SpeaksAs};
pub use way::{End, Lost, Way};

/// What an explanation is made of.
#[derive(Clone, Copy, Debug)]
pub struct Books<'a> {
    /// What is seen of the namespace, or of more.
    pub facts: &'a Facts,
    /// Who is to be told what.
    pub policy: &'a Policy,
    /// The last plan.
    pub plan: &'a Plan,
    /// What the ledger knows besides that plan: [`Known::all`].
    pub known: &'a [Known],
}

/// What is known of one workload.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The workload.
    pub workload: Workload,
    /// How what was asked for led to it.
    pub how: How,
    /// Whether its own object is seen. A kind that cannot be read has none.
    pub seen: bool,
    /// How its pods lead up to it: one for each way.
    pub ways: Vec<Way>,
    /// What may lead traffic from outside to its pods; nothing where nobody asks for it.
    pub doors: Vec<Door>,
    /// What is not fully seen of what may lead traffic to its pods.
    pub doors_unseen: Vec<Unread>,
    /// Its containers, by name.
    pub parts: Vec<Part>,
}

/// What there is to say to a question.
#[derive(Clone, Debug)]
pub enum Answer {
    /// These workloads: one, or several of different kinds and one name.
    Explained(Vec<Explanation>),
    /// A pod whose workload is not known.
    Stray(Lost),
    /// Records of that name that are no source's, each with the row by which it was decided.
    Unowned(Vec<(Record, Row)>),
    /// Nothing of that name.
    Missing(Missing),
}

impl Answer {
    /// Answers what is `asked`.
    pub fn new(asked: &Asked, books: Books<'_>) -> Self {
        let inventory = Inventory::new(books.facts, books.policy);
        let view = View { inventory, books };
        let found = match view.find(asked) {
            Found::Workloads(found) => found,
            Found::Stray(lost) => return Self::Stray(lost),
            Found::Unowned(records) => return Self::Unowned(records),
            Found::Nothing(missing) => return Self::Missing(missing),
        };
        let explained = found.into_iter();
        let mut explained: Vec<Explanation> = explained
            .map(|(workload, how)| view.explain(workload, how))
            .collect();
        let Some(container) = &asked.container else {
            return Self::Explained(explained);
        };
        let all = explained.iter().flat_map(|one| &one.parts);
        let all: Vec<Arc<str>> = all.map(|part| part.source.container.clone()).collect();
        for explanation in &mut explained {
            let parts = &mut explanation.parts;
            parts.retain(|part| part.source.container == *container);
        }
        explained.retain(|explanation| !explanation.parts.is_empty());
        if explained.is_empty() {
            return Self::Missing(Missing::Container { near: all });
        }
        Self::Explained(explained)
    }
}

/// Everything at hand.
struct View<'a> {
    inventory: Inventory,
    books: Books<'a>,
}

impl View<'_> {
    fn explain(&self, workload: Workload, how: How) -> Explanation {
        let sources = self.sources(&workload);
        let reach = self.inventory.reach(&workload);
        let (doors, doors_unseen) = match reach {
            Some(reach) => (reach.doors.into_iter().cloned().collect(), reach.unread),
            None => (Vec::new(), Vec::new()),
        };
        Explanation {
            how,
            seen: self.inventory.has_object(&workload),
            ways: way::all(&self.inventory, self.books.facts, &workload),
            parts: sources.iter().map(|it| self.part(it, &doors)).collect(),
            doors,
            doors_unseen,
            workload,
        }
    }

    /// The containers of a workload that a pod names, or that somebody remembers.
    fn sources(&self, workload: &Workload) -> Vec<Source> {
        let named = self.inventory.sources();
        let planned = self.books.plan.rows.keys().cloned();
        let known = self.books.known.iter();
        let known = known.filter_map(|known| known.owner.source().cloned());
        let all = named.chain(planned).chain(known);
        let own: std::collections::BTreeSet<Source> =
            all.filter(|source| source.workload == *workload).collect();
        own.into_iter().collect()
    }
}

/// An owner as people name it.
fn shown(owner: &OwnerRef) -> String {
    format!("{} {}", owner.kind, owner.name)
}

#[cfg(test)]
mod tests;
