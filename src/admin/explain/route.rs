//! `/api/status/explain`: one explanation, worked out when it is asked for, from what the mirrors show
//! of one namespace and what the last cycle left behind. The recorder's loop is not asked.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use bytes::Bytes;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{Explained, NotFound, Teller, shown};
use crate::admin::{Admin, VERSION};
use crate::clock::Clock;
use crate::model::explain::{Answer, Asked, Books};
use crate::model::moment::Moment;

/// The longest name that anything has, a kind in front of it: a record's has 256 bytes.
const LONGEST: usize = 600;

/// What is asked for.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::admin) struct Question {
    namespace: String,
    name: String,
    container: Option<String>,
}

/// Why there is no answer now.
#[derive(Debug, Serialize)]
struct NotYet {
    error: String,
}

/// The code and the JSON of the answer.
pub(in crate::admin) fn answer(
    admin: &Admin,
    question: Result<Query<Question>, QueryRejection>,
) -> (StatusCode, Bytes) {
    let question = match question {
        Ok(Query(question)) if question.is_short() => question,
        Ok(_) => return failed(StatusCode::BAD_REQUEST, "a name is too long"),
        Err(_) => {
            return failed(
                StatusCode::BAD_REQUEST,
                "give namespace and name, and no key twice",
            );
        }
    };
    let Question {
        namespace,
        name,
        container,
    } = question;
    let asked = Asked::new(&namespace, &name, container.as_deref());
    match explained(admin, &asked) {
        Ok(Ok(explained)) => json(StatusCode::OK, &explained),
        Ok(Err(missing)) => json(StatusCode::NOT_FOUND, &missing),
        Err(why) => failed(StatusCode::SERVICE_UNAVAILABLE, &why),
    }
}

impl Question {
    fn is_short(&self) -> bool {
        let container = self.container.as_deref().unwrap_or_default();
        [&*self.namespace, &*self.name, container]
            .iter()
            .all(|text| text.len() <= LONGEST)
    }
}

/// The answer, or why nothing can be said now.
fn explained(admin: &Admin, asked: &Asked) -> Result<Result<Explained, NotFound>, String> {
    let status = admin.status();
    let (Some(cluster), Some(policy)) = (admin.0.cluster.get(), admin.0.policy.get()) else {
        return Err("the API server is not reached yet".to_owned());
    };
    let Some(plan) = &status.plan else {
        let other = status.holder.as_ref().filter(|holder| !holder.ours);
        return Err(match other {
            Some(holder) => format!("this process stands by; {} holds the Lease", holder.name),
            None => "no cycle has planned anything yet".to_owned(),
        });
    };
    let mut facts = cluster.facts_in(&asked.namespace);
    if let Some(labels) = &status.labels {
        facts.labels = labels.known();
    }
    let books = Books {
        facts: &facts,
        policy,
        plan,
        known: &status.known,
    };
    let answer = Answer::new(asked, books);
    let clock = &admin.0.clock;
    let from = Teller {
        way: "controller".to_owned(),
        version: VERSION.to_owned(),
        now: date(clock.wall()),
        cycles: Some(status.cycles),
    };
    Ok(shown(asked, &answer, from, &|moment| at(clock, moment)))
}

/// The date and time of a moment of this process.
fn at(clock: &Clock, moment: Moment) -> Option<String> {
    let (now, wall) = (clock.now(), clock.wall());
    let time = if moment >= now {
        wall.checked_add(moment.since(now))
    } else {
        wall.checked_sub(now.since(moment))
    };
    time.ok().map(date)
}

fn date(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn failed(code: StatusCode, why: &str) -> (StatusCode, Bytes) {
    let error = why.to_owned();
    json(code, &NotYet { error })
}

fn json<T: Serialize>(code: StatusCode, value: &T) -> (StatusCode, Bytes) {
    match serde_json::to_vec(value) {
        Ok(json) => (code, json.into()),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, Bytes::new()),
    }
}
