//! What GitHub holds of a stage, and waiting for it.

use std::collections::BTreeSet;

use deployment_recorder::sandbox::{Change, Entry, Record, Sandbox, Status};
use tokio::time::timeout;

use super::api::PATIENCE;
use super::objects::digest;
use super::program::Program;
use super::stage::{ENVIRONMENT, Stage};

impl Stage {
    /// The name of a record, as it is made by default.
    pub(crate) fn name(&self, workload: &str, container: &str) -> String {
        format!("{}-{workload}-{container}", self.ns)
    }

    /// A record of this stage.
    pub(crate) fn record(&self, workload: &str, container: &str) -> Option<Record> {
        self.github
            .record(ENVIRONMENT, &self.name(workload, container))
    }

    /// Every write to a record of this stage.
    pub(crate) fn history(&self, workload: &str, container: &str) -> Vec<Change> {
        self.github
            .history(ENVIRONMENT, &self.name(workload, container))
    }

    /// Waits until something holds at GitHub.
    pub(crate) async fn until(&self, what: &str, mut holds: impl FnMut(&Sandbox) -> bool) {
        let held = timeout(PATIENCE, self.github.wait_until(&mut holds)).await;
        if held.is_err() {
            let tail = self.recorder.as_ref().map(Program::tail);
            let tail = tail.unwrap_or_default();
            let records = self.github.records();
            panic!("waited {PATIENCE:?} for: {what}\nGitHub: {records:#?}\nlog: {tail}");
        }
    }

    /// Waits until a container is recorded as running this image.
    pub(crate) async fn runs(&self, workload: &str, container: &str, image: &str) {
        let wanted = digest(image);
        let what = format!("{workload}/{container} deployed with {image}");
        self.until(&what, |_| {
            self.record(workload, container)
                .is_some_and(|it| it.status == Status::Deployed && it.digest == wanted)
        })
        .await;
    }

    /// Waits until a container is recorded as decommissioned.
    pub(crate) async fn ends(&self, workload: &str, container: &str) {
        self.until(&format!("{workload}/{container} decommissioned"), |_| {
            self.record(workload, container)
                .is_some_and(|it| it.status == Status::Decommissioned)
        })
        .await;
    }

    /// Whether nothing but `deployed` was ever said of a container.
    pub(crate) fn never_ended(&self, workload: &str, container: &str) -> bool {
        let history = self.history(workload, container);
        !history.is_empty()
            && history
                .iter()
                .all(|it| it.record.status == Status::Deployed)
    }

    /// What GitHub holds as deployed: environment, name and digest.
    pub(crate) fn deployed(&self) -> BTreeSet<(String, String, String)> {
        let records = self.github.records().into_iter();
        let deployed = records.filter(|record| record.status == Status::Deployed);
        deployed
            .map(|it| {
                (
                    it.key.logical_environment,
                    it.key.deployment_name,
                    it.digest,
                )
            })
            .collect()
    }

    /// The requests that GitHub got so far.
    pub(crate) fn requests(&self) -> Vec<Entry> {
        self.github.requests()
    }
}
