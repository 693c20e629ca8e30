//! Values that the tests of this directory share. Not built into the program.

use std::sync::Arc;

use super::api::{ApiUrl, ApiVersion, DEFAULT, DEFAULT_VERSION};
use crate::model::image::Digest;
use crate::model::record::{Body, Destination, Identity, Line, Status};
use crate::model::risk::Risks;
use crate::model::text_map::TextMap;

/// The API of github.com.
pub(super) fn api() -> ApiUrl {
    ApiUrl::parse(DEFAULT, false).unwrap()
}

/// The version asked for by default.
pub(super) fn version() -> ApiVersion {
    ApiVersion::parse(DEFAULT_VERSION).unwrap()
}

/// A destination at github.com, without a physical environment.
pub(super) fn destination() -> Destination {
    Destination {
        host: Arc::clone(api().host()),
        organization: "octo".into(),
        cluster: "prod-1".into(),
        logical_environment: "production".into(),
        physical_environment: None,
    }
}

/// A deployed line of that name at [`destination`], with the digest `abab...`.
pub(super) fn line(name: &str) -> Line {
    Line {
        identity: Identity {
            destination: Arc::new(destination()),
            name: name.into(),
        },
        body: Arc::new(Body {
            digest: Digest::parse(&format!("sha256:{}", "ab".repeat(32))).unwrap(),
            name: "docker.io/library/nginx".into(),
            version: None,
            repository: None,
            tags: TextMap::default(),
            risks: Risks::default(),
        }),
        status: Status::Deployed,
    }
}

/// Runs an ignored test alone, in a process of its own with these variables: for what a process has
/// only once.
pub(super) fn run_alone(test: &str, variables: &[(&str, &str)]) {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", test])
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
}
