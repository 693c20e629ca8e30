//! The calls of the seven operations: for each its request, its name in the log, and how its answer
//! is read. Nothing is sent here.

use super::answer::Taken;
use super::api::{ApiUrl, ApiVersion};
use super::call::Call;
use super::job::{Job, JobId, Start};
use super::operation::Operation;
use super::records::{DeploymentRecord, Records, StorageRecord};
use super::request::{self, RequestError};
use crate::model::image::Digest;
use crate::model::record::{Destination, Line};
use crate::model::storage::StorageLine;

/// The API that is spoken to, and the version of it that is asked for.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) api: &'a ApiUrl,
    pub(super) version: &'a ApiVersion,
}

type Ready<'a, T> = Result<Call<'a, T>, RequestError>;

pub(super) fn create_deployment_record<'a>(to: Target<'_>, line: &'a Line) -> Ready<'a, Taken> {
    Ok(Call {
        operation: Operation::CreateDeploymentRecord,
        organization: &line.identity.destination.organization,
        lines: None,
        subject: Some(line.identity.name.to_string()),
        request: request::create_deployment_record(to.api, to.version, line)?,
        read: Box::new(Taken::read_one),
    })
}

pub(super) fn set_cluster_deployment_records<'a>(
    to: Target<'_>,
    destination: &'a Destination,
    lines: &'a [Line],
) -> Ready<'a, Taken> {
    let request = request::set_cluster_deployment_records(to.api, to.version, destination, lines)?;
    Ok(Call {
        operation: Operation::SetClusterDeploymentRecords,
        organization: &destination.organization,
        lines: Some(lines.len()),
        subject: None,
        request,
        read: Box::new(|received| Taken::read(received, lines)),
    })
}

pub(super) fn create_job<'a>(
    to: Target<'_>,
    destination: &'a Destination,
    lines: &[Line],
) -> Ready<'a, Start> {
    Ok(Call {
        operation: Operation::CreateJob,
        organization: &destination.organization,
        lines: Some(lines.len()),
        subject: None,
        request: request::create_job(to.api, to.version, destination, lines)?,
        read: Box::new(Start::read),
    })
}

pub(super) fn get_job<'a>(
    to: Target<'_>,
    destination: &'a Destination,
    job: JobId,
) -> Ready<'a, Job> {
    Ok(Call {
        operation: Operation::GetJob,
        organization: &destination.organization,
        lines: None,
        subject: Some(job.to_string()),
        request: request::get_job(to.api, to.version, destination, job)?,
        read: Box::new(move |received| Job::read(received, job)),
    })
}

pub(super) fn create_storage_record<'a>(
    to: Target<'_>,
    organization: &'a str,
    line: &StorageLine,
) -> Ready<'a, Taken> {
    Ok(Call {
        operation: Operation::CreateStorageRecord,
        organization,
        lines: None,
        subject: Some(line.name.to_string()),
        request: request::create_storage_record(to.api, to.version, organization, line)?,
        read: Box::new(Taken::read_one),
    })
}

pub(super) fn list_deployment_records<'a>(
    to: Target<'_>,
    organization: &'a str,
    digest: &Digest,
) -> Ready<'a, Records<DeploymentRecord>> {
    Ok(Call {
        operation: Operation::ListDeploymentRecords,
        organization,
        lines: None,
        subject: Some(digest.to_string()),
        request: request::list_deployment_records(to.api, to.version, organization, digest)?,
        read: Box::new(Records::<DeploymentRecord>::read),
    })
}

pub(super) fn list_storage_records<'a>(
    to: Target<'_>,
    organization: &'a str,
    digest: &Digest,
) -> Ready<'a, Records<StorageRecord>> {
    Ok(Call {
        operation: Operation::ListStorageRecords,
        organization,
        lines: None,
        subject: Some(digest.to_string()),
        request: request::list_storage_records(to.api, to.version, organization, digest)?,
        read: Box::new(Records::<StorageRecord>::read),
    })
}
