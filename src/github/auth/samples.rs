//! Keys that the tests of this directory share: one pair, in every form. Not built into the program.

use std::sync::LazyLock;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// One key in its forms.
pub(in crate::github) struct Keys {
    /// As GitHub hands it out.
    pub(in crate::github) pkcs1: String,
    /// As OpenSSL writes it today.
    pub(in crate::github) pkcs8: String,
    /// The public key, in DER.
    pub(in crate::github) public: Vec<u8>,
    /// Another kind of key, in PEM with PKCS#8.
    pub(in crate::github) elliptic: String,
}

/// The pair: to make one takes a while.
pub(in crate::github) fn keys() -> &'static Keys {
    static KEYS: LazyLock<Keys> = LazyLock::new(Keys::generate);
    &KEYS
}

impl Keys {
    /// A pair of its own.
    pub(in crate::github) fn generate() -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        // A sequence (4 bytes) of a version (3), the algorithm (15), and the key as a string of
        // bytes (4).
        let inner = &der.as_ref()[26..];
        let elliptic =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        Self {
            pkcs1: pem("RSA PRIVATE KEY", inner),
            pkcs8: pem("PRIVATE KEY", der.as_ref()),
            public: pair.public_key().as_ref().to_vec(),
            elliptic: pem("PRIVATE KEY", elliptic.unwrap().as_ref()),
        }
    }
}

/// A text in base64, on one line.
pub(in crate::github) fn base64(text: &str) -> String {
    BASE64_STANDARD.encode(text)
}

/// The same as `base64` prints it: on lines.
pub(in crate::github) fn wrapped(text: &str) -> String {
    lines(&base64(text), 76)
}

fn pem(label: &str, der: &[u8]) -> String {
    let body = lines(&BASE64_STANDARD.encode(der), 64);
    format!("-----BEGIN {label}-----\n{body}-----END {label}-----\n")
}

fn lines(text: &str, width: usize) -> String {
    let mut lines = String::new();
    for line in text.as_bytes().chunks(width) {
        lines.push_str(std::str::from_utf8(line).unwrap());
        lines.push('\n');
    }
    lines
}
