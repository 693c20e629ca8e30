//! The life of the recorder in a test: started, killed, stopped, ended by itself.

use std::sync::Arc;
use std::time::Duration;

use deployment_recorder::clock::Clock;
use deployment_recorder::cluster::Cluster;
use deployment_recorder::github::api::{ApiUrl, ApiVersion};
use deployment_recorder::github::auth::app::{self, Apps, Way};
use deployment_recorder::github::auth::{Credentials, Keyring};
use deployment_recorder::github::client::Client;
use deployment_recorder::github::writer::Writer;
use deployment_recorder::model::policy::Policy;
use deployment_recorder::recorder::events::Desk;
use deployment_recorder::recorder::lease::{Candidate, Identity, Patience, Tenure};
use deployment_recorder::recorder::status::Shared;
use deployment_recorder::recorder::store::Store;
use deployment_recorder::recorder::{Error, Parts, Recorder, Settings};
use deployment_recorder::sandbox::APP_ID;
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::frost::Frost;
use crate::ledger;
use crate::support::apiserver::Line;
use crate::tap::Tap;
use crate::world::{MINUTE, SECOND, World};

/// A recorder that runs.
pub struct Running {
    /// Which of all that were started, from 1.
    pub number: usize,
    /// It itself, until it has given the Lease back.
    pub task: JoinHandle<Result<(), Error>>,
    /// Tells it to stop.
    pub stop: CancellationToken,
    /// What it shows of itself.
    pub status: Shared,
    /// Its way to the API server.
    pub line: Line,
    /// Makes it stand still.
    pub frost: Frost,
    /// The task that keeps the Lease.
    keeper: AbortHandle,
}

/// Where a recorder runs and what it thinks of the Lease.
struct Place {
    /// Its pod, by number. One that is started in the pod of another is that one's container begun
    /// anew.
    pod: usize,
    /// The Lease that it asks for.
    lease: &'static str,
    patience: Patience,
}

impl World {
    /// Starts a recorder.
    pub fn start(&mut self) {
        assert!(self.running.is_none(), "one recorder runs already");
        self.running = Some(self.launch(&Place {
            pod: 0,
            lease: ledger::NAME,
            patience: Patience::Wait,
        }));
    }

    /// Starts one more recorder beside the one that runs, which is the one that is seen from now
    /// on. The older one is returned. The newer one asks for another Lease, as one that knows none,
    /// so that nothing but the ledger itself is between the two.
    pub fn start_another(&mut self) -> JoinHandle<Result<(), Error>> {
        let newer = self.launch(&Place {
            pod: 1,
            lease: "of-its-own",
            patience: Patience::Wait,
        });
        self.running.replace(newer).expect("a recorder").task
    }

    /// Starts a recorder in a pod of its own that stands by.
    pub fn stand_by(&mut self) -> Running {
        self.launch(&Place {
            pod: self.starts + 1,
            lease: ledger::NAME,
            patience: Patience::StandBy,
        })
    }

    fn launch(&mut self, place: &Place) -> Running {
        self.starts += 1;
        let (line, frost) = (Line::default(), Frost::default());
        let (stop, status) = (CancellationToken::new(), Shared::default());
        let client = self.api.client_on(&line);
        let clock = self.clock();
        let (keeper, tenure) = Candidate {
            clock,
            status: status.clone(),
            ..self.candidate(client.clone(), place)
        }
        .prepare();
        let labels = self.registries.as_ref();
        let parts = Parts {
            settings: self.settings(),
            cluster: Cluster::start(client.clone(), self.scope.clone(), self.seed),
            github: (!self.dry_run).then(|| self.github_client(clock)),
            store: self.store(client),
            labels: labels.map(|it| it.read(stop.clone())),
            lease: if self.dry_run {
                Tenure::not_needed(clock)
            } else {
                tenure
            },
            clock,
            events: self.events.then(|| Desk {
                client: self.api.client(),
                instance: "recorder".to_owned(),
            }),
            seed: self.seed,
            stop: stop.clone(),
            status: status.clone(),
        };
        let quit = CancellationToken::new();
        let keeping = if self.dry_run {
            tokio::spawn(async {})
        } else {
            tokio::spawn(frost.over(keeper.keep(quit.clone())))
        };
        let keeper = keeping.abort_handle();
        let task = tokio::spawn(frost.over(lives(parts, quit, keeping)));
        Running {
            number: self.starts,
            task,
            stop,
            status,
            line,
            frost,
            keeper,
        }
    }

    /// A command in a pod of its own that would write the ledger.
    pub fn command(&mut self) -> Candidate {
        self.starts += 1;
        let place = Place {
            pod: self.starts,
            lease: ledger::NAME,
            patience: Patience::GiveUp,
        };
        self.candidate(self.api.client(), &place)
    }

