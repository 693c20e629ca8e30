//! What a request is for, and what follows from that for its share of the limits.

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// It tells GitHub something new.
    Change,
    /// It repeats what GitHub was told, and can wait.
    Snapshot,
    /// It says where an artifact is kept, and waits for everything else.
    Storage,
}

impl Purpose {
    /// Its name, for logs and status.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Snapshot => "snapshot",
            Self::Storage => "storage",
        }
    }

    /// Which part of each limit such requests use at most: the half, the quarter.
    pub(super) fn part(self) -> usize {
        match self {
            Self::Change => 1,
            Self::Snapshot => 2,
            Self::Storage => 4,
        }
    }
}
