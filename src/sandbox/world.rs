//! Everything the sandbox holds behind its one lock, and what a valid request does to it.
//! No waiting here; the way of a request through faults and delays is in `flow.rs`.

use std::collections::BTreeMap;

use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answers::{self, Answer};
use super::app::App;
use super::endpoint::{Endpoint, Target};
use super::faults::FaultKind;
use super::jobs::Jobs;
use super::log::Log;
use super::origins::Origins;
use super::pace::Pace;
use super::records::{Origin, Record, Records, Stamp};
use super::storage::{Storage, StorageItem};
use super::strikes::{Faults, Strike};
use super::write::{Item, Write};

#[derive(Debug, Default)]
pub(super) struct World {
    /// The only token accepted; none: any.
    pub(super) token: Option<String>,
    /// The only token accepted by an organization, and by no other; by name in lower case.
    pub(super) own_tokens: BTreeMap<String, String>,
    pub(super) app: App,
    pub(super) enforce: bool,
    pub(super) records: Records,
    pub(super) storage: Storage,
    pub(super) origins: Origins,
    pub(super) jobs: Jobs,
    pub(super) faults: Faults,
    pub(super) log: Log,
    pub(super) pace: Pace,
}

/// Why one record of a request was refused, in the words of the contract.
type Cause = &'static str;
const NOT_FOUND: Cause = "not_found";
const UNAUTHORIZED: Cause = "unauthorized";
/// A cause that the contract does not know.
const STRANGE: Cause = "internal";

/// What writing a request's records came to.
pub(super) struct Written {
    pub(super) records: Vec<Value>,
    pub(super) errors: Vec<(Cause, Item)>,
}

impl Written {
    /// The errors as a 207 lists them.
    pub(super) fn errors(&self) -> Vec<Value> {
        let echo =
            |(cause, item): &(Cause, Item)| json!({"cause": cause, "deployment": item.echo()});
        self.errors.iter().map(echo).collect()
    }
}

impl World {
    /// Writes what can be written: all, those without an error if `partial`, or nothing.
    pub(super) fn write(
        &mut self,
        write: &Write,
        partial: bool,
        strikes: &[Strike],
        stamp: Stamp,
    ) -> Written {
        let mut good: Vec<(&Item, Origin)> = Vec::new();
        let mut errors: Vec<(Cause, Item)> = Vec::new();
        for (index, item) in write.items.iter().enumerate() {
            let origin = self
                .origins
                .resolve(&item.digest, item.github_repository.as_deref());
            match (struck(strikes, index), origin) {
                (None, Some(origin)) => good.push((item, origin)),
                (cause, _) => errors.push((cause.unwrap_or(NOT_FOUND), item.clone())),
            }
        }
        if !errors.is_empty() && !partial {
            good.clear();
        }
        let mut records = Vec::with_capacity(good.len());
        for (item, origin) in good {
            records.push(self.records.upsert(write, item, origin, stamp).answer());
        }
        if let Some(entry) = self.log.entry(stamp.request) {
            entry.applied += records.len();
        }
        Written { records, errors }
    }

    /// `set cluster deployment records`.
    pub(super) fn set(&mut self, write: &Write, strikes: &[Strike], stamp: Stamp) -> Answer {
        let strange = strikes.iter().any(|it| it.kind == FaultKind::StrangeCause);
        let partial = write.partial_success || strange;
        let mut written = self.write(write, partial, strikes, stamp);
        if strikes.iter().any(|it| it.kind == FaultKind::StrangeRecord) {
            written.errors.extend(stranger(write));
        } else if !written.errors.is_empty() && !partial {
            return self.all_failed(&written);
        }
        let nothing = written.errors.len() == write.items.len();
        if nothing && strikes.iter().any(|it| it.kind == FaultKind::NothingFound) {
            return answers::plain(404);
        }
        let errors = written.errors();
        answers::records(
            "deployment_records",
            written.records,
            write.return_records,
            errors,
        )
    }

    /// What a job writes when its time has come, and its errors.
    pub(super) fn do_job(&mut self, write: &Write, strikes: &[Strike], stamp: Stamp) -> Vec<Value> {
        let mut written = self.write(write, true, strikes, stamp);
        if strikes.iter().any(|it| it.kind == FaultKind::StrangeRecord) {
            written.errors.extend(stranger(write));
        }
        written.errors()
    }

    /// One bad record fails a whole request: the message is an object that names repositories.
    fn all_failed(&mut self, written: &Written) -> Answer {
        let of = |cause: Cause| {
            let matching = written
                .errors
                .iter()
                .filter(move |(given, _)| *given == cause);
            let mut names: Vec<String> = matching
                .filter_map(|(_, item)| item.github_repository.clone())
                .collect();
            names.sort();
            names.dedup();
            names
        };
        if written
            .errors
            .iter()
            .any(|(cause, _)| *cause == UNAUTHORIZED)
        {
            let names = of(UNAUTHORIZED);
            let ids = names
                .iter()
                .map(|it| self.origins.repository_id(it))
                .collect();
            return answers::naming(403, &ids);
        }
        answers::naming(404, &of(NOT_FOUND).into())
    }

