//! Documents: what manifests, indexes and configurations of images say of their source
//! (<https://github.com/opencontainers/image-spec>). Only that is read of them, so that a long one costs
//! little. Pure.

use serde::Deserialize;
use thiserror::Error;

use crate::bounded::First;

/// What is asked for: a manifest of an image, or an index of several, as OCI and Docker call them.
pub(super) const ACCEPTED: &str = "application/vnd.oci.image.index.v1+json, \
     application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.docker.distribution.manifest.v2+json";

/// How many manifests of an index are looked at: there is one for each platform, and one for what is attested
/// of it.
const MOST_MANIFESTS: usize = 1000;

/// A document that is not what it is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("it is no manifest or index")]
pub(super) struct Unreadable;

/// What a manifest or an index says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Manifest {
    /// This is its annotation, of an image or of an index.
    Source(String),
    /// It is an image's and has none: this is the digest of the configuration and its length.
    Image {
        /// The digest.
        config: String,
        /// The length in bytes.
        size: u64,
    },
    /// It is an index and has none: this is the digest of a manifest in it.
    Index(String),
    /// It has none, and there is nothing below it that could have one.
    Nothing,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    annotations: Option<Annotations>,
    config: Option<Descriptor>,
    manifests: Option<First<Descriptor, MOST_MANIFESTS>>,
}

#[derive(Default, Deserialize)]
struct Annotations {
    #[serde(rename = "org.opencontainers.image.source")]
    source: Option<String>,
    /// <https://docs.docker.com/build/metadata/attestations/attestation-storage/>
    #[serde(rename = "vnd.docker.reference.type")]
    reference: Option<String>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
    size: u64,
    platform: Option<Platform>,
    annotations: Option<Annotations>,
}

#[derive(Deserialize)]
struct Platform {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
}

/// Reads a manifest or an index.
pub(super) fn manifest(text: &[u8]) -> Result<Manifest, Unreadable> {
    let document: Document = serde_json::from_slice(text).map_err(|_| Unreadable)?;
    let source = document.annotations.and_then(|it| it.source);
    if let Some(source) = source.filter(|source| !source.trim().is_empty()) {
        return Ok(Manifest::Source(source));
    }
    match (document.manifests, document.config) {
        // Which of the two it is must not depend on who reads it.
        (Some(_), Some(_)) | (None, None) => Err(Unreadable),
        (Some(manifests), None) => {
            Ok(chosen(manifests.kept).map_or(Manifest::Nothing, Manifest::Index))
        }
        (None, Some(config)) => Ok(Manifest::Image {
            config: config.digest,
            size: config.size,
        }),
    }
}

/// The manifest in an index that is asked: all of them are built from one source. Attestations are
/// manifests of no platform.
fn chosen(manifests: Vec<Descriptor>) -> Option<String> {
    let is_image = |entry: &Descriptor| {
        let unknown = |it: &Platform| it.os == "unknown";
        let reference = entry
            .annotations
            .as_ref()
            .and_then(|it| it.reference.as_deref());
        !entry.platform.as_ref().is_some_and(unknown) && reference.is_none()
    };
    let rank = |entry: &Descriptor| match &entry.platform {
        Some(it) if it.os == "linux" && it.architecture == "amd64" => 0,
        Some(it) if it.os == "linux" => 1,
        _ => 2,
    };
    let images = manifests.into_iter().filter(is_image);
    images.min_by_key(rank).map(|entry| entry.digest)
}

