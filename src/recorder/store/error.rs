//! Why the ledger cannot be read or written, in words that say what to do.

use super::config_map::CallError;
use super::part::PartError;

/// Why the ledger cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A call failed. What was asked for may have been done all the same.
    #[error("ConfigMap {part}")]
    Call {
        /// The ConfigMap.
        part: String,
        /// The call's error.
        source: CallError,
    },
    /// A part is missing while others are there.
    #[error(
        "ConfigMap {part} of the ledger is missing while {other} is there: restore it from a \
         backup. To begin anew instead, delete every ConfigMap of the ledger: records of what is \
         gone by then stay deployed at GitHub"
    )]
    Missing {
        /// The missing part.
        part: String,
        /// One that is there.
        other: String,
    },
    /// A part cannot be read.
    #[error("ConfigMap {part} of the ledger: {source}{}", advice(source))]
    Unreadable {
        /// The part.
        part: String,
        /// What is wrong with it.
        source: PartError,
    },
    /// What has the name of a shard that is to be made is none.
    #[error(
        "ConfigMap {part} stands where the ledger needs another shard, and is none of it: {source}. \
         Delete it if nobody needs it; if it is another ledger, one of the two needs another name \
         (--ledger-name)"
    )]
    Taken {
        /// The ConfigMap.
        part: String,
        /// Why it is no shard.
        source: PartError,
    },
    /// The ledger is of another cluster.
    #[error(
        "ConfigMap {part} holds the ledger of another cluster: namespace {namespace} had uid \
         {stored} there and has {found} here. Give this cluster a ledger of its own \
         (--ledger-name or --ledger-namespace); the records of the other one stay as they are"
    )]
    OtherCluster {
        /// The root.
        part: String,
        /// The namespace whose uid was compared.
        namespace: String,
        /// The uid in the ledger.
        stored: String,
        /// The uid in the cluster.
        found: String,
    },
    /// Another process writes the ledger.
    #[error(
        "{holder} has taken over ConfigMap {part} of the ledger (sequence {sequence}): only one \
         process may write it, so this one stops"
    )]
    Deposed {
        /// The root.
        part: String,
        /// The other process.
        holder: String,
        /// Its sequence.
        sequence: u64,
    },
}

/// What to do about a part that cannot be read, where its error does not say so.
fn advice(error: &PartError) -> &'static str {
    match error {
        PartError::Newer { .. } | PartError::Elsewhere { .. } | PartError::OtherCluster { .. } => {
            ""
        }
        PartError::Foreign => {
            ". If it is somebody else's, give the ledger another name (--ledger-name); else restore \
             the ledger from a backup"
        }
        PartError::Damaged { .. } => {
            ". Restore it from a backup. To begin anew instead, delete every ConfigMap of the ledger: \
             records of what is gone by then stay deployed at GitHub"
        }
    }
}

impl StoreError {
    /// Whether trying again may help: the API server may be back by then.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Call { .. })
    }

    /// Whether a part is not what anybody stored. One that a newer version stored is not damaged.
    pub(super) fn is_damage(&self) -> bool {
        match self {
            Self::Unreadable { source, .. } => !matches!(source, PartError::Newer { .. }),
            Self::Call { .. }
            | Self::Missing { .. }
            | Self::Taken { .. }
            | Self::OtherCluster { .. }
            | Self::Deposed { .. } => false,
        }
    }

    /// Whether an object is not as it was left.
    pub(super) fn is_conflict(&self) -> bool {
        match self {
            Self::Call { source, .. } => source.is_conflict(),
            Self::Missing { .. }
            | Self::Unreadable { .. }
            | Self::Taken { .. }
            | Self::OtherCluster { .. }
            | Self::Deposed { .. } => false,
        }
    }
}
