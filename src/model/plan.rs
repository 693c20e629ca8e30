//! Plan: what to send, and what not. One pure function of the ledger, the inventory, the policy
//! and the time; the truth table stands at [`Plan::new`].

use std::collections::{BTreeMap, BTreeSet};

use super::gap::Gap;
use super::inventory::Inventory;
use super::inventory::sight::{Sight, Unselected};
use super::ledger::{Entry, Ledger, Owner};
use super::moment::Moment;
use super::origin::Unread;
use super::policy::Policy;
use super::record::{Identity, Line};
use super::storage::StoragePlan;
use super::workload::Source;

mod body;
mod by_hand;
mod claim;
mod draft;
mod guard;
mod row;
mod settle;
mod state;
mod verdict;

pub use row::{Row, Why};
pub use state::State;

use draft::Draft;
use verdict::{Judge, Verdict};

/// What to send, and what not.
#[derive(Debug, Default)]
pub struct Plan {
    /// Records that GitHub does not hold as they are, by identity.
    pub reports: Vec<Step>,
    /// Records whose end GitHub is to be told, by identity.
    pub decommissions: Vec<Step>,
    /// Records that GitHub holds as they are: sent with the full snapshot.
    pub unchanged: Vec<Step>,
    /// Records that are kept as GitHub holds them: sent with the full snapshot.
    pub retained: Vec<Step>,
    /// Entries that are kept and not sent at all: nothing is wrong with them, but what GitHub
    /// holds of them is not known, or it will not have them now.
    pub silent: Vec<Identity>,
    /// Entries for which nothing is sent, with the reason.
    pub withheld: Vec<(Identity, Why)>,
    /// What is not recorded, or not as it should be.
    pub gaps: Vec<Gap>,
    /// Pods whose owner is missing from a complete view: mirrors of different kinds are not one
    /// snapshot, so each counts only when it stays.
    pub orphans: Vec<Gap>,
    /// The name of every source that runs with a digest, as the ledger spells it.
    pub names: BTreeMap<Source, Identity>,
    /// The row that applies to each entry and to each source without one.
    pub rows: BTreeMap<Source, Row>,
    /// Names that are missing: [`Ledger::observe`].
    pub missing: Vec<Identity>,
    /// Sources of which no pod has the container, as far as is seen, and those of which that was so when
    /// they were seen last: [`Ledger::observe`].
    pub idle: BTreeSet<Source>,
    /// Sources that are not selected, by reason; of kinds that nobody looks at, what is seen of their pods.
    pub not_selected: BTreeMap<Unselected, usize>,
    /// Sources that never ran yet and are in no ledger.
    pub not_running: usize,
    /// Identities that settings spell otherwise than the ledger, whose spelling is sent: first as
    /// settings spell it.
    pub respelled: Vec<(Identity, Identity)>,
    /// What GitHub is to be told about registries.
    pub storage: StoragePlan,
    /// Images whose labels would say where their code came from, and are not read yet.
    pub unread: Unread,
    /// When something falls due although nothing changes.
    pub due: Option<Moment>,
}

/// One line to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The line.
    pub line: Line,
    /// For whom.
    pub owner: Owner,
    /// Whether GitHub never acknowledged anything under this identity.
    pub fresh: bool,
}

