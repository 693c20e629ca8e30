//! Where a redirect leads, and whether anything is sent there. Pure. Only the same scheme, host
//! and port is followed: the token and the records never go anywhere else.

use http::header::{HeaderMap, LOCATION};
use http::{StatusCode, Uri};
use reqwest::Url;

use super::answer::Doubt;

/// The most redirects that one request follows.
pub const MOST: usize = 3;

/// Where an answer sends its request: nowhere if it is no redirect, or the address to send the same
/// method and body to. `followed` is how many redirects led to `uri`.
pub fn next(
    uri: &Uri,
    status: StatusCode,
    headers: &HeaderMap,
    followed: usize,
) -> Result<Option<Uri>, Doubt> {
    if !matches!(status.as_u16(), 301 | 302 | 307 | 308) {
        return Ok(None);
    }
    let location = headers
        .get(LOCATION)
        .map(|value| String::from_utf8_lossy(value.as_bytes()));
    let location = location.unwrap_or_default();
    let target = target(uri, &location).filter(|_| followed < MOST);
    let doubt = || Doubt::Redirected {
        status,
        to: super::answer::tidy(&location),
    };
    target.map(Some).ok_or_else(doubt)
}

/// The address that a location means when seen from `uri`, if it is of the same origin.
fn target(uri: &Uri, location: &str) -> Option<Uri> {
    // Without a scheme a URI may read as quite another URL.
    uri.scheme()?;
    let from = Url::parse(&uri.to_string()).ok()?;
    let mut to = from.join(location).ok().filter(|_| !location.is_empty())?;
    let has_user = !to.username().is_empty() || to.password().is_some();
    if to.origin() != from.origin() || has_user {
        return None;
    }
    to.set_fragment(None);
    to.as_str().parse().ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn next_from(
        uri: &str,
        status: u16,
        location: &[u8],
        followed: usize,
    ) -> Result<Option<Uri>, Doubt> {
        let headers =
            HeaderMap::from_iter([(LOCATION, HeaderValue::from_bytes(location).unwrap())]);
        next(
            &uri.parse().unwrap(),
            StatusCode::from_u16(status).unwrap(),
            &headers,
            followed,
        )
    }

    #[test]
    fn redirects_of_four_kinds_are_followed_within_one_origin() {
        let table = [
            (
                "https://a.test/x/y",
                "https://a.test/z?q=1",
                "https://a.test/z?q=1",
            ),
            (
                "https://a.test/x/y",
                "https://A.TEST:443/z",
                "https://a.test/z",
            ),
            ("https://a.test/x/y", "/z", "https://a.test/z"),
            ("https://a.test/x/y", "z", "https://a.test/x/z"),
            ("https://a.test/x/y", "//a.test/z#part", "https://a.test/z"),
            (
                "http://127.0.0.1:81/x",
                "http://127.0.0.1:81/",
                "http://127.0.0.1:81/",
            ),
        ];
        for (from, location, to) in table {
            for status in [301, 302, 307, 308] {
                let next = next_from(from, status, location.as_bytes(), 2);
                assert_eq!(next, Ok(Some(to.parse().unwrap())), "{from} {location}");
            }
        }
    }

    #[test]
    fn nothing_is_sent_to_another_scheme_host_or_port() {
        for location in [
            "http://a.test/x",
            "https://b.test/x",
            "https://api.a.test/x",
            "https://a.test.evil.test/x",
            "https://a.test:444/x",
            "//b.test/x",
            "\\\\b.test/x",
            "https://a.test@b.test/x",
            "https://me@a.test/x",
            "https://:pw@a.test/x",
            "ftp://a.test/x",
            "data:text/plain,x",
            "https://[/x",
            "",
        ] {
            let refused = Doubt::Redirected {
                status: StatusCode::TEMPORARY_REDIRECT,
                to: location.to_owned(),
            };
            assert_eq!(
                next_from("https://a.test/x", 307, location.as_bytes(), 0),
                Err(refused)
            );
        }
        assert!(next_from("https://a.test/x", 307, b"https://\xff/", 0).is_err());
        let uri = "https://a.test/x".parse().unwrap();
        assert!(next(&uri, StatusCode::PERMANENT_REDIRECT, &HeaderMap::new(), 0).is_err());
    }

    #[test]
    fn the_fourth_redirect_is_not_followed() {
        assert!(next_from("https://a.test/x", 302, b"/y", 2).is_ok());
        assert!(next_from("https://a.test/x", 302, b"/y", 3).is_err());
    }

    #[test]
    fn other_statuses_lead_nowhere_whatever_location_they_name() {
        for status in [200, 201, 300, 303, 304, 305, 404, 503] {
            assert_eq!(
                next_from("https://a.test/x", status, b"https://b.test", 0),
                Ok(None)
            );
        }
    }
}
