//! github-sandbox: a stand-in for GitHub's artifact metadata endpoints, and for those by which a
//! GitHub App signs in, for tests, the demo and people who want to try the recorder without an organization.
//!
//! It judges every request by GitHub's published description and by what GitHub documents beside
//! it (`contract/`), keeps records as GitHub says it does, and fails on request ([`Fault`]). It
//! shares nothing with the recorder: neither types nor code, so that one does not confirm the
//! other's mistakes.
//!
//! ```
//! use deployment_recorder::sandbox::{Fault, FaultKind, Sandbox};
//!
//! let sandbox = Sandbox::default();
//! sandbox.fault(Fault::once(FaultKind::Status { status: 502 }));
//! assert!(sandbox.records().is_empty());
//! ```

mod admin;
mod answers;
mod app;
mod call;
mod connection;
mod contract;
mod deeds;
mod endpoint;
mod faults;
mod flow;
mod jobs;
mod jwt;
mod log;
mod origins;
mod pace;
mod page;
mod perform;
mod records;
mod router;
mod rules;
mod service;
mod storage;
mod strikes;
mod world;
mod write;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

pub use app::{APP_ID, AppChange, CLIENT_ID, Permission};
pub use contract::check_answer;
pub use endpoint::Endpoint;
pub use faults::{Fault, FaultKind, Matcher};
pub use log::Entry;
pub use origins::Attestation;
pub use pace::{
    Busiest, POLITE_PER_HOUR, PRIMARY_PER_HOUR, SPACING, Violation, WRITES_PER_HOUR,
    WRITES_PER_MINUTE,
};
pub use records::{Change, Key, Record};
pub use router::serve;
pub use rules::{MAX_TAG_LENGTH, MAX_TAGS, VERSIONS};
pub use service::SandboxService;
pub use storage::StorageRecord;
pub use write::Status;

use records::Stamp;
use world::World;

/// How a sandbox behaves from its start on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The only token accepted; none: any that is not empty.
    pub token: Option<String>,
    /// Whether requests beyond a limit of the pace are refused. They are counted in any case.
    pub enforce_pace: bool,
    /// Whether a digest without a known attestation needs a `github_repository`. Otherwise every
    /// digest counts as attested.
    pub unknown_digests: bool,
    /// How long a job takes.
    pub job_duration: Duration,
    /// How many requests the log remembers.
    pub log_limit: usize,
    /// How much less than a second may lie between two writes: a network makes arrivals uneven.
    pub jitter: Duration,
    /// What the wall clock shows at the start; none: what it shows.
    pub epoch: Option<Timestamp>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            token: None,
            enforce_pace: false,
            unknown_digests: false,
            job_duration: Duration::from_secs(2),
            log_limit: 100_000,
            jitter: Duration::ZERO,
            epoch: None,
        }
    }
}

/// A handle of one sandbox; clones share it. Its clock is tokio's, so a paused one holds for it too.
#[derive(Clone, Debug)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    world: Mutex<World>,
    changes: watch::Sender<u64>,
    started: Instant,
    epoch: Timestamp,
    job_duration: Duration,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new(Settings::default())
    }
}

