//! Refusals: what GitHub would not take, and when it is asked again. Kept in memory only: a new
//! process asks once more.

use std::sync::Arc;
use std::time::Duration;

use crate::model::gap::Reason;
use crate::model::moment::Moment;
use crate::model::record::Body;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// For how long what is refused is left alone: a minute, doubling to an hour, after a day once a
/// day. What GitHub calls invalid is quarantined: for an hour, doubling to a day. `earlier` says when
/// the same was refused first, and for how long it was left alone last.
pub(super) fn delay(earlier: Option<(Moment, Duration)>, reason: Reason, now: Moment) -> Duration {
    let (least, most) = if reason == Reason::Invalid {
        (HOUR, DAY)
    } else {
        (MINUTE, HOUR)
    };
    match earlier {
        Some((first, _)) if now.since(first) >= DAY => DAY,
        Some((_, delay)) => (delay * 2).min(most),
        None => least,
    }
}

/// What GitHub would not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What was refused.
    pub body: Arc<Body>,
    /// Why.
    pub reason: Reason,
    /// When it is sent again, if it is still wanted then.
    pub retry_at: Moment,
    first: Moment,
    delay: Duration,
    /// The bodies of a decommission that were refused since the last pause.
    tried: Vec<Arc<Body>>,
}

impl Refusal {
    /// A report is refused: asked again after a [`delay`].
    pub(super) fn of_report(
        earlier: Option<&Self>,
        body: &Arc<Body>,
        reason: Reason,
        now: Moment,
    ) -> Self {
        let is_quarantined = |reason| reason == Reason::Invalid;
        let earlier = earlier.filter(|earlier| {
            earlier.body == *body && is_quarantined(earlier.reason) == is_quarantined(reason)
        });
        let delay = delay(earlier.map(|it| (it.first, it.delay)), reason, now);
        let first = earlier.map_or(now, |earlier| earlier.first);
        Self {
            body: body.clone(),
            reason,
            retry_at: now + delay,
            first,
            delay,
            tried: Vec::new(),
        }
    }

    /// A decommission is refused: the next body that GitHub may hold is tried at once; when all
    /// were, again after a minute, doubling to a day.
    pub(super) fn of_end(
        earlier: Option<&Self>,
        body: &Arc<Body>,
        reason: Reason,
        now: Moment,
    ) -> Self {
        let first = earlier.map_or(now, |earlier| earlier.first);
        let (delay, mut tried) = match earlier {
            None => (MINUTE, Vec::new()),
            Some(earlier) if now < earlier.retry_at => (earlier.delay, earlier.tried.clone()),
            Some(earlier) => ((earlier.delay * 2).min(DAY), Vec::new()),
        };
        tried.push(body.clone());
        Self {
            body: body.clone(),
            reason,
            retry_at: now + delay,
            first,
            delay,
            tried,
        }
    }

    /// Which of `bodies` a decommission is to be made of at `now`: the first that was not refused
    /// since the last pause; `None` while it has to wait.
    pub fn next_body<'a>(&self, bodies: &'a [Arc<Body>], now: Moment) -> Option<&'a Arc<Body>> {
        let mut untried = bodies.iter().filter(|body| !self.tried.contains(body));
        untried
            .next()
            .or_else(|| bodies.first().filter(|_| now >= self.retry_at))
    }
}
