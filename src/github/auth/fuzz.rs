//! What must hold of whatever a person or GitHub gives to sign in with: plain functions over bytes
//! (`crate::fuzz`). Above all: none of it is ever repeated.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use super::bearer;
use super::installation::{self, Kind, Refusal};
use super::key::Key;
use crate::github::fuzz::{Message, is_on_one_line};
use crate::github::rate::Rate;

/// `WHAT STATUS`, headers, body: the answers by which an App comes to a token.
pub(crate) fn installation(bytes: &[u8]) {
    let Some(message) = Message::read(bytes) else {
        return;
    };
    let Some(status) = message.status(1) else {
        return;
    };
    let rate = Rate::read(&message.headers);
    let refusal = if message.word(0) == "token" {
        installation::read_token(status, &rate, message.body).map(|minted| {
            sensitive(minted.token.expose_secret());
        })
    } else {
        installation::read_installation(status, &rate, message.body).map(drop)
    };
    let Err(refusal) = refusal else {
        return assert!(status.is_success());
    };
    let Refusal {
        status: told,
        kind,
        text,
    } = refusal;
    is_on_one_line(&text);
    if status.is_success() {
        // It may hold a token: where the problem is is all that is said of it.
        let said = text.replace(|letter: char| letter.is_ascii_digit(), "");
        let reason = status.canonical_reason().unwrap_or("<unknown status code>");
        let outside = "with a body outside of its contract: line  column ";
        assert_eq!(said, format!("GitHub answered  {reason} {outside}"));
        assert_eq!((told, kind), (None, Kind::Outage));
    } else {
        assert_eq!(told, Some(status));
        let limits = status.as_u16() == 429 || (status.as_u16() == 403 && rate.limits());
        assert!(!limits || kind == Kind::Limited);
    }
}

/// What a file with a token or a key holds.
pub(crate) fn secret(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    sensitive(text);
    let Ok(key) = Key::read(text) else { return };
    assert_eq!(format!("{key:?}"), "Key");
    let time = Timestamp::UNIX_EPOCH;
    let token = |key: &Key| {
        let token = key
            .web_token("7", time)
            .map(|token| token.expose_secret().to_owned());
        assert_eq!(token.iter().flat_map(|token| token.split('.')).count(), 3);
        token
    };
    let framed = format!("\u{feff}\r\n{}\r\n", text.replace('\n', "\r\n"));
    let packed = BASE64_STANDARD.encode(text);
    let other_forms = text.contains("-----BEGIN ").then_some([framed, packed]);
    for form in other_forms.iter().flatten() {
        let same = Key::read(form).map(|key| token(&key));
        assert_eq!(same, Ok(token(&key)));
    }
}

/// A text that is a token becomes a header that does not show.
fn sensitive(text: &str) {
    let Ok(header) = bearer(text) else { return };
    assert!(header.is_sensitive());
    assert_eq!(format!("{header:?}"), "Sensitive");
    let token = header.to_str().unwrap_or_default().strip_prefix("Bearer ");
    let token = token.unwrap_or_default();
    assert!(!token.is_empty() && text.contains(token));
    assert!(token.bytes().all(|byte| byte.is_ascii_graphic()));
    assert_eq!(bearer(token), Ok(header.clone()));
}
