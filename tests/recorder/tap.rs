//! What stands between the recorder and github-sandbox: it looks into the stored ledger at the very
//! moment at which a request leaves, and notes every line that is not in it (promise 3). A gate may
//! answer in the sandbox's place.

use std::io;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use deployment_recorder::sandbox::SandboxService;
use futures::future::BoxFuture;
use http::{Request, Response};
use serde_json::Value;
use tokio::time::Instant;
use tower::Service;

use crate::ledger;
use crate::support::apiserver::Apiserver;
use crate::world::World;

/// The only host that a token may go to.
pub const HOST: &str = "api.github.test";

/// Every request that left.
#[derive(Clone, Default)]
pub struct Sent(Arc<Mutex<Vec<Way>>>);

/// The way of a request.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// Which recorder sent it.
    pub number: usize,
    /// When.
    pub at: Instant,
    /// When it was dropped without an answer, if it was.
    pub dropped: Option<Instant>,
}

impl Sent {
    /// Which recorder sent each request.
    pub fn all(&self) -> Vec<usize> {
        let sent = self.0.lock().unwrap();
        sent.iter().map(|way| way.number).collect()
    }

    /// What that recorder sent.
    pub fn of(&self, number: usize) -> Vec<Way> {
        let sent = self.0.lock().unwrap();
        let of = sent.iter().filter(|way| way.number == number);
        of.copied().collect()
    }

    fn leaves(&self, number: usize) -> Drops {
        let mut sent = self.0.lock().unwrap();
        sent.push(Way {
            number,
            at: Instant::now(),
            dropped: None,
        });
        Drops {
            sent: self.clone(),
            index: sent.len() - 1,
            answered: false,
        }
    }
}

/// Notes that a request is dropped when this is, unless it was answered.
struct Drops {
    sent: Sent,
    index: usize,
    answered: bool,
}

impl Drops {
    fn came_back(&mut self) {
        self.answered = true;
    }
}

impl Drop for Drops {
    fn drop(&mut self) {
        if !self.answered {
            self.sent.0.lock().unwrap()[self.index].dropped = Some(Instant::now());
        }
    }
}

/// Lines that left although the stored ledger did not know of them.
#[derive(Clone, Default)]
pub struct Forgotten(Arc<Mutex<Vec<String>>>);

impl Forgotten {
    /// All of them so far.
    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

type Answers = dyn Fn(&str) -> Option<(u16, &'static str)> + Send;

/// What may answer in the sandbox's place: by path, a status and a body. It notes who came by.
#[derive(Clone, Default)]
pub struct Gate {
    answers: Arc<Mutex<Option<Box<Answers>>>>,
    away: Arc<Mutex<Option<(String, Away)>>>,
    tokens: Arc<Mutex<Vec<String>>>,
}

/// How a part of GitHub is away.
#[derive(Clone, Copy, Debug)]
pub enum Away {
    /// It answers with this status alone.
    Answers(u16),
    /// It says that it was asked too much, and names ten minutes.
    Limits,
    /// It takes requests and never answers.
    Hangs,
}

impl Gate {
    /// From now on this answers where it gives an answer.
    pub fn set(&self, answers: impl Fn(&str) -> Option<(u16, &'static str)> + Send + 'static) {
        *self.answers.lock().unwrap() = Some(Box::new(answers));
    }

    /// From now on what has such a path is away.
    pub fn away(&self, path: &str, how: Away) {
        *self.away.lock().unwrap() = Some((path.to_owned(), how));
    }

    /// Who came by for which organization, in a line each.
    pub fn tokens(&self) -> Vec<String> {
        self.tokens.lock().unwrap().clone()
    }

    fn note(&self, request: &Request<Bytes>) {
        let path = request.uri().path();
        let organization = path.split('/').nth(2).unwrap_or_default();
        let token = request.headers()["authorization"].to_str().unwrap();
        let line = format!("{organization} {token}");
        self.tokens.lock().unwrap().push(line);
    }

    /// Whether what has this path is away, and how.
    fn how(&self, path: &str) -> Option<Away> {
        let away = self.away.lock().unwrap();
        let (part, how) = away.as_ref()?;
        path.starts_with(part.as_str()).then_some(*how)
    }

    /// Everything goes to the sandbox again.
    pub fn open(&self) {
        *self.answers.lock().unwrap() = None;
        *self.away.lock().unwrap() = None;
    }

    fn answer(&self, path: &str) -> Option<Response<Bytes>> {
        let gate = self.answers.lock().unwrap();
        let (status, body) = gate.as_ref()?(path)?;
        let answer = Response::builder().status(status);
        Some(answer.body(Bytes::from_static(body.as_bytes())).unwrap())
    }
}

/// The way to the sandbox.
#[derive(Clone)]
pub struct Tap {
    service: SandboxService,
    api: Apiserver,
    forgotten: Forgotten,
    gate: Gate,
    sent: Sent,
    number: usize,
}

impl Tap {
    /// The way of the recorder that was started last.
    pub fn new(world: &World) -> Self {
        Self {
            service: world.github.service(),
            api: world.api.clone(),
            forgotten: world.forgotten.clone(),
            gate: world.gate.clone(),
            sent: world.sent.clone(),
            number: world.starts,
        }
    }

    fn look(&self, body: &[u8]) {
        let body: Value = serde_json::from_slice(body).unwrap();
        let environment = body["logical_environment"].as_str().unwrap_or_default();
        let stored = ledger::stored(&self.api);
        for line in body["deployments"].as_array().into_iter().flatten() {
            let name = line["deployment_name"].as_str().unwrap();
            let digest = line["digest"].as_str().unwrap();
            if !stored.knows(environment, name, digest) {
                let line = format!("{} {name} {digest}", line["status"]);
                self.forgotten.0.lock().unwrap().push(line);
            }
        }
    }
}

impl Service<Request<Bytes>> for Tap {
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
        let mut way = self.sent.leaves(self.number);
        if request.uri().path().contains("/deployment-record/") {
            self.look(request.body());
        }
        self.gate.note(&request);
        if let Some(how) = self.gate.how(request.uri().path()) {
            let answer = Response::builder();
            let answer = match how {
                Away::Answers(status) => answer.status(status),
                Away::Limits => answer.status(429).header("retry-after", "600"),
                Away::Hangs => return Box::pin(std::future::pending()),
            };
            way.came_back();
            let answer = answer.body(Bytes::new()).unwrap();
            return Box::pin(async move { Ok(answer) });
        }
        if let Some(answer) = self.gate.answer(request.uri().path()) {
            way.came_back();
            return Box::pin(async move { Ok(answer) });
        }
        let answer = self.service.call(request);
        Box::pin(async move {
            let answer = answer.await;
            way.came_back();
            answer
        })
    }
}
