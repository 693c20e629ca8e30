//! `verify --adopt`: records of this cluster that GitHub holds and the ledger lacks are shown, and
//! put into the ledger if a person agrees. Which they are is decided in `model::comparison`, and once
//! more when the ledger is in hand: a person may take long to answer.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use serde::Serialize;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::survey::{Asked, Lists};
use super::{Way, expected, expected_at_first, named, whole};
use crate::cli::consent::Consent;
use crate::cli::interrupt::{signalled_twice, signals};
use crate::cli::look::Look;
use crate::cli::output::{Form, Table};
use crate::cli::row::{IdentityRow, SourceRow, short};
use crate::cli::writer::writer;
use crate::cli::{Failure, settings};
use crate::clock::Clock;
use crate::github::request;
use crate::model::comparison::{Adoptable, Expected};
use crate::model::record::{Body, Identity, Line, Status};
use crate::recorder::hand::{Absent, Hand};
use crate::recorder::lease::{self, Patience};
use crate::recorder::status::Shared;

/// Lists that are older are asked for once more before anything is done by them.
const STALE: Duration = Duration::from_mins(1);

/// Shows what the ledger lacks and adopts it if a person agrees. Returns whether they did.
pub(super) async fn execute(
    settings: &settings::Verify,
    adoption: &settings::Adopt,
    look: &Look,
    survey: &Way<'_>,
    clock: Clock,
) -> Result<bool, Failure> {
    let (namespace, name) = (settings.ledger.namespace(), &settings.ledger.name);
    let free = lease::is_free(look.client.clone(), &namespace, name).await;
    free.map_err(anyhow::Error::new)?;
    let shown = show(settings, adoption, look, survey).await;
    let Shown {
        mut lists,
        asked,
        chosen,
        beyond,
    } = shown.map_err(Failure::CouldNotTell)?;
    if chosen.is_empty() && beyond > 0 {
        crate::cli::remark(&format!("Records that cannot be adopted: {beyond}."));
        return Ok(false);
    }
    if chosen.is_empty() {
        crate::cli::remark("There is nothing to adopt.");
        return Ok(true);
    }
    let asked_at = Instant::now();
    let question = format!("Put these records into the ledger ({})?", chosen.len());
    let agreed = adoption.consent.to(&question);
    if !agreed.context("the answer cannot be read")? {
        crate::cli::remark("Nothing was adopted.");
        return Ok(false);
    }
    // Before the Lease: this may take a while, or more calls than there are.
    if asked_at.elapsed() > STALE {
        let again = survey.lists(&asked).await;
        lists = again.map_err(|error| Failure::CouldNotTell(error.into()))?;
    }
    let adopted = adopt(settings, look, &lists, &chosen, clock).await?;
    crate::cli::remark(&match adopted {
        Some(count) => format!(
            "Adopted: {count}. The next cycle of run decommissions those that are not there."
        ),
        None => "Nothing was adopted.".to_owned(),
    });
    Ok(adopted.is_some())
}

/// Puts what was chosen into the ledger, as far as it still lacks it. Returns how many records that
/// were, or nothing where it was told to end before.
async fn adopt(
    settings: &settings::Verify,
    look: &Look,
    lists: &Lists,
    chosen: &BTreeSet<Identity>,
    clock: Clock,
) -> anyhow::Result<Option<usize>> {
    let stop = CancellationToken::new();
    // Only from here on is there something to bring to an end.
    let signals = signals()?;
    let client = look.client.clone();
    let (candidate, store) = writer(
        client,
        &settings.ledger,
        clock,
        Shared::default(),
        Patience::GiveUp,
    );
    let work = async {
        let mut hand = Hand::take(candidate, store, Absent::Begin).await?;
        let adopted = if stop.is_cancelled() {
            Ok(None)
        } else {
            let facts = look.cluster.facts();
            let expected = Expected::new(&facts, hand.ledger(), &settings.policy);
            let records = found(&expected, lists, settings).into_iter();
            let records = records
                .filter(|record| chosen.contains(record.identity()))
                .filter_map(|record| {
                    let identity = record.identity().clone();
                    Some((identity, record.body?, record.adoptable.keeper))
                });
            let records: Vec<_> = records.collect();
            hand.adopt(records).await.map(Some)
        };
        hand.give_back().await;
        anyhow::Ok(adopted?)
    };
    tokio::select! {
        adopted = work => adopted,
        () = signalled_twice(signals, &stop) => bail!("a second signal came before all was stored"),
    }
}

