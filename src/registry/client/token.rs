//! What a token service answers (<https://distribution.github.io/distribution/spec/auth/token/>). Pure.

use std::time::Duration;

use http::HeaderValue;
use secrecy::ExposeSecret;
use serde::Deserialize;

use crate::registry::keyring::Hidden;

/// How long a token is good for that says nothing of it.
const USUAL: u64 = 60;

/// How long one is used at most.
const MOST: u64 = 3600;

/// How long before its end it is used no longer.
const MARGIN: u64 = 5;

/// The token, as the header `Authorization` has it, and for how long it may be used.
pub(super) fn read(answer: &[u8]) -> Option<(HeaderValue, Duration)> {
    #[derive(Deserialize)]
    struct Answer {
        token: Option<Hidden>,
        access_token: Option<Hidden>,
        expires_in: Option<u64>,
    }
    let answer: Answer = serde_json::from_slice(answer).ok()?;
    let Hidden(token) = answer.token.or(answer.access_token)?;
    let token = Some(token).filter(|token| !token.expose_secret().is_empty())?;
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret())).ok()?;
    value.set_sensitive(true);
    let seconds = answer.expires_in.unwrap_or(USUAL).min(MOST);
    Some((value, Duration::from_secs(seconds.saturating_sub(MARGIN))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_under_both_its_names_and_not_printed() {
        for (answer, expected) in [
            (
                r#"{"token":"t","expires_in":300,"issued_at":"x"}"#,
                Some(("Bearer t", 295)),
            ),
            (r#"{"access_token":"t"}"#, Some(("Bearer t", 55))),
            (
                r#"{"token":"t","access_token":"u","expires_in":3}"#,
                Some(("Bearer t", 0)),
            ),
            (
                r#"{"token":"t","expires_in":99999999}"#,
                Some(("Bearer t", 3595)),
            ),
            (r#"{"token":""}"#, None),
            (r#"{"token":"a\nb"}"#, None),
            (r"{}", None),
            ("", None),
        ] {
            let found = read(answer.as_bytes());
            let printed = format!("{found:?}");
            assert!(!printed.contains("Bearer"), "{printed}");
            let found =
                found.map(|(token, time)| (token.to_str().unwrap().to_owned(), time.as_secs()));
            let expected = expected.map(|(token, seconds)| (token.to_owned(), seconds));
            assert_eq!(found, expected, "{answer}");
        }
    }
}
