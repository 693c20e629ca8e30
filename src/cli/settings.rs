//! Settings: what was typed, checked, as the values that the program works with. No check reads a
//! file or calls anybody, so a wrong setting is found before anything happens. Each check names
//! the setting, what was given and what is allowed.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::args::{CheckArgs, CycleArgs, DiffArgs, LedgerArgs, OutputArgs, RunArgs, SnapshotArgs};
use super::output::Form;
use crate::cluster::Scope;
use crate::model::policy::Policy;

mod artifact;
mod by_hand;
mod call;
mod destination;
mod error;
mod explain;
#[cfg(feature = "fuzz")]
pub(crate) mod fuzz;
mod github;
mod records;
mod registries;
mod scope;
mod storage;
mod value;

pub use artifact::Asked;
pub use by_hand::{Adopt, Decommission, Doing, Verify, Which};
pub use call::{Call, List};
pub use error::{SettingError, given, variable};
pub use explain::{Explain, Way};
pub use github::{Github, SignIn};
pub use records::{Create, CreateStorage, Place, Records, Set, Storage};
pub use registries::Registries;

/// What is not wrong and yet worth a warning when the program starts.
pub type Warnings = Vec<&'static str>;

/// Which cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The kubeconfig file, if one is named.
    pub kubeconfig: Option<PathBuf>,
    /// The context in it, if one is named.
    pub context: Option<String>,
}

/// What `snapshot` works with.
#[derive(Debug)]
pub struct Snapshot {
    /// Where the facts come from.
    pub input: Input,
    /// What is looked at.
    pub scope: Scope,
    /// What is decided by settings.
    pub policy: Policy,
    /// The form of what is printed.
    pub form: Form,
}

/// Where facts come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A cluster.
    Cluster(Connection),
    /// A file.
    File(PathBuf),
    /// Standard input.
    Stdin,
}

/// What `diff` works with.
#[derive(Debug)]
pub struct Diff {
    /// Which cluster.
    pub connection: Connection,
    /// What is looked at.
    pub scope: Scope,
    /// What is decided by settings.
    pub policy: Policy,
    /// Where the ledger is.
    pub ledger: Ledger,
    /// The form of what is printed.
    pub form: Form,
}

/// What `run` works with.
#[derive(Debug)]
pub struct Run {
    /// Which cluster.
    pub connection: Connection,
    /// What is looked at.
    pub scope: Scope,
    /// What is decided by settings.
    pub policy: Policy,
    /// GitHub; nobody needs to sign in in a dry run.
    pub github: Github,
    /// How registries are asked; `None`: none is.
    pub registries: Option<Registries>,
    /// Where the ledger is.
    pub ledger: Ledger,
    /// How often everything is sent again.
    pub interval: Duration,
    /// Where to listen: the first of these that can be bound.
    pub listen: Vec<SocketAddr>,
    /// Whether nothing is sent and no ledger written.
    pub dry_run: bool,
    /// Whether events are written on workloads.
    pub events: bool,
    /// Whether it is to stand by while another process holds the Lease.
    pub leader_elect: bool,
    /// What to warn about.
    pub warnings: Warnings,
}

/// What `check` works with.
#[derive(Debug)]
pub struct Check {
    /// What is checked.
    pub run: Run,
    /// The form of what is printed.
    pub form: Form,
}

/// Where the ledger is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// Its namespace, if one is given.
    pub namespace: Option<Arc<str>>,
    /// The name of its root.
    pub name: Arc<str>,
}

impl Ledger {
    /// Its namespace: as given, else that of the pod that this runs in, else the default.
    pub fn namespace(&self) -> Arc<str> {
        /// Where a pod finds its namespace:
        /// <https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/>
        const OWN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";
        let own = || {
            std::fs::read_to_string(OWN)
                .ok()
                .map(|text| text.trim().into())
        };
        self.namespace
            .clone()
            .or_else(own)
            .unwrap_or_else(|| "deployment-recorder".into())
    }
}

impl Snapshot {
    /// Checks what was typed. Organization, cluster and environment may be left out: nothing is
    /// sent.
    pub fn new(args: SnapshotArgs) -> Result<Self, SettingError> {
        let form = form(&args.output)?;
        let input = match input(args.from)? {
            Some(input) => input,
            None => Input::Cluster(connection(args.connection)?),
        };
        let scope = scope::scope(&args.scope, &args.destination)?;
        let destination = destination::Checked::lenient(&args.destination, &args.api)?;
        let policy = destination.policy(&scope, None);
        Ok(Self {
            input,
            scope,
            policy,
            form,
        })
    }
}

