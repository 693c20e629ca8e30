//! How GitHub is spoken to: the API, and who signs in. The same for every command that goes there.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::destination::lines;
use super::{SettingError, Warnings, value};
use crate::cli::args::{ApiArgs, GithubArgs};
use crate::github::api::{ApiUrl, ApiVersion};
use crate::github::auth::app::Identity;

const TOKEN_FILE: &str = "github-token-file";
const OWN_FILE: &str = "org-token-file";
const APP: &str = "github-app-id";
const INSTALLATION: &str = "github-app-installation-id";
const KEY_FILE: &str = "github-app-private-key-file";

/// How GitHub is spoken to.
#[derive(Clone, Debug)]
pub struct Github {
    /// The API.
    pub url: ApiUrl,
    /// Its version.
    pub version: ApiVersion,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Who signs in; `None` where nothing of that was given.
    pub sign_in: Option<SignIn>,
    /// The files with the tokens of organizations that have one of their own.
    pub own: Vec<(Arc<str>, PathBuf)>,
}

/// Who signs in at GitHub.
#[derive(Clone, Debug)]
pub enum SignIn {
    /// Whoever the token in this file belongs to; it is read again when it changes.
    TokenFile(PathBuf),
    /// Whoever the token in `GITHUB_TOKEN` belongs to.
    Token(SecretString),
    /// A GitHub App.
    App(Identity),
}

impl fmt::Display for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TokenFile(file) => write!(f, "token in {}", file.display()),
            Self::Token(_) => f.write_str("token in GITHUB_TOKEN"),
            Self::App(Identity {
                app,
                organization,
                installation,
                key,
            }) => {
                write!(f, "GitHub App {app}, ")?;
                match installation {
                    Some(installation) => write!(f, "installation {installation}")?,
                    None if organization.is_empty() => {
                        f.write_str("installation in each organization")?;
                    }
                    None => write!(f, "installation in {organization}")?,
                }
                write!(f, ", key in {}", key.display())
            }
        }
    }
}

impl SignIn {
    /// Whether a token that was got so lets into the organization: an App's installation was found
    /// by its name. One that was given by its number may be another organization's.
    pub fn is_let_in(&self) -> bool {
        match self {
            Self::App(app) => app.installation.is_none(),
            Self::TokenFile(_) | Self::Token(_) => false,
        }
    }

    /// The setting that says where the secret is.
    pub fn setting(&self) -> &'static str {
        match self {
            Self::TokenFile(_) => "--github-token-file",
            Self::Token(_) => "GITHUB_TOKEN",
            Self::App(_) => "--github-app-private-key-file",
        }
    }
}

impl Github {
    /// Checks what was typed. `organization` is the one that the command is about, checked already;
    /// `token` is the environment variable `GITHUB_TOKEN`.
    pub fn new(
        args: &GithubArgs,
        organization: Option<&str>,
        token: Option<SecretString>,
    ) -> Result<(Self, Warnings), SettingError> {
        let (sign_in, warnings) = sign_in(args, organization, token)?;
        let github = Self {
            url: url(&args.api)?,
            version: version(args)?,
            timeout: value::duration(
                "github-timeout",
                &args.github_timeout,
                Duration::from_secs(1)..=Duration::from_mins(10),
            )?,
            sign_in,
            own: own(&args.org_token_file)?,
        };
        Ok((github, warnings))
    }

    /// Who signs in at this organization, if anybody does.
    pub fn sign_in_at(&self, organization: &str) -> Option<SignIn> {
        let mut own = self.own.iter();
        let own = own.find(|(name, _)| name.eq_ignore_ascii_case(organization));
        if let Some((_, file)) = own {
            return Some(SignIn::TokenFile(file.clone()));
        }
        match self.sign_in.clone()? {
            SignIn::App(app) if !app.organization.eq_ignore_ascii_case(organization) => {
                Some(SignIn::App(Identity {
                    installation: app.installation.filter(|_| app.organization.is_empty()),
                    organization: organization.to_owned(),
                    ..app
                }))
            }
            sign_in => Some(sign_in),
        }
    }

    /// Whether a token for this organization was got in a way that shows that it lets it in.
    pub fn is_let_in(&self, organization: &str) -> bool {
        let sign_in = self.sign_in_at(organization);
        sign_in.is_some_and(|sign_in| sign_in.is_let_in())
    }

    /// The same, where somebody has to sign in unless nothing is sent.
    pub fn signed_in_unless(self, dry_run: bool) -> Result<Self, SettingError> {
        if dry_run {
            return Ok(self);
        }
        self.signed_in().map_err(|error| error.or("use --dry-run"))
    }

