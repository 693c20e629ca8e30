//! Which registries may be asked what images say of themselves, and with what.

use super::SettingError;
use crate::cli::args::RegistryArgs;
use crate::registry::PlainHosts;

/// How registries are asked.
#[derive(Debug)]
pub struct Registries {
    /// Those that are spoken to by plain HTTP.
    pub plain: PlainHosts,
    /// Whether pull secrets may be used.
    pub pull_secrets: bool,
}

impl Registries {
    /// Checks what was typed; `None`: none is asked.
    pub(super) fn new(
        args: &RegistryArgs,
        reads_labels: bool,
    ) -> Result<Option<Self>, SettingError> {
        if args.use_pull_secrets && !reads_labels {
            let problem = "it is for --read-image-labels, which is not given";
            return Err(SettingError::invalid("use-pull-secrets", "true", problem));
        }
        let hosts = args.registry_allow_http.iter().map(String::as_str);
        let plain = PlainHosts::parse(hosts).map_err(|typed| {
            let problem =
                "allowed are hosts such as registry.example.com:5000, without a scheme or a path";
            SettingError::invalid("registry-allow-http", &typed, problem)
        })?;
        Ok(reads_labels.then_some(Self {
            plain,
            pull_secrets: args.use_pull_secrets,
        }))
    }
}
