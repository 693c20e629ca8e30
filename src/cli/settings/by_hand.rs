//! The checked settings of `verify` and `decommission`.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::{Connection, Github, Ledger, SettingError, Warnings, destination, scope, value};
use crate::cli::args::{DecommissionArgs, VerifyArgs};
use crate::cli::consent::Consent;
use crate::cli::output::Form;
use crate::cluster::Scope;
use crate::model::policy::Policy;
use crate::model::selection::Pattern;

/// What `verify` works with.
#[derive(Debug)]
pub struct Verify {
    /// Which cluster.
    pub connection: Connection,
    /// What is looked at.
    pub scope: Scope,
    /// What is decided by settings.
    pub policy: Policy,
    /// GitHub.
    pub github: Github,
    /// Where the ledger is.
    pub ledger: Ledger,
    /// What is adopted, if anything is.
    pub adopt: Option<Adopt>,
    /// The form of what is printed.
    pub form: Form,
    /// What to warn about.
    pub warnings: Warnings,
}

/// What `verify --adopt` works with.
#[derive(Debug)]
pub struct Adopt {
    /// The names that are meant: any if empty.
    pub only: Vec<Pattern>,
    /// Whether a person agrees.
    pub consent: Consent,
}

/// What `decommission` works with.
#[derive(Debug)]
pub struct Decommission {
    /// Which cluster.
    pub connection: Connection,
    /// Where the ledger is.
    pub ledger: Ledger,
    /// The records that are meant.
    pub which: Which,
    /// What is done about them.
    pub doing: Doing,
    /// The Deployment that is scaled to 0 first, if any is.
    pub scale_down: Option<Arc<str>>,
    /// How long to wait until another process has given the Lease back.
    pub lease_timeout: Duration,
    /// Whether a person agrees.
    pub consent: Consent,
    /// The form of what is printed.
    pub form: Form,
    /// What to warn about.
    pub warnings: Warnings,
}

/// Which records are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// All of the ledger.
    All,
    /// Those with one of these names, at least one.
    Names(Vec<Arc<str>>),
}

/// What is done about the records that are meant.
#[derive(Debug)]
pub enum Doing {
    /// They are dropped from the ledger.
    Forget,
    /// GitHub is told their end.
    End {
        /// GitHub.
        github: Box<Github>,
        /// How much later than its unknown outcome a request may still be applied.
        settle_after: Duration,
        /// Whether the second end is waited for.
        wait: bool,
    },
}

impl Verify {
    /// Checks what was typed; `token` is the environment variable `GITHUB_TOKEN`.
    pub fn new(args: VerifyArgs, token: Option<SecretString>) -> Result<Self, SettingError> {
        let form = super::form(&args.output)?;
        let scope = scope::scope(&args.scope, &args.destination)?;
        let destination = destination::Checked::strict(&args.destination, &args.github.api)?;
        let policy = destination.policy(&scope, Some(super::cycle(&args.cycle)?));
        let organization = &*policy.destination.organization;
        let (github, warnings) = Github::new(&args.github, Some(organization), token)?;
        let ledger = super::ledger(&args.ledger)?;
        let connection = super::connection(args.connection)?;
        let by_namespace = scope.selection.by_namespace();
        let adopt = adopt(args.adopt, &args.only, by_namespace, args.yes)?;
        Ok(Self {
            connection,
            scope,
            policy,
            github: github.signed_in()?,
            ledger,
            adopt,
            form,
            warnings,
        })
    }
}

/// `by_namespace` is the flag by which namespaces are left out. GitHub lists records by digest, and
/// knows no namespaces: what runs in one of these would be taken for nobody's, and ended.
fn adopt(
    adopt: bool,
    only: &[String],
    by_namespace: Option<&str>,
    yes: bool,
) -> Result<Option<Adopt>, SettingError> {
    if !adopt {
        return match only.first() {
            Some(pattern) => {
                let problem = "it is for --adopt alone";
                Err(SettingError::invalid("only", pattern, problem))
            }
            None => Ok(None),
        };
    }
    if let Some(flag) = by_namespace.filter(|_| only.is_empty()) {
        let problem = format!(
            "with {flag} workloads of other namespaces count as gone, and GitHub lists their records \
             too where they run one of the same images; name the records that are yours, such as \
             shop-* for those that begin with shop-"
        );
        return Err(SettingError::missing("only", problem));
    }
    let only = only.iter().map(|pattern| pattern.trim());
    Ok(Some(Adopt {
        only: only.map(Pattern::new).collect(),
        consent: Consent::new(yes)?,
    }))
}

impl Decommission {
    /// Checks what was typed; `token` is the environment variable `GITHUB_TOKEN`.
    pub fn new(args: DecommissionArgs, token: Option<SecretString>) -> Result<Self, SettingError> {
        /// The least time after which an unknown outcome counts as settled.
        const LEAST: Duration = Duration::from_mins(2);
        let which = which(&args)?;
        let form = super::form(&args.output)?;
        let allowed = Duration::from_secs(5)..=Duration::from_hours(24);
        let interval = value::duration("interval", &args.interval, allowed)?;
        let organization = args.org.as_deref();
        let organization = organization
            .map(|name| value::organization("org", name))
            .transpose()?;
        let (github, warnings) = Github::new(&args.github, organization.as_deref(), token)?;
        let doing = if args.forget {
            Doing::Forget
        } else {
            Doing::End {
                github: Box::new(github.signed_in()?),
                settle_after: interval.max(LEAST),
                wait: args.wait,
            }
        };
        Ok(Self {
            ledger: super::ledger(&args.ledger)?,
            which,
            doing,
            scale_down: scale_down(&args)?,
            lease_timeout: lease_timeout(&args)?,
            connection: super::connection(args.connection)?,
            consent: Consent::new(args.yes)?,
            form,
            warnings,
        })
    }
}

fn scale_down(args: &DecommissionArgs) -> Result<Option<Arc<str>>, SettingError> {
    let name = args.scale_down.as_deref();
    name.map(|name| value::subdomain("scale-down", name))
        .transpose()
}

fn lease_timeout(args: &DecommissionArgs) -> Result<Duration, SettingError> {
    /// Its pod has 30 s to end, and one that is killed or lost leaves the Lease behind for 15 s.
    const OF_A_DEPLOYMENT: Duration = Duration::from_mins(2);
    match &args.lease_timeout {
        Some(text) => value::duration("lease-timeout", text, Duration::ZERO..=super::HOUR),
        None if args.scale_down.is_some() => Ok(OF_A_DEPLOYMENT),
        None => Ok(Duration::ZERO),
    }
}

/// What is meant, checked by values: a variable that says `false` is as good as none, and an empty
/// list of names never means all.
fn which(args: &DecommissionArgs) -> Result<Which, SettingError> {
    let excluded = |flag, problem| Err(SettingError::invalid(flag, "true", problem));
    if args.all && args.forget {
        return excluded("forget", "it is for records that are named, not for --all");
    }
    if args.wait && args.forget {
        return excluded("wait", "there is nothing to wait for with --forget");
    }
    match (args.all, args.names.is_empty()) {
        (true, true) => Ok(Which::All),
        (true, false) => excluded("all", "records are named; only one of the two can be meant"),
        (false, false) => {
            let names = args.names.iter();
            Ok(Which::Names(
                names.map(|name| name.as_str().into()).collect(),
            ))
        }
        (false, true) => {
            let problem = "no record is named; name those that are meant, or say that all are";
            Err(SettingError::missing("all", problem))
        }
    }
}
