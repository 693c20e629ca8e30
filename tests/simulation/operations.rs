//! What people and controllers do to a cluster. Each operation picks what it is done to, and says
//! what it did; `None` where there is nothing to do it to.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::land::{Land, NAMES};
use crate::moves::{
    change_environment, collide, come_back, go, label, label_namespace, lose_namespace, mass, opt,
    rename,
};
use crate::rollouts::{
    annotate_pods, bare_ids, crash, evict, fail, lose_container, roll_back, roll_out, run, scale,
    scale_to_zero,
};
use crate::workload::{Condition, Kind, PREFIX, Workload};

/// What follows an operation by itself, a while later.
#[derive(Clone, Copy, Debug)]
pub enum Sequel {
    /// The new pods are ready, the old ones go.
    RolledOut,
    /// Pods that are being deleted are gone.
    Left,
    /// The oldest pod ends well.
    Ends,
    /// The oldest pod and its Job are cleaned up.
    CleanedUp,
    /// Runtime and workload are as they should be.
    Recovers,
    /// It is deleted.
    Goes,
}

/// Sequels that are due, by the number of their workload.
#[derive(Default)]
pub struct Sequels(Vec<(Instant, u64, Sequel)>);

type Operation = fn(&mut Land, &mut Sequels) -> Option<String>;

/// Every operation, and how often it is done beside the others.
const OPERATIONS: [(usize, &str, Operation); 25] = [
    (10, "comes", come),
    (6, "comes for a moment", come_for_a_moment),
    (16, "rolls out", roll_out),
    (5, "fails", fail),
    (5, "rolls back", roll_back),
    (5, "scales to zero", scale_to_zero),
    (5, "scales", scale),
    (3, "is renamed", rename),
    (7, "changes an annotation", annotate),
    (
        2,
        "changes an annotation of a namespace",
        annotate_namespace,
    ),
    (3, "changes an annotation of its pods", annotate_pods),
    (3, "loses a container", lose_container),
    (3, "has a container that crashes", crash),
    (5, "has another environment", change_environment),
    (5, "collides", collide),
    (3, "leaves or enters the scope by a label", label),
    (
        1,
        "leaves or enters the scope by its namespace",
        label_namespace,
    ),
    (2, "opts out or in", opt),
    (6, "goes", go),
    (3, "comes back", come_back),
    (2, "goes with its namespace", lose_namespace),
    (4, "has a pod evicted", evict),
    (9, "runs", run),
    (3, "is named by its configuration", bare_ids),
    (1, "goes with most others", mass),
];

impl Land {
    /// Does something, and says what.
    pub fn operate(&mut self, sequels: &mut Sequels) -> (&'static str, String) {
        let sum: usize = OPERATIONS.iter().map(|it| it.0).sum();
        loop {
            let few = self.workloads.len() < self.usual && self.dice.percent(40);
            let mut throw = if few { 1 } else { self.dice.number(1, sum) };
            let operation = OPERATIONS.iter().find(|it| {
                let is_it = throw <= it.0;
                throw = throw.saturating_sub(it.0);
                is_it
            });
            let (_, title, operation) = operation.unwrap();
            if let Some(said) = operation(self, sequels) {
                self.apply_all();
                return (title, said);
            }
        }
    }

    /// What is due by now.
    pub fn follow(&mut self, sequels: &mut Sequels) -> Vec<String> {
        let now = Instant::now();
        let (due, later) = sequels.0.drain(..).partition(|it| it.0 <= now);
        sequels.0 = later;
        let due: Vec<(Instant, u64, Sequel)> = due;
        let mut said = Vec::new();
        for (_, incarnation, sequel) in due {
            let mut all = self.workloads.iter();
            if let Some(index) = all.position(|it| it.incarnation == incarnation) {
                said.push(format!("{}: {sequel:?}", self.workloads[index].title()));
                self.happen(index, sequel, sequels);
                self.apply_all();
            }
        }
        said
    }

    fn happen(&mut self, index: usize, sequel: Sequel, sequels: &mut Sequels) {
        let workload = &mut self.workloads[index];
        match sequel {
            Sequel::RolledOut => {
                let template = workload.template.clone();
                for pod in &mut workload.pods {
                    if pod.template == template {
                        pod.condition = Condition::Ready;
                    } else {
                        pod.condition = Condition::Leaving;
                    }
                }
                let after = self.dice.seconds(1, 40);
                sequels.after(after, &self.workloads[index], Sequel::Left);
            }
            Sequel::Goes => drop(self.workloads.remove(index)),
            Sequel::Left => workload
                .pods
                .retain(|it| it.condition != Condition::Leaving),
            Sequel::Ends => {
                let mut running = workload.pods.iter_mut();
                if let Some(pod) = running.find(|it| it.condition != Condition::Succeeded) {
                    pod.condition = Condition::Succeeded;
                }
            }
            Sequel::CleanedUp => {
                while workload
                    .pods
                    .first()
                    .is_some_and(|it| it.condition == Condition::Succeeded)
                {
                    workload.pods.remove(0);
                }
            }
            Sequel::Recovers => {
                for pod in &mut workload.pods {
                    if pod.condition == Condition::CrashLoop {
                        pod.condition = Condition::Ready;
                    }
                    pod.bare_ids = false;
                }
            }
        }
    }

