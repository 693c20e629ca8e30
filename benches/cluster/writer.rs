//! Writes the benchmark's cluster: what controllers, the scheduler and kubelets would write, by the
//! calls that they would make, many at a time. What the objects look like stands in `objects`.

use std::sync::Mutex;

use futures::{StreamExt as _, stream};
use http::{Method, Request};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::objects::{REPLICAS, Service, namespace};

/// Deployments that are written at the same time.
const AT_ONCE: usize = 64;

/// Writes as the administrator, whom the API server does not slow down.
#[derive(Clone)]
pub(crate) struct Writer {
    client: kube::Client,
}

impl Writer {
    pub(crate) fn new(client: kube::Client) -> Self {
        Self { client }
    }

    /// The namespaces, the Deployments and all that is theirs, ready.
    pub(crate) async fn fill(&self, services: &[Service], namespaces: usize) {
        for index in 0..namespaces {
            let object = json!({
                "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace(index)},
            });
            self.post("/api/v1/namespaces", "kubectl", &object).await;
        }
        each(services, async |service| {
            let deployment = self
                .post(&apps(service, "deployments"), "helm", &service.deployment())
                .await;
            self.make_pods(service, &uid(&deployment)).await;
            for index in 0..REPLICAS {
                self.get_ready(service, index).await;
            }
        })
        .await;
    }

    /// The first half of a rollout: the new template, the new `ReplicaSet`, its pods, not yet ready.
    pub(crate) async fn begin_rollouts(&self, services: &[Service]) {
        each(services, async |service| {
            let path = format!("{}/{}", apps(service, "deployments"), service.name());
            let patch = json!({"spec": {"template": service.template()}});
            let deployment = self.patch(&path, "helm", &patch).await;
            self.make_pods(service, &uid(&deployment)).await;
        })
        .await;
    }

    /// The second half: pod by pod the new one gets ready and an old one is deleted. Returns when
    /// the last pod was ready.
    pub(crate) async fn end_rollouts(&self, services: &[Service]) -> Instant {
        let last = Mutex::new(Instant::now());
        each(services, async |service| {
            let old = Service {
                revision: service.revision - 1,
                ..service
            };
            for index in 0..REPLICAS {
                self.get_ready(service, index).await;
                *last.lock().unwrap() = Instant::now();
                let path = format!("{}/{}", pods(old), old.pod(index));
                // No kubelet is there to say that the containers have ended.
                let now = json!({"gracePeriodSeconds": 0});
                self.call(Method::DELETE, &path, "application/json", &now)
                    .await;
            }
        })
        .await;
        last.into_inner().unwrap()
    }

    /// One pod as the API server gives it, in bytes.
    pub(crate) async fn size_of_pod(&self, service: Service) -> usize {
        let path = format!("{}/{}", pods(service), service.pod(0));
        let request = Request::get(path).body(Vec::new()).unwrap();
        self.client.request_text(request).await.unwrap().len()
    }

    async fn make_pods(&self, service: Service, deployment: &str) {
        let replica_set = service.owned_replica_set(deployment);
        let replica_set = self
            .post(
                &apps(service, "replicasets"),
                "kube-controller-manager",
                &replica_set,
            )
            .await;
        for index in 0..REPLICAS {
            let pod = service.owned_pod(index, &uid(&replica_set));
            self.post(&pods(service), "kube-controller-manager", &pod)
                .await;
        }
    }

    async fn get_ready(&self, service: Service, index: usize) {
        let path = format!("{}/{}/status", pods(service), service.pod(index));
        self.patch(&path, "kubelet", &service.ready_status(index))
            .await;
    }

    async fn post(&self, path: &str, manager: &str, object: &Value) -> Value {
        let path = format!("{path}?fieldManager={manager}");
        self.call(Method::POST, &path, "application/json", object)
            .await
    }

    async fn patch(&self, path: &str, manager: &str, patch: &Value) -> Value {
        let path = format!("{path}?fieldManager={manager}");
        self.call(
            Method::PATCH,
            &path,
            "application/strategic-merge-patch+json",
            patch,
        )
        .await
    }

    async fn call(&self, method: Method, path: &str, content: &str, body: &Value) -> Value {
        let request = Request::builder()
            .method(method.clone())
            .uri(path)
            .header("content-type", content)
            .body(serde_json::to_vec(body).unwrap())
            .unwrap();
        match self.client.request(request).await {
            Ok(answer) => answer,
            Err(error) => panic!("{method} {path}: {error}"),
        }
    }
}

async fn each(services: &[Service], write: impl AsyncFn(Service)) {
    let writes = stream::iter(services).map(|service| write(*service));
    writes.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
}

fn apps(service: Service, plural: &str) -> String {
    format!("/apis/apps/v1/namespaces/{}/{plural}", service.namespace())
}

fn pods(service: Service) -> String {
    format!("/api/v1/namespaces/{}/pods", service.namespace())
}

fn uid(object: &Value) -> String {
    object["metadata"]["uid"].as_str().unwrap().to_owned()
}
