//! A service in GitHub's place that does what a test wrote down, one step for each request.

use std::collections::VecDeque;
use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::header::HeaderValue;
use http::{Request, Response, StatusCode};
use tokio::time::{Instant, sleep};
use tower::Service;

/// What the service is to do with one request.
#[derive(Clone)]
pub(in super::super) enum Step {
    Answer(u16, &'static [(&'static str, &'static str)], &'static str),
    AnswerAfter(Duration, u16),
    /// Puts another token into the file before it refuses the one that was sent.
    RefuseOnceRenewed(PathBuf),
    Hang,
    Fail,
}

/// A service of these steps; clones share them.
#[derive(Clone, Default)]
pub(in super::super) struct Scripted {
    steps: Arc<Mutex<VecDeque<Step>>>,
    pub(in super::super) seen: Seen,
}

/// The requests that a service saw, each with its time.
#[derive(Clone, Default)]
pub(in super::super) struct Seen(pub(in super::super) Arc<Mutex<Vec<Sent>>>);

/// A request and when it came.
pub(in super::super) type Sent = (Request<Bytes>, Instant);

impl Seen {
    /// The values of a header, in the order of the requests that have it.
    pub(in super::super) fn headers(&self, name: &str) -> Vec<String> {
        let seen = self.0.lock().unwrap();
        let value = |(request, _): &Sent| {
            request
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        seen.iter().filter_map(value).collect()
    }

    /// How many requests came.
    pub(in super::super) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// When each request came, counted from the first.
    pub(in super::super) fn times(&self) -> Vec<Duration> {
        let seen = self.0.lock().unwrap();
        seen.iter().map(|(_, at)| *at - seen[0].1).collect()
    }
}

impl Scripted {
    pub(in super::super) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self {
            steps: Arc::new(Mutex::new(steps.into_iter().collect())),
            seen: Seen::default(),
        }
    }
}

impl Service<Request<Bytes>> for Scripted {
    type Response = Response<Bytes>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Response<Bytes>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let sent = (request, Instant::now());
        self.seen.0.lock().unwrap().push(sent);
        let step = self.steps.lock().unwrap().pop_front().unwrap();
        Box::pin(async move {
            match step {
                Step::Answer(status, headers, body) => Ok(answer(status, headers, body)),
                Step::AnswerAfter(delay, status) => {
                    sleep(delay).await;
                    Ok(answer(status, &[], r#"{"total_count":1}"#))
                }
                Step::RefuseOnceRenewed(path) => {
                    std::fs::write(path, "ghp_new")?;
                    Ok(answer(401, &[], ""))
                }
                Step::Hang => std::future::pending().await,
                Step::Fail => Err(io::Error::new(
                    io::ErrorKind::ConnectionReset,
                    Box::<dyn Error + Send + Sync>::from("reset by peer"),
                )),
            }
        })
    }
}

fn answer(
    status: u16,
    headers: &[(&'static str, &'static str)],
    body: &'static str,
) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(body.as_bytes()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    for (name, value) in headers {
        response
            .headers_mut()
            .insert(*name, HeaderValue::from_static(value));
    }
    response
}
