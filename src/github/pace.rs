//! When the next request may leave. Pure: it is told what was sent and answered and when, and
//! never waits itself. It is written for one writer towards one API host; reads have a pace of their
//! own. The limits are over all organizations, those that this program keeps by itself and, as `signers`
//! has it, those that GitHub names; outages and closed doors are of one. After a restart it knows nothing
//! of the hour, which costs at most one refused request.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::answer::Failure;
use super::auth::{CredentialsError, NotMinted};
use super::exchange::Exchange;

mod access;
mod aside;
mod backoff;
mod doors;
mod outages;
mod purpose;
pub mod reads;
mod room;
mod signers;
mod slot;
#[cfg(test)]
mod tests;

pub use access::Access;
pub(super) use backoff::Backoff;
pub use purpose::Purpose;
pub use room::Room;
pub use signers::Signers;
pub use slot::{Reason, Slot};

use aside::Aside;
use doors::Doors;
use outages::Outages;
use signers::Limits;

/// The least time between an answer and the next request. Counted from the answer, because only
/// that is certain to be later than the moment at which GitHub got the request before.
pub const SPACING: Duration = Duration::from_secs(1);

/// The most requests in any minute and in any hour: GitHub allows 80 and 500 that create content,
/// and nobody knows that these do not count (`contract/README.md`).
const LIMITS: [(Duration, usize, Reason); 2] =
    [(MINUTE, 80, Reason::Minute), (HOUR, PER_HOUR, Reason::Hour)];
const PER_HOUR: usize = 450;
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// With fewer requests than this left in the hour, changes are gathered, and no storage record goes.
const TIGHT: usize = 100;

/// The shortest time in which a full snapshot of so many batches may be repeated: 16 s a batch, so
/// that snapshots stay within their half of the hour.
pub fn shortest_snapshot_period(batches: usize) -> Duration {
    let most = PER_HOUR / Purpose::Snapshot.part();
    HOUR.saturating_mul(u32::try_from(batches).unwrap_or(u32::MAX))
        / u32::try_from(most).unwrap_or(1)
}

/// The pace of everything that is written at GitHub.
#[derive(Debug)]
pub struct Pace {
    /// What left within the last hour, oldest first.
    sends: VecDeque<(Instant, Purpose)>,
    /// The last time at which anything left or came back.
    last: Option<Instant>,
    limits: Limits,
    outages: Outages,
    /// For storage records alone, by organization.
    aside: BTreeMap<Access, Aside>,
    doors: Doors,
}

impl Default for Pace {
    fn default() -> Self {
        Self::new()
    }
}

impl Pace {
    /// The pace of a process that has sent nothing yet.
    pub fn new() -> Self {
        Self {
            sends: VecDeque::new(),
            last: None,
            limits: Limits::default(),
            outages: Outages::default(),
            aside: BTreeMap::new(),
            doors: Doors::default(),
        }
    }

    /// The pace of a process that begins now: another one may have sent something a moment ago.
    pub fn begun(now: Instant) -> Self {
        Self {
            last: Some(now),
            ..Self::new()
        }
    }

    /// The same, where these sign in.
    #[must_use]
    pub fn signed_by(self, signers: Signers) -> Self {
        let limits = Limits::new(signers);
        Self { limits, ..self }
    }

    /// This organization is no stranger: it took something before, or a person names it. Any other may
    /// be a mistake until it takes something, and while it turns everything away it is asked ever
    /// less often.
    pub fn knows(&mut self, access: impl Into<Access>) {
        self.doors.know(access.into());
    }

    /// Whether it is a stranger. Who has several to send to tries those last.
    pub fn is_strange(&self, access: impl Into<Access>) -> bool {
        self.doors.is_strange(&access.into())
    }

