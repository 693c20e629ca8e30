//! Remembered pods: for each CronJob (and each Job without a controller, where those are selected)
//! the newest pod in which a container ran. Pods and Jobs of a CronJob come and go between two
//! looks; which image the CronJob runs is known from them alone.
//!
//! Pods and Jobs are watched apart, so either may be seen first. A pod whose Job was not seen yet
//! waits for it; a Job that is gone is remembered for pods that are seen late. Both are bounded.
//!
//! Anybody can write any uid into an owner reference: it counts within a namespace only.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use crate::model::facts::{Object, OwnerRef, Pod, State};
use crate::model::workload::Kind;

/// How many pods wait for their Job, how many gone Jobs are known, and how many pods are kept for
/// owners that were not seen.
const BOUND: usize = 1024;

/// Namespace and uid.
type Key = (Arc<str>, Arc<str>);

/// The memory of pods that ran to their end.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    /// Whether Jobs without a controller are workloads here.
    bare_jobs: bool,
    /// By CronJob, or Job without a controller.
    last: HashMap<Key, Arc<Pod>>,
    /// The CronJobs and Jobs that are there.
    owners: HashSet<Key>,
    /// The controllers of Jobs, by Job.
    jobs: HashMap<Key, Option<OwnerRef>>,
    /// Jobs in `jobs` that are gone, oldest first.
    gone_jobs: VecDeque<Key>,
    /// Pods whose Job was not seen, by Job, and in which order they came.
    waiting: HashMap<Key, Arc<Pod>>,
    waiting_order: VecDeque<Key>,
}

impl Remembered {
    /// An empty memory; `bare_jobs`: whether Jobs without a controller are remembered too.
    pub(super) fn new(bare_jobs: bool) -> Self {
        Self {
            bare_jobs,
            ..Self::default()
        }
    }

    /// A pod was seen.
    pub(super) fn pod_seen(&mut self, pod: &Arc<Pod>) {
        let ran = pod
            .containers
            .iter()
            .any(|container| container.state != State::NeverRan);
        let Some(job) = job_of(pod).filter(|_| ran) else {
            return;
        };
        match self
            .jobs
            .get(&job)
            .map(|owner| self.workload(&job, owner.as_ref()))
        {
            Some(Some(workload)) => keep_newest(&mut self.last, workload, pod),
            Some(None) => {}
            None => {
                if !self.waiting.contains_key(&job) {
                    self.waiting_order.push_back(job.clone());
                }
                keep_newest(&mut self.waiting, job, pod);
                while self.waiting_order.len() > BOUND {
                    self.waiting_order
                        .pop_front()
                        .map(|job| self.waiting.remove(&job));
                }
            }
        }
        self.drop_strangers();
    }

    /// A pod is gone: what is remembered of it runs no longer.
    pub(super) fn pod_gone(&mut self, pod: &Arc<Pod>) {
        self.pod_seen(pod);
        let Some(job) = job_of(pod) else {
            return;
        };
        let workload = self
            .jobs
            .get(&job)
            .and_then(|owner| self.workload(&job, owner.as_ref()));
        let waiting = self.waiting.get_mut(&job);
        let last = workload.and_then(|workload| self.last.get_mut(&workload));
        for known in waiting
            .into_iter()
            .chain(last)
            .filter(|known| known.uid == pod.uid)
        {
            for container in &mut Arc::make_mut(known).containers {
                if container.state == State::Running {
                    container.state = State::Ran;
                }
            }
        }
    }

    /// A Job or CronJob was seen.
    pub(super) fn owner_seen(&mut self, object: &Object) {
        let key = key_of(object);
        self.owners.insert(key.clone());
        if object.kind != Kind::Job {
            return;
        }
        let workload = self.workload(&key, object.controller.as_ref());
        self.jobs.insert(key.clone(), object.controller.clone());
        if let Some(pod) = self.waiting.remove(&key) {
            self.waiting_order.retain(|job| *job != key);
            if let Some(workload) = workload {
                keep_newest(&mut self.last, workload, &pod);
            }
        }
    }

    /// A Job or CronJob is gone.
    pub(super) fn owner_gone(&mut self, object: &Object) {
        let key = key_of(object);
        self.owners.remove(&key);
        self.last.remove(&key);
        if object.kind == Kind::Job {
            self.gone_jobs.push_back(key);
            while self.gone_jobs.len() > BOUND {
                self.gone_jobs.pop_front().map(|job| self.jobs.remove(&job));
            }
        }
    }

