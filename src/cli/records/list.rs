//! `records list`: the deployment records that GitHub holds of digests, whatever their cluster.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::cli::listing::{Listing, Row};
use crate::cli::output::Table;
use crate::cli::row::short;
use crate::github::records::DeploymentRecord;

/// A deployment record as a list tells it. What GitHub does not say is null.
#[derive(Debug, Serialize)]
pub struct DeploymentRow {
    /// Its name (`deployment_name` in the API).
    pub record_name: String,
    /// The organization.
    pub organization: String,
    /// The cluster.
    pub cluster: Option<String>,
    /// The logical environment.
    pub logical_environment: String,
    /// The physical environment.
    pub physical_environment: Option<String>,
    /// The artifact's name; not in the contract.
    pub name: Option<String>,
    /// The artifact's version; not in the contract.
    pub version: Option<String>,
    /// The digest.
    pub digest: String,
    /// The repository that it was built from; not in the contract.
    pub repository: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Runtime risks.
    pub runtime_risks: Vec<String>,
    /// `deployed` or `decommissioned`; not in the contract.
    pub status: Option<String>,
    /// GitHub's number for it.
    pub id: Option<u64>,
    /// The provenance attestation of the digest.
    pub attestation_id: Option<u64>,
    /// When it was first written.
    pub created_at: Option<String>,
    /// When it was last written.
    pub updated_at: Option<String>,
}

impl Row for DeploymentRow {
    type Of = DeploymentRecord;
    const WHAT: &'static str = "deployment records";

    fn new(organization: &str, record: DeploymentRecord) -> Self {
        let unless_empty = |text: String| Some(text).filter(|text| !text.is_empty());
        Self {
            record_name: record.name,
            organization: organization.to_owned(),
            cluster: unless_empty(record.cluster),
            logical_environment: record.logical_environment,
            physical_environment: unless_empty(record.physical_environment),
            name: record.artifact_name,
            version: record.version,
            digest: record.digest.to_string(),
            repository: record.repository,
            tags: record.tags,
            runtime_risks: record.risks,
            status: record.status,
            id: record.id,
            attestation_id: record.attestation_id,
            created_at: record.created_at,
            updated_at: record.updated_at,
        }
    }

    fn table(listing: &Listing<Self>, on_a_terminal: bool) -> Table {
        let mut table = Table::new(&[
            "RECORD",
            "CLUSTER",
            "ENVIRONMENT",
            "DIGEST",
            "STATUS",
            "REPOSITORY",
            "TAGS",
            "RISKS",
            "UPDATED",
        ]);
        for row in &listing.records {
            let environment = match &row.physical_environment {
                Some(physical) => format!("{} / {physical}", row.logical_environment),
                None => row.logical_environment.clone(),
            };
            let tags = row.tags.iter().map(|(key, text)| format!("{key}={text}"));
            table.push(vec![
                row.record_name.clone(),
                row.cluster.clone().unwrap_or_default(),
                environment,
                short(&row.digest, on_a_terminal),
                row.status.clone().unwrap_or_default(),
                row.repository.clone().unwrap_or_default(),
                tags.collect::<Vec<_>>().join(","),
                row.runtime_risks.join(","),
                row.updated_at.clone().unwrap_or_default(),
            ]);
        }
        table
    }
}
