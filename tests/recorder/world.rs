//! The world of a test: a cluster, GitHub, and a recorder between them that is started, stopped
//! and killed. What GitHub is to hold follows from what the test made run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use deployment_recorder::cluster::{Cluster, Scope};
use deployment_recorder::github::api::{ApiUrl, ApiVersion};
use deployment_recorder::github::auth::Credentials;
use deployment_recorder::github::client::Client;
use deployment_recorder::model::image_map::ImageMap;
use deployment_recorder::model::policy::Policy;
use deployment_recorder::model::record::Destination;
use deployment_recorder::model::template::Template;
use deployment_recorder::recorder::clock::Clock;
use deployment_recorder::recorder::status::Shared;
use deployment_recorder::recorder::store::Store;
use deployment_recorder::recorder::{Error, Parts, Recorder, Settings};
use deployment_recorder::sandbox::{Fault, FaultKind, Sandbox, Status};
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::ledger::{self, Stored};
use crate::objects::{Deployment, namespace};
use crate::support::apiserver::{Apiserver, Fault as ApiFault, Verb};
use crate::tap::{Forgotten, Gate, HOST, Tap};

/// The environment that records go to unless a test says otherwise.
pub const ENVIRONMENT: &str = "production";

/// A second.
pub const SECOND: Duration = Duration::from_secs(1);
/// A minute.
pub const MINUTE: Duration = Duration::from_secs(60);
/// From a full snapshot to the next, more or less a tenth.
pub const INTERVAL: Duration = Duration::from_secs(600);

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
    /// Where it reads its token, if not from the environment.
    pub token_file: Option<PathBuf>,
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
    starts: usize,
    running: Option<Running>,
}

/// A recorder that runs.
struct Running {
    task: JoinHandle<Result<(), Error>>,
    stop: CancellationToken,
    status: Shared,
}

/// A request that GitHub got.
#[derive(Debug)]
pub struct Post {
    /// When, since the world began.
    pub at: Duration,
    /// The path.
    pub path: String,
    /// Its lines: status and name.
    pub lines: Vec<(String, String)>,
    /// The answer's status, if one was given.
    pub status: Option<u16>,
}

impl Post {
    /// The names of its lines.
    pub fn names(&self) -> Vec<&str> {
        self.lines.iter().map(|(_, name)| &**name).collect()
    }

    /// Whether it has a line of that name.
    pub fn has(&self, name: &str) -> bool {
        self.lines.iter().any(|(_, other)| other == name)
    }

    /// Whether all its lines say that something has ended.
    pub fn ends(&self) -> bool {
        self.lines
            .iter()
            .all(|(status, _)| status == "decommissioned")
    }
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
        image_map: ImageMap::default(),
        template: Template::default(),
        idle_after: Some(Duration::from_secs(3600)),
        mass_decommission_hold: 5 * MINUTE,
        settle_after: INTERVAL,
    }
}

impl World {
    /// A cluster without workloads, a GitHub without records, no recorder yet.
    pub fn new() -> Self {
        let api = Apiserver::new();
        for name in ["kube-system", ledger::NAMESPACE] {
            api.apply(namespace(name));
        }
        Self {
            api,
            github: Sandbox::default(),
            policy: policy(),
            scope: Scope::default(),
            interval: INTERVAL,
            token_file: None,
            dry_run: false,
            seed: 7,
            wanted: BTreeMap::new(),
            forgotten: Forgotten::default(),
            gate: Gate::default(),
            starts: 0,
            running: None,
        }
    }

    /// A world in which these run, and a recorder that has reported them.
    pub async fn with(deployments: &[Deployment]) -> Self {
        let mut world = Self::new();
        for deployment in deployments {
            world.run(deployment);
        }
        world.start();
        world.agreed().await;
        world
    }

