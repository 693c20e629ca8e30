//! Tokens from files and values. What an App does is tested beside it.

use std::fs;
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

async fn header(credentials: &Credentials) -> HeaderValue {
    credentials.authorization().await.unwrap()
}

/// Whether there is another token than this one.
async fn renewed(credentials: &Credentials, last: &HeaderValue) -> bool {
    credentials.are_renewed(Some(last)).await
}

#[tokio::test]
async fn a_token_file_is_read_trimmed_and_again_when_it_changes() {
    let file = TokenFile::new(b"\xef\xbb\xbf ghp_first\r\n");
    let credentials = Credentials::from_file(&file.0);
    assert!(credentials.are_renewed(None).await);
    let first = header(&credentials).await;
    assert_eq!(first, "Bearer ghp_first");
    assert!(!renewed(&credentials, &first).await && !credentials.refused(&first).await);
    credentials.denied(&first);
    assert_eq!(header(&credentials).await, first, "it stays as it is");
    file.write(b"ghp_second");
    assert!(renewed(&credentials, &first).await && credentials.refused(&first).await);
    let second = header(&credentials).await;
    assert_eq!(second, "Bearer ghp_second");
    assert!(!renewed(&credentials, &second).await);
}

#[tokio::test]
async fn after_a_failure_whatever_is_read_is_new() {
    let file = TokenFile::new(b"");
    let credentials = Credentials::from_file(&file.0);
    assert!(credentials.authorization().await.is_err());
    assert!(credentials.check().await.is_err());
    assert!(!credentials.are_renewed(None).await);
    file.write(b"ghp_same");
    assert!(credentials.are_renewed(None).await);
    assert!(credentials.check().await.is_ok());
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
    let credentials = Credentials::from_value("  ghp_given\n".into());
    let given = header(&credentials).await;
    assert_eq!(given, "Bearer ghp_given");
    assert!(!renewed(&credentials, &given).await);
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
    let given = Credentials::from_value("hunter2 hunter2".into());
    let error = given.authorization().await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_file_that_is_missing_or_no_regular_file_is_an_error_that_names_it() {
    for path in ["/nonexistent/token", "/dev/zero", "/"] {
        let credentials = Credentials::from_file(Path::new(path));
        let error = credentials.authorization().await.unwrap_err();
        assert!(
            matches!(error, CredentialsError::Unreadable { .. }),
            "{error}"
        );
        assert!(error.to_string().contains(path));
        assert!(!credentials.are_renewed(None).await);
    }
}

#[tokio::test]
async fn a_token_never_shows_in_debug_output() {
    let credentials = Credentials::from_value("hunter2".into());
    let header = credentials.authorization().await.unwrap();
    assert!(!format!("{credentials:?} {header:?}").contains("hunter2"));
}
