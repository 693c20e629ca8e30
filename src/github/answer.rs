//! What an answer of GitHub means. Pure: status, headers and bytes in, an [`Answer`] out. Here is
//! what all operations have in common, why one gave nothing, and what a write came to; what reads
//! give stands in `job` and `records`. What follows from it (halving, retries, quarantine) is
//! decided elsewhere.

use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;
use thiserror::Error;

use super::api::ApiVersion;
use super::rate::Rate;
use super::wire;

mod taken;
#[cfg(test)]
mod tests;
mod text;

pub use taken::{Refusal, Taken};
pub(super) use text::{ErrorText, compact};

/// What GitHub gave, or why it gave nothing.
pub type Answer<T = Taken> = Result<T, Failure>;

/// A whole answer, as it came.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// Its status. A 3xx that comes here is one that nobody follows.
    pub status: StatusCode,
    /// What its headers say about the pace.
    pub rate: &'a Rate,
    /// Its body.
    pub body: &'a [u8],
    /// The version of the API that was asked for.
    pub version: &'a ApiVersion,
}

/// What a definite answer is called in logs and metrics.
pub trait Given {
    /// The name, in lower case with dashes.
    fn kind(&self) -> &'static str;
}

/// Why an operation gave nothing. As a text it is fit for a person, on one line.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Failure {
    /// Whether GitHub did what it was asked cannot be told.
    #[error("{why}")]
    Unknown {
        /// Why not.
        why: Doubt,
    },
    /// 400 or 422: something in the request breaks a rule, so none of it was taken.
    #[error("GitHub answered {status}: {message}")]
    Invalid {
        /// 400 or 422.
        status: StatusCode,
        /// What GitHub says about it.
        message: String,
    },
    /// 413: the request is too large, so none of it was taken.
    #[error("GitHub answered 413: the request is too large")]
    Oversized,
    /// 403 or 404 that is about some of the repositories: none of the request was taken.
    #[error("GitHub answered {status}: {message}: {}", repositories.join(", "))]
    NamesRepositories {
        /// 403 or 404.
        status: StatusCode,
        /// The repositories, by number or name, as GitHub gives them.
        repositories: Vec<String>,
        /// What GitHub says about it.
        message: String,
    },
    /// 403 or 404 to a request for one record: no artifact is known by its digest, its repository
    /// may not be written, or there is no access to the organization. GitHub does not say which
    /// (<https://github.com/actions/attest-build-provenance/issues/781>).
    #[error("GitHub answered {status}: {message}")]
    Refused {
        /// 403 or 404.
        status: StatusCode,
        /// What GitHub says about it.
        message: String,
    },
    /// Any other 404, or a 403 without a limit: there is no access to the organization.
    #[error("GitHub answered {status}: {message}")]
    NoAccess {
        /// 403 or 404.
        status: StatusCode,
        /// What GitHub says about it.
        message: String,
    },
    /// 401: the token is not, or no longer, valid.
    #[error("GitHub answered 401, which is about the token: {message}")]
    BadToken {
        /// What GitHub says about it.
        message: String,
    },
    /// 429, or a 403 with a limit: asked too much. For how long is in the exchange's rate.
    #[error("GitHub answered {status}, which is a limit: {message}")]
    Limited {
        /// 403 or 429.
        status: StatusCode,
        /// What GitHub says about it.
        message: String,
    },
    /// 410: this version of the API is served no longer.
    #[error(
        "GitHub no longer serves version {version} of its API; name another one with --github-api-version (GitHub answered 410: {message})"
    )]
    VersionWithdrawn {
        /// The version that was asked for.
        version: ApiVersion,
        /// What GitHub says about it.
        message: String,
    },
}

/// Why the outcome of a request is unknown.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Doubt {
    /// A status that says nothing about what was asked: 5xx, 408, 409, and all that nobody
    /// documented.
    #[error("GitHub answered {status}: {message}")]
    Status {
        /// The status.
        status: StatusCode,
        /// What GitHub says about it.
        message: String,
    },
    /// The body is not the contract's.
    #[error("GitHub answered {status} with a body outside of its contract: {problem}")]
    Body {
        /// The status.
        status: StatusCode,
        /// What is wrong with the body.
        problem: String,
    },
    /// A redirect that is not followed: to another host, or one too many.
    #[error("GitHub answered {status} and points to {to:?}, where nothing is sent")]
    Redirected {
        /// The status.
        status: StatusCode,
        /// The location that was named, as it stands in the answer.
        to: String,
    },
    /// No whole answer came in time.
    #[error("no whole answer within {0:?}")]
    Timeout(Duration),
    /// The connection failed, before or after GitHub read the request.
    #[error("{0}")]
    Connection(String),
}

impl Failure {
    /// What an answer means that is none of the operation's successes.
    pub fn read(received: Received<'_>) -> Self {
        let Received { status, rate, .. } = received;
        let text = ErrorText::read(received.body);
        let message = text.text;
        match status.as_u16() {
            400 | 422 => Self::Invalid { status, message },
            401 => Self::BadToken { message },
            // GitHub sends its secondary limit as a 403 too, and not always with headers: then its
            // text tells.
            403 | 404 if !text.repositories.is_empty() => Self::NamesRepositories {
                status,
                repositories: text.repositories,
                message,
            },
            403 if rate.limits() || text.names_limit => Self::Limited { status, message },
            403 | 404 => Self::NoAccess { status, message },
            410 => Self::VersionWithdrawn {
                version: received.version.clone(),
                message,
            },
            413 => Self::Oversized,
            429 => Self::Limited { status, message },
            _ => Self::Unknown {
                why: Doubt::Status { status, message },
            },
        }
    }

    /// The name of this kind of answer, for logs and metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "unknown",
            Self::Invalid { .. } => "invalid",
            Self::Oversized => "oversized",
            Self::NamesRepositories { .. } => "names-repositories",
            Self::Refused { .. } => "refused",
            Self::NoAccess { .. } => "no-access",
            Self::BadToken { .. } => "bad-token",
            Self::Limited { .. } => "limited",
            Self::VersionWithdrawn { .. } => "version-withdrawn",
        }
    }

    /// Whether it is a 404 that names nothing. To a list of a digest that says either that GitHub
    /// knows no such digest, or that there is no access to the organization: the contract has no 404
    /// there, so which of them it is shows only by what else was answered.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NoAccess { status, .. } if *status == StatusCode::NOT_FOUND)
    }

    /// Whether the same request may be answered otherwise a while later without anybody changing
    /// anything. Every write may be sent twice: GitHub updates what it has.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unknown { .. } | Self::Limited { .. })
    }
}

impl<'a> Received<'a> {
    /// The body as the JSON object that the contract describes.
    pub(super) fn object<T: Deserialize<'a>>(&self) -> Answer<T> {
        // Of what is read over nobody else asks whether it is a text.
        let text = str::from_utf8(self.body).map_err(|error| self.outside(&error.to_string()))?;
        serde_json::from_str(text)
            .map(|wire::Object(object)| object)
            .map_err(|error| self.outside(&error.to_string()))
    }

    /// The body is outside of the contract.
    pub(super) fn outside(&self, problem: &str) -> Failure {
        let (status, problem) = (self.status, tidy(problem));
        Failure::Unknown {
            why: Doubt::Body { status, problem },
        }
    }

    /// What GitHub says in an error's body.
    pub(super) fn message(&self) -> String {
        ErrorText::read(self.body).text
    }
}

/// A text from outside, fit for one line of a log: at most 500 characters, none that moves a
/// cursor.
pub(super) fn tidy(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .take(500)
        .collect()
}
