//! The transport over real connections to this machine. Each server here speaks HTTP by hand, so
//! that it can break it.

use futures::FutureExt;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::super::answer::{Doubt, Failure, Taken};
use super::super::api::{ApiVersion, DEFAULT_VERSION};
use super::super::auth::Credentials;
use super::super::client::Client;
use super::super::exchange::Exchange;
use super::super::samples;
use super::*;
use crate::model::record::{Destination, Line};

mod environment;
mod proxy;
mod tls;

/// What a server does once it has read a whole request.
enum Then {
    Write(Vec<u8>),
    WriteAndHang(Vec<u8>),
    WriteAndReset(Vec<u8>),
}

/// A server of one connection, and its address. It hands back the requests that it read.
async fn server(steps: Vec<Then>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        // Where a step breaks the connection, the other side is to see a reset.
        if steps
            .iter()
            .any(|step| matches!(step, Then::WriteAndReset(_)))
        {
            stream.set_zero_linger().unwrap();
        }
        serve(stream, steps).await
    });
    (url, requests)
}

/// Does these steps, one for each request of a connection. It hands back the requests.
async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, steps: Vec<Then>) -> Vec<String> {
    let mut requests = Vec::new();
    for step in steps {
        requests.push(read_request(&mut stream).await);
        match step {
            Then::Write(bytes) => stream.write_all(&bytes).await.unwrap(),
            Then::WriteAndHang(bytes) => {
                stream.write_all(&bytes).await.unwrap();
                // Until the other side hangs up.
                let _ = stream.read_u8().await;
            }
            Then::WriteAndReset(bytes) => {
                stream.write_all(&bytes).await.unwrap();
                return requests;
            }
        }
        stream.flush().await.unwrap();
    }
    requests
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut text = Vec::new();
    loop {
        stream.read_buf(&mut text).await.unwrap();
        let so_far = String::from_utf8_lossy(&text).to_lowercase();
        let Some((head, body)) = so_far.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
            return String::from_utf8(text).unwrap();
        }
    }
}

