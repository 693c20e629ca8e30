//! One container of a workload in the JSON of an explanation.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::explain::{self, NameOrigin, Naming, Part};
use crate::model::image::ImageId;
use crate::model::inventory::look::View;
use crate::model::inventory::sight;

use super::Time;
use super::origin::{Origin, Risk, Tag, To, Value, of_label};
use super::record::{Gap, Record, Row};

/// One container of a workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// Its name.
    pub container: Arc<str>,
    /// The row of the truth table by which it was decided.
    pub row: Option<Row>,
    /// `runs`, `in-spec`, `dropped`, `no-pods`, `no-workload` or `no-namespace`.
    pub standing: String,
    /// Whether it is selected.
    pub selected: Selected,
    /// What is not fully seen of all that decides about it.
    pub not_seen: Vec<String>,
    /// The container that speaks for it.
    pub speaker: Option<Speaker>,
    /// Containers that do not speak, the newest first; at most ten.
    pub others: Vec<Other>,
    /// How many more of these there are.
    pub more_others: usize,
    /// How many others say the same as the one that speaks.
    pub agree: usize,
    /// What its image is called in a record.
    pub image: Option<Image>,
    /// What its record is called.
    pub record_name: Option<NameOf>,
    /// Where its record goes.
    pub goes_to: Option<To>,
    /// The repository.
    pub repository: Option<Value>,
    /// Why the image's label names none, where it was to.
    #[serde(default)]
    pub image_label: Option<String>,
    /// The tags, by key.
    pub tags: Vec<Tag>,
    /// The runtime risks.
    pub runtime_risks: Vec<Risk>,
    /// The annotation that opts out or in.
    pub ignore: Option<Value>,
    /// Its records.
    pub records: Vec<Record>,
    /// What is not recorded, or not as it should be.
    pub gaps: Vec<Gap>,
}

/// Whether something is selected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selected {
    /// `None`: what decides it was not read.
    pub selected: Option<bool>,
    /// Why not.
    pub reason: Option<String>,
    /// Which setting leaves it out.
    pub setting: Option<String>,
    /// What to do, if it is to be recorded.
    pub advice: Option<String>,
}

/// The container that speaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Speaker {
    /// Its pod.
    pub pod: Arc<str>,
    /// Whether that pod is ready.
    pub ready: bool,
    /// Why it speaks: `newest-ready`, `newest-running` or `newest-run`.
    pub speaks_as: String,
    /// How many ready pods run the container; `None` where readiness does not matter.
    pub ready_pods: Option<usize>,
    /// How many of them run this image and digest.
    pub ready_and_same: Option<usize>,
    /// The image as the pod's spec writes it.
    pub image: Arc<str>,
    /// The digest.
    pub digest: Digest,
}

/// A digest, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// The digest; `None` where nobody names one.
    pub digest: Option<String>,
    /// `spec`, `runtime` or `remembered`; `None` where there is none.
    pub from: Option<String>,
    /// The same in a sentence, or why there is none.
    pub meaning: String,
}

/// A container that does not speak.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Other {
    /// Its pod.
    pub pod: Arc<str>,
    /// The image as the pod's spec writes it.
    pub image: Arc<str>,
    /// The digest that it runs.
    pub digest: Option<String>,
    /// Why it does not speak.
    pub why: String,
}

/// What an image is called in a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// The repository with its registry; `None` where it has no usable name.
    pub name: Option<Arc<str>>,
    /// The tag.
    pub version: Option<Arc<str>>,
    /// Why it has no usable name.
    pub problem: Option<String>,
}

/// What a record is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameOf {
    /// The name.
    pub name: Arc<str>,
    /// `template`, `ledger` or `hash`.
    pub from: String,
    /// The template.
    pub template: String,
    /// The name without a hash, which is another's.
    pub plain: Option<Arc<str>>,
    /// Whose that is, as far as it is known.
    pub taken_by: Option<String>,
}

