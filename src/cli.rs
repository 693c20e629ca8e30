//! The command line: what was typed becomes checked settings, and those a command. One file per
//! command; this one only leads there and says how it ended.
//!
//! Exit codes: 0 done; 1 failed; 2 a wrong flag or setting, before any call. `diff`: 0 nothing to
//! send, 1 something, 2 it could not be told. `verify`: 0 the same, 1 differences, 2 it could not be
//! told. `check`: 0 all is well, 1 something is not.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use anyhow::Context;
use clap::error::ErrorKind;
use clap::{ArgMatches, FromArgMatches};
use secrecy::SecretString;
use serde::Serialize;

pub mod advice;
pub mod args;
pub mod check;
pub mod completion;
pub mod consent;
pub mod decommission;
pub mod desk;
pub mod diff;
pub mod dry;
pub mod explain;
pub mod github;
pub mod interrupt;
pub mod labels;
pub mod listing;
pub mod logs;
pub mod look;
pub mod man;
pub mod output;
pub mod progress;
pub mod records;
pub mod row;
pub mod run;
pub mod settings;
pub mod snapshot;
pub mod storage;
pub mod tries;
pub mod verify;
pub mod waits;
pub mod writer;

use args::{Cli, Command};
use logs::Logs;
use output::{Form, Table};
use settings::SettingError;

use crate::recorder::chain;

/// A wrong flag or setting.
const USAGE: u8 = 2;

/// Why a command did not do what it was asked to.
#[derive(Debug)]
enum Failure {
    /// A setting is not allowed.
    Setting(SettingError),
    /// It was tried.
    Failed(anyhow::Error),
    /// It was tried, and the exit code 1 has another meaning.
    CouldNotTell(anyhow::Error),
    /// It was tried, and the log tells why it failed.
    Logged,
}

impl From<SettingError> for Failure {
    fn from(error: SettingError) -> Self {
        Self::Setting(error)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

/// The whole program.
pub fn main() -> ExitCode {
    // Fails only where a provider is installed already, and there is no other in this program.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let typed = args::command().try_get_matches();
    let typed = typed.and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, matches)));
    let (cli, matches) = match typed {
        Ok(typed) => typed,
        Err(error) => return not_understood(&error),
    };
    let mut matches = &matches;
    while let Some((_, below)) = matches.subcommand() {
        matches = below;
    }
    if let Some(message) = args::empty(matches) {
        complain(&message);
        return ExitCode::from(USAGE);
    }
    let (message, code) = match execute(cli, matches) {
        Ok(code) => return code,
        Err(Failure::Setting(error)) => (error.message(matches), ExitCode::from(USAGE)),
        Err(Failure::Failed(error)) => (chain(error.as_ref()), ExitCode::FAILURE),
        Err(Failure::CouldNotTell(error)) => (chain(error.as_ref()), ExitCode::from(USAGE)),
        Err(Failure::Logged) => return ExitCode::FAILURE,
    };
    complain(&message);
    code
}

