//! What `records` and `storage` work with. What a flag gives is checked against the contract by
//! building the request that it ends up in, so that there is one place that knows the limits.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::artifact::{Artifact, artifact};
use super::call::{Call, List, refused};
use super::{HOUR, SettingError, value};
use crate::cli::args::{
    PlaceArgs, RecordsCommand, RecordsCreateArgs, RecordsSetArgs, StorageCommand, StorageCreateArgs,
};
use crate::github::request;
use crate::github::storage::{StorageLine, StorageStatus};
use crate::model::record::{Body, Destination, Identity, Line, Status};
use crate::model::risk::{Risk, Risks};
use crate::model::text_map::TextMap;

/// What a command of `records` works with.
#[derive(Debug)]
pub enum Records {
    /// `records create`.
    Create(Box<Create>),
    /// `records set`.
    Set(Box<Set>),
    /// `records list`.
    List(Box<List>),
}

/// What a command of `storage` works with.
#[derive(Debug)]
pub enum Storage {
    /// `storage create`.
    Create(Box<CreateStorage>),
    /// `storage list`.
    List(Box<List>),
}

/// What `records create` works with.
#[derive(Debug)]
pub struct Create {
    /// How GitHub is asked.
    pub call: Call,
    /// The record; its destination may be without a cluster.
    pub line: Line,
}

/// What `records set` works with.
#[derive(Debug)]
pub struct Set {
    /// How GitHub is asked.
    pub call: Call,
    /// Where records go, as far as it is given.
    pub place: Place,
    /// The file; none for standard input.
    pub file: Option<PathBuf>,
    /// How long to wait for a job, if they are to be set by one.
    pub job: Option<Duration>,
}

/// What `storage create` works with.
#[derive(Debug)]
pub struct CreateStorage {
    /// How GitHub is asked.
    pub call: Call,
    /// The record.
    pub line: StorageLine,
}

/// Where records go, as far as flags say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The cluster.
    pub cluster: Option<Arc<str>>,
    /// The logical environment.
    pub logical_environment: Option<Arc<str>>,
    /// The physical environment.
    pub physical_environment: Option<Arc<str>>,
}

impl Records {
    /// Checks what was typed; `token` is the environment variable `GITHUB_TOKEN`.
    pub fn new(command: RecordsCommand, token: Option<SecretString>) -> Result<Self, SettingError> {
        Ok(match command {
            RecordsCommand::Create(args) => Self::Create(Box::new(Create::new(&args, token)?)),
            RecordsCommand::Set(args) => Self::Set(Box::new(Set::new(args, token)?)),
            RecordsCommand::List(args) => Self::List(Box::new(List::new(&args, token)?)),
        })
    }
}

impl Storage {
    /// Checks what was typed; `token` is the environment variable `GITHUB_TOKEN`.
    pub fn new(command: StorageCommand, token: Option<SecretString>) -> Result<Self, SettingError> {
        Ok(match command {
            StorageCommand::Create(args) => {
                Self::Create(Box::new(CreateStorage::new(&args, token)?))
            }
            StorageCommand::List(args) => Self::List(Box::new(List::new(&args, token)?)),
        })
    }
}

