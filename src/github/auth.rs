//! Who asks: the token, from a file that may change at any time, as it was given at the start, or
//! minted for a GitHub App. A token or a key is never in a log, an error or a `Debug` output.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;
use tokio::time::Instant;

pub mod app;
mod file;
#[cfg(feature = "fuzz")]
pub(crate) mod fuzz;
mod installation;
mod key;
pub mod keyring;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

use app::App;
pub use installation::Permitted;
pub use keyring::Keyring;

/// Where the token comes from. Clones share what they know of it.
#[derive(Clone, Debug)]
pub struct Credentials(Source);

#[derive(Clone, Debug)]
enum Source {
    /// Read before each request: rotated secrets appear as another file under the same name, and
    /// nothing is cheaper or surer than to read it.
    File(Arc<Path>),
    Given(SecretString),
    App(Arc<App>),
}

/// Why there is no token.
#[derive(Clone, Debug, Error)]
pub enum CredentialsError {
    /// A file cannot be read.
    #[error("the {what} file {} cannot be read: {error}", path.display())]
    Unreadable {
        /// What it should hold.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: Arc<io::Error>,
    },
    /// What was read is not a token. What it is instead is not said: it may be half of one.
    #[error("{place} does not hold a token: it {problem}")]
    NotAToken {
        /// The file, or the value that was given.
        place: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// What was read is not the private key of a GitHub App. Nothing of it is said.
    #[error("the private key file {} does not hold the key of a GitHub App: it {problem}", path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: &'static str,
    },
    /// GitHub gives the App no token.
    #[error("{step}: {why}")]
    NotMinted {
        /// What was asked for.
        step: String,
        /// What GitHub says.
        why: String,
        /// What kind of refusal it is.
        kind: NotMinted,
        /// Nothing is asked before this, unless the key changes.
        until: Instant,
    },
}

/// What kind of refusal it is that GitHub gives an App no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotMinted {
    /// It denies it in this organization, as where the App is not installed: somebody has to do
    /// something.
    Denied,
    /// It does not know the App by this key, wherever that signs in.
    Unknown,
    /// It was asked too much, which concerns everybody.
    Limited {
        /// Whether it named the time until which nothing is asked.
        named: bool,
    },
    /// GitHub, or the way to it, fails.
    Outage,
}

impl CredentialsError {
    /// What kind of refusal it is, where GitHub gives an App no token.
    pub fn not_minted(&self) -> Option<NotMinted> {
        match self {
            Self::NotMinted { kind, .. } => Some(*kind),
            Self::Unreadable { .. } | Self::NotAToken { .. } | Self::NotAKey { .. } => None,
        }
    }

    /// Before when it is of no use to try again, where that is known.
    pub fn until(&self) -> Option<Instant> {
        match self {
            Self::NotMinted { until, .. } => Some(*until),
            Self::Unreadable { .. } | Self::NotAToken { .. } | Self::NotAKey { .. } => None,
        }
    }
}

/// What came of signing in.
#[derive(Debug)]
pub struct SignIn {
    /// The value of the `Authorization` header for the next request.
    pub result: Result<HeaderValue, CredentialsError>,
    /// Why that is still the last token, where GitHub was asked for a new one just now.
    pub not_renewed: Option<CredentialsError>,
    /// The requests that it took: none where a token was at hand.
    pub errands: Vec<Errand>,
}

/// A request that was made for a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errand {
    /// The name of the operation.
    pub operation: &'static str,
    /// GitHub's status, where an answer came.
    pub status: Option<StatusCode>,
    /// Whether none came in time.
    pub timed_out: bool,
    /// GitHub's name for the request.
    pub request_id: Option<String>,
    /// How long it took.
    pub duration: Duration,
}

impl Credentials {
    /// The token that a file holds at the time of each request.
    pub fn from_file(path: &Path) -> Self {
        Self(Source::File(path.into()))
    }

    /// A token that stays the same.
    pub fn from_value(token: SecretString) -> Self {
        Self(Source::Given(token))
    }

    /// The tokens that are minted for a GitHub App.
    pub fn from_app(app: App) -> Self {
        Self(Source::App(Arc::new(app)))
    }

