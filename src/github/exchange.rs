//! One exchange with GitHub: a request that left, and all there is to know of what came back.

use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;
use thiserror::Error;

use super::answer::{Answer, Failure, Given, Taken};
use super::auth::CredentialsError;
use super::rate::Rate;
use super::request::RequestError;

/// A request that left, and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange<T = Taken> {
    /// What GitHub gave, or why it gave nothing.
    pub answer: Answer<T>,
    /// The status of the last answer, where one came.
    pub status: Option<StatusCode>,
    /// GitHub's name for the request (`x-github-request-id`), which its support asks for.
    pub request_id: Option<String>,
    /// From the first byte out to the last byte in, redirects included.
    pub duration: Duration,
    /// How many requests left: one, and one more for each redirect that was followed.
    pub requests: usize,
    /// What the answer's headers say about the pace.
    pub rate: Rate,
    /// What GitHub's clock showed (`date`), in whole seconds.
    pub date: Option<Timestamp>,
    /// Whether GitHub refused the token (401) and there is another one to read already.
    pub token_renewed: bool,
}

impl<T> Exchange<T> {
    /// The same exchange, its answer read as `read` does.
    pub fn read_as<U>(self, read: impl FnOnce(Answer<T>) -> Answer<U>) -> Exchange<U> {
        Exchange {
            answer: read(self.answer),
            status: self.status,
            request_id: self.request_id,
            duration: self.duration,
            requests: self.requests,
            rate: self.rate,
            date: self.date,
            token_renewed: self.token_renewed,
        }
    }
}

impl<T: Given> Exchange<T> {
    /// The name of this kind of answer, for logs and metrics.
    pub fn kind(&self) -> &'static str {
        match &self.answer {
            Ok(given) => given.kind(),
            Err(failure) => failure.kind(),
        }
    }
}

impl<T> Exchange<T> {
    /// Why GitHub gave nothing, if so.
    pub fn failure(&self) -> Option<&Failure> {
        self.answer.as_ref().err()
    }
}

/// Why nothing left: GitHub knows nothing of what was asked by this call.
#[derive(Clone, Debug, Error)]
pub enum NotSent {
    /// The request would break the contract.
    #[error("the request breaks GitHub's contract")]
    Request(#[from] RequestError),
    /// There is no token.
    #[error("there is no token for GitHub")]
    Credentials(#[from] CredentialsError),
}
