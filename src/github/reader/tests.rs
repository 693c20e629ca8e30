//! The reader over a service in the same process. The clock is paused: no test waits.

use std::time::Duration;

use futures::future::join_all;
use http::Method;

use super::super::auth::Credentials;
use super::super::job::JobStatus;
use super::super::pace::Reason;
use super::super::pace::reads::SPACING;
use super::super::samples::{Step, client, client_with, destination, line};
use super::*;

const NONE: Step = Step::Answer(200, &[], r#"{"total_count":0}"#);

fn digest() -> Digest {
    line("a").body.digest
}

#[tokio::test(start_paused = true)]
async fn every_operation_reads_from_its_endpoint() {
    let job = Step::Answer(200, &[], r#"{"job_id":7,"status":"completed"}"#);
    let (client, seen) = client([job, NONE, NONE]);
    let reader = client.reader();
    let job = reader.job(&destination(), JobId(7)).await.unwrap();
    assert_eq!(job.kind(), "completed");
    assert_eq!(job.answer.unwrap().status, JobStatus::Completed);
    let deployments = reader.deployment_records("octo", &digest()).await.unwrap();
    assert_eq!(deployments.kind(), "listed");
    assert!(deployments.answer.unwrap().is_whole());
    let stored = reader.storage_records("octo", &digest()).await.unwrap();
    assert!(stored.answer.unwrap().is_whole());
    let requests = seen.0.lock().unwrap();
    let of_digest = format!("sha256%3A{}", "ab".repeat(32));
    let path = "/orgs/octo/artifacts";
    let expected = [
        format!("{path}/metadata/deployment-record/cluster/prod-1/jobs/7"),
        format!("{path}/{of_digest}/metadata/deployment-records"),
        format!("{path}/{of_digest}/metadata/storage-records"),
    ];
    for ((request, _), path) in requests.iter().zip(expected) {
        assert_eq!(request.uri().path(), path);
        assert_eq!((request.method(), request.body().len()), (&Method::GET, 0));
        assert_eq!(request.headers()["authorization"], "Bearer ghp_secret");
    }
}

#[tokio::test(start_paused = true)]
async fn at_most_four_reads_are_unanswered_at_once_and_none_leaves_too_soon() {
    let second = Duration::from_secs(1);
    let slow = Step::AnswerAfter(second, 200);
    let (client, seen) = client(vec![slow; 6]);
    let reader = client.reader();
    let reads = (0..6).map(|_| {
        let reader = reader.clone();
        async move { reader.storage_records("octo", &digest()).await.unwrap() }
    });
    join_all(reads).await;
    let first = [0, 1, 2, 3].map(|count| count * SPACING);
    let then = [second, second + SPACING];
    assert_eq!(seen.times(), [first.as_slice(), &then].concat());
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_one_read_holds_the_others_back() {
    let limited = Step::Answer(403, &[("retry-after", "30")], "");
    let (client, seen) = client([limited, NONE, NONE]);
    let reader = client.reader();
    let first = reader.storage_records("octo", &digest()).await.unwrap();
    assert_eq!(first.kind(), "limited");
    assert_eq!(reader.slot().reason, Reason::Told);
    let digest = digest();
    let reads = [0, 1].map(|_| reader.storage_records("octo", &digest));
    join_all(reads).await;
    let told = Duration::from_secs(30);
    assert_eq!(seen.times(), [Duration::ZERO, told, told + SPACING]);
}

#[tokio::test(start_paused = true)]
async fn a_read_follows_redirects_and_ends_with_the_time_out() {
    let moved = Step::Answer(302, &[("location", "/moved")], "");
    let (client, seen) = client([moved, NONE, Step::Hang]);
    let reader = client.reader();
    let first = reader.storage_records("octo", &digest()).await.unwrap();
    assert_eq!((first.kind(), first.requests), ("listed", 2));
    assert_eq!(seen.0.lock().unwrap()[1].0.method(), Method::GET);
    let second = reader.storage_records("octo", &digest()).await.unwrap();
    assert_eq!((second.kind(), second.duration.as_secs()), ("unknown", 30));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_another_read_took_up_meanwhile_counts_as_renewed() {
    let name = format!("deployment-recorder-reads-{}", std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, "ghp_old").unwrap();
    let slow = Step::AnswerAfter(Duration::from_secs(1), 401);
    let (client, seen) = client_with(
        Credentials::from_file(&path),
        [slow, Step::RefuseOnceRenewed(path.clone()), NONE],
    );
    let reader = client.reader();
    let digest = digest();
    let read = || async { reader.storage_records("octo", &digest).await.unwrap() };
    let (first, second) = tokio::join!(read(), async {
        assert!(read().await.token_renewed);
        read().await
    });
    std::fs::remove_file(&path).unwrap();
    assert_eq!(second.kind(), "listed");
    assert_eq!((first.kind(), first.token_renewed), ("bad-token", true));
    let tokens = ["Bearer ghp_old", "Bearer ghp_old", "Bearer ghp_new"];
    assert_eq!(seen.headers("authorization"), tokens);
}
