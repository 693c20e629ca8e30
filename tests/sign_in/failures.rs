//! What GitHub's refusals mean for signing in: what is said, how often it is asked, and that it
//! recovers.

use std::time::Duration;

use deployment_recorder::sandbox::{AppChange, Endpoint, Fault, FaultKind};
use tokio::time::{Instant, sleep};

use crate::stage::{MINUTE, SECOND, Stage};

/// Tries to sign in again and again for that long, as an impatient client would, and returns the
/// seconds between the requests that left.
async fn insist(stage: &Stage, step: Duration, time: Duration) -> Vec<u32> {
    let start = Instant::now();
    while start.elapsed() < time {
        let _ = stage.credentials.authorization().await;
        sleep(step).await;
    }
    let errands = stage.errands();
    let gaps = errands.windows(2).map(|two| two[1].at.abs_diff(two[0].at));
    gaps.map(|gap| u32::try_from(gap.as_secs()).unwrap())
        .collect()
}

/// The seconds between requests when GitHub fails, and when somebody has to do something.
const OUTAGE: [u32; 7] = [2, 4, 8, 16, 32, 60, 60];
const DENIED: [u32; 7] = [60, 120, 240, 480, 600, 600, 600];

/// What GitHub does, what is said about it, and how long each time it is left alone.
fn failures() -> Vec<(FaultKind, &'static str, [u32; 7])> {
    let status = |status| FaultKind::Status { status };
    let throttled = |retry_after| FaultKind::Throttled {
        status: 429,
        retry_after,
        reset_after: None,
    };
    vec![
        (
            status(500),
            "GitHub answered 500 Internal Server Error: ",
            OUTAGE,
        ),
        (
            FaultKind::Bare { status: 503 },
            "GitHub answered 503 ",
            OUTAGE,
        ),
        (
            status(403),
            "GitHub answered 403 Forbidden: Resource not ",
            DENIED,
        ),
        (
            status(404),
            "GitHub answered 404 Not Found: Not Found",
            DENIED,
        ),
        (
            status(401),
            "GitHub answered 401 Unauthorized: Bad ",
            DENIED,
        ),
        (
            FaultKind::Html { applied: false },
            "with a body outside",
            OUTAGE,
        ),
        (
            FaultKind::WrongShape { applied: true },
            "with a body outside",
            OUTAGE,
        ),
        (FaultKind::Reset, "the sandbox broke the connection", OUTAGE),
        (
            throttled(None),
            "GitHub answered 429 Too Many Requests",
            DENIED,
        ),
        (
            throttled(Some(90)),
            "GitHub answered 429 Too Many Requests",
            [90; 7],
        ),
    ]
}

/// When GitHub is well again, that is found out within the longest pause.
async fn recovers(stage: &Stage, step: Duration) {
    stage.github.clear();
    let start = Instant::now();
    while stage.credentials.authorization().await.is_err() {
        assert!(start.elapsed() <= 10 * MINUTE, "it does not recover");
        sleep(step).await;
    }
    assert_eq!(stage.list(&stage.sign_in().await).await, 200);
}

