//! Signers: who is limited where GitHub limits. Its page says so of the limit of the hour only: that of a
//! user, whose tokens all share it, or of an installation of a GitHub App. Of secondary limits it does
//! not say it: <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>.
//!
//! Whose user a token is nobody knows here, so what is said to one token is said to all of them, and
//! a secondary limit to everybody.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;

use super::super::answer::Failure;
use super::super::exchange::Exchange;
use super::{Access, Backoff, MINUTE, is_few};

/// Who signs in at which organization, as far as GitHub counts them apart.
#[derive(Clone, Debug, Default)]
pub struct Signers {
    /// Whether a GitHub App does.
    app: bool,
    /// Where a token does nevertheless, in lower case.
    tokens: BTreeSet<String>,
}

impl Signers {
    /// A GitHub App, in each organization as its installation there, but for these, given in lower
    /// case: there somebody signs in with a token.
    pub fn app_but_for<'a>(tokens: impl IntoIterator<Item = &'a String>) -> Self {
        let tokens = tokens.into_iter().cloned().collect();
        Self { app: true, tokens }
    }

    /// The installation that signs in there; `None`: a token that may be the same user's as any other.
    fn of(&self, access: &Access) -> Option<Access> {
        let is_app = self.app && !self.tokens.contains(access.organization());
        is_app.then(|| access.clone())
    }
}

/// What GitHub said about waiting.
#[derive(Debug)]
pub(super) struct Limits {
    signers: Signers,
    /// It takes nothing of anybody before this: `retry-after`.
    told: Option<Instant>,
    /// The pause of everybody after a limit for which it named no time.
    unnamed: Option<Instant>,
    hours: BTreeMap<Option<Access>, Hour>,
    /// Organizations that met a limit and took nothing since.
    met: BTreeMap<Access, Met>,
}

/// What an organization met.
#[derive(Debug)]
struct Met {
    /// When it was last.
    last: Instant,
    /// Its own pause after limits for which GitHub named no time. It grows while others are answered:
    /// these would else be held back by one try a minute.
    pause: Backoff,
}

impl Met {
    fn new(now: Instant) -> Self {
        Self {
            last: now,
            pause: Backoff::new(MINUTE, 10 * MINUTE),
        }
    }
}

/// The hour of a signer, as GitHub counts it.
#[derive(Debug, Default)]
struct Hour {
    /// Nothing remains until then.
    spent: Option<Instant>,
    /// How many requests remain, and until when that counts.
    remaining: Option<(u64, Instant)>,
}

impl Default for Limits {
    fn default() -> Self {
        Self::new(Signers::default())
    }
}

impl Limits {
    pub(super) fn new(signers: Signers) -> Self {
        Self {
            signers,
            told: None,
            unnamed: None,
            hours: BTreeMap::new(),
            met: BTreeMap::new(),
        }
    }

    fn hour(&self, access: &Access) -> Option<&Hour> {
        self.hours.get(&self.signers.of(access))
    }

    /// Nothing is taken there before this, as GitHub said.
    pub(super) fn told(&self, access: &Access) -> Option<Instant> {
        let spent = self.hour(access).and_then(|hour| hour.spent);
        self.told.max(spent)
    }

    /// Nothing is sent there before this after a limit for which GitHub named no time.
    pub(super) fn unnamed(&self, access: &Access) -> Option<Instant> {
        let own = self.met.get(access).and_then(|met| met.pause.until());
        self.unnamed.max(own)
    }

    /// Until when few requests remain to who signs in there, where that is so.
    pub(super) fn few_until(&self, access: &Access) -> Option<Instant> {
        let remaining = self.hour(access)?.remaining;
        let few = remaining.filter(|(count, _)| is_few(*count));
        few.map(|(_, until)| until)
    }

    /// When it met a limit last, if it did and took nothing since.
    pub(super) fn last(&self, access: &Access) -> Option<Instant> {
        self.met.get(access).map(|met| met.last)
    }

    /// What the headers of an answer say about waiting.
    pub(super) fn heard<T>(&mut self, access: &Access, exchange: &Exchange<T>, now: Instant) {
        let rate = &exchange.rate;
        let hour = self.hours.entry(self.signers.of(access)).or_default();
        if let (Some(count), Some(end)) = (rate.remaining, rate.resets_in) {
            hour.remaining = Some((count, now + end));
        }
        let until = rate.pause().map(|pause| now + pause);
        if rate.retry_after.is_some() {
            self.told = self.told.max(until);
        } else {
            hour.spent = hour.spent.max(until);
        }
    }

    /// What an answer says of limits without a time.
    pub(super) fn answered<T>(&mut self, access: &Access, exchange: &Exchange<T>, now: Instant) {
        match exchange.failure() {
            Some(Failure::Limited { .. }) => {
                let met = self.meets(access, now);
                if exchange.rate.pause().is_none() {
                    met.pause.begin(now);
                    self.unnamed = self.unnamed.max(Some(now + MINUTE));
                }
            }
            Some(Failure::Unknown { .. }) => {}
            Some(_) => {
                if let Some(met) = self.met.get_mut(access) {
                    met.pause.end();
                }
            }
            None => {
                self.met.remove(access);
            }
        }
    }

    /// GitHub gives no token there, because it was asked too much. Where it did not name a time until which that
    /// is so, others wait for no longer than after any such limit.
    pub(super) fn told_of_tokens(&mut self, access: &Access, until: Option<Instant>, now: Instant) {
        self.meets(access, now);
        match until {
            Some(_) => self.told = self.told.max(until),
            None => self.unnamed = self.unnamed.max(Some(now + MINUTE)),
        }
    }

    fn meets(&mut self, access: &Access, now: Instant) -> &mut Met {
        let met = self.met.entry(access.clone());
        let met = met.or_insert_with(|| Met::new(now));
        met.last = now;
        met
    }

    /// What remains by GitHub's counts, and until when each counts.
    pub(super) fn remaining(&self) -> impl Iterator<Item = (u64, Instant)> {
        self.hours.values().filter_map(|hour| hour.remaining)
    }

    /// Whether little remains to each who signs in, as far as GitHub told.
    pub(super) fn are_tight(&self, now: Instant) -> bool {
        let mut told = self
            .remaining()
            .filter(|(_, until)| *until > now)
            .peekable();
        told.peek().is_some() && told.all(|(count, _)| is_few(count))
    }

    /// Forgets all organizations but these, but nothing that GitHub asked for.
    pub(super) fn keep(&mut self, is_wanted: impl Fn(&Access) -> bool, now: Instant) {
        self.met
            .retain(|access, met| is_wanted(access) || met.pause.matters(now));
        self.hours.retain(|signer, hour| {
            let ends = hour.remaining.map(|(_, until)| until).max(hour.spent);
            signer.as_ref().is_none_or(&is_wanted) || ends.is_some_and(|ends| ends > now)
        });
    }
}
