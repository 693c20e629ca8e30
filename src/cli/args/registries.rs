//! Groups of flags about registries: how they are asked what images say of themselves, and what GitHub is
//! told about them.

use clap::Args;
use clap::builder::BoolishValueParser;

/// How registries are asked.
#[derive(Debug, Args)]
#[command(next_help_heading = "Image labels")]
pub struct RegistryArgs {
    /// Where a registry lets nobody read, use the pull secrets of the pods and their service accounts; that
    /// needs the right to read secrets
    #[arg(long, env = "DEPLOYMENT_RECORDER_USE_PULL_SECRETS", value_parser = BoolishValueParser::new())]
    pub use_pull_secrets: bool,
    /// Speak plain HTTP to these registries, as images name them: registry.example.com:5000
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_REGISTRY_ALLOW_HTTP",
        value_name = "HOSTS",
        value_delimiter = ','
    )]
    pub registry_allow_http: Vec<String>,
}

/// What GitHub is told about registries.
#[derive(Debug, Args)]
#[command(next_help_heading = "Storage records")]
pub struct StorageArgs {
    /// Also tell GitHub, once for each image that runs, in which registry it is kept
    #[arg(long, env = "DEPLOYMENT_RECORDER_STORAGE_RECORDS", value_parser = BoolishValueParser::new())]
    pub storage_records: bool,
    /// But not for these registries, such as docker.io; * stands for any text
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_STORAGE_EXCLUDE_REGISTRIES",
        value_name = "PATTERNS",
        value_delimiter = ','
    )]
    pub storage_exclude_registries: Vec<String>,
}
