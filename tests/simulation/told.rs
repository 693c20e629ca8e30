//! What the recorder of a world is told, and the oracle with it: the same settings in words of two
//! languages.

use std::sync::Arc;
use std::time::Duration;

use deployment_recorder::cluster::{LabelSelector, Scope};
use deployment_recorder::model::image_map::ImageMap;
use deployment_recorder::model::organization::Organizations;
use deployment_recorder::model::policy::Policy;
use deployment_recorder::model::record::Destination;
use deployment_recorder::model::regex_map::RegexMap;
use deployment_recorder::model::selection::{KindGroup, Pattern, Selection};
use deployment_recorder::model::template::Template;
use deployment_recorder::recorder::store::Store;

use crate::dice::Dice;
use crate::ledger;

/// The label of a Namespace that names its environment, where that is asked for.
pub const ENVIRONMENT: &str = "example.com/environment";
/// The label by which workloads and Namespaces leave the scope.
pub const RECORD: &str = "example.com/record";

const MINUTE: Duration = Duration::from_mins(1);

/// The settings of a world.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Told {
    /// How often the full snapshot is sent.
    pub interval: Duration,
    /// How long a workload without pods is kept; none: for ever.
    pub idle_after: Option<Duration>,
    /// How long a mass of ends is held back.
    pub hold: Duration,
    /// Whether a label of a Namespace names its environment.
    pub environments_by_label: bool,
    /// Whether workloads labelled `record=no` are left out.
    pub by_workload_labels: bool,
    /// Whether Namespaces labelled `record=no` are left out.
    pub by_namespace_labels: bool,
    /// The only namespaces looked at, by exact names; empty: all.
    pub namespaces: Vec<&'static str>,
    /// The one namespace that is left out, if one is.
    pub excluded: Option<&'static str>,
    /// Whether Jobs and Pods of their own count too.
    pub bare: bool,
    /// Beyond how many bytes shards of the ledger are split, where small ones are wanted.
    pub shard: Option<usize>,
}

impl Told {
    /// What the dice say.
    pub fn thrown(dice: &mut Dice, namespaces: &[&'static str]) -> Self {
        let minutes = |it: u64| Duration::from_mins(it);
        let exact = dice.percent(20);
        Self {
            interval: minutes(*dice.one_of(&[2, 5, 10, 10, 15])),
            idle_after: *dice.one_of(&[Some(minutes(15)), Some(minutes(60)), None]),
            hold: *dice.one_of(&[Duration::ZERO, 5 * MINUTE]),
            environments_by_label: dice.percent(60),
            by_workload_labels: dice.percent(50),
            by_namespace_labels: !exact && dice.percent(30),
            namespaces: if exact {
                namespaces[1..].to_vec()
            } else {
                Vec::new()
            },
            excluded: (!exact && dice.percent(20)).then(|| namespaces[0]),
            bare: dice.percent(40),
            shard: *dice.one_of(&[None, None, None, Some(1500), Some(1900), Some(2300)]),
        }
    }

    /// The ledger's store, which `holder` writes.
    pub fn store(&self, client: kube::Client, holder: String) -> Store {
        let store = Store::new(client, ledger::NAMESPACE, ledger::NAME, holder);
        match self.shard {
            Some(bytes) => store.with_roomy_shards(bytes),
            None => store,
        }
    }

    fn selection(&self) -> Selection {
        let mut kinds = KindGroup::DEFAULT.to_vec();
        if self.bare {
            kinds.extend([KindGroup::Jobs, KindGroup::Pods]);
        }
        Selection {
            namespaces: self.namespaces.iter().map(|it| Pattern::new(it)).collect(),
            exclude_namespaces: self.excluded.iter().map(|it| Pattern::new(it)).collect(),
            kinds,
            by_workload_labels: self.by_workload_labels,
            by_namespace_labels: self.by_namespace_labels,
            ..Selection::default()
        }
    }

    /// What the recorder looks at.
    pub fn scope(&self) -> Scope {
        let selector = |wanted: bool| {
            let selector = format!("{RECORD}!=no");
            wanted.then(|| LabelSelector::parse(&selector).unwrap())
        };
        Scope {
            selection: self.selection(),
            workload_labels: selector(self.by_workload_labels),
            namespace_labels: selector(self.by_namespace_labels),
            logical_environment_label: self.environments_by_label.then(|| ENVIRONMENT.to_owned()),
            ..Scope::default()
        }
    }

    /// What the recorder's core is told; records go to `host`.
    pub fn policy(&self, host: &str) -> Policy {
        let destination = Destination {
            host: host.into(),
            organization: "acme".into(),
            cluster: "main".into(),
            logical_environment: "production".into(),
            physical_environment: None,
        };
        Policy {
            selection: self.selection(),
            destination: Arc::new(destination),
            environments_by_label: self.environments_by_label,
            organizations: Organizations::default(),
            image_map: ImageMap::default(),
            repositories: RegexMap::default(),
            reads_labels: false,
            template: Template::default(),
            idle_after: self.idle_after,
            mass_decommission_hold: self.hold,
            settle_after: self.interval.max(2 * MINUTE),
            storage: None,
        }
    }

    /// How long it may take until GitHub is right when nothing goes wrong and nothing changes any
    /// more.
    pub fn patience(&self) -> Duration {
        // What is refused is tried again within so long (its retry doubles from a minute).
        let refused = 45 * MINUTE;
        let idle = self.idle_after.unwrap_or_default();
        refused.max(idle) + self.hold + 3 * self.interval + 5 * MINUTE
    }
}
