//! The rows of the truth table and the reasons for withholding, by name: for logs, metrics and
//! explanations.

use std::fmt;

/// A row of the truth table at [`super::Plan::new`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Row {
    /// 1: of another API host, or a source that cannot be read.
    Foreign = 1,
    /// 2: its end is acknowledged once.
    Tombstone,
    /// 3: adopted and nobody's.
    Adopted,
    /// 4: its namespace is gone.
    NamespaceGone,
    /// 5: not selected, or opted out.
    NotSelected,
    /// 6: not covered.
    NotCovered,
    /// 7: its workload is gone.
    WorkloadGone,
    /// 8: its body is refused.
    Refused,
    /// 9: it runs under this identity.
    Known,
    /// 10: it runs under another identity.
    Moved,
    /// 11: it runs and is new.
    New,
    /// 12: it runs without a usable digest or name.
    NoDigest,
    /// 13: in some pod's spec, not running.
    NotRunning,
    /// 14: in no pod's spec.
    Dropped,
    /// 15: a CronJob or Job without a pod.
    BetweenRuns,
    /// 16: a workload without a pod.
    Idle,
}

impl Row {
    /// Every row, in their order.
    pub const ALL: [Self; 16] = [
        Self::Foreign,
        Self::Tombstone,
        Self::Adopted,
        Self::NamespaceGone,
        Self::NotSelected,
        Self::NotCovered,
        Self::WorkloadGone,
        Self::Refused,
        Self::Known,
        Self::Moved,
        Self::New,
        Self::NoDigest,
        Self::NotRunning,
        Self::Dropped,
        Self::BetweenRuns,
        Self::Idle,
    ];

    /// Its number.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// Its name, in kebab case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Foreign => "foreign",
            Self::Tombstone => "tombstone",
            Self::Adopted => "adopted",
            Self::NamespaceGone => "namespace-gone",
            Self::NotSelected => "not-selected",
            Self::NotCovered => "not-covered",
            Self::WorkloadGone => "workload-gone",
            Self::Refused => "refused",
            Self::Known => "known",
            Self::Moved => "moved",
            Self::New => "new",
            Self::NoDigest => "no-digest",
            Self::NotRunning => "not-running",
            Self::Dropped => "dropped",
            Self::BetweenRuns => "between-runs",
            Self::Idle => "idle",
        }
    }
}

/// Why nothing is sent for an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// It is of another API host; no token goes there.
    ForeignHost,
    /// Its stored source is of a form that this version cannot read.
    UnreadableSource,
    /// Not all that decides about it is fully seen.
    NotCovered,
    /// It was adopted, and not every view is whole.
    Adopted,
    /// GitHub has not acknowledged yet where it moved to.
    Moving,
    /// GitHub refuses where it moved to.
    Refused,
    /// GitHub refuses its decommission.
    EndRefused,
    /// Most names are missing at once, and this one not for long enough.
    MassDecommission,
}

impl Why {
    /// Every reason.
    pub const ALL: [Self; 8] = [
        Self::ForeignHost,
        Self::UnreadableSource,
        Self::NotCovered,
        Self::Adopted,
        Self::Moving,
        Self::Refused,
        Self::EndRefused,
        Self::MassDecommission,
    ];

    /// Its name, in kebab case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ForeignHost => "foreign-host",
            Self::UnreadableSource => "unreadable-source",
            Self::NotCovered => "not-covered",
            Self::Adopted => "adopted",
            Self::Moving => "moving",
            Self::Refused => "refused",
            Self::EndRefused => "end-refused",
            Self::MassDecommission => "mass-decommission",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
