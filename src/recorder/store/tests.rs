//! The stored form, whatever the ledger: what is written is read, and what is not as it was written
//! is refused or says the same.

use std::sync::Arc;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use super::form::{Content, Shard, Written};
use super::part::{self, FIRST, PartError, VERSION};
use super::shards;
use crate::model::image::Digest;
use crate::model::ledger::{Entry, Fate, Ledger, Owner, Sent};
use crate::model::moment::Moment;
use crate::model::record::{Body, Destination, Identity, Status};
use crate::model::risk::Risk;
use crate::model::storage::Shelf;
use crate::model::workload::{Kind, Source, Workload};

mod calls;
mod conflicts;
mod kept;
mod loads;
mod splits;
mod stage;

fn text() -> impl Strategy<Value = Arc<str>> {
    r#"[a-zA-Z0-9é/:.\n"\\ -]{0,9}"#.prop_map(Arc::from)
}

fn digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 8]>().prop_map(|bytes| Digest::of(&bytes))
}

fn body() -> impl Strategy<Value = Arc<Body>> {
    let rest = (
        option::of(text()),
        option::of(text()),
        btree_map(text(), text(), 0..4),
        vec(0..Risk::ALL.len(), 0..4),
    );
    (digest(), text(), rest).prop_map(|(digest, name, (version, repository, tags, risks))| {
        let risks = risks.into_iter().map(|at| Risk::ALL[at]);
        Arc::new(Body {
            digest,
            name,
            version,
            repository,
            tags: tags.into_iter().collect(),
            risks: risks.collect(),
        })
    })
}

fn owner() -> impl Strategy<Value = Owner> {
    let kind = prop_oneof![
        Just(Kind::Deployment),
        Just(Kind::CronJob),
        Just(Kind::Pod),
        (text(), text()).prop_map(|(group, kind)| Kind::new(&group, &kind)),
    ];
    let source = (kind, text(), text(), text()).prop_map(|(kind, namespace, name, container)| {
        let workload = Workload {
            kind,
            namespace,
            name,
        };
        Owner::Source(Source::new(workload, container))
    });
    let unreadable = r#"{"of":"a newer version"}"#;
    prop_oneof![
        8 => source,
        1 => Just(Owner::Adopted),
        1 => Just(Owner::Unreadable(unreadable.into())),
    ]
}

fn sent() -> impl Strategy<Value = Sent> {
    let status = prop_oneof![Just(Status::Deployed), Just(Status::Decommissioned)];
    (owner(), body(), status).prop_map(|(owner, body, status)| Sent {
        owner,
        body,
        status,
        fate: Fate::Unknown,
    })
}

fn entry() -> impl Strategy<Value = Entry> {
    let parts = (
        owner(),
        option::of(body()),
        vec(sent(), 0..3),
        any::<bool>(),
        any::<bool>(),
    );
    parts.prop_map(|(owner, held, sent, tombstone, acknowledged)| {
        let entry = Entry::new(owner).with_tombstone(tombstone);
        let mut entry = entry.with_acknowledged_since(acknowledged);
        (entry.held, entry.sent) = (held, sent);
        entry
    })
}

fn identity() -> impl Strategy<Value = Identity> {
    let place = (text(), text(), text(), text(), option::of(text()));
    (place, text()).prop_map(|((host, organization, cluster, logical, physical), name)| {
        let destination = Destination {
            host,
            organization,
            cluster,
            logical_environment: logical,
            physical_environment: physical,
        };
        Identity {
            destination: destination.into(),
            name,
        }
    })
}

fn ledger() -> impl Strategy<Value = Ledger> {
    let shelf = (text(), text(), text()).prop_map(|(host, organization, registry)| Shelf {
        host,
        organization,
        registry,
    });
    let entries = vec((identity(), entry()), 0..8);
    let past = vec((identity(), digest()), 0..4);
    let stock = vec((shelf.prop_map(Arc::new), digest()), 0..6);
    (entries, past, stock).prop_map(|(entries, past, stock)| {
        Ledger::restore(None, entries, past, Moment::START).with_stock(stock)
    })
}

