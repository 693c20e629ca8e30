//! Asking GitHub what it holds of many digests: how many calls that takes is said beforehand, at most
//! four are under way at once, and no more are made than a share of what GitHub leaves in the hour.
//! What the answers mean for any record is decided in `model::comparison`.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};

use crate::cli::progress::Progress;
use crate::cli::tries;
use crate::cli::waits::{Waits, written};
use crate::github::answer::{Answer, Failure};
use crate::github::call::Carrier;
use crate::github::pace::reads::{AT_ONCE, SPACING};
use crate::github::rate::Rate;
use crate::github::reader::Reader;
use crate::github::records::{DeploymentRecord, Records};
use crate::model::comparison::Listed;
use crate::model::image::Digest;

mod error;
#[cfg(test)]
mod tests;

pub(in crate::cli) use error::SurveyError;

/// Of what GitHub leaves in the hour, this part may be used: others need the rest.
const SHARE: u64 = 5;

/// The digests that are asked for, by organization.
pub(in crate::cli) type Asked = BTreeMap<Arc<str>, BTreeSet<Digest>>;

/// What GitHub lists, by digest.
pub(in crate::cli) type Lists = BTreeMap<Digest, Vec<Listed>>;

/// Organizations that did not answer for everything, and why.
pub(in crate::cli) type Unread = BTreeMap<Arc<str>, SurveyError>;

/// What came of asking for one digest.
enum Reply {
    /// A list.
    Listed(Records<DeploymentRecord>),
    /// 404, and what GitHub said.
    NotFound(String),
    /// Asking again would take more calls than may be made.
    Over(SurveyError),
}

