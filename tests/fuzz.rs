//! What must hold of any input from outside (`src/fuzz.rs`): of the corpus in `tests/corpus`, and of
//! 10,000 inputs for each target that are made of it, the same ones at every run. `make fuzz` looks
//! further.

#![cfg(feature = "fuzz")]
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a failed test should say so loudly"
)]

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};

use deployment_recorder::fuzz::{TARGETS, Target};

#[cfg(test)]
#[path = "fuzz/cluster.rs"]
mod cluster;
#[cfg(test)]
#[path = "fuzz/maker.rs"]
mod maker;
#[cfg(test)]
#[path = "fuzz/words.rs"]
mod words;

use maker::Maker;

/// How many inputs are made for each target.
const MADE: usize = 10_000;

/// An input of the corpus: its file, and what is in it.
type Input = (PathBuf, Vec<u8>);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn names_in(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    entries.map(|entry| name(entry.unwrap())).collect()
}

fn corpus(target: &str) -> Vec<Input> {
    let folder = root().join("tests/corpus").join(target);
    let files = names_in(&folder).into_iter().map(|name| folder.join(name));
    files
        .map(|file| (file.clone(), fs::read(file).unwrap()))
        .collect()
}

/// Calls a target; where its property does not hold, the input is kept and named.
fn holds(target: &str, run: Target, input: &[u8], what: &str) {
    let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(input))) else {
        return;
    };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join(format!("{target}-{what}"));
    fs::write(&file, input).unwrap();
    eprintln!("{target}, {what}, kept in {}:", file.display());
    eprintln!("{}", String::from_utf8_lossy(input).escape_debug());
    resume_unwind(panic);
}

fn holds_of_all(target: &str) {
    let (_, run) = TARGETS.iter().find(|(name, _)| *name == target).unwrap();
    let corpus = corpus(target);
    assert!(!corpus.is_empty());
    for (file, input) in &corpus {
        let name = file.file_name().unwrap().to_string_lossy();
        holds(target, *run, input, &name);
    }
    let mut maker = Maker::new(target, &corpus);
    for number in 0..MADE {
        holds(target, *run, &maker.next(), &format!("made-{number}"));
    }
}

macro_rules! targets {
    ($($test:ident: $target:literal),+ $(,)?) => {
        const TESTED: &[&str] = &[$($target),+];

        $(#[test]
        fn $test() {
            holds_of_all($target);
        })+
    };
}

targets! {
    annotations_give_what_the_api_takes: "annotations",
    an_answer_is_taken_for_no_more_than_it_says: "answer",
    an_address_of_an_api_is_one_and_its_secrets_stay_unsaid: "api",
    a_challenge_is_read_as_it_was_written: "challenge",
    a_file_is_read_or_said_to_be_wrong_at_a_line: "file",
    a_holder_is_printed_as_it_was_read: "holder",
    keys_of_records_have_one_order: "identity",
    a_digest_is_one_that_an_image_names: "image",
    what_a_registry_says_of_an_image_is_something: "image-document",
    a_map_of_images_keeps_them_normalised: "image-map",
    an_answer_with_a_token_is_never_repeated: "installation",
    a_label_names_a_repository_and_keeps_no_password: "label",
    a_lease_is_read_as_it_is_written: "lease",
    a_ledger_that_is_read_is_written_to_the_same_meaning: "ledger",
    what_leads_traffic_is_read_as_it_is: "link",
    an_owner_or_namespace_is_read_as_it_is: "object",
    a_part_of_the_ledger_is_whole_or_refused: "part",
    a_pattern_matches_what_it_describes: "pattern",
    a_pod_is_read_as_it_is: "pod",
    a_pull_secret_never_shows: "pull-secret",
    headers_ask_for_waits_within_a_day: "rate",
    a_file_of_records_makes_requests_that_say_the_same: "record-file",
    records_of_any_cluster_keep_the_contract: "records",
    a_redirect_stays_at_its_origin: "redirect",
    a_token_or_key_never_shows: "secret",
    a_selector_is_printed_as_it_selects: "selector",
    settings_that_are_taken_make_requests: "settings",
    a_template_makes_names_of_every_source: "template",
    a_mirror_shows_what_was_named_last: "watch",
}

#[test]
fn every_target_is_tested_has_a_corpus_and_is_fuzzed() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let tested = TESTED.iter().map(|name| (*name).to_owned());
    assert_eq!(tested.collect::<BTreeSet<_>>(), targets);
    assert_eq!(names_in(&root().join("tests/corpus")), targets);
    let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
    let bins = manifest.split("[[bin]]\n").skip(1);
    let names = bins.map(|bin| bin.lines().next().unwrap().to_owned());
    let wanted = targets.iter().map(|name| format!("name = \"{name}\""));
    assert!(names.eq(wanted), "fuzz/Cargo.toml has other targets");
}

#[test]
fn the_same_inputs_are_made_at_every_run_and_most_of_them_differ() {
    let made = || -> Vec<Vec<u8>> {
        let mut maker = Maker::new("answer", &corpus("answer"));
        (0..2000).map(|_| maker.next()).collect()
    };
    let inputs = made();
    assert_eq!(inputs, made());
    let different: BTreeSet<&Vec<u8>> = inputs.iter().collect();
    assert!(different.len() > 1800, "{}", different.len());
}

/// Mistakes that a target might make, each of which takes an input of its own kind.
#[test]
fn mistakes_of_many_kinds_would_be_found() {
    type Mistake = fn(&str) -> bool;
    let table: [(&str, &str, Mistake); 7] = [
        ("an error whose cause is no text", "answer", |input| {
            let body = input.split_once("\n\n").map_or("", |(_, body)| body);
            let body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
            input.contains(" 207") && body["errors"][0]["cause"].is_number()
        }),
        ("one header twice", "rate", |input| {
            input.matches("retry-after: ").count() == 2
        }),
        ("a file of another end of lines", "file", |input| {
            input.contains("\r\n")
        }),
        ("a name beyond ASCII", "pod", |input| {
            let pod: serde_json::Value = serde_json::from_str(input).unwrap_or_default();
            let name = pod["metadata"]["name"].as_str().unwrap_or_default();
            pod["spec"].is_object() && !name.is_ascii()
        }),
        ("a list in place of a map", "object", |input| {
            let object: serde_json::Value = serde_json::from_str(input).unwrap_or_default();
            object["metadata"]["labels"].is_array()
        }),
        ("a pattern of two stars", "pattern", |input| {
            input.starts_with("**")
        }),
        ("an event that deletes what never was", "watch", |input| {
            input
                .lines()
                .next()
                .is_some_and(|line| line.contains("DELETED"))
        }),
    ];
    for (what, target, is_mistaken) in table {
        let mut maker = Maker::new(target, &corpus(target));
        let mut inputs = (0..MADE).map(|_| maker.next());
        let found = inputs.any(|input| is_mistaken(&String::from_utf8_lossy(&input)));
        assert!(found, "{what}");
    }
}
