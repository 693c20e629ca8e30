//! What must hold of whatever GitHub sends, and of the address that it is sent to: plain functions
//! over bytes (`crate::fuzz`). What speaks against a property is a panic. An input is a message as
//! it goes over the wire, with a first line of its own, so that a person can read and write it.

#![expect(clippy::unwrap_used, reason = "what fails here is a finding")]

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{StatusCode, Uri};
use tokio::time::Instant;

use super::answer::Taken;
use super::api::{ApiUrl, ApiVersion, DEFAULT, DEFAULT_VERSION};
use super::exchange::Exchange;
use super::pace::{Access, Pace, Purpose};
use super::rate::{self, Rate};
use super::{redirect, request};
use crate::model::image::Digest;
use crate::model::record::{Body, Destination, Identity, Line, Status};
use crate::model::risk::Risks;
use crate::model::text_map::TextMap;

mod answer;

pub(crate) use answer::answer;

/// A first line, headers, and behind an empty line a body.
pub(super) struct Message<'a> {
    pub(super) first: Vec<&'a str>,
    pub(super) headers: HeaderMap,
    pub(super) body: &'a [u8],
}

impl<'a> Message<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let end = bytes.windows(2).position(|pair| pair == b"\n\n");
        let (head, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
        let mut lines = head.split(|byte| *byte == b'\n');
        let first = str::from_utf8(lines.next()?).ok()?;
        let mut headers = HeaderMap::new();
        for line in lines {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let (name, value) = line.split_at(colon);
            let value = value.get(1..)?.trim_ascii();
            let name = HeaderName::from_bytes(name).ok()?;
            headers.append(name, HeaderValue::from_bytes(value).ok()?);
        }
        Some(Self {
            first: first.split(' ').collect(),
            headers,
            body: rest.get(2..).unwrap_or_default(),
        })
    }

    /// The word of that number in the first line.
    pub(super) fn word(&self, number: usize) -> &'a str {
        self.first.get(number).copied().unwrap_or_default()
    }

    pub(super) fn status(&self, word: usize) -> Option<StatusCode> {
        StatusCode::from_bytes(self.word(word).as_bytes()).ok()
    }
}

/// No text from outside moves a cursor or begins a line of its own.
pub(super) fn is_on_one_line(text: &str) {
    assert!(!text.contains(char::is_control), "{text:?}");
}

/// Any first line, headers: what they say about the pace.
pub(crate) fn rate(bytes: &[u8]) {
    const DAY: Duration = Duration::from_hours(24);
    let Some(message) = Message::read(bytes) else {
        return;
    };
    let rate = Rate::read(&message.headers);
    for wait in [rate.retry_after, rate.resets_in, rate.pause()]
        .into_iter()
        .flatten()
    {
        assert!(wait > Duration::ZERO && wait <= DAY, "{wait:?}");
    }
    assert!(rate.pause().is_none() || rate.limits(), "{rate:?}");
    assert!(rate.retry_after.is_none() || rate.has_retry_after);
    assert!(rate.retry_after.is_none() || rate.pause() == rate.retry_after);
    let mut turned = HeaderMap::new();
    for (name, value) in message.headers.iter().collect::<Vec<_>>().into_iter().rev() {
        turned.append(name, value.clone());
    }
    if message.headers.get_all("date").iter().count() < 2 {
        assert_eq!(Rate::read(&turned), rate, "the order of headers counts");
        assert_eq!(rate::date(&turned), rate::date(&message.headers));
    }
    obeyed(rate);
}

/// The pace waits as long as the headers say.
fn obeyed(rate: Rate) {
    let now = Instant::now();
    let exchange = Exchange {
        answer: Ok(Taken::default()),
        status: Some(StatusCode::OK),
        request_id: None,
        duration: Duration::ZERO,
        requests: 1,
        rate,
        date: None,
        token_renewed: false,
    };
    let access = || Access::new(DEFAULT, "acme");
    let mut pace = Pace::new();
    pace.sent(Purpose::Change, now);
    pace.answered(access(), &exchange, now);
    let waits = pace.slot(access(), Purpose::Change, now).at - now;
    let told = rate.pause().unwrap_or_default();
    assert_eq!(waits, told.max(super::pace::SPACING));
}

