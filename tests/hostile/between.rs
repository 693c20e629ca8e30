//! What stands between the mirrors and a scripted API server and answers in its place, with bodies
//! that count what is taken of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use deployment_recorder::cluster::{Cluster, MirrorHealth, MirrorState, Scope};
use deployment_recorder::model::facts::Facts;
use deployment_recorder::model::workload::Kind;
use http::{Request, Response};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::support::apiserver::Apiserver;

/// A mebibyte.
pub const MIB: usize = 1 << 20;

type Answer = dyn Fn(&Between, &str) -> Option<Response<Body>> + Send + Sync;

/// Who answers in the API server's place. Clones are the same one.
#[derive(Clone, Default)]
pub struct Between {
    over: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    taken: Arc<AtomicUsize>,
}

impl Between {
    /// A client of `api`, whose requests meet this one first, by path and query.
    pub fn client(
        &self,
        api: &Apiserver,
        answer: impl Fn(&Self, &str) -> Option<Response<Body>> + Send + Sync + 'static,
    ) -> kube::Client {
        let (this, client) = (self.clone(), api.client());
        let answer: Arc<Answer> = Arc::new(answer);
        let service = tower::service_fn(move |request: Request<kube::client::Body>| {
            let (this, client, answer) = (this.clone(), client.clone(), Arc::clone(&answer));
            async move {
                let asked = request.uri().path_and_query().unwrap().to_string();
                if !this.over.load(Ordering::Relaxed)
                    && let Some(answer) = answer(&this, &asked)
                {
                    this.answered.fetch_add(1, Ordering::Relaxed);
                    let (head, body) = answer.into_parts();
                    let body = http_body_util::BodyExt::map_err(body, tower::BoxError::from);
                    return Ok(Response::from_parts(head, boxed(body)));
                }
                let answer = client.send(request).await.map_err(tower::BoxError::from)?;
                let (head, body) = answer.into_parts();
                let body = http_body_util::BodyExt::map_err(body, tower::BoxError::from);
                Ok::<_, tower::BoxError>(Response::from_parts(head, boxed(body)))
            }
        });
        kube::Client::new(service, "default")
    }

    /// From now on the API server itself answers.
    pub fn is_over(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// How many requests it has answered.
    pub fn answered(&self) -> usize {
        self.answered.load(Ordering::Relaxed)
    }

    /// How many bytes of its answers were taken.
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// An answer that is `part` for ever, with so much time after each.
    pub fn endless(&self, part: impl Into<Bytes>, pause: Duration) -> Response<Body> {
        let (part, taken) = (part.into(), Arc::clone(&self.taken));
        let parts = futures::stream::unfold((), move |()| {
            let (part, taken) = (part.clone(), Arc::clone(&taken));
            async move {
                sleep(pause).await;
                taken.fetch_add(part.len(), Ordering::Relaxed);
                Some((Ok::<_, std::io::Error>(part), ()))
            }
        });
        Response::new(Body::from_stream(parts))
    }

    /// A whole answer, after so much time.
    pub fn late(&self, answer: &Value, time: Duration) -> Response<Body> {
        let (text, taken) = (answer.to_string(), Arc::clone(&self.taken));
        let once = futures::stream::once(async move {
            sleep(time).await;
            taken.fetch_add(text.len(), Ordering::Relaxed);
            Ok::<_, std::io::Error>(Bytes::from(text))
        });
        Response::new(Body::from_stream(once))
    }
}

type Boxed = http_body_util::combinators::UnsyncBoxBody<Bytes, tower::BoxError>;

fn boxed(
    body: impl hyper::body::Body<Data = Bytes, Error = tower::BoxError> + Send + 'static,
) -> Boxed {
    http_body_util::BodyExt::boxed_unsync(body)
}

/// Whether pods are listed.
pub fn lists_pods(asked: &str) -> bool {
    asked.starts_with("/api/v1/pods?") && !asked.contains("watch=true")
}

/// Whether pods are watched.
pub fn watches_pods(asked: &str) -> bool {
    asked.starts_with("/api/v1/pods?") && asked.contains("watch=true")
}

/// A pod that runs.
pub fn pod(name: &str) -> Value {
    let digest = "a".repeat(64);
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"namespace": "shop", "name": name},
        "spec": {"containers": [{"name": "main", "image": "nginx:1"}]},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{
                "name": "main", "state": {"running": {}}, "containerID": format!("c://{name}"),
                "imageID": format!("docker.io/library/nginx@sha256:{digest}")
            }]
        }
    })
}

/// A Deployment.
pub fn deployment(name: &str) -> Value {
    let metadata = json!({"namespace": "shop", "name": name, "uid": name});
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata})
}

/// A server with a namespace and these pods.
pub fn server(pods: &[&str]) -> Apiserver {
    let server = Apiserver::new();
    server.apply(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}));
    for name in pods {
        server.apply(pod(name));
    }
    server
}

/// The names of the pods that are seen.
pub fn pods(facts: &Facts) -> Vec<String> {
    let mut names: Vec<String> = facts.pods.iter().map(|pod| pod.name.to_string()).collect();
    names.sort();
    names
}

/// How the mirror of a kind is.
pub fn health(cluster: &Cluster, kind: &Kind) -> MirrorHealth {
    let mut health = cluster.health().into_iter();
    health.find(|mirror| mirror.kind == *kind).unwrap()
}

/// What is wrong with the mirror of pods.
pub fn trouble(cluster: &Cluster) -> String {
    let error = health(cluster, &Kind::Pod).error;
    error.as_deref().unwrap_or_default().to_owned()
}

/// A cluster of which pods are not seen and everything else is.
pub async fn all_but_pods(client: kube::Client) -> Cluster {
    let cluster = Cluster::start(client, Scope::default(), 7);
    assert!(!cluster.first_sync(Duration::from_mins(1)).await);
    others_go_on(&cluster);
    cluster
}

/// Everything but pods is whole.
pub fn others_go_on(cluster: &Cluster) {
    for mirror in cluster.health() {
        let expected = mirror.kind != Kind::Pod;
        let is_synced = mirror.state == MirrorState::Synced;
        assert_eq!(is_synced, expected, "{mirror:?}");
    }
}

/// Waits until everything is seen, for up to `limit`.
pub async fn until_whole(cluster: &Cluster, limit: Duration) -> Facts {
    let whole = cluster.first_sync(limit).await;
    assert!(whole, "{:?}", cluster.health());
    cluster.facts()
}
