//! Tenure: what whoever writes is told of the Lease, and asks right before each write. It believes
//! nobody's clock but its own, and the keeper only as far as the last claim that was acknowledged.

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Poll, ready};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::clock::Clock;
use crate::model::moment::Moment;

use super::RENEW_WITHIN;
use super::election::is_ours;
use super::error::LeaseError;

/// How it stands with the Lease.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// It was never ours.
    Wanted,
    /// The last claim that was acknowledged began then.
    Claimed(Moment),
    /// It is not ours and will not be.
    Over(LeaseError),
}

/// Whether the Lease is ours. Clones tell the same.
#[derive(Clone, Debug)]
pub struct Tenure {
    /// `None` where none is needed.
    state: Option<watch::Receiver<State>>,
    clock: Clock,
}

impl Tenure {
    pub(super) fn new(state: watch::Receiver<State>, clock: Clock) -> Self {
        Self {
            state: Some(state),
            clock,
        }
    }

    /// For whoever writes nothing.
    pub fn not_needed(clock: Clock) -> Self {
        Self { state: None, clock }
    }

    /// Whether a write may leave now: the Lease is ours, and others will not take it for at least
    /// another [`super::MARGIN`].
    pub fn is_ours(&self) -> bool {
        self.left().is_some()
    }

    /// For how long writes may still leave if nothing is renewed; `None`: they may not.
    fn left(&self) -> Option<Duration> {
        let Some(state) = &self.state else {
            return Some(RENEW_WITHIN);
        };
        let State::Claimed(begun) = *state.borrow() else {
            return None;
        };
        let now = self.clock.boot_time();
        is_ours(begun, now).then(|| (begun + RENEW_WITHIN).since(now))
    }

    /// Waits until the Lease is ours; an error if it will not be.
    pub async fn ours(&self) -> Result<(), LeaseError> {
        let Some(mut state) = self.state.clone() else {
            return Ok(());
        };
        loop {
            if let State::Over(error) = &*state.borrow_and_update() {
                return Err(error.clone());
            }
            if self.is_ours() {
                return Ok(());
            }
            state.changed().await.map_err(|_| LeaseError::Ended)?;
        }
    }

    /// Waits until the Lease will never be ours again.
    pub async fn over(&self) -> LeaseError {
        let Some(mut state) = self.state.clone() else {
            return std::future::pending().await;
        };
        let over = state.wait_for(|state| matches!(state, State::Over(_)));
        match over.await.as_deref() {
            Ok(State::Over(error)) => error.clone(),
            Ok(State::Wanted | State::Claimed(_)) | Err(_) => LeaseError::Ended,
        }
    }

