//! What GitHub is to hold, by identity, as far as it can be known: the plan's word for what runs,
//! the ledger's for what is under way. Also which digests have to be asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::facts::Facts;
use crate::model::image::Digest;
use crate::model::inventory::Inventory;
use crate::model::ledger::{Ledger, Owner};
use crate::model::moment::Moment;
use crate::model::plan::{Plan, Step};
use crate::model::policy::Policy;
use crate::model::record::{Body, Destination, Identity, Status, is_same_name};
use crate::model::selection::Selection;
use crate::model::workload::Source;

use super::Listed;
use super::adoption::{self, Artifacts};
use super::wanted::{Right, Wanted, source_of};

/// What GitHub is to hold.
#[derive(Debug)]
pub struct Expected {
    pub(super) wanted: BTreeMap<Identity, Wanted>,
    /// Every name that the ledger has, also those that are not compared.
    known: BTreeSet<Identity>,
    past: BTreeMap<Identity, Digest>,
    /// Where records of this cluster go.
    home: Arc<Destination>,
    /// Every destination of this cluster's.
    ours: BTreeSet<Arc<Destination>>,
    /// The organizations of these.
    organizations: Vec<Arc<str>>,
    digests: BTreeMap<Arc<str>, BTreeSet<Digest>>,
    pub(super) artifacts: Artifacts,
    /// Whose a name may be: sources that some pod's spec names, running or not.
    pub(super) present: BTreeMap<Identity, Source>,
}

impl Expected {
    /// What GitHub is to hold of `facts` and `ledger`. Namespaces that the settings do not name are
    /// left out of it, whatever the ledger has of them.
    pub fn new(facts: &Facts, ledger: &Ledger, policy: &Policy) -> Self {
        let inventory = Inventory::new(facts, policy);
        let plan = Plan::new(ledger, &inventory, policy, Moment::START);
        let mut expected = Self {
            wanted: BTreeMap::new(),
            known: ledger
                .entries()
                .map(|(identity, _)| identity.clone())
                .collect(),
            past: ledger
                .past()
                .map(|(identity, digest)| (identity.clone(), digest))
                .collect(),
            home: policy.destination.clone(),
            ours: BTreeSet::from([policy.destination.clone()]),
            organizations: Vec::new(),
            digests: BTreeMap::new(),
            artifacts: adoption::artifacts(facts, ledger, &plan, policy),
            present: adoption::present(&inventory, policy),
        };
        let namespaces = inventory.destinations(&policy.selection);
        expected.ours.extend(namespaces.cloned());
        let ours = expected.ours.iter().map(|place| &place.organization);
        let ours: BTreeSet<Arc<str>> = ours.chain(policy.organizations.fixed()).cloned().collect();
        expected.organizations = ours.into_iter().collect();
        expected.note_running(facts, &inventory, &policy.selection);
        expected.note_entries(ledger, &plan, policy);
        expected.note_newcomers(&plan);
        expected
    }

    /// A digest that runs is asked for where its record goes, whether or not there is one.
    fn note_running(&mut self, facts: &Facts, inventory: &Inventory, selection: &Selection) {
        let home = self.home.clone();
        self.digests_of(&home.organization);
        let remembered = facts.remembered.iter().map(|(_, pod)| pod);
        let pods = facts.pods.iter().chain(remembered);
        for pod in pods.filter(|pod| selection.has_namespace(&pod.namespace)) {
            for container in &pod.containers {
                let Some(digest) = container.digest else {
                    continue;
                };
                let place = inventory.place(&pod.namespace, &container.image);
                let place = place.unwrap_or_else(|| home.clone());
                self.digests_of(&place.organization).insert(digest);
            }
        }
    }

    fn note_entries(&mut self, ledger: &Ledger, plan: &Plan, policy: &Policy) {
        let planned = planned(plan);
        for (identity, entry) in ledger.entries() {
            let destination = &identity.destination;
            if !policy.is_here(identity) || !concerns(&entry.owner, &policy.selection) {
                continue;
            }
            if self.is_of_this_cluster(identity) {
                self.ours.insert(destination.clone());
            }
            let wanted = Wanted::of_entry(entry, planned.get(identity));
            self.ask_for(identity, entry.bodies().into_iter());
            self.ask_for(identity, wanted.right.iter().map(|right| &right.body));
            self.wanted.insert(identity.clone(), wanted);
        }
    }

