//! The two requests by which a GitHub App comes to a token, and what their answers mean
//! (`contract/apps.openapi.json`). Plain functions: bytes out, bytes in.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use jiff::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::answer::{self, Doubt};
use super::super::api::{ApiUrl, ApiVersion};
use super::super::rate::Rate;
use super::super::request::{self, RequestError};
use super::super::wire;

/// The permission that a token is restricted to, as this request names it.
const PERMISSION: &[u8] = br#"{"permissions":{"artifact_metadata":"write"}}"#;

/// All that the App may do.
const EVERYTHING: &[u8] = b"{}";

/// A token that was minted.
pub(super) struct Minted {
    pub(super) token: SecretString,
    pub(super) ends: Timestamp,
    pub(super) permitted: Option<Permitted>,
}

/// What a token may do with artifact metadata, as GitHub says when it mints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permitted {
    /// Read and write it.
    Write,
    /// Read it.
    Read,
    /// Nothing.
    Nothing,
}

impl Permitted {
    /// Reads the list of permissions of a token; `None` where there is none.
    fn read(permissions: &RawValue) -> Option<Self> {
        #[derive(Deserialize)]
        struct Permissions<'a> {
            #[serde(borrow)]
            artifact_metadata: wire::Anything<'a>,
        }
        let wire::Object(given) = serde_json::from_str(permissions.get()).ok()?;
        let Permissions { artifact_metadata } = given;
        // As it is written: nobody puts a letter of these in another way.
        Some(match artifact_metadata.map(RawValue::get) {
            Some(r#""write""#) => Self::Write,
            Some(r#""read""#) => Self::Read,
            Some(_) | None => Self::Nothing,
        })
    }
}

/// Why GitHub gives nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: Option<StatusCode>,
    /// What it asks for.
    pub(super) kind: Kind,
    /// What GitHub says.
    pub(super) text: String,
}

/// What a refusal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A person to do something.
    Denied,
    /// To be asked less often.
    Limited,
    /// To be asked again: GitHub, or the way to it, fails.
    Outage,
}

/// The request for the number of the App's installation in an organization.
pub(super) fn look_up(
    api: &ApiUrl,
    version: &ApiVersion,
    organization: &str,
) -> Result<Request<Bytes>, RequestError> {
    let organization = request::segment(organization);
    let uri = format!("{api}/orgs/{organization}/installation");
    request::build(Method::GET, uri, version, None)
}

/// The request for a token of an installation, restricted to what this program does if `narrow`.
pub(super) fn mint(
    api: &ApiUrl,
    version: &ApiVersion,
    installation: u64,
    narrow: bool,
) -> Result<Request<Bytes>, RequestError> {
    let uri = format!("{api}/app/installations/{installation}/access_tokens");
    let body = if narrow { PERMISSION } else { EVERYTHING };
    let body = Bytes::from_static(body);
    request::build(Method::POST, uri, version, Some(body))
}

/// The number of an installation.
pub(super) fn read_installation(
    status: StatusCode,
    rate: &Rate,
    body: &[u8],
) -> Result<u64, Refusal> {
    #[derive(Deserialize)]
    struct Installation {
        id: u64,
    }
    let read: Installation = read(status, rate, body)?;
    Ok(read.id)
}

/// A token and its end.
pub(super) fn read_token(status: StatusCode, rate: &Rate, body: &[u8]) -> Result<Minted, Refusal> {
    #[derive(Deserialize)]
    struct Answer<'a> {
        token: Box<str>,
        expires_at: Timestamp,
        #[serde(default, borrow)]
        permissions: wire::Anything<'a>,
    }
    let read: Answer<'_> = read(status, rate, body)?;
    Ok(Minted {
        token: read.token.into(),
        ends: read.expires_at,
        permitted: read.permissions.and_then(Permitted::read),
    })
}

/// What a 2xx holds. Of a body that is not the contract's only the place of the problem is told: it
/// may hold a token.
fn read<'a, T: Deserialize<'a>>(
    status: StatusCode,
    rate: &Rate,
    body: &'a [u8],
) -> Result<T, Refusal> {
    if !status.is_success() {
        return Err(refusal(status, rate, body));
    }
    serde_json::from_slice(body).map_err(|error| {
        let problem = format!("line {} column {}", error.line(), error.column());
        Refusal::from(Doubt::Body { status, problem })
    })
}

/// What any other status says.
fn refusal(status: StatusCode, rate: &Rate, body: &[u8]) -> Refusal {
    let said = answer::ErrorText::read(body);
    let limited = match status.as_u16() {
        429 => true,
        403 => rate.limits() || said.names_limit,
        _ => false,
    };
    let kind = match status.as_u16() {
        _ if limited => Kind::Limited,
        408 | 409 => Kind::Outage,
        400..=499 => Kind::Denied,
        _ => Kind::Outage,
    };
    Refusal {
        status: Some(status),
        kind,
        text: format!("GitHub answered {status}: {}", said.text),
    }
}

impl Refusal {
    /// GitHub was not asked.
    pub(super) fn unasked(text: String) -> Self {
        Self {
            status: None,
            kind: Kind::Denied,
            text,
        }
    }

    /// What GitHub gave is no token.
    pub(super) fn no_token(problem: &'static str) -> Self {
        Self {
            status: None,
            kind: Kind::Outage,
            text: format!("what GitHub answered as a token {problem}"),
        }
    }
}