/// The shards of a ledger as they are stored.
fn stored(ledger: &Ledger, count: usize) -> Vec<Vec<u8>> {
    let one = |index| {
        let mut written = Written::new(index, 7);
        for (identity, entry) in ledger.entries() {
            if shards::of(identity, count) == index {
                written.add(identity, entry);
            }
        }
        for (identity, digest) in ledger.past() {
            if shards::of(identity, count) == index {
                written.add_past(identity, digest);
            }
        }
        for (shelf, digest) in ledger.stock().kept() {
            if shards::of_digest(digest, count) == index {
                written.add_kept(shelf, digest);
            }
        }
        let version = written.version();
        part::write(&written, version).unwrap()
    };
    (0..count).map(one).collect()
}

fn read(part: &[u8]) -> Result<Content, PartError> {
    let shard: Shard = part::read(part)?;
    shard.read().map_err(|why| PartError::damaged(&why))
}

fn loaded(parts: &[Vec<u8>]) -> Ledger {
    let mut all = Content::default();
    for (index, part) in parts.iter().enumerate() {
        let mut content = read(part).unwrap();
        let strays = shards::keep_own(&mut content, index, parts.len());
        assert!(strays.entries.is_empty() && strays.past.is_empty() && strays.stock.is_empty());
        all.append(content);
    }
    all.ledger(None, Moment::START)
}

/// All that a ledger says, to the letter, but for what need not be stored.
fn said(ledger: &Ledger) -> Vec<String> {
    let spelled = |identity: &Identity| {
        let physical = identity.destination.physical_environment.is_some();
        let parts = identity.destination.parts();
        format!("{parts:?} {physical} {:?}", identity.name)
    };
    let entries = ledger.entries().map(|(identity, entry)| {
        let sent = entry.sent.iter().filter(|sent| entry.must_be_stored(sent));
        let sent: Vec<&Sent> = sent.collect();
        let Entry { owner, held, .. } = entry;
        let (tombstone, acknowledged) = (entry.is_tombstone(), entry.is_acknowledged_since());
        format!(
            "{} {owner:?} {held:?} {sent:?} {tombstone} {acknowledged}",
            spelled(identity)
        )
    });
    let past = ledger.past();
    let past = past.map(|(identity, digest)| format!("{} {digest}", spelled(identity)));
    let stock = ledger.stock().kept();
    let stock = stock.map(|(shelf, digest)| format!("{shelf:?} {digest}"));
    entries.chain(past).chain(stock).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_ledger_that_is_written_is_read_the_same_from_any_number_of_shards(
        ledger in ledger(), doublings in 0_u32..5,
    ) {
        let parts = stored(&ledger, 1 << doublings);
        prop_assert_eq!(said(&loaded(&parts)), said(&ledger));
    }

    #[test]
    fn a_part_with_any_byte_changed_cut_off_or_added_is_refused_or_says_the_same(
        ledger in ledger(), at in any::<prop::sample::Index>(), other in any::<u8>(),
    ) {
        let part = stored(&ledger, 1).remove(0);
        let at = at.index(part.len());
        let mut changed = part.clone();
        changed[at] = other;
        let longer = [&part[..], &[other]].concat();
        let inserted = [&part[..at], &[other], &part[at..]].concat();
        for damaged in [&changed[..], &part[..at], &longer, &inserted] {
            if let Ok(content) = read(damaged) {
                let again = content.ledger(None, Moment::START);
                prop_assert_eq!(said(&again), said(&ledger));
            }
        }
        prop_assert!(read(&part[..at]).is_err());
        prop_assert!(read(&longer).is_err());
    }
}

/// A part with something of everything in it.
fn sample() -> Vec<u8> {
    let sample = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/ledgers/format-2/shard-0"
    );
    std::fs::read(sample).unwrap()
}

#[test]
fn no_single_bit_of_a_part_can_change_without_being_seen() {
    let part = sample();
    let content: Shard = part::read(&part).unwrap();
    let mut unseen = Vec::new();
    for at in 0..part.len() {
        for bit in 0..8 {
            let mut changed = part.clone();
            changed[at] ^= 1 << bit;
            match part::read::<Shard>(&changed) {
                Err(_) => {}
                Ok(same) => {
                    assert_eq!(same, content, "bit {bit} of byte {at}");
                    unseen.push(at);
                }
            }
        }
    }
    // Of the number of the format there are older ones; they say the same of what they know.
    let format = "deployment-recorder-ledger ".len();
    assert!(unseen.iter().all(|at| *at == format), "{unseen:?}");
}

