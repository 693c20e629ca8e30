//! Refusals: what GitHub would not take, and when it is asked again. Kept in memory only: a new
//! process asks once more.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::model::gap::Reason;
use crate::model::moment::Moment;
use crate::model::record::{Body, Identity, Line};

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

/// How many bodies of one name are remembered as refused: what is held, and what is wanted instead.
const MOST_BODIES: usize = 2;

/// Refused reports, by name and body; the one that was refused last comes last. Few names have any.
#[derive(Clone, Debug, Default)]
pub(super) struct Refusals(BTreeMap<Identity, Vec<Refusal>>);

impl Refusals {
    /// Every refusal, by identity.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Identity, &Refusal)> {
        let names = self.0.iter();
        names.flat_map(|(identity, refused)| refused.iter().map(move |one| (identity, one)))
    }

    /// The refusal of that very body under that identity.
    pub(super) fn of(&self, identity: &Identity, body: &Body) -> Option<&Refusal> {
        let mut refused = self.0.get(identity)?.iter();
        refused.find(|refusal| *refusal.body == *body)
    }

    /// The report of `line` is refused.
    pub(super) fn refused(&mut self, line: &Line, reason: Reason, now: Moment) {
        let earlier = self.of(&line.identity, &line.body);
        let refusal = Refusal::of_report(earlier, &line.body, reason, now);
        let refused = self.0.entry(line.identity.clone()).or_default();
        refused.retain(|earlier| earlier.body != line.body);
        if refused.len() == MOST_BODIES {
            refused.remove(0);
        }
        refused.push(refusal);
    }

    /// The report of `line` is acknowledged; `known` says whether it was so before. What is held may
    /// be taken again while a change to it is still refused; a change that is taken makes history of
    /// every refusal.
    pub(super) fn taken(&mut self, line: &Line, known: bool) {
        let Some(refused) = self.0.get_mut(&line.identity) else {
            return;
        };
        refused.retain(|refusal| known && refusal.body != line.body);
        if refused.is_empty() {
            self.0.remove(&line.identity);
        }
    }

    /// Forgets what is due, apart from names that are `needed`.
    pub(super) fn forget_due(&mut self, needed: impl Fn(&Identity) -> bool, now: Moment) {
        self.0.retain(|identity, refused| {
            refused.iter().any(|refusal| now < refusal.retry_at) || needed(identity)
        });
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
    /// A report is refused, after it was `earlier` already or not: asked again after a [`delay`].
    fn of_report(earlier: Option<&Self>, body: &Arc<Body>, reason: Reason, now: Moment) -> Self {
        let is_quarantined = reason == Reason::Invalid;
        let earlier =
            earlier.filter(|earlier| (earlier.reason == Reason::Invalid) == is_quarantined);
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
