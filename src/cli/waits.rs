//! Why nothing happens for a while: what the pace of requests asks for, said once on standard error
//! when it takes longer than a person waits without wondering. When a request leaves is the pace's
//! own matter.

use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep};

use super::progress::Progress;
use crate::clock::Clock;
use crate::github::pace::{Reason, Slot};

/// Shorter waits are not worth a word.
const WORTH_A_WORD: Duration = Duration::from_secs(5);

/// How often a wait that may have begun is looked for.
const LOOK: Duration = Duration::from_millis(500);

/// Tells about waits.
#[derive(Debug)]
pub struct Waits<'a> {
    progress: &'a Progress,
    clock: Clock,
    /// When the last wait that was told of ends.
    told: Mutex<Option<Instant>>,
}

impl<'a> Waits<'a> {
    /// Tells by way of `progress`, and what time it is by `clock`.
    pub fn new(progress: &'a Progress, clock: Clock) -> Self {
        Self {
            progress,
            clock,
            told: Mutex::new(None),
        }
    }

    /// Tells that nothing leaves before this slot, if that is long, unless it was told already.
    pub fn heed(&self, slot: Slot) {
        let now = Instant::now();
        let wait = slot.at.saturating_duration_since(now);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = told.is_some_and(|until| slot.at <= until + WORTH_A_WORD);
        if wait < WORTH_A_WORD || is_known {
            return;
        }
        *told = Some(slot.at);
        self.progress.say(&format!(
            "waiting {}, until {}: {}",
            written(wait),
            self.time_in(wait),
            why(slot.reason)
        ));
    }

    /// Waits for `work`, and tells meanwhile about what it waits for itself.
    pub async fn during<T>(&self, slot: impl Fn() -> Slot, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = sleep(LOOK) => self.heed(slot()),
            }
        }
    }

    /// The time of day, in so long, to the second.
    fn time_in(&self, wait: Duration) -> Timestamp {
        let then = self.clock.wall().checked_add(wait);
        let then = then.unwrap_or(Timestamp::MAX);
        Timestamp::from_second(then.as_second()).unwrap_or(then)
    }
}

/// A duration as people write it, in whole seconds.
pub fn written(duration: Duration) -> String {
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    format!("{:#}", SignedDuration::from_secs(seconds))
}

fn why(reason: Reason) -> &'static str {
    match reason {
        Reason::Free => "another request is under way",
        Reason::Spacing => "requests leave a second apart",
        Reason::Minute => "this minute's requests are used up",
        Reason::Hour => "this hour's requests are used up",
        Reason::Share => "its part of the requests is used up",
        Reason::Told => "GitHub asks for it",
        Reason::Limited => "GitHub limits requests and does not say for how long",
        Reason::Outage => "GitHub gave no usable answer",
        Reason::NoAccess => "GitHub denied access",
        Reason::VersionWithdrawn => "GitHub no longer serves this version of its API",
        Reason::NoToken => "there is no token before then",
    }
}

#[cfg(test)]
mod tests {
    use super::super::progress::tests::Paper;
    use super::*;

    const NOON: &str = "2026-11-22T12:00:00Z";

    fn slot(seconds: u64, reason: Reason) -> Slot {
        Slot {
            at: Instant::now() + Duration::from_secs(seconds),
            reason,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_wait_is_told_once_with_its_reason_and_its_end() {
        let paper = Paper::default();
        let progress = Progress::to(paper.clone(), false);
        let waits = Waits::new(&progress, Clock::beginning_at(NOON.parse().unwrap()));
        waits.heed(slot(4, Reason::Outage));
        assert_eq!(paper.text(), "");
        let told = slot(90, Reason::Told);
        waits.heed(told);
        tokio::time::advance(Duration::from_secs(30)).await;
        waits.heed(told);
        assert_eq!(
            paper.text(),
            "waiting 1m 30s, until 2026-11-22T12:01:30Z: GitHub asks for it\n"
        );
        waits.heed(slot(600, Reason::Limited));
        let text = paper.text();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.contains("waiting 10m, until 2026-11-22T12:10:30Z: GitHub limits"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_in_silence_is_told_of() {
        let paper = Paper::default();
        let progress = Progress::to(paper.clone(), false);
        let waits = Waits::new(&progress, Clock::beginning_at(NOON.parse().unwrap()));
        let until = slot(60, Reason::Told);
        let work = async {
            tokio::time::sleep_until(until.at).await;
            7
        };
        assert_eq!(waits.during(|| until, work).await, 7);
        assert_eq!(
            paper.text(),
            "waiting 1m, until 2026-11-22T12:01:00Z: GitHub asks for it\n"
        );
    }
}
