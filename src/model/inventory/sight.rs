//! What is seen of one source: everything that a row of the plan's truth table asks for, each
//! answer only as far as it was really read.

use std::sync::Arc;

use crate::model::context::Context;
use crate::model::evidence::Evidence;
use crate::model::gap::Reason;
use crate::model::image::ImageRef;
use crate::model::policy::Policy;
use crate::model::record::Destination;
use crate::model::selection::Selection;
use crate::model::workload::Source;

use super::Inventory;
use super::crew::Team;
use super::scope::{Presence, selected};

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
    /// Where the records of its namespace go now; `None` where that was not read.
    pub place: Option<Arc<Destination>>,
    /// What its pods say.
    pub standing: Standing,
    image: Option<Arc<str>>,
}

/// What the pods of a workload say about one of its containers.
#[derive(Debug)]
pub enum Standing {
    /// It has evidence.
    Runs(Box<Running>),
    /// It stands in some pod's spec and has no evidence.
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
    /// Whether the workload is of a kind that cannot be read.
    pub owner_unreadable: bool,
}

/// Whether a source is selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selected {
    /// It is.
    Yes,
    /// It is not.
    No(Unselected),
    /// What decides it was not read.
    Unread,
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
    /// Whether the source is selected; `held` is the image's name as GitHub holds it, for a source
    /// whose evidence is not known.
    pub fn selected(&self, held: Option<&str>, selection: &Selection) -> Selected {
        let image = self.image.as_deref().or(held);
        let image_chosen = image.is_none_or(|image| selection.has_image(image));
        match self.selected {
            Selected::Yes | Selected::Unread if !image_chosen => Selected::No(Unselected::Image),
            selected @ (Selected::Yes | Selected::Unread | Selected::No(_)) => selected,
        }
    }
}

impl Inventory {
    /// What is seen of `source`, whether or not any pod names it.
    pub fn sight(&self, source: &Source, policy: &Policy) -> Sight {
        let workload = &source.workload;
        let crew = self.crews.get(workload);
        let team = crew.map_or_else(Team::empty, |crew| {
            crew.team(&workload.kind, &source.container)
        });
        let namespace = self.namespace(&workload.namespace);
        let object = self.object(workload, crew);
        let covered = self.covers(workload, crew, team.runs());
        let evidence = team.evidence();

        let speaker = evidence.as_ref().map(|evidence| &evidence.pod);
        // Who opted in or out says so in the pods' template, whether or not they run yet.
        let speaker = speaker.or_else(|| team.newest_named());
        // The pod has the last word; without one it is unread. Who opts out for a whole namespace may
        // have excepted this source in the template of its pods, which nobody reads.
        let context = speaker.map(|pod| {
            Context::merge(
                namespace.present().map(|(found, _)| &found.annotations),
                object
                    .present()
                    .and_then(Option::as_ref)
                    .map(|known| known.annotations),
                Some(&pod.annotations),
                &policy.destination.organization,
            )
        });
        let ignored = context.as_ref().is_some_and(|context| context.ignored);
        let selected = match selected(workload, &team, &namespace, &object, policy) {
            Selected::Yes | Selected::Unread if covered && ignored => {
                Selected::No(Unselected::OptedOut)
            }
            selected @ (Selected::Yes | Selected::Unread | Selected::No(_)) => selected,
        };
        let place = namespace.present().map(|(_, place)| place.clone());
        let running = evidence.map(|evidence| {
            let image = name_and_version(&evidence.image, policy);
            Box::new(Running {
                evidence,
                image,
                frame: place.clone().filter(|_| covered).zip(context),
                owner_unreadable: matches!(object, Presence::Present(None)),
            })
        });
        let pods_read = self.coverage.pods.covers(&workload.namespace);
        let read = running.as_ref().filter(|_| pods_read);
        let image = read.and_then(|running| running.image.as_ref().ok());
        Sight {
            namespace_gone: matches!(namespace, Presence::Gone),
            selected,
            covered,
            workload_gone: matches!(object, Presence::Gone),
            place,
            image: image.map(|(name, _)| name.clone()),
            standing: standing(running, &team),
        }
    }
}

fn standing(running: Option<Box<Running>>, team: &Team<'_>) -> Standing {
    match running {
        Some(running) => Standing::Runs(running),
        None if team.is_empty() => Standing::NoPods,
        None if team.newest_named().is_some() => Standing::InSpec,
        None => Standing::Dropped {
            another_runs: team.runs(),
        },
    }
}

/// The record's name and version of an image as a pod's spec writes it.
fn name_and_version(image: &str, policy: &Policy) -> Result<NameAndVersion, (Reason, Arc<str>)> {
    let Some(image) = ImageRef::parse(image) else {
        return Err((Reason::InvalidImage, image.into()));
    };
    let name = policy.image_map.apply(&image.name);
    if name.len() > 256 {
        return Err((Reason::NameTooLong, name));
    }
    Ok((name, image.tag.filter(|tag| tag.len() <= 100)))
}
