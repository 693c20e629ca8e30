//! When the next read may leave. Reads are cheap for GitHub and change nothing, so they may overlap;
//! what they have in common is the limit of a minute and what GitHub says about waiting.

use std::time::Duration;

use tokio::time::Instant;

use super::super::answer::Failure;
use super::super::exchange::Exchange;
use super::backoff::Backoff;
use super::{MINUTE, Reason, Slot};

/// How many reads may be unanswered at once.
pub const AT_ONCE: usize = 4;

/// The least time from one read to the next: GitHub takes 900 points a minute at one endpoint, and
/// a read is one (`contract/README.md`, "Rate").
pub const SPACING: Duration = Duration::from_millis(67);

/// The pace of what is read at GitHub.
#[derive(Debug)]
pub struct ReadPace {
    /// No read leaves before this, by our own limit.
    next: Option<Instant>,
    /// GitHub answers nothing before this.
    told: Option<Instant>,
    limited: Backoff,
}

impl Default for ReadPace {
    fn default() -> Self {
        Self {
            next: None,
            told: None,
            limited: Backoff::new(MINUTE, 10 * MINUTE),
        }
    }
}

impl ReadPace {
    /// When a read may leave, if none leaves before it.
    pub fn slot(&self, now: Instant) -> Slot {
        let free = Slot {
            at: now,
            reason: Reason::Free,
        };
        [
            (self.next, Reason::Minute),
            (self.told, Reason::Told),
            (self.limited.until(), Reason::Limited),
        ]
        .into_iter()
        .filter_map(|(at, reason)| Some(Slot { at: at?, reason }))
        .fold(
            free,
            |last, slot| if slot.at > last.at { slot } else { last },
        )
    }

    /// A read leaves now.
    pub fn sent(&mut self, now: Instant) {
        self.next = Some(now + SPACING);
    }

    /// A read came back, or was given up.
    pub fn answered<T>(&mut self, exchange: &Exchange<T>, now: Instant) {
        let pause = exchange.rate.pause();
        self.told = self.told.max(pause.map(|pause| now + pause));
        // Others were under way when the pause began: they neither lengthen nor end it.
        let paused = self.limited.until().is_some_and(|until| until > now);
        match exchange.failure() {
            _ if paused => {}
            Some(Failure::Limited { .. }) if pause.is_none() => self.limited.begin(now),
            Some(Failure::Limited { .. } | Failure::Unknown { .. }) => {}
            _ => self.limited.end(),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::super::super::answer::Taken;
    use super::super::super::rate::Rate;
    use super::super::super::samples;
    use super::*;

    fn limited(pause: Option<u64>) -> Exchange {
        let status = StatusCode::FORBIDDEN;
        let rate = Rate {
            retry_after: pause.map(Duration::from_secs),
            ..Rate::default()
        };
        let message = String::new();
        Exchange {
            rate,
            ..samples::exchange(Err(Failure::Limited { status, message }))
        }
    }

    fn wait(pace: &ReadPace, now: Instant) -> (Duration, Reason) {
        let slot = pace.slot(now);
        (slot.at - now, slot.reason)
    }

    #[test]
    fn reads_in_a_row_are_no_more_than_900_a_minute() {
        let (mut pace, start) = (ReadPace::default(), Instant::now());
        let mut now = start;
        let mut sent = 0;
        while now < start + MINUTE {
            pace.sent(now);
            sent += 1;
            now = pace.slot(now).at;
        }
        assert!((850..=900).contains(&sent), "{sent}");
    }

    #[test]
    fn a_limit_holds_all_reads_back_for_the_time_that_is_named_or_from_one_to_ten_minutes() {
        let (mut pace, now) = (ReadPace::default(), Instant::now());
        assert_eq!(wait(&pace, now), (Duration::ZERO, Reason::Free));
        pace.answered(&limited(Some(90)), now);
        assert_eq!(wait(&pace, now), (Duration::from_secs(90), Reason::Told));
        let (mut pace, mut now) = (ReadPace::default(), now);
        for expected in [60, 120, 240, 480, 600, 600].map(Duration::from_secs) {
            pace.answered(&limited(None), now);
            assert_eq!(wait(&pace, now), (expected, Reason::Limited));
            now += expected;
        }
        pace.answered(&samples::exchange(Ok(Taken::default())), now);
        pace.answered(&limited(None), now);
        assert_eq!(wait(&pace, now), (MINUTE, Reason::Limited));
    }

    #[test]
    fn reads_that_were_under_way_when_a_limit_came_neither_lengthen_nor_end_its_pause() {
        let (mut pace, now) = (ReadPace::default(), Instant::now());
        pace.answered(&limited(None), now);
        pace.answered(&limited(None), now);
        pace.answered(&samples::exchange(Ok(Taken::default())), now);
        assert_eq!(wait(&pace, now), (MINUTE, Reason::Limited));
    }

    #[test]
    fn nothing_is_read_before_the_reset_once_nothing_remains() {
        let (mut pace, now) = (ReadPace::default(), Instant::now());
        let rate = Rate {
            remaining: Some(0),
            resets_in: Some(Duration::from_mins(20)),
            ..Rate::default()
        };
        let last = Exchange {
            rate,
            ..samples::exchange(Ok(Taken::default()))
        };
        pace.answered(&last, now);
        assert_eq!(wait(&pace, now), (Duration::from_mins(20), Reason::Told));
    }
}
