//! The GitHub App that the sandbox knows: its key, its installations, the tokens that were minted for
//! them, and the switches for all of these. The form of its answers is in `app/shapes.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answers::{self, Answer};
use super::call::Call;
use super::endpoint::{Endpoint, Target};
use super::jwt;
use super::rules::Refusal;
use super::{Sandbox, Stamp};

mod key;
mod shapes;

use key::Key;

/// The App's number.
pub const APP_ID: u64 = 7;
/// The App's other name, which GitHub recommends.
pub const CLIENT_ID: &str = "Iv23sandbox";

/// How long a minted token holds: "Installation tokens expire one hour from the time you create
/// them" (`contract/README.md`).
const LIFETIME: Duration = Duration::from_hours(1);

/// How the tokens of installations begin.
const PREFIX: &str = "ghs_";

/// What the App may do with artifact metadata.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Nothing.
    None,
    /// List.
    Read,
    /// List and set.
    #[default]
    Write,
}

#[derive(Debug, Default)]
pub(super) struct App {
    key: Option<Key>,
    /// By organization, in lower case.
    installations: BTreeMap<String, u64>,
    absent: BTreeSet<String>,
    suspended: BTreeSet<String>,
    tokens: BTreeMap<String, Token>,
    permission: Permission,
    /// Whether the permission is not known by name: no token can be restricted to it.
    nameless: bool,
    /// How many installations and tokens there ever were.
    count: u64,
    /// Whether no token but those of the App is accepted.
    alone: bool,
}

#[derive(Debug)]
struct Token {
    org: String,
    ends: Timestamp,
    permission: Permission,
}

impl App {
    /// Whether this may come as a token of an installation, good or not.
    pub(super) fn knows(&self, token: &str) -> bool {
        self.alone || token.starts_with(PREFIX)
    }

    /// Whether GitHub takes this JSON web token now.
    pub(super) fn admits(&self, token: &str, now: Timestamp) -> Result<(), Refusal> {
        let names = [APP_ID.to_string(), CLIENT_ID.to_owned()];
        let key = self.key.as_ref().map(Key::public);
        jwt::check(token, key, &names, now)
    }

    /// Whether this token of an installation is good for that endpoint now.
    pub(super) fn lets(&self, token: &str, target: &Target, now: Timestamp) -> Result<(), Refusal> {
        let refused = |status, message: &str| Refusal {
            status,
            message: message.to_owned(),
            details: Vec::new(),
        };
        let known = self.tokens.get(token).filter(|token| token.ends > now);
        let Some(known) = known else {
            return Err(refused(StatusCode::UNAUTHORIZED, "Bad credentials"));
        };
        let needed = if target.endpoint.writes() {
            Permission::Write
        } else {
            Permission::Read
        };
        if known.org != target.org().to_lowercase() || known.permission < needed {
            let message = "Resource not accessible by integration";
            return Err(refused(StatusCode::FORBIDDEN, message));
        }
        Ok(())
    }

    /// The number of the App's installation in an organization: there is one in each, unless a
    /// switch says otherwise.
    fn installation(&mut self, org: &str) -> Option<u64> {
        let org = org.to_lowercase();
        if self.absent.contains(&org) {
            return None;
        }
        let next = 1000 + self.count + 1;
        let number = *self.installations.entry(org).or_insert(next);
        self.count += u64::from(number == next);
        Some(number)
    }

    /// `get an organization installation for the authenticated app`.
    fn look_up(&mut self, org: &str, now: Timestamp) -> Answer {
        let suspended = self.suspended.contains(&org.to_lowercase());
        match self.installation(org) {
            Some(number) => {
                shapes::installation(org, number, self.permission, suspended.then_some(now))
            }
            None => answers::plain(404),
        }
    }

    /// `create an installation access token for an app`.
    fn mint(&mut self, number: &str, body: Option<&Value>, now: Timestamp) -> Answer {
        let known = self.installations.iter();
        let mut known = known.filter(|(_, known)| known.to_string() == number);
        let Some(org) = known.next().map(|(org, _)| org.clone()) else {
            return answers::plain(404);
        };
        if self.suspended.contains(&org) {
            return answers::error(
                StatusCode::FORBIDDEN,
                "This installation has been suspended",
            );
        }
        let wanted = body.and_then(|body| body.get("permissions"));
        let Some(permission) = self.granted(wanted) else {
            let message = "The permissions requested are not granted to this installation.";
            return answers::error(StatusCode::UNPROCESSABLE_ENTITY, message);
        };
        self.count += 1;
        let token = format!("{PREFIX}{APP_ID}_sandbox_{:06}", self.count);
        let ends = now + LIFETIME;
        let answer = shapes::token(&token, ends, permission);
        self.tokens.insert(
            token,
            Token {
                org,
                ends,
                permission,
            },
        );
        answer
    }

