//! What must hold of whatever a registry answers and a pull secret holds: plain functions over bytes
//! (`crate::fuzz`). Nobody that is asked is trusted.

use http::HeaderValue;
use http::header::{HeaderMap, WWW_AUTHENTICATE};
use secrecy::ExposeSecret as _;

use super::challenge::{self, Challenge};
use super::document::{self, Manifest};
use super::keyring::{self, PullSecret};

/// Realm, service and scope on a line each: they are read as they were written, and anything as a
/// header of its own is read somehow.
pub(crate) fn challenge(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let of = |text: &str| {
        let value = HeaderValue::from_str(text).ok()?;
        challenge::read(&HeaderMap::from_iter([(WWW_AUTHENTICATE, value)]))
    };
    let _ = of(text);
    let parts: Vec<&str> = text.lines().take(3).collect();
    let [realm, service, scope] = parts[..] else {
        return;
    };
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let whole = format!(
        "Basic realm=x, Bearer realm={}, service={},scope={}",
        quoted(realm),
        quoted(service),
        quoted(scope),
    );
    // What is no header, or too long for one, is none.
    if whole.len() > 8000 || !whole.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return;
    }
    let expected = Challenge::Bearer {
        realm: realm.to_owned(),
        service: Some(service.to_owned()),
        scope: Some(scope.to_owned()),
    };
    assert_eq!(of(&whole), Some(expected), "{whole}");
}

/// A manifest, an index or a configuration: what it says is something.
pub(crate) fn image_document(bytes: &[u8]) {
    if let Ok(Manifest::Source(source)) = document::manifest(bytes) {
        assert!(!source.trim().is_empty());
    }
    if let Some(label) = document::label(bytes) {
        assert!(!label.trim().is_empty());
    }
}

/// The name of an image, then a pull secret: what is found in it stays unsaid and makes a header.
pub(crate) fn pull_secret(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let (image, secret) = text.split_once('\n').unwrap_or((text, ""));
    let secrets = [
        PullSecret::Json(secret.into()),
        PullSecret::Cfg(secret.into()),
    ];
    for credential in keyring::credentials(&secrets, image) {
        assert_eq!(format!("{credential:?}"), "Credential");
        let basic = credential.basic();
        assert!(HeaderValue::from_str(basic.expose_secret()).is_ok());
    }
}
