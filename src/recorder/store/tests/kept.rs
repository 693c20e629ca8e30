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
    /// Which call of those that come next fails, and of which method.
    failing: Option<(Method, usize, StatusCode)>,
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

    /// The read that comes behind so many others fails, and only that.
    pub(super) fn fail_read(&self, behind: usize) {
        self.0.lock().unwrap().failing =
            Some((Method::GET, behind, StatusCode::INTERNAL_SERVER_ERROR));
    }

    /// The same, and it may not be read.
    pub(super) fn forbid_read(&self, behind: usize) {
        self.0.lock().unwrap().failing = Some((Method::GET, behind, StatusCode::FORBIDDEN));
    }

    /// The next that replaces an object fails, and only that.
    pub(super) fn fail_replacing(&self) {
        self.0.lock().unwrap().failing = Some((Method::PUT, 0, StatusCode::INTERNAL_SERVER_ERROR));
    }

    /// What is there, to be put back later.
    pub(super) fn copy(&self) -> BTreeMap<String, Value> {
        self.0.lock().unwrap().maps.clone()
    }

    /// Puts these back as a person does: each is another version of what is there.
    pub(super) fn put_back<'a>(&self, maps: impl IntoIterator<Item = (&'a String, &'a Value)>) {
        for (name, map) in maps {
            self.change(name, |known| *known = map.clone());
        }
    }

    /// Somebody makes it.
    pub(super) fn add(&self, name: &str, map: Value) {
        self.0.lock().unwrap().maps.insert(name.to_owned(), map);
    }

    /// Somebody deletes it.
    pub(super) fn delete(&self, name: &str) {
        let gone = self.0.lock().unwrap().maps.remove(name);
        assert!(gone.is_some(), "{name}");
    }

    /// Puts something there that nobody can read.
    pub(super) fn damage(&self, name: &str) {
        self.change(name, |known| {
            known["binaryData"] = json!({"ledger": "AAAA"});
        });
    }

    /// Somebody puts something of theirs on it, and takes a label of ours for theirs.
    pub(super) fn put_on(&self, name: &str, theirs: &str) {
        self.change(name, |known| {
            let meta = &mut known["metadata"];
            meta["labels"]["team"] = json!(theirs);
            meta["labels"]["app.kubernetes.io/component"] = json!(theirs);
            meta["annotations"]["note"] = json!(theirs);
            let owner = json!({"apiVersion": "v1", "kind": "Secret", "name": theirs, "uid": "1"});
            meta["ownerReferences"] = json!([owner]);
            meta["finalizers"] = json!([format!("example.com/{theirs}")]);
        });
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let mut kept = self.0.lock().unwrap();
        let known = kept.maps.get_mut(name).expect(name);
        let version = next_version(Some(known));
        change(known);
        known["metadata"]["resourceVersion"] = version;
    }
}

impl Inner {
    fn answer(&mut self, method: &Method, path: &str, mut map: Value) -> (StatusCode, Value) {
        let name = match *method {
            Method::POST => map["metadata"]["name"].as_str(),
            _ => path.rsplit('/').next(),
        };
        let name = name.unwrap_or_default().to_owned();
        if let Some(status) = self.failure(method) {
            return refused(status, status.canonical_reason().unwrap_or_default());
        }
        let known = self.maps.get(&name);
        let version = known.map(|known| &known["metadata"]["resourceVersion"]);
        match (method, known) {
            (&Method::GET, Some(known)) => return (StatusCode::OK, known.clone()),
            (&Method::POST, None) => {}
            (&Method::PUT, Some(_)) if version == Some(&map["metadata"]["resourceVersion"]) => {}
            (_, None) => return refused(StatusCode::NOT_FOUND, "NotFound"),
            (_, Some(_)) => return refused(StatusCode::CONFLICT, "Conflict"),
        }
        map["metadata"]["resourceVersion"] = next_version(known);
        self.maps.insert(name, map.clone());
        (StatusCode::OK, map)
    }

    fn failure(&mut self, called: &Method) -> Option<StatusCode> {
        match &mut self.failing {
            Some((method, behind, _)) if method == called && *behind > 0 => {
                *behind -= 1;
                None
            }
            Some((method, _, status)) if method == called => {
                let status = *status;
                self.failing = None;
                Some(status)
            }
            _ => None,
        }
    }
}

fn next_version(known: Option<&Value>) -> Value {
    let version = known.and_then(|known| known["metadata"]["resourceVersion"].as_str());
    let version: u64 = version.map_or(0, |version| version.parse().unwrap());
    json!((version + 1).to_string())
}

fn refused(status: StatusCode, reason: &str) -> (StatusCode, Value) {
    let code = status.as_u16();
    let answer = json!({"kind": "Status", "status": "Failure", "reason": reason, "code": code});
    (status, answer)
}
