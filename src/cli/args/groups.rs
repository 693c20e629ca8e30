//! Groups of flags that several commands have, one struct for each heading of the help.

#![expect(
    clippy::doc_markdown,
    rustdoc::bare_urls,
    reason = "these comments are help, read as text"
)]

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, ValueHint};

/// Which cluster, and as whom.
#[derive(Debug, Args)]
#[command(next_help_heading = "Cluster")]
pub struct ConnectionArgs {
    /// The kubeconfig file; without one KUBECONFIG, then ~/.kube/config, then the pod's service account
    #[arg(long, env = "DEPLOYMENT_RECORDER_KUBECONFIG", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub kubeconfig: Option<PathBuf>,
    /// The context in the kubeconfig file; without one its current context
    #[arg(long, env = "DEPLOYMENT_RECORDER_CONTEXT", value_name = "NAME")]
    pub context: Option<String>,
}

/// What is recorded.
#[derive(Debug, Args)]
#[command(next_help_heading = "Selection")]
pub struct ScopeArgs {
    /// Only these namespaces; * stands for any text. With exact names alone, rights in these
    /// namespaces are enough
    #[arg(
        short,
        long,
        env = "DEPLOYMENT_RECORDER_NAMESPACES",
        value_name = "PATTERNS",
        value_delimiter = ','
    )]
    pub namespaces: Vec<String>,
    /// Not these namespaces; * stands for any text
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_EXCLUDE_NAMESPACES",
        value_name = "PATTERNS",
        value_delimiter = ','
    )]
    pub exclude_namespaces: Vec<String>,
    /// Only workloads whose own labels match, as in kubectl: app=web,tier in (a, b),!canary
    #[arg(
        short = 'l',
        long,
        env = "DEPLOYMENT_RECORDER_SELECTOR",
        value_name = "LABELS"
    )]
    pub selector: Option<String>,
    /// Only namespaces whose labels match
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_NAMESPACE_SELECTOR",
        value_name = "LABELS"
    )]
    pub namespace_selector: Option<String>,
    /// Only images with these full names, registry included and tag left out; * stands for any text
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_IMAGES",
        value_name = "PATTERNS",
        value_delimiter = ','
    )]
    pub images: Vec<String>,
    /// Not images with these full names
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_EXCLUDE_IMAGES",
        value_name = "PATTERNS",
        value_delimiter = ','
    )]
    pub exclude_images: Vec<String>,
    /// The kinds of workloads, all of them [default: deployments, statefulsets, daemonsets,
    /// cronjobs, replicasets, replicationcontrollers, others]
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_KINDS",
        value_name = "KINDS",
        value_delimiter = ','
    )]
    pub kinds: Vec<String>,
    /// Kinds of workloads besides those: jobs, pods
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_ADD_KINDS",
        value_name = "KINDS",
        value_delimiter = ','
    )]
    pub add_kinds: Vec<String>,
    /// Find out which workloads are reached from outside the cluster and give them the runtime risk
    /// internet-exposed; by which ways: loadbalancer, ingress, gateway, nodeport
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_INFER_RISKS",
        value_name = "WAYS",
        value_delimiter = ','
    )]
    pub infer_risks: Vec<String>,
}

/// Where in an organization deployment records go.
#[derive(Debug, Args)]
pub struct PlaceArgs {
    /// The cluster's name at GitHub
    #[arg(long, env = "DEPLOYMENT_RECORDER_CLUSTER", value_name = "NAME")]
    pub cluster: Option<String>,
    /// The logical environment, such as production
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_LOGICAL_ENVIRONMENT",
        value_name = "NAME"
    )]
    pub logical_environment: Option<String>,
    /// The physical environment, such as a region; an empty one is not sent
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_PHYSICAL_ENVIRONMENT",
        value_name = "NAME"
    )]
    pub physical_environment: Option<String>,
}

/// Where records go and what they are called there.
#[derive(Debug, Args)]
#[command(next_help_heading = "Records")]
pub struct DestinationArgs {
    /// The GitHub organization
    #[arg(long, env = "DEPLOYMENT_RECORDER_ORG", value_name = "NAME")]
    pub org: Option<String>,
    /// Which cluster and environment.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// The label of a namespace that says its logical environment
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_LOGICAL_ENVIRONMENT_LABEL",
        value_name = "LABEL"
    )]
    pub logical_environment_label: Option<String>,
    /// The label of a namespace that says its physical environment
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_PHYSICAL_ENVIRONMENT_LABEL",
        value_name = "LABEL"
    )]
    pub physical_environment_label: Option<String>,
    /// The label of a namespace that names the organization of its records
    #[arg(long, env = "DEPLOYMENT_RECORDER_ORG_LABEL", value_name = "LABEL")]
    pub org_label: Option<String>,
    /// Images whose full name is as REGEX describes belong to the organization ORG, whatever the
    /// namespace says; $1 stands for the first group. Of several the first that fits; in the variable
    /// one a line
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_ORG_MAP",
        value_name = "REGEX=ORG",
        value_delimiter = '\n'
    )]
    pub org_map: Vec<String>,
    /// What records are called, made of {namespace}, {workload}, {container} and {kind}
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_NAME_TEMPLATE",
        value_name = "TEMPLATE"
    )]
    #[arg(default_value = "{namespace}-{workload}-{container}")]
    pub name_template: String,
    /// Registries that mirror others: images that begin with FROM are recorded as TO
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_IMAGE_MAP",
        value_name = "FROM=TO",
        value_delimiter = ','
    )]
    pub image_map: Vec<String>,
    /// The repository of images whose whole name REGEX describes, where no annotation names one; $1 in
    /// NAME is what the first group matched. Repeated, the first that matches wins; in the variable one
    /// rule a line
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_REPOSITORY_MAP",
        value_name = "REGEX=NAME",
        value_delimiter = '\n'
    )]
    pub repository_map: Vec<String>,
    /// Where no rule names one either, the repository that an image's label org.opencontainers.image.source
    /// points to; run reads it from the image's registry, other commands know what the ledger has of it
    #[arg(long, env = "DEPLOYMENT_RECORDER_READ_IMAGE_LABELS", value_parser = BoolishValueParser::new())]
    pub read_image_labels: bool,
}

