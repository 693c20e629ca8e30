//! `records`: deployment records by the API's own endpoints, for pipelines and people. The ledger is
//! not touched: what `run` looks after is better left to it.

use std::error::Error;
use std::io::{self, IsTerminal};
use std::path::Path;

use super::desk::Desk;
use super::interrupt::unless_interrupted;
use super::settings::SettingError;
use super::{Failure, dry, listing, settings, tries};
use crate::github::reader::Reader;
use crate::github::request;
use crate::github::transport::Transport;
use crate::github::writer::Writer;
use crate::model::record::Line;
use crate::recorder::chain;

pub mod batches;
mod fields;
#[cfg(feature = "fuzz")]
pub(crate) mod fuzz;
pub mod input;
pub mod job;
pub mod list;
pub mod outcome;
pub mod set;
mod unique;

use batches::{Batches, Way};
use input::Input;
use list::DeploymentRow;
use outcome::{Outcome, Report, counts, judge, mark};
use set::Setter;

/// Does what the command says.
pub(super) async fn execute(settings: settings::Records) -> Result<(), Failure> {
    match settings {
        settings::Records::Create(create) => self::create(*create).await?,
        settings::Records::Set(set) => self::set(*set).await?,
        settings::Records::List(list) => self::list(*list).await?,
    }
    Ok(())
}

async fn create(settings: settings::Create) -> anyhow::Result<()> {
    let settings::Create { call, line } = settings;
    if call.dry_run {
        let (api, version) = (&call.github.url, &call.github.version);
        let request = request::create_deployment_record(api, version, &line)?;
        return dry::show(&call, &[request]);
    }
    let form = call.form;
    let (desk, client) = Desk::open(call).await?;
    let mut writer = Writer::new(client);
    let (lines, mut outcomes) = ([line], [Outcome::NotSent]);
    let [line] = &lines;
    let waits = desk.waits();
    let organization = &line.identity.destination.organization;
    let call = async |writer: &mut Writer<Transport>| writer.create_deployment_record(line).await;
    desk.progress.show("asking GitHub");
    let note = |under_way| mark(&mut outcomes, under_way);
    let work = tries::write(&mut writer, organization, &waits, note, call);
    let done = unless_interrupted(work).await?;
    desk.progress.clear();
    if let Some(done) = &done {
        outcomes = [Outcome::of(done)];
    }
    super::print_form(form, &Report::new(&lines, &outcomes), Report::table)?;
    judge(names(&lines), &outcomes, done.is_none())
}

async fn set(settings: settings::Set) -> Result<(), Failure> {
    let settings::Set {
        call,
        place,
        file,
        job,
    } = settings;
    let way = job.map_or(Way::AtOnce, |_| Way::Job);
    let input = read(file.as_deref())?;
    if input.without_record > 0 {
        let count = input.without_record;
        super::remark(&format!("containers without a record: {count}"));
    }
    if input.entries.is_empty() {
        super::remark("there are no records to send");
    }
    let batches =
        Batches::new(input.entries, &place, &call, way).map_err(|error| refused(&error))?;
    let requests = batches.requests(&call, way);
    let requests = requests.map_err(|error| refused(&error))?;
    for mixed in batches.mixed() {
        super::remark(&format!("warning: {mixed}"));
    }
    if call.dry_run {
        return Ok(dry::show(&call, &requests)?);
    }
    drop(requests);
    let form = call.form;
    let mut outcomes = vec![Outcome::NotSent; batches.lines.len()];
    let (desk, client) = Desk::open(call).await?;
    let waits = desk.waits();
    let mut setter = Setter {
        reader: client.reader(),
        writer: Writer::new(client),
        waits: &waits,
        progress: &desk.progress,
        job,
    };
    let done = unless_interrupted(Box::pin(setter.run(&batches, &mut outcomes))).await?;
    desk.progress.clear();
    let report = Report::new(&batches.lines, &outcomes);
    super::print_form(form, &report, Report::table)?;
    super::remark(&format!("records: {}", counts(&outcomes)));
    Ok(judge(names(&batches.lines), &outcomes, done.is_none())?)
}

async fn list(settings: settings::List) -> anyhow::Result<()> {
    if settings.call.dry_run {
        return dry::list(&settings, request::list_deployment_records);
    }
    let call = async |reader: &Reader<Transport>, organization: &str, digest: &_| {
        reader.deployment_records(organization, digest).await
    };
    listing::execute::<DeploymentRow>(settings, call).await
}

fn names(lines: &[Line]) -> impl Iterator<Item = &str> {
    lines.iter().map(|line| &*line.identity.name)
}

/// A file that does not fit with the flags or the contract.
fn refused(error: &dyn Error) -> SettingError {
    let problem = format!("nothing is sent: {}", chain(error));
    SettingError::within("from", problem)
}

/// The file of that name, or standard input.
fn read(file: Option<&Path>) -> Result<Input, SettingError> {
    let name = file.map_or("standard input".to_owned(), |file| {
        file.display().to_string()
    });
    let text = if let Some(file) = file {
        std::fs::read_to_string(file)
    } else {
        if io::stdin().is_terminal() {
            super::remark("reading records from standard input; --from names a file");
        }
        io::read_to_string(io::stdin())
    };
    let cannot = |what: &str, error: &dyn Error| {
        SettingError::within("from", format!("{name} cannot be {what}: {}", chain(error)))
    };
    let text = text.map_err(|error| cannot("read", &error))?;
    let input = Input::parse(&text);
    input.map_err(|error| cannot("used, nothing is sent", &error))
}
