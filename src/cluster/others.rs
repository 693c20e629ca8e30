//! Others: the mirrors of kinds that are not built in, a list that changes while the process runs.
//! Which kinds matter is told from outside; how one of them is found and followed is in `kind`.

mod kind;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kube::Client;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::model::facts::{Coverage, Facts, Unreadable};
use crate::model::others;
use crate::model::workload::Kind;

use super::MirrorHealth;
use super::coverage::Seen;
use super::health::MirrorState;
use super::keep::{Owners, Shared};
use super::mirror::Mirror;
use super::place::Place;
use super::wake::Wake;

use kind::OtherKind;

/// A kind that nobody names any more is looked at for this long: pods of one that runs to completion
/// come and go.
const LINGERS: Duration = Duration::from_mins(10);

/// How many kinds are looked at, at most. Who may make pods can name any number of owners that do not exist, and
/// each kind costs watches and questions; those that the ledger names come first. One that is left out is not
/// read, so that nothing is decided of its pods.
const MOST: usize = 64;

/// The kinds that are looked at besides those that are built in.
#[derive(Debug)]
pub(super) struct Others {
    shared: Arc<Shared>,
    /// Where each is looked at: namespaces one by one, or `None` for the whole cluster.
    places: Vec<Option<Arc<str>>>,
    wake: Wake,
    /// Whether a 403 is believed when it is said once.
    at_first_word: AtomicBool,
    list: Mutex<List>,
    begun: UnboundedSender<Arc<OtherKind>>,
}

#[derive(Debug, Default)]
struct List {
    kinds: BTreeMap<Kind, Looked>,
    /// What the ledger names, as it was told last.
    remembered: BTreeSet<Kind>,
}

#[derive(Debug)]
struct Looked {
    other: Arc<OtherKind>,
    /// When it was named last.
    named: Instant,
}

/// Those that are begun, for [`run`].
pub(super) type Begun = UnboundedReceiver<Arc<OtherKind>>;

