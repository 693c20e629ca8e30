//! The Lease for whoever only looks: what keeping it takes, and how it stands. Nothing is claimed here.

use jiff::Timestamp;
use k8s_openapi::Resource;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Client;

use crate::recorder::rights::Access;

use super::calls::{Doing, Leases};
use super::error::LeaseError;
use super::identity::described;

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
    /// When it was renewed last, by the holder's clock.
    pub renewed: Option<Timestamp>,
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
            holder: holder.map(|holder| described(&holder)),
            renewed: seen.record.renewed,
        }
    }))
}
