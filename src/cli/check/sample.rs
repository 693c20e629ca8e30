//! Names of our cluster that GitHub holds and the ledger lacks: what another tool left there, or a
//! ledger that was lost. A few digests that run are looked up; all of them is what `verify` is for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::in_cluster::Seen;
use super::report::Report;
use crate::github::exchange::Exchange;
use crate::github::reader::Reader;
use crate::github::records::{DeploymentRecord, Records};
use crate::github::transport::Transport;
use crate::model::comparison::Listed;
use crate::model::image::Digest;
use crate::model::record::Destination;

/// How many digests are looked up at most.
const MOST: usize = 10;

/// How many names are told at most.
const NAMED: usize = 5;

/// GitHub is not waited for longer than this before a read.
const PATIENCE: Duration = Duration::from_secs(5);

/// A few digests that run.
pub(super) struct Sample<'a> {
    pub(super) reader: &'a Reader<Transport>,
    pub(super) destination: &'a Destination,
    pub(super) seen: &'a Seen,
}

impl Sample<'_> {
    /// Looks them up; `listed` is what GitHub answered of the `first` of them.
    pub(super) async fn check(
        &self,
        first: Digest,
        listed: Exchange<Records<DeploymentRecord>>,
        report: &mut Report,
    ) {
        const CHECK: &str = "records";
        let Some(expected) = &self.seen.expected else {
            report.skipped(CHECK, "there is no ledger to compare with");
            return;
        };
        if self.seen.running.is_empty() {
            report.skipped(CHECK, "nothing runs that would be recorded");
            return;
        }
        let lists = self.look_up(first, listed).await;
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
        let (asked, running) = (lists.len(), self.seen.running.len());
        let of = format!("of {asked} of {running} digests that run");
        if names.is_empty() {
            let what = format!("the ledger knows all names that GitHub has {of}");
            report.ok(CHECK, what);
            return;
        }
        let mut named = names.get(..NAMED).unwrap_or(&names).join(", ");
        let more = names.len().saturating_sub(NAMED);
        if more > 0 {
            named = format!("{named} and {more} more");
        }
        let what = format!("the ledger lacks names of this cluster that GitHub has {of}: {named}");
        let todo =
            "nobody decommissions them: look with verify, take them over with verify --adopt";
        report.failed(CHECK, what, todo);
    }

    /// What GitHub lists, by digest, as far as it answers.
    async fn look_up(
        &self,
        first: Digest,
        listed: Exchange<Records<DeploymentRecord>>,
    ) -> BTreeMap<Digest, Vec<Listed>> {
        let Destination {
            host, organization, ..
        } = self.destination;
        let others = self.seen.running.iter();
        let others = others.filter(|digest| **digest != first).take(MOST - 1);
        let mut lists = BTreeMap::new();
        let (mut digest, mut listed) = (first, Some(listed));
        let mut others = others.copied();
        while let Some(Ok(list)) = listed.map(|exchange| exchange.answer) {
            let records = list.records.into_iter();
            let records = records.map(|record| record.listed(host, organization));
            lists.insert(digest, records.collect());
            let Some(next) = others.next() else {
                break;
            };
            (digest, listed) = (next, self.ask(&next).await);
        }
        lists
    }

    async fn ask(&self, digest: &Digest) -> Option<Exchange<Records<DeploymentRecord>>> {
        if self.reader.slot().at > Instant::now() + PATIENCE {
            return None;
        }
        let organization = &self.destination.organization;
        let listed = self.reader.deployment_records(organization, digest);
        listed.await.ok()
    }
}