    /// `writing`, as long as writes may leave: asked anew before every step of it. `None` if it
    /// was given up, in which case nobody knows how far it came.
    pub async fn during<T>(&self, writing: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.lapsed() => None,
            _ = self.over() => None,
            written = writing => Some(written),
        }
    }

    /// Ends when writes may not leave any more.
    async fn lapsed(&self) {
        /// Tokio's time stands still while the machine is suspended, ours does not.
        const LOOK: Duration = Duration::from_secs(1);
        /// What tokio's timers can tell apart.
        const LEAST: Duration = Duration::from_millis(1);
        let mut nap = pin!(sleep(Duration::ZERO));
        poll_fn(|context| {
            loop {
                let Some(left) = self.left() else {
                    return Poll::Ready(());
                };
                ready!(nap.as_mut().poll(context));
                let left = left.clamp(LEAST, LOOK);
                nap.as_mut().reset(Instant::now() + left);
            }
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::lease::MARGIN;

    const SECOND: Duration = Duration::from_secs(1);

    fn tenure() -> (watch::Sender<State>, Tenure) {
        let clock = Clock::beginning_at("2026-01-01T00:00:00Z".parse().unwrap());
        let (sender, state) = watch::channel(State::Wanted);
        (sender, Tenure::new(state, clock))
    }

    fn lost() -> LeaseError {
        LeaseError::Lost {
            lease: "a/b".to_owned(),
            holder: String::new(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_may_leave_while_five_seconds_of_fifteen_are_left() {
        let (state, tenure) = tenure();
        assert!(!tenure.is_ours());
        state.send_replace(State::Claimed(tenure.clock.boot_time()));
        assert_eq!(MARGIN, 5 * SECOND);
        tokio::time::advance(10 * SECOND).await;
        assert!(tenure.is_ours());
        tokio::time::advance(SECOND / 1000).await;
        assert!(!tenure.is_ours());
        state.send_replace(State::Claimed(tenure.clock.boot_time()));
        assert!(tenure.is_ours());
        state.send_replace(State::Over(lost()));
        assert!(!tenure.is_ours());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_written_is_given_up_when_the_lease_is_not_renewed_or_taken() {
        let (state, tenure) = tenure();
        let start = Instant::now();
        state.send_replace(State::Claimed(tenure.clock.boot_time()));
        assert_eq!(tenure.during(sleep(9 * SECOND)).await, Some(()));
        assert_eq!(tenure.during(sleep(9 * SECOND)).await, None);
        let waited = start.elapsed();
        assert!(waited >= 10 * SECOND && waited < 11 * SECOND, "{waited:?}");
        assert_eq!(tenure.during(async {}).await, None);
        state.send_replace(State::Claimed(tenure.clock.boot_time()));
        let (taken, at) = tokio::join!(tenure.during(sleep(9 * SECOND)), async {
            sleep(SECOND / 4).await;
            state.send_replace(State::Over(lost()));
            Instant::now()
        });
        assert_eq!((taken, Instant::now()), (None, at));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_written_goes_on_as_long_as_the_lease_is_renewed() {
        let (state, tenure) = tenure();
        state.send_replace(State::Claimed(tenure.clock.boot_time()));
        let renewed = async {
            loop {
                sleep(9 * SECOND).await;
                state.send_replace(State::Claimed(tenure.clock.boot_time()));
            }
        };
        tokio::select! {
            written = tenure.during(sleep(100 * SECOND)) => assert_eq!(written, Some(())),
            () = renewed => {}
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_wakes_after_a_pause_writes_nothing_even_if_all_was_ready() {
        let (state, tenure) = tenure();
        state.send_replace(State::Claimed(tenure.clock.boot_time()));
        let mut steps = 0;
        {
            let steps = &mut steps;
            let writing = poll_fn(move |_| {
                *steps += 1;
                Poll::<()>::Pending
            });
            let mut writing = pin!(tenure.during(writing));
            assert!(futures::poll!(writing.as_mut()).is_pending());
            // Nobody polls it while time passes, as when the process is stopped.
            tokio::time::advance(11 * SECOND).await;
            assert_eq!(futures::poll!(writing.as_mut()), Poll::Ready(None));
        }
        assert_eq!(steps, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_for_the_lease_is_told_of_it_or_why_it_will_never_come() {
        let (state, tenure) = tenure();
        let waiting = async {
            sleep(SECOND).await;
            state.send_replace(State::Claimed(tenure.clock.boot_time()));
        };
        let (ours, ()) = tokio::join!(tenure.ours(), waiting);
        assert_eq!(ours, Ok(()));
        state.send_replace(State::Over(lost()));
        assert_eq!(tenure.ours().await, Err(lost()));
        assert_eq!(tenure.over().await, lost());
        drop(state);
        assert_eq!(tenure.over().await, lost());
    }

    #[tokio::test(start_paused = true)]
    async fn a_keeper_that_is_gone_without_a_word_keeps_nothing() {
        let (state, tenure) = tenure();
        state.send_replace(State::Claimed(tenure.clock.boot_time()));
        drop(state);
        assert_eq!(tenure.over().await, LeaseError::Ended);
        assert_eq!(tenure.during(std::future::pending::<()>()).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_writes_nothing_needs_no_lease() {
        let clock = Clock::beginning_at("2026-01-01T00:00:00Z".parse().unwrap());
        let tenure = Tenure::not_needed(clock);
        assert_eq!(tenure.ours().await, Ok(()));
        assert_eq!(tenure.during(sleep(60 * SECOND)).await, Some(()));
        assert!(tenure.is_ours());
    }
}
