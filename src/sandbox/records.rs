//! The deployment records that the sandbox holds, and the upsert. Nothing is ever deleted.
//! No HTTP, no faults, no clock: moments are passed in.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::write::{Item, Status, Write};

/// By what GitHub tells records apart, within an organization. A physical environment or cluster
/// that was not sent is the empty string.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Key {
    /// The organization in the path.
    pub org: String,
    /// `logical_environment`.
    pub logical_environment: String,
    /// `physical_environment`.
    pub physical_environment: String,
    /// The cluster of the path, or of the body of a single record.
    pub cluster: String,
    /// `deployment_name`.
    pub deployment_name: String,
}

/// One deployment record as the sandbox holds it: more than GitHub's list answers show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// The number that answers give it.
    pub id: u64,
    /// What it is found by.
    #[serde(flatten)]
    pub key: Key,
    /// The artifact's name.
    pub name: String,
    /// The artifact's version.
    pub version: Option<String>,
    /// The artifact's digest.
    pub digest: String,
    /// Deployed or decommissioned.
    pub status: Status,
    /// The repository it belongs to: attested, else as sent.
    pub github_repository: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Runtime risks in the order they were sent.
    pub runtime_risks: Vec<String>,
    /// The attestation of the digest, if one is known.
    pub attestation_id: Option<u64>,
    /// When it was first written.
    pub created_at: Timestamp,
    /// When it was last written.
    pub updated_at: Timestamp,
}

impl Record {
    /// The record with exactly the fields of the contract's answers: no status, no name.
    pub(super) fn answer(&self) -> Value {
        json!({
            "id": self.id,
            "digest": self.digest,
            "logical_environment": self.key.logical_environment,
            "physical_environment": self.key.physical_environment,
            "cluster": self.key.cluster,
            "deployment_name": self.key.deployment_name,
            "tags": self.tags,
            "runtime_risks": self.runtime_risks,
            "created_at": self.created_at.to_string(),
            "updated_at": self.updated_at.to_string(),
            "attestation_id": self.attestation_id,
        })
    }

    /// The same with the status, which the contract does not have.
    pub(super) fn answer_with_status(&self) -> Value {
        let mut answer = self.answer();
        if let Some(object) = answer.as_object_mut() {
            object.insert("status".to_owned(), json!(self.status));
        }
        answer
    }
}

/// One write to a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Sequence number of the request that wrote it.
    pub request: u64,
    /// Time since the sandbox started.
    #[serde(serialize_with = "super::log::seconds")]
    pub at: Duration,
    /// The record after the write.
    pub record: Record,
}

/// The moment and the request of a write.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamp {
    pub(super) request: u64,
    pub(super) at: Duration,
    pub(super) time: Timestamp,
}

/// What the sandbox knows of an item's origin.
#[derive(Clone, Debug, Default)]
pub(super) struct Origin {
    pub(super) attestation_id: Option<u64>,
    pub(super) repository: Option<String>,
}

/// How many changes of one record are remembered.
const HISTORY: usize = 1000;

#[derive(Debug, Default)]
pub(super) struct Records {
    kept: BTreeMap<Key, (Record, Vec<Change>)>,
    last_id: u64,
}

impl Records {
    /// Inserts or updates; what the item leaves out stays as it was. Version and repository belong
    /// to the artifact, so they stay only while the digest does.
    pub(super) fn upsert(
        &mut self,
        write: &Write,
        item: &Item,
        origin: Origin,
        stamp: Stamp,
    ) -> Record {
        let key = Key {
            org: write.org.clone(),
            logical_environment: write.logical_environment.clone(),
            physical_environment: write.physical_environment.clone(),
            cluster: write.cluster.clone(),
            deployment_name: item.deployment_name.clone(),
        };
        let old = self.kept.get(&key).map(|(record, _)| record.clone());
        let same = old.as_ref().filter(|old| old.digest == item.digest);
        let old_version = same.and_then(|old| old.version.clone());
        let old_repository = same.and_then(|old| old.github_repository.clone());
        let next_id = self.last_id + 1;
        let record = Record {
            id: old.as_ref().map_or(next_id, |old| old.id),
            key: key.clone(),
            name: item.name.clone(),
            version: item.version.clone().or(old_version),
            digest: item.digest.clone(),
            status: item.status,
            github_repository: origin.repository.or(old_repository),
            tags: item
                .tags
                .clone()
                .or(old.as_ref().map(|o| o.tags.clone()))
                .unwrap_or_default(),
            runtime_risks: (item.runtime_risks.clone())
                .or(old.as_ref().map(|old| old.runtime_risks.clone()))
                .unwrap_or_default(),
            attestation_id: origin.attestation_id,
            created_at: old.as_ref().map_or(stamp.time, |old| old.created_at),
            updated_at: stamp.time,
        };
        self.last_id = self.last_id.max(record.id);
        let change = Change {
            request: stamp.request,
            at: stamp.at,
            record: record.clone(),
        };
        let (kept, history) = self
            .kept
            .entry(key)
            .or_insert_with(|| (record.clone(), Vec::new()));
        *kept = record.clone();
        if history.len() >= HISTORY {
            history.remove(0);
        }
        history.push(change);
        record
    }