    /// When a request of this purpose may leave for this organization, if nothing leaves before it.
    /// Ask anew each time: every send and every answer moves it.
    pub fn slot(&self, access: impl Into<Access>, purpose: Purpose, now: Instant) -> Slot {
        let access = access.into();
        let mut slot = Slot {
            at: now,
            reason: Reason::Free,
        };
        let mut wait = |until: Option<Instant>, reason| {
            if let Some(at) = until.filter(|until| *until > slot.at) {
                slot = Slot { at, reason };
            }
        };
        wait(self.last.map(|last| last + SPACING), Reason::Spacing);
        for (window, most, reason) in LIMITS {
            let nth = |most: usize, counts: &dyn Fn(Purpose) -> bool| {
                let sends = self
                    .sends
                    .iter()
                    .rev()
                    .filter(|(_, purpose)| counts(*purpose));
                sends
                    .map(|(sent, _)| *sent + window)
                    .nth(most.saturating_sub(1))
            };
            wait(nth(most, &|_| true), reason);
            if purpose != Purpose::Change {
                let part = nth(most / purpose.part(), &|sent| sent == purpose);
                wait(part, Reason::Share);
            }
            if purpose == Purpose::Storage && window == HOUR {
                wait(nth(most - TIGHT, &|_| true), reason);
            }
        }
        if purpose == Purpose::Storage {
            wait(self.limits.few_until(&access), Reason::Hour);
            let aside = self.aside.get(&access);
            wait(aside.and_then(Aside::until), Reason::Outage);
        }
        wait(self.limits.told(&access), Reason::Told);
        wait(self.limits.unnamed(&access), Reason::Limited);
        wait(self.outages.until(&access), Reason::Outage);
        if let Some((until, reason)) = self.doors.until(&access) {
            wait(Some(until), reason);
        }
        slot
    }

    /// Whether little is left of the hour, by our count or by GitHub's: then changes are gathered
    /// instead of sent one by one.
    pub fn is_tight(&self, now: Instant) -> bool {
        let sent = self
            .sends
            .iter()
            .filter(|(sent, _)| *sent + HOUR > now)
            .count();
        PER_HOUR.saturating_sub(sent) < TIGHT || self.limits.are_tight(now)
    }

    /// When the outcome of a request to this organization was unknown last, or it met a limit, if
    /// nothing was acknowledged since. Who has several to send to tries those first that have none,
    /// then the oldest: what hangs or has all wait is to hold back nothing else.
    pub fn last_trouble(&self, access: impl Into<Access>) -> Option<Instant> {
        let access = access.into();
        self.outages.last(&access).max(self.limits.last(&access))
    }

    /// Whether it met a limit, and nothing was acknowledged there since. If it meets another one all
    /// have to wait, so it comes after everything else.
    pub fn is_limited(&self, access: impl Into<Access>) -> bool {
        self.limits.last(&access.into()).is_some()
    }

    /// A request leaves now.
    pub fn sent(&mut self, purpose: Purpose, now: Instant) {
        while self
            .sends
            .front()
            .is_some_and(|(sent, _)| *sent + HOUR <= now)
        {
            self.sends.pop_front();
        }
        self.sends.push_back((now, purpose));
        self.last = Some(now);
    }

    /// What the request was for that left last.
    fn last_purpose(&self) -> Purpose {
        let last = self.sends.back();
        last.map_or(Purpose::Change, |(_, purpose)| *purpose)
    }

    /// The request that left last came back, and what it means for its organization is not believed
    /// yet.
    pub fn heard<T>(&mut self, access: impl Into<Access>, exchange: &Exchange<T>, now: Instant) {
        let access = access.into();
        // Redirects that were followed are requests too. GitHub's limit of the hour has room for
        // the few that one exchange may add.
        let purpose = self.last_purpose();
        (1..exchange.requests).for_each(|_| self.sent(purpose, now));
        self.last = Some(now);
        self.limits.heard(&access, exchange, now);
        if !matches!(exchange.failure(), Some(Failure::Unknown { .. })) {
            self.outages.heard(&access);
        }
    }

    /// The request that left last came back.
    pub fn answered<T>(&mut self, access: impl Into<Access>, exchange: &Exchange<T>, now: Instant) {
        let access = access.into();
        self.heard(access.clone(), exchange, now);
        if self.last_purpose() == Purpose::Storage {
            let aside = self.aside.entry(access.clone()).or_default();
            aside.answered(exchange.failure(), now);
            // What is taken there says nothing of what is more important, and ends none of its pauses.
            match exchange.failure() {
                Some(Failure::Limited { .. }) => self.limits.answered(&access, exchange, now),
                Some(_) => {}
                None => self.doors.know(access),
            }
            return;
        }
        match exchange.failure() {
            None => {
                self.limits.answered(&access, exchange, now);
                self.outages.end(&access);
                self.doors.open(&access);
                self.doors.know(access);
            }
            Some(Failure::Unknown { .. }) => self.outages.begin(&access, now),
            Some(failure) => {
                self.limits.answered(&access, exchange, now);
                self.turned_away(access, failure, exchange.token_renewed, now);
            }
        }
    }

