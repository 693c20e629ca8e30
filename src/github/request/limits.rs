//! The limits of the contract (`contract/README.md`), held once more before anything is sent.

use std::collections::BTreeSet;

use super::super::api::ApiUrl;
use super::RequestError;
use super::uri::is_uri;
use crate::model::record::{Body, Destination, Identity, Line};
use crate::model::storage::StorageLine;

type Checked = Result<(), RequestError>;

/// The most tags that one line may have: the contract says so for single records only, and nobody
/// knows that clusters may have more.
const MAX_TAGS: usize = 5;

/// Whether the token is for this destination's host.
pub(super) fn host(api: &ApiUrl, destination: &Destination) -> Checked {
    if destination.host.eq_ignore_ascii_case(api.host()) {
        return Ok(());
    }
    Err(RequestError::OtherHost {
        destination: destination.host.to_string(),
        api: api.host().to_string(),
    })
}

/// Whether an organization can be written as one segment of a path.
pub(super) fn organization(organization: &str) -> Checked {
    let limit = "1 or more characters, not . or ..";
    let holds = !organization.is_empty() && is_segment(organization);
    check("org", organization, limit, holds)
}

/// Whether a cluster can be written as one segment of a path.
pub(super) fn cluster(cluster: &str) -> Checked {
    let limit = "1 to 128 of a-z, A-Z, 0-9, dot, dash and underscore, not . or ..";
    let holds = (1..=128).contains(&cluster.len()) && cluster.bytes().all(is_name_byte);
    check("cluster", cluster, limit, holds && is_segment(cluster))
}

/// Whether a destination's environments may be sent.
pub(super) fn environments(destination: &Destination) -> Checked {
    let logical = &destination.logical_environment;
    check_length("logical_environment", logical, "1 to 128 bytes", 1, 128)?;
    let physical = destination.physical_environment.as_deref();
    check_short("physical_environment", physical, "at most 128 bytes", 128)
}

/// Whether these lines may stand in one request to this destination.
pub(super) fn lines(destination: &Destination, lines: &[Line], most: usize) -> Checked {
    environments(destination)?;
    check_count("deployments", lines.len(), 1, most)?;
    let mut identities: BTreeSet<&Identity> = BTreeSet::new();
    for line in lines {
        let name = line.identity.name.to_string();
        if !line.identity.destination.is_spelled_as(destination) {
            return Err(RequestError::OtherDestination(name));
        }
        check_length("deployment_name", &name, "1 to 256 bytes", 1, 256)?;
        if let Err(error) = body(&line.body) {
            let error = Box::new(error);
            return Err(RequestError::Line { name, error });
        }
        if !identities.insert(&line.identity) {
            return Err(RequestError::SameName(name));
        }
    }
    Ok(())
}

/// Whether this line may be a request of its own. There the cluster may be anything short, and an
/// empty version is none.
pub(super) fn one(line: &Line) -> Checked {
    let cluster = &line.identity.destination.cluster;
    check_length("cluster", cluster, "at most 128 bytes", 0, 128)?;
    let name = &line.identity.name;
    check_length("deployment_name", name, "1 to 256 bytes", 1, 256)?;
    check_version(line.body.version.as_deref())?;
    body(&line.body)
}

/// Whether this storage record may be sent.
pub(super) fn storage(line: &StorageLine) -> Checked {
    check_length("name", &line.name, "1 to 256 bytes", 1, 256)?;
    check_version(line.version.as_deref())?;
    let limit = "a URL of up to 256 bytes that begins with https:// and names no user";
    check_url("registry_url", &line.registry_url, limit, 256)?;
    if let Some(url) = &line.artifact_url {
        let limit = "a URL of up to 152 bytes that begins with https:// and names no user";
        check_url("artifact_url", url, limit, 152)?;
    }
    if let Some(path) = &line.path {
        let limit = "a URI with a scheme, of up to 512 bytes";
        check("path", path, limit, path.len() <= 512 && is_uri(path))?;
    }
    let repository = line.repository.as_deref();
    check_short("repository", repository, "at most 128 bytes", 128)?;
    check_repository(line.github_repository.as_deref())
}

fn body(body: &Body) -> Checked {
    check_length("name", &body.name, "1 to 256 bytes", 1, 256)?;
    let version = body.version.as_deref();
    check_short("version", version, "at most 100 bytes", 100)?;
    check_repository(body.repository.as_deref())?;
    check_count("tags", body.tags.len(), 0, MAX_TAGS)
}

/// Whether a text is no step in a path: `.` and `..` cannot be escaped and would change the
/// endpoint.
fn is_segment(text: &str) -> bool {
    !matches!(text, "." | "..")
}

/// Whether clusters and repositories may have this byte in their names.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
}

fn check_repository(repository: Option<&str>) -> Checked {
    let Some(repository) = repository else {
        return Ok(());
    };
    let limit = "1 to 100 of a-z, A-Z, 0-9, dot, dash and underscore";
    let holds = (1..=100).contains(&repository.len()) && repository.bytes().all(is_name_byte);
    check("github_repository", repository, limit, holds)
}

/// The version of what is a request of its own.
fn check_version(version: Option<&str>) -> Checked {
    let Some(version) = version else {
        return Ok(());
    };
    check_length("version", version, "1 to 100 bytes", 1, 100)
}

fn check_url(field: &'static str, url: &str, limit: &'static str, most: usize) -> Checked {
    let holds = url.len() <= most && url.starts_with("https://") && is_uri(url);
    check(field, url, limit, holds)
}

/// A text that may be missing.
fn check_short(
    field: &'static str,
    value: Option<&str>,
    limit: &'static str,
    most: usize,
) -> Checked {
    check_length(field, value.unwrap_or_default(), limit, 0, most)
}

/// Lengths are counted in bytes: whoever counts characters finds fewer.
fn check_length(
    field: &'static str,
    value: &str,
    limit: &'static str,
    least: usize,
    most: usize,
) -> Checked {
    check(field, value, limit, (least..=most).contains(&value.len()))
}

fn check(field: &'static str, value: &str, limit: &'static str, holds: bool) -> Checked {
    if holds {
        return Ok(());
    }
    Err(RequestError::Field {
        field,
        value: value.to_owned(),
        limit,
    })
}

fn check_count(field: &'static str, count: usize, least: usize, most: usize) -> Checked {
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
