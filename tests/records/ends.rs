//! Being interrupted: a command ends at once and says what it knows.

use std::time::Duration;

use deployment_recorder::sandbox::{Fault, FaultKind, Settings};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::process::{COMMANDS, Ended, Github, finish, words, writes};

async fn signal(child: &Child, signal: &str) {
    let id = child.id().unwrap().to_string();
    let sent = Command::new("kill").args([signal, &id]).status().await;
    assert!(sent.unwrap().success());
}

/// Starts a command whose request is never answered, and interrupts it.
async fn interrupted(command: &str, input: &str, by: &str) -> Ended {
    let github = Github::start(Settings::default()).await;
    github.sandbox.fault(Fault::new(FaultKind::Hang));
    let mut child = github.command(&words(command)).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stdin, input.as_bytes())
        .await
        .unwrap();
    drop(stdin);
    let arrived = github
        .sandbox
        .wait_until(|sandbox| sandbox.request_count() == 1);
    timeout(Duration::from_mins(1), arrived).await.unwrap();
    signal(&child, by).await;
    let output = timeout(Duration::from_secs(20), child.wait_with_output());
    let output = output.await.expect("it ends before its time-out").unwrap();
    Ended::from(output)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_command_ends_at_once_and_what_was_under_way_is_unknown() {
    for (number, (command, input)) in COMMANDS.into_iter().enumerate() {
        let by = ["-INT", "-TERM"][number % 2];
        let ended = interrupted(command, input, by).await;
        assert_eq!(ended.code, Some(1), "{command}: {ended:?}");
        let json = ended.json();
        if writes(command) {
            let record = &json["records"][0];
            assert_eq!(record["outcome"], "unknown", "{command}");
            assert_eq!(
                record["reason"], "its request was sent and not answered",
                "{command}"
            );
        } else {
            assert_eq!(json["records"].as_array().unwrap().len(), 0);
            let said = "error: interrupted: 0 of 1 digests were listed; ";
            assert!(ended.said.starts_with(said), "{ended:?}");
        }
        if command.starts_with("records set") {
            let said = "error: interrupted: 1 unknown; the same command may be repeated\n";
            assert!(ended.said.ends_with(said), "{ended:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_that_nobody_reads_is_no_failure() {
    let github = Github::start(Settings::default()).await;
    let mut child = github.command(&["records", "set"]).spawn().unwrap();
    drop(child.stdout.take());
    let ended = finish(child, crate::process::ONE).await;
    assert_eq!(
        (ended.code, &*ended.said),
        (Some(0), "records: 1 acknowledged\n")
    );
}
