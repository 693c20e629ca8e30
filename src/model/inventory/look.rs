//! What explanations ask of an inventory besides what a plan asks: the pods behind a workload, the
//! containers that do not speak, whose annotations count, what is not seen. Nothing is decided by it.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::evidence::{Evidence, Lost, Other};
use crate::model::facts::{Annotations, Namespace, Pod};
use crate::model::selection::Selection;
use crate::model::workload::{Kind, Source, Workload};

use super::Inventory;
use super::crew;
use super::scope::Presence;

/// An object that says something about a record by its annotations.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The namespace.
    Namespace(Arc<str>),
    /// The workload.
    Workload(Workload),
    /// The pod that speaks.
    Pod(Arc<str>),
}

/// A part of what is looked at that the presence of a workload depends on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum View {
    /// The namespaces.
    Namespaces,
    /// The objects of a kind.
    Kind(Kind),
}

impl Inventory {
    /// Every workload that is seen itself or by its pods.
    pub fn workloads(&self) -> BTreeSet<&Workload> {
        self.crews.keys().chain(self.objects.keys()).collect()
    }

    /// The pods that may count for `workload`, by name.
    pub fn pods(&self, workload: &Workload) -> &[Arc<Pod>] {
        let crew = self.crews.get(workload);
        crew.map_or(&[], |crew| &crew.pods)
    }

    /// The namespace of that name, if it is seen.
    pub fn known_namespace(&self, name: &str) -> Option<&Namespace> {
        self.namespace(name).present().map(|found| &***found)
    }

    /// Whether the namespace of that name is missing from a complete view.
    pub fn lacks_namespace(&self, name: &str) -> bool {
        self.coverage.namespaces.covers(name) && !self.namespaces.contains_key(name)
    }

    /// Whether `workload` has an object of its own that is seen.
    pub fn has_object(&self, workload: &Workload) -> bool {
        matches!(
            self.object(workload, self.crews.get(workload)),
            Presence::Present(Ok(_))
        )
    }

    /// The containers of a source that do not speak for it, newest pod first.
    pub fn others(&self, source: &Source, evidence: Option<&Evidence>) -> Vec<Other> {
        let Some(crew) = self.crews.get(&source.workload) else {
            return Vec::new();
        };
        let team = crew.team(&source.workload.kind, &source.container);
        let speaker = evidence.map(|evidence| &evidence.pod.uid);
        let (named, completes) = team.named();
        let mut others: Vec<Other> = named
            .filter(|pod| Some(&pod.uid) != speaker)
            .filter_map(|pod| {
                let container = pod.container(&source.container)?;
                let lost = Lost::of(pod, container, evidence, completes);
                let pod = pod.clone();
                Some(Other { pod, lost })
            })
            .collect();
        others.sort_by(|one, other| other.pod.age().cmp(&one.pod.age()));
        others
    }

