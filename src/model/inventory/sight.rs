//! What is seen of one source: everything that a row of the plan's truth table asks for, each
//! answer only as far as it was really read.

use std::sync::Arc;

use crate::model::context::Context;
use crate::model::evidence::Evidence;
use crate::model::exposure::Exposed;
use crate::model::facts::{Namespace, Pod};
use crate::model::gap::Reason;
use crate::model::image::ImageRef;
use crate::model::organization::Ruling;
use crate::model::policy::Policy;
use crate::model::record::Destination;
use crate::model::workload::{Kind, Source, Workload};

use super::crew::{self, Team};
use super::place;
use super::scope::{Known, Presence, selected};
use super::{Inventory, Stray};

/// An image's normalised name and its version.
pub type NameAndVersion = (Arc<str>, Option<Arc<str>>);

/// What is seen of one source.
#[derive(Debug)]
pub struct Sight {
    /// Whether its namespace is missing from a complete view of namespaces.
    pub namespace_gone: bool,
    /// Whether it is selected, the image apart: see [`Sight::selected`].
    selected: Selected,
    /// Whether everything that its presence depends on is fully seen.
    pub covered: bool,
    /// Whether its workload is missing from a complete view of its kind.
    pub workload_gone: bool,
    /// Where its record goes now, by its namespace and by the image of the evidence, else of the
    /// newest pod that names the container; `None` where not all that decides it is known.
    pub place: Option<Arc<Destination>>,
    /// Where it goes by its namespace alone; `None` where that was not read.
    place_by_namespace: Option<Arc<Destination>>,
    /// What its pods say.
    pub standing: Standing,
    /// The image's name, of the evidence, else of the newest pod that names the container.
    image: Option<Arc<str>>,
}

/// What the pods of a workload say about one of its containers.
#[derive(Debug)]
pub enum Standing {
    /// It has evidence.
    Runs(Box<Running>),
    /// It stands in some pod's spec and has no evidence, or in that of one that may be of its workload.
    InSpec,
    /// There are pods, and it stands in the spec of none of them.
    Dropped {
        /// Whether one of the pods runs.
        another_runs: bool,
    },
    /// There is no pod.
    NoPods,
}

/// A source with evidence.
#[derive(Debug)]
pub struct Running {
    /// The container that speaks for it.
    pub evidence: Evidence,
    /// The image's normalised name and its version, or why it has none.
    pub image: Result<NameAndVersion, (Reason, Arc<str>)>,
    /// Where its record goes and what it says besides the image; `None` where not all that decides
    /// it was read.
    pub frame: Option<(Arc<Destination>, Context)>,
    /// What is missing to read the workload, if it is of a kind that cannot be read.
    pub owner_lacks: Option<Arc<str>>,
    /// Whether traffic from outside reaches its workload.
    pub exposed: Exposed,
}

/// Whether a source is selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selected {
    /// It is.
    Yes,
    /// It is not.
    No(Unselected),
    /// It is not, as far as pods name it: those are jobs', which `--kinds` leaves out, of an owner of a kind that
    /// is not built in. A record of it may be one of the owner's servers, which are selected.
    JobsOnly,
    /// What decides it was not read.
    Unread,
}

impl Selected {
    /// Why what pods name is not selected, if it is not.
    pub fn left_out_by(self) -> Option<Unselected> {
        match self {
            Self::No(why) => Some(why),
            Self::JobsOnly => Some(Unselected::Kind),
            Self::Yes | Self::Unread => None,
        }
    }
}

/// Why a source is not selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unselected {
    /// `--namespaces` or `--exclude-namespaces`.
    Namespace,
    /// `--namespace-selector`.
    NamespaceLabels,
    /// `--kinds`.
    Kind,
    /// `--selector`.
    WorkloadLabels,
    /// `--images` or `--exclude-images`.
    Image,
    /// The annotation `ignore`.
    OptedOut,
}

impl Unselected {
    /// Every reason.
    pub const ALL: [Self; 6] = [
        Self::Namespace,
        Self::NamespaceLabels,
        Self::Kind,
        Self::WorkloadLabels,
        Self::Image,
        Self::OptedOut,
    ];

