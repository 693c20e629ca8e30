//! What became of records that were to be written, as far as that is known: for each of them, for
//! the table, and in a sentence.

use std::sync::Arc;

use anyhow::bail;
use serde::Serialize;

use crate::cli::advice::of_refusal;
use crate::cli::output::Table;
use crate::cli::row::RecordRow;
use crate::cli::tries::{Done, Trouble};
use crate::github::answer::Refusal;
use crate::model::record::Line;

/// What became of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing was sent.
    NotSent,
    /// It was sent, and whether GitHub took it is not known, for this reason.
    Unknown(Reason),
    /// GitHub definitely did not take it, for this reason.
    Refused(Reason),
    /// GitHub holds it.
    Acknowledged,
}

/// Why something is not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The cause.
    pub cause: Arc<str>,
    /// What to do about it.
    pub advice: Option<&'static str>,
}

impl From<&str> for Reason {
    fn from(cause: &str) -> Self {
        Self {
            cause: cause.into(),
            advice: None,
        }
    }
}

impl From<Refusal> for Outcome {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Reason {
            cause: refusal.as_str().into(),
            advice: Some(of_refusal(refusal)),
        })
    }
}

/// What a request that failed as a whole says of what was in it.
impl From<&Trouble> for Outcome {
    fn from(trouble: &Trouble) -> Self {
        let reason = Reason {
            cause: trouble.text.as_str().into(),
            advice: trouble.advice,
        };
        if trouble.is_unsure {
            Self::Unknown(reason)
        } else {
            Self::Refused(reason)
        }
    }
}

impl Outcome {
    /// What became of one record that was a request of its own.
    pub fn of<T>(done: &Result<Done<T>, Trouble>) -> Self {
        match done {
            Ok(_) => Self::Acknowledged,
            Err(trouble) => trouble.into(),
        }
    }

    /// It was sent, and more is not known yet.
    pub fn under_way() -> Self {
        Self::Unknown("its request was sent and not answered".into())
    }

    /// The name of it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::NotSent => "not-sent",
            Self::Unknown(_) => "unknown",
            Self::Refused(_) => "refused",
            Self::Acknowledged => "acknowledged",
        }
    }

    /// Why it is not acknowledged, where that is known.
    pub fn cause(&self) -> Option<Arc<str>> {
        self.reason().map(|reason| reason.cause.clone())
    }

    fn reason(&self) -> Option<&Reason> {
        match self {
            Self::Unknown(reason) | Self::Refused(reason) => Some(reason),
            Self::NotSent | Self::Acknowledged => None,
        }
    }
}

/// Notes whether records are under way to GitHub.
pub fn mark(outcomes: &mut [Outcome], under_way: bool) {
    let outcome = if under_way {
        Outcome::under_way()
    } else {
        Outcome::NotSent
    };
    outcomes.fill(outcome);
}

/// What became of all of them.
#[derive(Debug, Serialize)]
pub struct Report {
    /// One by one, in the order in which they were sent.
    pub records: Vec<Row>,
}

/// What became of one record.
#[derive(Debug, Serialize)]
pub struct Row {
    /// Which.
    #[serde(flatten)]
    pub record: RecordRow,
    /// `deployed` or `decommissioned`, as it was to be.
    pub status: &'static str,
    /// `acknowledged`, `refused`, `unknown` or `not-sent`.
    pub outcome: &'static str,
    /// Why, unless it was acknowledged.
    pub reason: Option<Arc<str>>,
}

impl Report {
    /// Joins lines with what became of them.
    pub fn new(lines: &[Line], outcomes: &[Outcome]) -> Self {
        let pairs = lines.iter().zip(outcomes);
        let records = pairs.map(|(line, outcome)| Row {
            record: line.into(),
            status: line.status.as_str(),
            outcome: outcome.as_str(),
            reason: outcome.cause(),
        });
        Self {
            records: records.collect(),
        }
    }

    /// The table for people; on a terminal with short digests.
    pub fn table(&self, on_a_terminal: bool) -> Table {
        let mut table = Table::new(&[
            "RECORD",
            "IMAGE",
            "DIGEST",
            "ENVIRONMENT",
            "STATUS",
            "OUTCOME",
            "REASON",
        ]);
        for row in &self.records {
            table.push(vec![
                row.record.identity.record_name.to_string(),
                row.record.image(),
                row.record.digest(on_a_terminal),
                row.record.identity.environment(),
                row.status.to_owned(),
                row.outcome.to_owned(),
                row.reason.as_deref().unwrap_or_default().to_owned(),
            ]);
        }
        table
    }
}

/// How many came to which end, as in `3 acknowledged, 1 refused`.
pub fn counts(outcomes: &[Outcome]) -> String {
    let kinds = ["acknowledged", "refused", "unknown", "not-sent"];
    let counts = kinds.into_iter().filter_map(|kind| {
        let ended = outcomes.iter().filter(|outcome| outcome.as_str() == kind);
        match ended.count() {
            0 => None,
            count => Some(format!("{count} {}", kind.replace('-', " "))),
        }
    });
    let text = counts.collect::<Vec<_>>().join(", ");
    if text.is_empty() {
        "none".to_owned()
    } else {
        text
    }
}

/// Which of these were refused or are in doubt and why, in a sentence for an error; `None` if GitHub
/// holds all of them. Those with one reason are named together, the first few of them; what was not
/// sent only counts.
pub fn complaint<'a>(named: impl Iterator<Item = (&'a str, &'a Outcome)>) -> Option<String> {
    let (mut all, mut left) = (0, 0);
    let mut ends: Vec<(&Outcome, Vec<&str>)> = Vec::new();
    for (name, outcome) in named {
        all += 1;
        left += usize::from(*outcome != Outcome::Acknowledged);
        match ends.iter_mut().find(|(known, _)| *known == outcome) {
            Some((_, names)) => names.push(name),
            None => ends.push((outcome, vec![name])),
        }
    }
    if left == 0 {
        return None;
    }
    let ends = ends.into_iter().filter_map(|(outcome, names)| {
        let names = listed(&names);
        let what = match outcome {
            Outcome::Refused(_) => format!("{names} refused"),
            Outcome::Unknown(_) => format!("whether GitHub took {names} is unknown"),
            Outcome::NotSent | Outcome::Acknowledged => return None,
        };
        let Reason { cause, advice } = outcome.reason()?;
        let advice = advice.map(|advice| format!("; {advice}"));
        Some(format!("{what}: {cause}{}", advice.unwrap_or_default()))
    });
    let ends = ends.collect::<Vec<_>>().join("; ");
    Some(match all {
        1 => ends,
        _ => format!("{left} of {all} records not acknowledged: {ends}"),
    })
}

/// Names, at most ten of them.
fn listed(names: &[&str]) -> String {
    const MOST: usize = 10;
    let shown = names.get(..MOST.min(names.len())).unwrap_or_default();
    let shown = shown.join(", ").replace(char::is_control, "?");
    match names.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// An error unless GitHub holds all of these, and this was not interrupted.
pub fn judge<'a>(
    names: impl Iterator<Item = &'a str>,
    outcomes: &'a [Outcome],
    interrupted: bool,
) -> anyhow::Result<()> {
    if interrupted {
        bail!(
            "interrupted: {}; the same command may be repeated",
            counts(outcomes)
        );
    }
    match complaint(names.zip(outcomes)) {
        Some(complaint) => bail!(complaint),
        None => Ok(()),
    }
}
