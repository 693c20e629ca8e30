//! Who writes a ledger: this process, as a candidate for the Lease, and the ledger's place under the
//! same name. `run` waits for the Lease; a command that does one thing takes it
//! ([`Candidate::take`]), or says who holds it and ends.

use kube::Client;

use super::settings::Ledger;
use crate::clock::Clock;
use crate::recorder::lease::{Candidate, Patience, machine};
use crate::recorder::status::Shared;
use crate::recorder::store::Store;

/// This process as one that would write `ledger`. Nothing may be written to the store before the
/// Lease is had, or after it is lost.
pub fn writer(
    client: Client,
    ledger: &Ledger,
    clock: Clock,
    status: Shared,
    patience: Patience,
) -> (Candidate, Store) {
    let identity = machine::identity(pod());
    let (namespace, name) = (ledger.namespace(), &ledger.name);
    let store = Store::new(client.clone(), &namespace, name, identity.to_string());
    let candidate = Candidate {
        client,
        namespace: namespace.to_string(),
        name: name.to_string(),
        identity,
        clock,
        status,
        seed: rand::random(),
        patience,
    };
    (candidate, store)
}

/// Name and uid of the pod that this runs in, if it was told by the downward API:
/// <https://kubernetes.io/docs/concepts/workloads/pods/downward-api/>.
fn pod() -> Option<(String, String)> {
    let uid = super::variable("POD_UID")?;
    let name = super::variable("POD_NAME").unwrap_or_else(machine::host_name);
    Some((name, uid))
}
