//! The request that writes a storage record.

use bytes::Bytes;
use http::Request;

use super::super::api::{ApiUrl, ApiVersion};
use super::super::wire;
use super::{RequestError, limits, post};
use crate::model::storage::StorageLine;

/// The request that creates or updates one storage record; without a token.
pub fn create_storage_record(
    api: &ApiUrl,
    version: &ApiVersion,
    organization: &str,
    line: &StorageLine,
) -> Result<Request<Bytes>, RequestError> {
    limits::storage(line)?;
    let body = wire::CreateStorage {
        name: &line.name,
        digest: line.digest.to_string(),
        version: line.version.as_deref(),
        artifact_url: line.artifact_url.as_deref(),
        path: line.path.as_deref(),
        registry_url: &line.registry_url,
        repository: line.repository.as_deref(),
        status: line.status.as_str(),
        github_repository: line.github_repository.as_deref(),
        return_records: false,
    };
    let path = "metadata/storage-record";
    post(api, version, organization, path, &body)
}
