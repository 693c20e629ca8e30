//! What an App knows between requests: its token, how far GitHub's clock is from ours, and before
//! when GitHub is not asked again. No I/O; the time comes in.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use http::HeaderValue;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::super::CredentialsError;
use super::super::installation::{Kind, Permitted};
use crate::github::pace::Backoff;
use crate::github::rate::Rate;

/// How long before its end a token is renewed.
const EARLY: Duration = Duration::from_mins(5);

/// The longest that a token holds ("one hour", `contract/README.md`), and the shortest that is
/// believed: with a shorter one each request would need a token of its own.
const LONGEST: Duration = Duration::from_hours(1);
const SHORTEST: Duration = Duration::from_mins(1);

/// A token that GitHub refuses so soon may not have reached all of GitHub yet
/// (octokit/auth-app.js#65), so it is tried again before another is minted. Nor is one replaced
/// sooner to which something was denied.
const YOUNG: Duration = Duration::from_mins(1);

/// A token of an installation.
#[derive(Debug)]
pub(super) struct Token {
    /// Sensitive: it never shows.
    header: HeaderValue,
    minted: Instant,
    renew: Instant,
    ends: Instant,
    /// Whether GitHub took it for a good one.
    accepted: bool,
    /// Whether GitHub denied something to it that it is there for.
    denied: bool,
    /// What it may do, where GitHub said so.
    permitted: Option<Permitted>,
}

impl Token {
    /// A token that was asked for at `minted` and ends at `ends`, both as GitHub's clock has it when
    /// it shows `now`.
    pub(super) fn new(
        header: HeaderValue,
        minted: Instant,
        ends: Timestamp,
        now: Timestamp,
    ) -> Self {
        let holds = Duration::try_from(ends.duration_since(now)).unwrap_or_default();
        let holds = holds.clamp(SHORTEST, LONGEST);
        Self {
            header,
            minted,
            renew: minted + holds.saturating_sub(EARLY).max(holds / 2),
            ends: minted + holds,
            accepted: false,
            denied: false,
            permitted: None,
        }
    }

    /// Whether it lacks a right that may be given to the App any time.
    fn lacks(&self) -> bool {
        self.denied || matches!(self.permitted, Some(Permitted::Read | Permitted::Nothing))
    }

    /// The same, of which GitHub says that it may do so much.
    pub(super) fn permitted(self, permitted: Option<Permitted>) -> Self {
        Self { permitted, ..self }
    }
}

/// What tells one content of a key file from another, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Print([u8; 32]);

impl Print {
    pub(super) fn of(text: &SecretString) -> Self {
        let mut print = [0; 32];
        print.copy_from_slice(digest(&SHA256, text.expose_secret().as_bytes()).as_ref());
        Self(print)
    }
}

/// What an App knows.
#[derive(Debug)]
pub(super) struct State {
    token: Option<Token>,
    /// The number of its installation, where it was looked up.
    pub(super) installation: Option<u64>,
    /// How far GitHub's clock is ahead of ours.
    pub(super) ahead: SignedDuration,
    /// Whether GitHub gave no token last that is restricted to artifact metadata.
    refuses_narrow: bool,
    /// The last failure and the key it came with, until there is a token.
    failure: Option<(CredentialsError, Option<Print>)>,
    denied: Backoff,
    limited: Backoff,
    outage: Backoff,
}

impl Default for State {
    fn default() -> Self {
        let minute = Duration::from_mins(1);
        Self {
            token: None,
            installation: None,
            ahead: SignedDuration::ZERO,
            refuses_narrow: false,
            failure: None,
            denied: Backoff::new(minute, 10 * minute),
            limited: Backoff::new(minute, 10 * minute),
            outage: Backoff::new(Duration::from_secs(2), minute),
        }
    }
}

impl State {
    /// The token that need not be renewed yet.
    pub(super) fn lasting(&self, now: Instant) -> Option<HeaderValue> {
        let token = self.token.as_ref().filter(|token| now < token.renew);
        token.map(|token| token.header.clone())
    }

    /// The token that has not ended yet.
    pub(super) fn usable(&self, now: Instant) -> Option<HeaderValue> {
        let token = self.token.as_ref().filter(|token| now < token.ends);
        token.map(|token| token.header.clone())
    }

    /// What the token at hand may do, where GitHub said so.
    pub(super) fn permitted(&self) -> Option<Permitted> {
        self.token.as_ref().and_then(|token| token.permitted)
    }

    pub(super) fn accepted(&mut self, header: &HeaderValue) {
        if let Some(token) = self.token.as_mut().filter(|it| it.header == *header) {
            token.accepted = true;
        }
    }

