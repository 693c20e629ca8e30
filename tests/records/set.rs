//! Batches: how many, at which pace, and what becomes of the records of those that fail.

use deployment_recorder::cli::records::batches::{Batches, Way};
use deployment_recorder::cli::records::input::Input;
use deployment_recorder::cli::records::outcome::{Outcome, complaint};
use deployment_recorder::cli::settings::Place;
use deployment_recorder::sandbox::{Fault, FaultKind};
use tokio::time::{Duration, Instant};

use crate::stage::{Stage, call};

#[tokio::test(start_paused = true)]
async fn records_go_out_in_batches_of_a_thousand_a_second_apart() {
    let mut stage = Stage::default();
    let start = Instant::now();
    assert_eq!(stage.set(2500).await, "2500 acknowledged");
    assert_eq!(stage.sizes(), [1000, 1000, 500]);
    assert!(
        start.elapsed() >= Duration::from_secs(3),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(stage.sandbox.records().len(), 2500);
    assert_eq!(stage.said(), "");
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_fails_for_good_ends_it_and_the_rest_is_not_sent() {
    let mut stage = Stage::default();
    let kind = FaultKind::Status { status: 403 };
    stage.sandbox.fault(Fault::new(kind).record("1500"));
    assert_eq!(
        stage.set(2500).await,
        "1000 acknowledged, 1000 refused, 500 not sent"
    );
    assert!(
        stage
            .cause(1000)
            .starts_with("GitHub answered 403 Forbidden: ")
    );
    assert_eq!(stage.outcomes[2000], Outcome::NotSent);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_too_large_goes_out_in_halves() {
    let mut stage = Stage::default();
    let kind = FaultKind::Status { status: 413 };
    stage.sandbox.fault(Fault::new(kind).times(2));
    assert_eq!(stage.set(1001).await, "1001 acknowledged");
    assert_eq!(stage.sizes(), [1000, 500, 250, 250, 500, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_limit_is_waited_out_however_long_and_said_once_each_time() {
    let mut stage = Stage::default();
    let throttled = FaultKind::Throttled {
        status: 403,
        retry_after: Some(3000),
        reset_after: None,
    };
    stage.sandbox.fault(Fault::new(throttled).times(2));
    let start = Instant::now();
    assert_eq!(stage.set(1).await, "1 acknowledged");
    assert!(start.elapsed() >= Duration::from_mins(100));
    let said = stage.said();
    assert_eq!(said.lines().count(), 2, "{said}");
    let is_a_wait = |line: &str| line.starts_with("waiting 50m, until ");
    assert!(said.lines().all(is_a_wait), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_never_ends_is_given_up_and_nothing_is_in_doubt() {
    let mut stage = Stage::default();
    let throttled = FaultKind::Throttled {
        status: 429,
        retry_after: Some(60),
        reset_after: None,
    };
    stage.sandbox.fault(Fault::new(throttled));
    assert_eq!(stage.set(1).await, "1 refused");
    assert_eq!(stage.sandbox.request_count(), 5);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_lost_is_made_up_for_and_one_that_stays_lost_is_doubt() {
    for (times, then, outcome) in [
        (1, None, "1 acknowledged"),
        (2, None, "1 acknowledged"),
        (3, None, "1 unknown"),
        (1, Some(401), "1 unknown"),
    ] {
        let mut stage = Stage::default();
        let lost = FaultKind::Lost { hang: false };
        stage.sandbox.fault(Fault::new(lost).times(times));
        if let Some(status) = then {
            stage
                .sandbox
                .fault(Fault::new(FaultKind::Status { status }));
        }
        assert_eq!(stage.set(1).await, outcome, "{times} {then:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cause_outside_of_the_contract_is_doubt_about_that_record_alone() {
    let mut stage = Stage::default();
    stage
        .sandbox
        .fault(Fault::once(FaultKind::StrangeCause).record("1"));
    assert_eq!(stage.set(3).await, "2 acknowledged, 1 unknown");
    stage.sandbox.fault(Fault::new(FaultKind::StrangeRecord));
    assert_eq!(stage.set(3).await, "3 unknown");
}

#[tokio::test(start_paused = true)]
async fn whenever_it_is_dropped_what_is_known_of_each_record_is_true() {
    let mut stage = Stage::default();
    let hang = Fault::new(FaultKind::Lost { hang: true });
    stage.sandbox.fault(hang.record("1000"));
    assert!(!stage.set_within(2500, Duration::from_secs(10)).await);
    let [first, second, third] = [0, 1000, 2000].map(|number| &stage.outcomes[number]);
    assert_eq!(*first, Outcome::Acknowledged);
    assert_eq!(*second, Outcome::under_way());
    assert_eq!(*third, Outcome::NotSent);
    let named = ["a", "b", "c"].into_iter().zip([first, second, third]);
    assert_eq!(
        complaint(named).unwrap(),
        "2 of 3 records not acknowledged: whether GitHub took b is unknown: its request was sent and \
         not answered"
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_not_sent_yet_or_definitely_not_taken_is_never_in_doubt() {
    let mut stage = Stage::default();
    assert!(!stage.set_within(1, Duration::from_millis(900)).await);
    assert_eq!(stage.outcomes, [Outcome::NotSent]);
    let throttled = FaultKind::Throttled {
        status: 429,
        retry_after: Some(60),
        reset_after: None,
    };
    stage.sandbox.fault(Fault::once(throttled.clone()));
    assert!(!stage.set_within(1, Duration::from_secs(30)).await);
    assert_eq!(stage.outcomes, [Outcome::NotSent]);
    stage.sandbox.fault(Fault::once(FaultKind::Reset));
    stage.sandbox.fault(Fault::once(throttled));
    assert!(!stage.set_within(1, Duration::from_secs(30)).await);
    assert_eq!(stage.outcomes, [Outcome::under_way()]);
    assert_eq!(stage.sandbox.request_count(), 3);
}

#[test]
fn one_digest_with_two_names_is_warned_of_once() {
    let record = |name: &str, image: &str, letter: &str| {
        format!(
            r#"{{"deployment_name": "{name}", "name": "{image}", "digest": "sha256:{}"}}"#,
            letter.repeat(64)
        )
    };
    let file = [
        record("a", "web", "1"),
        record("b", "web", "1"),
        record("c", "other", "1"),
        record("d", "third", "1"),
        record("e", "other", "2"),
    ];
    let input = Input::parse(&format!("[{}]", file.join(","))).unwrap();
    let place = Place {
        cluster: Some("main".into()),
        logical_environment: Some("production".into()),
        physical_environment: None,
    };
    let batches = Batches::new(input.entries, &place, &call(), Way::AtOnce).unwrap();
    assert_eq!(
        batches.mixed(),
        ["a and c have one digest and another name or version: GitHub takes those of a for both"]
    );
}

#[test]
fn records_of_one_environment_go_together_and_each_goes_where_the_file_says() {
    let record = |name: &str, place: &str| {
        format!(
            r#"{{"record_name": "{name}", "name": "img", "digest": "sha256:{}" {place}}}"#,
            "a".repeat(64)
        )
    };
    let file = format!(
        "[{}, {}, {}, {}]",
        record("a", r#", "logical_environment": "staging""#),
        record("b", ""),
        record(
            "c",
            r#", "logical_environment": "staging", "physical_environment": "eu""#
        ),
        record("a", r#", "cluster": "main""#),
    );
    let place = Place {
        cluster: Some("main".into()),
        ..Place::default()
    };
    let batches = |place: &Place| {
        let input = Input::parse(&file).unwrap();
        Batches::new(input.entries, place, &call(), Way::AtOnce).map_err(|error| error.0)
    };
    assert_eq!(
        batches(&place).unwrap_err(),
        "record 2 (\"b\") is for no logical_environment: give --logical-environment"
    );
    let production = Place {
        logical_environment: Some("production".into()),
        ..place.clone()
    };
    let refused = batches(&production).unwrap_err();
    assert!(
        refused.starts_with("record 1 (\"a\") is for the logical_environment \"staging\", but ")
    );
    let staging = Place {
        logical_environment: Some("staging".into()),
        ..place
    };
    let refused = batches(&staging).unwrap_err();
    assert!(
        refused.starts_with("record 1 (\"a\") and record 4 (\"a\") are one to GitHub"),
        "{refused}"
    );
    let file = file.replace(
        r#""record_name": "a", "name""#,
        r#""record_name": "d", "name""#,
    );
    let input = Input::parse(&file.replacen("\"d\"", "\"a\"", 1)).unwrap();
    let batches = Batches::new(input.entries, &staging, &call(), Way::AtOnce).unwrap();
    let names: Vec<_> = batches
        .lines
        .iter()
        .map(|line| &*line.identity.name)
        .collect();
    assert_eq!(names, ["a", "b", "d", "c"]);
    assert_eq!(batches.ranges, [0..3, 3..4]);
    assert_eq!(batches.requests(&call(), Way::Job).unwrap().len(), 2);
}
