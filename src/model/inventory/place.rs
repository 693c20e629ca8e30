//! Places: where the records of each namespace and each image go. One destination has one spelling
//! and is one value, however many sources have it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::model::facts::{Facts, Namespace, Pod};
use crate::model::organization::{Chosen, Ruling};
use crate::model::policy::Policy;
use crate::model::record::Destination;

use super::sight::name_and_version;

/// Where records go.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// Where they go where no rule for an image says otherwise, by namespace.
    of_namespaces: HashMap<Arc<str>, Arc<Destination>>,
    /// What the rules say of each image as written, where there are rules. `None`: it has no name.
    rulings: HashMap<Arc<str>, Option<Ruling>>,
    /// Where the images of a namespace go otherwise.
    otherwise: BTreeMap<Arc<str>, BTreeSet<Arc<Destination>>>,
    /// All of them, each once.
    known: BTreeSet<Arc<Destination>>,
    /// Whether rules say where images go.
    by_image: bool,
}

impl Places {
    /// Every place that something of `facts` may have.
    pub(super) fn new(facts: &Facts, policy: &Policy) -> Self {
        let mut places = Self {
            known: BTreeSet::from([policy.destination.clone()]),
            by_image: !policy.organizations.is_empty(),
            ..Self::default()
        };
        let mut namespaces: Vec<&Arc<Namespace>> = facts.namespaces.iter().collect();
        namespaces.sort_by(|one, other| one.name.cmp(&other.name));
        for namespace in namespaces {
            let place = places.one(of_namespace(namespace, policy));
            let name = namespace.name.clone();
            places.of_namespaces.insert(name, place);
        }
        if places.by_image {
            places.note_images(facts, policy);
        }
        places
    }

    /// Where the images of all pods go. In a fixed order, since the first spells a destination.
    fn note_images(&mut self, facts: &Facts, policy: &Policy) {
        let remembered = facts.remembered.iter().map(|(_, pod)| pod);
        let mut named = BTreeSet::new();
        for pod in facts.pods.iter().chain(remembered) {
            named.extend(self.organizations_of(pod, policy));
        }
        for (namespace, organization) in named {
            let Some(base) = self.of_namespaces.get(&namespace) else {
                continue;
            };
            let place = self.one(elsewhere(base, &organization));
            self.otherwise.entry(namespace).or_default().insert(place);
        }
    }

    /// The organizations that rules give the images of a pod.
    fn organizations_of(&mut self, pod: &Pod, policy: &Policy) -> Vec<(Arc<str>, Arc<str>)> {
        let mut named = Vec::new();
        for container in &pod.containers {
            let image = &container.image;
            if !self.rulings.contains_key(image) {
                let name = name_and_version(image, policy).ok();
                let ruling = name.map(|(name, _)| policy.organizations.of_image(&name));
                self.rulings.insert(image.clone(), ruling);
            }
            if let Some(Some(Ruling::Organization { name, .. })) = self.rulings.get(image) {
                named.push((pod.namespace.clone(), name.clone()));
            }
        }
        named
    }

    /// The one value of a destination.
    fn one(&mut self, made: Destination) -> Arc<Destination> {
        if let Some(known) = self.known.get(&made) {
            return known.clone();
        }
        let made = Arc::new(made);
        self.known.insert(made.clone());
        made
    }

    /// Where the records of a namespace go where no rule for an image says otherwise.
    pub(super) fn of_namespace(&self, namespace: &str) -> Option<Arc<Destination>> {
        self.of_namespaces.get(namespace).cloned()
    }

    /// Where what runs `image`, as a spec writes it, goes from `namespace`; `None` where rules
    /// decide and nobody knows which of them.
    pub(super) fn of(&self, namespace: &str, image: Option<&str>) -> Option<Arc<Destination>> {
        let base = self.of_namespaces.get(namespace)?;
        if !self.by_image {
            return Some(base.clone());
        }
        match self.rulings.get(image?)?.as_ref()? {
            Ruling::Organization { name, .. } => {
                let place = elsewhere(base, name);
                let known = self.known.get(&place).cloned();
                Some(known.unwrap_or_else(|| Arc::new(place)))
            }
            Ruling::Silent | Ruling::Unusable(_) => Some(base.clone()),
        }
    }

    /// What of the organization of `image` in `namespace` could not be used, for people.
    pub(super) fn unusable(
        &self,
        namespace: &Namespace,
        image: &str,
        policy: &Policy,
    ) -> impl Iterator<Item = String> + use<> {
        let ruling = self.rulings.get(image).cloned().flatten();
        let label = namespace.organization.as_ref();
        let default = &policy.destination.organization;
        let chosen = Chosen::new(ruling.unwrap_or(Ruling::Silent), label, default);
        chosen.unusable.into_iter().map(|it| it.to_string())
    }

    /// Where the records of a namespace go, those of images that rules send elsewhere included.
    pub(super) fn all_of(&self, namespace: &str) -> impl Iterator<Item = &Arc<Destination>> {
        let otherwise = self.otherwise.get(namespace).into_iter().flatten();
        self.of_namespaces
            .get(namespace)
            .into_iter()
            .chain(otherwise)
    }
}

/// Where the records of a namespace go: to the default destination, unless its labels say otherwise.
fn of_namespace(namespace: &Namespace, policy: &Policy) -> Destination {
    let default = &policy.destination;
    let label = namespace.organization.as_ref();
    let chosen = Chosen::new(Ruling::Silent, label, &default.organization);
    let logical = namespace.logical_environment.as_ref();
    let physical = namespace.physical_environment.as_ref();
    Destination {
        organization: chosen.organization,
        logical_environment: logical.unwrap_or(&default.logical_environment).clone(),
        physical_environment: physical.or(default.physical_environment.as_ref()).cloned(),
        ..Destination::clone(default)
    }
}

/// The same place in another organization.
pub(super) fn elsewhere(base: &Destination, organization: &Arc<str>) -> Destination {
    Destination {
        organization: organization.clone(),
        ..base.clone()
    }
}
