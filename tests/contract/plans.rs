//! From what runs in any cluster to what is sent: every request of every plan is one of the contract's.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use deployment_recorder::cluster::{Scope, file};
use deployment_recorder::github::operation::Operation;
use deployment_recorder::github::request;
use deployment_recorder::model::facts::Facts;
use deployment_recorder::model::image_map::ImageMap;
use deployment_recorder::model::inventory::Inventory;
use deployment_recorder::model::ledger::{Ledger, Outcome};
use deployment_recorder::model::moment::Moment;
use deployment_recorder::model::organization::Organizations;
use deployment_recorder::model::plan::{Plan, Step};
use deployment_recorder::model::policy::Policy;
use deployment_recorder::model::record::{Destination, Line};
use deployment_recorder::model::regex_map::RegexMap;
use deployment_recorder::model::selection::{KindGroup, Selection};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use crate::{api, cluster, schema, version};

fn policy(template: &str) -> Policy {
    Policy {
        selection: Selection {
            kinds: KindGroup::ALL.to_vec(),
            ..Selection::default()
        },
        destination: Arc::new(Destination {
            host: api().host().clone(),
            organization: "octo".into(),
            cluster: "prod-1".into(),
            logical_environment: "production".into(),
            physical_environment: None,
        }),
        environments_by_label: true,
        organizations: Organizations::default(),
        image_map: ImageMap::parse(["registry.example:5000=ghcr.io/mirror"]).unwrap(),
        repositories: RegexMap::parse([".*/(.*)=$1"], |_| true).unwrap(),
        reads_labels: false,
        template: template.parse().unwrap(),
        idle_after: None,
        mass_decommission_hold: Duration::ZERO,
        settle_after: Duration::from_mins(10),
        storage: None,
    }
}

fn facts(seed: u64) -> Facts {
    let scope = Scope {
        logical_environment_label: Some("env".to_owned()),
        physical_environment_label: Some("region".to_owned()),
        ..Scope::default()
    };
    let mut rng = StdRng::seed_from_u64(seed);
    file::facts(&cluster::any(&mut rng).to_string(), scope).unwrap()
}

/// Judges what these steps make: all that goes to one destination, and each alone. Gives how many
/// requests there were.
fn judge(steps: &[Step]) -> usize {
    let mut by_destination: BTreeMap<&Destination, Vec<Line>> = BTreeMap::new();
    for step in steps {
        let destination = &*step.line.identity.destination;
        by_destination
            .entry(destination)
            .or_default()
            .push(step.line.clone());
    }
    let (api, version) = (api(), version());
    let mut requests = Vec::new();
    for (destination, lines) in &by_destination {
        requests.push((
            Operation::SetClusterDeploymentRecords,
            request::set_cluster_deployment_records(&api, &version, destination, lines),
        ));
        requests.push((
            Operation::CreateJob,
            request::create_job(&api, &version, destination, lines),
        ));
    }
    for step in steps {
        let request = request::create_deployment_record(&api, &version, &step.line);
        requests.push((Operation::CreateDeploymentRecord, request));
    }
    for (operation, request) in &requests {
        let complaints = schema::complaints(*operation, request.as_ref().unwrap());
        assert_eq!(complaints, [""; 0], "{}", operation.as_str());
    }
    requests.len()
}

#[test]
fn whatever_runs_in_a_cluster_every_request_of_its_plans_is_the_contracts() {
    let mut judged = 0;
    for seed in 0..400 {
        let template = ["{namespace}-{workload}-{container}", "{kind}/{workload}"];
        let policy = policy(template[usize::try_from(seed).unwrap() % 2]);
        let (facts, now) = (facts(seed), Moment::START);
        let plan = |ledger: &Ledger, facts: &Facts| {
            Plan::new(ledger, &Inventory::new(facts, &policy), &policy, now)
        };
        let mut ledger = Ledger::default();
        let reports = plan(&ledger, &facts).reports;
        judged += judge(&reports);
        for Step { line, owner, .. } in &reports {
            ledger.intend(line, owner);
            ledger.leaves(line);
            ledger.answer(line, Outcome::Acknowledged, now, policy.settle_after);
        }
        // Another cluster in its place: what was there is kept, changed or ended.
        let next = plan(&ledger, &self::facts(seed + 1));
        judged += judge(&next.reports) + judge(&next.decommissions);
        judged += judge(&next.snapshot().into_iter().cloned().collect::<Vec<_>>());
    }
    assert!(judged > 1000, "{judged}");
}
