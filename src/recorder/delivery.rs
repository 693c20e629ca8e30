//! Delivery: batches out, outcomes into the ledger. What is sent next is decided in `search`, what an
//! answer means for each line in `outcome`, what GitHub's bytes mean in `github`, what an outcome does
//! in `model::ledger`.

use std::time::Duration;

use futures::FutureExt as _;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::github::answer::{Answer, Failure};
use crate::github::exchange::{Exchange, NotSent};
use crate::github::pace::Purpose;
use crate::model::ledger::Outcome;
use crate::model::moment::Moment;
use crate::model::record::{Destination, Line};

use super::batch::Batch;
use super::search::{self, Ruling, Search};
use super::{Recorder, Transport};

/// A cycle waits no longer than this for anything; a longer pause ends it.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// No plan is sent that is older.
const STALE: Duration = Duration::from_mins(1);

/// How long a request may still take once the process is to stop.
const LAST_WAIT: Duration = Duration::from_secs(10);

/// What the requests of one cycle share.
pub(super) struct Run {
    clock: Clock,
    /// When it began, which is before its plan was made: of a machine that was suspended since, the
    /// clock that goes on tells how old that is.
    begun: Moment,
    /// When the first change that it is about was seen, if it is about one.
    pub(super) changed_at: Option<Instant>,
    /// How many were tried.
    pub(super) requests: usize,
}

impl Run {
    /// One begins.
    pub(super) fn new(clock: Clock, changed_at: Option<Instant>) -> Self {
        Self {
            clock,
            begun: clock.boot_time(),
            changed_at,
            requests: 0,
        }
    }

    /// How long ago it began.
    pub(super) fn age(&self) -> Duration {
        self.clock.boot_time().since(self.begun)
    }

    /// Whether its plan is too old to be sent.
    pub(super) fn is_stale(&self) -> bool {
        self.age() > STALE
    }
}

/// Whether a cycle goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// It does: everything was sent.
    Next,
    /// Only with other organizations: not all was sent, because this one is left alone for longer
    /// than a cycle waits.
    Paused,
    /// Not: the plan is too old, the process is to stop, or it may not write.
    End,
}

/// Whether a request may leave.
pub(super) enum Turn {
    /// It may.
    Now,
    /// Its destination is left alone for longer than a cycle waits.
    Paused,
    /// Nothing leaves any more within this cycle.
    Over,
    /// There is no token for it.
    NoToken(NotSent),
}

/// What became of one request.
#[derive(Debug, PartialEq, Eq)]
enum Exchanged {
    /// It left, and this is the answer, if one came.
    Answered(Answer),
    /// It did not leave: it would break the contract.
    Unlawful,
    /// It did not leave: its destination is left alone for longer than a cycle waits.
    Paused,
    /// Nothing leaves any more within this cycle.
    Over,
}

impl<S: Transport> Recorder<S> {
    /// Sends what the search gives, until it gives nothing more.
    pub(super) async fn deliver(&mut self, search: &mut Search<'_>, run: &mut Run) -> Flow {
        let mut flow = Flow::Next;
        loop {
            // A change does not wait until everything that is at fault is found.
            if search.may_wait() && self.cluster.changed().now_or_never().is_some() {
                self.schedule.changed(Instant::now());
                flow = Flow::End;
                break;
            }
            let now = Instant::now();
            search.prefer(|batch| self.rank(batch, now));
            let Some(batch) = search.next() else {
                break;
            };
            let lines = batch.lines();
            run.requests += 1;
            self.beat();
            match self.exchange(&batch, &lines, search, run).await {
                Exchanged::Answered(answer) => {
                    if search::is_shut(&answer) && !search.doubts(&batch, &answer) {
                        flow = Flow::Paused;
                    }
                    let is_unknown = matches!(answer, Err(Failure::Unknown { .. }));
                    match search.answered(batch, &answer) {
                        Ruling::Settled => self.settle(&lines, &answer, run),
                        Ruling::Later => {}
                        Ruling::Refused(line, reason) => {
                            self.book(&[line], Outcome::Refused(reason));
                        }
                        Ruling::Dropped => self.book(&lines, Outcome::NotApplied),
                    }
                    // What may hang is not waited for twice while others have something to say.
                    if is_unknown && self.cluster.changed().now_or_never().is_some() {
                        self.schedule.changed(Instant::now());
                        flow = Flow::End;
                        break;
                    }
                }
                Exchanged::Unlawful => self.leave_out_unlawful(&batch, search),
                Exchanged::Paused => {
                    self.book(&lines, Outcome::NotApplied);
                    flow = Flow::Paused;
                }
                Exchanged::Over => {
                    self.book(&lines, Outcome::NotApplied);
                    flow = Flow::End;
                    break;
                }
            }
        }
        for batch in search.rest() {
            self.book(&batch.lines(), Outcome::NotApplied);
        }
        self.judge(&search.verdict());
        flow
    }