impl Sandbox {
    /// A sandbox without records.
    pub fn new(settings: Settings) -> Self {
        let mut world = World {
            token: settings.token,
            enforce: settings.enforce_pace,
            log: log::Log::new(settings.log_limit),
            ..World::default()
        };
        world.origins.unknown_digests = settings.unknown_digests;
        world.pace.jitter = settings.jitter;
        let inner = Inner {
            world: Mutex::new(world),
            changes: watch::Sender::new(0),
            started: Instant::now(),
            epoch: settings.epoch.unwrap_or_else(Timestamp::now),
            job_duration: settings.job_duration,
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The endpoints as a service in process: no socket, and a broken connection is an `Err`.
    pub fn service(&self) -> SandboxService {
        SandboxService::new(self.clone())
    }

    /// All deployment records, in the order of their keys.
    pub fn records(&self) -> Vec<Record> {
        self.world().records.all().cloned().collect()
    }

    /// The record of that logical environment and `deployment_name`; the first by key if there are
    /// several.
    pub fn record(&self, logical_environment: &str, name: &str) -> Option<Record> {
        self.world()
            .records
            .find(logical_environment, name)
            .cloned()
    }

    /// Every write to the records of that logical environment and name, oldest first.
    pub fn history(&self, logical_environment: &str, name: &str) -> Vec<Change> {
        self.world().records.history(logical_environment, name)
    }

    /// All storage records.
    pub fn storage_records(&self) -> Vec<StorageRecord> {
        self.world().storage.all().cloned().collect()
    }

    /// The log of requests, oldest first.
    pub fn requests(&self) -> Vec<Entry> {
        self.world().log.all().cloned().collect()
    }

    /// How many requests came since the start.
    pub fn request_count(&self) -> u64 {
        self.world().log.count()
    }

    /// Everything that clients did and must not: broken contract and pace, each with the sequence
    /// number of its request.
    pub fn violations(&self) -> Vec<(u64, Violation)> {
        self.world().log.violations().to_vec()
    }

    /// The most writes that there were within any minute and any hour so far, refused ones that were
    /// told to wait aside.
    pub fn busiest(&self) -> Busiest {
        self.world().pace.busiest()
    }

    /// Puts a fault at the end of the queue and gives its number.
    pub fn fault(&self, fault: Fault) -> u64 {
        self.world().faults.add(fault)
    }

    /// The faults in the queue with their numbers.
    pub fn faults(&self) -> Vec<(u64, Fault)> {
        self.world().faults.all().to_vec()
    }

    /// Removes one fault.
    pub fn clear_fault(&self, number: u64) {
        self.world().faults.clear(Some(number));
    }

    /// Removes all faults. Records, log and attestations stay.
    pub fn clear(&self) {
        self.world().faults.clear(None);
    }

    /// Makes a digest known.
    pub fn attest(&self, attestation: Attestation) {
        self.world().origins.attest(attestation);
    }

    /// The attestations known, those given by default included.
    pub fn attestations(&self) -> Vec<Attestation> {
        self.world().origins.all().collect()
    }

    /// Says whether digests without an attestation are unknown from now on.
    pub fn set_unknown_digests(&self, unknown: bool) {
        self.world().origins.unknown_digests = unknown;
    }

    /// Accepts only this token from now on; none: any.
    pub fn set_token(&self, token: Option<String>) {
        self.world().token = token;
    }

    /// This organization accepts only this token from now on, and no other organization does; none:
    /// what the others accept.
    pub fn set_token_of(&self, org: &str, token: Option<String>) {
        let own = &mut self.world().own_tokens;
        match token {
            Some(token) => drop(own.insert(org.to_lowercase(), token)),
            None => drop(own.remove(&org.to_lowercase())),
        }
    }

    /// Refuses what goes beyond the pace from now on, or only counts it.
    pub fn set_enforce_pace(&self, enforce: bool) {
        self.world().enforce = enforce;
    }

    /// A receiver that is told of every request that comes or ends and of every record written.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.inner.changes.subscribe()
    }

    /// Waits for the next such event.
    pub async fn changed(&self) {
        // The sender lives as long as `self`, so there is no error to wait out.
        let _ = self.subscribe().changed().await;
    }

    /// Waits until the condition holds; it is asked now and after every event. Without an end of its
    /// own: put it under a time-out.
    pub async fn wait_until(&self, mut holds: impl FnMut(&Self) -> bool) {
        let mut events = self.subscribe();
        while !holds(self) {
            if events.changed().await.is_err() {
                return;
            }
        }
    }

    /// Time since the sandbox was made.
    pub fn elapsed(&self) -> Duration {
        self.inner.started.elapsed()
    }

    /// The sandbox's wall clock, in whole seconds.
    pub fn now(&self) -> Timestamp {
        let now = self.inner.epoch + self.elapsed();
        Timestamp::from_second(now.as_second()).unwrap_or(now)
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.inner
            .world
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn bump(&self) {
        self.inner.changes.send_modify(|count| *count += 1);
    }

    fn stamp(&self, request: u64) -> Stamp {
        Stamp {
            request,
            at: self.elapsed(),
            time: self.now(),
        }
    }

    fn job_duration(&self) -> Duration {
        self.inner.job_duration
    }
}
