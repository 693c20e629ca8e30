//! Halving: the search for the record that makes GitHub turn a whole batch down. Which part is tried
//! when is `delivery`'s matter.

use crate::github::answer::{Answer, Failure};
use crate::model::gap::Reason;
use crate::model::plan::Plan;
use crate::model::record::Line;

use super::batch::{self, Batch};

/// The search for what is invalid in a batch that GitHub turned down whole.
#[derive(Default)]
pub(super) struct Halving {
    /// Whether another body of the batch was accepted meanwhile.
    pub(super) accepted: bool,
    /// Records that were turned down although they were alone.
    pub(super) alone: Vec<Line>,
}

impl Halving {
    /// An unchanged record to try when everything else of a batch was turned down alone: the last
    /// word on whether GitHub accepts anything.
    pub(super) fn probe(&self, waiting: &[Batch], batch: &Batch, plan: &Plan) -> Option<Batch> {
        if self.accepted || !waiting.is_empty() {
            return None;
        }
        let witness = batch::witness(plan, &batch.destination)
            .or_else(|| batch::witness_of_organization(plan, &batch.destination))?;
        let tried = self
            .alone
            .iter()
            .any(|line| line.identity == witness.line.identity);
        (!tried).then(|| Batch {
            destination: witness.line.identity.destination.clone(),
            steps: vec![witness.clone()],
            purpose: batch.purpose,
        })
    }
}

/// What it means for a record that GitHub turns it down alone.
#[derive(Clone, Copy)]
pub(super) enum Alone {
    Refused(Reason),
    Suspect,
}

/// What it means for a record alone that a request with it is answered so; `None` where the answer
/// is about the request, or about each record by name.
pub(super) fn alone(answer: &Answer) -> Option<Alone> {
    match answer.as_ref().err()? {
        Failure::Invalid { .. } => Some(Alone::Suspect),
        Failure::Oversized => Some(Alone::Refused(Reason::Invalid)),
        Failure::NamesRepositories { status, .. } if status.as_u16() == 404 => {
            Some(Alone::Refused(Reason::NotFound))
        }
        Failure::NamesRepositories { .. } => Some(Alone::Refused(Reason::Unauthorized)),
        _ => None,
    }
}

/// Whether some line of a request was accepted.
pub(super) fn accepts_any(answer: &Answer, lines: usize) -> bool {
    answer.as_ref().is_ok_and(|taken| taken.count(lines) > 0)
}

/// Whether an answer says that nothing is taken now, whatever it is.
pub(super) fn is_shut(answer: &Answer) -> bool {
    match answer {
        Err(
            Failure::Limited { .. }
            | Failure::NoAccess { .. }
            | Failure::BadToken { .. }
            | Failure::VersionWithdrawn { .. },
        ) => true,
        Ok(_)
        | Err(
            Failure::Unknown { .. }
            | Failure::Invalid { .. }
            | Failure::Oversized
            | Failure::NamesRepositories { .. }
            | Failure::Refused { .. },
        ) => false,
    }
}