/// `STATUS FOLLOWED URI`, headers: where a redirect leads.
pub(crate) fn redirect(bytes: &[u8]) {
    let Some(message) = Message::read(bytes) else {
        return;
    };
    let (status, followed) = (message.status(0), message.word(1).parse::<usize>());
    let uri = message.word(2).parse::<Uri>();
    let (Some(status), Ok(followed), Ok(uri)) = (status, followed, uri) else {
        return;
    };
    let next = match redirect::next(&uri, status, &message.headers, followed) {
        Err(doubt) => return is_on_one_line(&doubt.to_string()),
        Ok(None) => return assert!(![301, 302, 307, 308].contains(&status.as_u16())),
        Ok(Some(next)) => next,
    };
    assert!([301, 302, 307, 308].contains(&status.as_u16()) && followed < redirect::MOST);
    let host = |uri: &Uri| uri.host().map(str::to_ascii_lowercase);
    let port = |uri: &Uri| match uri.scheme_str() {
        Some("http") => uri.port_u16().or(Some(80)),
        _ => uri.port_u16().or(Some(443)),
    };
    assert_eq!(next.scheme_str(), uri.scheme_str(), "{next}");
    assert_eq!(port(&next), port(&uri), "{next}");
    let before = uri.authority().map_or("", |authority| authority.as_str());
    // A URL may spell a host as no URI does (an address in octal, a name with escapes).
    if before
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || b".:".contains(&byte))
    {
        assert_eq!(host(&next), host(&uri), "{next}");
    }
    let after = next.authority().map_or("", |authority| authority.as_str());
    assert!(!after.is_empty() && !after.contains('@'), "{next}");
    let mut again = HeaderMap::new();
    let location = HeaderValue::from_str(&next.to_string());
    again.extend(location.map(|location| (http::header::LOCATION, location)));
    assert_eq!(
        redirect::next(&next, status, &again, followed),
        Ok(Some(next))
    );
}

/// The address of an API on one line, its version on the next.
pub(crate) fn api(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let (url, day) = text.split_once('\n').unwrap_or((text, DEFAULT_VERSION));
    let version = ApiVersion::parse(day).unwrap_or_else(|_| version());
    assert_eq!(ApiVersion::parse(&version.to_string()), Ok(version.clone()));
    let strict = ApiUrl::parse(url, false);
    let api = match ApiUrl::parse(url, true) {
        Ok(api) => api,
        Err(error) => {
            assert_eq!(strict, Err(error.clone()));
            return keeps_secrets(url, &format!("{error} {error:?}"));
        }
    };
    let plain = api.to_string().starts_with("http://");
    assert_eq!(strict.is_ok(), !plain || api.is_loopback(), "{api}");
    let uri = api.to_string().parse::<Uri>().unwrap();
    let host = uri.host().unwrap_or_default();
    let address = host.parse::<Ipv4Addr>();
    let is_here =
        address.is_ok_and(|it| it.octets()[0] == 127) || ["localhost", "[::1]"].contains(&host);
    assert_eq!(api.is_loopback(), is_here, "{api}");
    assert_eq!(ApiUrl::parse(&api.to_string(), true), Ok(api.clone()));
    assert_eq!(**api.host(), *api.host().to_lowercase());
    let digest = Digest::parse(&format!("sha256:{}", "0".repeat(64))).unwrap();
    let request = request::list_deployment_records(&api, &version, "acme", &digest).unwrap();
    let authority = request.uri().authority().unwrap();
    assert_eq!(authority.as_str(), &**api.host());
}

/// What stands before an `@` or behind `?` and `#` may be a secret, and is not repeated.
fn keeps_secrets(given: &str, error: &str) {
    const SECRET: &str = "hunter2";
    let open = given.split(['?', '#']).next().unwrap_or_default();
    let open = open.rsplit('@').next().unwrap_or_default();
    let (scheme, _) = given.split_once(':').unwrap_or_default();
    let is_open = open.contains(SECRET) || scheme.contains(SECRET);
    assert!(is_open || !error.contains(SECRET), "{error}");
}

fn version() -> ApiVersion {
    ApiVersion::parse(DEFAULT_VERSION).unwrap()
}

/// A line of that name, whose digest is of that one digit.
pub(crate) fn line(destination: &Arc<Destination>, name: &str, digit: &str) -> Line {
    let body = Body {
        digest: Digest::parse(&format!("sha256:{}", digit.repeat(64))).unwrap(),
        name: "ghcr.io/acme/web".into(),
        version: None,
        repository: None,
        tags: TextMap::default(),
        risks: Risks::default(),
    };
    Line {
        identity: Identity {
            destination: Arc::clone(destination),
            name: name.into(),
        },
        body: Arc::new(body),
        status: Status::Deployed,
    }
}