impl Place {
    fn new(args: &PlaceArgs) -> Result<Self, SettingError> {
        type Check = fn(&'static str, &str) -> Result<Arc<str>, SettingError>;
        let checked = |flag, given: &Option<String>, check: Check| {
            let given = given.as_deref();
            given.map(|text| check(flag, text)).transpose()
        };
        let physical = args.physical_environment.clone();
        let physical = physical.filter(|text| !text.is_empty());
        let (cluster, logical) = (&args.cluster, &args.logical_environment);
        Ok(Self {
            cluster: checked("cluster", cluster, value::cluster)?,
            logical_environment: checked("logical-environment", logical, value::environment)?,
            physical_environment: checked("physical-environment", &physical, value::environment)?,
        })
    }
}

impl Create {
    fn new(args: &RecordsCreateArgs, token: Option<SecretString>) -> Result<Self, SettingError> {
        let call = Call::new(&args.call, token)?;
        let place = Place::new(&args.place)?;
        let logical = place.logical_environment;
        let logical = value::given("logical-environment", logical, "such as production")?;
        let destination = Destination {
            host: call.github.url.host().clone(),
            organization: call.organization.clone(),
            cluster: place.cluster.unwrap_or_default(),
            logical_environment: logical,
            physical_environment: place.physical_environment,
        };
        let what = "the record's name, such as shop-web-nginx";
        let name = value::given("deployment-name", args.deployment_name.as_deref(), what)?;
        let artifact = artifact(&args.artifact)?;
        let body = Body {
            digest: artifact.digest,
            name: artifact.name.into(),
            version: artifact.version.map(Into::into),
            repository: args.artifact.github_repository.as_deref().map(Into::into),
            tags: tags(&args.tags)?,
            risks: risks(&args.runtime_risks)?,
        };
        let given = &*args.status;
        let status = Status::parse(given).ok_or_else(|| {
            let problem = "allowed are deployed and decommissioned";
            SettingError::invalid("status", given, problem)
        })?;
        let line = Line {
            identity: Identity {
                destination: Arc::new(destination),
                name: name.into(),
            },
            body: Arc::new(body),
            status,
        };
        let github = &call.github;
        request::create_deployment_record(&github.url, &github.version, &line)
            .map_err(|error| refused(error, args.artifact.image.is_some()))?;
        Ok(Self { call, line })
    }
}

impl Set {
    fn new(args: RecordsSetArgs, token: Option<SecretString>) -> Result<Self, SettingError> {
        let allowed = Duration::from_secs(1)..=24 * HOUR;
        let patience = value::duration("job-timeout", &args.job_timeout, allowed)?;
        Ok(Self {
            call: Call::new(&args.call, token)?,
            place: Place::new(&args.place)?,
            file: Some(args.from).filter(|file| file.as_os_str() != "-"),
            job: args.job.then_some(patience),
        })
    }
}

impl CreateStorage {
    fn new(args: &StorageCreateArgs, token: Option<SecretString>) -> Result<Self, SettingError> {
        let call = Call::new(&args.call, token)?;
        let Artifact {
            name,
            version,
            digest,
        } = artifact(&args.artifact)?;
        let what = "the registry's address, such as https://ghcr.io/";
        let registry_url = value::given("registry-url", args.registry_url.as_deref(), what)?;
        let status = StorageStatus::parse(&args.status).ok_or_else(|| {
            let problem = "allowed are active, eol and deleted";
            SettingError::invalid("status", &args.status, problem)
        })?;
        let text = |given: &Option<String>| given.as_deref().map(Into::into);
        let line = StorageLine {
            name: name.into(),
            digest,
            version: version.map(Into::into),
            registry_url: registry_url.into(),
            artifact_url: text(&args.artifact_url),
            path: text(&args.path),
            repository: text(&args.repository),
            status,
            github_repository: text(&args.artifact.github_repository),
        };
        let (github, organization) = (&call.github, &call.organization);
        request::create_storage_record(&github.url, &github.version, organization, &line)
            .map_err(|error| refused(error, args.artifact.image.is_some()))?;
        Ok(Self { call, line })
    }
}

fn tags(given: &[String]) -> Result<TextMap, SettingError> {
    let mut tags = std::collections::BTreeMap::new();
    for tag in given {
        let Some((key, text)) = tag.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            let problem = "allowed is KEY=TEXT, such as team=shop";
            return Err(SettingError::invalid("tags", tag, problem));
        };
        if tags.insert(Arc::from(key), Arc::from(text)).is_some() {
            return Err(SettingError::invalid("tags", tag, "its key is given twice"));
        }
    }
    Ok(tags.into_iter().collect())
}

fn risks(given: &[String]) -> Result<Risks, SettingError> {
    let mut risks = Risks::default();
    for name in given {
        let Some(risk) = Risk::parse(name.trim()) else {
            let problem = format!("allowed are {}", Risk::ALL.map(Risk::as_str).join(", "));
            return Err(SettingError::invalid("runtime-risks", name, problem));
        };
        risks.insert(risk);
    }
    Ok(risks)
}
