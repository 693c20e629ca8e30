//! Who signs in where: each organization with the token that is meant for it, and with no other. One
//! token may do for several; a GitHub App has a token of its own for each organization, because it
//! is installed in each. Letter case makes no other organization.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::app::{App, Apps};
use super::{Credentials, CredentialsError};
use crate::github::pace::Signers;

/// Who signs in where. Clones share what they know.
#[derive(Clone, Debug)]
pub struct Keyring(Arc<Ring>);

#[derive(Debug)]
struct Ring {
    /// For organizations with a token of their own, by name in lower case.
    own: BTreeMap<String, Credentials>,
    others: Others,
}

/// Who signs in at all other organizations.
#[derive(Debug)]
enum Others {
    /// The same token for each of them.
    Token(Credentials),
    /// A GitHub App, with the installation that each of them has.
    App(Box<Installations>),
}

/// The installations of a GitHub App.
struct Installations {
    apps: Apps,
    /// Those that somebody asked for, by name of their organization in lower case. An organization
    /// that nobody knows is not asked for twice in vain: each remembers its own failures.
    known: Mutex<BTreeMap<String, Credentials>>,
}

impl fmt::Debug for Installations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Installations").field(&self.apps).finish()
    }
}

impl From<Credentials> for Keyring {
    /// The same for every organization.
    fn from(credentials: Credentials) -> Self {
        Self::new(Others::Token(credentials))
    }
}

impl From<Apps> for Keyring {
    /// The App's own installation in each organization.
    fn from(apps: Apps) -> Self {
        let known = Mutex::default();
        Self::new(Others::App(Box::new(Installations { apps, known })))
    }
}

impl Keyring {
    fn new(others: Others) -> Self {
        let own = BTreeMap::new();
        Self(Arc::new(Ring { own, others }))
    }

    /// The same, but for these organizations, each of which has a token of its own.
    #[must_use]
    pub fn with(self, own: impl IntoIterator<Item = (Arc<str>, Credentials)>) -> Self {
        let own = own.into_iter();
        let own = own.map(|(organization, credentials)| (folded(&organization), credentials));
        let own: BTreeMap<String, Credentials> = own.collect();
        let others = match &self.0.others {
            Others::Token(credentials) => Others::Token(credentials.clone()),
            Others::App(installations) => Others::App(Box::new(Installations {
                apps: installations.apps.clone(),
                known: Mutex::default(),
            })),
        };
        Self(Arc::new(Ring { own, others }))
    }

    /// Who signs in at this organization.
    pub fn of(&self, organization: &str) -> Credentials {
        let key = folded(organization);
        if let Some(own) = self.0.own.get(&key) {
            return own.clone();
        }
        match &self.0.others {
            Others::Token(credentials) => credentials.clone(),
            Others::App(installations) => installations.of(organization, key),
        }
    }

    /// Whether everything is there that no one but this machine can be asked for: the App's key or the
    /// token of most organizations. Those of single ones are [`Keyring::own`].
    pub async fn check(&self) -> Result<(), CredentialsError> {
        match &self.0.others {
            Others::Token(credentials) => credentials.check().await,
            Others::App(installations) => installations.apps.check().await,
        }
    }

    /// The organizations with a token of their own, in lower case.
    pub fn own(&self) -> impl Iterator<Item = (&str, &Credentials)> {
        let own = self.0.own.iter();
        own.map(|(organization, credentials)| (organization.as_str(), credentials))
    }

    /// Who is limited where GitHub limits.
    pub fn signers(&self) -> Signers {
        match &self.0.others {
            Others::Token(_) => Signers::default(),
            Others::App(_) => Signers::app_but_for(self.0.own.keys()),
        }
    }

    /// Forgets what came of signing in at all organizations but these, to which something goes.
    pub fn keep(&self, is_wanted: impl Fn(&str) -> bool) {
        if let Others::App(installations) = &self.0.others {
            installations.known().retain(|name, _| is_wanted(name));
        }
    }
}

impl Installations {
    fn of(&self, organization: &str, key: String) -> Credentials {
        // Nothing that may fail is done under the lock.
        let new = || Credentials::from_app(App::of(&self.apps, organization));
        self.known().entry(key).or_insert_with(new).clone()
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, Credentials>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name of an organization without its letter case.
pub(in crate::github) fn folded(organization: &str) -> String {
    organization.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Duration;

    use bytes::Bytes;
    use http::Response;
    use tower::service_fn;

    use super::super::app;
    use super::*;
    use crate::clock::Clock;
    use crate::github::samples;

    async fn header(keyring: &Keyring, organization: &str) -> String {
        let header = keyring.of(organization).authorization().await.unwrap();
        header.to_str().unwrap().to_owned()
    }

    fn token(text: &str) -> Credentials {
        Credentials::from_value(text.to_owned().into())
    }

    #[tokio::test]
    async fn an_organization_with_a_token_of_its_own_gets_no_other_and_nobody_else_gets_it() {
        let keyring = Keyring::from(token("all")).with([("Tools".into(), token("own"))]);
        for (organization, expected) in [
            ("acme", "Bearer all"),
            ("tools", "Bearer own"),
            ("TOOLS", "Bearer own"),
            ("tools-2", "Bearer all"),
            ("", "Bearer all"),
        ] {
            let header = header(&keyring, organization).await;
            assert_eq!(header, expected, "{organization:?}");
        }
        assert!(!format!("{keyring:?}").contains("own\""), "{keyring:?}");
    }

    #[test]
    fn an_organization_to_which_nothing_goes_is_forgotten_and_known_anew_when_it_comes_back() {
        let identity = app::Identity {
            app: "7".to_owned(),
            organization: "acme".to_owned(),
            installation: None,
            key: "/nonexistent/key".into(),
        };
        let way = app::Way {
            api: samples::api(),
            version: samples::version(),
            timeout: Duration::from_secs(30),
            clock: Clock::real(),
        };
        let never = service_fn(|_| std::future::pending::<io::Result<Response<Bytes>>>());
        let keyring = Keyring::from(Apps::new(identity, way, never));
        let keyring = keyring.with([("Tools".into(), token("own"))]);
        for organization in ["acme", "Games", "music", "tools"] {
            keyring.of(organization);
        }
        keyring.clone().keep(|name| name == "games");
        let Others::App(installations) = &keyring.0.others else {
            panic!("the App signs in");
        };
        let known: Vec<String> = installations.known().keys().cloned().collect();
        assert_eq!(known, ["games"]);
        assert_eq!(keyring.own().count(), 1, "what settings name stays");
    }

    #[tokio::test]
    async fn the_token_of_most_organizations_is_checked_and_those_of_single_ones_are_listed() {
        let missing = Credentials::from_file("/nonexistent/token".as_ref());
        let keyring = Keyring::from(token("all")).with([("Tools".into(), missing.clone())]);
        assert!(keyring.check().await.is_ok());
        let own: Vec<&str> = keyring
            .own()
            .map(|(organization, _)| organization)
            .collect();
        assert_eq!(own, ["tools"]);
        assert!(Keyring::from(missing).check().await.is_err());
    }
}
