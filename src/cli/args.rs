//! What was typed: the commands and their flags, with help and environment variables. Texts stay
//! texts here; what they mean and whether they are allowed is decided in `settings`, so that every
//! wrong one is refused in one way. Wherever a flag is given a default, it is here.

#![expect(clippy::doc_markdown, reason = "these comments are help, read as text")]

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, CommandFactory, Parser, Subcommand, ValueHint};
use clap_complete::Shell;

mod by_hand;
mod explain;
mod groups;
mod records;
mod registries;

pub use by_hand::{DecommissionArgs, VerifyArgs};
pub use explain::ExplainArgs;
pub use groups::{
    ApiArgs, ConnectionArgs, CycleArgs, DestinationArgs, GithubArgs, LedgerArgs, LogArgs,
    OutputArgs, PlaceArgs, ScopeArgs,
};
pub use records::{
    ArtifactArgs, CallArgs, ListArgs, OF_A_RECORD, RecordsCommand, RecordsCreateArgs,
    RecordsSetArgs, StorageCommand, StorageCreateArgs,
};
pub use registries::{RegistryArgs, StorageArgs};

/// Keeps GitHub's deployment records true to what runs in a Kubernetes cluster.
///
/// Every setting can be given as an environment variable instead, DEPLOYMENT_RECORDER_ORG for --org:
/// every flag but those of the one record of records create and storage create. A flag wins over its
/// variable. Also read: GITHUB_TOKEN, KUBECONFIG, RUST_LOG, SSL_CERT_FILE, and the usual variables for
/// proxies.
#[derive(Debug, Parser)]
#[command(name = "deployment-recorder", version, max_term_width = 100)]
pub struct Cli {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
    /// How to log.
    #[command(flatten)]
    pub logs: LogArgs,
}

/// The commands and flags as the parser takes them. Variables are not in the help of each flag:
/// there is one rule for all.
pub fn command() -> clap::Command {
    fn quiet(command: clap::Command) -> clap::Command {
        let is_bare = |argument: &Arg| OF_A_RECORD.contains(&argument.get_id().as_str());
        let which = if command.get_arguments().any(is_bare) {
            "Every flag but those of the record itself"
        } else {
            "Every flag"
        };
        let note = format!(
            "{which} has a variable: DEPLOYMENT_RECORDER_ and its name, as in \
             DEPLOYMENT_RECORDER_LOG_LEVEL"
        );
        command
            .mut_args(|argument| without_empty(argument).hide_env(true))
            .after_help(note)
            .mut_subcommands(quiet)
    }
    quiet(Cli::command())
}

/// An empty variable is as one that is not set: whoever fills in a form leaves some of it blank.
fn without_empty(argument: Arg) -> Arg {
    let value = argument.get_env().and_then(std::env::var_os);
    if value.is_some_and(|value| value.is_empty()) {
        argument.env(None::<&str>)
    } else {
        argument
    }
}

