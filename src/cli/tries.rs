//! Trying again: what failed in passing is asked for once more, within a bound, at the pace that
//! Writer and Reader keep. Every write may be repeated, because GitHub updates what it has. Which
//! failures pass is said in `github/answer`; what to do about the others in `advice`.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::advice::{About, advice};
use super::waits::Waits;
use crate::github::answer::Failure;
use crate::github::call::Carrier;
use crate::github::exchange::{Exchange, NotSent};
use crate::github::pace::{Reason, Slot};
use crate::github::reader::Reader;
use crate::github::writer::Writer;
use crate::recorder::chain;

/// How often something is asked for that GitHub does not answer properly.
const UNANSWERED: u32 = 3;

/// How often something is asked for that a limit keeps from being done. Each time all waits that
/// GitHub asks for are over.
const LIMITED: u32 = 5;

/// A token that is known not to be there for longer is not waited for.
const SOON: Duration = Duration::from_secs(30);

/// Why something did not come to a good end, however often it was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What is wrong, for a person, on one line.
    pub text: String,
    /// What to do about it, where that is not said with it.
    pub advice: Option<&'static str>,
    /// Whether one of the requests may have been taken all the same.
    pub is_unsure: bool,
    /// What GitHub's last answer was, if there was one to a request that left.
    pub failure: Option<Failure>,
}

/// What came to a good end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done<T> {
    /// What GitHub gave.
    pub given: T,
    /// Whether a request before the last one may have been taken too.
    pub is_unsure: bool,
}

impl Trouble {
    /// Nothing of it was taken.
    pub fn certain(text: String) -> Self {
        Self {
            text,
            advice: None,
            is_unsure: false,
            failure: None,
        }
    }

    /// Whether it was taken is not known.
    pub fn unsure(text: String) -> Self {
        Self {
            is_unsure: true,
            ..Self::certain(text)
        }
    }

    /// Whether the request was too large, so that a part of it may be taken.
    pub fn is_oversized(&self) -> bool {
        matches!(self.failure, Some(Failure::Oversized))
    }

    /// Whether it would be the same with any other request: it is about the token, the version or a
    /// limit, GitHub does not answer, or nothing can be sent.
    pub fn is_general(&self) -> bool {
        match &self.failure {
            None => true,
            Some(failure) => matches!(
                failure,
                Failure::BadToken { .. }
                    | Failure::VersionWithdrawn { .. }
                    | Failure::Limited { .. }
                    | Failure::Unknown { .. }
            ),
        }
    }

    /// Whether GitHub says that it does not find it (404).
    pub fn is_not_found(&self) -> bool {
        self.failure.as_ref().is_some_and(Failure::is_not_found)
    }

    /// All of it in one line.
    pub fn whole(&self) -> String {
        match self.advice {
            Some(advice) => format!("{}; {advice}", self.text),
            None => self.text.clone(),
        }
    }
}

/// Writes by `call` until it is answered for good or is not worth trying again. `mark` is told at
/// each moment whether something is under way that GitHub may take: it is, from just before the
/// first request leaves until one comes back that was definitely not taken.
pub async fn write<S: Carrier, T>(
    writer: &mut Writer<S>,
    organization: &str,
    waits: &Waits<'_>,
    mut mark: impl FnMut(bool),
    mut call: impl AsyncFnMut(&mut Writer<S>) -> Result<Exchange<T>, NotSent>,
) -> Result<Done<T>, Trouble> {
    let mut tries = Tries::default();
    loop {
        let slot = writer.slot(organization);
        waits.heed(slot);
        sleep_until(slot.at).await;
        mark(true);
        let result = call(writer).await;
        if !tries.again(&result) {
            return tries.end(result, About::Writing);
        }
        mark(tries.unanswered > 0);
    }
}

/// Reads by `call` likewise. Reads have no pause of their own after an answer that is none.
pub async fn read<S: Carrier + Clone, T>(
    reader: &Reader<S>,
    waits: &Waits<'_>,
    call: impl AsyncFn(&Reader<S>) -> Result<Exchange<T>, NotSent>,
) -> Result<T, Trouble> {
    let mut tries = Tries::default();
    loop {
        let result = waits.during(|| reader.slot(), call(reader)).await;
        if !tries.again(&result) {
            return tries.end(result, About::Reading).map(|done| done.given);
        }
        if let Some(slot) = tries.pause {
            waits.heed(slot);
            sleep_until(slot.at).await;
        }
    }
}

/// What came of the requests so far.
#[derive(Debug, Default)]
struct Tries {
    unanswered: u32,
    limited: u32,
    token_renewed: bool,
    /// What a read waits for before the next one; the pace of writes knows by itself.
    pause: Option<Slot>,
}

impl Tries {
    /// Whether the same is worth asking for again after this result.
    fn again<T>(&mut self, result: &Result<Exchange<T>, NotSent>) -> bool {
        let pause = |at, reason| Some(Slot { at, reason });
        self.pause = None;
        match result {
            Ok(exchange) => match exchange.failure() {
                Some(Failure::Unknown { .. }) => {
                    self.unanswered += 1;
                    let doubled = Duration::from_secs(1 << self.unanswered.min(6));
                    self.pause = pause(Instant::now() + doubled, Reason::Outage);
                    self.unanswered < UNANSWERED
                }
                Some(Failure::Limited { .. }) => {
                    self.limited += 1;
                    self.limited < LIMITED
                }
                Some(Failure::BadToken { .. }) if exchange.token_renewed => {
                    !std::mem::replace(&mut self.token_renewed, true)
                }
                _ => false,
            },
            Err(NotSent::Credentials(error)) => {
                let soon = Instant::now() + SOON;
                let until = error.until().filter(|until| *until <= soon);
                self.pause = until.and_then(|until| pause(until, Reason::NoToken));
                self.limited += 1;
                until.is_some() && self.limited < LIMITED
            }
            Err(NotSent::Request(_)) => false,
        }
    }

    /// What the last result comes to.
    fn end<T>(
        &self,
        result: Result<Exchange<T>, NotSent>,
        about: About,
    ) -> Result<Done<T>, Trouble> {
        let is_unsure = self.unanswered > 0;
        let exchange = match result {
            Ok(exchange) => exchange,
            Err(error) => {
                return Err(Trouble {
                    is_unsure,
                    ..Trouble::certain(chain(&error))
                });
            }
        };
        let id = exchange.request_id.map(|id| format!(" (request {id})"));
        match exchange.answer {
            Ok(given) => Ok(Done { given, is_unsure }),
            Err(failure) => Err(Trouble {
                text: format!(
                    "{failure}{}{}",
                    id.unwrap_or_default(),
                    self.doubt(&failure)
                ),
                advice: advice(&failure, about),
                is_unsure,
                failure: Some(failure),
            }),
        }
    }

    /// Why it is in doubt although the last answer was definite.
    fn doubt(&self, last: &Failure) -> &'static str {
        let is_definite = !matches!(last, Failure::Unknown { .. });
        if is_definite && self.unanswered > 0 {
            "; the request before was not answered"
        } else {
            ""
        }
    }
}
