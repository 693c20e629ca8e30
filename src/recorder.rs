//! The recorder: what runs on one side, GitHub's records on the other, the ledger between them. The
//! loop is here; a turn of it in `cycle`, what goes out in `delivery`, the ledger's place in
//! `store`, who may write it in `lease`, what a person does with it in `hand`, what workloads are told
//! in `events`. Nothing here knows Kubernetes types but store, lease and events, or wire types at all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::cluster::{Cluster, MirrorEnded};
use crate::github::auth::{Keyring, app};
use crate::github::client::Client;
use crate::github::operation::Operation;
use crate::github::pace::{Access, Pace};
use crate::model::ledger::Ledger;
use crate::model::moment::Moment;
use crate::model::others;
use crate::model::policy::Policy;
use crate::registry::LookUps;

mod ahead;
mod batch;
mod booking;
mod chain;
mod cycle;
mod delivery;
pub mod events;
mod failure;
pub mod hand;
mod identity;
mod labels;
pub mod lease;
#[cfg(test)]
mod logged;
mod not_sent;
mod note;
mod opening;
mod outcome;
mod report;
mod rest;
pub mod rights;
mod schedule;
mod search;
mod size;
pub mod status;
pub mod storage;
pub mod store;
mod token;
mod turns;
mod waits;

pub use chain::chain;

use events::Events;
use lease::{LeaseError, Tenure};
use opening::Opening;
use rest::Rest;
use schedule::Schedule;
use size::Size;
use status::Shared;
use store::{Store, StoreError};
use waits::Pauses;

/// The operation of the API by which records are written, as metrics name it.
pub const OPERATION: &str = Operation::SetClusterDeploymentRecords.as_str();

/// Every operation that it may use, those included by which it signs in as a GitHub App.
pub const OPERATIONS: [&str; 4] = [OPERATION, storage::OPERATION, app::LOOK_UP, app::MINT];

/// How long the first cycle waits for every mirror.
const FIRST_SYNC: Duration = Duration::from_mins(1);

/// The loop turns at least this often, so that whoever watches it sees that it lives.
const PULSE: Duration = Duration::from_secs(15);

/// How long a process that stops tries to store its ledger.
const LAST_STORE: Duration = Duration::from_secs(5);

/// How long a process that starts tries to reach the API server.
pub const REACH: Duration = Duration::from_secs(30);

/// What HTTP goes out through: a real connection, or a router in the same process.
pub trait Transport:
    tower::Service<
        Request<Bytes>,
        Response = Response<Bytes>,
        Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    >
{
}

impl<S> Transport for S
where
    S: tower::Service<Request<Bytes>, Response = Response<Bytes>>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
}

/// What the recorder is told by settings, the core's policy included.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What the core is told.
    pub policy: Arc<Policy>,
    /// How often the full snapshot is sent.
    pub interval: Duration,
    /// The namespace of the ledger.
    pub ledger_namespace: String,
}

