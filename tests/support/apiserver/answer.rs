//! The requests of the scripted API server and their answers.

use axum::body::Body;
use futures::StreamExt;
use futures::channel::mpsc;
use http::{Method, Request, Response};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use super::definitions::{Definition, discovery, is_discovery, not_found};
use super::objects::Page;
use super::{Call, Inner, OpenWatch, Verb};

/// The resources that the server has: plural, API group and version, kind.
pub(super) const RESOURCES: [(&str, &str, &str); 14] = [
    ("pods", "v1", "Pod"),
    ("replicationcontrollers", "v1", "ReplicationController"),
    ("namespaces", "v1", "Namespace"),
    ("configmaps", "v1", "ConfigMap"),
    ("replicasets", "apps/v1", "ReplicaSet"),
    ("deployments", "apps/v1", "Deployment"),
    ("statefulsets", "apps/v1", "StatefulSet"),
    ("daemonsets", "apps/v1", "DaemonSet"),
    ("jobs", "batch/v1", "Job"),
    ("cronjobs", "batch/v1", "CronJob"),
    ("leases", "coordination.k8s.io/v1", "Lease"),
    ("services", "v1", "Service"),
    ("ingresses", "networking.k8s.io/v1", "Ingress"),
    ("events", "events.k8s.io/v1", "Event"),
];

/// A request.
pub(super) struct Asked {
    pub(super) verb: Verb,
    pub(super) kind: String,
    pub(super) api_version: String,
    namespace: Option<String>,
    name: Option<String>,
    query: String,
    accept: String,
    agent: String,
    body: Value,
}

impl Asked {
    /// Reads a request.
    pub(super) async fn read(
        request: Request<kube::client::Body>,
        definitions: &[Definition],
    ) -> Result<Self, tower::BoxError> {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let header = |name: http::HeaderName| {
            let value = head.headers.get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let query = head.uri.query().unwrap_or_default().to_owned();
        let path = head.uri.path();
        if is_discovery(path) {
            return Ok(Self {
                verb: Verb::Discover,
                kind: path.to_owned(),
                api_version: String::new(),
                namespace: None,
                name: None,
                query,
                accept: header(http::header::ACCEPT),
                agent: header(http::header::USER_AGENT),
                body: Value::Null,
            });
        }
        let (kind, api_version, namespace, name) = route(path, definitions);
        let verb = match (&head.method, name.is_some()) {
            (&Method::GET, false) if value_of(&query, "watch") == Some("true") => Verb::Watch,
            (&Method::GET, false) => Verb::List,
            (&Method::GET, true) => Verb::Get,
            (&Method::POST, _) => Verb::Create,
            (&Method::PUT, _) => Verb::Update,
            (&Method::DELETE, _) => Verb::Delete,
            (method, _) => return Err(format!("the test server knows no {method}").into()),
        };
        Ok(Self {
            verb,
            kind,
            api_version,
            namespace,
            name,
            query,
            accept: header(http::header::ACCEPT),
            agent: header(http::header::USER_AGENT),
            body: serde_json::from_slice(&body).unwrap_or_default(),
        })
    }

    /// As it is logged.
    pub(super) fn call(&self) -> Call {
        Call {
            verb: self.verb,
            kind: self.kind.clone(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            query: self.query.clone(),
            accept: self.accept.clone(),
            agent: self.agent.clone(),
            at: Instant::now(),
        }
    }

    fn metadata_only(&self) -> bool {
        self.accept.contains("as=PartialObjectMetadata")
    }

    fn number(&self, key: &str) -> Option<u64> {
        value_of(&self.query, key)?.parse().ok()
    }
}

/// The kind, API version, namespace and name that a path names. The kind is empty if the group is one
/// that came and went, or never came, and this one is not served.
fn route(
    path: &str,
    definitions: &[Definition],
) -> (String, String, Option<String>, Option<String>) {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (group, version, rest) = if parts[0] == "api" {
        ("", parts[1], &parts[2..])
    } else {
        (parts[1], parts[2], &parts[3..])
    };
    let (namespace, rest) = match rest {
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (Some(*namespace), rest),
        rest => (None, rest),
    };
    let api_version = format!("{group}/{version}");
    let api_version = api_version.trim_start_matches('/').to_owned();
    let mut defined = definitions.iter();
    let mut resources = RESOURCES.iter().filter(|it| it.1 == api_version);
    let kind = match resources.find(|resource| resource.0 == rest[0]) {
        Some(resource) => resource.2,
        None if RESOURCES.iter().any(|it| it.1 == api_version) => {
            panic!("the test server has no {path}")
        }
        None => defined
            .find_map(|it| it.named(group, version, rest[0]))
            .unwrap_or_default(),
    };
    (
        kind.to_owned(),
        api_version,
        namespace.map(str::to_owned),
        rest.get(1).map(|name| (*name).to_owned()),
    )
}

fn value_of<'a>(query: &'a str, key: &str) -> Option<&'a str> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .filter(|(name, _)| *name == key)
        .map(|(_, value)| value)
        .next()
}

