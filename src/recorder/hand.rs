//! By hand: the ledger, held by a command that does one thing for a person. It takes the Lease as
//! `run` does, reads the ledger and takes it over, changes it, stores it and gives the Lease back.
//! What is changed is decided in `model`; the ends that are told to GitHub are in `ending`.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use kube::Client;

use crate::clock::Clock;
use crate::cluster::{self, Unidentified};
use crate::model::ledger::Ledger;
use crate::model::record::{Body, Identity};
use crate::model::workload::Source;

use super::lease::{Candidacy, Candidate, LeaseError, Tenure};
use super::store::{Store, StoreError, Stored, Uids};

mod ending;
mod sending;

pub use ending::{End, Ended, Errand, News};

/// The ledger in one hand, until it is [given back](Hand::give_back) or dropped.
#[must_use = "the Lease is given back when this is dropped"]
pub struct Hand {
    store: Store,
    candidacy: Candidacy,
    lease: Tenure,
    ledger: Ledger,
    uids: Uids,
    clock: Clock,
}

/// Why a ledger cannot be had in hand, or is not any more.
#[derive(Debug, thiserror::Error)]
pub enum HandError {
    /// Another process has the Lease, or it is not to be had.
    #[error(transparent)]
    Lease(LeaseError),
    /// The Lease could not be renewed in time.
    #[error(
        "the Lease could not be renewed in time, so nothing more was sent or stored: start it again"
    )]
    Lapsed,
    /// The ledger cannot be read or may not be written.
    #[error("the ledger")]
    Store(#[from] StoreError),
    /// Nothing of that name is there.
    #[error("there is no ledger {name} in namespace {namespace}")]
    NoLedger {
        /// The namespace.
        namespace: String,
        /// The name of its root.
        name: String,
    },
    /// It is not known whether this is the ledger's cluster.
    #[error("which cluster this is cannot be told: {0}")]
    NoIdentity(Unidentified),
}

/// What to do where there is no ledger yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// Begin one.
    Begin,
    /// Give up.
    GiveUp,
}

impl Hand {
    /// Takes the Lease, or says who has it, in which case nothing was disturbed; then reads the
    /// ledger, makes sure that it is this cluster's, and takes it over.
    pub async fn take(
        candidate: Candidate,
        mut store: Store,
        absent: Absent,
    ) -> Result<Self, HandError> {
        let (client, clock) = (candidate.client.clone(), candidate.clock);
        let candidacy = candidate.take().await.map_err(HandError::Lease)?;
        let lease = candidacy.tenure();
        let opening = open(&mut store, &client, clock, absent);
        match lease.during(Box::pin(opening)).await {
            Some(Ok((ledger, uids))) => Ok(Self {
                store,
                candidacy,
                lease,
                ledger,
                uids,
                clock,
            }),
            failed => {
                let error = failed.and_then(Result::err);
                let error = error.unwrap_or_else(|| lost(&lease));
                candidacy.end().await;
                Err(error)
            }
        }
    }

    /// The ledger as it is now.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Adopts records that a person found at GitHub, each for its source where one is known, and
    /// stores that. Returns how many the ledger did not have.
    pub async fn adopt(
        &mut self,
        records: impl IntoIterator<Item = (Identity, Arc<Body>, Option<Source>)>,
    ) -> Result<usize, HandError> {
        let mut count = 0;
        for (identity, body, keeper) in records {
            count += usize::from(self.ledger.adopt(identity, body, keeper));
        }
        self.store().await?;
        Ok(count)
    }

    /// Forgets records without a word to GitHub, and stores that. Returns how many there were.
    pub async fn forget<'a>(
        &mut self,
        identities: impl IntoIterator<Item = &'a Identity>,
    ) -> Result<usize, HandError> {
        let identities: Vec<&Identity> = identities.into_iter().collect();
        let forget = |ledger: &mut Ledger| {
            let identities = identities.iter();
            identities
                .filter(|identity| ledger.forget(identity))
                .count()
        };
        let count = forget(&mut self.ledger);
        while self.store().await? == Stored::United {
            // The store knew more, and what is to be forgotten may have come back with that.
            forget(&mut self.ledger);
        }
        Ok(count)
    }

    /// How long it takes until the second end of these records may be told, where one is left to
    /// tell: an unknown report could come until then.
    pub fn settles_in<'a>(
        &self,
        identities: impl IntoIterator<Item = &'a Identity>,
        settle_after: Duration,
    ) -> Option<Duration> {
        let entries = identities.into_iter();
        let entries = entries.filter_map(|identity| self.ledger.entry(identity));
        let at = entries
            .filter(|entry| entry.is_tombstone())
            .map(|entry| entry.ends_again_at(settle_after))
            .max()?;
        Some(at.since(self.clock.now()))
    }

    /// Gives the Lease back, within two seconds.
    pub async fn give_back(self) {
        self.candidacy.end().await;
    }

    /// Stores what changed, as long as this process may write.
    async fn store(&mut self) -> Result<Stored, HandError> {
        let now = self.clock.now();
        let storing = Box::pin(self.store.store(&mut self.ledger, &self.uids, now));
        match self.lease.during(storing).await {
            Some(stored) => Ok(stored?),
            None => Err(lost(&self.lease)),
        }
    }
}

async fn open(
    store: &mut Store,
    client: &Client,
    clock: Clock,
    absent: Absent,
) -> Result<(Ledger, Uids), HandError> {
    let (namespace, name) = store.place();
    let (namespace, name) = (namespace.to_owned(), name.to_owned());
    let mut ledger = match (store.load(clock.now()).await?, absent) {
        (Some(ledger), _) => ledger,
        (None, Absent::Begin) => Ledger::default(),
        (None, Absent::GiveUp) => return Err(HandError::NoLedger { namespace, name }),
    };
    let identity = cluster::identity(client, &namespace).await;
    let (place, uid) = identity.map_err(HandError::NoIdentity)?;
    store.check_cluster(&place, &uid)?;
    let uids = Uids::from([(place.to_string(), uid.to_string())]);
    store.take_over(&mut ledger, &uids, clock.now()).await?;
    Ok((ledger, uids))
}

/// Why writes may not leave any more.
fn lost(lease: &Tenure) -> HandError {
    match lease.over().now_or_never() {
        Some(error) => HandError::Lease(error),
        None => HandError::Lapsed,
    }
}
