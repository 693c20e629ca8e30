//! One look at a cluster, for commands that need no more: connect, wait for the first whole lists,
//! and say what could not be read.

use std::time::Duration;

use kube::Client;

use super::settings::Connection;
use crate::cluster::{Cluster, MirrorState, Scope, connect};
use crate::recorder::REACH;

/// How long the first whole lists may take.
pub(super) const FIRST_LISTS: Duration = Duration::from_mins(1);

/// A cluster that was looked at.
pub struct Look {
    /// The way to its API server.
    pub client: Client,
    /// What is seen.
    pub cluster: Cluster,
}

impl Look {
    /// Looks at the cluster until everything is read, or for as long as is worth waiting.
    pub async fn at(connection: &Connection, scope: Scope) -> anyhow::Result<Self> {
        let Connection {
            kubeconfig,
            context,
        } = connection;
        let connection = connect(kubeconfig.as_deref(), context.as_deref()).await?;
        connection.reach(REACH).await?;
        let client = connection.client;
        let cluster = Cluster::start(client.clone(), scope, rand::random());
        cluster.first_look(FIRST_LISTS).await;
        Ok(Self { client, cluster })
    }

    /// What is not fully read, and why.
    pub fn unread(&self) -> Vec<String> {
        let health = self.cluster.health().into_iter();
        let unread = health.filter(|mirror| mirror.state != MirrorState::Synced);
        unread
            .map(|mirror| {
                let place = mirror
                    .namespace
                    .map(|name| format!(" in {name}"))
                    .unwrap_or_default();
                let error = mirror.error.as_deref().unwrap_or("its list takes too long");
                format!("{}{place} ({})", mirror.kind, error)
            })
            .collect()
    }
}
