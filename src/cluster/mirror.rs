//! Mirror: one watch, its compact index and its health. A mirror only ever adds to what is known:
//! an error, a list that breaks or an answer that never comes leaves the index as it was and ends
//! Synced.

mod opened;
mod step;

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::{Stream, StreamExt};
use kube::Api;
use kube::runtime::watcher::{self, Event, watcher};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::discovery::Served;
use super::health::{Health, MirrorState, Trouble};
use super::index::{Change, Index, Kept, Key};
use super::keep::Keep;
use super::patience::Patience;
use super::place::Place;
use super::wake::Wake;

use opened::Opened;
use step::{Step, failed, given_up};

/// What a mirror does with its place, as RBAC calls it.
pub(super) const VERBS: [&str; 2] = ["list", "watch"];

/// How many objects a page of a list has. The peak of memory while listing grows with it. Where these
/// are too large for one answer, pages become smaller.
const PAGE_SIZE: u32 = 100;
/// A list that makes no progress for this long is given up.
const LIST_STALLS_AFTER: Duration = Duration::from_mins(1);
/// A list that goes on for this long has no end: the API server forgets what a page goes on from after
/// five minutes, or ten, as it says at <https://kubernetes.io/docs/reference/using-api/api-concepts/>.
const LIST_ENDS_WITHIN: Duration = Duration::from_mins(15);

/// One watch, its index and its health.
#[derive(Debug)]
pub(super) struct Mirror<K: Keep> {
    pub(super) place: Place,
    keep: K,
    state: Mutex<State<K::Kept>>,
    opened: Opened,
    wake: Wake,
}

/// What a mirror shows, under one lock so that nobody sees an index with the health of another.
#[derive(Debug)]
pub(super) struct State<T> {
    pub(super) index: Index<T>,
    pub(super) health: Health,
}

impl<K: Keep> Mirror<K> {
    pub(super) fn new(place: Place, keep: K, wake: Wake) -> Self {
        let state = State {
            index: Index::default(),
            health: Health::new(),
        };
        Self {
            place,
            keep,
            state: Mutex::new(state),
            opened: Opened::not_yet(),
            wake,
        }
    }

    /// What it keeps.
    pub(super) fn keep(&self) -> &K {
        &self.keep
    }

    /// What it shows now.
    pub(super) fn state(&self) -> MutexGuard<'_, State<K::Kept>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches what is built in until `stop`.
    pub(super) async fn run(&self, client: kube::Client, seed: u64, stop: CancellationToken) {
        let served = Served {
            resource: self.place.resource(),
            namespaced: true,
        };
        let watching = async {
            let mut patience = Patience::new(seed);
            loop {
                self.watch(client.clone(), &served, &mut patience).await;
                // What is built in does not go: it was not the API server that said so.
                tokio::time::sleep(patience.wait()).await;
            }
        };
        stop.run_until_cancelled(watching).await;
    }

    /// Watches under the name that the API server has for the kind, until it answers that it has
    /// nothing of that name.
    pub(super) async fn watch(
        &self,
        client: kube::Client,
        served: &Served,
        patience: &mut Patience,
    ) {
        let resource = &served.resource;
        let client = self.opened.said_by(client);
        let api: Api<K::Wire> = match &self.place.namespace {
            Some(namespace) if served.namespaced => {
                Api::namespaced_with(client, namespace, resource)
            }
            _ => Api::all_with(client, resource),
        };
        let mut page = PAGE_SIZE;
        loop {
            // No streaming lists: when one breaks, kube keeps what it had read of it.
            let config = watcher::Config::default().page_size(page);
            let mut events = pin!(watcher(api.clone(), config));
            let mut list_began = Instant::now();
            loop {
                match self.next(&mut events, list_began).await {
                    Step::Event(event) => {
                        if matches!(event, Event::Init) {
                            list_began = Instant::now();
                        }
                        self.take(event);
                    }
                    Step::TooMuch(trouble) => {
                        self.fail(&trouble);
                        page = (page / 4).max(1);
                        tokio::time::sleep(patience.wait()).await;
                        break;
                    }
                    Step::CaughtUp => self.update(|state| {
                        state.health.goes_on();
                        Change::none()
                    }),
                    Step::Unknown(trouble) => return self.fail(&trouble),
                    Step::Failed {
                        trouble,
                        start_anew,
                    } => {
                        self.fail(&trouble);
                        tokio::time::sleep(patience.wait()).await;
                        if start_anew {
                            break;
                        }
                        // Where a list is needed now, it is another one.
                        list_began = Instant::now();
                    }
                }
            }
        }
    }

