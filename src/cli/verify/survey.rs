//! Asking GitHub what it holds of many digests: how many calls that takes is said beforehand, at most
//! four are under way at once, and no more are made than a share of what GitHub leaves in the hour.
//! What the answers mean for any record is decided in `model::comparison`.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use tokio::time::sleep;

use crate::cli::progress::Progress;
use crate::cli::waits::{Waits, written};
use crate::github::answer::Failure;
use crate::github::call::Carrier;
use crate::github::exchange::NotSent;
use crate::github::pace::reads::{AT_ONCE, SPACING};
use crate::github::rate::Rate;
use crate::github::reader::Reader;
use crate::model::comparison::Listed;
use crate::model::image::Digest;

/// Of what GitHub leaves in the hour, this part may be used: others need the rest.
const SHARE: u64 = 5;

/// How often a list is asked for that GitHub does not answer.
const TRIES: u32 = 3;

/// The digests that are asked for, by organization.
pub(in crate::cli) type Asked = BTreeMap<Arc<str>, BTreeSet<Digest>>;

/// What GitHub lists, by digest.
pub(in crate::cli) type Lists = BTreeMap<Digest, Vec<Listed>>;

/// Why it is not known what GitHub holds.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum SurveyError {
    /// It would take more calls than a share of what GitHub leaves.
    #[error(
        "it takes {needed} calls, and of the {remaining} that GitHub leaves in this hour only a \
         fifth is used: name fewer namespaces with --namespaces{}",
        later(*.resets_in)
    )]
    TooMany {
        /// How many calls it takes.
        needed: u64,
        /// How many GitHub left with its first answer.
        remaining: u64,
        /// When the hour is over.
        resets_in: Option<Duration>,
    },
    /// GitHub says that there are more records than it lists.
    #[error("GitHub lists {came} records of {digest} and {}", counted(*.count))]
    Short {
        /// The digest.
        digest: Digest,
        /// How many came.
        came: usize,
        /// How many there are, where it is told.
        count: Option<u64>,
    },
    /// GitHub did not give a list.
    #[error("the records of {digest} in {organization}: {failure}")]
    Failed {
        /// The organization.
        organization: Arc<str>,
        /// The digest.
        digest: Digest,
        /// Why not.
        failure: Failure,
    },
    /// Nothing left.
    #[error(transparent)]
    NotSent(#[from] NotSent),
}

fn later(resets_in: Option<Duration>) -> String {
    let later = resets_in.map(|wait| format!(", or try again in {}", written(wait)));
    later.unwrap_or_default()
}

fn counted(count: Option<u64>) -> String {
    match count {
        Some(count) => format!("says that there are {count}"),
        None => "does not say how many there are".to_owned(),
    }
}

/// What is asked with.
pub(in crate::cli) struct Survey<'a, S> {
    reader: Reader<S>,
    /// The API's host.
    host: Arc<str>,
    progress: &'a Progress,
    waits: &'a Waits<'a>,
    calls: Cell<u64>,
    done: Cell<u64>,
    /// What GitHub left with its first answer.
    left: Cell<Option<Rate>>,
}

impl<'a, S: Carrier + Clone> Survey<'a, S> {
    /// A survey that asks by `reader`, at the API of that host.
    pub(in crate::cli) fn new(
        reader: Reader<S>,
        host: Arc<str>,
        progress: &'a Progress,
        waits: &'a Waits<'a>,
    ) -> Self {
        Self {
            reader,
            host,
            progress,
            waits,
            calls: Cell::new(0),
            done: Cell::new(0),
            left: Cell::new(None),
        }
    }

    /// Everything that GitHub lists under these digests.
    pub(in crate::cli) async fn lists(&self, asked: &Asked) -> Result<Lists, SurveyError> {
        let count = |digests: &BTreeSet<Digest>| u64::try_from(digests.len()).unwrap_or(u64::MAX);
        let needed = asked.values().map(count).sum();
        self.announce(needed);
        let asked = asked.iter();
        let mut each = asked.flat_map(|(organization, digests)| {
            digests.iter().map(move |digest| (organization, *digest))
        });
        let mut lists = Lists::new();
        let mut take = |(digest, records): (Digest, Vec<Listed>)| {
            lists.entry(digest).or_default().extend(records);
        };
        if let Some((organization, digest)) = each.next() {
            take(self.ask(organization, digest, needed).await?);
            self.afford(needed, needed)?;
        }
        let others = stream::iter(each)
            .map(|(organization, digest)| self.ask(organization, digest, needed))
            .buffer_unordered(AT_ONCE);
        let others: Vec<_> = others.try_collect().await?;
        others.into_iter().for_each(take);
        self.progress.clear();
        Ok(lists)
    }

    fn announce(&self, needed: u64) {
        let spacing = u32::try_from(needed).unwrap_or(u32::MAX);
        let least = SPACING.saturating_mul(spacing);
        self.progress.say(&format!(
            "Asking GitHub, with one call for each digest. Calls: {needed}, which take at least {}.",
            written(least)
        ));
    }

    /// What GitHub lists under a digest.
    async fn ask(
        &self,
        organization: &Arc<str>,
        digest: Digest,
        needed: u64,
    ) -> Result<(Digest, Vec<Listed>), SurveyError> {
        let mut tries = 0;
        loop {
            self.afford(self.calls.get() + 1, needed)?;
            self.calls.set(self.calls.get() + 1);
            tries += 1;
            let call = self.reader.deployment_records(organization, &digest);
            let exchange = self.waits.during(|| self.reader.slot(), call).await?;
            if self.left.get().is_none() {
                self.left.set(Some(exchange.rate));
            }
            match exchange.answer {
                Ok(records) if !records.is_whole() => {
                    return Err(SurveyError::Short {
                        digest,
                        came: records.records.len(),
                        count: records.total_count,
                    });
                }
                Ok(records) => {
                    self.done.set(self.done.get() + 1);
                    let done = self.done.get();
                    self.progress.show(&format!("{done} of {needed} digests"));
                    let records = records.records.into_iter();
                    let listed = records.map(|record| record.listed(&self.host, organization));
                    return Ok((digest, listed.collect()));
                }
                Err(failure) if failure.is_passing() && tries < TRIES => {
                    // A limit holds the next read back by itself.
                    if matches!(failure, Failure::Unknown { .. }) {
                        sleep(Duration::from_secs(1 << tries)).await;
                    }
                }
                Err(failure) => {
                    return Err(SurveyError::Failed {
                        organization: organization.clone(),
                        digest,
                        failure,
                    });
                }
            }
        }
    }

    /// Whether so many calls may be made in all. Where GitHub does not say what it leaves, there is
    /// no limit to keep to; the first call finds that out.
    fn afford(&self, calls: u64, needed: u64) -> Result<(), SurveyError> {
        let Some(left) = self.left.get() else {
            return Ok(());
        };
        match left.remaining {
            Some(remaining) if calls > (remaining / SHARE).max(1) => Err(SurveyError::TooMany {
                needed,
                remaining,
                resets_in: left.resets_in,
            }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
