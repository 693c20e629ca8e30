//! What an answer of GitHub may be taken for: never for more than it says, never for something about
//! lines that were not sent.

#![expect(
    clippy::indexing_slicing,
    reason = "of JSON, which has a null for what is not there"
)]

use std::collections::BTreeSet;
use std::sync::Arc;

use http::StatusCode;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::super::answer::{Answer, Failure, Given, Received, Taken};
use super::super::job::{Job, JobId, JobStatus, Start};
use super::super::operation::Operation;
use super::super::rate::Rate;
use super::super::records::{DeploymentRecord, Records, StorageRecord};
use super::super::request::MAX_JOB_LINES;
use super::{Message, is_on_one_line, line, version};
use crate::model::image::Digest;
use crate::model::record::{Destination, Line};

/// The number of the job that is asked for.
const JOB: u64 = 42;

/// `OPERATION STATUS`, headers, body: what an answer to an operation is taken for.
pub(crate) fn answer(bytes: &[u8]) {
    let Some(message) = Message::read(bytes) else {
        return;
    };
    let mut operations = Operation::ALL.into_iter();
    let operation = operations.find(|operation| operation.as_str() == message.word(0));
    let (Some(operation), Some(status)) = (operation, message.status(1)) else {
        return;
    };
    let (rate, version) = (Rate::read(&message.headers), version());
    let received = Received {
        status,
        rate: &rate,
        body: message.body,
        version: &version,
    };
    let body: Option<Value> = serde_json::from_slice(message.body).ok();
    // A field that nobody asks for may be deeper than a value can be, or of half a letter.
    if body.is_none() && serde_json::from_slice::<IgnoredAny>(message.body).is_ok() {
        return;
    }
    let body = body.unwrap_or_default();
    match operation {
        Operation::SetClusterDeploymentRecords => {
            let lines = lines();
            let answer = Taken::read(received, &lines);
            told(&answer, received, &[200, 207]);
            if let Ok(taken) = &answer {
                takes_what_was_sent(taken, status, &body, &lines);
            }
        }
        Operation::CreateDeploymentRecord | Operation::CreateStorageRecord => {
            let answer = Taken::read_one(received);
            told(&answer, received, &[200, 201]);
            assert!(answer.is_err() || (body.is_object() && answer == Ok(Taken::default())));
        }
        Operation::CreateJob => {
            let answer = Start::read(received);
            told(&answer, received, &[202, 409]);
            if let Ok(Start::Started { job, errors }) = answer {
                assert_eq!(
                    (status.as_u16(), body["job_id"].as_u64()),
                    (202, Some(job.0))
                );
                assert_eq!(errors.len(), items(&body["errors"]).min(MAX_JOB_LINES + 1));
            }
        }
        Operation::GetJob | Operation::ListDeploymentRecords | Operation::ListStorageRecords => {
            read(operation, received, &body);
        }
    }
}

/// What an answer to a request that reads is taken for.
fn read(operation: Operation, received: Received<'_>, body: &Value) {
    match operation {
        Operation::GetJob => {
            let answer = Job::read(received, JobId(JOB));
            told(&answer, received, &[200]);
            if let Ok(job) = &answer {
                assert_eq!((job.id.0, body["job_id"].as_u64()), (JOB, Some(JOB)));
                assert_eq!(body["status"], job.status.as_str());
                let ends = [JobStatus::Completed, JobStatus::Failed].contains(&job.status);
                assert_eq!(job.status.is_over(), ends);
                assert_eq!(
                    job.errors.len(),
                    items(&body["errors"]).min(MAX_JOB_LINES + 1)
                );
                job.errors
                    .iter()
                    .for_each(|error| is_on_one_line(&error.text));
            }
        }
        Operation::ListDeploymentRecords => {
            let answer = Records::<DeploymentRecord>::read(received);
            told(&answer, received, &[200]);
            let digests = |list: &Records<DeploymentRecord>| {
                list.records.iter().map(|record| record.digest).collect()
            };
            lists_all(&answer, body, "deployment_records", digests);
        }
        Operation::ListStorageRecords => {
            let answer = Records::<StorageRecord>::read(received);
            told(&answer, received, &[200]);
            let digests = |list: &Records<StorageRecord>| {
                list.records.iter().map(|record| record.digest).collect()
            };
            lists_all(&answer, body, "storage_records", digests);
        }
        _ => {}
    }
}

