//! What a check finds at GitHub: whether it answers, and what its answer to one read says of the
//! version, of whoever signs in, and of the clock. Nothing is written there, so what a token may
//! write is known only where GitHub tells it unasked.

mod asked;

use std::collections::BTreeSet;

use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::report::Report;
use super::sample::{MOST, PATIENCE, Sample};
use super::seen::{Part, Seen};
use crate::cli::github;
use crate::cli::settings::{self, Github, SignIn};
use crate::clock::Clock;
use crate::github::answer::Failure;
use crate::github::auth::{CredentialsError, SignIn as SignedIn};
use crate::github::client::Client;
use crate::github::exchange::{Exchange, NotSent};
use crate::github::pace::{Access, SPACING};
use crate::github::reader::Reader;
use crate::github::records::{DeploymentRecord, Records};
use crate::github::transport::Transport;
use crate::model::image::Digest;
use crate::recorder::chain;

use asked::Asked;

/// The checks that an answer of GitHub decides, behind the one that there is an answer.
const OF_AN_ANSWER: [&str; 4] = ["api-version", "token", "permission", "clock"];

/// What to do where GitHub cannot be spoken to.
const REACH: &str = "see that it can be reached from here: --github-api-url, HTTPS_PROXY and NO_PROXY, \
                     SSL_CERT_FILE, firewalls and network policies";

/// What to do where a GitHub App gets no token.
const SEE_APP: &str = "see --github-app-id, --github-app-installation-id, the key, and that the App \
                       is installed in the organization and not suspended";

/// Looks at GitHub.
pub(super) async fn check(run: &settings::Run, seen: &Seen, clock: Clock, report: &mut Report) {
    let Some(sign_in) = &run.github.sign_in else {
        report.skipped("github", "nobody signs in, and a dry run does not need it");
        return;
    };
    let Some(mut client) = client(&run.github, clock, report).await else {
        return;
    };
    let home = &run.policy.destination;
    let nothing = Part {
        organization: home.organization.clone(),
        ..Part::default()
    };
    let access = Access::from(home);
    let part = seen.organizations.get(&access).unwrap_or(&nothing);
    if signed_in(&run.github, sign_in, part, &mut client, report).await {
        organization(run, sign_in, &client, (seen, part), clock, report).await;
    }
    let others = seen.organizations.iter();
    for (_, part) in others.filter(|(known, _)| **known != access) {
        report.about(Some(&part.organization));
        further(run, &mut client, (seen, part), clock, report).await;
        report.about(None);
    }
}

/// Looks at an organization with the token that there is for it.
async fn organization(
    run: &settings::Run,
    sign_in: &SignIn,
    client: &Client<Transport>,
    (seen, part): (&Seen, &Part),
    clock: Clock,
    report: &mut Report,
) {
    let organization = &part.organization;
    let reader = client.reader();
    let first = match First::ask(&reader, part, clock).await {
        Ok(first) => first,
        Err(error) => {
            report.failed("token", chain(&error), sign_in.setting());
            return;
        }
    };
    let home = &run.policy.destination;
    let asked = Asked {
        github: &run.github,
        sign_in,
        organization,
        permitted: client.permitted(organization),
        has_held: !part.held.is_empty(),
        middle: first.middle,
    };
    if organization.eq_ignore_ascii_case(&home.organization) {
        asked.judge(&first.exchange, report);
    } else {
        asked.judge_token(&first.exchange, report);
    }
    let sample = Sample {
        reader: &reader,
        host: &home.host,
        seen,
        part,
        by_namespace: run.policy.selection.by_namespace(),
        is_let_in: sign_in.is_let_in(),
    };
    sample.check(first, report).await;
}

/// Looks at an organization that is not the one of most records.
async fn further(
    run: &settings::Run,
    client: &mut Client<Transport>,
    (seen, part): (&Seen, &Part),
    clock: Clock,
    report: &mut Report,
) {
    let Some(sign_in) = run.github.sign_in_at(&part.organization) else {
        return;
    };
    if let SignIn::App(_) = sign_in {
        sleep(SPACING).await;
    }
    let signed_in = client.sign_in(&part.organization).await;
    if let Err(error) = &signed_in.result {
        let todo = if is_refused(&signed_in) {
            SEE_APP
        } else {
            REACH
        };
        report.failed("token", chain(error), todo);
        return;
    }
    organization(run, &sign_in, client, (seen, part), clock, report).await;
}

