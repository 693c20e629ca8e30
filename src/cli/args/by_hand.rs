//! The commands by which a person looks after the ledger and GitHub, and their flags: `verify` and
//! `decommission`.

use clap::Args;
use clap::builder::BoolishValueParser;

use super::groups::{
    ConnectionArgs, CycleArgs, DestinationArgs, GithubArgs, LedgerArgs, OutputArgs, ScopeArgs,
};

/// The flags of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Put records of this cluster and its environments that the ledger lacks into the ledger, so
    /// that the next cycle of run decommissions those that do not run
    #[arg(long, env = "DEPLOYMENT_RECORDER_ADOPT", value_parser = BoolishValueParser::new())]
    pub adopt: bool,
    /// Adopt only records with these names; * stands for any text
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_ONLY",
        value_name = "PATTERNS",
        value_delimiter = ','
    )]
    pub only: Vec<String>,
    /// Adopt without asking first
    #[arg(long, env = "DEPLOYMENT_RECORDER_YES", value_parser = BoolishValueParser::new())]
    pub yes: bool,
    /// The form of what is printed.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Which cluster.
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// What is compared.
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// Where records go.
    #[command(flatten)]
    pub destination: DestinationArgs,
    /// When.
    #[command(flatten)]
    pub cycle: CycleArgs,
    /// How GitHub is spoken to.
    #[command(flatten)]
    pub github: GithubArgs,
    /// Where the ledger is.
    #[command(flatten)]
    pub ledger: LedgerArgs,
}

/// The flags of `decommission`.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag; which exclude each other is checked by their values, because the \
              parser takes a variable that says false for given"
)]
pub struct DecommissionArgs {
    /// Names of records, as GitHub shows them; every environment that has one of them is meant
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// All records of the ledger
    #[arg(long, env = "DEPLOYMENT_RECORDER_ALL", value_parser = BoolishValueParser::new())]
    pub all: bool,
    /// Only drop the records from the ledger and tell GitHub nothing: what GitHub shows of them stays
    /// as it is, and nobody will end it
    #[arg(long, env = "DEPLOYMENT_RECORDER_FORGET", value_parser = BoolishValueParser::new())]
    pub forget: bool,
    /// Wait for one interval, at least two minutes, and tell the end the second time too, so that
    /// the ledger forgets the records; without this, run does that
    #[arg(long, env = "DEPLOYMENT_RECORDER_WAIT", value_parser = BoolishValueParser::new())]
    pub wait: bool,
    /// Do it without asking first
    #[arg(long, env = "DEPLOYMENT_RECORDER_YES", value_parser = BoolishValueParser::new())]
    pub yes: bool,
    /// Before anything else scale this Deployment to 0, in the ledger's namespace: that of run. It stays
    /// so. With --all a ledger that was never begun is no error then
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_SCALE_DOWN",
        value_name = "DEPLOYMENT"
    )]
    pub scale_down: Option<String>,
    /// How long to wait until another process has given the Lease back: up to 1h [default: 2m with
    /// --scale-down, else not at all]
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_LEASE_TIMEOUT",
        value_name = "DURATION"
    )]
    pub lease_timeout: Option<String>,
    /// The interval of run
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_INTERVAL",
        value_name = "DURATION",
        default_value = "10m"
    )]
    pub interval: String,
    /// The organization in which the installation of a GitHub App is looked up
    #[arg(long, env = "DEPLOYMENT_RECORDER_ORG", value_name = "NAME")]
    pub org: Option<String>,
    /// The form of what is printed.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Which cluster.
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// How GitHub is spoken to.
    #[command(flatten)]
    pub github: GithubArgs,
    /// Where the ledger is.
    #[command(flatten)]
    pub ledger: LedgerArgs,
}
