//! Whether a text is a whole URI (RFC 3986), with its scheme: what the contract asks of some
//! fields. Stricter than the grammar in two things: after `//` there is a host, and no user.

use std::net::Ipv6Addr;

/// Whether `text` is a URI with a scheme, with nothing in it that would have to be escaped.
pub(super) fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let is_inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let has_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    if !has_scheme || !scheme.chars().all(is_inner) {
        return false;
    }
    match rest.strip_prefix("//") {
        Some(rest) => {
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            let (authority, tail) = rest.split_at(end);
            is_authority(authority) && is_tail(tail)
        }
        None => is_tail(rest),
    }
}

/// `host` or `host:port`.
fn is_authority(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (text, "0"),
    };
    is_host(host) && port.parse::<u16>().is_ok() && !port.starts_with('+')
}

fn is_host(text: &str) -> bool {
    match text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => !text.is_empty() && text.bytes().all(is_unreserved),
    }
}

/// A path, a query and a fragment, each of which may be missing.
fn is_tail(text: &str) -> bool {
    let is_plain = |byte| is_unreserved(byte) || b"%!$&'()*+,;=:@/?#".contains(&byte);
    let is_escape = |rest: &str| {
        let digits = rest.get(..2);
        digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let fragments = text.matches('#').count();
    text.bytes().all(is_plain) && fragments <= 1 && text.split('%').skip(1).all(is_escape)
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_told_from_what_must_be_escaped_first() {
        for text in [
            "https://ghcr.io",
            "https://ghcr.io/",
            "https://ghcr.io:8443/v2/octo/web?a=b&c=%20#part",
            "https://[2001:db8::1]:5000/x",
            "https://registry_1.example/~me/a:b@c",
            "oci://ghcr.io/octo/web",
            "urn:oci:octo/web",
            "x:",
        ] {
            assert!(is_uri(text), "{text}");
        }
        for text in [
            "",
            "ghcr.io",
            "/octo/web",
            "octo/web",
            ":x",
            "1x:y",
            "https://",
            "https:///x",
            "https://:443/x",
            "https://a b/",
            "https://ghcr.io/a b",
            "https://ghcr.io/%2",
            "https://ghcr.io/%zz",
            "https://ghcr.io/a#b#c",
            "https://ghcr.io/[x]",
            "https://ghcr.io/\u{e9}",
            "https://ghcr.io:99999/",
            "https://ghcr.io:+1/",
            "https://ghcr.io:x/",
            "https://me:secret@ghcr.io/",
            "https://[::1/",
            "https://[ghcr.io]/",
        ] {
            assert!(!is_uri(text), "{text}");
        }
    }
}
