//! When the next cycle begins: after a change has been quiet for a moment, when the full snapshot
//! is due, when a pause is over, when something in the plan falls due.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// A change waits for others until it has been quiet for so long.
const QUIET: Duration = Duration::from_secs(1);

/// A change never waits longer for others.
const MOST: Duration = Duration::from_secs(5);

/// In a storm a change waits for others until it has been quiet for so long.
const STORM_QUIET: Duration = Duration::from_secs(3);

/// In a storm a change never waits longer for others.
const STORM_MOST: Duration = Duration::from_secs(20);

/// It is a storm when so many cycles within [`STORM_WITHIN`] sent changes: everything is rolled out,
/// a node comes and goes. At this rate changes take 200 requests an hour, and leave snapshots their
/// half of the limit.
const STORM: usize = 5;

/// The time in which those cycles are counted.
const STORM_WITHIN: Duration = Duration::from_secs(90);

/// How long changes, and what falls due, are gathered when little is left of the hour's limit: a cycle
/// for either takes requests, and takes the other with it.
const GATHER: Duration = Duration::from_mins(1);

/// Acknowledgements alone are stored after so long, and so long behind the beginning of a snapshot all of
/// the ledger is.
const STORE_AFTER: Duration = Duration::from_mins(1);

/// When the next cycle begins.
#[derive(Debug)]
pub(super) struct Schedule {
    interval: Duration,
    first_change: Option<Instant>,
    last_change: Option<Instant>,
    snapshot_at: Instant,
    /// When a pause is over that something waits for.
    again_at: Option<Instant>,
    /// When something in the plan falls due although nothing changes.
    due_at: Option<Instant>,
    /// When acknowledgements are to be stored.
    store_at: Option<Instant>,
    /// When all of the ledger is to be written again.
    renew_at: Option<Instant>,
    /// When the last cycles sent changes, the oldest first: at most [`STORM`] of them.
    senders: VecDeque<Instant>,
}

impl Schedule {
    /// The first full snapshot is due at once.
    pub(super) fn new(interval: Duration, now: Instant) -> Self {
        Self {
            interval,
            first_change: None,
            last_change: None,
            snapshot_at: now,
            again_at: None,
            due_at: None,
            store_at: None,
            renew_at: None,
            senders: VecDeque::with_capacity(STORM),
        }
    }

    /// Something changed.
    pub(super) fn changed(&mut self, now: Instant) {
        self.first_change.get_or_insert(now);
        self.last_change = Some(now);
    }

    /// A cycle begins, which sees all changes up to now. Returns when the first of them came.
    pub(super) fn begin(&mut self) -> Option<Instant> {
        self.last_change = None;
        self.again_at = None;
        self.due_at = None;
        self.first_change.take()
    }

    /// Whether something changed that no cycle has seen.
    pub(super) fn has_changes(&self) -> bool {
        self.first_change.is_some()
    }

    /// The cycle that is under way sends changes.
    pub(super) fn sends_changes(&mut self, now: Instant) {
        if self.senders.len() == STORM {
            self.senders.pop_front();
        }
        self.senders.push_back(now);
    }

    /// Until when it is a storm, unless more changes are sent.
    fn calm_at(&self) -> Option<Instant> {
        let oldest = self.senders.front()?;
        (self.senders.len() == STORM).then(|| *oldest + STORM_WITHIN)
    }

    /// The next cycle begins when a pause is over.
    pub(super) fn again_at(&mut self, at: Instant) {
        self.again_at = Some(self.again_at.map_or(at, |known| known.min(at)));
    }

    /// Something in the plan falls due then.
    pub(super) fn due_at(&mut self, at: Option<Instant>) {
        self.due_at = at;
    }

    /// Whether the full snapshot is due.
    pub(super) fn is_snapshot_due(&self, now: Instant) -> bool {
        self.snapshot_at <= now
    }

    /// The full snapshot begins now; the next one follows after the interval, more or less by a
    /// tenth of it (`part` is from 0 to 1), or later if it takes that long.
    pub(super) fn snapshot_begins(&mut self, now: Instant, part: f64, shortest: Duration) {
        let interval = self.interval.mul_f64(0.9 + 0.2 * part.clamp(0.0, 1.0));
        self.snapshot_at = now + interval.max(shortest);
    }

