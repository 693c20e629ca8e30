//! Origins: where each thing that a record says comes from. What counts is decided in `context` and
//! `inventory`; here the same answer is looked for in one object after the other.

use std::sync::Arc;

use crate::model::exposure::{Door, DoorState};
use crate::model::facts::Annotations;
use crate::model::inventory::look::Level;
use crate::model::organization::{self, Chosen, Ruling};
use crate::model::origin;
use crate::model::record::{Body, Destination};
use crate::model::risk::Risk;
use crate::model::workload::Source;

use super::View;

/// Where something comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A setting, by its flag.
    Setting(&'static str),
    /// A label of the namespace, which that setting names.
    Label(&'static str),
    /// An annotation, by what is behind `metadata.github.com/`.
    Annotation {
        /// Whose.
        on: Level,
        /// Which.
        key: Arc<str>,
    },
    /// A rule of a setting.
    Rule {
        /// The flag.
        flag: &'static str,
        /// The rule, as typed.
        rule: Arc<str>,
    },
    /// What the image's label `org.opencontainers.image.source` says.
    ImageLabel(Arc<str>),
    /// What leads traffic from outside to its pods, from the outside in.
    Door(Door),
    /// What GitHub holds, because what else would say it cannot be read.
    Held,
}

/// Where a record goes, part by part.
#[derive(Clone, Debug)]
pub struct To {
    /// The place.
    pub destination: Arc<Destination>,
    /// Where the organization comes from.
    pub organization: Origin,
    /// Where the logical environment comes from.
    pub logical_environment: Origin,
    /// Where the physical environment comes from; `None` where there is none.
    pub physical_environment: Option<Origin>,
}

/// A tag.
#[derive(Clone, Debug)]
pub struct Tag {
    /// Its key.
    pub key: Arc<str>,
    /// Its value.
    pub value: Arc<str>,
    /// Where it comes from.
    pub origin: Origin,
}

/// Why an image's label names no repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Label {
    /// It points to no repository of the record's organization.
    Elsewhere(Arc<str>),
    /// It is not read yet.
    Unread,
}

/// What a record says besides the image.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// The repository.
    pub repository: Option<(Arc<str>, Origin)>,
    /// Why the image's label names no repository, where it was to.
    pub label: Option<Label>,
    /// The tags, by key.
    pub tags: Vec<Tag>,
    /// The risks, each with every place that names it.
    pub risks: Vec<(Risk, Vec<Origin>)>,
    /// The annotation that opts out or in, with its value, if there is one.
    pub ignore: Option<(Arc<str>, Origin)>,
}

/// Annotations that count, the nearest to the pod last.
type Levels<'a> = [(Level, &'a Annotations)];

impl Context {
    /// Where each thing that `body` says comes from; `repository`: what was found for it; `doors`: what
    /// may lead traffic to its pods.
    pub(super) fn of(
        body: Option<&Body>,
        levels: &Levels<'_>,
        repository: Option<&origin::Origin>,
        doors: &[Door],
    ) -> Self {
        let ignore = nearest(levels, "ignore");
        let mut context = Self {
            ignore: ignore.map(|(value, origin)| (value.clone(), origin)),
            ..Self::default()
        };
        let Some(body) = body else { return context };
        let origin = |key: &str| nearest(levels, key).map_or(Origin::Held, |(_, origin)| origin);
        let of_repository = match repository {
            Some(origin::Origin::Rule(rule)) => Origin::Rule {
                flag: "--repository-map",
                rule: rule.clone(),
            },
            Some(origin::Origin::Label(text)) => Origin::ImageLabel(text.clone()),
            None
            | Some(
                origin::Origin::Nothing
                | origin::Origin::Annotation(_)
                | origin::Origin::Elsewhere(_)
                | origin::Origin::Unread,
            ) => origin("repository"),
        };
        context.label = match repository {
            Some(origin::Origin::Elsewhere(text)) => Some(Label::Elsewhere(text.clone())),
            Some(origin::Origin::Unread) => Some(Label::Unread),
            _ => None,
        };
        let name = body.repository.clone();
        context.repository = name.map(|name| (name, of_repository));
        context.tags = body
            .tags
            .iter()
            .map(|(key, value)| Tag {
                key: key.clone(),
                value: value.clone(),
                origin: origin(key),
            })
            .collect();
        let risks = body.risks.iter();
        context.risks = risks
            .map(|risk| (risk, of_risk(levels, doors, risk)))
            .collect();
        context
    }
}

/// The nearest annotation of that key.
fn nearest<'a>(levels: &Levels<'a>, key: &str) -> Option<(&'a Arc<str>, Origin)> {
    let mut levels = levels.iter().rev();
    levels.find_map(|(level, annotations)| {
        let value = annotations.get(key)?;
        Some((value, annotation(level, key)))
    })
}

/// Every annotation that names `risk`, and what lets traffic in where that is the risk.
fn of_risk(levels: &Levels<'_>, doors: &[Door], risk: Risk) -> Vec<Origin> {
    const KEY: &str = "runtime-risks";
    let names = |list: &str| list.split(',').any(|word| word.trim() == risk.as_str());
    let naming = levels.iter().filter(|(_, annotations)| {
        let list = annotations.get(KEY);
        list.is_some_and(|list| names(list))
    });
    let mut origins: Vec<Origin> = naming.map(|(level, _)| annotation(level, KEY)).collect();
    if risk == Risk::InternetExposed {
        let open = doors.iter().filter(|door| door.state == DoorState::Open);
        origins.extend(open.map(|door| Origin::Door(door.clone())));
    }
    if origins.is_empty() {
        return vec![Origin::Held];
    }
    origins
}

fn annotation(level: &Level, key: &str) -> Origin {
    Origin::Annotation {
        on: level.clone(),
        key: key.into(),
    }
}

impl View<'_> {
    /// Where the records of `source` go, if its namespace is read; `image` is what its image is called
    /// in a record.
    pub(super) fn place(
        &self,
        source: &Source,
        place: Option<Arc<Destination>>,
        image: Option<&Arc<str>>,
    ) -> Option<To> {
        let policy = self.books.policy;
        let namespace = self.inventory.known_namespace(&source.workload.namespace)?;
        let destination = place?;
        let ruling = image.map(|image| policy.organizations.of_image(image));
        let label = namespace.organization.as_ref();
        let default = &policy.destination.organization;
        let chosen = Chosen::new(ruling.unwrap_or(Ruling::Silent), label, default);
        let of = |label: bool, of_label, flag| {
            if label {
                Origin::Label(of_label)
            } else {
                Origin::Setting(flag)
            }
        };
        let physical = destination.physical_environment.is_some().then(|| {
            of(
                namespace.physical_environment.is_some(),
                "--physical-environment-label",
                "--physical-environment",
            )
        });
        Some(To {
            organization: match chosen.origin {
                organization::Origin::Default => Origin::Setting("--org"),
                organization::Origin::Label => Origin::Label("--org-label"),
                organization::Origin::Rule(rule) => Origin::Rule {
                    flag: "--org-map",
                    rule,
                },
            },
            logical_environment: of(
                namespace.logical_environment.is_some(),
                "--logical-environment-label",
                "--logical-environment",
            ),
            physical_environment: physical,
            destination,
        })
    }
}
