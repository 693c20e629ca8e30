//! What the benchmark's cluster is made of: objects as people and controllers write them, with
//! everything that makes a pod large and that the recorder has no use for. No calls in here.

use serde_json::{Value, json};

/// The pods of each Deployment.
pub(crate) const REPLICAS: usize = 5;

/// The containers of each pod.
pub(crate) const CONTAINERS: [&str; 2] = ["app", "proxy"];

/// One Deployment of the benchmark, in one of its versions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Service {
    /// Which one: from 0.
    pub(crate) number: usize,
    /// In how many namespaces the Deployments are.
    pub(crate) namespaces: usize,
    /// How often it was rolled out before.
    pub(crate) revision: usize,
}

impl Service {
    pub(crate) fn namespace(self) -> String {
        namespace(self.number % self.namespaces)
    }

    pub(crate) fn name(self) -> String {
        format!("service-{:04}", self.number)
    }

    /// The name of the `ReplicaSet` of this revision.
    pub(crate) fn replica_set(self) -> String {
        format!("{}-{}", self.name(), self.hash())
    }

    /// The name of one of its pods.
    pub(crate) fn pod(self, index: usize) -> String {
        let suffix = &digest(&format!("{} {index}", self.replica_set()))[..5];
        format!("{}-{suffix}", self.replica_set())
    }

    /// The record that a container of it is to have: its name, and the digest that runs.
    pub(crate) fn record(self, container: &str) -> (String, String) {
        let name = format!("{}-{}-{container}", self.namespace(), self.name());
        (name, format!("sha256:{}", self.digest(container)))
    }

    fn hash(self) -> String {
        digest(&format!("{} {}", self.name(), self.revision))[..10].to_owned()
    }

    fn repository(self, container: &str) -> String {
        let number = self.number;
        format!("registry.example.com/platform/service-{number:04}/{container}")
    }

    fn digest(self, container: &str) -> String {
        digest(&format!("{}:{}", self.repository(container), self.revision))
    }

    fn image(self, container: &str) -> String {
        format!("{}:1.{}.0", self.repository(container), self.revision)
    }

    fn labels(self) -> Value {
        json!({
            "app.kubernetes.io/name": self.name(),
            "app.kubernetes.io/instance": format!("{}-{}", self.namespace(), self.name()),
            "app.kubernetes.io/part-of": "shop",
            "app.kubernetes.io/managed-by": "Helm",
            "pod-template-hash": self.hash(),
        })
    }

