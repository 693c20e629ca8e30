//! The way of one request: counted, logged, judged, struck by faults, applied, answered.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};

use super::Sandbox;
use super::answers::{self, Answer};
use super::call::Call;
use super::deeds::{Apply, Deed, Then};
use super::endpoint::Endpoint;
use super::faults::FaultKind;
use super::log::Entry;
use super::pace::{Counted, Violation};
use super::perform;
use super::strikes::Strike;

/// A request on its way. Whatever ends it, an answer, a broken connection or a client that goes
/// away, it is over when this is dropped.
pub(super) struct Visit {
    pub(super) sandbox: Sandbox,
    pub(super) sequence: u64,
    writes: bool,
    request_id: String,
    pub(super) strikes: Vec<Strike>,
    counted: Counted,
}

impl Drop for Visit {
    fn drop(&mut self) {
        if self.writes {
            self.sandbox.world().pace.end();
        }
        self.sandbox.bump();
    }
}

impl Visit {
    fn begin(sandbox: &Sandbox, request: &Request<Bytes>, call: &Call) -> Self {
        let now = sandbox.elapsed();
        let mut world = sandbox.world();
        let sequence = world.log.next();
        let writes = call.endpoint().is_some_and(Endpoint::writes);
        let counted = world.pace.begin(now, writes);
        let endpoint = call.endpoint();
        let strikes = endpoint.map(|it| world.faults.strike(it, &call.subjects()));
        let strikes = strikes.unwrap_or_default();
        let mistake = call.refusal.as_ref().filter(|(_, mistake)| *mistake);
        let broken = mistake.map(|(refusal, _)| Violation::Contract(refusal.message.clone()));
        let request_id = format!("5B0C:{sequence:04X}:{:08X}", now.as_millis());
        let header = |name| {
            let value = request.headers().get(name);
            let text = value.and_then(|value| value.to_str().ok());
            text.unwrap_or_default().to_owned()
        };
        world.log.push(Entry {
            sequence,
            at: now,
            answered_at: None,
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            endpoint,
            body: call.body.clone(),
            status: None,
            applied: 0,
            violations: broken
                .into_iter()
                .chain(counted.violations.iter().cloned())
                .collect(),
            faults: strikes.iter().map(|strike| strike.kind.clone()).collect(),
            request_id: request_id.clone(),
            user_agent: header("user-agent"),
            api_version: header("x-github-api-version"),
        });
        drop(world);
        sandbox.bump();
        Self {
            sandbox: sandbox.clone(),
            sequence,
            writes,
            request_id,
            strikes,
            counted,
        }
    }

    /// Notes how the request ended.
    fn end(&self, status: Option<StatusCode>) {
        let now = self.sandbox.elapsed();
        if let Some(entry) = self.sandbox.world().log.entry(self.sequence) {
            entry.status = status.map(|status| status.as_u16());
            entry.answered_at = Some(now);
        }
    }
}

/// Answers one request, or breaks its connection (`Err`), or never returns.
pub(super) async fn answer(sandbox: &Sandbox, request: Request<Bytes>) -> io::Result<Answer> {
    let call = {
        let now = sandbox.now();
        Call::read(&request, &sandbox.world(), now)
    };
    let visit = Visit::begin(sandbox, &request, &call);
    let result = act(&call, &visit).await;
    let delay: Duration = visit.strikes.iter().map(|strike| strike.kind.delay()).sum();
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let version = request.headers().get("x-github-api-version");
    let version = version
        .and_then(|value| value.to_str().ok())
        .unwrap_or("2022-11-28");
    let result = result.map(|mut answer| {
        let bare = visit
            .strikes
            .iter()
            .any(|it| matches!(it.kind, FaultKind::Bare { .. }));
        if !bare {
            let moment = (sandbox.now(), sandbox.elapsed());
            let budget = visit.counted.budget;
            answers::decorate(&mut answer, &visit.request_id, version, moment, budget);
        }
        for strike in &visit.strikes {
            if let FaultKind::Announces {
                deprecation,
                sunset,
            } = &strike.kind
            {
                answers::announce(&mut answer, deprecation.as_deref(), sunset.as_deref());
            }
        }
        answer
    });
    visit.end(result.as_ref().ok().map(Answer::status));
    result
}

async fn act(call: &Call, visit: &Visit) -> io::Result<Answer> {
    if let Some(answer) = enforce(visit) {
        return Ok(answer);
    }
    let whole = visit
        .strikes
        .iter()
        .map(|strike| &strike.kind)
        .find(|kind| kind.is_whole());
    let deed = whole.map_or_else(Deed::default, |kind| Deed::of(kind, call, visit));
    let own = match deed.apply {
        Apply::Now => Some(perform::perform(call, visit)),
        Apply::Later(after) => {
            perform::apply_later(call, visit, after);
            None
        }
        Apply::Never => None,
    };
    match deed.then {
        Then::Own => Ok(own.unwrap_or_else(|| answers::plain(500))),
        Then::Say(answer) => Ok(answer),
        Then::Break => {
            let text = "the sandbox broke the connection";
            Err(io::Error::new(io::ErrorKind::ConnectionReset, text))
        }
        Then::Hang => std::future::pending().await,
    }
}

/// The pace, where it is enforced.
fn enforce(visit: &Visit) -> Option<Answer> {
    let mut world = visit.sandbox.world();
    let wait = visit.counted.wait.filter(|_| world.enforce)?;
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    if visit.counted.budget.used > visit.counted.budget.limit {
        let reset = visit.sandbox.now() + wait;
        return Some(answers::throttled(403, None, Some(reset)));
    }
    world.pace.forgive();
    Some(answers::throttled(403, Some(seconds.max(1)), None))
}
