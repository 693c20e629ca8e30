//! What `decommission` shows: the records that are meant, before a person is asked, and what became
//! of each.

use std::sync::Arc;

use serde::Serialize;

use crate::cli::output::{Form, Table};
use crate::cli::row::{IdentityRow, short};
use crate::model::ledger::Entry;
use crate::model::record::Identity;
use crate::recorder::hand::End;

/// A record that is meant, as a person is shown it.
#[derive(Serialize)]
pub(super) struct Meant {
    #[serde(flatten)]
    identity: IdentityRow,
    host: Arc<str>,
    digest: String,
    ended: bool,
}

impl Meant {
    pub(super) fn new(identity: &Identity, entry: &Entry) -> Self {
        let body = entry.bodies().into_iter().next();
        Self {
            identity: identity.into(),
            host: identity.destination.host.clone(),
            digest: body.map(|body| body.digest.to_string()).unwrap_or_default(),
            ended: entry.is_tombstone(),
        }
    }

    pub(super) fn table(rows: &[Self], on_a_terminal: bool) -> Table {
        let mut table = Table::new(&["RECORD", "ENVIRONMENT", "CLUSTER", "ORG", "DIGEST", "ENDED"]);
        for row in rows {
            table.push(vec![
                row.identity.record_name.to_string(),
                row.identity.environment(),
                row.identity.cluster.to_string(),
                row.identity.organization.to_string(),
                short(&row.digest, on_a_terminal),
                if row.ended { "once" } else { "" }.to_owned(),
            ]);
        }
        table
    }
}

/// What `decommission` prints.
#[derive(Debug, Serialize)]
struct Output {
    /// What became of each record.
    records: Vec<Row>,
}

/// What became of a record.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    /// Which.
    #[serde(flatten)]
    identity: IdentityRow,
    /// `decommissioned`, `settled`, `refused`, `unknown`, `not-told`, `withheld` or `forgotten`.
    result: &'static str,
    /// Why, where it is not acknowledged.
    detail: Option<String>,
}

impl Row {
    pub(super) fn forgotten(identity: &Identity) -> Self {
        Self {
            identity: identity.into(),
            result: "forgotten",
            detail: None,
        }
    }

    pub(super) fn new(identity: &Identity, end: &End) -> Self {
        let (result, detail) = match end {
            End::Told => ("decommissioned", None),
            End::Settled => ("settled", None),
            End::Refused(reason) => ("refused", Some(reason.to_string())),
            End::Unknown(why) => ("unknown", Some(why.clone())),
            End::NotTold(why) => ("not-told", Some(why.clone())),
            End::Withheld(why) => ("withheld", Some(why.to_string())),
        };
        Self {
            identity: identity.into(),
            result,
            detail,
        }
    }
}

pub(super) fn print(records: Vec<Row>, form: Form) -> anyhow::Result<()> {
    let output = Output { records };
    crate::cli::print(|out| {
        form.write(out, &output, |output| {
            let headings = ["RESULT", "RECORD", "ENVIRONMENT", "CLUSTER", "DETAIL"];
            let mut table = Table::new(&headings);
            for row in &output.records {
                table.push(vec![
                    row.result.to_owned(),
                    row.identity.record_name.to_string(),
                    row.identity.environment(),
                    row.identity.cluster.to_string(),
                    row.detail.clone().unwrap_or_default(),
                ]);
            }
            table
        })
    })
}
