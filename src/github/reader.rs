//! What reads: it may be shared, asks at most four things at once, and keeps to the pace of reads.
//! A read changes nothing, so whoever gets no answer may ask again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};

use super::answer::Given;
use super::call::{Call, Caller, Carrier};
use super::calls;
use super::exchange::{Exchange, NotSent};
use super::job::{Job, JobId};
use super::pace::Slot;
use super::pace::reads::{AT_ONCE, ReadPace};
use super::records::{DeploymentRecord, Records, StorageRecord};
use crate::model::image::Digest;
use crate::model::record::Destination;

#[cfg(test)]
mod tests;

/// Reads what GitHub holds. Clones share the token, the turns and the pace. A read ends with an
/// error only if nothing was sent.
#[derive(Clone, Debug)]
pub struct Reader<S> {
    caller: Caller<S>,
    turns: Arc<Semaphore>,
    pace: Arc<Mutex<ReadPace>>,
}

impl<S> Reader<S> {
    pub(super) fn new(caller: Caller<S>) -> Self {
        Self {
            caller,
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            pace: Arc::default(),
        }
    }

    /// When the next read may leave, and what decides that. Each read waits for it by itself; who
    /// does not want to wait as long as GitHub may ask for looks here first.
    pub fn slot(&self) -> Slot {
        self.pace().slot(Instant::now())
    }

    fn pace(&self) -> MutexGuard<'_, ReadPace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a read may leave, which it then does.
    async fn take_slot(&self) {
        while let Some(at) = self.try_slot(Instant::now()) {
            sleep_until(at).await;
        }
    }

    /// Takes the slot if it is there, or says when to look again: another may take it meanwhile.
    fn try_slot(&self, now: Instant) -> Option<Instant> {
        let mut pace = self.pace();
        let at = pace.slot(now).at;
        if at > now {
            return Some(at);
        }
        pace.sent(now);
        None
    }
}

impl<S: Carrier + Clone> Reader<S> {
    /// How far a job of this destination's cluster is.
    pub async fn job(
        &self,
        destination: &Destination,
        job: JobId,
    ) -> Result<Exchange<Job>, NotSent> {
        self.make(calls::get_job(self.caller.target(), destination, job)?)
            .await
    }

    /// The deployment records of this digest in an organization, whatever their cluster.
    pub async fn deployment_records(
        &self,
        organization: &str,
        digest: &Digest,
    ) -> Result<Exchange<Records<DeploymentRecord>>, NotSent> {
        let target = self.caller.target();
        self.make(calls::list_deployment_records(
            target,
            organization,
            digest,
        )?)
        .await
    }

    /// The storage records of this digest in an organization.
    pub async fn storage_records(
        &self,
        organization: &str,
        digest: &Digest,
    ) -> Result<Exchange<Records<StorageRecord>>, NotSent> {
        let target = self.caller.target();
        self.make(calls::list_storage_records(target, organization, digest)?)
            .await
    }

    async fn make<T: Given>(&self, call: Call<'_, T>) -> Result<Exchange<T>, NotSent> {
        // Nobody closes it, so there always is a turn to wait for.
        let _turn = self.turns.acquire().await;
        self.take_slot().await;
        let exchange = self.caller.clone().make(call).await?;
        self.pace().answered(&exchange, Instant::now());
        Ok(exchange)
    }
}