impl Diff {
    /// Checks what was typed.
    pub fn new(args: DiffArgs) -> Result<Self, SettingError> {
        let form = form(&args.output)?;
        let scope = scope::scope(&args.scope, &args.destination)?;
        let destination = destination::Checked::strict(&args.destination, &args.api)?;
        let policy = destination.policy(&scope, Some(cycle(&args.cycle)?));
        let connection = connection(args.connection)?;
        Ok(Self {
            connection,
            scope,
            policy,
            ledger: ledger(&args.ledger)?,
            form,
        })
    }
}

impl Run {
    /// Checks what was typed; `token` is the environment variable `GITHUB_TOKEN`.
    pub fn new(args: RunArgs, token: Option<SecretString>) -> Result<Self, SettingError> {
        let mut scope = scope::scope(&args.scope, &args.destination)?;
        let destination = destination::Checked::strict(&args.destination, &args.github.api)?;
        let registries = Registries::new(&args.registries, args.destination.read_image_labels)?;
        scope.pull_secrets = registries.as_ref().is_some_and(|it| it.pull_secrets);
        let cycle = cycle(&args.cycle)?;
        let interval = cycle.interval;
        let mut policy = destination.policy(&scope, Some(cycle));
        policy.storage = storage::rule(&args.storage)?;
        let organization = &*policy.destination.organization;
        let (github, warnings) = Github::new(&args.github, Some(organization), token)?;
        let github = github.signed_in_unless(args.dry_run)?;
        Ok(Self {
            listen: value::listen("listen", &args.listen)?,
            ledger: ledger(&args.ledger)?,
            connection: connection(args.connection)?,
            dry_run: args.dry_run,
            events: args.events,
            leader_elect: args.leader_elect,
            scope,
            policy,
            github,
            registries,
            interval,
            warnings,
        })
    }
}

impl Check {
    /// Checks what was typed; `token` is the environment variable `GITHUB_TOKEN`.
    pub fn new(args: CheckArgs, token: Option<SecretString>) -> Result<Self, SettingError> {
        let form = form(&args.output)?;
        let run = Run::new(args.run, token)?;
        Ok(Self { run, form })
    }
}

/// The checked form of [`CycleArgs`].
#[derive(Clone, Copy)]
struct Cycle {
    interval: Duration,
    idle_after: Option<Duration>,
    mass_decommission_hold: Duration,
}

const HOUR: Duration = Duration::from_hours(1);

fn cycle(args: &CycleArgs) -> Result<Cycle, SettingError> {
    let zero = Duration::ZERO;
    let hold = &args.mass_decommission_hold;
    let idle_after = match args.idle_after.trim() {
        "never" => None,
        text => {
            let duration = value::duration("idle-after", text, zero..=10_000 * HOUR);
            Some(duration.map_err(|error| error.or("never"))?)
        }
    };
    Ok(Cycle {
        interval: value::duration(
            "interval",
            &args.interval,
            Duration::from_secs(5)..=24 * HOUR,
        )?,
        idle_after,
        mass_decommission_hold: value::duration("mass-decommission-hold", hold, zero..=24 * HOUR)?,
    })
}

fn ledger(args: &LedgerArgs) -> Result<Ledger, SettingError> {
    let namespace = args.ledger_namespace.as_deref();
    let namespace = namespace
        .map(|name| value::label("ledger-namespace", name))
        .transpose()?;
    Ok(Ledger {
        namespace,
        name: value::label("ledger-name", &args.ledger_name)?,
    })
}

fn connection(args: super::args::ConnectionArgs) -> Result<Connection, SettingError> {
    let super::args::ConnectionArgs {
        kubeconfig,
        context,
    } = args;
    if kubeconfig
        .as_ref()
        .is_some_and(|file| file.as_os_str().is_empty())
    {
        let problem = "give a file, or leave the setting out";
        return Err(SettingError::invalid("kubeconfig", "", problem));
    }
    if context.as_deref() == Some("") {
        let problem = "give the name of a context, or leave the setting out";
        return Err(SettingError::invalid("context", "", problem));
    }
    Ok(Connection {
        kubeconfig,
        context,
    })
}

/// What stands in place of a cluster, if anything does.
fn input(from: Option<PathBuf>) -> Result<Option<Input>, SettingError> {
    Ok(match from {
        Some(file) if file.as_os_str() == "-" => Some(Input::Stdin),
        Some(file) if file.as_os_str().is_empty() => {
            return Err(SettingError::invalid(
                "from",
                "",
                "give a file, or - for standard input",
            ));
        }
        Some(file) => Some(Input::File(file)),
        None => None,
    })
}

fn form(args: &OutputArgs) -> Result<Form, SettingError> {
    Form::parse(&args.output).ok_or_else(|| {
        SettingError::invalid("output", &args.output, "allowed are table, json and yaml")
    })
}

#[cfg(test)]
mod tests;