/// What to say if an empty value was typed: more likely a variable of the shell that is not set than
/// a wish. Only a physical environment may be empty, as it may be at GitHub.
pub fn empty(matches: &ArgMatches) -> Option<String> {
    let typed = matches.ids().map(clap::Id::as_str).filter(|id| {
        let source = matches.value_source(id);
        source == Some(ValueSource::CommandLine) && *id != "physical_environment"
    });
    let mut empty = typed.filter(|id| {
        let raw = matches.try_get_raw(id).ok().flatten();
        raw.into_iter().flatten().any(OsStr::is_empty)
    });
    let flag = empty.next()?.replace('_', "-");
    let problem = "it is empty; give a value, or leave the setting out";
    Some(format!("invalid value \"\" for --{flag}: {problem}"))
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Watch the cluster and keep GitHub's records true until stopped
    Run(RunArgs),
    /// Show what would be recorded
    Snapshot(SnapshotArgs),
    /// Show what the next cycle would send; exits 1 if that is anything
    ///
    /// Reads the cluster and the ledger and writes nothing. Exits 0 if GitHub was told everything,
    /// 1 if there are differences, and 2 if that could not be found out.
    Diff(DiffArgs),
    /// Say why: from the pods of a workload to its records, step by step
    ///
    /// Who speaks for a container, where digest, name, tags and risks come from, what GitHub holds and when
    /// it is asked again, and what to do about what is missing. The running controller is asked through
    /// the API server, which takes the right to get pods/proxy in its namespace. Where it cannot be asked
    /// the answer is worked out from the cluster and the stored ledger, with the flags that run has; what
    /// GitHub answered last is not known then. Writes nothing. Exits 1 if nothing has that name.
    Explain(ExplainArgs),
    /// Ask GitHub what it holds and compare; exits 1 if something differs
    ///
    /// Lists every digest that runs or stands in the ledger, one call each, and uses at most a fifth of
    /// the calls that GitHub leaves in the hour. With --namespaces only what is in these is compared.
    /// Exits 0 if nothing differs, 1 if something does, and 2 if that could not be found out. With
    /// --adopt it shows the records that the ledger lacks and adopts them: 0 if that is done, 1 if not.
    Verify(VerifyArgs),
    /// Tell GitHub that records are decommissioned
    ///
    /// For records that the ledger has. What runs is not looked at: a record that still runs is reported
    /// again by run. Only one process writes the ledger, so run has to be stopped first. The end is told
    /// twice, the second time one interval later: by run, or with --wait. Exits 0 only if GitHub
    /// acknowledged each end.
    Decommission(DecommissionArgs),
    /// Check that everything is there that run needs; exits 1 if anything is not
    ///
    /// Takes the flags of run and looks at settings, cluster, rights, ledger and GitHub, one line for
    /// each thing, with what to do about it. Writes nothing.
    Check(CheckArgs),
    /// Write and list deployment records at GitHub; the ledger is not touched
    #[command(subcommand)]
    Records(RecordsCommand),
    /// Write and list storage records at GitHub
    #[command(subcommand)]
    Storage(StorageCommand),
    /// Print a completion script for a shell
    Completion {
        /// The shell
        shell: Shell,
    },
    /// Print a manual page
    Man {
        /// The command it is about, as in records-set; without one, the program
        #[arg(value_parser = [
            "run", "snapshot", "diff", "explain", "verify", "decommission", "check", "records",
            "records-create", "records-set", "records-list", "storage", "storage-create",
            "storage-list", "completion", "man",
        ])]
        command: Option<String>,
    },
}

/// The flags of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Where health, metrics and status are served: ADDRESS:PORT, or :PORT for every address
    #[arg(
        long,
        env = "DEPLOYMENT_RECORDER_LISTEN",
        value_name = "ADDRESS",
        default_value = ":8080"
    )]
    pub listen: String,
    /// Log what would be sent, send nothing and write no ledger
    #[arg(long, env = "DEPLOYMENT_RECORDER_DRY_RUN", value_parser = BoolishValueParser::new())]
    pub dry_run: bool,
    /// Write an Event on workloads whose annotations are wrong, or whose record GitHub refuses: once for
    /// each cause
    #[arg(long, env = "DEPLOYMENT_RECORDER_EVENTS", value_parser = BoolishValueParser::new())]
    pub events: bool,
    /// Stand by while another process holds the Lease, and take over from it; without this one
    /// waits with a warning
    #[arg(long, env = "DEPLOYMENT_RECORDER_LEADER_ELECT", value_parser = BoolishValueParser::new())]
    pub leader_elect: bool,
    /// Which cluster.
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// What is recorded.
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// Where records go.
    #[command(flatten)]
    pub destination: DestinationArgs,
    /// How registries are asked.
    #[command(flatten)]
    pub registries: RegistryArgs,
    /// What GitHub is told about registries.
    #[command(flatten)]
    pub storage: StorageArgs,
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

/// The flags of `snapshot`.
#[derive(Debug, Args)]
pub struct SnapshotArgs {
    /// Read this file instead of a cluster: what `kubectl get -o yaml` or `-o json` wrote; - for
    /// standard input
    #[arg(long, env = "DEPLOYMENT_RECORDER_FROM", value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(conflicts_with_all = ["kubeconfig", "context"])]
    pub from: Option<PathBuf>,
    /// The form of what is printed.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Which cluster.
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// What is recorded.
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// Where records go.
    #[command(flatten)]
    pub destination: DestinationArgs,
    /// Where GitHub is.
    #[command(flatten)]
    pub api: ApiArgs,
}

/// The flags of `diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The form of what is printed.
    #[command(flatten)]
    pub output: OutputArgs,
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

/// The flags of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The form of what is printed.
    #[command(flatten)]
    pub output: OutputArgs,
    /// What is checked.
    #[command(flatten)]
    pub run: RunArgs,
}

#[cfg(test)]
mod tests {
    use clap::ArgAction;

    use super::*;
    use crate::cli::settings::variable;
    use crate::github::api::{DEFAULT, DEFAULT_VERSION};
    use crate::model::template::Template;

