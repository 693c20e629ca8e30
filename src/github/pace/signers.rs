//! Signers: which organizations share a token. What GitHub counts and limits, it counts by the
//! token: <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;

use super::super::exchange::Exchange;
use super::{Access, Backoff, MINUTE, is_few};

/// Which organizations share a token.
#[derive(Clone, Debug, Default)]
pub struct Signers {
    /// Whether each has its own.
    each: bool,
    /// Those that have their own where others share one, in lower case.
    own: BTreeSet<String>,
}

impl Signers {
    /// Each organization has a token of its own.
    pub fn each() -> Self {
        let own = BTreeSet::new();
        Self { each: true, own }
    }

    /// All share one but for these, given in lower case.
    pub fn shared_but_for<'a>(own: impl IntoIterator<Item = &'a String>) -> Self {
        let own = own.into_iter().cloned().collect();
        Self { each: false, own }
    }

    /// Who signs in there; `None`: whoever does at most of them.
    fn of(&self, access: &Access) -> Option<Access> {
        let is_own = self.each || self.own.contains(access.organization());
        is_own.then(|| access.clone())
    }
}

/// What GitHub said about waiting, to each who signs in.
#[derive(Debug, Default)]
pub(super) struct Limits {
    signers: Signers,
    of: BTreeMap<Option<Access>, Limit>,
}

/// What GitHub said about waiting to one who signs in.
#[derive(Debug)]
pub(super) struct Limit {
    /// GitHub takes nothing before this.
    pub(super) told: Option<Instant>,
    /// How many requests remain by GitHub's count, and until when that counts.
    pub(super) remaining: Option<(u64, Instant)>,
    /// The pause after a limit for which GitHub named no time.
    pub(super) unnamed: Backoff,
}

impl Default for Limit {
    fn default() -> Self {
        Self {
            told: None,
            remaining: None,
            unnamed: Backoff::new(MINUTE, 10 * MINUTE),
        }
    }
}

impl Limits {
    pub(super) fn new(signers: Signers) -> Self {
        let of = BTreeMap::new();
        Self { signers, of }
    }

    /// What was said to whoever signs in there, if anything was.
    pub(super) fn get(&self, access: &Access) -> Option<&Limit> {
        self.of.get(&self.signers.of(access))
    }

    pub(super) fn get_mut(&mut self, access: &Access) -> &mut Limit {
        self.of.entry(self.signers.of(access)).or_default()
    }

    /// What an answer says about waiting.
    pub(super) fn heard<T>(&mut self, access: &Access, exchange: &Exchange<T>, now: Instant) {
        let rate = &exchange.rate;
        let limit = self.get_mut(access);
        if let Some(pause) = rate.pause() {
            limit.told = limit.told.max(Some(now + pause));
        }
        if let (Some(count), Some(end)) = (rate.remaining, rate.resets_in) {
            limit.remaining = Some((count, now + end));
        }
    }

    /// What remains by GitHub's counts, and until when each counts.
    pub(super) fn remaining(&self) -> impl Iterator<Item = (u64, Instant)> {
        self.of.values().filter_map(|limit| limit.remaining)
    }

    /// Whether little remains to each who signs in, as far as GitHub told.
    pub(super) fn are_tight(&self, now: Instant) -> bool {
        let mut told = self
            .remaining()
            .filter(|(_, until)| *until > now)
            .peekable();
        told.peek().is_some() && told.all(|(count, _)| is_few(count))
    }
}
