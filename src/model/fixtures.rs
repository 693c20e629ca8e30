//! What the tests of the core are told with: pods, owners, namespaces, and a scene that holds facts,
//! settings, a ledger and the time, and plays cycles. Only for tests.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::facts::{
    Annotations, Container, Coverage, Facts, Namespace, Object, OwnerRef, Pod, State, View,
};
use super::image::{Digest, ImageId};
use super::policy::Policy;
use super::record::Destination;
use super::selection::Selection;
use super::template::Template;
use super::workload::{Kind, Source, Workload};

mod eye;
mod scene;
pub(crate) mod worlds;

pub(crate) use scene::{Scene, as_stored, held_by, names};

/// The namespace in which most tests play.
pub(crate) const SHOP: &str = "shop";

/// A digest that is told apart by its number.
pub(crate) fn digest(number: u64) -> Digest {
    Digest::parse(&format!("sha256:{number:064x}")).unwrap()
}

/// An image in the registry of the tests, with a tag.
pub(crate) fn image(name: &str) -> String {
    format!("ghcr.io/acme/{name}:1")
}

/// Words by which values are told apart: each is there, and no two are alike.
pub(crate) fn assert_told_apart(words: impl IntoIterator<Item = &'static str>) {
    let words: Vec<&str> = words.into_iter().collect();
    let told: BTreeSet<&str> = words.iter().copied().collect();
    assert_eq!(told.len(), words.len(), "{words:?}");
    assert!(!told.contains(""), "{words:?}");
}

pub(crate) fn minutes(minutes: u64) -> Duration {
    Duration::from_mins(minutes)
}

/// A kind that is not built in.
pub(crate) fn rollout() -> Kind {
    Kind::new("argoproj.io", "Rollout")
}

pub(crate) fn annotations(pairs: &[(&str, &str)]) -> Annotations {
    pairs
        .iter()
        .map(|(key, value)| ((*key).into(), (*value).into()))
        .collect()
}

pub(crate) fn workload(kind: Kind, namespace: &str, name: &str) -> Workload {
    Workload {
        kind,
        namespace: namespace.into(),
        name: name.into(),
    }
}

/// A container of a Deployment in `shop`.
pub(crate) fn source(name: &str, container: &str) -> Source {
    source_of(Kind::Deployment, name, container)
}

/// A container of a workload in `shop`.
pub(crate) fn source_of(kind: Kind, name: &str, container: &str) -> Source {
    Source::new(workload(kind, SHOP, name), container.into())
}

pub(crate) fn namespace(name: &str) -> Namespace {
    Namespace {
        name: name.into(),
        selected: true,
        logical_environment: None,
        physical_environment: None,
        organization: None,
        annotations: Annotations::default(),
    }
}

/// An owner without a controller. Its uid is made of what it is, so that it links to nothing else.
pub(crate) fn object(kind: Kind, namespace: &str, name: &str) -> Object {
    Object {
        uid: format!("{kind}/{namespace}/{name}").into(),
        kind,
        namespace: namespace.into(),
        name: name.into(),
        controller: None,
        selected: true,
        annotations: Annotations::default(),
    }
}

impl Object {
    pub(crate) fn under(mut self, controller: &Self) -> Self {
        self.controller = Some(controller.as_controller());
        self
    }

    pub(crate) fn as_controller(&self) -> OwnerRef {
        OwnerRef {
            kind: self.kind.clone(),
            name: self.name.clone(),
            uid: self.uid.clone(),
        }
    }
}

/// A container that runs the digest of that number.
pub(crate) fn container(name: &str, image: &str, number: u64) -> Container {
    Container {
        name: name.into(),
        image: image.into(),
        state: State::Running,
        digest: Some(digest(number)),
        image_id: ImageId::Manifest,
    }
}

impl Container {
    pub(crate) fn in_state(mut self, state: State) -> Self {
        self.state = state;
        self
    }

    pub(crate) fn without_digest(mut self) -> Self {
        self.digest = None;
        self.image_id = ImageId::Configuration;
        self
    }
}

/// A ready pod in `shop` that restarts always and that nobody controls.
pub(crate) fn pod(name: &str, containers: impl Into<Box<[Container]>>) -> Pod {
    Pod {
        namespace: SHOP.into(),
        name: name.into(),
        uid: format!("Pod/{name}").into(),
        created: 0,
        deleting: false,
        finished: false,
        ready: true,
        restarts_always: true,
        controller: None,
        selected: true,
        annotations: Annotations::default(),
        labels: Annotations::default(),
        containers: containers.into(),
        pull: None,
    }
}

impl Pod {
    pub(crate) fn under(mut self, controller: &Object) -> Self {
        self.controller = Some(controller.as_controller());
        self.namespace = controller.namespace.clone();
        self.uid = format!("Pod/{}/{}", self.namespace, self.name).into();
        self
    }

    pub(crate) fn created(mut self, at: i64) -> Self {
        self.created = at;
        self
    }

    pub(crate) fn not_ready(mut self) -> Self {
        self.ready = false;
        self
    }

    pub(crate) fn deleting(mut self) -> Self {
        self.deleting = true;
        self
    }

    /// In phase Succeeded or Failed: its containers ran.
    pub(crate) fn finished(mut self) -> Self {
        self.finished = true;
        self.ready = false;
        for container in &mut self.containers {
            container.state = State::Ran;
        }
        self
    }

    pub(crate) fn once(mut self) -> Self {
        self.restarts_always = false;
        self
    }
}

/// Every built-in kind, seen everywhere.
pub(crate) fn whole_view() -> Coverage {
    Coverage {
        pods: View::Everything,
        namespaces: View::Everything,
        kinds: Kind::OWNERS
            .into_iter()
            .map(|kind| (kind, View::Everything))
            .collect(),
        ..Coverage::default()
    }
}

/// Facts of a cluster with the one namespace `shop`, all of it seen.
pub(crate) fn empty_facts() -> Facts {
    Facts {
        namespaces: vec![Arc::new(namespace(SHOP))],
        coverage: whole_view(),
        ..Facts::default()
    }
}

pub(crate) fn destination() -> Destination {
    Destination {
        host: "api.github.com".into(),
        organization: "acme".into(),
        cluster: "prod".into(),
        logical_environment: "production".into(),
        physical_environment: None,
    }
}

/// The settings by default, with an interval of ten minutes.
pub(crate) fn policy() -> Policy {
    Policy {
        selection: Selection::default(),
        destination: Arc::new(destination()),
        environments_by_label: false,
        organizations: super::organization::Organizations::default(),
        image_map: super::image_map::ImageMap::default(),
        repositories: super::regex_map::RegexMap::default(),
        reads_labels: false,
        template: Template::default(),
        idle_after: Some(minutes(60)),
        mass_decommission_hold: minutes(5),
        settle_after: minutes(10),
        storage: None,
    }
}