    /// Its name in counts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Namespace => "namespace",
            Self::NamespaceLabels => "namespace-labels",
            Self::Kind => "kind",
            Self::WorkloadLabels => "workload-labels",
            Self::Image => "image",
            Self::OptedOut => "opted-out",
        }
    }
}

impl Sight {
    /// Whether the source is selected; `held` is the image's name as GitHub holds it. Evidence
    /// speaks alone. Without it every name that is known has to be out: `held` may be from before
    /// `--image-map`, or the one that another source gave their digest.
    pub fn selected(&self, held: Option<&Arc<str>>, policy: &Policy) -> Selected {
        let chosen = |image: &Arc<str>| policy.selection.has_image(image);
        let speaks = self.image.is_some() && matches!(self.standing, Standing::Runs(_));
        let held = held.filter(|_| !speaks);
        let mapped = held.map(|held| policy.image_map.apply(held));
        let mut known = self.image.iter().chain(held).chain(&mapped).peekable();
        let image_chosen = known.peek().is_none() || known.any(chosen);
        match self.selected {
            Selected::No(_) => self.selected,
            _ if !image_chosen => Selected::No(Unselected::Image),
            selected @ (Selected::Yes | Selected::JobsOnly | Selected::Unread) => selected,
        }
    }
}

impl Sight {
    /// Where its record goes now, as far as that is known. `held` is the image's name as GitHub
    /// holds it under one of its records: where no pod names the image any more, that decides.
    pub fn place_of(&self, held: &Arc<str>, policy: &Policy) -> Option<Arc<Destination>> {
        let by_held = || {
            let base = self.place_by_namespace.as_ref()?;
            let image = policy.image_map.apply(held);
            Some(match policy.organizations.of_image(&image) {
                Ruling::Organization { name, .. } => Arc::new(place::elsewhere(base, &name)),
                Ruling::Silent | Ruling::Unusable(_) => base.clone(),
            })
        };
        self.place.clone().or_else(by_held)
    }
}

impl Inventory {
    /// What is seen of `source`, whether or not any pod names it.
    pub fn sight(&self, source: &Source, policy: &Policy) -> Sight {
        let workload = &source.workload;
        let crew = self.crews.get(workload);
        let (team, by_kind) = crew::speaking(crew, source, &policy.selection);
        let namespace = self.namespace(&workload.namespace);
        let object = self.object(workload, crew);
        let by_settings = selected(workload, by_kind, &namespace, &object, &policy.selection);
        let covered = self.covers(workload, crew, team.runs());
        let evidence = team.evidence();
        let speaker = evidence.as_ref().map(|it| (&it.pod, &it.image));
        // Who opted in or out says so in the pods' template, whether or not they run yet.
        let speaker = speaker.or_else(|| team.newest_named());
        // The pod has the last word; without one it is unread. Who opts out for a whole namespace may
        // have excepted this source in the template of its pods, which nobody reads.
        let written = speaker.map(|(_, image)| &**image);
        let known = namespace.present().map(|found| &*found.name);
        let place = known.and_then(|name| self.places.of(name, written));
        let of = place.as_ref().unwrap_or(&policy.destination);
        let mut context = speaker.map(|(pod, image)| {
            let said = context(pod, &namespace, &object, &of.organization);
            self.with_unusable(said, &namespace, image, policy)
        });
        let ignored = context.as_ref().is_some_and(|context| context.ignored);
        let selected = match by_settings {
            Selected::No(_) => by_settings,
            _ if covered && ignored => Selected::No(Unselected::OptedOut),
            Selected::Yes | Selected::JobsOnly | Selected::Unread => by_settings,
        };
        let image = speaker.map(|(_, image)| name_and_version(image, policy));
        let name = image
            .as_ref()
            .and_then(|image| Some(image.as_ref().ok()?.0.clone()));
        let spoken = evidence.as_ref().zip(place.as_deref());
        self.find_repository(context.as_mut().zip(name.as_ref()), spoken, policy);
        let running = evidence.zip(image).map(|(evidence, image)| {
            Box::new(Running {
                evidence,
                image,
                frame: place.clone().filter(|_| covered).zip(context),
                owner_lacks: match object {
                    Presence::Present(Err(lacks)) => Some(lacks.clone()),
                    Presence::Present(Ok(_)) | Presence::Gone | Presence::Unread => None,
                },
                exposed: crew.map(|crew| crew.exposed.clone()).unwrap_or_default(),
            })
        });
        let pods_read = self.coverage.pods.covers(&workload.namespace);
        Sight {
            namespace_gone: matches!(namespace, Presence::Gone),
            selected,
            covered,
            workload_gone: matches!(object, Presence::Gone),
            place,
            place_by_namespace: known.and_then(|name| self.places.of_namespace(name)),
            image: name.filter(|_| pods_read),
            standing: standing(running, &team, || {
                covered && self.may_stand_in_a_stray(source)
            }),
        }
    }

