//! The file of `records set`, read: a list of records, the body of GitHub's API, or what `snapshot -o
//! json` prints, as JSON or YAML. Each field is read as what it is or refused by its name; how long
//! texts may be is for the requests to say. Nothing is done here but reading.

use std::sync::Arc;

use serde_json::{Map, Value};
use thiserror::Error;

use super::fields::{Fields, object};
use super::unique::Unique;
use crate::model::record::{Body, Status};

/// What stands in a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// Its records, in its order.
    pub entries: Vec<Entry>,
    /// How many containers of a snapshot have no record.
    pub without_record: usize,
}

/// One record of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which it is, for messages: its number, and its name if it has one.
    pub label: String,
    /// Its name.
    pub name: Arc<str>,
    /// What it says.
    pub body: Body,
    /// Whether its image runs.
    pub status: Status,
    /// Where it goes, as far as the file says.
    pub place: Said,
}

/// Where a record goes, as far as a file says. What is empty there is not said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The organization.
    pub organization: Option<Arc<str>>,
    /// The cluster.
    pub cluster: Option<Arc<str>>,
    /// The logical environment.
    pub logical_environment: Option<Arc<str>>,
    /// The physical environment.
    pub physical_environment: Option<Arc<str>>,
}

/// What is wrong with a file, and where.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0}")]
pub struct InputError(pub String);

pub(super) type Read<T> = Result<T, InputError>;

/// The fields of one record, as the API names them.
const DEPLOYMENT: &[&str] = &[
    "name",
    "digest",
    "version",
    "status",
    "deployment_name",
    "github_repository",
    "tags",
    "runtime_risks",
];

/// The fields of one record, as this program prints them (`docs/output.md`).
const RECORD: &[&str] = &[
    "record_name",
    "organization",
    "cluster",
    "logical_environment",
    "physical_environment",
    "name",
    "version",
    "digest",
    "repository",
    "tags",
    "runtime_risks",
];

/// The fields around a list of records.
const BODY: &[&str] = &["logical_environment", "physical_environment", "deployments"];

/// The fields of a snapshot, and of a container in it.
const SNAPSHOT: &[&str] = &["sources", "not_selected", "not_running"];
const SOURCE: &[&str] = &[
    "namespace",
    "kind",
    "workload",
    "container",
    "record",
    "gaps",
];

impl Input {
    /// Reads the text of a file.
    pub fn parse(text: &str) -> Read<Self> {
        match document(text)? {
            Value::Array(items) => Self::list(items, &Said::default()),
            Value::Object(map) if map.contains_key("sources") => Self::snapshot(map),
            Value::Object(map) if map.contains_key("deployments") => {
                let mut fields = Fields::new("the file", map, BODY)?;
                let place = Said {
                    logical_environment: fields.said("logical_environment")?,
                    physical_environment: fields.said("physical_environment")?,
                    ..Said::default()
                };
                Self::list(fields.list("deployments")?, &place)
            }
            _ => Err(InputError(
                "it is neither a list of records, nor has it `deployments` as GitHub's API does, nor \
                 `sources` as snapshot -o json does"
                    .to_owned(),
            )),
        }
    }

    fn list(items: Vec<Value>, place: &Said) -> Read<Self> {
        let numbered = items.into_iter().enumerate();
        let entries = numbered.map(|(index, item)| entry(index, item, place));
        Ok(Self {
            entries: entries.collect::<Read<_>>()?,
            without_record: 0,
        })
    }

    fn snapshot(map: Map<String, Value>) -> Read<Self> {
        let mut input = Self::default();
        let sources = Fields::new("the snapshot", map, SNAPSHOT)?.list("sources")?;
        for (index, source) in sources.into_iter().enumerate() {
            let label = format!("source {}", index + 1);
            let mut source = Fields::new(&label, object(&label, source)?, SOURCE)?;
            match source.take("record") {
                Some(record) => {
                    let entry = entry(input.entries.len(), record, &Said::default())?;
                    input.entries.push(entry);
                }
                None => input.without_record += 1,
            }
        }
        Ok(input)
    }
}

/// The one document of a file.
fn document(text: &str) -> Read<Value> {
    if text.trim().is_empty() {
        return Err(InputError("there is nothing in it".to_owned()));
    }
    if text.trim_start().starts_with(['{', '[']) {
        let read = serde_json::from_str(text).map(|Unique(value)| value);
        return read.map_err(|error| {
            let what = if error.is_data() {
                "it cannot be taken"
            } else {
                "it is not JSON"
            };
            InputError(format!("{what}: {error}"))
        });
    }
    // The file is the user's own: no bound on its size.
    let options = serde_saphyr::options! { budget: None };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let message = error.without_snippet().to_string();
        let message = message.lines().next().unwrap_or_default();
        InputError(format!("it is not YAML: {message}"))
    })
}

/// The record of that index, from 0.
fn entry(index: usize, item: Value, around: &Said) -> Read<Entry> {
    let label = format!("record {}", index + 1);
    let map = object(&label, item)?;
    let (known, name, repository) = if map.contains_key("record_name") {
        (RECORD, "record_name", "repository")
    } else {
        (DEPLOYMENT, "deployment_name", "github_repository")
    };
    let label = match map.get(name) {
        Some(Value::String(text)) => format!("{label} ({text:?})"),
        _ => label,
    };
    let mut fields = Fields::new(&label, map, known)?;
    let place = Said {
        organization: fields.said("organization")?,
        cluster: fields.said("cluster")?,
        logical_environment: fields
            .said("logical_environment")?
            .or_else(|| around.logical_environment.clone()),
        physical_environment: fields
            .said("physical_environment")?
            .or_else(|| around.physical_environment.clone()),
    };
    Ok(Entry {
        name: fields.required(name)?,
        body: Body {
            digest: fields.digest()?,
            name: fields.required("name")?,
            version: fields.text("version")?,
            repository: fields.text(repository)?,
            tags: fields.tags()?,
            risks: fields.risks()?,
        },
        status: fields.status()?,
        place,
        label,
    })
}

#[cfg(test)]
mod tests;
