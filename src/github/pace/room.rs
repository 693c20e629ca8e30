//! Room: how many requests may still be written, for whoever shows it. Nothing is decided by it.

use std::sync::Arc;

use tokio::time::Instant;

use super::{LIMITS, MINUTE, Pace};

/// What is known of the limits at one moment; it can be asked for the room at any later one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// When requests left within the last hour.
    sends: Arc<[Instant]>,
    /// How many GitHub still took then of each who signs in, and until when that counts.
    remaining: Arc<[(u64, Instant)]>,
}

impl Room {
    /// How many requests each limit that this program keeps leaves, by its name, if none has left
    /// since.
    pub fn left(&self, now: Instant) -> [(&'static str, usize); 2] {
        LIMITS.map(|(window, most, _)| {
            let sent = self.sends.iter().filter(|sent| **sent + window > now);
            let name = if window == MINUTE { "minute" } else { "hour" };
            (name, most.saturating_sub(sent.count()))
        })
    }

    /// How many requests GitHub still takes by its own count, where it said so for a time that is not
    /// over; the least, where it counts several who sign in.
    pub fn remaining(&self, now: Instant) -> Option<u64> {
        let remaining = self.remaining.iter().filter(|(_, until)| *until > now);
        remaining.map(|(count, _)| *count).min()
    }
}

impl Pace {
    /// What is known of the limits now.
    pub fn room(&self) -> Room {
        Room {
            sends: self.sends.iter().map(|(sent, _)| *sent).collect(),
            remaining: self.limits.remaining().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Purpose;
    use super::*;

    #[test]
    fn room_grows_again_as_time_passes_and_nothing_leaves() {
        let (mut pace, start) = (Pace::new(), Instant::now());
        assert_eq!(pace.room().left(start), [("minute", 80), ("hour", 450)]);
        for second in 0..3 {
            pace.sent(Purpose::Change, start + Duration::from_secs(second));
        }
        let room = pace.room();
        let left = |seconds: u64| {
            room.left(start + Duration::from_secs(seconds))
                .map(|it| it.1)
        };
        assert_eq!(left(3), [77, 447]);
        assert_eq!(left(60), [78, 447]);
        assert_eq!(left(62), [80, 447]);
        assert_eq!(left(3601), [80, 449]);
        assert_eq!(left(3602), [80, 450]);
        assert_eq!(room.remaining(start), None);
    }

    #[test]
    fn what_github_counts_is_told_until_its_window_is_over() {
        let now = Instant::now();
        let minute = now + Duration::from_mins(1);
        let room = Room {
            remaining: [(9, minute), (7, minute), (3, now)].into(),
            ..Room::default()
        };
        assert_eq!(room.remaining(now), Some(7));
        assert_eq!(room.remaining(minute), None);
    }
}
