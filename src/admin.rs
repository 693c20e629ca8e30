//! The admin server: health, metrics and status over HTTP, read-only. It shows what others wrote
//! down and decides nothing; nobody but the command line knows it.
//!
//! | Path | Answers |
//! |---|---|
//! | `/livez`, `/healthz` | 200 while the recorder's loop turns, else 503 |
//! | `/readyz` | 200 once the ledger is read and nothing of the cluster is waited for, else 503 |
//! | `/metrics` | OpenMetrics, or Prometheus' older text format |
//! | `/api/status` | JSON: what is recorded, what is not and why (`docs/status.md`) |
//! | `/api/status/explain` | JSON: the same of one workload, with the reason for each step |
//!
//! `?verbose` lists the checks behind the first two. What GitHub does is no part of either: a
//! restart mends nothing there.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::Value;

use crate::clock::Clock;
use crate::cluster::{HealthHandle, MirrorHealth};
use crate::model::policy::Policy;
use crate::recorder::status::{Shared, Status};

mod checks;
pub mod explain;
mod listen;
mod metrics;
mod records;
mod router;
#[cfg(test)]
mod samples;
mod status;

pub use listen::{BindError, Bound};

/// What this program calls its version.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What there is to show. Clones show the same.
#[derive(Clone, Debug)]
pub struct Admin(Arc<View>);

/// Where what is shown comes from.
#[derive(Debug)]
struct View {
    status: Shared,
    clock: Clock,
    turns_within: Duration,
    settings: Value,
    cluster: OnceLock<HealthHandle>,
    policy: OnceLock<Arc<Policy>>,
}

impl Admin {
    /// Shows `status`, with the time of `clock`, which is the recorder's. A request to GitHub takes
    /// no longer than `github_timeout`. `settings` stands in `/api/status` as it is given, so no
    /// secret may be in it.
    pub fn new(status: Shared, clock: Clock, github_timeout: Duration, settings: Value) -> Self {
        Self(Arc::new(View {
            status,
            clock,
            turns_within: checks::TURNS_WITHIN + github_timeout,
            settings,
            cluster: OnceLock::new(),
            policy: OnceLock::new(),
        }))
    }

    /// Shows the mirrors of a cluster too, from now on; until then nothing is ready. Only the first
    /// call counts.
    pub fn show(&self, cluster: HealthHandle) {
        self.0.cluster.get_or_init(|| cluster);
    }

    /// Explains by that policy, which is the recorder's; until then nothing is explained. Only the
    /// first call counts.
    pub fn explain_by(&self, policy: Arc<Policy>) {
        self.0.policy.get_or_init(|| policy);
    }

    /// Takes the first of `addresses` that can be listened on, in their order. Nothing is answered
    /// there until [`Bound::serve`].
    pub async fn bind(addresses: &[SocketAddr]) -> Result<Bound, BindError> {
        Bound::bind(addresses).await
    }

    /// What the recorder lets others see at this moment.
    fn status(&self) -> Status {
        self.0.status.lock().clone()
    }

    /// How the mirrors are at this moment; `None` before the cluster is reached.
    fn mirrors(&self) -> Option<Vec<MirrorHealth>> {
        self.0.cluster.get().map(HealthHandle::health)
    }
}
