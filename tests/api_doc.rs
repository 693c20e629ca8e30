//! `docs/api.md` is true: its commands are run one after another against github-sandbox, and what they
//! print is what stands there. Nothing else is known of them here. So is `docs/explain.md`, whose
//! commands need nobody.
//!
//! A block `console` holds commands behind `$ ` and below each what it prints; a line `...` stands for
//! any lines. The block after a comment `file: NAME` is written to that file. Where something
//! differs, the whole document as it would be true is left in the folder for temporary files.

#![cfg(feature = "sandbox")]
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed test should say so loudly"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use deployment_recorder::sandbox::{Endpoint, Sandbox, Settings, serve};
use tokio::net::TcpListener;
use tokio::process::Command;

const DOCUMENT: &str = include_str!("../docs/api.md");

/// The other one.
const EXPLAIN: &str = include_str!("../docs/explain.md");

/// Where the document says that the sandbox is.
const ADDRESS: &str = "127.0.0.1:8090";

/// What the program calls itself, with its version.
const AGENT: &str = concat!("deployment-recorder/", env!("CARGO_PKG_VERSION"));

/// What is printed behind each command, by which its output is told from the next.
const MARK: &str = "\u{1}end of output";

/// A time of the sandbox, which is another each time.
const TIME: &str = "2026-11-26T12:00:00Z";

/// A part of the document.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// Lines that are kept as they are.
    Text(String),
    /// A command as it is typed, and what it is said to print.
    Step { command: String, printed: String },
}

/// The parts of a document.
fn parts(document: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut in_console = false;
    for line in document.split_inclusive('\n') {
        let fence = line.starts_with("```");
        if fence {
            in_console = line.trim() == "```console";
        }
        if fence || !in_console {
            match parts.last_mut() {
                Some(Part::Text(text)) => text.push_str(line),
                _ => parts.push(Part::Text(line.to_owned())),
            }
            continue;
        }
        match parts.last_mut() {
            _ if line.starts_with("$ ") => parts.push(Part::Step {
                command: line[2..].to_owned(),
                printed: String::new(),
            }),
            Some(Part::Step { command, printed }) if printed.is_empty() && goes_on(command) => {
                command.push_str(line);
            }
            Some(Part::Step { printed, .. }) => printed.push_str(line),
            _ => panic!("output without a command: {line}"),
        }
    }
    parts
}

fn goes_on(command: &str) -> bool {
    command.ends_with("\\\n") || command.ends_with("|\n")
}

/// The files that the document holds.
fn files(document: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut rest = document;
    while let Some((_, after)) = rest.split_once("<!-- file: ") {
        let (name, after) = after.split_once(" -->\n").unwrap();
        let (_, after) = after.split_once('\n').unwrap();
        let (content, after) = after.split_once("```\n").unwrap();
        files.push((name.to_owned(), content.to_owned()));
        rest = after;
    }
    files
}

/// Text in which every time is the same one.
fn timeless(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let is_time = rest.get(..TIME.len()).is_some_and(|start| {
            start.bytes().zip(TIME.bytes()).all(|(one, sample)| {
                if sample.is_ascii_digit() {
                    one.is_ascii_digit()
                } else {
                    one == sample
                }
            })
        });
        let length = if is_time {
            result.push_str(TIME);
            TIME.len()
        } else {
            result.push(letter);
            letter.len_utf8()
        };
        rest = &rest[length..];
    }
    result
}

