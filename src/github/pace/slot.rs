//! When a request may leave, and what decides that.

use tokio::time::Instant;

/// When a request may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Not before this instant.
    pub at: Instant,
    /// What decides that.
    pub reason: Reason,
}

/// What decides when a request may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Nothing: it may leave now.
    Free,
    /// The second between requests.
    Spacing,
    /// The limit of a minute.
    Minute,
    /// The limit of an hour.
    Hour,
    /// The part of either that this purpose may use at most.
    Share,
    /// GitHub named the time: `retry-after`, or the reset when nothing remains.
    Told,
    /// GitHub limits without naming a time.
    Limited,
    /// The outcome of the last requests is unknown.
    Outage,
    /// The token has no access to the organization, or is not valid.
    NoAccess,
    /// The version of the API is served no longer.
    VersionWithdrawn,
    /// There is no token until then: GitHub was asked for one.
    NoToken,
}

impl Reason {
    /// Whether nothing comes of trying again soon: somebody has to do something about the access to
    /// the organization.
    pub fn is_closed(self) -> bool {
        matches!(
            self,
            Self::NoAccess | Self::VersionWithdrawn | Self::NoToken
        )
    }

    /// Whether it is about one organization, or one who signs in, and others may go on.
    pub fn is_of_organization(self) -> bool {
        !self.is_our_own()
    }

    /// Every reason to wait.
    pub const TO_WAIT: [Self; 10] = [
        Self::Spacing,
        Self::Minute,
        Self::Hour,
        Self::Share,
        Self::Told,
        Self::Limited,
        Self::Outage,
        Self::NoAccess,
        Self::VersionWithdrawn,
        Self::NoToken,
    ];

    /// Whether it is a limit that this program keeps by itself.
    pub fn is_our_own(self) -> bool {
        matches!(
            self,
            Self::Free | Self::Spacing | Self::Minute | Self::Hour | Self::Share
        )
    }

    /// The name of the reason, for logs and status.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Spacing => "spacing",
            Self::Minute => "minute-limit",
            Self::Hour => "hour-limit",
            Self::Share => "share",
            Self::Told => "told-to-wait",
            Self::Limited => "limited",
            Self::Outage => "outage",
            Self::NoAccess => "no-access",
            Self::VersionWithdrawn => "version-withdrawn",
            Self::NoToken => "no-token",
        }
    }
}
