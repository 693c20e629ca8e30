//! The App's key: a pair that the sandbox makes itself, or a public key that it is given.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// The App's key.
pub(in crate::sandbox) struct Key {
    /// DER: PKCS#1, or X.509's `SubjectPublicKeyInfo`.
    public: Vec<u8>,
    /// PEM.
    private: Option<String>,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").finish_non_exhaustive()
    }
}

impl Key {
    /// A new pair, of the size that GitHub's are.
    pub(super) fn generate() -> Self {
        let made = KeyPair::generate(KeySize::Rsa2048).ok();
        let private = made.as_ref().and_then(|pair| {
            let der: Pkcs8V1Der<'_> = pair.as_der().ok()?;
            Some(pem("RSA PRIVATE KEY", pkcs1(der.as_ref())?))
        });
        Self {
            public: made.map_or_else(Vec::new, |pair| pair.public_key().as_ref().to_vec()),
            private,
        }
    }

    /// A public key in PEM: `PUBLIC KEY` or `RSA PUBLIC KEY`.
    pub(super) fn given(pem: &str) -> Option<Self> {
        let lines = pem.lines().map(str::trim);
        let mut lines = lines.skip_while(|line| !line.starts_with("-----BEGIN "));
        lines
            .next()
            .filter(|line| line.ends_with("PUBLIC KEY-----"))?;
        let body: String = lines
            .take_while(|line| !line.starts_with("-----"))
            .collect();
        let public = BASE64_STANDARD.decode(body).ok()?;
        Some(Self {
            public,
            private: None,
        })
    }

    pub(super) fn public(&self) -> &[u8] {
        &self.public
    }

    pub(super) fn private(&self) -> Option<String> {
        self.private.clone()
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let mut lines = vec![format!("-----BEGIN {label}-----")];
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(64));
        lines.push(line.to_owned());
        rest = more;
    }
    lines.push(format!("-----END {label}-----\n"));
    lines.join("\n")
}

/// The PKCS#1 key within one in PKCS#8: a sequence of a version, the algorithm, and the key.
fn pkcs1(pkcs8: &[u8]) -> Option<&[u8]> {
    let (whole, _) = element(pkcs8)?;
    let (_, rest) = element(whole)?;
    let (_, rest) = element(rest)?;
    element(rest).map(|(key, _)| key)
}

/// The content of the first DER element, and what follows it.
fn element(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&short, rest) = der.get(1..)?.split_first()?;
    let (length, rest) = if short < 0x80 {
        (usize::from(short), rest)
    } else {
        let (bytes, rest) = rest.split_at_checked(usize::from(short & 0x7f))?;
        let length = bytes
            .iter()
            .fold(0, |length, byte| (length << 8) | usize::from(*byte));
        (length, rest)
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_served_as_github_serves_it_and_is_the_one_that_it_is() {
        let key = Key::generate();
        let text = key.private().unwrap();
        assert!(text.starts_with("-----BEGIN RSA PRIVATE KEY-----\nMII"));
        assert!(text.ends_with("-----END RSA PRIVATE KEY-----\n"));
        assert!(text.lines().all(|line| line.len() <= 64));
        let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
        let pair = KeyPair::from_der(&BASE64_STANDARD.decode(body).unwrap()).unwrap();
        assert_eq!(pair.public_key().as_ref(), key.public());
        let given = Key::given(&pem("RSA PUBLIC KEY", key.public())).unwrap();
        assert_eq!(given.public(), key.public());
        assert!(Key::given(&text).is_none() && Key::given("").is_none());
    }
}
