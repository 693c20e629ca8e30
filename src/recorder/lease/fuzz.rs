//! What must hold of whatever stands in a Lease: plain functions over bytes
//! (`crate::fuzz`).

#![expect(clippy::unwrap_used, reason = "what fails here is a finding")]

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;

use super::LASTS;
use super::identity::{Fate, Identity, described};
use super::record::Record;

/// A Lease as JSON.
pub(crate) fn lease(bytes: &[u8]) {
    let Ok(mut lease) = serde_json::from_slice::<Lease>(bytes) else {
        return;
    };
    let before = lease.clone();
    let record = Record::read(&lease);
    let seconds = before
        .spec
        .as_ref()
        .and_then(|spec| spec.lease_duration_seconds);
    let seconds = seconds.and_then(|seconds| u64::try_from(seconds).ok());
    assert_eq!(record.lasts.as_secs(), seconds.unwrap_or(LASTS.as_secs()));
    record.write(&mut lease);
    assert_eq!(Record::read(&lease), record);
    assert_eq!(lease.metadata, before.metadata);
    holder(record.holder.as_bytes());

    let now = Timestamp::UNIX_EPOCH;
    let claimed = Record::claimed(Some(&record), "me", now);
    assert_eq!((&*claimed.holder, claimed.lasts), ("me", LASTS));
    assert!(claimed.transitions >= record.transitions);
    claimed.write(&mut lease);
    let sent = serde_json::to_vec(&lease).unwrap();
    let stored: Lease = serde_json::from_slice(&sent).unwrap();
    let stored = Record::read(&stored);
    let told = |record: &Record| (record.holder.clone(), record.lasts, record.transitions);
    assert_eq!(told(&stored), told(&claimed), "what is written is read so");
    assert!(stored.released(now).holder.is_empty());
}

/// Who holds a Lease, as text.
pub(crate) fn holder(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let words = described(text);
    assert!(!words.contains(char::is_control), "{words}");
    let Ok(identity) = text.parse::<Identity>() else {
        return;
    };
    assert_eq!(
        identity.to_string(),
        text,
        "printed otherwise than it was written"
    );
    assert!(words.contains(text), "{words}");
    // Who is alive is never taken over, and what cannot be told is not guessed.
    for fate in [Fate::Alive, Fate::Unknown] {
        assert!(!identity.sees_gone(text, |_| fate));
    }
}