    // The cluster.

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
        let uid = |object: &Value| object["metadata"]["uid"].as_str().unwrap().to_owned();
        let owner = uid(&self.api.apply(deployment.object()));
        let owner = uid(&self.api.apply(deployment.replica_set(&owner)));
        let pods = deployment.pods(&owner);
        let name = |pod: &Value| pod["metadata"]["name"].clone();
        let stay: Vec<Value> = pods.iter().map(name).collect();
        for pod in pods {
            self.api.apply(pod);
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

    // The recorder.

    /// Starts a recorder.
    pub fn start(&mut self) {
        assert!(self.running.is_none(), "one recorder runs already");
        self.running = Some(self.launch());
    }

    /// Starts one more recorder beside the one that runs, which is the one that is seen from now
    /// on. The older one is returned.
    pub fn start_another(&mut self) -> JoinHandle<Result<(), Error>> {
        let newer = self.launch();
        self.running.replace(newer).expect("a recorder").task
    }

    fn launch(&mut self) -> Running {
        self.starts += 1;
        let stop = CancellationToken::new();
        let status = Shared::default();
        let credentials = match &self.token_file {
            Some(path) => Credentials::from_file(path),
            None => Credentials::from_value("token".to_owned().into()),
        };
        let github = Client::new(
            Tap::new(&self.github, &self.api, &self.forgotten, &self.gate),
            ApiUrl::parse("https://api.github.test", false).unwrap(),
            ApiVersion::parse("2022-11-28").unwrap(),
            credentials,
            30 * SECOND,
        );
        let client = self.api.client();
        let holder = format!("recorder-{}", self.starts);
        let parts = Parts {
            settings: Settings {
                policy: Arc::new(Policy {
                    settle_after: self.interval.max(2 * MINUTE),
                    ..self.policy.clone()
                }),
                interval: self.interval,
                ledger_namespace: ledger::NAMESPACE.to_owned(),
            },
            cluster: Cluster::start(client.clone(), self.scope.clone(), self.seed),
            github: (!self.dry_run).then_some(github),
            store: Store::new(client, ledger::NAMESPACE, ledger::NAME, holder),
            clock: Clock::beginning_at("2026-01-01T00:00:00Z".parse().unwrap()),
            seed: self.seed,
            stop: stop.clone(),
            status: status.clone(),
        };
        let task = tokio::spawn(async move { Recorder::start(parts).await?.run().await });
        Running { task, stop, status }
    }

    /// Kills the recorder: it gets no further than it is.
    pub async fn kill(&mut self) {
        let running = self.running.take().expect("a recorder");
        running.task.abort();
        let _ = running.task.await;
    }

    /// Tells the recorder to stop, waits for it, and returns how long it took.
    pub async fn stop(&mut self) -> Duration {
        let running = self.running.take().expect("a recorder");
        let asked = Instant::now();
        running.stop.cancel();
        let ended = timeout(MINUTE, running.task)
            .await
            .expect("an end within a minute");
        ended.expect("no panic").expect("a stop without an error");
        asked.elapsed()
    }

    /// Waits until the recorder ends by itself, and returns its error with all causes.
    pub async fn ended(&mut self) -> String {
        let running = self.running.take().expect("a recorder");
        let ended = timeout(10 * MINUTE, running.task).await.expect("an end");
        let error = ended.expect("no panic").expect_err("an error");
        deployment_recorder::recorder::chain(&error)
    }

    /// Starts a new recorder a moment after the last one ended.
    pub async fn restart(&mut self) {
        self.pass(2 * SECOND).await;
        self.start();
    }

    /// What the recorder shows of itself.
    pub fn status(&self) -> Shared {
        self.running.as_ref().expect("a recorder").status.clone()
    }

    /// Whether the recorder still runs.
    pub fn runs(&self) -> bool {
        self.running
            .as_ref()
            .is_some_and(|running| !running.task.is_finished())
    }

    // Time and what comes to pass.

    /// Lets time pass.
    pub async fn pass(&self, time: Duration) {
        sleep(time).await;
    }

    /// Waits until something holds, for at most `limit`.
    pub async fn within(&self, limit: Duration, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let start = Instant::now();
        while !holds(self) {
            assert!(
                start.elapsed() < limit,
                "not within {limit:?}: {what}\n{}",
                self.story()
            );
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until something holds at GitHub, for at most `limit`.
    async fn at_github(&self, limit: Duration, what: &str, holds: impl Fn(&Self) -> bool) {
        let holds = timeout(limit, self.github.wait_until(|_| holds(self)));
        let held = holds.await.is_ok();
        assert!(held, "not within {limit:?}: {what}\n{}", self.story());
    }

    /// Waits half a minute at most until GitHub holds as deployed what is to run, and nothing else.
    pub async fn agreed(&self) {
        self.agreed_within(30 * SECOND).await;
    }

    /// The same with another limit.
    pub async fn agreed_within(&self, limit: Duration) {
        self.at_github(limit, "GitHub holds what runs", |world| {
            world.deployed() == world.wanted
        })
        .await;
    }

    /// What GitHub holds as deployed.
    pub fn deployed(&self) -> BTreeMap<(String, String), String> {
        let records = self.github.records().into_iter();
        records
            .filter(|record| record.status == Status::Deployed)
            .map(|record| {
                let key = (record.key.logical_environment, record.key.deployment_name);
                (key, record.digest)
            })
            .collect()
    }

    /// The requests that GitHub got after the first `after`.
    pub fn posts(&self, after: usize) -> Vec<Post> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let entries = self.github.requests().into_iter().skip(after);
        entries
            .map(|entry| {
                let body = entry.body.as_deref().cloned().unwrap_or_default();
                let lines = body["deployments"].as_array().cloned().unwrap_or_default();
                Post {
                    at: entry.at,
                    path: entry.path,
                    lines: lines
                        .iter()
                        .map(|line| (text(&line["status"]), text(&line["deployment_name"])))
                        .collect(),
                    status: entry.status,
                }
            })
            .collect()
    }

    /// How many requests GitHub got.
    pub fn requests(&self) -> usize {
        usize::try_from(self.github.request_count()).unwrap()
    }

    /// How many requests had a line of that name, after the first `after`.
    pub fn sends_of(&self, after: usize, name: &str) -> usize {
        self.posts(after)
            .iter()
            .filter(|post| post.has(name))
            .count()
    }

    /// Waits until GitHub got so many requests.
    pub async fn requested(&self, count: usize, limit: Duration) {
        self.at_github(limit, &format!("{count} requests"), |world| {
            world.requests() >= count
        })
        .await;
    }

    /// The entry of that name in the stored ledger.
    pub fn entry(&self, name: &str) -> Value {
        let key = (ENVIRONMENT.to_owned(), name.to_owned());
        let entry = self.ledger().entries.remove(&key);
        entry.unwrap_or(Value::Null)
    }

    /// What GitHub holds as deployed under that name, if it does.
    pub fn digest_of(&self, name: &str) -> Option<String> {
        let key = (ENVIRONMENT.to_owned(), name.to_owned());
        self.deployed().remove(&key)
    }

    /// The reasons of all Gaps, and the reasons for withholding.
    pub fn reasons(&self) -> BTreeSet<String> {
        let status = self.status();
        let status = status.lock();
        let plan = status.plan.as_ref().expect("a plan");
        let gaps = plan.gaps.iter().map(|gap| gap.reason.to_string());
        let withheld = plan.withheld.iter().map(|(_, why)| why.to_string());
        gaps.chain(withheld).collect()
    }

    /// The stored ledger.
    pub fn ledger(&self) -> Stored {
        ledger::stored(&self.api)
    }

    /// A fault at GitHub.
    pub fn fault(&self, fault: Fault) {
        self.github.fault(fault);
    }

    /// A fault at GitHub for the next request.
    pub fn once(&self, kind: FaultKind) {
        self.fault(Fault::once(kind));
    }

    /// Every call takes a while: those to the API server `api`, those to GitHub `github`.
    pub fn slow(&self, api: Duration, github: Duration) {
        for verb in [Verb::Get, Verb::Create, Verb::Update] {
            self.api
                .fail(verb, "ConfigMap", ApiFault::Slow(api))
                .forever();
        }
        let millis = u64::try_from(github.as_millis()).unwrap();
        self.fault(Fault::new(FaultKind::Slow { millis }));
    }

    // What must always be so.

    /// What must be so at any time: nothing impolite or invalid was sent, nothing left without
    /// being stored, and nothing that GitHub holds as deployed is forgotten.
    pub fn check(&self) {
        assert_eq!(self.github.violations(), [], "{}", self.story());
        assert_eq!(
            self.forgotten.all(),
            Vec::<String>::new(),
            "{}",
            self.story()
        );
        let stored = self.ledger();
        for ((environment, name), digest) in self.deployed() {
            assert!(
                stored.knows(&environment, &name, &digest),
                "{name} is deployed and forgotten: {stored:#?}\n{}",
                self.story()
            );
        }
    }

    /// The end of a test: what must be so at any time, and a clean stop.
    pub async fn finish(mut self) {
        self.check();
        if self.running.is_some() {
            let took = self.stop().await;
            assert!(took <= 20 * SECOND, "stopping took {took:?}");
            self.check();
        }
    }

    /// What happened, for a test that failed.
    pub fn story(&self) -> String {
        use std::fmt::Write as _;
        let mut story = String::new();
        let deployed = self.deployed();
        let wanted: BTreeSet<_> = self.wanted.iter().collect();
        let held: BTreeSet<_> = deployed.iter().collect();
        let _ = writeln!(
            story,
            "missing at GitHub: {:?}",
            few(wanted.difference(&held))
        );
        let _ = writeln!(
            story,
            "too much at GitHub: {:?}",
            few(held.difference(&wanted))
        );
        for post in self.posts(self.requests().saturating_sub(40)) {
            let _ = writeln!(
                story,
                "{:?}: {} lines, {:?}: {:?}",
                post.at,
                post.lines.len(),
                few(post.lines.iter()),
                post.status
            );
        }
        if let Some(running) = &self.running {
            let status = running.status.lock();
            let _ = writeln!(
                story,
                "cycles {}, store error {:?}, blocked {:?}, ended {}",
                status.cycles,
                status.store_error,
                status.blocked,
                running.task.is_finished()
            );
            if let Some(plan) = &status.plan {
                let _ = writeln!(story, "withheld {:?}", few(plan.withheld.iter()));
                let _ = writeln!(story, "gaps {:?}", few(plan.gaps.iter()));
                let _ = writeln!(
                    story,
                    "reports {}, ends {}",
                    plan.reports.len(),
                    plan.decommissions.len()
                );
            }
        }
        story
    }
}

fn few<T>(items: impl Iterator<Item = T>) -> Vec<T> {
    items.take(6).collect()
}
