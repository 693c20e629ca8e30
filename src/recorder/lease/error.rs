//! Why there is no Lease to be had, in words that say what to do.

use super::identity::described;

/// Why the Lease is not ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeaseError {
    /// The API server does not allow it.
    #[error(
        "Lease {lease}: {doing} it is forbidden, so nothing is written.{} The API server says: {message}",
        lacking(rule.as_deref())
    )]
    Forbidden {
        /// Namespace and name.
        lease: String,
        /// What was tried.
        doing: &'static str,
        /// The rule that would allow it, where that is what lacks.
        rule: Option<String>,
        /// What the API server said.
        message: String,
    },
    /// A call failed in another way. What was asked for may have been done all the same.
    #[error("Lease {lease}: {doing} it failed: {problem}")]
    Failed {
        /// Namespace and name.
        lease: String,
        /// What was tried.
        doing: &'static str,
        /// What went wrong.
        problem: String,
    },
    /// It was ours, and it is not any more.
    #[error(
        "Lease {lease} is not this process's any more, it now names {}: only one process may write \
         the ledger and send for it, so this one ends",
        described(holder)
    )]
    Lost {
        /// Namespace and name.
        lease: String,
        /// What stands in it.
        holder: String,
    },
    /// Another process has it and is alive.
    #[error(
        "Lease {lease} is held by {}: only one process may write the ledger and send for it. Stop \
         that one first, or scale its Deployment to 0, and start it again afterwards",
        described(holder)
    )]
    Held {
        /// Namespace and name.
        lease: String,
        /// Who has it.
        holder: String,
    },
    /// Nobody keeps it any more.
    #[error("the task that keeps the Lease ended unexpectedly")]
    Ended,
}

impl LeaseError {
    /// The Lease, and the process that has it, as people know it, if it is for that.
    pub fn holder(&self) -> Option<(&str, String)> {
        match self {
            Self::Held { lease, holder } | Self::Lost { lease, holder } => {
                Some((lease, described(holder)))
            }
            Self::Forbidden { .. } | Self::Failed { .. } | Self::Ended => None,
        }
    }

    /// Whether it is not allowed.
    pub(super) fn is_forbidden(&self) -> bool {
        matches!(self, Self::Forbidden { .. })
    }
}

/// What the Role lacks, in words.
pub(super) fn lacking(rule: Option<&str>) -> String {
    let words = |rule| format!(" The Role in its namespace lacks this rule: {rule}.");
    rule.map(words).unwrap_or_default()
}
