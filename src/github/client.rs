//! The client: a request, the token, a service that sends, a time-out around all of it, and one
//! line of log for each call. It sends when it is told to and never on its own; when to is the
//! pace's matter. The service may be a real connection or a router in the same process.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use http::{Request, Response, StatusCode};
use tokio::time::{Instant, sleep, timeout};
use tower::{Service, ServiceExt};
use tracing::info;

use super::answer::{Answer, Doubt, tidy};
use super::api::{ApiUrl, ApiVersion};
use super::auth::Credentials;
use super::exchange::{Exchange, NotSent};
use super::pace::SPACING;
use super::rate::Rate;
use super::{redirect, request};
use crate::model::record::{Destination, Line};

#[cfg(test)]
mod tests;

/// The longest that one exchange may take, unless a person says otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

type BoxError = Box<dyn Error + Send + Sync>;

/// A client of GitHub's API. It cannot be shared or cloned: one exchange at a time is a promise.
#[derive(Debug)]
pub struct Client<S> {
    service: S,
    api: ApiUrl,
    version: ApiVersion,
    credentials: Credentials,
    timeout: Duration,
}

/// The last answer to a request and how many requests it took to get there.
struct Reply {
    result: Result<Response<Bytes>, Doubt>,
    status: Option<StatusCode>,
    headers: HeaderMap,
    requests: usize,
}

impl<S> Client<S>
where
    S: Service<Request<Bytes>, Response = Response<Bytes>>,
    S::Error: Into<BoxError>,
{
    /// A client that sends through `service`. A whole exchange, redirects and bodies included,
    /// takes no longer than `timeout`.
    pub fn new(
        service: S,
        api: ApiUrl,
        version: ApiVersion,
        credentials: Credentials,
        timeout: Duration,
    ) -> Self {
        Self {
            service,
            api,
            version,
            credentials,
            timeout,
        }
    }

    /// Sets these records, and says what became of them. An error means that nothing was sent.
    /// Dropping the future on its way leaves the outcome unknown.
    pub async fn set_cluster_deployment_records(
        &mut self,
        destination: &Destination,
        lines: &[Line],
    ) -> Result<Exchange, NotSent> {
        let request =
            request::set_cluster_deployment_records(&self.api, &self.version, destination, lines)?;
        let token = self.credentials.authorization().await?;
        let started = Instant::now();
        let reply = self.send(&request, &token).await;
        let duration = started.elapsed();
        let rate = Rate::read(&reply.headers);
        let answer = match reply.result {
            Ok(response) => Answer::read(response.status(), &rate, response.body(), lines),
            Err(why) => Answer::Unknown { why },
        };
        let refused_token = matches!(answer, Answer::BadToken { .. });
        let exchange = Exchange {
            answer,
            status: reply.status,
            request_id: request_id(&reply.headers),
            duration,
            requests: reply.requests,
            rate,
            token_renewed: refused_token && self.has_new_token().await,
        };
        log(
            "set-cluster-deployment-records",
            destination,
            lines.len(),
            &exchange,
        );
        Ok(exchange)
    }

    /// Whether there is a token that was not sent yet: what was denied to the last one may be tried
    /// again.
    pub async fn has_new_token(&self) -> bool {
        self.credentials.are_renewed().await
    }

    /// Sends a request, and again wherever redirects within the API's origin lead.
    async fn send(&mut self, request: &Request<Bytes>, token: &HeaderValue) -> Reply {
        let mut reply = Reply {
            result: Err(Doubt::Timeout(self.timeout)),
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
                let response = call(service, next).await?;
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
        let result = timeout(self.timeout, exchange).await;
        if let Ok(result) = result {
            reply.result = result;
        }
        reply
    }
}

/// One request through the service.
async fn call<S>(service: &mut S, request: Request<Bytes>) -> Result<Response<Bytes>, Doubt>
where
    S: Service<Request<Bytes>, Response = Response<Bytes>>,
    S::Error: Into<BoxError>,
{
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

fn log(operation: &'static str, destination: &Destination, lines: usize, exchange: &Exchange) {
    info!(
        operation,
        organization = %destination.organization,
        lines,
        answer = exchange.answer.kind(),
        status = exchange.status.map(|status| status.as_u16()),
        request_id = exchange.request_id.as_deref(),
        duration_ms = u64::try_from(exchange.duration.as_millis()).unwrap_or(u64::MAX),
        "asked GitHub"
    );
}
