//! Verdicts: what the truth table says of one entry of the ledger before names are given, rows 1
//! to 7 and 12 to 16. Where its source runs, names decide.

use std::sync::Arc;

use crate::model::inventory::Inventory;
use crate::model::inventory::sight::{Selected, Sight, Standing};
use crate::model::ledger::{Entry, Owner, Sent};
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
    match (&entry.owner, sight) {
        _ if !policy.is_here(identity) => Verdict::Withheld(Row::Foreign, Why::ForeignHost),
        (Owner::Source(source), Some(sight)) => {
            let held = entry.held.as_ref().map(|held| &held.name);
            of_source(source, held, entry, sight, policy, now)
        }
        (Owner::Adopted, _) => of_adopted(entry, inventory, policy),
        (Owner::Source(_) | Owner::Unreadable(_), _) => {
            Verdict::Withheld(Row::Foreign, Why::UnreadableSource)
        }
    }
}

/// Rows 2 and 3, for an entry that is nobody's.
fn of_adopted<'a>(entry: &Entry, inventory: &Inventory, policy: &Policy) -> Verdict<'a> {
    let sought = policy.selection.exact_namespaces();
    let is_whole = inventory.coverage().is_whole(sought.as_deref());
    match is_whole {
        _ if entry.is_tombstone() => Verdict::Tombstone { covered: true },
        true => Verdict::Adopted,
        false => Verdict::Withheld(Row::Adopted, Why::Adopted),
    }
}

/// What the truth table would say of `entry` if GitHub had applied `claim`, which was sent for
/// `source`.
pub(super) fn of_claim<'a>(
    source: &'a Source,
    claim: &Sent,
    entry: &Entry,
    sight: &Sight,
    policy: &Policy,
    now: Moment,
) -> Verdict<'a> {
    let held = Some(&claim.body.name);
    let entry = entry.clone().with_tombstone(false);
    of_source(source, held, &entry, sight, policy, now)
}

/// Rows 2 and 4 to 7, in their order; what comes behind them is for a source that is in scope and
/// seen. `held` is the image that GitHub holds.
fn of_source<'a>(
    source: &'a Source,
    held: Option<&Arc<str>>,
    entry: &Entry,
    sight: &Sight,
    policy: &Policy,
    now: Moment,
) -> Verdict<'a> {
    let selected = sight.selected(held, policy);
    let ended = match selected {
        _ if sight.namespace_gone => Some(Row::NamespaceGone),
        Selected::No(_) => Some(Row::NotSelected),
        Selected::Yes | Selected::Unread => None,
    };
    let covered = sight.covered && selected != Selected::Unread;
    let runs = matches!(sight.standing, Standing::Runs(_)) && ended.is_none() && covered;
    match ended {
        _ if entry.is_tombstone() && !runs => Verdict::Tombstone {
            covered: ended.is_some() || covered,
        },
        Some(row) => Verdict::Gone(row),
        None if !covered => Verdict::Withheld(Row::NotCovered, Why::NotCovered),
        None if sight.workload_gone => Verdict::Gone(Row::WorkloadGone),
        None => of_present(source, entry, sight, policy, now),
    }
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
