//! Claims: a report that was never answered may have given a name to somebody else, or to who had it
//! before it ended. Before such a name is ended it is asked how that one stands.

use crate::model::ledger::{Entry, Owner, Sent};
use crate::model::moment::Moment;
use crate::model::record::{Identity, Line, Status};

use super::draft::Draft;
use super::verdict::{self, Verdict};
use super::{Row, Step, Why};

/// How who may have a name by an unanswered report stands.
#[derive(Clone, Copy)]
pub(super) enum Claimant {
    /// Nothing can be said of it.
    Withheld(Why),
    /// What GitHub may hold of it is kept; if it is without a pod: until when at most.
    Retained(Option<Moment>),
}

impl Draft<'_> {
    /// The claim to a name, with what the truth table says of who claims it.
    fn claimed<'a>(&self, entry: &'a Entry) -> Option<(&'a Sent, Verdict<'a>)> {
        let claim = entry.claim()?;
        let verdict = match &claim.owner {
            Owner::Source(source) => {
                let sight = self.sights.get(source)?;
                verdict::of_claim(source, claim, entry, sight, self.policy, self.now)
            }
            Owner::Adopted => return None,
            Owner::Unreadable(_) => Verdict::Withheld(Row::Foreign, Why::UnreadableSource),
        };
        Some((claim, verdict))
    }

    /// Whether a name is to stay with who claims it.
    fn stays(&self, identity: &Identity, claim: &Sent, verdict: &Verdict<'_>) -> bool {
        let present = |source| self.acknowledged_as(source, &claim.body.name);
        match verdict {
            Verdict::Withheld(..) => true,
            Verdict::Retained(..) | Verdict::Runs(_) => {
                let present = claim.owner.source().and_then(present);
                present.is_none_or(|present| present == identity)
            }
            Verdict::Gone(_) | Verdict::Adopted | Verdict::Tombstone { .. } => false,
        }
    }

    /// Whether somebody may have this name by a report that was not answered, so that nobody else is
    /// to be given it.
    pub(super) fn is_claimed(&self, identity: &Identity, entry: &Entry) -> bool {
        self.claimed(entry)
            .is_some_and(|(claim, verdict)| self.stays(identity, claim, &verdict))
    }

    /// The claim to a name for which no report is made, with how the claimant stands; `None` where there
    /// is no claim, or nothing is to be kept for it.
    pub(super) fn claim<'a>(
        &mut self,
        identity: &Identity,
        entry: &'a Entry,
    ) -> Option<(&'a Sent, Claimant)> {
        let (claim, verdict) = self.claimed(entry)?;
        let stays = self.stays(identity, claim, &verdict);
        let claimant = match verdict {
            Verdict::Withheld(_, why) => Claimant::Withheld(why),
            Verdict::Runs(source) if self.refused.contains(source) => {
                Claimant::Withheld(Why::Refused)
            }
            Verdict::Runs(source) if self.plan.names.contains_key(source) => {
                Claimant::Withheld(Why::Moving)
            }
            // Who runs without a digest has no name.
            _ => Claimant::Retained(verdict.due()),
        };
        // Also where it has been idle for long: until its end is said, that stays so.
        if verdict.is_idle() {
            self.plan.idle.push(identity.clone());
        }
        stays.then_some((claim, claimant))
    }

    /// Says again what was not answered, since what it says is to be kept: only an answer tells whose
    /// record is there.
    pub(super) fn settle_claim(
        &mut self,
        identity: &Identity,
        entry: &Entry,
        claim: &Sent,
        claimant: Claimant,
    ) {
        match claimant {
            Claimant::Withheld(why) => {
                return self.plan.withheld.push((identity.clone(), why));
            }
            Claimant::Retained(Some(until)) => self.due(until),
            Claimant::Retained(None) => {}
        }
        let body = self.canon.apply(&identity.destination, &claim.body);
        let refusal = self.ledger.refusal(identity, &body);
        if let Some(refusal) = refusal.filter(|refusal| self.now < refusal.retry_at) {
            self.due(refusal.retry_at);
            return self.plan.withheld.push((identity.clone(), Why::Refused));
        }
        let line = Line {
            identity: identity.clone(),
            body,
            status: Status::Deployed,
        };
        self.reported.insert(identity.clone());
        self.plan.reports.push(Step {
            line,
            owner: claim.owner.clone(),
            fresh: entry.held.is_none(),
        });
    }

    /// Ends what has moved away, unless somebody else may have its name by now.
    pub(super) fn leave(&mut self, identity: &Identity, entry: &Entry) {
        match self.claim(identity, entry) {
            Some((claim, claimant)) => self.settle_claim(identity, entry, claim, claimant),
            None => self.end(identity, entry, false),
        }
    }
}
