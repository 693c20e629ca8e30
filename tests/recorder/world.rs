//! The world of a test: a cluster, GitHub, and a recorder between them that is started, stopped
//! and killed. What GitHub is to hold follows from what the test made run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use deployment_recorder::cluster::Scope;
use deployment_recorder::model::image_map::ImageMap;
use deployment_recorder::model::organization::Organizations;
use deployment_recorder::model::policy::Policy;
use deployment_recorder::model::record::Destination;
use deployment_recorder::model::regex_map::RegexMap;
use deployment_recorder::model::template::Template;
use deployment_recorder::sandbox::{Sandbox, Settings};
use jiff::SignedDuration;
use serde_json::Value;

use crate::labels::Registries;
use crate::ledger;
use crate::life::Running;
use crate::objects::{Deployment, namespace};
use crate::support::apiserver::Apiserver;
use crate::tap::{Forgotten, Gate, HOST, Sent};

/// The environment that records go to unless a test says otherwise.
pub const ENVIRONMENT: &str = "production";

/// A second.
pub const SECOND: Duration = Duration::from_secs(1);
/// A minute.
pub const MINUTE: Duration = Duration::from_mins(1);
/// From a full snapshot to the next, more or less a tenth.
pub const INTERVAL: Duration = Duration::from_mins(10);

/// The world of a test.
pub struct World {
    /// The cluster.
    pub api: Apiserver,
    /// GitHub.
    pub github: Sandbox,
    /// What the recorder is told.
    pub policy: Policy,
    /// What it looks at.
    pub scope: Scope,
    /// How often it sends the full snapshot.
    pub interval: Duration,
    /// Where it reads labels of images, if it does.
    pub registries: Option<Registries>,
    /// Where it reads its token, if not from the environment.
    pub token_file: Option<PathBuf>,
    /// Where it reads the tokens of organizations that have one of their own.
    pub own_tokens: Vec<(Arc<str>, PathBuf)>,
    /// Where it reads the key of the App as which it signs in, if it does.
    pub app_key: Option<PathBuf>,
    /// How far its clock is ahead of GitHub's.
    pub ahead: SignedDuration,
    /// For how many seconds the machine was suspended.
    pub suspended: &'static AtomicU64,
    /// Whether it writes events on workloads.
    pub events: bool,
    /// Whether it only says what it would do.
    pub dry_run: bool,
    /// Where its random numbers come from.
    pub seed: u64,
    /// What GitHub is to hold as deployed: by environment and name, the digest.
    pub wanted: BTreeMap<(String, String), String>,
    /// Lines that left without being stored.
    pub forgotten: Forgotten,
    /// What may answer in GitHub's place.
    pub gate: Gate,
    /// What left, and who sent it.
    pub sent: Sent,
    /// How often a recorder was started.
    pub starts: usize,
    /// The recorder, while one runs.
    pub running: Option<Running>,
}

fn policy() -> Policy {
    let destination = Destination {
        host: HOST.into(),
        organization: "acme".into(),
        cluster: "main".into(),
        logical_environment: ENVIRONMENT.into(),
        physical_environment: None,
    };
    Policy {
        selection: deployment_recorder::model::selection::Selection::default(),
        destination: Arc::new(destination),
        environments_by_label: false,
        organizations: Organizations::default(),
        image_map: ImageMap::default(),
        repositories: RegexMap::default(),
        reads_labels: false,
        template: Template::default(),
        idle_after: Some(Duration::from_hours(1)),
        mass_decommission_hold: 5 * MINUTE,
        settle_after: INTERVAL,
        storage: None,
    }
}

impl Default for World {
    /// A cluster without workloads, a GitHub without records, no recorder yet.
    fn default() -> Self {
        let api = Apiserver::new();
        for name in ["kube-system", ledger::NAMESPACE] {
            api.apply(namespace(name));
        }
        Self {
            api,
            github: Sandbox::new(Settings {
                epoch: Some("2026-01-01T00:00:00Z".parse().unwrap()),
                ..Settings::default()
            }),
            policy: policy(),
            scope: Scope::default(),
            interval: INTERVAL,
            registries: None,
            token_file: None,
            own_tokens: Vec::new(),
            app_key: None,
            ahead: SignedDuration::ZERO,
            suspended: Box::leak(Box::default()),
            events: false,
            dry_run: false,
            seed: 7,
            wanted: BTreeMap::new(),
            forgotten: Forgotten::default(),
            gate: Gate::default(),
            sent: Sent::default(),
            starts: 0,
            running: None,
        }
    }
}

impl World {
    /// A world in which these run, and a recorder that has reported them.
    pub async fn with(deployments: &[Deployment]) -> Self {
        let mut world = Self::default();
        for deployment in deployments {
            world.run(deployment);
        }
        world.start();
        world.agreed().await;
        world
    }

    /// Rolls a Deployment out: its pods of now run, those of before are gone. GitHub is to hold it.
    pub fn run(&mut self, deployment: &Deployment) {
        self.roll_out(deployment);
        self.unwant(&deployment.namespace, &deployment.name);
        self.want(deployment);
    }

    /// The same, and nothing is said of what GitHub is to hold.
    pub fn roll_out(&self, deployment: &Deployment) {
        if self
            .api
            .get("Namespace", "", &deployment.namespace)
            .is_none()
        {
            self.api.apply(namespace(&deployment.namespace));
        }
        let known = self
            .api
            .get("Deployment", &deployment.namespace, &deployment.name);
        let uid = |object: &Value| object["metadata"]["uid"].as_str().unwrap().to_owned();
        let owner = uid(&self.api.apply(deployment.object()));
        let owner = uid(&self.api.apply(deployment.replica_set(&owner)));
        let pods = deployment.pods(&owner);
        let name = |pod: &Value| pod["metadata"]["name"].clone();
        let stay: Vec<Value> = pods.iter().map(name).collect();
        for pod in pods {
            self.api.apply(pod);
        }
        if known.is_none() {
            return;
        }
        for pod in self.of("Pod", &deployment.namespace, &deployment.name) {
            if !stay.contains(&name(&pod)) {
                self.delete(&pod);
            }
        }
    }

    /// GitHub is to hold the records of a Deployment.
    pub fn want(&mut self, deployment: &Deployment) {
        for (name, digest) in deployment.records() {
            self.wanted.insert((ENVIRONMENT.to_owned(), name), digest);
        }
    }

    /// GitHub is not to hold records of that Deployment any more.
    pub fn unwant(&mut self, namespace: &str, name: &str) {
        let prefix = format!("{namespace}-{name}-");
        self.wanted
            .retain(|(_, record), _| !record.starts_with(&prefix));
    }

    /// Deletes a Deployment with all that it owns.
    pub fn remove(&mut self, namespace: &str, name: &str) {
        self.vanish(namespace, name);
        self.unwant(namespace, name);
    }

    /// The same, and nothing is said of what GitHub is to hold.
    pub fn vanish(&self, namespace: &str, name: &str) {
        for kind in ["Deployment", "ReplicaSet", "Pod"] {
            for object in self.of(kind, namespace, name) {
                self.delete(&object);
            }
        }
    }

    fn of(&self, kind: &str, namespace: &str, app: &str) -> Vec<Value> {
        let mut objects = self.api.all(kind);
        objects.retain(|object| {
            let metadata = &object["metadata"];
            metadata["namespace"] == namespace && metadata["labels"]["app"] == app
        });
        objects
    }

    fn delete(&self, object: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let metadata = &object["metadata"];
        self.api.delete(
            &text(&object["kind"]),
            &text(&metadata["namespace"]),
            &text(&metadata["name"]),
        );
    }
}
