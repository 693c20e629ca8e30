//! Artifacts as they are typed: a digest, or an image that carries its own. A tag is never a digest:
//! what it points to now need not be what was meant.

use super::{SettingError, value};
use crate::cli::args::ArtifactArgs;
use crate::model::image::{Digest, ImageRef, running_digest};

/// What is asked about: as it was typed, and its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// As it was typed.
    pub typed: String,
    /// The digest of a manifest or an index.
    pub digest: Digest,
}

impl Asked {
    /// Reads `sha256:...`, or an image with it; an image ID of a container's status too, as far as it
    /// names what was pulled.
    pub(super) fn parse(typed: &str) -> Result<Self, SettingError> {
        const WHAT: &str = "<DIGEST|IMAGE>";
        let text = typed.trim();
        let digest = Digest::parse(text).or_else(|| running_digest("", text));
        let typed = typed.to_owned();
        match digest {
            Some(digest) => Ok(Self { typed, digest }),
            None => Err(SettingError::invalid(WHAT, &typed, problem(text))),
        }
    }
}

/// The artifact of a record: its name, version and digest.
pub(super) struct Artifact {
    pub(super) name: String,
    pub(super) version: Option<String>,
    pub(super) digest: Digest,
}

/// Checks what was typed of an artifact; how long its texts may be is for the request to say.
pub(super) fn artifact(args: &ArtifactArgs) -> Result<Artifact, SettingError> {
    if let Some(typed) = &args.image {
        let pinned = ImageRef::parse(typed).and_then(|image| Some((image.digest?, image)));
        let Some((digest, image)) = pinned else {
            return Err(SettingError::invalid("image", typed, problem(typed)));
        };
        return Ok(Artifact {
            name: image.name.to_string(),
            version: image.tag.map(|tag| tag.to_string()),
            digest,
        });
    }
    let name = "the artifact's name, such as ghcr.io/acme/web; or give --image";
    let digest = "the artifact's digest, sha256:...; or give --image";
    let name = value::given("name", args.name.as_deref(), name)?;
    let typed = value::given("digest", args.digest.as_deref(), digest)?;
    let digest = Digest::parse(typed).ok_or_else(|| {
        let problem = "a digest is sha256: and 64 hexadecimal digits in lower case";
        SettingError::invalid("digest", typed, problem)
    })?;
    Ok(Artifact {
        name: name.to_owned(),
        version: args.version.clone(),
        digest,
    })
}

/// Why a text names no digest, and how to get one.
fn problem(text: &str) -> String {
    match ImageRef::parse(text) {
        Some(_) if !text.contains('@') && !text.starts_with("sha256:") => format!(
            "an image counts only with its digest, {text}@sha256:...; that of a tag is told by `crane \
             digest {text}` or `docker buildx imagetools inspect {text}`, that of what runs by \
             `kubectl get pod POD -o jsonpath='{{.status.containerStatuses[*].imageID}}'`"
        ),
        Some(image) if image.digest.is_some() => {
            "its digest is that of an archive that was loaded into a node, which no registry knows"
                .to_owned()
        }
        _ => "allowed is a digest, sha256: and 64 hexadecimal digits in lower case, or an image with \
              it, REPOSITORY[:TAG]@sha256:..."
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_taken_from_what_carries_one_and_never_from_a_tag() {
        let hex = "a".repeat(64);
        for typed in [
            format!("sha256:{hex}"),
            format!("nginx@sha256:{hex}"),
            format!("ghcr.io/acme/web:1.0@sha256:{hex}"),
            format!("localhost:5000/web:1.0@sha256:{hex}"),
            format!("docker-pullable://nginx@sha256:{hex}"),
        ] {
            let asked = Asked::parse(&typed).unwrap();
            let digest = asked.digest.to_string();
            assert_eq!((asked.typed, digest), (typed, format!("sha256:{hex}")));
        }
        for (typed, said) in [
            ("nginx".to_owned(), "crane digest nginx`"),
            ("acme/web:1".to_owned(), "acme/web:1@sha256:...;"),
            ("latest".to_owned(), "imagetools inspect latest`"),
            (String::new(), "allowed is a digest"),
            (hex.clone(), "allowed is a digest"),
            (format!("sha256:{}", "A".repeat(64)), "allowed is a digest"),
            ("nginx@sha256:abc".to_owned(), "allowed is a digest"),
            (format!("nginx@sha512:{hex}{hex}"), "allowed is a digest"),
            (
                format!("docker.io/library/import-2026-01-01@sha256:{hex}"),
                "which no registry knows",
            ),
        ] {
            let problem = Asked::parse(&typed).unwrap_err().problem;
            assert!(problem.contains(said), "{typed}: {problem}");
        }
    }
}