    /// GitHub refused this token. Returns whether there is, or may be, another one at once: not where
    /// this one was never good, because the next would fare no better.
    pub(super) fn refused(&mut self, header: &HeaderValue, now: Instant) -> bool {
        let Some(token) = self.token.as_ref().filter(|it| it.header == *header) else {
            return true;
        };
        let accepted = token.accepted;
        if accepted || now.saturating_duration_since(token.minted) >= YOUNG {
            self.token = None;
        }
        accepted
    }

    /// GitHub denied something to this token. It keeps what the App might do when it was minted, and
    /// more may be allowed by now: the next request leaves with another, unless this one is young.
    pub(super) fn denied(&mut self, header: &HeaderValue) {
        if let Some(token) = self.token.as_mut().filter(|it| it.header == *header) {
            token.denied = true;
            token.renew = token.renew.min(token.minted + YOUNG);
        }
    }

    /// Whether a token is to be asked for that is restricted to artifact metadata: not where GitHub
    /// gives none although the App has that permission.
    pub(super) fn asks_narrow(&self) -> bool {
        !self.refuses_narrow || self.token.as_ref().is_some_and(Token::lacks)
    }

    /// GitHub refused such a token, or gave it. Returns whether that is new.
    pub(super) fn narrow_refused(&mut self, refused: bool) -> bool {
        refused != std::mem::replace(&mut self.refuses_narrow, refused)
    }

    /// There is a new token.
    pub(super) fn renewed(&mut self, token: Token) -> HeaderValue {
        self.failure = None;
        for backoff in [&mut self.denied, &mut self.limited, &mut self.outage] {
            backoff.end();
        }
        let header = token.header.clone();
        self.token = Some(token);
        header
    }