/// An answer as it goes over the wire.
fn wire(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

/// Sends one line to the API at `url`.
async fn ask(url: &str, timeout: Duration) -> Exchange {
    ask_at(ApiUrl::parse(url, false).unwrap(), timeout).await
}

/// Sends one line to this API.
async fn ask_at(api: ApiUrl, timeout: Duration) -> Exchange {
    let destination = Destination {
        host: api.host().clone(),
        ..samples::destination()
    };
    let mut line: Line = samples::line("a");
    line.identity.destination = destination.clone().into();
    let transport = Transport::new(&api).unwrap();
    let version = ApiVersion::parse(DEFAULT_VERSION).unwrap();
    let credentials = Credentials::from_value("ghp_secret".into());
    let mut client = Client::new(transport, api, version, credentials, timeout);
    client
        .set_cluster_deployment_records(&destination, &[line])
        .await
        .unwrap()
}

/// Long enough for anything on this machine.
const PATIENT: Duration = Duration::from_mins(1);
const COUNTED: &[u8] = br#"{"total_count":1}"#;

#[tokio::test]
async fn a_request_arrives_as_it_was_built_and_uncompressed() {
    let (url, requests) = server(vec![Then::Write(wire(
        "200 OK",
        "x-github-request-id: AB:12\r\n",
        COUNTED,
    ))])
    .await;
    // On a task of its own, as the recorder may do it.
    let exchange = tokio::spawn(async move { ask(&url, PATIENT).await })
        .await
        .unwrap();
    assert_eq!(exchange.answer, Ok(Taken::default()));
    assert_eq!(exchange.request_id.as_deref(), Some("AB:12"));
    let requests = requests.await.unwrap();
    let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
    let head = head.to_lowercase();
    let first = "post /orgs/octo/artifacts/metadata/deployment-record/cluster/prod-1 http/1.1";
    assert_eq!(head.lines().next(), Some(first));
    for header in [
        "accept: application/vnd.github+json",
        "authorization: bearer ghp_secret",
        "content-type: application/json",
        concat!(
            "user-agent: deployment-recorder/",
            env!("CARGO_PKG_VERSION")
        ),
        "x-github-api-version: 2022-11-28",
    ] {
        assert!(
            head.lines().any(|line| line == header),
            "{header} is missing in {head}"
        );
    }
    for header in ["content-encoding", "accept-encoding"] {
        assert!(!head.contains(header), "{head}");
    }
    assert!(
        body.starts_with(r#"{"logical_environment":"production","deployments":[{"#),
        "{body}"
    );
}

#[tokio::test]
async fn a_body_that_hangs_ends_with_the_time_out() {
    let mut bytes = wire("200 OK", "", COUNTED);
    bytes.pop();
    let (url, _) = server(vec![Then::WriteAndHang(bytes)]).await;
    let timeout = Duration::from_millis(300);
    let started = Instant::now();
    let exchange = ask(&url, timeout).await;
    assert_eq!(
        exchange.answer,
        Err(Failure::Unknown {
            why: Doubt::Timeout(timeout)
        })
    );
    assert!(started.elapsed() < PATIENT);
}

#[tokio::test]
async fn a_connection_reset_amid_a_body_leaves_the_outcome_unknown() {
    let mut bytes = wire("200 OK", "", COUNTED);
    bytes.pop();
    let (url, _) = server(vec![Then::WriteAndReset(bytes)]).await;
    let exchange = ask(&url, PATIENT).await;
    let Err(Failure::Unknown {
        why: Doubt::Connection(text),
    }) = exchange.answer
    else {
        panic!("{exchange:?}")
    };
    assert!(text.starts_with("the connection failed: "), "{text}");
    assert!(!text.contains("ghp_secret"), "{text}");
}

#[tokio::test]
async fn a_connection_that_is_refused_leaves_the_outcome_unknown() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let exchange = ask(&url, PATIENT).await;
    assert!(matches!(
        exchange.answer,
        Err(Failure::Unknown {
            why: Doubt::Connection(_)
        })
    ));
}

#[tokio::test]
async fn a_request_whose_answer_is_lost_is_not_sent_again() {
    let (url, requests) = server(vec![Then::WriteAndReset(Vec::new())]).await;
    let exchange = ask(&url, PATIENT).await;
    assert!(matches!(
        exchange.answer,
        Err(Failure::Unknown {
            why: Doubt::Connection(_)
        })
    ));
    assert_eq!((exchange.requests, requests.await.unwrap().len()), (1, 1));
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_the_end() {
    let body = vec![b' '; LONGEST_BODY + 1];
    let (url, server) = server(vec![Then::WriteAndHang(wire("200 OK", "", &body))]).await;
    let exchange = ask(&url, PATIENT).await;
    server.abort();
    let Err(Failure::Unknown {
        why: Doubt::Connection(text),
    }) = exchange.answer
    else {
        panic!("{exchange:?}")
    };
    assert_eq!(text, TransportError::TooLong.to_string());
}

/// What lies in the buffers of two sockets is taken besides.
const BUFFERS: usize = 16 * 1024 * 1024;

/// A server whose answer begins so and goes on for ever, and how many bytes of it were taken.
async fn endless(head: &'static str) -> (String, JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let sending = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await;
        stream.write_all(head.as_bytes()).await.unwrap();
        let part = [b"10000\r\n".as_slice(), &vec![b' '; 0x10000], b"\r\n"].concat();
        let mut sent = 0;
        while stream.write_all(&part).await.is_ok() {
            sent += part.len();
        }
        sent
    });
    (url, sending)
}

