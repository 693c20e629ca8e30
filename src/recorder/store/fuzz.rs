//! What must hold of whatever stands in the ledger's place: plain functions over bytes
//! (`crate::fuzz`). What is read is what was written, and nothing else is read.

#![expect(clippy::unwrap_used, reason = "what fails here is a finding")]

use serde_json::Value;

use super::form::{Root, Shard, Written};
use super::part::{self, PartError};
use super::shards;
use crate::model::image::Digest;
use crate::model::ledger::{Entry, Ledger};
use crate::model::moment::Moment;
use crate::model::record::{Body, Identity};

/// A part as it is stored: its frame and what is in it.
pub(crate) fn part(bytes: &[u8]) {
    let content = match part::read::<Value>(bytes) {
        Ok(content) => content,
        Err(error) => {
            assert!(!error.to_string().contains(char::is_control), "{error}");
            let ours = bytes.starts_with(b"deployment-recorder-ledger ");
            return assert!(ours || error == PartError::Foreign, "{error}");
        }
    };
    let again = part::write(&content, part::VERSION).unwrap();
    assert_eq!(part::read(&again), Ok(content.clone()));
    // Any other byte is seen.
    for at in [0, bytes.len() / 2, bytes.len() - 1] {
        let mut changed = bytes.to_vec();
        for byte in changed.iter_mut().skip(at).take(1) {
            *byte ^= 1;
        }
        assert_ne!(part::read::<Value>(&changed), Ok(content.clone()));
    }
    let cut = bytes.split_last().map(|(_, cut)| cut).unwrap_or_default();
    assert!(part::read::<Value>(cut).is_err());
}

/// The JSON in a part: of the root, and of a shard.
pub(crate) fn ledger(bytes: &[u8]) {
    if let Ok(root) = serde_json::from_slice::<Root>(bytes) {
        let written = serde_json::to_vec(&root).unwrap();
        assert_eq!(serde_json::from_slice::<Root>(&written).unwrap(), root);
    }
    let Ok(content) = serde_json::from_slice::<Value>(bytes) else {
        return;
    };
    let Ok(ledger) = restored(bytes) else { return };
    told_by(&ledger, &content);
    let mut written = Written::new(0, 7);
    for (identity, entry) in ledger.entries() {
        written.add(identity, entry);
    }
    for (identity, digest) in ledger.past() {
        written.add_past(identity, digest);
    }
    for (shelf, digest) in ledger.stock().kept() {
        written.add_kept(shelf, digest);
    }
    let again = restored(&serde_json::to_vec(&written).unwrap()).unwrap();
    assert_eq!(meaning(&again), meaning(&ledger));
}

fn restored(json: &[u8]) -> Result<Ledger, Box<dyn std::error::Error>> {
    let shard: Shard = serde_json::from_slice(json)?;
    let is_empty = shard.is_empty();
    let content = shard.read()?;
    let nothing = content.entries.is_empty() && content.past.is_empty() && content.stock.is_empty();
    assert!(!is_empty || nothing);
    for (identity, _) in &content.entries {
        assert!(shards::of(identity, 4) < 4);
        assert_eq!(
            shards::of(identity, 4) % 2,
            shards::of(identity, 2),
            "growing moves it"
        );
    }
    Ok(content.ledger(None, Moment::START))
}

/// Every identity, body and digest of the ledger stands in the JSON that it was read from.
fn told_by(ledger: &Ledger, content: &Value) {
    let texts = texts(content);
    let stands = |text: &str| assert!(texts.contains(&text), "{text} is made up");
    let has = |identity: &Identity| {
        stands(&identity.name);
        identity
            .destination
            .parts()
            .into_iter()
            .filter(|part| !part.is_empty())
            .for_each(stands);
    };
    let holds = |body: &Body| {
        stands(&body.digest.to_string());
        stands(&body.name);
        body.version
            .as_deref()
            .into_iter()
            .chain(body.repository.as_deref())
            .for_each(stands);
    };
    for (identity, entry) in ledger.entries() {
        has(identity);
        let sent = entry.sent.iter().map(|sent| &sent.body);
        sent.chain(&entry.held).for_each(|body| holds(body));
    }
    for (identity, digest) in ledger.past() {
        has(identity);
        stands(&digest.to_string());
    }
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// What a ledger says, but for what is known to be held and need not be stored.
fn meaning(ledger: &Ledger) -> String {
    let entry = |(identity, entry): (&Identity, &Entry)| {
        let sent = entry.sent.iter().filter(|sent| entry.must_be_stored(sent));
        let sent: Vec<_> = sent.collect();
        let Entry { owner, held, .. } = entry;
        let (tombstone, acknowledged) = (entry.is_tombstone(), entry.is_acknowledged_since());
        format!(
            "{:?} {owner:?} {held:?} {sent:?} {tombstone} {acknowledged}",
            spelled(identity)
        )
    };
    let past =
        |(identity, digest): (&Identity, Digest)| format!("{:?} {digest}", spelled(identity));
    let kept = ledger.stock().kept();
    let kept = kept.map(|(shelf, digest)| format!("{shelf:?} {digest}"));
    let entries = ledger.entries().map(entry);
    entries
        .chain(ledger.past().map(past))
        .chain(kept)
        .collect::<Vec<_>>()
        .join("\n")
}

fn spelled(identity: &Identity) -> ([&str; 5], &str) {
    (identity.destination.parts(), &identity.name)
}
