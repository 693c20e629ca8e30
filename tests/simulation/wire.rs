//! What stands between a recorder and github-sandbox. It has each request judged at the very moment at which
//! it leaves (`judge.rs`), and notes what was acknowledged and what was not right.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use deployment_recorder::sandbox::{Sandbox, SandboxService};
use futures::future::BoxFuture;
use http::{Request, Response};
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tower::Service;

use crate::dice::Dice;
use crate::oracle::Oracle;
use crate::parts::Missing;
use crate::story::Story;
use crate::support::apiserver::{Apiserver, Line};

/// The only host that a token may go to.
pub const HOST: &str = "api.github.test";

/// The way to GitHub. Clones are the same way, each for one process.
#[derive(Clone)]
pub struct Wire {
    pub number: usize,
    /// That process's way to the API server.
    pub line: Option<Line>,
    /// What that process sent within the last hour.
    pub sends: Arc<Mutex<VecDeque<Instant>>>,
    service: SandboxService,
    pub shared: Arc<Shared>,
}

/// By environment and name: when GitHub last acknowledged it as deployed, with which digest.
pub type Acknowledged = BTreeMap<(String, String), (Instant, String)>;

/// What all of them share.
pub struct Shared {
    pub github: Sandbox,
    pub api: Apiserver,
    story: Story,
    pub oracle: Arc<Mutex<Oracle>>,
    dice: Mutex<Dice>,
    pub acknowledged: Mutex<Acknowledged>,
    wrong: Mutex<Vec<String>>,
    /// Which process cannot reach GitHub, if one cannot.
    cut: Mutex<Option<usize>>,
    pub missing: Missing,
    /// Whether a person adopts records for nobody.
    adopts: AtomicBool,
    /// Whether the stored ledger is an older copy.
    is_set_back: AtomicBool,
}

/// A line of a request.
pub struct Said {
    pub name: String,
    /// With its version.
    pub image: String,
    pub digest: String,
    pub ends: bool,
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

    /// From now on that process does not reach GitHub.
    pub fn cut(&self, number: usize) {
        *self.shared.cut.lock().unwrap() = Some(number);
    }

    /// It does again.
    pub fn mend(&self, number: usize) {
        self.shared.cut.lock().unwrap().take_if(|it| *it == number);
    }

    /// From now on a person adopts records for nobody.
    pub fn adopt(&self) {
        self.shared.adopts.store(true, Ordering::Relaxed);
    }

    /// From now on the stored ledger is an older copy: what was acknowledged since it does not know.
    pub fn set_back(&self) {
        self.shared.is_set_back.store(true, Ordering::Relaxed);
    }

    /// Whether a person adopts records for nobody.
    pub fn adopts(&self) -> bool {
        self.shared.adopts.load(Ordering::Relaxed)
    }

    /// Whether the stored ledger is an older copy.
    pub fn is_set_back(&self) -> bool {
        self.shared.is_set_back.load(Ordering::Relaxed)
    }

    /// Something is not right.
    pub fn is_wrong(&self, what: String) {
        self.shared.story.tell(&format!("WRONG {what}"));
        self.wrong().push(what);
    }

    fn read(request: &Request<Bytes>) -> (String, Vec<Said>) {
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let lines = body["deployments"].as_array().into_iter().flatten();
        let said = lines.map(|line| Said {
            name: text(&line["deployment_name"]),
            image: format!("{}:{}", text(&line["name"]), text(&line["version"])),
            digest: text(&line["digest"]),
            ends: line["status"] == "decommissioned",
        });
        (text(&body["logical_environment"]), said.collect())
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
        for Said {
            name, ends, digest, ..
        } in said
        {
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

    /// `sum`: of all that the request says, so that two stories of one seed differ where it does.
    fn tell(&self, environment: &str, (said, sum): (&[Said], u64), answer: &str) {
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
            "recorder-{number} to {environment}: deployed {deployed}, ended {ended} ({sum:x}): {answer}"
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
        let mut hasher = DefaultHasher::new();
        request.body().hash(&mut hasher);
        let sum = hasher.finish();
        self.judge(&environment, &said);
        let mut wire = self.clone();
        let (there, back) = {
            let mut dice = self.shared.dice.lock().unwrap();
            (dice.millis(5, 400), dice.millis(5, 400))
        };
        Box::pin(async move {
            if *wire.shared.cut.lock().unwrap() == Some(wire.number) {
                wire.tell(&environment, (&said, sum), "lost on the way");
                return std::future::pending().await;
            }
            let answer = wire.travel(request, there).await;
            let said_back = match &answer {
                Ok(answer) => answer.status().to_string(),
                Err(error) => error.to_string(),
            };
            wire.tell(&environment, (&said, sum), &said_back);
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
