//! Rows: sources and records as commands print them. The names of these fields are those of the
//! JSON and YAML output (`docs/output.md`), so they stay.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::model::gap::Gap;
use crate::model::gap::Subject;
use crate::model::record::{Identity, Line};
use crate::model::workload::Source;

/// A container of a workload, or a pod whose workload is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SourceRow {
    /// Its namespace.
    pub namespace: Arc<str>,
    /// The kind of the workload; that of a group without name of its own has the group behind it.
    pub kind: String,
    /// The name of the workload.
    pub workload: Arc<str>,
    /// The container; none for a pod.
    pub container: Option<Arc<str>>,
}

impl From<&Source> for SourceRow {
    fn from(source: &Source) -> Self {
        Self {
            namespace: source.workload.namespace.clone(),
            kind: source.workload.kind.to_string(),
            workload: source.workload.name.clone(),
            container: Some(source.container.clone()),
        }
    }
}

impl SourceRow {
    /// All of it in one cell.
    pub fn cell(&self) -> String {
        let Self {
            namespace,
            kind,
            workload,
            container,
        } = self;
        let container = container.as_deref().unwrap_or_default();
        format!("{namespace} {kind}/{workload} {container}")
    }
}

impl From<&Subject> for SourceRow {
    fn from(subject: &Subject) -> Self {
        match subject {
            Subject::Source(source) => source.into(),
            Subject::Pod { namespace, name } => Self {
                namespace: namespace.clone(),
                kind: "Pod".into(),
                workload: name.clone(),
                container: None,
            },
        }
    }
}

/// Where a record is at GitHub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IdentityRow {
    /// Its name (`deployment_name` in the API).
    pub record_name: Arc<str>,
    /// The organization.
    pub organization: Arc<str>,
    /// The cluster's name at GitHub.
    pub cluster: Arc<str>,
    /// The logical environment.
    pub logical_environment: Arc<str>,
    /// The physical environment.
    pub physical_environment: Option<Arc<str>>,
}

impl From<&Identity> for IdentityRow {
    fn from(identity: &Identity) -> Self {
        let destination = &identity.destination;
        Self {
            record_name: identity.name.clone(),
            organization: destination.organization.clone(),
            cluster: destination.cluster.clone(),
            logical_environment: destination.logical_environment.clone(),
            physical_environment: destination.physical_environment.clone(),
        }
    }
}

impl IdentityRow {
    /// Both environments in one cell.
    pub fn environment(&self) -> String {
        match &self.physical_environment {
            Some(physical) => format!("{} / {physical}", self.logical_environment),
            None => self.logical_environment.to_string(),
        }
    }
}

/// A record: where it is, and what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecordRow {
    /// Where it is.
    #[serde(flatten)]
    pub identity: IdentityRow,
    /// The image's repository with its registry.
    pub name: Arc<str>,
    /// The image's tag.
    pub version: Option<Arc<str>>,
    /// The digest of the image's manifest or index.
    pub digest: String,
    /// The repository that the image was built from, without its owner.
    pub repository: Option<Arc<str>>,
    /// The tags.
    pub tags: BTreeMap<Arc<str>, Arc<str>>,
    /// The runtime risks.
    pub runtime_risks: Vec<&'static str>,
}

impl From<&Line> for RecordRow {
    fn from(line: &Line) -> Self {
        let body = &line.body;
        Self {
            identity: (&line.identity).into(),
            name: body.name.clone(),
            version: body.version.clone(),
            digest: body.digest.to_string(),
            repository: body.repository.clone(),
            tags: body
                .tags
                .iter()
                .map(|(key, text)| (key.clone(), text.clone()))
                .collect(),
            runtime_risks: body.risks.names(),
        }
    }
}

impl RecordRow {
    /// Name and version of the image in one cell.
    pub fn image(&self) -> String {
        match &self.version {
            Some(version) => format!("{}:{version}", self.name),
            None => self.name.to_string(),
        }
    }

    /// The digest; on a terminal as much of it as tells it apart.
    pub fn digest(&self, on_a_terminal: bool) -> String {
        short(&self.digest, on_a_terminal)
    }

    /// Tags in one cell.
    pub fn tags(&self) -> String {
        let tags: Vec<String> = self
            .tags
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        tags.join(",")
    }
}

/// A digest; on a terminal as much of it as tells it apart.
pub fn short(digest: &str, on_a_terminal: bool) -> String {
    let end = if on_a_terminal {
        "sha256:".len() + 12
    } else {
        digest.len()
    };
    digest.chars().take(end).collect()
}

/// Why something is not recorded, or not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct GapRow {
    /// The reason's name.
    pub reason: &'static str,
    /// What a person needs to know to close it.
    pub detail: Arc<str>,
}

impl From<&Gap> for GapRow {
    fn from(gap: &Gap) -> Self {
        Self {
            reason: gap.reason.as_str(),
            detail: gap.detail.clone(),
        }
    }
}

impl GapRow {
    /// Several in one cell.
    pub fn cell(gaps: &[Self]) -> String {
        let gaps = gaps.iter().map(|Self { reason, detail }| match &**detail {
            "" => (*reason).to_owned(),
            detail => format!("{reason}: {detail}"),
        });
        gaps.collect::<Vec<_>>().join("; ")
    }
}
