//! The Lease for whoever only looks: what keeping it takes, and how it stands. Nothing is claimed here.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::Resource;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Client;
use tokio::time::sleep;

use crate::recorder::rights::Access;

use super::RETRY;
use super::calls::{Doing, Leases};
use super::election::Seen;
use super::error::LeaseError;
use super::identity::{described, pod_of};

/// What keeping the Lease `name` asks of the API server, as RBAC has it.
pub fn access(name: &str) -> Vec<Access> {
    let of = |doing: Doing| Access {
        group: Lease::GROUP,
        resource: Lease::URL_PATH_SEGMENT,
        verb: doing.verb(),
        // What is only to be created has no name yet.
        name: (doing != Doing::Creating).then(|| name.to_owned()),
    };
    Doing::ALL.map(of).into()
}

/// How it stands with a Lease, for whoever only looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Who has it, as people know it; `None` where nobody has.
    pub holder: Option<String>,
    /// The pod in which the holder runs, if it runs in one.
    pub pod: Option<String>,
    /// When it was renewed last, by the holder's clock.
    pub renewed: Option<Timestamp>,
}

/// An error if another process has the Lease `name` and is seen to renew it. For whoever is going to
/// want it and would rather know before they do much else: it says nothing of later.
pub async fn is_free(client: Client, namespace: &str, name: &str) -> Result<(), LeaseError> {
    /// Its holder renews it meanwhile, if it is alive.
    const WHILE: Duration = RETRY.saturating_add(Duration::from_secs(1));
    let leases = Leases::new(client, namespace, name);
    let held = |seen: &Seen<_>| !seen.record.holder.is_empty();
    let Some(before) = leases.read().await?.filter(held) else {
        return Ok(());
    };
    sleep(WHILE).await;
    match leases.read().await?.filter(held) {
        Some(after) if after.record != before.record => Err(LeaseError::Held {
            lease: leases.place(),
            holder: after.record.holder,
        }),
        _ => Ok(()),
    }
}

/// Looks at the Lease `name`; `None` where there is none yet.
pub async fn look(
    client: Client,
    namespace: &str,
    name: &str,
) -> Result<Option<Standing>, LeaseError> {
    let seen = Leases::new(client, namespace, name).read().await?;
    Ok(seen.map(|seen| {
        let holder = Some(seen.record.holder).filter(|holder| !holder.is_empty());
        Standing {
            pod: holder.as_deref().and_then(pod_of),
            holder: holder.map(|holder| described(&holder)),
            renewed: seen.record.renewed,
        }
    }))
}
