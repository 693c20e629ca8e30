//! The one state that a record is in by a plan: for metrics, status and explanations, which all use
//! the same words.

/// What becomes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It runs, and GitHub holds it as it is.
    Deployed,
    /// It runs, and GitHub is to be told.
    Reporting,
    /// It is kept as GitHub holds it, and sent so with the full snapshot.
    Retained,
    /// It is kept and not sent: what GitHub holds of it is not known, or GitHub will not have it
    /// now.
    Silent,
    /// Nothing is sent for it, for a reason.
    Withheld,
    /// It is gone, and GitHub is to be told.
    Decommissioning,
    /// GitHub has acknowledged its end, and is told once more after a while.
    Tombstone,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Deployed,
        Self::Reporting,
        Self::Retained,
        Self::Silent,
        Self::Withheld,
        Self::Decommissioning,
        Self::Tombstone,
    ];

    /// Its name, in kebab case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deployed => "deployed",
            Self::Reporting => "reporting",
            Self::Retained => "retained",
            Self::Silent => "silent",
            Self::Withheld => "withheld",
            Self::Decommissioning => "decommissioning",
            Self::Tombstone => "tombstone",
        }
    }
}
