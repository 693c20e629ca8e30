//! Scope: what the presence of a workload depends on, whether all of it is fully seen, and whether
//! a person selected it.

use std::sync::Arc;

use crate::model::context::opts_out;
use crate::model::facts::{Annotations, Namespace, Object};
use crate::model::selection::{KindGroup, Selection};
use crate::model::workload::{Kind, Workload};

use super::Inventory;
use super::crew::{Crew, Team};
use super::sight::{Selected, Unselected};

/// What is known of the object behind a name.
pub(super) enum Presence<T> {
    Present(T),
    Gone,
    Unread,
}

impl<T> Presence<T> {
    pub(super) fn present(&self) -> Option<&T> {
        match self {
            Self::Present(found) => Some(found),
            Self::Gone | Self::Unread => None,
        }
    }
}

/// What a workload's object says.
pub(super) struct Known<'a> {
    /// Whether its labels are selected.
    selected: bool,
    pub(super) annotations: &'a Annotations,
}

impl Inventory {
    pub(super) fn namespace(&self, name: &str) -> Presence<&Arc<Namespace>> {
        if !self.coverage.namespaces.covers(name) {
            return Presence::Unread;
        }
        match self.namespaces.get(name) {
            Some(found) => Presence::Present(found),
            None => Presence::Gone,
        }
    }

    /// The object of `workload`; an error inside for one whose pods are all that can be seen of it:
    /// what is missing to read it.
    pub(super) fn object<'a>(
        &'a self,
        workload: &Workload,
        crew: Option<&'a Crew>,
    ) -> Presence<Result<Known<'a>, &'a Arc<str>>> {
        let kind = &workload.kind;
        if !self.coverage.covers(kind, &workload.namespace) {
            let lacks = crew.and_then(|_| self.lacks(workload));
            return lacks.map_or(Presence::Unread, |lacks| Presence::Present(Err(lacks)));
        }
        let known = if *kind == Kind::Pod {
            let pod = crew.and_then(|crew| crew.pods.first());
            pod.map(|pod| (pod.selected, &pod.annotations))
        } else {
            let object = self.last_seen(workload);
            object.map(|object| (object.selected, &object.annotations))
        };
        match known {
            Some((selected, annotations)) => Presence::Present(Ok(Known {
                selected,
                annotations,
            })),
            None => Presence::Gone,
        }
    }

    /// What is missing to read the object of `workload`, where that is known. Of one that opted out when
    /// it was seen last nothing is said without it: the right to read it may come back in a moment, and
    /// a record never goes away at GitHub.
    fn lacks(&self, workload: &Workload) -> Option<&Arc<str>> {
        let lacks = self.coverage.lacks(&workload.kind, &workload.namespace)?;
        let opted_out = |object: &Arc<Object>| opts_out(&object.annotations);
        let last = self.last_seen(workload);
        (!last.is_some_and(opted_out)).then_some(lacks)
    }

    /// The object of `workload` as it was seen last.
    fn last_seen(&self, workload: &Workload) -> Option<&Arc<Object>> {
        let object = self.objects.get(workload);
        object.or_else(|| self.objects.get(&without_namespace(workload)?))
    }

    /// Whether everything that the presence of `workload` depends on is fully seen. A kind that
    /// cannot be read is asked for only while none of its pods runs; one that is not read yet, always:
    /// it may say that it opts out.
    pub(super) fn covers(&self, workload: &Workload, crew: Option<&Crew>, runs: bool) -> bool {
        let namespace = &*workload.namespace;
        let covers = |kind: &Kind| self.coverage.covers(kind, namespace);
        let kind = &workload.kind;
        let kinds = if runs && self.lacks(workload).is_some() {
            crew.is_some_and(|crew| crew.passed.iter().all(covers))
        } else if !kind.is_built_in() {
            // Who wants only what runs to an end watches neither: their pods restart always.
            let between = [Kind::ReplicaSet, Kind::ReplicationController];
            let mut watched = between.iter().filter(|kind| self.coverage.watches(kind));
            watched.all(covers) && covers(kind)
        } else if *kind == Kind::Deployment {
            covers(&Kind::ReplicaSet) && covers(kind)
        } else if *kind == Kind::CronJob {
            covers(&Kind::Job) && covers(kind)
        } else {
            covers(kind)
        };
        self.coverage.namespaces.covers(namespace) && covers(&Kind::Pod) && kinds
    }
}

/// The same for an owner that stands in no namespace, although its pods do.
fn without_namespace(workload: &Workload) -> Option<Workload> {
    let other = !workload.kind.is_built_in();
    other.then(|| Workload {
        namespace: "".into(),
        ..workload.clone()
    })
}

/// Whether `workload` is selected, images and annotations apart; `by_kind` says whether `--kinds` has it.
pub(super) fn selected(
    workload: &Workload,
    by_kind: Selected,
    namespace: &Presence<&Arc<Namespace>>,
    object: &Presence<Result<Known<'_>, &Arc<str>>>,
    selection: &Selection,
) -> Selected {
    if !selection.has_namespace(&workload.namespace) {
        return Selected::No(Unselected::Namespace);
    }
    if by_kind == Selected::No(Unselected::Kind) {
        return by_kind;
    }
    let mut is_unread = false;
    if selection.by_namespace_labels {
        match namespace {
            Presence::Present(namespace) if !namespace.selected => {
                return Selected::No(Unselected::NamespaceLabels);
            }
            Presence::Present(_) => {}
            Presence::Gone | Presence::Unread => is_unread = true,
        }
    }
    if selection.by_workload_labels {
        match object {
            Presence::Present(Ok(known)) if !known.selected => {
                return Selected::No(Unselected::WorkloadLabels);
            }
            // One that is gone has no labels to go by; it is gone by another row.
            Presence::Present(Ok(_)) | Presence::Gone => {}
            Presence::Present(Err(_)) | Presence::Unread => is_unread = true,
        }
    }
    match by_kind {
        Selected::Yes if is_unread => Selected::Unread,
        by_kind => by_kind,
    }
}

/// Whether `--kinds` has the group of `kind`. Where no pod has the container nobody can say whether
/// those of a kind that is not built in restart always; either group will do then.
pub(super) fn by_kind(kind: &Kind, team: &Team<'_>, selection: &Selection) -> Selected {
    let has = |restarts| selection.rank(KindGroup::of(kind, restarts)).is_some();
    let restarts = team.restarts_always();
    match restarts {
        Some(restarts) if has(restarts) => Selected::Yes,
        None if has(true) || has(false) => Selected::Yes,
        Some(false) if has(true) => Selected::JobsOnly,
        Some(_) | None => Selected::No(Unselected::Kind),
    }
}
