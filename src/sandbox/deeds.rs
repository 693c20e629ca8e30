//! What a fault does to a request: whether it is applied, and what the client sees.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use super::answers::{self, Answer};
use super::call::Call;
use super::faults::FaultKind;
use super::flow::Visit;

/// When a request is applied.
#[derive(Debug)]
pub(super) enum Apply {
    Now,
    Later(Duration),
    Never,
}

/// What the client sees.
#[derive(Debug)]
pub(super) enum Then {
    /// The sandbox's own answer.
    Own,
    /// This answer.
    Say(Answer),
    /// A broken connection.
    Break,
    /// Nothing, for good.
    Hang,
}

/// Both.
#[derive(Debug)]
pub(super) struct Deed {
    pub(super) apply: Apply,
    pub(super) then: Then,
}

impl Default for Deed {
    fn default() -> Self {
        Self {
            apply: Apply::Now,
            then: Then::Own,
        }
    }
}

impl Deed {
    fn say(answer: Answer) -> Self {
        Self {
            apply: Apply::Never,
            then: Then::Say(answer),
        }
    }

    fn garbage(applied: bool, answer: Answer) -> Self {
        let apply = if applied { Apply::Now } else { Apply::Never };
        Self {
            apply,
            then: Then::Say(answer),
        }
    }

    /// What this fault does to this request.
    pub(super) fn of(kind: &FaultKind, call: &Call, visit: &Visit) -> Self {
        match kind {
            FaultKind::Poison { .. } if call.refusal.is_some() => Self::default(),
            FaultKind::Poison { status }
            | FaultKind::TooHeavy { status, .. }
            | FaultKind::Status { status }
            | FaultKind::Bare { status } => Self::say(answers::plain(*status)),
            FaultKind::NamingRepositories { status } => Self::say(naming(*status, call, visit)),
            FaultKind::Throttled {
                status,
                retry_after,
                reset_after,
            } => {
                let now = visit.sandbox.now();
                let reset = reset_after.map(|after| now + Duration::from_secs(after));
                Self::say(answers::throttled(*status, *retry_after, reset))
            }
            FaultKind::Redirect { status, location } => {
                let location = location.as_deref().unwrap_or(&call.path);
                Self::say(answers::redirect(*status, location))
            }
            FaultKind::Reset => Self {
                apply: Apply::Never,
                then: Then::Break,
            },
            FaultKind::Hang => Self {
                apply: Apply::Never,
                then: Then::Hang,
            },
            FaultKind::Lost { hang: true } => Self {
                apply: Apply::Now,
                then: Then::Hang,
            },
            FaultKind::Lost { hang: false } => Self {
                apply: Apply::Now,
                then: Then::Break,
            },
            FaultKind::Late { seconds } => Self {
                apply: Apply::Later(Duration::from_secs(*seconds)),
                then: Then::Break,
            },
            FaultKind::Html { applied } => Self::garbage(*applied, html()),
            FaultKind::WrongShape { applied } => Self::garbage(*applied, wrong_shape()),
            FaultKind::UnknownDigest
            | FaultKind::Unauthorized
            | FaultKind::NothingFound
            | FaultKind::StrangeRecord
            | FaultKind::StrangeCause
            | FaultKind::Slow { .. }
            | FaultKind::JobFails
            | FaultKind::ShortList
            | FaultKind::ListsStatus
            | FaultKind::Announces { .. } => Self::default(),
        }
    }
}

fn naming(status: u16, call: &Call, visit: &Visit) -> Answer {
    let subjects = call.subjects();
    let named = subjects
        .iter()
        .map(|it| it.repository)
        .filter(|it| !it.is_empty());
    let mut world = visit.sandbox.world();
    let list: Value = if status == 403 {
        named
            .map(|name| Value::from(world.origins.repository_id(name)))
            .collect()
    } else {
        named.map(Value::from).collect()
    };
    answers::naming(status, &list)
}

fn html() -> Answer {
    let page = "<!doctype html><title>Sign in</title><p>Please sign in to the proxy.";
    answers::typed(StatusCode::OK, "text/html", page)
}

fn wrong_shape() -> Answer {
    answers::json(
        StatusCode::OK,
        &json!({"total_count": "many", "records": null}),
    )
}