    /// What runs and is not in the ledger yet.
    fn note_newcomers(&mut self, plan: &Plan) {
        for Step { line, owner, .. } in &plan.reports {
            if self.known.contains(&line.identity) {
                continue;
            }
            let ended = self.past.contains_key(&line.identity);
            let wanted = Wanted {
                right: vec![Right {
                    body: line.body.clone(),
                    status: line.status,
                }],
                may_be_absent: false,
                remembered: ended.then_some(Status::Decommissioned),
                is_in_ledger: false,
                source: source_of(owner),
            };
            self.ask_for(&line.identity, std::iter::once(&line.body));
            self.wanted.insert(line.identity.clone(), wanted);
        }
    }

    fn ask_for<'a>(&mut self, identity: &Identity, bodies: impl Iterator<Item = &'a Arc<Body>>) {
        let digests = self.digests_of(&identity.destination.organization);
        digests.extend(bodies.map(|body| body.digest));
    }

    /// The digests to ask an organization for, however it is spelled.
    fn digests_of(&mut self, organization: &Arc<str>) -> &mut BTreeSet<Digest> {
        let mut known = self.digests.keys();
        let known = known.find(|known| known.eq_ignore_ascii_case(organization));
        let organization = known.unwrap_or(organization).clone();
        self.digests.entry(organization).or_default()
    }

    /// The digests that GitHub has to be asked for, by organization: all that run or ran last, and
    /// all that stand in the ledger.
    pub fn digests(&self) -> &BTreeMap<Arc<str>, BTreeSet<Digest>> {
        &self.digests
    }

    /// Leaves out what goes to these organizations: nobody knows what GitHub holds of it.
    #[must_use]
    pub fn without(mut self, is_left_out: impl Fn(&str) -> bool) -> Self {
        self.wanted
            .retain(|identity, _| !is_left_out(&identity.destination.organization));
        self
    }

    /// Whether a record at GitHub is of this cluster and its environments, deployed as far as
    /// GitHub tells, and neither in the ledger nor remembered there as decommissioned.
    pub fn lacks(&self, record: &Listed) -> bool {
        let remembered = self.past.get(&record.identity) == Some(&record.digest);
        let has_ended = match record.status {
            Some(status) => status == Status::Decommissioned,
            None => remembered,
        };
        !has_ended
            && self.ours.contains(&record.identity.destination)
            && !self.known.contains(&record.identity)
    }

    /// Whether the ledger or the plan has that name.
    pub(super) fn is_known(&self, identity: &Identity) -> bool {
        self.known.contains(identity)
            || self.past.contains_key(identity)
            || self.wanted.contains_key(identity)
    }

    /// Whether it goes where records of this cluster go, in whichever environment.
    pub(super) fn is_of_this_cluster(&self, identity: &Identity) -> bool {
        let organization = &identity.destination.organization;
        let mut ours = self.organizations.iter();
        if !ours.any(|known| is_same_name(known, organization)) {
            return false;
        }
        let there = Destination {
            organization: self.home.organization.clone(),
            logical_environment: self.home.logical_environment.clone(),
            physical_environment: self.home.physical_environment.clone(),
            ..Destination::clone(&identity.destination)
        };
        there == *self.home
    }
}

/// What the plan says GitHub is to hold of each entry. The second end of a tombstone says nothing
/// new.
fn planned(plan: &Plan) -> BTreeMap<&Identity, Right> {
    let steps = plan
        .reports
        .iter()
        .chain(&plan.unchanged)
        .chain(&plan.retained)
        .chain(&plan.decommissions);
    steps
        .map(|Step { line, .. }| {
            let body = line.body.clone();
            let status = line.status;
            (&line.identity, Right { body, status })
        })
        .collect()
}

/// Whether an entry is compared: where namespaces are named, only what is known to be in one of
/// them.
fn concerns(owner: &Owner, selection: &Selection) -> bool {
    match owner {
        Owner::Source(source) => selection.has_namespace(&source.workload.namespace),
        Owner::Adopted | Owner::Unreadable(_) => {
            selection.namespaces.is_empty() && selection.exclude_namespaces.is_empty()
        }
    }
}
