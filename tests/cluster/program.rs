//! The built program as a process: started, asked to stop, killed, and read by its log.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::api::{PATIENCE, eventually};

/// A recorder that was started. Dropping it kills it.
pub(crate) struct Program {
    child: Child,
    log: PathBuf,
}

/// What a command that ended by itself printed.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) said: String,
}

/// The program with nothing else in its environment than a token, and that people read its log.
fn command(arguments: &[String]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deployment-recorder"));
    command
        .args(arguments)
        .env_clear()
        .env("HOME", env!("CARGO_TARGET_TMPDIR"))
        .env("GITHUB_TOKEN", "a-token")
        .env("DEPLOYMENT_RECORDER_LOG_FORMAT", "text")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// Runs a command to its end.
pub(crate) async fn run(arguments: &[String]) -> Ended {
    run_with(arguments, &[]).await
}

/// Runs a command to its end, with these variables besides.
pub(crate) async fn run_with(arguments: &[String], variables: &[(&str, &str)]) -> Ended {
    let mut command = command(arguments);
    command.envs(variables.iter().copied());
    let output = timeout(PATIENCE, command.output()).await;
    let output = output.expect("it ends").expect("it starts");
    Ended {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).expect("text"),
        said: String::from_utf8(output.stderr).expect("text"),
    }
}

impl Program {
    /// Starts it; `name` is that of the file of its log.
    pub(crate) fn start(name: &str, arguments: &[String]) -> Self {
        Self::begin(name, command(arguments))
    }

    /// Starts it as in a pod of that name, which is its uid too: nobody can tell whether the
    /// process of another pod is alive.
    pub(crate) fn start_in_pod(name: &str, arguments: &[String], pod: &str) -> Self {
        let mut command = command(arguments);
        command.env("POD_NAME", pod).env("POD_UID", pod);
        Self::begin(name, command)
    }

    /// Starts it with these variables besides.
    pub(crate) fn start_with(name: &str, arguments: &[String], variables: &[(&str, &str)]) -> Self {
        let mut command = command(arguments);
        command.envs(variables.iter().copied());
        Self::begin(name, command)
    }

    fn begin(name: &str, mut command: Command) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cluster-logs");
        std::fs::create_dir_all(&folder).expect("a folder for logs");
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let log = folder.join(format!("{name}-{number}.log"));
        let child = command
            .stdout(Stdio::null())
            .stderr(File::create(&log).expect("a file for the log"))
            .spawn()
            .expect("it starts");
        Self { child, log }
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().expect("its state").is_none()
    }

    /// Kills it without a word, as a node that fails does.
    pub(crate) async fn kill(mut self) {
        assert!(self.runs(), "it ended by itself:\n{}", self.tail());
        self.child.kill().await.expect("it can be killed");
    }

    /// Asks it to stop, as a kubelet does.
    pub(crate) async fn terminate(&self) {
        self.signal("-TERM").await;
    }

    /// Sends it a signal.
    pub(crate) async fn signal(&self, signal: &str) {
        let id = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args([signal, &id]).status().await;
        assert!(sent.expect("kill starts").success());
    }

    /// Waits until it ends by itself.
    pub(crate) async fn ended(&mut self, within: Duration) -> ExitStatus {
        let ended = timeout(within, self.child.wait()).await;
        let ended = ended.unwrap_or_else(|_| panic!("it does not end:\n{}", self.tail()));
        ended.expect("its state")
    }

    /// The whole log.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.log).expect("its log")
    }

    /// The log's events with this message.
    pub(crate) fn events(&self, message: &str) -> Vec<Value> {
        let said = self.said();
        let events = said
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        events
            .filter(|event: &Value| event["message"] == message)
            .collect()
    }

    /// Why it ended, as its log in JSON says.
    pub(crate) fn reason(&self) -> String {
        let events = self.events("ended by an error");
        let reason = events.last().and_then(|event| event["error"].as_str());
        reason.unwrap_or_default().to_owned()
    }

    /// Waits for an event with this message of which something holds.
    pub(crate) async fn says(&self, message: &str, holds: impl Fn(&Value) -> bool) {
        eventually(
            &format!("{message:?} in {}", self.log.display()),
            async || self.events(message).iter().any(&holds),
        )
        .await;
    }

    /// How many cycles are done.
    pub(crate) fn cycles(&self) -> usize {
        self.events("cycle done").len()
    }

    /// Waits until more cycles are done than that.
    pub(crate) async fn cycles_after(&self, done: usize) {
        eventually(&format!("a cycle in {}", self.log.display()), async || {
            self.cycles() > done
        })
        .await;
    }

    /// The end of the log.
    pub(crate) fn tail(&self) -> String {
        let said = self.said();
        let lines: Vec<&str> = said.lines().collect();
        lines[lines.len().saturating_sub(25)..].join("\n")
    }
}
