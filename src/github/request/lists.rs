//! The requests that read: what GitHub holds of a digest, and how far a job is.

use bytes::Bytes;
use http::Request;

use super::super::api::{ApiUrl, ApiVersion};
use super::super::job::JobId;
use super::{RequestError, get, records, segment};
use crate::model::image::Digest;
use crate::model::record::Destination;

/// The request for the state of a job of this destination's cluster; without a token.
pub fn get_job(
    api: &ApiUrl,
    version: &ApiVersion,
    destination: &Destination,
    job: JobId,
) -> Result<Request<Bytes>, RequestError> {
    let cluster = records::cluster(api, destination)?;
    let path = format!("{cluster}/jobs/{job}");
    get(api, version, &destination.organization, &path)
}

/// The request for the deployment records of a digest; without a token.
pub fn list_deployment_records(
    api: &ApiUrl,
    version: &ApiVersion,
    organization: &str,
    digest: &Digest,
) -> Result<Request<Bytes>, RequestError> {
    let path = of(digest, "deployment-records");
    get(api, version, organization, &path)
}

/// The request for the storage records of a digest; without a token.
pub fn list_storage_records(
    api: &ApiUrl,
    version: &ApiVersion,
    organization: &str,
    digest: &Digest,
) -> Result<Request<Bytes>, RequestError> {
    let path = of(digest, "storage-records");
    get(api, version, organization, &path)
}

fn of(digest: &Digest, what: &str) -> String {
    format!("{}/metadata/{what}", segment(&digest.to_string()))
}
