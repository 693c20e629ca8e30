//! The writer over a service in the same process. The clock is paused: no test waits.

use std::time::Duration;

use super::super::answer::{Failure, Taken};
use super::super::auth::Credentials;
use super::super::job::JobId;
use super::super::pace::Reason;
use super::super::request::RequestError;
use super::super::samples::{Scripted, Step, client, client_with, destination, line, storage_line};
use super::*;

const TAKEN: Step = Step::Answer(200, &[], r#"{"total_count":1}"#);

fn secs(counts: &[u64]) -> Vec<Duration> {
    counts.iter().copied().map(Duration::from_secs).collect()
}

async fn create(writer: &mut Writer<Scripted>) -> Exchange {
    writer.create_deployment_record(&line("a")).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn every_operation_goes_to_its_endpoint_a_second_after_the_one_before() {
    let started = Step::Answer(202, &[], r#"{"job_id":7}"#);
    let (client, seen) = client([TAKEN, TAKEN, started, TAKEN]);
    let (mut writer, start) = (Writer::new(client), Instant::now());
    assert_eq!(create(&mut writer).await.answer, Ok(Taken::default()));
    assert_eq!(start.elapsed(), Duration::from_secs(1));
    let (place, lines) = (destination(), [line("a"), line("b")]);
    let set = writer.set_cluster_deployment_records(&place, &lines);
    assert_eq!(set.await.unwrap().answer, Ok(Taken::default()));
    let job = writer.create_job(&place, &lines).await.unwrap();
    let started = Start::Started {
        job: JobId(7),
        errors: Vec::new(),
    };
    assert_eq!((job.kind(), job.answer), ("started", Ok(started)));
    let stored = writer.create_storage_record("octo", &storage_line()).await;
    assert_eq!(stored.unwrap().answer, Ok(Taken::default()));
    assert_eq!(seen.times(), secs(&[0, 1, 2, 3]));
    let requests = seen.0.lock().unwrap();
    let paths = requests.iter().map(|(request, _)| request.uri().path());
    let path = "/orgs/octo/artifacts/metadata";
    let expected = [
        format!("{path}/deployment-record"),
        format!("{path}/deployment-record/cluster/prod-1"),
        format!("{path}/deployment-record/cluster/prod-1/jobs"),
        format!("{path}/storage-record"),
    ];
    assert!(paths.eq(expected.iter().map(String::as_str)));
}

#[tokio::test(start_paused = true)]
async fn after_a_failure_that_passes_the_next_call_waits_as_long_as_it_asks_for() {
    let limited = Step::Answer(429, &[("retry-after", "90")], "");
    let (client, seen) = client([limited, Step::Answer(502, &[], ""), Step::Fail, TAKEN]);
    let mut writer = Writer::new(client);
    let first = create(&mut writer).await;
    assert!(first.failure().is_some_and(Failure::is_passing));
    let slot = writer.slot("Octo");
    let wait = slot.at - Instant::now();
    assert_eq!((wait, slot.reason), (Duration::from_secs(90), Reason::Told));
    for passing in [true, true, false] {
        let exchange = create(&mut writer).await;
        assert_eq!(exchange.failure().is_some_and(Failure::is_passing), passing);
    }
    assert_eq!(seen.times(), secs(&[0, 90, 92, 96]));
}

#[tokio::test(start_paused = true)]
async fn a_busy_cluster_is_no_failure_and_asks_for_no_pause() {
    let busy = Step::Answer(409, &[], r#"{"message":"already in progress"}"#);
    let (client, _) = client([busy]);
    let mut writer = Writer::new(client);
    let job = writer
        .create_job(&destination(), &[line("a")])
        .await
        .unwrap();
    let message = "already in progress".to_owned();
    assert_eq!(job.answer, Ok(Start::Busy { message }));
    assert_eq!(writer.slot("octo").reason, Reason::Spacing);
}

#[tokio::test(start_paused = true)]
async fn what_breaks_the_contract_ends_before_anything_is_waited_for() {
    let (client, seen) = client([]);
    let (mut writer, start) = (Writer::new(client), Instant::now());
    let error = writer.create_job(&destination(), &[]).await.unwrap_err();
    assert!(matches!(
        error,
        NotSent::Request(RequestError::Count { most: 5000, .. })
    ));
    assert_eq!((start.elapsed(), seen.count()), (Duration::ZERO, 0));
}

#[tokio::test(start_paused = true)]
async fn without_a_token_the_organization_is_left_alone_for_a_minute() {
    let credentials = Credentials::from_file("/nonexistent/token".as_ref());
    let (client, seen) = client_with(credentials, []);
    let mut writer = Writer::new(client);
    let error = writer.create_deployment_record(&line("a")).await;
    assert!(matches!(error, Err(NotSent::Credentials(_))));
    let slot = writer.slot("octo");
    let wait = slot.at - Instant::now();
    assert_eq!(
        (wait, slot.reason),
        (Duration::from_mins(1), Reason::NoAccess)
    );
    assert_eq!(seen.count(), 0);
}
