//! Records, rows and Gaps in the JSON of an explanation: each word with what it means and what to do.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::explain;
use crate::model::gap;
use crate::model::plan;
use crate::model::record;

use super::Time;

/// A row of the truth table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Its number.
    pub number: u8,
    /// Its name.
    pub name: String,
    /// What it means.
    pub meaning: String,
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its name.
    pub name: Arc<str>,
    /// The organization.
    pub organization: Arc<str>,
    /// The cluster's name.
    pub cluster: Arc<str>,
    /// The logical environment.
    pub logical_environment: Arc<str>,
    /// The physical environment.
    pub physical_environment: Option<Arc<str>>,
    /// What becomes of it.
    pub state: String,
    /// What that means.
    pub meaning: String,
    /// Why it is withheld.
    pub reason: Option<String>,
    /// What that means.
    pub reason_meaning: Option<String>,
    /// What to do about it.
    pub advice: Option<String>,
    /// What it is to say; `None` where nothing is sent.
    pub wanted: Option<Body>,
    /// What GitHub last acknowledged; `None` where it never did.
    pub held: Option<Body>,
    /// What was sent and has no definite answer.
    pub unanswered: Vec<Unanswered>,
    /// When that is asked again; `None` also where it is at once.
    pub asked_again_at: Option<String>,
    /// When its end is told again.
    pub ends_again_at: Option<String>,
    /// Since when its source is missing.
    pub missing_since: Option<String>,
    /// Since when its source has no pod.
    pub idle_since: Option<String>,
    /// What GitHub refuses.
    pub refused: Vec<Refusal>,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// The image's repository with its registry.
    pub image: Arc<str>,
    /// The image's tag.
    pub version: Option<Arc<str>>,
    /// The digest.
    pub digest: String,
    /// The repository that the image was built from.
    pub repository: Option<Arc<str>>,
    /// The tags.
    pub tags: BTreeMap<Arc<str>, Arc<str>>,
    /// The runtime risks.
    pub runtime_risks: Vec<String>,
}

/// What was sent and has no definite answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unanswered {
    /// `deployed` or `decommissioned`.
    pub status: String,
    /// What it says.
    pub body: Body,
}

/// What GitHub refuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// `deployed` or `decommissioned`.
    pub status: String,
    /// The digest that it is of.
    pub digest: String,
    /// Why.
    pub reason: String,
    /// What that means.
    pub meaning: String,
    /// What to do about it.
    pub advice: String,
    /// When it is asked again.
    pub retry_at: Option<String>,
}

/// What is not recorded, or not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Why.
    pub reason: String,
    /// The value that was found, or the rule that is missing.
    pub detail: Arc<str>,
    /// What that means.
    pub meaning: String,
    /// What to do about it.
    pub advice: String,
}

impl From<plan::Row> for Row {
    fn from(row: plan::Row) -> Self {
        Self {
            number: row.number(),
            name: row.as_str().to_owned(),
            meaning: row.meaning().to_owned(),
        }
    }
}

impl Record {
    pub(super) fn new(record: &explain::Record, time: Time<'_>) -> Self {
        let destination = &record.identity.destination;
        let why = record.why;
        let refused = record.memory.refused.iter();
        let text = |text: &str| text.to_owned();
        Self {
            name: record.identity.name.clone(),
            organization: destination.organization.clone(),
            cluster: destination.cluster.clone(),
            logical_environment: destination.logical_environment.clone(),
            physical_environment: destination.physical_environment.clone(),
            state: text(record.state.as_str()),
            meaning: text(record.state.meaning()),
            reason: why.map(|why| text(why.as_str())),
            reason_meaning: why.map(|why| text(why.meaning())),
            advice: why.map(|why| text(why.advice())),
            wanted: record.wanted.as_deref().map(Body::from),
            held: record.memory.held.as_deref().map(Body::from),
            unanswered: record
                .memory
                .unanswered
                .iter()
                .map(Unanswered::from)
                .collect(),
            asked_again_at: record.memory.asked_again_at.and_then(time),
            ends_again_at: record.memory.ends_again_at.and_then(time),
            missing_since: record.memory.missing_since.and_then(time),
            idle_since: record.memory.idle_since.and_then(time),
            refused: refused.map(|refused| Refusal::new(refused, time)).collect(),
        }
    }
}

impl From<&record::Body> for Body {
    fn from(body: &record::Body) -> Self {
        let tags = body.tags.iter();
        Self {
            image: body.name.clone(),
            version: body.version.clone(),
            digest: body.digest.to_string(),
            repository: body.repository.clone(),
            tags: tags
                .map(|(key, text)| (key.clone(), text.clone()))
                .collect(),
            runtime_risks: body.risks.names().into_iter().map(str::to_owned).collect(),
        }
    }
}

impl From<&(record::Status, Arc<record::Body>)> for Unanswered {
    fn from((status, body): &(record::Status, Arc<record::Body>)) -> Self {
        Self {
            status: status.as_str().to_owned(),
            body: (&**body).into(),
        }
    }
}

impl Refusal {
    fn new(refused: &explain::Refused, time: Time<'_>) -> Self {
        Self {
            status: refused.status.as_str().to_owned(),
            digest: refused.body.digest.to_string(),
            reason: refused.reason.as_str().to_owned(),
            meaning: refused.reason.meaning().to_owned(),
            advice: refused.reason.advice().to_owned(),
            retry_at: time(refused.retry_at),
        }
    }
}

impl From<&gap::Gap> for Gap {
    fn from(gap: &gap::Gap) -> Self {
        Self {
            reason: gap.reason.as_str().to_owned(),
            detail: gap.detail.clone(),
            meaning: gap.reason.meaning().to_owned(),
            advice: gap.reason.advice().to_owned(),
        }
    }
}
