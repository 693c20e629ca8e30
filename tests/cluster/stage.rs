//! The stage of a test: namespaces of its own in a cluster, a GitHub of its own, and a recorder
//! between them with rights, scope and ledger of its own, so that stages do not disturb each other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use deployment_recorder::sandbox::{Change, Entry, Record, Sandbox, Settings, Status, serve};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::api::{Api, Cascade, PATIENCE, eventually};
use super::objects::digest;
use super::program::{Ended, Program, run};
use crate::control_plane::ControlPlane;

/// The environment that records go to unless a test says otherwise.
pub(crate) const ENVIRONMENT: &str = "production";

/// How many stages one machine bears at once.
static ROOM: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(8)));

/// The stage of a test.
pub(crate) struct Stage {
    /// The API server, as its administrator.
    pub(crate) api: Api,
    /// The namespace of the workloads, and the name of everything that is this stage's own.
    pub(crate) ns: String,
    /// Who the recorder is.
    pub(crate) user: String,
    /// The kubeconfig of that user.
    pub(crate) kubeconfig: PathBuf,
    /// GitHub.
    pub(crate) github: Sandbox,
    /// The recorder, once it is started.
    pub(crate) recorder: Option<Program>,
    flags: BTreeMap<&'static str, String>,
    _room: OwnedSemaphorePermit,
}

impl Stage {
    /// A stage with real controllers and pretended nodes, in a cluster that it shares with others.
    pub(crate) async fn new(name: &str) -> Self {
        let room = Arc::clone(&ROOM).acquire_owned().await.expect("open");
        let stage = Self::on(ControlPlane::shared(), name, room).await;
        // Pods are refused until their namespace has it.
        stage.api.wait_for("ServiceAccount", name, "default").await;
        stage
    }

    /// A stage in this cluster.
    pub(crate) async fn in_cluster(plane: &ControlPlane, name: &str) -> Self {
        let room = Arc::clone(&ROOM).acquire_owned().await.expect("open");
        Self::on(plane, name, room).await
    }

