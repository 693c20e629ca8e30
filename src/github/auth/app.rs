//! A GitHub App: its tokens, each minted for an hour with a key from a file, and renewed early. One
//! renewal at a time; who comes meanwhile uses the token that still holds, or waits for the new one.
//! The requests stand in `ask`, what is remembered between them in `state`.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt};
use tracing::warn;

use super::installation::Permitted;
use super::key::Key;
use super::{CredentialsError, Errand, SignIn, file};
use crate::clock::Clock;
use crate::github::api::{ApiUrl, ApiVersion};
use crate::github::send::BoxError;

mod ask;
mod state;

use ask::Renewal;
use state::{Print, State};

/// The name of the request for an installation, as logs and metrics have it: the `operationId` of
/// GitHub's description, without `apps/`.
pub const LOOK_UP: &str = "get-org-installation";
/// The name of the request for a token.
pub const MINT: &str = "create-installation-access-token";

/// Which App signs in, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its id, or its client id.
    pub app: String,
    /// The organization that it is installed in.
    pub organization: String,
    /// The number of its installation there; it is looked up where that is not given.
    pub installation: Option<u64>,
    /// The file with its private key: PEM with PKCS#1 or PKCS#8, or that in base64. It may change at
    /// any time.
    pub key: PathBuf,
}

/// How GitHub is asked for tokens.
#[derive(Clone, Debug)]
pub struct Way {
    /// The API, which is the only place that a key's signature or a token goes to.
    pub api: ApiUrl,
    /// Its version.
    pub version: ApiVersion,
    /// The longest that signing in may take.
    pub timeout: Duration,
    /// The time.
    pub clock: Clock,
}

/// What requests go out through.
type Line = BoxCloneSyncService<Request<Bytes>, Response<Bytes>, BoxError>;

/// A GitHub App that signs in.
#[derive(Debug)]
pub struct App {
    identity: Identity,
    way: Way,
    /// Whoever holds it renews the token.
    line: tokio::sync::Mutex<Line>,
    /// Locked for a moment only.
    state: Mutex<State>,
}

/// A GitHub App in whichever organizations it is installed in.
#[derive(Clone, Debug)]
pub struct Apps {
    identity: Identity,
    way: Way,
    line: Line,
}

impl Apps {
    /// An App that asks through `service`. The number of an installation in `identity` is that in its
    /// organization; where it names none, that of every one.
    pub fn new<S>(identity: Identity, way: Way, service: S) -> Self
    where
        S: Service<Request<Bytes>, Response = Response<Bytes>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send + 'static,
    {
        Self {
            identity,
            way,
            line: Line::new(service.map_err(Into::into)),
        }
    }

    /// Whether there is a key in the file.
    pub(super) async fn check(&self) -> Result<(), CredentialsError> {
        App::of(self, &self.identity.organization).check().await
    }
}

impl App {
    /// An App that asks through `service`.
    pub fn new<S>(identity: Identity, way: Way, service: S) -> Self
    where
        S: Service<Request<Bytes>, Response = Response<Bytes>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send + 'static,
    {
        Self::with(identity, way, Line::new(service.map_err(Into::into)))
    }

    /// The App as it is installed in one organization.
    pub(super) fn of(apps: &Apps, organization: &str) -> Self {
        let Apps {
            identity,
            way,
            line,
        } = apps;
        let named = &identity.organization;
        let is_it = named.is_empty() || named.eq_ignore_ascii_case(organization);
        let identity = Identity {
            organization: organization.to_owned(),
            installation: identity.installation.filter(|_| is_it),
            ..identity.clone()
        };
        Self::with(identity, way.clone(), line.clone())
    }

    fn with(identity: Identity, way: Way, line: Line) -> Self {
        Self {
            identity,
            way,
            line: tokio::sync::Mutex::new(line),
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is a key in the file.
    pub(super) async fn check(&self) -> Result<(), CredentialsError> {
        self.key_text()
            .await
            .and_then(|text| self.key(&text))
            .map(|_| ())
    }

    /// The token at hand if it lasts, else a new one.
    pub(super) async fn sign_in(&self) -> SignIn {
        let at_hand = |header| SignIn {
            result: Ok(header),
            not_renewed: None,
            errands: Vec::new(),
        };
        let header = self.state().lasting(Instant::now());
        if let Some(header) = header {
            return at_hand(header);
        }
        let mut line = match self.line.try_lock() {
            Ok(line) => line,
            Err(_) => match self.usable() {
                Some(header) => return at_hand(header),
                None => self.line.lock().await,
            },
        };
        let header = self.state().lasting(Instant::now());
        if let Some(header) = header {
            return at_hand(header);
        }
        let failed_before = self.state().has_failed();
        let mut errands = Vec::new();
        let result = self.renew(&mut line, &mut errands).await;
        let mut not_renewed = None;
        let result = result.or_else(|error| match self.usable() {
            Some(header) => {
                if !failed_before || !errands.is_empty() {
                    warn!(%error, "token of the App not renewed yet, the last one still holds");
                }
                not_renewed = Some(error).filter(|_| !errands.is_empty());
                Ok(header)
            }
            None => Err(error),
        });
        SignIn {
            result,
            not_renewed,
            errands,
        }
    }

    fn usable(&self) -> Option<HeaderValue> {
        self.state().usable(Instant::now())
    }

    /// Whether there is a token other than `last`, or a key other than the one that failed.
    pub(super) async fn is_renewed(&self, last: Option<&HeaderValue>) -> bool {
        if let Some(usable) = self.usable() {
            return Some(&usable) != last;
        }
        if !self.state().has_failed() {
            return false;
        }
        let print = self.key_text().await.ok().as_ref().map(Print::of);
        print.is_some() && self.state().failed_with(print) == Some(false)
    }

    pub(super) fn permitted(&self) -> Option<Permitted> {
        self.state().permitted()
    }

    pub(super) fn accepted(&self, header: &HeaderValue) {
        self.state().accepted(header);
    }

    pub(super) fn denied(&self, header: &HeaderValue) {
        self.state().denied(header);
    }

    pub(super) fn refused(&self, header: &HeaderValue) -> bool {
        self.state().refused(header, Instant::now())
    }

    /// What the file of the key holds.
    async fn key_text(&self) -> Result<SecretString, CredentialsError> {
        let path = &self.identity.key;
        let read = file::read(path).await;
        read.map_err(|error| CredentialsError::Unreadable {
            what: "private key",
            path: path.clone(),
            error: Arc::new(error),
        })
    }

    fn key(&self, text: &SecretString) -> Result<Key, CredentialsError> {
        let key = Key::read(text.expose_secret());
        key.map_err(|problem| CredentialsError::NotAKey {
            path: self.identity.key.clone(),
            problem,
        })
    }

    /// A new token, unless GitHub is not to be asked yet.
    async fn renew(
        &self,
        line: &mut Line,
        errands: &mut Vec<Errand>,
    ) -> Result<HeaderValue, CredentialsError> {
        let text = self.key_text().await;
        let print = text.as_ref().ok().map(Print::of);
        let now = Instant::now();
        if let Some(error) = self.state().pause(print, now) {
            return Err(error);
        }
        let result = match text.and_then(|text| self.key(&text)) {
            Err(error) => Err(error),
            Ok(key) => {
                let renewal = Renewal {
                    line,
                    key,
                    errands,
                    ends: now + self.way.timeout,
                };
                self.ask(renewal).await
            }
        };
        match result {
            Ok(token) => Ok(self.state().renewed(token)),
            Err(error) => {
                self.state().failed(&error, print);
                Err(error)
            }
        }
    }
}
