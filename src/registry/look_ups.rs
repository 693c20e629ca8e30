//! What is known of images and what is wanted, shared between who decides and who asks. Neither waits
//! for the other here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::model::image::Digest;
use crate::model::origin::{Labels, Unread, tidy};

use super::queue;

/// What a look-up came to, as it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// The image has the label.
    Label,
    /// It has none.
    None,
    /// The registry does not let it be read.
    Denied,
    /// The registry does not have it.
    NotFound,
    /// The registry wants to be left alone for a while.
    Limited,
    /// The registry did not answer as one does.
    Failed,
    /// What came back was not what was asked for.
    Untrue,
    /// It may not be asked for.
    Refused,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 8] = [
        Self::Label,
        Self::None,
        Self::Denied,
        Self::NotFound,
        Self::Limited,
        Self::Failed,
        Self::Untrue,
        Self::Refused,
    ];

    /// Its name, in kebab case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::None => "none",
            Self::Denied => "denied",
            Self::NotFound => "not-found",
            Self::Limited => "limited",
            Self::Failed => "failed",
            Self::Untrue => "untrue",
            Self::Refused => "refused",
        }
    }
}

/// What is known and what is wanted. Clones share everything.
#[derive(Clone, Debug, Default)]
pub struct LookUps(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    wanted: Notify,
    known: Notify,
}

#[derive(Debug, Default)]
struct State {
    known: Arc<Labels>,
    unread: Arc<Unread>,
    /// How often something else was wanted.
    wishes: u64,
    outcomes: BTreeMap<Outcome, u64>,
    problems: BTreeMap<(Arc<str>, Outcome), Arc<str>>,
}

/// How look-ups go.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// How many there were, by outcome.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// Of how many images the label is known, or that there is none.
    pub known: usize,
    /// Of how many it is wanted and not known.
    pub unread: usize,
    /// What was wrong last at registries that are still asked, for each kind of problem.
    pub problems: Vec<(Arc<str>, Outcome, Arc<str>)>,
}

impl LookUps {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nobody can leave it half written.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of images.
    pub fn known(&self) -> Arc<Labels> {
        self.state().known.clone()
    }

    /// Of these images the labels are wanted, and of no others.
    pub fn want(&self, unread: &Unread) {
        let mut state = self.state();
        let known = &state.known;
        // Whoever asks may not have heard of the last answers yet.
        let unread = unread
            .iter()
            .filter(|(digest, _)| !known.contains_key(digest));
        if !unread.clone().eq(state.unread.iter()) {
            let unread: Unread = unread.map(|(digest, at)| (*digest, at.clone())).collect();
            state.unread = Arc::new(unread);
            state.wishes += 1;
            let places = state.unread.values().flatten();
            let named: BTreeSet<Arc<str>> =
                places.map(|place| queue::registry(&place.image)).collect();
            state
                .problems
                .retain(|(registry, _), _| named.contains(registry));
            self.0.wanted.notify_one();
        }
    }

    /// Forgets what is known of all other images.
    pub fn keep_only(&self, keep: impl Fn(&Digest) -> bool) {
        let mut state = self.state();
        if !state.known.keys().all(&keep) {
            Arc::make_mut(&mut state.known).retain(|digest, _| keep(digest));
        }
    }

    /// Waits until more is known than when this returned last. For one waiter at a time.
    pub async fn changed(&self) {
        self.0.known.notified().await;
    }

    /// How look-ups go.
    pub fn shown(&self) -> Shown {
        let state = self.state();
        let problems = state.problems.iter();
        Shown {
            outcomes: state.outcomes.clone(),
            known: state.known.len(),
            unread: state.unread.len(),
            problems: problems
                .map(|((name, of), why)| (name.clone(), *of, why.clone()))
                .collect(),
        }
    }

    /// Waits until something else is wanted than when this returned last.
    pub(super) async fn wanted(&self) {
        self.0.wanted.notified().await;
    }

