//! A small scripted API server: lists in pages, watches, reads and writes of single objects, and
//! the faults of each, in process. No sockets and no timers of its own but those of a request, so
//! it works under a paused clock. It knows nothing of the program under test.

#![allow(dead_code, reason = "each test program uses its part")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a request that this server does not know is a defect of the test"
)]

mod answer;
mod definitions;
mod faults;
mod objects;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::Body;
use futures::channel::mpsc::UnboundedSender;
use http::{Request, Response};
use serde_json::Value;
use tokio::time::Instant;

pub use definitions::Definition;
pub use faults::{Fault, Planned, Verb};

use faults::Rule;
use objects::Objects;

/// The handle of a scripted API server. Clones are the same server.
#[derive(Clone, Default)]
pub struct Apiserver(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    objects: Objects,
    definitions: Vec<Definition>,
    watches: Vec<OpenWatch>,
    forbidden: BTreeSet<(String, Option<String>)>,
    rules: Vec<Rule>,
    calls: Vec<Call>,
}

/// A watch that is open.
struct OpenWatch {
    kind: String,
    namespace: Option<String>,
    metadata_only: bool,
    lines: UnboundedSender<Result<String, std::io::Error>>,
}

/// The way from one client to the server. Clones are the same way.
#[derive(Clone, Default)]
pub struct Line(Arc<AtomicBool>);

