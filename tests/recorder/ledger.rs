//! The stored ledger, read by these tests with code of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};

use aws_lc_rs::digest::{SHA256, digest};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use k8s_openapi::ByteString;
use serde_json::{Value, json};

use crate::support::apiserver::Apiserver;

/// Where these tests keep the ledger.
pub const NAMESPACE: &str = "recorder";
/// Its name.
pub const NAME: &str = "ledger";

/// The stored ledger.
#[derive(Debug, Default)]
pub struct Stored {
    /// The root's content; null if there is none.
    pub root: Value,
    /// Each entry by logical environment and record name, from the shard that it belongs to.
    pub entries: BTreeMap<(String, String), Value>,
    /// Past names, likewise.
    pub past: BTreeSet<(String, String)>,
    /// How many entries stand in a shard that is not theirs.
    pub misplaced: usize,
}

/// The content of a part, or why it has none.
pub fn content(api: &Apiserver, name: &str) -> Result<Value, String> {
    let map = api.get("ConfigMap", NAMESPACE, name).ok_or("is missing")?;
    let bytes: ByteString = serde_json::from_value(map["binaryData"]["ledger"].clone())
        .map_err(|error| error.to_string())?;
    let end = bytes
        .0
        .iter()
        .position(|byte| *byte == b'\n')
        .ok_or("has no header")?;
    let mut text = String::new();
    GzDecoder::new(&bytes.0[end + 1..])
        .read_to_string(&mut text)
        .map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

/// The bytes of a part.
pub fn bytes(api: &Apiserver, name: &str) -> Vec<u8> {
    let map = api.get("ConfigMap", NAMESPACE, name).unwrap();
    let bytes: ByteString = serde_json::from_value(map["binaryData"]["ledger"].clone()).unwrap();
    bytes.0
}

/// The bytes of a part with that JSON in it, in the first format.
pub fn part(json: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(json.as_bytes()).unwrap();
    let compressed = encoder.finish().unwrap();
    let checksum = digest(&SHA256, &compressed);
    let bytes = checksum.as_ref().iter();
    let checksum = bytes.fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    let header = format!("deployment-recorder-ledger 1 sha256:{checksum}\n");
    [header.as_bytes(), &compressed].concat()
}

/// Puts bytes where a part is, as another hand would.
pub fn put(api: &Apiserver, name: &str, bytes: Vec<u8>) {
    api.apply(json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"namespace": NAMESPACE, "name": name},
        "binaryData": {"ledger": ByteString(bytes)}
    }));
}

/// The name of a shard.
pub fn shard(index: u64) -> String {
    format!("{NAME}-{index}")
}

/// What is stored, as somebody would read it who knows only the form: the root says how many
/// shards there are, and an entry counts only in the shard of its hash.
pub fn stored(api: &Apiserver) -> Stored {
    let Ok(root) = content(api, NAME) else {
        return Stored::default();
    };
    stored_under(api, root)
}

/// The same with the content of a root that need not be there any more.
pub fn stored_under(api: &Apiserver, root: Value) -> Stored {
    let count = root["shards"].as_u64().unwrap();
    let mut stored = Stored {
        root,
        ..Stored::default()
    };
    for index in 0..count {
        let Ok(part) = content(api, &shard(index)) else {
            continue;
        };
        let list = |key: &str| part[key].as_array().cloned().unwrap_or_default();
        let destinations = list("destinations");
        let place = |item: &Value| {
            let destination =
                &destinations[usize::try_from(item["destination"].as_u64().unwrap()).unwrap()];
            let name = item["name"].as_str().unwrap().to_owned();
            let environment = text(&destination["logical_environment"]);
            (
                hash_of(destination, &name) % count == index,
                (environment, name),
            )
        };
        for entry in list("entries") {
            let (here, key) = place(&entry);
            if here {
                stored.entries.insert(key, entry);
            } else {
                stored.misplaced += 1;
            }
        }
        for past in list("past") {
            if let (true, key) = place(&past) {
                stored.past.insert(key);
            }
        }
    }
    stored
}

impl Stored {
    /// Whether it says that GitHub may hold this digest under this name.
    pub fn knows(&self, environment: &str, name: &str, digest: &str) -> bool {
        self.digests(environment, name).contains(digest)
    }

    /// Every digest that it names under this name, held or sent.
    pub fn digests(&self, environment: &str, name: &str) -> BTreeSet<String> {
        let key = (environment.to_owned(), name.to_owned());
        let Some(entry) = self.entries.get(&key) else {
            return BTreeSet::new();
        };
        let sent = entry["sent"].as_array().cloned().unwrap_or_default();
        let bodies = sent.iter().chain([&entry["held"]]);
        bodies
            .filter_map(|body| body["digest"].as_str().map(str::to_owned))
            .collect()
    }

    /// The shard in which an entry of that name is to be, for a destination with these keys.
    pub fn shard_of(&self, destination: &Value, name: &str) -> u64 {
        let count = self.root["shards"].as_u64().unwrap_or(1);
        hash_of(destination, name) % count
    }

    /// The names of all entries.
    pub fn names(&self) -> Vec<&str> {
        self.entries.keys().map(|(_, name)| &**name).collect()
    }

    /// The names of the tombstones.
    pub fn tombstones(&self) -> Vec<&str> {
        let tombstones = self
            .entries
            .iter()
            .filter(|(_, entry)| entry["tombstone"] == true);
        tombstones.map(|((_, name), _)| &**name).collect()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The number that decides which shard an entry is in.
fn hash_of(destination: &Value, name: &str) -> u64 {
    let keys = [
        "host",
        "organization",
        "cluster",
        "logical_environment",
        "physical_environment",
    ];
    let parts = keys.iter().map(|key| text(&destination[*key]));
    let key: String = parts
        .chain([name.to_owned()])
        .map(|part| part.to_lowercase() + "\n")
        .collect();
    u64::from(*digest(&SHA256, key.as_bytes()).as_ref().last().unwrap())
}
