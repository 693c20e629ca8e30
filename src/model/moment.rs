//! A point in time as the core knows it: how long the process has run. It never jumps, because it
//! is not wall time; every wait that the core decides on begins anew with a restart.

use std::ops::Add;
use std::time::Duration;

/// Time since the process started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(Duration);

impl Moment {
    /// The moment at which the process started.
    pub const START: Self = Self(Duration::ZERO);

    /// The moment `elapsed` after the process started.
    pub const fn after_start(elapsed: Duration) -> Self {
        Self(elapsed)
    }

    /// How long the process had run at this moment.
    pub const fn since_start(self) -> Duration {
        self.0
    }

    /// How much later this moment is than `earlier`; zero if it is not.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, later: Duration) -> Self {
        Self(self.0.saturating_add(later))
    }
}