#[tokio::test]
async fn an_answer_in_parts_without_end_is_given_up_and_no_more_of_it_taken() {
    let (url, sending) = endless("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
    let exchange = ask(&url, PATIENT).await;
    let Err(Failure::Unknown {
        why: Doubt::Connection(text),
    }) = exchange.answer
    else {
        panic!("{exchange:?}")
    };
    assert_eq!(text, TransportError::TooLong.to_string());
    let sent = sending.await.unwrap();
    assert!(
        (LONGEST_BODY..LONGEST_BODY + BUFFERS).contains(&sent),
        "{sent}"
    );
}

#[tokio::test]
async fn an_answer_that_announces_100_mib_is_not_even_begun() {
    let (url, sending) = endless("HTTP/1.1 200 OK\r\ncontent-length: 104857600\r\n\r\n").await;
    let exchange = ask(&url, PATIENT).await;
    assert!(
        matches!(exchange.answer, Err(Failure::Unknown { .. })),
        "{exchange:?}"
    );
    let sent = sending.await.unwrap();
    assert!(sent < BUFFERS, "{sent}");
}

#[tokio::test]
async fn a_redirect_to_another_port_takes_neither_the_token_nor_a_connection_there() {
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let location = format!("http://{}/x", other.local_addr().unwrap());
    let answer = wire(
        "307 Temporary Redirect",
        &format!("location: {location}\r\n"),
        b"",
    );
    let (url, requests) = server(vec![Then::Write(answer)]).await;
    let exchange = ask(&url, PATIENT).await;
    let Err(Failure::Unknown {
        why: Doubt::Redirected { to, .. },
    }) = exchange.answer
    else {
        panic!("{exchange:?}")
    };
    assert_eq!(to, location);
    assert!(requests.await.unwrap()[0].contains("ghp_secret"));
    assert!(other.accept().now_or_never().is_none());
}

#[tokio::test]
async fn a_redirect_on_the_same_port_is_followed_as_a_post() {
    let moved = wire("301 Moved Permanently", "location: /moved\r\n", b"");
    let (url, requests) = server(vec![
        Then::Write(moved),
        Then::Write(wire("200 OK", "", COUNTED)),
    ])
    .await;
    let exchange = ask(&url, PATIENT).await;
    assert_eq!(
        (exchange.answer, exchange.requests),
        (Ok(Taken::default()), 2)
    );
    let requests = requests.await.unwrap();
    assert!(
        requests[1].starts_with("POST /moved HTTP/1.1\r\n"),
        "{}",
        requests[1]
    );
    let body = |request: &str| request.split_once("\r\n\r\n").unwrap().1.to_owned();
    assert_eq!(body(&requests[0]), body(&requests[1]));
}

/// Runs an ignored test of this file alone, in a process of its own with these variables.
fn run_with(variables: &[(&str, &str)], test: &str) {
    samples::run_alone(&format!("github::transport::tests::{test}"), variables);
}

#[test]
fn a_system_without_certificate_authorities_is_told_so() {
    let variables = [
        ("SSL_CERT_FILE", "/dev/null"),
        ("SSL_CERT_DIR", "/nonexistent"),
    ];
    run_with(&variables, "setup_without_certificate_authorities");
}

#[test]
#[ignore = "runs in a process of its own, started by another test"]
fn setup_without_certificate_authorities() {
    let error = Transport::new(&samples::api()).map(|_| ()).unwrap_err();
    assert!(matches!(error, TransportError::Setup(_)), "{error:?}");
    assert!(error.to_string().contains("SSL_CERT_FILE"), "{error}");
}

#[test]
fn what_stays_on_this_machine_goes_through_no_proxy() {
    // Nothing listens there: whoever uses the proxy fails.
    let proxy = "http://127.0.0.1:9";
    let variables = [
        ("HTTP_PROXY", proxy),
        ("http_proxy", proxy),
        ("ALL_PROXY", proxy),
        ("NO_PROXY", ""),
    ];
    run_with(&variables, "asking_this_machine_past_a_proxy");
}

#[tokio::test]
#[ignore = "runs in a process of its own, started by another test"]
async fn asking_this_machine_past_a_proxy() {
    let (url, _) = server(vec![Then::Write(wire("200 OK", "", COUNTED))]).await;
    assert_eq!(ask(&url, PATIENT).await.answer, Ok(Taken::default()));
}