/// Why the recorder cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The ledger cannot be read or may not be written.
    #[error("the ledger")]
    Store(#[source] StoreError),
    /// A mirror ended.
    #[error("a watch ended")]
    Mirror(#[source] MirrorEnded),
    /// This process may not write.
    #[error(transparent)]
    Lease(LeaseError),
}

/// The recorder.
pub struct Recorder<S> {
    settings: Settings,
    cluster: Cluster,
    /// `None` in a dry run.
    github: Option<Client<S>>,
    /// `None` where nothing may be written.
    store: Option<Store>,
    /// `None` where labels of images are not read.
    labels: Option<LookUps>,
    lease: Tenure,
    ledger: Ledger,
    pace: Pace,
    size: Size,
    schedule: Schedule,
    clock: Clock,
    rng: StdRng,
    stop: CancellationToken,
    status: Shared,
    /// Where the full snapshot goes on, while one is under way.
    rest: Rest,
    /// The uid of each namespace that tells clusters apart, as far as it was read.
    uids: BTreeMap<String, String>,
    tries: identity::Tries,
    orphans: BTreeMap<Arc<str>, Moment>,
    /// Whether the last plan was made with all pods in view.
    sees_pods: bool,
    store_backoff: Duration,
    /// Organizations whose last answer was another than that something was taken.
    turned_away: BTreeSet<Access>,
    /// Since when organizations have changes to take.
    late: BTreeMap<Access, Instant>,
    /// Organizations that call everything invalid.
    doubts: search::Doubts,
    /// What was blocked when nothing went there any more.
    blocked_before: BTreeMap<(Arc<str>, Arc<str>), status::Blocked>,
    /// `None` where nobody wants them.
    events: Option<Events>,
    last_summary: Option<report::Said>,
    last_dry_run: report::WouldSend,
    pauses: Pauses,
}

/// What a recorder is made of.
pub struct Parts<S> {
    /// What it is told.
    pub settings: Settings,
    /// What runs.
    pub cluster: Cluster,
    /// GitHub; `None` for a dry run.
    pub github: Option<Client<S>>,
    /// The ledger's place.
    pub store: Store,
    /// Labels of images; `None` where they are not read.
    pub labels: Option<LookUps>,
    /// Whether this process may write; not needed for a dry run.
    pub lease: Tenure,
    /// The time.
    pub clock: Clock,
    /// What events on workloads are written with; `None` where nobody wants them.
    pub events: Option<events::Desk>,
    /// Where everything random comes from.
    pub seed: u64,
    /// Cancelled when it is to stop.
    pub stop: CancellationToken,
    /// Where it shows itself.
    pub status: Shared,
}

/// The pace of a process that begins now, with the tokens of this client.
fn pace<S>(github: Option<&Client<S>>, now: Instant) -> Pace {
    let keyring = github.map(Client::keyring);
    let signers = keyring.map(Keyring::signers).unwrap_or_default();
    Pace::begun(now).signed_by(signers)
}

impl<S: Transport> Recorder<S> {
    /// Waits until this process may write, reads the ledger and, unless this is a dry run, takes it
    /// over.
    pub async fn start(parts: Parts<S>) -> Result<Self, Error> {
        let Parts {
            settings,
            cluster,
            github,
            mut store,
            labels,
            lease,
            clock,
            events,
            seed,
            stop,
            status,
        } = parts;
        let dry = github.is_none();
        let opening = Opening {
            lease: &lease,
            cluster: &cluster,
            settings: &settings,
            clock: &clock,
            status: &status,
            dry,
        };
        let (ledger, uids) = opening.of(&mut store).await?;
        cluster.remember(others::in_ledger(&ledger));
        status.begin(ledger.len(), labels.as_ref());
        let now = Instant::now();
        // A dry run writes nothing anywhere.
        let desk = events.filter(|_| !dry);
        Ok(Self {
            events: desk.map(|it| Events::begin(it, lease.clone(), clock, status.clone())),
            schedule: Schedule::new(settings.interval, now),
            pace: pace(github.as_ref(), now),
            settings,
            cluster,
            github,
            store: (!dry).then_some(store),
            labels,
            lease,
            ledger,
            size: Size::default(),
            clock,
            rng: StdRng::seed_from_u64(seed),
            stop,
            status,
            rest: Rest::default(),
            uids,
            tries: identity::Tries::default(),
            orphans: BTreeMap::new(),
            sees_pods: false,
            store_backoff: Duration::ZERO,
            turned_away: BTreeSet::new(),
            late: BTreeMap::new(),
            doubts: search::Doubts::default(),
            blocked_before: BTreeMap::new(),
            last_summary: None,
            last_dry_run: report::WouldSend::default(),
            pauses: Pauses::default(),
        })
    }

    /// Runs until it is told to stop.
    pub async fn run(mut self) -> Result<(), Error> {
        let result = self.turn_until_stopped().await;
        // A ledger that is not ours, or not this cluster's, is left as it is.
        let is_ours = !matches!(result, Err(Error::Store(_) | Error::Lease(_)));
        if is_ours {
            let stored = delivery::within(LAST_STORE, self.store_acknowledgements()).await;
            if !matches!(stored, Some(Ok(true))) {
                tracing::warn!("ledger not stored on stop, the next start asks GitHub once more");
            }
        }
        self.cluster.stop().await;
        result
    }

    async fn turn_until_stopped(&mut self) -> Result<(), Error> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => return Ok(()),
            synced = self.cluster.first_sync(FIRST_SYNC) => {
                if !synced {
                    tracing::warn!("not every kind is fully read yet, going on with those that are");
                }
            }
        }
        while self.wait().await? {
            self.beat();
            if !self.lease.is_ours() {
                continue;
            }
            self.notice_new_token().await;
            let now = Instant::now();
            if self.schedule.is_renewal_due(now) && !self.schedule.has_changes() {
                self.renew().await?;
            } else if self.schedule.is_store_due(now) {
                self.store_acknowledgements().await?;
            }
            if self.schedule.next(self.pace.is_tight(now)) <= now {
                self.cycle().await?;
            }
            // It takes a call for each shard, for which neither a change waits nor who wants an end.
            if self.schedule.is_renewal_due(now) && !self.stop.is_cancelled() {
                self.renew().await?;
            }
        }
        Ok(())
    }

    /// Waits until there is something to do. Returns false when it is to stop.
    async fn wait(&mut self) -> Result<bool, Error> {
        let next = self.schedule.next(self.pace.is_tight(Instant::now()));
        let may_write = self.lease.is_ours();
        tokio::select! {
            biased;
            () = self.stop.cancelled() => return Ok(false),
            ended = self.cluster.failed() => return Err(Error::Mirror(ended)),
            why = self.lease.over() => return Err(Error::Lease(why)),
            ours = self.lease.ours(), if !may_write => {
                ours.map_err(Error::Lease)?;
                self.schedule.again_at(Instant::now());
            }
            () = self.cluster.changed() => self.schedule.changed(Instant::now()),
            () = labels::learned(self.labels.as_ref()) => self.schedule.changed(Instant::now()),
            () = sleep_until(next), if may_write => {}
            () = sleep(PULSE) => {}
        }
        Ok(true)
    }

    fn beat(&self) {
        self.status.lock().heartbeat = self.clock.now();
    }
}
