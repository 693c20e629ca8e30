//! The cycle: facts, inventory, plan, write ahead, send, acknowledge. One at a time; it never
//! sleeps for long, and everything that it does not get done is the next plan's matter.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use rand::Rng as _;
use tokio::time::Instant;

use crate::github::pace::{Access, Purpose, shortest_snapshot_period};
use crate::model::explain::Known;
use crate::model::gap::{Gap, Reason};
use crate::model::inventory::Inventory;
use crate::model::others;
use crate::model::plan::{Plan, Step, Why};
use crate::model::record::Identity;

use super::ahead::Written;
use super::batch::{self, Batch};
use super::delivery::{PATIENCE, Run};
use super::rest::Rest;
use super::status::Unsent;
use super::{Error, Recorder, Transport, report};

/// A pod's owner may be seen a little later than the pod: one that stays away for so long counts.
const ORPHAN_AFTER: Duration = Duration::from_mins(1);

impl<S: Transport> Recorder<S> {
    /// One turn.
    pub(super) async fn cycle(&mut self) -> Result<(), Error> {
        let started = Instant::now();
        let mut run = Run::new(self.clock, self.schedule.begin());
        let full = self.schedule.is_snapshot_due(started);
        let stop = self.stop.clone();
        tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            result = self.read_what_is_not_watched(full) => result?,
        }
        let plan = self.plan();
        self.sort_organizations(&plan);
        if full {
            let requests = batch::requests(&plan, self.size.usual(started));
            let shortest = shortest_snapshot_period(requests);
            self.schedule
                .snapshot_begins(started, self.rng.random(), shortest);
            self.rest.begin(&plan);
            self.schedule.renew_soon(started);
        }
        self.schedule
            .due_at(plan.due.map(|due| self.clock.instant(due)));