/// When something is sent.
#[derive(Debug, Args)]
#[command(next_help_heading = "Schedule")]
pub struct CycleArgs {
    /// How often everything is sent again: 5s to 24h
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_INTERVAL",
        value_name = "DURATION",
        default_value = "10m"
    )]
    pub interval: String,
    /// How long a workload may be without pods and still count as deployed; never: for ever
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_IDLE_AFTER",
        value_name = "DURATION",
        default_value = "1h"
    )]
    pub idle_after: String,
    /// How long a record must be missing when more than half of them are, before GitHub is told
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_MASS_DECOMMISSION_HOLD",
        value_name = "DURATION",
        default_value = "5m"
    )]
    pub mass_decommission_hold: String,
}

/// Where GitHub is.
#[derive(Debug, Args)]
#[command(next_help_heading = "GitHub")]
pub struct ApiArgs {
    /// GitHub's API; https://api.SUBDOMAIN.ghe.com with data residency
    #[arg(long, env = "DEPLOYMENT_RECORDER_GITHUB_API_URL", value_name = "URL", value_hint = ValueHint::Url)]
    #[arg(default_value = "https://api.github.com")]
    pub github_api_url: String,
    /// Allow plain HTTP to other machines: the token can be read on the way
    #[arg(long, env = "DEPLOYMENT_RECORDER_ALLOW_HTTP", value_parser = BoolishValueParser::new())]
    pub allow_http: bool,
}

/// How GitHub is spoken to, and who signs in there.
#[derive(Debug, Args)]
#[command(next_help_heading = "GitHub")]
pub struct GithubArgs {
    /// Where it is.
    #[command(flatten)]
    pub api: ApiArgs,
    /// The file with the token, read again when it changes; without one GITHUB_TOKEN is used
    #[arg(long, env = "DEPLOYMENT_RECORDER_GITHUB_TOKEN_FILE", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub github_token_file: Option<PathBuf>,
    /// The file with the token for another organization, instead of the one for all others, which is
    /// needed all the same; in the variable one a line
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_ORG_TOKEN_FILE",
        value_name = "ORG=FILE",
        value_delimiter = '\n'
    )]
    pub org_token_file: Vec<String>,
    /// Sign in as this GitHub App, given by its id or client id, instead of with a token
    #[arg(long, env = "DEPLOYMENT_RECORDER_GITHUB_APP_ID", value_name = "ID")]
    pub github_app_id: Option<String>,
    /// The installation of the App in --org; without it that is looked up, as in every other
    /// organization
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_GITHUB_APP_INSTALLATION_ID",
        value_name = "NUMBER"
    )]
    pub github_app_installation_id: Option<String>,
    /// The file with the private key of the App, as GitHub gives it or in base64, read again when it
    /// changes
    #[arg(long, env = "DEPLOYMENT_RECORDER_GITHUB_APP_PRIVATE_KEY_FILE", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub github_app_private_key_file: Option<PathBuf>,
    /// The version of GitHub's API
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_GITHUB_API_VERSION",
        value_name = "DAY",
        default_value = "2022-11-28"
    )]
    pub github_api_version: String,
    /// How long GitHub may take to answer: 1s to 10m
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_GITHUB_TIMEOUT",
        value_name = "DURATION",
        default_value = "30s"
    )]
    pub github_timeout: String,
}

/// Where the ledger is.
#[derive(Debug, Args)]
#[command(next_help_heading = "Ledger")]
pub struct LedgerArgs {
    /// The namespace of the ledger [default: the pod's own, else deployment-recorder]
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_LEDGER_NAMESPACE",
        value_name = "NAME"
    )]
    pub ledger_namespace: Option<String>,
    /// The name of the ledger's ConfigMaps
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_LEDGER_NAME",
        value_name = "NAME",
        default_value = "deployment-recorder"
    )]
    pub ledger_name: String,
}

/// The form of what is printed.
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// The form of what is printed: table, json or yaml
    #[arg(
        short,
        long,
        env = "DEPLOYMENT_RECORDER_OUTPUT",
        value_name = "FORM",
        default_value = "table"
    )]
    pub output: String,
}

/// How to log.
#[derive(Debug, Args)]
#[command(next_help_heading = "Logs")]
pub struct LogArgs {
    /// error, warn, info, debug or trace; RUST_LOG wins and can tell modules apart (target=level)
    /// [default: info for run, error for what is done at once]
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_LOG_LEVEL",
        value_name = "LEVEL",
        global = true
    )]
    pub log_level: Option<String>,
    /// text, json, or auto: text on a terminal and json elsewhere
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_LOG_FORMAT",
        value_name = "FORM",
        global = true
    )]
    #[arg(default_value = "auto")]
    pub log_format: String,
}
