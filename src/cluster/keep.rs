//! What each kind of mirror keeps of the objects it watches.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kube::api::ApiResource;
use serde::de::DeserializeOwned;

use crate::model::facts::{Namespace, Object};
use crate::model::workload::Kind;

use super::convert::{Converter, KeptPod};
use super::index::{Kept, Key};
use super::remembered::Remembered;
use super::slim::{Meta, SlimMeta, SlimPod};

/// What a mirror watches and what it keeps of it.
pub(super) trait Keep: Send + Sync + 'static {
    /// An object as it comes over the wire.
    type Wire: kube::Resource<DynamicType = ApiResource, Scope = kube::core::DynamicResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + Sync
        + 'static;
    /// What is kept of it.
    type Kept: Kept + Clone + Debug + Send + 'static;

    /// Where `wire` stands in the index.
    fn key(&self, wire: &Self::Wire) -> Key;

    /// What to keep of `wire`, given what was kept of it; `None` if it cannot be read.
    fn read(&self, wire: &Self::Wire, before: Option<&Self::Kept>) -> Option<Self::Kept>;

    /// An object is gone.
    fn gone(&self, kept: &Self::Kept);
}

/// What the mirrors of one cluster share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) converter: Converter,
    remembered: Mutex<Remembered>,
}

impl Shared {
    pub(super) fn new(converter: Converter) -> Self {
        let kinds = &converter.scope().selection.kinds;
        let bare_jobs = kinds.contains(&crate::model::selection::KindGroup::Jobs);
        Self {
            converter,
            remembered: Mutex::new(Remembered::new(bare_jobs)),
        }
    }

    pub(super) fn remembered(&self) -> MutexGuard<'_, Remembered> {
        self.remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self, meta: &Meta) -> Key {
        (
            self.converter.intern(meta.namespace.text()),
            meta.name.text().into(),
        )
    }
}

/// Keeps pods.
#[derive(Debug)]
pub(super) struct Pods(pub(super) Arc<Shared>);

impl Keep for Pods {
    type Wire = SlimPod;
    type Kept = KeptPod;

    fn key(&self, wire: &SlimPod) -> Key {
        self.0.key(&wire.meta)
    }

    fn read(&self, wire: &SlimPod, before: Option<&KeptPod>) -> Option<KeptPod> {
        let kept = self.0.converter.pod(wire, before)?;
        self.0.remembered().pod_seen(&kept.pod);
        Some(kept)
    }

    fn gone(&self, kept: &KeptPod) {
        self.0.remembered().pod_gone(&kept.pod);
    }
}

impl Kept for KeptPod {
    fn name(&self) -> &Arc<str> {
        &self.pod.name
    }

    fn uid(&self) -> &str {
        &self.pod.uid
    }

    fn is_same_as(&self, earlier: &Self) -> bool {
        Arc::ptr_eq(&self.pod, &earlier.pod) || self.pod == earlier.pod
    }
}

/// Keeps owners of one kind.
#[derive(Debug)]
pub(super) struct Owners {
    pub(super) kind: Kind,
    pub(super) shared: Arc<Shared>,
}

impl Keep for Owners {
    type Wire = SlimMeta;
    type Kept = Arc<Object>;

    fn key(&self, wire: &SlimMeta) -> Key {
        self.shared.key(&wire.meta)
    }

    fn read(&self, wire: &SlimMeta, before: Option<&Arc<Object>>) -> Option<Arc<Object>> {
        let object = self.shared.converter.object(&self.kind, wire)?;
        let object = match before {
            Some(before) if **before == object => Arc::clone(before),
            _ => Arc::new(object),
        };
        if self.kind.runs_to_completion() {
            self.shared.remembered().owner_seen(&object);
        }
        Some(object)
    }

    fn gone(&self, kept: &Arc<Object>) {
        if self.kind.runs_to_completion() {
            self.shared.remembered().owner_gone(kept);
        }
    }
}

impl Kept for Arc<Object> {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn uid(&self) -> &str {
        &self.uid
    }

    fn is_same_as(&self, earlier: &Self) -> bool {
        self == earlier
    }
}

/// Keeps namespaces.
#[derive(Debug)]
pub(super) struct Namespaces(pub(super) Arc<Shared>);

impl Keep for Namespaces {
    type Wire = SlimMeta;
    type Kept = Arc<Namespace>;

    fn key(&self, wire: &SlimMeta) -> Key {
        self.0.key(&wire.meta)
    }

    fn read(&self, wire: &SlimMeta, before: Option<&Arc<Namespace>>) -> Option<Arc<Namespace>> {
        let namespace = self.0.converter.namespace(wire)?;
        Some(match before {
            Some(before) if **before == namespace => Arc::clone(before),
            _ => Arc::new(namespace),
        })
    }

    fn gone(&self, _kept: &Arc<Namespace>) {}
}

impl Kept for Arc<Namespace> {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// A namespace of the same name is the same namespace to this program.
    fn uid(&self) -> &str {
        &self.name
    }

    fn is_same_as(&self, earlier: &Self) -> bool {
        self == earlier
    }
}
