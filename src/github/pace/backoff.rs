//! A pause that doubles each time it is needed again, until it is no longer.

use std::time::Duration;

use tokio::time::Instant;

/// A pause that doubles.
#[derive(Debug)]
pub(in crate::github) struct Backoff {
    first: Duration,
    most: Duration,
    /// How long the last pause was, and when it ends.
    pause: Option<(Duration, Instant)>,
}

impl Backoff {
    /// Pauses for `first`, then for twice as long each time, and never for longer than `most`.
    pub(in crate::github) const fn new(first: Duration, most: Duration) -> Self {
        Self {
            first,
            most,
            pause: None,
        }
    }

    /// A pause is needed, for the first time or again.
    pub(in crate::github) fn begin(&mut self, now: Instant) {
        self.begin_within(self.most, now);
    }

    /// The same, and never for longer than `most`.
    pub(super) fn begin_within(&mut self, most: Duration, now: Instant) {
        let length = self
            .pause
            .map_or(self.first, |(length, _)| (length * 2).min(most));
        self.pause = Some((length, now + length));
    }

    /// What made it needed is over: the next pause is the first again.
    pub(in crate::github) fn end(&mut self) {
        self.pause = None;
    }

    /// Whether the pause is on, or has not been over for as long as it was.
    pub(super) fn matters(&self, now: Instant) -> bool {
        self.pause
            .is_some_and(|(length, until)| until + length > now)
    }

    /// When the pause ends or ended, if there was one.
    pub(in crate::github) fn until(&self) -> Option<Instant> {
        self.pause.map(|(_, until)| until)
    }
}