/// Whether `printed` is what was expected, where a line `...` stands for any lines.
fn agrees(expected: &str, printed: &str) -> bool {
    let pieces: Vec<&str> = expected.split("...\n").collect();
    let [first, middle @ .., last] = &pieces[..] else {
        return timeless(expected) == timeless(printed);
    };
    let printed = timeless(printed);
    let Some(mut rest) = printed.strip_prefix(&timeless(first)) else {
        return false;
    };
    for piece in middle {
        let piece = timeless(piece);
        let Some((_, after)) = rest.split_once(&piece) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(&timeless(last))
}

/// A folder with what the document needs.
fn folder(name: &str, document: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    for (name, content) in files(document) {
        std::fs::write(folder.join(name), content).unwrap();
    }
    // The folder outlives a checkout: a link from an earlier run may lead to one that is gone.
    let examples = folder.join("examples");
    if examples.is_symlink() {
        std::fs::remove_file(&examples).unwrap();
    }
    let there = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    std::os::unix::fs::symlink(there, examples).unwrap();
    folder
}

/// Types the commands into one shell and gives what each printed.
async fn type_in(folder: &Path, commands: &[&str]) -> Vec<String> {
    let mark = format!("code=$?; printf '{MARK}\\n'; (exit $code)\n");
    let script: String = commands.iter().flat_map(|it| [*it, &*mark]).collect();
    let script = format!("exec 2>&1\n{script}");
    let program = Path::new(env!("CARGO_BIN_EXE_deployment-recorder"));
    let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
    let shell = Command::new("/bin/sh")
        .args(["-c", &script])
        .current_dir(folder)
        .env_clear()
        .env("PATH", path)
        .env("HOME", folder)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = shell.await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mark = format!("{MARK}\n");
    let mut printed: Vec<String> = text.split(&mark).map(str::to_owned).collect();
    assert_eq!(printed.pop().as_deref(), Some(""), "{text}");
    printed
}

/// Runs every command of a document, with the sandbox at `address`.
async fn check(name: &str, document: &str, address: &str) {
    let parts = parts(document);
    let commands: Vec<String> = parts
        .iter()
        .filter_map(|part| match part {
            Part::Step { command, .. } => Some(command.replace(ADDRESS, address)),
            Part::Text(_) => None,
        })
        .collect();
    assert!(commands.len() > 2, "{name} has commands");
    let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
    let folder = folder(&format!("{name}-doc"), document);
    let mut printed = type_in(&folder, &commands).await.into_iter();

    let (mut wrong, mut truth) = (Vec::new(), String::new());
    for part in &parts {
        match part {
            Part::Text(text) => truth.push_str(text),
            Part::Step {
                command,
                printed: expected,
            } => {
                let printed = printed.next().unwrap().replace(address, ADDRESS);
                let printed = printed.replace(AGENT, "deployment-recorder/VERSION");
                let is_right = agrees(expected, &printed);
                if !is_right {
                    wrong.push(format!("$ {command}{printed}"));
                }
                let shown = if is_right {
                    expected
                } else {
                    &timeless(&printed)
                };
                truth.extend(["$ ", command, shown]);
            }
        }
    }
    let there = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.md"));
    std::fs::write(&there, truth).unwrap();
    let wrong = wrong.join("\n");
    assert!(
        wrong.is_empty(),
        "{wrong}\nAs it would be true: {}",
        there.display()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_explanation_is_what_its_document_says() {
    check("explain", EXPLAIN, ADDRESS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_command_prints_what_the_document_says() {
    let sandbox = Sandbox::new(Settings {
        unknown_digests: true,
        jitter: std::time::Duration::from_millis(50),
        ..Settings::default()
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let serving = tokio::spawn(serve(listener, sandbox.clone()));

    check("api", DOCUMENT, &address).await;
    serving.abort();

    assert_eq!(sandbox.violations(), []);
    let asked: BTreeSet<_> = sandbox
        .requests()
        .into_iter()
        .filter_map(|entry| entry.endpoint)
        .map(Endpoint::template)
        .collect();
    let expected = Endpoint::ALL
        .into_iter()
        .filter(|it| !is_about_signing_in(*it));
    assert_eq!(asked, expected.map(Endpoint::template).collect());
}

fn is_about_signing_in(endpoint: Endpoint) -> bool {
    matches!(
        endpoint,
        Endpoint::GetInstallation | Endpoint::CreateInstallationToken
    )
}

#[test]
fn what_a_document_says_wrongly_would_be_found() {
    let document = "Text\n```console\n$ one \\\n  more\nA\n$ two\n```\nEnd\n";
    let step = |command: &str, printed: &str| Part::Step {
        command: command.to_owned(),
        printed: printed.to_owned(),
    };
    let text = |text: &str| Part::Text(text.to_owned());
    assert_eq!(
        parts(document),
        [
            text("Text\n```console\n"),
            step("one \\\n  more\n", "A\n"),
            step("two\n", ""),
            text("```\nEnd\n"),
        ]
    );
    for (expected, printed, is_right) in [
        ("A\n", "A\n", true),
        ("A\n", "B\n", false),
        ("A\n", "A\nB\n", false),
        ("A\n", "", false),
        ("", "A\n", false),
        ("A\n...\n", "A\nB\nC\n", true),
        ("A\n...\nC\n", "A\nB\nC\n", true),
        ("A\n...\nB\n", "A\nB\nC\n", false),
        ("...\nB\n...\n", "A\nB\nC\n", true),
        ("...\nD\n...\n", "A\nB\nC\n", false),
        (
            "at 2020-01-02T03:04:05Z\n",
            "at 2026-11-26T12:13:14Z\n",
            true,
        ),
        ("at 2020-01-02\n", "at 2026-11-26\n", false),
    ] {
        assert_eq!(
            agrees(expected, printed),
            is_right,
            "{expected:?} {printed:?}"
        );
    }
}
