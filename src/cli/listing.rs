//! Listing what GitHub holds of digests, for `records list` and `storage list`: a few at once, tried
//! again where that helps, and said plainly where not all came. What a record holds is the commands'
//! own matter.

use std::pin::pin;

use anyhow::bail;
use futures::StreamExt;
use serde::Serialize;

use super::desk::Desk;
use super::interrupt::unless_interrupted;
use super::output::Table;
use super::settings::{Asked, List};
use super::tries::{self, Trouble};
use crate::github::call::Carrier;
use crate::github::exchange::{Exchange, NotSent};
use crate::github::pace::reads::AT_ONCE;
use crate::github::reader::Reader;
use crate::github::records::Records;
use crate::github::transport::Transport;
use crate::model::image::Digest;

/// A record as it is printed.
pub trait Row: Serialize + Sized {
    /// What GitHub tells.
    type Of;
    /// What they are called.
    const WHAT: &'static str;

    /// The record, of this organization.
    fn new(organization: &str, record: Self::Of) -> Self;

    /// The table for people; on a terminal with short digests.
    fn table(listing: &Listing<Self>, on_a_terminal: bool) -> Table;
}

/// What GitHub holds of what was asked about.
#[derive(Debug, Serialize)]
pub struct Listing<R> {
    /// What was asked about, and whether all of it came.
    pub asked: Vec<Answered>,
    /// The records, in the order in which was asked, and in GitHub's for each digest.
    pub records: Vec<R>,
}

/// One digest that was asked about.
#[derive(Debug, Serialize)]
pub struct Answered {
    /// As it was typed.
    pub argument: String,
    /// The digest.
    pub digest: String,
    /// How many records came.
    pub listed: u64,
    /// How many there are by GitHub's count, where it is told.
    pub total_count: Option<u64>,
    /// Why GitHub did not answer.
    pub error: Option<String>,
}

impl<R: Row> Listing<R> {
    fn new() -> Self {
        Self {
            asked: Vec::new(),
            records: Vec::new(),
        }
    }

    fn add(&mut self, organization: &str, asked: &Asked, result: Result<Records<R::Of>, Trouble>) {
        let mut answered = Answered {
            argument: asked.typed.clone(),
            digest: asked.digest.to_string(),
            listed: 0,
            total_count: None,
            error: None,
        };
        match result {
            Ok(list) => {
                answered.listed = u64::try_from(list.records.len()).unwrap_or(u64::MAX);
                answered.total_count = list.total_count;
                let rows = list.records.into_iter();
                self.records
                    .extend(rows.map(|record| R::new(organization, record)));
            }
            Err(trouble) => answered.error = Some(trouble.whole()),
        }
        self.asked.push(answered);
    }

    /// What GitHub knows nothing of.
    fn remarks(&self) -> impl Iterator<Item = String> {
        let empty = self.asked.iter().filter(|it| {
            it.error.is_none() && it.listed == 0 && it.total_count.unwrap_or_default() == 0
        });
        empty.map(|it| format!("GitHub holds no {} of {}", R::WHAT, it.digest))
    }

    /// What did not come, in a sentence for an error. The same reason is said once.
    fn complaint(&self) -> Option<String> {
        let mut said: Vec<String> = Vec::new();
        for it in &self.asked {
            let complaint = match (&it.error, it.total_count) {
                (Some(error), _) if said.iter().any(|said| said.ends_with(error)) => continue,
                (Some(error), _) => format!("{}: {error}", it.digest),
                (None, Some(total)) if total > it.listed => format!(
                    "{}: GitHub counts {total} records and sent {}",
                    it.digest, it.listed
                ),
                (None, _) => continue,
            };
            said.push(complaint);
        }
        (!said.is_empty()).then(|| format!("not all was listed: {}", said.join("; ")))
    }
}

/// Asks GitHub about every digest, by `call`, and prints what it holds.
pub async fn execute<R: Row>(
    list: List,
    call: impl AsyncFn(&Reader<Transport>, &str, &Digest) -> Told<R>,
) -> anyhow::Result<()> {
    let List { call: way, asked } = list;
    let form = way.form;
    let organization = way.organization.clone();
    let (desk, client) = Desk::open(way).await?;
    let reader = client.reader();
    let mut listing = Listing::<R>::new();
    let work = gather(&desk, &reader, &organization, &asked, &mut listing, call);
    let done = unless_interrupted(work).await?;
    desk.progress.clear();
    let (answered, all) = (listing.asked.len(), asked.len());
    super::print_form(form, &listing, R::table)?;
    for remark in listing.remarks() {
        super::remark(&remark);
    }
    if done.is_none() {
        bail!("interrupted: {answered} of {all} digests were listed; nothing is changed by that");
    }
    match listing.complaint() {
        Some(complaint) => bail!(complaint),
        None => Ok(()),
    }
}

/// What one question comes to.
type Told<R> = Result<Exchange<Records<<R as Row>::Of>>, NotSent>;

async fn gather<R: Row, S: Carrier + Clone>(
    desk: &Desk,
    reader: &Reader<S>,
    organization: &str,
    asked: &[Asked],
    listing: &mut Listing<R>,
    call: impl AsyncFn(&Reader<S>, &str, &Digest) -> Told<R>,
) {
    let (waits, all) = (desk.waits(), asked.len());
    let (waits, call) = (&waits, &call);
    let ask = |one: &'_ Asked| {
        let digest = one.digest;
        async move {
            let call = async |reader: &Reader<S>| call(reader, organization, &digest).await;
            tries::read(reader, waits, call).await
        }
    };
    let answers = futures::stream::iter(asked.iter().map(ask)).buffered(AT_ONCE);
    let mut answers = pin!(answers.zip(futures::stream::iter(asked)));
    desk.progress.show(&format!("0 of {all} digests"));
    while let Some((result, one)) = answers.next().await {
        listing.add(organization, one, result);
        desk.progress
            .show(&format!("{} of {all} digests", listing.asked.len()));
    }
}
