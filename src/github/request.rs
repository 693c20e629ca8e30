//! Requests, built and not sent: from lines to bytes, the same lines to the same bytes. The token
//! is not in them. The contract's limits are checked here once more, though the core keeps them: a
//! request that breaks one never leaves.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use http::{Method, Request};
use thiserror::Error;

use super::api::{ApiUrl, ApiVersion};
use super::wire;
use crate::model::record::{Body, Destination, Identity, Line, Risk, Status};

/// The most lines that one request may hold (`contract/README.md`).
pub const MAX_LINES: usize = 1000;

/// The most tags that one line may have: the contract says so for single records only, and nobody
/// knows that clusters may have more.
const MAX_TAGS: usize = 5;

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
    check_destination(api, destination)?;
    check_lines(destination, lines)?;
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
        runtime_risks: body.risks.iter().copied().map(Risk::as_str).collect(),
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

fn check_destination(api: &ApiUrl, destination: &Destination) -> Result<(), RequestError> {
    if !destination.host.eq_ignore_ascii_case(api.host()) {
        return Err(RequestError::OtherHost {
            destination: destination.host.to_string(),
            api: api.host().to_string(),
        });
    }
    let organization = &destination.organization;
    // `.` and `..` are steps in a path and cannot be escaped: they would change the endpoint.
    let is_segment = |text: &str| !matches!(text, "." | "..");
    let limit = "1 or more characters, not . or ..";
    check(
        "org",
        organization,
        limit,
        !organization.is_empty() && is_segment(organization),
    )?;
    let cluster = &destination.cluster;
    let limit = "1 to 128 of a-z, A-Z, 0-9, dot, dash and underscore, not . or ..";
    let is_cluster = (1..=128).contains(&cluster.len()) && cluster.bytes().all(is_name_byte);
    check("cluster", cluster, limit, is_cluster && is_segment(cluster))?;
    check_length(
        "logical_environment",
        &destination.logical_environment,
        "1 to 128 bytes",
        1,
        128,
    )?;
    let physical = destination
        .physical_environment
        .as_deref()
        .unwrap_or_default();
    check_length(
        "physical_environment",
        physical,
        "at most 128 bytes",
        0,
        128,
    )
}

fn check_lines(destination: &Destination, lines: &[Line]) -> Result<(), RequestError> {
    check_count("deployments", lines.len(), 1, MAX_LINES)?;
    let mut identities: BTreeSet<&Identity> = BTreeSet::new();
    for line in lines {
        let name = &line.identity.name;
        if !line.identity.destination.is_spelled_as(destination) {
            return Err(RequestError::OtherDestination(name.to_string()));
        }
        check_length("deployment_name", name, "1 to 256 bytes", 1, 256)?;
        check_body(&line.body)?;
        if !identities.insert(&line.identity) {
            return Err(RequestError::SameName(name.to_string()));
        }
    }
    Ok(())
}

fn check_body(body: &Body) -> Result<(), RequestError> {
    check_length("name", &body.name, "1 to 256 bytes", 1, 256)?;
    check_length(
        "version",
        body.version.as_deref().unwrap_or_default(),
        "at most 100 bytes",
        0,
        100,
    )?;
    if let Some(repository) = &body.repository {
        let limit = "1 to 100 of a-z, A-Z, 0-9, dot, dash and underscore";
        let holds = (1..=100).contains(&repository.len()) && repository.bytes().all(is_name_byte);
        check("github_repository", repository, limit, holds)?;
    }
    check_count("tags", body.tags.len(), 0, MAX_TAGS)
}

/// Whether clusters and repositories may have this byte in their names.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
}

/// Lengths are counted in bytes: whoever counts characters finds fewer.
fn check_length(
    field: &'static str,
    value: &str,
    limit: &'static str,
    least: usize,
    most: usize,
) -> Result<(), RequestError> {
    check(field, value, limit, (least..=most).contains(&value.len()))
}

fn check(
    field: &'static str,
    value: &str,
    limit: &'static str,
    holds: bool,
) -> Result<(), RequestError> {
    if holds {
        return Ok(());
    }
    Err(RequestError::Field {
        field,
        value: value.to_owned(),
        limit,
    })
}

fn check_count(
    field: &'static str,
    count: usize,
    least: usize,
    most: usize,
) -> Result<(), RequestError> {
    if (least..=most).contains(&count) {
        return Ok(());
    }
    Err(RequestError::Count {
        field,
        count,
        least,
        most,
    })
}

#[cfg(test)]
mod tests;
