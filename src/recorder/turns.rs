//! Turns: what of a cycle goes out first. Changes, then the rest of the full snapshot, and after
//! everybody else's those of organizations that met a limit. What one batch comes to is in `delivery`.

use futures::FutureExt as _;
use tokio::time::Instant;

use crate::github::pace::Purpose;
use crate::model::plan::Plan;
use crate::model::record::Identity;

use super::batch::Batch;
use super::delivery::{Flow, Run};
use super::search::Search;
use super::{Recorder, Transport};

impl<S: Transport> Recorder<S> {
    /// Sends changes, then the snapshot, then what may meet a limit again.
    pub(super) async fn send_all(
        &mut self,
        changes: Vec<Batch>,
        snapshot: Vec<Batch>,
        plan: &Plan,
        run: &mut Run,
    ) {
        // Retries are no storm.
        if !changes.is_empty() && run.changed_at.is_some() {
            self.schedule.sends_changes(Instant::now());
        }
        // Whom a limit met has everybody wait when it meets it again, so all others come first.
        let is_limited = |batch: &Batch| self.pace.is_limited(batch.access());
        let (held_back, changes): (Vec<Batch>, Vec<Batch>) =
            changes.into_iter().partition(is_limited);
        let (repeated_last, snapshot): (Vec<Batch>, Vec<Batch>) =
            snapshot.into_iter().partition(is_limited);
        let mut search = Search::new(plan).only_asking(self.doubts.asked());
        if self.deliver_all(changes, &mut search, run).await == Flow::End {
            return;
        }
        if self.repeat(snapshot, &mut search, run).await == Flow::End {
            return;
        }
        if held_back.is_empty() && repeated_last.is_empty() {
            return;
        }
        self.send_storage_before_limits(plan).await;
        if self.deliver_all(held_back, &mut search, run).await == Flow::End {
            return;
        }
        self.repeat(repeated_last, &mut search, run).await;
    }

    async fn deliver_all(
        &mut self,
        batches: Vec<Batch>,
        search: &mut Search<'_>,
        run: &mut Run,
    ) -> Flow {
        for batch in batches {
            search.add(batch);
        }
        self.deliver(search, run).await
    }

    /// Sends what is left of the full snapshot, as far as nothing else has to be sent before.
    async fn repeat(
        &mut self,
        snapshot: Vec<Batch>,
        search: &mut Search<'_>,
        run: &mut Run,
    ) -> Flow {
        for batch in snapshot {
            let identities: Vec<Identity> = batch.identities().cloned().collect();
            let access = batch.access();
            search.add(batch);
            match self.deliver(search, run).await {
                Flow::Paused if self.is_closed(&access) => self.rest.end(&access),
                // One organization that is left alone does not hold back the others.
                Flow::Paused if self.is_left_alone(&access, Purpose::Snapshot) => {}
                Flow::Paused | Flow::End => return Flow::End,
                Flow::Next => self.rest.sent(&identities),
            }
            // A change goes before the rest of the snapshot. Asked only now, so that the snapshot
            // goes on even where something always changes.
            if self.cluster.changed().now_or_never().is_some() {
                self.schedule.changed(Instant::now());
                return Flow::End;
            }
        }
        Flow::Next
    }
}
