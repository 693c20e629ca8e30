//! Kubernetes in: mirrors of what runs in a cluster, and the facts that they add up to. Kubernetes
//! types stay in here; nothing in here decides anything about records.

mod bounds;
mod calls;
mod connect;
mod convert;
mod coverage;
mod discovery;
mod exact;
pub mod file;
mod followed;
#[cfg(feature = "fuzz")]
pub(crate) mod fuzz;
mod handle;
mod health;
mod identity;
mod index;
mod intern;
mod keep;
mod labels;
mod links;
mod mirror;
mod others;
mod patience;
mod place;
mod pod_proxy;
mod proxy;
mod pull_secrets;
mod remembered;
mod rights;
mod scope;
mod sign_in;
mod slim;
mod soft;
mod tasks;
mod wake;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::model::exposure::links::Link;
use crate::model::facts::Facts;
use crate::model::workload::Kind;

pub use connect::{ConnectError, Connection, connect};
pub use handle::HealthHandle;
pub use health::MirrorState;
pub use identity::{Unidentified, identity};
pub use labels::{LabelSelector, LabelSelectorError};
pub use pod_proxy::{PodProxyError, ask_pod};
pub use pull_secrets::{PullSecret, PullSecrets};
pub use rights::{Right, Unasked};
pub use scope::Scope;

pub use tasks::MirrorEnded;

use convert::Converter;
use exact::ExactNamespaces;
use keep::{Namespaces, Owners, Pods, Shared};
use links::LinkMirrors;
use mirror::Mirror;
use others::Others;
use place::Place;
use tasks::Tasks;
use wake::Wake;

/// The live view of a cluster: a mirror for each kind, or for each kind in each namespace.
pub struct Cluster {
    client: kube::Client,
    shared: Arc<Shared>,
    pods: Vec<Arc<Mirror<Pods>>>,
    owners: Vec<Arc<Mirror<Owners>>>,
    others: Arc<Others>,
    links: LinkMirrors,
    namespaces: KnownNamespaces,
    wake: Wake,
    tasks: Tasks,
}

/// How namespaces are known.
#[derive(Clone, Debug)]
enum KnownNamespaces {
    /// By a watch of all of them.
    Watched(Arc<Mirror<Namespaces>>),
    /// One by one.
    Exact(Arc<ExactNamespaces>),
}

/// How a mirror is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MirrorHealth {
    /// What it watches.
    pub kind: Kind,
    /// Where; `None` for the whole cluster.
    pub namespace: Option<Arc<str>>,
    /// Its state.
    pub state: MirrorState,
    /// Since when.
    pub since: Instant,
    /// Whether it has ever shown everything.
    pub was_synced: bool,
    /// What is wrong, if something is.
    pub error: Option<Arc<str>>,
    /// How many objects it shows.
    pub objects: usize,
    /// Whether it is known that it cannot be read, and not for a moment only: the API server has forbidden
    /// it for a minute, or is well while what serves this kind is not. It is tried again all the same. Said
    /// only of what can be done without: owners that are not built in, and what leads traffic to pods.
    pub given_up: bool,
}

impl Cluster {
    /// Begins to watch what `scope` says. `seed`: where the random part of waits comes from.
    pub fn start(client: kube::Client, scope: Scope, seed: u64) -> Self {
        let client = calls::bounded(client);
        let (watched, exact) = (scope.watched(), scope.exact_namespaces());
        let shared = Arc::new(Shared::new(Converter::new(scope)));
        let wake = Wake::new();
        let mut tasks = Tasks::new(client.clone(), seed);
        let mut pods = Vec::new();
        let mut owners = Vec::new();
        let mut leading: BTreeMap<Link, Vec<Place>> = BTreeMap::new();
        let are_exact = exact.is_some();
        let exact = Arc::new(ExactNamespaces::new(exact.unwrap_or_default()));
        if are_exact {
            tasks.start_reading(&exact, &shared, &wake);
        }
        let mut namespaces = KnownNamespaces::Exact(exact);
        for place in watched {
            let (shared, wake, kind) = (Arc::clone(&shared), wake.clone(), place.kind.clone());
            if kind == Kind::Pod {
                pods.push(tasks.start(Mirror::new(place, Pods(shared), wake)));
            } else if kind == namespace_kind() {
                let mirror = Mirror::new(place, Namespaces(shared), wake);
                namespaces = KnownNamespaces::Watched(tasks.start(mirror));
            } else if let Some(link) = Link::of(&kind) {
                leading.entry(link).or_default().push(place);
            } else {
                owners.push(tasks.start(Mirror::new(place, Owners { kind, shared }, wake)));
            }
        }
        let links = LinkMirrors::start(leading, &shared, &wake, &mut tasks);
        let (others, begun) = Others::new(&shared, &wake);
        tasks.start_others(begun);
        Self {
            client,
            shared,
            pods,
            owners,
            others: Arc::new(others),
            links,
            namespaces,
            wake,
            tasks,
        }
    }

