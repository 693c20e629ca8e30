//! What a valid writing request asks for, whichever of the three endpoints of deployment records it
//! came by. Parsed after the contract has been checked, so parsing here cannot be strict.

use std::collections::{BTreeMap, btree_map};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::endpoint::Target;

/// What a record says about its deployment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It runs.
    #[default]
    Deployed,
    /// It does not run any more.
    Decommissioned,
}

/// One deployment of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Item {
    pub(super) name: String,
    pub(super) digest: String,
    pub(super) deployment_name: String,
    #[serde(default)]
    pub(super) version: Option<String>,
    #[serde(default)]
    pub(super) status: Status,
    #[serde(default)]
    pub(super) github_repository: Option<String>,
    #[serde(default)]
    pub(super) tags: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(super) runtime_risks: Option<Vec<String>>,
}

impl Item {
    /// The item as GitHub repeats it in `errors`.
    pub(super) fn echo(&self) -> Value {
        let mut echo = serde_json::to_value(self).unwrap_or_default();
        if let Some(object) = echo.as_object_mut() {
            for field in ["tags", "runtime_risks"] {
                if object.get(field).is_some_and(Value::is_null) {
                    object.remove(field);
                }
            }
        }
        echo
    }
}

/// The parts of a request's body that stand beside its items.
#[derive(Clone, Debug, Deserialize)]
struct Around {
    logical_environment: String,
    #[serde(default)]
    physical_environment: String,
    #[serde(default)]
    cluster: String,
    #[serde(default)]
    partial_success: bool,
    #[serde(default = "yes")]
    return_records: bool,
    #[serde(default)]
    deployments: Option<Vec<Item>>,
}

fn yes() -> bool {
    true
}

/// A whole request to write deployment records.
#[derive(Clone, Debug)]
pub(super) struct Write {
    pub(super) org: String,
    pub(super) logical_environment: String,
    pub(super) physical_environment: String,
    pub(super) cluster: String,
    pub(super) items: Vec<Item>,
    pub(super) partial_success: bool,
    pub(super) return_records: bool,
}

impl Write {
    /// Reads a body that the contract has accepted. `None`: not a body of deployment records.
    pub(super) fn read(target: &Target, body: &Value) -> Option<Self> {
        let around = Around::deserialize(body).ok()?;
        let items = match around.deployments {
            Some(items) => items,
            None => vec![Item::deserialize(body).ok()?],
        };
        let cluster = match target.parameter("cluster") {
            "" => around.cluster,
            cluster => cluster.to_owned(),
        };
        let mut write = Self {
            org: target.org().to_owned(),
            logical_environment: around.logical_environment,
            physical_environment: around.physical_environment,
            cluster,
            items,
            partial_success: around.partial_success,
            return_records: around.return_records,
        };
        write.settle_names();
        Some(write)
    }

    /// One digest has one name and version in a request: those of the item that comes first.
    fn settle_names(&mut self) {
        let mut first: BTreeMap<String, (String, Option<String>)> = BTreeMap::new();
        for item in &mut self.items {
            match first.entry(item.digest.clone()) {
                btree_map::Entry::Vacant(free) => {
                    free.insert((item.name.clone(), item.version.clone()));
                }
                btree_map::Entry::Occupied(taken) => {
                    (item.name, item.version) = taken.get().clone();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_first_name_and_version_of_a_digest_hold_for_the_whole_request() {
        let target =
            Target::read("/orgs/o/artifacts/metadata/deployment-record/cluster/c").unwrap();
        let item = |name: &str, version: Option<&str>, record: &str, digest: &str| json!({"name": name, "version": version, "deployment_name": record, "digest": digest});
        let body = json!({"logical_environment": "prod", "deployments": [
            item("a", Some("1"), "x", "d1"), item("b", Some("2"), "y", "d1"),
            item("b", None, "z", "d2"), item("c", Some("3"), "w", "d2"),
        ]});
        let write = Write::read(&target, &body).unwrap();
        let names: Vec<_> = write
            .items
            .iter()
            .map(|i| (i.name.as_str(), i.version.as_deref()))
            .collect();
        assert_eq!(
            names,
            [("a", Some("1")), ("a", Some("1")), ("b", None), ("b", None)]
        );
    }

    #[test]
    fn a_single_record_brings_its_cluster_in_the_body() {
        let target = Target::read("/orgs/o/artifacts/metadata/deployment-record").unwrap();
        let body = json!({"logical_environment": "prod", "cluster": "c", "name": "n",
            "deployment_name": "d", "digest": "x", "status": "decommissioned"});
        let write = Write::read(&target, &body).unwrap();
        assert_eq!((write.cluster.as_str(), write.items.len()), ("c", 1));
        assert_eq!(write.items[0].status, Status::Decommissioned);
        assert!(write.return_records && !write.partial_success);
    }
}
