//! One renewal: the requests that it takes, each with a web token of its own, and what their failures
//! ask for.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use super::super::installation::{self, Kind, Refusal};
use super::super::key::Key;
use super::super::{CredentialsError, Errand, NotMinted, bearer};
use super::state::Token;
use super::{App, Identity, LOOK_UP, Line, MINT, Way};
use crate::github::answer::Doubt;
use crate::github::pace::SPACING;
use crate::github::rate::{self, Rate};
use crate::github::request::RequestError;
use crate::github::send::{self, Reply};

/// How far GitHub's clock may be from the one that a web token was made by, before the difference
/// counts as the reason of its refusal. The times in it allow for more.
const TOLERATED: Duration = Duration::from_secs(30);

/// A renewal on its way.
pub(super) struct Renewal<'a> {
    pub(super) line: &'a mut Line,
    pub(super) key: Key,
    pub(super) errands: &'a mut Vec<Errand>,
    pub(super) ends: Instant,
}

impl App {
    /// Looks the installation up if need be, and asks for a token.
    pub(super) async fn ask(&self, mut renewal: Renewal<'_>) -> Result<Token, CredentialsError> {
        let known = self.identity.installation.or(self.state().installation);
        let installation = match known {
            Some(installation) => installation,
            None => self.look_up(&mut renewal).await?,
        };
        let narrow = self.state().asks_narrow();
        match self.mint(&mut renewal, installation, narrow).await {
            Err((refusal, _)) if narrow && is(&refusal, StatusCode::UNPROCESSABLE_ENTITY) => {
                sleep(SPACING).await;
                let token = self.mint(&mut renewal, installation, false).await;
                let token = token.map_err(|(refusal, rate)| {
                    self.not_minted(self.minting(installation), refusal, &rate)
                })?;
                if self.state().narrow_refused(true) {
                    warn!(
                        answer = refusal.text,
                        "GitHub gives no token for artifact metadata alone, this one has all rights of the App"
                    );
                }
                Ok(token)
            }
            Err((refusal, rate)) => {
                if is(&refusal, StatusCode::NOT_FOUND) {
                    // It may have been installed anew, which gives it another number.
                    self.state().installation = None;
                }
                Err(self.not_minted(self.minting(installation), refusal, &rate))
            }
            Ok(token) => {
                if narrow && self.state().narrow_refused(false) {
                    info!("GitHub gives tokens for artifact metadata alone now");
                }
                Ok(token)
            }
        }
    }

    async fn look_up(&self, renewal: &mut Renewal<'_>) -> Result<u64, CredentialsError> {
        let Identity {
            app, organization, ..
        } = &self.identity;
        let step = || format!("the installation of the App in {organization} is not known");
        let request = installation::look_up(&self.way.api, &self.way.version, organization);
        let (reply, _) = self
            .exchange(renewal, LOOK_UP, request)
            .await
            .map_err(|refusal| self.not_minted(step(), refusal, &Rate::default()))?;
        let rate = Rate::read(&reply.headers);
        let read = reply.result.map_err(Refusal::from);
        let read = read.and_then(|answer| {
            installation::read_installation(answer.status(), &rate, answer.body())
        });
        let found = read.map_err(|refusal| {
            let step = if is(&refusal, StatusCode::NOT_FOUND) {
                format!("the App {app} is not installed in {organization}")
            } else {
                step()
            };
            self.not_minted(step, refusal, &rate)
        })?;
        self.state().installation = Some(found);
        Ok(found)
    }

    fn minting(&self, installation: u64) -> String {
        let app = &self.identity.app;
        format!("no token for installation {installation} of the App {app}")
    }