    /// Whose annotations count for a record of `workload` for which `pod` speaks, the nearest last:
    /// each as far as it is seen.
    pub fn levels<'a>(
        &'a self,
        workload: &Workload,
        pod: Option<&'a Pod>,
    ) -> Vec<(Level, &'a Annotations)> {
        let namespace = self.known_namespace(&workload.namespace);
        let namespace = namespace.map(|found| {
            let level = Level::Namespace(found.name.clone());
            (level, &found.annotations)
        });
        let crew = self.crews.get(workload);
        let object = match self.object(workload, crew) {
            // A pod that is its own workload is told once, as the pod that it is.
            Presence::Present(Ok(known)) if workload.kind != Kind::Pod => {
                Some((Level::Workload(workload.clone()), known.annotations))
            }
            _ => None,
        };
        let pod = pod.map(|pod| (Level::Pod(pod.name.clone()), &pod.annotations));
        [namespace, object, pod].into_iter().flatten().collect()
    }

    /// What is not fully seen of all that the presence of `source` depends on.
    pub fn unseen(&self, source: &Source, selection: &Selection) -> Vec<View> {
        let workload = &source.workload;
        let (kind, namespace) = (&workload.kind, &*workload.namespace);
        let crew = self.crews.get(workload);
        let runs = crew::speaking(crew, source, selection).0.runs();
        let covers = |kind: &Kind| self.coverage.covers(kind, namespace);
        let passed = crew.map_or(&[][..], |crew| &crew.passed);
        let mut kinds = vec![Kind::Pod];
        if *kind == Kind::Deployment {
            kinds.extend([Kind::ReplicaSet, Kind::Deployment]);
        } else if *kind == Kind::CronJob {
            kinds.extend([Kind::Job, Kind::CronJob]);
        } else if kind.is_built_in() {
            kinds.extend((*kind != Kind::Pod).then(|| kind.clone()));
        } else if runs && self.coverage.lacks(kind, namespace).is_some() {
            kinds.extend(passed.iter().cloned());
        } else {
            let between = [Kind::ReplicaSet, Kind::ReplicationController];
            kinds.extend(between.into_iter().filter(|it| self.coverage.watches(it)));
            kinds.push(kind.clone());
        }
        let namespaces = !self.coverage.namespaces.covers(namespace);
        let namespaces = namespaces.then_some(View::Namespaces).into_iter();
        let kinds = kinds.into_iter().filter(|kind| !covers(kind));
        namespaces.chain(kinds.map(View::Kind)).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::fixtures::worlds::{cases, world};
    use crate::model::fixtures::{Scene, annotations, container, pod, source_of};
    use crate::model::inventory::sight::Standing;

    #[test]
    fn a_workload_is_seen_itself_or_by_its_pods_and_a_pod_of_its_own_speaks_once() {
        let mut scene = Scene::new();
        scene.deploy("web", "app", 1);
        let bare = container("app", "ghcr.io/acme/bare:1", 2);
        scene.add_pod(pod("bare", [bare]));
        scene.add_workload(&Kind::StatefulSet, "idle");
        scene.deploy("gone", "app", 3);
        scene.delete(&Kind::Deployment, "gone");
        let marked = annotations(&[("team", "blue")]);
        for pod in &mut scene.facts.pods {
            Arc::make_mut(pod).annotations = marked.clone();
        }
        scene.change_object(&Kind::Deployment, |object| {
            object.annotations = marked.clone();
        });
        let inventory = Inventory::new(&scene.facts, &scene.policy);
        let of = |kind, name| Workload::clone(&source_of(kind, name, "app").workload);
        let (web, bare) = (of(Kind::Deployment, "web"), of(Kind::Pod, "bare"));
        let idle = of(Kind::StatefulSet, "idle");
        let seen = inventory.workloads();
        assert!(
            [&web, &bare, &idle].iter().all(|it| seen.contains(*it)),
            "{seen:?}"
        );
        assert!(!seen.contains(&of(Kind::Deployment, "other")));
        assert!(inventory.has_object(&web) && inventory.has_object(&idle));
        for other in [of(Kind::Deployment, "gone"), of(Kind::Deployment, "other")] {
            assert!(!inventory.has_object(&other), "{other}");
        }
        let levels = |workload: &Workload| {
            let pod = inventory.pods(workload).first().unwrap();
            let levels = inventory.levels(workload, Some(pod)).into_iter();
            levels.map(|(level, _)| level).collect::<Vec<_>>()
        };
        let space = || Level::Namespace("shop".into());
        let pod = |workload: &Workload| Level::Pod(inventory.pods(workload)[0].name.clone());
        assert_eq!(
            levels(&web),
            [space(), Level::Workload(web.clone()), pod(&web)]
        );
        assert_eq!(levels(&bare), [space(), pod(&bare)]);
    }

    proptest! {
        #![proptest_config(cases(300))]
        #[test]
        fn something_is_named_as_unseen_exactly_where_a_source_is_not_covered(world in world()) {
            let inventory = Inventory::new(&world.facts, &world.policy);
            for source in inventory.sources() {
                let sight = inventory.sight(&source, &world.policy);
                let unseen = inventory.unseen(&source, &world.policy.selection);
                prop_assert_eq!(unseen.is_empty(), sight.covered, "{}", source);
            }
        }

        #[test]
        fn each_container_of_a_source_speaks_or_agrees_or_has_a_reason(world in world()) {
            let inventory = Inventory::new(&world.facts, &world.policy);
            for source in inventory.sources() {
                let sight = inventory.sight(&source, &world.policy);
                let evidence = match &sight.standing {
                    Standing::Runs(running) => Some(&running.evidence),
                    _ => None,
                };
                for Other { pod, lost } in inventory.others(&source, evidence) {
                    let container = pod.container(&source.container).unwrap();
                    if let (None, Some(evidence)) = (lost, evidence) {
                        prop_assert_eq!(&container.image, &evidence.image);
                        prop_assert_eq!(container.digest, evidence.digest);
                    }
                    prop_assert!(lost.is_some() || evidence.is_some());
                }
            }
        }
    }
}