    /// There is none, with the key of this print.
    pub(super) fn failed(&mut self, error: &CredentialsError, print: Option<Print>) {
        self.failure = Some((error.clone(), print));
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Whether it was with the key of this print that the last renewal failed, if it did.
    pub(super) fn failed_with(&self, print: Option<Print>) -> Option<bool> {
        self.failure.as_ref().map(|(_, failed)| *failed == print)
    }

    /// Why GitHub is not asked now with the key of this print: it said so lately.
    pub(super) fn pause(&self, print: Option<Print>, now: Instant) -> Option<CredentialsError> {
        let (error, failed) = self.failure.as_ref()?;
        let paused = *failed == print && error.until().is_some_and(|until| now < until);
        paused.then(|| error.clone())
    }

    /// Until when GitHub is left alone after a refusal of this kind with these headers.
    pub(super) fn wait(&mut self, kind: Kind, rate: &Rate, now: Instant) -> Instant {
        let told = rate.pause().map(|pause| now + pause);
        let backoff = match kind {
            Kind::Limited if told.is_some() => return told.unwrap_or(now),
            Kind::Limited => &mut self.limited,
            Kind::Denied => &mut self.denied,
            Kind::Outage => &mut self.outage,
        };
        backoff.begin(now);
        backoff.until().max(told).unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::NotMinted;
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const MINUTE: Duration = Duration::from_mins(1);

    fn header(text: &str) -> HeaderValue {
        HeaderValue::from_str(text).unwrap()
    }

    fn noon() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    fn token(text: &str, minted: Instant, seconds: i64) -> Token {
        let ends = noon() + SignedDuration::from_secs(seconds);
        Token::new(header(text), minted, ends, noon())
    }

    fn error(until: Instant) -> CredentialsError {
        CredentialsError::NotMinted {
            step: "step".to_owned(),
            why: "why".to_owned(),
            kind: NotMinted::Denied,
            until,
        }
    }

    #[test]
    fn a_token_is_renewed_five_minutes_before_its_end_or_at_the_half_of_a_short_life() {
        let now = Instant::now();
        for (seconds, renewed, ends) in [
            (3600, 3300, 3600),
            (7200, 3300, 3600),
            (1200, 900, 1200),
            (400, 200, 400),
            (60, 30, 60),
            (1, 30, 60),
            (-3600, 30, 60),
        ] {
            let mut state = State::default();
            state.renewed(token("a", now, seconds));
            let at = |seconds: u64| now + Duration::from_secs(seconds);
            assert!(state.lasting(at(renewed) - SECOND).is_some(), "{seconds}");
            assert!(state.lasting(at(renewed)).is_none(), "{seconds}");
            assert!(state.usable(at(ends) - SECOND).is_some(), "{seconds}");
            assert!(state.usable(at(ends)).is_none(), "{seconds}");
        }
    }

    #[test]
    fn a_token_that_was_good_once_is_replaced_at_once_and_one_that_never_was_is_not() {
        let now = Instant::now();
        let mut state = State::default();
        let good = state.renewed(token("a", now, 3600));
        state.accepted(&good);
        assert!(state.refused(&good, now + SECOND));
        assert!(state.usable(now + SECOND).is_none());
        // Somebody else was told so already.
        assert!(state.refused(&good, now + SECOND));

        let never = state.renewed(token("b", now, 3600));
        state.accepted(&good);
        assert!(state.refused(&good, now + SECOND));
        assert!(!state.refused(&never, now + SECOND));
        assert_eq!(state.usable(now + SECOND), Some(never.clone()));
        assert!(!state.refused(&never, now + MINUTE));
        assert!(state.usable(now + MINUTE).is_none());
    }

    #[test]
    fn a_token_to_which_something_was_denied_is_renewed_a_minute_after_it_was_minted() {
        let now = Instant::now();
        for (seconds, renewed) in [(3600, 60), (60, 30)] {
            let mut state = State::default();
            let first = state.renewed(token("a", now, seconds));
            state.denied(&header("b"));
            assert!(state.lasting(now + 29 * SECOND).is_some(), "another one");
            state.denied(&first);
            let at = now + Duration::from_secs(renewed);
            assert!(state.lasting(at - SECOND).is_some(), "{seconds}");
            assert!(state.lasting(at).is_none(), "{seconds}");
            let ends = now + Duration::from_secs(seconds.unsigned_abs());
            assert_eq!(
                state.usable(ends - SECOND),
                Some(first),
                "until there is one"
            );
            state.renewed(token("b", at, seconds));
            assert!(state.lasting(at + 29 * SECOND).is_some(), "{seconds}");
        }
    }

    #[test]
    fn a_narrow_token_that_was_refused_is_asked_for_again_where_a_right_may_have_been_given() {
        let now = Instant::now();
        let may = |permitted| {
            let mut state = State::default();
            assert!(state.asks_narrow() && !state.narrow_refused(false));
            assert!(state.narrow_refused(true) && !state.narrow_refused(true));
            let wide = state.renewed(token("a", now, 3600).permitted(permitted));
            (state, wide)
        };
        for (permitted, again) in [
            (None, false),
            (Some(Permitted::Write), false),
            (Some(Permitted::Read), true),
            (Some(Permitted::Nothing), true),
        ] {
            let (mut state, wide) = may(permitted);
            assert_eq!(state.asks_narrow(), again, "{permitted:?}");
            state.denied(&wide);
            assert!(state.asks_narrow(), "{permitted:?}");
            state.renewed(token("b", now, 3600).permitted(permitted));
            assert_eq!(state.asks_narrow(), again, "{permitted:?}");
            assert!(state.narrow_refused(false) && state.asks_narrow());
        }
    }

    #[test]
    fn after_a_failure_nothing_is_asked_until_its_time_unless_the_key_changes() {
        let now = Instant::now();
        let (old, new) = (
            Some(Print::of(&"old".into())),
            Some(Print::of(&"new".into())),
        );
        let mut state = State::default();
        assert!(state.pause(old, now).is_none() && !state.has_failed());
        state.failed(&error(now + MINUTE), old);
        assert!(state.pause(old, now).is_some());
        assert!(state.pause(new, now).is_none() && state.pause(None, now).is_none());
        assert!(state.pause(old, now + MINUTE).is_none());
        assert_eq!(state.failed_with(old), Some(true));
        assert_eq!(state.failed_with(new), Some(false));
        state.renewed(token("a", now, 3600));
        assert_eq!(state.failed_with(new), None);
    }

    #[test]
    fn pauses_grow_by_their_kind_until_there_is_a_token() {
        let now = Instant::now();
        let mut state = State::default();
        let pause = |state: &mut State, kind, retry_after| {
            let rate = Rate {
                has_retry_after: true,
                retry_after,
                ..Rate::default()
            };
            (state.wait(kind, &rate, now) - now).as_secs()
        };
        for (kind, seconds) in [
            (Kind::Outage, [2, 4, 8, 16, 32, 60, 60]),
            (Kind::Denied, [60, 120, 240, 480, 600, 600, 600]),
            (Kind::Limited, [60, 120, 240, 480, 600, 600, 600]),
        ] {
            let waits: Vec<u64> = (0..7).map(|_| pause(&mut state, kind, None)).collect();
            assert_eq!(waits, seconds, "{kind:?}");
        }
        assert_eq!(pause(&mut state, Kind::Limited, Some(5 * SECOND)), 5);
        assert_eq!(pause(&mut state, Kind::Outage, Some(5 * MINUTE)), 300);
        state.renewed(token("a", now, 3600));
        assert_eq!(pause(&mut state, Kind::Outage, None), 2);
        assert_eq!(pause(&mut state, Kind::Denied, None), 60);
    }
}