    /// What a definite failure says about an organization.
    fn turned_away(
        &mut self,
        access: Access,
        failure: &Failure,
        token_renewed: bool,
        now: Instant,
    ) {
        match failure {
            Failure::Invalid { .. } | Failure::NamesRepositories { .. } => {
                self.doors.open(&access);
            }
            Failure::BadToken { .. } if token_renewed => {
                self.doors.open(&access);
            }
            Failure::NoAccess { .. } => self.doors.denied(access, now),
            Failure::BadToken { .. } => self.doors.no_good_token(access, now),
            Failure::VersionWithdrawn { .. } => self.doors.withdrawn(access, now),
            // Of one record, or of nothing: other requests to the organization may well be taken.
            Failure::Refused { .. }
            | Failure::Oversized
            | Failure::Unknown { .. }
            | Failure::Limited { .. } => {}
        }
    }

    /// No request could leave for this organization because there was no token: as if GitHub had
    /// refused it, unless it is known before when there is none. A limit of who asks for tokens is
    /// everybody's, as any other is.
    pub fn unsent(&mut self, access: impl Into<Access>, why: &CredentialsError, now: Instant) {
        let access = access.into();
        let Some(until) = why.until() else {
            return self.doors.no_good_token(access, now);
        };
        let kind = why.not_minted();
        self.not_renewed(access.clone(), why, now);
        if kind == Some(NotMinted::Outage) {
            // The host may fail for all of them, and each would ask by itself.
            self.outages.begin(&access, now);
        }
        let is_denied = kind == Some(NotMinted::Denied);
        self.doors.no_token(access, until, is_denied, now);
    }

    /// The token for this organization was not renewed, and the last one holds still. A limit is everybody's
    /// nevertheless.
    pub fn not_renewed(&mut self, access: impl Into<Access>, why: &CredentialsError, now: Instant) {
        if let (Some(until), Some(NotMinted::Limited { named })) = (why.until(), why.not_minted()) {
            let told = named.then_some(until);
            self.limits.told_of_tokens(&access.into(), told, now);
        }
    }

    /// No request could leave for this organization because it would break the contract.
    pub fn unlawful(&mut self, access: impl Into<Access>, now: Instant) {
        self.doors.no_good_token(access.into(), now);
    }

    /// Forgets all organizations but these, to which something goes; but no limit, and nothing that
    /// was turned away a short time ago.
    pub fn keep(&mut self, is_wanted: impl Fn(&Access) -> bool, now: Instant) {
        self.limits.keep(&is_wanted, now);
        self.outages.keep(&is_wanted);
        self.doors.keep(&is_wanted, now);
        self.aside.retain(|access, _| is_wanted(access));
    }

    /// Whether it was turned away so lately that this is remembered although nothing goes there.
    pub fn remembers(&self, access: &Access, now: Instant) -> bool {
        self.doors.is_remembered(access, now)
    }

    /// A request left for a token, and came back.
    pub fn signed_in(&mut self, now: Instant) {
        self.sent(Purpose::Change, now);
    }

    /// What looked definite is an outage of this organization in truth: every body is called invalid.
    pub fn outage(&mut self, access: impl Into<Access>, now: Instant) {
        self.outages.begin_own(&access.into(), now);
    }

    /// A request to this organization was given up on its way: GitHub may be at it still.
    pub fn given_up(&mut self, access: impl Into<Access>, now: Instant) {
        self.last = Some(now);
        self.outages.begin(&access.into(), now);
    }

    /// A storage record was given up on its way: GitHub may be at it still.
    pub fn storage_given_up(&mut self, access: impl Into<Access>, now: Instant) {
        self.last = Some(now);
        let aside = self.aside.entry(access.into()).or_default();
        aside.given_up(now);
    }

    /// There is a new token for this organization: what was denied to the old one may be tried at
    /// once. Returns whether it may: no token brings a withdrawn version back.
    pub fn token_renewed(&mut self, access: impl Into<Access>) -> bool {
        self.doors.token_renewed(&access.into())
    }
}

/// Whether so many requests that GitHub would still take are few.
fn is_few(count: u64) -> bool {
    usize::try_from(count).is_ok_and(|count| count < TIGHT)
}