/// What was shown to a person.
struct Shown {
    /// What GitHub listed.
    lists: Lists,
    /// What of it would be asked once more.
    asked: Asked,
    /// Which records are to be adopted.
    chosen: BTreeSet<Identity>,
    /// How many cannot be.
    beyond: usize,
}

/// Prints what the ledger lacks.
async fn show(
    settings: &settings::Verify,
    adoption: &settings::Adopt,
    look: &Look,
    survey: &Way<'_>,
) -> anyhow::Result<Shown> {
    // What is not read may be what runs.
    whole(look)?;
    named(look)?;
    let before = expected_at_first(look, settings).await?;
    let lists = survey.lists(before.digests()).await?;
    let after = expected(look, settings).await?;
    let mut records = found(&after, &lists, settings);
    let only = &adoption.only;
    let is_meant = |record: &Found| {
        let name = &record.identity().name;
        only.is_empty() || only.iter().any(|pattern| pattern.matches(name))
    };
    records.retain(is_meant);
    let output = Adoption {
        records: records.iter().map(Row::new).collect(),
    };
    let on_a_terminal = io::stdout().is_terminal();
    crate::cli::print(|out| {
        let table = |output: &Adoption| output.table(on_a_terminal);
        settings.form.write(out, &output, table)
    })?;
    let shown = output.show_beside(adoption.consent, on_a_terminal, &mut io::stderr());
    shown.context("standard error cannot be written")?;
    let mut asked = Asked::new();
    let mut chosen = BTreeSet::new();
    for record in records.iter().filter(|record| record.body.is_some()) {
        let identity = record.identity();
        let organization = identity.destination.organization.clone();
        asked
            .entry(organization)
            .or_default()
            .insert(record.adoptable.record.digest);
        chosen.insert(identity.clone());
    }
    Ok(Shown {
        lists,
        asked,
        beyond: records.len() - chosen.len(),
        chosen,
    })
}

/// A record that the ledger lacks.
struct Found {
    adoptable: Adoptable,
    /// What it would be in the ledger, where its end would be a valid request.
    body: Option<Arc<Body>>,
    /// Why it would not.
    problem: Option<String>,
}

impl Found {
    fn identity(&self) -> &Identity {
        &self.adoptable.record.identity
    }
}

fn found(expected: &Expected, lists: &Lists, settings: &settings::Verify) -> Vec<Found> {
    let adoptable = expected.adoptable(lists).into_iter();
    adoptable
        .map(|adoptable| match endable(&adoptable, settings) {
            Ok(body) => Found {
                adoptable,
                body: Some(body),
                problem: None,
            },
            Err(problem) => Found {
                adoptable,
                body: None,
                problem: Some(problem.to_string()),
            },
        })
        .collect()
}

/// What a record would be in the ledger. One whose end could not be told would hold back others.
fn endable(adoptable: &Adoptable, settings: &settings::Verify) -> anyhow::Result<Arc<Body>> {
    let body = adoptable.body.clone();
    let body = body.ok_or_else(|| anyhow!("nobody knows the name of its artifact"))?;
    let line = Line {
        identity: adoptable.record.identity.clone(),
        body: body.clone(),
        status: Status::Decommissioned,
    };
    request::set_cluster_deployment_records(
        &settings.github.url,
        &settings.github.version,
        &line.identity.destination,
        std::slice::from_ref(&line),
    )?;
    Ok(body)
}