    /// Any namespace, if there is one.
    pub fn place(&mut self) -> Option<&'static str> {
        let all: Vec<&'static str> = self.namespaces.keys().copied().collect();
        (!all.is_empty()).then(|| *self.dice.one_of(&all))
    }

    /// A workload that is new there and runs; its place in the list.
    pub fn arrive(&mut self, kind: Kind, namespace: &'static str, name: &str) -> Option<usize> {
        let mut all = self.workloads.iter();
        let is_taken =
            |it: &Workload| (it.kind, it.namespace, &*it.name) == (kind, namespace, name);
        if all.any(is_taken) || self.workloads.len() >= 60 {
            return None;
        }
        let index = self.found(kind, namespace, name.to_owned());
        let count = match kind {
            Kind::Pod | Kind::Job => 1,
            Kind::CronJob => 0,
            _ => self.dice.number(1, 3),
        };
        self.add_pods(index, count, Condition::Ready);
        Some(index)
    }
}

impl Sequels {
    pub fn after(&mut self, after: Duration, workload: &Workload, sequel: Sequel) {
        let at = Instant::now() + after;
        self.0.push((at, workload.incarnation, sequel));
    }
}

fn come(land: &mut Land, sequels: &mut Sequels) -> Option<String> {
    let kind = *land.dice.one_of(&Kind::ALL);
    let namespace = land.place()?;
    let name = *land.dice.one_of(&NAMES);
    let index = land.arrive(kind, namespace, name)?;
    if kind == Kind::Job {
        let after = land.dice.seconds(5, 900);
        sequels.after(after, &land.workloads[index], Sequel::Ends);
    }
    Some(land.workloads[index].title())
}

/// As a preview of a change does.
fn come_for_a_moment(land: &mut Land, sequels: &mut Sequels) -> Option<String> {
    let namespace = land.place()?;
    let name = format!("{}{}", land.dice.one_of(&NAMES), land.dice.number(2, 9));
    let index = land.arrive(Kind::Deployment, namespace, &name)?;
    let after = land.dice.seconds(1, 90);
    sequels.after(after, &land.workloads[index], Sequel::Goes);
    Some(land.workloads[index].title())
}

/// An annotation that says something.
pub fn annotation(land: &mut Land) -> (String, String) {
    let number = land.dice.number(1, 4);
    let (key, value) = match land.dice.number(0, 5) {
        0 => ("runtime-risks", "internet-exposed".to_owned()),
        1 => (
            "runtime-risks",
            "sensitive-data,lateral-movement".to_owned(),
        ),
        2 => ("team", format!("team-{number}")),
        3 => ("tier", format!("{number}")),
        4 => ("note", "x".repeat(150)),
        _ => ("runtime-risks", "no-such-risk".to_owned()),
    };
    (format!("{PREFIX}{key}"), value)
}

/// Sets an annotation, or takes it away.
fn change(land: &mut Land, of: impl Fn(&mut Land) -> &mut BTreeMap<String, String>) -> String {
    let (key, value) = annotation(land);
    let takes_away = land.dice.percent(30);
    let annotations = of(land);
    if takes_away && !annotations.is_empty() {
        let (key, _) = annotations.pop_first().unwrap();
        return format!("without {key}");
    }
    let said = format!("{key}={}", &value[..value.len().min(24)]);
    annotations.insert(key, value);
    said
}

fn annotate(land: &mut Land, _: &mut Sequels) -> Option<String> {
    let index = land.any(|_| true)?;
    let said = change(land, |land| &mut land.workloads[index].annotations);
    Some(format!("{}: {said}", land.workloads[index].title()))
}

fn annotate_namespace(land: &mut Land, _: &mut Sequels) -> Option<String> {
    let namespace = land.place()?;
    let said = change(land, |land| {
        &mut land.namespaces.get_mut(namespace).unwrap()[1]
    });
    land.apply_namespace(namespace);
    Some(format!("{namespace}: {said}"))
}