/// The label in an image's configuration. Of anything else, such as the configuration of an artifact
/// that is no image, it is none.
pub(super) fn label(config: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Config {
        config: Option<Run>,
    }
    #[derive(Deserialize)]
    struct Run {
        #[serde(rename = "Labels")]
        labels: Option<Annotations>,
    }
    let config: Config = serde_json::from_slice(config).ok()?;
    let source = config.config?.labels?.source?;
    Some(source).filter(|source| !source.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const SOURCE: &str = "org.opencontainers.image.source";

    fn read(document: &Value) -> Result<Manifest, Unreadable> {
        manifest(document.to_string().as_bytes())
    }

    fn entry(digest: &str, os: &str, architecture: &str) -> Value {
        json!({"digest": digest, "size": 1, "mediaType": "x",
            "platform": {"os": os, "architecture": architecture, "variant": "v8"}})
    }

    #[test]
    fn the_label_of_what_stands_highest_speaks() {
        let source = || Ok(Manifest::Source("https://github.com/acme/web".to_owned()));
        let annotations = json!({SOURCE: "https://github.com/acme/web", "other": "x"});
        let config = json!({"digest": "sha256:c", "size": 7, "mediaType": "x"});
        let image = || {
            Ok(Manifest::Image {
                config: "sha256:c".to_owned(),
                size: 7,
            })
        };
        for (document, expected) in [
            (
                json!({"annotations": annotations, "manifests": []}),
                source(),
            ),
            (
                json!({"annotations": annotations, "config": config, "layers": []}),
                source(),
            ),
            (
                json!({"annotations": {"other": "x"}, "config": config}),
                image(),
            ),
            (
                json!({"annotations": {SOURCE: " "}, "config": config}),
                image(),
            ),
            (
                json!({"annotations": {SOURCE: null}, "config": config}),
                image(),
            ),
            (json!({"annotations": null, "config": config}), image()),
            (json!({"manifests": []}), Ok(Manifest::Nothing)),
            (json!({"manifests": [], "config": config}), Err(Unreadable)),
            (json!({"layers": []}), Err(Unreadable)),
            (json!([]), Err(Unreadable)),
        ] {
            assert_eq!(read(&document), expected, "{document}");
        }
        assert_eq!(manifest(b"<html>"), Err(Unreadable));
    }

    #[test]
    fn of_an_index_an_image_is_asked_and_never_an_attestation() {
        let mut attestation = entry("sha256:t", "unknown", "unknown");
        attestation["annotations"] = json!({"vnd.docker.reference.type": "attestation-manifest"});
        let mut marked = entry("sha256:m", "linux", "amd64");
        marked["annotations"] = json!({"vnd.docker.reference.type": "attestation-manifest"});
        let arm = entry("sha256:arm", "linux", "arm64");
        let amd = entry("sha256:amd", "linux", "amd64");
        let windows = entry("sha256:win", "windows", "amd64");
        let bare = json!({"digest": "sha256:bare", "size": 1});
        for (manifests, expected) in [
            (vec![&attestation, &arm, &amd], Some("sha256:amd")),
            (vec![&windows, &arm, &attestation], Some("sha256:arm")),
            (vec![&windows], Some("sha256:win")),
            (vec![&attestation, &marked, &bare], Some("sha256:bare")),
            (vec![&attestation, &marked], None),
        ] {
            let found = read(&json!({"manifests": manifests}));
            let expected = expected.map_or(Manifest::Nothing, |it| Manifest::Index(it.to_owned()));
            assert_eq!(found, Ok(expected));
        }
    }

    #[test]
    fn of_an_index_without_end_the_first_thousand_manifests_are_looked_at() {
        let entry =
            |digest: &str, os: &str| json!({"digest": digest, "size": 1, "platform": {"os": os}});
        for (before, expected) in [(999, "sha256:linux"), (1000, "sha256:win")] {
            let mut manifests = vec![entry("sha256:win", "windows"); before];
            manifests.push(entry("sha256:linux", "linux"));
            let found = read(&json!({"manifests": manifests}));
            assert_eq!(found, Ok(Manifest::Index(expected.to_owned())));
        }
    }

    #[test]
    fn a_configuration_that_is_none_of_an_image_has_no_label() {
        let of = |config: Value| label(config.to_string().as_bytes());
        let labels = json!({SOURCE: "https://github.com/acme/web", "other": "x"});
        let expected = Some("https://github.com/acme/web".to_owned());
        assert_eq!(
            of(json!({"config": {"Labels": labels}, "rootfs": {}})),
            expected
        );
        for config in [
            json!({"config": {"Labels": {"other": "x"}}}),
            json!({"config": {"Labels": {SOURCE: ""}}}),
            json!({"config": {"Labels": null}}),
            json!({"config": {}}),
            json!({"config": null}),
            json!({}),
            json!({"config": {"Labels": {SOURCE: 7}}}),
            json!("text"),
        ] {
            assert_eq!(of(config.clone()), None, "{config}");
        }
        assert_eq!(label(b"\0"), None);
    }
}