fn execute(cli: Cli, matches: &ArgMatches) -> Result<ExitCode, Failure> {
    let usual = if matches!(cli.command, Command::Run(_)) {
        "info"
    } else {
        "error"
    };
    let logs = Logs::new(&cli.logs, usual, variable("RUST_LOG").as_deref())?;
    match cli.command {
        Command::Run(args) => watch(args, matches, logs)?,
        Command::Snapshot(args) => {
            let settings = settings::Snapshot::new(args)?;
            logs.begin();
            to_its_end(snapshot::execute(settings))?;
        }
        Command::Diff(args) => {
            let settings = settings::Diff::new(args)?;
            logs.begin();
            let same = to_its_end(diff::execute(settings));
            if !same.map_err(Failure::CouldNotTell)? {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Explain(args) => why(args, logs)?,
        Command::Verify(args) => {
            let settings = settings::Verify::new(args, token())?;
            logs.begin();
            if !to_its_end(verify::execute(settings))? {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Decommission(args) => {
            let settings = settings::Decommission::new(args, token())?;
            logs.begin();
            if !to_its_end(decommission::execute(settings))? {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Check(args) => {
            let settings = settings::Check::new(args, token())?;
            logs.begin();
            if !to_its_end(check::execute(settings))? {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Records(command) => {
            let settings = settings::Records::new(command, token())?;
            logs.begin();
            to_its_end(records::execute(settings))?;
        }
        Command::Storage(command) => {
            let settings = settings::Storage::new(command, token())?;
            logs.begin();
            to_its_end(storage::execute(settings))?;
        }
        Command::Completion { shell } => print(|out| completion::write(shell, out))?,
        Command::Man { command } => print(|out| man::write(command.as_deref(), out))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// `run`, whose end is told in its log where that is read by machines.
fn watch(args: args::RunArgs, matches: &ArgMatches, logs: Logs) -> Result<(), Failure> {
    let as_json = logs.are_json();
    let settings = settings::Run::new(args, token())?;
    logs.begin();
    let command = args::command();
    let run = command.find_subcommand("run").unwrap_or(&command);
    let given = settings::given(run, matches);
    let ended = to_its_end(run::execute(settings, &given));
    ended.map_err(|error| if as_json { logged(error) } else { error.into() })
}

/// `explain`.
fn why(args: args::ExplainArgs, logs: Logs) -> Result<(), Failure> {
    let settings = settings::Explain::new(args)?;
    logs.begin();
    Ok(to_its_end(explain::execute(settings))?)
}

/// The token in the environment.
fn token() -> Option<SecretString> {
    variable("GITHUB_TOKEN").map(SecretString::from)
}

/// Says why a command failed in its log, which is read by machines; if that leaves errors out, it is
/// said as usual.
fn logged(error: anyhow::Error) -> Failure {
    if tracing::enabled!(tracing::Level::ERROR) {
        tracing::error!(error = chain(error.as_ref()), "ended by an error");
        return Failure::Logged;
    }
    error.into()
}

/// Runs a command to its end. What still blocks a thread then, a disk or a plugin that hangs, is left
/// behind: nobody waits for it.
fn to_its_end<T, E: From<anyhow::Error>>(
    command: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let runtime = runtime()?;
    let result = runtime.block_on(command);
    runtime.shutdown_background();
    result
}

/// Two threads: this one, on which cycles are, and one for watches and probes meanwhile. A third
/// would have nothing to do, and each thread's part of the heap is some MiB.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder
        .worker_threads(1)
        .enable_all()
        .build()
        .context("the runtime cannot be started")
}

/// An environment variable that is set and not empty.
#[expect(
    clippy::disallowed_methods,
    reason = "this is where the environment is read"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Writes to standard output. That nobody reads on is no failure.
fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("standard output cannot be written"),
    }
}

/// Writes `value` to standard output in this form, as a table by `table`, which is told whether that
/// is for a terminal.
fn print_form<T: Serialize>(
    form: Form,
    value: &T,
    table: impl FnOnce(&T, bool) -> Table,
) -> anyhow::Result<()> {
    let on_a_terminal = io::stdout().is_terminal();
    print(|out| form.write(out, value, |value| table(value, on_a_terminal)))
}

/// Says on one line of standard error what went wrong.
fn complain(message: &str) {
    let line: Vec<&str> = message
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    remark(&format!("error: {}", line.join(" ")));
}

/// Says something beside what is printed.
fn remark(line: &str) {
    // There is nobody left to tell that this cannot be written.
    let _ = writeln!(io::stderr(), "{line}");
}

/// Help and versions are printed as they are; of an error the line that says what is wrong, with
/// the tip.
fn not_understood(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        return match print(|out| write!(out, "{}", error.render())) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    let text = error.render().to_string();
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = write!(io::stderr(), "{text}");
        return ExitCode::from(USAGE);
    }
    let said = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:"));
    let said = said.filter(|line| !line.is_empty() && !line.starts_with("For more information"));
    let mut message = String::new();
    for line in said {
        let line = line.trim_start_matches("error: ");
        match message.chars().last() {
            None => {}
            Some(':') => message.push(' '),
            Some(_) => message.push_str("; "),
        }
        message.push_str(line);
    }
    complain(&message);
    ExitCode::from(USAGE)
}
