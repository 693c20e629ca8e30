//! Doors: organizations at which nothing can be done for now, because the token has no access, there
//! is none, or the version of the API is withdrawn. What opens a door again is decided in `pace`.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::{Access, Backoff, HOUR, MINUTE, Reason};

/// How long a withdrawn version of the API is left alone.
const WITHDRAWN: Duration = HOUR;

/// The organizations at which nothing can be done for now.
#[derive(Debug, Default)]
pub(super) struct Doors(BTreeMap<Access, Closed>);

/// Why and for how long nothing is sent to an organization.
#[derive(Debug)]
enum Closed {
    Denied(Backoff),
    Withdrawn(Instant),
    NoToken(Instant),
}

impl Doors {
    /// Until when nothing can be done there and why, where that is so.
    pub(super) fn until(&self, access: &Access) -> Option<(Instant, Reason)> {
        Some(match self.0.get(access)? {
            Closed::Denied(backoff) => (backoff.until()?, Reason::NoAccess),
            Closed::Withdrawn(until) => (*until, Reason::VersionWithdrawn),
            Closed::NoToken(until) => (*until, Reason::NoToken),
        })
    }

    /// GitHub lets the token do something there.
    pub(super) fn open(&mut self, access: &Access) {
        self.0.remove(access);
    }

    /// There is a new token: what was denied to the old one may be tried at once.
    pub(super) fn token_renewed(&mut self, access: &Access) {
        if !matches!(self.0.get(access), Some(Closed::Withdrawn(_))) {
            self.open(access);
        }
    }

    /// The version of the API is withdrawn there.
    pub(super) fn withdrawn(&mut self, access: Access, now: Instant) {
        self.0.insert(access, Closed::Withdrawn(now + WITHDRAWN));
    }

    /// There is no token before then.
    pub(super) fn no_token(&mut self, access: Access, until: Instant) {
        self.0.insert(access, Closed::NoToken(until));
    }

    /// The token has no access there, or there is none.
    pub(super) fn denied(&mut self, access: Access, now: Instant) {
        let closed = self.0.entry(access).or_insert(Closed::Withdrawn(now));
        if let Closed::Denied(backoff) = closed {
            backoff.begin(now);
        } else {
            let mut backoff = Backoff::new(MINUTE, 10 * MINUTE);
            backoff.begin(now);
            *closed = Closed::Denied(backoff);
        }
    }
}
