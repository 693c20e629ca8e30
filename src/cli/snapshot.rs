//! `snapshot`: what would be recorded if GitHub held nothing yet. The command shows what the core
//! decides and decides nothing.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};

use anyhow::{Context, bail};
use serde::Serialize;

use super::look::{Look, told};
use super::output::Table;
use super::row::{GapRow, RecordRow, SourceRow};
use super::settings::{self, Input};
use crate::cluster::{Scope, file};
use crate::model::exposure::links::Link;
use crate::model::facts::Facts;
use crate::model::gap::Reason;
use crate::model::inventory::Inventory;
use crate::model::ledger::{Ledger, Owner};
use crate::model::moment::Moment;
use crate::model::plan::Plan;
use crate::model::policy::Policy;

/// Reads the cluster, or a file in its place, and prints what would be recorded.
pub async fn execute(settings: settings::Snapshot) -> anyhow::Result<()> {
    let settings::Snapshot {
        input,
        scope,
        policy,
        form,
    } = settings;
    let whole_file = kubectl_line(&scope);
    let from_file = !matches!(input, Input::Cluster(_));
    let (mut unread, mut missing) = (Vec::new(), Vec::new());
    let facts = match input {
        Input::Cluster(connection) => {
            let look = Look::at(&connection, scope).await?;
            unread = look.unread();
            missing = look.missing();
            let facts = look.cluster.facts();
            look.cluster.stop().await;
            facts
        }
        Input::File(path) => {
            let text = std::fs::read_to_string(&path);
            of_file(&path.display().to_string(), text, scope)?
        }
        Input::Stdin => of_file("standard input", io::read_to_string(io::stdin()), scope)?,
    };
    let snapshot = Snapshot::new(&facts, &policy);
    let on_a_terminal = io::stdout().is_terminal();
    super::print(|out| form.write(out, &snapshot, |snapshot| snapshot.table(on_a_terminal)))?;
    super::remark(&snapshot.remark());
    for line in &missing {
        super::remark(line);
    }
    if from_file && snapshot.lacks_objects() {
        super::remark(&format!(
            "Objects are missing in the file; all of them: {whole_file}"
        ));
    }
    if !unread.is_empty() {
        bail!("not everything was read: {}", told(&unread));
    }
    Ok(())
}

pub(super) fn of_file(name: &str, text: io::Result<String>, scope: Scope) -> anyhow::Result<Facts> {
    let text = text.with_context(|| format!("--from: {name} cannot be read"))?;
    file::facts(&text, scope).with_context(|| {
        format!("--from: {name} is not what kubectl get -o yaml or -o json writes")
    })
}

/// The line that writes everything that `scope` looks at.
fn kubectl_line(scope: &Scope) -> String {
    let kinds = scope.kinds();
    let owners = kinds
        .iter()
        .map(|kind| format!("{}s", kind.kind().to_lowercase()));
    let links = scope.links().into_iter().map(Link::resource);
    let kinds: Vec<String> = ["namespaces", "pods"]
        .map(String::from)
        .into_iter()
        .chain(owners)
        .chain(links)
        .collect();
    format!("kubectl get {} --all-namespaces -o yaml", kinds.join(","))
}

/// What would be recorded.
#[derive(Debug, Serialize)]
pub struct Snapshot {
    /// Every source that has a record or a Gap, by namespace, kind and name.
    pub sources: Vec<Row>,
    /// How many sources are not selected, by reason.
    pub not_selected: BTreeMap<&'static str, usize>,
    /// How many sources never ran yet.
    pub not_running: usize,
}

/// A source.
#[derive(Debug, Default, Serialize)]
pub struct Row {
    /// Which.
    #[serde(flatten)]
    pub source: SourceRow,
    /// Its record, if it has one.
    pub record: Option<RecordRow>,
    /// Why it has none, or what is wrong with it.
    pub gaps: Vec<GapRow>,
}

impl Snapshot {
    /// What would be recorded of `facts`.
    pub fn new(facts: &Facts, policy: &Policy) -> Self {
        let inventory = Inventory::new(facts, policy);
        let plan = Plan::new(&Ledger::default(), &inventory, policy, Moment::START);
        let mut rows: BTreeMap<SourceRow, Row> = BTreeMap::new();
        let mut row_of = |source: SourceRow, change: &dyn Fn(&mut Row)| {
            let row = || Row {
                source: source.clone(),
                ..Row::default()
            };
            change(rows.entry(source.clone()).or_insert_with(row));
        };
        for step in &plan.reports {
            if let Owner::Source(source) = &step.owner {
                row_of(source.into(), &|row| row.record = Some((&step.line).into()));
            }
        }
        for gap in plan.gaps.iter().chain(&plan.orphans) {
            row_of((&gap.subject).into(), &|row| row.gaps.push(gap.into()));
        }
        for row in rows.values_mut() {
            row.gaps.sort();
        }
        let not_selected = plan
            .not_selected
            .iter()
            .map(|(why, count)| (why.as_str(), *count));
        Self {
            sources: rows.into_values().collect(),
            not_selected: not_selected.collect(),
            not_running: plan.not_running,
        }
    }

    /// The table for people; on a terminal with short digests.
    pub fn table(&self, on_a_terminal: bool) -> Table {
        let mut table = Table::new(&[
            "NAMESPACE",
            "WORKLOAD",
            "CONTAINER",
            "RECORD",
            "IMAGE",
            "DIGEST",
            "ENVIRONMENT",
            "REPOSITORY",
            "TAGS",
            "RISKS",
            "GAPS",
        ]);
        for Row {
            source,
            record,
            gaps,
        } in &self.sources
        {
            let of_record =
                |cell: &dyn Fn(&RecordRow) -> String| record.as_ref().map(cell).unwrap_or_default();
            table.push(vec![
                source.namespace.to_string(),
                format!("{}/{}", source.kind, source.workload),
                source.container.as_deref().unwrap_or_default().to_owned(),
                of_record(&|record| record.identity.record_name.to_string()),
                of_record(&RecordRow::image),
                of_record(&|record| record.digest(on_a_terminal)),
                of_record(&|record| record.identity.environment()),
                of_record(&|record| record.repository.as_deref().unwrap_or_default().to_owned()),
                of_record(&RecordRow::tags),
                of_record(&|record| record.runtime_risks.join(",")),
                GapRow::cell(gaps),
            ]);
        }
        table
    }

    /// What the table has no place for, in a line; empty if there is nothing.
    fn remark(&self) -> String {
        let records = self
            .sources
            .iter()
            .filter(|row| row.record.is_some())
            .count();
        let gaps: usize = self.sources.iter().map(|row| row.gaps.len()).sum();
        let mut parts = vec![format!("records: {records}"), format!("gaps: {gaps}")];
        if self.not_running > 0 {
            parts.push(format!("not running yet: {}", self.not_running));
        }
        let not_selected = self.not_selected.iter();
        parts.extend(not_selected.map(|(why, count)| format!("not selected ({why}): {count}")));
        parts.join(", ")
    }

    /// Whether something was not recorded because an object that it takes was not read.
    fn lacks_objects(&self) -> bool {
        let unread = [
            Reason::OwnerNotRead,
            Reason::ContextUnknown,
            Reason::NotCovered,
        ];
        let mut gaps = self.sources.iter().flat_map(|row| &row.gaps);
        gaps.any(|gap| unread.iter().any(|reason| gap.reason == reason.as_str()))
    }
}
