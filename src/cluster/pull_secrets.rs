//! Pull secrets: those that a pod names, else those of its service account, read by their names when
//! they are asked for and forgotten soon. Nothing else in this house reads a Secret.

mod remembered;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::{Secret, ServiceAccount};
use kube::{Api, Client};
use secrecy::SecretString;
use tokio::time::timeout;

use crate::model::facts::Pull;
use crate::model::origin::Account;

use super::calls::{bounded, describe};

use remembered::Remembered;

/// What is done with each of them, as RBAC calls it.
pub(super) const VERB: &str = "get";

/// What is read, by the plurals of their kinds.
pub(super) const RESOURCES: [&str; 2] = ["secrets", "serviceaccounts"];

/// How many secrets of one pod are read, and how long one may be, in bytes. Whoever makes a pod names as many
/// as they like, of up to a megabyte each.
const MOST_NAMES: usize = 16;
const LONGEST: usize = 64 * 1024;

/// All that is read for one account must be answered within this time.
const READ_WITHIN: Duration = Duration::from_secs(10);

/// A pull secret.
#[derive(Clone, Debug)]
pub enum PullSecret {
    /// Of type `kubernetes.io/dockerconfigjson`.
    Json(SecretString),
    /// Of type `kubernetes.io/dockercfg`.
    Cfg(SecretString),
}

/// Reads pull secrets. Clones share what is remembered.
#[derive(Clone)]
pub struct PullSecrets {
    client: Client,
    remembered: Arc<Mutex<Remembered>>,
}

impl PullSecrets {
    /// A reader by this client.
    pub fn new(client: Client) -> Self {
        Self {
            client: bounded(client),
            remembered: Arc::default(),
        }
    }

    /// The pull secrets of an account. One that does not exist or is of another type is none: the
    /// kubelet goes on without it too.
    ///
    /// # Errors
    ///
    /// What the API server says, without anything of a secret.
    pub async fn of(&self, account: &Account) -> Result<Vec<PullSecret>, String> {
        let known = self.remembered().of(account);
        if let Some(known) = known {
            return Ok(known);
        }
        let read = timeout(READ_WITHIN, self.read(&account.namespace, &account.pull)).await;
        let read = read.map_err(|_| format!("no answer within {READ_WITHIN:?}"))??;
        self.remembered().keep(account, &read);
        Ok(read)
    }

    async fn read(&self, namespace: &str, pull: &Pull) -> Result<Vec<PullSecret>, String> {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        let mut names: Vec<String> = pull
            .secrets
            .iter()
            .map(|name| (**name).to_owned())
            .collect();
        if names.is_empty() {
            // Admission gives the account's to each new pod that names none; older pods lack them:
            // https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#add-imagepullsecrets-to-a-service-account
            names = self
                .of_service_account(namespace, &pull.service_account)
                .await?;
        }
        let mut seen = HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
        let mut read = Vec::new();
        for name in names.into_iter().take(MOST_NAMES) {
            let secret = secrets.get_opt(&name).await;
            let secret = secret.map_err(|error| describe(&error))?;
            read.extend(secret.and_then(pull_secret));
        }
        Ok(read)
    }

    async fn of_service_account(&self, namespace: &str, name: &str) -> Result<Vec<String>, String> {
        if name.is_empty() {
            return Ok(Vec::new());
        }
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client.clone(), namespace);
        let account = accounts.get_opt(name).await;
        let account = account.map_err(|error| describe(&error))?;
        let named = account.and_then(|account| account.image_pull_secrets);
        let named = named.into_iter().flatten();
        Ok(named
            .map(|secret| secret.name)
            .filter(|name| !name.is_empty())
            .collect())
    }

    fn remembered(&self) -> MutexGuard<'_, Remembered> {
        self.remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The types and their keys: <https://kubernetes.io/docs/concepts/configuration/secret/#docker-config-secrets>
fn pull_secret(secret: Secret) -> Option<PullSecret> {
    let mut data = secret.data?;
    let mut text = |key: &str| -> Option<SecretString> {
        let bytes = data.remove(key)?.0;
        let bytes = (bytes.len() <= LONGEST).then_some(bytes)?;
        String::from_utf8(bytes).ok().map(Into::into)
    };
    match secret.type_.as_deref()? {
        "kubernetes.io/dockerconfigjson" => text(".dockerconfigjson").map(PullSecret::Json),
        "kubernetes.io/dockercfg" => text(".dockercfg").map(PullSecret::Cfg),
        _ => None,
    }
}