/// The JSON of the sample, changed, in a part of that format.
fn changed(from: &str, to: &str, format: u32) -> Vec<u8> {
    let json: serde_json::Value = part::read(&sample()).unwrap();
    let text = json.to_string();
    assert!(text.contains(from), "{text}");
    let json: serde_json::Value = serde_json::from_str(&text.replace(from, to)).unwrap();
    part::write(&json, format).unwrap()
}

#[test]
fn a_newer_format_is_refused_whatever_is_in_it_and_what_an_older_one_may_lose_is_read_over() {
    for content in [vec![0, 1, 2], Vec::new()] {
        let newer = part::write(&content, VERSION + 1).unwrap();
        let found = VERSION + 1;
        assert!(matches!(read(&newer), Err(PartError::Newer { found: it }) if it == found));
    }
    let usual = read(&sample()).unwrap().ledger(None, Moment::START);
    let more = changed(r#""name":"#, r#""remark":"of later","name":"#, FIRST);
    let more = read(&more).unwrap().ledger(None, Moment::START);
    assert_eq!(said(&more), said(&usual));
}

#[test]
fn a_value_that_this_version_does_not_know_is_refused_and_never_left_out() {
    for (from, to) in [
        ("internet-exposed", "on-the-moon"),
        (r#""status":"deployed""#, r#""status":"paused""#),
        ("sha256:", "sha999:"),
        (r#""destination":0"#, r#""destination":9"#),
        (r#""destination":0"#, r#""destination":-1"#),
        (r#""name":"#, r#""called":"#),
    ] {
        let refused = read(&changed(from, to, VERSION)).map(|_| ());
        assert!(
            matches!(refused, Err(PartError::Damaged { .. })),
            "{to}: {refused:?}"
        );
    }
}

#[test]
fn a_part_that_would_unpack_without_end_is_refused() {
    let spaces = " ".repeat(1 << 20);
    let bomb = format!("[\"{}\"]", spaces.repeat(70));
    let bomb: serde_json::Value = serde_json::from_str(&bomb).unwrap();
    let part = part::write(&bomb, FIRST).unwrap();
    assert!(part.len() < 100 << 10, "{}", part.len());
    let error = part::read::<serde_json::Value>(&part).unwrap_err();
    assert!(matches!(error, PartError::Damaged { .. }), "{error}");
}

#[test]
fn a_part_is_empty_if_it_says_nothing_of_any_record() {
    let empty: Shard = part::read(&stored(&Ledger::default(), 1)[0]).unwrap();
    assert!(empty.is_empty());
    assert_eq!((empty.index, empty.sequence), (Some(0), 7));
    let full: serde_json::Value = part::read(&sample()).unwrap();
    for kept in ["entries", "past", "storage"] {
        let mut one = full.clone();
        assert_ne!(one[kept], serde_json::json!([]), "{kept}");
        for other in ["entries", "past", "storage"] {
            if other != kept {
                one[other] = serde_json::json!([]);
            }
        }
        let one: Shard = serde_json::from_value(one).unwrap();
        assert!(!one.is_empty(), "{kept}");
    }
}

#[test]
fn storage_records_of_one_registry_stand_in_a_row_and_need_the_newer_form() {
    let shelf = |registry: &str| Shelf {
        host: "https://api.github.com".into(),
        organization: "acme".into(),
        registry: registry.into(),
    };
    let (one, other) = (shelf("https://ghcr.io/"), shelf("https://docker.io/"));
    let mut shard = Written::new(0, 1);
    assert_eq!(shard.version(), FIRST);
    for (shelf, text) in [(&one, "a"), (&one, "b"), (&other, "c")] {
        shard.add_kept(shelf, Digest::of(text.as_bytes()));
    }
    assert_eq!(shard.version(), VERSION);
    let written = serde_json::to_value(&shard).unwrap();
    let rows = written["storage"].as_array().unwrap();
    let digests = |row: &serde_json::Value| row["digests"].as_array().unwrap().len();
    assert_eq!(rows.iter().map(digests).collect::<Vec<_>>(), [2, 1]);
}