impl Others {
    /// None yet.
    pub(super) fn new(shared: &Arc<Shared>, wake: &Wake) -> (Self, Begun) {
        let exact = shared.converter.scope().exact_namespaces();
        let places = match exact {
            Some(names) => names.into_iter().map(Some).collect(),
            None => vec![None],
        };
        let (begun, to_run) = unbounded_channel();
        let others = Self {
            shared: Arc::clone(shared),
            places,
            wake: wake.clone(),
            at_first_word: AtomicBool::new(false),
            list: Mutex::default(),
            begun,
        };
        (others, to_run)
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on a 403 is believed when it is said once: for who looks only once, and does not stay to
    /// see that it was but for a moment.
    pub(super) fn believe_at_first_word(&self) {
        self.at_first_word.store(true, Ordering::Relaxed);
    }

    pub(super) fn believes_at_first_word(&self) -> bool {
        self.at_first_word.load(Ordering::Relaxed)
    }

    /// What the ledger names from now on.
    pub(super) fn remember(&self, kinds: BTreeSet<Kind>) {
        self.list().remembered = kinds;
    }

    /// Begins to look at what `facts` and the ledger name, and drops what neither has named for a
    /// while. Returns whether there is a new one.
    ///
    /// Where walks are not seen to their ends, one that seems unnamed may own pods all the same, and its
    /// objects may have said that they opt out: what was seen of it is kept until another kind needs its
    /// place. A part of the view may stay forbidden for good, and kinds that nobody has any more would
    /// leave no room for others. To drop one proves nothing about it: it counts as not read from then on,
    /// and where a walk leads to it again it is read again.
    pub(super) fn look_for(&self, facts: &Facts) -> bool {
        let scope = self.shared.converter.scope();
        if !others::are_selected(&scope.selection) {
            return false;
        }
        let ends = others::at_the_end_of_walks(facts, &scope.selection);
        let now = Instant::now();
        let mut list = self.list();
        let List { kinds, remembered } = &mut *list;
        let named = || remembered.iter().chain(&ends);
        for kind in named() {
            if let Some(looked) = kinds.get_mut(kind) {
                looked.named = now;
            }
        }
        if self.sees_walks(&facts.coverage) {
            while drop_one(kinds, now) {}
        }
        let mut is_new = false;
        for kind in named() {
            if kinds.contains_key(kind) {
                continue;
            }
            if kinds.len() >= MOST && !drop_one(kinds, now) {
                tracing::debug!(%kind, "too many kinds own pods, this one is not looked at");
                continue;
            }
            let other = self.begin(kind);
            kinds.insert(kind.clone(), Looked { other, named: now });
            is_new = true;
        }
        drop(list);
        if is_new {
            self.wake.health_changed();
        }
        is_new
    }

    fn begin(&self, kind: &Kind) -> Arc<OtherKind> {
        let mirrors = self.places.iter().map(|namespace| {
            let place = Place {
                kind: kind.clone(),
                namespace: namespace.clone(),
            };
            let shared = Arc::clone(&self.shared);
            let keep = Owners {
                kind: kind.clone(),
                shared,
            };
            Mirror::new(place, keep, self.wake.clone())
        });
        let other = Arc::new(OtherKind::new(kind, mirrors.collect(), &self.wake));
        // After the end of all watches nobody receives it.
        let _ = self.begun.send(Arc::clone(&other));
        other
    }

    /// Whether every walk is seen to its end.
    fn sees_walks(&self, coverage: &Coverage) -> bool {
        let sought = self.shared.converter.scope().exact_namespaces();
        let passed = coverage.kinds.iter().filter(|it| it.0.is_passed_through());
        let mut views = passed.map(|(_, view)| view).chain([&coverage.pods]);
        views.all(|view| view.is_whole(sought.as_deref()))
    }

    /// Those that are looked at now, by kind.
    fn all(&self) -> Vec<Arc<OtherKind>> {
        let list = self.list();
        let looked = list.kinds.values();
        looked.map(|looked| Arc::clone(&looked.other)).collect()
    }

    /// How each mirror is.
    pub(super) fn health(&self) -> Vec<MirrorHealth> {
        let all = self.all().into_iter();
        all.flat_map(|other| other.followed().health().collect::<Vec<_>>())
            .collect()
    }

    /// Group and version of a kind, as the API server serves it.
    pub(super) fn api_version(&self, kind: &Kind) -> Option<Arc<str>> {
        let list = self.list();
        let looked = list.kinds.get(kind)?;
        looked.other.followed().api_version()
    }

    /// Adds what is known of them.
    pub(super) fn add_to(&self, facts: &mut Facts) {
        let at_once = self.believes_at_first_word();
        for other in self.all() {
            let (mut seen, mut refused) = (Seen::default(), Seen::default());
            let mut lacks = None;
            for mirror in other.followed().mirrors() {
                let state = mirror.state();
                seen.add(&mirror.place, state.shown());
                let said = at_once && state.shown() == MirrorState::Forbidden;
                if said || other.followed().is_given_up(&state) {
                    refused.add(&mirror.place, MirrorState::Synced);
                    lacks = Some(other.lacks(&state));
                }
                facts.objects.extend(state.index.iter().cloned());
            }
            let coverage = &mut facts.coverage;
            coverage
                .kinds
                .insert(other.followed().kind().clone(), seen.view());
            if let Some(lacks) = lacks {
                let view = refused.view();
                let unreadable = Unreadable { view, lacks };
                coverage
                    .unreadable
                    .insert(other.followed().kind().clone(), unreadable);
            }
        }
    }
}

/// Drops the one that was not named for longest, if that is a while. Returns whether there was one.
fn drop_one(kinds: &mut BTreeMap<Kind, Looked>, now: Instant) -> bool {
    let longest = kinds.iter().min_by_key(|(_, looked)| looked.named);
    let unnamed = longest.filter(|(_, looked)| now.duration_since(looked.named) >= LINGERS);
    let Some(kind) = unnamed.map(|(kind, _)| kind.clone()) else {
        return false;
    };
    if let Some(looked) = kinds.remove(&kind) {
        looked.other.drop_it();
    }
    true
}

/// Follows each that is begun until it is dropped. Ends only when one of them does by itself.
pub(super) async fn run(mut begun: Begun, client: Client, mut seed: u64) {
    let mut running = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            Some(other) = begun.recv() => {
                seed = seed.wrapping_add(1 << 16);
                let (client, seed) = (client.clone(), seed);
                running.spawn(async move { other.run(&client, seed).await });
            }
            Some(ended) = running.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "what follows a kind ended");
                    return;
                }
            }
            else => return,
        }
    }
}
