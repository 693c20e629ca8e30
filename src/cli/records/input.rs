//! The file of `records set`, read: a list of records, the body of GitHub's API, or what `snapshot -o
//! json` prints, as JSON or YAML. Each field is read as what it is or refused by its name; how long
//! texts may be is for the requests to say. Nothing is done here but reading.

use std::sync::Arc;

use serde_json::{Map, Value};
use thiserror::Error;

use crate::model::image::Digest;
use crate::model::record::{Body, Status};
use crate::model::risk::{Risk, Risks};
use crate::model::text_map::TextMap;

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

type Read<T> = Result<T, InputError>;

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
        return serde_json::from_str(text)
            .map_err(|error| InputError(format!("it is not JSON: {error}")));
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

fn object(label: &str, value: Value) -> Read<Map<String, Value>> {
    match value {
        Value::Object(map) => Ok(map),
        other => Err(InputError(format!(
            "{label} is {}, but must have fields",
            short(&other)
        ))),
    }
}

/// A value for a message, not longer than a line.
fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 80 {
        return text;
    }
    let start: String = text.chars().take(80).collect();
    format!("{start}...")
}

/// The fields of something, with its name for messages. A field that is null is not there.
struct Fields {
    label: String,
    map: Map<String, Value>,
}

impl Fields {
    /// Refuses what has an unknown field.
    fn new(label: &str, map: Map<String, Value>, known: &[&str]) -> Read<Self> {
        if let Some(unknown) = map.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(InputError(format!(
                "{label} has the unknown field {unknown:?}; its fields are {}",
                known.join(", ")
            )));
        }
        let label = label.to_owned();
        Ok(Self { label, map })
    }

    fn take(&mut self, field: &str) -> Option<Value> {
        self.map.remove(field).filter(|value| !value.is_null())
    }

    fn wrong(&self, field: &str, value: &Value, limit: &str) -> InputError {
        let (label, value) = (&self.label, short(value));
        InputError(format!("{label}: {field} is {value}, but must be {limit}"))
    }

    fn text(&mut self, field: &str) -> Read<Option<Arc<str>>> {
        match self.take(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.into())),
            Some(other @ (Value::Number(_) | Value::Bool(_))) => {
                Err(self.wrong(field, &other, "a text: put it in quotes"))
            }
            Some(other) => Err(self.wrong(field, &other, "a text")),
        }
    }

    /// A text that says nothing if it is empty.
    fn said(&mut self, field: &str) -> Read<Option<Arc<str>>> {
        Ok(self.text(field)?.filter(|text| !text.is_empty()))
    }

    fn required(&mut self, field: &str) -> Read<Arc<str>> {
        self.text(field)?
            .ok_or_else(|| InputError(format!("{}: {field} is missing", self.label)))
    }

    fn list(&mut self, field: &str) -> Read<Vec<Value>> {
        match self.take(field) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items),
            Some(other) => Err(self.wrong(field, &other, "a list")),
        }
    }

    fn digest(&mut self) -> Read<Digest> {
        let text = self.required("digest")?;
        Digest::parse(&text).ok_or_else(|| {
            let limit = "sha256: and 64 hexadecimal digits in lower case";
            self.wrong("digest", &Value::from(&*text), limit)
        })
    }

    fn status(&mut self) -> Read<Status> {
        match self.text("status")?.as_deref() {
            None | Some("deployed") => Ok(Status::Deployed),
            Some("decommissioned") => Ok(Status::Decommissioned),
            Some(other) => {
                let limit = "deployed or decommissioned";
                Err(self.wrong("status", &other.into(), limit))
            }
        }
    }

    fn tags(&mut self) -> Read<TextMap> {
        let tags = match self.take("tags") {
            None => Map::new(),
            Some(Value::Object(tags)) => tags,
            Some(other) => return Err(self.wrong("tags", &other, "texts by their keys")),
        };
        let tags = tags.into_iter().map(|(key, value)| match value {
            Value::String(text) => Ok((key.into(), text.into())),
            other => {
                let field = format!("the tag {key:?}");
                Err(self.wrong(&field, &other, "a text: put it in quotes"))
            }
        });
        tags.collect()
    }

    fn risks(&mut self) -> Read<Risks> {
        let given = self.list("runtime_risks")?;
        let risks = given.into_iter().map(|value| {
            let risk = value.as_str().and_then(Risk::parse);
            risk.ok_or_else(|| {
                let allowed = format!("one of {}", Risk::ALL.map(Risk::as_str).join(", "));
                self.wrong("one of runtime_risks", &value, &allowed)
            })
        });
        risks.collect()
    }
}

#[cfg(test)]
mod tests;
