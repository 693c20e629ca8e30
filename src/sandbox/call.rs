//! A request as it came: where it goes, its body, and what speaks against it. Nothing is done here.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use jiff::Timestamp;
use serde_json::Value;

use super::endpoint::{Endpoint, Target};
use super::jwt;
use super::rules::{self, Refusal};
use super::strikes::Subject;
use super::world::World;

/// A request as it came, and what the rules say about it.
pub(super) struct Call {
    pub(super) path: String,
    pub(super) target: Option<Target>,
    pub(super) body: Option<Arc<Value>>,
    /// Why it is refused, and whether that is the client's mistake.
    pub(super) refusal: Option<(Refusal, bool)>,
}

impl Call {
    pub(super) fn read(request: &Request<Bytes>, world: &World, now: Timestamp) -> Self {
        let wanted = Target::read(request.uri().path());
        let method = request.method();
        let target = wanted.filter(|target| target.endpoint.method() == *method);
        let parsed = match &target {
            Some(target) => rules::read_body(target.endpoint, request.body()),
            None => Ok(None),
        };
        let refusal = refuse(request, target.as_ref(), &parsed, (world, now));
        let body = parsed.ok().flatten().map(Arc::new);
        let path = request.uri().path().to_owned();
        Self {
            path,
            target,
            body,
            refusal,
        }
    }

    pub(super) fn endpoint(&self) -> Option<Endpoint> {
        self.target.as_ref().map(|target| target.endpoint)
    }

    /// What a fault's matcher may look at: the records of a body, or the digest of a list.
    pub(super) fn subjects(&self) -> Vec<Subject<'_>> {
        let digest = self
            .target
            .as_ref()
            .map(|it| it.parameter("subject_digest"));
        if let Some(digest) = digest.filter(|digest| !digest.is_empty()) {
            return vec![Subject {
                digest,
                ..Subject::default()
            }];
        }
        // What an App asks for as itself is about no record.
        let body = self.body.as_ref();
        let body = body.filter(|_| !self.endpoint().is_some_and(Endpoint::is_of_apps));
        let items = body.into_iter().flat_map(|body| rules::items(body));
        items
            .map(|item| Subject {
                record: field(item, "deployment_name"),
                digest: field(item, "digest"),
                repository: field(item, "github_repository"),
            })
            .collect()
    }
}

fn field<'a>(item: &'a Value, name: &str) -> &'a str {
    item.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// In the order in which GitHub looks: user agent and version, path and method, token, body.
fn refuse(
    request: &Request<Bytes>,
    target: Option<&Target>,
    body: &Result<Option<Value>, Refusal>,
    (world, now): (&World, Timestamp),
) -> Option<(Refusal, bool)> {
    if let Err(refusal) = rules::check_headers(request.headers()) {
        return Some((refusal, true));
    }
    let Some(target) = target else {
        return Some((plain(StatusCode::NOT_FOUND, "Not Found"), true));
    };
    if let Err(refused) = admit(request.headers(), target, world, now) {
        return Some(refused);
    }
    let checked = match body {
        Ok(body) => rules::check(target, body.as_ref()),
        Err(refusal) => Err(refusal.clone()),
    };
    checked.err().map(|refusal| (refusal, true))
}

/// Whether the token is good for that endpoint, and if not, whether that is the client's mistake: it
/// has none, or one of the wrong kind.
fn admit(
    headers: &HeaderMap,
    target: &Target,
    world: &World,
    now: Timestamp,
) -> Result<(), (Refusal, bool)> {
    let unauthorized = |message| plain(StatusCode::UNAUTHORIZED, message);
    let Some(given) = rules::token(headers) else {
        return Err((unauthorized("Requires authentication"), true));
    };
    let of_app = jwt::has_form(given);
    if of_app != target.endpoint.is_of_apps() {
        return Err((unauthorized("A JSON web token could not be decoded"), true));
    }
    let own = world.own_tokens.get(&target.org().to_lowercase());
    let is_foreign = own.is_none() && world.own_tokens.values().any(|token| token == given);
    let judged = match own.or(world.token.as_ref()) {
        _ if is_foreign => Err(unauthorized("Bad credentials")),
        _ if of_app => world.app.admits(given, now),
        _ if world.app.knows(given) => world.app.lets(given, target, now),
        Some(wanted) if given != wanted => Err(unauthorized("Bad credentials")),
        Some(_) | None => Ok(()),
    };
    judged.map_err(|refusal| (refusal, false))
}

fn plain(status: StatusCode, message: &str) -> Refusal {
    Refusal {
        status,
        message: message.into(),
        details: vec![],
    }
}
