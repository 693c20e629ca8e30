//! What GitHub holds, as its lists tell it. The contract's lists have no status and no name; GitHub
//! may send more than it documents, and what is known of that is read where it is sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::answer::{Answer, Failure, Given, Received};
use super::wire;
use crate::model::comparison::Listed;
use crate::model::image::Digest;
use crate::model::record::{Destination, Identity, Status};

#[cfg(test)]
mod tests;

/// A list of records, and how many GitHub says there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Records<T> {
    /// How many there are (`total_count`), where it is told: the contract does not promise it.
    pub total_count: Option<u64>,
    /// Those that came, in GitHub's order: the first ten thousand.
    pub records: Vec<T>,
}

/// A deployment record at GitHub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentRecord {
    /// GitHub's number for it.
    pub id: Option<u64>,
    /// The digest that it is about.
    pub digest: Digest,
    /// Its name (`deployment_name`).
    pub name: String,
    /// The logical environment.
    pub logical_environment: String,
    /// The physical environment; empty where there is none.
    pub physical_environment: String,
    /// The cluster; empty where there is none.
    pub cluster: String,
    /// Tags, of which the first are kept.
    pub tags: BTreeMap<String, String>,
    /// Runtime risks by their names at GitHub, also those that this program does not know; the first of them.
    pub risks: Vec<String>,
    /// When it was first written, as GitHub writes it.
    pub created_at: Option<String>,
    /// When it was last written, as GitHub writes it.
    pub updated_at: Option<String>,
    /// The provenance attestation of the digest, if GitHub knows one.
    pub attestation_id: Option<u64>,
    /// `deployed` or `decommissioned`; not in the contract.
    pub status: Option<String>,
    /// The artifact's name; not in the contract.
    pub artifact_name: Option<String>,
    /// The artifact's version; not in the contract.
    pub version: Option<String>,
    /// The repository that it was built from; not in the contract.
    pub repository: Option<String>,
}

/// A storage record at GitHub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageRecord {
    /// GitHub's number for it.
    pub id: Option<u64>,
    /// The digest that it is about.
    pub digest: Digest,
    /// The artifact's name.
    pub name: Option<String>,
    /// The registry.
    pub registry_url: Option<String>,
    /// Where the artifact can be fetched.
    pub artifact_url: Option<String>,
    /// The repository within the registry.
    pub repository: Option<String>,
    /// `active`, `eol` or `deleted`.
    pub status: Option<String>,
    /// When it was first written, as GitHub writes it.
    pub created_at: Option<String>,
    /// When it was last written, as GitHub writes it.
    pub updated_at: Option<String>,
    /// The artifact's version; not in the contract.
    pub version: Option<String>,
    /// The artifact's path; not in the contract.
    pub path: Option<String>,
    /// The GitHub repository that it was built from; not in the contract.
    pub github_repository: Option<String>,
}

impl<T> Given for Records<T> {
    fn kind(&self) -> &'static str {
        "listed"
    }
}

impl<T> Records<T> {
    /// Whether all that there are came, as far as GitHub tells.
    pub fn is_whole(&self) -> bool {
        let came = u64::try_from(self.records.len()).unwrap_or(u64::MAX);
        self.total_count.is_some_and(|count| count <= came)
    }

    fn gather<W>(
        received: Received<'_>,
        total_count: Option<u64>,
        sent: Option<wire::Listed<W>>,
        read: impl Fn(W) -> Result<T, &'static str>,
    ) -> Answer<Self> {
        let sent = match sent {
            Some(sent) => sent,
            None if total_count == Some(0) => wire::Listed::default(),
            None => return Err(received.outside("it has no records")),
        };
        // There are at least as many as came, of which the last may be left out.
        let came = (sent.more > 0).then(|| sent.kept.len().saturating_add(sent.more));
        let came = came.map(|came| u64::try_from(came).unwrap_or(u64::MAX));
        let records = sent.kept.into_iter();
        let records = records.map(|wire::Object(record)| read(record));
        let records = records.collect::<Result<_, _>>();
        Ok(Self {
            total_count: total_count.map(|count| count.max(came.unwrap_or_default())),
            records: records.map_err(|problem| received.outside(problem))?,
        })
    }
}

impl Records<DeploymentRecord> {
    /// What an answer says about the deployment records of a digest. Each must say which record it
    /// is: its digest, its name and its logical environment, without which none can be written.
    pub fn read(received: Received<'_>) -> Answer<Self> {
        if received.status.as_u16() != 200 {
            return Err(Failure::read(received));
        }
        let list: wire::DeploymentRecords<'_> = received.object()?;
        let (count, records) = (list.total_count, list.deployment_records);
        Self::gather(received, count, records, |record| {
            Ok(DeploymentRecord {
                id: record.id,
                digest: digest(record.digest)?,
                name: record
                    .deployment_name
                    .ok_or("a record has no deployment_name")?,
                logical_environment: record
                    .logical_environment
                    .ok_or("a record has no logical_environment")?,
                physical_environment: record.physical_environment.unwrap_or_default(),
                cluster: record.cluster.unwrap_or_default(),
                tags: record.tags.unwrap_or_default().0,
                risks: record.runtime_risks.unwrap_or_default().kept,
                created_at: record.created_at,
                updated_at: record.updated_at,
                attestation_id: record.attestation_id,
                status: text(record.status),
                artifact_name: text(record.name),
                version: text(record.version),
                repository: text(record.github_repository),
            })
        })
    }
}

impl Records<StorageRecord> {
    /// What an answer says about the storage records of a digest.
    pub fn read(received: Received<'_>) -> Answer<Self> {
        if received.status.as_u16() != 200 {
            return Err(Failure::read(received));
        }
        let list: wire::StorageRecords<'_> = received.object()?;
        let (count, records) = (list.total_count, list.storage_records);
        Self::gather(received, count, records, |record| {
            Ok(StorageRecord {
                id: record.id,
                digest: digest(record.digest)?,
                name: record.name,
                registry_url: record.registry_url,
                artifact_url: record.artifact_url,
                repository: record.repository,
                status: record.status,
                created_at: record.created_at,
                updated_at: record.updated_at,
                version: text(record.version),
                path: text(record.path),
                github_repository: text(record.github_repository),
            })
        })
    }
}

impl DeploymentRecord {
    /// The record as the core compares it. `host` is that of the API which lists it for
    /// `organization`. A status that nobody documents is none.
    pub fn listed(self, host: &Arc<str>, organization: &Arc<str>) -> Listed {
        let physical = self.physical_environment;
        let destination = Destination {
            host: host.clone(),
            organization: organization.clone(),
            cluster: self.cluster.into(),
            logical_environment: self.logical_environment.into(),
            physical_environment: (!physical.is_empty()).then(|| physical.into()),
        };
        let tags = self.tags.into_iter();
        Listed {
            identity: Identity {
                destination: Arc::new(destination),
                name: self.name.into(),
            },
            digest: self.digest,
            tags: tags.map(|(key, text)| (key.into(), text.into())).collect(),
            risks: self.risks.into_iter().map(Into::into).collect(),
            status: self.status.as_deref().and_then(Status::parse),
            name: self.artifact_name.map(Into::into),
            version: self.version.map(Into::into),
            repository: self.repository.map(Into::into),
        }
    }
}

/// The text of a field that the contract does not have, if it is one.
fn text(value: wire::Anything<'_>) -> Option<String> {
    value.and_then(|value| serde_json::from_str(value.get()).ok())
}

fn digest(text: Option<String>) -> Result<Digest, &'static str> {
    text.and_then(|text| Digest::parse(&text))
        .ok_or("a record has no digest")
}
