//! How many lines one request has: as many as the contract allows, and fewer where requests that
//! large get no answer. Pure: it is told answers.

use std::time::Duration;

use tokio::time::Instant;

use crate::github::request::MAX_LINES;

/// The least that a batch is cut to.
const LEAST: usize = 50;

/// So many large requests in a row without an answer, and they are made smaller.
const TOO_OFTEN: usize = 2;

/// How long a size that proved to be too large is not tried again: doubling when it proves so again.
const REMEMBERED: (Duration, Duration) = (Duration::from_mins(5), Duration::from_hours(1));

/// The size of batches.
#[derive(Debug)]
pub(super) struct Size {
    most: usize,
    /// How many large requests in a row got no answer.
    unanswered: usize,
    /// The size of the last request that was about as large as it might be and was answered.
    answered: usize,
    ceiling: Option<Ceiling>,
}

/// What is not exceeded: larger requests got no answer where smaller ones did.
#[derive(Clone, Copy, Debug)]
struct Ceiling {
    most: usize,
    until: Instant,
    lasts: Duration,
}

impl Default for Size {
    fn default() -> Self {
        Self {
            most: MAX_LINES,
            unanswered: 0,
            answered: MAX_LINES,
            ceiling: None,
        }
    }
}

impl Size {
    /// The most lines that a batch may have.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// The most lines that batches have as soon as an outage is over.
    pub(super) fn usual(&self, now: Instant) -> usize {
        let ceiling = self.ceiling.filter(|ceiling| ceiling.until > now);
        ceiling.map_or(MAX_LINES, |ceiling| ceiling.most)
    }

    /// A request with so many lines was answered, or its outcome is unknown. The smallest ones say
    /// nothing about the size.
    pub(super) fn heard(&mut self, lines: usize, is_answered: bool, now: Instant) {
        if lines <= LEAST.min(self.most / 2) {
            return;
        }
        if is_answered {
            if lines > self.most / 2 {
                self.unanswered = 0;
                self.answered = lines;
                self.most = (self.most * 2).min(self.usual(now));
            }
            return;
        }
        self.unanswered += 1;
        if self.unanswered < TOO_OFTEN {
            return;
        }
        self.unanswered = 0;
        // Where nothing at all is answered it is no matter of size, and forgotten as soon as it is
        // over.
        if self.answered < lines {
            let (first, longest) = REMEMBERED;
            let lasts = self
                .ceiling
                .map_or(first, |known| known.lasts * 2)
                .min(longest);
            self.ceiling = Some(Ceiling {
                most: self.answered.max(LEAST),
                until: now + lasts,
                lasts,
            });
        }
        self.most = (self.most.min(lines) / 2).max(LEAST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_get_smaller_until_they_are_answered_and_stay_so_for_a_while() {
        let (mut size, start) = (Size::default(), Instant::now());
        // GitHub answers up to 300 lines in time.
        let mut sizes = Vec::new();
        for minute in 0..40 {
            let lines = size.most();
            sizes.push(lines);
            size.heard(lines, lines <= 300, start + minute * Duration::from_mins(1));
        }
        assert_eq!(
            sizes[..15],
            [
                1000, 1000, 500, 500, 250, 500, 500, 250, 250, 250, 250, 250, 500, 500, 250
            ]
        );
        let too_large = sizes[15..].iter().filter(|lines| **lines > 300).count();
        assert_eq!(too_large, 2, "less and less often: {sizes:?}");
        assert_eq!(size.usual(start), 250);
        assert_eq!(size.usual(start + Duration::from_hours(2)), MAX_LINES);
    }

    #[test]
    fn after_an_outage_they_are_soon_as_large_as_before() {
        let (mut size, now) = (Size::default(), Instant::now());
        for _ in 0..20 {
            size.heard(size.most(), false, now);
        }
        assert_eq!(size.most(), LEAST);
        for _ in 0..5 {
            size.heard(size.most(), true, now);
        }
        assert_eq!(size.most(), MAX_LINES);
    }

    #[test]
    fn small_requests_say_nothing_about_large_ones() {
        let (mut size, now) = (Size::default(), Instant::now());
        for _ in 0..10 {
            size.heard(20, false, now);
            size.heard(1000, true, now);
        }
        assert_eq!(size.most(), MAX_LINES);
        for small in [20, 400, 500] {
            let mut size = Size::default();
            size.heard(1000, false, now);
            size.heard(small, true, now);
            size.heard(1000, false, now);
            assert_eq!(size.most(), 500, "{small}");
        }
        for _ in 0..2 {
            size.heard(20, false, now);
        }
        assert_eq!(size.most(), MAX_LINES);
    }
}