impl Inner {
    /// Does what is asked for, and answers.
    pub(super) fn answer(&mut self, asked: &Asked) -> Response<Body> {
        if asked.verb == Verb::Discover {
            return discovery(&asked.kind, &self.definitions);
        }
        if asked.kind.is_empty() {
            return not_found();
        }
        let forbidden = |namespace| self.forbidden.contains(&(asked.kind.clone(), namespace));
        // A Namespace is itself the namespace that rights to read it are given in.
        let within = asked.namespace.clone().or_else(|| asked.name.clone());
        if forbidden(None) || forbidden(within) {
            return status(403, &format!("{} is forbidden", asked.kind));
        }
        match asked.verb {
            Verb::List => self.list(asked),
            Verb::Watch => self.watch(asked),
            Verb::Get | Verb::Delete => self.read_or_delete(asked),
            Verb::Create | Verb::Update => self.write(asked),
            Verb::Discover => unreachable!("answered above"),
        }
    }

    fn list(&mut self, asked: &Asked) -> Response<Body> {
        let limit = asked
            .number("limit")
            .map_or(usize::MAX, |limit| usize::try_from(limit).unwrap());
        let page = match value_of(&asked.query, "continue") {
            Some(token) => self.objects.next_page(token, limit),
            None => Ok(self
                .objects
                .first_page(&asked.kind, asked.namespace.as_deref(), limit)),
        };
        let Ok(Page {
            items,
            version,
            next,
            remaining,
        }) = page
        else {
            return status(410, "the continue token is too old");
        };
        let mut metadata = json!({"resourceVersion": version.to_string()});
        if let Some(next) = next {
            metadata["continue"] = json!(next);
            metadata["remainingItemCount"] = json!(remaining);
        }
        let (api_version, kind) = if asked.metadata_only() {
            ("meta.k8s.io/v1", "PartialObjectMetadataList".to_owned())
        } else {
            (&*asked.api_version, format!("{}List", asked.kind))
        };
        let shown = |item: Value| {
            let mut item = shown(&item, asked.metadata_only());
            if !asked.metadata_only() {
                // A real server leaves these out of the items of a typed list.
                item.as_object_mut()
                    .unwrap()
                    .retain(|key, _| key != "kind" && key != "apiVersion");
            }
            item
        };
        let items: Vec<Value> = items.into_iter().map(shown).collect();
        json_answer(
            200,
            &json!({
                "apiVersion": api_version, "kind": kind, "metadata": metadata, "items": items
            }),
        )
    }

    fn watch(&mut self, asked: &Asked) -> Response<Body> {
        let (lines, receiver) = mpsc::unbounded();
        let namespace = asked.namespace.as_deref();
        let since = asked.number("resourceVersion").unwrap_or_default();
        match self.objects.changes_since(&asked.kind, namespace, since) {
            Err(_) => lines.unbounded_send(Ok(gone_event())).unwrap(),
            Ok(changes) => {
                for (event_type, object) in changes {
                    let line = event(event_type, object, asked.metadata_only());
                    lines.unbounded_send(Ok(line)).unwrap();
                }
                self.watches.push(OpenWatch {
                    kind: asked.kind.clone(),
                    namespace: asked.namespace.clone(),
                    metadata_only: asked.metadata_only(),
                    lines,
                });
            }
        }
        let ends = asked.number("timeoutSeconds").unwrap_or(1800);
        let ends = tokio::time::sleep(Duration::from_secs(ends));
        Response::new(Body::from_stream(receiver.take_until(Box::pin(ends))))
    }

