//! Small files that hold a secret. They may change at any time, lie on a disk that hangs, or be
//! something else than a file; what is read is never in an error.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use secrecy::SecretString;

/// More than any token or key is long.
const LONGEST: u64 = 64 * 1024;

/// The text of a small file.
pub(super) async fn read(path: &Path) -> io::Result<SecretString> {
    let path = path.to_path_buf();
    // No thread of the runtime waits for a disk.
    let read = tokio::task::spawn_blocking(move || read_now(&path));
    read.await
        .unwrap_or_else(|error| Err(io::Error::other(error)))
}

fn read_now(path: &Path) -> io::Result<SecretString> {
    // A pipe could be read only once, and some devices never end.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut text = String::new();
    File::open(path)?
        .take(LONGEST + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > LONGEST {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "it is longer than any token or key",
        ));
    }
    Ok(text.into())
}