    /// There are acknowledgements to store.
    pub(super) fn store_soon(&mut self, now: Instant) {
        self.store_at.get_or_insert(now + STORE_AFTER);
    }

    /// All of the ledger is to be written again, when what is sent now is sent.
    pub(super) fn renew_soon(&mut self, now: Instant) {
        self.renew_at.get_or_insert(now + STORE_AFTER);
    }

    /// It is being written.
    pub(super) fn renewed(&mut self) {
        self.renew_at = None;
    }

    /// Whether it is to be written now.
    pub(super) fn is_renewal_due(&self, now: Instant) -> bool {
        self.renew_at.is_some_and(|at| at <= now)
    }

    /// Everything is stored.
    pub(super) fn stored(&mut self) {
        self.store_at = None;
    }

    /// Whether acknowledgements are to be stored now.
    pub(super) fn is_store_due(&self, now: Instant) -> bool {
        self.store_at.is_some_and(|at| at <= now)
    }

    /// When the next cycle begins, if nothing comes before. `tight`: whether little is left of the
    /// hour's limit.
    pub(super) fn next(&self, tight: bool) -> Instant {
        let changes = self
            .first_change
            .zip(self.last_change)
            .map(|(first, last)| {
                let soon = (last + QUIET).min(first + MOST);
                let later = (last + STORM_QUIET).min(first + STORM_MOST);
                match self.calm_at() {
                    _ if tight => first + GATHER,
                    Some(calm) => later.min(soon.max(calm)),
                    None => soon,
                }
            });
        let due = self.due_at.map(|at| if tight { at + GATHER } else { at });
        let others = [changes, self.again_at, due, self.store_at, self.renew_at];
        others
            .into_iter()
            .flatten()
            .fold(self.snapshot_at, Instant::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn after(schedule: &Schedule, start: Instant) -> f64 {
        schedule.next(false).duration_since(start).as_secs_f64()
    }

    #[test]
    fn a_change_waits_until_it_is_quiet_and_never_longer_than_five_seconds() {
        let start = Instant::now();
        let mut schedule = Schedule::new(600 * SECOND, start);
        schedule.snapshot_begins(start, 0.5, Duration::ZERO);
        schedule.changed(start);
        assert!((after(&schedule, start) - 1.0).abs() < 1e-6);
        for tenths in 1..100_u32 {
            schedule.changed(start + SECOND / 10 * tenths);
        }
        assert!((after(&schedule, start) - 5.0).abs() < 1e-6);
        assert_eq!(schedule.next(true), start + 60 * SECOND);
    }

    #[test]
    fn what_falls_due_is_gathered_too_when_little_is_left_of_the_hour() {
        let start = Instant::now();
        let mut schedule = Schedule::new(600 * SECOND, start);
        schedule.snapshot_begins(start, 0.5, Duration::ZERO);
        schedule.due_at(Some(start + 2 * SECOND));
        assert_eq!(schedule.next(false), start + 2 * SECOND);
        assert_eq!(schedule.next(true), start + 62 * SECOND);
        schedule.changed(start + SECOND);
        assert_eq!(schedule.next(true), start + 61 * SECOND);
    }

    #[test]
    fn in_a_storm_of_changes_they_are_gathered_for_longer_and_it_ends_by_itself() {
        let start = Instant::now();
        let mut schedule = Schedule::new(600 * SECOND, start);
        schedule.snapshot_begins(start, 0.5, Duration::ZERO);
        let next = |schedule: &mut Schedule, first: u32, last: u32| {
            schedule.begin();
            schedule.changed(start + first * SECOND);
            schedule.changed(start + last * SECOND);
            after(schedule, start)
        };
        for second in [0, 2, 4, 5] {
            schedule.sends_changes(start + second * SECOND);
            assert!((next(&mut schedule, 10, 10) - 11.0).abs() < 1e-6);
        }
        schedule.sends_changes(start + 6 * SECOND);
        assert!((next(&mut schedule, 10, 10) - 13.0).abs() < 1e-6);
        assert!((next(&mut schedule, 10, 29) - 30.0).abs() < 1e-6);
        assert!(
            (next(&mut schedule, 88, 88) - 90.0).abs() < 1e-6,
            "calm again"
        );
        assert!((next(&mut schedule, 89, 89) - 90.0).abs() < 1e-6);
        assert!((next(&mut schedule, 90, 90) - 91.0).abs() < 1e-6);
        // The oldest is counted no longer.
        schedule.sends_changes(start + 91 * SECOND);
        assert!((next(&mut schedule, 91, 91) - 92.0).abs() < 1e-6);
        assert_eq!(schedule.next(true), start + 151 * SECOND);
    }

    #[test]
    fn the_snapshot_comes_within_a_tenth_of_the_interval_or_when_it_is_affordable() {
        let start = Instant::now();
        let mut schedule = Schedule::new(600 * SECOND, start);
        assert!(schedule.is_snapshot_due(start));
        for (part, seconds) in [(0.0, 540.0), (0.5, 600.0), (1.0, 660.0)] {
            schedule.snapshot_begins(start, part, Duration::ZERO);
            assert!((after(&schedule, start) - seconds).abs() < 1e-6);
        }
        schedule.snapshot_begins(start, 0.0, 1600 * SECOND);
        assert!((after(&schedule, start) - 1600.0).abs() < 1e-6);
    }

    #[test]
    fn a_cycle_takes_all_changes_with_it_and_leaves_what_is_to_be_stored() {
        let start = Instant::now();
        let mut schedule = Schedule::new(600 * SECOND, start);
        schedule.snapshot_begins(start, 0.5, Duration::ZERO);
        schedule.changed(start);
        schedule.store_soon(start);
        schedule.again_at(start + 3 * SECOND);
        assert_eq!(schedule.begin(), Some(start));
        assert!((after(&schedule, start) - 60.0).abs() < 1e-6);
        schedule.stored();
        assert!((after(&schedule, start) - 600.0).abs() < 1e-6);
    }

    #[test]
    fn what_is_to_be_written_is_written_a_minute_later_and_then_no_more() {
        let start = Instant::now();
        let at = |seconds: u32| start + seconds * SECOND;
        let mut schedule = Schedule::new(600 * SECOND, start);
        schedule.snapshot_begins(start, 0.5, Duration::ZERO);
        let due = |schedule: &Schedule, second| {
            let is_store_due = schedule.is_store_due(at(second));
            (is_store_due, schedule.is_renewal_due(at(second)))
        };
        assert_eq!(due(&schedule, 599), (false, false));
        for second in [0, 30] {
            schedule.store_soon(at(second));
            schedule.renew_soon(at(second + 10));
        }
        assert_eq!(due(&schedule, 59), (false, false));
        assert_eq!(due(&schedule, 60), (true, false));
        assert_eq!(due(&schedule, 70), (true, true));
        schedule.stored();
        assert_eq!(schedule.next(false), at(70));
        assert_eq!(due(&schedule, 70), (false, true));
        schedule.renewed();
        assert_eq!(schedule.next(false), at(600));
        assert_eq!(due(&schedule, 599), (false, false));
        let is_snapshot_due = [599, 600].map(|second| schedule.is_snapshot_due(at(second)));
        assert_eq!(is_snapshot_due, [false, true]);
    }

    #[test]
    fn of_pauses_the_first_that_is_over_counts_and_a_change_is_seen_once() {
        let start = Instant::now();
        let mut schedule = Schedule::new(600 * SECOND, start);
        schedule.snapshot_begins(start, 0.5, Duration::ZERO);
        for second in [9, 5, 7] {
            schedule.again_at(start + second * SECOND);
        }
        assert_eq!(schedule.next(false), start + 5 * SECOND);
        assert!(!schedule.has_changes());
        schedule.changed(start);
        assert!(schedule.has_changes());
        schedule.begin();
        assert!(!schedule.has_changes());
    }
}
