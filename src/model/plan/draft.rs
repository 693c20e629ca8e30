//! A plan in the making: names for what runs, and rows 5, 6 and 8 to 13 for what is seen now. What
//! becomes of the ledger's entries is in `settle`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::exposure::Exposed;
use crate::model::gap::{Gap, Reason, Subject};
use crate::model::inventory::Inventory;
use crate::model::inventory::sight::{Running, Selected, Sight, Standing, Unselected};
use crate::model::ledger::{BySource, Entry, Ledger, Owner};
use crate::model::moment::Moment;
use crate::model::naming::{self, Candidate};
use crate::model::origin::{Account, Origin, Place};
use crate::model::policy::Policy;
use crate::model::record::{Body, Identity, Line, Status};
use crate::model::risk::Risk;
use crate::model::storage::Stocktaking;
use crate::model::workload::Source;

use super::body::{self, Canon};
use super::claim::{self, Claim};
use super::verdict::{Judge, Verdict};
use super::{Plan, Row, Step};

/// A plan in the making.
pub(super) struct Draft<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) inventory: &'a Inventory,
    pub(super) policy: &'a Policy,
    pub(super) now: Moment,
    pub(super) plan: Plan,
    pub(super) canon: Canon,
    /// Sources whose report is refused and not due.
    pub(super) refused: BTreeSet<Source>,
    /// Identities that a report takes over or renews.
    pub(super) reported: BTreeSet<Identity>,
    /// Decommissions that the guard has a say in.
    pub(super) endings: Vec<(Step, bool)>,
    pub(super) by_source: &'a BySource<'a>,
    /// Artifacts and their registries, where GitHub is to be told of them.
    pub(super) stocktaking: Option<Stocktaking<'a>>,
    pub(super) sights: &'a BTreeMap<Source, Sight>,
    pub(super) claims: BTreeMap<&'a Identity, Claim<'a>>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(
        judge: Judge<'a>,
        by_source: &'a BySource<'a>,
        sights: &'a BTreeMap<Source, Sight>,
    ) -> Self {
        let Judge {
            ledger,
            inventory,
            policy,
            now,
        } = judge;
        Self {
            ledger,
            inventory,
            policy,
            now,
            plan: Plan::default(),
            canon: Canon::default(),
            refused: BTreeSet::new(),
            reported: BTreeSet::new(),
            endings: Vec::new(),
            by_source,
            stocktaking: policy.storage.as_ref().map(Stocktaking::new),
            sights,
            claims: claim::all(&judge, sights),
        }
    }

    /// Which sources are idle, by what is said of who has each name, and of who may have it.
    pub(super) fn note_idle(
        &mut self,
        judge: &Judge<'_>,
        verdicts: &[(&Identity, &Entry, Verdict<'_>)],
    ) {
        let owners = verdicts.iter();
        let owners = owners.map(|(_, entry, verdict)| (&entry.owner, verdict));
        let claimants = self.claims.values();
        let claimants = claimants.map(|claim| (&claim.sent.owner, &claim.verdict));
        self.plan.idle = judge.idle(owners.chain(claimants), self.sights);
    }

    pub(super) fn name(&mut self, verdicts: &[(&Identity, &Entry, Verdict<'_>)]) {
        let released: BTreeSet<&Identity> = verdicts
            .iter()
            .filter(|(_, _, verdict)| matches!(verdict, Verdict::Gone(_)))
            .map(|(identity, ..)| *identity)
            .collect();
        let claimed = self.claimed();
        let sights = self.sights.iter();
        let candidates: Vec<Candidate<'_>> = sights
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
        self.plan.names = naming::assign(
            &candidates,
            self.ledger,
            self.by_source,
            &released,
            &claimed,
            self.policy,
        );
        for identity in self.plan.names.values_mut() {
            let spelled = self.ledger.spelled(identity);
            if !spelled.is_spelled_as(identity) {
                let typed = std::mem::replace(identity, spelled.clone());
                self.plan.respelled.push((typed, spelled));
            }
        }
        let running = self
            .plan
            .names
            .keys()
            .filter_map(|source| self.sights.get(source));
        self.canon = Canon::new(running, self.ledger);
    }

    /// Rows 5, 6 and 8 to 13 for what is seen now.
    pub(super) fn weigh_sources(&mut self) {
        // What is behind these is not known, and it is of no kind that was asked for.
        let unwatched = self.inventory.unwatched();
        if unwatched > 0 {
            self.plan.not_selected.insert(Unselected::Kind, unwatched);
        }
        for (source, sight) in self.sights {
            let known = self.by_source.contains_key(source);
            let selected = sight.selected(None, self.policy);
            match (selected.left_out_by(), &sight.standing) {
                (Some(_), _) if known && selected == Selected::JobsOnly => {}
                (Some(why), _) => {
                    *self.plan.not_selected.entry(why).or_default() += 1;
                    self.plan.rows.insert(source.clone(), Row::NotSelected);
                }
                (None, Standing::Runs(_) | Standing::InSpec)
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
    fn weigh(&mut self, source: &Source, sight: &Sight, running: &Running) {
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
        let Some(identity) = self.plan.names.get(source).cloned() else {
            return;
        };
        let entry = self.ledger.entry(&identity);
        let owner = Owner::Source(source.clone());
        let own = entry.filter(|entry| entry.owner == owner && !entry.is_tombstone());
        let (image, mut body) = (body.name.clone(), body);
        if let Some(lacks) = &running.owner_lacks {
            self.gap(source, Reason::OwnerUnreadable, lacks);
            self.keep_context(source, own, &mut body);
        }
        self.expose(source, own, &running.exposed, &mut body);
        if context.origin == Origin::Unread {
            self.keep_repository(&identity, source, &mut body);
            self.note_unread(running, &body);
        }
        let place = identity.destination.clone();
        let body = self.canon.apply(&place, &Arc::new(body));
        let body = match entry {
            Some(entry) => entry.own_copy(&body),
            None => body,
        };
        let line = Line {
            identity: identity.clone(),
            body,
            status: Status::Deployed,
        };
        let fresh = entry.is_none_or(|entry| entry.held.is_none());
        let body = line.body.clone();
        let step = Step { line, owner, fresh };
        let recorded = self.report_or_keep(source, step, own);
        if let Some(stocktaking) = &mut self.stocktaking {
            stocktaking.note(&place, image, body, recorded);
        }
    }

    /// The workload is of a kind that cannot be read: what GitHub holds of its tags and risks stays.
    fn keep_context(&self, source: &Source, own: Option<&Entry>, body: &mut Body) {
        let elsewhere = self.by_source.get(source).into_iter().flatten();
        let elsewhere = elsewhere.map(|(_, entry)| *entry);
        let known = own.into_iter().chain(elsewhere);
        let mut alive = known.filter(|entry| !entry.is_tombstone());
        if let Some(held) = alive.find_map(|entry| entry.held.as_ref()) {
            body.tags.clone_from(&held.tags);
            // What pod and namespace declare is read, and risks are a union.
            body.risks.extend(held.risks.iter());
        }
    }

    /// Adds what was found out about exposure to what is declared. What is not known takes nothing
    /// away and adds nothing: what GitHub was told last stays.
    fn expose(&mut self, source: &Source, own: Option<&Entry>, exposed: &Exposed, body: &mut Body) {
        let is_declared = body.risks.contains(Risk::InternetExposed);
        match exposed {
            Exposed::Yes => body.risks.insert(Risk::InternetExposed),
            Exposed::Unknown(unread) if !is_declared => {
                self.gap(source, Reason::ExposureUnknown, &unread.to_string());
                let elsewhere = self.by_source.get(source).into_iter().flatten();
                let elsewhere = elsewhere.map(|(_, entry)| *entry);
                let known = own.into_iter().chain(elsewhere);
                let mut alive = known.filter(|entry| !entry.is_tombstone());
                let told = alive.find_map(|entry| entry.bodies().first().map(|body| body.risks));
                if told.is_some_and(|risks| risks.contains(Risk::InternetExposed)) {
                    body.risks.insert(Risk::InternetExposed);
                }
            }
            Exposed::Unknown(_) | Exposed::No => {}
        }
    }

    /// The image's label is not read: what is known of this source and this digest stays, so that
    /// nothing changes at GitHub because of a restart or of a registry that does not answer.
    fn keep_repository(&self, identity: &Identity, source: &Source, body: &mut Body) {
        let (host, organization) = (
            &identity.destination.host,
            &identity.destination.organization,
        );
        let known = self.by_source.get(source).into_iter().flatten();
        let known = known.filter(|(known, _)| {
            let known = &known.destination;
            (&known.host, &known.organization) == (host, organization)
        });
        let mut bodies = known.flat_map(|(_, entry)| entry.bodies());
        body.repository = bodies
            .find(|known| known.digest == body.digest && known.repository.is_some())
            .and_then(|known| known.repository.clone());
    }

    fn note_unread(&mut self, running: &Running, body: &Body) {
        let pod = &running.evidence.pod;
        let account = pod.pull.as_ref().map(|pull| Account {
            namespace: pod.namespace.clone(),
            pull: pull.clone(),
        });
        let image = running.evidence.image.clone();
        let places = self.plan.unread.entry(body.digest).or_default();
        places.insert(Place { image, account });
    }

    /// Returns whether GitHub holds it as it is.
    fn report_or_keep(&mut self, source: &Source, step: Step, own: Option<&Entry>) -> bool {
        let identity = step.line.identity.clone();
        let refusal = self.ledger.refusal(&identity, &step.line.body);
        if let Some(refusal) = refusal.filter(|refusal| self.now < refusal.retry_at) {
            self.gap(source, refusal.reason, &identity.name);
            self.due(refusal.retry_at);
            self.plan.rows.insert(source.clone(), Row::Refused);
            self.refused.insert(source.clone());
            return false;
        }
        let row = match own {
            Some(_) => Row::Known,
            None if self.by_source.contains_key(source) => Row::Moved,
            None => Row::New,
        };
        self.plan.rows.insert(source.clone(), row);
        self.reported.insert(identity);
        let as_held = own.is_some_and(|own| own.held.as_ref() == Some(&step.line.body));
        // What is unanswered is asked at once; acknowledged since, once more when that settles it.
        let asks_at = own.and_then(|own| own.settles_at(self.policy.settle_after));
        if let Some(at) = asks_at.filter(|at| *at > self.now) {
            self.due(at);
        }
        let asks = asks_at.is_some_and(|at| at <= self.now);
        let unchanged = as_held && !asks && refusal.is_none();
        if unchanged {
            self.plan.unchanged.push(step);
        } else {
            self.plan.reports.push(step);
        }
        unchanged
    }

    fn gap(&mut self, source: &Source, reason: Reason, detail: &str) {
        let subject = Subject::Source(source.clone());
        self.plan.gaps.push(Gap {
            subject,
            reason,
            detail: detail.into(),
        });
    }

    pub(super) fn due(&mut self, at: Moment) {
        self.plan.due = Some(self.plan.due.map_or(at, |due| due.min(at)));
    }
}

/// Whether a source is to have a record, as far as it is seen.
fn is_wanted(sight: &Sight, policy: &Policy) -> bool {
    sight.covered && sight.selected(None, policy) == Selected::Yes
}