impl Container {
    pub(super) fn new(part: &Part, time: Time<'_>) -> Self {
        let records = part.records.iter();
        let context = &part.context;
        Self {
            container: part.source.container.clone(),
            row: part.row.map(Row::from),
            standing: part.standing.as_str().to_owned(),
            selected: part.selected.into(),
            not_seen: part.unseen.iter().map(of_view).collect(),
            speaker: part.speaker.as_ref().map(Speaker::from),
            others: part.losers.iter().map(Other::from).collect(),
            more_others: part.more_losers,
            agree: part.agree,
            image: part.image.as_ref().map(Image::from),
            record_name: part.naming.as_ref().map(NameOf::from),
            goes_to: part.to.as_ref().map(To::from),
            repository: context.repository.as_ref().map(Value::from),
            image_label: context.label.as_ref().map(of_label),
            tags: context.tags.iter().map(Tag::from).collect(),
            runtime_risks: context.risks.iter().map(Risk::from).collect(),
            ignore: context.ignore.as_ref().map(Value::from),
            records: records.map(|record| Record::new(record, time)).collect(),
            gaps: part.gaps.iter().map(Gap::from).collect(),
        }
    }
}

fn of_view(view: &View) -> String {
    match view {
        View::Namespaces => "Namespace".to_owned(),
        View::Kind(kind) => kind.to_string(),
    }
}

impl From<sight::Selected> for Selected {
    fn from(selected: sight::Selected) -> Self {
        let why = selected.left_out_by();
        let selected = match selected {
            sight::Selected::Yes => Some(true),
            sight::Selected::No(_) | sight::Selected::JobsOnly => Some(false),
            sight::Selected::Unread => None,
        };
        Self {
            selected,
            reason: why.map(|why| why.as_str().to_owned()),
            setting: why.map(|why| why.setting().to_owned()),
            advice: why.map(|why| why.advice().to_owned()),
        }
    }
}

impl From<&explain::Speaker> for Speaker {
    fn from(speaker: &explain::Speaker) -> Self {
        let (ready, same) = match speaker.speaks_as {
            explain::SpeaksAs::NewestReady { ready, agree } => (Some(ready), Some(agree)),
            explain::SpeaksAs::NewestRunning | explain::SpeaksAs::NewestRun => (None, None),
        };
        Self {
            pod: speaker.pod.clone(),
            ready: speaker.ready,
            speaks_as: speaker.speaks_as.as_str().to_owned(),
            ready_pods: ready,
            ready_and_same: same,
            image: speaker.image.clone(),
            digest: speaker.into(),
        }
    }
}

impl From<&explain::Speaker> for Digest {
    fn from(speaker: &explain::Speaker) -> Self {
        let by_runtime = speaker.image_id == ImageId::Manifest;
        let (from, meaning) = match speaker.digest {
            None => (None, speaker.image_id.meaning()),
            Some(_) if speaker.pinned => (Some("spec"), "the pod's spec is pinned to it"),
            Some(_) if by_runtime => (Some("runtime"), speaker.image_id.meaning()),
            Some(_) => (
                Some("remembered"),
                "the container runtime named it earlier for the same container, and names none now",
            ),
        };
        Self {
            digest: speaker.digest.map(|digest| digest.to_string()),
            from: from.map(str::to_owned),
            meaning: meaning.to_owned(),
        }
    }
}

impl From<&explain::Loser> for Other {
    fn from(loser: &explain::Loser) -> Self {
        Self {
            pod: loser.pod.clone(),
            image: loser.image.clone(),
            digest: loser.digest.map(|digest| digest.to_string()),
            why: loser.lost.as_str().to_owned(),
        }
    }
}

impl From<&explain::Image> for Image {
    fn from(image: &explain::Image) -> Self {
        match image {
            Ok((name, version)) => Self {
                name: Some(name.clone()),
                version: version.clone(),
                problem: None,
            },
            Err((reason, _)) => Self {
                name: None,
                version: None,
                problem: Some(reason.meaning().to_owned()),
            },
        }
    }
}

impl From<&Naming> for NameOf {
    fn from(naming: &Naming) -> Self {
        let (plain, taken_by) = match &naming.origin {
            NameOrigin::Template | NameOrigin::Ledger => (None, None),
            NameOrigin::Hash { plain, of } => (Some(plain.clone()), of.as_ref()),
        };
        Self {
            name: naming.identity.name.clone(),
            from: naming.origin.as_str().to_owned(),
            template: naming.template.clone(),
            plain,
            taken_by: taken_by.map(ToString::to_string),
        }
    }
}

impl From<&(Arc<str>, explain::Origin)> for Value {
    fn from((value, origin): &(Arc<str>, explain::Origin)) -> Self {
        Self {
            value: value.clone(),
            from: Origin::from(origin),
        }
    }
}
