//! Writes for commands that do one thing and end: the client with its pace. The recorder, which has
//! more to weigh before it sends, joins the two itself.

use tokio::time::{Instant, sleep_until};

use super::answer::Given;
use super::call::{Call, Carrier};
use super::calls;
use super::client::Client;
use super::exchange::{Exchange, NotSent};
use super::job::Start;
use super::pace::{Access, Pace, Purpose, Slot};
use crate::model::record::{Destination, Line};
use crate::model::storage::StorageLine;

#[cfg(test)]
mod tests;

/// Writes at the pace that GitHub asks for: each call waits until its request may leave. After one
/// that failed in passing ([`Failure::is_passing`](super::answer::Failure::is_passing)), the next
/// call waits as long as the failure asks for. A request that breaks the contract ends at once.
#[derive(Debug)]
pub struct Writer<S> {
    client: Client<S>,
    pace: Pace,
}

impl<S> Writer<S> {
    /// Another process may have written a moment ago, so the first request waits a second too.
    pub fn new(client: Client<S>) -> Self {
        let signers = client.keyring().signers();
        Self {
            client,
            pace: Pace::begun(Instant::now()).signed_by(signers),
        }
    }

    /// The client, for what it reads.
    pub fn client(&self) -> &Client<S> {
        &self.client
    }

    /// When a write to this organization had no known outcome last or met a limit, if that is to be
    /// feared still.
    pub fn last_trouble(&self, organization: &str) -> Option<Instant> {
        let access = Access::new(self.client.api().host(), organization);
        self.pace.last_trouble(access)
    }

    /// When the next write to this organization may leave, and what decides that. Who does not want
    /// to wait as long looks here first.
    pub fn slot(&self, organization: &str) -> Slot {
        let access = Access::new(self.client.api().host(), organization);
        self.pace.slot(access, Purpose::Change, Instant::now())
    }
}

impl<S: Carrier> Writer<S> {
    /// Sets these records of a cluster, and says what became of each.
    pub async fn set_cluster_deployment_records(
        &mut self,
        destination: &Destination,
        lines: &[Line],
    ) -> Result<Exchange, NotSent> {
        let to = self.client.target();
        let call = calls::set_cluster_deployment_records(to, destination, lines)?;
        self.make(call).await
    }

    /// Creates or updates one record, which may be of no cluster.
    pub async fn create_deployment_record(&mut self, line: &Line) -> Result<Exchange, NotSent> {
        let call = calls::create_deployment_record(self.client.target(), line)?;
        self.make(call).await
    }

    /// Starts a job that sets these records of a cluster. What became of each is told by the job.
    pub async fn create_job(
        &mut self,
        destination: &Destination,
        lines: &[Line],
    ) -> Result<Exchange<Start>, NotSent> {
        let call = calls::create_job(self.client.target(), destination, lines)?;
        self.make(call).await
    }

    /// Creates or updates one storage record.
    pub async fn create_storage_record(
        &mut self,
        organization: &str,
        line: &StorageLine,
    ) -> Result<Exchange, NotSent> {
        let call = calls::create_storage_record(self.client.target(), organization, line)?;
        self.make(call).await
    }

    /// Waits until a write to this organization may leave, with a token to leave with. Who has to
    /// look at something right before it leaves calls this first: the next call then leaves at once.
    pub async fn ready(&mut self, organization: &str) -> Result<(), NotSent> {
        let access = Access::new(self.client.api().host(), organization);
        self.sign_in(&access, organization).await
    }

    /// Makes one call at its time and lets the pace know.
    async fn make<T: Given>(&mut self, call: Call<'_, T>) -> Result<Exchange<T>, NotSent> {
        let access = Access::new(self.client.api().host(), call.organization);
        self.sign_in(&access, call.organization).await?;
        self.pace.sent(Purpose::Change, Instant::now());
        let result = self.client.make(call).await;
        let now = Instant::now();
        match &result {
            Ok(exchange) => self.pace.answered(access, exchange, now),
            Err(NotSent::Credentials(error)) => self.pace.unsent(access, error, now),
            Err(NotSent::Request(_)) => self.pace.unlawful(access, now),
        }
        result
    }

    /// Waits for the time at which a request may leave, and for a token to leave with. A request for
    /// that is one more, after which the time is another one.
    async fn sign_in(&mut self, access: &Access, organization: &str) -> Result<(), NotSent> {
        // A person asks for it.
        self.pace.knows(access.clone());
        loop {
            let slot = self
                .pace
                .slot(access.clone(), Purpose::Change, Instant::now());
            sleep_until(slot.at).await;
            let signed_in = self.client.sign_in(organization).await;
            let now = Instant::now();
            for _ in &signed_in.errands {
                self.pace.signed_in(now);
            }
            if let Some(error) = &signed_in.not_renewed {
                self.pace.not_renewed(access.clone(), error, now);
            }
            if let Err(error) = signed_in.result {
                self.pace.unsent(access.clone(), &error, now);
                return Err(error.into());
            }
            if signed_in.errands.is_empty() {
                return Ok(());
            }
        }
    }
}
