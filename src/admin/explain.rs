//! Explanations as JSON: `/api/status/explain`, and what the command `explain` prints. The shape is a
//! promise and described in `docs/status.md`; whoever asks reads the same types that are written here.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::explain::{self, Answer, Asked, How, Missing};
use crate::model::moment::Moment;

mod container;
mod origin;
mod record;
pub(super) mod route;
#[cfg(test)]
mod tests;

pub use container::{Container, Digest, Image, NameOf, Other, Selected, Speaker};
pub use origin::{Door, Origin, Risk, Tag, To, Value};
pub use record::{Body, Gap, Record, Refusal, Row, Unanswered};

/// When something is, for people; `None` where that is not known.
pub type Time<'a> = &'a dyn Fn(Moment) -> Option<String>;

/// An explanation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explained {
    /// Where the answer comes from.
    pub from: Teller,
    /// The workloads: one, or several of different kinds and one name.
    pub workloads: Vec<Workload>,
    /// The pod, if its workload is not known.
    pub stray: Option<Stray>,
    /// Records of that name that are no workload's.
    #[serde(default)]
    pub unowned: Vec<Unowned>,
}

/// A record that is no workload's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unowned {
    /// The row of the truth table by which it was decided.
    pub row: Row,
    /// The record.
    pub record: Record,
}

/// Where an answer comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Teller {
    /// `controller`, `cluster` or `file`.
    pub way: String,
    /// Of the program that gave it.
    pub version: String,
    /// Date and time.
    pub now: String,
    /// How many cycles the controller has done; `None` from elsewhere.
    pub cycles: Option<u64>,
}

/// A workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workload {
    /// Its namespace.
    pub namespace: Arc<str>,
    /// The API group, empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// Its name.
    pub workload: Arc<str>,
    /// What the name is that was asked for.
    pub found_by: Found,
    /// Whether its own object is seen.
    pub object_seen: bool,
    /// How its pods lead up to it.
    pub ways: Vec<Way>,
    /// What may lead traffic from outside to its pods.
    #[serde(default)]
    pub doors: Vec<Door>,
    /// What of that is not fully seen.
    #[serde(default)]
    pub doors_not_seen: Vec<String>,
    /// Its containers.
    pub containers: Vec<Container>,
}

/// What a name is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// `workload`, `pod`, `owner` or `record`.
    pub what: String,
    /// The name, where it is not the workload's.
    pub name: Option<String>,
}

/// How pods lead up to a workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// Pods, by name; at most twenty.
    pub pods: Vec<Arc<str>>,
    /// How many there are.
    pub count: usize,
    /// The owners between them and the workload, from the pods up.
    pub passed: Vec<String>,
    /// Whether the pods are gone and only remembered.
    pub remembered: bool,
}

/// A pod whose workload is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stray {
    /// Its name.
    pub pod: Arc<str>,
    /// The owners that were passed, from the pod up.
    pub passed: Vec<String>,
    /// The owner at which the way ends.
    pub owner: String,
    /// `orphan`, `not-read` or `not-watched`.
    pub end: String,
    /// What that means.
    pub meaning: String,
    /// What to do about it.
    pub advice: String,
}

/// Why there is no explanation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotFound {
    /// What is wrong, in one line.
    pub error: String,
    /// What is near the name that was asked for.
    pub near: Vec<String>,
}

/// The JSON of `answer`, which came `from` there; times are told by `time`.
pub fn shown(
    asked: &Asked,
    answer: &Answer,
    from: Teller,
    time: Time<'_>,
) -> Result<Explained, NotFound> {
    let mut explained = Explained {
        from,
        workloads: Vec::new(),
        stray: None,
        unowned: Vec::new(),
    };
    match answer {
        Answer::Explained(found) => {
            let shown = found.iter().map(|one| Workload::new(one, time));
            explained.workloads = shown.collect();
        }
        Answer::Stray(lost) => explained.stray = Some(lost.into()),
        Answer::Unowned(records) => {
            let shown = records.iter().map(|(record, row)| Unowned {
                row: (*row).into(),
                record: Record::new(record, time),
            });
            explained.unowned = shown.collect();
        }
        Answer::Missing(missing) => return Err(NotFound::new(asked, missing)),
    }
    Ok(explained)
}

impl Workload {
    fn new(explanation: &explain::Explanation, time: Time<'_>) -> Self {
        let workload = &explanation.workload;
        let parts = explanation.parts.iter();
        let unseen = explanation.doors_unseen.iter();
        Self {
            namespace: workload.namespace.clone(),
            group: workload.kind.group().to_owned(),
            kind: workload.kind.kind().to_owned(),
            workload: workload.name.clone(),
            found_by: (&explanation.how).into(),
            object_seen: explanation.seen,
            ways: explanation.ways.iter().map(Into::into).collect(),
            doors: explanation.doors.iter().map(Door::from).collect(),
            doors_not_seen: unseen.map(ToString::to_string).collect(),
            containers: parts.map(|part| Container::new(part, time)).collect(),
        }
    }
}

impl From<&How> for Found {
    fn from(how: &How) -> Self {
        let (what, name) = match how {
            How::Workload => ("workload", None),
            How::Pod(name) => ("pod", Some(name.to_string())),
            How::Between(name) => ("owner", Some(name.clone())),
            How::Record(name) => ("record", Some(name.to_string())),
        };
        let what = what.to_owned();
        Self { what, name }
    }
}

impl From<&explain::Way> for Way {
    fn from(way: &explain::Way) -> Self {
        /// A workload may have thousands.
        const MOST: usize = 20;
        Self {
            pods: way.pods.iter().take(MOST).cloned().collect(),
            count: way.pods.len(),
            passed: way.passed.clone(),
            remembered: way.remembered,
        }
    }
}

impl From<&explain::Lost> for Stray {
    fn from(lost: &explain::Lost) -> Self {
        Self {
            pod: lost.pod.clone(),
            passed: lost.passed.clone(),
            owner: lost.owner.clone(),
            end: lost.end.as_str().to_owned(),
            meaning: lost.end.meaning().to_owned(),
            advice: lost.end.advice().to_owned(),
        }
    }
}

impl NotFound {
    fn new(asked: &Asked, missing: &Missing) -> Self {
        let (namespace, name) = (&asked.namespace, &asked.text);
        let nobody = "no workload, pod or record";
        let (error, near) = match missing {
            Missing::Namespace => (format!("there is no namespace {namespace}"), Vec::new()),
            Missing::NotLookedAt => (
                format!("the pods of namespace {namespace} are not looked at, or not read yet"),
                Vec::new(),
            ),
            Missing::Name { any: false, .. } => (
                format!("{nobody} {name} in namespace {namespace}, which has no workload at all"),
                Vec::new(),
            ),
            Missing::Name { near, .. } => (
                format!("{nobody} {name} in namespace {namespace}"),
                near.clone(),
            ),
            Missing::Container { near } => {
                let container = asked.container.as_deref().unwrap_or_default();
                let near = near.iter().map(ToString::to_string).collect();
                (format!("{name} has no container {container}"), near)
            }
        };
        Self { error, near }
    }

    /// All of it in one line.
    pub fn line(&self) -> String {
        if self.near.is_empty() {
            return self.error.clone();
        }
        format!("{}; there is {}", self.error, self.near.join(", "))
    }
}
