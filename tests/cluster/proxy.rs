//! A proxy in front of the real API server. It speaks plain HTTP to the recorder, uses the rights
//! of the recorder's user behind it, and can end watches and say that a list has expired.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use futures::StreamExt;
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use kube::Client;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::api::client;

/// The largest body of a request.
const MOST: usize = 4 << 20;

/// What the next request of a kind meets instead of an answer from behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expired {
    /// The continuation of a list: 410.
    NextPage,
    /// A watch: it ends at once with an event that says 410.
    Watch,
}

/// A proxy that runs. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Proxy {
    address: SocketAddr,
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    expired: Mutex<Vec<(Expired, String)>>,
    /// Told each time when watches are to end.
    watches: watch::Sender<()>,
}

impl Proxy {
    /// Starts one that uses the rights of this kubeconfig.
    pub(crate) async fn start(kubeconfig: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let proxy = Self {
            address: listener.local_addr().expect("its address"),
            inner: Arc::new(Inner {
                client: client(kubeconfig).await,
                expired: Mutex::default(),
                watches: watch::Sender::new(()),
            }),
        };
        let router = Router::new().fallback(forward).with_state(proxy.clone());
        tokio::spawn(async { axum::serve(listener, router).await });
        proxy
    }

    /// A kubeconfig that leads to it.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        kubeconfig_for(&format!("http://{}", self.address))
    }

    /// Ends every open watch in good order.
    pub(crate) fn end_watches(&self) {
        self.inner.watches.send_replace(());
    }

    /// The next such request for this resource (`pods`) is told that it came too late.
    pub(crate) fn expire(&self, what: Expired, resource: &str) {
        let mut expired = self.inner.expired.lock().expect("it");
        expired.push((what, resource.to_owned()));
    }

    /// How many of those were not met yet.
    pub(crate) fn left(&self) -> usize {
        self.inner.expired.lock().expect("it").len()
    }

    /// Whether this request is to be told so, which counts only once.
    fn is_expired(&self, what: Expired, path: &str) -> bool {
        let mut expired = self.inner.expired.lock().expect("it");
        let resource = path.rsplit('/').next().unwrap_or_default();
        let met = expired
            .iter()
            .position(|(it, of)| *it == what && of == resource);
        met.map(|index| expired.remove(index)).is_some()
    }
}

/// A kubeconfig, in a file of its own, for an API server that needs no credentials.
pub(crate) fn kubeconfig_for(server: &str) -> PathBuf {
    let port = server.rsplit(':').next().unwrap_or_default();
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("proxy-{port}.kubeconfig"));
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "proxy",
        "clusters": [{"name": "proxy", "cluster": {"server": server}}],
        "users": [{"name": "proxy", "user": {}}],
        "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "proxy"}}],
    });
    std::fs::write(&path, config.to_string()).expect("a file");
    path
}

async fn forward(State(proxy): State<Proxy>, request: Request) -> Response {
    let mut ended = proxy.inner.watches.subscribe();
    let (head, body) = request.into_parts();
    let query = head.uri.query().unwrap_or_default();
    let is_watch = query.contains("watch=true");
    let gone = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "reason": "Expired", "code": 410, "message": "it was too long ago, says the test",
    });
    if query.contains("continue=") && proxy.is_expired(Expired::NextPage, head.uri.path()) {
        return json_answer(StatusCode::GONE, gone.to_string());
    }
    if is_watch && proxy.is_expired(Expired::Watch, head.uri.path()) {
        let event = json!({"type": "ERROR", "object": gone});
        return json_answer(StatusCode::OK, format!("{event}\n"));
    }
    let body = to_bytes(body, MOST).await.expect("a body");
    let mut onward = http::Request::builder()
        .method(&head.method)
        .uri(head.uri.path_and_query().expect("a path").as_str())
        .body(kube::client::Body::from(body.to_vec()))
        .expect("a request");
    copy(&head.headers, onward.headers_mut());
    match proxy.inner.client.send(onward).await {
        Ok(answer) => {
            let (head, body) = answer.into_parts();
            let data = body.into_data_stream();
            let body = if is_watch {
                let cut = async move { ended.changed().await };
                Body::from_stream(data.take_until(Box::pin(cut)))
            } else {
                Body::from_stream(data)
            };
            let mut answer = Response::new(body);
            *answer.status_mut() = head.status;
            copy(&head.headers, answer.headers_mut());
            answer
        }
        Err(error) => json_answer(StatusCode::BAD_GATEWAY, error.to_string()),
    }
}

/// Headers that say something of the message and not of the connection.
fn copy(from: &HeaderMap, to: &mut HeaderMap) {
    for name in [header::ACCEPT, header::CONTENT_TYPE, header::USER_AGENT] {
        if let Some(value) = from.get(&name) {
            to.insert(name, value.clone());
        }
    }
}

fn json_answer(status: StatusCode, body: String) -> Response {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body))
        .expect("an answer")
}
