//! Single values: names, labels, durations, addresses. No value here knows of another.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use super::SettingError;
use crate::model::organization::is_organization;

/// A duration such as `30s`, `5m` or `1h30m` within `allowed`.
pub(super) fn duration(
    flag: &'static str,
    text: &str,
    allowed: RangeInclusive<Duration>,
) -> Result<Duration, SettingError> {
    let parsed = text
        .trim()
        .parse::<SignedDuration>()
        .ok()
        .and_then(|d| d.try_into().ok());
    parsed
        .filter(|duration| allowed.contains(duration))
        .ok_or_else(|| {
            let (least, most) = (written(*allowed.start()), written(*allowed.end()));
            let problem =
                format!("allowed is a duration such as 30s, 5m or 1h30m, {least} to {most}");
            SettingError::invalid(flag, text, problem)
        })
}

fn written(duration: Duration) -> String {
    SignedDuration::try_from(duration)
        .map_or_else(|_| format!("{duration:?}"), |d| format!("{d:#}"))
}

/// What was given, or that it is missing: `what` says what it would be.
pub(super) fn given<T>(
    flag: &'static str,
    value: Option<T>,
    what: &str,
) -> Result<T, SettingError> {
    value.ok_or_else(|| SettingError::missing(flag, what))
}

/// The name of an organization: letters, digits and hyphens, up to 39.
pub(super) fn organization(flag: &'static str, text: &str) -> Result<Arc<str>, SettingError> {
    if is_organization(text) {
        return Ok(text.into());
    }
    let problem = "the name of an organization has 1 to 39 letters, digits and hyphens";
    Err(SettingError::invalid(flag, text, problem))
}

/// The name of a cluster: `^[a-zA-Z0-9._-]+$`, 1 to 128 (`contract/README.md`). It is a part of a
/// URL's path, where `.` and `..` would be something else.
pub(super) fn cluster(flag: &'static str, text: &str) -> Result<Arc<str>, SettingError> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let fits = (1..=128).contains(&text.len()) && !matches!(text, "." | "..");
    if fits && text.chars().all(is_allowed) {
        return Ok(text.into());
    }
    let problem =
        "the name of a cluster has 1 to 128 letters, digits, dots, hyphens and underscores";
    Err(SettingError::invalid(flag, text, problem))
}

/// The name of an environment: 1 to 128 characters (`contract/README.md`), here in bytes, as
/// everything is that is sent: whoever counts characters finds fewer.
pub(super) fn environment(flag: &'static str, text: &str) -> Result<Arc<str>, SettingError> {
    if (1..=128).contains(&text.len()) && !text.contains(char::is_control) {
        return Ok(text.into());
    }
    Err(SettingError::invalid(
        flag,
        text,
        "the name of an environment has 1 to 128 bytes; a letter with an accent has 2",
    ))
}

/// A name in Kubernetes that is one DNS label (RFC 1123).
pub(super) fn label(flag: &'static str, text: &str) -> Result<Arc<str>, SettingError> {
    if is_dns_label(text) {
        return Ok(text.into());
    }
    let problem = "allowed are 1 to 63 lower-case letters, digits and hyphens, none at an end";
    Err(SettingError::invalid(flag, text, problem))
}

/// A name in Kubernetes that is a DNS subdomain (RFC 1123), as most objects have it.
pub(super) fn subdomain(flag: &'static str, text: &str) -> Result<Arc<str>, SettingError> {
    if is_domain(text) {
        return Ok(text.into());
    }
    let problem =
        "allowed are 1 to 253 lower-case letters, digits, hyphens and dots, none at an end";
    Err(SettingError::invalid(flag, text, problem))
}

/// The key of a label: up to 63 letters, digits, `-`, `_` and `.`, and before a slash the name of
/// a domain, if there is one.
/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set>
pub(super) fn label_key(flag: &'static str, text: &str) -> Result<String, SettingError> {
    let (domain, name) = match text.split_once('/') {
        Some((domain, name)) => (Some(domain), name),
        None => (None, text),
    };
    let is_end = |c: char| c.is_ascii_alphanumeric();
    let is_inner = |c: char| is_end(c) || matches!(c, '-' | '_' | '.');
    let is_name = (1..=63).contains(&name.len())
        && name.starts_with(is_end)
        && name.ends_with(is_end)
        && name.chars().all(is_inner);
    if is_name && domain.is_none_or(is_domain) {
        return Ok(text.to_owned());
    }
    let problem = "allowed is the key of a label, such as example.com/environment";
    Err(SettingError::invalid(flag, text, problem))
}

fn is_domain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_dns_label)
}

