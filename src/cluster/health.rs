//! The health of one watch: may what it shows be taken as whole? Time is tokio's; nothing here does
//! input or output.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

/// What goes wrong with a kind for less than this may be over in a moment: a right that is taken and
/// given again, an API whose server starts anew.
pub(super) const LASTS: Duration = Duration::from_mins(1);

/// What is known of a watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MirrorState {
    /// Its first whole list has not come yet, and nothing has failed.
    Listing,
    /// It shows everything.
    Synced,
    /// Something failed; it still shows what it had.
    Interrupted,
    /// The API server forbids it; it still shows what it had.
    Forbidden,
}

impl MirrorState {
    /// Its name in logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Listing => "listing",
            Self::Synced => "synced",
            Self::Interrupted => "interrupted",
            Self::Forbidden => "forbidden",
        }
    }
}

impl fmt::Display for MirrorState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What went wrong with a watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// Whether it is a 403.
    pub(super) forbidden: bool,
    /// Whether only a whole list can mend it: a watch cannot go on from where it was.
    pub(super) needs_list: bool,
    /// What was said.
    pub(super) message: Arc<str>,
}

/// The health of one watch.
#[derive(Debug)]
pub(super) struct Health {
    state: MirrorState,
    since: Instant,
    was_synced: bool,
    needs_list: bool,
    last_trouble: Option<(Instant, Arc<str>)>,
}

impl Health {
    /// That of a watch that begins.
    pub(super) fn new() -> Self {
        Self {
            state: MirrorState::Listing,
            since: Instant::now(),
            was_synced: false,
            needs_list: true,
            last_trouble: None,
        }
    }

    /// The state, and since when.
    pub(super) fn state(&self) -> (MirrorState, Instant) {
        (self.state, self.since)
    }

    /// Whether everything is shown.
    pub(super) fn is_synced(&self) -> bool {
        self.state == MirrorState::Synced
    }

    /// Whether everything was ever shown.
    pub(super) fn was_synced(&self) -> bool {
        self.was_synced
    }

    /// What was said last, unless it is over.
    pub(super) fn error(&self) -> Option<&Arc<str>> {
        let shown = matches!(
            self.state,
            MirrorState::Interrupted | MirrorState::Forbidden
        );
        self.last_trouble
            .as_ref()
            .filter(|_| shown)
            .map(|(_, message)| message)
    }

    /// When something failed last, if it ever did.
    pub(super) fn last_failure(&self) -> Option<Instant> {
        self.last_trouble.as_ref().map(|(at, _)| *at)
    }

    /// Whether a 403 is to be believed: nothing else was heard since the first, and it was said again so
    /// long after.
    pub(super) fn is_denied(&self) -> bool {
        let last = self.last_failure();
        let lasts = last.is_some_and(|last| last.duration_since(self.since) >= LASTS);
        self.state == MirrorState::Forbidden && lasts
    }

    /// Whether a watch is to go on from where it failed.
    pub(super) fn resumes(&self) -> bool {
        !self.needs_list && !self.is_synced()
    }

    /// Whether a list is under way or to come.
    pub(super) fn needs_list(&self) -> bool {
        self.needs_list
    }

    /// A list begins. It clears nothing: this is said before the list is asked for.
    pub(super) fn list_begins(&mut self) {
        self.needs_list = true;
        if self.is_synced() {
            self.enter(MirrorState::Interrupted);
        }
    }

    /// A whole list was read.
    pub(super) fn listed(&mut self) {
        self.needs_list = false;
        self.was_synced = true;
        self.enter(MirrorState::Synced);
    }

    /// An event came, or the watch was opened again and has said what it had to.
    pub(super) fn goes_on(&mut self) {
        if !self.needs_list {
            self.enter(MirrorState::Synced);
        }
    }

    /// Something failed.
    pub(super) fn failed(&mut self, trouble: &Trouble) {
        self.needs_list |= trouble.needs_list;
        self.last_trouble = Some((Instant::now(), Arc::clone(&trouble.message)));
        self.enter(if trouble.forbidden {
            MirrorState::Forbidden
        } else {
            MirrorState::Interrupted
        });
    }

    fn enter(&mut self, state: MirrorState) {
        if self.state != state {
            self.state = state;
            self.since = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn trouble(forbidden: bool, needs_list: bool) -> Trouble {
        Trouble {
            forbidden,
            needs_list,
            message: "broken".into(),
        }
    }

    fn synced() -> Health {
        let mut health = Health::new();
        health.list_begins();
        health.listed();
        health
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_whole_list_makes_a_new_watch_synced() {
        let mut health = Health::new();
        health.list_begins();
        health.goes_on();
        assert_eq!(health.state().0, MirrorState::Listing);
        assert!(!health.was_synced());
        health.listed();
        assert!(health.is_synced());
        health.failed(&trouble(true, true));
        assert!(health.was_synced());
    }

    #[tokio::test(start_paused = true)]
    async fn any_error_ends_synced_and_a_watch_that_goes_on_restores_it() {
        let mut health = synced();
        health.failed(&trouble(false, false));
        assert_eq!(health.state().0, MirrorState::Interrupted);
        assert_eq!(health.error().map(|error| &**error), Some("broken"));
        assert!(health.resumes());
        health.goes_on();
        assert!(health.is_synced());
        assert!(!health.resumes());
        assert_eq!(health.error(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn while_a_list_is_read_no_event_restores_it() {
        let mut health = synced();
        health.failed(&trouble(false, true));
        health.list_begins();
        assert!(!health.resumes());
        health.goes_on();
        assert_eq!(health.state().0, MirrorState::Interrupted);
        health.listed();
        assert!(health.is_synced());
    }

    #[tokio::test(start_paused = true)]
    async fn a_403_is_believed_when_it_is_said_again_a_minute_later_and_nothing_else_was_heard() {
        let mut health = synced();
        for _ in 0..2 {
            health.failed(&trouble(true, true));
            tokio::time::advance(LASTS.saturating_sub(Duration::from_secs(1))).await;
            health.failed(&trouble(true, true));
            tokio::time::advance(LASTS).await;
            assert!(!health.is_denied(), "time alone says nothing");
            health.failed(&trouble(false, true));
            assert!(!health.is_denied());
        }
        health.failed(&trouble(true, true));
        tokio::time::advance(LASTS).await;
        health.list_begins();
        health.failed(&trouble(true, true));
        assert!(health.is_denied());
        health.listed();
        assert!(!health.is_denied());
    }

    #[tokio::test(start_paused = true)]
    async fn the_start_of_a_list_clears_no_forbidden_and_makes_nothing_synced() {
        let mut health = Health::new();
        health.list_begins();
        health.failed(&trouble(true, true));
        let since = health.state().1;
        tokio::time::advance(Duration::from_secs(5)).await;
        health.list_begins();
        assert_eq!(health.state(), (MirrorState::Forbidden, since));
    }
}
