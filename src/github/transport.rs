//! The way to the real API: connections, TLS, proxies. It sends each request once, follows no
//! redirect, and reads no body without end. What answers mean is not known here.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use reqwest::redirect::Policy;
use thiserror::Error;
use tower::Service;

use super::api::ApiUrl;
use crate::bounded::{self, Broken};

/// The longest body that is read; none is asked for compressed: a thousand records need less than a fifth.
const LONGEST_BODY: usize = 8 * 1024 * 1024;

/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(10);

/// How long an idle connection is kept. Short, because a request on a connection that the other
/// side closes at that moment has an unknown outcome.
const IDLE: Duration = Duration::from_secs(20);

/// Sends requests over the network. The proxy variables of the environment hold, and
/// `SSL_CERT_FILE` names certificate authorities in place of the system's.
#[derive(Clone, Debug)]
pub struct Transport(reqwest::Client);

/// Why requests cannot be sent, or one was not answered.
#[derive(Debug, Error)]
pub enum TransportError {
    /// No connection could ever be made: most likely there are no certificate authorities.
    #[error(
        "HTTPS cannot be set up; are there certificate authorities on this system, or in the file that SSL_CERT_FILE names?"
    )]
    Setup(#[source] reqwest::Error),
    /// The request failed on its way, or its answer did.
    #[error("the connection failed")]
    Connection(#[source] reqwest::Error),
    /// The answer does not end.
    #[error("the answer is longer than {LONGEST_BODY} bytes")]
    TooLong,
}

impl From<Broken> for TransportError {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Connection(error) => Self::Connection(error),
            Broken::TooLong => Self::TooLong,
        }
    }
}

impl Transport {
    /// A way to this API.
    pub fn new(api: &ApiUrl) -> Result<Self, TransportError> {
        let builder = reqwest::Client::builder()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(CONNECT)
            .pool_idle_timeout(IDLE);
        // Plain HTTP to this machine is safe only as long as it stays on this machine.
        let builder = if api.is_loopback() {
            builder.no_proxy()
        } else {
            builder
        };
        builder.build().map(Self).map_err(TransportError::Setup)
    }
}

impl Service<Request<Bytes>> for Transport {
    type Response = Response<Bytes>;
    type Error = TransportError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Bytes>, TransportError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let client = self.0.clone();
        Box::pin(exchange(client, request))
    }
}

/// Sends a request and reads its whole answer. Errors do not name the address: the log does.
async fn exchange(
    client: reqwest::Client,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, TransportError> {
    Ok(bounded::exchange(client, request, LONGEST_BODY).await?)
}

#[cfg(test)]
mod tests;
