//! One call: a request, the token, a service that sends, a time-out around all of it, and one line
//! of log. Everything that talks to GitHub goes through here. It sends when it is told to and never
//! on its own; when to is the pace's matter.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use http::{Request, Response, StatusCode};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};
use tower::{Service, ServiceExt};
use tracing::info;

use super::answer::{Answer, Doubt, Failure, Given, Received, tidy};
use super::api::{ApiUrl, ApiVersion};
use super::auth::{Credentials, CredentialsError};
use super::calls::Target;
use super::exchange::{Exchange, NotSent};
use super::notice::Notices;
use super::operation::Operation;
use super::pace::SPACING;
use super::rate::{self, Rate};
use super::redirect;

type BoxError = Box<dyn Error + Send + Sync>;

/// What HTTP goes out through: a real connection, or a router in the same process.
pub trait Carrier:
    Service<Request<Bytes>, Response = Response<Bytes>, Error: Into<BoxError>>
{
}

impl<S> Carrier for S
where
    S: Service<Request<Bytes>, Response = Response<Bytes>>,
    S::Error: Into<BoxError>,
{
}

/// Calls operations of the API, one at a time; clones call beside it, with the same token.
#[derive(Debug)]
pub(super) struct Caller<S> {
    service: S,
    shared: Arc<Shared>,
}

/// What all clones have in common.
#[derive(Debug)]
struct Shared {
    api: ApiUrl,
    version: ApiVersion,
    timeout: Duration,
    /// Locked while a token is got, so that no two callers renew it at once.
    token: Mutex<Token>,
    notices: Notices,
}

#[derive(Debug)]
struct Token {
    credentials: Credentials,
    /// What was handed out last.
    last: Option<HeaderValue>,
}

/// A call that is ready to be made: its request keeps the contract.
pub(super) struct Call<'a, T> {
    pub(super) operation: Operation,
    pub(super) organization: &'a str,
    /// How many records the request holds, where it holds a list of them.
    pub(super) lines: Option<usize>,
    /// The one thing that it is about otherwise, for the log: a record's name, a digest, a job.
    pub(super) subject: Option<String>,
    pub(super) request: Request<Bytes>,
    /// What an answer to it means.
    pub(super) read: Read<'a, T>,
}

type Read<'a, T> = Box<dyn FnOnce(Received<'_>) -> Answer<T> + Send + 'a>;

/// The last answer to a request and how many requests it took to get there.
struct Reply {
    result: Result<Response<Bytes>, Doubt>,
    status: Option<StatusCode>,
    headers: HeaderMap,
    requests: usize,
}

impl<S: Clone> Clone for Caller<S> {
    fn clone(&self) -> Self {
        Self {
            service: self.service.clone(),
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<S> Caller<S> {
    pub(super) fn new(
        service: S,
        api: ApiUrl,
        version: ApiVersion,
        credentials: Credentials,
        timeout: Duration,
    ) -> Self {
        let token = Token {
            credentials,
            last: None,
        };
        let shared = Shared {
            api,
            version,
            timeout,
            token: Mutex::new(token),
            notices: Notices::default(),
        };
        Self {
            service,
            shared: Arc::new(shared),
        }
    }

    pub(super) fn target(&self) -> Target<'_> {
        Target {
            api: &self.shared.api,
            version: &self.shared.version,
        }
    }

    /// Whether there is a token that was not sent yet.
    pub(super) async fn has_new_token(&self) -> bool {
        self.shared
            .token
            .lock()
            .await
            .credentials
            .are_renewed()
            .await
    }
}

impl<S: Carrier> Caller<S> {
    /// Makes a call. An error means that nothing was sent. Dropping the future on its way leaves the
    /// outcome unknown.
    pub(super) async fn make<T: Given>(
        &mut self,
        call: Call<'_, T>,
    ) -> Result<Exchange<T>, NotSent> {
        let shared = Arc::clone(&self.shared);
        let token = shared.authorization().await?;
        let started = Instant::now();
        let reply = self.send(&call.request, &token).await;
        let duration = started.elapsed();
        let rate = Rate::read(&reply.headers);
        let answer = match reply.result {
            Ok(response) => (call.read)(Received {
                status: response.status(),
                rate: &rate,
                body: response.body(),
                version: &shared.version,
            }),
            Err(why) => Err(Failure::Unknown { why }),
        };
        let refused_token = matches!(answer, Err(Failure::BadToken { .. }));
        let exchange = Exchange {
            answer,
            status: reply.status,
            request_id: request_id(&reply.headers),
            duration,
            requests: reply.requests,
            rate,
            date: rate::date(&reply.headers),
            token_renewed: refused_token && shared.has_another_than(&token).await,
        };
        info!(
            operation = call.operation.as_str(),
            organization = call.organization,
            lines = call.lines,
            subject = call.subject,
            answer = exchange.kind(),
            status = exchange.status.map(|status| status.as_u16()),
            request_id = exchange.request_id.as_deref(),
            duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
            "asked GitHub"
        );
        let notices = &shared.notices;
        notices.heed(call.operation, &shared.version, &reply.headers);
        Ok(exchange)
    }

    /// Sends a request, and again wherever redirects within the API's origin lead.
    async fn send(&mut self, request: &Request<Bytes>, token: &HeaderValue) -> Reply {
        let patience = self.shared.timeout;
        let mut reply = Reply {
            result: Err(Doubt::Timeout(patience)),
            status: None,
            headers: HeaderMap::new(),
            requests: 0,
        };
        let service = &mut self.service;
        let exchange = async {
            let mut uri = request.uri().clone();
            loop {
                let mut next = request.clone();
                next.uri_mut().clone_from(&uri);
                next.headers_mut().insert(AUTHORIZATION, token.clone());
                reply.requests += 1;
                reply.status = None;
                let response = carry(service, next).await?;
                reply.status = Some(response.status());
                reply.headers.clone_from(response.headers());
                let followed = reply.requests - 1;
                let (status, headers) = (response.status(), response.headers());
                match redirect::next(&uri, status, headers, followed)? {
                    Some(target) => uri = target,
                    None => return Ok(response),
                }
                sleep(SPACING).await;
            }
        };
        let result = timeout(patience, exchange).await;
        if let Ok(result) = result {
            reply.result = result;
        }
        reply
    }
}

impl Shared {
    /// The `Authorization` header of the next request.
    async fn authorization(&self) -> Result<HeaderValue, CredentialsError> {
        let mut token = self.token.lock().await;
        let header = token.credentials.authorization().await?;
        token.last = Some(header.clone());
        Ok(header)
    }

    /// Whether there is a token beside the one that was sent: another caller's or a new one.
    async fn has_another_than(&self, sent: &HeaderValue) -> bool {
        let token = self.token.lock().await;
        token.last.as_ref() != Some(sent) || token.credentials.are_renewed().await
    }
}

/// One request through the service.
async fn carry<S: Carrier>(
    service: &mut S,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, Doubt> {
    let result = async { service.ready().await?.call(request).await }.await;
    result.map_err(|error: S::Error| Doubt::Connection(chain(&*error.into())))
}

/// An error and what caused it, in one line.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut texts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    tidy(&texts.join(": "))
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    headers.get("x-github-request-id")?.to_str().ok().map(tidy)
}
