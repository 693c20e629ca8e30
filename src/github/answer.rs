//! What GitHub's answer to a batch of lines means for each of them. Pure: status, headers and bytes
//! in, an [`Answer`] out. What follows from it (halving, retries, quarantine) is decided elsewhere.

use std::collections::BTreeMap;
use std::time::Duration;

use http::StatusCode;
use serde_json::Value;
use thiserror::Error;

use super::rate::Rate;
use super::wire;
use crate::model::record::{Identity, Line};

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
            200 | 207 => read_success(status, body, lines),
            400 | 422 => Self::Invalid {
                status,
                message: ErrorText::read(body).text,
            },
            401 => Self::BadToken {
                message: ErrorText::read(body).text,
            },
            403 | 404 => read_denial(status, rate, body),
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

/// A 200 acknowledges every line. A 207 does so for those that it does not name, but only if each
/// of its errors names one: an error about nothing we know may be about any of them. The contract
/// has no errors in a 200; should there be some, they are not overlooked.
fn read_success(status: StatusCode, body: &[u8], lines: &[Line]) -> Answer {
    let doubt = |problem: &str| Answer::Unknown {
        why: Doubt::Body {
            status,
            problem: tidy(problem),
        },
    };
    let answer: wire::SetAnswer = match serde_json::from_slice(body) {
        Ok(wire::Object(answer)) => answer,
        Err(error) => return doubt(&error.to_string()),
    };
    let errors = answer.errors.unwrap_or_default();
    if errors.is_empty() {
        let is_whole = status == StatusCode::OK;
        return if is_whole {
            Answer::Acknowledged
        } else {
            doubt("it names no errors")
        };
    }
    let indices: BTreeMap<&Identity, usize> = lines
        .iter()
        .enumerate()
        .map(|(index, line)| (&line.identity, index))
        .collect();
    let mut outcomes: BTreeMap<usize, Option<Refusal>> = BTreeMap::new();
    for wire::Object(error) in &errors {
        let Some(index) = named(error, &indices, lines) else {
            return doubt("one of its errors names no record of the request");
        };
        let refusal = match error.cause.as_deref() {
            Some("not_found") => Some(Refusal::NotFound),
            Some("unauthorized") => Some(Refusal::Unauthorized),
            _ => None,
        };
        // Named twice: refused only if both causes are refusals.
        let outcome = outcomes.entry(index).or_insert(refusal);
        *outcome = refusal.and(*outcome);
    }
    let refused = outcomes
        .iter()
        .filter_map(|(index, refusal)| Some((*index, (*refusal)?)));
    let unknown = outcomes
        .iter()
        .filter(|(_, refusal)| refusal.is_none())
        .map(|(index, _)| *index);
    Answer::Partial {
        refused: refused.collect(),
        unknown: unknown.collect(),
    }
}

/// The index of the line that an error is about: that of its name, if a digest beside it agrees.
fn named(
    error: &wire::RecordError,
    indices: &BTreeMap<&Identity, usize>,
    lines: &[Line],
) -> Option<usize> {
    let wire::Object(deployment) = error.deployment.as_ref()?;
    let name = deployment.deployment_name.as_deref()?.into();
    let destination = &lines.first()?.identity.destination;
    let index = *indices.get(&Identity {
        destination: destination.clone(),
        name,
    })?;
    let digest = lines.get(index)?.body.digest.to_string();
    let agrees = deployment
        .digest
        .as_deref()
        .is_none_or(|given| given == digest);
    agrees.then_some(index)
}

/// A 403 or 404 is about repositories if it names some, else a 403 may be a limit, else it is
/// about the organization. GitHub sends its secondary limit as a 403 too, and not always with
/// headers: then its text tells.
fn read_denial(status: StatusCode, rate: &Rate, body: &[u8]) -> Answer {
    let ErrorText {
        text: message,
        repositories,
        names_limit,
    } = ErrorText::read(body);
    if !repositories.is_empty() {
        return Answer::NamesRepositories {
            status,
            repositories,
            message,
        };
    }
    if status == StatusCode::FORBIDDEN && (rate.limits() || names_limit) {
        return Answer::Limited { status, message };
    }
    Answer::NoAccess { status, message }
}

/// What can be told from the body of an error.
struct ErrorText {
    text: String,
    repositories: Vec<String>,
    names_limit: bool,
}

impl ErrorText {
    fn read(body: &[u8]) -> Self {
        let wire::ErrorBody {
            message,
            documentation_url,
            errors,
        } = serde_json::from_slice(body).unwrap_or_default();
        let limit = |value: &Value, words: &str| {
            value
                .as_str()
                .is_some_and(|text| text.to_ascii_lowercase().contains(words))
        };
        let names_limit = limit(&message, "rate limit") || limit(&documentation_url, "rate-limit");
        let (main, repositories) =
            match serde_json::from_value::<wire::AboutRepositories>(message.clone()) {
                Ok(about) => (about.cause, about.repositories),
                Err(_) => (message, Vec::new()),
            };
        let parts = [&main, &errors]
            .into_iter()
            .map(plain)
            .filter(|part| !part.is_empty());
        let text = parts.collect::<Vec<_>>().join(" ");
        Self {
            text: if text.is_empty() {
                "no message".to_owned()
            } else {
                tidy(&text)
            },
            repositories: repositories.iter().map(|one| tidy(&plain(one))).collect(),
            names_limit,
        }
    }
}

/// A JSON value as a person would write it.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
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

#[cfg(test)]
mod tests;
