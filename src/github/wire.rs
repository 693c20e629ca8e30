//! What goes over the wire, under exactly the names of the API (`contract/README.md`). Nothing
//! outside of this directory knows these types; what they mean is said in requests and answers.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::request::{MAX_JOB_LINES, MAX_LINES};
use crate::bounded::{First, FirstFields};

/// How many repositories of an error are named.
const MOST_REPOSITORIES: usize = 20;

/// How many records of a list are kept. Nobody knows how many GitHub sends at most; as many of the usual size
/// are about as long as an answer may be.
pub(super) const MOST_RECORDS: usize = 10_000;

/// How many tags and risks of a listed record are kept: three times as many as one can be sent with, so what
/// is left out never makes it one that was sent.
const MOST_OF_A_RECORD: usize = 16;

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

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Fields(PhantomData);
        deserializer.deserialize_map(fields).map(Self)
    }
}

struct Fields<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    // Field by field: what `T` does not have is never built.
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

/// A value of whatever shape, as it is written: it is kept where it came, and takes nothing besides.
pub(super) type Anything<'a> = Option<&'a RawValue>;

/// The body of a 200, 201 or 207 to a request that writes at once.
#[derive(Debug, Deserialize)]
pub(super) struct SetAnswer {
    /// Required by the contract: what has it not is no answer of this API.
    #[serde(rename = "total_count")]
    pub(super) _total_count: i64,
    /// Only in a 207. It has no more than the request has lines.
    #[serde(default)]
    pub(super) errors: Option<First<Object<RecordError>, MAX_LINES>>,
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
pub(super) struct JobStarted<'a> {
    pub(super) job_id: u64,
    #[serde(default, borrow)]
    pub(super) errors: Option<JobErrors<'a>>,
}

/// Objects, of which the contract says no more.
pub(super) type JobErrors<'a> = First<&'a RawValue, MAX_JOB_LINES>;

/// The state of a job.
#[derive(Debug, Deserialize)]
pub(super) struct JobState<'a> {
    pub(super) job_id: u64,
    pub(super) status: String,
    #[serde(default)]
    pub(super) started_at: Option<String>,
    #[serde(default)]
    pub(super) total_count: Option<u64>,
    #[serde(default, borrow)]
    pub(super) errors: Option<JobErrors<'a>>,
}

/// A list of deployment records.
#[derive(Debug, Deserialize)]
pub(super) struct DeploymentRecords<'a> {
    #[serde(default)]
    pub(super) total_count: Option<u64>,
    #[serde(default, borrow)]
    pub(super) deployment_records: Option<Listed<DeploymentRecord<'a>>>,
}

/// The records of a list.
pub(super) type Listed<T> = First<Object<T>, MOST_RECORDS>;

/// One deployment record of a list. The last four are not in the contract, so they may be anything.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DeploymentRecord<'a> {
    pub(super) id: Option<u64>,
    pub(super) digest: Option<String>,
    pub(super) logical_environment: Option<String>,
    pub(super) physical_environment: Option<String>,
    pub(super) cluster: Option<String>,
    pub(super) deployment_name: Option<String>,
    pub(super) tags: Option<FirstFields<String, MOST_OF_A_RECORD>>,
    pub(super) runtime_risks: Option<First<String, MOST_OF_A_RECORD>>,
    pub(super) created_at: Option<String>,
    pub(super) updated_at: Option<String>,
    pub(super) attestation_id: Option<u64>,
    #[serde(borrow)]
    pub(super) status: Anything<'a>,
    #[serde(borrow)]
    pub(super) name: Anything<'a>,
    #[serde(borrow)]
    pub(super) version: Anything<'a>,
    #[serde(borrow)]
    pub(super) github_repository: Anything<'a>,
}

/// A list of storage records.
#[derive(Debug, Deserialize)]
pub(super) struct StorageRecords<'a> {
    #[serde(default)]
    pub(super) total_count: Option<u64>,
    #[serde(default, borrow)]
    pub(super) storage_records: Option<Listed<StorageRecord<'a>>>,
}

/// One storage record of a list. The last three are not in the contract, so they may be anything.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct StorageRecord<'a> {
    pub(super) id: Option<u64>,
    pub(super) name: Option<String>,
    pub(super) digest: Option<String>,
    pub(super) artifact_url: Option<String>,
    pub(super) registry_url: Option<String>,
    pub(super) repository: Option<String>,
    pub(super) status: Option<String>,
    pub(super) created_at: Option<String>,
    pub(super) updated_at: Option<String>,
    #[serde(borrow)]
    pub(super) version: Anything<'a>,
    #[serde(borrow)]
    pub(super) path: Anything<'a>,
    #[serde(borrow)]
    pub(super) github_repository: Anything<'a>,
}

/// The body of an error. Nothing in it is certain, so nothing in it is required.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ErrorBody<'a> {
    #[serde(default, borrow)]
    pub(super) message: Anything<'a>,
    #[serde(default, borrow)]
    pub(super) documentation_url: Anything<'a>,
    #[serde(default, borrow)]
    pub(super) errors: Anything<'a>,
}

/// The `message` of a 403 or 404 that is about repositories: an object there, else a string.
#[derive(Debug, Deserialize)]
pub(super) struct AboutRepositories<'a> {
    #[serde(default, borrow)]
    pub(super) cause: Anything<'a>,
    #[serde(borrow)]
    pub(super) repositories: First<&'a RawValue, MOST_REPOSITORIES>,
}