/// What GitHub lists under a digest of an organization, or what it said with a 404.
type Told<'a> = (&'a Arc<str>, Digest, Result<Vec<Listed>, String>);

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
    /// Whether an organization lets in whatever token there is.
    let_in: &'a dyn Fn(&str) -> bool,
    /// Organizations that are known to let the token in.
    open: RefCell<BTreeSet<Arc<str>>>,
    /// Those that are not asked any more.
    unread: RefCell<Unread>,
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
            let_in: &|_| false,
            open: RefCell::default(),
            unread: RefCell::default(),
        }
    }

    /// The same, where it is known beforehand which organizations let the token in.
    pub(in crate::cli) fn let_in_by(self, let_in: &'a dyn Fn(&str) -> bool) -> Self {
        Self { let_in, ..self }
    }

    /// Everything that GitHub lists under these digests, or why that is not known.
    pub(in crate::cli) async fn lists(&self, asked: &Asked) -> Result<Lists, SurveyError> {
        let (lists, unread) = self.known_lists(asked).await?;
        match unread.into_values().next() {
            Some(error) => Err(error),
            None => Ok(lists),
        }
    }

    /// Everything that GitHub lists under these digests, but for organizations that do not answer. A
    /// digest that it does not find has no records, if the organization is known to let the token in.
    pub(in crate::cli) async fn known_lists(
        &self,
        asked: &Asked,
    ) -> Result<(Lists, Unread), SurveyError> {
        let count = |digests: &BTreeSet<Digest>| u64::try_from(digests.len()).unwrap_or(u64::MAX);
        let needed = asked.values().map(count).sum();
        self.calls.set(0);
        self.done.set(0);
        self.left.set(None);
        self.unread.take();
        self.announce(needed);
        let asked = asked.iter();
        let mut each = asked.flat_map(|(organization, digests)| {
            digests.iter().map(move |digest| (organization, *digest))
        });
        let mut told = Vec::new();
        for (organization, digest) in each.by_ref() {
            told.push(self.ask_once_open(organization, digest, needed).await?);
            if self.left.get().is_some() {
                self.afford(needed, needed)?;
                break;
            }
        }
        let others = stream::iter(each)
            .map(|(organization, digest)| self.ask_once_open(organization, digest, needed))
            .buffer_unordered(AT_ONCE);
        let others: Vec<_> = others.try_collect().await?;
        self.progress.clear();
        told.extend(others);
        Ok(self.settle(told.into_iter().flatten().collect()))
    }

    /// What GitHub lists under a digest, unless its organization did not answer before or does not now:
    /// others are not to wait for it again.
    async fn ask_once_open<'d>(
        &self,
        organization: &'d Arc<str>,
        digest: Digest,
        needed: u64,
    ) -> Result<Option<Told<'d>>, SurveyError> {
        if self.unread.borrow().contains_key(organization) {
            return Ok(None);
        }
        match self.ask(organization, digest, needed).await {
            Ok(told) => Ok(Some(told)),
            Err(error @ SurveyError::TooMany { .. }) => Err(error),
            Err(error) => {
                let mut unread = self.unread.borrow_mut();
                unread.entry(organization.clone()).or_insert(error);
                Ok(None)
            }
        }
    }

    /// What the answers mean together: a 404 says that there is nothing, where another digest of the
    /// organization was answered. Half of what an organization has says nothing of it.
    fn settle(&self, told: Vec<Told<'_>>) -> (Lists, Unread) {
        let (mut lists, mut unread) = (Lists::new(), self.unread.take());
        let open = self.open.borrow();
        let is_open =
            |organization: &Arc<str>| open.contains(organization) || (self.let_in)(organization);
        for (organization, digest, records) in told {
            let records = match records {
                _ if unread.contains_key(organization) => continue,
                Ok(records) => records,
                Err(_) if is_open(organization) => Vec::new(),
                Err(said) => {
                    let organization = organization.clone();
                    let error = SurveyError::NothingFound {
                        organization: organization.clone(),
                        digest,
                        said,
                    };
                    unread.insert(organization, error);
                    continue;
                }
            };
            lists.entry(digest).or_default().extend(records);
        }
        (lists, unread)
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
    async fn ask<'d>(
        &self,
        organization: &'d Arc<str>,
        digest: Digest,
        needed: u64,
    ) -> Result<Told<'d>, SurveyError> {
        self.count(needed)?;
        let call = async |reader: &Reader<S>| {
            let exchange = reader.deployment_records(organization, &digest).await?;
            let failure = exchange.failure();
            let is_answered = failure.is_none_or(Failure::is_not_found);
            if self.left.get().is_none() && is_answered {
                self.left.set(Some(exchange.rate));
            }
            Ok(exchange.read_as(|answer| self.read(answer, needed)))
        };
        let reply = tries::read(&self.reader, self.waits, call).await;
        let reply = reply.map_err(|trouble| SurveyError::Failed {
            organization: organization.clone(),
            digest,
            trouble: trouble.whole(),
        })?;
        let list = match reply {
            Reply::Over(error) => return Err(error),
            Reply::Listed(list) if !list.is_whole() => {
                return Err(SurveyError::Short {
                    digest,
                    came: list.records.len(),
                    count: list.total_count,
                });
            }
            Reply::Listed(list) => {
                self.open.borrow_mut().insert(organization.clone());
                let records = list.records.into_iter();
                let listed = records.map(|record| record.listed(&self.host, organization));
                Ok(listed.collect())
            }
            Reply::NotFound(said) => Err(said),
        };
        self.done.set(self.done.get() + 1);
        let done = self.done.get();
        self.progress.show(&format!("{done} of {needed} digests"));
        Ok((organization, digest, list))
    }

    /// What an answer is here. One that is worth asking again for counts the call that this takes.
    fn read(&self, answer: Answer<Records<DeploymentRecord>>, needed: u64) -> Answer<Reply> {
        match answer {
            Ok(list) => Ok(Reply::Listed(list)),
            Err(failure) if failure.is_not_found() => Ok(Reply::NotFound(failure.to_string())),
            Err(failure) if failure.is_passing() => match self.count(needed) {
                Ok(()) => Err(failure),
                Err(over) => Ok(Reply::Over(over)),
            },
            Err(failure) => Err(failure),
        }
    }

    /// Counts a call before it is made, if it may be.
    fn count(&self, needed: u64) -> Result<(), SurveyError> {
        let calls = self.calls.get() + 1;
        self.afford(calls, needed)?;
        self.calls.set(calls);
        Ok(())
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
