//! Gaps: why something is not recorded, or not as it should be. The list is fixed; each reason has
//! one name in logs, metrics, `/api/status` and `explain`.

use std::fmt;
use std::sync::Arc;

use super::workload::Source;

/// Why something is not recorded, or not as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// It runs, but the runtime names no manifest or index digest for it.
    NoDigest,
    /// Other ready pods run other digests.
    OtherDigest,
    /// The image as written is no image reference.
    InvalidImage,
    /// The image's normalised name has more than 256 bytes.
    NameTooLong,
    /// Its namespace or workload was not read, so tags, risks and environment are not known.
    ContextUnknown,
    /// A kind that its presence depends on is not fully seen.
    NotCovered,
    /// The object that its pod names as controller is not in what was read.
    OwnerNotRead,
    /// Its workload is of a kind that cannot be read: recorded with what pod and namespace say.
    OwnerUnreadable,
    /// A tag has a key or value over 100 characters, or an empty one.
    InvalidTag,
    /// It has more than five tags.
    TooManyTags,
    /// Whether traffic from outside reaches it cannot be told, so that risk is as GitHub was told last.
    ExposureUnknown,
    /// A runtime risk is none of the API's four.
    InvalidRisk,
    /// The repository is not of the organization, or not of the API's form.
    InvalidRepository,
    /// What its image or namespace says is no name of an organization: it goes where it would go
    /// without that.
    InvalidOrganization,
    /// GitHub knows no artifact or repository for it (`not_found`).
    NotFound,
    /// The token may not write to its repository (`unauthorized`).
    Unauthorized,
    /// GitHub called the record invalid.
    Invalid,
    /// GitHub neither took the record nor refused it in a way that anybody knows.
    Unconfirmed,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 18] = [
        Self::NoDigest,
        Self::OtherDigest,
        Self::InvalidImage,
        Self::NameTooLong,
        Self::ContextUnknown,
        Self::NotCovered,
        Self::OwnerNotRead,
        Self::OwnerUnreadable,
        Self::InvalidTag,
        Self::TooManyTags,
        Self::ExposureUnknown,
        Self::InvalidRisk,
        Self::InvalidRepository,
        Self::InvalidOrganization,
        Self::NotFound,
        Self::Unauthorized,
        Self::Invalid,
        Self::Unconfirmed,
    ];

    /// Its name, in kebab case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoDigest => "no-digest",
            Self::OtherDigest => "other-digest",
            Self::InvalidImage => "invalid-image",
            Self::NameTooLong => "name-too-long",
            Self::ContextUnknown => "context-unknown",
            Self::NotCovered => "not-covered",
            Self::OwnerNotRead => "owner-not-read",
            Self::OwnerUnreadable => "owner-unreadable",
            Self::InvalidTag => "invalid-tag",
            Self::TooManyTags => "too-many-tags",
            Self::ExposureUnknown => "exposure-unknown",
            Self::InvalidRisk => "invalid-risk",
            Self::InvalidRepository => "invalid-repository",
            Self::InvalidOrganization => "invalid-organization",
            Self::NotFound => "not-found",
            Self::Unauthorized => "unauthorized",
            Self::Invalid => "invalid",
            Self::Unconfirmed => "unconfirmed",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that is not recorded, or not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gap {
    /// What it is about.
    pub subject: Subject,
    /// Why.
    pub reason: Reason,
    /// What a person needs to know to close it: the value that was found, the rule that is missing.
    pub detail: Arc<str>,
}

/// What a Gap is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A container of a workload.
    Source(Source),
    /// A pod whose workload is not known.
    Pod {
        /// Its namespace.
        namespace: Arc<str>,
        /// Its name.
        name: Arc<str>,
    },
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(source) => source.fmt(f),
            Self::Pod { namespace, name } => write!(f, "Pod {namespace}/{name}"),
        }
    }
}
