//! What an answer of GitHub means for each line of its request. What GitHub's bytes mean is decided
//! in `github`, what an outcome does in `model::ledger`.

use crate::github::answer::{Answer, Failure, Refusal};
use crate::model::gap::Reason;
use crate::model::ledger::Outcome;

/// What became of each of so many lines of a request that was answered so.
pub(super) fn of(answer: &Answer, lines: usize) -> Vec<Outcome> {
    let all = |outcome| vec![outcome; lines];
    let taken = match answer {
        Ok(taken) => taken,
        Err(Failure::Unknown { .. }) => return all(Outcome::Unknown),
        Err(
            Failure::Invalid { .. }
            | Failure::Oversized
            | Failure::NamesRepositories { .. }
            | Failure::Refused { .. }
            | Failure::NoAccess { .. }
            | Failure::BadToken { .. }
            | Failure::Limited { .. }
            | Failure::VersionWithdrawn { .. },
        ) => return all(Outcome::NotApplied),
    };
    let mut outcomes = all(Outcome::Acknowledged);
    for (index, outcome) in outcomes.iter_mut().enumerate() {
        let refusal = taken.refused.iter().find(|(refused, _)| *refused == index);
        *outcome = match refusal {
            Some((_, Refusal::NotFound)) => Outcome::Refused(Reason::NotFound),
            Some((_, Refusal::Unauthorized)) => Outcome::Refused(Reason::Unauthorized),
            None if taken.unknown.contains(&index) => Outcome::Unconfirmed,
            None => Outcome::Acknowledged,
        };
    }
    outcomes
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;
    use crate::github::answer::{Doubt, Taken};

    #[test]
    fn each_line_has_the_outcome_that_its_answer_names() {
        let taken = Taken {
            refused: vec![(1, Refusal::NotFound), (2, Refusal::Unauthorized)],
            unknown: vec![3],
        };
        assert_eq!(
            of(&Ok(taken), 5),
            [
                Outcome::Acknowledged,
                Outcome::Refused(Reason::NotFound),
                Outcome::Refused(Reason::Unauthorized),
                Outcome::Unconfirmed,
                Outcome::Acknowledged,
            ]
        );
        let status = StatusCode::FORBIDDEN;
        let message = String::new();
        let denied = Failure::NoAccess { status, message };
        assert_eq!(of(&Err(denied), 2), [Outcome::NotApplied; 2]);
        let why = Doubt::Connection(String::new());
        assert_eq!(of(&Err(Failure::Unknown { why }), 1), [Outcome::Unknown]);
    }
}