        if self.github.is_none() {
            report::dry_run(&plan, &mut self.last_dry_run);
            self.rest = Rest::default();
        } else if self.uids.is_empty() {
            self.wait_for_identity(started);
        } else {
            self.send(&plan, &mut run).await?;
        }
        let left = self.finish(&plan, &run);
        self.send_storage(&left).await;
        Ok(())
    }

    /// Reads what is read once an interval: namespaces that are looked at one by one, and which
    /// cluster this is.
    async fn read_what_is_not_watched(&mut self, full: bool) -> Result<(), Error> {
        if full {
            self.cluster.refresh_namespaces().await;
        }
        if full || self.uids.is_empty() {
            self.read_identity().await?;
        }
        Ok(())
    }

    /// What is true now, and what to do about it.
    pub(super) fn plan(&mut self) -> Arc<Plan> {
        let now = self.clock.now();
        self.cluster.remember(others::in_ledger(&self.ledger));
        let mut facts = self.cluster.facts();
        if let Some(labels) = &self.labels {
            facts.labels = labels.known();
        }
        let inventory = Inventory::new(&facts, &self.settings.policy);
        drop(facts);
        let plan = Plan::new(&self.ledger, &inventory, &self.settings.policy, now);
        self.ledger.observe(&plan.missing, &plan.idle, now);
        let sought = self.settings.policy.selection.exact_namespaces();
        let whole = inventory.coverage().pods.is_whole(sought.as_deref());
        self.sees_pods = whole;
        if whole {
            self.ledger.forget_past(inventory.digests());
        }
        self.want_labels(&plan, &inventory, whole);
        let wanted: BTreeSet<&Identity> = plan.names.values().collect();
        let wanted = |name: &Identity| wanted.contains(name);
        self.ledger.forget_refusals(wanted, now);
        self.count_orphans(&inventory);
        if let Some(events) = &mut self.events {
            events.note(&plan, &inventory, &self.cluster);
        }
        let plan = Arc::new(plan);
        let unsent = Unsent::of(&plan, &self.ledger);
        let known = Known::all(&self.ledger, &plan, self.settings.policy.settle_after);
        let mut status = self.status.lock();
        status.plan = Some(plan.clone());
        status.unsent = unsent;
        status.known = known.into();
        drop(status);
        plan
    }

    fn count_orphans(&mut self, inventory: &Inventory) {
        let now = self.clock.now();
        let orphans = inventory.strays().iter().filter(|stray| stray.orphan);
        let orphans: BTreeSet<Arc<str>> = orphans.map(|stray| stray.pod.uid.clone()).collect();
        self.orphans.retain(|uid, _| orphans.contains(uid));
        for uid in orphans {
            self.orphans.entry(uid).or_insert(now);
        }
        let staying = self
            .orphans
            .values()
            .filter(|since| now.since(**since) >= ORPHAN_AFTER);
        self.status.lock().orphans = staying.count();
        if let Some(next) = self
            .orphans
            .values()
            .filter(|since| now.since(**since) < ORPHAN_AFTER)
            .min()
        {
            self.schedule
                .again_at(self.clock.instant(*next + ORPHAN_AFTER));
        }
    }

    /// Writes ahead and sends what may leave now.
    async fn send(&mut self, plan: &Plan, run: &mut Run) -> Result<(), Error> {
        let most = self.size.most();
        let changes = self.sendable(batch::changes(plan, most));
        self.rest.keep(plan);
        let snapshot = self.sendable(batch::snapshot(plan, &self.rest, most));
        if changes.is_empty() && snapshot.is_empty() {
            self.ledger.take_back_unsent();
            return Ok(());
        }
        for batch in changes.iter().chain(&snapshot) {
            self.intend(&batch.steps);
        }
        match self.write_ahead().await? {
            Written::Yes if run.is_stale() => {
                // It stays intended: what the next plan finds to be so still has been stored by then.
                self.schedule.again_at(Instant::now());
                return Ok(());
            }
            Written::Yes => self.send_all(changes, snapshot, plan, run).await,
            Written::Anew => self.schedule.again_at(Instant::now()),
            Written::No => {}
        }
        self.ledger.take_back_unsent();
        Ok(())
    }

    /// Whether nothing is sent to this organization now, while others may be sent to.
    pub(super) fn is_left_alone(&self, access: &Access, purpose: Purpose) -> bool {
        let now = Instant::now();
        let slot = self.pace.slot(access.clone(), purpose, now);
        slot.at > now + PATIENCE && slot.reason.is_of_organization()
    }

    /// Whether nothing is sent to this organization now, and soon will not be either. The rest of a
    /// snapshot is not waited for then.
    pub(super) fn is_closed(&self, access: &Access) -> bool {
        let now = Instant::now();
        let slot = self.pace.slot(access.clone(), Purpose::Snapshot, now);
        slot.at > now + PATIENCE && slot.reason.is_closed()
    }

    /// The batches that may leave within this cycle. For the others the next cycle begins when
    /// their pause is over.
    fn sendable(&mut self, batches: Vec<Batch>) -> Vec<Batch> {
        let now = Instant::now();
        let mut sendable = Vec::new();
        for batch in batches {
            let slot = self.pace.slot(&batch.destination, batch.purpose, now);
            if slot.at <= now + PATIENCE {
                sendable.push(batch);
                continue;
            }
            self.schedule.again_at(slot.at);
            if batch.purpose == Purpose::Snapshot && slot.reason.is_closed() {
                self.rest.end(&batch.access());
            }
        }
        sendable
    }

    pub(super) fn intend(&mut self, steps: &[Step]) {
        for step in steps {
            self.ledger.intend(&step.line, &step.owner);
        }
    }

    /// The next cycle begins when something that waits may be sent. Where everything of an organization
    /// was taken and something changed meanwhile, what is left of it came with that: like any change
    /// it waits for others.
    fn schedule_waiting(&mut self, waiting: Vec<Batch>, rest: &[Batch]) {
        let now = Instant::now();
        let is_turned_away = |batch: &Batch| self.turned_away.contains(&batch.access());
        let (failed, others): (Vec<Batch>, Vec<Batch>) =
            waiting.into_iter().partition(is_turned_away);
        let may_wait = failed.is_empty() || !others.is_empty();
        let came_meanwhile = may_wait && self.cluster.changed().now_or_never().is_some();
        if came_meanwhile {
            self.schedule.changed(now);
        }
        let others = others.iter().filter(|_| !came_meanwhile);
        for batch in failed.iter().chain(others).chain(rest) {
            let slot = self.pace.slot(&batch.destination, batch.purpose, now);
            self.schedule.again_at(slot.at);
        }
    }

    /// Whether there is nothing to tell GitHub, rather than nothing that is seen of what there is. Another
    /// host is told nothing.
    fn knows_of_nothing(&self, plan: &Plan) -> bool {
        let is_hidden = |gap: &Gap| matches!(gap.reason, Reason::NotCovered | Reason::OwnerNotRead);
        let is_elsewhere = |(_, why): &(Identity, Why)| *why == Why::ForeignHost;
        self.sees_pods
            && plan.snapshot().is_empty()
            && plan.withheld.iter().all(is_elsewhere)
            && !plan.gaps.iter().any(is_hidden)
    }

    /// Looks once more at what is left to do, which it returns, and says what the cycle came to.
    fn finish(&mut self, planned: &Arc<Plan>, run: &Run) -> Arc<Plan> {
        let requests = run.requests;
        if !self.is_stored() {
            self.schedule.store_soon(Instant::now());
        }
        let left = if requests > 0 {
            self.plan()
        } else {
            planned.clone()
        };
        self.schedule
            .due_at(left.due.map(|due| self.clock.instant(due)));
        let most = self.size.most();
        let waiting = batch::changes(&left, most);
        let rest = batch::snapshot(&left, &self.rest, most);
        self.rest.goes_on(rest.iter().map(Batch::access));
        self.note_late(planned, &waiting, run.changed_at);
        self.note_waits(waiting.iter().chain(&rest));
        let sent_whole = requests > 0 && self.turned_away.is_empty();
        let up_to_date = waiting.is_empty()
            && rest.is_empty()
            && self.github.is_some()
            && (sent_whole || self.knows_of_nothing(&left));
        if requests > 0 {
            self.schedule_waiting(waiting, &rest);
        }
        if let Some(events) = &self.events {
            events.tell();
        }
        let mut status = self.status.lock();
        status.cycles += 1;
        status.ledger_records = self.ledger.len();
        status.tombstones = self
            .ledger
            .entries()
            .filter(|(_, entry)| entry.is_tombstone())
            .count();
        if up_to_date {
            status.last_success = Some(self.clock.wall());
        }
        drop(status);
        let duration = run.age();
        report::cycle(
            planned,
            &left,
            &mut self.last_summary,
            duration,
            requests,
            self.ledger.len(),
        );
        left
    }
}