impl From<Doubt> for Refusal {
    fn from(doubt: Doubt) -> Self {
        Self {
            status: None,
            kind: Kind::Outage,
            text: doubt.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::header::{CONTENT_TYPE, USER_AGENT};
    use secrecy::ExposeSecret as _;

    use super::super::super::samples::{api, filled, little_more, run_alone, version};
    use super::*;

    fn rate(retry_after: Option<u64>) -> Rate {
        Rate {
            has_retry_after: retry_after.is_some(),
            ..Rate::default()
        }
    }

    #[test]
    fn the_requests_are_those_of_the_description() {
        let request = look_up(&api(), &version(), "octo org").unwrap();
        assert_eq!(request.method(), Method::GET);
        let uri = "https://api.github.com/orgs/octo%20org/installation";
        assert_eq!(request.uri(), uri);
        assert!(request.body().is_empty() && !request.headers().contains_key(CONTENT_TYPE));
        for (narrow, body) in [
            (true, r#"{"permissions":{"artifact_metadata":"write"}}"#),
            (false, "{}"),
        ] {
            let request = mint(&api(), &version(), 42, narrow).unwrap();
            assert_eq!(request.method(), Method::POST);
            let uri = "https://api.github.com/app/installations/42/access_tokens";
            assert_eq!(request.uri(), uri);
            assert_eq!(request.body(), body);
            assert_eq!(request.headers()[CONTENT_TYPE], "application/json");
            assert!(request.headers().contains_key(USER_AGENT));
        }
    }

    #[test]
    fn a_number_and_a_token_are_read_from_the_answers_that_are_described() {
        let body = br#"{"id": 42, "app_id": 7, "account": {"login": "octo"}}"#;
        let ok = StatusCode::OK;
        assert_eq!(read_installation(ok, &rate(None), body), Ok(42));
        let body =
            br#"{"token": "ghs_x", "expires_at": "2026-11-22T13:00:00Z", "permissions": {}}"#;
        let minted = read_token(StatusCode::CREATED, &rate(None), body).unwrap();
        assert_eq!(minted.token.expose_secret(), "ghs_x");
        assert_eq!(minted.ends.to_string(), "2026-11-22T13:00:00Z");
    }

    #[test]
    fn what_a_token_may_do_is_read_where_it_is_told_and_nothing_odd_there_costs_the_token() {
        for (permissions, permitted) in [
            (r#"{"artifact_metadata": "write"}"#, Some(Permitted::Write)),
            (r#"{"artifact_metadata": "read"}"#, Some(Permitted::Read)),
            (r#"{"metadata": "read"}"#, Some(Permitted::Nothing)),
            (r#"{"artifact_metadata": 7}"#, Some(Permitted::Nothing)),
            (r#"["artifact_metadata"]"#, None),
            ("null", None),
        ] {
            let body = format!(
                r#"{{"token": "ghs_x", "expires_at": "2026-11-22T13:00:00Z", "permissions": {permissions}}}"#
            );
            let minted = read_token(StatusCode::CREATED, &rate(None), body.as_bytes());
            assert_eq!(minted.unwrap().permitted, permitted, "{permissions}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_longest_token_answers_are_read_in_little_more_memory_than_their_own() {
        run_alone("github::auth::installation::tests::the_longest", &[]);
    }

    #[test]
    #[ignore = "run alone by the test above"]
    fn the_longest() {
        let begin = r#"{"token":"ghs_x","expires_at":"2026-11-22T13:00:00Z","permissions":"#;
        let table = [
            ("[", "0", "]}", None),
            ("{", r#""":0"#, "}}", Some(Permitted::Nothing)),
            (
                "{\"artifact_metadata\":[",
                "0",
                "]}}",
                Some(Permitted::Nothing),
            ),
        ];
        let rows = table.into_iter().map(|(rest, item, end, permitted)| {
            (
                rest,
                filled(&format!("{begin}{rest}"), item, end),
                permitted,
            )
        });
        little_more(rows, |body, permitted| {
            let minted = read_token(StatusCode::CREATED, &rate(None), body);
            assert_eq!(minted.unwrap().permitted, permitted);
        });
    }

    #[test]
    fn a_body_that_is_none_of_these_is_an_outage_that_repeats_nothing_of_it() {
        for body in [
            r#"{"token": "ghs_x"}"#,
            r#"{"token": "ghs_x", "expires_at": "ghs_x"}"#,
            r#"{"token": 1, "expires_at": "2026-11-22T13:00:00Z", "x": "ghs_x"}"#,
            r#""ghs_x""#,
            "ghs_x",
            "",
        ] {
            let read = read_token(StatusCode::CREATED, &rate(None), body.as_bytes());
            let refusal = read.err().unwrap();
            assert_eq!((refusal.kind, refusal.status), (Kind::Outage, None));
            assert!(!refusal.text.contains("ghs_x"), "{}", refusal.text);
        }
    }

    #[test]
    fn a_status_tells_who_has_to_do_something() {
        let limit = r#"{"message": "You have exceeded a secondary rate limit."}"#;
        let table = [
            (401, None, r#"{"message": "Bad"}"#, Kind::Denied),
            (403, None, r#"{"message": "suspended"}"#, Kind::Denied),
            (403, None, limit, Kind::Limited),
            (403, Some(5), "", Kind::Limited),
            (429, None, "", Kind::Limited),
            (404, Some(5), "", Kind::Denied),
            (410, None, "", Kind::Denied),
            (422, None, "", Kind::Denied),
            (408, None, "", Kind::Outage),
            (409, None, "", Kind::Outage),
            (500, None, "<html>", Kind::Outage),
            (503, Some(5), "", Kind::Outage),
            (304, None, "", Kind::Outage),
        ];
        for (number, retry_after, body, kind) in table {
            let status = StatusCode::from_u16(number).unwrap();
            let refusal = refusal(status, &rate(retry_after), body.as_bytes());
            assert_eq!(
                (refusal.kind, refusal.status),
                (kind, Some(status)),
                "{number}"
            );
            assert!(
                refusal
                    .text
                    .starts_with(&format!("GitHub answered {number} "))
            );
        }
    }
}