    /// Whether everything is there that no one but this machine can be asked for: a token, or a
    /// key to get one with.
    pub async fn check(&self) -> Result<(), CredentialsError> {
        match &self.0 {
            Source::File(_) | Source::Given(_) => self.header().await.map(|_| ()),
            Source::App(app) => app.check().await,
        }
    }

    /// The value of the `Authorization` header for the next request. Of an App it may take
    /// requests: [`Credentials::sign_in`] tells of them.
    pub async fn authorization(&self) -> Result<HeaderValue, CredentialsError> {
        self.sign_in().await.result
    }

    /// Makes sure that there is a token: a file is read, one for an App is minted if there is none
    /// that lasts. Callers at the same time share what comes of it.
    pub async fn sign_in(&self) -> SignIn {
        match &self.0 {
            Source::File(_) | Source::Given(_) => SignIn {
                result: self.header().await,
                not_renewed: None,
                errands: Vec::new(),
            },
            // Kept apart: it is large, and few calls need it.
            Source::App(app) => Box::pin(app.sign_in()).await,
        }
    }

    /// Whether there is something to sign in with that was not tried: another token than the one in
    /// `last`, which was sent last, or another key. `None`: there was no token to send.
    pub async fn are_renewed(&self, last: Option<&HeaderValue>) -> bool {
        match &self.0 {
            Source::File(_) | Source::Given(_) => {
                let now = self.header().await;
                now.is_ok_and(|now| Some(&now) != last)
            }
            Source::App(app) => app.is_renewed(last).await,
        }
    }

    /// What the token at hand may do with artifact metadata, where GitHub says so: only when it mints
    /// one for an App.
    pub fn permitted(&self) -> Option<Permitted> {
        match &self.0 {
            Source::File(_) | Source::Given(_) => None,
            Source::App(app) => app.permitted(),
        }
    }

    /// GitHub took the token of this header for a good one.
    pub fn accepted(&self, header: &HeaderValue) {
        if let Source::App(app) = &self.0 {
            app.accepted(header);
        }
    }

    /// GitHub denied what the token of this header is there for (403 or 404). One of an App has the
    /// rights that the App had when it was minted, so the next request goes with a new one, unless
    /// this one is not a minute old.
    pub fn denied(&self, header: &HeaderValue) {
        if let Source::App(app) = &self.0 {
            app.denied(header);
        }
    }

    /// GitHub refused the token of this header (401). Returns whether there is another one to try
    /// at once: another in the file, or one that is minted next.
    pub async fn refused(&self, header: &HeaderValue) -> bool {
        match &self.0 {
            Source::File(_) | Source::Given(_) => self.are_renewed(Some(header)).await,
            Source::App(app) => app.refused(header),
        }
    }

    /// The token of a file, or the one that was given, as a header.
    async fn header(&self) -> Result<HeaderValue, CredentialsError> {
        let token = match &self.0 {
            Source::Given(token) => token.clone(),
            Source::File(path) => {
                let read = file::read(path).await;
                read.map_err(|error| CredentialsError::Unreadable {
                    what: "token",
                    path: path.to_path_buf(),
                    error: Arc::new(error),
                })?
            }
            Source::App(app) => return Box::pin(app.sign_in()).await.result,
        };
        bearer(token.expose_secret()).map_err(|problem| self.not_a_token(problem))
    }

    fn not_a_token(&self, problem: &'static str) -> CredentialsError {
        let place = match &self.0 {
            Source::File(path) => format!("the token file {}", path.display()),
            Source::Given(_) => "the token that was given".to_owned(),
            Source::App(_) => "GitHub's answer".to_owned(),
        };
        CredentialsError::NotAToken { place, problem }
    }
}

/// The `Authorization` header of a token, or what is wrong with it.
fn bearer(token: &str) -> Result<HeaderValue, &'static str> {
    const NOT_VISIBLE: &str = "has characters other than letters, digits and punctuation, or lines";
    let token = token.trim_start_matches('\u{feff}').trim();
    if token.is_empty() {
        return Err("is empty");
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(NOT_VISIBLE);
    }
    let mut header = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| NOT_VISIBLE)?;
    header.set_sensitive(true);
    Ok(header)
}
