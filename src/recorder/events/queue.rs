//! The queue: which cause is said next and when. What was said, what failed, and who is left alone for
//! how long. Without I/O; the time comes in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Wrong;
use super::cause::Cause;

/// The least time between two events: a namespace with thousands of workloads and one wrong annotation
/// is to cost the API server no more than what it forgets meanwhile, 1,200 of them.
const SPACING: Duration = Duration::from_secs(3);

/// How long none is written after one that failed, doubling.
const PAUSES: [Duration; 2] = [Duration::from_mins(1), Duration::from_mins(10)];

/// A cause that comes back sooner was never gone: a mirror that reads its kind anew does not see it
/// for a while.
pub(super) const GONE_AFTER: Duration = Duration::from_mins(10);

/// When so many namespaces refuse and none takes anything, it is no matter of each of them.
const ALL_REFUSE: usize = 5;

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// It is written.
    Written,
    /// It is there already: another process wrote it, or this one before it was restarted.
    Known,
    /// Its namespace does not take it: no right there, a quota, the namespace is going.
    Refused,
    /// The API server could not be asked, or takes none.
    Failed,
}

/// What is to be said.
#[derive(Default)]
pub(super) struct Queue {
    wrong: Arc<Wrong>,
    /// What was said; since when it is not wrong any more, where it is not.
    said: BTreeMap<Cause, Option<Instant>>,
    failed: BTreeSet<Cause>,
    spaced: Option<Instant>,
    everywhere: Pause,
    namespaces: BTreeMap<Arc<str>, Pause>,
    /// Namespaces that refused since anything was written.
    refusing: BTreeSet<Arc<str>>,
}

/// A pause that doubles each time it begins.
#[derive(Default)]
struct Pause(Option<(Duration, Instant)>);

impl Pause {
    fn begin(&mut self, now: Instant) {
        let [first, longest] = PAUSES;
        let length = self.0.map_or(first, |(last, _)| (last * 2).min(longest));
        self.0 = Some((length, now + length));
    }

    fn until(&self) -> Option<Instant> {
        self.0.map(|(_, until)| until)
    }

    fn holds(&self, now: Instant) -> bool {
        self.until().is_some_and(|until| until > now)
    }
}

impl Queue {
    /// Everything that is wrong now. What was not for long is forgotten, so that it is said again.
    pub(super) fn learn(&mut self, wrong: Arc<Wrong>, now: Instant) {
        self.said.retain(|cause, away| {
            let was_away = match away {
                Some(since) => now.duration_since(*since),
                None => Duration::ZERO,
            };
            *away = if wrong.contains_key(cause) {
                None
            } else {
                away.or(Some(now))
            };
            was_away < GONE_AFTER
        });
        self.failed.retain(|cause| wrong.contains_key(cause));
        self.namespaces
            .retain(|_, pause| pause.until().is_some_and(|until| until + PAUSES[1] > now));
        self.wrong = wrong;
    }

    /// What is said now, what failed only where nothing else is left; or when to look again, if only
    /// time brings something.
    pub(super) fn next(&mut self, now: Instant) -> Result<Cause, Option<Instant>> {
        let held = self.everywhere.until().max(self.spaced);
        if held.is_some_and(|until| until > now) {
            return Err(held);
        }
        let open = || self.wrong.keys().filter(|it| !self.said.contains_key(*it));
        let pause = |cause: &Cause| self.namespaces.get(&cause.workload.namespace);
        let mut free = open().filter(|it| !pause(it).is_some_and(|pause| pause.holds(now)));
        let fresh = free.clone().find(|cause| !self.failed.contains(*cause));
        let next = fresh.or_else(|| free.next()).cloned();
        let Some(next) = next else {
            let over = open().filter_map(|it| pause(it)?.until());
            let forgotten = self.said.values().flatten();
            let forgotten = forgotten.map(|since| *since + GONE_AFTER);
            return Err(over.chain(forgotten).min());
        };
        if fresh.is_none() {
            self.failed.clear();
        }
        Ok(next)
    }

    /// What became of it.
    pub(super) fn done(&mut self, cause: Cause, said: Said, now: Instant) {
        let namespace = cause.workload.namespace.clone();
        self.spaced = Some(now + SPACING);
        match said {
            Said::Written | Said::Known => {
                self.said.insert(cause, None);
                self.namespaces.remove(&namespace);
                self.refusing.clear();
                self.everywhere = Pause::default();
                return;
            }
            Said::Refused => {
                let pause = self.namespaces.entry(namespace.clone()).or_default();
                pause.begin(now);
                self.refusing.insert(namespace);
                if self.refusing.len() >= ALL_REFUSE {
                    self.everywhere.begin(now);
                }
            }
            Said::Failed => self.everywhere.begin(now),
        }
        self.failed.insert(cause);
    }
}