    async fn on(plane: &ControlPlane, name: &str, room: OwnedSemaphorePermit) -> Self {
        let api = Api::new(&plane.kubeconfig()).await;
        let kubeconfig = plane.user(name);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let github = Sandbox::new(Settings {
            // Requests are timed where they are handled, which a busy machine delays.
            jitter: Duration::from_millis(100),
            ..Settings::default()
        });
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        tokio::spawn(serve(listener, github.clone()));
        let ledger = format!("{name}-ledger");
        let flags = BTreeMap::from([
            ("org", "acme".to_owned()),
            ("cluster", "main".to_owned()),
            ("logical-environment", ENVIRONMENT.to_owned()),
            ("github-api-url", url),
            ("kubeconfig", kubeconfig.display().to_string()),
            ("namespaces", name.to_owned()),
            ("ledger-namespace", ledger.clone()),
            ("listen", "127.0.0.1:0".to_owned()),
            ("log-format", "json".to_owned()),
        ]);
        let stage = Self {
            api,
            ns: name.to_owned(),
            user: name.to_owned(),
            kubeconfig,
            github,
            recorder: None,
            flags,
            _room: room,
        };
        for namespace in [name, &ledger] {
            let metadata = json!({"name": namespace, "labels": {"stage": name}});
            let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata});
            stage.api.create(&object).await;
        }
        stage
    }

    /// The namespace of the ledger.
    pub(crate) fn ledger(&self) -> String {
        format!("{}-ledger", self.ns)
    }

    /// Gives the recorder the rights of `deploy/rbac.yaml`, and waits until they count.
    pub(crate) async fn grant(&self) {
        self.grant_cluster().await;
        self.grant_ledger().await;
    }

    /// Those to read the whole cluster.
    pub(crate) async fn grant_cluster(&self) {
        let mut role = deployed("ClusterRole");
        role["metadata"]["name"] = json!(self.user);
        self.api.create(&role).await;
        let mut binding = deployed("ClusterRoleBinding");
        binding["metadata"]["name"] = json!(self.user);
        binding["roleRef"]["name"] = json!(self.user);
        binding["subjects"] = self.subjects();
        self.api.create(&binding).await;
        self.wait_for_right(true, "", "pods", &self.ns).await;
    }

    /// Those to keep the ledger.
    pub(crate) async fn grant_ledger(&self) {
        let mut role = deployed("Role");
        role["metadata"]["namespace"] = json!(self.ledger());
        self.api.create(&role).await;
        let mut binding = deployed("RoleBinding");
        binding["metadata"]["namespace"] = json!(self.ledger());
        binding["subjects"] = self.subjects();
        self.api.create(&binding).await;
        let asked = json!({"verb": "create", "resource": "configmaps", "namespace": self.ledger()});
        self.api.wait_for_right(&self.user, true, &asked).await;
    }

    /// The user as the subject of a binding.
    pub(crate) fn subjects(&self) -> Value {
        json!([{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": self.user}])
    }

    /// Waits until the recorder may (or may not) list this.
    pub(crate) async fn wait_for_right(&self, may: bool, group: &str, resource: &str, ns: &str) {
        let asked = json!({"verb": "list", "group": group, "resource": resource, "namespace": ns});
        self.api.wait_for_right(&self.user, may, &asked).await;
    }

    /// Sets a flag of the recorder; one that only stands there has no value.
    pub(crate) fn set(&mut self, flag: &'static str, value: &str) {
        self.flags.insert(flag, value.to_owned());
    }

    /// Lets the recorder watch the whole cluster, and take what is in this stage's namespaces.
    pub(crate) fn look_at_the_whole_cluster(&mut self) {
        self.flags.remove("namespaces");
        let label = format!("stage={}", self.ns);
        self.set("namespace-selector", &label);
    }

    /// The arguments of a command: `run` takes all flags of the stage, others those they have.
    pub(crate) fn arguments(&self, command: &str) -> Vec<String> {
        let lacking: &[&str] = match command {
            "snapshot" => &[
                "listen",
                "interval",
                "ledger-namespace",
                "mass-decommission-hold",
            ],
            "diff" => &["listen"],
            _ => &[],
        };
        let flags = self
            .flags
            .iter()
            .filter(|(flag, _)| !lacking.contains(flag));
        let flags = flags.map(|(flag, value)| match &**value {
            "" => format!("--{flag}"),
            value => format!("--{flag}={value}"),
        });
        std::iter::once(command.to_owned()).chain(flags).collect()
    }

    /// Starts the recorder; whatever ran before is killed.
    pub(crate) fn start(&mut self) {
        let arguments = self.arguments("run");
        self.recorder = None;
        self.recorder = Some(Program::start(&self.ns, &arguments));
    }

    /// Gives rights, and starts the recorder.
    pub(crate) async fn begin(&mut self) {
        self.grant().await;
        self.start();
    }

    /// Runs another command to its end, with the flags of this stage.
    pub(crate) async fn run(&self, command: &str, more: &[&str]) -> Ended {
        let mut arguments = self.arguments(command);
        arguments.extend(more.iter().map(|&flag| flag.to_owned()));
        run(&arguments).await
    }

    /// The recorder that runs.
    pub(crate) fn recorder(&mut self) -> &mut Program {
        self.recorder.as_mut().expect("the recorder was started")
    }

    /// Kills the recorder.
    pub(crate) async fn kill(&mut self) {
        let recorder = self.recorder.take().expect("the recorder was started");
        recorder.kill().await;
    }

    /// Creates an object and gives it as stored.
    pub(crate) async fn create(&self, object: &Value) -> Value {
        self.api.create(object).await
    }

    /// Deletes a workload.
    pub(crate) async fn delete(&self, kind: &str, name: &str) {
        self.api
            .delete(kind, &self.ns, name, Cascade::Background)
            .await;
    }

    /// Changes a workload.
    pub(crate) async fn patch(&self, kind: &str, name: &str, patch: &Value) {
        self.api.patch(kind, &self.ns, name, patch).await;
    }

    /// Waits until each container of this workload's pods is in that state (`running`,
    /// `waiting`), at this image.
    pub(crate) async fn pods_are(&self, app: &str, image: &str, state: &str) {
        eventually(&format!("{app} {state} at {image}"), async || {
            let pods = self.api.list("Pod", &self.ns).await;
            let pods = pods
                .iter()
                .filter(|pod| pod["metadata"]["labels"]["app"] == app);
            let mut statuses = pods.flat_map(|pod| {
                pod["status"]["containerStatuses"]
                    .as_array()
                    .into_iter()
                    .flatten()
            });
            statuses.any(|it| it["image"] == image && !it["state"][state].is_null())
        })
        .await;
    }

    /// The name of a record, as it is made by default.
    pub(crate) fn name(&self, workload: &str, container: &str) -> String {
        format!("{}-{workload}-{container}", self.ns)
    }

    /// A record of this stage.
    pub(crate) fn record(&self, workload: &str, container: &str) -> Option<Record> {
        self.github
            .record(ENVIRONMENT, &self.name(workload, container))
    }

    /// Every write to a record of this stage.
    pub(crate) fn history(&self, workload: &str, container: &str) -> Vec<Change> {
        self.github
            .history(ENVIRONMENT, &self.name(workload, container))
    }

    /// Waits until something holds at GitHub.
    pub(crate) async fn until(&self, what: &str, mut holds: impl FnMut(&Sandbox) -> bool) {
        let held = timeout(PATIENCE, self.github.wait_until(&mut holds)).await;
        if held.is_err() {
            let tail = self.recorder.as_ref().map(Program::tail);
            let tail = tail.unwrap_or_default();
            let records = self.github.records();
            panic!("waited {PATIENCE:?} for: {what}\nGitHub: {records:#?}\nlog: {tail}");
        }
    }

    /// Waits until a container is recorded as running this image.
    pub(crate) async fn runs(&self, workload: &str, container: &str, image: &str) {
        let wanted = digest(image);
        let what = format!("{workload}/{container} deployed with {image}");
        self.until(&what, |_| {
            self.record(workload, container)
                .is_some_and(|it| it.status == Status::Deployed && it.digest == wanted)
        })
        .await;
    }

    /// Waits until a container is recorded as decommissioned.
    pub(crate) async fn ends(&self, workload: &str, container: &str) {
        self.until(&format!("{workload}/{container} decommissioned"), |_| {
            self.record(workload, container)
                .is_some_and(|it| it.status == Status::Decommissioned)
        })
        .await;
    }

    /// What GitHub holds as deployed: environment, name and digest.
    pub(crate) fn deployed(&self) -> BTreeSet<(String, String, String)> {
        let records = self.github.records().into_iter();
        let deployed = records.filter(|record| record.status == Status::Deployed);
        deployed
            .map(|it| {
                (
                    it.key.logical_environment,
                    it.key.deployment_name,
                    it.digest,
                )
            })
            .collect()
    }

    /// The requests that GitHub got so far.
    pub(crate) fn requests(&self) -> Vec<Entry> {
        self.github.requests()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let violations = self.github.violations();
            assert!(violations.is_empty(), "{}: {violations:?}", self.ns);
        }
    }
}

/// The object of this kind in `deploy/rbac.yaml`.
pub(crate) fn deployed(kind: &str) -> Value {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/rbac.yaml");
    let text = std::fs::read_to_string(file).expect("deploy/rbac.yaml");
    let documents: Vec<Value> = serde_saphyr::from_multiple(&text).expect("it is YAML");
    let mut of_kind = documents
        .into_iter()
        .filter(|object| object["kind"] == kind);
    of_kind
        .next()
        .unwrap_or_else(|| panic!("deploy/rbac.yaml has a {kind}"))
}
