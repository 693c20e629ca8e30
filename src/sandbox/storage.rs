//! Storage records: where an artifact is kept. GitHub documents no key; here a record is told apart
//! by organization, digest, name, registry and repository.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A request for a storage record, after the contract has been checked.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct StorageItem {
    pub(super) name: String,
    pub(super) digest: String,
    #[serde(default)]
    pub(super) version: Option<String>,
    #[serde(default)]
    pub(super) artifact_url: Option<String>,
    #[serde(default)]
    pub(super) path: Option<String>,
    pub(super) registry_url: String,
    #[serde(default)]
    pub(super) repository: Option<String>,
    #[serde(default)]
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) github_repository: Option<String>,
    #[serde(default)]
    pub(super) return_records: Option<bool>,
}

/// One storage record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StorageRecord {
    /// The number that answers give it.
    pub id: u64,
    /// The organization in the path.
    pub org: String,
    /// The artifact's name.
    pub name: String,
    /// The artifact's version.
    pub version: Option<String>,
    /// The artifact's digest.
    pub digest: String,
    /// Where it can be fetched.
    pub artifact_url: Option<String>,
    /// The path within the registry.
    pub path: Option<String>,
    /// The registry.
    pub registry_url: String,
    /// The registry's repository.
    pub repository: Option<String>,
    /// `active`, `eol` or `deleted`.
    pub status: String,
    /// The repository at GitHub.
    pub github_repository: Option<String>,
    /// When it was first written.
    pub created_at: Timestamp,
    /// When it was last written.
    pub updated_at: Timestamp,
}

impl StorageRecord {
    /// The record as the create endpoint answers it: what is not known is null.
    pub(super) fn answer(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "digest": self.digest,
            "artifact_url": self.artifact_url,
            "registry_url": self.registry_url,
            "repository": self.repository,
            "status": self.status,
            "created_at": self.created_at.to_string(),
            "updated_at": self.updated_at.to_string(),
        })
    }

    /// The record as the list endpoint answers it: there no field may be null.
    pub(super) fn listed(&self) -> Value {
        let mut answer = self.answer();
        if let Some(object) = answer.as_object_mut() {
            object.retain(|_, value| !value.is_null());
        }
        answer
    }
}

type Key = (String, String, String, String, Option<String>);

#[derive(Debug, Default)]
pub(super) struct Storage {
    kept: BTreeMap<Key, StorageRecord>,
}

impl Storage {
    /// Inserts or updates; what the item leaves out stays as it was.
    pub(super) fn upsert(
        &mut self,
        org: &str,
        item: &StorageItem,
        now: Timestamp,
    ) -> StorageRecord {
        let key = (
            org.to_owned(),
            item.digest.clone(),
            item.name.clone(),
            item.registry_url.clone(),
            item.repository.clone(),
        );
        let next = u64::try_from(self.kept.len())
            .unwrap_or(u64::MAX)
            .saturating_add(1);
        let record = self.kept.entry(key).or_insert_with(|| StorageRecord {
            id: next,
            org: org.to_owned(),
            name: item.name.clone(),
            version: None,
            digest: item.digest.clone(),
            artifact_url: None,
            path: None,
            registry_url: item.registry_url.clone(),
            repository: item.repository.clone(),
            status: "active".to_owned(),
            github_repository: None,
            created_at: now,
            updated_at: now,
        });
        let keep = |field: &mut Option<String>, given: &Option<String>| {
            if given.is_some() {
                field.clone_from(given);
            }
        };
        keep(&mut record.version, &item.version);
        keep(&mut record.artifact_url, &item.artifact_url);
        keep(&mut record.path, &item.path);
        keep(&mut record.github_repository, &item.github_repository);
        record.status = item.status.clone().unwrap_or_else(|| record.status.clone());
        record.updated_at = now;
        record.clone()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &StorageRecord> {
        self.kept.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storage_record_is_updated_in_place_and_lists_no_nulls() {
        let mut storage = Storage::default();
        let item = |extra: Value| {
            let mut body = json!({"name": "n", "digest": "d", "registry_url": "https://r"});
            for (key, value) in extra.as_object().unwrap() {
                body[key] = value.clone();
            }
            serde_json::from_value::<StorageItem>(body).unwrap()
        };
        let now = Timestamp::UNIX_EPOCH;
        storage.upsert("o", &item(json!({"artifact_url": "https://a"})), now);
        let second = storage.upsert("o", &item(json!({"status": "eol"})), now);
        assert_eq!((second.id, second.status.as_str()), (1, "eol"));
        assert_eq!(second.artifact_url.as_deref(), Some("https://a"));
        assert!(second.answer()["repository"].is_null());
        assert!(second.listed().get("repository").is_none());
        storage.upsert("o", &item(json!({"repository": "x"})), now);
        assert_eq!(storage.all().count(), 2);
    }
}
