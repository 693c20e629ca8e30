//! Images and digests, parsed once: references as pod specs write them and image IDs as container
//! runtimes report them. Nothing here guesses: what is not a manifest or index digest is none.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The SHA-256 digest of an image's manifest or index.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// A digest that nothing has: 64 zeros.
    pub const ZERO: Self = Self([0; 32]);

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

impl Digest {
    /// The digest of `content`.
    pub fn of(content: &[u8]) -> Self {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, content);
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest.as_ref());
        Self(bytes)
    }

    /// The bytes that it is of.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
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
    /// Reads a reference by the grammar that container runtimes share
    /// (<https://pkg.go.dev/github.com/distribution/reference>); `None` where the text is none:
    /// empty, a bare digest, a bare image ID, with a scheme, a digest that is not well formed.
    ///
    /// Written by hand because the regular expression of oci-spec's parser alone costs 16 MiB of
    /// memory; in the tests that parser is the oracle.
    pub fn parse(text: &str) -> Option<Self> {
        let (rest, pin) = match text.split_once('@') {
            Some((rest, pin)) => (rest, Some(pin)),
            None => (text, None),
        };
        if is_digest(text) || is_image_id(text) || pin.is_some_and(|pin| !is_digest(pin)) {
            return None;
        }
        let last = rest.rfind('/').unwrap_or_default();
        let (repository, tag) = match rest.get(last..)?.split_once(':') {
            Some((short, tag)) => (rest.get(..last + short.len())?, Some(tag)),
            None => (rest, None),
        };
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return None;
        }
        Some(Self {
            name: normalised(repository)?,
            tag: tag.map(Into::into),
            digest: pin.and_then(Digest::parse),
        })
    }
}

/// What a container's status says that it runs (`imageID`). Container runtimes put very different
/// things there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImageId {
    /// Nothing.
    #[default]
    Nothing,
    /// `[docker-pullable://]repository@sha256:…`: the manifest or index that was pulled.
    Manifest,
    /// A bare `sha256:…`, `docker://sha256:…` or 64 hexadecimal digits: the image's configuration,
    /// which no registry and no attestation knows.
    Configuration,
    /// What was loaded into a node from an archive: a made-up repository `import-<date>` with the
    /// digest of the archive.
    Archive,
    /// Something else: a digest of another algorithm, a tag, an unknown scheme.
    Other,
}

impl ImageId {
    /// Reads an image ID, with the digest of the manifest or index if it names one.
    pub fn read(text: &str) -> (Self, Option<Digest>) {
        let bare = text.strip_prefix("docker-pullable://").unwrap_or(text);
        let id = text.strip_prefix("docker://").unwrap_or(bare);
        if text.is_empty() {
            return (Self::Nothing, None);
        } else if is_image_id(id) || Digest::parse(id).is_some() {
            return (Self::Configuration, None);
        }
        match ImageRef::parse(bare) {
            Some(image) if image.name.starts_with("docker.io/library/import-") => {
                (Self::Archive, None)
            }
            Some(image) if image.digest.is_some() => (Self::Manifest, image.digest),
            Some(_) | None => (Self::Other, None),
        }
    }
}

/// The digest that a container runs: the one that `image` (as the pod's spec writes it) is pinned
/// to, else the one in `image_id` (as the container's status has it).
pub fn running_digest(image: &str, image_id: &str) -> Option<Digest> {
    let pinned = || ImageRef::parse(image)?.digest;
    pinned().or_else(|| ImageId::read(image_id).1)
}

/// The registry that a name without one means.
const DEFAULT_REGISTRY: &str = "docker.io";

/// `repository` with its registry: `nginx` is `docker.io/library/nginx`. `None` where it is no
/// repository. What is normalised already stays as it is.
pub(super) fn normalised(repository: &str) -> Option<Arc<str>> {
    let (registry, path) = match repository.split_once('/') {
        Some((first, path)) if is_registry(first) => (first, path),
        _ => (DEFAULT_REGISTRY, repository),
    };
    let registry = if registry == "index.docker.io" {
        DEFAULT_REGISTRY
    } else {
        registry
    };
    let well_formed = is_host(registry) || is_path_component(registry);
    if !well_formed || !path.split('/').all(is_path_component) {
        return None;
    }
    let official = registry == DEFAULT_REGISTRY && !path.contains('/');
    let library = if official { "library/" } else { "" };
    Some(format!("{registry}/{library}{path}").into())
}

/// Whether the first part of a repository is a registry and not a part of its path. Paths have no
/// upper case, so a part that has some is a host's name.
pub(super) fn is_registry(first: &str) -> bool {
    first == "localhost" || first.contains(['.', ':']) || first.contains(char::is_uppercase)
}

/// `name` or `name:port`, where a name is one of DNS, an IPv4 address, or an IPv6 address in
/// brackets.
pub(super) fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        let is_inner = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let at_a_border = label.starts_with('-') || label.ends_with('-');
        !label.is_empty() && !at_a_border && label.chars().all(is_inner)
    };
    let is_name = |name: &str| match name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        Some(address) => {
            !address.is_empty() && address.chars().all(|c| c.is_ascii_hexdigit() || c == ':')
        }
        None => name.split('.').all(is_label),
    };
    let is_number = |port: &str| !port.is_empty() && port.chars().all(|c| c.is_ascii_digit());
    match text.rsplit_once(':') {
        Some((name, port)) if is_number(port) => is_name(name),
        _ => is_name(text),
    }
}

/// Lower-case letters and digits, with `.`, `_`, `__` or any number of `-` between them.
pub(super) fn is_path_component(text: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_separator =
        |run: &str| matches!(run, "" | "." | "_" | "__") || run.chars().all(|c| c == '-');
    text.starts_with(is_inner) && text.ends_with(is_inner) && text.split(is_inner).all(is_separator)
}

/// A word of up to 128 characters, with `.` and `-` behind the first.
fn is_tag(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (1..=128).contains(&text.len())
        && text.starts_with(is_word)
        && text.chars().all(|c| is_word(c) || matches!(c, '.' | '-'))
}

/// A well-formed digest of any algorithm, of 32 hexadecimal digits or more.
fn is_digest(text: &str) -> bool {
    oci_spec::image::Digest::from_str(text).is_ok_and(|digest| {
        let hex = digest.digest();
        hex.len() >= 32 && hex.chars().all(|c| c.is_ascii_hexdigit())
    })
}

/// A whole image ID without its algorithm, as CRI-O and Docker write it.
fn is_image_id(text: &str) -> bool {
    text.len() == 64
        && text
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, 'a'..='f'))
}

#[cfg(test)]
mod tests;
