//! Doors: organizations at which nothing can be done for now, because the token has no access, there
//! is none, or the version of the API is withdrawn. What opens a door again is decided in `pace`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use super::{Access, Backoff, HOUR, MINUTE, Reason};

/// How long a withdrawn version of the API is left alone.
const WITHDRAWN: Duration = HOUR;

/// The first pause and the longest where access is denied.
const DENIED: [Duration; 2] = [MINUTE, Duration::from_mins(10)];

/// The same for a stranger: a rule that makes organizations of images can make dozens that are none,
/// and each try is one of the requests of the hour that all organizations share. No longer than an
/// hour, because GitHub also says 404 where it finds none of a request's repositories: what is
/// deployed there later may well be taken.
const STRANGE: [Duration; 2] = [Duration::from_mins(10), HOUR];

/// The organizations at which nothing can be done for now.
#[derive(Debug, Default)]
pub(super) struct Doors {
    closed: BTreeMap<Access, Closed>,
    /// Those that are no strangers.
    known: BTreeSet<Access>,
}

/// Why and for how long nothing is sent to an organization.
#[derive(Debug)]
enum Closed {
    Denied { pause: Backoff, reason: Reason },
    Withdrawn(Instant),
    NoToken(Instant),
}

impl Closed {
    /// Whether it is to be remembered although nothing goes there: a pause that grows for as long
    /// again, or who comes back right after it would begin anew with the shortest.
    fn matters(&self, now: Instant) -> bool {
        match self {
            Self::Denied { pause, .. } => pause.matters(now),
            Self::Withdrawn(until) | Self::NoToken(until) => *until > now,
        }
    }
}

impl Doors {
    /// Until when nothing can be done there and why, where that is so.
    pub(super) fn until(&self, access: &Access) -> Option<(Instant, Reason)> {
        Some(match self.closed.get(access)? {
            Closed::Denied { pause, reason } => (pause.until()?, *reason),
            Closed::Withdrawn(until) => (*until, Reason::VersionWithdrawn),
            Closed::NoToken(until) => (*until, Reason::NoToken),
        })
    }

    /// Whether it never took anything, and nobody vouches for it.
    pub(super) fn is_strange(&self, access: &Access) -> bool {
        !self.known.contains(access)
    }

    /// It is no stranger.
    pub(super) fn know(&mut self, access: Access) {
        self.known.insert(access);
    }

    /// Forgets all organizations but these, and but those that would be asked again too soon if they
    /// came back: what comes and goes is not to be a newcomer each time.
    pub(super) fn keep(&mut self, is_wanted: impl Fn(&Access) -> bool, now: Instant) {
        self.known.retain(&is_wanted);
        self.closed
            .retain(|access, closed| is_wanted(access) || closed.matters(now));
    }

    /// Whether what closed it last is still to be remembered.
    pub(super) fn is_remembered(&self, access: &Access, now: Instant) -> bool {
        let closed = self.closed.get(access);
        closed.is_some_and(|closed| closed.matters(now))
    }

    /// GitHub lets the token do something there.
    pub(super) fn open(&mut self, access: &Access) {
        self.closed.remove(access);
    }

    /// There is a new token: what was denied to the old one may be tried at once. Returns whether
    /// that opens the door: not where the version of the API is withdrawn.
    pub(super) fn token_renewed(&mut self, access: &Access) -> bool {
        let opens = !matches!(self.closed.get(access), Some(Closed::Withdrawn(_)));
        if opens {
            self.open(access);
        }
        opens
    }

    /// The version of the API is withdrawn there.
    pub(super) fn withdrawn(&mut self, access: Access, now: Instant) {
        let until = now + WITHDRAWN;
        self.closed.insert(access, Closed::Withdrawn(until));
    }

    /// There is no token before then. Where that is because GitHub denies it to a stranger, it is
    /// left alone for longer.
    pub(super) fn no_token(&mut self, access: Access, until: Instant, denied: bool, now: Instant) {
        if denied && self.is_strange(&access) {
            self.deny(access, Reason::NoToken, now);
        } else {
            self.closed.insert(access, Closed::NoToken(until));
        }
    }

    /// The token has no access there.
    pub(super) fn denied(&mut self, access: Access, now: Instant) {
        self.deny(access, Reason::NoAccess, now);
    }

    /// There is no token, or no good one, which says nothing of the organization: a stranger may well
    /// be there.
    pub(super) fn no_good_token(&mut self, access: Access, now: Instant) {
        self.shut(access, Reason::NoAccess, DENIED, now);
    }

    fn deny(&mut self, access: Access, reason: Reason, now: Instant) {
        let is_strange = self.is_strange(&access);
        let pauses = if is_strange { STRANGE } else { DENIED };
        self.shut(access, reason, pauses, now);
    }

    fn shut(&mut self, access: Access, reason: Reason, pauses: [Duration; 2], now: Instant) {
        let [first, longest] = pauses;
        let last = self.closed.remove(&access);
        let mut pause = match last {
            Some(Closed::Denied { pause, .. }) => pause,
            _ => Backoff::new(first, longest),
        };
        pause.begin_within(longest, now);
        self.closed.insert(access, Closed::Denied { pause, reason });
    }
}
