//! `decommission`: tells GitHub the end of records that a person names, or drops them from the
//! ledger. It does not look at what runs: what still does is reported again by `run`.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal};
use std::time::Duration;

use anyhow::{Context, bail};
use tokio_util::sync::CancellationToken;

use super::github;
use super::interrupt::{signalled_twice, signals};
use super::look::reached;
use super::output::Form;
use super::progress::Progress;
use super::settings::{self, Doing, Github, Which};
use super::waits::{Waits, written};
use super::writer::writer;
use crate::clock::Clock;
use crate::github::transport::Transport;
use crate::github::writer::Writer;
use crate::model::ledger::Ledger;
use crate::model::record::{Identity, is_same_name};
use crate::recorder::REACH;
use crate::recorder::hand::{Absent, End, Ended, Errand, Hand, News};
use crate::recorder::lease::Patience;
use crate::recorder::status::Shared;

mod rows;
mod way;

use rows::{Meant, Row, print};

/// Ends, or forgets, the records that are meant. Returns whether GitHub acknowledged the end of each,
/// with `--wait` twice.
pub(super) async fn execute(settings: settings::Decommission) -> anyhow::Result<bool> {
    for warning in &settings.warnings {
        super::remark(&format!("warning: {warning}"));
    }
    let clock = Clock::real();
    let connection = reached(&settings.connection, REACH).await?;
    let status = Shared::default();
    let client = connection.client.clone();
    way::clear(&client, &settings).await?;
    let (candidate, mut store) = writer(client, &settings.ledger, clock, status, Patience::GiveUp);
    let Some(ledger) = store.load(clock.now()).await? else {
        let (namespace, name) = store.place();
        if settings.scale_down.is_some() && settings.which == Which::All {
            // What is removed may never have recorded anything.
            super::remark(&format!(
                "There is no ledger {name} in namespace {namespace}, so there is nothing to end."
            ));
            return Ok(true);
        }
        bail!("there is no ledger {name} in namespace {namespace}");
    };
    let meant = meant(&ledger, &settings.which)?;
    if meant.is_empty() {
        super::remark("The ledger has no records.");
        return Ok(true);
    }
    let stop = CancellationToken::new();
    // A token that cannot be read is found before anybody is asked.
    let task = Task::of(&settings.doing, clock, &stop).await?;
    if !agrees(&settings, &ledger, &meant)? {
        super::remark(&match &settings.scale_down {
            Some(name) => format!("Nothing else was done. Deployment {name} stays scaled to 0."),
            None => "Nothing was done.".to_owned(),
        });
        return Ok(false);
    }
    // Only from here on is there something to bring to an end.
    let signals = signals()?;
    let work = async {
        let hand = Hand::take(candidate, store, Absent::GiveUp).await?;
        match task {
            Some(mut task) => task.end(hand, &meant, settings.form).await,
            None => forget(hand, &meant, settings.form).await,
        }
    };
    tokio::select! {
        done = work => done,
        () = signalled_twice(signals, &stop) => bail!("a second signal came before all was stored"),
    }
}

/// The records that are meant. An error if a name means nothing.
fn meant(ledger: &Ledger, which: &Which) -> anyhow::Result<BTreeSet<Identity>> {
    let identities = || ledger.entries().map(|(identity, _)| identity);
    let names = match which {
        Which::All => return Ok(identities().cloned().collect()),
        Which::Names(names) => names,
    };
    let unknown: Vec<&str> = names
        .iter()
        .filter(|name| !identities().any(|identity| is_same_name(&identity.name, name)))
        .map(|name| &**name)
        .collect();
    if !unknown.is_empty() {
        bail!("the ledger has no record named {}", unknown.join(", "));
    }
    let is_meant =
        |identity: &&Identity| names.iter().any(|name| is_same_name(&identity.name, name));
    Ok(identities().filter(is_meant).cloned().collect())
}

/// Whether a person agrees, who is shown what it is about before they are asked.
fn agrees(
    settings: &settings::Decommission,
    ledger: &Ledger,
    meant: &BTreeSet<Identity>,
) -> anyhow::Result<bool> {
    if settings.consent == super::consent::Consent::Asked {
        let rows = meant.iter();
        let rows = rows.filter_map(|identity| {
            let (identity, entry) = ledger.entry_of(identity)?;
            Some(Meant::new(identity, entry))
        });
        let rows: Vec<Meant> = rows.collect();
        let on_a_terminal = io::stderr().is_terminal();
        let table = |rows: &Vec<Meant>| Meant::table(rows, on_a_terminal);
        Form::Table.write(&mut io::stderr(), &rows, table)?;
    }
    let count = meant.len();
    let question = match settings.doing {
        Doing::End { .. } => {
            format!("Tell GitHub that these records are decommissioned ({count})?")
        }
        Doing::Forget => format!(
            "Drop these records from the ledger ({count})? GitHub goes on showing them as it does now."
        ),
    };
    let answer = settings.consent.to(&question);
    answer.context("the answer cannot be read")
}