    /// What is remembered for owners that are there, pods that are still there left out.
    pub(super) fn of(
        &self,
        owners: &[Arc<Object>],
        pods: &[Arc<Pod>],
    ) -> Vec<(Arc<str>, Arc<Pod>)> {
        let runs = |pod: &&Arc<Pod>| pod.controller.as_ref().is_some_and(|o| o.kind == Kind::Job);
        let there: HashSet<&str> = pods.iter().filter(runs).map(|pod| &*pod.uid).collect();
        let owners = owners
            .iter()
            .filter(|owner| owner.kind.runs_to_completion());
        let remembered = owners.filter_map(|owner| self.last.get_key_value(&key_of(owner)));
        remembered
            .filter(|(_, pod)| !there.contains(&*pod.uid))
            .map(|((_, uid), pod)| (Arc::clone(uid), Arc::clone(pod)))
            .collect()
    }

    /// The workload of a Job: its CronJob, or itself.
    fn workload(&self, job: &Key, controller: Option<&OwnerRef>) -> Option<Key> {
        let (namespace, _) = job;
        match controller {
            Some(owner) if owner.kind == Kind::CronJob => {
                Some((Arc::clone(namespace), Arc::clone(&owner.uid)))
            }
            Some(_) => None,
            None => self.bare_jobs.then(|| job.clone()),
        }
    }

    /// Lets go of pods whose owner is not there: their end was seen after its.
    fn drop_strangers(&mut self) {
        if self.last.len() > self.owners.len() + BOUND {
            let owners = &self.owners;
            self.last.retain(|owner, _| owners.contains(owner));
        }
    }
}

fn key_of(object: &Object) -> Key {
    (Arc::clone(&object.namespace), Arc::clone(&object.uid))
}

/// The Job that made a pod, if one did.
fn job_of(pod: &Pod) -> Option<Key> {
    let controller = pod.controller.as_ref();
    let job = controller.filter(|owner| owner.kind == Kind::Job)?;
    Some((Arc::clone(&pod.namespace), Arc::clone(&job.uid)))
}

