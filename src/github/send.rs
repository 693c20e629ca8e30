//! One request on its way: through the service, after redirects within the API's origin, with a
//! time-out around all of it. What it asks for and what an answer means is not known here.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use http::{Request, Response, StatusCode};
use tokio::time::{sleep, timeout};
use tower::{Service, ServiceExt};

use super::answer::{Doubt, tidy};
use super::pace::SPACING;
use super::redirect;

/// Whatever a service fails with.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// The last answer to a request and how many requests it took to get there.
pub(super) struct Reply {
    pub(super) result: Result<Response<Bytes>, Doubt>,
    pub(super) status: Option<StatusCode>,
    pub(super) headers: HeaderMap,
    pub(super) requests: usize,
}

impl Reply {
    /// GitHub's name for the request.
    pub(super) fn request_id(&self) -> Option<String> {
        let id = self.headers.get("x-github-request-id")?;
        id.to_str().ok().map(tidy)
    }
}

/// Sends a request with this token, and again wherever redirects within the API's origin lead, for
/// no longer than `patience`.
pub(super) async fn send<S>(
    service: &mut S,
    request: &Request<Bytes>,
    token: &HeaderValue,
    patience: Duration,
) -> Reply
where
    S: Service<Request<Bytes>, Response = Response<Bytes>>,
    S::Error: Into<BoxError>,
{
    let mut reply = Reply {
        result: Err(Doubt::Timeout(patience)),
        status: None,
        headers: HeaderMap::new(),
        requests: 0,
    };
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
    let result = timeout(patience, exchange).await;
    if let Ok(result) = result {
        reply.result = result;
    }
    reply
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
