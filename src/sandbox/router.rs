//! The sandbox over HTTP: GitHub's endpoints, the sandbox's own under `/sandbox`, the page at `/`.

use std::io;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use tokio::net::TcpListener;

use super::connection::{Line, Lines};
use super::{Sandbox, admin, answers, flow, page};

/// The largest body taken; beyond it the answer is 413.
const MAX_BODY: usize = 32 << 20;

impl Sandbox {
    /// Everything the sandbox serves. Only under [`serve`] can a fault break the connection; a
    /// router served otherwise answers such a request with 500. In process use [`Sandbox::service`].
    pub fn router(&self) -> Router {
        Router::new()
            .route("/", get(show))
            // A browser asks for it unbidden; it must not stand in the log as a mistake.
            .route("/favicon.ico", get(|| async { StatusCode::NO_CONTENT }))
            .nest("/sandbox", admin::router())
            .fallback(github)
            .with_state(self.clone())
    }
}

/// Serves a sandbox until the future is dropped.
///
/// # Errors
///
/// Whatever ends the listener; so far nothing does.
pub async fn serve(listener: TcpListener, sandbox: Sandbox) -> io::Result<()> {
    let service = sandbox
        .router()
        .into_make_service_with_connect_info::<Line>();
    axum::serve(Lines(listener), service).await
}

async fn show(State(sandbox): State<Sandbox>) -> Html<String> {
    Html(page::render(&sandbox))
}

async fn github(State(sandbox): State<Sandbox>, request: Request) -> Response {
    let line = request
        .extensions()
        .get::<ConnectInfo<Line>>()
        .map(|info| info.0.clone());
    let (head, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, MAX_BODY).await else {
        return answers::plain(StatusCode::PAYLOAD_TOO_LARGE.as_u16()).map(Body::from);
    };
    let request: http::Request<Bytes> = http::Request::from_parts(head, bytes);
    match flow::answer(&sandbox, request).await {
        Ok(answer) => answer.map(Body::from),
        Err(error) => {
            if let Some(line) = line {
                line.cut();
            }
            (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response()
        }
    }
}
