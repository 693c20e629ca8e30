//! One look at a cluster, for commands that need no more: connect, wait for the first whole lists,
//! and say what could not be read.

use std::time::Duration;

use kube::Client;

use super::settings::{self, Connection};
use crate::cluster::{self, Cluster, ConnectError, MirrorHealth, MirrorState, Scope, connect};
use crate::model::ledger::Ledger;
use crate::model::moment::Moment;
use crate::model::others;
use crate::recorder::REACH;
use crate::recorder::store::Store;

/// How long the first whole lists may take.
pub(super) const FIRST_LISTS: Duration = Duration::from_mins(1);

/// A cluster that was looked at.
pub struct Look {
    /// The way to its API server.
    pub client: Client,
    /// What is seen.
    pub cluster: Cluster,
}

/// The API server that the settings name, once it answers, which it does within `limit` or not at
/// all.
pub async fn reached(
    connection: &Connection,
    limit: Duration,
) -> Result<cluster::Connection, ConnectError> {
    let Connection {
        kubeconfig,
        context,
    } = connection;
    let connection = connect(kubeconfig.as_deref(), context.as_deref()).await?;
    connection.reach(limit).await?;
    Ok(connection)
}

impl Look {
    /// Looks at the cluster until everything is read, or for as long as is worth waiting.
    pub async fn at(connection: &Connection, scope: Scope) -> anyhow::Result<Self> {
        let client = reached(connection, REACH).await?.client;
        let cluster = Cluster::start(client.clone(), scope, rand::random());
        cluster.first_look(FIRST_LISTS).await;
        Ok(Self { client, cluster })
    }

    /// The ledger as it is stored, if there is one; the kinds that it names are looked at too. An error
    /// if it is known to be another cluster's.
    pub async fn stored(&self, ledger: &settings::Ledger) -> anyhow::Result<Option<Ledger>> {
        let namespace = ledger.namespace();
        let client = self.client.clone();
        // Nothing is written to it, so nobody holds it.
        let mut store = Store::new(client, &namespace, &ledger.name, String::new());
        let stored = store.load(Moment::START).await?;
        if let Ok((namespace, uid)) = self.cluster.identity(&namespace).await {
            store.check_cluster(&namespace, &uid)?;
        }
        if let Some(ledger) = &stored {
            self.cluster.remember(others::in_ledger(ledger));
            self.cluster.first_look(FIRST_LISTS).await;
        }
        Ok(stored)
    }

    /// What is not fully read, and why. What the recorder does without is a Gap.
    pub fn unread(&self) -> Vec<String> {
        let health = self.cluster.health().into_iter();
        let unread = health
            .filter(|mirror| mirror.state != MirrorState::Synced && !mirror.is_done_without());
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

    /// The namespaces that were named one by one and do not exist, each in a line.
    pub fn missing(&self) -> Vec<String> {
        missing(&self.cluster.health())
    }
}

/// What is not fully read, in a line: the first few, and how many more. Whoever names many namespaces
/// without a right in them has a line for each kind in each of them.
pub fn told(unread: &[String]) -> String {
    const FIRST: usize = 5;
    let first = unread.get(..FIRST).unwrap_or(unread).join("; ");
    match unread.len().saturating_sub(FIRST) {
        0 => first,
        more => format!("{first}; and {more} more"),
    }
}

/// A namespace that is watched with all others has no mirror of its own.
fn missing(mirrors: &[MirrorHealth]) -> Vec<String> {
    let named = mirrors.iter().filter(|mirror| {
        let is_read = mirror.state == MirrorState::Synced;
        mirror.kind.kind() == "Namespace" && is_read && mirror.objects == 0
    });
    named
        .filter_map(|mirror| mirror.namespace.as_deref())
        .map(|name| format!("There is no namespace {name}, which --namespaces names."))
        .collect()
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;
    use crate::model::workload::Kind;

    #[test]
    fn of_many_that_are_not_read_the_first_are_named_and_the_others_counted() {
        let unread: Vec<String> = (0..700).map(|number| format!("Pod in {number}")).collect();
        assert_eq!(told(&[]), "");
        assert_eq!(told(&unread[..1]), "Pod in 0");
        let five = "Pod in 0; Pod in 1; Pod in 2; Pod in 3; Pod in 4";
        assert_eq!(told(&unread[..5]), five);
        assert_eq!(told(&unread[..6]), format!("{five}; and 1 more"));
        assert_eq!(told(&unread), format!("{five}; and 695 more"));
    }

    #[test]
    fn a_namespace_is_missing_only_where_it_was_asked_for_and_the_answer_was_no() {
        let mirror = |kind: &str, namespace: Option<&str>, state, objects| MirrorHealth {
            kind: Kind::new("", kind),
            namespace: namespace.map(Into::into),
            state,
            since: Instant::now(),
            was_synced: true,
            error: None,
            given_up: false,
            objects,
        };
        let synced = MirrorState::Synced;
        let mirrors = [
            mirror("Pod", Some("shpo"), synced, 0),
            mirror("Namespace", Some("shpo"), synced, 0),
            mirror("Namespace", Some("shop"), synced, 1),
            mirror("Namespace", Some("closed"), MirrorState::Forbidden, 0),
            mirror("Namespace", None, synced, 0),
        ];
        let expected = ["There is no namespace shpo, which --namespaces names."];
        assert_eq!(missing(&mirrors), expected);
    }
}
