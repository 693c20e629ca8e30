//! What is said about settings: that one is not allowed, and which were given.

use std::fmt;

use clap::ArgMatches;
use clap::parser::ValueSource;

use crate::cli::args::OF_A_RECORD;

/// A setting that is not allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingError {
    /// The name of its flag, without dashes; that of a value without a flag as `<NAME>`.
    flag: &'static str,
    pub(super) given: Given,
    /// What is wrong, or what is allowed.
    pub(super) problem: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Given {
    Nothing,
    /// It is repeated in the message.
    Shown(String),
    /// The problem repeats as much of it as may be shown.
    Hidden,
    /// It leads to something that is wrong, which the problem says whole.
    Within,
}

impl SettingError {
    pub(in crate::cli) fn invalid(
        flag: &'static str,
        given: &str,
        problem: impl fmt::Display,
    ) -> Self {
        Self {
            flag,
            given: Given::Shown(given.to_owned()),
            problem: problem.to_string(),
        }
    }

    pub(in crate::cli) fn missing(flag: &'static str, problem: impl fmt::Display) -> Self {
        Self {
            flag,
            given: Given::Nothing,
            problem: problem.to_string(),
        }
    }

    pub(in crate::cli) fn hidden(flag: &'static str, problem: impl fmt::Display) -> Self {
        Self {
            flag,
            given: Given::Hidden,
            problem: problem.to_string(),
        }
    }

    /// Something is wrong within what the flag names.
    pub(in crate::cli) fn within(flag: &'static str, problem: impl fmt::Display) -> Self {
        Self {
            flag,
            given: Given::Within,
            problem: problem.to_string(),
        }
    }

    /// The same, with something more that is allowed.
    pub(super) fn or(mut self, allowed: &str) -> Self {
        self.problem = format!("{}, or {allowed}", self.problem);
        self
    }

    /// The message, on one line; `matches` are those of the command that was typed, and tell
    /// whether the value came from the environment.
    pub fn message(&self, matches: &ArgMatches) -> String {
        let id = self.flag.replace('-', "_");
        let known = matches.try_contains_id(&id).unwrap_or(false);
        let origin = match known.then(|| matches.value_source(&id)).flatten() {
            Some(ValueSource::EnvVariable) => format!(" (from {})", variable(&id)),
            _ => String::new(),
        };
        let Self { flag, problem, .. } = self;
        let dashes = if flag.starts_with('<') { "" } else { "--" };
        match &self.given {
            Given::Shown(given) => {
                format!("invalid value {given:?} for {dashes}{flag}{origin}: {problem}")
            }
            Given::Within => format!("{dashes}{flag}{origin}: {problem}"),
            Given::Hidden => format!("invalid value for {dashes}{flag}{origin}: {problem}"),
            Given::Nothing if OF_A_RECORD.contains(&&*id) => {
                format!("--{flag} is missing: {problem}")
            }
            Given::Nothing => format!("--{flag} (or {}) is missing: {problem}", variable(&id)),
        }
    }
}

/// The environment variable that stands for the flag of that id.
pub fn variable(id: &str) -> String {
    format!("DEPLOYMENT_RECORDER_{}", id.to_uppercase())
}

/// The settings that were given to `command`, by flag or by variable, in the order of its help.
/// None of them is a secret: those are only ever in files and in `GITHUB_TOKEN`.
pub fn given(command: &clap::Command, matches: &ArgMatches) -> Vec<String> {
    let ids = command
        .get_arguments()
        .map(|argument| argument.get_id().as_str());
    ids.filter(|id| {
        let source = matches.value_source(id);
        source.is_some_and(|source| source != ValueSource::DefaultValue)
    })
    .map(|id| {
        let values = matches.get_raw(id).into_iter().flatten();
        let values: Vec<_> = values.map(|value| value.to_string_lossy()).collect();
        format!("--{}={}", id.replace('_', "-"), values.join(","))
    })
    .collect()
}
