//! The stage of a test: namespaces of its own in a cluster, a GitHub of its own, and a recorder
//! between them with rights, scope and ledger of its own, so that stages do not disturb each other.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use deployment_recorder::sandbox::{Sandbox, Settings, serve};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::api::Api;
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

    /// The namespaces that the recorder looks at one by one.
    pub(crate) fn named(&self) -> impl Iterator<Item = &str> {
        let named = self.flags.get("namespaces");
        named.into_iter().flat_map(|names| names.split(','))
    }

    /// The arguments of a command: `run` takes all flags of the stage, others those they have.
    pub(crate) fn arguments(&self, command: &str) -> Vec<String> {
        let lacking: &[&str] = match command {
            "snapshot" => &[
                "listen",
                "interval",
                "ledger-namespace",
                "mass-decommission-hold",
                "events",
                "github-token-file",
                "org-token-file",
            ],
            "diff" | "explain" => &["listen", "events", "github-token-file", "org-token-file"],
            "verify" => &["listen", "events"],
            "decommission" => &[
                "listen",
                "namespaces",
                "namespace-selector",
                "infer-risks",
                "cluster",
                "logical-environment",
                "mass-decommission-hold",
                "events",
                "org-label",
                "org-map",
            ],
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

    /// Asks the recorder to stop, which it does within 20 seconds and well.
    pub(crate) async fn stop(&mut self) {
        let mut recorder = self.recorder.take().expect("the recorder was started");
        recorder.terminate().await;
        let status = recorder.ended(Duration::from_secs(20)).await;
        assert_eq!(status.code(), Some(0), "{}", recorder.tail());
    }

    /// Kills the recorder.
    pub(crate) async fn kill(&mut self) {
        let recorder = self.recorder.take().expect("the recorder was started");
        recorder.kill().await;
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
