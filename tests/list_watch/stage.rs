//! The stage of a behaviour: an API server, real or scripted, and two namespaces of its own. Requests
//! are written out and answers shown as they came, so that nothing of a client is between.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::StreamExt;
use http::Request;
use http_body_util::{BodyDataStream, BodyExt};
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{sleep, timeout};

use crate::control_plane::{ControlPlane, Options};
use crate::support::apiserver::{Apiserver, Definition};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is asked for where the metadata of objects are enough.
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const METADATA_LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// Where custom resources of these tests are.
pub(crate) const THINGS: &str = "/apis/tests.example.com/v1";

/// All permits of [`ROOM`].
const ALL: u32 = 64;

/// Behaviours at the real server hold one each, or all.
static ROOM: Semaphore = Semaphore::const_new(ALL as usize);
static PLANE: OnceLock<ControlPlane> = OnceLock::new();
static COUNT: AtomicU32 = AtomicU32::new(0);

/// The stage of a behaviour.
pub(crate) struct Stage {
    client: Client,
    server: Server,
    /// A namespace of its own.
    pub(crate) ns: String,
    /// Another one: its name is that of the first and goes on with `-b`.
    pub(crate) other: String,
    _room: Option<SemaphorePermit<'static>>,
}

enum Server {
    Scripted(Apiserver),
    Real(&'static ControlPlane),
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Its HTTP status.
    pub(crate) code: u16,
    /// Its body, as it came.
    pub(crate) text: String,
    /// The same, if it is JSON.
    pub(crate) body: Value,
}

impl Stage {
    /// At the scripted server.
    pub(crate) async fn scripted() -> Self {
        let server = Apiserver::new();
        Self::at(server.client(), Server::Scripted(server), None).await
    }

    /// At the real one, beside others.
    pub(crate) async fn together() -> Self {
        Self::real(1).await
    }

    /// At the real one, while no other behaviour is there.
    pub(crate) async fn alone() -> Self {
        Self::real(ALL).await
    }

    async fn real(permits: u32) -> Self {
        let room = ROOM.acquire_many(permits).await.unwrap();
        let plane = PLANE.get_or_init(|| ControlPlane::start(Options::default()));
        Self::at(client(plane).await, Server::Real(plane), Some(room)).await
    }

    async fn at(client: Client, server: Server, room: Option<SemaphorePermit<'static>>) -> Self {
        let ns = format!("stage-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let stage = Self {
            client,
            server,
            other: format!("{ns}-b"),
            ns,
            _room: room,
        };
        for name in [&stage.ns, &stage.other] {
            let object = json!({"metadata": {"name": name}});
            stage.post("/api/v1/namespaces", &object).await.must(201);
        }
        stage
    }

    /// Makes a request.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.ask_with(method, path, body, ("accept", "application/json"))
            .await
    }

    async fn ask_with(
        &self,
        method: &str,
        path: &str,
        body: &Value,
        header: (&str, &str),
    ) -> Answer {
        let answer = timeout(PATIENCE, async {
            let (head, body) = self.send(method, path, body, header).await.into_parts();
            (head.status, body.collect().await.unwrap().to_bytes())
        });
        let (status, bytes) = answer.await.expect("an answer in time");
        Answer {
            code: status.as_u16(),
            text: String::from_utf8(bytes.to_vec()).unwrap(),
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
        }
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        body: &Value,
        (name, value): (&str, &str),
    ) -> http::Response<Body> {
        let body = match body {
            Value::Null => Vec::new(),
            body => body.to_string().into_bytes(),
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .header(name, value);
        let request = request.body(Body::from(body)).unwrap();
        self.client.send(request).await.unwrap()
    }

    /// GET.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &Value::Null).await
    }

    /// GET, of metadata alone.
    pub(crate) async fn get_metadata(&self, path: &str) -> Answer {
        let accept = ("accept", METADATA_LIST);
        self.ask_with("GET", path, &Value::Null, accept).await
    }

    /// GET by somebody who may read nothing in a namespace.
    pub(crate) async fn get_without_rights(&self, path: &str) -> Answer {
        if let Server::Scripted(api) = &self.server {
            api.forbid("ConfigMap");
        }
        let nobody = ("impersonate-user", "nobody");
        self.ask_with("GET", path, &Value::Null, nobody).await
    }

