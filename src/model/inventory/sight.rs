//! What is seen of one source: everything that a row of the plan's truth table asks for, each
//! answer only as far as it was really read.

use std::sync::Arc;

use crate::model::context::Context;
use crate::model::evidence::Evidence;
use crate::model::facts::{Annotations, Namespace};
use crate::model::gap::Reason;
use crate::model::image::ImageRef;
use crate::model::policy::Policy;
use crate::model::record::Destination;
use crate::model::selection::{KindGroup, Selection};
use crate::model::workload::{Kind, Source, Workload};

use super::{Crew, Inventory};

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
    pub image: Result<(Arc<str>, Option<Arc<str>>), (Reason, Arc<str>)>,
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
            Selected::No(why) => Selected::No(why),
            _ if !image_chosen => Selected::No(Unselected::Image),
            selected => selected,
        }
    }
}

/// What is known of the object behind a name.
enum Presence<T> {
    Present(T),
    Gone,
    Unread,
}

impl<T> Presence<T> {
    fn present(&self) -> Option<&T> {
        match self {
            Self::Present(found) => Some(found),
            Self::Gone | Self::Unread => None,
        }
    }
}

impl Inventory {
    /// What is seen of `source`, whether or not any pod names it.
    pub fn sight(&self, source: &Source, policy: &Policy) -> Sight {
        let workload = &source.workload;
        let crew = self.crews.get(workload);
        let namespace = self.namespace(&workload.namespace);
        let object = self.object(workload, crew);
        let covered = self.covers(workload, crew);
        let evidence = crew.and_then(|crew| crew.evidence(&source.container));

        let annotations = (
            namespace
                .present()
                .map(|(namespace, _)| &namespace.annotations),
            object
                .present()
                .and_then(Option::as_ref)
                .map(|(_, annotations)| *annotations),
            evidence.as_ref().map(|evidence| &evidence.pod.annotations),
        );
        let context = Context::merge(
            annotations.0,
            annotations.1,
            annotations.2,
            &policy.destination.organization,
        );
        let selected = self.selected(workload, crew, &namespace, &object, policy);
        let selected = match selected {
            Selected::Yes | Selected::Unread if covered && context.ignored => {
                Selected::No(Unselected::OptedOut)
            }
            selected => selected,
        };
        let running = evidence.map(|evidence| {
            let image = name_and_version(&evidence.image, policy);
            let frame = match &namespace {
                Presence::Present((_, destination)) if covered => {
                    Some((destination.clone(), context))
                }
                _ => None,
            };
            let owner_unreadable = !workload.kind.is_built_in();
            Box::new(Running {
                evidence,
                image,
                frame,
                owner_unreadable,
            })
        });
        let pods_read = self.coverage.pods.covers(&workload.namespace);
        let image = running
            .as_ref()
            .filter(|_| pods_read)
            .and_then(|running| running.image.as_ref().ok().map(|(name, _)| name.clone()));
        let standing = match (running, crew) {
            (Some(running), _) => Standing::Runs(running),
            (None, None) => Standing::NoPods,
            (None, Some(crew)) if crew.names(&source.container) => Standing::InSpec,
            (None, Some(crew)) => Standing::Dropped {
                another_runs: crew.runs(),
            },
        };
        Sight {
            namespace_gone: matches!(namespace, Presence::Gone),
            selected,
            covered,
            workload_gone: matches!(object, Presence::Gone),
            standing,
            image,
        }
    }

    fn namespace(&self, name: &str) -> Presence<&(Arc<Namespace>, Arc<Destination>)> {
        match self.namespaces.get(name) {
            _ if !self.coverage.namespaces.covers(name) => Presence::Unread,
            Some(found) => Presence::Present(found),
            None => Presence::Gone,
        }
    }

