//! The stage of a test: a GitHub with an App, the App's key in a file, and credentials that sign in
//! with it.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use deployment_recorder::clock::Clock;
use deployment_recorder::github::api::{ApiUrl, ApiVersion};
use deployment_recorder::github::auth::app::{App, Identity, Way};
use deployment_recorder::github::auth::{Credentials, SignIn};
use deployment_recorder::sandbox::{APP_ID, AppChange, Endpoint, Entry, Sandbox, Settings};
use http::{HeaderValue, Request};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tower::ServiceExt;

/// A second.
pub const SECOND: Duration = Duration::from_secs(1);
/// A minute.
pub const MINUTE: Duration = Duration::from_mins(1);

/// A file that is gone when the test is over.
pub struct KeyFile(pub PathBuf);

impl KeyFile {
    /// A file with this content.
    pub fn new(content: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("deployment-recorder-key-{}-{number}", std::process::id());
        let file = Self(std::env::temp_dir().join(name));
        file.write(content);
        file
    }

    /// Puts something else into it.
    pub fn write(&self, content: &str) {
        std::fs::write(&self.0, content).unwrap();
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The stage of a test.
pub struct Stage {
    /// GitHub.
    pub github: Sandbox,
    /// The App's key.
    pub key: KeyFile,
    /// What signs in.
    pub credentials: Credentials,
}

/// A key that stages share, and its public half: to make one takes a while.
fn shared_key() -> &'static (String, String) {
    static KEY: LazyLock<(String, String)> = LazyLock::new(|| {
        let private = Sandbox::default().app_key().unwrap();
        let lines = private.lines();
        let body: String = lines.filter(|line| !line.starts_with('-')).collect();
        let pair = RsaKeyPair::from_der(&BASE64_STANDARD.decode(body).unwrap()).unwrap();
        let body = BASE64_STANDARD.encode(pair.public_key());
        let public =
            format!("-----BEGIN RSA PUBLIC KEY-----\n{body}\n-----END RSA PUBLIC KEY-----");
        (private, public)
    });
    &KEY
}

impl Default for Stage {
    /// A GitHub whose App is installed in acme, and a clock that goes as GitHub's does.
    fn default() -> Self {
        Self::with(None, SignedDuration::ZERO)
    }
}

impl Stage {
    /// The key that its App has at first.
    pub fn first_key() -> &'static str {
        &shared_key().0
    }

    /// The same with this number of an installation, and a clock that is ahead of GitHub's.
    pub fn with(installation: Option<u64>, ahead: SignedDuration) -> Self {
        let github = Sandbox::new(Settings {
            epoch: Some("2026-11-22T12:00:00Z".parse().unwrap()),
            ..Settings::default()
        });
        let (private, public) = shared_key();
        let change = AppChange {
            public_key: Some(public.clone()),
            ..AppChange::default()
        };
        github.change_app(change).unwrap();
        let key = KeyFile::new(private);
        let identity = Identity {
            app: APP_ID.to_string(),
            organization: "acme".to_owned(),
            installation,
            key: key.0.clone(),
        };
        let way = Way {
            api: ApiUrl::parse("https://api.github.test", false).unwrap(),
            version: ApiVersion::parse("2022-11-28").unwrap(),
            timeout: 30 * SECOND,
            clock: Clock::beginning_at(github.now() + ahead),
        };
        let app = App::new(identity, way, github.service());
        Self {
            github,
            key,
            credentials: Credentials::from_app(app),
        }
    }

    /// Signs in, which is possible.
    pub async fn sign_in(&self) -> HeaderValue {
        self.credentials.authorization().await.unwrap()
    }

    /// Tries to sign in, which is not possible, and returns what is said about it.
    pub async fn fail(&self) -> String {
        let SignIn { result, .. } = self.credentials.sign_in().await;
        result.unwrap_err().to_string()
    }

    /// What GitHub answers to a list of records that is asked for with this header.
    pub async fn list(&self, header: &HeaderValue) -> u16 {
        let digest = format!("sha256:{}", "a".repeat(64));
        let path = format!("/orgs/acme/artifacts/{digest}/metadata/deployment-records");
        self.ask("GET", &path, header, "").await.0
    }

    /// What GitHub answers to a record that is set with this header.
    pub async fn set(&self, header: &HeaderValue) -> u16 {
        let path = "/orgs/acme/artifacts/metadata/deployment-record/cluster/main";
        let record = json!({
            "name": "ghcr.io/acme/web",
            "deployment_name": "web",
            "digest": format!("sha256:{}", "a".repeat(64)),
            "github_repository": "web",
        });
        let body = json!({"logical_environment": "production", "deployments": [record]});
        self.ask("POST", path, header, &body.to_string()).await.0
    }

    /// What GitHub answers to a request with this header: its status, and its body if it is JSON.
    pub async fn ask(
        &self,
        method: &str,
        path: &str,
        header: &HeaderValue,
        body: &str,
    ) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(format!("https://api.github.test{path}"))
            .header("authorization", header)
            .header("user-agent", "tests")
            .body(Bytes::from(body.to_owned()))
            .unwrap();
        let answer = self.github.service().oneshot(request).await.unwrap();
        let body = serde_json::from_slice(answer.body()).unwrap_or_default();
        (answer.status().as_u16(), body)
    }

    /// A web token of the App, made by a hand of the tests.
    pub fn web_token(&self) -> HeaderValue {
        let lines = Self::first_key().lines();
        let body: String = lines.filter(|line| !line.starts_with('-')).collect();
        let key = RsaKeyPair::from_der(&BASE64_STANDARD.decode(body).unwrap()).unwrap();
        let now = self.github.now().as_second();
        let part = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = json!({"iat": now, "exp": now + 600, "iss": "Iv23sandbox"});
        let signed = format!("{}.{}", part(json!({"alg": "RS256"})), part(claims));
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            signed.as_bytes(),
            &mut signature,
        )
        .unwrap();
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signature);
        HeaderValue::from_str(&format!("Bearer {signed}.{signature}")).unwrap()
    }

    /// Changes the App.
    pub fn change(&self, change: AppChange) {
        self.github.change_app(change).unwrap();
    }

    /// The requests that were made to sign in.
    pub fn errands(&self) -> Vec<Entry> {
        let mut entries = self.github.requests();
        entries.retain(|entry| is_errand(entry.endpoint));
        entries
    }

    /// The statuses of their answers.
    pub fn statuses(&self) -> Vec<u16> {
        self.errands()
            .iter()
            .map(|entry| entry.status.unwrap_or_default())
            .collect()
    }

    /// How many tokens were asked for.
    pub fn mints(&self) -> usize {
        self.errands()
            .iter()
            .filter(|entry| entry.endpoint == Some(Endpoint::CreateInstallationToken))
            .count()
    }
}

fn is_errand(endpoint: Option<Endpoint>) -> bool {
    matches!(
        endpoint,
        Some(Endpoint::GetInstallation | Endpoint::CreateInstallationToken)
    )
}
