//! The cluster of a world: its namespaces, its workloads, and the objects that stand for them at the
//! API server. What people and controllers do to it is in `operations`.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Value, json};

use crate::dice::Dice;
use crate::support::apiserver::{Apiserver, Definition};
use crate::workload::{Condition, Container, Kind, Pod, Template, Workload};

/// Namespaces that workloads come to.
pub const NAMESPACES: [&str; 4] = ["shop", "pay", "mail", "shop-web"];
/// Names of workloads.
pub const NAMES: [&str; 8] = [
    "web", "api", "cart", "web-api", "queue", "cache", "auth", "db",
];

/// The cluster.
pub struct Land {
    pub api: Apiserver,
    pub dice: Dice,
    /// By name: labels and annotations.
    pub namespaces: BTreeMap<&'static str, [BTreeMap<String, String>; 2]>,
    pub workloads: Vec<Workload>,
    /// About how many there are.
    pub usual: usize,
    count: u64,
    /// By number: each workload and its objects as they were applied.
    applied: BTreeMap<u64, (Option<Workload>, Vec<Value>)>,
}

impl Land {
    /// One with namespaces and nothing in them.
    pub fn new(mut dice: Dice) -> Self {
        let usual = dice.number(5, 60);
        let api = Apiserver::new();
        for name in ["kube-system", crate::ledger::NAMESPACE] {
            api.apply(object("Namespace", name));
        }
        api.define(Definition::new(
            "argoproj.io",
            "v1alpha1",
            "rollouts",
            "Rollout",
        ));
        let mut land = Self {
            api,
            dice,
            namespaces: BTreeMap::new(),
            workloads: Vec::new(),
            usual,
            count: 0,
            applied: BTreeMap::new(),
        };
        for name in NAMESPACES {
            land.namespaces.insert(name, Default::default());
            land.apply_namespace(name);
        }
        land
    }

    /// A number that was not given before.
    pub fn number(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    /// Puts a Namespace as it is now to the API server.
    pub fn apply_namespace(&self, name: &'static str) {
        let [labels, annotations] = &self.namespaces[name];
        let mut namespace = object("Namespace", name);
        namespace["metadata"]["labels"] = json!(labels);
        namespace["metadata"]["annotations"] = json!(annotations);
        self.api.apply(namespace);
    }

    /// Deletes a namespace with all that is in it.
    pub fn delete_namespace(&mut self, name: &'static str) {
        self.workloads.retain(|it| it.namespace != name);
        self.namespaces.remove(name);
        self.apply_all();
        self.api.delete("Namespace", "", name);
    }

    /// A workload with pods that are ready, which the API server does not know yet.
    pub fn found(&mut self, kind: Kind, namespace: &'static str, name: String) -> usize {
        let template = self.template(kind, namespace, &name);
        let workload = Workload {
            kind,
            namespace,
            name,
            incarnation: self.number(),
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            template: Rc::new(template),
            former: None,
            pods: Vec::new(),
        };
        self.workloads.push(workload);
        self.workloads.len() - 1
    }

    /// What the first pods of a workload are made from.
    fn template(&mut self, kind: Kind, namespace: &str, name: &str) -> Template {
        let mark = format!("r{}", self.number());
        let own = format!(
            "ghcr.io/acme/{namespace}-{name}-{}",
            kind.name().to_lowercase()
        );
        let mut containers = vec![Container {
            name: "main",
            image: format!("{own}:{mark}"),
            sidecar: false,
        }];
        if self.dice.percent(30) {
            // Many run the same one.
            let version = self.dice.number(1, 2);
            containers.push(Container {
                name: "proxy",
                image: format!("ghcr.io/acme/proxy:{version}"),
                sidecar: self.dice.percent(50),
            });
        }
        if self.dice.percent(20) {
            containers.push(Container {
                name: "log",
                image: format!("{own}-log:{mark}"),
                sidecar: false,
            });
        }
        Template {
            mark,
            containers,
            annotations: BTreeMap::new(),
        }
    }

    /// Gives a workload so many pods of its present template.
    pub fn add_pods(&mut self, index: usize, count: usize, condition: Condition) {
        for _ in 0..count {
            let number = self.number();
            let workload = &mut self.workloads[index];
            let name = if workload.kind == Kind::Pod {
                workload.name.clone()
            } else {
                format!("{}-{}-p{number}", workload.name, workload.template.mark)
            };
            let template = workload.template.clone();
            workload.pods.push(Pod {
                name,
                number,
                template,
                condition,
                bare_ids: false,
            });
        }
    }

    /// Puts what changed of all workloads to the API server: what is new, then what is gone, each
    /// owners first or pods first as it happens.
    pub fn apply_all(&mut self) {
        let incarnations: Vec<u64> = self.workloads.iter().map(|it| it.incarnation).collect();
        let gone: Vec<u64> = self.applied.keys().copied().collect();
        let gone = gone.into_iter().filter(|it| !incarnations.contains(it));
        for incarnation in gone.collect::<Vec<u64>>() {
            self.put(incarnation, None, Vec::new());
        }
        for index in 0..self.workloads.len() {
            self.apply(index);
        }
    }

    /// Puts what changed of a workload to the API server.
    pub fn apply(&mut self, index: usize) {
        let workload = &self.workloads[index];
        let before = self.applied.get(&workload.incarnation);
        if before.is_some_and(|before| before.0.as_ref() == Some(workload)) {
            return;
        }
        let objects = workload.objects();
        self.put(workload.incarnation, Some(workload.clone()), objects);
    }

    fn put(&mut self, incarnation: u64, workload: Option<Workload>, objects: Vec<Value>) {
        let (_, before) = self.applied.remove(&incarnation).unwrap_or_default();
        let mut new: Vec<&Value> = objects.iter().filter(|it| !before.contains(it)).collect();
        if self.dice.percent(30) {
            new.reverse();
        }
        for object in new {
            self.api.apply(object.clone());
        }
        let is_there = |it: &&Value| objects.iter().any(|object| key(object) == key(it));
        let mut gone: Vec<&Value> = before.iter().filter(|it| !is_there(it)).collect();
        if self.dice.percent(30) {
            gone.reverse();
        }
        for object in gone {
            let (kind, namespace, name) = key(object);
            self.api.delete(kind, namespace, name);
        }
        if !objects.is_empty() {
            self.applied.insert(incarnation, (workload, objects));
        }
    }

    /// Any workload that passes, if one does.
    pub fn any(&mut self, passes: impl Fn(&Workload) -> bool) -> Option<usize> {
        let all = self.workloads.iter().enumerate();
        let all: Vec<usize> = all.filter(|it| passes(it.1)).map(|it| it.0).collect();
        (!all.is_empty()).then(|| *self.dice.one_of(&all))
    }
}

/// Kind, namespace and name.
fn key(object: &Value) -> (&str, &str, &str) {
    let metadata = &object["metadata"];
    (
        object["kind"].as_str().unwrap(),
        metadata["namespace"].as_str().unwrap_or_default(),
        metadata["name"].as_str().unwrap(),
    )
}

fn object(kind: &str, name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "uid": format!("uid-{name}")}})
}
