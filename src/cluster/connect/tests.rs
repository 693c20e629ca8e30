//! Tests of the way to the API server. One listens on a port of this machine; nothing else opens
//! a socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Response;
use kube::client::Body;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const KUBECONFIG: &str = r"
apiVersion: v1
kind: Config
current-context: staging
clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]
users: [{name: u, user: {}}]
contexts:
- {name: staging, context: {cluster: c, user: u}}
- {name: production, context: {cluster: c, user: u}}
";

/// A file that is gone when this is dropped.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let name = format!("deployment-recorder-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn a_kubeconfig_gives_a_client_for_its_current_or_the_named_context() {
    let file = File::new("good", KUBECONFIG);
    for context in [None, Some("production")] {
        let connection = connect(Some(&file.0), context).await.unwrap();
        assert_eq!(connection.address, "http://127.0.0.1:1/");
    }
}

#[tokio::test]
async fn a_context_that_is_not_there_is_named_with_those_that_are() {
    let file = File::new("contexts", KUBECONFIG);
    let error = connect(Some(&file.0), Some("prod"))
        .await
        .err()
        .unwrap()
        .to_string();
    for words in [
        "--context",
        "`prod`",
        "staging, production",
        file.0.to_str().unwrap(),
    ] {
        assert!(error.contains(words), "{error}");
    }
    let none = File::new("none", "apiVersion: v1\nkind: Config\n");
    let error = connect(Some(&none.0), Some("prod"))
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(error.ends_with("there is none"), "{error}");
}

#[tokio::test]
async fn a_kubeconfig_that_cannot_be_read_is_named_with_the_reason() {
    let garbage = File::new("garbage", "clusters: [");
    for path in [garbage.0.as_path(), Path::new("/no/such/kubeconfig")] {
        let error = connect(Some(path), None).await.err().unwrap().to_string();
        assert!(
            error.contains("--kubeconfig") && error.contains(path.to_str().unwrap()),
            "{error}"
        );
        assert!(!error.contains('\n'), "{error}");
    }
}

/// A connection whose first `silent` requests are never answered, and then get `status`.
fn connection(silent: usize, status: u16) -> (Connection, Arc<AtomicUsize>) {
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    let service = tower::service_fn(move |_: Request<Body>| {
        let number = counted.fetch_add(1, Ordering::Relaxed);
        async move {
            if number < silent {
                return Err(std::io::Error::other("connection refused"));
            }
            let answer = Response::builder().status(status);
            answer
                .body(Body::from(b"{}".to_vec()))
                .map_err(std::io::Error::other)
        }
    });
    let client = Client::new(service, "default");
    (
        Connection {
            client,
            address: "https://10.0.0.1/".to_owned(),
            proxy: None,
        },
        requests,
    )
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_answers_late_or_with_an_error_is_reached() {
    let (late, requests) = connection(10, 200);
    late.reach(Duration::from_secs(30)).await.unwrap();
    assert_eq!(requests.load(Ordering::Relaxed), 11);
    let (unauthorized, _) = connection(0, 401);
    unauthorized.reach(Duration::from_secs(30)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_is_not_reached_in_time_is_named() {
    let (connection, _) = connection(usize::MAX, 200);
    let start = Instant::now();
    let error = connection
        .reach(Duration::from_secs(30))
        .await
        .unwrap_err()
        .to_string();
    assert!(start.elapsed() <= Duration::from_secs(30));
    for words in ["https://10.0.0.1/", "30 s", "connection refused"] {
        assert!(error.contains(words), "{error}");
    }
}

#[tokio::test]
async fn every_request_says_who_asks() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    let file = File::new("agent", &KUBECONFIG.replace("http://127.0.0.1:1", &server));
    let connection = connect(Some(&file.0), None).await.unwrap();
    let request = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(stream.read_u8().await.unwrap());
        }
        String::from_utf8(request).unwrap()
    };
    let request = tokio::select! {
        request = request => request,
        reached = connection.reach(Duration::from_secs(30)) => panic!("{reached:?}"),
    };
    let agent = format!(
        "user-agent: deployment-recorder/{} (",
        env!("CARGO_PKG_VERSION")
    );
    assert!(request.contains(&agent), "{request}");
}

/// The kubeconfig of a user whose plugin is this script. Each has secrets in its environment and in
/// its arguments.
fn of_plugin(script: &str) -> String {
    let exec = serde_json::json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "sh",
        "args": ["-c", script, "--password=canary-in-arguments"],
        "env": [{"name": "CLIENT_SECRET", "value": "canary-in-environment"}],
        "interactiveMode": "Never",
    }});
    KUBECONFIG.replace("user: {}", &format!("user: {exec}"))
}

