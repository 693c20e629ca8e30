//! Plan: what to send, and what not. One pure function of the ledger, the inventory, the policy
//! and the time; the truth table stands at [`Plan::new`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::gap::{Gap, Reason, Subject};
use super::inventory::Inventory;
use super::inventory::sight::{Selected, Sight, Standing, Unselected};
use super::ledger::{Entry, Ledger, Owner};
use super::moment::Moment;
use super::naming::{self, Candidate};
use super::policy::Policy;
use super::record::{Identity, Line, Status};
use super::workload::Source;

mod body;
mod guard;
mod row;
mod verdict;

pub use row::{Row, Why};

use body::Canon;
use verdict::Verdict;

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
    /// The name of every source that runs with a digest.
    pub names: BTreeMap<Source, Identity>,
    /// The row that applies to each entry and to each source without one.
    pub rows: BTreeMap<Source, Row>,
    /// Names that are missing: [`Ledger::observe`].
    pub missing: Vec<Identity>,
    /// Names without any pod: [`Ledger::observe`].
    pub idle: Vec<Identity>,
    /// Sources that are not selected, by reason.
    pub not_selected: BTreeMap<Unselected, usize>,
    /// Sources that never ran yet and are in no ledger.
    pub not_running: usize,
    /// Identities that settings spell otherwise than the ledger, whose spelling is sent: first as
    /// settings spell it.
    pub respelled: Vec<(Identity, Identity)>,
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
    /// | 5 | not selected, or opted out | yes / no | decommission / counted |
    /// | 6 | not covered, or what row 5 needs is unread | yes / no | withheld / Gap |
    /// | 7 | workload gone | yes | decommission |
    /// | 8 | runs, its body refused, retry not due | held / held elsewhere / no | retained / withheld / nothing, each with a Gap |
    /// | 9 | runs under this identity | yes | as held and answered: unchanged; else report |
    /// | 10 | runs under another identity | yes | report that; this: withheld until that is acknowledged, then decommission |
    /// | 11 | runs | no | report |
    /// | 12 | runs, no digest or no usable name | yes / no | retained and Gap / Gap |
    /// | 13 | in some pod's spec, not running | yes / no | retained / counted |
    /// | 14 | has pods, none with this container; one of them runs / none does | yes | decommission (a kind that is not built in: when idle for long) / retained |
    /// | 15 | CronJob or Job without a pod | yes | retained |
    /// | 16 | workload without a pod | yes | retained; when idle for long: decommission |
    ///
    /// Names missing by rows 4, 5, 7, 14 and 16 pass the guard: when more than half of the held
    /// names are missing, and at least three, only those go that are missing for long.
    pub fn new(ledger: &Ledger, inventory: &Inventory, policy: &Policy, now: Moment) -> Self {
        let sights = sights(ledger, inventory, policy);
        let verdicts: Vec<(&Identity, &Entry, Verdict<'_>)> = ledger
            .entries()
            .map(|(identity, entry)| {
                let sight = match &entry.owner {
                    Owner::Source(source) => sights.get(source),
                    Owner::Adopted | Owner::Unreadable(_) => None,
                };
                let verdict = verdict::of(identity, entry, sight, inventory, policy, now);
                (identity, entry, verdict)
            })
            .collect();

        let mut draft = Draft::new(ledger, policy, now);
        draft.name(&sights, &verdicts);
        draft.weigh_sources(&sights);
        for (identity, entry, verdict) in &verdicts {
            draft.settle(identity, entry, verdict);
        }
        draft.finish(inventory)
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
    let known = ledger
        .entries()
        .filter_map(|(_, entry)| match &entry.owner {
            Owner::Source(source) => Some(source.clone()),
            Owner::Adopted | Owner::Unreadable(_) => None,
        });
    let sources: BTreeSet<Source> = inventory.sources().chain(known).collect();
    sources
        .into_iter()
        .map(|source| {
            let sight = inventory.sight(&source, policy);
            (source, sight)
        })
        .collect()
}

/// A plan in the making.
struct Draft<'a> {
    ledger: &'a Ledger,
    policy: &'a Policy,
    now: Moment,
    plan: Plan,
    canon: Canon,
    /// Sources whose report is refused and not due.
    refused: BTreeSet<Source>,
    /// Identities that a report takes over or renews.
    reported: BTreeSet<Identity>,
    /// Decommissions that the guard has a say in.
    endings: Vec<(Step, bool)>,
    by_source: BTreeMap<&'a Source, Vec<(&'a Identity, &'a Entry)>>,
}