    /// What comes first: what may leave first; of that what goes where something was taken before;
    /// and where an organization may hang or meet a limit, the others.
    fn rank(&self, batch: &Batch, now: Instant) -> impl Ord + use<S> {
        let access = batch.access();
        let strange = self.pace.is_strange(access.clone());
        let last = self.pace.last_trouble(access.clone());
        (self.pace.slot(access, batch.purpose, now).at, strange, last)
    }

    /// Sends one request at its time and says what came back.
    async fn exchange(
        &mut self,
        batch: &Batch,
        lines: &[Line],
        search: &Search<'_>,
        run: &Run,
    ) -> Exchanged {
        // What waits for one token after the other would not get to those that have one.
        if run.is_stale() {
            return Exchanged::Over;
        }
        match self.turn(&batch.destination, batch.purpose).await {
            Turn::Now => {}
            Turn::Paused => return Exchanged::Paused,
            Turn::Over => return Exchanged::Over,
            Turn::NoToken(error) => {
                self.nothing_left(batch, lines, &error, Instant::now());
                return Exchanged::Paused;
            }
        }
        let now = Instant::now();
        if run.is_stale() || !self.lease.is_ours() {
            return Exchanged::Over;
        }
        let Some(github) = &mut self.github else {
            return Exchanged::Over;
        };
        if github.check(&batch.destination, lines).is_err() {
            return Exchanged::Unlawful;
        }
        for line in lines {
            self.ledger.leaves(line);
        }
        self.pace.sent(batch.purpose, now);
        let stop = self.stop.clone();
        let call = github.set_cluster_deployment_records(&batch.destination, lines);
        let result = tokio::select! {
            biased;
            result = self.lease.during(call) => result,
            () = long_after(&stop) => None,
        };
        let now = Instant::now();
        let exchange = match result {
            Some(Ok(exchange)) => exchange,
            Some(Err(error)) => {
                self.nothing_left(batch, lines, &error, now);
                return Exchanged::Paused;
            }
            None => {
                // GitHub may be at it still: the next request keeps its distance from this moment.
                self.pace.given_up(&batch.destination, now);
                self.book(lines, Outcome::Unknown);
                return Exchanged::Over;
            }
        };
        self.note_size(lines.len(), &exchange.answer, now);
        if search.doubts(batch, &exchange.answer) {
            self.pace.heard(&batch.destination, &exchange, now);
        } else {
            self.believe(&batch.destination, &exchange, now);
        }
        self.note_turn(&batch.destination, exchange.failure().is_some());
        self.note(super::OPERATION, lines.len(), &exchange);
        Exchanged::Answered(exchange.answer)
    }

    /// Whether a request of so many lines gets an answer.
    fn note_size(&mut self, lines: usize, answer: &Answer, now: Instant) {
        match answer {
            Ok(_) => self.size.heard(lines, true, now),
            Err(Failure::Unknown { .. }) => self.size.heard(lines, false, now),
            Err(_) => {}
        }
    }

    /// What a request was answered is true of its organization.
    fn believe(&mut self, destination: &Destination, exchange: &Exchange, now: Instant) {
        self.pace.answered(destination, exchange, now);
        self.note_access(destination, &exchange.answer);
        let is_denied = matches!(exchange.answer, Err(Failure::NoAccess { .. }));
        if let Some(github) = self.github.as_ref().filter(|_| is_denied) {
            github.denied(&destination.organization);
        }
    }

    /// Waits for the time at which a request may leave, and for a token to leave with. A request for
    /// that is one more, after which the time is another one.
    pub(super) async fn turn(&mut self, destination: &Destination, purpose: Purpose) -> Turn {
        loop {
            let slot = self.pace.slot(destination, purpose, Instant::now());
            if slot.at > Instant::now() + PATIENCE {
                return Turn::Paused;
            }
            let stop = self.stop.clone();
            tokio::select! {
                biased;
                () = stop.cancelled() => return Turn::Over,
                () = self.cluster.changed(), if purpose == Purpose::Storage => {
                    self.schedule.changed(Instant::now());
                    return Turn::Over;
                }
                () = sleep_until(slot.at) => {}
            }
            let Some(github) = &mut self.github else {
                return Turn::Over;
            };
            // Nothing is lost with a token that nobody gets to see.
            let signed_in = tokio::select! {
                biased;
                () = stop.cancelled() => return Turn::Over,
                signed_in = github.sign_in(&destination.organization) => signed_in,
            };
            let now = Instant::now();
            let at_hand = signed_in.errands.is_empty();
            for errand in &signed_in.errands {
                self.pace.signed_in(now);
                self.note_errand(errand);
            }
            if let Some(error) = &signed_in.not_renewed {
                self.pace.not_renewed(destination, error, now);
            }
            if let Err(error) = signed_in.result {
                return Turn::NoToken(error.into());
            }
            if at_hand {
                return Turn::Now;
            }
            self.beat();
        }
    }
}

/// Ends when the process was told to stop so long ago that nothing is waited for any more.
pub(super) async fn long_after(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(LAST_WAIT).await;
}

/// `future`, but no longer than `limit`.
pub(super) async fn within<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    timeout(limit, future).await.ok()
}