    /// The Deployment.
    pub(crate) fn deployment(self) -> Value {
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {
                "name": self.name(),
                "namespace": self.namespace(),
                "labels": {"app.kubernetes.io/name": self.name()},
                "annotations": {
                    "meta.helm.sh/release-name": self.name(),
                    "metadata.github.com/runtime-risks": "internet-exposed",
                },
            },
            "spec": {
                "replicas": REPLICAS,
                "selector": {"matchLabels": {"app.kubernetes.io/name": self.name()}},
                "template": self.template(),
            },
        })
    }

    /// The `ReplicaSet` of this revision, owned by the Deployment of that uid.
    pub(crate) fn owned_replica_set(self, deployment: &str) -> Value {
        let hash = self.hash();
        json!({
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {
                "name": self.replica_set(),
                "namespace": self.namespace(),
                "labels": self.labels(),
                "annotations": {"deployment.kubernetes.io/revision": (self.revision + 1).to_string()},
                "ownerReferences": [owner("Deployment", &self.name(), deployment)],
            },
            "spec": {
                "replicas": REPLICAS,
                "selector": {"matchLabels": {
                    "app.kubernetes.io/name": self.name(), "pod-template-hash": hash,
                }},
                "template": self.template(),
            },
        })
    }

    /// One of its pods as its `ReplicaSet` and the scheduler make it, owned by that uid.
    pub(crate) fn owned_pod(self, index: usize, replica_set: &str) -> Value {
        let mut pod = self.template();
        pod["apiVersion"] = json!("v1");
        pod["kind"] = json!("Pod");
        let metadata = &mut pod["metadata"];
        metadata["name"] = json!(self.pod(index));
        metadata["namespace"] = json!(self.namespace());
        metadata["generateName"] = json!(format!("{}-", self.replica_set()));
        metadata["ownerReferences"] =
            json!([owner("ReplicaSet", &self.replica_set(), replica_set)]);
        pod["spec"]["nodeName"] = json!(format!("node-{:03}", (self.number + index) % 200));
        pod
    }

    /// What a kubelet says of a pod that is ready.
    pub(crate) fn ready_status(self, index: usize) -> Value {
        let at = "2026-11-22T08:30:00Z";
        let address = format!("10.{}.{}.{}", index, self.number / 250, self.number % 250);
        let condition =
            |kind: &str| json!({"type": kind, "status": "True", "lastTransitionTime": at});
        let container = |name: &&str| {
            let id = digest(&format!("{} {index} {name}", self.replica_set()));
            json!({
                "name": name,
                "image": self.image(name),
                "imageID": format!("{}@sha256:{}", self.repository(name), self.digest(name)),
                "containerID": format!("containerd://{id}"),
                "ready": true,
                "started": true,
                "restartCount": 0,
                "state": {"running": {"startedAt": at}},
                "lastState": {},
            })
        };
        json!({"status": {
            "phase": "Running",
            "startTime": at,
            "hostIP": "10.0.0.7",
            "hostIPs": [{"ip": "10.0.0.7"}],
            "podIP": address,
            "podIPs": [{"ip": address}],
            "conditions": [
                condition("PodReadyToStartContainers"),
                condition("Initialized"),
                condition("Ready"),
                condition("ContainersReady"),
                condition("PodScheduled"),
            ],
            "containerStatuses": CONTAINERS.iter().map(container).collect::<Vec<_>>(),
        }})
    }

    /// The pod template.
    pub(crate) fn template(self) -> Value {
        json!({
            "metadata": {
                "labels": self.labels(),
                "annotations": {
                    "checksum/config": digest(&self.name()),
                    "prometheus.io/scrape": "true",
                    "prometheus.io/port": "9090",
                    "cluster-autoscaler.kubernetes.io/safe-to-evict": "true",
                    "metadata.github.com/team": format!("team-{}", self.number % 40),
                },
            },
            "spec": {
                "restartPolicy": "Always",
                "terminationGracePeriodSeconds": 45,
                "serviceAccountName": self.name(),
                "securityContext": {"runAsNonRoot": true, "runAsUser": 10001, "fsGroup": 10001},
                "containers": CONTAINERS.map(|name| self.container(name)),
                "volumes": [
                    {"name": "config", "configMap": {"name": self.name()}},
                ],
            },
        })
    }

    fn container(self, name: &str) -> Value {
        let probe = |path: &str, period: u32| json!({"httpGet": {"path": path, "port": "http"}, "periodSeconds": period, "timeoutSeconds": 2});
        let secret = |key: &str| {
            json!({"name": format!("{key}_PASSWORD"), "valueFrom": {"secretKeyRef": {
                "name": self.name(), "key": key.to_lowercase(),
            }}})
        };
        json!({
            "name": name,
            "image": self.image(name),
            "ports": [{"name": "http", "containerPort": if name == "app" { 8080 } else { 8081 }}],
            "env": [
                {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                {"name": "LOG_LEVEL", "value": "info"},
                {"name": "DATABASE_HOST", "value": format!("{}.databases.svc.cluster.local", self.name())},
                secret("DATABASE"),
            ],
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
            "livenessProbe": probe("/healthz", 10),
            "readinessProbe": probe("/readyz", 5),
            "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true},
            "volumeMounts": [
                {"name": "config", "mountPath": "/etc/service", "readOnly": true},
            ],
        })
    }
}

/// The name of one of the benchmark's namespaces.
pub(crate) fn namespace(index: usize) -> String {
    format!("team-{index:02}")
}

fn owner(kind: &str, name: &str, uid: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": kind, "name": name, "uid": uid,
        "controller": true, "blockOwnerDeletion": true,
    })
}

/// 64 hexadecimal digits that stand for `text`, the same in every run.
fn digest(text: &str) -> String {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    hash.as_ref()
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
