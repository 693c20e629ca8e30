//! The routes of the admin server: what a path answers. All of them are GET, nothing is changed by
//! any of them and nothing is cached.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderName, StatusCode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::checks::{self, Check};
use super::explain::route::{self, Question};
use super::metrics::{self, Format};
use super::{Admin, status};

#[cfg(test)]
mod tests;

/// How many status answers are in memory at once. Each is some megabytes in a large cluster, and
/// stays until its client has read it.
const STATUS_ANSWERS: usize = 2;

/// How many explanations are worked out at once. Each reads the pods of one namespace.
const EXPLANATIONS: usize = 2;

/// How long a request waits for one of them.
const STATUS_PATIENCE: Duration = Duration::from_secs(5);

/// What handlers have.
#[derive(Clone)]
struct Desk {
    admin: Admin,
    status_answers: Arc<Semaphore>,
    explanations: Arc<Semaphore>,
}

/// The routes.
pub(super) fn router(admin: Admin) -> Router {
    let desk = Desk {
        admin,
        status_answers: Arc::new(Semaphore::new(STATUS_ANSWERS)),
        explanations: Arc::new(Semaphore::new(EXPLANATIONS)),
    };
    Router::new()
        .route("/livez", get(livez))
        .route("/healthz", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(all_metrics))
        .route("/api/status", get(whole_status))
        .route("/api/status/explain", get(explanation))
        .with_state(desk)
}

async fn livez(State(desk): State<Desk>, RawQuery(query): RawQuery) -> Response {
    let view = &desk.admin.0;
    let checks = checks::live(&desk.admin.status(), view.clock.now(), view.turns_within);
    answer("livez", &checks, query.as_deref())
}

async fn readyz(State(desk): State<Desk>, RawQuery(query): RawQuery) -> Response {
    let mirrors = desk.admin.mirrors();
    let checks = checks::ready(&desk.admin.status(), mirrors.as_deref());
    answer("readyz", &checks, query.as_deref())
}

async fn all_metrics(State(desk): State<Desk>, headers: HeaderMap) -> Response {
    let format = Format::accepted(&headers);
    match metrics::open_metrics(&desk.admin) {
        Ok(page) => page_of(StatusCode::OK, format.content_type(), format.page(page)),
        Err(_) => failed("metrics cannot be written"),
    }
}

async fn whole_status(State(desk): State<Desk>) -> Response {
    let permit = timeout(STATUS_PATIENCE, desk.status_answers.acquire_owned()).await;
    let Ok(Ok(permit)) = permit else {
        return busy();
    };
    match status::json(&desk.admin) {
        Ok(json) => {
            let json = Bytes::from_owner(Held {
                json,
                _permit: permit,
            });
            page_of(StatusCode::OK, "application/json", json)
        }
        Err(_) => failed("the status cannot be written"),
    }
}

async fn explanation(
    State(desk): State<Desk>,
    question: Result<Query<Question>, QueryRejection>,
) -> Response {
    let permit = timeout(STATUS_PATIENCE, desk.explanations.acquire_owned()).await;
    let Ok(Ok(permit)) = permit else {
        return busy();
    };
    // All of a namespace is gone through, and nothing else of this thread is to wait for that. Whoever
    // hangs up ends none of it, so it keeps the permit.
    let answered = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        route::answer(&desk.admin, question)
    });
    match answered.await {
        Ok((code, json)) => page_of(code, "application/json", json),
        Err(_) => failed("the explanation cannot be written"),
    }
}

fn busy() -> Response {
    let busy = "others are reading the status, try again\n";
    let page = page_of(StatusCode::SERVICE_UNAVAILABLE, TEXT, busy);
    ([(RETRY_AFTER, "5")], page).into_response()
}

/// A status answer, which gives its permit back when the last of it is sent.
struct Held {
    json: Vec<u8>,
    _permit: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.json
    }
}

const TEXT: &str = "text/plain; charset=utf-8";

/// The answer of `endpoint`: all checks if one failed or `verbose` is asked for, whatever its
/// value.
fn answer(endpoint: &str, checks: &[Check], query: Option<&str>) -> Response {
    let passed = checks.iter().all(Check::passed);
    let verbose = query
        .unwrap_or_default()
        .split('&')
        .any(|pair| pair.split('=').next() == Some("verbose"));
    let (code, verdict) = if passed {
        (StatusCode::OK, "passed")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "failed")
    };
    let text = if verbose || !passed {
        // Names of kinds and errors come from the cluster: none of them is to make a line of its own.
        let line = |check: &Check| check.to_string().replace(char::is_control, "?") + "\n";
        let lines: String = checks.iter().map(line).collect();
        format!("{lines}{endpoint} check {verdict}\n")
    } else {
        "ok\n".to_owned()
    };
    page_of(code, TEXT, text)
}

fn failed(what: &'static str) -> Response {
    page_of(StatusCode::INTERNAL_SERVER_ERROR, TEXT, what)
}

fn page_of(code: StatusCode, kind: &'static str, page: impl Into<Bytes>) -> Response {
    let headers: [(HeaderName, &str); 3] = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (code, headers, page.into()).into_response()
}
