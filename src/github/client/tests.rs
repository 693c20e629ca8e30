//! The client over a service in the same process. The clock is paused: no test waits.

use std::io;
use std::sync::{Arc, Mutex};

use http::StatusCode;
use tracing_subscriber::fmt::MakeWriter;

use super::super::answer::{Doubt, Failure, Taken};
use super::super::auth::Credentials;
use super::super::auth::CredentialsError;
use super::super::pace::SPACING;
use super::super::rate::Rate;
use super::super::samples::{
    Scripted, Step, client, client_with, destination, line, run_alone, storage_line,
};
use super::*;

/// Sets one record.
async fn ask(client: &mut Client<Scripted>) -> Exchange {
    client
        .set_cluster_deployment_records(&destination(), &[line("a")])
        .await
        .unwrap()
}

fn redirect_to(location: &'static str) -> Step {
    let headers: &[_] = Box::leak(Box::new([("location", location)]));
    Step::Answer(307, headers, "")
}

const DONE: Step = Step::Answer(
    200,
    &[
        ("x-github-request-id", "AB:12"),
        ("date", "Sun, 22 Nov 2026 12:00:00 GMT"),
    ],
    r#"{"total_count":1}"#,
);

#[tokio::test(start_paused = true)]
async fn an_exchange_carries_the_token_and_tells_all_there_is_to_know() {
    let (mut client, seen) = client([Step::AnswerAfter(Duration::from_secs(3), 200), DONE]);
    let first = ask(&mut client).await;
    let expected = Exchange {
        answer: Ok(Taken::default()),
        status: Some(StatusCode::OK),
        request_id: None,
        duration: Duration::from_secs(3),
        requests: 1,
        rate: Rate::default(),
        date: None,
        token_renewed: false,
    };
    assert_eq!(first, expected);
    let second = ask(&mut client).await;
    assert_eq!(second.request_id.as_deref(), Some("AB:12"));
    let noon = "2026-11-22T12:00:00Z".parse().unwrap();
    assert_eq!(second.date, Some(noon));
    assert_eq!(
        seen.headers("authorization"),
        ["Bearer ghp_secret", "Bearer ghp_secret"]
    );
    let requests = seen.0.lock().unwrap();
    assert_eq!(requests[0].0.body(), requests[1].0.body());
    assert!(requests[0].0.headers()["authorization"].is_sensitive());
}

#[tokio::test(start_paused = true)]
async fn an_exchange_that_hangs_ends_with_the_time_out_and_an_unknown_outcome() {
    let (mut client, _) = client([Step::Hang]);
    let exchange = ask(&mut client).await;
    assert_eq!(
        exchange.answer,
        Err(Failure::Unknown {
            why: Doubt::Timeout(DEFAULT_TIMEOUT)
        })
    );
    assert_eq!(exchange.duration, DEFAULT_TIMEOUT);
    assert_eq!(exchange.status, None);
}

#[tokio::test(start_paused = true)]
async fn redirects_do_not_lengthen_the_time_out() {
    let (mut client, _) = client([redirect_to("/x"), redirect_to("/y"), Step::Hang]);
    let exchange = ask(&mut client).await;
    assert_eq!(exchange.duration, DEFAULT_TIMEOUT);
    assert_eq!((exchange.requests, exchange.status), (3, None));
}

#[tokio::test(start_paused = true)]
async fn a_broken_connection_is_an_unknown_outcome_that_says_what_broke() {
    let (mut client, _) = client([Step::Fail]);
    let exchange = ask(&mut client).await;
    let why = Doubt::Connection("reset by peer".to_owned());
    assert_eq!(exchange.answer, Err(Failure::Unknown { why }));
}

