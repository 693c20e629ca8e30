//! The built program, with a sandbox of its own behind a socket.

use std::process::{Output, Stdio};
use std::time::Duration;

use deployment_recorder::sandbox::{Sandbox, Settings, serve};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

pub(crate) const A: &str =
    "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
pub(crate) const B: &str =
    "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// A file with one record.
pub(crate) const ONE: &str = "- {deployment_name: web, name: ghcr.io/acme/web, digest: \"sha256:\
    aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}";

/// A sandbox behind a socket.
pub(crate) struct Github {
    pub(crate) sandbox: Sandbox,
    url: String,
    serving: JoinHandle<std::io::Result<()>>,
}

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) said: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            said: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ended {
    /// What was printed, as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// What was printed, as YAML, which JSON is too.
    pub(crate) fn yaml(&self) -> Value {
        serde_saphyr::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The outcome of each record.
    pub(crate) fn outcomes(&self) -> Vec<(String, String)> {
        let json = self.json();
        let records = json["records"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        records
            .map(|record| (text(&record["record_name"]), text(&record["outcome"])))
            .collect()
    }
}

impl Drop for Github {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Github {
    pub(crate) async fn start(settings: Settings) -> Self {
        let sandbox = Sandbox::new(Settings {
            jitter: Duration::from_millis(50),
            job_duration: Duration::from_millis(200),
            ..settings
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(serve(listener, sandbox.clone()));
        Self {
            sandbox,
            url,
            serving,
        }
    }

    /// The program with what it needs in its environment, and nothing else.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program(arguments);
        command
            .env("GITHUB_TOKEN", "ghp_secret")
            .env("DEPLOYMENT_RECORDER_GITHUB_API_URL", &self.url)
            .env("DEPLOYMENT_RECORDER_ORG", "acme")
            .env("DEPLOYMENT_RECORDER_CLUSTER", "main")
            .env("DEPLOYMENT_RECORDER_LOGICAL_ENVIRONMENT", "production");
        command
    }

    pub(crate) async fn run(&self, arguments: &[&str], input: &str) -> Ended {
        let ended = finish(self.command(arguments).spawn().unwrap(), input).await;
        assert!(!format!("{ended:?}").contains("ghp_secret"), "{ended:?}");
        ended
    }
}

/// The program with nothing in its environment.
pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deployment-recorder"));
    command
        .args(arguments)
        .env_clear()
        .env("HOME", env!("CARGO_TARGET_TMPDIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Gives a program its input and waits for its end.
pub(crate) async fn finish(mut child: Child, input: &str) -> Ended {
    let mut stdin = child.stdin.take().unwrap();
    // A program that reads nothing may be gone already.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let output = tokio::time::timeout(Duration::from_mins(2), child.wait_with_output());
    output.await.expect("it ends").unwrap().into()
}

/// Each command in a good form, with its input.
pub(crate) const COMMANDS: [(&str, &str); 6] = [
    (
        "records create --deployment-name=web --name=ghcr.io/acme/web --digest",
        "",
    ),
    ("records set", ONE),
    ("records set --job", ONE),
    ("records list", ""),
    (
        "storage create --registry-url=https://ghcr.io/ --name=ghcr.io/acme/web --digest",
        "",
    ),
    ("storage list", ""),
];

/// The words of one of [`COMMANDS`]: with its digest, and as JSON.
pub(crate) fn words(command: &str) -> Vec<&str> {
    let mut words: Vec<&str> = command.split(' ').collect();
    if !command.starts_with("records set") {
        words.push(A);
    }
    words.push("-ojson");
    words
}

/// Whether one of [`COMMANDS`] writes.
pub(crate) fn writes(command: &str) -> bool {
    !command.contains("list")
}
