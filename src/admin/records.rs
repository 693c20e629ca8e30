//! The records that the ledger and the last plan know of, each with the one state that metrics and
//! `/api/status` give it. Nothing here knows how it is shown.

use std::collections::BTreeMap;

use crate::model::ledger::Owner;
pub(super) use crate::model::plan::State;
use crate::model::plan::{Plan, Step, Why};
use crate::model::record::{Body, Identity};
use crate::model::storage::StoragePlan;
use crate::recorder::status::{Rest, Status, Unsent};

/// One record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    /// Its key.
    pub(super) identity: &'a Identity,
    /// Whose name it is.
    pub(super) owner: &'a Owner,
    /// What it says, or said last; `None` where GitHub never acknowledged anything.
    pub(super) body: Option<&'a Body>,
    /// What becomes of it.
    pub(super) state: State,
    /// Why it is withheld.
    pub(super) why: Option<Why>,
}

/// Every record, each once.
pub(super) fn all<'a>(plan: &'a Plan, unsent: &'a [Unsent]) -> impl Iterator<Item = Record<'a>> {
    let steps = [
        (State::Deployed, &plan.unchanged),
        (State::Reporting, &plan.reports),
        (State::Retained, &plan.retained),
        (State::Decommissioning, &plan.decommissions),
    ];
    let sent = steps
        .into_iter()
        .flat_map(|(state, steps)| steps.iter().map(move |step| of_step(step, state)));
    sent.chain(unsent.iter().map(of_unsent))
}

fn of_step(step: &Step, state: State) -> Record<'_> {
    Record {
        identity: &step.line.identity,
        owner: &step.owner,
        body: Some(&step.line.body),
        state,
        why: None,
    }
}

fn of_unsent(unsent: &Unsent) -> Record<'_> {
    let (state, why) = match unsent.rest {
        Rest::Silent => (State::Silent, None),
        Rest::Withheld(why) => (State::Withheld, Some(why)),
        Rest::Tombstone => (State::Tombstone, None),
    };
    Record {
        identity: &unsent.identity,
        owner: &unsent.owner,
        body: unsent.held.as_deref(),
        state,
        why,
    }
}

/// How many there are of each, by names that are always all there.
pub(super) type Count = BTreeMap<&'static str, usize>;

/// What there is to count, from the last plan; zeros before the first.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Counts {
    /// By [`State`].
    pub(super) records: Count,
    /// By [`crate::model::gap::Reason`].
    pub(super) gaps: Count,
    /// By [`Why`].
    pub(super) withheld: Count,
    /// By [`crate::model::inventory::sight::Unselected`].
    pub(super) not_selected: Count,
    /// Artifacts and their registries, by what becomes of them.
    pub(super) storage: Count,
    /// Sources that never ran yet and are in no ledger.
    pub(super) not_running: usize,
    /// Identities that settings spell otherwise than the ledger.
    pub(super) respelled: usize,
}

impl Counts {
    /// Counts what `status` has.
    pub(super) fn new(status: &Status) -> Self {
        use crate::model::gap::Reason;
        use crate::model::inventory::sight::Unselected;

        let mut counts = Self {
            records: zeros(State::ALL.map(State::as_str)),
            gaps: zeros(Reason::ALL.map(Reason::as_str)),
            withheld: zeros(Why::ALL.map(Why::as_str)),
            not_selected: zeros(Unselected::ALL.map(Unselected::as_str)),
            storage: StoragePlan::default().counts().into(),
            not_running: 0,
            respelled: 0,
        };
        let Some(plan) = &status.plan else {
            return counts;
        };
        let add = |count: &mut Count, name, number| *count.entry(name).or_default() += number;
        for record in all(plan, &status.unsent) {
            add(&mut counts.records, record.state.as_str(), 1);
        }
        for gap in &plan.gaps {
            add(&mut counts.gaps, gap.reason.as_str(), 1);
        }
        for (_, why) in &plan.withheld {
            add(&mut counts.withheld, why.as_str(), 1);
        }
        for (why, number) in &plan.not_selected {
            add(&mut counts.not_selected, why.as_str(), *number);
        }
        counts.storage = plan.storage.counts().into();
        counts.not_running = plan.not_running;
        counts.respelled = plan.respelled.len();
        counts
    }
}

fn zeros<const N: usize>(names: [&'static str; N]) -> Count {
    names.into_iter().map(|name| (name, 0)).collect()
}
