//! One call: a request, the token of its organization, a service that sends, and one line of log. Every operation goes
//! through here, but for those by which an App comes to its token (`auth/app`). It sends when it is
//! told to and never on its own; when to is the pace's matter.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use tokio::time::Instant;
use tower::Service;
use tracing::info;

use super::answer::{Answer, Failure, Given, Received};
use super::api::{ApiUrl, ApiVersion};
use super::auth::keyring::folded;
use super::auth::{Keyring, Permitted, SignIn};
use super::calls::Target;
use super::exchange::{Exchange, NotSent};
use super::notice::Notices;
use super::operation::Operation;
use super::rate::{self, Rate};
use super::send::{BoxError, send};

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
    /// The token that this one sent last to each organization, by its name in lower case; `None`
    /// where there was none to send.
    last: BTreeMap<String, Option<HeaderValue>>,
}

/// What all clones have in common.
#[derive(Debug)]
struct Shared {
    api: ApiUrl,
    version: ApiVersion,
    timeout: Duration,
    keyring: Keyring,
    notices: Notices,
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

impl<S: Clone> Clone for Caller<S> {
    fn clone(&self) -> Self {
        Self {
            service: self.service.clone(),
            shared: Arc::clone(&self.shared),
            last: self.last.clone(),
        }
    }
}

impl<S> Caller<S> {
    pub(super) fn new(
        service: S,
        api: ApiUrl,
        version: ApiVersion,
        keyring: Keyring,
        timeout: Duration,
    ) -> Self {
        let shared = Shared {
            api,
            version,
            timeout,
            keyring,
            notices: Notices::default(),
        };
        Self {
            service,
            shared: Arc::new(shared),
            last: BTreeMap::new(),
        }
    }

    pub(super) fn target(&self) -> Target<'_> {
        Target {
            api: &self.shared.api,
            version: &self.shared.version,
        }
    }

    /// Who signs in where.
    pub(super) fn keyring(&self) -> &Keyring {
        &self.shared.keyring
    }

    /// Forgets what came of signing in at all organizations but these.
    pub(super) fn keep(&mut self, is_wanted: impl Fn(&str) -> bool) {
        self.last.retain(|name, _| is_wanted(name));
        self.shared.keyring.keep(is_wanted);
    }

    /// Makes sure that there is a token for the next call to this organization.
    pub(super) async fn sign_in(&mut self, organization: &str) -> SignIn {
        let signed_in = self.shared.keyring.of(organization).sign_in().await;
        let last = signed_in.result.as_ref().ok().cloned();
        self.last.insert(folded(organization), last);
        signed_in
    }

    /// What the token at hand may do there, where GitHub says so.
    pub(super) fn permitted(&self, organization: &str) -> Option<Permitted> {
        self.shared.keyring.of(organization).permitted()
    }

    /// Access to this organization failed with the token that this one sent last.
    pub(super) fn denied(&self, organization: &str) {
        if let Some(Some(token)) = self.last.get(&folded(organization)) {
            self.shared.keyring.of(organization).denied(token);
        }
    }

    /// Whether there is a token for this organization that this one has not sent yet.
    pub(super) async fn has_new_token(&self, organization: &str) -> bool {
        let last = self.last.get(&folded(organization));
        let last = last.and_then(Option::as_ref);
        self.shared.keyring.of(organization).are_renewed(last).await
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
        let token = self.sign_in(call.organization).await.result?;
        let credentials = shared.keyring.of(call.organization);
        let started = Instant::now();
        let reply = send(&mut self.service, &call.request, &token, shared.timeout).await;
        let duration = started.elapsed();
        let rate = Rate::read(&reply.headers);
        let request_id = reply.request_id();
        let answer = match reply.result {
            Ok(response) => (call.read)(Received {
                status: response.status(),
                rate: &rate,
                body: response.body(),
                version: &shared.version,
            }),
            Err(why) => Err(Failure::Unknown { why }),
        };
        if reply.status.is_some_and(|status| status.is_success()) {
            credentials.accepted(&token);
        }
        let refused_token = matches!(answer, Err(Failure::BadToken { .. }));
        let exchange = Exchange {
            answer,
            status: reply.status,
            request_id,
            duration,
            requests: reply.requests,
            rate,
            date: rate::date(&reply.headers),
            token_renewed: refused_token && credentials.refused(&token).await,
        };
        info!(
            operation = call.operation.as_str(),
            organization = call.organization,
            lines = call.lines,
            subject = call.subject,
            answer = exchange.kind(),
            status = exchange.status.map(|status| status.as_u16()),
            request_id = exchange.request_id.as_deref(),
            error = exchange.failure().map(ToString::to_string),
            duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
            "asked GitHub"
        );
        let notices = &shared.notices;
        notices.heed(call.operation, &shared.version, &reply.headers);
        Ok(exchange)
    }
}
