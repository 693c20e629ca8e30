//! Time, in one small value: tokio's for everything that waits, wall time beside it for what
//! people read and other machines compare, and for the Lease a time that goes on while the machine
//! is suspended. Under a paused clock all of them stand still.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustix::time::{ClockId, clock_gettime};
use tokio::time::Instant;

use crate::model::moment::Moment;

/// Where the time comes from.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    /// What [`boot_clock`] said at the start.
    boot: Duration,
    wall: Wall,
    /// For how many seconds the machine of a test was suspended.
    suspended: &'static AtomicU64,
}

/// Where the date and time come from.
#[derive(Clone, Copy, Debug)]
enum Wall {
    /// From the machine.
    Machine,
    /// It was this at the start and goes with tokio's time; somebody sets it forward or back by so many
    /// seconds.
    Begun(Timestamp, &'static AtomicI64),
}

/// Nobody touches it.
static STEADY: AtomicI64 = AtomicI64::new(0);

/// A machine that is never suspended.
static AWAKE: AtomicU64 = AtomicU64::new(0);

impl Clock {
    /// The machine's clock.
    pub fn real() -> Self {
        Self {
            start: Instant::now(),
            boot: boot_clock(),
            wall: Wall::Machine,
            suspended: &AWAKE,
        }
    }

    /// A clock whose wall time began at `wall` just now and goes with tokio's time.
    pub fn beginning_at(wall: Timestamp) -> Self {
        Self::adjustable(wall, &STEADY)
    }

    /// The same, and `shift` says by how many seconds somebody has set it forward or back since.
    pub fn adjustable(wall: Timestamp, shift: &'static AtomicI64) -> Self {
        Self {
            start: Instant::now(),
            boot: Duration::ZERO,
            wall: Wall::Begun(wall, shift),
            suspended: &AWAKE,
        }
    }

    /// The same, and the machine was suspended for so many `seconds` since: tokio's time stands still
    /// then, all others go on.
    #[must_use]
    pub fn on_machine_suspended_for(self, seconds: &'static AtomicU64) -> Self {
        Self {
            suspended: seconds,
            ..self
        }
    }

    /// How long a clock of a test has run, the time included for which its machine was suspended.
    fn elapsed(&self) -> Duration {
        let suspended = Duration::from_secs(self.suspended.load(Ordering::Relaxed));
        self.start.elapsed().saturating_add(suspended)
    }

    /// How long the process has run.
    pub fn now(&self) -> Moment {
        Moment::after_start(self.start.elapsed())
    }

    /// How long ago the process started, the time included for which the machine was suspended:
    /// what others count who wait for this process. Never to be compared with [`Clock::now`].
    pub fn boot_time(&self) -> Moment {
        Moment::after_start(match self.wall {
            Wall::Machine => boot_clock().saturating_sub(self.boot),
            Wall::Begun(..) => self.elapsed(),
        })
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
            Wall::Machine => Timestamp::now(),
            Wall::Begun(began, shift) => {
                let shift = SignedDuration::from_secs(shift.load(Ordering::Relaxed));
                let now = began.checked_add(self.elapsed());
                now.and_then(|now| now.checked_add(shift))
                    .unwrap_or(Timestamp::MAX)
            }
        }
    }
}

/// The machine's clock that neither jumps nor stops while the machine is suspended: on Linux
/// `CLOCK_BOOTTIME` (`clock_gettime(2)`), on macOS `CLOCK_MONOTONIC`.
fn boot_clock() -> Duration {
    #[cfg(target_os = "linux")]
    const ID: ClockId = ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    const ID: ClockId = ClockId::Monotonic;
    let time = clock_gettime(ID);
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(time.tv_sec.unsigned_abs(), nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_clock_of_a_test_stands_still_with_its_time() {
        let clock = Clock::beginning_at(Timestamp::UNIX_EPOCH);
        assert_eq!(clock.boot_time(), Moment::START);
        tokio::time::advance(Duration::from_secs(7)).await;
        assert_eq!(clock.boot_time().since_start(), Duration::from_secs(7));
        assert_eq!(clock.boot_time(), clock.now());
    }

    #[tokio::test(start_paused = true)]
    async fn the_machines_clock_goes_on_whatever_tokios_time_does() {
        let clock = Clock::real();
        let before = clock.boot_time();
        while clock.boot_time() == before {
            std::hint::spin_loop();
        }
        assert_eq!(clock.now(), Moment::START);
        assert!(clock.boot_time().since_start() < Duration::from_mins(1));
    }
}
