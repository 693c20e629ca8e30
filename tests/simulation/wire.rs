//! What stands between a recorder and github-sandbox. At the very moment at which a request leaves it
//! looks into the stored ledger and asks the oracle; it notes what was acknowledged and what was not
//! right.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use deployment_recorder::sandbox::{POLITE_PER_HOUR, Sandbox, SandboxService, Status};
use futures::future::BoxFuture;
use http::{Request, Response};
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tower::Service;

use crate::dice::Dice;
use crate::ledger;
use crate::oracle::Oracle;
use crate::parts::Missing;
use crate::story::Story;
use crate::support::apiserver::{Apiserver, Line};

const HOUR: Duration = Duration::from_hours(1);

/// The only host that a token may go to.
pub const HOST: &str = "api.github.test";

/// The way to GitHub. Clones are the same way, each for one process.
#[derive(Clone)]
pub struct Wire {
    number: usize,
    /// That process's way to the API server.
    line: Option<Line>,
    /// What that process sent within the last hour.
    sends: Arc<Mutex<VecDeque<Instant>>>,
    service: SandboxService,
    shared: Arc<Shared>,
}

struct Shared {
    github: Sandbox,
    api: Apiserver,
    story: Story,
    oracle: Arc<Mutex<Oracle>>,
    dice: Mutex<Dice>,
    /// By environment and name: when GitHub last acknowledged it as deployed, with which digest.
    acknowledged: Mutex<BTreeMap<(String, String), (Instant, String)>>,
    wrong: Mutex<Vec<String>>,
    /// Which process cannot reach GitHub, if one cannot.
    cut: Mutex<Option<usize>>,
    missing: Missing,
    /// Whether a person adopts records for nobody.
    adopts: AtomicBool,
    /// Whether the stored ledger is an older copy.
    is_set_back: AtomicBool,
}

/// A line of a request.
struct Said {
    name: String,
    digest: String,
    ends: bool,
}

impl Wire {
    pub fn new(
        github: &Sandbox,
        (api, missing): (Apiserver, Missing),
        story: Story,
        oracle: Arc<Mutex<Oracle>>,
        dice: Dice,
    ) -> Self {
        let shared = Shared {
            github: github.clone(),
            api,
            story,
            oracle,
            dice: Mutex::new(dice),
            acknowledged: Mutex::default(),
            wrong: Mutex::default(),
            cut: Mutex::default(),
            missing,
            adopts: AtomicBool::default(),
            is_set_back: AtomicBool::default(),
        };
        Self {
            number: 0,
            line: None,
            sends: Arc::default(),
            service: github.service(),
            shared: Arc::new(shared),
        }
    }

    /// The way of the process of that number, which reaches the API server on that line.
    #[must_use]
    pub fn of(&self, number: usize, line: &Line) -> Self {
        Self {
            number,
            line: Some(line.clone()),
            sends: Arc::default(),
            ..self.clone()
        }
    }

