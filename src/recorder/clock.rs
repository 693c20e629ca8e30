//! Time, in one small value: tokio's for everything that waits, wall time beside it for what
//! people read. Under a paused clock both stand still.

use jiff::Timestamp;
use tokio::time::Instant;

use crate::model::moment::Moment;

/// Where the time comes from.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    wall: Option<Timestamp>,
}

impl Clock {
    /// The machine's clock.
    pub fn real() -> Self {
        Self {
            start: Instant::now(),
            wall: None,
        }
    }

    /// A clock whose wall time began at `wall` just now and goes with tokio's time.
    pub fn beginning_at(wall: Timestamp) -> Self {
        Self {
            start: Instant::now(),
            wall: Some(wall),
        }
    }

    /// How long the process has run.
    pub fn now(&self) -> Moment {
        Moment::after_start(self.start.elapsed())
    }

    /// `moment` as tokio's instant.
    pub fn instant(&self, moment: Moment) -> Instant {
        self.start + moment.since_start()
    }

    /// Tokio's `instant` as a moment.
    pub fn moment(&self, instant: Instant) -> Moment {
        Moment::after_start(instant.saturating_duration_since(self.start))
    }

    /// The date and time, for people.
    pub fn wall(&self) -> Timestamp {
        match self.wall {
            None => Timestamp::now(),
            Some(began) => began
                .checked_add(self.start.elapsed())
                .unwrap_or(Timestamp::MAX),
        }
    }
}
