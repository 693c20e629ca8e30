//! Doing what a request asks for: at once, later, or step by step as a job.

use std::time::Duration;

use serde_json::Value;

use super::Sandbox;
use super::answers::{self, Answer};
use super::app;
use super::call::Call;
use super::endpoint::{Endpoint, Target};
use super::faults::FaultKind;
use super::flow::Visit;
use super::jobs::JobStatus;
use super::strikes::Strike;
use super::write::Write;

/// Does what the request asks for.
pub(super) fn perform(call: &Call, visit: &Visit) -> Answer {
    if let Some((refusal, _)) = &call.refusal {
        return answers::refused(refusal);
    }
    let Some(target) = &call.target else {
        return answers::plain(404);
    };
    let stamp = visit.sandbox.stamp(visit.sequence);
    if let Some(answer) = app::answer(&visit.sandbox, call, stamp) {
        return answer;
    }
    let read = visit.sandbox.world().read(target, &visit.strikes);
    if let Some(answer) = read {
        return answer;
    }
    let Some(body) = &call.body else {
        return answers::plain(400);
    };
    write(&visit.sandbox, target, body, &visit.strikes, visit.sequence)
}

/// Writes what a request without a fault in itself asks for.
fn write(
    sandbox: &Sandbox,
    target: &Target,
    body: &Value,
    strikes: &[Strike],
    sequence: u64,
) -> Answer {
    let stamp = sandbox.stamp(sequence);
    if target.endpoint == Endpoint::CreateStorageRecord {
        return sandbox.world().store(target, body, strikes, stamp);
    }
    let Some(write) = Write::read(target, body) else {
        return answers::plain(422);
    };
    match target.endpoint {
        Endpoint::CreateJob => {
            let (answer, job) = sandbox.world().start_job(&write, stamp.time);
            if let Some(job) = job {
                run_job(sandbox.clone(), job, write, strikes.to_vec(), sequence);
            }
            answer
        }
        Endpoint::SetClusterRecords => sandbox.world().set(&write, strikes, stamp),
        Endpoint::CreateDeploymentRecord => sandbox.world().create(&write, strikes, stamp),
        Endpoint::CreateStorageRecord
        | Endpoint::GetJob
        | Endpoint::ListDeploymentRecords
        | Endpoint::ListStorageRecords
        | Endpoint::GetInstallation
        | Endpoint::CreateInstallationToken => answers::plain(404),
    }
}

/// Applies a request whose client has long been told that its connection broke.
pub(super) fn apply_later(call: &Call, visit: &Visit, after: Duration) {
    let valid = call.refusal.is_none();
    let parts = call.target.clone().zip(call.body.clone());
    let Some((target, body)) = parts.filter(|_| valid) else {
        return;
    };
    let (sandbox, strikes) = (visit.sandbox.clone(), visit.strikes.clone());
    let sequence = visit.sequence;
    tokio::spawn(async move {
        tokio::time::sleep(after).await;
        write(&sandbox, &target, &body, &strikes, sequence);
        sandbox.bump();
    });
}

/// Moves a job on: pending for half of its time, then processing, then written.
fn run_job(sandbox: Sandbox, job: u64, write: Write, strikes: Vec<Strike>, sequence: u64) {
    let half = sandbox.job_duration() / 2;
    tokio::spawn(async move {
        tokio::time::sleep(half).await;
        sandbox
            .world()
            .jobs
            .advance(job, JobStatus::Processing, Vec::new());
        sandbox.bump();
        tokio::time::sleep(half).await;
        if strikes
            .iter()
            .any(|strike| strike.kind == FaultKind::JobFails)
        {
            sandbox
                .world()
                .jobs
                .advance(job, JobStatus::Failed, Vec::new());
        } else {
            let stamp = sandbox.stamp(sequence);
            let errors = sandbox.world().do_job(&write, &strikes, stamp);
            sandbox
                .world()
                .jobs
                .advance(job, JobStatus::Completed, errors);
        }
        sandbox.bump();
    });
}
