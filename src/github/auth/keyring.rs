//! Who signs in where: each organization with the token that is meant for it, and with no other. One
//! token may do for several; a GitHub App has a token of its own for each organization, because it
//! is installed in each. Letter case makes no other organization.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

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

    /// Which organizations share what GitHub counts by the token.
    pub fn signers(&self) -> Signers {
        match &self.0.others {
            Others::Token(_) => Signers::shared_but_for(self.0.own.keys()),
            Others::App(_) => Signers::each(),
        }
    }
}

impl Installations {
    fn of(&self, organization: &str, key: String) -> Credentials {
        // Nothing that may fail is done under the lock.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Credentials::from_app(App::of(&self.apps, organization));
        known.entry(key).or_insert_with(new).clone()
    }
}

/// The name of an organization without its letter case.
pub(in crate::github) fn folded(organization: &str) -> String {
    organization.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

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
