//! Who asks: the token, from a file that may change at any time or as it was given at the start. A
//! token is never in a log, an error or a `Debug` output.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

/// More than any token is long.
const LONGEST: u64 = 64 * 1024;

/// Where the token comes from.
#[derive(Debug)]
pub struct Credentials {
    source: Source,
    /// The token that was handed out last.
    last: Option<SecretString>,
}

#[derive(Clone, Debug)]
enum Source {
    /// Read before each request: rotated secrets appear as another file under the same name, and
    /// nothing is cheaper or surer than to read it.
    File(Arc<Path>),
    Given(SecretString),
}

/// Why there is no token.
#[derive(Clone, Debug, Error)]
pub enum CredentialsError {
    /// The file cannot be read.
    #[error("the token file {} cannot be read: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: Arc<io::Error>,
    },
    /// What was read is not a token. What it is instead is not said: it may be half of one.
    #[error("{place} does not hold a token: it {problem}")]
    NotAToken {
        /// The file, or the value that was given.
        place: String,
        /// What is wrong.
        problem: &'static str,
    },
}

impl Credentials {
    /// The token that a file holds at the time of each request.
    pub fn from_file(path: &Path) -> Self {
        Self {
            source: Source::File(path.into()),
            last: None,
        }
    }

    /// A token that stays the same.
    pub fn from_value(token: SecretString) -> Self {
        Self {
            source: Source::Given(token),
            last: None,
        }
    }

    /// The value of the `Authorization` header for the next request.
    pub async fn authorization(&mut self) -> Result<HeaderValue, CredentialsError> {
        // Whatever is read after a failure is new, even the same token come back.
        self.last = None;
        let token = self.source.token().await?;
        let mut header = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))
            .map_err(|_| self.source.not_a_token(NOT_VISIBLE))?;
        header.set_sensitive(true);
        self.last = Some(token);
        Ok(header)
    }

    /// Whether there is a token to read that was not handed out yet.
    pub async fn are_renewed(&self) -> bool {
        match (self.source.token().await, &self.last) {
            (Ok(token), Some(last)) => token.expose_secret() != last.expose_secret(),
            (Ok(_), None) => true,
            (Err(_), _) => false,
        }
    }
}

const NOT_VISIBLE: &str = "has characters other than letters, digits and punctuation, or lines";

impl Source {
    async fn token(&self) -> Result<SecretString, CredentialsError> {
        let text = match self {
            Self::Given(token) => token.clone(),
            Self::File(path) => {
                let file = Arc::clone(path);
                // A file may lie on a disk that hangs: no thread of the runtime waits for it.
                let read = tokio::task::spawn_blocking(move || read(&file));
                let read = read
                    .await
                    .unwrap_or_else(|error| Err(io::Error::other(error)));
                read.map_err(|error| CredentialsError::Unreadable {
                    path: path.to_path_buf(),
                    error: Arc::new(error),
                })?
            }
        };
        let token = text.expose_secret().trim_start_matches('\u{feff}').trim();
        match token {
            "" => Err(self.not_a_token("is empty")),
            _ if !token.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Err(self.not_a_token(NOT_VISIBLE))
            }
            _ => Ok(token.into()),
        }
    }

    fn not_a_token(&self, problem: &'static str) -> CredentialsError {
        let place = match self {
            Self::File(path) => format!("the token file {}", path.display()),
            Self::Given(_) => "the token that was given".to_owned(),
        };
        CredentialsError::NotAToken { place, problem }
    }
}

/// The text of a small file.
fn read(path: &Path) -> io::Result<SecretString> {
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
            "it is longer than any token",
        ));
    }
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// A file that is gone when the test is over.
    struct TokenFile(PathBuf);

    impl TokenFile {
        fn new(content: &[u8]) -> Self {
            static COUNT: AtomicU32 = AtomicU32::new(0);
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let name = format!("deployment-recorder-token-{}-{number}", std::process::id());
            let file = Self(std::env::temp_dir().join(name));
            file.write(content);
            file
        }

        fn write(&self, content: &[u8]) {
            fs::write(&self.0, content).unwrap();
        }
    }

    impl Drop for TokenFile {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    async fn header(credentials: &mut Credentials) -> String {
        credentials
            .authorization()
            .await
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    }

    #[tokio::test]
    async fn a_token_file_is_read_trimmed_and_again_when_it_changes() {
        let file = TokenFile::new(b"\xef\xbb\xbf ghp_first\r\n");
        let mut credentials = Credentials::from_file(&file.0);
        assert!(credentials.are_renewed().await);
        assert_eq!(header(&mut credentials).await, "Bearer ghp_first");
        assert!(!credentials.are_renewed().await);
        file.write(b"ghp_second");
        assert!(credentials.are_renewed().await);
        assert_eq!(header(&mut credentials).await, "Bearer ghp_second");
        assert!(!credentials.are_renewed().await);
    }

    #[tokio::test]
    async fn a_token_that_comes_back_after_a_failure_is_new() {
        let file = TokenFile::new(b"ghp_same");
        let mut credentials = Credentials::from_file(&file.0);
        assert_eq!(header(&mut credentials).await, "Bearer ghp_same");
        file.write(b"");
        assert!(credentials.authorization().await.is_err());
        assert!(!credentials.are_renewed().await);
        file.write(b"ghp_same");
        assert!(credentials.are_renewed().await);
    }

    #[tokio::test]
    async fn a_file_that_is_longer_than_any_token_is_refused() {
        let file = TokenFile::new(&vec![b'x'; 64 * 1024 + 1]);
        assert!(
            Credentials::from_file(&file.0)
                .authorization()
                .await
                .is_err()
        );
        file.write(&vec![b'x'; 64 * 1024]);
        assert!(
            Credentials::from_file(&file.0)
                .authorization()
                .await
                .is_ok()
        );
    }

    #[tokio::test]
    async fn a_token_that_was_given_stays_and_is_trimmed() {
        let mut credentials = Credentials::from_value("  ghp_given\n".into());
        assert_eq!(header(&mut credentials).await, "Bearer ghp_given");
        assert!(!credentials.are_renewed().await);
    }

    #[tokio::test]
    async fn what_is_no_token_is_an_error_that_names_the_file_and_not_its_content() {
        let table: [&[u8]; 7] = [
            b"",
            b" \n",
            b"hunter2\nhunter2",
            b"hunter2 hunter2",
            "hunter2\u{e9}".as_bytes(),
            b"hunter2\xff",
            b"hunter2\x07",
        ];
        for content in table {
            let file = TokenFile::new(content);
            let error = Credentials::from_file(&file.0)
                .authorization()
                .await
                .unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(text.contains(&file.0.display().to_string()), "{text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
        let mut given = Credentials::from_value("hunter2 hunter2".into());
        let error = given.authorization().await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }

    #[tokio::test]
    async fn a_file_that_is_missing_or_no_regular_file_is_an_error_that_names_it() {
        for path in ["/nonexistent/token", "/dev/zero", "/"] {
            let mut credentials = Credentials::from_file(Path::new(path));
            let error = credentials.authorization().await.unwrap_err();
            assert!(
                matches!(error, CredentialsError::Unreadable { .. }),
                "{error}"
            );
            assert!(error.to_string().contains(path));
            assert!(!credentials.are_renewed().await);
        }
    }

    #[tokio::test]
    async fn a_token_never_shows_in_debug_output() {
        let mut credentials = Credentials::from_value("hunter2".into());
        let header = credentials.authorization().await.unwrap();
        assert!(!format!("{credentials:?} {header:?}").contains("hunter2"));
    }
}