    /// What is wanted and not known, if something else was wanted since that was `seen`.
    pub(super) fn unread(&self, seen: &mut u64) -> Option<Arc<Unread>> {
        let state = self.state();
        let new = *seen != state.wishes;
        *seen = state.wishes;
        new.then(|| state.unread.clone())
    }

    /// What a registry says of an image, for good.
    pub(super) fn learn(&self, digest: Digest, label: Option<&str>) {
        let mut state = self.state();
        let label = label.map(tidy);
        Arc::make_mut(&mut state.known).insert(digest, label);
        Arc::make_mut(&mut state.unread).remove(&digest);
        self.0.known.notify_one();
    }

    /// Counts a look-up, with what was wrong, if something was. Returns whether that is the first of its
    /// kind at this registry.
    pub(super) fn count(
        &self,
        outcome: Outcome,
        registry: &Arc<str>,
        problem: Option<&str>,
    ) -> bool {
        let mut state = self.state();
        *state.outcomes.entry(outcome).or_default() += 1;
        let Some(problem) = problem else {
            return false;
        };
        let key = (registry.clone(), outcome);
        state.problems.insert(key, problem.into()).is_none()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;
    use crate::model::fixtures::digest;
    use crate::model::origin::Place;

    fn unread(images: &[(u64, &str)]) -> Unread {
        let mut unread = Unread::new();
        for (number, image) in images {
            let place = Place {
                image: (*image).into(),
                account: None,
            };
            unread.entry(digest(*number)).or_default().insert(place);
        }
        unread
    }

    #[test]
    fn each_side_is_woken_once_for_what_is_new_and_never_for_what_is_not() {
        let ours = LookUps::default();
        let theirs = ours.clone();
        assert_eq!(ours.changed().now_or_never(), None);
        assert_eq!(theirs.wanted().now_or_never(), None);
        for _ in 0..2 {
            ours.want(&unread(&[(1, "a.test/x")]));
        }
        assert_eq!(theirs.wanted().now_or_never(), Some(()));
        ours.want(&unread(&[(1, "a.test/x")]));
        assert_eq!(theirs.wanted().now_or_never(), None);
        let before = ours.known();
        theirs.learn(digest(1), Some(" https://me:secret@github.com/acme/web "));
        theirs.learn(digest(2), None);
        assert_eq!(ours.changed().now_or_never(), Some(()));
        assert_eq!(ours.changed().now_or_never(), None);
        assert!(before.is_empty(), "what was taken stays as it was");
        let known = ours.known();
        assert_eq!(
            known[&digest(1)].as_deref(),
            Some("https://github.com/acme/web")
        );
        assert_eq!(known[&digest(2)], None);
        ours.keep_only(|it| *it == digest(2));
        assert_eq!(ours.known().len(), 1);
    }

    #[test]
    fn a_problem_is_new_once_for_each_kind_and_registry_as_long_as_that_is_asked() {
        let look_ups = LookUps::default();
        let (a, b): (Arc<str>, Arc<str>) = ("a.test".into(), "b.test".into());
        look_ups.want(&unread(&[(1, "a.test/x"), (2, "b.test/x")]));
        assert!(look_ups.count(Outcome::Denied, &a, Some("no")));
        assert!(!look_ups.count(Outcome::Label, &a, None));
        assert!(!look_ups.count(Outcome::Denied, &a, Some("no")));
        assert!(look_ups.count(Outcome::Failed, &a, Some("no answer")));
        assert!(look_ups.count(Outcome::Denied, &b, Some("no")));
        let shown = look_ups.shown();
        assert_eq!(shown.outcomes[&Outcome::Denied], 3);
        assert_eq!((shown.problems.len(), shown.unread, shown.known), (3, 2, 0));
        look_ups.want(&unread(&[(2, "b.test/x")]));
        assert!(!look_ups.count(Outcome::Denied, &b, Some("no")));
        assert_eq!(look_ups.shown().problems.len(), 1);
    }
}
