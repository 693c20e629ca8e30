//! What commands that use the API's own endpoints have in common, and what one that lists works
//! with.

use std::sync::Arc;

use secrecy::SecretString;

use super::artifact::Asked;
use super::{Github, SettingError, form, value};
use crate::cli::args::{CallArgs, ListArgs};
use crate::cli::output::Form;
use crate::github::request::RequestError;

/// How GitHub is asked.
#[derive(Clone, Debug)]
pub struct Call {
    /// GitHub; nobody needs to sign in in a dry run.
    pub github: Github,
    /// The organization.
    pub organization: Arc<str>,
    /// Whether requests are printed and not sent.
    pub dry_run: bool,
    /// The form of what is printed.
    pub form: Form,
    /// What to warn about.
    pub warnings: super::Warnings,
}

/// What `records list` and `storage list` work with.
#[derive(Clone, Debug)]
pub struct List {
    /// How GitHub is asked.
    pub call: Call,
    /// What about, each digest once.
    pub asked: Vec<Asked>,
}

impl Call {
    /// Checks what was typed; `token` is the environment variable `GITHUB_TOKEN`.
    pub(super) fn new(args: &CallArgs, token: Option<SecretString>) -> Result<Self, SettingError> {
        let form = form(&args.output)?;
        let what = "the GitHub organization that records belong to";
        let organization = value::given("org", args.org.as_deref(), what)?;
        let organization = value::organization("org", organization)?;
        let (github, warnings) = Github::new(&args.github, Some(&organization), token)?;
        let github = github.signed_in_unless(args.dry_run)?;
        Ok(Self {
            github,
            organization,
            dry_run: args.dry_run,
            form,
            warnings,
        })
    }
}

impl List {
    /// Checks what was typed.
    pub fn new(args: &ListArgs, token: Option<SecretString>) -> Result<Self, SettingError> {
        let call = Call::new(&args.call, token)?;
        let mut asked: Vec<Asked> = Vec::new();
        for typed in &args.artifacts {
            let one = Asked::parse(typed)?;
            if asked.iter().all(|known| known.digest != one.digest) {
                asked.push(one);
            }
        }
        Ok(Self { call, asked })
    }
}

/// A request that would break the contract, as the mistake in a flag that it is. `from_image`:
/// whether name and version were given as an image.
pub(super) fn refused(error: RequestError, from_image: bool) -> SettingError {
    match error {
        RequestError::Field {
            field,
            value,
            limit,
        } => {
            let flag = flag(field, from_image);
            let problem = format!("{field} must be {limit}");
            // What stands before an @ may be a password.
            let is_address = matches!(field, "registry_url" | "artifact_url" | "path");
            if is_address && value.contains('@') {
                return SettingError::hidden(flag, problem);
            }
            SettingError::invalid(flag, &value, problem)
        }
        RequestError::Count {
            field,
            count,
            least,
            most,
        } => {
            let problem = format!("{count} are given, allowed are {least} to {most}");
            SettingError::hidden(flag(field, from_image), problem)
        }
        other => SettingError::hidden("deployment-name", other),
    }
}

/// The flag that gives a field of the API.
fn flag(field: &'static str, from_image: bool) -> &'static str {
    match field {
        "name" | "version" if from_image => "image",
        "deployment_name" => "deployment-name",
        "logical_environment" => "logical-environment",
        "physical_environment" => "physical-environment",
        "github_repository" => "github-repository",
        "registry_url" => "registry-url",
        "artifact_url" => "artifact-url",
        field => field,
    }
}
