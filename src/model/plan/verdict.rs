//! Verdicts: what the truth table says of one entry of the ledger before names are given, rows 1
//! to 7 and 12 to 16. Where its source runs, names decide.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::inventory::Inventory;
use crate::model::inventory::sight::{Selected, Sight, Standing};
use crate::model::ledger::{Entry, Ledger, Owner, Sent};
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

    /// Whether it says nothing of how long its source is idle: nothing runs at the moment of a workload that
    /// dropped the container.
    pub(super) fn lets_idle_go_on(&self) -> bool {
        matches!(self, Self::Retained(Row::Dropped, None))
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

/// What verdicts are given by.
#[derive(Clone, Copy)]
pub(super) struct Judge<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) inventory: &'a Inventory,
    pub(super) policy: &'a Policy,
    pub(super) now: Moment,
}

impl Judge<'_> {
    /// What the truth table says of `entry`, whose source is seen as `sight`.
    pub(super) fn of<'a>(
        &self,
        identity: &Identity,
        entry: &'a Entry,
        sight: Option<&Sight>,
    ) -> Verdict<'a> {
        match (&entry.owner, sight) {
            _ if !self.policy.is_here(identity) => {
                Verdict::Withheld(Row::Foreign, Why::ForeignHost)
            }
            (Owner::Source(source), Some(sight)) => {
                let held = entry.held.as_ref().map(|held| &held.name);
                self.of_source(source, held, entry.is_tombstone(), sight)
            }
            (Owner::Adopted, _) => self.of_adopted(entry),
            (Owner::Source(_) | Owner::Unreadable(_), _) => {
                Verdict::Withheld(Row::Foreign, Why::UnreadableSource)
            }
        }
    }

    /// What it would say if GitHub had applied `claim`, which was sent for `source`.
    pub(super) fn of_claim<'a>(
        &self,
        source: &'a Source,
        claim: &Sent,
        sight: &Sight,
    ) -> Verdict<'a> {
        self.of_source(source, Some(&claim.body.name), false, sight)
    }

    /// Sources that are idle, by what is said of each.
    pub(super) fn idle<'a>(
        &self,
        said: impl Iterator<Item = (&'a Owner, &'a Verdict<'a>)>,
        sights: &BTreeMap<Source, Sight>,
    ) -> BTreeSet<Source> {
        let has_no_pod = |source: &Source| {
            let sight = sights.get(source);
            sight.is_some_and(|sight| match sight.standing {
                Standing::NoPods => true,
                Standing::Dropped { .. } => !source.workload.kind.is_built_in(),
                Standing::InSpec | Standing::Runs(_) => false,
            })
        };
        let is_idle = |source: &Source, verdict: &Verdict<'_>| {
            let goes_on = verdict.lets_idle_go_on() && self.ledger.idle().contains_key(source);
            has_no_pod(source) && (verdict.is_idle() || goes_on)
        };
        said.filter_map(|(owner, verdict)| Some((owner.source()?, verdict)))
            .filter(|(source, verdict)| is_idle(source, verdict))
            .map(|(source, _)| source.clone())
            .collect()
    }

    /// Rows 2 and 3, for an entry that is nobody's.
    fn of_adopted<'a>(&self, entry: &Entry) -> Verdict<'a> {
        let sought = self.policy.selection.exact_namespaces();
        let is_whole = self.inventory.coverage().is_whole(sought.as_deref());
        match is_whole {
            _ if entry.is_tombstone() => Verdict::Tombstone { covered: true },
            true => Verdict::Adopted,
            false => Verdict::Withheld(Row::Adopted, Why::Adopted),
        }
    }

    /// Rows 2 and 4 to 7, in their order; what comes behind them is for a source that is in scope and
    /// seen. `held` is the image that GitHub holds.
    fn of_source<'a>(
        &self,
        source: &'a Source,
        held: Option<&Arc<str>>,
        is_tombstone: bool,
        sight: &Sight,
    ) -> Verdict<'a> {
        let selected = sight.selected(held, self.policy);
        let ended = match selected {
            _ if sight.namespace_gone => Some(Row::NamespaceGone),
            Selected::No(_) => Some(Row::NotSelected),
            // Which of the two it is a record of, what goes on or its jobs, is not written down.
            Selected::Yes | Selected::JobsOnly | Selected::Unread => None,
        };
        let covered = sight.covered && selected != Selected::Unread;
        let runs = matches!(sight.standing, Standing::Runs(_)) && ended.is_none() && covered;
        match ended {
            _ if is_tombstone && !runs => Verdict::Tombstone {
                covered: ended.is_some() || covered,
            },
            Some(row) => Verdict::Gone(row),
            None if !covered => Verdict::Withheld(Row::NotCovered, Why::NotCovered),
            None if sight.workload_gone => Verdict::Gone(Row::WorkloadGone),
            None => self.of_present(source, sight),
        }
    }

    /// Rows 12 to 16, for a workload that is there.
    fn of_present<'a>(&self, source: &'a Source, sight: &Sight) -> Verdict<'a> {
        let kind = &source.workload.kind;
        let idle_out = |row| {
            let since = self.ledger.idle().get(source).copied();
            let since = since.unwrap_or(self.now);
            let until = self.policy.idle_after.map(|after| since + after);
            match until {
                Some(until) if until <= self.now => Verdict::Gone(row),
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
            Standing::NoPods if kind.runs_to_completion() => {
                Verdict::Retained(Row::BetweenRuns, None)
            }
            Standing::NoPods => idle_out(Row::Idle),
        }
    }
}
