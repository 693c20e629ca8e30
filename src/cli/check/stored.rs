//! What a check finds of the ledger and of its Lease.

use std::sync::Arc;

use kube::Client;

use super::report::Report;
use crate::cli::settings;
use crate::cluster::Cluster;
use crate::model::ledger::Ledger;
use crate::model::moment::Moment;
use crate::recorder::store::{Store, StoreError};
use crate::recorder::{chain, lease};

/// Reads the ledger. Returns how many shards it has, and the ledger if it is known to be what `run`
/// would begin with: an empty one where there is none yet.
pub(super) async fn of_ledger(
    run: &settings::Run,
    client: &Client,
    cluster: &Cluster,
    identity: Option<&(Arc<str>, Arc<str>)>,
    report: &mut Report,
) -> (usize, Option<Ledger>) {
    let (namespace, name) = (run.ledger.namespace(), &run.ledger.name);
    let mut store = Store::new(client.clone(), &namespace, name, String::new());
    let loaded = store.load(Moment::START).await;
    let loaded = loaded.and_then(|ledger| match identity {
        Some((namespace, uid)) => store.check_cluster(namespace, uid).map(|()| ledger),
        None => Ok(ledger),
    });
    let place = format!("{name} in {namespace}");
    let ledger = match loaded {
        Err(error) => {
            let todo = match &error {
                StoreError::Call { .. } => "see what is said of rights, and check again",
                // These say themselves what to do.
                StoreError::Missing { .. }
                | StoreError::Unreadable { .. }
                | StoreError::Taken { .. }
                | StoreError::OtherCluster { .. }
                | StoreError::Deposed { .. } => "",
            };
            report.failed("ledger", chain(&error), todo);
            None
        }
        Ok(None) if cluster.has_namespace(&namespace).await == Some(false) => {
            let todo = format!("kubectl create namespace {namespace}, or set --ledger-namespace");
            report.failed(
                "ledger",
                format!("there is no namespace {namespace}"),
                &todo,
            );
            None
        }
        Ok(None) => {
            let what = format!(
                "there is no ledger {place} yet: the first start makes one. If there was one, \
                 restore it before that"
            );
            report.ok("ledger", what);
            Some(Ledger::default())
        }
        Ok(Some(ledger)) => {
            let whose = match identity {
                Some(_) => "of this cluster",
                None => "of a cluster that is not known",
            };
            let what = format!(
                "{place} is {whose} and holds {} records in {} shards",
                ledger.len(),
                store.shards()
            );
            report.ok("ledger", what);
            Some(ledger)
        }
    };
    (store.shards(), ledger)
}

pub(super) async fn of_lease(run: &settings::Run, client: &Client, report: &mut Report) {
    if run.dry_run {
        report.skipped("lease", "a dry run writes nothing and needs none");
        return;
    }
    let (namespace, name) = (run.ledger.namespace(), &run.ledger.name);
    match lease::look(client.clone(), &namespace, name).await {
        Err(error) => report.failed("lease", chain(&error), ""),
        Ok(None) => report.ok("lease", "there is none yet: whoever starts first makes it"),
        Ok(Some(lease::Standing { holder: None, .. })) => report.ok("lease", "nobody holds it"),
        Ok(Some(lease::Standing {
            holder: Some(holder),
            renewed,
            ..
        })) => {
            let renewed =
                renewed.map_or_else(String::new, |at| format!(", who renewed it at {at}"));
            report.ok("lease", format!("held by {holder}{renewed}"));
        }
    }
}