    /// Whether `source` stands in the spec of a pod whose owner is not seen and may be of its workload: what
    /// a controller makes in between is called after it (`web-6d5f9c`, `backup-29384756`), except for
    /// the Jobs of an operator, which it calls as it likes.
    fn may_stand_in_a_stray(&self, source: &Source) -> bool {
        let Workload {
            kind,
            namespace,
            name,
        } = &source.workload;
        self.strays.iter().any(|Stray { pod, owner, .. }| {
            let behind = owner.name.strip_prefix(&**name);
            let is_called_after = behind.is_some_and(|rest| rest.starts_with('-'));
            let is_an_operators = !kind.is_built_in() && owner.kind == Kind::Job;
            owner.kind.is_passed_through()
                && owner.kind != *kind
                && pod.namespace == *namespace
                && (is_called_after || is_an_operators)
                && crew::counts(pod, kind)
                && pod.container(&source.container).is_some()
        })
    }

    /// Where no annotation names the repository: by the image's name, else by what the image says.
    fn find_repository(
        &self,
        known: Option<(&mut Context, &Arc<str>)>,
        speaker: Option<(&Evidence, &Destination)>,
        policy: &Policy,
    ) {
        let Some((context, name)) = known else {
            return;
        };
        context.map_repository(name, &policy.repositories);
        let speaker = speaker.filter(|_| policy.reads_labels);
        if let Some((digest, place)) = speaker.and_then(|(it, place)| Some((it.digest?, place))) {
            context.read_label(self.labels.get(&digest), place);
        }
    }
}

impl Inventory {
    /// What is said of the organization of an image and is no name of one is a Gap.
    fn with_unusable(
        &self,
        mut context: Context,
        namespace: &Presence<&Arc<Namespace>>,
        image: &str,
        policy: &Policy,
    ) -> Context {
        let unusable = namespace.present().into_iter();
        let unusable = unusable.flat_map(|found| self.places.unusable(found, image, policy));
        let gap = |detail: String| (Reason::InvalidOrganization, detail.into());
        context.gaps.extend(unusable.map(gap));
        context
    }
}

/// What `pod` and those above it say, as far as each is read.
fn context(
    pod: &Pod,
    namespace: &Presence<&Arc<Namespace>>,
    object: &Presence<Result<Known<'_>, &Arc<str>>>,
    organization: &str,
) -> Context {
    let namespace = namespace.present().map(|found| &found.annotations);
    let object = object.present().and_then(|known| known.as_ref().ok());
    Context::merge(
        namespace,
        object.map(|known| known.annotations),
        Some(&pod.annotations),
        organization,
    )
}

fn standing(
    running: Option<Box<Running>>,
    team: &Team<'_>,
    may_stand_elsewhere: impl FnOnce() -> bool,
) -> Standing {
    match running {
        Some(running) => Standing::Runs(running),
        None if team.newest_named().is_some() || may_stand_elsewhere() => Standing::InSpec,
        None if team.is_empty() => Standing::NoPods,
        None => Standing::Dropped {
            another_runs: team.runs(),
        },
    }
}

/// The record's name and version of an image as a pod's spec writes it.
pub(super) fn name_and_version(
    image: &str,
    policy: &Policy,
) -> Result<NameAndVersion, (Reason, Arc<str>)> {
    let Some(image) = ImageRef::parse(image) else {
        return Err((Reason::InvalidImage, image.into()));
    };
    let name = policy.image_map.apply(&image.name);
    if name.len() > 256 {
        return Err((Reason::NameTooLong, name));
    }
    Ok((name, image.tag.filter(|tag| tag.len() <= 100)))
}