#[tokio::test(start_paused = true)]
async fn a_failing_look_up_is_named_and_asked_for_again_as_rarely_as_it_asks_for() {
    for (kind, said, waits) in failures() {
        let stage = Stage::default();
        let fault = Fault::new(kind.clone()).at(Endpoint::GetInstallation);
        stage.github.fault(fault);
        let error = stage.fail().await;
        let step = if said.contains("404") {
            "the App 7 is not installed in acme: "
        } else {
            "the installation of the App in acme is not known: "
        };
        assert!(error.starts_with(step) && error.contains(said), "{error}");
        let step = waits[0].min(30) * SECOND;
        let gaps = insist(&stage, step, waits.iter().sum::<u32>() * SECOND).await;
        assert_eq!(gaps, waits[..gaps.len()], "{kind:?}");
        assert!(gaps.len() >= 6, "{kind:?}: {gaps:?}");
        recovers(&stage, step).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_failing_minting_is_named_and_asked_for_again_no_more_often() {
    for (kind, said, waits) in failures() {
        let stage = Stage::default();
        let fault = Fault::new(kind.clone()).at(Endpoint::CreateInstallationToken);
        stage.github.fault(fault);
        let error = stage.fail().await;
        let step = "no token for installation 1001 of the App 7: ";
        assert!(error.starts_with(step) && error.contains(said), "{error}");
        insist(&stage, waits[0].min(30) * SECOND, 30 * MINUTE).await;
        let most = if waits == OUTAGE { 34 } else { 21 };
        assert!(
            (3..=most).contains(&stage.mints()),
            "{kind:?}: {}",
            stage.mints()
        );
        recovers(&stage, waits[0].min(30) * SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_app_that_is_not_installed_is_said_to_be_so() {
    let stage = Stage::default();
    let installed = |installed| AppChange {
        installed: [("acme".to_owned(), installed)].into(),
        ..AppChange::default()
    };
    stage.change(installed(false));
    assert_eq!(
        stage.fail().await,
        "the App 7 is not installed in acme: GitHub answered 404 Not Found: Not Found"
    );
    stage.change(installed(true));
    sleep(MINUTE).await;
    let first = stage.sign_in().await;
    stage.credentials.accepted(&first);

    // Installed anew, it has another number.
    stage.change(installed(false));
    stage.change(installed(true));
    assert_eq!(stage.list(&first).await, 401);
    assert!(stage.credentials.refused(&first).await);
    let said = stage.fail().await;
    assert!(
        said.starts_with("no token for installation 1001 of the App 7: GitHub answered 404"),
        "{said}"
    );
    sleep(MINUTE).await;
    assert_eq!(stage.list(&stage.sign_in().await).await, 200);
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_records_waits_for_records() {
    let stage = Stage::default();
    stage.github.fault(Fault::once(FaultKind::UnknownDigest));
    let header = stage.sign_in().await;
    assert_eq!(stage.statuses(), [200, 201]);
    assert_eq!(stage.set(&header).await, 404);
}

#[tokio::test(start_paused = true)]
async fn a_suspended_installation_is_said_to_be_so_and_comes_back() {
    let stage = Stage::default();
    let suspended = |suspended| AppChange {
        suspended: [("acme".to_owned(), suspended)].into(),
        ..AppChange::default()
    };
    stage.change(suspended(true));
    assert_eq!(
        stage.fail().await,
        "no token for installation 1001 of the App 7: GitHub answered 403 Forbidden: This \
         installation has been suspended"
    );
    stage.change(suspended(false));
    sleep(MINUTE).await;
    stage.sign_in().await;
}

#[tokio::test(start_paused = true)]
async fn a_request_that_hangs_ends_with_the_time_out() {
    for endpoint in [Endpoint::GetInstallation, Endpoint::CreateInstallationToken] {
        let stage = Stage::default();
        stage.github.fault(Fault::new(FaultKind::Hang).at(endpoint));
        let start = Instant::now();
        let said = stage.fail().await;
        assert!(said.ends_with("no whole answer within 30s"), "{said}");
        assert_eq!(start.elapsed(), 30 * SECOND);
        let errands = stage.credentials.sign_in().await.errands;
        assert_eq!(errands, [], "nothing is asked during the pause");
    }
}

#[tokio::test(start_paused = true)]
async fn while_the_last_token_holds_a_failing_renewal_hurts_nobody() {
    let stage = Stage::default();
    let first = stage.sign_in().await;
    let kind = FaultKind::Status { status: 503 };
    stage
        .github
        .fault(Fault::new(kind).at(Endpoint::CreateInstallationToken));
    sleep(55 * MINUTE).await;
    let start = Instant::now();
    while start.elapsed() + SECOND < 5 * MINUTE {
        assert_eq!(stage.sign_in().await, first);
        assert_eq!(stage.list(&first).await, 200);
        sleep(SECOND).await;
    }
    let asked = stage.mints() - 1;
    assert!((6..=10).contains(&asked), "{asked}");
    stage.github.clear();
    sleep(MINUTE).await;
    assert_ne!(stage.sign_in().await, first);
}