/// What holds of every answer: only these statuses give something, and whatever gives nothing says
/// why, in a few words on one line, and is what its status says.
fn told<T: Given>(answer: &Answer<T>, received: Received<'_>, gives: &[u16]) {
    let status = received.status.as_u16();
    let failure = match answer {
        Ok(given) => {
            assert!(gives.contains(&status), "{} by {status}", given.kind());
            return;
        }
        Err(failure) => failure,
    };
    let text = failure.to_string();
    is_on_one_line(&text);
    let allowed: &[&str] = match status {
        400 | 422 => &["invalid"],
        401 => &["bad-token"],
        403 if received.rate.limits() => &["limited", "names-repositories"],
        403 => &["limited", "names-repositories", "no-access", "refused"],
        404 => &["names-repositories", "no-access", "refused"],
        410 => &["version-withdrawn"],
        413 => &["oversized"],
        429 => &["limited"],
        _ => &["unknown"],
    };
    assert!(allowed.contains(&failure.kind()), "{status}: {failure:?}");
    if !matches!(failure, Failure::NamesRepositories { .. }) {
        assert!(text.chars().count() < 800, "{text}");
    }
}

/// Every error of a 207 names a line that was sent, and no line that is named counts as taken.
fn takes_what_was_sent(taken: &Taken, status: StatusCode, body: &Value, lines: &[Line]) {
    assert!(body["total_count"].is_i64() || body["total_count"].is_u64());
    let folded = |text: &str| {
        text.chars()
            .flat_map(char::to_lowercase)
            .collect::<String>()
    };
    let mut named = BTreeSet::new();
    let mut strange = BTreeSet::new();
    for error in body["errors"].as_array().into_iter().flatten() {
        let name = error["deployment"]["deployment_name"].as_str();
        let name = name.map(folded).unwrap_or_default();
        let mut indices = 0..lines.len();
        let index = indices.find(|index| {
            let line = lines.get(*index);
            line.is_some_and(|line| folded(&line.identity.name) == name)
        });
        assert!(index.is_some(), "{error} is about nothing that was sent");
        named.extend(index);
        let known = matches!(error["cause"].as_str(), Some("not_found" | "unauthorized"));
        strange.extend(index.filter(|_| !known));
    }
    let refused: BTreeSet<usize> = taken.refused.iter().map(|(index, _)| *index).collect();
    let unknown: BTreeSet<usize> = taken.unknown.iter().copied().collect();
    assert!(refused.is_disjoint(&unknown));
    assert_eq!(&refused | &unknown, named);
    assert_eq!(unknown, strange);
    assert_eq!(taken.count(lines.len()), lines.len() - named.len());
    assert!(status.as_u16() == 200 || !named.is_empty());
}

/// No record of a list is left out, and each has the digest that stands in the answer.
fn lists_all<T>(
    answer: &Answer<Records<T>>,
    body: &Value,
    field: &str,
    digests: impl Fn(&Records<T>) -> Vec<Digest>,
) {
    let Ok(list) = answer else { return };
    let told = body[field].as_array().into_iter().flatten();
    let told: Vec<&str> = told
        .filter_map(|record| record["digest"].as_str())
        .collect();
    let read: Vec<String> = digests(list).iter().map(ToString::to_string).collect();
    assert_eq!(read, told);
    assert!(read.iter().all(|digest| is_digest(digest)), "{read:?}");
    assert_eq!(told.len(), items(&body[field]));
    let total = body["total_count"].as_u64();
    assert_eq!(list.total_count, total);
    let all_came = total.is_some_and(|total| total <= told.len() as u64);
    assert_eq!(list.is_whole(), all_came);
}

fn items(list: &Value) -> usize {
    list.as_array().map_or(0, Vec::len)
}

/// `sha256:` and 64 lower-case hexadecimal digits.
fn is_digest(text: &str) -> bool {
    let hex = text.strip_prefix("sha256:").unwrap_or_default();
    hex.len() == 64 && hex.bytes().all(|byte| b"0123456789abcdef".contains(&byte))
}

/// What was sent: names that differ little, each with a digest of its own.
fn lines() -> Vec<Line> {
    let destination = Arc::new(Destination {
        host: "api.github.com".into(),
        organization: "acme".into(),
        cluster: "prod".into(),
        logical_environment: "production".into(),
        physical_environment: None,
    });
    let names = [
        "shop-web-main",
        "shop-cart-main",
        "shop-web-main-2",
        "\u{e9}",
        "a",
    ];
    let digits = ["a", "b", "c", "d", "e"];
    let lines = names.into_iter().zip(digits);
    lines
        .map(|(name, digit)| line(&destination, name, digit))
        .collect()
}