    async fn mint(
        &self,
        renewal: &mut Renewal<'_>,
        installation: u64,
        narrow: bool,
    ) -> Result<Token, (Refusal, Rate)> {
        let Way { api, version, .. } = &self.way;
        let request = installation::mint(api, version, installation, narrow);
        let (reply, asked) = self
            .exchange(renewal, MINT, request)
            .await
            .map_err(|refusal| (refusal, Rate::default()))?;
        let rate = Rate::read(&reply.headers);
        let read = reply.result.map_err(Refusal::from);
        let read = read.and_then(|answer| {
            let minted = installation::read_token(answer.status(), &rate, answer.body())?;
            let header = bearer(minted.token.expose_secret()).map_err(Refusal::no_token)?;
            let token = Token::new(header, asked, minted.ends, self.githubs_time());
            Ok(token.permitted(minted.permitted))
        });
        read.map_err(|refusal| (refusal, rate))
    }

    /// Asks as the App, and once more where GitHub's clock explains its refusal. Returns the answer,
    /// and when it was asked for.
    async fn exchange(
        &self,
        renewal: &mut Renewal<'_>,
        operation: &'static str,
        request: Result<Request<Bytes>, RequestError>,
    ) -> Result<(Reply, Instant), Refusal> {
        let request = request.map_err(|error| Refusal::unasked(error.to_string()))?;
        let mut corrected = false;
        loop {
            let time = self.githubs_time();
            let web_token = renewal.key.web_token(&self.identity.app, time);
            let web_token = web_token.and_then(|token| bearer(token.expose_secret()).ok());
            let Some(web_token) = web_token else {
                return Err(Refusal::unasked("the key does not sign".to_owned()));
            };
            let asked = Instant::now();
            let patience = renewal.ends.saturating_duration_since(asked);
            let reply = send::send(renewal.line, &request, &web_token, patience).await;
            renewal.errands.push(errand(operation, &reply, asked));
            let off = self.compare_clocks(&reply);
            let refused = reply.status == Some(StatusCode::UNAUTHORIZED);
            if corrected || !refused || off.is_none_or(|off| off <= TOLERATED) {
                return Ok((reply, asked));
            }
            corrected = true;
            warn!(
                seconds = off.map(|off| off.as_secs()),
                "this machine's clock is not GitHub's, asking once more with GitHub's time"
            );
            sleep(SPACING).await;
        }
    }

    /// The time as GitHub has it, as far as its last answer tells.
    fn githubs_time(&self) -> Timestamp {
        let ahead = self.state().ahead;
        let wall = self.way.clock.wall();
        wall.checked_add(ahead).unwrap_or(wall)
    }

    /// Remembers how far GitHub's clock is ahead of ours, and returns how much that differs from
    /// what was thought so far.
    fn compare_clocks(&self, reply: &Reply) -> Option<Duration> {
        let date = rate::date(&reply.headers)?;
        let ahead = date.duration_since(self.way.clock.wall());
        let mut state = self.state();
        let off = ahead.checked_sub(state.ahead)?.unsigned_abs();
        state.ahead = ahead;
        Some(off)
    }

    fn not_minted(&self, step: String, refusal: Refusal, rate: &Rate) -> CredentialsError {
        let now = Instant::now();
        let until = self.state().wait(refusal.kind, rate, now);
        let kind = match refusal.kind {
            Kind::Denied if is(&refusal, StatusCode::UNAUTHORIZED) => NotMinted::Unknown,
            Kind::Denied => NotMinted::Denied,
            Kind::Limited => NotMinted::Limited {
                named: rate.pause().is_some(),
            },
            Kind::Outage => NotMinted::Outage,
        };
        CredentialsError::NotMinted {
            step,
            why: refusal.text,
            kind,
            until,
        }
    }
}

fn is(refusal: &Refusal, status: StatusCode) -> bool {
    refusal.status == Some(status)
}

/// What a reply was, for whoever counts requests; it is logged too.
fn errand(operation: &'static str, reply: &Reply, asked: Instant) -> Errand {
    let errand = Errand {
        operation,
        status: reply.status,
        timed_out: matches!(reply.result, Err(Doubt::Timeout(_))),
        request_id: reply.request_id(),
        duration: asked.elapsed(),
    };
    info!(
        operation,
        status = errand.status.map(|status| status.as_u16()),
        request_id = errand.request_id,
        duration_ms = u64::try_from(errand.duration.as_millis()).unwrap_or(u64::MAX),
        "asked GitHub"
    );
    errand
}