/// Whether it was GitHub that gave no token.
fn is_refused(signed_in: &SignedIn) -> bool {
    let mut answers = signed_in.errands.iter().filter_map(|errand| errand.status);
    let last = answers.next_back();
    last.is_some_and(|status| !status.is_server_error())
}

/// The first answer that tells something.
pub(super) struct First {
    pub(super) digest: Digest,
    pub(super) exchange: Exchange<Records<DeploymentRecord>>,
    /// What this machine's clock showed between question and answer.
    middle: Timestamp,
    /// The digests before it that were answered with 404, which by itself tells nothing: nobody knows
    /// what GitHub answers of a digest that it does not know.
    pub(super) not_found: BTreeSet<Digest>,
}

impl First {
    /// Asks of one digest after the other until one is answered otherwise than with 404: first of
    /// those that GitHub has acknowledged, for it knows them.
    async fn ask(reader: &Reader<Transport>, part: &Part, clock: Clock) -> Result<Self, NotSent> {
        let (held, running) = (&part.held, &part.running);
        let digests = held.intersection(running).chain(held.difference(running));
        let mut digests = digests.chain(running.difference(held)).copied().take(MOST);
        let mut digest = digests.next().unwrap_or(Digest::ZERO);
        let mut not_found = BTreeSet::new();
        loop {
            let begun = clock.wall();
            let exchange = reader
                .deployment_records(&part.organization, &digest)
                .await?;
            let middle = begun + clock.wall().duration_since(begun) / 2;
            let is_not_found = exchange.failure().is_some_and(Failure::is_not_found);
            let may_ask = is_not_found && reader.slot().at <= Instant::now() + PATIENCE;
            let Some(next) = digests.next().filter(|_| may_ask) else {
                return Ok(Self {
                    digest,
                    exchange,
                    middle,
                    not_found,
                });
            };
            not_found.insert(digest);
            digest = next;
        }
    }
}

fn unasked(report: &mut Report, checks: &[&'static str]) {
    for check in checks {
        report.skipped(check, "GitHub is not asked without a token");
    }
}

/// A client, if there is something to sign in with.
async fn client(settings: &Github, clock: Clock, report: &mut Report) -> Option<Client<Transport>> {
    match github::parts(settings.clone(), clock).await {
        Ok(parts) => Some(parts?.client()),
        Err(error) => {
            if error.downcast_ref::<CredentialsError>().is_some() {
                unasked(report, &["github", "api-version"]);
                // What is in front of it is the setting.
                let todo = format!("let {error} lead to what GitHub gave");
                report.failed("token", chain(error.as_ref()), &todo);
                unasked(report, &["permission", "clock"]);
            } else {
                report.failed("github", chain(error.as_ref()), REACH);
                unasked(report, &OF_AN_ANSWER);
            }
            None
        }
    }
}

/// Whether there is a token for this organization.
async fn signed_in(
    settings: &Github,
    sign_in: &SignIn,
    part: &Part,
    client: &mut Client<Transport>,
    report: &mut Report,
) -> bool {
    if let SignIn::App(_) = sign_in {
        // A token is minted by a write, and another process may have written a moment ago.
        sleep(SPACING).await;
    }
    let signed_in = client.sign_in(&part.organization).await;
    let Err(error) = &signed_in.result else {
        return true;
    };
    if is_refused(&signed_in) {
        let mut answers = signed_in.errands.iter().filter_map(|errand| errand.status);
        let status = answers.next_back().unwrap_or_default();
        report.ok("github", format!("{} answered {status}", settings.url));
        unasked(report, &["api-version"]);
        report.failed("token", chain(error), SEE_APP);
        unasked(report, &["permission", "clock"]);
    } else {
        report.failed("github", chain(error), REACH);
        unasked(report, &OF_AN_ANSWER);
    }
    false
}

#[cfg(test)]
mod tests;
