//! `diff`: what the next cycle would send. The command shows what the core decides and decides
//! nothing; how long something is missing or idle is known only to a running recorder, so what
//! waits for that is shown as kept.

use std::io::{self, IsTerminal};

use anyhow::bail;
use serde::Serialize;

use super::look::{Look, told};
use super::output::Table;
use super::row::{IdentityRow, RecordRow, SourceRow};
use super::settings;
use crate::model::inventory::Inventory;
use crate::model::ledger::Owner;
use crate::model::moment::Moment;
use crate::model::plan::{Plan, Step};

/// Reads cluster and ledger and prints what the next cycle would send. Returns whether that is
/// nothing; an error where it cannot be told.
pub async fn execute(settings: settings::Diff) -> anyhow::Result<bool> {
    let settings::Diff {
        connection,
        scope,
        policy,
        ledger,
        form,
    } = settings;
    let look = Look::at(&connection, scope).await?;
    let namespace = ledger.namespace();
    let stored = look.stored(&ledger).await?;
    let inventory = Inventory::new(&look.cluster.facts(), &policy);
    let (unread, missing) = (look.unread(), look.missing());
    look.cluster.stop().await;
    if stored.is_none() {
        super::remark(&format!(
            "There is no ledger {} in {namespace} yet.",
            ledger.name
        ));
    }
    let plan = Plan::new(
        &stored.unwrap_or_default(),
        &inventory,
        &policy,
        Moment::START,
    );
    let diff = Diff::new(&plan);
    for line in &missing {
        super::remark(line);
    }
    let on_a_terminal = io::stdout().is_terminal();
    super::print(|out| form.write(out, &diff, |diff| diff.table(on_a_terminal)))?;
    if !unread.is_empty() {
        bail!("not everything was read: {}", told(&unread));
    }
    Ok(diff.is_empty())
}

/// What the next cycle would send, and what not.
#[derive(Debug, Serialize)]
pub struct Diff {
    /// What would be sent, decommissions first.
    pub changes: Vec<Change>,
    /// What would not be sent although something is due.
    pub withheld: Vec<Withheld>,
    /// How many records are as GitHub holds them.
    pub unchanged: usize,
}

/// A record that would be sent.
#[derive(Debug, Serialize)]
pub struct Change {
    /// `decommission`, `new` or `update`.
    pub action: &'static str,
    /// For which source; none where it is not known.
    pub source: Option<SourceRow>,
    /// The record.
    #[serde(flatten)]
    pub record: RecordRow,
}

/// A record about which nothing is said to GitHub.
#[derive(Debug, Serialize)]
pub struct Withheld {
    /// Which.
    #[serde(flatten)]
    pub identity: IdentityRow,
    /// Why.
    pub reason: &'static str,
}

impl Diff {
    /// What `plan` would send.
    pub fn new(plan: &Plan) -> Self {
        let change = |action, step: &Step| Change {
            action,
            source: match &step.owner {
                Owner::Source(source) => Some(source.into()),
                Owner::Adopted | Owner::Unreadable(_) => None,
            },
            record: (&step.line).into(),
        };
        let ends = plan
            .decommissions
            .iter()
            .map(|step| change("decommission", step));
        let reports = plan.reports.iter();
        let reports = reports.map(|step| change(if step.fresh { "new" } else { "update" }, step));
        let withheld = plan.withheld.iter().map(|(identity, why)| Withheld {
            identity: identity.into(),
            reason: why.as_str(),
        });
        Self {
            changes: ends.chain(reports).collect(),
            withheld: withheld.collect(),
            unchanged: plan.unchanged.len() + plan.retained.len(),
        }
    }

    /// Whether GitHub was told everything.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The table for people; on a terminal with short digests.
    pub fn table(&self, on_a_terminal: bool) -> Table {
        let headings = [
            "ACTION",
            "RECORD",
            "IMAGE",
            "DIGEST",
            "ENVIRONMENT",
            "SOURCE",
        ];
        let mut table = Table::new(&headings);
        for Change {
            action,
            source,
            record,
        } in &self.changes
        {
            let source = source.as_ref().map(SourceRow::cell);
            table.push(vec![
                (*action).to_owned(),
                record.identity.record_name.to_string(),
                record.image(),
                record.digest(on_a_terminal),
                record.identity.environment(),
                source.unwrap_or_default(),
            ]);
        }
        for Withheld { identity, reason } in &self.withheld {
            table.push(vec![
                format!("withheld: {reason}"),
                identity.record_name.to_string(),
                String::new(),
                String::new(),
                identity.environment(),
                String::new(),
            ]);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::args::{Cli, Command};
    use crate::cluster::file;
    use crate::model::ledger::Ledger;

    #[test]
    fn what_github_was_not_told_is_new() {
        let typed = [
            "x",
            "diff",
            "--org=acme",
            "--cluster=prod",
            "--logical-environment=test",
        ];
        let Command::Diff(args) = Cli::try_parse_from(typed).unwrap().command else {
            panic!()
        };
        let settings::Diff { scope, policy, .. } = settings::Diff::new(args).unwrap();
        let facts = file::facts(include_str!("../../tests/cli/shop.yaml"), scope).unwrap();
        let inventory = Inventory::new(&facts, &policy);
        let plan = Plan::new(&Ledger::default(), &inventory, &policy, Moment::START);
        let diff = Diff::new(&plan);
        assert!(!diff.is_empty());
        let shown = serde_json::to_value(&diff).unwrap();
        let change = &shown["changes"][0];
        assert_eq!(shown["changes"].as_array().unwrap().len(), 1);
        for (field, value) in [
            ("action", "new"),
            ("record_name", "shop-web-nginx"),
            ("cluster", "prod"),
            ("logical_environment", "test"),
            ("name", "docker.io/library/nginx"),
            ("version", "1.27"),
            ("repository", "web"),
        ] {
            assert_eq!(change[field], value);
        }
        assert_eq!(change["source"]["container"], "nginx");
        assert!(Diff::new(&Plan::default()).is_empty());
    }
}
