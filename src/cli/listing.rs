//! Listing what GitHub holds of digests, for `records list` and `storage list`: a few at once, tried
//! again where that helps, and said plainly where not all came. What a record holds is the commands'
//! own matter.

use std::cell::Cell;
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
    #[serde(skip)]
    lack: Option<Lack>,
}

/// Why nothing is known of a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Lack {
    /// It was asked about in vain.
    Trouble(Trouble),
    /// After such a failure of another one it was not asked about.
    NotAsked,
}

impl Lack {
    fn is_not_found(&self) -> bool {
        matches!(self, Self::Trouble(trouble) if trouble.is_not_found())
    }

    /// Whether it is the same as another one, the number of the request aside.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Trouble(one), Self::Trouble(other)) => match (&one.failure, &other.failure) {
                (None, None) => one.text == other.text,
                (one, other) => one == other,
            },
            (one, other) => one == other,
        }
    }
}

impl From<&Lack> for String {
    fn from(lack: &Lack) -> Self {
        match lack {
            Lack::NotAsked => "not asked".to_owned(),
            Lack::Trouble(trouble) if trouble.is_not_found() => format!(
                "{}: either GitHub knows no such digest yet, or --org is not right or does not let \
                 the token in",
                trouble.text
            ),
            Lack::Trouble(trouble) => trouble.whole(),
        }
    }
}

impl<R: Row> Listing<R> {
    fn new() -> Self {
        Self {
            asked: Vec::new(),
            records: Vec::new(),
        }
    }

    fn add(&mut self, organization: &str, asked: &Asked, result: Result<Records<R::Of>, Lack>) {
        let mut answered = Answered {
            argument: asked.typed.clone(),
            digest: asked.digest.to_string(),
            listed: 0,
            total_count: None,
            error: None,
            lack: None,
        };
        match result {
            Ok(list) => {
                answered.listed = u64::try_from(list.records.len()).unwrap_or(u64::MAX);
                answered.total_count = list.total_count;
                let rows = list.records.into_iter();
                self.records
                    .extend(rows.map(|record| R::new(organization, record)));
            }
            Err(lack) => {
                answered.error = Some((&lack).into());
                answered.lack = Some(lack);
            }
        }
        self.asked.push(answered);
    }

    /// A 404 says that GitHub holds nothing of a digest, if it is known that the token is let into
    /// the organization: `is_let_in`, or another digest was answered.
    fn settle(&mut self, is_let_in: bool) {
        let is_let_in = is_let_in || self.asked.iter().any(|it| it.lack.is_none());
        let not_found = self.asked.iter_mut().filter(|it| {
            let lack = it.lack.as_ref();
            is_let_in && lack.is_some_and(Lack::is_not_found)
        });
        for it in not_found {
            (it.error, it.lack) = (None, None);
        }
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
        let mut lacks: Vec<(&Lack, &Answered, usize)> = Vec::new();
        let mut short = Vec::new();
        for it in &self.asked {
            if let Some(lack) = &it.lack {
                match lacks.iter_mut().find(|(known, ..)| known.is_same(lack)) {
                    Some((_, _, more)) => *more += 1,
                    None => lacks.push((lack, it, 0)),
                }
            } else if let Some(total) = it.total_count.filter(|total| *total > it.listed) {
                let (digest, listed) = (&it.digest, it.listed);
                short.push(format!(
                    "{digest}: GitHub counts {total} records and sent {listed}"
                ));
            }
        }
        let lacks = lacks.into_iter().map(|(lack, first, more)| {
            let (digest, error) = (&first.digest, String::from(lack));
            match more {
                0 => format!("{digest}: {error}"),
                more => format!("{digest} and {more} more: {error}"),
            }
        });
        let said: Vec<String> = lacks.chain(short).collect();
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
    let is_let_in = way.github.is_let_in(&way.organization);
    let (desk, client) = Desk::open(way).await?;
    let reader = client.reader();
    let mut listing = Listing::<R>::new();
    let work = gather(&desk, &reader, &organization, &asked, &mut listing, call);
    let done = unless_interrupted(work).await?;
    desk.progress.clear();
    listing.settle(is_let_in);
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

/// Asks about each digest. After what would be the same with any other, what is under way comes to
/// its end, and no more is asked.
async fn gather<R: Row, S: Carrier + Clone>(
    desk: &Desk,
    reader: &Reader<S>,
    organization: &str,
    asked: &[Asked],
    listing: &mut Listing<R>,
    call: impl AsyncFn(&Reader<S>, &str, &Digest) -> Told<R>,
) {
    let (waits, all) = (desk.waits(), asked.len());
    let is_over = Cell::new(false);
    let (waits, call, is_over) = (&waits, &call, &is_over);
    let ask = |one: &'_ Asked| {
        let digest = one.digest;
        async move {
            if is_over.get() {
                return Err(Lack::NotAsked);
            }
            let call = async |reader: &Reader<S>| call(reader, organization, &digest).await;
            let result = tries::read(reader, waits, call).await;
            result.map_err(|trouble| {
                is_over.set(is_over.get() || trouble.is_general());
                Lack::Trouble(trouble)
            })
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
