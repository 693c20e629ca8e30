//! A small scripted API server: lists in pages, watches, reads and writes of single objects, and
//! the faults of each, in process. No sockets and no timers of its own but those of a request, so
//! it works under a paused clock. It knows nothing of the program under test. `tests/list_watch.rs`
//! holds it to what a real API server does.

#![allow(dead_code, reason = "each test program uses its part")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a request that this server does not know is a defect of the test"
)]

mod answer;
mod asked;
mod calls;
mod definitions;
mod faults;
mod forms;
mod line;
mod objects;
mod pages;
mod resources;
mod selection;
mod statuses;
mod watches;
mod writes;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response};
use serde_json::Value;

pub use calls::Call;
pub use definitions::Definition;
pub use faults::{Fault, Planned, Verb};
pub use line::Line;

use asked::Asked;
use faults::Rule;
use objects::Objects;
use watches::OpenWatch;

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
    /// Of all watches of a kind.
    lines: BTreeMap<String, Line>,
    calls: Vec<Call>,
    counts: BTreeMap<(Verb, String), usize>,
    /// How long writes take, each as long as the next of them, round and round.
    writes_take: Vec<Duration>,
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
                let write = line::write_of(&request);
                line.brings(write, server.answer(request)).await
            }
        });
        kube::Client::new(service, "default")
    }

    /// Creates or replaces an object, and tells the watches. It gets a resource version, and where
    /// it has none a uid and a creation time; a replaced object keeps those. Returned as stored.
    pub fn apply(&self, object: Value) -> Value {
        let mut inner = self.inner();
        let change = inner.objects.apply(object);
        inner.tell(&change);
        Value::clone(&change.object)
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
        let change = inner.objects.delete(kind, namespace, name);
        inner.tell(&change.expect("an object to delete"));
    }

    /// The object, if it exists.
    pub fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        let inner = self.inner();
        let object = inner.objects.get(kind, namespace, name);
        object.map(|object| Value::clone(object))
    }

    /// All objects of a kind.
    pub fn all(&self, kind: &str) -> Vec<Value> {
        let all = self.shared(kind).into_iter();
        all.map(|object| Value::clone(&object)).collect()
    }

    /// The same, for whoever only looks at them.
    pub fn shared(&self, kind: &str) -> Vec<Arc<Value>> {
        let state = self.inner().objects.state(kind);
        state.values().map(Arc::clone).collect()
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
                watch.reset();
            }
            !broken
        });
    }

    /// From now on the watches of a kind say nothing, until [`Apiserver::heal`]: then all of it.
    pub fn silence(&self, kind: &str) {
        self.inner().line_of(kind).cut();
    }

    /// Everything that was read of a kind so far is too old: open watches end with a 410, so do
    /// watches that go on from before, and lists cannot be continued.
    pub fn expire(&self, kind: &str) {
        let mut inner = self.inner();
        inner.objects.expire(kind);
        inner.watches.retain(|watch| {
            let expired = watch.kind == kind;
            if expired {
                watch.send(watches::gone());
            }
            !expired
        });
    }

    /// Only the tokens of lists that were begun are too old: the next page gets a 410.
    pub fn expire_lists(&self, kind: &str) {
        self.inner().objects.forget_states(kind);
    }

    /// Sends a bookmark to the open watches of a kind that asked for them.
    pub fn bookmark(&self, kind: &str) {
        let inner = self.inner();
        let of_kind = inner.watches.iter().filter(|watch| watch.kind == kind);
        of_kind.for_each(|watch| watch.mark(inner.objects.version()));
    }

    /// Sends a line as it is to the open watches of a kind.
    pub fn send_raw(&self, kind: &str, line: &str) {
        let inner = self.inner();
        let of_kind = inner.watches.iter().filter(|watch| watch.kind == kind);
        of_kind.for_each(|watch| watch.send(format!("{line}\n")));
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

    /// Whether a fault still waits for requests of this kind.
    pub fn is_planned(&self, kind: &str) -> bool {
        let inner = self.inner();
        let mut rules = inner.rules.iter();
        rules.any(|rule| rule.kind == kind && rule.times > 0)
    }

    /// No request meets a fault any more, nothing is forbidden, and no watch is silent.
    pub fn heal(&self) {
        let mut inner = self.inner();
        inner.rules.clear();
        inner.forbidden.clear();
        inner.lines.values().for_each(Line::mend);
    }

    /// The same for this kind alone.
    pub fn heal_kind(&self, kind: &str) {
        self.allow(kind);
        let mut inner = self.inner();
        inner.rules.retain(|rule| rule.kind != kind);
        inner.line_of(kind).mend();
    }

    /// From now on a write takes time, of which half has passed when it is done: each as long as the
    /// next of `times`, round and round.
    pub fn writes_take(&self, times: Vec<Duration>) {
        self.inner().writes_take = times;
    }

    /// Every request so far, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.inner().calls.clone()
    }

    /// How many requests of this verb and kind there were.
    pub fn count(&self, verb: Verb, kind: &str) -> usize {
        let inner = self.inner();
        let count = inner.counts.get(&(verb, kind.to_owned()));
        count.copied().unwrap_or_default()
    }

    /// How many watches of a kind are open.
    pub fn open_watches(&self, kind: &str) -> usize {
        let watches = &mut self.inner().watches;
        watches.retain(|watch| !watch.is_closed());
        watches.iter().filter(|watch| watch.kind == kind).count()
    }

    async fn answer(
        &self,
        request: Request<kube::client::Body>,
    ) -> Result<Response<Body>, tower::BoxError> {
        let definitions = self.inner().definitions.clone();
        let request = Asked::read(request, &definitions).await?;
        let fault = self.inner().begin(&request);
        let Some(fault) = fault else {
            let Some(time) = self.inner().time_of(request.verb) else {
                return Ok(self.inner().answer(&request));
            };
            tokio::time::sleep(time / 2).await;
            let answer = self.inner().answer(&request);
            tokio::time::sleep(time / 2).await;
            return Ok(answer);
        };
        match fault {
            Fault::Status(403) => Ok(statuses::forbidden(&request)),
            Fault::Status(code) => Ok(statuses::status(code, "a fault of the test")),
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
    /// The way of what the watches of a kind say.
    fn line_of(&mut self, kind: &str) -> Line {
        self.lines.entry(kind.to_owned()).or_default().clone()
    }

    /// How long a request of this verb takes, if it takes time.
    fn time_of(&mut self, verb: Verb) -> Option<Duration> {
        if !verb.writes() || self.writes_take.is_empty() {
            return None;
        }
        self.writes_take.rotate_left(1);
        self.writes_take.first().copied()
    }

    /// Notes a request, and finds the fault that it meets.
    fn begin(&mut self, asked: &Asked) -> Option<Fault> {
        self.calls.push(asked.call());
        let (verb, kind) = (asked.verb, asked.kind());
        *self.counts.entry((verb, kind.to_owned())).or_default() += 1;
        for rule in self
            .rules
            .iter_mut()
            .filter(|rule| rule.verb == verb && rule.kind == kind)
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
}
