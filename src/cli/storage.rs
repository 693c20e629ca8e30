//! `storage`: storage records by the API's own endpoints: where an artifact is kept.

use serde::Serialize;

use super::desk::Desk;
use super::interrupt::unless_interrupted;
use super::listing::{self, Listing, Row};
use super::output::Table;
use super::records::outcome::{Outcome, judge, mark};
use super::row::short;
use super::{dry, settings, tries};
use crate::github::reader::Reader;
use crate::github::records::StorageRecord;
use crate::github::request;
use crate::github::storage::StorageLine;
use crate::github::transport::Transport;
use crate::github::writer::Writer;

/// A storage record. What is not known is null.
#[derive(Debug, Serialize)]
pub struct StorageRow {
    /// The organization.
    pub organization: String,
    /// The artifact's name.
    pub name: Option<String>,
    /// The artifact's version; not in the contract of a list.
    pub version: Option<String>,
    /// The artifact's digest.
    pub digest: String,
    /// The registry's address.
    pub registry_url: Option<String>,
    /// Where the artifact can be fetched.
    pub artifact_url: Option<String>,
    /// The artifact's path; not in the contract of a list.
    pub path: Option<String>,
    /// The repository within the registry.
    pub repository: Option<String>,
    /// `active`, `eol` or `deleted`.
    pub status: Option<String>,
    /// The GitHub repository that it was built from; not in the contract of a list.
    pub github_repository: Option<String>,
}

/// A storage record as a list tells it.
#[derive(Debug, Serialize)]
pub struct Listed {
    /// The record.
    #[serde(flatten)]
    pub record: StorageRow,
    /// GitHub's number for it.
    pub id: Option<u64>,
    /// When it was first written.
    pub created_at: Option<String>,
    /// When it was last written.
    pub updated_at: Option<String>,
}

/// What became of a storage record.
#[derive(Debug, Serialize)]
struct Report {
    /// The one.
    records: Vec<Written>,
}

#[derive(Debug, Serialize)]
struct Written {
    #[serde(flatten)]
    record: StorageRow,
    outcome: &'static str,
    reason: Option<std::sync::Arc<str>>,
}

/// Does what the command says.
pub async fn execute(settings: settings::Storage) -> anyhow::Result<()> {
    match settings {
        settings::Storage::Create(create) => self::create(*create).await,
        settings::Storage::List(list) => self::list(*list).await,
    }
}

async fn create(settings: settings::CreateStorage) -> anyhow::Result<()> {
    let settings::CreateStorage { call, line } = settings;
    let (form, organization) = (call.form, call.organization.clone());
    if call.dry_run {
        let (api, version) = (&call.github.url, &call.github.version);
        let request = request::create_storage_record(api, version, &organization, &line)?;
        return dry::show(&call, &[request]);
    }
    let (desk, client) = Desk::open(call).await?;
    let mut writer = Writer::new(client);
    let waits = desk.waits();
    let call = async |writer: &mut Writer<Transport>| {
        writer.create_storage_record(&organization, &line).await
    };
    desk.progress.show("asking GitHub");
    let mut outcomes = [Outcome::NotSent];
    let note = |under_way| mark(&mut outcomes, under_way);
    let work = tries::write(&mut writer, &organization, &waits, note, call);
    let done = unless_interrupted(work).await?;
    desk.progress.clear();
    if let Some(done) = &done {
        outcomes = [Outcome::of(done)];
    }
    let written = outcomes.iter().map(|outcome| Written {
        record: StorageRow::of(&organization, &line),
        outcome: outcome.as_str(),
        reason: outcome.cause(),
    });
    let report = Report {
        records: written.collect(),
    };
    super::print_form(form, &report, Report::table)?;
    judge([&*line.name].into_iter(), &outcomes, done.is_none())
}

async fn list(settings: settings::List) -> anyhow::Result<()> {
    if settings.call.dry_run {
        return dry::list(&settings, request::list_storage_records);
    }
    let call = async |reader: &Reader<Transport>, organization: &str, digest: &_| {
        reader.storage_records(organization, digest).await
    };
    listing::execute::<Listed>(settings, call).await
}

impl StorageRow {
    fn of(organization: &str, line: &StorageLine) -> Self {
        let text = |text: &Option<std::sync::Arc<str>>| text.as_deref().map(str::to_owned);
        Self {
            organization: organization.to_owned(),
            name: Some(line.name.to_string()),
            version: text(&line.version),
            digest: line.digest.to_string(),
            registry_url: Some(line.registry_url.to_string()),
            artifact_url: text(&line.artifact_url),
            path: text(&line.path),
            repository: text(&line.repository),
            status: Some(line.status.as_str().to_owned()),
            github_repository: text(&line.github_repository),
        }
    }

    /// The cells that every table of storage records begins with.
    const HEADINGS: [&'static str; 6] = [
        "NAME",
        "VERSION",
        "DIGEST",
        "REGISTRY",
        "REPOSITORY",
        "STATUS",
    ];

    fn cells(&self, on_a_terminal: bool) -> Vec<String> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        vec![
            text(&self.name),
            text(&self.version),
            short(&self.digest, on_a_terminal),
            text(&self.registry_url),
            text(&self.repository),
            text(&self.status),
        ]
    }
}

impl Report {
    fn table(&self, on_a_terminal: bool) -> Table {
        let mut table = Table::new(&[&StorageRow::HEADINGS[..], &["OUTCOME", "REASON"]].concat());
        for written in &self.records {
            let mut cells = written.record.cells(on_a_terminal);
            cells.push(written.outcome.to_owned());
            cells.push(written.reason.as_deref().unwrap_or_default().to_owned());
            table.push(cells);
        }
        table
    }
}

impl Row for Listed {
    type Of = StorageRecord;
    const WHAT: &'static str = "storage records";

    fn new(organization: &str, record: StorageRecord) -> Self {
        Self {
            id: record.id,
            created_at: record.created_at,
            updated_at: record.updated_at,
            record: StorageRow {
                organization: organization.to_owned(),
                name: record.name,
                version: record.version,
                digest: record.digest.to_string(),
                registry_url: record.registry_url,
                artifact_url: record.artifact_url,
                path: record.path,
                repository: record.repository,
                status: record.status,
                github_repository: record.github_repository,
            },
        }
    }

    fn table(listing: &Listing<Self>, on_a_terminal: bool) -> Table {
        let mut table = Table::new(&[&StorageRow::HEADINGS[..], &["UPDATED"]].concat());
        for listed in &listing.records {
            let mut cells = listed.record.cells(on_a_terminal);
            cells.push(listed.updated_at.clone().unwrap_or_default());
            table.push(cells);
        }
        table
    }
}
