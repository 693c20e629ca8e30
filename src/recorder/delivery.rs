//! Delivery: batches out, outcomes into the ledger. Here is decided what an answer means for each
//! line; what GitHub's bytes mean is decided in `github`, what an outcome does in `model::ledger`.

use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::github::answer::{Answer, Failure, Refusal};
use crate::github::exchange::NotSent;
use crate::model::gap::Reason;
use crate::model::ledger::Outcome;
use crate::model::plan::{Plan, Step};
use crate::model::record::Line;

use super::batch::Batch;
use super::halving::{self, Alone, Halving};
use super::{Recorder, Transport};

/// A cycle waits no longer than this for anything; a longer pause ends it.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// No plan is sent that is older.
const STALE: Duration = Duration::from_mins(1);

/// How long a request may still take once the process is to stop.
const LAST_WAIT: Duration = Duration::from_secs(10);

/// How often a cycle cuts batches in two to find what GitHub calls invalid.
const HALVINGS: usize = 20;

/// What the requests of one cycle share.
pub(super) struct Run {
    /// When its plan was made.
    pub(super) planned_at: Instant,
    /// When the first change that it is about was seen, if it is about one.
    pub(super) changed_at: Option<Instant>,
    halvings: usize,
}

impl Run {
    pub(super) fn new(planned_at: Instant, changed_at: Option<Instant>) -> Self {
        Self {
            planned_at,
            changed_at,
            halvings: HALVINGS,
        }
    }
}

/// Whether a cycle goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// With the next batch.
    Next,
    /// With the batches of other destinations: this one's is not all sent, because its destination
    /// is left alone for longer than a cycle waits.
    Paused,
    /// Not: the plan is too old, the process is to stop, or it may not write.
    End,
}

/// What became of one request.
#[derive(Debug, PartialEq, Eq)]
enum Exchanged {
    /// It left, and this is the answer, if one came.
    Answered(Answer),
    /// It did not leave: its destination is left alone for longer than a cycle waits.
    Paused,
    /// Nothing leaves any more within this cycle.
    Over,
}

impl<S: Transport> Recorder<S> {
    /// Sends a batch, and its halves as long as GitHub turns them down whole.
    pub(super) async fn deliver(&mut self, batch: Batch, plan: &Plan, run: &mut Run) -> Flow {
        let mut halving = Halving::default();
        let mut waiting = vec![batch];
        let mut flow = Flow::Next;
        while let Some(batch) = waiting.pop() {
            let lines = lines_of(&batch.steps);
            self.beat();
            let answer = match self.exchange(&batch, &lines, run).await {
                Exchanged::Answered(answer) => answer,
                unsent => {
                    waiting.push(batch);
                    flow = if unsent == Exchanged::Paused {
                        Flow::Paused
                    } else {
                        Flow::End
                    };
                    break;
                }
            };
            let Some(alone) = halving::alone(&answer) else {
                halving.accepted |= halving::accepts_any(&answer, lines.len());
                self.settle(&lines, &answer, run);
                if halving::is_shut(&answer) {
                    flow = Flow::Paused;
                }
                continue;
            };
            match batch.halves() {
                Ok(halves) if run.halvings > 0 => {
                    run.halvings -= 1;
                    waiting.extend(halves.into_iter().rev());
                }
                Ok([first, second]) => {
                    self.all(&lines_of(&first.steps), Outcome::NotApplied);
                    self.all(&lines_of(&second.steps), Outcome::NotApplied);
                    self.pace.outage(Instant::now());
                }
                Err(batch) => match alone {
                    Alone::Refused(reason) => self.all(&lines, Outcome::Refused(reason)),
                    Alone::Suspect => {
                        halving.alone.extend(lines);
                        if let Some(probe) = halving.probe(&waiting, &batch, plan) {
                            self.intend(&probe.steps);
                            waiting.push(probe);
                        }
                    }
                },
            }
        }
        // What was turned down before and is not tried any more is not applied.
        for batch in waiting {
            self.all(&lines_of(&batch.steps), Outcome::NotApplied);
        }
        self.judge(&halving);
        flow
    }

