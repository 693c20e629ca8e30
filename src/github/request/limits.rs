//! The limits of the contract (`contract/README.md`), held once more before anything is sent.

use std::collections::BTreeSet;

use super::super::api::ApiUrl;
use super::{MAX_LINES, RequestError};
use crate::model::record::{Body, Destination, Identity, Line};

/// The most tags that one line may have: the contract says so for single records only, and nobody
/// knows that clusters may have more.
const MAX_TAGS: usize = 5;

/// Whether these records may be sent to this API, under an address that can be written.
pub(super) fn destination(api: &ApiUrl, destination: &Destination) -> Result<(), RequestError> {
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

/// Whether these lines may stand in one request to this destination.
pub(super) fn lines(destination: &Destination, lines: &[Line]) -> Result<(), RequestError> {
    check_count("deployments", lines.len(), 1, MAX_LINES)?;
    let mut identities: BTreeSet<&Identity> = BTreeSet::new();
    for line in lines {
        let name = &line.identity.name;
        if !line.identity.destination.is_spelled_as(destination) {
            return Err(RequestError::OtherDestination(name.to_string()));
        }
        check_length("deployment_name", name, "1 to 256 bytes", 1, 256)?;
        body(&line.body)?;
        if !identities.insert(&line.identity) {
            return Err(RequestError::SameName(name.to_string()));
        }
    }
    Ok(())
}

fn body(body: &Body) -> Result<(), RequestError> {
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
