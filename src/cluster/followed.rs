//! One kind that is not always there, from its name to its objects: the API server is asked what it
//! calls the kind, its mirrors go by that name until it answers that there is no such thing, and then it
//! is asked anew. Only its own whole answer makes the kind absent. Which kinds are followed is not known
//! here.

mod doubt;

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use kube::Client;
use tokio::time::{Instant, sleep};

use crate::model::workload::Kind;

use super::MirrorHealth;
use super::discovery::{Resolved, Served, resolve};
use super::handle::health_of;
use super::health::{LASTS, MirrorState, Trouble};
use super::keep::Keep;
use super::mirror::{Mirror, State};
use super::patience::Patience;
use super::wake::Wake;

use doubt::{Absence, Failure};

/// When a name is asked for again although nobody says that it is wrong: who may not list is told so
/// whether or not there is such a thing. The pauses double.
const SECOND_THOUGHTS: [Duration; 2] = [Duration::from_secs(30), Duration::from_mins(5)];

/// A kind that is not always there, and its mirrors.
#[derive(Debug)]
pub(super) struct Followed<K: Keep> {
    kind: Kind,
    mirrors: Vec<Mirror<K>>,
    wake: Wake,
    known: Mutex<Known>,
}

/// What is known of it besides its objects.
#[derive(Debug, Default)]
struct Known {
    /// What the API server calls it, as it was said last.
    served: Option<Served>,
    /// Whether what was never read is given up.
    given_up: bool,
}

impl<K: Keep> Followed<K> {
    /// One that is to be looked at by these mirrors.
    pub(super) fn new(kind: &Kind, mirrors: Vec<Mirror<K>>, wake: &Wake) -> Self {
        Self {
            kind: kind.clone(),
            mirrors,
            wake: wake.clone(),
            known: Mutex::default(),
        }
    }

    pub(super) fn kind(&self) -> &Kind {
        &self.kind
    }

    pub(super) fn mirrors(&self) -> &[Mirror<K>] {
        &self.mirrors
    }

    /// What the API server calls its objects, as far as that was ever said.
    pub(super) fn plural(&self) -> Option<String> {
        let known = self.known();
        known.served.as_ref().map(|it| it.resource.plural.clone())
    }

    /// Group and version under which the API server serves it, as it was said last.
    pub(super) fn api_version(&self) -> Option<Arc<str>> {
        let known = self.known();
        let served = known.served.as_ref()?;
        Some(served.resource.api_version.as_str().into())
    }

    /// How each mirror is.
    pub(super) fn health(&self) -> impl Iterator<Item = MirrorHealth> {
        self.mirrors.iter().map(|mirror| {
            let given_up = self.is_given_up(&mirror.state());
            MirrorHealth {
                given_up,
                ..health_of(mirror)
            }
        })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is known that a mirror in this state cannot read: it is forbidden to, or fails and
    /// never showed anything, and neither is a matter of a moment.
    pub(super) fn is_given_up(&self, state: &State<K::Kept>) -> bool {
        match state.shown() {
            MirrorState::Forbidden => state.health.is_denied(),
            MirrorState::Interrupted => !state.health.was_synced() && self.known().given_up,
            MirrorState::Listing | MirrorState::Synced => false,
        }
    }

    /// Follows it for ever. `seed`: where the random part of its waits comes from.
    pub(super) async fn follow(&self, client: &Client, seed: u64) -> Infallible {
        let mut patience = Patience::new(seed);
        let (mut absence, mut failure) = (None, None);
        loop {
            let answer = resolve(client, &self.kind).await;
            if !matches!(answer, Ok(Resolved::Absent)) {
                absence = None;
            }
            let pause = match answer {
                Ok(Resolved::Found(served)) => {
                    failure = None;
                    self.found(&served);
                    self.watch(client, &served, seed).await;
                    patience.wait()
                }
                Ok(Resolved::Absent) => {
                    failure = None;
                    self.absent(absence.get_or_insert_with(Absence::begins))
                }
                Err(trouble) => {
                    self.fail(&trouble);
                    let failure = failure.get_or_insert_with(Failure::begins);
                    if failure.is_its_own(client).await {
                        self.give_up();
                    }
                    patience.wait()
                }
            };
            sleep(pause).await;
        }
    }

    fn found(&self, served: &Served) {
        let mut known = self.known();
        if known.served.as_ref() != Some(served) {
            let (plural, version) = (&*served.resource.plural, &*served.resource.api_version);
            tracing::info!(kind = %self.kind, plural, version, "a kind is found");
            known.served = Some(served.clone());
        }
    }

    /// Shows that there is nothing, once that is known. Returns when to ask again.
    fn absent(&self, absence: &mut Absence) -> Duration {
        if absence.is_known() {
            let nothing = |mirror: &Mirror<K>| {
                let state = mirror.state();
                state.index.len() == 0 && state.shown() == MirrorState::Synced
            };
            if !self.mirrors.iter().all(nothing) {
                tracing::info!(kind = %self.kind, "the API server has no such kind");
            }
            self.mirrors.iter().for_each(Mirror::show_nothing);
        }
        absence.pause()
    }

    fn fail(&self, trouble: &Trouble) {
        self.mirrors.iter().for_each(|mirror| mirror.fail(trouble));
    }

    /// What fails and was never read cannot be read.
    fn give_up(&self) {
        let was = std::mem::replace(&mut self.known().given_up, true);
        if !was {
            tracing::warn!(kind = %self.kind, "a kind cannot be read and is given up for now");
            self.wake.health_changed();
            self.wake.changed();
        }
    }

    /// Watches under this name until there is no such thing, or another name is given.
    async fn watch(&self, client: &Client, served: &Served, seed: u64) {
        let mut watches: FuturesUnordered<_> = self
            .mirrors
            .iter()
            .zip(seed..)
            .map(|(mirror, seed)| async move {
                let mut patience = Patience::new(seed);
                mirror.watch(client.clone(), served, &mut patience).await;
            })
            .collect();
        tokio::select! {
            biased;
            _ = watches.next() => {}
            () = self.second_thoughts(client, served) => {}
        }
        let (plural, version) = (&*served.resource.plural, &*served.resource.api_version);
        self.fail(&Trouble {
            forbidden: false,
            needs_list: true,
            message: format!("{plural} of {version} may be gone or have another name").into(),
        });
    }

    /// Asks again, at growing pauses, while not all is read. Returns when the answer is another.
    async fn second_thoughts(&self, client: &Client, served: &Served) {
        let [first, longest] = SECOND_THOUGHTS;
        let (mut pause, mut well_at) = (first, None);
        loop {
            sleep(pause).await;
            let synced = |mirror: &Mirror<K>| mirror.state().shown() == MirrorState::Synced;
            if self.mirrors.iter().all(synced) {
                (pause, well_at) = (first, None);
                continue;
            }
            if well_at.is_some_and(|at| self.fails_since(at)) {
                self.give_up();
            }
            pause = (pause * 2).min(longest);
            match resolve(client, &self.kind).await {
                Ok(Resolved::Found(again)) if again == *served => well_at = Some(Instant::now()),
                Ok(_) => return,
                Err(_) => well_at = None,
            }
        }
    }

    /// Whether a list that never succeeded has failed again since, and long after.
    fn fails_since(&self, at: Instant) -> bool {
        let failed_later = |mirror: &Mirror<K>| {
            let state = mirror.state();
            let last = state.health.last_failure();
            !state.health.was_synced() && last.is_some_and(|last| last > at)
        };
        at.elapsed() >= LASTS && self.mirrors.iter().any(failed_later)
    }
}
