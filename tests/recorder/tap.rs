//! What stands between the recorder and github-sandbox: it looks into the stored ledger at the very
//! moment at which a request leaves, and notes every line that is not in it (promise 3).

use std::io;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use deployment_recorder::sandbox::{Sandbox, SandboxService};
use futures::future::BoxFuture;
use http::{Request, Response};
use serde_json::Value;
use tower::Service;

use crate::ledger;
use crate::support::apiserver::Apiserver;

/// Lines that left although the stored ledger did not know of them.
#[derive(Clone, Default)]
pub struct Forgotten(Arc<Mutex<Vec<String>>>);

impl Forgotten {
    /// All of them so far.
    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// The way to the sandbox.
pub struct Tap {
    service: SandboxService,
    api: Apiserver,
    forgotten: Forgotten,
}

impl Tap {
    /// The way to that sandbox; the ledger is stored at `api`.
    pub fn new(sandbox: &Sandbox, api: &Apiserver, forgotten: &Forgotten) -> Self {
        Self {
            service: sandbox.service(),
            api: api.clone(),
            forgotten: forgotten.clone(),
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
        self.look(request.body());
        self.service.call(request)
    }
}
