//! An API server that keeps ConfigMaps in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use kube::client::{Body, Client};
use serde_json::{Value, json};

/// ConfigMaps by name, of which nobody replaces one that has changed since it was read.
#[derive(Clone, Default)]
pub(super) struct Kept(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    maps: BTreeMap<String, Value>,
    fails_next_read: bool,
}

impl Kept {
    pub(super) fn client(&self) -> Client {
        let kept = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let kept = kept.clone();
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await?.to_bytes();
                let body = serde_json::from_slice(&body).unwrap_or_default();
                let (status, answer) =
                    kept.0
                        .lock()
                        .unwrap()
                        .answer(&head.method, head.uri.path(), body);
                let mut response = Response::new(Body::from(answer.to_string().into_bytes()));
                *response.status_mut() = status;
                Ok::<_, tower::BoxError>(response)
            }
        });
        Client::new(service, "default")
    }

    /// The next read fails, and only that.
    pub(super) fn fail_next_read(&self) {
        self.0.lock().unwrap().fails_next_read = true;
    }
}

impl Inner {
    fn answer(&mut self, method: &Method, path: &str, mut map: Value) -> (StatusCode, Value) {
        let name = match *method {
            Method::POST => map["metadata"]["name"].as_str(),
            _ => path.rsplit('/').next(),
        };
        let name = name.unwrap_or_default().to_owned();
        let known = self.maps.get(&name);
        let version = known.map(|known| known["metadata"]["resourceVersion"].clone());
        match (method, known) {
            (&Method::GET, _) if std::mem::take(&mut self.fails_next_read) => {
                return refused(StatusCode::INTERNAL_SERVER_ERROR, "InternalError");
            }
            (&Method::GET, Some(known)) => return (StatusCode::OK, known.clone()),
            (&Method::POST, None) => {}
            (&Method::PUT, Some(_))
                if version.as_ref() == Some(&map["metadata"]["resourceVersion"]) => {}
            (_, None) => return refused(StatusCode::NOT_FOUND, "NotFound"),
            (_, Some(_)) => return refused(StatusCode::CONFLICT, "Conflict"),
        }
        let version = version.and_then(|version| version.as_str()?.parse::<u64>().ok());
        map["metadata"]["resourceVersion"] = json!((version.unwrap_or(0) + 1).to_string());
        self.maps.insert(name, map.clone());
        (StatusCode::OK, map)
    }
}

fn refused(status: StatusCode, reason: &str) -> (StatusCode, Value) {
    let code = status.as_u16();
    let answer = json!({"kind": "Status", "status": "Failure", "reason": reason, "code": code});
    (status, answer)
}