    fn read_or_delete(&mut self, asked: &Asked) -> Response<Body> {
        let (namespace, name) = asked.names();
        let deletes = asked.verb == Verb::Delete;
        let found = if deletes {
            self.objects.delete(&asked.kind, namespace, name)
        } else {
            self.objects.get(&asked.kind, namespace, name).cloned()
        };
        let Some(object) = found else {
            return status(404, &format!("{name} not found"));
        };
        if deletes {
            self.tell("DELETED", &object);
        }
        json_answer(200, &shown(&object, asked.metadata_only()))
    }

    fn write(&mut self, asked: &Asked) -> Response<Body> {
        let mut object = asked.body.clone();
        object["apiVersion"] = json!(asked.api_version);
        object["kind"] = json!(asked.kind);
        if let Some(namespace) = &asked.namespace {
            object["metadata"]["namespace"] = json!(namespace);
        }
        let name = object["metadata"]["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let known = self.objects.get(&asked.kind, asked.names().0, &name);
        let version = |object: &Value| object["metadata"]["resourceVersion"].clone();
        match (asked.verb, known) {
            (Verb::Create, Some(_)) => return status(409, &format!("{name} already exists")),
            (Verb::Update, None) => return status(404, &format!("{name} not found")),
            (Verb::Update, Some(known))
                if !version(&object).is_null() && version(&object) != version(known) =>
            {
                return status(409, &format!("{name} has been modified"));
            }
            _ => {}
        }
        let (event, object) = self.objects.apply(object);
        self.tell(event, &object);
        json_answer(if event == "ADDED" { 201 } else { 200 }, &object)
    }
}

impl Asked {
    fn names(&self) -> (&str, &str) {
        (
            self.namespace.as_deref().unwrap_or_default(),
            self.name.as_deref().unwrap_or_default(),
        )
    }
}

/// The object as it is asked for: whole, or its metadata.
fn shown(object: &Value, metadata_only: bool) -> Value {
    if metadata_only {
        json!({
            "apiVersion": "meta.k8s.io/v1",
            "kind": "PartialObjectMetadata",
            "metadata": object["metadata"]
        })
    } else {
        object.clone()
    }
}

/// A line of a watch.
pub(super) fn event(event: &str, object: &Value, metadata_only: bool) -> String {
    format!(
        "{}\n",
        json!({"type": event, "object": shown(object, metadata_only)})
    )
}

/// The line that ends a watch whose version is too old.
pub(super) fn gone_event() -> String {
    format!(
        "{}\n",
        json!({"type": "ERROR", "object": status_object(410, "too old resource version")})
    )
}

fn status_object(code: u16, message: &str) -> Value {
    let reason = match code {
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        409 if message.ends_with("exists") => "AlreadyExists",
        409 => "Conflict",
        410 => "Expired",
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        _ => "InternalError",
    };
    json!({
        "apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code
    })
}

/// An answer that says what is wrong.
pub(super) fn status(code: u16, message: &str) -> Response<Body> {
    json_answer(code, &status_object(code, message))
}

pub(super) fn json_answer(code: u16, body: &Value) -> Response<Body> {
    let answer = Response::builder()
        .status(code)
        .header("content-type", "application/json");
    answer.body(Body::from(body.to_string())).unwrap()
}

/// The first half of an answer; then the connection breaks.
pub(super) async fn cut(answer: Response<Body>) -> Response<Body> {
    let (head, body) = answer.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let half = body.slice(..body.len() / 2);
    let broken = std::io::Error::other("connection reset by the test");
    Response::from_parts(
        head,
        Body::from_stream(futures::stream::iter([Ok(half), Err(broken)])),
    )
}
