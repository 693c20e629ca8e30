//! Waking: mirrors say that something changed, never what. Whoever is woken looks at the facts.

use std::sync::Arc;

use tokio::sync::{Notify, watch};

/// Tells of changes.
#[derive(Clone, Debug)]
pub(super) struct Wake {
    changes: Arc<Notify>,
    health: watch::Sender<()>,
}

impl Wake {
    pub(super) fn new() -> Self {
        Self {
            changes: Arc::default(),
            health: watch::Sender::new(()),
        }
    }

    /// Something changed: wakes who waits, or else the next one who does.
    pub(super) fn changed(&self) {
        self.changes.notify_one();
    }

    /// The state of a mirror changed.
    pub(super) fn health_changed(&self) {
        self.health.send_replace(());
    }

    /// Waits for a change since the last wait.
    pub(super) async fn wait(&self) {
        self.changes.notified().await;
    }

    /// Tells of changed states from now on.
    pub(super) fn health_changes(&self) -> watch::Receiver<()> {
        self.health.subscribe()
    }
}
