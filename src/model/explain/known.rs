//! What the ledger knows of a record besides what the last plan says: what GitHub acknowledged, what is
//! unanswered, what it refuses and when it is asked again. Made with each plan, for the records of
//! which there is something to say; nothing is decided by it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::model::gap::Reason;
use crate::model::ledger::{Entry, Fate, Ledger, Owner, Refusal};
use crate::model::moment::Moment;
use crate::model::plan::Plan;
use crate::model::record::{Body, Identity, Status};

/// What the ledger knows of a record.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its key, as the ledger spells it.
    pub identity: Identity,
    /// Whose name it is.
    pub owner: Owner,
    /// What it knows of it.
    pub memory: Memory,
}

/// What the ledger knows of what GitHub was told under a name; nothing where it never was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// What GitHub last acknowledged; `None` where it never did.
    pub held: Option<Arc<Body>>,
    /// What was sent and has no definite answer.
    pub unanswered: Vec<(Status, Arc<Body>)>,
    /// When that is asked again.
    pub asked_again_at: Option<Moment>,
    /// Whether GitHub has acknowledged its end once, and when it is told again.
    pub ends_again_at: Option<Moment>,
    /// Since when its source is missing.
    pub missing_since: Option<Moment>,
    /// Since when its source has no pod.
    pub idle_since: Option<Moment>,
    /// What GitHub refuses.
    pub refused: Vec<Refused>,
}

/// What GitHub refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What it would not take.
    pub body: Arc<Body>,
    /// As what.
    pub status: Status,
    /// Why.
    pub reason: Reason,
    /// When it is asked again, if it is still wanted then.
    pub retry_at: Moment,
}

impl Refused {
    fn new(refusal: &Refusal, status: Status) -> Self {
        Self {
            body: refusal.body.clone(),
            status,
            reason: refusal.reason,
            retry_at: refusal.retry_at,
        }
    }
}

impl Known {
    /// What `ledger` knows of each record of which `plan` does not say all, by identity. Of one that is
    /// sent as it is held, with nothing unanswered, the plan says all.
    pub fn all(ledger: &Ledger, plan: &Plan, settle_after: Duration) -> Vec<Self> {
        let mut known: BTreeMap<&Identity, Self> = BTreeMap::new();
        let plain = plan.unchanged.iter().chain(&plan.retained);
        let plain: std::collections::BTreeSet<&Identity> =
            plain.map(|step| &step.line.identity).collect();
        let idle_since = |entry: &Entry| {
            let source = entry.owner.source();
            source.and_then(|source| ledger.idle().get(source)).copied()
        };
        let made = |identity: &Identity, entry: &Entry| {
            Self::of(identity, entry, idle_since(entry), settle_after)
        };
        for (identity, entry) in ledger.entries() {
            let is_idle = idle_since(entry).is_some();
            if is_idle || !plain.contains(identity) || !is_plain(entry) {
                known.insert(identity, made(identity, entry));
            }
        }
        for (identity, refusal) in ledger.refusals() {
            let refused = Refused::new(refusal, Status::Deployed);
            let of_entry = || match ledger.entry(identity) {
                Some(entry) => Some(made(identity, entry)),
                None => Self::without_entry(identity, plan),
            };
            if !known.contains_key(identity) {
                known.extend(of_entry().map(|made| (identity, made)));
            }
            if let Some(known) = known.get_mut(identity) {
                known.memory.refused.push(refused);
            }
        }
        known.into_values().collect()
    }

    fn of(
        identity: &Identity,
        entry: &Entry,
        idle_since: Option<Moment>,
        settle_after: Duration,
    ) -> Self {
        let unknown = entry.sent.iter().filter(|sent| sent.fate == Fate::Unknown);
        let end = entry.end_refusal.as_deref();
        let end = end.map(|refusal| Refused::new(refusal, Status::Decommissioned));
        let tombstone = entry.is_tombstone();
        Self {
            identity: identity.clone(),
            owner: entry.owner.clone(),
            memory: Memory {
                held: entry.held.clone(),
                unanswered: unknown
                    .map(|sent| (sent.status, sent.body.clone()))
                    .collect(),
                asked_again_at: entry.settles_at(settle_after),
                ends_again_at: tombstone.then(|| entry.ends_again_at(settle_after)),
                missing_since: entry.missing_since,
                idle_since,
                refused: end.into_iter().collect(),
            },
        }
    }

    /// A name that GitHub never took, if it is still somebody's.
    fn without_entry(identity: &Identity, plan: &Plan) -> Option<Self> {
        let mut names = plan.names.iter();
        let (source, _) = names.find(|(_, given)| *given == identity)?;
        Some(Self {
            identity: identity.clone(),
            owner: Owner::Source(source.clone()),
            memory: Memory::default(),
        })
    }
}

/// Whether an entry itself says nothing but what it holds.
fn is_plain(entry: &Entry) -> bool {
    let is_open = entry.is_unanswered() || entry.end_refusal.is_some() || entry.is_tombstone();
    entry.missing_since.is_none() && !is_open
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixtures::{Scene, digest, minutes};
    use crate::model::ledger::Outcome;

    const WEB: &str = "shop-web-app";

    #[test]
    fn an_entry_that_says_more_than_what_it_holds_is_not_plain() {
        let held = Scene::recorded();
        assert!(is_plain(held.entry(WEB).unwrap()));
        let mut missing = held.entry(WEB).unwrap().clone();
        missing.missing_since = Some(held.now);
        assert!(!is_plain(&missing));

        let gone = |outcome| {
            let mut scene = Scene::recorded();
            scene.delete(&crate::model::workload::Kind::Deployment, "web");
            scene.cycle_with(|_| outcome);
            let mut entry = scene.entry(WEB).unwrap().clone();
            entry.missing_since = None;
            entry
        };
        let refused = gone(Outcome::Refused(Reason::Unauthorized));
        assert!(refused.end_refusal.is_some() && !is_plain(&refused));
        let tombstone = gone(Outcome::Acknowledged);
        assert!(tombstone.is_tombstone() && !is_plain(&tombstone));

        let mut unanswered = Scene::recorded();
        unanswered.change_pods("web", |pod| pod.containers[0].digest = Some(digest(2)));
        unanswered.cycle_with(|_| Outcome::Unknown);
        unanswered.wait(minutes(1));
        assert!(!is_plain(unanswered.entry(WEB).unwrap()));
    }
}
