//! `verify`: asks GitHub what it holds and compares that with what runs and what the ledger has. The
//! command shows what the core finds and decides nothing; what it does about records that the ledger
//! lacks is in `adopt`.

use std::io::{self, IsTerminal};
use std::sync::Arc;

use anyhow::{Context, anyhow};

use super::look::{Look, told};
use super::progress::Progress;
use super::waits::Waits;
use super::{Failure, github, settings};
use crate::clock::Clock;
use crate::model::comparison::Expected;

mod adopt;
mod survey;
mod verified;

use survey::{Survey, SurveyError, Unread};
use verified::Verified;

/// Asks GitHub and prints what differs, or adopts what the ledger lacks. Returns whether nothing
/// differs, or all that was agreed to is adopted.
pub(super) async fn execute(settings: settings::Verify) -> Result<bool, Failure> {
    let could_not_tell = Failure::CouldNotTell;
    for warning in &settings.warnings {
        super::remark(&format!("warning: {warning}"));
    }
    let clock = Clock::real();
    let parts = github::parts(settings.github.clone(), clock).await;
    let parts = parts.map_err(could_not_tell)?;
    let parts = parts.context("nobody signs in at GitHub");
    let client = parts.map_err(could_not_tell)?.client();
    let look = Look::at(&settings.connection, settings.scope.clone()).await;
    let look = look.map_err(could_not_tell)?;
    let progress = Progress::on_stderr();
    let waits = Waits::new(&progress, clock);
    let host = client.api().host().clone();
    let let_in = |organization: &str| settings.github.is_let_in(organization);
    let survey = Survey::new(client.reader(), host, &progress, &waits).let_in_by(&let_in);
    let done = match &settings.adopt {
        None => compare(&settings, &look, &survey)
            .await
            .map_err(could_not_tell),
        Some(adoption) => adopt::execute(&settings, adoption, &look, &survey, clock).await,
    };
    look.cluster.stop().await;
    done
}

type Way<'a> = Survey<'a, crate::github::transport::Transport>;

async fn compare(
    settings: &settings::Verify,
    look: &Look,
    survey: &Way<'_>,
) -> anyhow::Result<bool> {
    // Nobody is asked for what would not be told in the end.
    whole(look)?;
    let before = expected_at_first(look, settings).await?;
    let (lists, unread) = survey.known_lists(before.digests()).await?;
    let unread = someone_answered(unread, &before)?;
    // Cluster and ledger go on while GitHub is asked.
    let after = expected(look, settings).await?;
    let is_unread = |organization: &str| {
        let mut unread = unread.keys();
        unread.any(|known| known.eq_ignore_ascii_case(organization))
    };
    let (before, after) = (before.without(is_unread), after.without(is_unread));
    let comparison = before.compare(&lists).confirmed_by(&after.compare(&lists));
    let verified = Verified::new(&comparison, &unread);
    let on_a_terminal = io::stdout().is_terminal();
    super::print(|out| {
        let table = |verified: &Verified| verified.table(on_a_terminal);
        settings.form.write(out, &verified, table)
    })?;
    super::remark(&verified.remark());
    if verified.has_missing() {
        super::remark(
            "missing: GitHub lists it under no digest that was asked for, or the token may not see \
             its repository.",
        );
    }
    whole(look)?;
    named(look)?;
    all_read(&unread)?;
    Ok(verified.differences.is_empty())
}

/// An error if no organization was read that was asked for something: there is nothing to tell.
fn someone_answered(unread: Unread, expected: &Expected) -> Result<Unread, SurveyError> {
    let mut asked = expected.digests().iter();
    let is_read = |organization: &Arc<str>| !unread.contains_key(organization);
    if asked.any(|(organization, digests)| !digests.is_empty() && is_read(organization)) {
        return Ok(unread);
    }
    match unread.into_values().next() {
        Some(error) => Err(error),
        None => Ok(Unread::new()),
    }
}

/// An error if an organization was not read: what is said is true of the others alone.
fn all_read(unread: &Unread) -> anyhow::Result<()> {
    if unread.is_empty() {
        return Ok(());
    }
    let why: Vec<String> = unread.values().map(ToString::to_string).collect();
    Err(anyhow!(
        "not every organization was read: {}",
        why.join("; ")
    ))
}

/// An error if not everything of the cluster was read.
fn whole(look: &Look) -> anyhow::Result<()> {
    match look.unread() {
        unread if unread.is_empty() => Ok(()),
        unread => Err(anyhow!("not everything was read: {}", told(&unread))),
    }
}

/// An error if a namespace that was named is not there: a name that is mistyped has no records.
fn named(look: &Look) -> anyhow::Result<()> {
    match look.missing() {
        missing if missing.is_empty() => Ok(()),
        missing => Err(anyhow!("{}", missing.join(" "))),
    }
}

/// What GitHub is to hold by what is known at first: says where there is no ledger.
async fn expected_at_first(look: &Look, settings: &settings::Verify) -> anyhow::Result<Expected> {
    let ledger = &settings.ledger;
    let stored = look.stored(ledger).await?;
    if stored.is_none() {
        let (name, namespace) = (&ledger.name, ledger.namespace());
        super::remark(&format!("There is no ledger {name} in {namespace} yet."));
    }
    let stored = stored.unwrap_or_default();
    Ok(Expected::new(
        &look.cluster.facts(),
        &stored,
        &settings.policy,
    ))
}

/// What GitHub is to hold by what is known now.
async fn expected(look: &Look, settings: &settings::Verify) -> anyhow::Result<Expected> {
    let stored = look.stored(&settings.ledger).await?.unwrap_or_default();
    Ok(Expected::new(
        &look.cluster.facts(),
        &stored,
        &settings.policy,
    ))
}
