//! The sandbox as a `tower::Service` in process. Requests are judged exactly as over a socket.

use std::io;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use tower::Service;

use super::{Sandbox, flow};

/// Answers GitHub's endpoints; a connection that the sandbox breaks is an error of the service, and
/// one that hangs a future that never ends.
#[derive(Clone, Debug)]
pub struct SandboxService {
    sandbox: Sandbox,
}

impl SandboxService {
    pub(super) fn new(sandbox: Sandbox) -> Self {
        Self { sandbox }
    }
}

impl Service<Request<Bytes>> for SandboxService {
    type Response = Response<Bytes>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Response<Bytes>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let sandbox = self.sandbox.clone();
        Box::pin(async move { flow::answer(&sandbox, request).await })
    }
}