    /// POST.
    pub(crate) async fn post(&self, path: &str, object: &Value) -> Answer {
        self.ask("POST", path, object).await
    }

    /// PUT.
    pub(crate) async fn put(&self, path: &str, object: &Value) -> Answer {
        self.ask("PUT", path, object).await
    }

    /// Where the `ConfigMap`s of its namespace are.
    pub(crate) fn maps(&self) -> String {
        maps_in(&self.ns)
    }

    /// Where that one is.
    pub(crate) fn map(&self, name: &str) -> String {
        format!("{}/{name}", self.maps())
    }

    /// All `ConfigMap`s of its namespace, or the page that `query` asks for.
    pub(crate) async fn list(&self, query: &str) -> Value {
        let path = format!("{}?{query}", self.maps());
        self.get(&path).await.must(200)
    }

    /// Creates a `ConfigMap` in its namespace.
    pub(crate) async fn create(&self, name: &str, word: &str) -> Value {
        self.post(&self.maps(), &a_map(name, word)).await.must(201)
    }

    /// Replaces it, whatever it was.
    pub(crate) async fn replace(&self, name: &str, word: &str) -> Value {
        let object = a_map(name, word);
        self.put(&self.map(name), &object).await.must(200)
    }

    /// Deletes it.
    pub(crate) async fn delete(&self, name: &str) {
        let path = self.map(name);
        self.ask("DELETE", &path, &Value::Null).await.must(200);
    }

    /// Opens a watch of the `ConfigMap`s of its namespace.
    pub(crate) async fn watch(&self, query: &str) -> Watch {
        self.watch_at(&self.maps(), query).await
    }

    /// Opens a watch.
    pub(crate) async fn watch_at(&self, path: &str, query: &str) -> Watch {
        self.watch_as("application/json", path, query).await
    }

    /// Opens a watch of metadata alone.
    pub(crate) async fn watch_metadata(&self, query: &str) -> Watch {
        self.watch_as(METADATA, &self.maps(), query).await
    }

    async fn watch_as(&self, accept: &str, path: &str, query: &str) -> Watch {
        let path = format!("{path}?watch=true&{query}");
        let accept = ("accept", accept);
        let answer = self.send("GET", &path, &Value::Null, accept);
        let answer = timeout(PATIENCE, answer).await.expect("an answer in time");
        assert_eq!(answer.status(), 200);
        Watch {
            body: answer.into_body().into_data_stream(),
            read: Vec::new(),
        }
    }

    /// Lets bookmarks be sent. The real server sends one about once a minute and two seconds before a
    /// watch ends.
    pub(crate) fn bookmark(&self) {
        if let Server::Scripted(api) = &self.server {
            api.bookmark("ConfigMap");
        }
    }

    /// Defines the custom resource `things`, of the kind `Thing`.
    pub(crate) async fn define(&self) {
        match &self.server {
            Server::Scripted(api) => {
                api.define(Definition::new(
                    "tests.example.com",
                    "v1",
                    "things",
                    "Thing",
                ));
            }
            Server::Real(_) => self.define_really().await,
        }
    }

    async fn define_really(&self) {
        let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        let version = json!({
            "name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": open},
        });
        let definition = json!({
            "metadata": {"name": "things.tests.example.com"},
            "spec": {
                "group": "tests.example.com", "scope": "Namespaced", "versions": [version],
                "names": {"plural": "things", "singular": "thing", "kind": "Thing"},
            },
        });
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        let answer = self.post(path, &definition).await;
        assert!([201, 409].contains(&answer.code), "{answer:?}");
        let served = async {
            while self.get(&format!("{THINGS}/things")).await.code != 200 {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(PATIENCE, served).await.expect("served in time");
    }

    /// Makes everything that was read so far too old to go on from. At the real server: its store
    /// forgets what was before, and it starts anew.
    pub(crate) async fn age(&mut self) {
        let version = version(&self.list("").await);
        match &self.server {
            Server::Scripted(api) => api.expire("ConfigMap"),
            Server::Real(plane) => {
                plane.stop_component("kube-apiserver");
                compact(plane, &version).await;
                plane.start_component("kube-apiserver");
                self.client = client(plane).await;
            }
        }
    }
}

impl Answer {
    /// The body of an answer that has to have this status.
    pub(crate) fn must(self, code: u16) -> Value {
        assert_eq!(self.code, code, "{}", self.text);
        self.body
    }

