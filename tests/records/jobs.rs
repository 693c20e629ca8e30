//! Jobs: their turn, their end, and what becomes of their records.

use deployment_recorder::sandbox::{Attestation, Endpoint, Fault, FaultKind, Settings};
use tokio::time::{Duration, Instant};

use crate::stage::Stage;

const MINUTE: Duration = Duration::from_mins(1);

fn lasting(job_duration: Duration) -> Settings {
    Settings {
        job_duration,
        ..Settings::default()
    }
}

#[tokio::test(start_paused = true)]
async fn five_thousand_records_go_in_each_job_and_one_job_waits_for_the_last() {
    let mut stage = Stage::with_jobs(lasting(MINUTE), 15 * MINUTE);
    assert_eq!(stage.set(12_000).await, "12000 acknowledged");
    assert_eq!(stage.sizes(), [5000, 5000, 2000]);
    assert_eq!(stage.sandbox.records().len(), 12_000);
    let asked = stage.sandbox.requests().into_iter();
    let asked = asked.filter(|entry| entry.endpoint == Some(Endpoint::GetJob));
    // For a minute each: after a second, two more, and so on, and then every ten seconds.
    assert!((15..=33).contains(&asked.count()));
}

#[tokio::test(start_paused = true)]
async fn a_job_waits_for_its_turn_within_its_bound() {
    for (lasts, patience, outcome) in [(2, 15, "3 acknowledged"), (20, 15, "3 refused")] {
        let mut stage = Stage::with_jobs(lasting(lasts * MINUTE), patience * MINUTE);
        // Another process starts one, and does not wait for it.
        assert!(!stage.set_within(1, Duration::from_secs(2)).await);
        assert_eq!(stage.cause(0), "the job 1 was not over yet");
        let start = Instant::now();
        assert_eq!(stage.set(3).await, outcome);
        let said = "waiting for another job of the cluster main: GitHub sets one at a time\n";
        assert_eq!(stage.said(), said);
        assert!(
            start.elapsed() <= (patience + 1) * MINUTE,
            "{:?}",
            start.elapsed()
        );
        if outcome == "3 refused" {
            let cause = stage.cause(0);
            let start =
                "another job of the cluster main was not over after 15m (GitHub answered 409: ";
            assert!(cause.starts_with(start), "{cause}");
            assert!(cause.ends_with("wait longer with --job-timeout"), "{cause}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_does_not_end_in_time_or_fails_is_doubt() {
    let mut stage = Stage::with_jobs(lasting(60 * MINUTE), 15 * MINUTE);
    assert_eq!(stage.set(2).await, "2 unknown");
    let cause = stage.cause(0);
    assert!(
        cause.starts_with("the job 1 was still pending after 15m; "),
        "{cause}"
    );

    let mut stage = Stage::with_jobs(lasting(MINUTE), 15 * MINUTE);
    stage.sandbox.fault(Fault::once(FaultKind::JobFails));
    assert_eq!(stage.set(5001).await, "5000 unknown, 1 not sent");
    let cause = stage.cause(0);
    assert_eq!(cause, "the job 1 failed; the same command may be repeated");
}

#[tokio::test(start_paused = true)]
async fn what_a_job_says_of_single_records_is_heeded() {
    let settings = Settings {
        unknown_digests: true,
        ..Settings::default()
    };
    let mut stage = Stage::with_jobs(settings, MINUTE);
    assert_eq!(stage.set(2).await, "2 refused");
    assert_eq!(stage.cause(1), "not_found");
    stage.sandbox.attest(Attestation {
        digest: format!("sha256:{}", "a".repeat(64)),
        repository: None,
    });
    stage
        .sandbox
        .fault(Fault::once(FaultKind::StrangeCause).record("1"));
    assert_eq!(stage.set(3).await, "2 acknowledged, 1 unknown");
    assert!(
        stage.cause(1).starts_with("the job 2 says: {"),
        "{}",
        stage.cause(1)
    );
    stage.sandbox.fault(Fault::once(FaultKind::StrangeRecord));
    assert_eq!(stage.set(3).await, "3 unknown");
    let cause = stage.cause(0);
    assert!(
        cause.starts_with("the job 3 names no record in an error: "),
        "{cause}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_job_whose_start_was_not_answered_may_be_the_one_that_is_in_the_way() {
    let mut stage = Stage::with_jobs(lasting(60 * MINUTE), 15 * MINUTE);
    let lost = Fault::once(FaultKind::Lost { hang: false });
    stage.sandbox.fault(lost.at(Endpoint::CreateJob));
    assert_eq!(stage.set(1).await, "1 unknown");
    let mut stage = Stage::with_jobs(lasting(2 * MINUTE), 15 * MINUTE);
    let lost = Fault::once(FaultKind::Lost { hang: false });
    stage.sandbox.fault(lost.at(Endpoint::CreateJob));
    assert_eq!(stage.set(1).await, "1 acknowledged");
}

#[tokio::test(start_paused = true)]
async fn a_job_is_asked_for_again_where_the_answer_is_lost() {
    let mut stage = Stage::with_jobs(lasting(MINUTE), 15 * MINUTE);
    let fault = Fault::new(FaultKind::Reset).at(Endpoint::GetJob);
    stage.sandbox.fault(fault.clone().times(2));
    assert_eq!(stage.set(1).await, "1 acknowledged");
    stage.sandbox.fault(fault);
    assert_eq!(stage.set(1).await, "1 unknown");
}
