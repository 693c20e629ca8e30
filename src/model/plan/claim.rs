//! Claims: a report that was never answered may have given a name to somebody else, or to who had it
//! before it ended. Before such a name is ended it is asked how that one stands.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::inventory::sight::Sight;
use crate::model::ledger::{Entry, Owner, Sent};
use crate::model::moment::Moment;
use crate::model::record::{Body, Identity, Line, Status};
use crate::model::workload::Source;

use super::draft::Draft;
use super::verdict::{Judge, Verdict};
use super::{Row, Step, Why};

/// A report that was never answered, by which somebody may have a name.
pub(super) struct Claim<'a> {
    /// What was sent.
    pub(super) sent: &'a Sent,
    /// What the truth table says of for whom, if GitHub has applied it.
    pub(super) verdict: Verdict<'a>,
}

/// Every claim, by the name. Who adopts a record claims nothing.
pub(super) fn all<'a>(
    judge: &Judge<'a>,
    sights: &BTreeMap<Source, Sight>,
) -> BTreeMap<&'a Identity, Claim<'a>> {
    let of_entry = |entry: &'a Entry| {
        let sent = entry.claim()?;
        let verdict = match &sent.owner {
            Owner::Source(source) => judge.of_claim(source, sent, sights.get(source)?),
            Owner::Adopted => return None,
            Owner::Unreadable(_) => Verdict::Withheld(Row::Foreign, Why::UnreadableSource),
        };
        Some(Claim { sent, verdict })
    };
    let entries = judge.ledger.entries();
    entries
        .filter_map(|(identity, entry)| Some((identity, of_entry(entry)?)))
        .collect()
}

/// How who may have a name by an unanswered report stands.
#[derive(Clone, Copy)]
pub(super) enum Claimant {
    /// Nothing can be said of it.
    Withheld(Why),
    /// What GitHub may hold of it is kept; if it is without a pod: until when at most.
    Retained(Option<Moment>),
}

impl<'a> Draft<'a> {
    /// Who claims the names that are to stay with who claims them, so that nobody else is given them.
    pub(super) fn claimed(&self) -> BTreeMap<&'a Identity, &'a Owner> {
        let claims = self.claims.iter();
        let claimed = claims.filter(|(identity, claim)| self.stays(identity, claim));
        let of = |(identity, claim): (&&'a Identity, &Claim<'a>)| (*identity, &claim.sent.owner);
        claimed.map(of).collect()
    }

    /// Whether a name is to stay with who claims it.
    fn stays(&self, identity: &Identity, claim: &Claim<'_>) -> bool {
        match claim.verdict {
            Verdict::Withheld(..) => true,
            Verdict::Retained(..) | Verdict::Runs(_) => {
                let source = claim.sent.owner.source();
                let present = |source| self.acknowledged_as(source, &claim.sent.body.name);
                let present = source.map(present).unwrap_or_default();
                present.is_empty() || present.contains(&identity)
            }
            Verdict::Gone(_) | Verdict::Adopted | Verdict::Tombstone { .. } => false,
        }
    }

    /// The claim to a name for which no report is made, with how the claimant stands; `None` where there
    /// is no claim, or nothing is to be kept for it.
    pub(super) fn claim(&self, identity: &Identity) -> Option<(&'a Sent, Claimant)> {
        let claim = self.claims.get(identity)?;
        let claimant = match claim.verdict {
            Verdict::Withheld(_, why) => Claimant::Withheld(why),
            // Who runs without a digest has no name. Where GitHub refuses what runs by now, or a move is not
            // finished, only an answer to what was sent before tells whose record is there.
            _ => Claimant::Retained(claim.verdict.due()),
        };
        self.stays(identity, claim)
            .then_some((claim.sent, claimant))
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
        self.say_again(identity, entry, &claim.body, &claim.owner);
    }

    /// Reports what was said before, under the name that its digest has by now.
    pub(super) fn say_again(
        &mut self,
        identity: &Identity,
        entry: &Entry,
        body: &Arc<Body>,
        owner: &Owner,
    ) {
        let body = self.canon.apply(&identity.destination, body);
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
            owner: owner.clone(),
            fresh: entry.held.is_none(),
        });
    }

    /// Ends what has moved away, unless somebody else may have its name by now.
    pub(super) fn leave(&mut self, identity: &Identity, entry: &Entry) {
        match self.claim(identity) {
            Some((claim, claimant)) => self.settle_claim(identity, entry, claim, claimant),
            None => self.end(identity, entry, false),
        }
    }
}
