//! The fields of one thing in a file, each read as what it must be: what is missing, unknown or of
//! another kind is named with what it belongs to. Which fields there are is said in `input`.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::input::{InputError, Read};
use crate::model::image::Digest;
use crate::model::record::Status;
use crate::model::risk::{Risk, Risks};
use crate::model::text_map::TextMap;

/// The fields of a value that must have some.
pub(super) fn object(label: &str, value: Value) -> Read<Map<String, Value>> {
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
pub(super) struct Fields {
    label: String,
    map: Map<String, Value>,
}

impl Fields {
    /// Refuses what has an unknown field.
    pub(super) fn new(label: &str, map: Map<String, Value>, known: &[&str]) -> Read<Self> {
        if let Some(unknown) = map.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(InputError(format!(
                "{label} has the unknown field {unknown:?}; its fields are {}",
                known.join(", ")
            )));
        }
        let label = label.to_owned();
        Ok(Self { label, map })
    }

    /// The value of a field, once.
    pub(super) fn take(&mut self, field: &str) -> Option<Value> {
        self.map.remove(field).filter(|value| !value.is_null())
    }

    fn wrong(&self, field: &str, value: &Value, limit: &str) -> InputError {
        let (label, value) = (&self.label, short(value));
        InputError(format!("{label}: {field} is {value}, but must be {limit}"))
    }

    /// A text, if it is there.
    pub(super) fn text(&mut self, field: &str) -> Read<Option<Arc<str>>> {
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
    pub(super) fn said(&mut self, field: &str) -> Read<Option<Arc<str>>> {
        Ok(self.text(field)?.filter(|text| !text.is_empty()))
    }

    /// A text that must be there.
    pub(super) fn required(&mut self, field: &str) -> Read<Arc<str>> {
        self.text(field)?
            .ok_or_else(|| InputError(format!("{}: {field} is missing", self.label)))
    }

    /// A list; empty if it is not there.
    pub(super) fn list(&mut self, field: &str) -> Read<Vec<Value>> {
        match self.take(field) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items),
            Some(other) => Err(self.wrong(field, &other, "a list")),
        }
    }

    /// The `digest`, which must be there.
    pub(super) fn digest(&mut self) -> Read<Digest> {
        let text = self.required("digest")?;
        Digest::parse(&text).ok_or_else(|| {
            let limit = "sha256: and 64 hexadecimal digits in lower case";
            self.wrong("digest", &Value::from(&*text), limit)
        })
    }

    /// The `status`; deployed if it is not there.
    pub(super) fn status(&mut self) -> Read<Status> {
        let Some(text) = self.text("status")? else {
            return Ok(Status::Deployed);
        };
        let limit = "deployed or decommissioned";
        Status::parse(&text).ok_or_else(|| self.wrong("status", &Value::from(&*text), limit))
    }

    /// The `tags`.
    pub(super) fn tags(&mut self) -> Read<TextMap> {
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

    /// The `runtime_risks`.
    pub(super) fn risks(&mut self) -> Read<Risks> {
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