    /// What is known now. Cheap: objects are shared, not copied. Kinds that are not built in and that
    /// show up in it are looked at from now on.
    pub fn facts(&self) -> Facts {
        let facts = self.gather();
        self.others.look_for(&facts);
        facts
    }

    /// The kinds that are not built in and that the ledger names: they are looked at even while no pod
    /// leads to them. Kinds that were told before and are not told again no longer count.
    pub fn remember(&self, kinds: BTreeSet<Kind>) {
        self.others.remember(kinds);
    }

    /// Group and version under which the API server serves a kind, as in `apps/v1`, as far as that is
    /// known: of one that is not built in, what it said when it was asked for.
    pub fn api_version(&self, kind: &Kind) -> Option<Arc<str>> {
        if kind.is_built_in() {
            return Some(match kind.group() {
                "" => "v1".into(),
                group => format!("{group}/v1").into(),
            });
        }
        self.others.api_version(kind)
    }

    fn gather(&self) -> Facts {
        self.health_handle().facts(None)
    }

    /// Waits until something changed since the last call returned. Nothing that leaves the facts as
    /// they were wakes it, except a changed state of a mirror. For one waiter at a time; dropping
    /// the future loses no change.
    pub async fn changed(&self) {
        self.wake.wait().await;
    }

    /// How each mirror is: pods first, then owners by kind, built-in ones before others, then what leads
    /// traffic to pods, then namespaces.
    pub fn health(&self) -> Vec<MirrorHealth> {
        self.health_handle().health()
    }

    /// Reads the namespaces that are looked at one by one; does nothing where they are watched.
    /// Roles in those namespaces suffice for it. What cannot be read is read again at growing pauses
    /// by itself.
    pub async fn refresh_namespaces(&self) {
        if let KnownNamespaces::Exact(exact) = &self.namespaces {
            exact
                .refresh(&self.client, &self.shared.converter, &self.wake)
                .await;
        }
    }

    /// Waits until every mirror is Synced, or until `limit` has passed. Returns whether they are. A
    /// kind that is not built in may be forbidden too: nothing is decided about its pods until that is
    /// known to be more than a moment's answer, and nobody waits for it.
    pub async fn first_sync(&self, limit: Duration) -> bool {
        self.first(limit, MirrorHealth::lets_begin).await
    }

    /// Waits until every mirror is Synced or forbidden, or until `limit` has passed: who looks only
    /// once need not wait for rights, and takes the API server at its first word about them.
    pub async fn first_look(&self, limit: Duration) {
        self.others.believe_at_first_word();
        self.first(limit, MirrorHealth::has_answered).await;
    }

    async fn first(&self, limit: Duration, enough: impl Fn(&MirrorHealth) -> bool) -> bool {
        let answered = async {
            let mut changes = self.wake.health_changes();
            self.refresh_namespaces().await;
            loop {
                let health = self.health();
                // Where walks end is known only now.
                let may_seek = health.iter().all(MirrorHealth::has_answered);
                if may_seek && self.others.look_for(&self.gather()) {
                    continue;
                }
                if health.iter().all(&enough) || changes.changed().await.is_err() {
                    break;
                }
            }
        };
        tokio::time::timeout(limit, answered).await.is_ok()
    }

    /// Whether there is a namespace of this name; `None` where that cannot be told.
    pub async fn has_namespace(&self, name: &str) -> Option<bool> {
        let read = exact::read(&self.client, name).await.ok()?;
        Some(read.is_some())
    }

    /// Waits until a mirror ends although nobody stopped it: the process cannot go on without it.
    pub async fn failed(&self) -> MirrorEnded {
        self.tasks.failed().await
    }

    /// Ends all watches. What was known can still be asked for.
    pub async fn stop(&self) {
        self.tasks.stop().await;
    }
}

/// Namespaces own no pods, so the core has no word of its own for their kind.
fn namespace_kind() -> Kind {
    Kind::new("", "Namespace")
}
