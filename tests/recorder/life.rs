//! The life of the recorder in a test: started, killed, stopped, ended by itself.

use std::sync::Arc;
use std::time::Duration;

use deployment_recorder::cluster::Cluster;
use deployment_recorder::github::api::{ApiUrl, ApiVersion};
use deployment_recorder::github::auth::Credentials;
use deployment_recorder::github::client::Client;
use deployment_recorder::model::policy::Policy;
use deployment_recorder::recorder::clock::Clock;
use deployment_recorder::recorder::status::Shared;
use deployment_recorder::recorder::store::Store;
use deployment_recorder::recorder::{Error, Parts, Recorder, Settings};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::ledger;
use crate::tap::Tap;
use crate::world::{MINUTE, SECOND, World};

/// A recorder that runs.
pub struct Running {
    /// It itself.
    pub task: JoinHandle<Result<(), Error>>,
    /// Tells it to stop.
    pub stop: CancellationToken,
    /// What it shows of itself.
    pub status: Shared,
}

impl World {
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
}
