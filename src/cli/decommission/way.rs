//! What comes before a ledger is taken in hand: whoever keeps it is scaled to nothing, if that is asked
//! for, and the Lease waited for. Nothing is read of the ledger here, because its keeper may write it
//! until then.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use kube::Client;

use crate::cli::progress::Progress;
use crate::cli::settings::Decommission;
use crate::cli::waits::written;
use crate::recorder::lease::{LeaseError, Scaled, scale_down, until_free};

/// Makes way, and says what was done for that. An error if the Lease is not free in time.
pub(super) async fn clear(client: &Client, settings: &Decommission) -> anyhow::Result<()> {
    let (namespace, within) = (settings.ledger.namespace(), settings.lease_timeout);
    let progress = Progress::on_stderr();
    if let Some(name) = &settings.scale_down {
        let scaled = scale_down(client.clone(), &namespace, name).await?;
        progress.say(&said(scaled, &namespace, name));
    }
    let mut known = BTreeSet::new();
    let told = |error: &LeaseError| {
        if known.insert(error.to_string()) {
            progress.say(&why(error, within));
        }
        progress.show("Waiting for the Lease.");
    };
    let free = until_free(client, &namespace, &settings.ledger.name, within, told).await;
    progress.clear();
    if within.is_zero() {
        return Ok(free?);
    }
    free.with_context(|| format!("after {} of waiting", written(within)))
}

fn said(scaled: Scaled, namespace: &Arc<str>, name: &Arc<str>) -> String {
    match scaled {
        Scaled::Down { pods: 0 } => {
            format!("Deployment {namespace}/{name} is scaled to 0 and has no pods.")
        }
        Scaled::Down { pods } => {
            format!("Deployment {namespace}/{name} is scaled to 0; its pods end now: {pods}.")
        }
        Scaled::Absent => format!("There is no Deployment {namespace}/{name} to scale to 0."),
    }
}

/// Why it is waited on.
fn why(error: &LeaseError, within: Duration) -> String {
    let at_most = written(within);
    match error.holder() {
        Some((lease, holder)) => {
            format!("Lease {lease} is held by {holder}; it is waited for, at most {at_most}.")
        }
        None => format!("{error}; tried again, for at most {at_most}."),
    }
}