    #[test]
    fn the_parser_is_put_together_rightly() {
        command().debug_assert();
    }

    /// A command, and those below it at any depth, in the order of the help.
    fn all(command: &clap::Command) -> Vec<&clap::Command> {
        let below = command.get_subcommands().flat_map(all);
        std::iter::once(command).chain(below).collect()
    }

    #[test]
    fn every_flag_has_the_variable_of_its_name_but_those_of_one_record() {
        let command = command();
        let flags = all(&command).into_iter();
        let flags = flags
            .flat_map(clap::Command::get_arguments)
            .filter(|flag| !matches!(flag.get_action(), ArgAction::Version | ArgAction::Help))
            .filter(|flag| flag.get_long().is_some());
        let (mut count, mut bare) = (0, std::collections::BTreeSet::new());
        for flag in flags {
            let name = flag.get_long().unwrap();
            let id = flag.get_id().as_str();
            assert_eq!(id.replace('_', "-"), name);
            if OF_A_RECORD.contains(&id) {
                assert_eq!(flag.get_env(), None, "{name} is of one call and no setting");
                bare.insert(id);
                continue;
            }
            let expected = variable(id);
            assert_eq!(
                flag.get_env().and_then(|name| name.to_str()),
                Some(&*expected)
            );
            count += 1;
        }
        assert!(count > 110, "{count}");
        assert_eq!(bare.len(), OF_A_RECORD.len());
    }

    /// The flags of the command of that name.
    fn flags(name: &str) -> std::collections::BTreeSet<String> {
        let command = command();
        let flags = command.find_subcommand(name).unwrap().get_arguments();
        flags
            .map(|flag| flag.get_long().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn a_check_takes_every_flag_of_run_and_the_form_of_what_it_prints() {
        let (run, check) = (flags("run"), flags("check"));
        assert!(run.is_subset(&check), "{run:?} {check:?}");
        let more: Vec<&String> = check.difference(&run).collect();
        assert_eq!(more, ["output"]);
    }

    /// What Kubernetes sets in pods for a Service of any name, after that name:
    /// <https://kubernetes.io/docs/tutorials/services/connect-applications-service/#environment-variables>
    /// and `_PORT_<number>_<protocol>` with `_PROTO`, `_PORT` and `_ADDR`, as Docker had it.
    #[test]
    fn no_variable_is_one_that_kubernetes_sets_for_a_service() {
        let is_of_a_service = |variable: &str| {
            let ends = [
                "_SERVICE_HOST",
                "_PORT",
                "_TCP",
                "_UDP",
                "_SCTP",
                "_PROTO",
                "_ADDR",
            ];
            variable.contains("_SERVICE_PORT_") || ends.iter().any(|end| variable.ends_with(end))
        };
        let command = command();
        let all = all(&command).into_iter();
        let variables = all
            .flat_map(clap::Command::get_arguments)
            .filter_map(Arg::get_env);
        for variable in variables.filter_map(OsStr::to_str) {
            assert!(!is_of_a_service(variable), "{variable}");
        }
        assert!(is_of_a_service(&variable("port")));
        assert!(is_of_a_service(&variable("port_8080_tcp")));
    }

    #[test]
    fn every_command_has_a_page_that_can_be_asked_for() {
        let command = command();
        let man = command.find_subcommand("man").unwrap();
        let asked = man
            .get_arguments()
            .find(|argument| argument.get_id() == "command")
            .unwrap();
        let pages: Vec<String> = asked
            .get_possible_values()
            .iter()
            .map(|page| page.get_name().to_owned())
            .collect();
        let mut built = command.clone();
        built.build();
        let commands = all(&built).into_iter();
        let commands: Vec<String> = commands
            .filter(|command| !command.get_bin_name().unwrap_or_default().contains("help"))
            .filter_map(|command| {
                let name = command.get_display_name().unwrap_or_default();
                let name = name.strip_prefix("deployment-recorder-")?;
                Some(name.to_owned())
            })
            .collect();
        assert_eq!(pages, commands);
    }

    #[test]
    fn defaults_of_flags_are_those_of_the_values_they_stand_for() {
        let typed = ["x", "run"];
        let Command::Run(run) = Cli::try_parse_from(typed).unwrap().command else {
            panic!()
        };
        assert_eq!(
            run.destination.name_template,
            Template::default().to_string()
        );
        assert_eq!(run.github.api.github_api_url, DEFAULT);
        assert_eq!(run.github.github_api_version, DEFAULT_VERSION);
    }
}