    /// `create deployment record`.
    pub(super) fn create(&mut self, write: &Write, strikes: &[Strike], stamp: Stamp) -> Answer {
        let written = self.write(write, false, strikes, stamp);
        match written.errors.first() {
            None => answers::records(
                "deployment_records",
                written.records,
                write.return_records,
                Vec::new(),
            ),
            Some((cause, _)) => single_failure(cause),
        }
    }

    /// `create storage record`.
    pub(super) fn store(
        &mut self,
        target: &Target,
        body: &Value,
        strikes: &[Strike],
        stamp: Stamp,
    ) -> Answer {
        let Ok(item) = StorageItem::deserialize(body) else {
            return answers::plain(422);
        };
        let origin = self
            .origins
            .resolve(&item.digest, item.github_repository.as_deref());
        if let Some(cause) = struck(strikes, 0).or(origin.is_none().then_some(NOT_FOUND)) {
            return single_failure(cause);
        }
        let record = self.storage.upsert(target.org(), &item, stamp.time);
        if let Some(entry) = self.log.entry(stamp.request) {
            entry.applied += 1;
        }
        let returned = item.return_records.unwrap_or(true);
        answers::records(
            "storage_records",
            vec![record.answer()],
            returned,
            Vec::new(),
        )
    }

    /// The reading endpoints. `None`: this is not one of them.
    pub(super) fn read(&self, target: &Target, strikes: &[Strike]) -> Option<Answer> {
        let (org, digest) = (target.org(), target.parameter("subject_digest"));
        let is_struck = |kind| strikes.iter().any(|strike| strike.kind == kind);
        let short = is_struck(FaultKind::ShortList);
        match target.endpoint {
            Endpoint::ListDeploymentRecords => {
                let wanted = self
                    .records
                    .all()
                    .filter(|it| it.key.org == org && it.digest == digest);
                let told: fn(&Record) -> Value = if is_struck(FaultKind::ListsStatus) {
                    Record::answer_with_status
                } else {
                    Record::answer
                };
                let records = wanted.map(told).collect();
                Some(answers::list("deployment_records", records, short))
            }
            Endpoint::ListStorageRecords => {
                let wanted = self
                    .storage
                    .all()
                    .filter(|it| it.org == org && it.digest == digest);
                let records = wanted.map(super::storage::StorageRecord::listed).collect();
                Some(answers::list("storage_records", records, short))
            }
            Endpoint::GetJob => {
                let id = target.parameter("job_id").parse().unwrap_or_default();
                let job = self.jobs.find(org, target.parameter("cluster"), id);
                let found = job.map(|job| answers::json(StatusCode::OK, &job.answer()));
                Some(found.unwrap_or_else(|| answers::plain(404)))
            }
            Endpoint::CreateDeploymentRecord
            | Endpoint::SetClusterRecords
            | Endpoint::CreateJob
            | Endpoint::CreateStorageRecord
            | Endpoint::GetInstallation
            | Endpoint::CreateInstallationToken => None,
        }
    }

    /// Starts a job: 202 and its number, or 409.
    pub(super) fn start_job(&mut self, write: &Write, now: Timestamp) -> (Answer, Option<u64>) {
        let job = self
            .jobs
            .start(&write.org, &write.cluster, write.items.len(), now);
        let answer = match job {
            Some(id) => answers::json(StatusCode::ACCEPTED, &json!({"job_id": id, "errors": []})),
            None => answers::error(
                StatusCode::CONFLICT,
                "A deployment records job is already in progress for this cluster",
            ),
        };
        (answer, job)
    }
}

/// An error about a record that was not sent.
fn stranger(write: &Write) -> Option<(Cause, Item)> {
    let other = write.items.first().cloned().map(|item| Item {
        deployment_name: "a-record-of-nobody".to_owned(),
        ..item
    });
    other.map(|item| (NOT_FOUND, item))
}

/// What the faults say about one record.
fn struck(strikes: &[Strike], index: usize) -> Option<Cause> {
    let says = |strike: &Strike| {
        let first = strike.records.first() == Some(&index);
        if strike.kind == FaultKind::StrangeCause {
            return first.then_some(STRANGE);
        }
        let causes = [
            (FaultKind::UnknownDigest, NOT_FOUND),
            (FaultKind::Unauthorized, UNAUTHORIZED),
        ];
        let cause = causes.into_iter().find(|(kind, _)| *kind == strike.kind)?.1;
        strike.records.contains(&index).then_some(cause)
    };
    strikes.iter().find_map(says)
}

/// The single endpoints answer with a message that is a text.
fn single_failure(cause: Cause) -> Answer {
    if cause == UNAUTHORIZED {
        return answers::error(
            StatusCode::FORBIDDEN,
            "Artifact metadata write permission required",
        );
    }
    answers::error(StatusCode::NOT_FOUND, "no artifacts found")
}