    /// The object of `workload`: whether its labels are selected, and its annotations. `None`
    /// inside for one that exists and cannot be read.
    #[expect(clippy::type_complexity, reason = "it lives for one screen")]
    fn object<'a>(
        &'a self,
        workload: &Workload,
        crew: Option<&'a Crew>,
    ) -> Presence<Option<(bool, &'a Annotations)>> {
        match &workload.kind {
            kind if !self.coverage.covers(kind, &workload.namespace) => match kind {
                // Its pods are all that can be seen of it.
                Kind::Other { .. } if crew.is_some() => Presence::Present(None),
                _ => Presence::Unread,
            },
            Kind::Pod => match crew.and_then(|crew| crew.pods.first()) {
                Some(pod) => Presence::Present(Some((pod.selected, &pod.annotations))),
                None => Presence::Gone,
            },
            _ => match self.objects.get(workload) {
                Some(object) => Presence::Present(Some((object.selected, &object.annotations))),
                None => Presence::Gone,
            },
        }
    }

    /// Whether everything that the presence of `workload` depends on is fully seen. A kind that
    /// cannot be read is asked for only while none of its pods runs.
    fn covers(&self, workload: &Workload, crew: Option<&Crew>) -> bool {
        let namespace = &*workload.namespace;
        let covers = |kind: &Kind| self.coverage.covers(kind, namespace);
        let kinds = match &workload.kind {
            Kind::Deployment => covers(&Kind::ReplicaSet) && covers(&Kind::Deployment),
            Kind::CronJob => covers(&Kind::Job) && covers(&Kind::CronJob),
            kind @ Kind::Other { .. } => match crew.filter(|crew| crew.runs()) {
                Some(crew) if !covers(kind) => crew.passed.iter().all(covers),
                _ => [&Kind::ReplicaSet, &Kind::ReplicationController, kind]
                    .into_iter()
                    .all(covers),
            },
            kind => covers(kind),
        };
        self.coverage.namespaces.covers(namespace) && covers(&Kind::Pod) && kinds
    }

    fn selected(
        &self,
        workload: &Workload,
        crew: Option<&Crew>,
        namespace: &Presence<&(Arc<Namespace>, Arc<Destination>)>,
        object: &Presence<Option<(bool, &Annotations)>>,
        policy: &Policy,
    ) -> Selected {
        let selection = &policy.selection;
        if !selection.has_namespace(&workload.namespace) {
            return Selected::No(Unselected::Namespace);
        }
        if !kind_selected(&workload.kind, crew, selection) {
            return Selected::No(Unselected::Kind);
        }
        let mut selected = Selected::Yes;
        if selection.by_namespace_labels {
            match namespace {
                Presence::Present((namespace, _)) if !namespace.selected => {
                    return Selected::No(Unselected::NamespaceLabels);
                }
                Presence::Present(_) => {}
                Presence::Gone | Presence::Unread => selected = Selected::Unread,
            }
        }
        if selection.by_workload_labels {
            match object {
                Presence::Present(Some((false, _))) => {
                    return Selected::No(Unselected::WorkloadLabels);
                }
                // One that is gone has no labels to go by; it is gone by another row.
                Presence::Present(Some(_)) | Presence::Gone => {}
                Presence::Present(None) | Presence::Unread => selected = Selected::Unread,
            }
        }
        selected
    }
}

/// Whether `--kinds` has the group of `kind`. Without pods nobody can say whether those of a kind
/// that is not built in restart always; either group will do then.
fn kind_selected(kind: &Kind, crew: Option<&Crew>, selection: &Selection) -> bool {
    let has = |restarts| selection.rank(KindGroup::of(kind, restarts)).is_some();
    match crew {
        Some(crew) => has(crew.restarts_always()),
        None => has(true) || has(false),
    }
}

/// The record's name and version of an image as a pod's spec writes it.
fn name_and_version(
    image: &str,
    policy: &Policy,
) -> Result<(Arc<str>, Option<Arc<str>>), (Reason, Arc<str>)> {
    let Some(image) = ImageRef::parse(image) else {
        return Err((Reason::InvalidImage, image.into()));
    };
    let name = policy.image_map.apply(&image.name);
    if name.len() > 256 {
        return Err((Reason::NameTooLong, name));
    }
    Ok((name, image.tag.filter(|tag| tag.len() <= 100)))
}