    /// All records, in the order of their keys.
    pub(super) fn all(&self) -> impl Iterator<Item = &Record> {
        self.kept.values().map(|(record, _)| record)
    }

    /// The record of that logical environment and name; the first by key if there are several.
    pub(super) fn find(&self, environment: &str, name: &str) -> Option<&Record> {
        self.all()
            .find(|it| it.key.logical_environment == environment && it.key.deployment_name == name)
    }

    /// Every write to the records of that logical environment and name, oldest first.
    pub(super) fn history(&self, environment: &str, name: &str) -> Vec<Change> {
        let of = |key: &Key| key.logical_environment == environment && key.deployment_name == name;
        let matching = self.kept.iter().filter(|(key, _)| of(key));
        let mut changes: Vec<Change> = matching
            .flat_map(|(_, (_, history))| history.iter().cloned())
            .collect();
        changes.sort_by_key(|change| (change.at, change.request));
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(digest: &str) -> Item {
        Item {
            name: "n".into(),
            digest: digest.into(),
            deployment_name: "d".into(),
            version: None,
            status: Status::Deployed,
            github_repository: None,
            tags: None,
            runtime_risks: None,
        }
    }

    fn put(records: &mut Records, physical: &str, item: &Item, request: u64) -> Record {
        let write = Write {
            org: "o".into(),
            logical_environment: "prod".into(),
            physical_environment: physical.into(),
            cluster: "c".into(),
            items: Vec::new(),
            partial_success: false,
            return_records: true,
        };
        let at = Duration::from_secs(request);
        let time = Timestamp::UNIX_EPOCH + at;
        records.upsert(&write, item, Origin::default(), Stamp { request, at, time })
    }

    #[test]
    fn what_an_upsert_leaves_out_stays_and_what_it_gives_empty_is_cleared() {
        let mut records = Records::default();
        let full = Item {
            version: Some("1".into()),
            tags: Some([("a".into(), "b".into())].into()),
            runtime_risks: Some(vec!["sensitive-data".into()]),
            ..item("d1")
        };
        let first = put(&mut records, "", &full, 1);
        let second = put(&mut records, "", &item("d1"), 2);
        assert_eq!(
            (&second.tags, &second.runtime_risks),
            (&first.tags, &first.runtime_risks)
        );
        assert_eq!(
            (second.id, second.version.as_deref()),
            (first.id, Some("1"))
        );
        assert!(second.updated_at > first.updated_at && second.created_at == first.created_at);
        let cleared = Item {
            tags: Some(BTreeMap::new()),
            runtime_risks: Some(vec![]),
            ..item("d2")
        };
        let third = put(&mut records, "", &cleared, 3);
        assert!(third.tags.is_empty() && third.runtime_risks.is_empty() && third.version.is_none());
    }

    #[test]
    fn the_key_is_environments_cluster_and_name() {
        let mut records = Records::default();
        let a = put(&mut records, "", &item("d1"), 1);
        let b = put(&mut records, "eu", &item("d1"), 2);
        assert_ne!(a.id, b.id);
        assert_eq!(records.all().count(), 2);
        assert_eq!(records.history("prod", "d").len(), 2);
        assert_eq!(records.find("prod", "d").map(|it| it.id), Some(a.id));
        assert_eq!(records.find("staging", "d"), None);
    }
}
