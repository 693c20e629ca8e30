//! A workload as a person wrote it, the pods that it has, and the objects that controllers make of
//! that. Nothing here decides what becomes of it: that is `land`.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Value, json};

use crate::objects::{self, digest, hex};

/// What every key of ours begins with.
pub const PREFIX: &str = "metadata.github.com/";

/// Kinds of workloads, with the API version of their objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Deployment,
    StatefulSet,
    DaemonSet,
    CronJob,
    ReplicaSet,
    ReplicationController,
    Rollout,
    Job,
    Pod,
}

impl Kind {
    /// Every kind; the last two are recorded on demand only.
    pub const ALL: [Self; 9] = [
        Self::Deployment,
        Self::StatefulSet,
        Self::DaemonSet,
        Self::CronJob,
        Self::ReplicaSet,
        Self::ReplicationController,
        Self::Rollout,
        Self::Job,
        Self::Pod,
    ];

    /// As it stands in an object.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::CronJob => "CronJob",
            Self::ReplicaSet => "ReplicaSet",
            Self::ReplicationController => "ReplicationController",
            Self::Rollout => "Rollout",
            Self::Job => "Job",
            Self::Pod => "Pod",
        }
    }

    fn api_version(self) -> &'static str {
        match self {
            Self::Deployment | Self::StatefulSet | Self::DaemonSet | Self::ReplicaSet => "apps/v1",
            Self::CronJob | Self::Job => "batch/v1",
            Self::ReplicationController | Self::Pod => "v1",
            Self::Rollout => "argoproj.io/v1alpha1",
        }
    }

    /// Whether its pods run to completion.
    pub fn completes(self) -> bool {
        matches!(self, Self::CronJob | Self::Job)
    }

    /// Whether a person can ask for another number of its pods.
    pub fn scales(self) -> bool {
        !matches!(self, Self::CronJob | Self::Job | Self::Pod)
    }

    /// What its pods are owned by, if not by it itself.
    fn between(self) -> Option<Self> {
        match self {
            Self::Deployment | Self::Rollout => Some(Self::ReplicaSet),
            Self::CronJob => Some(Self::Job),
            _ => None,
        }
    }
}

/// A container as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    pub name: &'static str,
    pub image: String,
    /// Whether it is an init container that restarts always.
    pub sidecar: bool,
}

/// What pods are made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Tells it from the other templates of its workload.
    pub mark: String,
    pub containers: Vec<Container>,
    pub annotations: BTreeMap<String, String>,
}

/// How a pod is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Its containers are not there yet.
    Pending,
    /// All of them run, and it is not ready.
    Unready,
    /// All is well.
    Ready,
    /// Its last container is not running, the others are.
    CrashLoop,
    /// It is being deleted.
    Leaving,
    /// All of them ended well.
    Succeeded,
    /// It was evicted.
    Failed,
}

/// A pod.
#[derive(Clone, Debug, PartialEq)]
pub struct Pod {
    pub name: String,
    pub number: u64,
    pub template: Rc<Template>,
    pub condition: Condition,
    /// Whether the runtime names what runs by the ID of its configuration, as after a restart.
    pub bare_ids: bool,
}

/// A workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    pub kind: Kind,
    pub namespace: &'static str,
    pub name: String,
    /// Tells it from others that had its name.
    pub incarnation: u64,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    /// What its next pods are made from.
    pub template: Rc<Template>,
    /// What they were made from before.
    pub former: Option<Rc<Template>>,
    pub pods: Vec<Pod>,
}

impl Workload {
    /// As the story calls it.
    pub fn title(&self) -> String {
        format!("{} {}/{}", self.kind.name(), self.namespace, self.name)
    }

    fn uid(&self) -> String {
        format!("uid-{}-{}", self.kind.name(), self.incarnation)
    }

    /// Its objects, owners first.
    pub fn objects(&self) -> Vec<Value> {
        let mut objects = Vec::new();
        if self.kind != Kind::Pod {
            objects.push(self.own_object());
        }
        let mut templates: Vec<&Rc<Template>> = vec![];
        if self.kind != Kind::CronJob && self.kind != Kind::Job {
            templates.extend(
                [Some(&self.template), self.former.as_ref()]
                    .into_iter()
                    .flatten(),
            );
        }
        for pod in &self.pods {
            if !templates.contains(&&pod.template) {
                templates.push(&pod.template);
            }
        }
        for template in templates {
            objects.extend(self.between(template));
        }
        objects.extend(self.pods.iter().map(|pod| self.pod(pod)));
        objects
    }

