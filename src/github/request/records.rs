//! The requests that write deployment records: one, those of a cluster, and those of a cluster as a
//! job.

use bytes::Bytes;
use http::Request;

use super::super::api::{ApiUrl, ApiVersion};
use super::super::wire;
use super::{MAX_JOB_LINES, MAX_LINES, RequestError, limits, post, segment};
use crate::model::record::{Destination, Line};

const PATH: &str = "metadata/deployment-record";

/// The request that creates or updates one record; without a token. Its destination may be without
/// a cluster.
pub fn create_deployment_record(
    api: &ApiUrl,
    version: &ApiVersion,
    line: &Line,
) -> Result<Request<Bytes>, RequestError> {
    let destination = &*line.identity.destination;
    limits::host(api, destination)?;
    limits::environments(destination)?;
    limits::one(line)?;
    let body = wire::CreateDeployment {
        logical_environment: &destination.logical_environment,
        physical_environment: physical(destination),
        cluster: Some(&*destination.cluster).filter(|cluster| !cluster.is_empty()),
        deployment: deployment(line),
        return_records: false,
    };
    post(api, version, &destination.organization, PATH, &body)
}

/// The request that sets these records at their destination; without a token.
pub fn set_cluster_deployment_records(
    api: &ApiUrl,
    version: &ApiVersion,
    destination: &Destination,
    lines: &[Line],
) -> Result<Request<Bytes>, RequestError> {
    let path = cluster(api, destination)?;
    limits::lines(destination, lines, MAX_LINES)?;
    let body = wire::SetDeployments {
        partial_success: Some(true),
        return_records: Some(false),
        ..deployments(destination, lines)
    };
    post(api, version, &destination.organization, &path, &body)
}

/// The request that starts a job which sets these records at their destination; without a token.
pub fn create_job(
    api: &ApiUrl,
    version: &ApiVersion,
    destination: &Destination,
    lines: &[Line],
) -> Result<Request<Bytes>, RequestError> {
    let path = cluster(api, destination)? + "/jobs";
    limits::lines(destination, lines, MAX_JOB_LINES)?;
    let body = deployments(destination, lines);
    post(api, version, &destination.organization, &path, &body)
}

/// The path of a cluster, which may be written.
pub(super) fn cluster(api: &ApiUrl, destination: &Destination) -> Result<String, RequestError> {
    limits::host(api, destination)?;
    limits::cluster(&destination.cluster)?;
    Ok(format!("{PATH}/cluster/{}", segment(&destination.cluster)))
}

fn deployments<'a>(destination: &'a Destination, lines: &'a [Line]) -> wire::SetDeployments<'a> {
    wire::SetDeployments {
        logical_environment: &destination.logical_environment,
        physical_environment: physical(destination),
        deployments: lines.iter().map(deployment).collect(),
        partial_success: None,
        return_records: None,
    }
}

fn physical(destination: &Destination) -> Option<&str> {
    destination
        .physical_environment
        .as_deref()
        .filter(|environment| !environment.is_empty())
}

/// One line in the API's form.
fn deployment(line: &Line) -> wire::Deployment<'_> {
    let body = &*line.body;
    wire::Deployment {
        name: &body.name,
        digest: body.digest.to_string(),
        version: body.version.as_deref(),
        status: line.status.as_str(),
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
