//! Jobs of the asynchronous endpoint: their state and how it is answered. Who moves them on is in
//! `flow.rs`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum JobStatus {
    Pending,
    Processing,
    Completed,
    Failed,
}

#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) id: u64,
    pub(super) org: String,
    pub(super) cluster: String,
    pub(super) status: JobStatus,
    pub(super) started_at: Timestamp,
    pub(super) total_count: usize,
    /// The contract leaves the shape of a job's errors open; these are those of a 207.
    pub(super) errors: Vec<Value>,
}

impl Job {
    pub(super) fn answer(&self) -> Value {
        json!({
            "job_id": self.id,
            "status": self.status,
            "started_at": self.started_at.to_string(),
            "total_count": self.total_count,
            "errors": self.errors,
        })
    }
}

#[derive(Debug, Default)]
pub(super) struct Jobs {
    jobs: BTreeMap<u64, Job>,
}

impl Jobs {
    /// Starts a job. `None`: one is running for that cluster.
    pub(super) fn start(
        &mut self,
        org: &str,
        cluster: &str,
        total_count: usize,
        started_at: Timestamp,
    ) -> Option<u64> {
        let runs = |job: &Job| matches!(job.status, JobStatus::Pending | JobStatus::Processing);
        let taken = |job: &Job| runs(job) && job.org == org && job.cluster == cluster;
        if self.jobs.values().any(taken) {
            return None;
        }
        let id = self.jobs.last_key_value().map_or(1, |(last, _)| last + 1);
        let job = Job {
            id,
            org: org.to_owned(),
            cluster: cluster.to_owned(),
            status: JobStatus::Pending,
            started_at,
            total_count,
            errors: Vec::new(),
        };
        self.jobs.insert(id, job);
        Some(id)
    }

    pub(super) fn find(&self, org: &str, cluster: &str, id: u64) -> Option<&Job> {
        self.jobs
            .get(&id)
            .filter(|job| job.org == org && job.cluster == cluster)
    }

    pub(super) fn advance(&mut self, id: u64, status: JobStatus, errors: Vec<Value>) {
        if let Some(job) = self.jobs.get_mut(&id) {
            job.status = status;
            job.errors = errors;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_job_at_a_time_for_each_cluster() {
        let mut jobs = Jobs::default();
        let now = Timestamp::UNIX_EPOCH;
        let first = jobs.start("o", "c", 1, now).unwrap();
        assert_eq!(jobs.start("o", "c", 1, now), None);
        assert!(jobs.start("o", "other", 1, now).is_some());
        jobs.advance(first, JobStatus::Processing, Vec::new());
        assert_eq!(jobs.start("o", "c", 1, now), None);
        jobs.advance(first, JobStatus::Failed, Vec::new());
        assert!(jobs.start("o", "c", 1, now).is_some());
        assert!(jobs.find("o", "other", first).is_none());
    }
}
