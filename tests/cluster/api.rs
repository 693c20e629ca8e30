//! The API server as the administrator uses it: plain requests with JSON in and out.

use std::path::Path;
use std::time::Duration;

use http::{Method, Request};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

/// How long anything in a cluster may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// Where each kind is: its API and its plural.
const KINDS: [(&str, &str, &str); 28] = [
    ("Namespace", "/api/v1", "namespaces"),
    ("ConfigMap", "/api/v1", "configmaps"),
    ("Secret", "/api/v1", "secrets"),
    ("Pod", "/api/v1", "pods"),
    ("ServiceAccount", "/api/v1", "serviceaccounts"),
    ("Deployment", "/apis/apps/v1", "deployments"),
    ("ReplicaSet", "/apis/apps/v1", "replicasets"),
    ("ReplicationController", "/api/v1", "replicationcontrollers"),
    ("StatefulSet", "/apis/apps/v1", "statefulsets"),
    ("DaemonSet", "/apis/apps/v1", "daemonsets"),
    ("CronJob", "/apis/batch/v1", "cronjobs"),
    ("Job", "/apis/batch/v1", "jobs"),
    ("Lease", "/apis/coordination.k8s.io/v1", "leases"),
    ("Service", "/api/v1", "services"),
    ("Ingress", "/apis/networking.k8s.io/v1", "ingresses"),
    ("Gateway", GATEWAYS, "gateways"),
    ("HTTPRoute", GATEWAYS, "httproutes"),
    ("GRPCRoute", GATEWAYS, "grpcroutes"),
    ("TLSRoute", GATEWAYS, "tlsroutes"),
    ("TCPRoute", GATEWAYS, "tcproutes"),
    ("UDPRoute", GATEWAYS, "udproutes"),
    (
        "CustomResourceDefinition",
        "/apis/apiextensions.k8s.io/v1",
        "customresourcedefinitions",
    ),
    ("ClusterRole", RBAC, "clusterroles"),
    ("ClusterRoleBinding", RBAC, "clusterrolebindings"),
    ("Role", RBAC, "roles"),
    ("RoleBinding", RBAC, "rolebindings"),
    (
        "SubjectAccessReview",
        "/apis/authorization.k8s.io/v1",
        "subjectaccessreviews",
    ),
    ("Event", "/apis/events.k8s.io/v1", "events"),
];

const GATEWAYS: &str = "/apis/gateway.networking.k8s.io/v1";

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

/// How what an object owns is deleted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cascade {
    /// The object first.
    Background,
    /// What it owns first.
    Foreground,
    /// Not at all.
    Orphan,
}

/// The API server, as its administrator.
#[derive(Clone)]
pub(crate) struct Api(Client);

impl Api {
    /// With the rights of this kubeconfig.
    pub(crate) async fn new(kubeconfig: &Path) -> Self {
        Self(client(kubeconfig).await)
    }

    /// Creates an object as it is and gives it as stored.
    pub(crate) async fn create(&self, object: &Value) -> Value {
        let kind = object["kind"].as_str().expect("an object has a kind");
        let namespace = object["metadata"]["namespace"].as_str();
        let path = path(kind, namespace, None);
        self.must(Method::POST, &path, object).await
    }

    /// Creates an object of a kind that has no path here: in `objects`, where those of its kind are.
    pub(crate) async fn create_in(&self, objects: &str, object: &Value) -> Value {
        let namespace = object["metadata"]["namespace"].as_str();
        let path = path(objects, namespace, None);
        self.must(Method::POST, &path, object).await
    }

