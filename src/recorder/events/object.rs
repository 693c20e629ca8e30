//! The object of an event, as the API server takes it. Its name follows from its cause: whoever
//! writes the same again, after a restart or in the place of another, finds it there.

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};

use crate::model::gap::Reason;
use crate::model::workload::Workload;

use super::cause::Cause;

/// Who writes events.
const CONTROLLER: &str = "deployment-recorder";

/// What is done to the workload when an event comes of it.
const ACTION: &str = "Recording";

/// The most bytes that the API server takes of a note and of an instance's name:
/// <https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/>.
const LONGEST_NOTE: usize = 1024;
const LONGEST_INSTANCE: usize = 128;

/// The most bytes of a workload's name in front of a dot and 16 digits: 253 in all.
const LONGEST_NAME: usize = 236;

/// The event of a cause, seen now by this instance. `version`: group and version of the workload's kind.
/// Where nobody knows them the reference has none, which is allowed: who looks for the events of an
/// object goes by its uid, and a version that was made up would lead nowhere.
pub(super) fn event(cause: &Cause, version: Option<&str>, instance: &str, now: Timestamp) -> Event {
    let workload = &cause.workload;
    Event {
        metadata: ObjectMeta {
            name: Some(name(cause)),
            namespace: Some(workload.namespace.to_string()),
            ..ObjectMeta::default()
        },
        action: Some(ACTION.to_owned()),
        event_time: Some(MicroTime(now)),
        note: Some(note(cause)),
        reason: Some(word(cause.reason)),
        regarding: Some(regarding(cause, version)),
        reporting_controller: Some(CONTROLLER.to_owned()),
        reporting_instance: Some(cut(instance, LONGEST_INSTANCE)),
        type_: Some("Warning".to_owned()),
        ..Event::default()
    }
}

fn regarding(cause: &Cause, version: Option<&str>) -> ObjectReference {
    let Workload {
        kind,
        namespace,
        name,
    } = &cause.workload;
    ObjectReference {
        api_version: version.map(str::to_owned),
        kind: Some(kind.kind().to_owned()),
        namespace: Some(namespace.to_string()),
        name: Some(name.to_string()),
        uid: cause.uid.as_deref().map(str::to_owned),
        ..ObjectReference::default()
    }
}

/// What is wrong, what it is about, and what to do.
fn note(cause: &Cause) -> String {
    let (meaning, advice) = (cause.reason.meaning(), cause.reason.advice());
    let detail = cut(&cause.detail, LONGEST_NOTE / 2);
    let note = format!("Deployment record: {meaning} ({detail}). To do: {advice}");
    cut(&note, LONGEST_NOTE)
}

/// The reason in the form of Kubernetes' own: `InvalidTag`. What GitHub refuses is about the record.
fn word(reason: Reason) -> String {
    let words = reason.as_str().split('-');
    let capital = words.map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        format!("{}{rest}", first.to_uppercase())
    });
    let word: String = capital.collect();
    match reason {
        Reason::NotFound | Reason::Unauthorized | Reason::Invalid => format!("Record{word}"),
        _ => word,
    }
}

fn name(cause: &Cause) -> String {
    let Workload {
        kind,
        namespace,
        name,
    } = &cause.workload;
    let text = format!(
        "{kind}\n{namespace}\n{name}\n{}\n{}\n{}",
        cause.uid.as_deref().unwrap_or_default(),
        cause.reason,
        cause.detail
    );
    let print = digest(&SHA256, text.as_bytes());
    let mut digits = [0; 8];
    digits
        .iter_mut()
        .zip(print.as_ref())
        .for_each(|(digit, byte)| *digit = *byte);
    let digits = u64::from_be_bytes(digits);
    // What is cut may end with a dot or a hyphen, behind which no dot may be.
    let name = name.get(..name.floor_char_boundary(LONGEST_NAME));
    let name = name.unwrap_or_default();
    let name = name.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    format!("{name}.{digits:016x}")
}

/// `text`, of which no more is taken than so many bytes.
fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(most.saturating_sub("…".len()));
    format!("{}…", text.get(..end).unwrap_or_default())
}
