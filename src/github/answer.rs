//! What GitHub's answer to a batch of lines means for each of them. Pure: status, headers and bytes
//! in, an [`Answer`] out. What follows from it (halving, retries, quarantine) is decided elsewhere.

use std::time::Duration;

use http::StatusCode;
use thiserror::Error;

use super::rate::Rate;
use crate::model::record::Line;

mod body;
#[cfg(test)]
mod tests;

use body::ErrorText;

/// What became of the lines of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 200: GitHub holds every line.
    Acknowledged,
    /// 207: GitHub holds every line but these, which are named by their index in the request.
    Partial {
        /// Definitely refused, in the order of the lines.
        refused: Vec<(usize, Refusal)>,
        /// Named with a cause that nobody knows: neither held nor refused for certain.
        unknown: Vec<usize>,
    },
    /// Whether GitHub holds any of the lines cannot be told.
    Unknown {
        /// Why not.
        why: Doubt,
    },
    /// 400 or 422: something in the request breaks a rule, so none of it was taken.
    Invalid {
        /// 400 or 422.
        status: StatusCode,
        /// What GitHub says about it.
        message: String,
    },
    /// 413: the request is too large, so none of it was taken.
    Oversized,
    /// 403 or 404 that is about some of the repositories: none of the request was taken.
    NamesRepositories {
        /// 403 or 404.
        status: StatusCode,
        /// The repositories, by number or name, as GitHub gives them.
        repositories: Vec<String>,
        /// What GitHub says about it.
        message: String,
    },
    /// Any other 404, or a 403 without a limit: there is no access to the organization.
    NoAccess {
        /// 403 or 404.
        status: StatusCode,
        /// What GitHub says about it.
        message: String,
    },
    /// 401: the token is not, or no longer, valid.
    BadToken {
        /// What GitHub says about it.
        message: String,
    },
    /// 429, or a 403 with a limit: asked too much. For how long is in the exchange's rate.
    Limited {
        /// 403 or 429.
        status: StatusCode,
        /// What GitHub says about it.
        message: String,
    },
    /// 410: this version of the API is served no longer.
    VersionWithdrawn {
        /// What GitHub says about it.
        message: String,
    },
}

/// Why GitHub refuses one record of a request that it otherwise takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// `not_found`: neither an attestation nor a known repository for the digest.
    NotFound,
    /// `unauthorized`: the token may not write for that repository.
    Unauthorized,
}

impl Refusal {
    /// The API's name for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Unauthorized => "unauthorized",
        }
    }
}

/// Why the outcome of a request is unknown.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Doubt {
    /// A status that says nothing about the lines: 5xx, 408, 409, and all that nobody documented.
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

impl Answer {
    /// What an answer of this status, these rate headers and this body means for `lines`, which
    /// are those of the request. A 3xx that comes here is one that nobody follows.
    pub fn read(status: StatusCode, rate: &Rate, body: &[u8], lines: &[Line]) -> Self {
        match status.as_u16() {
            200 | 207 => body::success(status, body, lines),
            400 | 422 => Self::Invalid {
                status,
                message: ErrorText::read(body).text,
            },
            401 => Self::BadToken {
                message: ErrorText::read(body).text,
            },
            403 | 404 => body::denial(status, rate, body),
            410 => Self::VersionWithdrawn {
                message: ErrorText::read(body).text,
            },
            413 => Self::Oversized,
            429 => Self::Limited {
                status,
                message: ErrorText::read(body).text,
            },
            _ => {
                let message = ErrorText::read(body).text;
                Self::Unknown {
                    why: Doubt::Status { status, message },
                }
            }
        }
    }

    /// The name of this kind of answer, for logs and metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::Partial { .. } => "partial",
            Self::Unknown { .. } => "unknown",
            Self::Invalid { .. } => "invalid",
            Self::Oversized => "oversized",
            Self::NamesRepositories { .. } => "names-repositories",
            Self::NoAccess { .. } => "no-access",
            Self::BadToken { .. } => "bad-token",
            Self::Limited { .. } => "limited",
            Self::VersionWithdrawn { .. } => "version-withdrawn",
        }
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
