//! Why it is not known what GitHub holds, for whoever asked.

use std::sync::Arc;
use std::time::Duration;

use crate::cli::waits::written;
use crate::model::image::Digest;

/// Why it is not known what GitHub holds.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum SurveyError {
    /// It would take more calls than a share of what GitHub leaves.
    #[error(
        "it takes {needed} calls, and of the {remaining} that GitHub leaves in this hour only a \
         fifth is used: name fewer namespaces with --namespaces{}",
        later(*.resets_in)
    )]
    TooMany {
        /// How many calls it takes.
        needed: u64,
        /// How many GitHub left with its first answer.
        remaining: u64,
        /// When the hour is over.
        resets_in: Option<Duration>,
    },
    /// GitHub says that there are more records than it lists.
    #[error("GitHub lists {came} records of {digest} and {}", counted(*.count))]
    Short {
        /// The digest.
        digest: Digest,
        /// How many came.
        came: usize,
        /// How many there are, where it is told.
        count: Option<u64>,
    },
    /// GitHub did not give a list.
    #[error("the records of {digest} in {organization}: {trouble}")]
    Failed {
        /// The organization.
        organization: Arc<str>,
        /// The digest.
        digest: Digest,
        /// Why not, and what to do about it.
        trouble: String,
    },
    /// GitHub answered 404 for every digest of an organization. The contract has no 404 there, so
    /// what it means shows only by what else is answered.
    #[error(
        "the records of {digest} in {organization}: {said}: either GitHub knows no such digest yet, \
         or the organization (--org) is not right or does not let the token in"
    )]
    NothingFound {
        /// The organization.
        organization: Arc<str>,
        /// One of the digests.
        digest: Digest,
        /// What GitHub said.
        said: String,
    },
}

fn later(resets_in: Option<Duration>) -> String {
    let later = resets_in.map(|wait| format!(", or try again in {}", written(wait)));
    later.unwrap_or_default()
}

fn counted(count: Option<u64>) -> String {
    match count {
        Some(count) => format!("says that there are {count}"),
        None => "does not say how many there are".to_owned(),
    }
}
