//! Records of a source: the state that each is in, what GitHub holds of it and what it is asked.

use std::sync::Arc;

use crate::model::ledger::Owner;
use crate::model::plan::{Plan, State, Step, Why};
use crate::model::record::{Body, Identity};
use crate::model::workload::Source;

use super::known::{Known, Memory};

/// A record of a source.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its key.
    pub identity: Identity,
    /// What becomes of it.
    pub state: State,
    /// Why it is withheld.
    pub why: Option<Why>,
    /// What it is to say by the last plan; `None` where nothing is sent.
    pub wanted: Option<Arc<Body>>,
    /// What the ledger knows of it.
    pub memory: Memory,
}

/// Every record of `source`, by identity.
pub(super) fn all(source: &Source, plan: &Plan, known: &[Known]) -> Vec<Record> {
    let is_its = |owner: &Owner| owner.source() == Some(source);
    let lists = [
        (State::Deployed, &plan.unchanged),
        (State::Reporting, &plan.reports),
        (State::Retained, &plan.retained),
        (State::Decommissioning, &plan.decommissions),
    ];
    let mut records: Vec<Record> = Vec::new();
    for (state, steps) in lists {
        let own = steps.iter().filter(|step| is_its(&step.owner));
        records.extend(own.map(|step| of_step(step, state)));
    }
    for known in known {
        let found = records.iter_mut().find(|it| it.identity == known.identity);
        match found {
            Some(record) => record.memory.clone_from(&known.memory),
            None if is_its(&known.owner) => records.push(of_known(known, plan)),
            None => {}
        }
    }
    records.sort_by(|one, other| one.identity.cmp(&other.identity));
    records
}

fn of_step(step: &Step, state: State) -> Record {
    let body = step.line.body.clone();
    let as_held = matches!(state, State::Deployed | State::Retained);
    Record {
        identity: step.line.identity.clone(),
        state,
        why: None,
        memory: Memory {
            held: as_held.then(|| body.clone()),
            ..Memory::default()
        },
        wanted: (state != State::Decommissioning).then_some(body),
    }
}

/// A record that nothing is sent for now. One that GitHub never took and that is refused has none.
pub(super) fn of_known(known: &Known, plan: &Plan) -> Record {
    let mut withheld = plan.withheld.iter();
    let withheld = withheld.find(|(identity, _)| *identity == known.identity);
    let mut ending = plan.decommissions.iter();
    let ending = ending.any(|step| step.line.identity == known.identity);
    let state = match withheld {
        _ if ending => State::Decommissioning,
        Some(_) => State::Withheld,
        None if known.memory.ends_again_at.is_some() => State::Tombstone,
        None => State::Silent,
    };
    Record {
        identity: known.identity.clone(),
        state,
        why: withheld.map(|(_, why)| *why),
        wanted: None,
        memory: known.memory.clone(),
    }
}
