//! The labels of images in `/api/status`: how many are known, and what is wrong at which registry.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::recorder::status::{LookUps, Outcome};

/// How the labels of images are read.
#[derive(Serialize)]
pub(super) struct LabelsPart {
    known: usize,
    unread: usize,
    lookups: BTreeMap<&'static str, u64>,
    problems: Vec<Problem>,
}

#[derive(Serialize)]
struct Problem {
    registry: Arc<str>,
    outcome: &'static str,
    error: Arc<str>,
}

impl LabelsPart {
    pub(super) fn new(look_ups: &LookUps) -> Self {
        let shown = look_ups.shown();
        let count = |outcome: Outcome| shown.outcomes.get(&outcome).copied().unwrap_or_default();
        let problems = shown.problems.iter();
        Self {
            known: shown.known,
            unread: shown.unread,
            lookups: Outcome::ALL
                .map(|outcome| (outcome.as_str(), count(outcome)))
                .into(),
            problems: problems
                .map(|(registry, outcome, error)| Problem {
                    registry: registry.clone(),
                    outcome: outcome.as_str(),
                    error: error.clone(),
                })
                .collect(),
        }
    }
}
