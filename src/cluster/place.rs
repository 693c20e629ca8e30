//! Places: what a mirror watches, what the API server calls it, and how its state is told.

use std::sync::Arc;

use kube::api::ApiResource;

use crate::model::workload::Kind;

use super::health::MirrorState;
use super::slim::resource;

/// What is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The kind.
    pub(super) kind: Kind,
    /// The namespace; `None` for the whole cluster.
    pub(super) namespace: Option<Arc<str>>,
}

impl Place {
    /// What the API server calls the kind.
    pub(super) fn resource(&self) -> ApiResource {
        resource(self.kind.group(), "v1", self.kind.kind())
    }

    /// Tells that the state of a mirror changed.
    pub(super) fn log(&self, state: MirrorState, objects: usize, error: Option<&str>) {
        let (kind, namespace) = (&self.kind, self.namespace.as_deref());
        match state {
            MirrorState::Synced => tracing::info!(%kind, namespace, objects, "a mirror is synced"),
            MirrorState::Listing => tracing::info!(%kind, namespace, "a mirror lists"),
            MirrorState::Interrupted => {
                tracing::warn!(%kind, namespace, objects, error, "a mirror is interrupted");
            }
            MirrorState::Forbidden => {
                tracing::warn!(%kind, namespace, objects, error, "a mirror is forbidden");
            }
        }
    }
}
