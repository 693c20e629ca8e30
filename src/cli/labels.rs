//! Labels of images: who reads them for `run`, put together. The registries' room does not know
//! Kubernetes, and the cluster's does not know registries; here the one gets its secrets from the other.

use std::sync::Arc;

use kube::Client;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::settings::Registries;
use crate::cluster::{self, PullSecrets};
use crate::registry::{LookUps, PullSecret, Reader, Secrets, Transport};

/// A reader in a task of its own, which ends with this.
#[derive(Debug)]
pub struct Labels {
    /// What is known and what is wanted.
    pub look_ups: LookUps,
    task: JoinHandle<()>,
}

impl Labels {
    /// Begins to read what will be wanted.
    pub fn start(
        settings: Registries,
        client: Client,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        let look_ups = LookUps::default();
        let secrets = settings
            .pull_secrets
            .then(|| secrets(PullSecrets::new(client)));
        let transport = Transport::new(&settings.plain, super::variable)?;
        let reader = Reader::new(transport, settings.plain, look_ups.clone(), secrets);
        let task = tokio::spawn(reader.run(stop));
        Ok(Self { look_ups, task })
    }
}

impl Drop for Labels {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn secrets(reader: PullSecrets) -> Secrets {
    Arc::new(move |account| {
        let reader = reader.clone();
        Box::pin(async move {
            let secrets = reader.of(&account).await?.into_iter();
            Ok(secrets.map(pull_secret).collect())
        })
    })
}

fn pull_secret(secret: cluster::PullSecret) -> PullSecret {
    match secret {
        cluster::PullSecret::Json(text) => PullSecret::Json(text),
        cluster::PullSecret::Cfg(text) => PullSecret::Cfg(text),
    }
}
