//! One look-up: from the digest that runs, by way of an index, to the configuration of an image, signed
//! in as the registry asks for it. Each step is checked against the digest that named it. When what is
//! asked, and how often, is not known here.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER, USER_AGENT,
};
use http::{Request, Response, StatusCode};
use reqwest::Url;
use secrecy::ExposeSecret;
use tokio::time::Instant;
use tower::{Service, ServiceExt};

use crate::model::image::Digest;

use super::address::{self, PlainHosts, Refused, Repository};
use super::challenge;
use super::document::{self, Manifest};
use super::keyring::Credential;
use super::transport::LONGEST;

mod failure;
#[cfg(test)]
mod tests;
mod token;

pub(super) use failure::Failure;

/// What every request calls itself.
const AGENT: &str = concat!("deployment-recorder/", env!("CARGO_PKG_VERSION"));

/// How many redirects one request follows: a registry sends to where blobs are stored.
const MOST_REDIRECTS: usize = 4;

/// How deep indexes may lie in each other.
const DEEPEST: usize = 3;

/// How often one look-up signs in: once, and again after a token has run out on the way.
const MOST_SIGN_INS: usize = 3;

/// How many tokens are kept.
const MOST_TOKENS: usize = 1000;

/// Whatever a service fails with.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Tokens by registry and repository, each with its end.
type Tokens = BTreeMap<(String, Box<str>), (HeaderValue, Instant)>;

/// A client of any registry. Only tokens that were given to nobody are kept from one look-up to the
/// next.
#[derive(Debug)]
pub(super) struct Client<S> {
    service: S,
    plain: PlainHosts,
    tokens: Mutex<Tokens>,
}

/// One look-up on its way.
struct Visit<'a, S> {
    client: &'a Client<S>,
    repository: Repository,
    credential: Option<&'a Credential>,
    authorization: Option<HeaderValue>,
    sign_ins: usize,
    /// Whether nothing was let in yet since it signed in last.
    untried: bool,
}

