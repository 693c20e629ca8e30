//! What a check saw of each organization in the cluster and in the ledger: what may be asked of GitHub.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::cli::settings;
use crate::github::pace::Access;
use crate::model::comparison::Expected;
use crate::model::image::Digest;
use crate::model::inventory::Inventory;
use crate::model::ledger::Ledger;
use crate::model::plan::Plan;

/// What was seen in the cluster.
#[derive(Default)]
pub(super) struct Seen {
    /// What was seen of each organization, but of those about which nothing was.
    pub(super) organizations: BTreeMap<Access, Part>,
    /// What GitHub is to hold; `None` where the ledger cannot be read, or is another cluster's.
    pub(super) expected: Option<Expected>,
}

/// What was seen of one organization.
#[derive(Default)]
pub(super) struct Part {
    /// How it is spelled.
    pub(super) organization: Arc<str>,
    /// The digests that run and would be recorded there.
    pub(super) running: BTreeSet<Digest>,
    /// The digests of records that GitHub has acknowledged there.
    pub(super) held: BTreeSet<Digest>,
}

/// What is known of each organization that settings, namespaces, images or the ledger name.
pub(super) fn parts(
    run: &settings::Run,
    inventory: &Inventory,
    plan: &Plan,
    ledger: &Ledger,
) -> BTreeMap<Access, Part> {
    let host = &run.policy.destination.host;
    let mut parts = BTreeMap::new();
    let fixed = run.policy.organizations.fixed();
    let places = inventory.destinations(&run.policy.selection);
    let named = fixed.chain(places.map(|place| &place.organization));
    for organization in named {
        part(&mut parts, host, organization);
    }
    for step in plan.reports.iter().chain(&plan.unchanged) {
        let organization = &step.line.identity.destination.organization;
        let digest = step.line.body.digest;
        part(&mut parts, host, organization).running.insert(digest);
    }
    let entries = ledger.entries();
    for (identity, entry) in entries.filter(|(identity, _)| run.policy.is_here(identity)) {
        if let Some(held) = &entry.held {
            let organization = &identity.destination.organization;
            part(&mut parts, host, organization)
                .held
                .insert(held.digest);
        }
    }
    parts
}

/// What is known of an organization, so far.
fn part<'a>(
    parts: &'a mut BTreeMap<Access, Part>,
    host: &str,
    organization: &Arc<str>,
) -> &'a mut Part {
    let new = || Part {
        organization: organization.clone(),
        ..Part::default()
    };
    let access = Access::new(host, organization);
    parts.entry(access).or_insert_with(new)
}
