//! What the longest answers cost that are read: never many times their own length.

#![cfg(target_os = "linux")]

use super::answer::{Received, Taken};
use super::job::{Job, JobId, Start};
use super::records::{DeploymentRecord, Records, StorageRecord};
use super::samples::{filled, line, little_more, received, run_alone};

/// Reads an answer, and asserts what it is taken for.
type Read = fn(Received<'_>, &str);

/// What is read, by which status, how it begins, what is in it again and again, how it ends, and what it is.
type Row = (
    u16,
    &'static str,
    &'static str,
    &'static str,
    Read,
    &'static str,
);

fn set(received: Received<'_>, kind: &str) {
    let answer = Taken::read(received, &[line("a")]);
    assert_eq!(answer.map_or_else(|it| it.kind(), |_| "taken"), kind);
}

fn one(received: Received<'_>, kind: &str) {
    let answer = Taken::read_one(received);
    assert_eq!(answer.map_or_else(|it| it.kind(), |_| "taken"), kind);
}

fn start(received: Received<'_>, kind: &str) {
    let answer = Start::read(received);
    assert_eq!(answer.map_or_else(|it| it.kind(), |_| "started"), kind);
}

fn job(received: Received<'_>, kind: &str) {
    let answer = Job::read(received, JobId(7));
    assert_eq!(answer.map_or_else(|it| it.kind(), |_| "job"), kind);
}

fn deployments(received: Received<'_>, kind: &str) {
    let answer = Records::<DeploymentRecord>::read(received);
    let told = |list: Records<_>| if list.is_whole() { "whole" } else { "cut" };
    assert_eq!(answer.map_or_else(|it| it.kind(), told), kind);
}

fn storage(received: Received<'_>, kind: &str) {
    let answer = Records::<StorageRecord>::read(received);
    let told = |list: Records<_>| if list.is_whole() { "whole" } else { "cut" };
    assert_eq!(answer.map_or_else(|it| it.kind(), told), kind);
}

const ERROR: &str = r#"{"cause":"not_found","deployment":{"deployment_name":"a"}}"#;

const RECORD: &str = concat!(
    r#"{"digest":"sha256:abababababababababababababababababababababababababababababababab","#,
    r#""logical_environment":"a","deployment_name":"a","#,
    r#""tags":{"a":"","b":"","c":"","d":"","e":"","f":"","g":"","h":"","i":"","j":"","k":"","#,
    r#""l":"","m":"","n":"","o":"","p":"","q":"","r":""},"runtime_risks":["","","","",""]}"#
);

const SHORT: &str = concat!(
    r#"{"digest":"sha256:abababababababababababababababababababababababababababababababab","#,
    r#""logical_environment":"a","deployment_name":"a"}"#
);

#[rustfmt::skip]
const ROWS: [Row; 16] = [
    (200, r#"{"total_count":1,"other":["#, "0", "]}", set, "taken"),
    (200, r#"{"total_count":1,"other":{"#, r#""":0"#, "}}", set, "taken"),
    (207, r#"{"total_count":1,"errors":["#, "{}", "]}", set, "unknown"),
    (207, r#"{"total_count":1,"errors":[{"deployment":{"other":["#, "0", "]}}]}", set, "unknown"),
    (422, r#"{"errors":["#, "0", "]}", set, "invalid"),
    (422, r#"{"message":["#, "[]", "]}", set, "invalid"),
    (404, r#"{"message":{"cause":["#, "0", "]}}", set, "no-access"),
    (404, r#"{"message":{"repositories":["#, "0", "]}}", set, "names-repositories"),
    (201, r#"{"total_count":1,"errors":["#, "{}", "]}", one, "taken"),
    (202, r#"{"job_id":7,"errors":[["#, "0", "]]}", start, "started"),
    (200, r#"{"job_id":7,"status":"completed","errors":["#, ERROR, "]}", job, "job"),
    (200, r#"{"total_count":1,"deployment_records":["#, "{}", "]}", deployments, "unknown"),
    (200, r#"{"total_count":1,"deployment_records":["#, RECORD, "]}", deployments, "cut"),
    (200, r#"{"total_count":0,"deployment_records":[{"status":["#, "0", "]}]}", deployments, "unknown"),
    (200, r#"{"total_count":0,"deployment_records":[{"runtime_risks":["#, r#""""#, "]}]}", deployments, "unknown"),
    (200, r#"{"total_count":1,"storage_records":["#, SHORT, "]}", storage, "cut"),
];

#[test]
fn the_longest_answers_of_github_are_read_in_little_more_memory_than_their_own() {
    run_alone("github::tests::the_longest_answers", &[]);
}

#[test]
#[ignore = "run alone by the test above"]
fn the_longest_answers() {
    // One by one: a table of bodies would be what takes the memory.
    let rows = ROWS
        .into_iter()
        .map(|(status, begin, item, end, read, kind)| {
            (begin, filled(begin, item, end), (status, read, kind))
        });
    little_more(rows, |body, (status, read, kind)| {
        received(status, body, |received| read(received, kind));
    });
}