/// What of `error` a person may ever see.
fn everything_of(error: &(dyn std::error::Error + 'static)) -> String {
    format!("{error} {error:?} {}", chain(error))
}

#[tokio::test]
async fn of_a_plugin_that_fails_only_its_name_and_last_line_are_told() {
    let scripts = [
        (
            "echo canary-printed; echo no such profile >&2; exit 3",
            "plugin `sh` of the kubeconfig ended with exit status: 3: no such profile",
        ),
        (
            "echo '{\"status\": {\"token\": [\"canary-printed\"]}}'",
            "what the plugin `sh` of the kubeconfig printed is not a credential",
        ),
        (
            "echo '{\"kind\": \"canary-printed\"}'",
            "did not contain a status",
        ),
    ];
    for (number, (script, words)) in scripts.into_iter().enumerate() {
        let file = File::new(&format!("plugin-{number}"), &of_plugin(script));
        let error = connect(Some(&file.0), None).await.err().unwrap();
        let said = everything_of(&error);
        assert!(said.contains(words), "{said}");
        assert!(!said.contains("canary"), "{said}");
    }
}

#[tokio::test]
async fn of_a_plugin_that_fails_later_no_secret_is_in_the_errors_of_the_client() {
    let once = File::new("plugin-was-here", "");
    std::fs::remove_file(&once.0).unwrap();
    let credential = r#"{"status": {"token": "t", "expirationTimestamp": "2001-01-01T00:00:00Z"}}"#;
    let script = format!(
        "if [ -e {0} ]; then echo canary-printed; exit 3; fi; echo > {0}; echo '{credential}'",
        once.0.display()
    );
    let file = File::new("plugin-later", &of_plugin(&script));
    let connection = connect(Some(&file.0), None).await.unwrap();
    for client in [
        connection.client.clone(),
        bounded(connection.client.clone()),
    ] {
        let request = Request::get("/version").body(Vec::new()).unwrap();
        let error = client.request_text(request).await.unwrap_err();
        let said = format!("{} {}", everything_of(&error), describe(&error));
        assert!(
            said.contains("plugin `sh` of the kubeconfig ended with exit status: 3"),
            "{said}"
        );
        assert!(!said.contains("canary"), "{said}");
    }
}

#[tokio::test]
async fn a_plugin_that_hangs_is_given_up_and_holds_back_nothing_else() {
    let file = File::new("plugin-hangs", &of_plugin("exec sleep 3"));
    let limit = Duration::from_millis(300);
    let start = Instant::now();
    let (connection, ()) = tokio::join!(
        within(limit, Some(&file.0), None),
        // On the same thread: nothing is stopped while it is waited for.
        async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            assert!(start.elapsed() < limit, "{:?}", start.elapsed());
        }
    );
    let error = connection.err().unwrap().to_string();
    assert!(error.contains("its plugin hangs"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(3));
}

async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// A proxy that lets `me` with the password `hunter2` through, and is itself what is behind it.
async fn proxy() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let tunnels = Arc::new(AtomicUsize::new(0));
    let opened = Arc::clone(&tunnels);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let asked = head(&mut stream).await.to_lowercase();
            assert!(
                asked.starts_with("connect api.cluster.test:8080 "),
                "{asked}"
            );
            // me:hunter2
            if asked.contains("proxy-authorization: basic bwu6ahvudgvymg==") {
                opened.fetch_add(1, Ordering::Relaxed);
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                let asked = head(&mut stream).await;
                assert!(asked.starts_with("GET /version "), "{asked}");
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
                stream.write_all(answer).await.unwrap();
            } else {
                let answer = b"HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n";
                stream.write_all(answer).await.unwrap();
            }
        }
    });
    (address, tunnels)
}

#[tokio::test]
async fn the_proxy_of_a_kubeconfig_is_gone_through_and_its_password_is_told_to_it_alone() {
    let (address, tunnels) = proxy().await;
    for (password, reached) in [("hunter2", true), ("hunter3", false)] {
        let cluster = format!(
            "server: 'http://api.cluster.test:8080', proxy-url: 'http://me:{password}@{address}'"
        );
        let text = KUBECONFIG.replace("server: 'http://127.0.0.1:1'", &cluster);
        let file = File::new(&format!("proxy-{password}"), &text);
        let connection = connect(Some(&file.0), None).await.unwrap();
        let result = connection.reach(Duration::from_secs(2)).await;
        assert_eq!(result.is_ok(), reached, "{result:?}");
        if let Err(error) = result {
            let said = everything_of(&error);
            let through =
                format!("http://api.cluster.test:8080/ through the proxy http://{address}");
            assert!(said.contains(&through), "{said}");
            assert!(!said.contains("hunter"), "{said}");
        }
    }
    assert_eq!(tunnels.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_proxy_that_cannot_be_used_is_refused_without_its_password() {
    for proxy in ["ftp://me:hunter2@proxy", "http://me:hun ter2@proxy"] {
        let cluster = format!("server: 'http://127.0.0.1:1', proxy-url: '{proxy}'");
        let text = KUBECONFIG.replace("server: 'http://127.0.0.1:1'", &cluster);
        let file = File::new(&format!("bad-proxy-{}", proxy.len()), &text);
        let error = connect(Some(&file.0), None).await.err().unwrap();
        let said = everything_of(&error);
        assert!(said.contains("proxy-url in the kubeconfig"), "{said}");
        assert!(!said.contains("hun"), "{said}");
    }
}
