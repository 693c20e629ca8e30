//! github-sandbox: a stand-in for GitHub's artifact metadata endpoints over HTTP, for the demo, for
//! tests against a real socket, and for trying the recorder without an organization.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use deployment_recorder::sandbox::{AppChange, Fault, FaultKind, Sandbox, Settings, serve};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// A stand-in for GitHub's artifact metadata endpoints. Its page of linked artifacts is at `/`, its
/// own interface under `/sandbox`. Nothing is stored: what it holds ends with it.
#[derive(Debug, Parser)]
#[command(name = "github-sandbox", version)]
struct Arguments {
    /// Address to listen on; port 0 takes a free one. The first line of the output is the URL
    #[arg(long, env = "GITHUB_SANDBOX_LISTEN", default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// The only token to accept (default: any)
    #[arg(long, env = "GITHUB_SANDBOX_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// The file with the public key, in PEM, of the GitHub App that signs in (default: the key at
    /// /sandbox/app)
    #[arg(long, env = "GITHUB_SANDBOX_APP_PUBLIC_KEY_FILE", value_name = "FILE")]
    app_public_key_file: Option<PathBuf>,
    /// Accept no token but those that are minted for the GitHub App
    #[arg(long, env = "GITHUB_SANDBOX_APP_ONLY")]
    app_only: bool,
    /// Refuse what goes beyond GitHub's rate limits; without it they are only counted
    #[arg(long, env = "GITHUB_SANDBOX_ENFORCE_RATE_LIMIT")]
    enforce_rate_limit: bool,
    /// Take a digest without a known attestation only with a repository, as GitHub does
    #[arg(long, env = "GITHUB_SANDBOX_UNKNOWN_DIGESTS")]
    unknown_digests: bool,
    /// How long a job takes, in seconds
    #[arg(
        long,
        env = "GITHUB_SANDBOX_JOB_SECONDS",
        default_value_t = 2,
        value_name = "SECONDS"
    )]
    job_seconds: u64,
    /// How long every answer takes, in milliseconds
    #[arg(
        long,
        env = "GITHUB_SANDBOX_DELAY_MILLIS",
        default_value_t = 0,
        value_name = "MILLIS"
    )]
    delay_millis: u64,
    /// How many requests the log remembers
    #[arg(
        long,
        env = "GITHUB_SANDBOX_LOG_LIMIT",
        default_value_t = 2000,
        value_name = "COUNT"
    )]
    log_limit: usize,
}

impl Arguments {
    fn sandbox(&self) -> anyhow::Result<Sandbox> {
        let sandbox = Sandbox::new(Settings {
            token: self.token.clone(),
            enforce_pace: self.enforce_rate_limit,
            unknown_digests: self.unknown_digests,
            job_duration: Duration::from_secs(self.job_seconds),
            log_limit: self.log_limit,
            jitter: Duration::from_millis(20),
            epoch: None,
        });
        let key = self.app_public_key_file.as_ref().map(|file| {
            let named = || format!("--app-public-key-file {}", file.display());
            std::fs::read_to_string(file).with_context(named)
        });
        let change = AppChange {
            public_key: key.transpose()?,
            only: Some(self.app_only),
            ..AppChange::default()
        };
        let changed = sandbox.change_app(change).map_err(anyhow::Error::msg);
        changed.context("--app-public-key-file")?;
        if self.delay_millis > 0 {
            sandbox.fault(Fault::new(FaultKind::Slow {
                millis: self.delay_millis,
            }));
        }
        Ok(sandbox)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell if standard error is closed.
            let _ = writeln!(std::io::stderr(), "github-sandbox: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until SIGTERM or SIGINT.
async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    let sandbox = arguments.sandbox()?;
    let listener = TcpListener::bind(arguments.listen)
        .await
        .with_context(|| format!("--listen {}: cannot listen there", arguments.listen))?;
    let mut out = std::io::stdout();
    writeln!(out, "http://{}", listener.local_addr()?)?;
    out.flush()?;
    tokio::select! {
        ended = serve(listener, sandbox) => Ok(ended?),
        _ = terminated.recv() => Ok(()),
        _ = interrupted.recv() => Ok(()),
    }
}