    /// What was not right so far.
    pub fn wrong(&self) -> MutexGuard<'_, Vec<String>> {
        self.shared.wrong.lock().unwrap()
    }

    /// From now on that process does not reach GitHub; none: all do.
    pub fn cut(&self, number: Option<usize>) {
        *self.shared.cut.lock().unwrap() = number;
    }

    /// From now on a person adopts records for nobody.
    pub fn adopt(&self) {
        self.shared.adopts.store(true, Ordering::Relaxed);
    }

    /// From now on the stored ledger is an older copy: what was acknowledged since it does not know.
    pub fn set_back(&self) {
        self.shared.is_set_back.store(true, Ordering::Relaxed);
    }

    fn is_wrong(&self, what: String) {
        self.shared.story.tell(&format!("WRONG {what}"));
        self.wrong().push(what);
    }

    fn read(request: &Request<Bytes>) -> (String, Vec<Said>) {
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let lines = body["deployments"].as_array().into_iter().flatten();
        let said = lines.map(|line| Said {
            name: text(&line["deployment_name"]),
            digest: text(&line["digest"]),
            ends: line["status"] == "decommissioned",
        });
        (text(&body["logical_environment"]), said.collect())
    }

    /// What must be so of every request at the moment at which it leaves.
    fn judge(&self, environment: &str, said: &[Said]) {
        let stored = ledger::stored(&self.shared.api);
        self.judge_the_lease();
        self.judge_the_hour();
        let oracle = self.shared.oracle.lock().unwrap();
        let acknowledged = self.shared.acknowledged.lock().unwrap();
        for Said { name, digest, ends } in said {
            let is_hidden = || self.shared.missing.hides(&stored, environment, name);
            if !stored.knows(environment, name, digest) && !is_hidden() {
                self.is_wrong(format!(
                    "{environment} {name} {digest} leaves and is not stored"
                ));
            }
            let key = (environment.to_owned(), name.clone());
            let Some((at, held)) = acknowledged.get(&key).filter(|_| *ends) else {
                continue;
            };
            // An older copy of the ledger knows another digest, or that it had ended.
            let is_older = held != digest || stored.tombstones().contains(&&**name);
            if is_older && self.shared.is_set_back.load(Ordering::Relaxed) {
                continue;
            }
            let is_right = oracle.is_right(environment, name, digest, *at);
            // What was adopted for nobody is kept for who runs under this name, and for nobody else.
            let adopts = self.shared.adopts.load(Ordering::Relaxed);
            let is_left = || oracle.runs(name, digest) && !self.is_elsewhere(name, digest);
            if is_right && (!adopts || is_left()) {
                self.is_wrong(format!(
                    "{environment} {name} {digest} is ended and was right"
                ));
            }
        }
    }

    /// Only who has the Lease sends, and for no longer than it lasts: what counts is when the last
    /// renewal that was acknowledged began.
    fn judge_the_lease(&self) {
        let api = &self.shared.api;
        let lease = api.get("Lease", ledger::NAMESPACE, ledger::NAME);
        let mut spec = lease.unwrap_or_default()["spec"].take();
        let (holder, number) = (spec["holderIdentity"].take(), self.number);
        let is_holder = format!("/start-{number}");
        if !holder.as_str().unwrap_or_default().ends_with(&is_holder) {
            self.is_wrong(format!("recorder-{number} sends, {holder} has the Lease"));
        }
        let lasts = Duration::from_secs(spec["leaseDurationSeconds"].as_u64().unwrap_or_default());
        let renewed = self.line.as_ref().and_then(|it| it.written("/leases"));
        if renewed.is_none_or(|at| at.elapsed() > lasts) {
            let ago = renewed.map(|at| at.elapsed());
            self.is_wrong(format!("recorder-{number} sends, it renewed {ago:?} ago"));
        }
    }

    /// The hour's limit is a process's: none knows what another one sent before it.
    fn judge_the_hour(&self) {
        let now = Instant::now();
        let mut sends = self.sends.lock().unwrap();
        sends.push_back(now);
        while sends.front().is_some_and(|first| *first + HOUR <= now) {
            sends.pop_front();
        }
        if sends.len() > POLITE_PER_HOUR {
            let (number, count) = (self.number, sends.len());
            self.is_wrong(format!("recorder-{number} sends {count} times in an hour"));
        }
    }

    /// Whether GitHub holds what was called so under another name.
    fn is_elsewhere(&self, name: &str, digest: &str) -> bool {
        let records = self.shared.github.records().into_iter();
        let mut deployed = records.filter(|it| it.status == Status::Deployed);
        deployed.any(|it| it.digest == digest && it.key.deployment_name != name)
    }

    fn note(&self, environment: &str, said: &[Said], answer: &Response<Bytes>) {
        let status = answer.status().as_u16();
        if status != 200 && status != 207 {
            return;
        }
        let Ok(body) = serde_json::from_slice::<Value>(answer.body()) else {
            return;
        };
        if body.get("total_count").is_none() {
            return;
        }
        let errors = body["errors"].to_string();
        let mut acknowledged = self.shared.acknowledged.lock().unwrap();
        for Said { name, ends, digest } in said {
            let key = (environment.to_owned(), name.clone());
            if errors.contains(&format!("\"{name}\"")) {
                continue;
            }
            if *ends {
                // Whether that was right was asked when it left.
                acknowledged.remove(&key);
            } else {
                acknowledged.insert(key, (Instant::now(), digest.clone()));
            }
        }
    }

    fn tell(&self, environment: &str, said: &[Said], answer: &str) {
        let few = |ends: bool| {
            let of = said.iter().filter(|it| it.ends == ends);
            let all: Vec<String> = of
                .map(|it| format!("{}={}", it.name, &it.digest[7..11]))
                .collect();
            match all.len() {
                0..=6 => format!("{all:?}"),
                many => format!("{many} of them"),
            }
        };
        let (deployed, ended) = (few(false), few(true));
        let number = self.number;
        self.shared.story.tell(&format!(
            "recorder-{number} to {environment}: deployed {deployed}, ended {ended}: {answer}"
        ));
    }
}

impl Service<Request<Bytes>> for Wire {
    type Response = Response<Bytes>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Response<Bytes>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        assert_eq!(
            request.uri().host(),
            Some(HOST),
            "the token leaves for elsewhere"
        );
        let (environment, said) = Self::read(&request);
        self.judge(&environment, &said);
        let mut wire = self.clone();
        let (there, back) = {
            let mut dice = self.shared.dice.lock().unwrap();
            (dice.millis(5, 400), dice.millis(5, 400))
        };
        Box::pin(async move {
            if *wire.shared.cut.lock().unwrap() == Some(wire.number) {
                wire.tell(&environment, &said, "lost on the way");
                return std::future::pending().await;
            }
            let answer = wire.travel(request, there).await;
            let said_back = match &answer {
                Ok(answer) => answer.status().to_string(),
                Err(error) => error.to_string(),
            };
            wire.tell(&environment, &said, &said_back);
            tokio::time::sleep(back).await;
            if let Ok(answer) = &answer {
                wire.note(&environment, &said, answer);
            }
            answer
        })
    }
}

impl Wire {
    /// A request that has left arrives, whatever becomes of who sent it; who waits for its answer hangs
    /// up when that one is gone.
    async fn travel(
        &mut self,
        request: Request<Bytes>,
        there: Duration,
    ) -> io::Result<Response<Bytes>> {
        let (here, gone) = oneshot::channel::<()>();
        let (answers, answered) = oneshot::channel();
        let mut service = self.service.clone();
        tokio::spawn(async move {
            tokio::time::sleep(there).await;
            tokio::select! {
                biased;
                answer = service.call(request) => drop(answers.send(answer)),
                _ = gone => {}
            }
        });
        let answer = answered.await;
        drop(here);
        answer.unwrap_or_else(|_| Err(io::Error::other("the world ended")))
    }
}
