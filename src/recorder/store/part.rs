//! The frame around each stored part of the ledger: a line that names the format and the checksum,
//! then the compressed content. `tail -n +2 | zcat` shows it to a person.

use std::fmt::Write as _;
use std::io::{BufWriter, Read as _};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The newest version of the stored form. A sample of each stands in `tests/ledgers/`. What an older
/// program must not lose raises it; what it may lose does not, and is read over by it.
pub(super) const VERSION: u32 = 2;

/// The version of what says nothing that a program of the first version could not read.
pub(super) const FIRST: u32 = 1;

const MAGIC: &str = "deployment-recorder-ledger";

/// No part is ever larger than this, so a larger one is damaged: 64 MiB.
const MOST: u64 = 64 << 20;

/// Why a part cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartError {
    /// It does not begin as a part does.
    #[error("it is not part of a ledger of deployment-recorder")]
    Foreign,
    /// A newer version wrote it.
    #[error(
        "it has format {found}, and this version reads up to {VERSION}: install the newer version again"
    )]
    Newer {
        /// The format it names.
        found: u32,
    },
    /// It is another shard than its name says.
    #[error("it is shard {found} under the name of another: put each part back under its own name")]
    Elsewhere {
        /// Which shard it is.
        found: usize,
    },
    /// It and the root are of two clusters.
    #[error(
        "it is of another cluster than the root: {found} is what it knows, and {known} what the root \
         does. `kubectl get namespaces -o custom-columns=NAME:.metadata.name,UID:.metadata.uid` says \
         which of them is this cluster: put back what belongs to it"
    )]
    OtherCluster {
        /// The namespaces and their uids that this part knows.
        found: String,
        /// Those that the root knows.
        known: String,
    },
    /// The content is not what was written.
    #[error("its content is damaged: {why}")]
    Damaged {
        /// What does not fit.
        why: String,
    },
}

impl PartError {
    pub(super) fn damaged(why: &impl ToString) -> Self {
        Self::Damaged {
            why: why.to_string(),
        }
    }
}

/// The bytes of a part, in the oldest version that can say it all: so that an older program can have
/// the ledger back as long as nothing new is in it.
pub(super) fn write(content: &impl Serialize, version: u32) -> Result<Vec<u8>, PartError> {
    let encoder = GzEncoder::new(Vec::new(), Compression::default());
    let mut json = BufWriter::new(encoder);
    serde_json::to_writer(&mut json, content).map_err(|why| PartError::damaged(&why))?;
    let encoder = json.into_inner().map_err(|why| PartError::damaged(&why))?;
    let compressed = encoder.finish().map_err(|why| PartError::damaged(&why))?;
    let mut part = format!("{MAGIC} {version} {}\n", checksum(&compressed)).into_bytes();
    part.extend(compressed);
    Ok(part)
}

/// The line that names the format and the checksum; no two contents have the same.
pub(super) fn header(part: &[u8]) -> &[u8] {
    part.split(|byte| *byte == b'\n').next().unwrap_or_default()
}

/// The content of a part.
pub(super) fn read<T: DeserializeOwned>(part: &[u8]) -> Result<T, PartError> {
    let end = part
        .iter()
        .take(256)
        .position(|byte| *byte == b'\n')
        .ok_or(PartError::Foreign)?;
    let (header, compressed) = part.split_at(end);
    let compressed = compressed.get(1..).unwrap_or_default();
    let header = str::from_utf8(header).map_err(|_| PartError::Foreign)?;
    let mut words = header.split(' ');
    if words.next() != Some(MAGIC) {
        return Err(PartError::Foreign);
    }
    let found = words
        .next()
        .and_then(|word| word.parse().ok())
        .ok_or(PartError::Foreign)?;
    if found > VERSION {
        return Err(PartError::Newer { found });
    }
    if words.next() != Some(&*checksum(compressed)) {
        return Err(PartError::damaged(&"the checksum does not match"));
    }
    let mut json = Vec::new();
    GzDecoder::new(compressed)
        .take(MOST)
        .read_to_end(&mut json)
        .map_err(|why| PartError::damaged(&why))?;
    serde_json::from_slice(&json).map_err(|why| PartError::damaged(&why))
}

fn checksum(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    let mut text = String::from("sha256:");
    for byte in digest.as_ref() {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_read_as_it_was_written() {
        let content = vec!["one".to_owned(), "two".to_owned()];
        let part = write(&content, VERSION).unwrap();
        assert_eq!(read::<Vec<String>>(&part), Ok(content));
    }

    #[test]
    fn a_part_that_was_cut_changed_or_never_ours_is_refused() {
        let part = write(&vec![1, 2, 3], VERSION).unwrap();
        let (cut, _) = part.split_at(part.len() - 3);
        assert!(matches!(
            read::<Vec<u8>>(cut),
            Err(PartError::Damaged { .. })
        ));
        let mut changed = part.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert!(matches!(
            read::<Vec<u8>>(&changed),
            Err(PartError::Damaged { .. })
        ));
        assert_eq!(read::<Vec<u8>>(b"hello\nworld"), Err(PartError::Foreign));
        assert_eq!(read::<Vec<u8>>(b""), Err(PartError::Foreign));
        let newer = String::from_utf8_lossy(&part).replacen(" 2 ", " 7 ", 1);
        assert_eq!(
            read::<Vec<u8>>(newer.as_bytes()),
            Err(PartError::Newer { found: 7 })
        );
    }
}
