//! Scope: which part of a cluster is looked at, and how labels are read. Every choice is made on
//! our side: whatever a server leaves out of a watch (by a field or label selector) it would report
//! as deleted when it leaves the selection, and gone means something here.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::exposure::links::Link;
use crate::model::selection::Selection;
use crate::model::workload::Kind;

use super::labels::LabelSelector;
use super::namespace_kind;
use super::place::Place;

/// Which part of a cluster is looked at.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Namespaces, images and kinds.
    pub selection: Selection,
    /// `--selector`, on the labels of workload objects.
    pub workload_labels: Option<LabelSelector>,
    /// `--namespace-selector`, on the labels of Namespaces.
    pub namespace_labels: Option<LabelSelector>,
    /// `--logical-environment-label`: the label of a Namespace that overrides the environment.
    pub logical_environment_label: Option<String>,
    /// `--physical-environment-label`.
    pub physical_environment_label: Option<String>,
    /// `--org-label`: the label of a Namespace that names the organization of its records.
    pub organization_label: Option<String>,
    /// Whether pull secrets may be read, of the pods that are looked at and their service accounts.
    pub pull_secrets: bool,
}

impl Scope {
    /// The kinds of owners to look at, each once.
    pub fn kinds(&self) -> Vec<Kind> {
        let groups = || self.selection.kinds.iter();
        let wanted = |kind: &Kind| groups().any(|group| group.watched().contains(kind));
        Kind::OWNERS.into_iter().filter(wanted).collect()
    }

    /// The kinds of objects to look at that lead traffic to pods, each once.
    pub fn links(&self) -> Vec<Link> {
        let ways = || self.selection.ways.iter();
        let wanted = |link: &Link| ways().any(|way| way.links().contains(link));
        Link::ALL.into_iter().filter(wanted).collect()
    }

    /// The namespaces to look at one by one; `None` for the whole cluster.
    pub fn exact_namespaces(&self) -> Option<Vec<Arc<str>>> {
        let mut names = self.selection.exact_namespaces()?;
        names.sort();
        names.dedup();
        Some(names)
    }

    /// What is watched: pods first, then each kind of owners, then what leads traffic to pods, then
    /// Namespaces, unless they are looked at one by one.
    pub(super) fn watched(&self) -> Vec<Place> {
        let exact = self.exact_namespaces();
        let places: Vec<Option<Arc<str>>> = match &exact {
            Some(names) => names.iter().cloned().map(Some).collect(),
            None => vec![None],
        };
        let links = self.links().into_iter().map(Kind::from);
        let kinds = std::iter::once(Kind::Pod).chain(self.kinds()).chain(links);
        let in_each = |kind: Kind| {
            places.iter().map(move |namespace| Place {
                kind: kind.clone(),
                namespace: namespace.clone(),
            })
        };
        let mut watched: Vec<Place> = kinds.flat_map(in_each).collect();
        if exact.is_none() {
            watched.push(Place {
                kind: namespace_kind(),
                namespace: None,
            });
        }
        watched
    }

    /// Whether a workload object with these labels is selected.
    pub(super) fn selects_workload(&self, labels: &BTreeMap<String, String>) -> bool {
        self.workload_labels
            .as_ref()
            .is_none_or(|selector| selector.matches(labels))
    }

    /// Whether a Namespace with these labels is selected.
    pub(super) fn selects_namespace(&self, labels: &BTreeMap<String, String>) -> bool {
        self.namespace_labels
            .as_ref()
            .is_none_or(|selector| selector.matches(labels))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::selection::{KindGroup, Pattern};

    #[test]
    fn a_kind_that_several_groups_need_is_looked_at_once() {
        let kinds = vec![
            KindGroup::ReplicaSets,
            KindGroup::Deployments,
            KindGroup::Others,
        ];
        let scope = Scope {
            selection: Selection {
                kinds,
                ..Selection::default()
            },
            ..Scope::default()
        };
        assert_eq!(
            scope.kinds(),
            [
                Kind::Deployment,
                Kind::ReplicaSet,
                Kind::ReplicationController
            ]
        );
    }

    #[test]
    fn a_namespace_that_is_named_twice_is_looked_at_once() {
        let namespaces = ["b", "a", "b"].map(Pattern::new).to_vec();
        let selection = Selection {
            namespaces,
            ..Selection::default()
        };
        let scope = Scope {
            selection,
            ..Scope::default()
        };
        assert_eq!(scope.exact_namespaces(), Some(vec!["a".into(), "b".into()]));
    }
}
