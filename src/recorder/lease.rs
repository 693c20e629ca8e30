//! The Lease: of all processes that would write a ledger and send for it, one may. It stands beside
//! the ledger and has its name. Who may have it is decided in `election`, which knows no clock;
//! `calls` speaks to the API server, `keeper` is the task between the two, and [`Tenure`] is what
//! whoever writes asks before each write; `vacate` has another process give it up. It guards what is
//! sent; the ledger has a guard of its own, the swap of its root, for the day on which a person deletes
//! the Lease.
//!
//! Losing it: when it is not renewed for [`RENEW_WITHIN`], what is on its way is dropped and nothing
//! more is sent or stored. Renewed later it goes on: every claim is for the Lease as this process
//! left it, so nobody else has had it meanwhile. When another process has it, this one ends: what it
//! remembers is not true any more, and beginning anew is the one way to get there that is always
//! tried.

use std::time::Duration;

use kube::Client;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::status::Shared;
use crate::clock::Clock;

mod calls;
mod election;
mod error;
#[cfg(feature = "fuzz")]
pub(crate) mod fuzz;
mod herald;
pub mod identity;
mod keeper;
mod look;
pub mod machine;
mod record;
mod tenure;
mod vacate;

pub use error::LeaseError;
pub use identity::Identity;
pub use keeper::Keeper;
pub use look::{Standing, access, is_free, look};
pub use tenure::Tenure;
pub use vacate::{ScaleError, Scaled, scale_down, until_free};

use calls::Leases;
use election::Election;
use herald::Herald;
use tenure::State;

/// For how long after it was renewed others leave it to its holder; client-go's.
pub const LASTS: Duration = Duration::from_secs(15);

/// For how long after it was renewed its holder takes it for its own; client-go's.
pub const RENEW_WITHIN: Duration = Duration::from_secs(10);

/// What is left then: how much slower than it seems a holder's last write may be.
pub const MARGIN: Duration = LASTS.saturating_sub(RENEW_WITHIN);

/// Between two attempts, at least; client-go's.
pub const RETRY: Duration = Duration::from_secs(2);

/// What to do while another process holds the Lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Wait for it, as one that was started to take over.
    StandBy,
    /// Wait for it, with a warning.
    Wait,
    /// Give up as soon as the other one is known to be alive.
    GiveUp,
}

/// A process that wants the Lease of a ledger.
pub struct Candidate {
    /// The way to the API server.
    pub client: Client,
    /// The ledger's namespace.
    pub namespace: String,
    /// The ledger's name.
    pub name: String,
    /// Who this process is.
    pub identity: Identity,
    /// The time; that of whoever writes.
    pub clock: Clock,
    /// Where it shows itself.
    pub status: Shared,
    /// Where everything random comes from.
    pub seed: u64,
    /// What to do while another one has it.
    pub patience: Patience,
}

impl Candidate {
    /// The task that is to be run, and what it has to say.
    pub fn prepare(self) -> (Keeper, Tenure) {
        let leases = Leases::new(self.client, &self.namespace, &self.name);
        let (state, told) = watch::channel(State::Wanted);
        let keeper = Keeper {
            election: Election::new(self.identity.to_string()),
            herald: Herald::new(leases.place(), self.patience, self.status),
            leases,
            me: self.identity,
            state,
            clock: self.clock,
            rng: StdRng::seed_from_u64(self.seed),
            patience: self.patience,
            in_trouble: None,
        };
        (keeper, Tenure::new(told, self.clock))
    }

    /// Wants the Lease from now on, in a task of its own.
    pub fn begin(self) -> Candidacy {
        let (keeper, tenure) = self.prepare();
        let stop = CancellationToken::new();
        let task = tokio::spawn(keeper.keep(stop.clone()));
        Candidacy {
            tenure,
            stop: stop.drop_guard(),
            task,
        }
    }

    /// For a command that does one thing: has the Lease at once, or says who has it, in which case
    /// nothing was disturbed. One whose holder does not renew it is waited for until it runs out.
    pub async fn take(mut self) -> Result<Candidacy, LeaseError> {
        self.patience = Patience::GiveUp;
        let candidacy = self.begin();
        match candidacy.tenure.ours().await {
            Ok(()) => Ok(candidacy),
            Err(error) => {
                candidacy.end().await;
                Err(error)
            }
        }
    }
}

/// A process that has the Lease or waits for it, until this is ended or dropped.
#[must_use = "the Lease is given back when this is dropped"]
pub struct Candidacy {
    tenure: Tenure,
    stop: DropGuard,
    task: JoinHandle<()>,
}

impl Candidacy {
    /// Whether the Lease is ours: to be asked before each write.
    pub fn tenure(&self) -> Tenure {
        self.tenure.clone()
    }

    /// Gives the Lease back, within two seconds.
    pub async fn end(self) {
        let Self { stop, task, .. } = self;
        drop(stop);
        if let Err(error) = task.await {
            tracing::error!(error = %error, "the task that keeps the lease failed");
        }
    }
}