    async fn next<S>(&self, events: &mut S, list_began: Instant) -> Step<K::Wire>
    where
        S: Stream<Item = watcher::Result<Event<K::Wire>>> + Unpin,
    {
        let (listing, resumes) = {
            let state = self.state();
            (state.health.needs_list(), state.health.resumes())
        };
        let next = events.next();
        let next = if listing {
            if list_began.elapsed() > LIST_ENDS_WITHIN {
                return given_up(format!("a list did not end within {LIST_ENDS_WITHIN:?}"));
            }
            let Ok(next) = tokio::time::timeout(LIST_STALLS_AFTER, next).await else {
                return given_up(format!("a list made no progress for {LIST_STALLS_AFTER:?}"));
            };
            next
        } else if resumes {
            tokio::select! {
                biased;
                next = next => next,
                () = self.opened.caught_up() => return Step::CaughtUp,
            }
        } else {
            next.await
        };
        match next {
            Some(Ok(event)) => Step::Event(event),
            Some(Err(error)) => failed(&error),
            None => given_up("the watch ended".to_owned()),
        }
    }

    /// Takes an event in.
    pub(super) fn take(&self, event: Event<K::Wire>) {
        self.update(|state| match event {
            Event::Init => {
                state.index.begin();
                state.health.list_begins();
                Change::none()
            }
            Event::InitApply(wire) => {
                let key = self.keep.key(&wire);
                let kept = self.keep.read(&wire, state.index.get(&key));
                state.index.list(shared(key, kept.as_ref()), kept);
                Change::none()
            }
            Event::InitDone => {
                state.health.listed();
                state.index.finish()
            }
            Event::Apply(wire) => {
                state.health.goes_on();
                let key = self.keep.key(&wire);
                let kept = self.keep.read(&wire, state.index.get(&key));
                state.index.apply(shared(key, kept.as_ref()), kept)
            }
            Event::Delete(wire) => {
                state.health.goes_on();
                let key = self.keep.key(&wire);
                // The last view of an object may tell more than the one before.
                if let Some(last) = self.keep.read(&wire, state.index.get(&key)) {
                    state.index.apply(key.clone(), Some(last));
                }
                state.index.delete(&key)
            }
        });
    }

    /// There is nothing to show: the API server has no such kind.
    pub(super) fn show_nothing(&self) {
        self.update(|state| {
            state.index.begin();
            state.health.listed();
            state.index.finish()
        });
    }

    /// Takes in that something failed.
    pub(super) fn fail(&self, trouble: &Trouble) {
        self.opened.failed();
        self.update(|state| {
            state.health.failed(trouble);
            Change::none()
        });
        tracing::debug!(
            kind = %self.place.kind,
            namespace = self.place.namespace.as_deref(),
            error = &*trouble.message,
            "a watch failed"
        );
    }

    /// Changes what is shown, and wakes and tells whom it concerns.
    fn update(&self, change: impl FnOnce(&mut State<K::Kept>) -> Change<K::Kept>) {
        let mut state = self.state();
        let (before, was_denied) = (state.shown(), state.health.is_denied());
        let change = change(&mut state);
        let (after, is_denied) = (state.shown(), state.health.is_denied());
        let (objects, error) = (state.index.len(), state.error());
        drop(state);
        change.gone.iter().for_each(|gone| self.keep.gone(gone));
        if before != after {
            self.place.log(after, objects, error.as_deref());
        }
        let says_other = before != after || was_denied != is_denied;
        if says_other {
            self.wake.health_changed();
        }
        if change.matters || says_other {
            self.wake.changed();
        }
    }
}

impl<T: Kept> State<T> {
    /// The state of the mirror. An object that cannot be read makes it Interrupted: what it says
    /// is not known, so its absence from what is shown proves nothing.
    pub(super) fn shown(&self) -> MirrorState {
        let (state, _) = self.health.state();
        if state == MirrorState::Synced && self.index.unreadable().is_some() {
            MirrorState::Interrupted
        } else {
            state
        }
    }

    /// What is wrong.
    pub(super) fn error(&self) -> Option<Arc<str>> {
        let unreadable = || {
            let (namespace, name) = self.index.unreadable()?;
            Some(format!("an object cannot be read: {namespace}/{name}").into())
        };
        self.health.error().cloned().or_else(unreadable)
    }
}

/// The same key, with the name that the object itself holds: ten thousand names less.
fn shared<T: Kept>(key: Key, kept: Option<&T>) -> Key {
    let Some(kept) = kept else { return key };
    (key.0, Arc::clone(kept.name()))
}
