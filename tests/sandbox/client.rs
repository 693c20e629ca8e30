//! A small client for the sandbox in process. It holds every answer against the contract.

use bytes::Bytes;
use deployment_recorder::sandbox::{Endpoint, Sandbox, check_answer};
use http::{HeaderMap, Method, Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

pub(crate) const SET: &str = "/orgs/acme/artifacts/metadata/deployment-record/cluster/prod-1";
pub(crate) const JOBS: &str = "/orgs/acme/artifacts/metadata/deployment-record/cluster/prod-1/jobs";
pub(crate) const CREATE: &str = "/orgs/acme/artifacts/metadata/deployment-record";
pub(crate) const STORE: &str = "/orgs/acme/artifacts/metadata/storage-record";

/// An answer with its body as JSON (null if it is none).
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }
}

pub(crate) fn digest(letter: char) -> String {
    format!("sha256:{}", letter.to_string().repeat(64))
}

pub(crate) fn item(name: &str, letter: char) -> Value {
    json!({"name": "ghcr.io/acme/shop", "deployment_name": name, "digest": digest(letter)})
}

/// `value` with some fields set.
pub(crate) fn with(mut value: Value, fields: Value) -> Value {
    let Value::Object(fields) = fields else {
        return value;
    };
    for (key, field) in fields {
        value[key.as_str()] = field;
    }
    value
}

pub(crate) fn batch(items: &[Value]) -> Value {
    json!({"logical_environment": "prod", "deployments": items, "partial_success": true})
}

/// A request as a good client sends it.
pub(crate) fn request(method: Method, path: &str, body: &Value) -> Request<Bytes> {
    let body = if body.is_null() {
        Bytes::new()
    } else {
        Bytes::from(body.to_string())
    };
    Request::builder()
        .method(method)
        .uri(format!("http://github.test{path}"))
        .header("authorization", "Bearer t0ken")
        .header("user-agent", "tests")
        .header("x-github-api-version", "2022-11-28")
        .body(body)
        .unwrap()
}

/// Sends; `Err` is a broken connection. What the sandbox answers without a fault is held against
/// the contract.
pub(crate) async fn try_send(sandbox: &Sandbox, request: Request<Bytes>) -> std::io::Result<Got> {
    let answer = sandbox.service().oneshot(request).await?;
    let (head, body) = answer.into_parts();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let got = Got {
        status: head.status,
        headers: head.headers,
        body,
    };
    let id = got.header("x-github-request-id").unwrap_or_default();
    let mut entries = sandbox.requests().into_iter();
    if let Some(entry) = entries.find(|it| it.request_id == id && it.faults.is_empty()) {
        assert_as_documented(entry.endpoint, &got);
    }
    Ok(got)
}

/// The schema knows no message that is an object, though GitHub documents it for a refused batch.
fn assert_as_documented(endpoint: Option<Endpoint>, got: &Got) {
    let check = |endpoint| check_answer(endpoint, got.status.as_u16(), &got.body);
    let complaints = endpoint.and_then(check).unwrap_or_default();
    let object = got.body["message"].is_object();
    assert!(
        complaints.is_empty() || object,
        "{complaints:?}: {}",
        got.body
    );
}

pub(crate) async fn send(sandbox: &Sandbox, request: Request<Bytes>) -> Got {
    try_send(sandbox, request).await.unwrap()
}

pub(crate) async fn post(sandbox: &Sandbox, path: &str, body: &Value) -> Got {
    send(sandbox, request(Method::POST, path, body)).await
}

pub(crate) async fn get(sandbox: &Sandbox, path: &str) -> Got {
    send(sandbox, request(Method::GET, path, &Value::Null)).await
}

/// Asserts that the contract describes this answer, and that it is so.
pub(crate) fn assert_contract(endpoint: Endpoint, got: &Got) {
    let complaints = check_answer(endpoint, got.status.as_u16(), &got.body);
    assert_eq!(
        complaints,
        Some(Vec::new()),
        "{endpoint:?} {}: {}",
        got.status,
        got.body
    );
}
