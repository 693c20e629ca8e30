//! The keeper: the task that wants the Lease, renews it and gives it back. It does what `election`
//! says, tells `tenure` what came of it, and is the only one that speaks to the API server about it.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use rand::Rng as _;
use rand::rngs::StdRng;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::model::moment::Moment;

use super::calls::{Leases, Written};
use super::election::{Election, Seen, Step, Why};
use super::error::LeaseError;
use super::herald::Herald;
use super::identity::Identity;
use super::record::Record;
use super::tenure::State;
use super::{Patience, RETRY, machine};

/// How long whoever has no Lease yet tries to reach it, or to be allowed to, before it gives up.
const GIVE_UP: Duration = Duration::from_secs(30);

/// How long giving back may take, a call included that is under way.
const RELEASE: Duration = Duration::from_secs(2);

/// The task that keeps the Lease.
pub struct Keeper {
    pub(super) leases: Leases,
    pub(super) me: Identity,
    pub(super) election: Election<Lease>,
    pub(super) state: watch::Sender<State>,
    pub(super) clock: Clock,
    pub(super) rng: StdRng,
    pub(super) patience: Patience,
    pub(super) herald: Herald,
    /// Since when every attempt has failed to find out who has it.
    pub(super) in_trouble: Option<Moment>,
}

impl Keeper {
    /// Keeps the Lease until it is told to stop, and gives it back; or until it will never be ours.
    /// Ends within two seconds after `stop`.
    pub async fn keep(mut self, stop: CancellationToken) {
        let too_late = async {
            stop.cancelled().await;
            sleep(RELEASE).await;
        };
        let result = tokio::select! {
            biased;
            result = self.until_stopped(&stop) => result,
            () = too_late => {
                tracing::warn!("lease not given back in time, others wait until it runs out");
                Ok(())
            }
        };
        self.herald.over();
        if let Err(error) = result {
            self.state.send_replace(State::Over(error));
        }
    }

    async fn until_stopped(&mut self, stop: &CancellationToken) -> Result<(), LeaseError> {
        while self.step(stop).await? {}
        self.release().await;
        Ok(())
    }

    /// One step. Returns false when it is to stop.
    async fn step(&mut self, stop: &CancellationToken) -> Result<bool, LeaseError> {
        let now = self.clock.boot_time();
        let me = &self.me;
        let is_gone = |holder: &str| me.sees_gone(holder, machine::fate);
        match self.election.next(now, is_gone) {
            Step::Look => self.look().await?,
            Step::Claim { from, why } => self.claim(from, why).await?,
            Step::Rest { until } => {
                if until.is_some() {
                    self.stand_by()?;
                }
                return Ok(self.rest(until, stop).await);
            }
            Step::Lost { holder } => {
                if let Some(Seen { record, .. }) = self.election.seen() {
                    self.herald.lost(record);
                }
                let lease = self.leases.place();
                return Err(LeaseError::Lost { lease, holder });
            }
        }
        Ok(true)
    }

    async fn look(&mut self) -> Result<(), LeaseError> {
        match self.leases.read().await {
            Ok(lease) => self.election.found(lease, self.clock.boot_time()),
            Err(error) => self.failed(error)?,
        }
        Ok(())
    }

    async fn claim(&mut self, from: Option<Seen<Lease>>, why: Why) -> Result<(), LeaseError> {
        let begun = self.clock.boot_time();
        let before = from.as_ref().map(|from| &from.record);
        let record = Record::claimed(before, &self.me.to_string(), self.clock.wall());
        match self.leases.write(from.as_ref(), &record).await {
            Ok(Written::As(written)) => {
                self.in_trouble = None;
                let acquired = self.election.last_claim().is_none();
                let lapsed = !self.election.holds(begun);
                self.election
                    .claimed(*written, begun, self.clock.boot_time());
                self.state.send_replace(State::Claimed(begun));
                if acquired {
                    self.herald.acquired(&record, before, why);
                } else if lapsed {
                    self.herald.renewed_again();
                }
            }
            Ok(Written::Outrun) => self.election.outrun(),
            Err(error) => self.failed(error)?,
        }
        Ok(())
    }

    /// Another one has it.
    fn stand_by(&mut self) -> Result<(), LeaseError> {
        self.in_trouble = None;
        let Some(Seen { record, .. }) = self.election.seen() else {
            return Ok(());
        };
        if self.patience == Patience::GiveUp && self.election.others_live() {
            return Err(LeaseError::Held {
                lease: self.leases.place(),
                holder: record.holder.clone(),
            });
        }
        self.herald.waiting(record, self.clock.boot_time());
        Ok(())
    }

    /// A look or a claim failed. An error if that was so for too long before the Lease was ours.
    fn failed(&mut self, error: LeaseError) -> Result<(), LeaseError> {
        self.election.failed();
        let now = self.clock.boot_time();
        let since = *self.in_trouble.get_or_insert(now);
        let begins = self.election.last_claim().is_none();
        let hopeless = self.patience == Patience::GiveUp || now.since(since) >= GIVE_UP;
        // Who stood by already waits for the API server as long as it takes.
        let stood_by = self.herald.has_waited() && !error.is_forbidden();
        if begins && hopeless && !stood_by {
            return Err(error);
        }
        self.herald.failed(&error, begins, now);
        Ok(())
    }

    /// Waits until the next attempt. Returns false when it is to stop.
    async fn rest(&mut self, until: Option<Moment>, stop: &CancellationToken) -> bool {
        let now = self.clock.boot_time();
        let begun = self.election.last_claim().is_some();
        if begun && !self.election.holds(now) {
            self.herald.lapsed();
        }
        // A fifth at random, so that two do not go on to ask at the same moments.
        let pause = RETRY.mul_f64(1.0 + self.rng.random::<f64>() / 5.0);
        let pause = until.map_or(pause, |until| pause.min(until.since(now)));
        tokio::select! {
            biased;
            () = stop.cancelled() => false,
            () = sleep(pause) => true,
        }
    }

    /// Gives the Lease back if it is ours, so that nobody has to wait for it.
    async fn release(&mut self) {
        if self.election.last_claim().is_none() {
            return;
        }
        let mut seen = self.election.seen().cloned();
        for _ in 0..2 {
            let Some(from) = seen.filter(|from| from.record.holder == self.me.to_string()) else {
                return;
            };
            let record = from.record.released(self.clock.wall());
            match self.leases.write(Some(&from), &record).await {
                Ok(Written::As(_)) => {
                    self.herald.released();
                    return;
                }
                Ok(Written::Outrun) => {}
                Err(error) => {
                    self.herald.not_released(&error);
                    return;
                }
            }
            seen = self.leases.read().await.ok().flatten();
        }
    }
}
