//! The way from a client to the scripted API server, and what becomes of what is on it: requests,
//! answers, and the lines of watches that are open.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker, ready};

use axum::body::Body;
use futures::stream;
use futures::{FutureExt as _, StreamExt as _};
use http::{Method, Response};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tower::BoxError;

/// The way from one client to the server. Clones are the same way.
#[derive(Clone)]
pub struct Line(Arc<Way>);

/// Whether a client takes what comes.
type Gate = dyn Fn(&mut Context<'_>) -> Poll<()> + Send + Sync;

struct Way {
    state: Mutex<State>,
    gate: Box<Gate>,
}

#[derive(Default)]
struct State {
    cut: bool,
    /// Of what waits until it is mended.
    waiting: Vec<Waker>,
    /// Cancelled when the connections of now break.
    broken: CancellationToken,
    /// By path: when the last write began that its client knows to be done.
    written: BTreeMap<String, Instant>,
}

impl Default for Line {
    fn default() -> Self {
        Self::behind(|_| Poll::Ready(()))
    }
}

impl Line {
    /// The way of a client that sends and takes nothing unless this is ready.
    pub fn behind(gate: impl Fn(&mut Context<'_>) -> Poll<()> + Send + Sync + 'static) -> Self {
        Self(Arc::new(Way {
            state: Mutex::default(),
            gate: Box::new(gate),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    /// From now on requests vanish on it without a word, and what the server says stays on the way.
    pub fn cut(&self) {
        self.state().cut = true;
    }

    /// What was on the way comes, in its order, and requests arrive again, but for those that vanished.
    pub fn mend(&self) {
        let waiting = {
            let mut state = self.state();
            state.cut = false;
            std::mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Requests arrive again on new connections: those of before break, and what was on the way is lost.
    pub fn mend_anew(&self) {
        let broken = std::mem::take(&mut self.state().broken);
        broken.cancel();
        self.mend();
    }

    /// When the last write began that its client knows to be done, at a path with this in it.
    pub fn written(&self, path: &str) -> Option<Instant> {
        let state = self.state();
        let all = state.written.iter().filter(|it| it.0.contains(path));
        all.map(|it| *it.1).max()
    }

    fn poll_open(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if state.cut {
            state.waiting.push(context.waker().clone());
            return Poll::Pending;
        }
        drop(state);
        (self.0.gate)(context)
    }

    /// A request and its answer, both on this way.
    pub(super) async fn brings(
        &self,
        write: Option<String>,
        answer: impl Future<Output = Result<Response<Body>, BoxError>>,
    ) -> Result<Response<Body>, BoxError> {
        poll_fn(|context| (self.0.gate)(context)).await;
        let begun = Instant::now();
        let broken = self.state().broken.clone();
        if self.state().cut {
            // Neither the request nor an error arrives anywhere, before the connection breaks.
            broken.cancelled().await;
            return Err(reset().into());
        }
        let answer = answer.await;
        poll_fn(|context| self.poll_open(context)).await;
        if broken.is_cancelled() {
            return Err(reset().into());
        }
        let answer = answer?;
        if let Some(path) = write.filter(|_| answer.status().is_success()) {
            self.state().written.insert(path, begun);
        }
        let (head, body) = answer.into_parts();
        Ok(Response::from_parts(head, self.carries(body, broken)))
    }

    /// What comes on the connections of now.
    pub(super) fn carry(&self, body: Body) -> Body {
        let broken = self.state().broken.clone();
        self.carries(body, broken)
    }

    fn carries(&self, body: Body, broken: CancellationToken) -> Body {
        let line = self.clone();
        let mut lines = body.into_data_stream();
        let mut broken = Box::pin(broken.cancelled_owned());
        let mut is_over = false;
        let carried = stream::poll_fn(move |context| {
            ready!(line.poll_open(context));
            if is_over {
                return Poll::Ready(None);
            }
            if broken.poll_unpin(context).is_ready() {
                is_over = true;
                return Poll::Ready(Some(Err(reset().into())));
            }
            let next = ready!(lines.poll_next_unpin(context));
            Poll::Ready(next.map(|it| it.map_err(BoxError::from)))
        });
        Body::from_stream(carried)
    }
}

fn reset() -> io::Error {
    io::Error::new(
        io::ErrorKind::ConnectionReset,
        "connection reset by the test",
    )
}

/// The path of a request, if it is a write.
pub(super) fn write_of(request: &http::Request<kube::client::Body>) -> Option<String> {
    let writes = [Method::POST, Method::PUT].contains(request.method());
    writes.then(|| request.uri().path().to_owned())
}