fn is_dns_label(text: &str) -> bool {
    let is_end = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (1..=63).contains(&text.len())
        && text.starts_with(is_end)
        && text.ends_with(is_end)
        && text.chars().all(|c| is_end(c) || c == '-')
}

/// Where to listen, `[ADDRESS]:PORT`: the first of the returned that can be bound. Without an
/// address on every one, of both families where the machine has both.
pub(super) fn listen(flag: &'static str, text: &str) -> Result<Vec<SocketAddr>, SettingError> {
    const V6: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    const V4: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let hosts = match text.rsplit_once(':') {
        Some(("", port)) => Some((vec![V6, V4], port)),
        Some(("localhost", port)) => Some((
            vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            port,
        )),
        _ => None,
    };
    let addresses = match hosts {
        Some((hosts, port)) => port.parse::<u16>().ok().map(|port| {
            hosts
                .into_iter()
                .map(|host| SocketAddr::new(host, port))
                .collect()
        }),
        None => text.parse().ok().map(|address| vec![address]),
    };
    addresses.ok_or_else(|| {
        let problem = "allowed is [ADDRESS]:PORT, such as :8080, 127.0.0.1:8080 or [::1]:8080";
        SettingError::invalid(flag, text, problem)
    })
}

#[cfg(test)]
mod tests {
    use super::super::error::Given;
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them_within_their_bounds() {
        let allowed = Duration::from_secs(5)..=Duration::from_hours(24);
        for (text, seconds) in [
            ("5s", Some(5)),
            ("30s", Some(30)),
            ("5m", Some(300)),
            (" 10m ", Some(600)),
            ("1h30m", Some(5400)),
            ("24h", Some(86_400)),
            ("4s", None),
            ("24h1s", None),
            ("-5m", None),
            ("30", None),
            ("", None),
            ("5 apples", None),
            ("never", None),
        ] {
            let read = duration("interval", text, allowed.clone());
            assert_eq!(read.ok(), seconds.map(Duration::from_secs), "{text:?}");
        }
        let error = duration("interval", "30", allowed).unwrap_err();
        assert_eq!(
            error.problem,
            "allowed is a duration such as 30s, 5m or 1h30m, 5s to 24h"
        );
    }

    #[test]
    fn names_are_what_github_and_kubernetes_allow() {
        type Check = fn(&'static str, &str) -> Result<Arc<str>, SettingError>;
        let (long, longer) = ("a".repeat(128), "a".repeat(129));
        let (wide, wider) = ("é".repeat(64), "é".repeat(65));
        let table: [(Check, &[&str], &[&str]); 4] = [
            (
                organization,
                &["acme", "Acme-2", "a"],
                &["", "-acme", "ac me", "acme/web", "é", &long],
            ),
            (
                cluster,
                &["prod.eu_1-A", "a", &long],
                &["", ".", "..", "prod/eu", "a b", "é", &longer],
            ),
            (
                environment,
                &["production", "Prod (EU)", "é", &long, &wide],
                &["", "a\nb", &longer, &wider],
            ),
            (label, &["a", "a-1"], &["", "-a", "a-", "A", "a.b", &long]),
        ];
        for (check, good, bad) in table {
            for text in good {
                assert_eq!(check("x", text).as_deref(), Ok(*text));
            }
            for text in bad {
                let shown = Given::Shown((*text).to_owned());
                assert_eq!(check("x", text).unwrap_err().given, shown);
            }
        }
    }

    #[test]
    fn the_key_of_a_label_may_have_a_domain() {
        for text in [
            "env",
            "example.com/env",
            "a/B_c.d-e",
            "app.kubernetes.io/name",
        ] {
            assert_eq!(label_key("x", text).as_deref(), Ok(text));
        }
        for text in [
            "",
            "/env",
            "example.com/",
            "a/b/c",
            "Example.com/env",
            "env=prod",
            "-e",
            "a..b/c",
        ] {
            assert!(label_key("x", text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_address_to_listen_at_needs_only_a_port() {
        for (text, addresses) in [
            (":8080", "[::]:8080 0.0.0.0:8080"),
            ("localhost:80", "127.0.0.1:80 [::1]:80"),
            ("127.0.0.1:0", "127.0.0.1:0"),
            ("[::1]:8080", "[::1]:8080"),
            ("", ""),
            ("8080", ""),
            (":", ""),
            (":http", ""),
            (":65536", ""),
            ("example.com:80", ""),
            ("::1:8080", ""),
            ("127.0.0.1", ""),
        ] {
            let read = listen("listen", text).unwrap_or_default();
            let read: Vec<String> = read.iter().map(ToString::to_string).collect();
            assert_eq!(read.join(" "), addresses, "{text:?}");
        }
    }
}
