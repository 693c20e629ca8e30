//! No token, key or signature is ever in a log, an error, or a `Debug` output.

use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex};

use deployment_recorder::sandbox::{AppChange, Endpoint, Fault, FaultKind};
use jiff::SignedDuration;
use tokio::time::sleep;
use tracing_subscriber::fmt::MakeWriter;

use crate::stage::{MINUTE, Stage};

/// A log that is kept in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[test]
fn nothing_secret_is_shown() {
    let test = "secrets::in_a_process_of_its_own";
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", test])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
}

/// Whether anything is logged at all is remembered by the whole process, whatever each thread wants.
#[tokio::test(start_paused = true)]
#[ignore = "runs in a process of its own, started by another test"]
async fn in_a_process_of_its_own() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone());
    tracing::subscriber::set_global_default(subscriber.finish()).unwrap();
    let mut shown = String::new();
    // A clock that is off, a name that is not known, a renewal, and failures of every kind.
    let stage = Stage::with(None, SignedDuration::from_mins(10));
    stage.change(AppChange {
        restrictable: Some(false),
        ..AppChange::default()
    });
    let header = stage.sign_in().await;
    let token = header
        .to_str()
        .unwrap()
        .trim_start_matches("Bearer ")
        .to_owned();
    let _ = write!(shown, "{header:?} {:?}", stage.credentials);
    sleep(56 * MINUTE).await;
    for kind in [
        FaultKind::Status { status: 502 },
        FaultKind::WrongShape { applied: true },
        FaultKind::Reset,
    ] {
        let once = Fault::once(kind);
        stage
            .github
            .fault(once.at(Endpoint::CreateInstallationToken));
        let _ = write!(shown, "{:?}", stage.credentials.sign_in().await);
        sleep(2 * MINUTE).await;
    }
    let header = stage.sign_in().await;
    stage.credentials.accepted(&header);
    stage.credentials.refused(&header).await;
    stage.change(AppChange {
        rotate: true,
        ..AppChange::default()
    });
    let failed = stage.credentials.sign_in().await;
    assert!(failed.result.is_err());
    let _ = write!(shown, "{failed:?} {:?}", stage.credentials);
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for said in [
        "asked GitHub",
        "clock is not GitHub's",
        "rights of the App",
        "not renewed yet",
    ] {
        assert!(logged.contains(said), "{said}: {logged}");
    }
    let line = Stage::first_key().lines().nth(3).unwrap();
    for text in [&logged, &shown] {
        for secret in ["eyJ", "ghs_", "PRIVATE KEY", &token, line] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    }
}
