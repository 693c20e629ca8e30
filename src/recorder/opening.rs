//! Opening the ledger when a process starts: the Lease is waited for, the ledger read, known to be
//! this cluster's, and taken over. What is done with it then is the cycle's matter.

use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::cluster::Cluster;
use crate::model::ledger::Ledger;

use super::lease::Tenure;
use super::status::Shared;
use super::store::{Store, StoreError, Uids};
use super::{Error, FIRST_SYNC, PULSE, REACH, Settings, chain};
use crate::clock::Clock;

/// What a start has at hand.
pub(super) struct Opening<'a> {
    pub(super) lease: &'a Tenure,
    pub(super) cluster: &'a Cluster,
    pub(super) settings: &'a Settings,
    pub(super) clock: &'a Clock,
    pub(super) status: &'a Shared,
    /// Whether nothing is to be written.
    pub(super) dry: bool,
}

impl Opening<'_> {
    /// The ledger, as soon as this process may have it: read, and taken over. Tries again while the
    /// API server does not answer.
    pub(super) async fn of(&self, store: &mut Store) -> Result<(Ledger, Uids), Error> {
        self.stand_by().await?;
        let mut give_up = Instant::now() + REACH;
        loop {
            let attempt = self.lease.during(Box::pin(self.attempt(store)));
            match self.status.alive(self.clock, attempt).await {
                Some(Ok(opened)) => {
                    if self.status.lock().first_start {
                        let (namespace, name) = store.place();
                        tracing::warn!(namespace, name, "no ledger yet: this is the first start");
                    }
                    return Ok(opened);
                }
                Some(Err(error)) if error.is_passing() && Instant::now() < give_up => {
                    tracing::warn!(error = chain(&error), "ledger not read yet");
                    sleep(Duration::from_secs(1)).await;
                }
                Some(Err(error)) => return Err(Error::Store(error)),
                None => {
                    self.stand_by().await?;
                    give_up = Instant::now() + REACH;
                }
            }
        }
    }

    /// Waits until this process may write. Meanwhile its mirrors are filled, and it is seen to live.
    async fn stand_by(&self) -> Result<(), Error> {
        let fill = async { while !self.cluster.first_sync(FIRST_SYNC).await {} };
        let (mut fill, mut filled) = (pin!(fill), false);
        loop {
            tokio::select! {
                biased;
                ours = self.lease.ours() => return ours.map_err(Error::Lease),
                ended = self.cluster.failed() => return Err(Error::Mirror(ended)),
                () = &mut fill, if !filled => filled = true,
                () = sleep(PULSE) => {}
            }
            self.status.lock().heartbeat = self.clock.now();
        }
    }

    async fn attempt(&self, store: &mut Store) -> Result<(Ledger, Uids), StoreError> {
        let mut uids = Uids::new();
        let loaded = store.load(self.clock.now()).await?;
        let namespace = &self.settings.ledger_namespace;
        if let Ok((namespace, uid)) = self.cluster.identity(namespace).await {
            store.check_cluster(&namespace, &uid)?;
            uids.insert(namespace.to_string(), uid.to_string());
        }
        self.status.lock().first_start |= loaded.is_none();
        let mut ledger = loaded.unwrap_or_default();
        if !self.dry {
            let now = self.clock.now();
            store.take_over(&mut ledger, &uids, now).await?;
        }
        Ok((ledger, uids))
    }
}
