//! What is sent, or about to be: for whom, what, and how far it got. What follows from that is
//! decided in `entry`.

use std::sync::Arc;

use crate::model::record::{Body, Status};
use crate::model::workload::Source;

/// Whose name it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// A source's.
    Source(Source),
    /// Nobody's yet: a person found it at GitHub and adopted it.
    Adopted,
    /// A source's that this version cannot read, kept as it was stored.
    Unreadable(Arc<str>),
}

impl Owner {
    /// The source, if it is one that this version can read.
    pub fn source(&self) -> Option<&Source> {
        match self {
            Self::Source(source) => Some(source),
            Self::Adopted | Self::Unreadable(_) => None,
        }
    }
}

/// What is sent, or about to be, and not yet answered for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// For whom.
    pub owner: Owner,
    /// The body.
    pub body: Arc<Body>,
    /// The status.
    pub status: Status,
    /// How far it got.
    pub fate: Fate,
}

/// How far something that is to be sent got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It has not left.
    Intended,
    /// It has left, and no answer has come.
    Left,
    /// It may have been applied, and may still be.
    Unknown,
}