/// What `verify --adopt` prints.
#[derive(Debug, Serialize)]
struct Adoption {
    /// What the ledger lacks, by identity.
    records: Vec<Row>,
}

/// A record that the ledger lacks.
#[derive(Debug, Serialize)]
struct Row {
    /// Which.
    #[serde(flatten)]
    identity: IdentityRow,
    /// The digest.
    digest: String,
    /// What is known of its image.
    name: Option<Arc<str>>,
    version: Option<Arc<str>>,
    repository: Option<Arc<str>>,
    /// What runs under this name.
    source: Option<SourceRow>,
    /// What becomes of it: `keep`, `decommission` or `none`.
    then: &'static str,
    /// Why it cannot be adopted.
    problem: Option<String>,
}

impl Row {
    fn new(found: &Found) -> Self {
        let body = found.adoptable.body.as_deref();
        Self {
            identity: IdentityRow::from(found.identity()),
            digest: found.adoptable.record.digest.to_string(),
            name: body.map(|body| body.name.clone()),
            version: body.and_then(|body| body.version.clone()),
            repository: body.and_then(|body| body.repository.clone()),
            source: found.adoptable.keeper.as_ref().map(SourceRow::from),
            then: match (&found.body, &found.adoptable.keeper) {
                (None, _) => "none",
                (Some(_), Some(_)) => "keep",
                (Some(_), None) => "decommission",
            },
            problem: found.problem.clone(),
        }
    }
}

impl Adoption {
    /// Shows the table to a person who is asked, if what is printed goes where they may not see it: to a
    /// file, or to another program.
    fn show_beside(
        &self,
        consent: Consent,
        on_a_terminal: bool,
        screen: &mut dyn Write,
    ) -> io::Result<()> {
        if consent != Consent::Asked || on_a_terminal {
            return Ok(());
        }
        Form::Table.write(screen, self, |output| output.table(true))
    }

    /// The table for people; on a terminal with short digests.
    fn table(&self, on_a_terminal: bool) -> Table {
        let headings = [
            "RECORD",
            "ENVIRONMENT",
            "IMAGE",
            "DIGEST",
            "THEN",
            "SOURCE",
            "PROBLEM",
        ];
        let mut table = Table::new(&headings);
        for row in &self.records {
            let name = row.name.as_deref().unwrap_or_default();
            let image = match &row.version {
                Some(version) => format!("{name}:{version}"),
                None => name.to_owned(),
            };
            let source = row.source.as_ref().map(SourceRow::cell);
            table.push(vec![
                row.identity.record_name.to_string(),
                row.identity.environment(),
                image,
                short(&row.digest, on_a_terminal),
                row.then.to_owned(),
                source.unwrap_or_default(),
                row.problem.clone().unwrap_or_default(),
            ]);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixtures::{destination, digest};

    #[test]
    fn a_person_who_is_asked_sees_what_it_is_about_wherever_the_output_goes() {
        let identity = Identity {
            destination: Arc::new(destination()),
            name: "shop-web-app".into(),
        };
        let row = Row {
            identity: IdentityRow::from(&identity),
            digest: digest(1).to_string(),
            name: None,
            version: None,
            repository: None,
            source: None,
            then: "decommission",
            problem: None,
        };
        let output = Adoption { records: vec![row] };
        let shown = |consent, on_a_terminal| {
            let mut screen = Vec::new();
            let shown = output.show_beside(consent, on_a_terminal, &mut screen);
            shown.unwrap();
            String::from_utf8(screen).unwrap()
        };
        let table = shown(Consent::Asked, false);
        assert!(table.contains("shop-web-app"), "{table}");
        assert!(table.contains("decommission"), "{table}");
        // Once is enough.
        assert_eq!(shown(Consent::Asked, true), "");
        assert_eq!(shown(Consent::Given, false), "");
    }
}