    /// What a command in a pod of its own has to hold the ledger with: the way to it, and a writer
    /// at GitHub.
    pub fn command_with_store(&mut self) -> (Candidate, Store, Writer<Tap>) {
        let candidate = self.command();
        let store = self.store(self.api.client());
        let github = self.github_client(candidate.clock);
        (candidate, store, Writer::new(github))
    }

    fn candidate(&self, client: kube::Client, place: &Place) -> Candidate {
        Candidate {
            client,
            namespace: ledger::NAMESPACE.to_owned(),
            name: place.lease.to_owned(),
            identity: identity(place.pod, self.starts),
            clock: self.clock(),
            status: Shared::default(),
            seed: self.seed,
            patience: place.patience,
        }
    }

    fn store(&self, client: kube::Client) -> Store {
        let holder = format!("recorder-{}", self.starts);
        Store::new(client, ledger::NAMESPACE, ledger::NAME, holder)
    }

    fn settings(&self) -> Settings {
        Settings {
            policy: Arc::new(Policy {
                settle_after: self.interval.max(2 * MINUTE),
                ..self.policy.clone()
            }),
            interval: self.interval,
            ledger_namespace: ledger::NAMESPACE.to_owned(),
        }
    }

    fn clock(&self) -> Clock {
        Clock::beginning_at(self.github.now() + self.ahead).on_machine_suspended_for(self.suspended)
    }

    fn github_client(&self, clock: Clock) -> Client<Tap> {
        let tap = Tap::new(self);
        let way = Way {
            api: ApiUrl::parse("https://api.github.test", false).unwrap(),
            version: ApiVersion::parse("2022-11-28").unwrap(),
            timeout: 30 * SECOND,
            clock,
        };
        let keyring: Keyring = match (&self.app_key, &self.token_file) {
            (Some(key), _) => {
                let identity = app::Identity {
                    app: APP_ID.to_string(),
                    organization: "acme".to_owned(),
                    installation: None,
                    key: key.clone(),
                };
                Apps::new(identity, way.clone(), tap.clone()).into()
            }
            (None, Some(path)) => Credentials::from_file(path).into(),
            (None, None) => Credentials::from_value("token".to_owned().into()).into(),
        };
        let own = self.own_tokens.iter();
        let own =
            own.map(|(organization, file)| (organization.clone(), Credentials::from_file(file)));
        Client::new(tap, way.api, way.version, keyring.with(own), way.timeout)
    }

    /// Kills the recorder: it gets no further than it is.
    pub async fn kill(&mut self) {
        self.running.take().expect("a recorder").kill().await;
    }

    /// Tells the recorder to stop, waits for it, and returns how long it took.
    pub async fn stop(&mut self) -> Duration {
        self.running.take().expect("a recorder").stop().await
    }

    /// Waits until the recorder ends by itself, and returns its error with all causes.
    pub async fn ended(&mut self) -> String {
        self.running.take().expect("a recorder").ended().await
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

impl Running {
    /// Kills it: it gets no further than it is.
    pub async fn kill(self) {
        self.keeper.abort();
        self.task.abort();
        let _ = self.task.await;
        // What reads labels has nothing that could be lost.
        self.stop.cancel();
    }

    /// Tells it to stop, waits for it, and returns how long it took.
    pub async fn stop(self) -> Duration {
        let asked = Instant::now();
        self.stop.cancel();
        let ended = timeout(MINUTE, self.task)
            .await
            .expect("an end within a minute");
        ended.expect("no panic").expect("a stop without an error");
        asked.elapsed()
    }

    /// Waits until it ends by itself, and returns its error with all causes.
    pub async fn ended(self) -> String {
        let ended = timeout(10 * MINUTE, self.task).await.expect("an end");
        let error = ended.expect("no panic").expect_err("an error");
        deployment_recorder::recorder::chain(&error)
    }

    /// Whether it takes itself for the one that writes.
    pub fn leads(&self) -> bool {
        self.status.lock().leader
    }
}

/// The `start`th process, in that pod: each in a pid namespace of its own.
fn identity(pod: usize, start: usize) -> Identity {
    let text = format!("pod/recorder-{pod}/uid-{pod}/{start}/1/1/start-{start}");
    text.parse().expect("a name")
}

/// A whole life, as the command `run` leads it: the Lease is given back when all else is done.
async fn lives(
    parts: Parts<Tap>,
    quit: CancellationToken,
    keeping: JoinHandle<()>,
) -> Result<(), Error> {
    let stop = parts.stop.clone();
    let recorded = async {
        let recorder = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            recorder = Recorder::start(parts) => recorder?,
        };
        recorder.run().await
    };
    let result = recorded.await;
    quit.cancel();
    let _ = keeping.await;
    result
}