    /// The same, where somebody has to sign in.
    pub fn signed_in(self) -> Result<Self, SettingError> {
        if self.sign_in.is_some() {
            return Ok(self);
        }
        let problem = "give the file with GitHub's token, set GITHUB_TOKEN or --github-app-id";
        let problem = if self.own.is_empty() {
            problem.to_owned()
        } else {
            format!(
                "{problem}; --org-token-file is for the organizations that it names alone and does \
                 not replace that, but both may name one file"
            )
        };
        Err(SettingError::missing(TOKEN_FILE, problem))
    }
}

/// GitHub's API.
pub(super) fn url(args: &ApiArgs) -> Result<ApiUrl, SettingError> {
    ApiUrl::parse(&args.github_api_url, args.allow_http)
        .map_err(|error| SettingError::hidden("github-api-url", error))
}

fn version(args: &GithubArgs) -> Result<ApiVersion, SettingError> {
    let given = &args.github_api_version;
    ApiVersion::parse(given).map_err(|_| {
        SettingError::invalid(
            "github-api-version",
            given,
            "allowed is a day such as 2022-11-28",
        )
    })
}

/// The organizations with a token of their own, each with its file.
fn own(given: &[String]) -> Result<Vec<(Arc<str>, PathBuf)>, SettingError> {
    let mut own: Vec<(Arc<str>, PathBuf)> = Vec::new();
    for line in lines(given) {
        let invalid = |problem: &str| SettingError::invalid(OWN_FILE, line, problem);
        let parts = line.split_once('=').filter(|(_, file)| !file.is_empty());
        let Some((name, file)) = parts else {
            return Err(invalid(
                "allowed is ORG=FILE, such as acme=/etc/github/acme",
            ));
        };
        let name = value::organization(OWN_FILE, name.trim())?;
        if own
            .iter()
            .any(|(known, _)| known.eq_ignore_ascii_case(&name))
        {
            return Err(invalid("this organization has a file already"));
        }
        own.push((name, file.trim().into()));
    }
    Ok(own)
}

fn sign_in(
    args: &GithubArgs,
    organization: Option<&str>,
    token: Option<SecretString>,
) -> Result<(Option<SignIn>, Warnings), SettingError> {
    let app = app(args, organization)?;
    let file = file(TOKEN_FILE, args.github_token_file.as_deref())?;
    let mut warnings = Warnings::new();
    let sign_in = match (app, file, token) {
        (Some(app), Some(_), _) => {
            let problem = "--github-token-file is given too; give one of them";
            return Err(SettingError::invalid(APP, &app.app, problem));
        }
        (Some(app), None, ignored) => {
            let warning = "both --github-app-id and GITHUB_TOKEN are given: the App is used";
            warnings.extend(ignored.map(|_| warning));
            Some(SignIn::App(app))
        }
        (None, Some(file), ignored) => {
            let warning = "both --github-token-file and GITHUB_TOKEN are given: the file is used";
            warnings.extend(ignored.map(|_| warning));
            Some(SignIn::TokenFile(file))
        }
        (None, None, token) => token.map(SignIn::Token),
    };
    Ok((sign_in, warnings))
}

/// The GitHub App, if one of its settings is given.
fn app(args: &GithubArgs, organization: Option<&str>) -> Result<Option<Identity>, SettingError> {
    let installation = match args.github_app_installation_id.as_deref() {
        None => None,
        Some(given) => {
            let number = given.parse().ok().filter(|number| *number > 0);
            let problem = "allowed is a number: the last part of the address of its page";
            Some(number.ok_or_else(|| SettingError::invalid(INSTALLATION, given, problem))?)
        }
    };
    let key = file(KEY_FILE, args.github_app_private_key_file.as_deref())?;
    let app = match (&args.github_app_id, key.is_some() || installation.is_some()) {
        (Some(given), _) => app_id(given)?,
        (None, false) => return Ok(None),
        (None, true) => {
            let problem = "give the id or the client id of the App that the key belongs to";
            return Err(SettingError::missing(APP, problem));
        }
    };
    let Some(key) = key else {
        let problem = "give the file with the private key of the App";
        return Err(SettingError::missing(KEY_FILE, problem));
    };
    Ok(Some(Identity {
        app,
        organization: organization.unwrap_or_default().to_owned(),
        installation,
        key,
    }))
}

fn app_id(given: &str) -> Result<String, SettingError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    if (1..=64).contains(&given.len()) && given.bytes().all(allowed) {
        return Ok(given.to_owned());
    }
    let problem = "allowed is the id of an App, such as 1234, or its client id";
    Err(SettingError::invalid(APP, given, problem))
}

fn file(flag: &'static str, given: Option<&Path>) -> Result<Option<PathBuf>, SettingError> {
    match given {
        Some(file) if file.as_os_str().is_empty() => Err(SettingError::invalid(
            flag,
            "",
            "give a file, or leave the setting out",
        )),
        file => Ok(file.map(Path::to_path_buf)),
    }
}