impl Plan {
    /// Decides by the first row that fits, for each entry and for each source without one.
    /// "Runs" means: has evidence. Above row 8 nothing is said of a source but by its scope.
    ///
    /// | # | What is seen | in the ledger | plan |
    /// |---|---|---|---|
    /// | 1 | entry of another API host, or whose source this version cannot read | yes | withheld |
    /// | 2 | tombstone | yes | its source runs under this identity: report; else nothing until it has settled, then decommission again (not covered: withheld) |
    /// | 3 | adopted, nobody's yet | yes | decommission once every view is whole, else withheld |
    /// | 4 | its namespace is gone | yes | decommission |
    /// | 5 | not selected, or opted out by a context with a pod in it | yes / no | decommission / counted |
    /// | 6 | not covered, or what row 5 needs is unread | yes / no | withheld / Gap |
    /// | 7 | workload gone | yes | decommission |
    /// | 8 | runs, its body refused, retry not due | held / held elsewhere / no | retained / withheld / nothing, each with a Gap |
    /// | 9 | runs under this identity | yes | as held and answered: unchanged; else report |
    /// | 10 | runs under another identity | yes | report that; this: withheld until that is acknowledged, then decommission, whether or not it still runs |
    /// | 11 | runs | no | report |
    /// | 12 | runs, no digest or no usable name | yes / no | retained and Gap / Gap |
    /// | 13 | in some pod's spec, not running; or in that of one whose owner is not seen and may be of its workload | yes / no | retained / counted |
    /// | 14 | has pods, none with this container; one of them runs / none does | yes | decommission (a kind that is not built in: when idle for long) / retained |
    /// | 15 | CronJob or Job without a pod | yes | retained |
    /// | 16 | workload without a pod | yes | retained; when idle for long: decommission |
    ///
    /// A report that was never answered may have been applied: where its source has the name by that
    /// and its own row says retained, it is reported again instead of what rows 2, 3, 4, 5, 7, 10, 14
    /// and 16 say of who had the name before; where its row says withheld, so is the name. Meanwhile
    /// nobody else is given that name, nor is it given back. A name that may have ended, or be somebody else's,
    /// is none that GitHub has acknowledged (row 10).
    ///
    /// What is retained and unanswered is kept and not sent, except where only an answer tells whether it is
    /// there: then what was said last for its owner is reported again. That is so where somebody who is gone
    /// may have written over it, and at the present place of its source, while GitHub may hold a record of that
    /// under another identity.
    ///
    /// Names missing by rows 4, 5, 7, 14 and 16 pass the guard: when more than half of the held
    /// names are missing, and at least three, only those go that are missing for long.
    pub fn new(ledger: &Ledger, inventory: &Inventory, policy: &Policy, now: Moment) -> Self {
        let sights = sights(ledger, inventory, policy);
        let judge = Judge {
            ledger,
            inventory,
            policy,
            now,
        };
        let verdicts: Vec<(&Identity, &Entry, Verdict<'_>)> = ledger
            .entries()
            .map(|(identity, entry)| {
                let source = entry.owner.source();
                let sight = source.and_then(|source| sights.get(source));
                (identity, entry, judge.of(identity, entry, sight))
            })
            .collect();

        let by_source = ledger.by_source();
        let mut draft = Draft::new(judge, &by_source, &sights);
        draft.note_idle(&judge, &verdicts);
        draft.name(&verdicts);
        draft.weigh_sources();
        for (identity, entry, verdict) in &verdicts {
            draft.settle(identity, entry, verdict);
        }
        draft.finish()
    }

    /// Everything that the full snapshot holds, by identity.
    pub fn snapshot(&self) -> Vec<&Step> {
        let mut steps: Vec<&Step> = self
            .reports
            .iter()
            .chain(&self.unchanged)
            .chain(&self.retained)
            .collect();
        steps.sort_by(|one, other| one.line.identity.cmp(&other.line.identity));
        steps
    }
}

/// What is seen of every source that a pod names or the ledger knows.
fn sights(ledger: &Ledger, inventory: &Inventory, policy: &Policy) -> BTreeMap<Source, Sight> {
    let known = ledger.entries();
    let known = known.flat_map(|(_, entry)| {
        let claimant = entry.claim().map(|claim| &claim.owner);
        let owners = std::iter::once(&entry.owner).chain(claimant);
        owners.filter_map(Owner::source)
    });
    // The ledger's own first: what stays from plan to plan is held once.
    let mut sources: BTreeSet<Source> = known.cloned().collect();
    for source in inventory.sources() {
        sources.insert(source);
    }
    sources
        .into_iter()
        .map(|source| {
            let sight = inventory.sight(&source, policy);
            (source, sight)
        })
        .collect()
}

#[cfg(test)]
mod tests;