    /// Sends one request at its time and says what came back.
    async fn exchange(&mut self, batch: &Batch, lines: &[Line], run: &Run) -> Exchanged {
        if let Err(unsent) = self.turn(batch, lines).await {
            return unsent;
        }
        let now = Instant::now();
        if now.duration_since(run.planned_at) > STALE || !self.lease.is_ours() {
            return Exchanged::Over;
        }
        let Some(github) = &mut self.github else {
            return Exchanged::Over;
        };
        for line in lines {
            self.ledger.leaves(line);
        }
        self.pace.sent(batch.purpose, now);
        let stop = self.stop.clone();
        let call = github.set_cluster_deployment_records(&batch.destination, lines);
        let result = tokio::select! {
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
                self.pace.outage(now);
                self.all(lines, Outcome::Unknown);
                return Exchanged::Over;
            }
        };
        self.pace.answered(&batch.destination, &exchange, now);
        self.note(batch, lines.len(), &exchange);
        Exchanged::Answered(exchange.answer)
    }

    /// Waits for the time at which a request may leave, and for a token to leave with. A request for
    /// that is one more, after which the time is another one.
    async fn turn(&mut self, batch: &Batch, lines: &[Line]) -> Result<(), Exchanged> {
        loop {
            let slot = self
                .pace
                .slot(&batch.destination, batch.purpose, Instant::now());
            if slot.at > Instant::now() + PATIENCE {
                return Err(Exchanged::Paused);
            }
            let stop = self.stop.clone();
            tokio::select! {
                biased;
                () = stop.cancelled() => return Err(Exchanged::Over),
                () = sleep_until(slot.at) => {}
            }
            let Some(github) = &mut self.github else {
                return Err(Exchanged::Over);
            };
            // Nothing is lost with a token that nobody gets to see.
            let signed_in = tokio::select! {
                biased;
                () = stop.cancelled() => return Err(Exchanged::Over),
                signed_in = github.sign_in() => signed_in,
            };
            let now = Instant::now();
            let at_hand = signed_in.errands.is_empty();
            for errand in &signed_in.errands {
                self.pace.signed_in(now);
                self.note_errand(errand);
            }
            if let Err(error) = signed_in.result {
                self.nothing_left(batch, lines, &error.into(), now);
                return Err(Exchanged::Paused);
            }
            if at_hand {
                return Ok(());
            }
            self.beat();
        }
    }

    /// The request never left: there is no token, or it would break the contract.
    fn nothing_left(&mut self, batch: &Batch, lines: &[Line], error: &NotSent, now: Instant) {
        self.all(lines, Outcome::NotApplied);
        let message = super::chain(error);
        match error {
            NotSent::Credentials(error) => {
                self.pace.unsent(&batch.destination, error.until(), now);
                self.status.lock().auth_failures += 1;
                self.block(batch, &message);
                tracing::error!(error = message, "no request to GitHub without a token");
            }
            NotSent::Request(_) => {
                // The core keeps the contract's limits, so this is a defect of ours.
                self.schedule.again_at(now + Duration::from_mins(1));
                tracing::error!(
                    error = message,
                    "request would break the contract, not sent"
                );
            }
        }
    }

    /// Tells the ledger what an answer means for each line, where it means the same for all or
    /// names the others.
    fn settle(&mut self, lines: &[Line], answer: &Answer, run: &Run) {
        match answer {
            Ok(taken) => {
                for (index, line) in lines.iter().enumerate() {
                    let refusal = taken.refused.iter().find(|(refused, _)| *refused == index);
                    let outcome = match refusal {
                        Some((_, Refusal::NotFound)) => Outcome::Refused(Reason::NotFound),
                        Some((_, Refusal::Unauthorized)) => Outcome::Refused(Reason::Unauthorized),
                        None if taken.unknown.contains(&index) => Outcome::Unconfirmed,
                        None => Outcome::Acknowledged,
                    };
                    self.all(std::slice::from_ref(line), outcome);
                }
                self.acknowledged(taken.count(lines.len()), run);
            }
            Err(Failure::Unknown { .. }) => self.all(lines, Outcome::Unknown),
            Err(
                Failure::Invalid { .. }
                | Failure::Oversized
                | Failure::NamesRepositories { .. }
                | Failure::Refused { .. }
                | Failure::NoAccess { .. }
                | Failure::BadToken { .. }
                | Failure::Limited { .. }
                | Failure::VersionWithdrawn { .. },
            ) => self.all(lines, Outcome::NotApplied),
        }
    }

    pub(super) fn all(&mut self, lines: &[Line], outcome: Outcome) {
        let now = self.clock.now();
        for line in lines {
            self.ledger
                .answer(line, outcome, now, self.settings.policy.settle_after);
        }
    }

    /// What was turned down alone is at fault if anything else of it was accepted; else GitHub
    /// turns everything down, which says nothing of any record.
    fn judge(&mut self, halving: &Halving) {
        if halving.alone.is_empty() {
            return;
        }
        if halving.accepted {
            for line in &halving.alone {
                tracing::warn!(record = %line.identity, "GitHub calls this record invalid, it is set apart");
            }
            self.all(&halving.alone, Outcome::Refused(Reason::Invalid));
        } else {
            self.all(&halving.alone, Outcome::NotApplied);
            self.pace.outage(Instant::now());
            tracing::error!("GitHub calls every record invalid, which is taken for an outage");
        }
    }
}

fn lines_of(steps: &[Step]) -> Vec<Line> {
    steps.iter().map(|step| step.line.clone()).collect()
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
