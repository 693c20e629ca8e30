//! What answers mean while something is searched for, and what a search came to.

use std::collections::BTreeSet;

use http::StatusCode;

use crate::github::answer::{Answer, Failure};
use crate::github::pace::Access;
use crate::model::gap::Reason;
use crate::model::record::Line;

/// What an answer means for the lines of its batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::recorder) enum Ruling {
    /// They are settled, each as the answer says.
    Settled,
    /// Nothing yet: they are sent again, or wait for the end of the search.
    Later,
    /// This one, which is alone but for a witness, is refused.
    Refused(Line, Reason),
    /// None of them is applied, and nothing more is found out about them now.
    Dropped,
}

/// What the search came to about records that were alone.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::recorder) struct Verdict {
    /// Records that are invalid: others were taken.
    pub(in crate::recorder) invalid: Vec<Line>,
    /// Records of which nothing is known: nothing else was taken either.
    pub(in crate::recorder) undecided: Vec<Line>,
    /// Witnesses of which nothing is known either.
    pub(in crate::recorder) witnesses: Vec<Line>,
    /// Organizations that call everything invalid.
    pub(in crate::recorder) outages: BTreeSet<Access>,
    /// Organizations that took something.
    pub(in crate::recorder) taken: BTreeSet<Access>,
}

/// What it means for a record that GitHub answers so because of its repository.
pub(super) fn of_repository(status: StatusCode) -> Reason {
    if status == StatusCode::NOT_FOUND {
        Reason::NotFound
    } else {
        Reason::Unauthorized
    }
}

/// Whether an answer says that nothing is taken now, whatever it is.
pub(in crate::recorder) fn is_shut(answer: &Answer) -> bool {
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
