//! Small files that hold a secret. They may change at any time, lie on a disk that hangs, or be
//! something else than a file; what is read is never in an error.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use secrecy::SecretString;
use tokio::time::timeout;

/// More than any token or key is long.
const LONGEST: u64 = 64 * 1024;

/// A small file is read within this time, or its disk hangs.
const READ_WITHIN: Duration = Duration::from_secs(10);

/// The text of a small file.
pub(super) async fn read(path: &Path) -> io::Result<SecretString> {
    let path = path.to_path_buf();
    in_time(move || read_now(&path), READ_WITHIN).await
}

/// What `read` comes to. No thread of the runtime waits for a disk, and nobody for longer than this.
async fn in_time<T: Send + 'static>(
    read: impl FnOnce() -> io::Result<T> + Send + 'static,
    limit: Duration,
) -> io::Result<T> {
    match timeout(limit, tokio::task::spawn_blocking(read)).await {
        Ok(Ok(read)) => read,
        Ok(Err(error)) => Err(io::Error::other(error)),
        Err(_) => {
            let problem = format!("it cannot be read within {limit:?}");
            Err(io::Error::new(io::ErrorKind::TimedOut, problem))
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_disk_that_hangs_is_not_waited_for() {
        let (let_go, hang) = std::sync::mpsc::channel::<()>();
        let read = move || Ok(hang.recv().is_ok());
        let error = in_time(read, Duration::from_millis(20)).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(error.to_string(), "it cannot be read within 20ms");
        let_go.send(()).unwrap();
    }
}