    /// The same, unless it exists.
    pub(crate) async fn create_if_missing(&self, objects: &str, object: &Value) {
        match self.ask(Method::POST, objects, object).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.code == 409 => {}
            Err(error) => panic!("POST {objects}: {error}"),
        }
    }

    /// Whether there is something to read at this path.
    pub(crate) async fn answers(&self, path: &str) -> bool {
        match self.ask(Method::GET, path, &Value::Null).await {
            Ok(_) => true,
            Err(kube::Error::Api(status)) if [404, 503].contains(&status.code) => false,
            Err(error) => panic!("GET {path}: {error}"),
        }
    }

    /// Changes an object: what the patch names is replaced, what it gives as null is removed.
    pub(crate) async fn patch(&self, kind: &str, namespace: &str, name: &str, patch: &Value) {
        let path = path(kind, Some(namespace), Some(name));
        self.must(Method::PATCH, &path, patch).await;
    }

    /// Says what a pod's status is, as a kubelet does.
    pub(crate) async fn patch_status(&self, namespace: &str, pod: &str, status: &Value) {
        self.patch_status_of("Pod", namespace, pod, status).await;
    }

    /// Says what an object's status is, as its controller does.
    pub(crate) async fn patch_status_of(
        &self,
        kind: &str,
        namespace: &str,
        name: &str,
        status: &Value,
    ) {
        let path = path(kind, Some(namespace), Some(name)) + "/status";
        let patch = json!({"status": status});
        self.must(Method::PATCH, &path, &patch).await;
    }

    /// Creates an object, unless there is one of its name.
    pub(crate) async fn ensure(&self, object: &Value) {
        let kind = object["kind"].as_str().expect("an object has a kind");
        let path = path(kind, object["metadata"]["namespace"].as_str(), None);
        match self.ask(Method::POST, &path, object).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.code == 409 => {}
            Err(error) => panic!("POST {path}: {error}"),
        }
    }

    /// Deletes an object; what it owns follows in its own time.
    pub(crate) async fn delete(&self, kind: &str, namespace: &str, name: &str, cascade: Cascade) {
        let path = path(kind, Some(namespace), Some(name));
        let options = json!({"propagationPolicy": format!("{cascade:?}")});
        self.must(Method::DELETE, &path, &options).await;
    }

    /// The object, if it exists.
    pub(crate) async fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        let path = path(kind, Some(namespace), Some(name));
        match self.ask(Method::GET, &path, &Value::Null).await {
            Ok(object) => Some(object),
            Err(kube::Error::Api(status)) if status.code == 404 => None,
            Err(error) => panic!("GET {path}: {error}"),
        }
    }

    /// All objects of a kind in a namespace.
    pub(crate) async fn list(&self, kind: &str, namespace: &str) -> Vec<Value> {
        let path = path(kind, Some(namespace), None);
        let list = self.must(Method::GET, &path, &Value::Null).await;
        list["items"].as_array().cloned().unwrap_or_default()
    }

    /// Waits until an object exists.
    pub(crate) async fn wait_for(&self, kind: &str, namespace: &str, name: &str) {
        eventually(&format!("{kind} {namespace}/{name}"), async || {
            self.get(kind, namespace, name).await.is_some()
        })
        .await;
    }

    /// Waits until a user may (or may not) do this.
    pub(crate) async fn wait_for_right(&self, user: &str, may: bool, asked: &Value) {
        let review = json!({
            "kind": "SubjectAccessReview", "apiVersion": "authorization.k8s.io/v1",
            "spec": {"user": user, "resourceAttributes": asked},
        });
        eventually(&format!("{user} may: {may}: {asked}"), async || {
            self.create(&review).await["status"]["allowed"] == may
        })
        .await;
    }

    async fn must(&self, method: Method, path: &str, body: &Value) -> Value {
        let answer = self.ask(method.clone(), path, body).await;
        answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    async fn ask(&self, method: Method, path: &str, body: &Value) -> kube::Result<Value> {
        let form = if method == Method::PATCH {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        let body = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(http::header::CONTENT_TYPE, form)
            .body(body)
            .expect("a request");
        self.0.request::<Value>(request).await
    }
}

/// A client with the rights of a kubeconfig, in the runtime of the caller.
pub(crate) async fn client(kubeconfig: &Path) -> Client {
    // Fails only where another test has done it.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let kubeconfig = Kubeconfig::read_from(kubeconfig).expect("a kubeconfig");
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
    Client::try_from(config.expect("a kubeconfig")).expect("a client")
}

/// Asks again and again until it holds.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < end, "waited {PATIENCE:?} for: {what}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// The path of an object, or of all of its kind. In place of a kind that is known here there may be
/// the path of all its objects.
fn path(kind: &str, namespace: Option<&str>, name: Option<&str>) -> String {
    let known = KINDS.iter().find(|(known, _, _)| *known == kind);
    let known = known.map(|(_, api, plural)| (*api, *plural));
    let known = known.or_else(|| kind.rsplit_once('/'));
    let (api, plural) = known.unwrap_or_else(|| panic!("no path is known for {kind}"));
    let namespace = namespace.filter(|namespace| !namespace.is_empty());
    let namespace = namespace.map_or_else(String::new, |it| format!("/namespaces/{it}"));
    let name = name.map_or_else(String::new, |it| format!("/{it}"));
    format!("{api}{namespace}/{plural}{name}")
}
