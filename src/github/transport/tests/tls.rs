//! A certificate authority of the tests' own, and what it vouches for: X.509 (RFC 5280) with just
//! what a client looks at.

use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

/// A certificate authority, in a file that is gone when the test is over.
pub(super) struct Authority {
    key: EcdsaKeyPair,
    file: PathBuf,
}

impl Authority {
    pub(super) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("deployment-recorder-ca-{}-{number}", std::process::id());
        let file = std::env::temp_dir().join(name);
        let authority = Self { key: key(), file };
        let basic_constraints = extension(&[0x55, 0x1d, 0x13], &sequence(&[&[1, 1, 0xff]]));
        let certificate = authority.certificate("authority", &authority.key, &basic_constraints);
        fs::write(&authority.file, pem(&certificate)).unwrap();
        authority
    }

    /// The file that holds its certificate.
    pub(super) fn file(&self) -> &str {
        self.file.to_str().unwrap()
    }

    /// A folder that holds its certificate as the kubelet mounts it from a ConfigMap: the name leads to
    /// the folder of the current state, which is exchanged as a whole. Gone when the test is over.
    pub(super) fn folder(&self) -> String {
        let folder = self.file.with_extension("mounted");
        let state = folder.join("..2026_01_01_00_00_00.1");
        fs::create_dir_all(&state).unwrap();
        fs::copy(&self.file, state.join("00000000.0")).unwrap();
        symlink(state.file_name().unwrap(), folder.join("..data")).unwrap();
        symlink("..data/00000000.0", folder.join("00000000.0")).unwrap();
        folder.to_str().unwrap().to_owned()
    }

    /// What answers by TLS under these names, by its word.
    pub(super) fn acceptor(&self, names: &[&str]) -> TlsAcceptor {
        let names = names.iter().map(|name| match name.parse() {
            Ok(IpAddr::V4(address)) => der(0x87, &[&address.octets()]),
            _ => der(0x82, &[name.as_bytes()]),
        });
        let names = extension(
            &[0x55, 0x1d, 0x11],
            &sequence(&[&names.collect::<Vec<_>>().concat()]),
        );
        let key = key();
        let certificate = CertificateDer::from(self.certificate("server", &key, &names));
        let private = PrivatePkcs8KeyDer::from(key.to_pkcs8v1().unwrap().as_ref().to_vec());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], private.into())
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }

    /// A certificate for a key, signed by this authority.
    fn certificate(&self, subject: &str, key: &EcdsaKeyPair, extensions: &[u8]) -> Vec<u8> {
        /// ecdsa-with-SHA256.
        const BY: [u8; 8] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
        /// id-ecPublicKey, and prime256v1.
        const KIND: [u8; 7] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
        const CURVE: [u8; 8] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
        let algorithm = sequence(&[&der(6, &[&BY])]);
        let validity = sequence(&[
            &der(0x17, &[b"260101000000Z"]),
            &der(0x18, &[b"21260101000000Z"]),
        ]);
        let public = sequence(&[
            &sequence(&[&der(6, &[&KIND]), &der(6, &[&CURVE])]),
            &der(3, &[&[0], key.public_key().as_ref()]),
        ]);
        let content = sequence(&[
            &der(0xa0, &[&der(2, &[&[2]])]),
            &der(2, &[&[1]]),
            &algorithm,
            &name("authority"),
            &validity,
            &name(subject),
            &public,
            &der(0xa3, &[&sequence(&[extensions])]),
        ]);
        let signature = self.key.sign(&SystemRandom::new(), &content).unwrap();
        let signature = der(3, &[&[0], signature.as_ref()]);
        sequence(&[&content, &algorithm, &signature])
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
        let _ = fs::remove_dir_all(self.file.with_extension("mounted"));
    }
}

fn key() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap()
}

/// A value with its tag and its length.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let [.., high, low] = content.len().to_be_bytes();
    let head = match content.len() {
        0..0x80 => vec![tag, low],
        0x80..0x100 => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [head, content].concat()
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    der(0x30, parts)
}

/// A name that is a common name alone.
fn name(text: &str) -> Vec<u8> {
    let attribute = sequence(&[&der(6, &[&[0x55, 4, 3]]), &der(0xc, &[text.as_bytes()])]);
    sequence(&[&der(0x31, &[&attribute])])
}

/// A critical extension.
fn extension(id: &[u8], value: &[u8]) -> Vec<u8> {
    sequence(&[&der(6, &[id]), &[1, 1, 0xff], &der(4, &[value])])
}

/// A certificate as files hold it.
fn pem(certificate: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let text = certificate.chunks(3).flat_map(|bytes| {
        let number = (0..3).fold(0_usize, |number, index| {
            number << 8 | usize::from(bytes.get(index).copied().unwrap_or_default())
        });
        (0..4).map(move |index| {
            let letter = LETTERS[number >> (18 - 6 * index) & 0x3f];
            if index <= bytes.len() {
                char::from(letter)
            } else {
                '='
            }
        })
    });
    let text: Vec<char> = text.collect();
    let lines = text.chunks(64).map(|line| line.iter().collect::<String>());
    let lines: Vec<String> = lines.collect();
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    )
}
