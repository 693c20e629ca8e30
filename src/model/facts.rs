//! Facts: what the mirrors hold now, reduced to what matters, with its Coverage. These are plain
//! values; whoever makes them (a live cluster, a file) decides nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::exposure::links::{Link, Links};
use super::image::{Digest, ImageId};
use super::origin::Labels;
use super::text_map::TextMap;
use super::workload::Kind;

/// What follows `metadata.github.com/` in the keys of an object's annotations, with their values.
pub type Annotations = TextMap;

/// Everything that is known of the cluster at one moment.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Every pod that was read, in any order.
    pub pods: Vec<Arc<Pod>>,
    /// For a CronJob or a bare Job, by its uid: the newest pod in which a container ran, if that
    /// pod is gone by now. It counts as one of the workload's pods.
    pub remembered: Vec<(Arc<str>, Arc<Pod>)>,
    /// Every owner that was read, of whichever kind, in any order.
    pub objects: Vec<Arc<Object>>,
    /// Every namespace that was read.
    pub namespaces: Vec<Arc<Namespace>>,
    /// What leads traffic to pods, as far as anybody looks at it.
    pub links: Links,
    /// What is known of the labels of images. Nothing is decided by one that is missing.
    pub labels: Arc<Labels>,
    /// What of this is fully seen.
    pub coverage: Coverage,
}

/// A pod.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, as the API server has it"
)]
pub struct Pod {
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// Its uid.
    pub uid: Arc<str>,
    /// When it was created, in seconds since 1970 by the API server's clock. Only compared.
    pub created: i64,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Whether its phase is Succeeded or Failed.
    pub finished: bool,
    /// Whether its condition Ready is true.
    pub ready: bool,
    /// Whether its restart policy is Always.
    pub restarts_always: bool,
    /// Its controller.
    pub controller: Option<OwnerRef>,
    /// Whether its labels match `--selector`; true without one. It matters only for a pod that is
    /// its own workload.
    pub selected: bool,
    /// Its annotations.
    pub annotations: Annotations,
    /// Its labels, where anybody asks whether traffic from outside reaches it; else none.
    pub labels: TextMap,
    /// Its ordinary containers and native sidecars, as its spec lists them.
    pub containers: Box<[Container]>,
    /// How its images are pulled; `None` where nobody asks for that.
    pub pull: Option<Arc<Pull>>,
}

/// How a pod's images are pulled.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pull {
    /// The names of the secrets that the pod names, in its namespace.
    pub secrets: Box<[Arc<str>]>,
    /// The name of its service account.
    pub service_account: Arc<str>,
}

/// An ordinary container or a native sidecar of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// Its name.
    pub name: Arc<str>,
    /// The image as its spec writes it.
    pub image: Arc<str>,
    /// How far it got.
    pub state: State,
    /// The digest that runs, or ran last: see [`super::image::running_digest`].
    pub digest: Option<Digest>,
    /// What its status named as what it runs, when it was read last. For explanations alone.
    pub image_id: ImageId,
}

/// How far a container got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It has not run yet.
    NeverRan,
    /// It is not running now and ran before.
    Ran,
    /// It is in state running.
    Running,
}

/// The controller of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerRef {
    /// Its API group and kind.
    pub kind: Kind,
    /// Its name.
    pub name: Arc<str>,
    /// Its uid.
    pub uid: Arc<str>,
}

/// An object that owns pods, directly or not, known by its metadata only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its API group and kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// Its uid.
    pub uid: Arc<str>,
    /// Its controller.
    pub controller: Option<OwnerRef>,
    /// Whether its labels match `--selector`; true without one.
    pub selected: bool,
    /// Its annotations.
    pub annotations: Annotations,
}

/// A namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    /// Its name.
    pub name: Arc<str>,
    /// Whether its labels match `--namespace-selector`; true without one.
    pub selected: bool,
    /// The value of `--logical-environment-label`, if it has that label and it is not empty.
    pub logical_environment: Option<Arc<str>>,
    /// The value of `--physical-environment-label`, if it has that label and it is not empty.
    pub physical_environment: Option<Arc<str>>,
    /// The value of `--org-label`, if it has that label and it is not empty, whether or not it is the
    /// name of an organization.
    pub organization: Option<Arc<str>>,
    /// Its annotations.
    pub annotations: Annotations,
}

/// Which kinds and namespaces are fully seen at this moment. What is not in it may exist all the
/// same: absence means something only where a view covers it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Where pods are fully seen.
    pub pods: View,
    /// Where namespaces are known to exist or not.
    pub namespaces: View,
    /// Where owners are fully seen, by kind.
    pub kinds: BTreeMap<Kind, View>,
    /// Kinds that are not built in and cannot be read, which somebody has answered: their pods are all
    /// that is seen of them. One that is in neither list is not read yet.
    pub unreadable: BTreeMap<Kind, Unreadable>,
    /// Where what leads traffic to pods is fully seen, by kind. No workload's presence depends on it.
    pub links: BTreeMap<Link, View>,
}

/// A kind that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Where.
    pub view: View,
    /// What is missing, in words: a rule of RBAC, or what was answered.
    pub lacks: Arc<str>,
}

impl Coverage {
    /// Whether the objects of `kind` are fully seen in `namespace`.
    pub fn covers(&self, kind: &Kind, namespace: &str) -> bool {
        let view = if *kind == Kind::Pod {
            Some(&self.pods)
        } else {
            self.kinds.get(kind)
        };
        view.is_some_and(|view| view.covers(namespace))
    }

    /// What is missing to read the objects of `kind` in `namespace`, where it is known that they
    /// cannot be read.
    pub fn lacks(&self, kind: &Kind, namespace: &str) -> Option<&Arc<str>> {
        let unreadable = self.unreadable.get(kind)?;
        let here = unreadable.view.covers(namespace) && !self.covers(kind, namespace);
        here.then_some(&unreadable.lacks)
    }

    /// Whether the objects of that kind are fully seen in `namespace`.
    pub fn covers_link(&self, link: Link, namespace: &str) -> bool {
        let view = self.links.get(&link);
        view.is_some_and(|view| view.covers(namespace))
    }

    /// Whether somebody tries to see the objects of `kind` at all.
    pub fn watches(&self, kind: &Kind) -> bool {
        *kind == Kind::Pod || self.kinds.contains_key(kind)
    }

    /// Whether everything that anybody tries to see is seen everywhere it is looked for.
    pub fn is_whole(&self, one_by_one: Option<&[Arc<str>]>) -> bool {
        let mut views = self.kinds.values().chain([&self.pods, &self.namespaces]);
        views.all(|view| view.is_whole(one_by_one))
    }
}

/// Where a kind is fully seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// Nowhere.
    #[default]
    Nothing,
    /// In these namespaces.
    Only(BTreeSet<Arc<str>>),
    /// In the whole cluster.
    Everything,
}

impl View {
    /// Whether `namespace` is fully seen.
    pub fn covers(&self, namespace: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Only(namespaces) => namespaces.contains(namespace),
            Self::Everything => true,
        }
    }

    /// Whether it is everywhere that is looked at: in the namespaces that are looked at one by one,
    /// or in the whole cluster if there are none such.
    pub fn is_whole(&self, one_by_one: Option<&[Arc<str>]>) -> bool {
        match (self, one_by_one) {
            (Self::Everything, _) => true,
            (Self::Only(_), Some(namespaces)) => namespaces.iter().all(|name| self.covers(name)),
            (Self::Nothing | Self::Only(_), _) => false,
        }
    }
}