/// Keeps `pod` if it is not older than the one that is known: of one pod the later view counts.
fn keep_newest(known: &mut HashMap<Key, Arc<Pod>>, owner: Key, pod: &Arc<Pod>) {
    let age = |pod: &Pod| (pod.created, Arc::clone(&pod.name));
    match known.get_mut(&owner) {
        Some(known) if age(known) > age(pod) => {}
        Some(known) => *known = Arc::clone(pod),
        None => {
            known.insert(owner, Arc::clone(pod));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::facts::{Annotations, Container};
    use crate::model::image::ImageId;

    fn owner(kind: Kind, uid: &str) -> OwnerRef {
        OwnerRef {
            kind,
            name: uid.into(),
            uid: uid.into(),
        }
    }

    fn object(kind: Kind, uid: &str, controller: Option<OwnerRef>) -> Arc<Object> {
        Arc::new(Object {
            kind,
            namespace: "n".into(),
            name: uid.into(),
            uid: uid.into(),
            controller,
            selected: true,
            annotations: Annotations::default(),
        })
    }

    fn pod(name: &str, created: i64, job: &str, state: State) -> Arc<Pod> {
        let container = Container {
            name: "main".into(),
            image: "busybox".into(),
            state,
            digest: None,
            image_id: ImageId::Nothing,
        };
        Arc::new(Pod {
            namespace: "n".into(),
            name: name.into(),
            uid: format!("uid-{name}").into(),
            created,
            deleting: false,
            finished: false,
            ready: false,
            restarts_always: false,
            controller: Some(owner(Kind::Job, job)),
            selected: true,
            annotations: Annotations::default(),
            labels: Annotations::default(),
            containers: [container].into(),
            pull: None,
        })
    }

    fn names(memory: &Remembered, owners: &[Arc<Object>], pods: &[Arc<Pod>]) -> Vec<String> {
        memory
            .of(owners, pods)
            .iter()
            .map(|(uid, pod)| format!("{uid}: {}", pod.name))
            .collect()
    }

    #[test]
    fn a_pod_and_a_job_that_came_and_went_are_remembered_for_their_cronjob() {
        let mut memory = Remembered::new(false);
        let cronjob = object(Kind::CronJob, "cj", None);
        let job = object(Kind::Job, "j1", Some(owner(Kind::CronJob, "cj")));
        memory.owner_seen(&cronjob);
        memory.owner_seen(&job);
        memory.pod_seen(&pod("p1", 1, "j1", State::Running));
        memory.pod_gone(&pod("p1", 1, "j1", State::Running));
        memory.owner_gone(&job);
        let owners = [cronjob.clone()];
        assert_eq!(names(&memory, &owners, &[]), ["cj: p1"]);
        let (_, kept) = memory.of(&owners, &[]).remove(0);
        assert_eq!(
            kept.containers[0].state,
            State::Ran,
            "a pod that is gone runs no longer"
        );
        memory.owner_gone(&cronjob);
        assert_eq!(names(&memory, &owners, &[]), Vec::<String>::new());
    }

    #[test]
    fn it_does_not_matter_whether_the_pod_or_its_job_is_seen_first() {
        let job = object(Kind::Job, "j1", Some(owner(Kind::CronJob, "cj")));
        let owners = [object(Kind::CronJob, "cj", None)];
        let ran = pod("p1", 1, "j1", State::Ran);
        let mut pod_first = Remembered::new(false);
        pod_first.pod_seen(&ran);
        pod_first.pod_gone(&ran);
        pod_first.owner_seen(&job);
        pod_first.owner_gone(&job);
        let mut job_first = Remembered::new(false);
        job_first.owner_seen(&job);
        job_first.owner_gone(&job);
        job_first.pod_seen(&ran);
        job_first.pod_gone(&ran);
        assert_eq!(names(&pod_first, &owners, &[]), ["cj: p1"]);
        assert_eq!(names(&job_first, &owners, &[]), ["cj: p1"]);
    }

    #[test]
    fn the_newest_pod_in_which_a_container_ran_is_the_one() {
        let mut memory = Remembered::new(false);
        let owners = [object(Kind::CronJob, "cj", None)];
        for job in ["j1", "j2", "j3"] {
            memory.owner_seen(&object(Kind::Job, job, Some(owner(Kind::CronJob, "cj"))));
        }
        memory.pod_seen(&pod("p2", 2, "j2", State::Ran));
        memory.pod_seen(&pod("p1", 1, "j1", State::Ran));
        memory.pod_seen(&pod("p3", 3, "j3", State::NeverRan));
        assert_eq!(names(&memory, &owners, &[]), ["cj: p2"]);
        let still_there = [pod("p2", 2, "j2", State::Ran)];
        assert_eq!(names(&memory, &owners, &still_there), Vec::<String>::new());
    }

    #[test]
    fn jobs_without_a_controller_are_remembered_only_where_they_are_selected() {
        let job = object(Kind::Job, "j1", None);
        for (bare_jobs, expected) in [(true, vec!["j1: p1".to_owned()]), (false, vec![])] {
            let mut memory = Remembered::new(bare_jobs);
            memory.owner_seen(&job);
            memory.pod_seen(&pod("p1", 1, "j1", State::Ran));
            assert_eq!(names(&memory, std::slice::from_ref(&job), &[]), expected);
        }
    }

    #[test]
    fn an_owner_of_another_namespace_is_nobodys_whatever_uid_is_written() {
        let elsewhere = |pod: &Arc<Pod>| {
            let mut pod = (**pod).clone();
            pod.namespace = "other".into();
            Arc::new(pod)
        };
        let owners = [
            object(Kind::CronJob, "cj", None),
            object(Kind::Job, "j2", None),
        ];
        let job = object(Kind::Job, "j1", Some(owner(Kind::CronJob, "cj")));
        let mut foreign_job = (*job).clone();
        (foreign_job.namespace, foreign_job.uid) = ("other".into(), "j3".into());
        let mut memory = Remembered::new(true);
        // Pods before their Job, and after it.
        memory.pod_seen(&elsewhere(&pod("early", 9, "j1", State::Ran)));
        for seen in owners.iter().chain([&job, &Arc::new(foreign_job)]) {
            memory.owner_seen(seen);
        }
        memory.pod_seen(&pod("own", 1, "j1", State::Ran));
        for name in ["j1", "j2", "j3"] {
            memory.pod_seen(&elsewhere(&pod("late", 9, name, State::Ran)));
        }
        assert_eq!(names(&memory, &owners, &[]), ["cj: own"]);
    }

    #[test]
    fn the_memory_is_bounded() {
        let mut memory = Remembered::new(true);
        for number in 0..5_000 {
            let job = format!("never-seen-{number}");
            memory.pod_seen(&pod(&format!("p{number}"), 1, &job, State::Ran));
            let job = object(Kind::Job, &format!("j{number}"), None);
            memory.owner_seen(&job);
            memory.owner_gone(&job);
            memory.pod_seen(&pod(&format!("late{number}"), 1, &job.uid, State::Ran));
        }
        let sizes = [
            memory.last.len(),
            memory.jobs.len(),
            memory.waiting.len(),
            memory.owners.len(),
        ];
        assert!(sizes.into_iter().all(|size| size <= BOUND + 1), "{sizes:?}");
    }
}
