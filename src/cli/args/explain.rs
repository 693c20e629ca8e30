//! The command that says why, and its flags: `explain`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::groups::{ApiArgs, ConnectionArgs, CycleArgs, DestinationArgs, LedgerArgs, ScopeArgs};

/// The flags of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The namespace of the workload
    pub namespace: String,
    /// The workload, as in web or deploy/web; the name of one of its pods or records does too
    #[arg(value_name = "[KIND/]NAME")]
    pub name: String,
    /// Only this container
    #[arg(long, env = "DEPLOYMENT_RECORDER_CONTAINER", value_name = "NAME")]
    pub container: Option<String>,
    /// Whom to ask: controller (the one that runs, through the API server), cluster (the cluster and
    /// the stored ledger, from here), or auto: the controller, and the cluster where that cannot be
    /// asked
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_VIA",
        value_name = "WAY",
        default_value = "auto"
    )]
    pub via: String,
    /// Ask the controller that serves its status there, as in http://127.0.0.1:8080
    #[arg(long, env = "DEPLOYMENT_RECORDER_ADMIN_URL", value_name = "URL", value_hint = ValueHint::Url)]
    pub admin_url: Option<String>,
    /// Read this file instead of a cluster: what `kubectl get -o yaml` or `-o json` wrote; - for
    /// standard input
    #[arg(long, env = "DEPLOYMENT_RECORDER_FROM", value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(conflicts_with_all = ["kubeconfig", "context", "admin_url"])]
    pub from: Option<PathBuf>,
    /// The form of what is printed: text, json or yaml
    #[arg(
        short,
        long,
        env = "DEPLOYMENT_RECORDER_OUTPUT",
        value_name = "FORM",
        default_value = "text"
    )]
    pub output: String,
    /// Which cluster.
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// What is recorded.
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// Where records go.
    #[command(flatten)]
    pub destination: DestinationArgs,
    /// When.
    #[command(flatten)]
    pub cycle: CycleArgs,
    /// Where GitHub is.
    #[command(flatten)]
    pub api: ApiArgs,
    /// Where the ledger is.
    #[command(flatten)]
    pub ledger: LedgerArgs,
}
