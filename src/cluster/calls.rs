//! Calls to the API server: each is bounded in time and in what it may answer, and each error has
//! words.

use std::time::Duration;

use http::Request;
use kube::Client;
use kube::client::Body;

use super::bounds::Bound;

/// An answer must begin within this time. The API server answers a watch at once and gives up
/// other requests after a minute: <https://kubernetes.io/docs/reference/using-api/api-concepts/>.
const ANSWER_WITHIN: Duration = Duration::from_mins(1);

/// No answer began in time.
#[derive(Debug, thiserror::Error)]
#[error("no answer within {} s", ANSWER_WITHIN.as_secs())]
struct NoAnswer;

/// The same client with a bound on the time until each answer begins, and on what it may say. kube has
/// none of its own: a watch request that is never answered would hang for ever.
pub(super) fn bounded(client: Client) -> Client {
    let namespace = client.default_namespace().to_owned();
    let service = tower::service_fn(move |request: Request<Body>| {
        let client = client.clone();
        async move {
            let bound = Bound::of(&request);
            match tokio::time::timeout(ANSWER_WITHIN, client.send(request)).await {
                Ok(Ok(answer)) => Ok(bound.hold(answer)),
                Ok(Err(error)) => Err(tower::BoxError::from(error)),
                Err(_) => Err(NoAnswer.into()),
            }
        }
    });
    Client::new(service, namespace)
}

/// The same client with a bound on what an answer may say.
pub(super) fn held(client: Client) -> Client {
    let namespace = client.default_namespace().to_owned();
    let service = tower::service_fn(move |request: Request<Body>| {
        let (client, bound) = (client.clone(), Bound::of(&request));
        async move {
            let answer = client.send(request).await;
            answer.map(|answer| bound.hold(answer))
        }
    });
    Client::new(service, namespace)
}

/// The HTTP status that the API server answered with, if it is an error of its own.
pub(super) fn code(error: &kube::Error) -> Option<u16> {
    if let kube::Error::Api(status) = error {
        Some(status.code)
    } else {
        None
    }
}

/// What went wrong, in one line of bounded length.
pub(super) fn describe(error: &kube::Error) -> String {
    let text = if let kube::Error::Api(status) = error {
        format!("{} ({})", status.message, status.code)
    } else if let kube::Error::Service(source) = error {
        chain(&**source)
    } else {
        chain(error)
    };
    one_line(&text)
}

/// `text` in one line of bounded length.
pub(super) fn one_line(text: &str) -> String {
    const LONGEST: usize = 400;
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(LONGEST) {
        line.truncate(end);
        line.push_str("...");
    }
    line
}

/// An error and its causes, each said once.
pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}
