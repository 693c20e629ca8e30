//! The ends that a person asks for: planned, stored, sent, and tried again where that may help. What
//! is sent when, and what its answer means, is decided in `sending`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::github::call::Carrier;
use crate::github::pace::Slot;
use crate::github::request::MAX_LINES;
use crate::github::writer::Writer;
use crate::model::gap::Reason;
use crate::model::plan::{Plan, Why};
use crate::model::record::Identity;
use crate::recorder::batch;
use crate::recorder::search::Search;

use super::{Hand, HandError, Stored, lost};

/// How often what passes by itself is tried, and each body that GitHub may hold.
const ROUNDS: usize = 4;

/// What became of the end of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// GitHub has acknowledged it; once more later, and the ledger forgets it.
    Told,
    /// GitHub has acknowledged it for the second time, a settling time after the first: the ledger
    /// has forgotten it.
    Settled,
    /// GitHub refuses it.
    Refused(Reason),
    /// It may have come to GitHub, and nobody knows.
    Unknown(String),
    /// It did not come to GitHub, for this reason.
    NotTold(String),
    /// Nothing is sent about it.
    Withheld(Why),
}

impl End {
    /// Whether GitHub has acknowledged it.
    pub fn is_acknowledged(&self) -> bool {
        matches!(self, Self::Told | Self::Settled)
    }
}

/// What a person may be told meanwhile.
#[derive(Clone, Copy, Debug)]
pub enum News {
    /// The next request waits for this.
    Waits(Slot),
    /// So many of the records were sent.
    Sent(usize),
}

/// What ends are told with.
pub struct Errand<'a, S> {
    /// GitHub.
    pub github: &'a mut Writer<S>,
    /// How much later than its unknown outcome a request may still be applied.
    pub settle_after: Duration,
    /// Cancelled when no more requests are to leave.
    pub stop: CancellationToken,
    /// Who is told how far it is.
    pub news: &'a dyn Fn(News),
}

/// What came of an errand.
#[derive(Debug)]
pub struct Ended {
    /// What became of each record.
    pub ends: BTreeMap<Identity, End>,
    /// Whether all of it is stored. What is not is unanswered in the ledger, so that whoever has it
    /// next asks GitHub once more.
    pub stored: Result<(), HandError>,
}

impl Hand {
    /// Tells GitHub the end of these records. Each end is stored before it is sent, what passes by
    /// itself is tried again, and a body that GitHub does not find gives way to the other one that
    /// it may hold.
    pub async fn end<S: Carrier>(
        &mut self,
        identities: &[Identity],
        errand: Errand<'_, S>,
    ) -> Ended {
        let not_told = || End::NotTold("it was stopped before".to_owned());
        let known = identities
            .iter()
            .filter_map(|identity| self.ledger.entry_of(identity));
        let open: BTreeSet<Identity> = known.map(|(identity, _)| identity.clone()).collect();
        let mut ending = Ending {
            ends: open
                .iter()
                .map(|identity| (identity.clone(), not_told()))
                .collect(),
            open,
            shut: BTreeMap::new(),
            said: String::new(),
            hand: self,
            errand,
        };
        let stored = ending.go().await;
        Ended {
            ends: ending.ends,
            stored,
        }
    }
}

/// Ends that are being told.
pub(super) struct Ending<'h, 'e, S> {
    pub(super) hand: &'h mut Hand,
    pub(super) errand: Errand<'e, S>,
    pub(super) ends: BTreeMap<Identity, End>,
    /// Those that are to be tried, or tried again.
    pub(super) open: BTreeSet<Identity>,
    /// Organizations at which nothing can be done, and why.
    pub(super) shut: BTreeMap<Arc<str>, String>,
    /// What GitHub said last of a request that it turned down whole.
    pub(super) said: String,
}

impl<S: Carrier> Ending<'_, '_, S> {
    async fn go(&mut self) -> Result<(), HandError> {
        for round in 0..ROUNDS {
            let host = self.errand.github.client().api().host().clone();
            let plan = Plan::of_ends(&self.hand.ledger, &self.open, &host, self.hand.clock.now());
            if round == 0 {
                let withheld = plan.withheld.iter().cloned();
                let withheld = withheld.map(|(identity, why)| (identity, End::Withheld(why)));
                self.ends.extend(withheld);
            }
            let batches = batch::changes(&plan, MAX_LINES);
            if batches.is_empty() {
                break;
            }
            for step in &plan.decommissions {
                self.hand.ledger.intend(&step.line, &step.owner);
            }
            // Where the store knew more, what is to be ended may be another body.
            let is_as_planned = self.hand.store().await? == Stored::AsPlanned;
            let mut search = Search::new(&plan);
            let batches = batches.into_iter().filter(|_| is_as_planned);
            batches.for_each(|batch| search.add(batch));
            let over = self.deliver(&mut search).await.is_err();
            self.hand.ledger.take_back_unsent();
            if over {
                break;
            }
        }
        if !self.hand.lease.is_ours() {
            return Err(lost(&self.hand.lease));
        }
        self.hand.store().await.map(drop)
    }
}
