//! What goes over the wire, under exactly the names of the API (`contract/README.md`). Nothing
//! outside of this directory knows these types; what they mean is said in requests and answers.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// The body of a request that sets deployment records of a cluster.
#[derive(Debug, Serialize)]
pub(super) struct SetDeployments<'a> {
    pub(super) logical_environment: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) physical_environment: Option<&'a str>,
    pub(super) deployments: Vec<Deployment<'a>>,
    pub(super) partial_success: bool,
    pub(super) return_records: bool,
}

/// One record of such a request. Tags and risks are always sent: nobody knows whether leaving them
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

/// The body of a 200 or a 207.
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
