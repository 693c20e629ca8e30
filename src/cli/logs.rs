//! Logs: where they go, in which form, and how much of them. Which events there are is decided
//! where they happen.

use std::fmt;
use std::io::{self, IsTerminal};

use tracing::Subscriber;
use tracing::field::Field;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::args::LogArgs;
use super::settings::SettingError;

/// Crates whose news is of use only to who debugs them; kube logs every failed call as an error.
const QUIET: &str = "kube_client=off,kube_runtime=off,hyper=warn,hyper_util=warn,rustls=warn,reqwest=warn,tower=warn";

/// How to log.
#[derive(Debug)]
pub struct Logs {
    filter: Targets,
    json: bool,
}

impl Logs {
    /// Checks what was typed; `usual` is the level if none was, and `rust_log` the environment
    /// variable `RUST_LOG`.
    pub fn new(args: &LogArgs, usual: &str, rust_log: Option<&str>) -> Result<Self, SettingError> {
        let level = args.log_level.as_deref().unwrap_or(usual);
        if !matches!(level, "error" | "warn" | "info" | "debug" | "trace") {
            let problem = "allowed are error, warn, info, debug and trace";
            return Err(SettingError::invalid("log-level", level, problem));
        }
        let directives = match rust_log {
            Some(directives) => directives.to_owned(),
            None => format!("{level},{QUIET}"),
        };
        let filter = directives.parse::<Targets>().map_err(|error| {
            let problem = format!("the variable RUST_LOG is {directives:?}: {error}");
            SettingError::hidden("log-level", problem)
        })?;
        let json = match args.log_format.trim() {
            "json" => true,
            "text" => false,
            "auto" => !io::stderr().is_terminal(),
            given => {
                let problem = "allowed are text, json and auto";
                return Err(SettingError::invalid("log-format", given, problem));
            }
        };
        Ok(Self { filter, json })
    }

    /// Whether they are read by machines.
    pub fn are_json(&self) -> bool {
        self.json
    }

    /// Begins to log, to standard error: standard output is for what a command prints. To be
    /// called once.
    pub fn begin(self) {
        let registry = tracing_subscriber::registry().with(self.filter);
        if self.json {
            let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr);
            let json = layer.json().flatten_event(true);
            let json = json.with_current_span(false).with_span_list(false);
            registry.with(json).init();
        } else {
            let text = as_text(io::stderr, io::stderr().is_terminal());
            registry.with(text).init();
        }
    }
}

/// Events as text, a line each.
fn as_text<S, W>(writer: W, in_colours: bool) -> impl Layer<S> + Send + Sync
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    tracing_subscriber::fmt::layer()
        .with_writer(writer)
        .with_ansi(in_colours)
        .with_target(false)
        .fmt_fields(debug_fn(write_field))
}

/// Writes a field as text usually has it, the message without its name and before all others. What is logged
/// comes from a cluster: control characters are shown as `?`, for a line break would forge an event, and a
/// terminal obeys others.
fn write_field(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    let value = format!("{value:?}").replace(char::is_control, "?");
    match field.name() {
        "message" => write!(writer, "{value}"),
        // What events of the crate `log` say of themselves.
        name if name.starts_with("log.") => Ok(()),
        name if writer.has_ansi_escapes() => {
            write!(writer, " \x1b[3m{name}\x1b[0m\x1b[2m=\x1b[0m{value}")
        }
        name => write!(writer, " {name}={value}"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A log that is kept in memory.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_a_tenant_writes_makes_no_line_of_a_text_log_and_commands_no_terminal() {
        let log = Log::default();
        let writer = log.clone();
        let text = as_text(move || writer.clone(), false);
        // Anybody can write it as the kind of an owner.
        let odd = "K\n2026-01-01T00:00:00Z  INFO forged\r\u{1b}[31m";
        tracing::subscriber::with_default(tracing_subscriber::registry().with(text), || {
            tracing::warn!(kind = %odd, detail = odd, count = 3, "said of {odd}");
        });
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let line = text.strip_suffix('\n').unwrap();
        assert!(!line.contains(char::is_control), "{line:?}");
        let expected = concat!(
            " WARN said of K?2026-01-01T00:00:00Z  INFO forged??[31m",
            " kind=K?2026-01-01T00:00:00Z  INFO forged??[31m",
            r#" detail="K\n2026-01-01T00:00:00Z  INFO forged\r\u{1b}[31m" count=3"#
        );
        assert!(line.ends_with(expected), "{line}");
    }
}
