//! How fast a client writes: counted always, enforced when switched on. Times are since the start.
//! The limits and their sources are listed in `contract/README.md`.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// Requests an hour before GitHub's primary limit stops a token.
pub const PRIMARY_PER_HOUR: u64 = 5000;
/// GitHub's documented limit of content-creating requests a minute.
pub const WRITES_PER_MINUTE: usize = 80;
/// GitHub's documented limit of content-creating requests an hour.
pub const WRITES_PER_HOUR: usize = 500;
/// What the recorder promises to stay within, an hour.
pub const POLITE_PER_HOUR: usize = 450;
/// The least time from one write's start to the next.
pub const SPACING: Duration = Duration::from_secs(1);

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// What a request did that it must not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Violation {
    /// It breaks the contract or a documented limit of the API.
    Contract(String),
    /// It began while another write was unanswered.
    Overlap,
    /// It began less than a second after the write before it, by this many milliseconds.
    TooSoon(u64),
    /// It was this many-th write within a minute, over 80.
    PerMinute(usize),
    /// It was this many-th write within an hour: over 450, which the recorder promises.
    PoliteHour(usize),
    /// It was this many-th write within an hour, over GitHub's 500.
    PerHour(usize),
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contract(text) => f.write_str(text),
            Self::Overlap => f.write_str("another write was unanswered"),
            Self::TooSoon(millis) => write!(f, "{millis} ms too soon after the last write"),
            Self::PerMinute(count) => {
                write!(
                    f,
                    "{count} writes within a minute, at most {WRITES_PER_MINUTE}"
                )
            }
            Self::PoliteHour(count) => {
                write!(
                    f,
                    "{count} writes within an hour, promised at most {POLITE_PER_HOUR}"
                )
            }
            Self::PerHour(count) => {
                write!(
                    f,
                    "{count} writes within an hour, at most {WRITES_PER_HOUR}"
                )
            }
        }
    }
}

impl Violation {
    /// Whether GitHub itself asks for this; `PoliteHour` is only the recorder's own promise.
    fn enforced(&self) -> bool {
        match self {
            Self::Overlap | Self::TooSoon(_) | Self::PerMinute(_) | Self::PerHour(_) => true,
            Self::Contract(_) | Self::PoliteHour(_) => false,
        }
    }
}

/// The most writes that there ever were within some minute and within some hour, whenever they began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Busiest {
    /// Within a minute.
    pub minute: usize,
    /// Within an hour.
    pub hour: usize,
}

/// The primary budget as the rate limit headers tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Budget {
    pub(super) limit: u64,
    pub(super) used: u64,
    /// When the window ends, since the start.
    pub(super) reset: Duration,
}

impl Budget {
    pub(super) fn remaining(self) -> u64 {
        self.limit.saturating_sub(self.used)
    }
}

/// What counting one request gave.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) violations: Vec<Violation>,
    pub(super) budget: Budget,
    /// How long to wait, if the request is over a limit that GitHub enforces.
    pub(super) wait: Option<Duration>,
}

#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Starts of the writes of the last hour.
    writes: VecDeque<Duration>,
    in_flight: usize,
    window: Duration,
    used: u64,
    busiest: Busiest,
    /// The same before the last write.
    busiest_before: Busiest,
    /// How much earlier than a second a write may come: what the network does to arrival times.
    pub(super) jitter: Duration,
}

impl Pace {
    /// Counts a request that begins now. A write is in flight until [`Pace::end`].
    pub(super) fn begin(&mut self, now: Duration, write: bool) -> Counted {
        if now >= self.window + HOUR {
            self.window = now;
            self.used = 0;
        }
        let spent = self.used >= PRIMARY_PER_HOUR;
        self.used += 1;
        let mut wait = spent.then(|| (self.window + HOUR).saturating_sub(now));
        let violations = if write {
            self.begin_write(now)
        } else {
            Vec::new()
        };
        if violations.iter().any(Violation::enforced) {
            wait = wait.max(Some(self.room_at(now)));
        }
        Counted {
            violations,
            budget: self.budget(),
            wait,
        }
    }

    fn begin_write(&mut self, now: Duration) -> Vec<Violation> {
        let mut violations = Vec::new();
        if self.in_flight > 0 {
            violations.push(Violation::Overlap);
        }
        self.in_flight += 1;
        if let Some(last) = self.writes.back() {
            let missing = (*last + SPACING).saturating_sub(now);
            if missing > self.jitter {
                let millis = u64::try_from(missing.as_millis()).unwrap_or(u64::MAX);
                violations.push(Violation::TooSoon(millis.max(1)));
            }
        }
        self.writes.push_back(now);
        while self
            .writes
            .front()
            .is_some_and(|first| *first + HOUR <= now)
        {
            self.writes.pop_front();
        }
        let hour = self.writes.len();
        let minute = self
            .writes
            .iter()
            .rev()
            .take_while(|start| **start + MINUTE > now)
            .count();
        self.busiest_before = self.busiest;
        self.busiest = Busiest {
            minute: minute.max(self.busiest.minute),
            hour: hour.max(self.busiest.hour),
        };
        if minute > WRITES_PER_MINUTE {
            violations.push(Violation::PerMinute(minute));
        }
        if hour > WRITES_PER_HOUR {
            violations.push(Violation::PerHour(hour));
        }
        if hour > POLITE_PER_HOUR {
            violations.push(Violation::PoliteHour(hour));
        }
        violations
    }

