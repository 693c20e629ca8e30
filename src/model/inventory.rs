//! Inventory: per source what is there, which container speaks for it and in which context. No
//! names of records, no ledger: what to do about it is decided in `plan`.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::exposure::Exposure;
use super::facts::{Coverage, Facts, Namespace, Object, OwnerRef, Pod};
use super::image::Digest;
use super::origin::Labels;
use super::policy::Policy;
use super::record::Destination;
use super::selection::Selection;
use super::workload::{Kind, Owners, Source, Walk, Workload, walk};

mod crew;
mod exposure;
pub mod look;
mod place;
mod scope;
pub mod sight;

pub use exposure::Reach;

use crew::Crew;
use place::Places;

/// What the facts say, by workload.
#[derive(Debug)]
pub struct Inventory {
    crews: BTreeMap<Workload, Crew>,
    objects: BTreeMap<Workload, Arc<Object>>,
    namespaces: HashMap<Arc<str>, Arc<Namespace>>,
    places: Places,
    coverage: Coverage,
    strays: Vec<Stray>,
    unwatched: HashSet<(Arc<str>, Arc<str>)>,
    digests: BTreeSet<Digest>,
    exposure: Option<Exposure>,
    labels: Arc<Labels>,
}

/// A pod whose workload is not known.
#[derive(Clone, Debug)]
pub struct Stray {
    /// The pod.
    pub pod: Arc<Pod>,
    /// The owner that was not found.
    pub owner: OwnerRef,
    /// Whether the owner is missing from a complete view of its kind.
    pub orphan: bool,
}

impl Inventory {
    /// Takes stock of `facts`. The order of what is in them does not matter.
    pub fn new(facts: &Facts, policy: &Policy) -> Self {
        let mut inventory = Self {
            crews: BTreeMap::new(),
            objects: workload_objects(facts),
            namespaces: facts
                .namespaces
                .iter()
                .map(|namespace| (namespace.name.clone(), namespace.clone()))
                .collect(),
            places: Places::new(facts, policy),
            coverage: facts.coverage.clone(),
            strays: Vec::new(),
            unwatched: HashSet::new(),
            digests: BTreeSet::new(),
            exposure: None,
            labels: facts.labels.clone(),
        };
        let owners = Owners::new(facts);
        for pod in &facts.pods {
            inventory.add(pod, &owners);
        }
        inventory.remember(facts);
        for crew in inventory.crews.values_mut() {
            crew.pods
                .sort_by(|one, other| (&one.name, &one.uid).cmp(&(&other.name, &other.uid)));
        }
        inventory.look_outside(facts, policy);
        inventory.strays.sort_by(|one, other| {
            (&one.pod.namespace, &one.pod.name).cmp(&(&other.pod.namespace, &other.pod.name))
        });
        inventory
    }

    fn add(&mut self, pod: &Arc<Pod>, owners: &Owners<'_>) {
        self.note_digests(pod);
        let (workload, passed, uid) = match walk(pod, owners) {
            Walk::Workload {
                workload,
                passed,
                uid,
            } => (workload, passed, uid),
            Walk::Bare => (
                Workload {
                    kind: Kind::Pod,
                    namespace: pod.namespace.clone(),
                    name: pod.name.clone(),
                },
                Vec::new(),
                pod.uid.clone(),
            ),
            Walk::NotWatched(owner) => {
                if !pod.finished {
                    let containers = pod.containers.iter().map(|it| it.name.clone());
                    self.unwatched
                        .extend(containers.map(|name| (owner.uid.clone(), name)));
                }
                return;
            }
            Walk::Orphan(owner) => {
                self.strays.push(Stray {
                    pod: pod.clone(),
                    owner,
                    orphan: true,
                });
                return;
            }
            Walk::NotRead(owner) => {
                self.strays.push(Stray {
                    pod: pod.clone(),
                    owner,
                    orphan: false,
                });
                return;
            }
        };
        if !crew::counts(pod, &workload.kind) {
            return;
        }
        let crew = self.crews.entry(workload).or_default();
        crew.uid = crew.uid.take().max(Some(uid));
        for kind in passed {
            if !crew.passed.contains(&kind) {
                crew.passed.push(kind);
            }
        }
        crew.pods.push(pod.clone());
    }

    fn note_digests(&mut self, pod: &Pod) {
        let containers = pod.containers.iter();
        self.digests
            .extend(containers.filter_map(|container| container.digest));
    }

    fn remember(&mut self, facts: &Facts) {
        let by_uid: HashMap<&str, &Arc<Object>> = facts
            .objects
            .iter()
            .map(|object| (&*object.uid, object))
            .collect();
        for (uid, pod) in &facts.remembered {
            let is_owner =
                |object: &&&Arc<Object>| is_workload(object) && object.namespace == pod.namespace;
            let Some(object) = by_uid.get(&**uid).filter(is_owner) else {
                continue;
            };
            self.note_digests(pod);
            let crew = self.crews.entry(workload_of(object)).or_default();
            crew.pods.push(pod.clone());
        }
    }

    /// The uid of the workload's object, else as its pods have it.
    pub fn uid(&self, workload: &Workload) -> Option<&Arc<str>> {
        let object = self.objects.get(workload).map(|object| &object.uid);
        let crew = || self.crews.get(workload)?.uid.as_ref();
        object.or_else(crew)
    }

    /// Every source that some pod's spec names.
    pub fn sources(&self) -> impl Iterator<Item = Source> + '_ {
        self.crews.iter().flat_map(|(workload, crew)| {
            let names: BTreeSet<&Arc<str>> = crew
                .pods
                .iter()
                .flat_map(|pod| pod.containers.iter().map(|container| &container.name))
                .collect();
            let source = |container: &Arc<str>| Source::new(workload.clone(), container.clone());
            names.into_iter().map(source)
        })
    }

    /// Pods whose workload is not known, by namespace and name.
    pub fn strays(&self) -> &[Stray] {
        &self.strays
    }

    /// How many containers stand in pods whose walk ends at an owner of a kind that nobody looks at: each
    /// once for an owner.
    pub fn unwatched(&self) -> usize {
        self.unwatched.len()
    }

    /// What is fully seen.
    pub fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    /// Where the records of each selected namespace go.
    pub fn destinations<'a>(
        &'a self,
        selection: &'a Selection,
    ) -> impl Iterator<Item = &'a Arc<Destination>> {
        let selected = self
            .namespaces
            .values()
            .filter(|namespace| namespace.selected && selection.has_namespace(&namespace.name));
        selected.flat_map(|namespace| self.places.all_of(&namespace.name))
    }

    /// Where a record of what runs `image`, as a spec writes it, goes from `namespace`, as far as
    /// that is known.
    pub fn place(&self, namespace: &str, image: &str) -> Option<Arc<Destination>> {
        self.places.of(namespace, Some(image))
    }

    /// Every digest that some pod runs or ran.
    pub fn digests(&self) -> &BTreeSet<Digest> {
        &self.digests
    }
}

fn workload_of(object: &Object) -> Workload {
    Workload {
        kind: object.kind.clone(),
        namespace: object.namespace.clone(),
        name: object.name.clone(),
    }
}

/// Whether a walk can end at `object`: it does not pass through it to its controller.
fn is_workload(object: &Object) -> bool {
    !(object.kind.is_passed_through() && object.controller.is_some())
}

/// The objects that are workloads.
fn workload_objects(facts: &Facts) -> BTreeMap<Workload, Arc<Object>> {
    facts
        .objects
        .iter()
        .filter(|object| is_workload(object))
        .map(|object| (workload_of(object), object.clone()))
        .collect()
}