impl<S> Client<S>
where
    S: Service<Request<Bytes>, Response = Response<Bytes>> + Clone,
    S::Error: Into<BoxError>,
{
    pub(super) fn new(service: S, plain: PlainHosts) -> Self {
        Self {
            service,
            plain,
            tokens: Mutex::default(),
        }
    }

    /// What an image's label says, `None` if it has none; `image` as a pod's spec writes it. Both are
    /// true for good: the digest is that of all of it.
    pub(super) async fn label(
        &self,
        image: &str,
        digest: &Digest,
        credential: Option<&Credential>,
    ) -> Result<Option<String>, Failure> {
        let repository = Repository::of(image, &self.plain)?;
        let known = self
            .known_token(&repository)
            .filter(|_| credential.is_none());
        let mut visit = Visit {
            client: self,
            repository,
            credential,
            authorization: known,
            sign_ins: 0,
            untried: false,
        };
        let mut asked = *digest;
        for _ in 0..=DEEPEST {
            let text = visit.read("manifests", &asked).await?;
            let next = match document::manifest(&text) {
                Ok(Manifest::Source(source)) => return Ok(Some(source)),
                Ok(Manifest::Index(next)) => next,
                Ok(Manifest::Image { config, size }) if size <= LONGEST as u64 => {
                    // By another algorithm nothing could be believed.
                    let Some(config) = Digest::parse(&config) else {
                        return Ok(None);
                    };
                    return Ok(document::label(&visit.read("blobs", &config).await?));
                }
                // It is what the digest names, and will be so for ever.
                Ok(Manifest::Image { .. } | Manifest::Nothing) | Err(document::Unreadable) => {
                    return Ok(None);
                }
            };
            match Digest::parse(&next) {
                Some(next) => asked = next,
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Sends a GET, and again wherever redirects lead; to another scheme, host or port without
    /// `authorization`. Returns whether the answer is from the host that was asked.
    async fn get(
        &self,
        mut url: Url,
        accept: &'static str,
        mut authorization: Option<&HeaderValue>,
    ) -> Result<(Response<Bytes>, bool), Failure> {
        let asked = url.origin();
        for _ in 0..=MOST_REDIRECTS {
            address::judge(&url, &self.plain)?;
            let mut request = Request::get(url.as_str())
                .header(USER_AGENT, HeaderValue::from_static(AGENT))
                .header(ACCEPT, HeaderValue::from_static(accept))
                .body(Bytes::new())
                .map_err(|_| Refused::NoAddress)?;
            if let Some(authorization) = authorization {
                request
                    .headers_mut()
                    .insert(AUTHORIZATION, authorization.clone());
            }
            let sent = async { self.service.clone().ready().await?.call(request).await };
            let answer = sent
                .await
                .map_err(|error: S::Error| Failure::broken(&*error.into()))?;
            if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok((answer, url.origin() == asked));
            }
            let next = target(&url, answer.headers()).ok_or(Failure::Lost)?;
            if url.scheme() == "https" && next.scheme() != "https" {
                return Err(Refused::Plain.into());
            }
            if next.origin() != url.origin() {
                authorization = None;
            }
            url = next;
        }
        Err(Failure::Lost)
    }

    fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known_token(&self, repository: &Repository) -> Option<HeaderValue> {
        let tokens = self.tokens();
        let (token, until) = tokens.get(&key(repository))?;
        (*until > Instant::now()).then(|| token.clone())
    }

    fn keep_token(&self, repository: &Repository, token: &HeaderValue, valid_for: Duration) {
        let (mut tokens, now) = (self.tokens(), Instant::now());
        tokens.retain(|_, (_, until)| *until > now);
        if tokens.len() >= MOST_TOKENS {
            tokens.clear();
        }
        tokens.insert(key(repository), (token.clone(), now + valid_for));
    }
}

fn key(repository: &Repository) -> (String, Box<str>) {
    (repository.registry.to_string(), repository.name.clone())
}

/// Where a redirect leads, without the part that is for browsers.
fn target(from: &Url, headers: &HeaderMap) -> Option<Url> {
    let location = headers.get(LOCATION)?.to_str().ok()?;
    let mut to = from.join(location).ok()?;
    to.set_fragment(None);
    Some(to)
}

impl<S> Visit<'_, S>
where
    S: Service<Request<Bytes>, Response = Response<Bytes>> + Clone,
    S::Error: Into<BoxError>,
{
    /// The manifest or blob of that digest, and nothing else.
    async fn read(&mut self, kind: &str, digest: &Digest) -> Result<Bytes, Failure> {
        let accept = if kind == "manifests" {
            document::ACCEPTED
        } else {
            "*/*"
        };
        let url = self.repository.url(kind, &digest.to_string())?;
        loop {
            let authorization = self.authorization.as_ref();
            let (answer, is_registrys) =
                self.client.get(url.clone(), accept, authorization).await?;
            let (head, body) = answer.into_parts();
            if head.status == StatusCode::OK {
                self.untried = false;
                let is_it = Digest::of(&body) == *digest;
                return is_it.then_some(body).ok_or(Failure::Untrue);
            }
            let asks = head.status == StatusCode::UNAUTHORIZED && is_registrys;
            if !asks || self.untried || self.sign_ins == MOST_SIGN_INS {
                return Err(Failure::of(head.status, &head.headers));
            }
            self.sign_ins += 1;
            self.authorization = Some(self.sign_in(&head.headers).await?);
            self.untried = true;
        }
    }

    /// What the registry asks for in these headers.
    async fn sign_in(&self, headers: &HeaderMap) -> Result<HeaderValue, Failure> {
        let denied = Failure::Denied(StatusCode::UNAUTHORIZED);
        let (realm, service, scope) = match challenge::read(headers) {
            Some(challenge::Challenge::Bearer {
                realm,
                service,
                scope,
            }) => (realm, service, scope),
            Some(challenge::Challenge::Basic) => return self.basic().ok_or(denied),
            None => return Err(denied),
        };
        let mut url = Url::parse(&realm).map_err(|_| Refused::NoAddress)?;
        if self.repository.registry.scheme() == "https" && url.scheme() != "https" {
            return Err(Refused::Plain.into());
        }
        let usual = || format!("repository:{}:pull", self.repository.name);
        let scope = scope.unwrap_or_else(usual);
        url.query_pairs_mut()
            .extend_pairs(service.map(|service| ("service", service)))
            .append_pair("scope", &scope);
        let basic = self.basic();
        let (answer, _) = self
            .client
            .get(url, "application/json", basic.as_ref())
            .await?;
        if answer.status() != StatusCode::OK {
            return Err(Failure::of(answer.status(), answer.headers()));
        }
        let (token, valid_for) = token::read(answer.body()).ok_or(Failure::NoToken)?;
        if self.credential.is_none() {
            self.client.keep_token(&self.repository, &token, valid_for);
        }
        Ok(token)
    }

    fn basic(&self) -> Option<HeaderValue> {
        let basic = self.credential?.basic();
        let mut value = HeaderValue::from_str(basic.expose_secret()).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// For how long an answer asks to be left alone. Only seconds are understood: a date would need a
/// clock, and no registry is known to send one.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}
