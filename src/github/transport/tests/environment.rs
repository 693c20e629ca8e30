//! What the environment says about the way: a real forward proxy, and a real TLS server whose
//! certificate authority only `SSL_CERT_FILE` knows. A process has its variables from its start on,
//! so whoever asks is a process of its own.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;

use super::proxy::{Manner, Proxy};
use super::tls::Authority;
use super::{COUNTED, PATIENT, Then, ask_at, serve, wire};
use crate::github::api::ApiUrl;

/// A name that no resolver knows: only the proxy can find it.
const NAME: &str = "api.github.test";

/// A server at this machine, by TLS if it has an authority, and what it was asked.
struct Server {
    address: SocketAddr,
    requests: tokio::task::JoinHandle<Vec<String>>,
}

impl Server {
    async fn start(authority: Option<&Authority>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = authority.map(|authority| authority.acceptor(&[NAME, "0.0.0.0"]));
        let requests = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let steps = vec![Then::Write(wire("200 OK", "", COUNTED))];
            match acceptor {
                None => serve(stream, steps).await,
                Some(acceptor) => match acceptor.accept(stream).await {
                    Ok(stream) => serve(stream, steps).await,
                    Err(_) => Vec::new(),
                },
            }
        });
        Self { address, requests }
    }

    /// The one request that it was asked.
    async fn request(self) -> String {
        let requests = self.requests.await.unwrap();
        let [request] = requests.as_slice() else {
            panic!("{requests:?}")
        };
        assert!(request.contains("ghp_secret"), "{request}");
        request.clone()
    }
}

/// Asks the API at `url` in a process with these variables; it must see an answer of this kind.
async fn asked(url: &str, kind: &str, variables: &[(&str, &str)]) {
    let given = [("ASK_URL", url), ("ASK_KIND", kind)];
    let all = given.iter().chain(variables);
    let all: Vec<_> = all
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect();
    let run = move || {
        let all: Vec<(&str, &str)> = all.iter().map(|(a, b)| (&**a, &**b)).collect();
        super::run_with(&all, "environment::asking");
    };
    tokio::task::spawn_blocking(run).await.unwrap();
}

#[tokio::test]
#[ignore = "runs in a process of its own, started by other tests"]
async fn asking() {
    let variable = |name| std::env::var_os(name).unwrap().into_string().unwrap();
    let api = ApiUrl::parse(&variable("ASK_URL"), true).unwrap();
    let timeout = if variable("ASK_KIND") == "timeout" {
        Duration::from_millis(300)
    } else {
        PATIENT
    };
    let exchange = ask_at(api, timeout).await;
    let text = format!("{exchange:?}");
    assert!(!text.contains("hunter2"), "{text}");
    let told = match exchange.failure() {
        Some(failure) if failure.to_string().starts_with("no whole answer") => "timeout",
        _ => exchange.kind(),
    };
    assert_eq!(told, variable("ASK_KIND"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_goes_through_the_proxy_that_http_proxy_names() {
    for variable in ["HTTP_PROXY", "http_proxy"] {
        let server = Server::start(None).await;
        let proxy = Proxy::start(server.address, Manner::Forward).await;
        let url = format!("http://{NAME}:{}", server.address.port());
        asked(&url, "acknowledged", &[(variable, &proxy.url)]).await;
        let first = format!("POST {url}/orgs/octo/");
        let heads = proxy.heads();
        assert!(heads[0].starts_with(&first), "{variable}: {heads:?}");
        let request = server.request().await;
        assert!(request.starts_with("POST /orgs/octo/"), "{request}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn https_goes_through_a_tunnel_of_the_proxy_which_sees_nothing_of_it() {
    let authority = Authority::new();
    let server = Server::start(Some(&authority)).await;
    let proxy = Proxy::start(server.address, Manner::Forward).await;
    let port = server.address.port();
    let url = format!("https://{NAME}:{port}");
    let with_user = proxy.url.replace("http://", "http://me:hunter2@");
    let variables = [
        ("HTTPS_PROXY", with_user.as_str()),
        ("SSL_CERT_FILE", authority.file()),
    ];
    asked(&url, "acknowledged", &variables).await;
    let heads = proxy.heads();
    assert!(heads[0].starts_with(&format!("CONNECT {NAME}:{port} HTTP/1.1\r\n")));
    assert!(heads[0].contains("Basic bWU6aHVudGVyMg=="), "{heads:?}");
    assert!(!heads.concat().contains("ghp_secret"), "{heads:?}");
    server.request().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_authorities_in_the_file_that_ssl_cert_file_names_are_trusted() {
    let (authority, other) = (Authority::new(), Authority::new());
    for (file, kind) in [
        (authority.file(), "acknowledged"),
        (other.file(), "unknown"),
    ] {
        let server = Server::start(Some(&authority)).await;
        let url = format!("https://0.0.0.0:{}", server.address.port());
        asked(&url, kind, &[("SSL_CERT_FILE", file)]).await;
        if kind == "acknowledged" {
            server.request().await;
        } else {
            assert!(server.requests.await.unwrap().is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn authorities_in_the_folder_that_ssl_cert_dir_names_are_trusted_besides_those_of_the_file() {
    let (in_the_file, in_the_folder, in_none) =
        (Authority::new(), Authority::new(), Authority::new());
    let folder = in_the_folder.folder();
    for (authority, kind) in [
        (&in_the_file, "acknowledged"),
        (&in_the_folder, "acknowledged"),
        (&in_none, "unknown"),
    ] {
        let server = Server::start(Some(authority)).await;
        let url = format!("https://0.0.0.0:{}", server.address.port());
        let variables = [
            ("SSL_CERT_FILE", in_the_file.file()),
            ("SSL_CERT_DIR", &folder),
        ];
        asked(&url, kind, &variables).await;
        server.requests.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_proxy_names_goes_past_the_proxy() {
    for (no_proxy, expected) in [("0.0.0.0", 0), ("other.test", 1)] {
        let server = Server::start(None).await;
        let proxy = Proxy::start(server.address, Manner::Forward).await;
        let url = format!("http://0.0.0.0:{}", server.address.port());
        let variables = [("HTTP_PROXY", &*proxy.url), ("NO_PROXY", no_proxy)];
        asked(&url, "acknowledged", &variables).await;
        assert_eq!(proxy.heads().len(), expected, "{no_proxy}");
        server.request().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_refuses_or_hangs_is_an_unknown_outcome_and_no_secret_is_told() {
    let server = Server::start(None).await;
    for (manner, kind) in [(Manner::Refuse, "unknown"), (Manner::Hang, "timeout")] {
        let proxy = Proxy::start(server.address, manner).await;
        let with_user = proxy.url.replace("http://", "http://me:hunter2@");
        let url = format!("https://{NAME}:{}", server.address.port());
        asked(&url, kind, &[("HTTPS_PROXY", &with_user)]).await;
        assert_eq!(proxy.heads().len(), 1);
    }
    server.requests.abort();
}
