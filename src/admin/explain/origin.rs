//! Where things come from, in the JSON of an explanation.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::explain;
use crate::model::exposure;
use crate::model::inventory::look::Level;
use crate::model::origin::LABEL;
use crate::model::risk;

/// Where something comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// `setting`, `label`, `annotation`, `rule`, `image-label`, `door` (what leads traffic to its pods) or `held` (what
    /// GitHub holds).
    pub what: String,
    /// The flag, or the whole key of the annotation.
    pub name: Option<String>,
    /// Whose annotation or label it is; of a rule the rule as typed, of an image's label
    /// what it says.
    pub object: Option<String>,
}

/// A value, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Value {
    /// The value.
    pub value: Arc<str>,
    /// Where it comes from.
    pub from: Origin,
}

/// A tag, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// Its key.
    pub key: Arc<str>,
    /// Its value.
    pub value: Arc<str>,
    /// Where it comes from.
    pub from: Origin,
}

/// A runtime risk, and every place that names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Risk {
    /// The API's name for it.
    pub risk: String,
    /// Where it comes from.
    pub from: Vec<Origin>,
}

/// Where a record goes, part by part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct To {
    /// The API's host.
    pub host: Arc<str>,
    /// The organization.
    pub organization: Value,
    /// The cluster's name.
    pub cluster: Value,
    /// The logical environment.
    pub logical_environment: Value,
    /// The physical environment.
    pub physical_environment: Option<Value>,
}

impl From<&explain::Origin> for Origin {
    fn from(origin: &explain::Origin) -> Self {
        let (what, name, object) = match origin {
            explain::Origin::Setting(flag) => ("setting", Some((*flag).to_owned()), None),
            explain::Origin::Label(flag) => (
                "label",
                Some((*flag).to_owned()),
                Some("the namespace".to_owned()),
            ),
            explain::Origin::Annotation { on, key } => (
                "annotation",
                Some(format!("metadata.github.com/{key}")),
                Some(of_level(on)),
            ),
            explain::Origin::Rule { flag, rule } => {
                ("rule", Some((*flag).to_owned()), Some(rule.to_string()))
            }
            explain::Origin::ImageLabel(text) => (
                "image-label",
                Some(LABEL.to_owned()),
                Some(text.to_string()),
            ),
            explain::Origin::Door(door) => {
                let flag = "--infer-risks".to_owned();
                ("door", Some(flag), Some(way_in(door)))
            }
            explain::Origin::Held => ("held", None, None),
        };
        Self {
            what: what.to_owned(),
            name,
            object,
        }
    }
}

/// Why an image's label names no repository, in words.
pub(super) fn of_label(label: &explain::Label) -> String {
    match label {
        explain::Label::Elsewhere(text) => {
            format!("the image's label {LABEL} points to no repository of the organization: {text}")
        }
        explain::Label::Unread => format!("the image's label {LABEL} is not read yet"),
    }
}

/// What leads traffic to pods, from the outside in.
fn way_in(door: &exposure::Door) -> String {
    let way = std::iter::once(&door.object).chain(&door.through);
    let way: Vec<String> = way.map(ToString::to_string).collect();
    way.join(" -> ")
}

/// What may lead traffic from outside to the pods of a workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Door {
    /// The objects, from the outside in.
    pub way: String,
    /// Whether it lets anything in; `None`: not all of it is seen.
    pub open: Option<bool>,
    /// Why it does not, or what is not seen.
    pub why: Option<String>,
}

impl From<&exposure::Door> for Door {
    fn from(door: &exposure::Door) -> Self {
        let (open, why) = match &door.state {
            exposure::DoorState::Open => (Some(true), None),
            exposure::DoorState::Closed(why) => (Some(false), Some(why.to_string())),
            exposure::DoorState::Unread(what) => (None, Some(what.to_string())),
        };
        Self {
            way: way_in(door),
            open,
            why,
        }
    }
}

fn of_level(level: &Level) -> String {
    match level {
        Level::Namespace(name) => format!("Namespace {name}"),
        Level::Workload(workload) => format!("{} {}", workload.kind, workload.name),
        Level::Pod(name) => format!("Pod {name}"),
    }
}

impl From<&explain::Tag> for Tag {
    fn from(tag: &explain::Tag) -> Self {
        Self {
            key: tag.key.clone(),
            value: tag.value.clone(),
            from: (&tag.origin).into(),
        }
    }
}

impl From<&(risk::Risk, Vec<explain::Origin>)> for Risk {
    fn from((risk, origins): &(risk::Risk, Vec<explain::Origin>)) -> Self {
        Self {
            risk: risk.as_str().to_owned(),
            from: origins.iter().map(Origin::from).collect(),
        }
    }
}

impl From<&explain::To> for To {
    fn from(to: &explain::To) -> Self {
        let destination = &to.destination;
        let value = |value: &Arc<str>, origin: &explain::Origin| Value {
            value: value.clone(),
            from: origin.into(),
        };
        let physical = destination.physical_environment.as_ref();
        let physical = physical.zip(to.physical_environment.as_ref());
        Self {
            host: destination.host.clone(),
            organization: value(&destination.organization, &to.organization),
            cluster: value(&destination.cluster, &explain::Origin::Setting("--cluster")),
            logical_environment: value(&destination.logical_environment, &to.logical_environment),
            physical_environment: physical.map(|(name, origin)| value(name, origin)),
        }
    }
}
