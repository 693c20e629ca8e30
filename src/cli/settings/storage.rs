//! Whether GitHub is told about registries, and about which.

use super::SettingError;
use crate::cli::args::StorageArgs;
use crate::model::selection::Pattern;
use crate::model::storage::{StorageRule, registry};

/// The flag.
const EXCLUDE: &str = "storage-exclude-registries";

/// Checks what was typed; `None`: GitHub is told nothing.
pub(super) fn rule(args: &StorageArgs) -> Result<Option<StorageRule>, SettingError> {
    let patterns = args.storage_exclude_registries.iter();
    let exclude = patterns.map(|text| pattern(text.trim()));
    let exclude = exclude.collect::<Result<_, _>>()?;
    Ok(args.storage_records.then_some(StorageRule { exclude }))
}

/// A pattern is matched with the whole registry, so one that can match none is a mistake.
fn pattern(text: &str) -> Result<Pattern, SettingError> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "._-:[]*".contains(c);
    let normalised = Pattern::new(&registry(text));
    // The port that goes without saying is no part of it any more.
    if normalised.exact().is_none() && normalised.matches("") {
        let problem = "this leaves no registry to tell of; leave --storage-records out instead";
        return Err(SettingError::invalid(EXCLUDE, text, problem));
    }
    let is_host = text.contains(['.', ':', '*']) || text.eq_ignore_ascii_case("localhost");
    if is_host && text.chars().all(is_allowed) {
        return Ok(normalised);
    }
    let problem = "a pattern is matched with the registry alone, such as docker.io or \
                   *.dkr.ecr.*.amazonaws.com";
    Err(SettingError::invalid(EXCLUDE, text, problem))
}
