//! A request to the scripted API server, read.

use std::collections::BTreeMap;

use axum::extract::Query;
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::BodyExt;
use tokio::time::Instant;

use super::definitions::Definition;
use super::resources::{Place, Target, place};
use super::selection::Selection;
use super::{Call, Verb};

/// A request.
pub(super) struct Asked {
    pub(super) verb: Verb,
    pub(super) place: Place,
    pub(super) body: Bytes,
    path: String,
    raw_query: String,
    query: BTreeMap<String, String>,
    accept: String,
    agent: String,
}

impl Asked {
    /// Reads a request.
    pub(super) async fn read(
        request: Request<kube::client::Body>,
        definitions: &[Definition],
    ) -> Result<Self, tower::BoxError> {
        let (head, body) = request.into_parts();
        let header = |name: http::HeaderName| {
            let value = head.headers.get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let Query(query) = Query::<BTreeMap<String, String>>::try_from_uri(&head.uri)?;
        let place = place(head.uri.path(), definitions);
        let watches = ["watch=true", "watch=1"];
        let mut pairs = head.uri.query().unwrap_or_default().split('&');
        let verb = match (&head.method, &place.target, place.name.is_some()) {
            (_, Target::Discovery, _) => Verb::Discover,
            (&Method::GET, _, false) if pairs.any(|pair| watches.contains(&pair)) => Verb::Watch,
            (&Method::GET, _, false) => Verb::List,
            (&Method::GET, _, true) => Verb::Get,
            (&Method::POST, _, false) => Verb::Create,
            (&Method::PUT, _, true) => Verb::Update,
            (&Method::DELETE, _, true) => Verb::Delete,
            (method, _, _) => {
                let what = format!("the test server knows no {method} {}", head.uri);
                return Err(what.into());
            }
        };
        Ok(Self {
            verb,
            place,
            body: body.collect().await?.to_bytes(),
            path: head.uri.path().to_owned(),
            raw_query: head.uri.query().unwrap_or_default().to_owned(),
            query,
            accept: header(http::header::ACCEPT),
            agent: header(http::header::USER_AGENT),
        })
    }

    /// As it is logged.
    pub(super) fn call(&self) -> Call {
        Call {
            verb: self.verb,
            kind: self.kind().to_owned(),
            namespace: self.place.namespace.clone(),
            name: self.place.name.clone(),
            query: self.raw_query.clone(),
            accept: self.accept.clone(),
            agent: self.agent.clone(),
            at: Instant::now(),
        }
    }

    /// The kind; where no objects are asked for, the path; empty if there is no such kind.
    pub(super) fn kind(&self) -> &str {
        match self.place.target {
            Target::Discovery => &self.path,
            _ => &self.place.resource.kind,
        }
    }

    /// The namespace, or nothing.
    pub(super) fn namespace(&self) -> &str {
        self.place.namespace.as_deref().unwrap_or_default()
    }

    /// The object, or nothing.
    pub(super) fn name(&self) -> &str {
        self.place.name.as_deref().unwrap_or_default()
    }

    /// Whether only the metadata of objects are asked for.
    pub(super) fn metadata_only(&self) -> bool {
        self.accept.contains("as=PartialObjectMetadata")
    }

    /// A parameter, if it says something.
    pub(super) fn value(&self, key: &str) -> Option<&str> {
        let value = self.query.get(key).map(String::as_str);
        value.filter(|value| !value.is_empty())
    }

    /// A parameter that is a number, or what is wrong with it.
    pub(super) fn number(&self, key: &str) -> Result<Option<u64>, String> {
        let number = self.value(key).map(str::parse).transpose();
        number.map_err(|error| format!("{key}: {error}"))
    }

    /// Which objects are asked for, or what is wrong with the selectors.
    pub(super) fn selection(&self) -> Result<Selection, String> {
        Selection::read(
            self.place.namespace.clone(),
            self.value("labelSelector").unwrap_or_default(),
            self.value("fieldSelector").unwrap_or_default(),
        )
    }
}