#[tokio::test(start_paused = true)]
async fn a_redirect_within_the_api_is_followed_with_method_body_and_token_a_second_later() {
    let (mut client, seen) = client([
        redirect_to("/moved"),
        redirect_to("https://api.github.com/again"),
        DONE,
    ]);
    let exchange = ask(&mut client).await;
    assert_eq!(
        (exchange.answer, exchange.requests),
        (Ok(Taken::default()), 3)
    );
    assert_eq!(seen.headers("authorization").len(), 3);
    let requests = seen.0.lock().unwrap();
    let uris: Vec<String> = requests
        .iter()
        .skip(1)
        .map(|(seen, _)| seen.uri().to_string())
        .collect();
    assert_eq!(
        uris,
        [
            "https://api.github.com/moved",
            "https://api.github.com/again"
        ]
    );
    for pair in requests.windows(2) {
        assert_eq!(pair[0].0.body(), pair[1].0.body());
        assert_eq!(pair[0].0.method(), pair[1].0.method());
        assert_eq!(pair[1].1 - pair[0].1, SPACING);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_follows_a_redirect_to_another_host() {
    let (mut client, seen) = client([redirect_to("https://evil.test/x")]);
    let exchange = ask(&mut client).await;
    let status = StatusCode::TEMPORARY_REDIRECT;
    let why = Doubt::Redirected {
        status,
        to: "https://evil.test/x".to_owned(),
    };
    assert_eq!(exchange.answer, Err(Failure::Unknown { why }));
    assert_eq!((exchange.status, seen.count()), (Some(status), 1));
}

#[tokio::test(start_paused = true)]
async fn a_circle_of_redirects_ends_after_the_third() {
    let (mut client, seen) = client((0..9).map(|_| redirect_to("/x")));
    let exchange = ask(&mut client).await;
    assert!(matches!(
        exchange.answer,
        Err(Failure::Unknown {
            why: Doubt::Redirected { .. }
        })
    ));
    assert_eq!((exchange.requests, seen.count()), (4, 4));
}

#[tokio::test(start_paused = true)]
async fn no_token_is_kept_of_an_organization_to_which_nothing_goes() {
    let (mut client, _) = client([DONE]);
    ask(&mut client).await;
    assert!(!client.has_new_token("Octo").await, "it was sent");
    client.keep(|name| name == "octo");
    assert!(!client.has_new_token("Octo").await);
    client.keep(|_| false);
    assert!(
        client.has_new_token("Octo").await,
        "nobody knows what was sent"
    );
}

#[tokio::test(start_paused = true)]
async fn after_a_401_the_token_is_read_again() {
    let path = std::env::temp_dir().join(format!("deployment-recorder-401-{}", std::process::id()));
    std::fs::write(&path, "ghp_old").unwrap();
    let refused = Step::Answer(401, &[], r#"{"message":"Bad credentials"}"#);
    let (mut client, seen) = client_with(
        Credentials::from_file(&path),
        [refused, Step::RefuseOnceRenewed(path.clone()), DONE],
    );
    let first = ask(&mut client).await;
    assert_eq!(
        first.answer,
        Err(Failure::BadToken {
            message: "Bad credentials".to_owned()
        })
    );
    assert!(!first.token_renewed && !client.has_new_token("octo").await);

    let second = ask(&mut client).await;
    assert!(second.token_renewed && client.has_new_token("octo").await);
    let third = ask(&mut client).await;
    std::fs::remove_file(&path).unwrap();
    assert_eq!(third.answer, Ok(Taken::default()));
    let tokens = ["Bearer ghp_old", "Bearer ghp_old", "Bearer ghp_new"];
    assert_eq!(seen.headers("authorization"), tokens);
}

#[tokio::test(start_paused = true)]
async fn without_a_token_nothing_is_sent() {
    let credentials = Credentials::from_file("/nonexistent/token".as_ref());
    let (mut client, seen) = client_with(credentials, []);
    let result = client
        .set_cluster_deployment_records(&destination(), &[line("a")])
        .await;
    assert!(matches!(
        result,
        Err(NotSent::Credentials(CredentialsError::Unreadable { .. }))
    ));
    assert_eq!(seen.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_breaks_the_contract_is_not_sent() {
    let (mut client, seen) = client([]);
    let result = client
        .set_cluster_deployment_records(&destination(), &[])
        .await;
    assert!(matches!(result, Err(NotSent::Request(_))));
    assert_eq!(seen.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_redirect_is_followed_with_method_and_body() {
    for status in [301, 302, 307, 308] {
        let headers = &[("location", "/moved")];
        let (mut client, seen) = client([Step::Answer(status, headers, ""), DONE]);
        assert_eq!(ask(&mut client).await.answer, Ok(Taken::default()));
        let requests = seen.0.lock().unwrap();
        let [first, second] = requests.as_slice() else {
            panic!("{status}: {} requests", requests.len())
        };
        assert_eq!(second.0.uri(), "https://api.github.com/moved");
        assert_eq!(second.0.method(), http::Method::POST);
        assert_eq!(first.0.body(), second.0.body());
    }
    // What sees no body again is not followed.
    let (mut client, seen) = client([Step::Answer(303, &[("location", "/moved")], "")]);
    assert!(ask(&mut client).await.failure().is_some());
    assert_eq!(seen.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_storage_record_is_one_request_that_is_acknowledged_or_refused() {
    let refused = Step::Answer(404, &[], r#"{"message":"no artifacts found"}"#);
    let (mut client, seen) = client([DONE, refused]);
    let exchange = client.create_storage_record("octo", &storage_line()).await;
    assert_eq!(exchange.unwrap().answer, Ok(Taken::default()));
    let exchange = client.create_storage_record("octo", &storage_line()).await;
    assert!(matches!(
        exchange.unwrap().answer,
        Err(Failure::Refused { .. })
    ));
    let path = "/orgs/octo/artifacts/metadata/storage-record";
    assert_eq!(seen.0.lock().unwrap()[1].0.uri().path(), path);
}

/// A log that is kept in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// What was logged, a line each. The token is in none of them.
    fn lines(&self) -> Vec<serde_json::Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        assert!(!text.contains("ghp_secret"), "{text}");
        let lines = text.lines().map(serde_json::from_str);
        lines.map(Result::unwrap).collect()
    }

    /// Logs into this until the guard is dropped.
    fn begin(&self) -> tracing::subscriber::DefaultGuard {
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(self.clone());
        tracing::subscriber::set_default(subscriber.finish())
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[test]
fn each_call_is_one_line_of_log_with_githubs_request_id_and_without_the_token() {
    run_alone("github::client::tests::one_line_of_log", &[]);
}

/// Whether anything is logged at all is remembered by the whole process, whatever each thread wants.
#[tokio::test(start_paused = true)]
#[ignore = "runs in a process of its own, started by another test"]
async fn one_line_of_log() {
    let log = Log::default();
    let guard = log.begin();
    let (mut client, _) = client([DONE]);
    client
        .set_cluster_deployment_records(&destination(), &[line("a"), line("b")])
        .await
        .unwrap();
    drop(guard);
    let lines = log.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    let fields = &lines[0]["fields"];
    assert_eq!(fields["message"], "asked GitHub");
    assert_eq!(fields["operation"], "set-cluster-deployment-records");
    assert_eq!(fields["answer"], "acknowledged");
    assert_eq!(fields["request_id"], "AB:12");
    assert_eq!(
        (&fields["lines"], &fields["status"]),
        (&2.into(), &200.into())
    );
}

#[test]
fn an_announced_end_is_a_warning_once_per_operation_and_value() {
    run_alone("github::client::tests::one_warning", &[]);
}

#[tokio::test(start_paused = true)]
#[ignore = "runs in a process of its own, started by another test"]
async fn one_warning() {
    let announced = |sunset| {
        let headers = [
            ("deprecation", "@1767225600"),
            ("sunset", sunset),
            ("link", "<https://docs.github.com/x>; rel=\"deprecation\""),
        ];
        Step::Answer(200, Box::leak(Box::new(headers)), r#"{"total_count":1}"#)
    };
    let (first, second) = (
        "Fri, 01 Jan 2027 00:00:00 GMT",
        "Sat, 02 Jan 2027 00:00:00 GMT",
    );
    let (mut client, _) = client([first, first, second, first, first].map(announced));
    let log = Log::default();
    let guard = log.begin();
    for _ in 0..4 {
        ask(&mut client).await;
    }
    let stored = client.create_storage_record("octo", &storage_line()).await;
    drop(guard);
    assert!(stored.is_ok());
    let warnings: Vec<_> = log
        .lines()
        .into_iter()
        .filter(|line| line["level"] == "WARN")
        .map(|line| {
            let fields = &line["fields"];
            assert_eq!(fields["deprecation"], "@1767225600");
            assert_eq!(fields["version"], "2022-11-28");
            assert!(fields["link"].as_str().unwrap().contains("docs.github.com"));
            (fields["operation"].clone(), fields["sunset"].clone())
        })
        .collect();
    let set = "set-cluster-deployment-records";
    let create = "create-artifact-storage-record";
    let expected = [(set, first), (set, second), (create, first)];
    assert_eq!(
        warnings,
        expected.map(|(operation, sunset)| (operation.into(), sunset.into()))
    );
}