    /// The permission of a token for which these are wanted; none: all that the App has.
    fn granted(&self, wanted: Option<&Value>) -> Option<Permission> {
        let Some(wanted) = wanted.and_then(Value::as_object) else {
            return Some(self.permission);
        };
        let mut granted = Permission::None;
        for (name, level) in wanted {
            granted = Permission::deserialize(level).ok()?;
            if name != "artifact_metadata" || self.nameless || granted > self.permission {
                return None;
            }
        }
        Some(granted)
    }
}

/// What an App asks for as itself. `None`: this is not one of its endpoints.
pub(super) fn answer(sandbox: &Sandbox, call: &Call, stamp: Stamp) -> Option<Answer> {
    let target = call.target.as_ref()?;
    let app = &mut sandbox.world().app;
    match target.endpoint {
        Endpoint::GetInstallation => Some(app.look_up(target.org(), stamp.time)),
        Endpoint::CreateInstallationToken => {
            let number = target.parameter("installation_id");
            Some(app.mint(number, call.body.as_deref(), stamp.time))
        }
        Endpoint::CreateDeploymentRecord
        | Endpoint::SetClusterRecords
        | Endpoint::CreateJob
        | Endpoint::GetJob
        | Endpoint::CreateStorageRecord
        | Endpoint::ListDeploymentRecords
        | Endpoint::ListStorageRecords => None,
    }
}

/// What of the App is to change; what is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AppChange {
    /// The public key in PEM that signatures are checked with from now on; the sandbox cannot serve
    /// the private one.
    pub public_key: Option<String>,
    /// `true`: a new key pair; what the former one signs is refused.
    pub rotate: bool,
    /// `true`: every token minted so far is refused.
    pub revoke: bool,
    /// Whether no token but those minted for the App is accepted.
    pub only: Option<bool>,
    /// What the App may do with artifact metadata.
    pub permission: Option<Permission>,
    /// Whether tokens can be restricted to a permission by its name.
    pub restrictable: Option<bool>,
    /// By organization: whether the App is installed. An installation that comes back has another
    /// number.
    pub installed: BTreeMap<String, bool>,
    /// By organization: whether the installation is suspended.
    pub suspended: BTreeMap<String, bool>,
}

impl Sandbox {
    /// The App's private key in PEM, as GitHub hands it out; made when it is first asked for. None
    /// where only a public key was given.
    pub fn app_key(&self) -> Option<String> {
        let key = &mut self.world().app.key;
        key.get_or_insert_with(Key::generate).private()
    }

    /// The number of the App's installation in that organization, if it is installed there.
    pub fn installation(&self, org: &str) -> Option<u64> {
        self.world().app.installation(org)
    }

    /// Changes the App. An error says which part of a change is not possible; nothing is changed
    /// then.
    pub fn change_app(&self, change: AppChange) -> Result<(), &'static str> {
        let key = match (change.public_key, change.rotate) {
            (Some(pem), _) => Some(Key::given(&pem).ok_or("public_key is no public key in PEM")?),
            (None, true) => Some(Key::generate()),
            (None, false) => None,
        };
        let app = &mut self.world().app;
        app.key = key.or(app.key.take());
        app.alone = change.only.unwrap_or(app.alone);
        app.permission = change.permission.unwrap_or(app.permission);
        app.nameless = change.restrictable.map_or(app.nameless, |may| !may);
        for (org, installed) in change.installed {
            let org = org.to_lowercase();
            if installed {
                app.absent.remove(&org);
            } else {
                app.installations.remove(&org);
                app.tokens.retain(|_, token| token.org != org);
                app.absent.insert(org);
            }
        }
        for (org, suspended) in change.suspended {
            let org = org.to_lowercase();
            if suspended {
                app.tokens.retain(|_, token| token.org != org);
                app.suspended.insert(org);
            } else {
                app.suspended.remove(&org);
            }
        }
        if change.revoke {
            app.tokens.clear();
        }
        Ok(())
    }

    /// What a client needs to sign in as the App, as JSON.
    pub(super) fn app(&self, org: Option<&str>) -> Value {
        json!({
            "app_id": APP_ID,
            "client_id": CLIENT_ID,
            "installation_id": org.and_then(|org| self.installation(org)),
            "private_key": self.app_key(),
        })
    }
}
