//! Jobs: deployment records of a cluster that GitHub sets afterwards. One job runs for a cluster at
//! a time.

use std::fmt;

use serde_json::value::RawValue;

use super::answer::{Answer, Failure, Given, Received, Refusal, compact, tidy};
use super::wire;

#[cfg(test)]
mod tests;

/// GitHub's number for a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub u64);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// What became of the wish to start a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// 202: GitHub will do it.
    Started {
        /// How to ask for it.
        job: JobId,
        /// What GitHub holds against some of its records already.
        errors: Vec<JobError>,
    },
    /// 409: another job of this cluster is not over yet, so none of this one was taken.
    Busy {
        /// What GitHub says about it.
        message: String,
    },
}

/// How far a job is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// GitHub's number for it.
    pub id: JobId,
    /// Where it stands.
    pub status: JobStatus,
    /// When it began, as GitHub writes it.
    pub started_at: Option<String>,
    /// How many records it is about.
    pub total_count: Option<u64>,
    /// What went wrong with some of its records.
    pub errors: Vec<JobError>,
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobStatus {
    /// It is not begun.
    Pending,
    /// It is under way.
    Processing,
    /// It is done, some of its records perhaps not.
    Completed,
    /// It came to nothing.
    Failed,
}

impl JobStatus {
    const ALL: [Self; 4] = [
        Self::Pending,
        Self::Processing,
        Self::Completed,
        Self::Failed,
    ];

    /// The API's name for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }

    /// Whether nothing changes any more.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }
}

/// What is wrong with one record of a job. The contract leaves its shape open; where it is that of
/// a partial answer to records set at once, it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobError {
    /// The record's name, where it is told.
    pub name: Option<String>,
    /// Why it was refused, where it is told and known.
    pub refusal: Option<Refusal>,
    /// All of it, on one line.
    pub text: String,
}

impl Given for Start {
    fn kind(&self) -> &'static str {
        match self {
            Self::Started { .. } => "started",
            Self::Busy { .. } => "busy",
        }
    }
}

impl Given for Job {
    fn kind(&self) -> &'static str {
        self.status.as_str()
    }
}

impl Start {
    /// What an answer to the wish to start a job means.
    pub fn read(received: Received<'_>) -> Answer<Self> {
        match received.status.as_u16() {
            202 => {
                let answer: wire::JobStarted<'_> = received.object()?;
                Ok(Self::Started {
                    job: JobId(answer.job_id),
                    errors: errors(answer.errors.as_ref()),
                })
            }
            409 => Ok(Self::Busy {
                message: received.message(),
            }),
            _ => Err(Failure::read(received)),
        }
    }
}

impl Job {
    /// What an answer says about the job that was asked for.
    pub fn read(received: Received<'_>, asked: JobId) -> Answer<Self> {
        if received.status.as_u16() != 200 {
            return Err(Failure::read(received));
        }
        let answer: wire::JobState<'_> = received.object()?;
        if answer.job_id != asked.0 {
            return Err(received.outside("it is about another job"));
        }
        let status = JobStatus::ALL
            .into_iter()
            .find(|status| status.as_str() == answer.status)
            .ok_or_else(|| received.outside("it has a status that the contract does not have"))?;
        Ok(Self {
            id: asked,
            status,
            started_at: answer.started_at.map(|time| tidy(&time)),
            total_count: answer.total_count,
            errors: errors(answer.errors.as_ref()),
        })
    }
}

fn errors(errors: Option<&wire::JobErrors<'_>>) -> Vec<JobError> {
    let Some(errors) = errors else {
        return Vec::new();
    };
    // More than a job has records: who is named by none of the first may be by one of the others.
    let more = (errors.more > 0).then(|| JobError {
        name: None,
        refusal: None,
        text: format!("and {} more errors", errors.more),
    });
    errors
        .kept
        .iter()
        .copied()
        .map(job_error)
        .chain(more)
        .collect()
}

fn job_error(error: &RawValue) -> JobError {
    let read: Option<wire::RecordError> = serde_json::from_str(error.get())
        .map(|wire::Object(error)| error)
        .ok();
    let cause = read.as_ref().and_then(|error| error.cause.as_deref());
    let refusal = cause.and_then(Refusal::parse);
    let deployment = read.and_then(|error| error.deployment);
    let name = deployment.and_then(|wire::Object(deployment)| deployment.deployment_name);
    JobError {
        name: name.map(|name| tidy(&name)),
        refusal,
        text: tidy(&compact(error)),
    }
}
