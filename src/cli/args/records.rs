//! The commands that use the API's own endpoints, and their flags: `records` and `storage`. Flags
//! that stand for a field of the API have its name.

#![expect(
    rustdoc::bare_urls,
    rustdoc::broken_intra_doc_links,
    reason = "these comments are help, read as text"
)]

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, Subcommand, ValueHint};

use super::groups::{GithubArgs, OutputArgs, PlaceArgs};

/// The flags that say what stands in the one record of `records create` and `storage create`. They
/// have no variables: they are of one call and no settings, and an environment may hold `_VERSION` or
/// `_NAME` for reasons of its own, as where this program is installed by a chart.
pub const OF_A_RECORD: [&str; 13] = [
    "image",
    "name",
    "digest",
    "version",
    "github_repository",
    "deployment_name",
    "status",
    "tags",
    "runtime_risks",
    "registry_url",
    "artifact_url",
    "path",
    "repository",
];

/// The commands of `records`.
#[derive(Debug, Subcommand)]
pub enum RecordsCommand {
    /// Create or update one deployment record
    Create(RecordsCreateArgs),
    /// Create or update deployment records of a cluster, from a file or standard input
    ///
    /// Takes a list of records, the body of GitHub's API, or what `snapshot -o json` prints, as JSON or
    /// YAML. Nothing is sent before all of it is checked. Exits 1 unless GitHub acknowledged each
    /// record.
    Set(RecordsSetArgs),
    /// List the deployment records of digests
    List(ListArgs),
}

/// The commands of `storage`.
#[derive(Debug, Subcommand)]
pub enum StorageCommand {
    /// Create or update one storage record
    Create(Box<StorageCreateArgs>),
    /// List the storage records of digests
    List(Box<ListArgs>),
}

/// What all of them have.
#[derive(Debug, Args)]
pub struct CallArgs {
    /// The GitHub organization
    #[arg(long, env = "DEPLOYMENT_RECORDER_ORG", value_name = "NAME")]
    pub org: Option<String>,
    /// Print the requests and send none; needs no token
    #[arg(long, env = "DEPLOYMENT_RECORDER_DRY_RUN", value_parser = BoolishValueParser::new())]
    pub dry_run: bool,
    /// The form of what is printed.
    #[command(flatten)]
    pub output: OutputArgs,
    /// How GitHub is spoken to.
    #[command(flatten)]
    pub github: GithubArgs,
}

/// The artifact that a record is about.
#[derive(Debug, Args)]
#[command(next_help_heading = "Artifact")]
pub struct ArtifactArgs {
    /// The image with its digest, REPOSITORY[:TAG]@sha256:...: gives name, version and digest
    #[arg(long, value_name = "IMAGE")]
    #[arg(conflicts_with_all = ["name", "digest", "version"])]
    pub image: Option<String>,
    /// The artifact's name, such as ghcr.io/acme/web
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The artifact's digest, sha256:...
    #[arg(long, value_name = "DIGEST")]
    pub digest: Option<String>,
    /// The artifact's version
    #[arg(long, value_name = "TEXT")]
    pub version: Option<String>,
    /// The repository that it was built from, without its owner; needed unless GitHub knows a
    /// provenance attestation for the digest
    #[arg(long, value_name = "NAME")]
    pub github_repository: Option<String>,
}

/// The flags of `records create`.
#[derive(Debug, Args)]
pub struct RecordsCreateArgs {
    /// The record's name; together with cluster and environments it tells records apart
    #[arg(long, value_name = "NAME")]
    pub deployment_name: Option<String>,
    /// deployed or decommissioned
    #[arg(long, value_name = "STATUS", default_value = "deployed")]
    pub status: String,
    /// Tags, at most five
    #[arg(long, value_name = "KEY=TEXT", value_delimiter = ',')]
    pub tags: Vec<String>,
    /// critical-resource, internet-exposed, lateral-movement, sensitive-data
    #[arg(long, value_name = "RISKS", value_delimiter = ',')]
    pub runtime_risks: Vec<String>,
    /// Where it goes.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// How GitHub is asked.
    #[command(flatten)]
    pub call: CallArgs,
    /// What it is about.
    #[command(flatten)]
    pub artifact: ArtifactArgs,
}

/// The flags of `records set`.
#[derive(Debug, Args)]
pub struct RecordsSetArgs {
    /// The file with the records; - for standard input
    #[arg(long, env = "DEPLOYMENT_RECORDER_FROM", value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(default_value = "-")]
    pub from: PathBuf,
    /// Let GitHub set them afterwards, as a job of up to 5,000 records, and wait until it is done
    #[arg(long, env = "DEPLOYMENT_RECORDER_JOB", value_parser = BoolishValueParser::new())]
    pub job: bool,
    /// How long to wait for a job: for its turn, and again for its end; 1s to 24h
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_JOB_TIMEOUT",
        value_name = "DURATION",
        default_value = "15m"
    )]
    pub job_timeout: String,
    /// Where they go, unless the file says so.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// How GitHub is asked.
    #[command(flatten)]
    pub call: CallArgs,
}

/// The flags of `records list` and `storage list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Digests, or images with their digest: sha256:... or REPOSITORY[:TAG]@sha256:...
    #[arg(value_name = "DIGEST|IMAGE", required = true)]
    pub artifacts: Vec<String>,
    /// How GitHub is asked.
    #[command(flatten)]
    pub call: CallArgs,
}

/// The flags of `storage create`.
#[derive(Debug, Args)]
pub struct StorageCreateArgs {
    /// The registry's address, such as https://ghcr.io/
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub registry_url: Option<String>,
    /// Where the artifact can be fetched: an address that begins with https://
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub artifact_url: Option<String>,
    /// The artifact's path, as a whole URI with its scheme
    #[arg(long, value_name = "URI")]
    pub path: Option<String>,
    /// The repository within the registry
    #[arg(long, value_name = "NAME")]
    pub repository: Option<String>,
    /// active, eol or deleted
    #[arg(long, value_name = "STATUS", default_value = "active")]
    pub status: String,
    /// How GitHub is asked.
    #[command(flatten)]
    pub call: CallArgs,
    /// What it is about.
    #[command(flatten)]
    pub artifact: ArtifactArgs,
}
