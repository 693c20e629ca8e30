//! Which API is spoken to: its base URL and its version, as a person typed them, checked. Paths of
//! endpoints live with the requests.

use std::fmt;
use std::sync::Arc;

use http::{HeaderValue, Uri};
use reqwest::Url;
use thiserror::Error;

/// The base URL of GitHub's API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiUrl {
    /// The text before an endpoint's path, without a slash at its end.
    base: Arc<str>,
    /// The host, with its port if that is not the scheme's own.
    host: Arc<str>,
    /// Whether the host is this machine.
    loopback: bool,
}

/// Why a text is not the URL of an API that may be spoken to.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ApiUrlError {
    /// It is not a URL at all, or one without a host.
    #[error("{given:?} is not a URL ({why}); give one like {DEFAULT}")]
    NotAUrl {
        /// What was given.
        given: String,
        /// What is wrong with it.
        why: String,
    },
    /// Its scheme is neither `https` nor `http`.
    #[error(
        "{given:?} has the scheme {scheme:?}; only https is allowed, and http to a loopback address"
    )]
    Scheme {
        /// What was given.
        given: String,
        /// Its scheme.
        scheme: String,
    },
    /// It has a user, a query or a fragment. Nothing of what was given is repeated: it may hold a
    /// secret, and what reads as its host may be a part of that.
    #[error("the URL of the API must not have {part}")]
    Part {
        /// The part that is too much.
        part: &'static str,
    },
    /// It would send the token over plain HTTP to another machine.
    #[error(
        "{given:?} would send the token unencrypted; use https, a loopback address, or allow plain HTTP with --allow-http"
    )]
    PlainHttp {
        /// What was given.
        given: String,
    },
    /// Its host serves GitHub's pages, not its API.
    #[error("{given:?} is not the address of an API; did you mean {meant}?")]
    NotTheApi {
        /// What was given.
        given: String,
        /// Where the API is.
        meant: String,
    },
}

/// The API of github.com.
pub const DEFAULT: &str = "https://api.github.com";

impl ApiUrl {
    /// Reads what a person typed: with or without a scheme (then `https`), a path is kept. Plain
    /// HTTP needs a loopback address (127.0.0.0/8, `::1`, or `localhost` to the letter) or
    /// `allow_http`.
    pub fn parse(text: &str, allow_http: bool) -> Result<Self, ApiUrlError> {
        let given = text.trim();
        let whole = if given.contains("://") {
            given.to_owned()
        } else {
            format!("https://{given}")
        };
        let url = Url::parse(&whole).map_err(|error| ApiUrlError::NotAUrl {
            given: bare(given),
            why: error.to_string(),
        })?;
        // What is a URL to browsers need not be one to HTTP.
        url.as_str()
            .parse::<Uri>()
            .map_err(|error| ApiUrlError::NotAUrl {
                given: bare(given),
                why: error.to_string(),
            })?;
        let Some(name) = url
            .host_str()
            .filter(|_| matches!(url.scheme(), "https" | "http"))
        else {
            let scheme = url.scheme().to_owned();
            return Err(ApiUrlError::Scheme {
                given: bare(given),
                scheme,
            });
        };
        let part = match () {
            () if !url.username().is_empty() || url.password().is_some() => Some("a user"),
            () if url.query().is_some() => Some("a query"),
            () if url.fragment().is_some() => Some("a fragment"),
            () => None,
        };
        if let Some(part) = part {
            return Err(ApiUrlError::Part { part });
        }
        if let Some(meant) = api_of(name, url.path()) {
            return Err(ApiUrlError::NotTheApi {
                given: bare(given),
                meant,
            });
        }
        let loopback = is_loopback(name);
        if url.scheme() == "http" && !loopback && !allow_http {
            return Err(ApiUrlError::PlainHttp { given: bare(given) });
        }
        let host = match url.port() {
            Some(port) => format!("{name}:{port}"),
            None => name.to_owned(),
        };
        Ok(Self {
            base: url.as_str().trim_end_matches('/').into(),
            host: host.into(),
            loopback,
        })
    }

    /// The API's host in lower case, with its port unless that is the scheme's own: what the host
    /// of a destination holds.
    pub fn host(&self) -> &Arc<str> {
        &self.host
    }

    /// Whether the API is on this machine.
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }
}

impl fmt::Display for ApiUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

/// Whether a host, as a parsed URL names it, is this machine by its very name.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// Where the API is, for hosts that are known to serve GitHub's pages. On GHE.com each enterprise
/// has `SUBDOMAIN.ghe.com` for its pages and `api.SUBDOMAIN.ghe.com`, without a path, for its API
/// (`contract/README.md`).
fn api_of(host: &str, path: &str) -> Option<String> {
    if matches!(host, "github.com" | "www.github.com") {
        return Some(DEFAULT.to_owned());
    }
    if host == "ghe.com" || host == "api.ghe.com" {
        return Some("https://api.SUBDOMAIN.ghe.com".to_owned());
    }
    let subdomain = host.strip_suffix(".ghe.com")?;
    match subdomain.strip_prefix("api.") {
        None => Some(format!("https://api.{host}")),
        Some(_) if path.trim_matches('/') == "api/v3" => Some(format!("https://{host}")),
        Some(_) => None,
    }
}

/// What was given, without what may be a secret: a password in front of its host, a query. Where an
/// `@` stands behind a `?` or `#`, nobody can tell which of both it is a part of.
fn bare(given: &str) -> String {
    let end = given.find(['?', '#']).unwrap_or(given.len());
    match given.rfind('@') {
        Some(at) if at > end => "...",
        Some(at) => given.get(at + 1..end).unwrap_or_default(),
        None => given.get(..end).unwrap_or_default(),
    }
    .to_owned()
}

