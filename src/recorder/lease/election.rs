//! Who may have the Lease, decided without a clock, a network or a look at any machine: what was
//! seen and when comes in, what to do next comes out. The rules are those of client-go
//! (`tools/leaderelection`):
//!
//! * No clock but one's own counts. A Lease of another may be taken when it has not changed for as
//!   long as it lasts, from when it was first seen so; what its times say is not looked at.
//! * Every write is for the Lease as it was seen; whoever comes second with it has failed.
//! * It is one's own from the beginning of a claim that was acknowledged, and for less long than
//!   others wait. So two never have it, unless one's clock runs half as fast again as the other's.

use crate::model::moment::Moment;

use super::RENEW_WITHIN;
use super::record::Record;

#[cfg(test)]
mod tests;

/// The Lease as it was seen, and what a write for just that one needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen<V> {
    pub(super) record: Record,
    pub(super) version: V,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step<V> {
    /// Read the Lease, and say [`Election::found`].
    Look,
    /// Write it as ours if it is still as in `from` (`None`: not there), and say
    /// [`Election::claimed`] or [`Election::outrun`].
    Claim { from: Option<Seen<V>>, why: Why },
    /// Wait a while, but not longer than until that moment.
    Rest { until: Option<Moment> },
    /// It was ours and is another's: nothing more is ever to be done.
    Lost { holder: String },
}

/// Why the Lease may be claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// There is none.
    Missing,
    /// It is ours.
    Ours,
    /// Nobody has it: it was given back.
    Released,
    /// Whoever has it cannot be alive.
    HolderGone,
    /// It has not been renewed for as long as it lasts.
    RanOut,
}

impl Why {
    /// As it stands in logs.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "there was none",
            Self::Ours => "it is ours",
            Self::Released => "it was given back",
            Self::HolderGone => "its holder is gone",
            Self::RanOut => "its holder did not renew it",
        }
    }
}

/// How far an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It begins: what is ours is renewed without a look.
    Begin,
    /// The Lease is to be looked at.
    Look,
    /// It was looked at.
    Looked,
    /// It is over, for better or worse.
    Over,
}

/// One who wants the Lease or has it.
#[derive(Debug)]
pub(super) struct Election<V> {
    me: String,
    stage: Stage,
    seen: Option<Seen<V>>,
    /// Since when the Lease says what it does.
    since: Moment,
    /// When the last claim began that was acknowledged.
    claimed: Option<Moment>,
    /// Whether another one was seen to renew it, or to take it.
    others_live: bool,
}

impl<V: Clone> Election<V> {
    /// Of one who has seen nothing yet.
    pub(super) fn new(me: String) -> Self {
        Self {
            me,
            stage: Stage::Begin,
            seen: None,
            since: Moment::START,
            claimed: None,
            others_live: false,
        }
    }

    /// When the last acknowledged claim began: it is ours from then on.
    pub(super) fn last_claim(&self) -> Option<Moment> {
        self.claimed
    }

    /// Whether the Lease is ours at `now`: others may claim it a while later only.
    pub(super) fn holds(&self, now: Moment) -> bool {
        self.claimed.is_some_and(|claimed| is_ours(claimed, now))
    }

    /// The Lease as it was seen last.
    pub(super) fn seen(&self) -> Option<&Seen<V>> {
        self.seen.as_ref()
    }

    /// Whether another one was seen to renew it, or to take it: so that one is alive.
    pub(super) fn others_live(&self) -> bool {
        self.others_live
    }

    /// What to do at `now`. `is_gone`: whether that holder cannot be alive.
    pub(super) fn next(&mut self, now: Moment, is_gone: impl FnOnce(&str) -> bool) -> Step<V> {
        match self.stage {
            Stage::Begin if self.claimed.is_some() && self.seen.is_some() => self.claim(Why::Ours),
            Stage::Begin | Stage::Look => Step::Look,
            Stage::Looked => self.judge(now, is_gone),
            Stage::Over => {
                self.stage = Stage::Begin;
                Step::Rest { until: None }
            }
        }
    }

    fn judge(&mut self, now: Moment, is_gone: impl FnOnce(&str) -> bool) -> Step<V> {
        let Some(Seen { record, .. }) = &self.seen else {
            return self.claim(Why::Missing);
        };
        let until = self.since + record.lasts;
        let holder = &record.holder;
        if *holder == self.me {
            self.claim(Why::Ours)
        } else if self.claimed.is_some() {
            Step::Lost {
                holder: holder.clone(),
            }
        } else if holder.is_empty() {
            self.claim(Why::Released)
        } else if is_gone(holder) {
            self.claim(Why::HolderGone)
        } else if until <= now {
            self.claim(Why::RanOut)
        } else {
            self.stage = Stage::Begin;
            Step::Rest { until: Some(until) }
        }
    }

    fn claim(&self, why: Why) -> Step<V> {
        Step::Claim {
            from: self.seen.clone(),
            why,
        }
    }

    /// The Lease was read: as it was at some time before `now`.
    pub(super) fn found(&mut self, lease: Option<Seen<V>>, now: Moment) {
        let (before, after) = (record(self.seen.as_ref()), record(lease.as_ref()));
        if before != after {
            self.since = now;
            let another = |holder: &str| !holder.is_empty() && *holder != *self.me;
            self.others_live |= before.is_some() && after.is_some_and(|it| another(&it.holder));
        }
        self.seen = lease;
        self.stage = Stage::Looked;
    }

    /// A claim that began at `begun` was acknowledged: the Lease is now as in `written`.
    pub(super) fn claimed(&mut self, written: Seen<V>, begun: Moment, now: Moment) {
        self.seen = Some(written);
        self.since = now;
        self.claimed = Some(begun);
        self.stage = Stage::Over;
    }

    /// The Lease was not any more as a claim had it.
    pub(super) fn outrun(&mut self) {
        self.stage = match self.stage {
            // What we knew may be our own claim whose answer was lost, or somebody's label.
            Stage::Begin => Stage::Look,
            Stage::Look | Stage::Looked | Stage::Over => Stage::Over,
        };
    }

    /// A look or a claim failed, and nobody knows whether a claim was heard.
    pub(super) fn failed(&mut self) {
        self.stage = Stage::Over;
    }
}

fn record<V>(seen: Option<&Seen<V>>) -> Option<&Record> {
    seen.map(|seen| &seen.record)
}

/// Whether a Lease is ours at `now` if its last acknowledged claim began at `claimed`.
pub(super) fn is_ours(claimed: Moment, now: Moment) -> bool {
    now <= claimed + RENEW_WITHIN
}
