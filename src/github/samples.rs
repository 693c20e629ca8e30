//! Values that the tests of this directory share. Not built into the program.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use super::answer::{Answer, Received};
use super::api::{ApiUrl, ApiVersion, DEFAULT, DEFAULT_VERSION};
use super::auth::Credentials;
use super::client::{Client, DEFAULT_TIMEOUT};
use super::exchange::Exchange;
use super::rate::Rate;
use crate::model::image::Digest;
use crate::model::record::{Body, Destination, Identity, Line, Status};
use crate::model::risk::Risks;
use crate::model::storage::{StorageLine, StorageStatus};
use crate::model::text_map::TextMap;

mod memory;
mod scripted;

pub(super) use memory::{filled, little_more};
pub(super) use scripted::{Scripted, Seen, Step};

/// A client whose service does these steps, and what the service saw.
pub(super) fn client(steps: impl IntoIterator<Item = Step>) -> (Client<Scripted>, Seen) {
    client_with(Credentials::from_value("ghp_secret".into()), steps)
}

/// The same with these credentials.
pub(super) fn client_with(
    credentials: Credentials,
    steps: impl IntoIterator<Item = Step>,
) -> (Client<Scripted>, Seen) {
    let service = Scripted::new(steps);
    let seen = service.seen.clone();
    let client = Client::new(service, api(), version(), credentials, DEFAULT_TIMEOUT);
    (client, seen)
}

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

/// A storage record of the same digest, with what it must have and no more.
pub(super) fn storage_line() -> StorageLine {
    StorageLine {
        name: "docker.io/library/nginx".into(),
        digest: line("a").body.digest,
        version: None,
        registry_url: "https://docker.io/".into(),
        artifact_url: None,
        path: None,
        repository: None,
        status: StorageStatus::Active,
        github_repository: None,
    }
}

/// An exchange of one request with this answer, and nothing else to say.
pub(super) fn exchange<T>(answer: Answer<T>) -> Exchange<T> {
    Exchange {
        answer,
        status: None,
        request_id: None,
        duration: Duration::ZERO,
        requests: 1,
        rate: Rate::default(),
        date: None,
        token_renewed: false,
    }
}

/// What `read` makes of an answer without headers.
pub(super) fn received<T>(status: u16, body: &[u8], read: impl FnOnce(Received<'_>) -> T) -> T {
    read(Received {
        status: StatusCode::from_u16(status).unwrap(),
        rate: &Rate::default(),
        body,
        version: &version(),
    })
}

/// What a process may be told about its way to GitHub.
const WAY: [&str; 10] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// Runs an ignored test alone, in a process of its own with these variables: for what a process has
/// only once. Of its way to GitHub it knows nothing but these.
pub(super) fn run_alone(test: &str, variables: &[(&str, &str)]) {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    for name in WAY {
        command.env_remove(name);
    }
    let output = command
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
