//! Requests, built and not sent: from lines to bytes, the same lines to the same bytes. The token
//! is not in them. The contract's limits are checked here once more, though the core keeps them: a
//! request that breaks one never leaves.

use std::error::Error;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use http::{Method, Request};
use serde::Serialize;
use thiserror::Error;

use super::api::{ApiUrl, ApiVersion};

mod limits;
mod lists;
mod records;
mod storage;
#[cfg(test)]
mod tests;
mod uri;

pub use lists::{get_job, list_deployment_records, list_storage_records};
pub use records::{create_deployment_record, create_job, set_cluster_deployment_records};
pub use storage::create_storage_record;

/// The most lines that one request may hold (`contract/README.md`).
pub const MAX_LINES: usize = 1000;

/// The most lines that one job may hold (`contract/README.md`).
pub const MAX_JOB_LINES: usize = 5000;

/// The name this program gives itself towards GitHub.
const AGENT: &str = concat!("deployment-recorder/", env!("CARGO_PKG_VERSION"));

/// Why no request was built: it would break the contract, or go where it must not.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RequestError {
    /// A text is empty, too long, or has letters that are not allowed.
    #[error("{field} is {value:?}, but must be {limit}")]
    Field {
        /// The field, as the API names it.
        field: &'static str,
        /// What it holds.
        value: String,
        /// What it may hold.
        limit: &'static str,
    },
    /// There are more of something than allowed, or none.
    #[error("{field} has {count} items, but must have {least} to {most}")]
    Count {
        /// The field, as the API names it.
        field: &'static str,
        /// How many there are.
        count: usize,
        /// How many there must be.
        least: usize,
        /// How many there may be.
        most: usize,
    },
    /// One of several lines breaks a limit.
    #[error("in the line named {name:?}, {error}")]
    Line {
        /// The line's name.
        name: String,
        /// The limit.
        error: Box<RequestError>,
    },
    /// Two lines have names that GitHub may take for one.
    #[error("two lines are named {0:?}, but each must have a name of its own, letter case aside")]
    SameName(String),
    /// A line belongs to another destination, or spells it otherwise.
    #[error("the line named {0:?} is for another destination than the request")]
    OtherDestination(String),
    /// The destination is at another host than the API that the token is for.
    #[error("the destination is at {destination:?}, but the token is for {api:?} alone")]
    OtherHost {
        /// The destination's host.
        destination: String,
        /// The API's host.
        api: String,
    },
    /// The address or the body cannot be written; no limit above lets that happen.
    #[error("the request cannot be written: {0}")]
    Unwritable(String),
}

/// A request outside of an organization's artifacts, with this JSON if it writes.
pub(super) fn build(
    method: Method,
    uri: String,
    version: &ApiVersion,
    body: Option<Bytes>,
) -> Result<Request<Bytes>, RequestError> {
    let mut head = common(uri, version).method(method);
    if body.is_some() {
        let json = HeaderValue::from_static("application/json");
        head = head.header(CONTENT_TYPE, json);
    }
    let body = body.unwrap_or_default();
    head.body(body).map_err(|error| unwritable(&error))
}

/// A request that reads: to this path under an organization's artifacts.
fn get(
    api: &ApiUrl,
    version: &ApiVersion,
    organization: &str,
    path: &str,
) -> Result<Request<Bytes>, RequestError> {
    let head = head(api, version, organization, path)?.method(Method::GET);
    head.body(Bytes::new()).map_err(|error| unwritable(&error))
}

/// A request that writes: this body to that path.
fn post(
    api: &ApiUrl,
    version: &ApiVersion,
    organization: &str,
    path: &str,
    body: &impl Serialize,
) -> Result<Request<Bytes>, RequestError> {
    let body = serde_json::to_vec(body).map_err(|error| unwritable(&error))?;
    head(api, version, organization, path)?
        .method(Method::POST)
        .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
        .body(Bytes::from(body))
        .map_err(|error| unwritable(&error))
}

/// What all requests to that path have in common.
fn head(
    api: &ApiUrl,
    version: &ApiVersion,
    organization: &str,
    path: &str,
) -> Result<http::request::Builder, RequestError> {
    limits::organization(organization)?;
    let organization = segment(organization);
    let uri = format!("{api}/orgs/{organization}/artifacts/{path}");
    Ok(common(uri, version))
}

/// What all requests have in common.
fn common(uri: String, version: &ApiVersion) -> http::request::Builder {
    let accept = HeaderValue::from_static("application/vnd.github+json");
    Request::builder()
        .uri(uri)
        .header(ACCEPT, accept)
        .header(USER_AGENT, HeaderValue::from_static(AGENT))
        .header(
            HeaderName::from_static("x-github-api-version"),
            version.header(),
        )
}

fn unwritable(error: &dyn Error) -> RequestError {
    RequestError::Unwritable(error.to_string())
}

/// A text as one segment of a path (RFC 3986, section 2.3: all but the unreserved is escaped).
pub(super) fn segment(text: &str) -> String {
    use std::fmt::Write;
    let mut segment = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            segment.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(segment, "%{byte:02X}");
        }
    }
    segment
}
