//! The sandbox's own interface under `/sandbox`: what it holds, and its switches. Not GitHub's.

use axum::extract::{Path, Query, State};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{AppChange, Attestation, Entry, Fault, Record, Sandbox, Status};

pub(super) fn router() -> Router<Sandbox> {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/records", get(records))
        .route("/records/history", get(history))
        .route("/storage-records", get(storage))
        .route("/requests", get(requests))
        .route("/violations", get(violations))
        .route("/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/faults/{number}", delete(clear_fault))
        .route("/attestations", get(attestations).post(attest))
        .route("/settings", post(settings))
        .route("/app", get(app).post(change_app))
}

/// `version` changes with everything that changes; `at` is now, in the seconds that everything here
/// tells its moments in.
async fn healthz(State(sandbox): State<Sandbox>) -> Json<Value> {
    let version = *sandbox.subscribe().borrow();
    let at = sandbox.elapsed().as_secs_f64();
    Json(json!({"ok": true, "version": version, "at": at, "requests": sandbox.request_count()}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    environment: Option<String>,
    cluster: Option<String>,
    name: Option<String>,
    digest: Option<String>,
    status: Option<Status>,
}

impl Wanted {
    fn takes(&self, record: &Record) -> bool {
        let is =
            |wanted: &Option<String>, given: &str| wanted.as_deref().is_none_or(|it| it == given);
        is(&self.environment, &record.key.logical_environment)
            && is(&self.cluster, &record.key.cluster)
            && is(&self.name, &record.key.deployment_name)
            && is(&self.digest, &record.digest)
            && self.status.is_none_or(|status| status == record.status)
    }
}

async fn records(State(sandbox): State<Sandbox>, Query(wanted): Query<Wanted>) -> Json<Value> {
    let mut records = sandbox.records();
    records.retain(|record| wanted.takes(record));
    Json(json!({"total_count": records.len(), "records": records}))
}

#[derive(Deserialize)]
struct Named {
    environment: String,
    name: String,
}

async fn history(State(sandbox): State<Sandbox>, Query(of): Query<Named>) -> Json<Value> {
    Json(json!({"changes": sandbox.history(&of.environment, &of.name)}))
}

async fn storage(State(sandbox): State<Sandbox>) -> Json<Value> {
    Json(json!({"records": sandbox.storage_records()}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Window {
    /// Only requests after the one of this number.
    #[serde(default)]
    after: u64,
    /// Only the newest so many.
    limit: Option<usize>,
    /// `false`: without their bodies.
    bodies: Option<bool>,
}

async fn requests(State(sandbox): State<Sandbox>, Query(window): Query<Window>) -> Json<Value> {
    let mut requests: Vec<Entry> = sandbox.requests();
    requests.retain(|entry| entry.sequence > window.after);
    let surplus = window
        .limit
        .map_or(0, |limit| requests.len().saturating_sub(limit));
    requests.drain(..surplus);
    if window.bodies == Some(false) {
        for entry in &mut requests {
            entry.body = None;
        }
    }
    Json(json!({"total_count": sandbox.request_count(), "requests": requests}))
}

async fn violations(State(sandbox): State<Sandbox>) -> Json<Value> {
    let told = |(request, violation)| json!({"request": request, "violation": violation});
    let violations: Vec<Value> = sandbox.violations().into_iter().map(told).collect();
    Json(json!({"total_count": violations.len(), "violations": violations}))
}

async fn faults(State(sandbox): State<Sandbox>) -> Json<Value> {
    let told = |(number, fault)| json!({"number": number, "fault": fault});
    let faults: Vec<Value> = sandbox.faults().into_iter().map(told).collect();
    Json(json!({"faults": faults}))
}

/// A misspelt field would make another fault than was meant, so it is refused.
async fn add_fault(
    State(sandbox): State<Sandbox>,
    Json(given): Json<Value>,
) -> Result<(StatusCode, Json<Value>), (StatusCode, String)> {
    let refuse = |text: String| (StatusCode::UNPROCESSABLE_ENTITY, text);
    let fault = Fault::deserialize(&given).map_err(|error| refuse(error.to_string()))?;
    let known = serde_json::to_value(&fault).unwrap_or_default();
    let fields = given
        .as_object()
        .into_iter()
        .flatten()
        .map(|(field, _)| field);
    if let Some(field) = fields
        .into_iter()
        .find(|field| known.get(field.as_str()).is_none())
    {
        return Err(refuse(format!("unknown field of this fault: {field}")));
    }
    Ok((
        StatusCode::CREATED,
        Json(json!({"number": sandbox.fault(fault)})),
    ))
}

async fn clear_faults(State(sandbox): State<Sandbox>) -> StatusCode {
    sandbox.clear();
    StatusCode::NO_CONTENT
}

async fn clear_fault(State(sandbox): State<Sandbox>, Path(number): Path<u64>) -> StatusCode {
    sandbox.clear_fault(number);
    StatusCode::NO_CONTENT
}

async fn attestations(State(sandbox): State<Sandbox>) -> Json<Value> {
    Json(json!({"attestations": sandbox.attestations()}))
}

async fn attest(State(sandbox): State<Sandbox>, Json(it): Json<Attestation>) -> StatusCode {
    sandbox.attest(it);
    StatusCode::NO_CONTENT
}

/// What is left out stays as it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switches {
    /// The only token accepted; empty: any.
    token: Option<String>,
    enforce_pace: Option<bool>,
    unknown_digests: Option<bool>,
}

async fn settings(State(sandbox): State<Sandbox>, Json(given): Json<Switches>) -> StatusCode {
    if let Some(token) = given.token {
        sandbox.set_token(Some(token).filter(|token| !token.is_empty()));
    }
    if let Some(enforce) = given.enforce_pace {
        sandbox.set_enforce_pace(enforce);
    }
    if let Some(unknown) = given.unknown_digests {
        sandbox.set_unknown_digests(unknown);
    }
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InstalledIn {
    org: Option<String>,
}

async fn app(State(sandbox): State<Sandbox>, Query(of): Query<InstalledIn>) -> Json<Value> {
    Json(sandbox.app(of.org.as_deref()))
}

async fn change_app(
    State(sandbox): State<Sandbox>,
    Json(change): Json<AppChange>,
) -> Result<StatusCode, (StatusCode, String)> {
    match sandbox.change_app(change) {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(problem) => Err((StatusCode::UNPROCESSABLE_ENTITY, problem.to_owned())),
    }
}
