//! How fast a client may write: counted always, refused where that is switched on.

use std::time::Duration;

use deployment_recorder::sandbox::{Sandbox, Settings, Violation};
use tokio::time::sleep;

use super::client::*;

#[tokio::test(start_paused = true)]
async fn a_hurried_client_is_counted_and_still_served() {
    let sandbox = Sandbox::default();
    let body = batch(&[item("shop", 'a')]);
    assert_eq!(post(&sandbox, SET, &body).await.status, 200);
    sleep(Duration::from_millis(400)).await;
    assert_eq!(post(&sandbox, SET, &body).await.status, 200);
    assert_eq!(sandbox.violations(), [(2, Violation::TooSoon(600))]);
}

#[tokio::test(start_paused = true)]
async fn a_hurried_client_is_told_to_wait_where_the_pace_is_enforced() {
    let sandbox = Sandbox::new(Settings {
        enforce_pace: true,
        ..Settings::default()
    });
    let body = batch(&[item("shop", 'a')]);
    assert_eq!(post(&sandbox, SET, &body).await.status, 200);
    sleep(Duration::from_millis(400)).await;
    let got = post(&sandbox, SET, &body).await;
    assert_eq!(
        (got.status.as_u16(), got.header("retry-after")),
        (403, Some("1"))
    );
    assert_eq!(sandbox.requests()[1].applied, 0);
    // What was refused does not count: a second after the first write is soon enough.
    sleep(Duration::from_millis(600)).await;
    assert_eq!(post(&sandbox, SET, &body).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn two_writes_at_a_time_are_counted_and_an_abandoned_one_is_over() {
    use deployment_recorder::sandbox::{Fault, FaultKind};
    let sandbox = Sandbox::default();
    let body = batch(&[item("shop", 'a')]);
    sandbox.fault(Fault::once(FaultKind::Hang));
    let hanging = tokio::spawn({
        let (sandbox, body) = (sandbox.clone(), body.clone());
        async move { post(&sandbox, SET, &body).await }
    });
    sandbox.wait_until(|it| it.request_count() == 1).await;
    sleep(Duration::from_secs(2)).await;
    post(&sandbox, SET, &body).await;
    assert_eq!(sandbox.violations(), [(2, Violation::Overlap)]);
    hanging.abort();
    assert!(hanging.await.unwrap_err().is_cancelled());
    sleep(Duration::from_secs(2)).await;
    post(&sandbox, SET, &body).await;
    assert_eq!(sandbox.violations().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_bad_request_is_a_violation_that_names_what_is_wrong() {
    let sandbox = Sandbox::default();
    post(&sandbox, SET, &batch(&[item("shop", 'x')])).await;
    let [(1, Violation::Contract(text))] = &sandbox.violations()[..] else {
        panic!("{:?}", sandbox.violations());
    };
    assert!(text.contains("deployments/0/digest"), "{text}");
}
