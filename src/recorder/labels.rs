//! Labels of images, as the recorder wants and knows them. Who reads them is not known here, and nothing
//! waits for that.

use std::collections::BTreeSet;

use crate::model::image::Digest;
use crate::model::inventory::Inventory;
use crate::model::plan::Plan;
use crate::registry::LookUps;

use super::{Recorder, Transport};

impl<S: Transport> Recorder<S> {
    /// Says which labels are wanted, and lets go of those of images that are nowhere any more.
    pub(super) fn want_labels(&self, plan: &Plan, inventory: &Inventory, whole: bool) {
        let Some(labels) = &self.labels else { return };
        labels.want(&plan.unread);
        if whole {
            let bodies = self.ledger.entries().flat_map(|(_, entry)| entry.bodies());
            let held: BTreeSet<Digest> = bodies.map(|body| body.digest).collect();
            labels.keep_only(|it| inventory.digests().contains(it) || held.contains(it));
        }
    }
}

/// Waits until more is known of labels of images; for ever where they are not read.
pub(super) async fn learned(labels: Option<&LookUps>) {
    match labels {
        Some(labels) => labels.changed().await,
        None => std::future::pending().await,
    }
}
