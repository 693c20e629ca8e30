//! Logs: where they go, in which form, and how much of them. Which events there are is decided
//! where they happen.

use std::io::{self, IsTerminal};

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
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
        let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr);
        if self.json {
            let json = layer.json().flatten_event(true);
            let json = json.with_current_span(false).with_span_list(false);
            registry.with(json).init();
        } else {
            let text = layer
                .with_ansi(io::stderr().is_terminal())
                .with_target(false);
            registry.with(text).init();
        }
    }
}
