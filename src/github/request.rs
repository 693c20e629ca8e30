//! Requests, built and not sent: from lines to bytes, the same lines to the same bytes. The token
//! is not in them. The contract's limits are checked here once more, though the core keeps them: a
//! request that breaks one never leaves.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use http::{Method, Request};
use thiserror::Error;

use super::api::{ApiUrl, ApiVersion};
use super::wire;
use crate::model::record::{Destination, Line, Status};

mod limits;
#[cfg(test)]
mod tests;

/// The most lines that one request may hold (`contract/README.md`).
pub const MAX_LINES: usize = 1000;

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

/// The request that sets these records at their destination; without a token.
pub fn set_cluster_deployment_records(
    api: &ApiUrl,
    version: &ApiVersion,
    destination: &Destination,
    lines: &[Line],
) -> Result<Request<Bytes>, RequestError> {
    limits::destination(api, destination)?;
    limits::lines(destination, lines)?;
    let body = wire::SetDeployments {
        logical_environment: &destination.logical_environment,
        physical_environment: destination
            .physical_environment
            .as_deref()
            .filter(|environment| !environment.is_empty()),
        deployments: lines.iter().map(deployment).collect(),
        partial_success: true,
        return_records: false,
    };
    let body = serde_json::to_vec(&body).map_err(|error| unwritable(&error))?;
    let organization = segment(&destination.organization);
    let cluster = segment(&destination.cluster);
    Request::builder()
        .method(Method::POST)
        .uri(format!(
            "{api}/orgs/{organization}/artifacts/metadata/deployment-record/cluster/{cluster}"
        ))
        .header(
            ACCEPT,
            HeaderValue::from_static("application/vnd.github+json"),
        )
        .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
        .header(USER_AGENT, HeaderValue::from_static(AGENT))
        .header(
            HeaderName::from_static("x-github-api-version"),
            version.header(),
        )
        .body(Bytes::from(body))
        .map_err(|error| unwritable(&error))
}

fn unwritable(error: &dyn std::error::Error) -> RequestError {
    RequestError::Unwritable(error.to_string())
}

/// One line in the API's form.
fn deployment(line: &Line) -> wire::Deployment<'_> {
    let body = &*line.body;
    wire::Deployment {
        name: &body.name,
        digest: body.digest.to_string(),
        version: body.version.as_deref(),
        status: match line.status {
            Status::Deployed => "deployed",
            Status::Decommissioned => "decommissioned",
        },
        deployment_name: &line.identity.name,
        github_repository: body.repository.as_deref(),
        tags: body
            .tags
            .iter()
            .map(|(key, value)| (&**key, &**value))
            .collect(),
        runtime_risks: body.risks.names(),
    }
}

/// A text as one segment of a path (RFC 3986, section 2.3: all but the unreserved is escaped).
fn segment(text: &str) -> String {
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
