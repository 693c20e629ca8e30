//! The private key of a GitHub App, and the one thing that is signed with it: the JSON web token by
//! which the App asks for a token. No I/O, no clock.
//!
//! Signed by aws-lc-rs, the program's one provider of cryptography, with PEM read by rustls' reader:
//! see `docs/architecture.md`, "Dependencies".

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::SecretString;
use serde_json::json;

/// Base64 as people have it: with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// How long before its use a token counts as issued, in seconds, and how long after it ends: a clock
/// that is off by less does no harm. GitHub recommends the first and wants the second to be at most
/// ten minutes:
/// <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app>
const BEFORE: i64 = 60;
const AFTER: i64 = 540;

/// The private key of a GitHub App.
pub(super) struct Key(RsaKeyPair);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

impl Key {
    /// Reads a key as GitHub hands it out (PEM with PKCS#1), as tools turn it into (PEM with
    /// PKCS#8), or either of them in base64. The error says what is wrong, and nothing of the text.
    pub(super) fn read(text: &str) -> Result<Self, &'static str> {
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return Err("is empty");
        }
        if text.contains("-----BEGIN ") {
            return from_pem(text.as_bytes());
        }
        let packed: String = text.split_whitespace().collect();
        let pem = BASE64
            .decode(packed)
            .map_err(|_| "is neither PEM nor base64")?;
        from_pem(&pem)
    }

    /// The token by which the App of this id, or client id, asks at that time.
    pub(super) fn web_token(&self, app: &str, now: Timestamp) -> Option<SecretString> {
        let now = now.as_second();
        let header = json!({"alg": "RS256", "typ": "JWT"});
        let claims = json!({"iat": now - BEFORE, "exp": now + AFTER, "iss": app});
        let part = |value: serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let mut signature = vec![0; self.0.public_modulus_len()];
        let random = SystemRandom::new();
        let key = &self.0;
        key.sign(
            &RSA_PKCS1_SHA256,
            &random,
            signed.as_bytes(),
            &mut signature,
        )
        .ok()?;
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signature);
        Some(format!("{signed}.{signature}").into())
    }
}

fn from_pem(pem: &[u8]) -> Result<Key, &'static str> {
    let has = |word: &[u8]| pem.windows(word.len()).any(|part| part == word);
    if has(b"ENCRYPTED") {
        return Err("is encrypted, which GitHub's keys are not");
    }
    let key = match PrivateKeyDer::from_pem_slice(pem) {
        Ok(PrivateKeyDer::Pkcs1(der)) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
        Ok(PrivateKeyDer::Pkcs8(der)) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
        Ok(_) => return Err("holds a key that is not an RSA key"),
        Err(_) => return Err("holds no private key in PEM"),
    };
    key.map(Key)
        .map_err(|_| "holds a private key that is no RSA key of 2048 bits or more")
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    use secrecy::ExposeSecret as _;

    use super::super::samples::{base64, keys, wrapped};
    use super::*;

    #[test]
    fn a_key_is_read_in_every_form_and_is_the_same_key() {
        let keys = keys();
        let table = [
            keys.pkcs1.clone(),
            keys.pkcs8.clone(),
            base64(&keys.pkcs1),
            base64(&keys.pkcs8),
            base64(&keys.pkcs1).trim_end_matches('=').to_owned(),
            wrapped(&keys.pkcs1),
            format!("\u{feff}\r\n{}\r\n", keys.pkcs1.replace('\n', "\r\n")),
            format!("Bag Attributes\n    friendlyName: app\n{}", keys.pkcs8),
        ];
        for text in table {
            let key = Key::read(&text).unwrap();
            assert_eq!(key.0.public_key().as_ref(), keys.public, "{}", text.len());
        }
    }

    #[test]
    fn what_is_no_key_is_said_in_words_that_repeat_nothing_of_it() {
        let keys = keys();
        let cut = &keys.pkcs1[..keys.pkcs1.len() / 2];
        let encrypted = keys.pkcs8.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
        let public = keys.pkcs8.replace("PRIVATE KEY", "PUBLIC KEY");
        let mistaken = keys.pkcs8.replace("PRIVATE KEY", "RSA PRIVATE KEY");
        let no_rsa = "holds a private key that is no RSA key of 2048 bits or more";
        let table = [
            ("", "is empty"),
            ("\u{feff} \n", "is empty"),
            ("hunter2!", "is neither PEM nor base64"),
            ("aHVudGVyMg==", "holds no private key in PEM"),
            (cut, "holds no private key in PEM"),
            (&public, "holds no private key in PEM"),
            (&encrypted, "is encrypted, which GitHub's keys are not"),
            (&mistaken, no_rsa),
            (&keys.elliptic, no_rsa),
        ];
        for (text, expected) in table {
            assert_eq!(Key::read(text).unwrap_err(), expected);
        }
    }

    #[test]
    fn a_web_token_names_the_app_and_its_times_and_carries_a_signature_of_the_key() {
        let keys = keys();
        for text in [&keys.pkcs1, &keys.pkcs8] {
            check_web_token(&Key::read(text).unwrap(), &keys.public);
        }
    }

    fn check_web_token(key: &Key, public: &[u8]) {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let token = key.web_token("Iv1.a", now).unwrap();
        let token = token.expose_secret();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let decode = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).unwrap();
        let parts: Vec<serde_json::Value> = signed
            .split('.')
            .map(|part| serde_json::from_slice(&decode(part)).unwrap())
            .collect();
        let claims = json!({"iat": 1_795_348_740, "exp": 1_795_349_340, "iss": "Iv1.a"});
        assert_eq!(parts, [json!({"alg": "RS256", "typ": "JWT"}), claims]);
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public)
            .verify(signed.as_bytes(), &decode(signature))
            .unwrap();
        assert_eq!(format!("{key:?}"), "Key");
    }
}