    /// The same, and it is a Status with this reason.
    pub(crate) fn refuses(self, code: u16, reason: &str) -> Value {
        let status = self.must(code);
        assert_eq!(status["kind"], "Status", "{status}");
        assert_eq!(status["apiVersion"], "v1", "{status}");
        assert_eq!(status["status"], "Failure", "{status}");
        assert_eq!(status["reason"], reason, "{status}");
        assert_eq!(status["code"], code, "{status}");
        status
    }
}

/// A watch that is open.
pub(crate) struct Watch {
    body: BodyDataStream<Body>,
    read: Vec<u8>,
}

/// What a watch tells.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// `ADDED`, ...
    pub(crate) what: String,
    /// The object.
    pub(crate) object: Value,
}

impl Watch {
    /// The next event; none if the watch has ended in good order.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.read.drain(..=end).collect();
                let line: Value = serde_json::from_slice(&line).unwrap();
                return Some(Event {
                    what: line["type"].as_str().unwrap().to_owned(),
                    object: line["object"].clone(),
                });
            }
            let more = timeout(PATIENCE, self.body.next()).await;
            let Some(more) = more.expect("an event in time") else {
                assert!(self.read.is_empty(), "half a line");
                return None;
            };
            self.read.extend_from_slice(&more.expect("no broken watch"));
        }
    }

    /// The events until an object of this name is added, and not that.
    pub(crate) async fn until(&mut self, name: &str) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            let event = self.next().await.expect("a watch that goes on");
            if event.says() == format!("ADDED {name}") {
                return events;
            }
            events.push(event);
        }
    }

    /// The events until it ends.
    pub(crate) async fn rest(mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }
}

impl Event {
    /// What happened to what: `ADDED web`.
    pub(crate) fn says(&self) -> String {
        let name = self.object["metadata"]["name"].as_str();
        format!("{} {}", self.what, name.unwrap_or_default())
    }
}

/// What each of these says.
pub(crate) fn say(events: &[Event]) -> Vec<String> {
    events.iter().map(Event::says).collect()
}

/// Where the `ConfigMap`s of a namespace are.
pub(crate) fn maps_in(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/configmaps")
}

/// A `ConfigMap` with this in it.
pub(crate) fn a_map(name: &str, word: &str) -> Value {
    json!({"metadata": {"name": name}, "data": {"word": word}})
}

/// The names of the objects of a list.
pub(crate) fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|item| item["metadata"]["name"].as_str().unwrap())
        .collect()
}

/// The version of a list or an object.
pub(crate) fn version(object: &Value) -> String {
    let version = object["metadata"]["resourceVersion"].as_str();
    version.expect("a version").to_owned()
}

/// The same as the number that it is at these servers.
pub(crate) fn number(object: &Value) -> u64 {
    version(object).parse().unwrap()
}

/// A parameter of a query.
pub(crate) fn parameter(key: &str, value: &str) -> String {
    let encoded = value.bytes().map(|byte| format!("%{byte:02X}"));
    format!("{key}={}", encoded.collect::<String>())
}

/// A client of the real server, with all rights, in the runtime of the caller.
async fn client(plane: &ControlPlane) -> Client {
    // Fails only where another test has done it.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let kubeconfig = Kubeconfig::read_from(plane.kubeconfig()).unwrap();
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
    Client::try_from(config.unwrap()).unwrap()
}

/// Lets etcd forget what was before this version, as API servers let it every five minutes
/// (<https://etcd.io/docs/v3.6/op-guide/maintenance/#history-compaction-v3-api-key-value-database>,
/// by <https://etcd.io/docs/v3.6/dev-guide/api_grpc_gateway/>).
async fn compact(plane: &ControlPlane, version: &str) {
    let state = plane.kubeconfig().with_file_name("state.json");
    let state: Value = serde_json::from_slice(&std::fs::read(state).unwrap()).unwrap();
    let url = format!("http://127.0.0.1:{}/v3/kv/compaction", state["EtcdPort"]);
    let body = json!({"revision": version}).to_string();
    let answer = reqwest::Client::new().post(url).body(body).send();
    assert_eq!(answer.await.unwrap().status(), 200);
}
