//! Setting records of clusters at GitHub, batch by batch, and what becomes of each. Begun by the
//! command `records set`; nothing is printed here but how far it is.

use std::collections::VecDeque;
use std::ops::Range;

use super::batches::Batches;
use super::job::{self, Patience};
use super::outcome::{Outcome, mark};
use crate::cli::progress::Progress;
use crate::cli::tries::{self, Trouble};
use crate::cli::waits::Waits;
use crate::github::answer::Taken;
use crate::github::call::Carrier;
use crate::github::reader::Reader;
use crate::github::writer::Writer;
use crate::model::record::{Destination, Line};

/// Who sets records, and how far that is.
pub struct Setter<'a, S> {
    /// Who writes.
    pub writer: Writer<S>,
    /// Who asks for jobs.
    pub reader: Reader<S>,
    /// What is told of waits.
    pub waits: &'a Waits<'a>,
    /// Where it is shown how far it is.
    pub progress: &'a Progress,
    /// How long to wait for a job, if records are set by jobs.
    pub job: Option<Patience>,
}

impl<S: Carrier + Clone> Setter<'_, S> {
    /// Sends every batch and keeps in `outcomes`, at every moment, what is known of each line: it
    /// may be dropped at any time. A request that fails as a whole ends it; what was not sent then
    /// stays so. A request that is too large is sent in halves.
    pub async fn run(&mut self, batches: &Batches, outcomes: &mut [Outcome]) {
        let mut queue: VecDeque<Range<usize>> = batches.ranges.iter().cloned().collect();
        while let Some(range) = queue.pop_front() {
            let (all, done) = (batches.lines.len(), range.start);
            self.progress.show(&format!("{done} of {all} records"));
            let Some(lines) = batches.lines.get(range.clone()) else {
                continue;
            };
            let Some(outcomes) = outcomes.get_mut(range.clone()) else {
                continue;
            };
            match self.send(lines, outcomes).await {
                Ok(()) => {}
                Err(trouble) if trouble.is_oversized() && lines.len() > 1 => {
                    outcomes.fill(Outcome::NotSent);
                    let middle = range.start + lines.len() / 2;
                    queue.push_front(middle..range.end);
                    queue.push_front(range.start..middle);
                }
                Err(trouble) => {
                    outcomes.fill((&trouble).into());
                    return;
                }
            }
        }
    }

    async fn send(&mut self, lines: &[Line], outcomes: &mut [Outcome]) -> Result<(), Trouble> {
        let Some(first) = lines.first() else {
            return Ok(());
        };
        let destination: &Destination = &first.identity.destination;
        if let Some(patience) = self.job {
            return job::run(self, destination, lines, outcomes, patience).await;
        }
        let organization = &destination.organization;
        let call = async |writer: &mut Writer<S>| {
            writer
                .set_cluster_deployment_records(destination, lines)
                .await
        };
        let (writer, waits) = (&mut self.writer, self.waits);
        let note = |under_way| mark(outcomes, under_way);
        let done = tries::write(writer, organization, waits, note, call).await?;
        heed(&done.given, outcomes);
        Ok(())
    }
}

/// What a whole answer says of each line.
fn heed(taken: &Taken, outcomes: &mut [Outcome]) {
    outcomes.fill(Outcome::Acknowledged);
    let refused = taken.refused.iter();
    let refused = refused.map(|(index, refusal)| (*index, Outcome::from(*refusal)));
    let unknown = taken.unknown.iter().map(|index| {
        let cause = "GitHub names a cause that its contract does not have";
        (*index, Outcome::Unknown(cause.into()))
    });
    for (index, outcome) in refused.chain(unknown) {
        if let Some(slot) = outcomes.get_mut(index) {
            *slot = outcome;
        }
    }
}
