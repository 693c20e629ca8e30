//! The pace of storage records where their endpoint does not take them. They have one of their own,
//! and what goes wrong there holds nothing else back.

use tokio::time::Instant;

use super::super::answer::Failure;
use super::MINUTE;
use super::backoff::Backoff;

/// After so many refusals in a row they are about the endpoint rather than about each record.
const IN_A_ROW: usize = 5;

/// The pause of storage records.
#[derive(Debug)]
pub(super) struct Aside {
    pause: Backoff,
    refused: usize,
}

impl Default for Aside {
    fn default() -> Self {
        Self {
            pause: Backoff::new(MINUTE, 10 * MINUTE),
            refused: 0,
        }
    }
}

impl Aside {
    /// No storage record leaves before this.
    pub(super) fn until(&self) -> Option<Instant> {
        self.pause.until()
    }

    /// A storage record came back; `failure` says why it was not taken, if it was not.
    pub(super) fn answered(&mut self, failure: Option<&Failure>, now: Instant) {
        match failure {
            None => *self = Self::default(),
            Some(
                Failure::Unknown { .. }
                | Failure::VersionWithdrawn { .. }
                | Failure::BadToken { .. }
                | Failure::NoAccess { .. },
            ) => self.pause.begin(now),
            Some(Failure::Refused { .. } | Failure::Invalid { .. }) => {
                self.refused += 1;
                if self.refused >= IN_A_ROW {
                    self.pause.begin(now);
                }
            }
            Some(_) => {}
        }
    }

    /// A storage record was given up on its way.
    pub(super) fn given_up(&mut self, now: Instant) {
        self.pause.begin(now);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::StatusCode;

    use super::*;
    use crate::github::answer::Doubt;

    fn unknown() -> Failure {
        let why = Doubt::Timeout(Duration::from_secs(30));
        Failure::Unknown { why }
    }

    fn refused() -> Failure {
        Failure::Refused {
            status: StatusCode::NOT_FOUND,
            message: String::new(),
        }
    }

    fn wait(aside: &Aside, now: Instant) -> Option<u64> {
        let until = aside.until()?;
        Some((until - now).as_secs())
    }

    #[test]
    fn an_endpoint_that_hides_outcomes_is_left_alone_for_a_minute_doubling_to_ten() {
        let (mut aside, now) = (Aside::default(), Instant::now());
        for minutes in [1, 2, 4, 8, 10, 10] {
            aside.answered(Some(&unknown()), now);
            assert_eq!(wait(&aside, now), Some(60 * minutes));
        }
        aside.answered(None, now);
        assert_eq!(wait(&aside, now), None);
        aside.given_up(now);
        assert_eq!(wait(&aside, now), Some(60));
    }

    #[test]
    fn refusals_pause_it_only_when_there_are_five_in_a_row() {
        let (mut aside, now) = (Aside::default(), Instant::now());
        for _ in 0..3 {
            for _ in 0..4 {
                aside.answered(Some(&refused()), now);
                assert_eq!(wait(&aside, now), None);
            }
            aside.answered(None, now);
        }
        for _ in 0..5 {
            aside.answered(Some(&refused()), now);
        }
        assert_eq!(wait(&aside, now), Some(60));
        aside.answered(Some(&refused()), now);
        assert_eq!(wait(&aside, now), Some(120));
        aside.answered(None, now);
        assert_eq!(wait(&aside, now), None);
    }
}
