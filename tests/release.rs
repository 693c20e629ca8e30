//! What a release asks of tag, program, chart and changelog (`deploy/release`), on copies of the files.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What is released here, whatever the version is at the moment.
const VERSION: &str = "1.2.3";
const CHANGELOG: &str = "# Changelog\n\n## Unreleased\n\n* To come.\n\n## 1.2.3 (2026-01-01)\n\n* \
    Is [there](docs/a.md#b).\n\n## 0.0.1\n\n* Long ago.\n";
const CHART: &str = "charts/deployment-recorder/Chart.yaml";

const DIGESTS: [&str; 3] = ["sha256:a1", "sha256:b2", "sha256:c3"];

/// The files that a release reads, in a folder of the test's own, as they are right before its tag.
struct Checkout(PathBuf);

impl Checkout {
    fn new(test: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("release")
            .join(test);
        let _ = fs::remove_dir_all(&folder);
        let files = ["Cargo.toml", "Cargo.lock", CHART];
        for file in [
            &files[..],
            &["deploy/release/version", "deploy/release/notes"],
        ]
        .concat()
        {
            fs::create_dir_all(folder.join(file).parent().unwrap()).unwrap();
            fs::copy(
                Path::new(env!("CARGO_MANIFEST_DIR")).join(file),
                folder.join(file),
            )
            .unwrap();
        }
        fs::write(folder.join("CHANGELOG.md"), CHANGELOG).unwrap();
        let checkout = Self(folder);
        checkout.set(env!("CARGO_PKG_VERSION"), VERSION);
        checkout
    }

    /// Another version for the program and the chart.
    fn set(&self, from: &str, to: &str) {
        let package =
            |version: &str| format!("name = \"deployment-recorder\"\nversion = \"{version}\"");
        self.change("Cargo.toml", &package(from), &package(to));
        self.change("Cargo.lock", &package(from), &package(to));
        for key in ["version", "appVersion"] {
            self.change(
                CHART,
                &format!("\n{key}: {from}\n"),
                &format!("\n{key}: {to}\n"),
            );
        }
    }

    fn change(&self, file: &str, from: &str, to: &str) {
        let path = self.0.join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from} is in {file}");
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    }

    fn run(&self, script: &str, arguments: &[&str]) -> Output {
        let path = self.0.join("deploy/release").join(script);
        Command::new(path).args(arguments).output().unwrap()
    }

    /// What is said of a tag that is refused.
    fn refuses(&self, tag: &str) -> String {
        let output = self.run("version", &[tag]);
        assert!(!output.status.success(), "{tag}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{tag}");
        String::from_utf8(output.stderr).unwrap()
    }
}

fn printed(output: Output) -> String {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_tag_that_everything_agrees_with_is_that_version() {
    let checkout = Checkout::new("agrees");
    let tag = format!("v{VERSION}");
    assert_eq!(
        printed(checkout.run("version", &[&tag])),
        format!("{VERSION}\n")
    );
}

#[test]
fn whatever_says_another_version_is_named() {
    let version = format!("version = \"{VERSION}\"");
    let package = format!("name = \"deployment-recorder\"\n{version}");
    let other = |text: &str| text.replace(VERSION, "9.8.7");
    let heading = format!("## {VERSION}");
    let cases = [
        ("Cargo.toml", package.as_str(), "Cargo.toml says '9.8.7'"),
        ("Cargo.lock", &package, "Cargo.lock says '9.8.7'"),
        (
            CHART,
            &format!("\nversion: {VERSION}"),
            "version in Chart.yaml says '9.8.7'",
        ),
        (
            CHART,
            &format!("\nappVersion: {VERSION}"),
            "appVersion in Chart.yaml says '9.8.7'",
        ),
        ("CHANGELOG.md", &heading, "CHANGELOG.md says '9.8.7'"),
    ];
    for (at, (file, from, said)) in cases.into_iter().enumerate() {
        let checkout = Checkout::new(&format!("other-{at}"));
        checkout.change(file, from, &other(from));
        let complaint = checkout.refuses(&format!("v{VERSION}"));
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
        assert!(complaint.contains(said), "{complaint}");
    }
}

#[test]
fn a_changelog_that_only_has_what_is_to_come_is_no_release() {
    let checkout = Checkout::new("unreleased");
    checkout.change(
        "CHANGELOG.md",
        "## 1.2.3 (2026-01-01)\n\n* Is [there](docs/a.md#b).\n\n",
        "",
    );
    let complaint = checkout.refuses(&format!("v{VERSION}"));
    assert!(
        complaint.contains("CHANGELOG.md says '0.0.1'"),
        "{complaint}"
    );
}

#[test]
fn a_candidate_is_described_by_what_is_to_come() {
    let checkout = Checkout::new("candidate");
    let candidate = format!("{VERSION}-rc.1");
    checkout.set(VERSION, &candidate);
    let tag = format!("v{candidate}");
    assert_eq!(
        printed(checkout.run("version", &[&tag])),
        format!("{candidate}\n")
    );
    let arguments = [&[candidate.as_str()][..], &DIGESTS].concat();
    assert!(printed(checkout.run("notes", &arguments)).contains("To come"));
}

#[test]
fn what_is_no_version_is_no_release() {
    let checkout = Checkout::new("tags");
    for tag in [
        "0.1.0", "v0.1", "v0.1.0.0", "v01.1.0", "v0.1.0-", "v0.1.0 ", "v0.1.0/x", "vx",
    ] {
        assert!(
            checkout.refuses(tag).contains("no tag of a version"),
            "{tag}"
        );
    }
}

#[test]
fn the_notes_are_this_versions_changes_and_what_was_published() {
    let checkout = Checkout::new("notes");
    let notes = printed(checkout.run("notes", &[&[VERSION][..], &DIGESTS].concat()));
    assert!(notes.contains("/blob/v1.2.3/docs/a.md#b"), "{notes}");
    for other in ["To come", "Long ago", "2026-01-01"] {
        assert!(!notes.contains(other), "{other}: {notes}");
    }
    for digest in DIGESTS {
        assert!(
            notes.contains(&format!("| `{digest}` |")),
            "{digest}: {notes}"
        );
    }
    let nothing = checkout.run("notes", &[&["7.7.7"][..], &DIGESTS].concat());
    assert!(!nothing.status.success());
}
