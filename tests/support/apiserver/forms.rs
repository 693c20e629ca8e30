//! How the scripted API server writes objects: whole, without what a list says for all, or their
//! metadata alone.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

/// How an object is written.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// As it is.
    Whole,
    /// Without kind and API version: a real server leaves them out of the items of a typed list.
    Item,
    /// As `PartialObjectMetadata`.
    Metadata,
}

impl Form {
    /// As a client asks for single objects.
    pub(super) fn of(metadata_only: bool) -> Self {
        if metadata_only {
            Self::Metadata
        } else {
            Self::Whole
        }
    }
}

/// An object in one of these forms.
pub(super) struct Shown<'a>(pub(super) &'a Value, pub(super) Form);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(object, form) = self;
        let mut map = serializer.serialize_map(None)?;
        if let Form::Metadata = form {
            map.serialize_entry("kind", "PartialObjectMetadata")?;
            map.serialize_entry("apiVersion", "meta.k8s.io/v1")?;
            map.serialize_entry("metadata", &object["metadata"])?;
        }
        let said = |key: &str| match form {
            Form::Whole => true,
            Form::Item => key != "kind" && key != "apiVersion",
            Form::Metadata => false,
        };
        let entries = object.as_object().into_iter().flatten();
        for (key, value) in entries.filter(|(key, _)| said(key)) {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// A list.
#[derive(Serialize)]
pub(super) struct List<'a> {
    pub(super) kind: String,
    #[serde(rename = "apiVersion")]
    pub(super) api_version: String,
    pub(super) metadata: Value,
    pub(super) items: Vec<Shown<'a>>,
}

/// A line of a watch.
pub(super) fn event(event: &str, object: &Value, form: Form) -> String {
    let object = serde_json::to_string(&Shown(object, form)).expect("JSON");
    format!("{{\"type\":\"{event}\",\"object\":{object}}}\n")
}

/// The line of a watch that says how far it is.
pub(super) fn bookmark(kind: &str, api_version: &str, version: u64, form: Form) -> String {
    let metadata = json!({"resourceVersion": version.to_string()});
    let object = json!({"kind": kind, "apiVersion": api_version, "metadata": metadata});
    event("BOOKMARK", &object, form)
}
