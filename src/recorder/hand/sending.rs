//! Sending for a person: batch by batch, the Lease looked at right before each request leaves, and
//! what each answer means settled in the ledger as a cycle settles its own.

use crate::github::answer::{Answer, Failure};
use crate::github::call::Carrier;
use crate::github::exchange::NotSent;
use crate::model::gap::Reason;
use crate::model::ledger::Outcome;
use crate::model::record::Line;
use crate::recorder::batch::Batch;
use crate::recorder::chain;
use crate::recorder::outcome;
use crate::recorder::search::{Ruling, Search, Verdict};

use super::ending::{End, Ending, Errand, News};

/// Nothing leaves any more.
pub(super) struct Over;

/// What became of one request.
enum Exchanged {
    Answered(Answer),
    Unsent(NotSent),
}

impl<S: Carrier> Ending<'_, '_, S> {
    /// Sends what the search gives, until it gives nothing more.
    pub(super) async fn deliver(&mut self, search: &mut Search<'_>) -> Result<(), Over> {
        let result = self.send_all(search).await;
        let unsent = End::NotTold("it was stopped before".to_owned());
        for batch in search.rest() {
            self.all(&batch.lines(), Outcome::NotApplied, &unsent);
        }
        let Verdict {
            invalid, undecided, ..
        } = search.verdict();
        let reason = Reason::Invalid;
        self.all(&invalid, Outcome::Refused(reason), &End::Refused(reason));
        let said = std::mem::take(&mut self.said);
        let why = format!("{said}; nothing else was taken that would tell whose fault that is");
        let undecided_end = End::NotTold(why);
        self.all(&undecided, Outcome::NotApplied, &undecided_end);
        result
    }

    async fn send_all(&mut self, search: &mut Search<'_>) -> Result<(), Over> {
        while let Some(batch) = self.next(search) {
            let lines = batch.lines();
            let organization = batch.destination.organization.clone();
            if let Some(why) = self.shut.get(&organization) {
                let end = End::NotTold(why.clone());
                self.all(&lines, Outcome::NotApplied, &end);
                continue;
            }
            let answer = match self.exchange(&batch, &lines).await? {
                Exchanged::Answered(answer) => answer,
                Exchanged::Unsent(NotSent::Request(error)) => {
                    if let Ok(halves) = batch.halves() {
                        for half in halves {
                            search.add(half);
                        }
                    } else {
                        let end = End::NotTold(chain(&error));
                        self.all(&lines, Outcome::NotApplied, &end);
                    }
                    continue;
                }
                Exchanged::Unsent(error @ NotSent::Credentials(_)) => {
                    self.shut.insert(organization, chain(&error));
                    search.add(batch);
                    continue;
                }
            };
            // A person hears at once that access is denied.
            let is_denied = matches!(answer, Err(Failure::NoAccess { .. }));
            let ruling = if is_denied {
                Ruling::Settled
            } else {
                search.answered(batch, &answer)
            };
            match ruling {
                Ruling::Settled => {
                    self.settle(&lines, &answer);
                    if let Some(failure) = answer.err().filter(|failure| !failure.is_passing()) {
                        self.shut.insert(organization, failure.to_string());
                    }
                }
                Ruling::Later => {
                    self.said = answer.err().map(|it| it.to_string()).unwrap_or_default();
                }
                Ruling::Dropped => {
                    self.settle(&lines, &answer);
                    let untried = lines.iter().map(|line| line.identity.clone());
                    self.open.extend(untried);
                }
                Ruling::Refused(line, reason) => {
                    self.all(&[line], Outcome::Refused(reason), &End::Refused(reason));
                }
            }
        }
        Ok(())
    }

    /// What is sent next: an organization that hangs, or that has to wait, holds back no other.
    fn next(&self, search: &mut Search<'_>) -> Option<Batch> {
        let github = &self.errand.github;
        search.prefer(|batch| {
            let organization = &batch.destination.organization;
            let slot = github.slot(organization);
            (slot.at, github.last_trouble(organization))
        });
        search.next()
    }

    /// Sends one request at its time, if this process may write right before it leaves.
    async fn exchange(&mut self, batch: &Batch, lines: &[Line]) -> Result<Exchanged, Over> {
        let Errand {
            github, stop, news, ..
        } = &mut self.errand;
        let organization = &batch.destination.organization;
        news(News::Waits(github.slot(organization)));
        let ready = tokio::select! {
            biased;
            () = stop.cancelled() => return Err(Over),
            _ = self.hand.lease.over() => return Err(Over),
            ready = github.ready(organization) => ready,
        };
        if let Err(error) = ready {
            return Ok(Exchanged::Unsent(error));
        }
        if !self.hand.lease.is_ours() {
            return Err(Over);
        }
        for line in lines {
            self.hand.ledger.leaves(line);
        }
        let call = github.set_cluster_deployment_records(&batch.destination, lines);
        match self.hand.lease.during(call).await {
            Some(Ok(exchange)) => Ok(Exchanged::Answered(exchange.answer)),
            Some(Err(error)) => Ok(Exchanged::Unsent(error)),
            None => {
                let end = End::Unknown("the Lease was lost while it was on its way".to_owned());
                self.all(lines, Outcome::Unknown, &end);
                Err(Over)
            }
        }
    }

    /// Tells the ledger what an answer means for each line.
    fn settle(&mut self, lines: &[Line], answer: &Answer) {
        let failure = answer.as_ref().err();
        let said = failure.map(ToString::to_string).unwrap_or_default();
        let passes = failure.is_some_and(Failure::is_passing);
        for (line, outcome) in lines.iter().zip(outcome::of(answer, lines.len())) {
            let end = match outcome {
                Outcome::Acknowledged => End::Told,
                Outcome::Refused(reason) => End::Refused(reason),
                Outcome::NotApplied => End::NotTold(said.clone()),
                Outcome::Unknown => End::Unknown(said.clone()),
                Outcome::Unconfirmed => {
                    End::Unknown("GitHub names it with a cause that nobody knows".to_owned())
                }
            };
            self.all(std::slice::from_ref(line), outcome, &end);
            if passes || outcome == Outcome::Refused(Reason::NotFound) {
                self.open.insert(line.identity.clone());
            }
        }
        if !passes {
            (self.errand.news)(News::Sent(lines.len()));
        }
    }

    /// The same outcome for all of these lines, which are not tried again.
    fn all(&mut self, lines: &[Line], outcome: Outcome, end: &End) {
        let now = self.hand.clock.now();
        for line in lines {
            let identity = &line.identity;
            let ledger = &mut self.hand.ledger;
            ledger.answer(line, outcome, now, self.errand.settle_after);
            let is_settled = outcome == Outcome::Acknowledged && ledger.entry(identity).is_none();
            let end = if is_settled {
                End::Settled
            } else {
                end.clone()
            };
            self.ends.insert(identity.clone(), end);
            self.open.remove(identity);
        }
    }
}