impl Line {
    /// From now on requests vanish on it without a word. Watches that are open go on.
    pub fn cut(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Requests arrive again, but for those that vanished.
    pub fn mend(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    fn is_cut(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A request that was made.
#[derive(Clone, Debug)]
pub struct Call {
    /// What it did.
    pub verb: Verb,
    /// The kind; where no objects are asked for, the path.
    pub kind: String,
    /// The namespace, if it named one.
    pub namespace: Option<String>,
    /// The object, if it named one.
    pub name: Option<String>,
    /// The query string.
    pub query: String,
    /// The `Accept` header.
    pub accept: String,
    /// The `User-Agent` header.
    pub agent: String,
    /// When it came.
    pub at: Instant,
}

impl Apiserver {
    /// A server without objects.
    pub fn new() -> Self {
        Self::default()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// A client of this server.
    pub fn client(&self) -> kube::Client {
        self.client_on(&Line::default())
    }

    /// A client of this server whose way to it can be cut.
    pub fn client_on(&self, line: &Line) -> kube::Client {
        let (server, line) = (self.clone(), line.clone());
        let service = tower::service_fn(move |request: Request<kube::client::Body>| {
            let (server, line) = (server.clone(), line.clone());
            async move {
                if line.is_cut() {
                    // Neither the request nor an error ever arrives anywhere.
                    std::future::pending::<()>().await;
                }
                server.answer(request).await
            }
        });
        kube::Client::new(service, "default")
    }

    /// Creates or replaces an object, and tells the watches. It gets a resource version, and where
    /// it has none a uid and a creation time; a replaced object keeps those. Returned as stored.
    pub fn apply(&self, object: Value) -> Value {
        let mut inner = self.inner();
        let (event, object) = inner.objects.apply(object);
        inner.tell(event, &object);
        object
    }

    /// From now on this kind is served too.
    pub fn define(&self, definition: Definition) {
        self.inner().definitions.push(definition);
    }

    /// From now on this kind is no longer served; open watches of it end. Its objects are left.
    pub fn undefine(&self, kind: &str) {
        self.inner().definitions.retain(|it| it.kind != kind);
        self.end_watches(kind);
    }

    /// Deletes an object, and tells the watches. `namespace` is empty for kinds without one.
    pub fn delete(&self, kind: &str, namespace: &str, name: &str) {
        let mut inner = self.inner();
        let object = inner
            .objects
            .delete(kind, namespace, name)
            .expect("an object to delete");
        inner.tell("DELETED", &object);
    }

    /// The object, if it exists.
    pub fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        self.inner().objects.get(kind, namespace, name).cloned()
    }

    /// All objects of a kind.
    pub fn all(&self, kind: &str) -> Vec<Value> {
        self.inner().objects.list(kind, None)
    }

    /// From now on requests for this kind get a 403. Watches that are open go on, as they do at a
    /// real server.
    pub fn forbid(&self, kind: &str) {
        self.inner().forbidden.insert((kind.to_owned(), None));
    }

    /// The same in one namespace only.
    pub fn forbid_in(&self, kind: &str, namespace: &str) {
        self.inner()
            .forbidden
            .insert((kind.to_owned(), Some(namespace.to_owned())));
    }

    /// Requests for this kind are allowed again, wherever they were forbidden.
    pub fn allow(&self, kind: &str) {
        self.inner()
            .forbidden
            .retain(|(forbidden, _)| forbidden != kind);
    }

    /// Ends the open watches of a kind in good order.
    pub fn end_watches(&self, kind: &str) {
        self.inner().watches.retain(|watch| watch.kind != kind);
    }

    /// Breaks the connections of the open watches of a kind.
    pub fn drop_watches(&self, kind: &str) {
        self.inner().watches.retain(|watch| {
            let broken = watch.kind == kind;
            if broken {
                let error = std::io::Error::other("connection reset by the test");
                let _ = watch.lines.unbounded_send(Err(error));
            }
            !broken
        });
    }

    /// Everything that was read of a kind so far is too old: open watches end with a 410, so do
    /// watches that go on from before, and lists cannot be continued.
    pub fn expire(&self, kind: &str) {
        let mut inner = self.inner();
        inner.objects.expire(kind);
        inner.watches.retain(|watch| {
            let expired = watch.kind == kind;
            if expired {
                let _ = watch.lines.unbounded_send(Ok(answer::gone_event()));
            }
            !expired
        });
    }

    /// Only the tokens of lists that were begun are too old: the next page gets a 410.
    pub fn expire_lists(&self, kind: &str) {
        self.inner().objects.forget_pages(kind);
    }

    /// Sends a bookmark to the open watches of a kind.
    pub fn bookmark(&self, kind: &str) {
        let line = self.inner().objects.bookmark(kind);
        self.send_raw(kind, &line);
    }

    /// Sends a line as it is to the open watches of a kind.
    pub fn send_raw(&self, kind: &str, line: &str) {
        for watch in self
            .inner()
            .watches
            .iter()
            .filter(|watch| watch.kind == kind)
        {
            let _ = watch.lines.unbounded_send(Ok(format!("{line}\n")));
        }
    }

    /// The next request of this kind meets `fault`; see [`Planned`] for later and more ones.
    pub fn fail(&self, verb: Verb, kind: &str, fault: Fault) -> Planned<'_> {
        let mut inner = self.inner();
        inner.rules.push(Rule {
            verb,
            kind: kind.to_owned(),
            fault,
            skip: 0,
            times: 1,
        });
        Planned {
            server: self,
            rule: inner.rules.len() - 1,
        }
    }

    /// No request meets a fault any more, and nothing is forbidden.
    pub fn heal(&self) {
        let mut inner = self.inner();
        inner.rules.clear();
        inner.forbidden.clear();
    }

    /// Every request so far, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.inner().calls.clone()
    }

    /// How many requests of this verb and kind there were.
    pub fn count(&self, verb: Verb, kind: &str) -> usize {
        let calls = &self.inner().calls;
        calls
            .iter()
            .filter(|call| call.verb == verb && call.kind == kind)
            .count()
    }

    /// How many watches of a kind are open.
    pub fn open_watches(&self, kind: &str) -> usize {
        let watches = &mut self.inner().watches;
        watches.retain(|watch| !watch.lines.is_closed());
        watches.iter().filter(|watch| watch.kind == kind).count()
    }

    async fn answer(
        &self,
        request: Request<kube::client::Body>,
    ) -> Result<Response<Body>, tower::BoxError> {
        let definitions = self.inner().definitions.clone();
        let request = answer::Asked::read(request, &definitions).await?;
        let fault = self.inner().begin(&request);
        let Some(fault) = fault else {
            return Ok(self.inner().answer(&request));
        };
        match fault {
            Fault::Status(code) => Ok(answer::status(code, "a fault of the test")),
            Fault::Refused => Err("connection refused by the test".into()),
            Fault::AnswerLost => {
                self.inner().answer(&request);
                Err("connection reset by the test".into())
            }
            Fault::Cut => {
                let whole = self.inner().answer(&request);
                Ok(answer::cut(whole).await)
            }
            Fault::Hang => std::future::pending().await,
            Fault::HangBody => Ok(Response::new(Body::from_stream(
                futures::stream::pending::<Result<String, std::io::Error>>(),
            ))),
            Fault::Text(text) => Ok(Response::new(Body::from(text))),
            Fault::Slow(time) => {
                tokio::time::sleep(time).await;
                Ok(self.inner().answer(&request))
            }
        }
    }
}

impl Inner {
    /// Notes a request, and finds the fault that it meets.
    fn begin(&mut self, asked: &answer::Asked) -> Option<Fault> {
        self.calls.push(asked.call());
        let (verb, kind) = (asked.verb, &asked.kind);
        for rule in self
            .rules
            .iter_mut()
            .filter(|rule| rule.verb == verb && rule.kind == *kind)
        {
            if rule.skip > 0 {
                rule.skip -= 1;
            } else if rule.times > 0 {
                rule.times -= 1;
                return Some(rule.fault.clone());
            }
        }
        None
    }

    /// Tells the open watches of a change.
    fn tell(&mut self, event: &str, object: &Value) {
        let namespace = object["metadata"]["namespace"].as_str();
        let kind = object["kind"].as_str().unwrap_or_default();
        for watch in &self.watches {
            if kind == watch.kind
                && watch
                    .namespace
                    .as_deref()
                    .is_none_or(|wanted| namespace == Some(wanted))
            {
                let line = answer::event(event, object, watch.metadata_only);
                let _ = watch.lines.unbounded_send(Ok(line));
            }
        }
    }
}