/// The version of the API that each request names: the day it was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiVersion(HeaderValue);

/// The text is not the name of a version.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0:?} is not a version of the API; give a day, like {DEFAULT_VERSION}")]
pub struct ApiVersionError(String);

/// The version that is asked for unless a person says otherwise.
pub const DEFAULT_VERSION: &str = "2022-11-28";

impl ApiVersion {
    /// Reads a day, `YYYY-MM-DD`. Whether GitHub serves that version shows in its answers.
    pub fn parse(text: &str) -> Result<Self, ApiVersionError> {
        let given = text.trim();
        let has_shape = given.len() == DEFAULT_VERSION.len()
            && given
                .bytes()
                .zip(DEFAULT_VERSION.bytes())
                .all(|(given, sample)| {
                    if sample == b'-' {
                        given == b'-'
                    } else {
                        given.is_ascii_digit()
                    }
                });
        HeaderValue::from_str(given)
            .ok()
            .filter(|_| has_shape)
            .map(Self)
            .ok_or_else(|| ApiVersionError(given.to_owned()))
    }

    /// The version as a header's value.
    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_str().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_with_or_without_a_scheme_and_keeps_its_path() {
        let table = [
            (
                "https://api.github.com",
                "https://api.github.com",
                "api.github.com",
            ),
            (
                "https://api.github.com/",
                "https://api.github.com",
                "api.github.com",
            ),
            (
                " API.GitHub.com ",
                "https://api.github.com",
                "api.github.com",
            ),
            (
                "https://api.github.com:443",
                "https://api.github.com",
                "api.github.com",
            ),
            (
                "api.octo.ghe.com",
                "https://api.octo.ghe.com",
                "api.octo.ghe.com",
            ),
            (
                "example.test:8443/a/b//",
                "https://example.test:8443/a/b",
                "example.test:8443",
            ),
            (
                "http://localhost:9000",
                "http://localhost:9000",
                "localhost:9000",
            ),
            ("http://127.0.0.1", "http://127.0.0.1", "127.0.0.1"),
            ("http://127.1:80/x", "http://127.0.0.1/x", "127.0.0.1"),
            (
                "http://127.250.3.4:1",
                "http://127.250.3.4:1",
                "127.250.3.4:1",
            ),
            ("http://[::1]:8080/", "http://[::1]:8080", "[::1]:8080"),
        ];
        for (text, base, host) in table {
            let url = ApiUrl::parse(text, false).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(
                (url.to_string().as_str(), &**url.host()),
                (base, host),
                "{text}"
            );
        }
    }

    #[test]
    fn plain_http_goes_only_to_this_machine_unless_allowed() {
        for text in [
            "http://api.github.com",
            "http://localhost.example",
            "http://sub.localhost",
            "http://localhost.",
            "http://127.0.0.1.example",
            "http://0.0.0.0",
            "http://128.0.0.1",
            "http://[::ffff:7f00:1]",
            "http://[fe80::1]",
        ] {
            assert!(
                matches!(
                    ApiUrl::parse(text, false),
                    Err(ApiUrlError::PlainHttp { .. })
                ),
                "{text}"
            );
            let url = ApiUrl::parse(text, true).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert!(!url.is_loopback(), "{text}");
        }
        assert!(ApiUrl::parse("http://localhost", false).is_ok_and(|url| url.is_loopback()));
    }

    #[test]
    fn pages_of_github_are_not_taken_for_its_api() {
        let table = [
            ("https://github.com", "https://api.github.com"),
            ("www.github.com", "https://api.github.com"),
            ("octo.ghe.com", "https://api.octo.ghe.com"),
            ("https://octo.ghe.com/api/v3", "https://api.octo.ghe.com"),
            (
                "https://api.octo.ghe.com/api/v3/",
                "https://api.octo.ghe.com",
            ),
            ("api.ghe.com", "https://api.SUBDOMAIN.ghe.com"),
        ];
        for (text, where_it_is) in table {
            match ApiUrl::parse(text, true) {
                Err(ApiUrlError::NotTheApi { meant, .. }) => assert_eq!(meant, where_it_is),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn what_is_no_url_or_holds_more_than_an_address_is_refused() {
        for text in [
            "",
            " ",
            "https://",
            "ftp://api.github.com",
            "file:///etc/passwd",
            "https://user@api.github.com",
            "https://api.github.com?x=1",
            "https://api.github.com/#x",
            "https://a b",
            "https://}",
            "https://api.github.com:99999",
        ] {
            assert!(ApiUrl::parse(text, true).is_err(), "{text}");
        }
    }

    #[test]
    fn an_error_never_repeats_a_password() {
        for text in [
            "https://me:hunter2@api.github.com",
            "ftp://me:hunter2@api.github.com",
            "https://me:hunter2@",
            "https://me:hunter2@api.github.com:99999",
            "https://api.github.com?token=hunter2",
            "https://a b?token=hunter2",
            "https://a b?token=ab@hunter2",
            "https://github.com://me:hunter2@api.github.com",
            "https://me:hun#hunter2@a b",
        ] {
            let error = ApiUrl::parse(text, true).map(|_| ()).unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }

    #[test]
    fn a_version_is_a_day() {
        assert!(ApiVersion::parse("2022-11-28").is_ok());
        assert!(ApiVersion::parse(" 2026-03-10 ").is_ok());
        for text in [
            "",
            "v3",
            "2022-11-2",
            "2022/11/28",
            "2022-11-28\n2",
            "２022-11-28",
            "latest",
        ] {
            assert!(ApiVersion::parse(text).is_err(), "{text}");
        }
    }
}