    /// The least wait until a write breaks no limit.
    fn room_at(&self, now: Duration) -> Duration {
        let after = |count: usize, window: Duration| {
            let nth = self.writes.iter().rev().nth(count.saturating_sub(1));
            nth.map_or(Duration::ZERO, |start| {
                (*start + window).saturating_sub(now)
            })
        };
        after(1, SPACING)
            .max(after(WRITES_PER_MINUTE, MINUTE))
            .max(after(WRITES_PER_HOUR, HOUR))
    }

    /// A write that was begun is over, answered or not.
    pub(super) fn end(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Takes back the last write: it was refused for its pace and does not count.
    pub(super) fn forgive(&mut self) {
        self.writes.pop_back();
        self.busiest = self.busiest_before;
    }

    pub(super) fn busiest(&self) -> Busiest {
        self.busiest
    }

    pub(super) fn budget(&self) -> Budget {
        Budget {
            limit: PRIMARY_PER_HOUR,
            used: self.used,
            reset: self.window + HOUR,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(pace: &mut Pace, millis: u64) -> Vec<Violation> {
        let counted = pace.begin(Duration::from_millis(millis), true);
        pace.end();
        counted.violations
    }

    #[test]
    fn writes_a_second_apart_are_fine_and_closer_ones_are_not() {
        let mut pace = Pace::default();
        assert_eq!(write(&mut pace, 0), []);
        assert_eq!(write(&mut pace, 1000), []);
        assert_eq!(write(&mut pace, 1999), [Violation::TooSoon(1)]);
        pace.jitter = Duration::from_millis(20);
        assert_eq!(write(&mut pace, 2985), []);
    }

    #[test]
    fn a_second_write_in_flight_is_an_overlap_and_a_read_is_not() {
        let mut pace = Pace::default();
        assert!(pace.begin(Duration::ZERO, true).violations.is_empty());
        assert!(
            pace.begin(Duration::from_secs(2), false)
                .violations
                .is_empty()
        );
        assert_eq!(
            pace.begin(Duration::from_secs(5), true).violations,
            [Violation::Overlap]
        );
        pace.end();
        pace.end();
        assert!(
            pace.begin(Duration::from_secs(9), true)
                .violations
                .is_empty()
        );
    }

    #[test]
    fn the_eighty_first_write_of_a_minute_is_over_until_the_minute_moves_on() {
        let mut pace = Pace {
            jitter: SPACING,
            ..Pace::default()
        };
        for i in 0..80 {
            assert_eq!(write(&mut pace, i * 100), []);
        }
        let counted = pace.begin(Duration::from_secs(10), true);
        assert_eq!(counted.violations, [Violation::PerMinute(81)]);
        assert_eq!(counted.wait, Some(Duration::from_millis(50_100)));
        pace.forgive();
        pace.end();
        assert_eq!(write(&mut pace, 60_001), []);
    }

    #[test]
    fn the_busiest_minute_and_hour_are_those_of_any_start() {
        let mut pace = Pace::default();
        for second in [0, 50, 70, 100, 105, 3659, 3700] {
            write(&mut pace, second * 1000);
        }
        // 50, 70, 100 and 105; the first five.
        assert_eq!(pace.busiest(), Busiest { minute: 4, hour: 5 });
        for second in 3701..3705 {
            write(&mut pace, second * 1000);
            pace.forgive();
        }
        assert_eq!(pace.busiest(), Busiest { minute: 4, hour: 5 });
    }

    #[test]
    fn the_hour_has_a_polite_and_a_hard_border() {
        let mut pace = Pace::default();
        for i in 0..450 {
            assert_eq!(write(&mut pace, i * 2000), []);
        }
        assert_eq!(write(&mut pace, 900_000), [Violation::PoliteHour(451)]);
        for i in 0..49 {
            write(&mut pace, 902_000 + i * 2000);
        }
        let over = write(&mut pace, 1_002_000);
        assert_eq!(over, [Violation::PerHour(501), Violation::PoliteHour(501)]);
        assert_eq!(write(&mut pace, 3_600_000 + 1_002_001), []);
    }

    #[test]
    fn the_primary_budget_counts_every_request_and_comes_back_after_an_hour() {
        let mut pace = Pace::default();
        for _ in 0..PRIMARY_PER_HOUR {
            assert_eq!(pace.begin(Duration::from_secs(5), false).wait, None);
        }
        let spent = pace.begin(Duration::from_secs(10), false);
        assert_eq!(
            (spent.budget.remaining(), spent.wait),
            (0, Some(Duration::from_secs(3590)))
        );
        assert_eq!(
            pace.begin(HOUR, false).budget.remaining(),
            PRIMARY_PER_HOUR - 1
        );
    }
}
