//! What goes over the wire, under exactly the names of the API (`contract/README.md`). Nothing
//! outside of this directory knows these types; what they mean is said in requests and answers.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// The body of a request that sets deployment records of a cluster, at once or as a job.
#[derive(Debug, Serialize)]
pub(super) struct SetDeployments<'a> {
    pub(super) logical_environment: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) physical_environment: Option<&'a str>,
    pub(super) deployments: Vec<Deployment<'a>>,
    /// A job has neither this nor the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) partial_success: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) return_records: Option<bool>,
}

/// The body of a request that creates one deployment record.
#[derive(Debug, Serialize)]
pub(super) struct CreateDeployment<'a> {
    pub(super) logical_environment: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) physical_environment: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cluster: Option<&'a str>,
    #[serde(flatten)]
    pub(super) deployment: Deployment<'a>,
    pub(super) return_records: bool,
}

/// The body of a request that creates one storage record.
#[derive(Debug, Serialize)]
pub(super) struct CreateStorage<'a> {
    pub(super) name: &'a str,
    pub(super) digest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) artifact_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) path: Option<&'a str>,
    pub(super) registry_url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) repository: Option<&'a str>,
    pub(super) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) github_repository: Option<&'a str>,
    pub(super) return_records: bool,
}

/// One deployment record of a request. Tags and risks are always sent: nobody knows whether leaving them
/// out keeps or clears them.
#[expect(clippy::struct_field_names, reason = "the API's own names")]
#[derive(Debug, Serialize)]
pub(super) struct Deployment<'a> {
    pub(super) name: &'a str,
    pub(super) digest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<&'a str>,
    pub(super) status: &'static str,
    pub(super) deployment_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) github_repository: Option<&'a str>,
    pub(super) tags: BTreeMap<&'a str, &'a str>,
    pub(super) runtime_risks: Vec<&'static str>,
}

/// A JSON object, and nothing else: by itself serde takes an array for a struct as well.
#[derive(Debug)]
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = Value::Object(Map::deserialize(deserializer)?);
        serde_json::from_value(object)
            .map(Self)
            .map_err(D::Error::custom)
    }
}

/// The body of a 200, 201 or 207 to a request that writes at once.
#[derive(Debug, Deserialize)]
pub(super) struct SetAnswer {
    /// Required by the contract: what has it not is no answer of this API.
    #[serde(rename = "total_count")]
    pub(super) _total_count: i64,
    /// Only in a 207.
    #[serde(default)]
    pub(super) errors: Option<Vec<Object<RecordError>>>,
}

/// One item of the `errors` of a 207.
#[derive(Debug, Deserialize)]
pub(super) struct RecordError {
    #[serde(default)]
    pub(super) cause: Option<String>,
    #[serde(default)]
    pub(super) deployment: Option<Object<RefusedDeployment>>,
}

/// The record that such an item is about.
#[derive(Debug, Deserialize)]
pub(super) struct RefusedDeployment {
    #[serde(default)]
    pub(super) deployment_name: Option<String>,
    #[serde(default)]
    pub(super) digest: Option<String>,
}

/// The body of a 202.
#[derive(Debug, Deserialize)]
pub(super) struct JobStarted {
    pub(super) job_id: u64,
    /// Objects, of which the contract says no more.
    #[serde(default)]
    pub(super) errors: Option<Vec<Value>>,
}

/// The state of a job.
#[derive(Debug, Deserialize)]
pub(super) struct JobState {
    pub(super) job_id: u64,
    pub(super) status: String,
    #[serde(default)]
    pub(super) started_at: Option<String>,
    #[serde(default)]
    pub(super) total_count: Option<u64>,
    #[serde(default)]
    pub(super) errors: Option<Vec<Value>>,
}

/// A list of deployment records.
#[derive(Debug, Deserialize)]
pub(super) struct DeploymentRecords {
    #[serde(default)]
    pub(super) total_count: Option<u64>,
    #[serde(default)]
    pub(super) deployment_records: Option<Vec<Object<DeploymentRecord>>>,
}

/// One deployment record of a list. The last four are not in the contract, so they may be anything.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DeploymentRecord {
    pub(super) id: Option<u64>,
    pub(super) digest: Option<String>,
    pub(super) logical_environment: Option<String>,
    pub(super) physical_environment: Option<String>,
    pub(super) cluster: Option<String>,
    pub(super) deployment_name: Option<String>,
    pub(super) tags: Option<BTreeMap<String, String>>,
    pub(super) runtime_risks: Option<Vec<String>>,
    pub(super) created_at: Option<String>,
    pub(super) updated_at: Option<String>,
    pub(super) attestation_id: Option<u64>,
    pub(super) status: Value,
    pub(super) name: Value,
    pub(super) version: Value,
    pub(super) github_repository: Value,
}

/// A list of storage records.
#[derive(Debug, Deserialize)]
pub(super) struct StorageRecords {
    #[serde(default)]
    pub(super) total_count: Option<u64>,
    #[serde(default)]
    pub(super) storage_records: Option<Vec<Object<StorageRecord>>>,
}

/// One storage record of a list. The last three are not in the contract, so they may be anything.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct StorageRecord {
    pub(super) id: Option<u64>,
    pub(super) name: Option<String>,
    pub(super) digest: Option<String>,
    pub(super) artifact_url: Option<String>,
    pub(super) registry_url: Option<String>,
    pub(super) repository: Option<String>,
    pub(super) status: Option<String>,
    pub(super) created_at: Option<String>,
    pub(super) updated_at: Option<String>,
    pub(super) version: Value,
    pub(super) path: Value,
    pub(super) github_repository: Value,
}

/// The body of an error. Nothing in it is certain, so nothing in it is required.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ErrorBody {
    #[serde(default)]
    pub(super) message: Value,
    #[serde(default)]
    pub(super) documentation_url: Value,
    #[serde(default)]
    pub(super) errors: Value,
}

/// The `message` of a 403 or 404 that is about repositories: an object there, else a string.
#[derive(Debug, Deserialize)]
pub(super) struct AboutRepositories {
    #[serde(default)]
    pub(super) cause: Value,
    pub(super) repositories: Vec<Value>,
}
