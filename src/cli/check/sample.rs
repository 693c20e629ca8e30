//! Names of our cluster that GitHub holds and the ledger lacks: what another tool left there, or a
//! ledger that was lost. A few digests that run are looked up; all of them is what `verify` is for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::at_github::First;
use super::report::Report;
use super::seen::{Part, Seen};
use crate::github::answer::Failure;
use crate::github::exchange::Exchange;
use crate::github::reader::Reader;
use crate::github::records::{DeploymentRecord, Records};
use crate::github::transport::Transport;
use crate::model::comparison::Listed;
use crate::model::image::Digest;

/// The name of the check.
const CHECK: &str = "records";

/// How many digests are looked up at most.
pub(super) const MOST: usize = 10;

/// How many names are told at most.
const NAMED: usize = 5;

/// GitHub is not waited for longer than this before a read.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// A few digests that run.
pub(super) struct Sample<'a> {
    pub(super) reader: &'a Reader<Transport>,
    /// The API's host.
    pub(super) host: &'a Arc<str>,
    pub(super) seen: &'a Seen,
    /// The organization.
    pub(super) part: &'a Part,
    /// The flag by which workloads are left out for their namespaces, if one is given.
    pub(super) by_namespace: Option<&'static str>,
    /// Whether it is known that the organization lets the token in, whatever it answers.
    pub(super) is_let_in: bool,
}

/// What GitHub lists.
#[derive(Default)]
struct Found {
    lists: BTreeMap<Digest, Vec<Listed>>,
    /// The digests of which GitHub does not say that it lists all records.
    short: Vec<Digest>,
}

impl Found {
    fn add(&mut self, digest: Digest, list: Records<DeploymentRecord>, at: (&Arc<str>, &Arc<str>)) {
        if !list.is_whole() {
            self.short.push(digest);
        }
        let records = list.records.into_iter();
        let records = records.map(|record| record.listed(at.0, at.1));
        self.lists.insert(digest, records.collect());
    }
}

impl Sample<'_> {
    /// Looks them up, beside what GitHub answered `first`.
    pub(super) async fn check(&self, first: First, report: &mut Report) {
        let Some(expected) = &self.seen.expected else {
            report.skipped(CHECK, "there is no ledger to compare with");
            return;
        };
        if self.part.running.is_empty() {
            report.skipped(CHECK, "nothing runs that would be recorded");
            return;
        }
        let Found { lists, short } = self.look_up(first).await;
        if lists.is_empty() {
            report.skipped(CHECK, "GitHub's answer does not tell");
            return;
        }
        // What runs under such a name takes it with its first report.
        let lacking = expected.adoptable(&lists).into_iter();
        let lacking = lacking.filter(|adoptable| adoptable.keeper.is_none());
        let names: Vec<Arc<str>> = lacking
            .map(|adoptable| adoptable.record.identity.name)
            .collect();
        let (asked, running) = (lists.len(), self.part.running.len());
        let of = format!("of {asked} of {running} digests that run");
        if let (true, Some(digest)) = (names.is_empty(), short.first()) {
            let what = format!("GitHub does not say that it lists all records of {digest}");
            report.skipped(CHECK, what);
            return;
        }
        if names.is_empty() {
            let what = format!("the ledger knows all names that GitHub has {of}");
            report.ok(CHECK, what);
            return;
        }
        tell(&names, &of, self.by_namespace, report);
    }

    /// What GitHub lists, as far as it answers. That it does not find a digest says that it holds
    /// nothing of it, once it is known that it lets the token in.
    async fn look_up(&self, first: First) -> Found {
        let mut found = Found::default();
        let at = (self.host, &self.part.organization);
        let is_not_found = first.exchange.failure().is_some_and(Failure::is_not_found);
        match first.exchange.answer {
            Ok(list) if self.part.running.contains(&first.digest) => {
                found.add(first.digest, list, at);
            }
            Ok(_) => {}
            Err(_) if is_not_found && self.is_let_in => {
                found.lists.insert(first.digest, Vec::new());
            }
            Err(_) => return found,
        }
        let not_found = first.not_found.into_iter();
        found
            .lists
            .extend(not_found.map(|digest| (digest, Vec::new())));
        found
            .lists
            .retain(|digest, _| self.part.running.contains(digest));
        for digest in &self.part.running {
            if found.lists.len() >= MOST {
                break;
            }
            if found.lists.contains_key(digest) {
                continue;
            }
            let Some(listed) = self.ask(digest).await else {
                break;
            };
            match listed.answer {
                Ok(list) => found.add(*digest, list, at),
                Err(failure) if failure.is_not_found() => {
                    found.lists.insert(*digest, Vec::new());
                }
                Err(_) => break,
            }
        }
        found
    }

    async fn ask(&self, digest: &Digest) -> Option<Exchange<Records<DeploymentRecord>>> {
        if self.reader.slot().at > Instant::now() + PATIENCE {
            return None;
        }
        let organization = &self.part.organization;
        let listed = self.reader.deployment_records(organization, digest);
        listed.await.ok()
    }
}

/// Tells of names that the ledger lacks. Where namespaces are left out they may be those of another
/// recorder there, whose workloads run one of the same images: what is taken over from it is ended.
fn tell(names: &[Arc<str>], of: &str, by_namespace: Option<&str>, report: &mut Report) {
    let mut named = names.get(..NAMED).unwrap_or(names).join(", ");
    let more = names.len().saturating_sub(NAMED);
    if more > 0 {
        named = format!("{named} and {more} more");
    }
    let what = format!("the ledger lacks names of this cluster that GitHub has {of}: {named}");
    if let Some(flag) = by_namespace {
        let what = format!(
            "{what}. With {flag} they may be of other namespaces, and another recorder's. What is \
             nobody's take over with verify --adopt, and name it with --only"
        );
        report.skipped(CHECK, what);
    } else {
        let todo =
            "nobody decommissions them: look with verify, take them over with verify --adopt";
        report.failed(CHECK, what, todo);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_may_be_another_recorders_fail_nothing_where_namespaces_are_left_out() {
        let names = |count: usize| {
            let names = (0..count).map(|number| Arc::from(format!("web-{number}")));
            names.collect::<Vec<Arc<str>>>()
        };
        let told = |count, by_namespace| {
            let mut report = Report::default();
            let of = "of 1 of 9 digests that run";
            tell(&names(count), of, by_namespace, &mut report);
            let holds = report.holds();
            (
                holds,
                serde_json::to_value(&report).unwrap()["checks"][0].take(),
            )
        };
        let what = "the ledger lacks names of this cluster that GitHub has of 1 of 9 digests that \
                    run: web-0";
        let (holds, line) = told(1, None);
        assert!(!holds);
        assert_eq!(line["result"], "failed");
        assert_eq!(line["what"], what);
        let (holds, line) = told(1, Some("--namespaces"));
        assert!(holds);
        assert_eq!(line["result"], "skipped");
        assert!(line["todo"].is_null());
        let said = line["what"].as_str().unwrap();
        let rest = said.strip_prefix(what).unwrap();
        assert!(
            rest.starts_with(". With --namespaces they may be"),
            "{said}"
        );
        assert!(rest.ends_with("--only"), "{said}");
        let (_, line) = told(7, None);
        let said = line["what"].as_str().unwrap();
        assert!(
            said.ends_with("web-0, web-1, web-2, web-3, web-4 and 2 more"),
            "{said}"
        );
    }
}
