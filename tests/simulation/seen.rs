//! The API server's objects, as somebody reads them who knows Kubernetes and nothing of the recorder:
//! each workload with its namespace and the pods that it controls. What follows from that is in `oracle`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;

use crate::support::apiserver::Apiserver;
use crate::told::{ENVIRONMENT, RECORD};
use crate::workload::PREFIX;

/// The kinds of workloads.
const KINDS: [&str; 9] = [
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "CronJob",
    "ReplicaSet",
    "ReplicationController",
    "Rollout",
    "Job",
    "Pod",
];

/// Environment, kind, namespace, workload, container.
pub type Source = (String, &'static str, String, String, String);

/// What an object says of itself.
#[derive(Clone, Debug)]
pub struct Said {
    pub name: String,
    /// Whether it is labelled so that it leaves the scope.
    pub is_out: bool,
    pub environment: String,
    /// Annotations of ours, without their prefix.
    pub annotations: Vec<(String, String)>,
}

/// A workload.
pub struct Workload {
    pub kind: &'static str,
    pub own: Said,
    pub space: Said,
    pub pods: Vec<Arc<Pod>>,
}

/// A pod.
pub struct Pod {
    pub own: Said,
    /// When it was created, and its name where several were.
    pub age: (String, String),
    pub ready: bool,
    pub ended: bool,
    pub leaving: bool,
    pub containers: Vec<Container>,
}

/// A container that is there as long as its pod.
pub struct Container {
    pub name: String,
    pub image: String,
    /// By what the runtime names it, if that is a digest.
    pub digest: Option<String>,
    pub runs: bool,
    pub began: bool,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn uid(object: &Value) -> &str {
    object["metadata"]["uid"].as_str().unwrap_or_default()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn said(object: &Value) -> Said {
    let metadata = &object["metadata"];
    let annotations = metadata["annotations"].as_object().into_iter().flatten();
    let ours = annotations.filter_map(|(key, value)| {
        let key = key.strip_prefix(PREFIX)?;
        Some((key.to_owned(), text(value)))
    });
    Said {
        name: text(&metadata["name"]),
        is_out: metadata["labels"][RECORD] == "no",
        environment: text(&metadata["labels"][ENVIRONMENT]),
        annotations: ours.collect(),
    }
}

impl Pod {
    fn read(object: &Value) -> Self {
        let (metadata, spec, status) = (&object["metadata"], &object["spec"], &object["status"]);
        let of = |init: &str, main: &str, at: &Value| -> Vec<Value> {
            list(&at[init]).chain(list(&at[main])).cloned().collect()
        };
        let statuses = of("initContainerStatuses", "containerStatuses", status);
        let containers = of("initContainers", "containers", spec)
            .into_iter()
            .map(|it| {
                let status = statuses.iter().find(|status| status["name"] == it["name"]);
                let is = |state: &str| status.is_some_and(|it| it["state"].get(state).is_some());
                let digest = status.map(|it| text(&it["imageID"]));
                Container {
                    name: text(&it["name"]),
                    image: text(&it["image"]),
                    digest: digest.and_then(|it| Some(it.split_once('@')?.1.to_owned())),
                    runs: is("running"),
                    began: is("running") || is("terminated"),
                }
            });
        let phase = text(&status["phase"]);
        Self {
            own: said(object),
            age: (
                text(&metadata["creationTimestamp"]),
                text(&metadata["name"]),
            ),
            ready: status["conditions"][0]["status"] == "True",
            ended: phase == "Succeeded" || phase == "Failed",
            leaving: metadata.get("deletionTimestamp").is_some(),
            containers: containers.collect(),
        }
    }

    /// That container of it.
    pub fn container(&self, name: &str) -> Option<&Container> {
        self.containers.iter().find(|it| it.name == name)
    }
}

impl Workload {
    /// The digests that its pods ran, also while nobody was to be told of it: a CronJob's newest pod
    /// speaks for it although it is gone, and so does what a container was named by before.
    pub fn ran(&self) -> impl Iterator<Item = (Source, String)> {
        let pods = self.pods.iter();
        let containers = pods.flat_map(|pod| pod.containers.iter().filter(|it| it.began));
        containers.filter_map(|it| {
            let [namespace, workload] = [&self.space.name, &self.own.name].map(Clone::clone);
            let source = (
                String::new(),
                self.kind,
                namespace,
                workload,
                it.name.clone(),
            );
            Some((source, it.digest.clone()?))
        })
    }
}

/// Pods that were read before, by their resource versions: most are as they were.
#[derive(Default)]
pub struct Read(HashMap<String, Arc<Pod>>);

/// Every workload whose namespace is there.
pub fn workloads(api: &Apiserver, before: &mut Read) -> Vec<Workload> {
    let spaces: HashMap<String, Said> = {
        let all = api.shared("Namespace");
        all.iter()
            .map(|it| said(it))
            .map(|it| (it.name.clone(), it))
            .collect()
    };
    let all: Vec<(&'static str, Arc<Value>)> = {
        let of = |kind: &'static str| api.shared(kind).into_iter().map(move |it| (kind, it));
        KINDS.into_iter().flat_map(of).collect()
    };
    let by_uid: HashMap<&str, &Value> = all.iter().map(|it| (uid(&it.1), &*it.1)).collect();
    // None: nobody controls it. Some(None): somebody who is not there.
    let controller = |object: &Value| {
        let mut owners = list(&object["metadata"]["ownerReferences"]);
        let uid = owners.find(|it| it["controller"] == true)?["uid"].as_str();
        Some(by_uid.get(uid.unwrap_or_default()).copied())
    };
    let mut pods: HashMap<&str, Vec<Arc<Pod>>> = HashMap::new();
    let mut read = HashMap::new();
    for (_, pod) in all.iter().filter(|it| it.0 == "Pod") {
        let mut at = Some(&**pod);
        while let Some(next) = at.and_then(controller) {
            at = next;
        }
        if let Some(top) = at {
            let version = text(&pod["metadata"]["resourceVersion"]);
            let known = before.0.remove(&version);
            let known = known.unwrap_or_else(|| Arc::new(Pod::read(pod)));
            read.insert(version, Arc::clone(&known));
            pods.entry(uid(top)).or_default().push(known);
        }
    }
    before.0 = read;
    let tops = all.iter().filter(|it| controller(&it.1).is_none());
    tops.filter_map(|(kind, object)| {
        let space = spaces.get(object["metadata"]["namespace"].as_str()?)?;
        Some(Workload {
            kind,
            own: said(object),
            space: space.clone(),
            pods: pods.remove(uid(object)).unwrap_or_default(),
        })
    })
    .collect()
}

/// Whether that is a name that a source of this plain name may have.
pub fn is_named(name: &str, plain: &str) -> bool {
    let hash = name.strip_prefix(plain).and_then(|it| it.strip_prefix('-'));
    name == plain
        || hash.is_some_and(|it| it.len() == 8 && it.chars().all(|c| c.is_ascii_hexdigit()))
}

/// Tags and risks, the nearest to the pod last.
pub fn tags_and_risks(context: [&Said; 3]) -> (BTreeMap<String, String>, BTreeSet<String>) {
    let (mut tags, mut risks) = (BTreeMap::new(), BTreeSet::new());
    let known = [
        "internet-exposed",
        "sensitive-data",
        "lateral-movement",
        "critical-resource",
    ];
    for (key, value) in context.into_iter().flat_map(|it| &it.annotations) {
        match &**key {
            "ignore" => {}
            "runtime-risks" => {
                risks.extend(
                    value
                        .split(',')
                        .filter(|it| known.contains(it))
                        .map(str::to_owned),
                );
            }
            _ if value.len() > 100 => drop(tags.remove(key)),
            _ => drop(tags.insert(key.clone(), value.clone())),
        }
    }
    (tags, risks)
}

/// A source wherever its namespace belongs.
pub fn anywhere(source: &Source) -> Source {
    let mut source = source.clone();
    source.0.clear();
    source
}

/// What the record of a source is called where nobody else is called so.
pub fn plain((_, _, namespace, workload, container): &Source) -> String {
    format!("{namespace}-{workload}-{container}")
}
