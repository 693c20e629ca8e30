//! What the body of an answer says: which lines of the request it names, and what a person should
//! know of an error.

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::Value;

use super::super::rate::Rate;
use super::super::wire;
use super::{Answer, Doubt, Refusal, tidy};
use crate::model::record::{Identity, Line};

/// A 200 acknowledges every line. A 207 does so for those that it does not name, but only if each
/// of its errors names one: an error about nothing we know may be about any of them. The contract
/// has no errors in a 200; should there be some, they are not overlooked.
pub(super) fn success(status: StatusCode, body: &[u8], lines: &[Line]) -> Answer {
    let doubt = |problem: &str| Answer::Unknown {
        why: Doubt::Body {
            status,
            problem: tidy(problem),
        },
    };
    let answer: wire::SetAnswer = match serde_json::from_slice(body) {
        Ok(wire::Object(answer)) => answer,
        Err(error) => return doubt(&error.to_string()),
    };
    let errors = answer.errors.unwrap_or_default();
    if errors.is_empty() {
        let is_whole = status == StatusCode::OK;
        return if is_whole {
            Answer::Acknowledged
        } else {
            doubt("it names no errors")
        };
    }
    let indices: BTreeMap<&Identity, usize> = lines
        .iter()
        .enumerate()
        .map(|(index, line)| (&line.identity, index))
        .collect();
    let mut outcomes: BTreeMap<usize, Option<Refusal>> = BTreeMap::new();
    for wire::Object(error) in &errors {
        let Some(index) = named(error, &indices, lines) else {
            return doubt("one of its errors names no record of the request");
        };
        let refusal = match error.cause.as_deref() {
            Some("not_found") => Some(Refusal::NotFound),
            Some("unauthorized") => Some(Refusal::Unauthorized),
            _ => None,
        };
        // Named twice: refused only if both causes are refusals.
        let outcome = outcomes.entry(index).or_insert(refusal);
        *outcome = refusal.and(*outcome);
    }
    let refused = outcomes
        .iter()
        .filter_map(|(index, refusal)| Some((*index, (*refusal)?)));
    let unknown = outcomes
        .iter()
        .filter(|(_, refusal)| refusal.is_none())
        .map(|(index, _)| *index);
    Answer::Partial {
        refused: refused.collect(),
        unknown: unknown.collect(),
    }
}

/// The index of the line that an error is about: that of its name, if a digest beside it agrees.
fn named(
    error: &wire::RecordError,
    indices: &BTreeMap<&Identity, usize>,
    lines: &[Line],
) -> Option<usize> {
    let wire::Object(deployment) = error.deployment.as_ref()?;
    let name = deployment.deployment_name.as_deref()?.into();
    let destination = &lines.first()?.identity.destination;
    let index = *indices.get(&Identity {
        destination: destination.clone(),
        name,
    })?;
    let digest = lines.get(index)?.body.digest.to_string();
    let agrees = deployment
        .digest
        .as_deref()
        .is_none_or(|given| given == digest);
    agrees.then_some(index)
}

/// A 403 or 404 is about repositories if it names some, else a 403 may be a limit, else it is
/// about the organization. GitHub sends its secondary limit as a 403 too, and not always with
/// headers: then its text tells.
pub(super) fn denial(status: StatusCode, rate: &Rate, body: &[u8]) -> Answer {
    let ErrorText {
        text: message,
        repositories,
        names_limit,
    } = ErrorText::read(body);
    if !repositories.is_empty() {
        return Answer::NamesRepositories {
            status,
            repositories,
            message,
        };
    }
    if status == StatusCode::FORBIDDEN && (rate.limits() || names_limit) {
        return Answer::Limited { status, message };
    }
    Answer::NoAccess { status, message }
}

/// What can be told from the body of an error.
pub(super) struct ErrorText {
    pub(super) text: String,
    repositories: Vec<String>,
    names_limit: bool,
}

impl ErrorText {
    pub(super) fn read(body: &[u8]) -> Self {
        let wire::ErrorBody {
            message,
            documentation_url,
            errors,
        } = serde_json::from_slice(body).unwrap_or_default();
        let limit = |value: &Value, words: &str| {
            value
                .as_str()
                .is_some_and(|text| text.to_ascii_lowercase().contains(words))
        };
        let names_limit = limit(&message, "rate limit") || limit(&documentation_url, "rate-limit");
        let (main, repositories) =
            match serde_json::from_value::<wire::AboutRepositories>(message.clone()) {
                Ok(about) => (about.cause, about.repositories),
                Err(_) => (message, Vec::new()),
            };
        let parts = [&main, &errors]
            .into_iter()
            .map(plain)
            .filter(|part| !part.is_empty());
        let text = parts.collect::<Vec<_>>().join(" ");
        Self {
            text: if text.is_empty() {
                "no message".to_owned()
            } else {
                tidy(&text)
            },
            repositories: repositories.iter().map(|one| tidy(&plain(one))).collect(),
            names_limit,
        }
    }
}

/// A JSON value as a person would write it.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}
