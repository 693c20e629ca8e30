//! How answers look on the wire: statuses, bodies and the headers that GitHub puts on each of them.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use jiff::{Timestamp, fmt::rfc2822::DateTimePrinter};
use serde_json::{Value, json};

use super::pace::Budget;
use super::rules::Refusal;

pub(super) type Answer = Response<Bytes>;

const DOCUMENTATION: &str = "https://docs.github.com/rest/orgs/artifact-metadata";
const SECONDARY: &str = "You have exceeded a secondary rate limit. Please wait a few minutes before \
                         you try again.";

/// Any status; numbers outside HTTP become 500.
pub(super) fn status(number: u16) -> StatusCode {
    StatusCode::from_u16(number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

pub(super) fn json(status: StatusCode, body: &Value) -> Answer {
    typed(status, "application/json; charset=utf-8", body.to_string())
}

pub(super) fn typed(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

/// GitHub's basic error.
pub(super) fn error(status: StatusCode, message: &str) -> Answer {
    error_with(status, &json!(message), &[])
}

fn error_with(status: StatusCode, message: &Value, details: &[String]) -> Answer {
    let mut body = json!({
        "message": message,
        "documentation_url": DOCUMENTATION,
        "status": status.as_str(),
    });
    if let (false, Some(object)) = (details.is_empty(), body.as_object_mut()) {
        let errors = details
            .iter()
            .map(|text| json!({"code": "custom", "message": text}));
        object.insert("errors".to_owned(), errors.collect());
    }
    json(status, &body)
}

/// A request that breaks a rule.
pub(super) fn refused(refusal: &Refusal) -> Answer {
    error_with(refusal.status, &json!(refusal.message), &refusal.details)
}

/// What GitHub says with this status when it has nothing more to say.
pub(super) fn plain(number: u16) -> Answer {
    let message = match number {
        401 => "Bad credentials",
        403 => "Resource not accessible by personal access token",
        404 => "Not Found",
        409 => "Conflict",
        410 => "This version of the API is not supported any more",
        413 => "Payload too large",
        400 | 422 => "Validation Failed",
        429 => "Too many requests",
        _ => "Server Error",
    };
    error(status(number), message)
}

/// A 403 or 404 whose message is an object: no one-record answer ever has it.
pub(super) fn naming(number: u16, repositories: &Value) -> Answer {
    let cause = if number == 403 {
        "artifact metadata write permission required on one or more repositories"
    } else {
        "One or more repositories do not exist"
    };
    error_with(
        status(number),
        &json!({"cause": cause, "repositories": repositories}),
        &[],
    )
}

/// A rate limit. `reset`: nothing remains until then.
pub(super) fn throttled(number: u16, retry_after: Option<u64>, reset: Option<Timestamp>) -> Answer {
    let message = if reset.is_some() {
        "API rate limit exceeded."
    } else {
        SECONDARY
    };
    let mut answer = error(status(number), message);
    if let Some(seconds) = retry_after {
        put(&mut answer, "retry-after", &seconds.to_string());
    }
    if let Some(reset) = reset {
        put(&mut answer, "x-ratelimit-remaining", "0");
        put(
            &mut answer,
            "x-ratelimit-reset",
            &reset.as_second().to_string(),
        );
    }
    answer
}

/// A redirect, with a body as GitHub's.
pub(super) fn redirect(number: u16, location: &str) -> Answer {
    let body = json!({"message": "Moved", "url": location, "documentation_url": DOCUMENTATION});
    let mut answer = json(status(number), &body);
    put(&mut answer, "location", location);
    answer
}

/// The records of one digest. `short`: the last one is counted and left out.
pub(super) fn list(field: &str, mut records: Vec<Value>, short: bool) -> Answer {
    let total = records.len();
    if short {
        records.pop();
    }
    json(
        StatusCode::OK,
        &json!({"total_count": total, field: records}),
    )
}

/// Records: 200, or 207 when some of the request's records were refused.
pub(super) fn records(
    field: &str,
    records: Vec<Value>,
    returned: bool,
    errors: Vec<Value>,
) -> Answer {
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::MULTI_STATUS
    };
    let mut body = json!({"total_count": records.len()});
    if let Some(object) = body.as_object_mut() {
        if returned {
            object.insert(field.to_owned(), Value::Array(records));
        }
        if !errors.is_empty() {
            object.insert("errors".to_owned(), Value::Array(errors));
        }
    }
    json(status, &body)
}

/// What every answer of GitHub carries; what is there already stays.
pub(super) fn decorate(
    answer: &mut Answer,
    request_id: &str,
    version: &str,
    (now, elapsed): (Timestamp, Duration),
    budget: Budget,
) {
    let reset = now + budget.reset.saturating_sub(elapsed);
    let fields = [
        (
            "date",
            DateTimePrinter::new()
                .timestamp_to_rfc9110_string(&now)
                .unwrap_or_default(),
        ),
        ("server", "github-sandbox".to_owned()),
        ("x-github-request-id", request_id.to_owned()),
        ("x-github-media-type", "github.v3; format=json".to_owned()),
        ("x-github-api-version-selected", version.to_owned()),
        ("x-ratelimit-limit", budget.limit.to_string()),
        ("x-ratelimit-remaining", budget.remaining().to_string()),
        ("x-ratelimit-used", budget.used.to_string()),
        ("x-ratelimit-reset", reset.as_second().to_string()),
        ("x-ratelimit-resource", "core".to_owned()),
    ];
    for (name, value) in fields {
        if !answer.headers().contains_key(name) {
            put(answer, name, &value);
        }
    }
}

/// What an answer announces about its own end.
pub(super) fn announce(answer: &mut Answer, deprecation: Option<&str>, sunset: Option<&str>) {
    for (name, value) in [("deprecation", deprecation), ("sunset", sunset)] {
        if let Some(value) = value {
            put(answer, name, value);
        }
    }
}

fn put(answer: &mut Answer, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer
            .headers_mut()
            .insert(HeaderName::from_static(name), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throttled_answer_keeps_its_own_reset() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let mut answer = throttled(403, None, Some(now + Duration::from_secs(90)));
        let budget = Budget {
            limit: 5000,
            used: 3,
            reset: Duration::from_hours(1),
        };
        decorate(
            &mut answer,
            "id",
            "2022-11-28",
            (now, Duration::from_mins(10)),
            budget,
        );
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("x-ratelimit-remaining"), "0");
        assert_eq!(header("x-ratelimit-reset"), "1000090");
        assert_eq!(header("x-ratelimit-used"), "3");
        assert_eq!(header("date"), "Mon, 12 Jan 1970 13:46:40 GMT");
    }

    #[test]
    fn the_reset_of_the_budget_is_a_moment_of_the_wall_clock() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let mut answer = plain(200);
        let budget = Budget {
            limit: 5000,
            used: 3,
            reset: Duration::from_hours(1),
        };
        decorate(
            &mut answer,
            "id",
            "2022-11-28",
            (now, Duration::from_mins(10)),
            budget,
        );
        assert_eq!(answer.headers()["x-ratelimit-reset"], "1003000");
        assert_eq!(answer.headers()["x-ratelimit-remaining"], "4997");
    }
}