    fn own_object(&self) -> Value {
        json!({
            "apiVersion": self.kind.api_version(), "kind": self.kind.name(),
            "metadata": {
                "namespace": self.namespace, "name": self.name, "uid": self.uid(),
                "labels": self.labels, "annotations": self.annotations
            }
        })
    }

    fn between_name(&self, template: &Template) -> String {
        format!("{}-{}", self.name, template.mark)
    }

    /// What stands between it and the pods of that template.
    fn between(&self, template: &Template) -> Option<Value> {
        let kind = self.kind.between()?;
        let name = self.between_name(template);
        Some(json!({
            "apiVersion": kind.api_version(), "kind": kind.name(),
            "metadata": {
                "namespace": self.namespace, "uid": format!("{}-{name}", self.uid()), "name": name,
                "ownerReferences": self.reference(),
            }
        }))
    }

    fn reference(&self) -> Value {
        owned_by(self.kind, &self.name, &self.uid())
    }

    fn pod(&self, pod: &Pod) -> Value {
        let template = &pod.template;
        let mut annotations = template.annotations.clone();
        let mut metadata = json!({
            "namespace": self.namespace, "name": pod.name,
            "uid": format!("{}-pod-{}", self.uid(), pod.number),
        });
        match self.kind.between() {
            _ if self.kind == Kind::Pod => {
                annotations.extend(self.annotations.clone());
                metadata["labels"] = json!(self.labels);
            }
            None => metadata["ownerReferences"] = self.reference(),
            Some(kind) => {
                let name = self.between_name(template);
                let uid = format!("{}-{name}", self.uid());
                metadata["ownerReferences"] = owned_by(kind, &name, &uid);
            }
        }
        metadata["annotations"] = json!(annotations);
        if pod.condition == Condition::Leaving {
            metadata["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        }
        let policy = if self.kind.completes() {
            "Never"
        } else {
            "Always"
        };
        let (init, main): (Vec<_>, Vec<_>) = template.containers.iter().partition(|it| it.sidecar);
        let spec = |it: &&Container| {
            let mut spec = json!({"name": it.name, "image": it.image});
            if it.sidecar {
                spec["restartPolicy"] = json!("Always");
            }
            spec
        };
        let last = template.containers.last();
        let status = |it: &&Container| pod.status(it, last == Some(*it));
        let ready = pod.condition == Condition::Ready;
        json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": metadata,
            "spec": {
                "restartPolicy": policy,
                "initContainers": init.iter().map(spec).collect::<Vec<_>>(),
                "containers": main.iter().map(spec).collect::<Vec<_>>(),
            },
            "status": {
                "phase": pod.phase(),
                "conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}],
                "initContainerStatuses": init.iter().map(status).collect::<Vec<_>>(),
                "containerStatuses": main.iter().map(status).collect::<Vec<_>>(),
            }
        })
    }
}

impl Pod {
    fn phase(&self) -> &'static str {
        match self.condition {
            Condition::Pending => "Pending",
            Condition::Succeeded => "Succeeded",
            Condition::Failed => "Failed",
            _ => "Running",
        }
    }

    fn status(&self, container: &Container, is_last: bool) -> Value {
        let state = match self.condition {
            Condition::Pending => json!({"waiting": {"reason": "ContainerCreating"}}),
            Condition::Succeeded | Condition::Failed => json!({"terminated": {"exitCode": 0}}),
            Condition::CrashLoop if is_last => json!({"waiting": {"reason": "CrashLoopBackOff"}}),
            _ => json!({"running": {}}),
        };
        if self.condition == Condition::Pending {
            return json!({"name": container.name, "state": state, "imageID": ""});
        }
        let digest = digest(&container.image);
        let repository = container.image.rsplit_once(':').unwrap().0;
        let image_id = if self.bare_ids {
            format!("sha256:{}", hex(&format!("configuration of {digest}")))
        } else {
            format!("{repository}@{digest}")
        };
        json!({
            "name": container.name, "state": state, "imageID": image_id,
            "containerID": format!("containerd://{}-{}", self.number, container.name),
        })
    }
}

fn owned_by(kind: Kind, name: &str, uid: &str) -> Value {
    objects::owned_by((kind.api_version(), kind.name(), name, uid))
}
