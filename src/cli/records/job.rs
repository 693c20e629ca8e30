//! Setting records by a job: starting it when no other of the cluster runs, and waiting until it is
//! over, each within a bound.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::outcome::{Outcome, mark};
use super::set::Setter;
use crate::cli::tries::{self, Trouble};
use crate::cli::waits::written;
use crate::github::call::Carrier;
use crate::github::job::{Job, JobError, JobId, JobStatus, Start};
use crate::github::reader::Reader;
use crate::github::writer::Writer;
use crate::model::record::{Destination, Line, is_same_name};

/// How long to wait for a job: for its turn, and again for its end.
pub type Patience = Duration;

/// How long to wait for another job of the cluster before asking again: at first, and at most.
const TURN: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(30));

/// How often to look at a job: at first, and at last.
const LOOK: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(10));

/// Sets these lines by one job. An error is about all of them.
pub(super) async fn run<S: Carrier + Clone>(
    setter: &mut Setter<'_, S>,
    destination: &Destination,
    lines: &[Line],
    outcomes: &mut [Outcome],
    patience: Patience,
) -> Result<(), Trouble> {
    let (id, mut errors) = start(setter, destination, lines, outcomes, patience).await?;
    let under_way = format!("the job {id} was not over yet");
    outcomes.fill(Outcome::Unknown((&*under_way).into()));
    let job = end(setter, destination, id, patience).await?;
    errors.extend(job.errors.iter().cloned());
    if job.status == JobStatus::Failed {
        let said = errors.iter().map(|error| error.text.as_str());
        let said = said.collect::<Vec<_>>().join(" ");
        let said = if said.is_empty() {
            said
        } else {
            format!(": {said}")
        };
        return Err(Trouble::unsure(format!(
            "the job {id} failed{said}; the same command may be repeated"
        )));
    }
    heed(id, &errors, lines, outcomes);
    Ok(())
}

/// Starts the job as soon as no other runs, and gives its number and what GitHub holds against some
/// records already.
async fn start<S: Carrier>(
    setter: &mut Setter<'_, S>,
    destination: &Destination,
    lines: &[Line],
    outcomes: &mut [Outcome],
    patience: Patience,
) -> Result<(JobId, Vec<JobError>), Trouble> {
    let (mut pause, most) = TURN;
    let begun = Instant::now();
    let mut is_unsure = false;
    loop {
        let organization = &destination.organization;
        let call = async |writer: &mut Writer<S>| writer.create_job(destination, lines).await;
        let (writer, waits) = (&mut setter.writer, setter.waits);
        let note = |under_way| mark(outcomes, under_way || is_unsure);
        let done = tries::write(writer, organization, waits, note, call).await?;
        // The other job may be ours, of a request that was not answered.
        is_unsure |= done.is_unsure;
        let message = match done.given {
            Start::Started { job, errors } => return Ok((job, errors)),
            Start::Busy { message } => message,
        };
        mark(outcomes, is_unsure);
        let cluster = &destination.cluster;
        if begun.elapsed() + pause > patience {
            let text = format!(
                "another job of the cluster {cluster} was not over after {} (GitHub answered 409: \
                 {message}); try later, or wait longer with --job-timeout",
                written(patience)
            );
            return Err(Trouble {
                is_unsure,
                ..Trouble::certain(text)
            });
        }
        let line = format!("waiting for another job of the cluster {cluster}");
        if pause == TURN.0 {
            setter
                .progress
                .say(&format!("{line}: GitHub sets one at a time"));
        }
        let waited = written(begun.elapsed());
        setter.progress.show(&format!("{line}, {waited} so far"));
        sleep(pause).await;
        pause = (pause * 2).min(most);
    }
}

/// Waits until the job is over.
async fn end<S: Carrier + Clone>(
    setter: &Setter<'_, S>,
    destination: &Destination,
    id: JobId,
    patience: Patience,
) -> Result<Job, Trouble> {
    let (mut pause, most) = LOOK;
    let begun = Instant::now();
    loop {
        sleep(pause).await;
        pause = (pause * 2).min(most);
        let call = async |reader: &Reader<S>| reader.job(destination, id).await;
        let (reader, waits) = (&setter.reader, setter.waits);
        let read = tries::read(reader, waits, call).await;
        let job = read.map_err(|trouble| {
            let text = trouble.text;
            Trouble::unsure(format!(
                "the job {id} was started and cannot be asked for: {text}"
            ))
        })?;
        if job.status.is_over() {
            return Ok(job);
        }
        let (status, waited) = (job.status.as_str(), written(begun.elapsed()));
        if begun.elapsed() + pause > patience {
            let patience = written(patience);
            return Err(Trouble::unsure(format!(
                "the job {id} was still {status} after {patience}; GitHub may finish it yet; the same \
                 command may be repeated"
            )));
        }
        setter
            .progress
            .show(&format!("job {id}: {status}, {waited} so far"));
    }
}

/// What the errors of a job that is done say of each line. One that names none of them may be about
/// any.
fn heed(id: JobId, errors: &[JobError], lines: &[Line], outcomes: &mut [Outcome]) {
    let index_of = |error: &JobError| {
        let name = error.name.as_deref()?;
        let named = |line: &Line| is_same_name(&line.identity.name, name);
        lines.iter().position(named)
    };
    let stray = errors.iter().find(|error| index_of(error).is_none());
    outcomes.fill(match stray {
        None => Outcome::Acknowledged,
        Some(error) => {
            let text = &error.text;
            let cause = format!("the job {id} names no record in an error: {text}");
            Outcome::Unknown((&*cause).into())
        }
    });
    for error in errors {
        let Some(slot) = index_of(error).and_then(|index| outcomes.get_mut(index)) else {
            continue;
        };
        *slot = match error.refusal {
            Some(refusal) => refusal.into(),
            None => Outcome::Unknown((&*format!("the job {id} says: {}", error.text)).into()),
        };
    }
}
