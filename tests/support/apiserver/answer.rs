//! The scripted API server's answers to requests that read, and how an answer breaks off.

use axum::body::Body;
use http::Response;
use http_body_util::BodyExt;
use serde_json::json;

use super::asked::Asked;
use super::definitions::discovery;
use super::forms::{Form, List, Shown};
use super::objects::Expired;
use super::pages::{Page, Token};
use super::resources::Target;
use super::statuses::{
    forbidden, json_answer, no_page, no_resource, status, status_object, text_answer,
};
use super::{Inner, Verb};

impl Inner {
    /// Does what is asked for, and answers.
    pub(super) fn answer(&mut self, asked: &Asked) -> Response<Body> {
        match asked.place.target {
            Target::Discovery => return discovery(asked.kind(), &self.definitions),
            Target::NoResource => return no_resource(),
            Target::Nothing => return no_page(),
            Target::Objects => {}
        }
        let is_forbidden = |namespace: Option<&String>| {
            let right = (asked.kind().to_owned(), namespace.cloned());
            self.forbidden.contains(&right)
        };
        // A Namespace is itself the namespace that rights to read it are given in.
        let within = asked.place.namespace.as_ref();
        if is_forbidden(None) || is_forbidden(within.or(asked.place.name.as_ref())) {
            return forbidden(asked);
        }
        match asked.verb {
            Verb::List => self.list(asked),
            Verb::Watch => self.watch(asked),
            Verb::Get => self.read(asked),
            Verb::Delete => self.delete(asked),
            Verb::Create | Verb::Update => self.write(asked),
            Verb::Discover => unreachable!("answered above"),
        }
    }

    fn list(&mut self, asked: &Asked) -> Response<Body> {
        let (selection, limit) = match (asked.selection(), asked.number("limit")) {
            (Ok(selection), Ok(limit)) => (selection, limit.filter(|limit| *limit > 0)),
            (Err(why), _) | (_, Err(why)) => return status(400, &why),
        };
        let token = asked.value("continue").map(Token::read);
        if let Some(None) = token {
            return status(400, "invalid continue token: continue key is not valid");
        }
        let token = token.flatten();
        if token.is_some() && asked.value("resourceVersion").is_some() {
            let why = "specifying resource version is not allowed when using continue";
            return status(400, why);
        }
        let limit = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap());
        let kind = asked.kind();
        let page = self.objects.page(kind, &selection, limit, token.as_ref());
        page.map_or_else(|Expired| too_old(token), |page| written(asked, &page))
    }
}

/// What is said of a token that is too old, with one for the rest as it is now.
fn too_old(token: Option<Token>) -> Response<Body> {
    let why = "The provided continue parameter is too old to display a consistent list result.";
    let mut status = status_object(410, why);
    let rest = token.map(|token| token.in_the_present_state().text());
    status["metadata"]["continue"] = json!(rest);
    json_answer(410, &status)
}

/// A page as it is sent.
fn written(asked: &Asked, page: &Page) -> Response<Body> {
    let mut metadata = json!({"resourceVersion": page.version.to_string()});
    if let Some(next) = &page.next {
        metadata["continue"] = json!(next.text());
    }
    if let Some(remaining) = page.remaining {
        metadata["remainingItemCount"] = json!(remaining);
    }
    let (api_version, kind, form) = match &asked.place.resource {
        _ if asked.metadata_only() => (
            "meta.k8s.io/v1".to_owned(),
            "PartialObjectMetadata",
            Form::Metadata,
        ),
        // Lists of custom resources are not typed ones.
        resource if resource.custom => (resource.api_version(), asked.kind(), Form::Whole),
        resource => (resource.api_version(), asked.kind(), Form::Item),
    };
    let list = List {
        kind: format!("{kind}List"),
        api_version,
        metadata,
        items: page.items.iter().map(|item| Shown(item, form)).collect(),
    };
    text_answer(200, serde_json::to_string(&list).expect("JSON"))
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