async fn forget(mut hand: Hand, meant: &BTreeSet<Identity>, form: Form) -> anyhow::Result<bool> {
    let forgotten = hand.forget(meant).await;
    hand.give_back().await;
    let count = forgotten?;
    print(meant.iter().map(Row::forgotten).collect(), form)?;
    super::remark(&format!(
        "Dropped from the ledger: {count}. GitHub was told nothing and goes on showing what it shows; \
         what runs, run reports anew."
    ));
    Ok(true)
}

/// What ends are told with.
struct Task {
    github: Writer<Transport>,
    progress: Progress,
    clock: Clock,
    settle_after: Duration,
    /// Whether the second end is waited for.
    wait: bool,
    stop: CancellationToken,
}

impl Task {
    /// What ends are told with, if any are.
    async fn of(
        doing: &Doing,
        clock: Clock,
        stop: &CancellationToken,
    ) -> anyhow::Result<Option<Self>> {
        let Doing::End {
            github,
            settle_after,
            wait,
        } = doing
        else {
            return Ok(None);
        };
        let parts = github::parts(Github::clone(github), clock).await?;
        let parts = parts.context("nobody signs in at GitHub")?;
        Ok(Some(Self {
            github: Writer::new(parts.client()),
            progress: Progress::on_stderr(),
            clock,
            settle_after: *settle_after,
            wait: *wait,
            stop: stop.clone(),
        }))
    }

    async fn end(
        &mut self,
        mut hand: Hand,
        meant: &BTreeSet<Identity>,
        form: Form,
    ) -> anyhow::Result<bool> {
        let identities: Vec<Identity> = meant.iter().cloned().collect();
        let mut ended = self.tell(&mut hand, &identities).await;
        if self.wait && ended.stored.is_ok() {
            let told = ended.ends.iter().filter(|(_, end)| **end == End::Told);
            let told: Vec<Identity> = told.map(|(identity, _)| identity.clone()).collect();
            if self.has_waited(&hand, &told).await {
                let again = self.tell(&mut hand, &told).await;
                ended.stored = again.stored;
                let mut unsaid = BTreeSet::new();
                for (identity, end) in again.ends {
                    match end {
                        // It is acknowledged once, as before.
                        End::NotTold(why) => drop(unsaid.insert(why)),
                        end => drop(ended.ends.insert(identity, end)),
                    }
                }
                for why in unsaid {
                    super::remark(&format!("Not every end was told once more: {why}."));
                }
            }
        }
        hand.give_back().await;
        let Ended { ends, stored } = ended;
        let rows = ends.iter().map(|(identity, end)| Row::new(identity, end));
        print(rows.collect(), form)?;
        remark(&ends.values().collect::<Vec<_>>());
        stored.context("not all of it is stored, so the next start asks GitHub once more")?;
        let is_done = |end: &End| *end == End::Settled || (!self.wait && end.is_acknowledged());
        Ok(ends.values().all(is_done))
    }

    async fn tell(&mut self, hand: &mut Hand, identities: &[Identity]) -> Ended {
        let (progress, total) = (&self.progress, identities.len());
        let waits = Waits::new(progress, self.clock);
        let sent = std::cell::Cell::new(0);
        let news = |news| match news {
            News::Waits(slot) => waits.heed(slot),
            News::Sent(count) => {
                sent.set(sent.get() + count);
                progress.show(&format!("{} of {total} records", sent.get()));
            }
        };
        let errand = Errand {
            github: &mut self.github,
            settle_after: self.settle_after,
            stop: self.stop.clone(),
            news: &news,
        };
        let ended = hand.end(identities, errand).await;
        progress.clear();
        ended
    }

    /// Waits until the second end may be told. Returns false when it is to stop before.
    async fn has_waited(&self, hand: &Hand, told: &[Identity]) -> bool {
        let Some(left) = hand.settles_in(told, self.settle_after) else {
            return false;
        };
        self.progress.say(&format!(
            "Ends acknowledged once: {}. They are told once more in {}.",
            told.len(),
            written(left)
        ));
        tokio::select! {
            biased;
            () = self.stop.cancelled() => false,
            () = tokio::time::sleep(left) => true,
        }
    }
}

/// What a person needs to know besides the records.
fn remark(ends: &[&End]) {
    let told = ends.iter().filter(|end| ***end == End::Told).count();
    if told > 0 {
        super::remark(&format!(
            "Ends acknowledged once: {told}. run tells them once more an interval later, as this \
             command does with --wait; what still runs, run reports again."
        ));
    }
    let left = ends.iter().filter(|end| !end.is_acknowledged()).count();
    if left > 0 {
        super::remark(&format!(
            "Ends not acknowledged: {left}. The same command may be repeated."
        ));
    }
}
