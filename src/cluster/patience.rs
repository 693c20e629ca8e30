//! Patience: how long to wait after each failure of a watch. The waits grow while failures go on
//! and are forgotten only after a quiet time. (A backoff that is reset by any success never grows
//! here, because kube's watcher announces each attempt to list as a success.)

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::time::Instant;

/// The first wait.
const FIRST: Duration = Duration::from_millis(800);
/// No wait is longer.
const LONGEST: Duration = Duration::from_secs(30);
/// After this time without a failure the waits begin anew.
pub(super) const QUIET: Duration = Duration::from_mins(2);

/// The waits of one watch.
#[derive(Debug)]
pub(super) struct Patience {
    random: StdRng,
    next: Duration,
    last_failure: Option<Instant>,
}

impl Patience {
    /// Waits whose random part comes from `seed`.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            random: StdRng::seed_from_u64(seed),
            next: FIRST,
            last_failure: None,
        }
    }

    /// How long to wait after a failure now: the step, less up to a quarter of it so that many
    /// watches do not come back at once.
    pub(super) fn wait(&mut self) -> Duration {
        let now = Instant::now();
        if self
            .last_failure
            .is_none_or(|last| now.duration_since(last) >= QUIET)
        {
            self.next = FIRST;
        }
        self.last_failure = Some(now);
        let step = self.next;
        self.next = (step * 2).min(LONGEST);
        step.mul_f64(self.random.random_range(0.75..=1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn waits(patience: &mut Patience, count: usize) -> Vec<Duration> {
        let mut waits = Vec::new();
        for _ in 0..count {
            let wait = patience.wait();
            tokio::time::sleep(wait).await;
            waits.push(wait);
        }
        waits
    }

    #[tokio::test(start_paused = true)]
    async fn waits_grow_to_half_a_minute_and_stay_there() {
        let waits = waits(&mut Patience::new(7), 20).await;
        assert!(waits[0] <= FIRST);
        assert!(
            waits.windows(2).take(5).all(|pair| pair[1] > pair[0]),
            "{waits:?}"
        );
        assert!(
            waits
                .iter()
                .skip(6)
                .all(|wait| (LONGEST * 3 / 4..=LONGEST).contains(wait))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_quiet_time_makes_the_waits_short_again() {
        let mut patience = Patience::new(7);
        waits(&mut patience, 10).await;
        tokio::time::sleep(Duration::from_mins(1)).await;
        assert!(patience.wait() > FIRST * 4);
        tokio::time::sleep(QUIET).await;
        assert!(patience.wait() <= FIRST);
    }

    #[tokio::test(start_paused = true)]
    async fn watches_with_different_seeds_do_not_come_back_at_once() {
        assert_ne!(
            waits(&mut Patience::new(1), 5).await,
            waits(&mut Patience::new(2), 5).await
        );
        assert_eq!(
            waits(&mut Patience::new(3), 5).await,
            waits(&mut Patience::new(3), 5).await
        );
    }
}
