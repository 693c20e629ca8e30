//! What answers about jobs mean, on bytes.

use super::super::samples::received;
use super::*;

fn start(status: u16, body: &str) -> Answer<Start> {
    received(status, body.as_bytes(), Start::read)
}

fn job(status: u16, body: &str) -> Answer<Job> {
    received(status, body.as_bytes(), |received| {
        Job::read(received, JobId(7))
    })
}

#[test]
fn a_202_names_the_job_and_a_409_says_that_one_runs() {
    let started = Start::Started {
        job: JobId(7),
        errors: Vec::new(),
    };
    for body in [
        r#"{"job_id":7}"#,
        r#"{"job_id":7,"errors":[],"new":1}"#,
        r#"{"job_id":7,"errors":null}"#,
    ] {
        assert_eq!(start(202, body), Ok(started.clone()), "{body}");
    }
    let message = "already in progress".to_owned();
    let busy = start(409, r#"{"message":"already in progress"}"#);
    assert_eq!(busy, Ok(Start::Busy { message }));
}

#[test]
fn a_202_without_a_job_tells_nothing() {
    for body in [
        "",
        "{}",
        "[7]",
        r#"{"job_id":"7"}"#,
        r#"{"job_id":-7}"#,
        r#"{"job_id":null}"#,
        r#"{"job_id":7,"errors":"none"}"#,
    ] {
        let failure = start(202, body).unwrap_err();
        assert_eq!(failure.kind(), "unknown", "{body}");
    }
    // Other successes are none of the contract's.
    for status in [200, 201, 204, 207] {
        let failure = start(status, r#"{"job_id":7}"#).unwrap_err();
        assert_eq!(failure.kind(), "unknown", "{status}");
    }
}

#[test]
fn the_state_of_a_job_is_read_whole() {
    let body = r#"{"job_id":7,"status":"completed","started_at":"2026-11-22T12:00:00Z",
        "total_count":3,"errors":[
            {"cause":"not_found","deployment":{"deployment_name":"a","digest":"x"}},
            {"cause":"strange","deployment":null},
            {"message":"two\nlines"}, "text", 4]}"#;
    let job = job(200, body).unwrap();
    assert_eq!(
        (
            job.id,
            job.status,
            job.started_at.as_deref(),
            job.total_count
        ),
        (
            JobId(7),
            JobStatus::Completed,
            Some("2026-11-22T12:00:00Z"),
            Some(3)
        )
    );
    let told: Vec<_> = job
        .errors
        .iter()
        .map(|error| (error.name.as_deref(), error.refusal))
        .collect();
    let expected = [
        (Some("a"), Some(Refusal::NotFound)),
        (None, None),
        (None, None),
        (None, None),
        (None, None),
    ];
    assert_eq!(told, expected);
    assert_eq!(job.errors[2].text, r#"{"message":"two\nlines"}"#);
}

#[test]
fn each_status_of_a_job_is_known_and_another_is_outside_of_the_contract() {
    for (name, over) in [
        ("pending", false),
        ("processing", false),
        ("completed", true),
        ("failed", true),
    ] {
        let job = job(200, &format!(r#"{{"job_id":7,"status":"{name}"}}"#)).unwrap();
        assert_eq!((job.kind(), job.status.is_over()), (name, over));
    }
    for body in [
        r#"{"job_id":7,"status":"asleep"}"#,
        r#"{"job_id":8,"status":"completed"}"#,
        r#"{"job_id":7}"#,
        r#"{"status":"completed"}"#,
        "<html>",
    ] {
        assert_eq!(job(200, body).unwrap_err().kind(), "unknown", "{body}");
    }
    assert_eq!(job(404, "").unwrap_err().kind(), "no-access");
    assert_eq!(
        job(202, r#"{"job_id":7,"status":"pending"}"#)
            .unwrap_err()
            .kind(),
        "unknown"
    );
}

#[test]
fn of_more_errors_than_a_job_has_lines_the_last_are_counted_by_one_that_names_no_record() {
    let item = r#"{"cause":"not_found","deployment":{"deployment_name":"a"}}"#;
    for (count, last) in [
        (5000, (Some("a"), item)),
        (5001, (None, "and 1 more errors")),
        (6000, (None, "and 1000 more errors")),
    ] {
        let items = vec![item; count].join(",");
        let body = format!(r#"{{"job_id":7,"status":"completed","errors":[{items}]}}"#);
        let errors = job(200, &body).unwrap().errors;
        assert_eq!(errors.len(), count.min(5001));
        let told = errors.last().unwrap();
        assert_eq!((told.name.as_deref(), told.text.as_str()), last);
    }
}
