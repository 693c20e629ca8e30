//! What becomes of the ledger's entries, now that reports are known: the second half of a plan in
//! the making.

use std::sync::Arc;

use crate::model::gap::{Gap, Reason, Subject};
use crate::model::ledger::Entry;
use crate::model::naming;
use crate::model::record::{Body, Identity, Line, Status};
use crate::model::workload::Source;

use super::body;
use super::draft::Draft;
use super::verdict::Verdict;
use super::{Plan, Step, Why};

impl Draft<'_> {
    /// What becomes of an entry, now that reports are known.
    pub(super) fn settle(&mut self, identity: &Identity, entry: &Entry, verdict: &Verdict<'_>) {
        if let Some(due) = verdict.due() {
            self.due(due);
        }
        if let (Some(source), Some(row)) = (entry.owner.source(), verdict.row()) {
            let known = self.plan.rows.entry(source.clone()).or_insert(row);
            if verdict.is_about_the_source() {
                *known = row;
            }
        }
        if self.reported.contains(identity) {
            return;
        }
        let ends = match verdict {
            Verdict::Gone(_) | Verdict::Adopted | Verdict::Tombstone { .. } => true,
            Verdict::Runs(_) => entry.is_tombstone(),
            Verdict::Withheld(..) | Verdict::Retained(..) => false,
        };
        if ends && let Some((claim, claimant)) = self.claim(identity) {
            return self.settle_claim(identity, entry, claim, claimant);
        }
        match verdict {
            Verdict::Withheld(_, why) => self.plan.withheld.push((identity.clone(), *why)),
            Verdict::Retained(..) => self.retain_unless_moved(identity, entry),
            Verdict::Gone(_) => {
                self.plan.missing.push(identity.clone());
                self.end(identity, entry, true);
            }
            Verdict::Adopted => self.end(identity, entry, false),
            Verdict::Tombstone { covered } => self.end_again(identity, entry, *covered),
            Verdict::Runs(_) if entry.is_tombstone() => self.end_again(identity, entry, true),
            Verdict::Runs(source) => self.settle_running(identity, entry, source),
        }
    }

    /// Rows 8, 10 and 12 for an entry that no report is made for.
    fn settle_running(&mut self, identity: &Identity, entry: &Entry, source: &Source) {
        let Some(present) = self.plan.names.get(source) else {
            return self.retain_unless_moved(identity, entry);
        };
        if present == identity {
            return self.retain(identity, entry);
        }
        let arrived = self
            .ledger
            .entry(present)
            .is_some_and(|entry| entry.stands_for(source));
        if arrived {
            self.leave(identity, entry);
        } else {
            let why = self.why_moving(source);
            self.plan.withheld.push((identity.clone(), why));
        }
    }

    /// Why nothing is sent under a name of a source that is to have another one.
    pub(super) fn why_moving(&self, source: &Source) -> Why {
        let is_refused = self.refused.contains(source);
        if is_refused {
            Why::Refused
        } else {
            Why::Moving
        }
    }

    /// What becomes of an entry whose source has nothing to report. If GitHub has acknowledged that
    /// source at the place that is its own by now, the move is finished: row 10.
    fn retain_unless_moved(&mut self, identity: &Identity, entry: &Entry) {
        let present = self.acknowledged(entry);
        if present.is_empty() || present.contains(&identity) {
            self.retain(identity, entry);
        } else {
            self.leave(identity, entry);
        }
    }

    fn acknowledged(&self, entry: &Entry) -> Vec<&Identity> {
        // What was sent and never answered may be held.
        let unanswered = || entry.bodies().first().copied();
        let image = entry
            .held
            .as_ref()
            .or_else(unanswered)
            .map(|body| &body.name);
        let named = entry.owner.source().zip(image);
        let names = named.map(|(source, image)| self.acknowledged_as(source, image));
        names.unwrap_or_default()
    }

    /// Under which identities GitHub has acknowledged a source at its present place.
    pub(super) fn acknowledged_as(&self, source: &Source, image: &Arc<str>) -> Vec<&Identity> {
        let sight = self.sights.get(source);
        let place = sight.and_then(|sight| sight.place_of(image, self.policy));
        let template = &self.policy.template;
        let names = |place: Arc<_>| naming::acknowledged(source, &place, self.by_source, template);
        place.map(names).unwrap_or_default()
    }

    /// Sends an entry with the snapshot as it is held, if GitHub is known to hold just that and
    /// has not refused it since.
    fn retain(&mut self, identity: &Identity, entry: &Entry) {
        if self.asks(identity, entry) {
            let at = entry.settles_at(self.policy.settle_after);
            match (at.filter(|at| *at > self.now), entry.said_last()) {
                (Some(at), _) => self.due(at),
                (None, Some(body)) => {
                    return self.say_again(identity, entry, body, &entry.owner);
                }
                // Nothing of its owner is there, and of nobody else who may be.
                (None, None) if entry.is_of_one() => {
                    self.plan.missing.push(identity.clone());
                    return self.end(identity, entry, true);
                }
                (None, None) => {}
            }
        }
        let held = entry.held.as_ref().filter(|_| !entry.is_in_doubt());
        let Some(body) = held.map(|held| self.canon.apply(&identity.destination, held)) else {
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

    /// Whether what was said last of an entry is said again although nothing of its source is to be
    /// reported, and once more when that settles it: only an answer tells whether it is there. That is asked
    /// where somebody who is gone may have written over it, and where its source is by now, while GitHub may
    /// hold a record of that elsewhere.
    fn asks(&self, identity: &Identity, entry: &Entry) -> bool {
        if entry.may_be_anothers() {
            return self.claim(identity).is_none();
        }
        let said = entry.owner.source().zip(entry.said_last());
        let Some((source, _)) = said.filter(|(source, said)| self.is_at(source, identity, said))
        else {
            return false;
        };
        let own = self.by_source.get(source).into_iter().flatten();
        let others = own.filter(|(other, entry)| *other != identity && !entry.is_tombstone());
        let others: Vec<_> = others.collect();
        if !entry.may_be_undone() {
            return entry.held.is_none() && !others.is_empty();
        }
        // It was left. Its source is back if no other place is its own.
        let stands_there = others.iter().any(|(other, entry)| {
            let held = entry.held.as_ref().filter(|_| entry.stands_for(source));
            held.is_some_and(|held| self.is_at(source, other, held))
        });
        entry.stands_for(source) || !(others.is_empty() || stands_there)
    }

    /// Whether the place of that identity is the one that its source has by now.
    fn is_at(&self, source: &Source, identity: &Identity, said: &Body) -> bool {
        let sight = self.sights.get(source);
        let place = sight.and_then(|sight| sight.place_of(&said.name, self.policy));
        place.is_some_and(|place| place == identity.destination)
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

    pub(super) fn end(&mut self, identity: &Identity, entry: &Entry, guarded: bool) {
        let Some(body) = body::of_end(identity, entry, &self.canon, self.now) else {
            if let Some(refusal) = &entry.end_refusal {
                self.due(refusal.retry_at);
                self.plan.withheld.push((identity.clone(), Why::EndRefused));
            }
            return;
        };
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

    pub(super) fn finish(mut self) -> Plan {
        for stray in self.inventory.strays() {
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
        if let Some(stocktaking) = self.stocktaking.take() {
            let (storage, due) = stocktaking.finish(self.ledger.stock(), self.now);
            self.plan.storage = storage;
            if let Some(due) = due {
                self.due(due);
            }
        }
        self.guard();
        let by_identity = |one: &Step, other: &Step| one.line.identity.cmp(&other.line.identity);
        self.plan.reports.sort_by(by_identity);
        self.plan.unchanged.sort_by(by_identity);
        self.plan.gaps.sort();
        self.plan.gaps.dedup();
        self.plan
    }
}
