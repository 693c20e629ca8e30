//! Verdicts: what the truth table says of one entry of the ledger before names are given, rows 1
//! to 7 and 12 to 16. Where its source runs, names decide.

use crate::model::inventory::Inventory;
use crate::model::inventory::sight::{Selected, Sight, Standing};
use crate::model::ledger::{Entry, Owner};
use crate::model::moment::Moment;
use crate::model::policy::Policy;
use crate::model::record::Identity;
use crate::model::workload::Source;

use super::{Row, Why};

/// What the truth table says of one entry.
#[derive(Debug)]
pub(super) enum Verdict<'a> {
    /// Nothing is sent for it.
    Withheld(Row, Why),
    /// It is kept as it is held; if it has been without a pod: until when at most.
    Retained(Row, Option<Idle>),
    /// It is missing: to be decommissioned.
    Gone(Row),
    /// Adopted, and every view is whole: to be decommissioned unless somebody takes it over.
    Adopted,
    /// Its end is acknowledged once.
    Tombstone {
        /// Whether its scope is fully seen.
        covered: bool,
    },
    /// Its source runs, under whichever identity.
    Runs(&'a Source),
}

/// A source without a pod.
#[derive(Clone, Copy, Debug)]
pub(super) struct Idle {
    /// When it has been idle for long enough, if ever.
    until: Option<Moment>,
}

impl Verdict<'_> {
    /// When it changes although nothing else does.
    pub(super) fn due(&self) -> Option<Moment> {
        if let Self::Retained(_, Some(idle)) = self {
            return idle.until;
        }
        None
    }

    /// Whether its source has no pod, and that counts.
    pub(super) fn is_idle(&self) -> bool {
        matches!(
            self,
            Self::Retained(_, Some(_)) | Self::Gone(Row::Idle | Row::Dropped)
        )
    }

    /// Whether its row says what is seen of the source, and not only what becomes of this entry.
    pub(super) fn is_about_the_source(&self) -> bool {
        matches!(self, Self::Retained(..) | Self::Gone(_))
    }

    /// The row, where one is known without names.
    pub(super) fn row(&self) -> Option<Row> {
        match self {
            Self::Withheld(row, _) | Self::Retained(row, _) | Self::Gone(row) => Some(*row),
            Self::Adopted => Some(Row::Adopted),
            Self::Tombstone { .. } => Some(Row::Tombstone),
            Self::Runs(_) => None,
        }
    }
}

/// What the truth table says of `entry`, whose source is seen as `sight`.
pub(super) fn of<'a>(
    identity: &Identity,
    entry: &'a Entry,
    sight: Option<&Sight>,
    inventory: &Inventory,
    policy: &Policy,
    now: Moment,
) -> Verdict<'a> {
    if !policy.is_here(identity) {
        return Verdict::Withheld(Row::Foreign, Why::ForeignHost);
    }
    let (source, sight) = match (&entry.owner, sight) {
        (Owner::Source(source), Some(sight)) => (source, sight),
        (Owner::Adopted, _) if entry.is_tombstone() => return Verdict::Tombstone { covered: true },
        (Owner::Adopted, _)
            if inventory
                .coverage()
                .is_whole(policy.selection.exact_namespaces().as_deref()) =>
        {
            return Verdict::Adopted;
        }
        (Owner::Adopted, _) => return Verdict::Withheld(Row::Adopted, Why::Adopted),
        (Owner::Unreadable(_) | Owner::Source(_), _) => {
            return Verdict::Withheld(Row::Foreign, Why::UnreadableSource);
        }
    };
    let held = entry.held.as_ref().map(|held| &held.name);
    let selected = sight.selected(held, policy);
    let ended = sight.namespace_gone || matches!(selected, Selected::No(_));
    let covered = sight.covered && selected != Selected::Unread;
    let runs = matches!(sight.standing, Standing::Runs(_)) && !ended && covered;
    if entry.is_tombstone() && !runs {
        return Verdict::Tombstone {
            covered: ended || covered,
        };
    }
    if sight.namespace_gone {
        return Verdict::Gone(Row::NamespaceGone);
    }
    if ended {
        return Verdict::Gone(Row::NotSelected);
    }
    if !covered {
        return Verdict::Withheld(Row::NotCovered, Why::NotCovered);
    }
    if sight.workload_gone {
        return Verdict::Gone(Row::WorkloadGone);
    }
    of_present(source, entry, sight, policy, now)
}

/// Rows 12 to 16, for a workload that is there.
fn of_present<'a>(
    source: &'a Source,
    entry: &Entry,
    sight: &Sight,
    policy: &Policy,
    now: Moment,
) -> Verdict<'a> {
    let kind = &source.workload.kind;
    let idle_out = |row| {
        let until = policy
            .idle_after
            .map(|after| entry.idle_since.unwrap_or(now) + after);
        match until {
            Some(until) if until <= now => Verdict::Gone(row),
            until => Verdict::Retained(row, Some(Idle { until })),
        }
    };
    match sight.standing {
        Standing::Runs(_) => Verdict::Runs(source),
        Standing::InSpec => Verdict::Retained(Row::NotRunning, None),
        Standing::Dropped {
            another_runs: false,
        } => Verdict::Retained(Row::Dropped, None),
        Standing::Dropped { .. } if kind.is_built_in() => Verdict::Gone(Row::Dropped),
        Standing::Dropped { .. } => idle_out(Row::Dropped),
        Standing::NoPods if kind.runs_to_completion() => Verdict::Retained(Row::BetweenRuns, None),
        Standing::NoPods => idle_out(Row::Idle),
    }
}
