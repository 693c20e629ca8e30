//! The client over a service in the same process. The clock is paused: no test waits.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;

use super::super::api;
use super::super::auth::CredentialsError;
use super::super::samples::{self, destination, line};
use super::*;

/// What a service is to do with one request.
enum Step {
    Answer(u16, &'static [(&'static str, &'static str)], &'static str),
    AnswerAfter(Duration, u16),
    /// Puts another token into the file before it refuses the one that was sent.
    RefuseOnceRenewed(PathBuf),
    Hang,
    Fail,
}

/// The requests that a service saw, each with its time.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<Sent>>>);

/// A request and when it came.
type Sent = (Request<Bytes>, Instant);

impl Seen {
    fn headers(&self, name: &str) -> Vec<String> {
        let seen = self.0.lock().unwrap();
        let value = |(request, _): &Sent| {
            request
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        seen.iter().filter_map(value).collect()
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

fn answer(
    status: u16,
    headers: &[(&'static str, &'static str)],
    body: &'static str,
) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(body.as_bytes()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    for (name, value) in headers {
        response
            .headers_mut()
            .insert(*name, HeaderValue::from_static(value));
    }
    response
}

/// A client whose service does these steps, one for each request.
fn client_with(
    credentials: Credentials,
    steps: impl IntoIterator<Item = Step>,
) -> (
    Client<impl Service<Request<Bytes>, Response = Response<Bytes>, Error = io::Error>>,
    Seen,
) {
    let seen = Seen::default();
    let record = seen.clone();
    let mut steps: VecDeque<Step> = steps.into_iter().collect();
    let service = tower::service_fn(move |request: Request<Bytes>| {
        record.0.lock().unwrap().push((request, Instant::now()));
        let step = steps.pop_front().unwrap();
        async move {
            match step {
                Step::Answer(status, headers, body) => Ok(answer(status, headers, body)),
                Step::AnswerAfter(delay, status) => {
                    sleep(delay).await;
                    Ok(answer(status, &[], r#"{"total_count":1}"#))
                }
                Step::RefuseOnceRenewed(path) => {
                    std::fs::write(path, "ghp_new")?;
                    Ok(answer(401, &[], ""))
                }
                Step::Hang => std::future::pending().await,
                Step::Fail => Err(io::Error::new(
                    io::ErrorKind::ConnectionReset,
                    Box::<dyn Error + Send + Sync>::from("reset by peer"),
                )),
            }
        }
    });
    let api = super::super::samples::api();
    let version = api::ApiVersion::parse(api::DEFAULT_VERSION).unwrap();
    (
        Client::new(service, api, version, credentials, DEFAULT_TIMEOUT),
        seen,
    )
}

fn client(
    steps: impl IntoIterator<Item = Step>,
) -> (
    Client<impl Service<Request<Bytes>, Response = Response<Bytes>, Error = io::Error>>,
    Seen,
) {
    client_with(Credentials::from_value("ghp_secret".into()), steps)
}

/// Sets one record.
async fn ask<S>(client: &mut Client<S>) -> Exchange
where
    S: Service<Request<Bytes>, Response = Response<Bytes>, Error = io::Error>,
{
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
    &[("x-github-request-id", "AB:12")],
    r#"{"total_count":1}"#,
);

#[tokio::test(start_paused = true)]
async fn an_exchange_carries_the_token_and_tells_all_there_is_to_know() {
    let (mut client, seen) = client([Step::AnswerAfter(Duration::from_secs(3), 200), DONE]);
    let first = ask(&mut client).await;
    let expected = Exchange {
        answer: Answer::Acknowledged,
        status: Some(StatusCode::OK),
        request_id: None,
        duration: Duration::from_secs(3),
        requests: 1,
        rate: Rate::default(),
        token_renewed: false,
    };
    assert_eq!(first, expected);
    let second = ask(&mut client).await;
    assert_eq!(second.request_id.as_deref(), Some("AB:12"));
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
        Answer::Unknown {
            why: Doubt::Timeout(DEFAULT_TIMEOUT)
        }
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
    assert_eq!(exchange.answer, Answer::Unknown { why });
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
        (Answer::Acknowledged, 3)
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
    assert_eq!(exchange.answer, Answer::Unknown { why });
    assert_eq!((exchange.status, seen.count()), (Some(status), 1));
}

#[tokio::test(start_paused = true)]
async fn a_circle_of_redirects_ends_after_the_fifth() {
    let (mut client, seen) = client((0..9).map(|_| redirect_to("/x")));
    let exchange = ask(&mut client).await;
    assert!(matches!(
        exchange.answer,
        Answer::Unknown {
            why: Doubt::Redirected { .. }
        }
    ));
    assert_eq!((exchange.requests, seen.count()), (6, 6));
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
        Answer::BadToken {
            message: "Bad credentials".to_owned()
        }
    );
    assert!(!first.token_renewed && !client.has_new_token().await);

    let second = ask(&mut client).await;
    assert!(second.token_renewed && client.has_new_token().await);
    let third = ask(&mut client).await;
    std::fs::remove_file(&path).unwrap();
    assert_eq!(third.answer, Answer::Acknowledged);
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

/// A log that is kept in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

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
    samples::run_alone("github::client::tests::one_line_of_log", &[]);
}

/// Whether anything is logged at all is remembered by the whole process, whatever each thread wants.
#[tokio::test(start_paused = true)]
#[ignore = "runs in a process of its own, started by another test"]
async fn one_line_of_log() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone());
    let guard = tracing::subscriber::set_default(subscriber.finish());
    let (mut client, _) = client([DONE]);
    client
        .set_cluster_deployment_records(&destination(), &[line("a"), line("b")])
        .await
        .unwrap();
    drop(guard);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(!text.contains("ghp_secret"), "{text}");
    let entry: serde_json::Value = serde_json::from_str(&text).unwrap();
    let fields = &entry["fields"];
    assert_eq!(fields["message"], "asked GitHub");
    assert_eq!(fields["operation"], "set-cluster-deployment-records");
    assert_eq!(fields["answer"], "acknowledged");
    assert_eq!(fields["request_id"], "AB:12");
    assert_eq!(
        (&fields["lines"], &fields["status"]),
        (&2.into(), &200.into())
    );
}
