//! What must hold of any input from outside, by name: `tests/fuzz.rs` calls each with its corpus and
//! with what is made of that, `make fuzz` looks for what nobody thought of. Each is a plain function
//! over bytes beside the code that it is about, and panics where its property does not hold. Here is
//! the list, and the one that goes through the whole house.
//!
//! Only with the feature `fuzz`, which nothing that is released has.

#![expect(clippy::unwrap_used, reason = "what fails here is a finding")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::github::api::{ApiUrl, ApiVersion, DEFAULT, DEFAULT_VERSION};
use crate::github::request;
use crate::model::facts::Facts;
use crate::model::image_map::ImageMap;
use crate::model::inventory::Inventory;
use crate::model::ledger::{Ledger, Outcome};
use crate::model::moment::Moment;
use crate::model::organization::Organizations;
use crate::model::plan::{Plan, Step};
use crate::model::policy::Policy;
use crate::model::record::{Destination, Line};
use crate::model::regex_map::RegexMap;
use crate::model::selection::{KindGroup, Selection};
use crate::model::storage::StorageRule;
use crate::model::template::Template;
use crate::{cli, cluster, github, model, recorder, registry};

/// A function that panics if what must hold of any input does not hold of this one.
pub type Target = fn(&[u8]);

/// All of them, by the names of their corpora in `tests/corpus`.
pub const TARGETS: [(&str, Target); 29] = [
    ("annotations", model::fuzz::context),
    ("answer", github::fuzz::answer),
    ("api", github::fuzz::api),
    ("challenge", registry::fuzz::challenge),
    ("file", cluster::fuzz::file),
    ("holder", recorder::lease::fuzz::holder),
    ("identity", model::fuzz::identity),
    ("image", model::fuzz::image),
    ("image-document", registry::fuzz::image_document),
    ("image-map", model::fuzz::image_map),
    ("installation", github::auth::fuzz::installation),
    ("label", model::fuzz::label),
    ("lease", recorder::lease::fuzz::lease),
    ("ledger", recorder::store::fuzz::ledger),
    ("link", cluster::fuzz::link),
    ("object", cluster::fuzz::object),
    ("part", recorder::store::fuzz::part),
    ("pattern", model::fuzz::pattern),
    ("pod", cluster::fuzz::pod),
    ("pull-secret", registry::fuzz::pull_secret),
    ("rate", github::fuzz::rate),
    ("record-file", cli::records::fuzz::file),
    ("records", records),
    ("redirect", github::fuzz::redirect),
    ("secret", github::auth::fuzz::secret),
    ("selector", cluster::fuzz::selector),
    ("settings", cli::settings::fuzz::values),
    ("template", model::fuzz::template),
    ("watch", cluster::fuzz::watch),
];

/// A cluster as `kubectl get` writes it: whatever runs in it, each record that is made of that keeps
/// the contract, and so does its end.
fn records(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let Ok(facts) = cluster::file::facts(text, cluster::fuzz::scope()) else {
        return;
    };
    // The API server takes no longer labels, and an object's name is never empty.
    let environments = facts.namespaces.iter().flat_map(|namespace| {
        [
            &namespace.logical_environment,
            &namespace.physical_environment,
        ]
    });
    if environments
        .flatten()
        .any(|environment| environment.len() > 63)
    {
        return;
    }
    let policy = policy();
    let (mut ledger, now) = (Ledger::default(), Moment::START);
    let first = plan(&ledger, &facts, &policy);
    all_can_be_sent(&first.reports);
    for Step { line, owner, .. } in &first.reports {
        ledger.intend(line, owner);
        ledger.leaves(line);
        ledger.answer(line, Outcome::Acknowledged, now, policy.settle_after);
    }
    let second = plan(&ledger, &facts, &policy);
    assert_eq!((second.reports.len(), second.decommissions.len()), (0, 0));
    let snapshot: Vec<Step> = second.snapshot().into_iter().cloned().collect();
    all_can_be_sent(&snapshot);
    let storage = &second.storage;
    for step in storage.due.iter().chain(&storage.unrecorded) {
        let api = ApiUrl::parse(DEFAULT, false).unwrap();
        let version = ApiVersion::parse(DEFAULT_VERSION).unwrap();
        let organization = &step.place.organization;
        request::create_storage_record(&api, &version, organization, &step.line()).unwrap();
    }

    let mut emptied = facts.clone();
    emptied.namespaces.clear();
    emptied.pods.clear();
    let last = plan(&ledger, &emptied, &policy);
    assert!(last.reports.is_empty());
    all_can_be_sent(&last.decommissions);
}

fn plan(ledger: &Ledger, facts: &Facts, policy: &Policy) -> Plan {
    Plan::new(
        ledger,
        &Inventory::new(facts, policy),
        policy,
        Moment::START,
    )
}

/// Every line can be sent, with the others of its destination.
fn all_can_be_sent(steps: &[Step]) {
    let api = ApiUrl::parse(DEFAULT, false).unwrap();
    let version = ApiVersion::parse(DEFAULT_VERSION).unwrap();
    let mut requests: BTreeMap<[&str; 5], Vec<Line>> = BTreeMap::new();
    for step in steps {
        let destination = step.line.identity.destination.parts();
        requests
            .entry(destination)
            .or_default()
            .push(step.line.clone());
    }
    for lines in requests.values() {
        for lines in lines.chunks(request::MAX_LINES) {
            let destination = &lines.first().unwrap().identity.destination;
            request::set_cluster_deployment_records(&api, &version, destination, lines).unwrap();
        }
    }
}

fn policy() -> Policy {
    let minutes = Duration::from_mins;
    Policy {
        selection: Selection {
            kinds: KindGroup::ALL.to_vec(),
            ..Selection::default()
        },
        destination: Arc::new(Destination {
            host: "api.github.com".into(),
            organization: "acme".into(),
            cluster: "prod".into(),
            logical_environment: "production".into(),
            physical_environment: None,
        }),
        environments_by_label: true,
        organizations: Organizations::default(),
        image_map: ImageMap::default(),
        repositories: RegexMap::default(),
        reads_labels: false,
        template: Template::default(),
        idle_after: Some(minutes(60)),
        mass_decommission_hold: Duration::ZERO,
        settle_after: minutes(10),
        storage: Some(StorageRule::default()),
    }
}
