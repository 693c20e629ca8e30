//! A recorder that runs as a process of its own: the real one, from its Lease to its requests. It is
//! killed at any await, stands still, is cut off, and comes again.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use deployment_recorder::clock::Clock;
use deployment_recorder::cluster::Cluster;
use deployment_recorder::github::api::{ApiUrl, ApiVersion};
use deployment_recorder::github::auth::{Credentials, Keyring};
use deployment_recorder::github::client::Client;
use deployment_recorder::recorder::lease::{Candidate, Identity, Patience, Tenure};
use deployment_recorder::recorder::status::Shared;
use deployment_recorder::recorder::{Error, Parts, Recorder, Settings, chain};
use jiff::Timestamp;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::frost::Frost;
use crate::fuse::Fuse;
use crate::ledger;
use crate::support::apiserver::{Apiserver, Line};
use crate::told::Told;
use crate::wire::{HOST, Wire};

/// What a process is started with.
pub struct Start {
    /// Which of all that were started, from 1.
    pub number: usize,
    /// The number of its pod: a process that is started in the pod of another is that one's container
    /// begun anew.
    pub pod: usize,
    pub told: Told,
    pub api: Apiserver,
    pub wire: Wire,
    /// What its wall clock shows.
    pub wall: Timestamp,
    /// How far somebody sets that forward or back.
    pub shift: &'static AtomicI64,
    pub seed: u64,
}

/// A process.
pub struct Process {
    pub number: usize,
    pub pod: usize,
    pub status: Shared,
    pub line: Line,
    pub frost: Frost,
    pub fuse: Fuse,
    task: JoinHandle<Option<Result<(), Error>>>,
    stop: CancellationToken,
}

impl Start {
    /// Starts it.
    pub fn now(self) -> Process {
        let (frost, fuse) = (Frost::default(), Fuse::default());
        // What mirrors read stands still with the process.
        let gate = frost.clone();
        let line = Line::behind(move |context| gate.passes(context));
        let (stop, status) = (CancellationToken::new(), Shared::default());
        let client = self.api.client_on(&line);
        let clock = Clock::adjustable(self.wall, self.shift);
        let text = format!(
            "pod/recorder-{0}/uid-{0}/{1}/1/1/start-{1}",
            self.pod, self.number
        );
        let identity: Identity = text.parse().unwrap();
        let candidate = Candidate {
            client: client.clone(),
            namespace: ledger::NAMESPACE.to_owned(),
            name: ledger::NAME.to_owned(),
            identity,
            clock,
            status: status.clone(),
            seed: self.seed,
            patience: Patience::StandBy,
        };
        let (keeper, tenure) = candidate.prepare();
        let quit = CancellationToken::new();
        let keeping = fuse.over(frost.over(keeper.keep(quit.clone())));
        let keeping = tokio::spawn(keeping);
        let life = Life {
            stop: stop.clone(),
            quit,
            parts: self.parts((client, &line), clock, tenure, &stop, &status),
        };
        Process {
            number: self.number,
            pod: self.pod,
            status,
            line,
            task: tokio::spawn(fuse.over(frost.over(life.lived(keeping)))),
            frost,
            fuse,
            stop,
        }
    }

    fn parts(
        &self,
        (client, line): (kube::Client, &Line),
        clock: Clock,
        lease: Tenure,
        stop: &CancellationToken,
        status: &Shared,
    ) -> Parts<Wire> {
        let api = ApiUrl::parse(&format!("https://{HOST}"), false).unwrap();
        let version = ApiVersion::parse("2022-11-28").unwrap();
        let token: Keyring = Credentials::from_value("token".to_owned().into()).into();
        let wire = self.wire.of(self.number, line);
        let timeout = Duration::from_secs(30);
        let github = Client::new(wire, api, version, token, timeout);
        let holder = format!("recorder-{}", self.number);
        Parts {
            settings: Settings {
                policy: Arc::new(self.told.policy(HOST)),
                interval: self.told.interval,
                ledger_namespace: ledger::NAMESPACE.to_owned(),
            },
            cluster: Cluster::start(client.clone(), self.told.scope(), self.seed),
            github: Some(github),
            store: self.told.store(client, holder),
            labels: None,
            lease,
            clock,
            events: None,
            seed: self.seed,
            stop: stop.clone(),
            status: status.clone(),
        }
    }
}

struct Life {
    stop: CancellationToken,
    quit: CancellationToken,
    parts: Parts<Wire>,
}

impl Life {
    /// All of it, as the command `run` leads it.
    async fn lived(self, keeping: JoinHandle<Option<()>>) -> Result<(), Error> {
        let Self { stop, quit, parts } = self;
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
}

impl Process {
    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        self.task.is_finished()
    }

    /// Tells it to stop.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// How it ended, in words.
    pub async fn end(self) -> String {
        match self.task.await {
            Ok(None) => "killed".to_owned(),
            Ok(Some(Ok(()))) => "stopped".to_owned(),
            Ok(Some(Err(error))) => chain(&error),
            Err(error) => panic!("recorder-{} panicked: {error}", self.number),
        }
    }
}