impl<'a> Draft<'a> {
    fn new(ledger: &'a Ledger, policy: &'a Policy, now: Moment) -> Self {
        Self {
            ledger,
            policy,
            now,
            plan: Plan::default(),
            canon: Canon::default(),
            refused: BTreeSet::new(),
            reported: BTreeSet::new(),
            endings: Vec::new(),
            by_source: ledger.by_source(),
        }
    }

    /// Gives every source that runs with a digest its name.
    fn name(
        &mut self,
        sights: &BTreeMap<Source, Sight>,
        verdicts: &[(&Identity, &Entry, Verdict<'_>)],
    ) {
        let released: BTreeSet<&Identity> = verdicts
            .iter()
            .filter(|(_, _, verdict)| matches!(verdict, Verdict::Gone(_)))
            .map(|(identity, ..)| *identity)
            .collect();
        let candidates: Vec<Candidate<'_>> = sights
            .iter()
            .filter(|(_, sight)| is_wanted(sight, self.policy))
            .filter_map(|(source, sight)| {
                let (running, destination, _) = sight.reportable()?;
                let restarts_always = running.evidence.pod.restarts_always;
                Some(Candidate {
                    source,
                    destination,
                    restarts_always,
                })
            })
            .collect();
        self.plan.names = naming::assign(&candidates, self.ledger, &released, self.policy);
        let running = self
            .plan
            .names
            .keys()
            .filter_map(|source| sights.get(source));
        self.canon = Canon::new(running, self.ledger);
    }

    /// Rows 5, 6 and 8 to 13 for what is seen now.
    fn weigh_sources(&mut self, sights: &BTreeMap<Source, Sight>) {
        for (source, sight) in sights {
            let known = self.by_source.contains_key(source);
            match (
                sight.selected(None, &self.policy.selection),
                &sight.standing,
            ) {
                (Selected::No(why), _) => {
                    *self.plan.not_selected.entry(why).or_default() += 1;
                    self.plan.rows.insert(source.clone(), Row::NotSelected);
                }
                (selected, Standing::Runs(_) | Standing::InSpec)
                    if !sight.covered || selected == Selected::Unread =>
                {
                    self.gap(
                        source,
                        Reason::NotCovered,
                        "not all that decides it is fully seen",
                    );
                    self.plan.rows.insert(source.clone(), Row::NotCovered);
                }
                (_, Standing::Runs(running)) => self.weigh(source, sight, running),
                (_, Standing::InSpec) if !known => {
                    self.plan.not_running += 1;
                    self.plan.rows.insert(source.clone(), Row::NotRunning);
                }
                (_, Standing::InSpec | Standing::Dropped { .. } | Standing::NoPods) => {}
            }
        }
    }

    /// Rows 8 to 12.
    fn weigh(
        &mut self,
        source: &Source,
        sight: &Sight,
        running: &super::inventory::sight::Running,
    ) {
        for digest in &running.evidence.other_digests {
            self.gap(source, Reason::OtherDigest, &digest.to_string());
        }
        let Some((body, context)) = body::of(sight) else {
            match (&running.image, &running.frame) {
                (Err((reason, detail)), _) => self.gap(source, *reason, detail),
                (_, None) => self.gap(source, Reason::ContextUnknown, "its namespace is not read"),
                _ => self.gap(source, Reason::NoDigest, &running.evidence.image),
            }
            self.plan.rows.insert(source.clone(), Row::NoDigest);
            return;
        };
        for (reason, detail) in &context.gaps {
            self.gap(source, *reason, detail);
        }
        let Some(named) = self.plan.names.get(source).cloned() else {
            return;
        };
        let identity = self.ledger.spelled(&named);
        if !identity.is_spelled_as(&named) {
            self.plan.respelled.push((named.clone(), identity.clone()));
        }
        let entry = self.ledger.entry(&identity);
        let owner = Owner::Source(source.clone());
        let own = entry.filter(|entry| entry.owner == owner && !entry.is_tombstone());
        let mut body = body;
        if running.owner_unreadable {
            let rule = &source.workload.kind;
            self.gap(
                source,
                Reason::OwnerUnreadable,
                &format!("needs list and watch on {rule}"),
            );
            let elsewhere = self
                .by_source
                .get(source)
                .into_iter()
                .flatten()
                .map(|(_, entry)| *entry);
            if let Some(held) = own
                .into_iter()
                .chain(elsewhere)
                .find_map(|e| e.held.as_ref())
            {
                body.tags.clone_from(&held.tags);
                body.risks.clone_from(&held.risks);
            }
        }
        let body = self.canon.apply(&Arc::new(body));
        let line = Line {
            identity: identity.clone(),
            body,
            status: Status::Deployed,
        };
        let fresh = entry.is_none_or(|entry| entry.held.is_none());
        let step = Step { line, owner, fresh };
        self.report_or_keep(source, step, own);
    }

    fn report_or_keep(&mut self, source: &Source, step: Step, own: Option<&Entry>) {
        let identity = step.line.identity.clone();
        let refusal = self.ledger.refusal(&identity, &step.line.body);
        if let Some(refusal) = refusal.filter(|refusal| self.now < refusal.retry_at) {
            self.gap(source, refusal.reason, &identity.name);
            self.due(refusal.retry_at);
            self.plan.rows.insert(source.clone(), Row::Refused);
            self.refused.insert(source.clone());
            return;
        }
        let row = match own {
            Some(_) => Row::Known,
            None if self.by_source.contains_key(source) => Row::Moved,
            None => Row::New,
        };
        self.plan.rows.insert(source.clone(), row);
        self.reported.insert(identity);
        let as_held = own.is_some_and(|own| own.held.as_ref() == Some(&step.line.body));
        let settles = own.and_then(|own| own.settles_at(self.policy.settle_after));
        let answered = match settles {
            Some(at) if at > self.now => {
                self.due(at);
                true
            }
            settles => settles.is_none(),
        };
        if as_held && answered && refusal.is_none() {
            self.plan.unchanged.push(step);
        } else {
            self.plan.reports.push(step);
        }
    }

    /// What becomes of an entry, now that reports are known.
    fn settle(&mut self, identity: &Identity, entry: &Entry, verdict: &Verdict<'_>) {
        if let Some(due) = verdict.due() {
            self.due(due);
        }
        if verdict.is_idle() {
            self.plan.idle.push(identity.clone());
        }
        if self.reported.contains(identity) {
            return;
        }
        match verdict {
            Verdict::Withheld(_, why) => self.plan.withheld.push((identity.clone(), *why)),
            Verdict::Retained(..) => self.retain(identity, entry),
            Verdict::Gone(_) => {
                self.plan.missing.push(identity.clone());
                self.end(identity, entry, true);
            }
            Verdict::Adopted => self.end(identity, entry, false),
            Verdict::Tombstone { covered } => self.end_again(identity, entry, *covered),
            Verdict::Runs(_) if entry.is_tombstone() => self.end_again(identity, entry, true),
            Verdict::Runs(source) => self.settle_running(identity, entry, source),
        }
        if let (Owner::Source(source), Some(row)) = (&entry.owner, verdict.row()) {
            self.plan.rows.entry(source.clone()).or_insert(row);
        }
    }

    /// Rows 8, 10 and 12 for an entry that no report is made for.
    fn settle_running(&mut self, identity: &Identity, entry: &Entry, source: &Source) {
        let Some(present) = self.plan.names.get(source) else {
            return self.retain(identity, entry);
        };
        if present == identity {
            return self.retain(identity, entry);
        }
        let arrived = self
            .ledger
            .entry(present)
            .is_some_and(|entry| entry.speaks_for(source));
        if arrived {
            self.end(identity, entry, false);
        } else {
            let refused = self.refused.contains(source);
            let why = if refused { Why::Refused } else { Why::Moving };
            self.plan.withheld.push((identity.clone(), why));
        }
    }

    /// Sends an entry with the snapshot as it is held, if GitHub is known to hold just that and
    /// has not refused it since.
    fn retain(&mut self, identity: &Identity, entry: &Entry) {
        let held = entry.held.as_ref().filter(|_| !entry.is_unanswered());
        let Some(body) = held.map(|held| self.canon.apply(held)) else {
            return self.plan.silent.push(identity.clone());
        };
        let refusal = self.ledger.refusal(identity, &body);
        if refusal.is_some_and(|refusal| self.now < refusal.retry_at) {
            return self.plan.silent.push(identity.clone());
        }
        let line = Line {
            identity: identity.clone(),
            body,
            status: Status::Deployed,
        };
        self.plan.retained.push(Step {
            line,
            owner: entry.owner.clone(),
            fresh: false,
        });
    }

    fn end_again(&mut self, identity: &Identity, entry: &Entry, covered: bool) {
        let at = entry.ends_again_at(self.policy.settle_after);
        if !covered {
            self.plan.withheld.push((identity.clone(), Why::NotCovered));
        } else if at > self.now {
            self.due(at);
        } else {
            self.end(identity, entry, false);
        }
    }

    fn end(&mut self, identity: &Identity, entry: &Entry, guarded: bool) {
        let bodies = entry.bodies();
        let body = match &entry.end_refusal {
            None => bodies.first().copied(),
            Some(refusal) => refusal.next_body(&bodies, self.now),
        };
        let Some(body) = body else {
            if let Some(refusal) = &entry.end_refusal {
                self.due(refusal.retry_at);
                self.plan.withheld.push((identity.clone(), Why::EndRefused));
            }
            return;
        };
        let body = self.canon.apply(body);
        let line = Line {
            identity: identity.clone(),
            body,
            status: Status::Decommissioned,
        };
        self.endings.push((
            Step {
                line,
                owner: entry.owner.clone(),
                fresh: false,
            },
            guarded,
        ));
    }

    fn finish(mut self, inventory: &Inventory) -> Plan {
        for stray in inventory.strays() {
            let (namespace, name) = (stray.pod.namespace.clone(), stray.pod.name.clone());
            if !self.policy.selection.has_namespace(&namespace) {
                continue;
            }
            let detail = format!("its {} {} is not read", stray.owner.kind, stray.owner.name);
            let subject = Subject::Pod { namespace, name };
            let gap = Gap {
                subject,
                reason: Reason::OwnerNotRead,
                detail: detail.into(),
            };
            let list = if stray.orphan {
                &mut self.plan.orphans
            } else {
                &mut self.plan.gaps
            };
            list.push(gap);
        }
        self.guard();
        let by_identity = |one: &Step, other: &Step| one.line.identity.cmp(&other.line.identity);
        self.plan.reports.sort_by(by_identity);
        self.plan.unchanged.sort_by(by_identity);
        self.plan.gaps.sort();
        self.plan.gaps.dedup();
        self.plan
    }

    fn gap(&mut self, source: &Source, reason: Reason, detail: &str) {
        let subject = Subject::Source(source.clone());
        self.plan.gaps.push(Gap {
            subject,
            reason,
            detail: detail.into(),
        });
    }

    fn due(&mut self, at: Moment) {
        self.plan.due = Some(self.plan.due.map_or(at, |due| due.min(at)));
    }
}

/// Whether a source is to have a record, as far as it is seen.
fn is_wanted(sight: &Sight, policy: &Policy) -> bool {
    sight.covered && sight.selected(None, &policy.selection) == Selected::Yes
}
