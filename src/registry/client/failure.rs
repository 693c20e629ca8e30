//! Why a look-up failed, and what that means for the next. No failure has anything secret in it, nor
//! anything that a registry said.

use std::error::Error;
use std::time::Duration;

use http::StatusCode;
use http::header::HeaderMap;
use thiserror::Error;

use crate::registry::address::Refused;
use crate::registry::look_ups::Outcome;
use crate::registry::names::Nobodys;
use crate::registry::queue::Setback;
use crate::registry::transport::TransportError;

/// Why a look-up failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(in crate::registry) enum Failure {
    /// The registry does not let the image be read.
    #[error("the registry does not let it be read (status {})", .0.as_u16())]
    Denied(StatusCode),
    /// The registry does not have the image, or says so.
    #[error("the registry does not have it")]
    NotFound,
    /// The registry wants to be left alone, for so long if it says that.
    #[error("the registry wants to be asked less often")]
    Limited(Option<Duration>),
    /// The registry answers with a status that is none of these.
    #[error("the registry answers with status {}", .0.as_u16())]
    Status(StatusCode),
    /// There is no whole answer.
    #[error("{0}")]
    Broken(String),
    /// The answer does not end, or is longer than anything that is read. What is said of an image makes it so
    /// long, which says nothing of the registry.
    #[error("the registry's answer is too long")]
    TooLong,
    /// There is none in time.
    #[error("the registry does not answer in time")]
    Late,
    /// Redirects lead nowhere.
    #[error("redirects of the registry lead nowhere")]
    Lost,
    /// The token service does not give a token.
    #[error("the token service of the registry answers with no token")]
    NoToken,
    /// What came back is not what the digest names.
    #[error("what the registry sends is not what the digest names")]
    Untrue,
    /// An address is not asked.
    #[error("{0}")]
    Refused(Refused),
    /// The pull secrets cannot be read.
    #[error("the pull secrets cannot be read: {0}")]
    Secrets(String),
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl Failure {
    /// What an answer other than 200 means.
    pub(super) fn of(status: StatusCode, headers: &HeaderMap) -> Self {
        match status.as_u16() {
            401 | 403 => Self::Denied(status),
            404 => Self::NotFound,
            429 => Self::Limited(super::retry_after(headers)),
            503 if super::retry_after(headers).is_some() => {
                Self::Limited(super::retry_after(headers))
            }
            _ => Self::Status(status),
        }
    }

    /// A request that was not answered, with its causes.
    pub(in crate::registry) fn broken(error: &(dyn Error + 'static)) -> Self {
        /// In characters; some of it may be another side's.
        const LONGEST: usize = 300;
        if let Some(TransportError::TooLong) = error.downcast_ref() {
            return Self::TooLong;
        }
        let mut texts = vec![error.to_string()];
        let mut cause = error.source();
        while let Some(error) = cause {
            if error.is::<Nobodys>() {
                return Self::Refused(Refused::Led);
            }
            texts.push(error.to_string());
            cause = error.source();
        }
        let text = texts.join(": ");
        let text = text.chars().filter(|letter| !letter.is_control());
        Self::Broken(text.take(LONGEST).collect())
    }

    /// Whether somebody else might be let in: also some who do not let in say that there is nothing.
    pub(in crate::registry) fn may_be_for_want_of_rights(&self) -> bool {
        matches!(self, Self::Denied(_) | Self::NotFound)
    }

    /// As what it is counted.
    pub(in crate::registry) fn outcome(&self) -> Outcome {
        match self {
            Self::Denied(_) | Self::Secrets(_) => Outcome::Denied,
            Self::NotFound => Outcome::NotFound,
            Self::Limited(_) => Outcome::Limited,
            Self::Status(_)
            | Self::Broken(_)
            | Self::TooLong
            | Self::Late
            | Self::Lost
            | Self::NoToken => Outcome::Failed,
            Self::Untrue => Outcome::Untrue,
            Self::Refused(_) => Outcome::Refused,
        }
    }

    /// What it means for the next look-up.
    pub(in crate::registry) fn setback(&self) -> Setback {
        match self {
            Self::Limited(pause) => Setback::Limited(*pause),
            Self::Status(_) | Self::Broken(_) | Self::Late => Setback::OfRegistry,
            Self::Denied(_)
            | Self::NotFound
            | Self::TooLong
            | Self::Lost
            | Self::NoToken
            | Self::Untrue
            | Self::Refused(_)
            | Self::Secrets(_) => Setback::OfImage,
        }
    }
}
