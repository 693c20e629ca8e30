//! Opening the ledger when a process starts: read, known to be this cluster's, and taken over. Who
//! may do that is the Lease's matter; what is done with the ledger then, the cycle's.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::cluster::Cluster;
use crate::model::ledger::Ledger;

use super::clock::Clock;
use super::status::Shared;
use super::store::{Store, StoreError};
use super::{Error, REACH, Settings, chain};

/// Reads the ledger and takes it over, trying again while the API server does not answer.
pub(super) async fn open(
    store: &mut Store,
    cluster: &Cluster,
    settings: &Settings,
    uids: &mut BTreeMap<String, String>,
    clock: &Clock,
    dry: bool,
    status: &Shared,
) -> Result<Ledger, Error> {
    let give_up = Instant::now() + REACH;
    loop {
        let attempt = async {
            let loaded = store.load(clock.now()).await?;
            if let Some((namespace, uid)) = cluster.identity(&settings.ledger_namespace).await {
                store.check_cluster(&namespace, &uid)?;
                uids.insert(namespace.to_string(), uid.to_string());
            }
            status.lock().first_start |= loaded.is_none();
            let mut ledger = loaded.unwrap_or_default();
            if !dry {
                store.take_over(&mut ledger, uids, clock.now()).await?;
            }
            Ok::<_, StoreError>(ledger)
        };
        match attempt.await {
            Ok(ledger) => {
                if status.lock().first_start {
                    let (namespace, name) = store.place();
                    tracing::warn!(namespace, name, "no ledger yet: this is the first start");
                }
                return Ok(ledger);
            }
            Err(error) if error.is_passing() && Instant::now() < give_up => {
                tracing::warn!(error = chain(&error), "ledger not read yet");
                sleep(Duration::from_secs(1)).await;
            }
            Err(error) => return Err(Error::Store(error)),
        }
    }
}
