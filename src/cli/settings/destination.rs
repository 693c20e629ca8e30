//! Where records go and what they are called there, and the policy that comes of it.

use std::sync::Arc;
use std::time::Duration;

use super::{Cycle, SettingError, github, value};
use crate::cli::args::{ApiArgs, DestinationArgs};
use crate::cluster::Scope;
use crate::model::context::is_repository;
use crate::model::image_map::ImageMap;
use crate::model::organization::Organizations;
use crate::model::policy::Policy;
use crate::model::record::Destination;
use crate::model::regex_map::RegexMap;
use crate::model::template::Template;

/// The checked form of [`DestinationArgs`].
pub(super) struct Checked {
    destination: Destination,
    template: Template,
    image_map: ImageMap,
    repositories: RegexMap,
    organizations: Organizations,
    reads_labels: bool,
}

impl Checked {
    /// Checks what was typed, all of it needed.
    pub(super) fn strict(args: &DestinationArgs, api: &ApiArgs) -> Result<Self, SettingError> {
        for (flag, given, what) in [
            (
                "org",
                &args.org,
                "the GitHub organization that records belong to",
            ),
            (
                "cluster",
                &args.place.cluster,
                "the name of this cluster at GitHub",
            ),
            (
                "logical-environment",
                &args.place.logical_environment,
                "such as production",
            ),
        ] {
            if given.is_none() {
                return Err(SettingError::missing(flag, what));
            }
        }
        Self::lenient(args, api)
    }

    /// Checks what was typed; what is left out is empty.
    pub(super) fn lenient(args: &DestinationArgs, api: &ApiArgs) -> Result<Self, SettingError> {
        type Check = fn(&'static str, &str) -> Result<Arc<str>, SettingError>;
        let checked = |flag, given: &Option<String>, check: Check| match given {
            Some(given) => check(flag, given),
            None => Ok(Arc::from("")),
        };
        let physical = args
            .place
            .physical_environment
            .as_deref()
            .filter(|text| !text.is_empty());
        let destination = Destination {
            host: github::url(api)?.host().clone(),
            organization: checked("org", &args.org, value::organization)?,
            cluster: checked("cluster", &args.place.cluster, value::cluster)?,
            logical_environment: checked(
                "logical-environment",
                &args.place.logical_environment,
                value::environment,
            )?,
            physical_environment: physical
                .map(|text| value::environment("physical-environment", text))
                .transpose()?,
        };
        let given = &args.name_template;
        let template = given
            .parse()
            .map_err(|error| SettingError::invalid("name-template", given, error))?;
        let image_map = ImageMap::parse(args.image_map.iter().map(String::as_str))
            .map_err(|error| SettingError::invalid("image-map", &error.rule, &error))?;
        let rules = args.repository_map.iter().map(String::as_str);
        let rules = rules.filter(|rule| !rule.trim().is_empty());
        let repositories = RegexMap::parse(rules, is_repository)
            .map_err(|error| SettingError::invalid("repository-map", &error.rule, &error))?;
        let organizations = Organizations::parse(lines(&args.org_map))
            .map_err(|error| SettingError::invalid("org-map", &error.rule, &error))?;
        Ok(Self {
            destination,
            template,
            image_map,
            repositories,
            organizations,
            reads_labels: args.read_image_labels,
        })
    }

    /// The policy for what `scope` looks at; without a schedule nothing is told of an end.
    pub(super) fn policy(&self, scope: &Scope, cycle: Option<Cycle>) -> Policy {
        /// The least time after which an unknown outcome counts as settled.
        const LEAST: Duration = Duration::from_mins(2);
        let by_label = &scope.logical_environment_label;
        let (interval, idle_after, hold) = match cycle {
            Some(cycle) => (
                cycle.interval,
                cycle.idle_after,
                cycle.mass_decommission_hold,
            ),
            None => (LEAST, None, LEAST),
        };
        Policy {
            selection: scope.selection.clone(),
            destination: Arc::new(self.destination.clone()),
            environments_by_label: by_label.is_some() || scope.physical_environment_label.is_some(),
            organizations: self.organizations.clone(),
            image_map: self.image_map.clone(),
            repositories: self.repositories.clone(),
            reads_labels: self.reads_labels,
            template: self.template.clone(),
            idle_after,
            mass_decommission_hold: hold,
            settle_after: interval.max(LEAST),
            storage: None,
        }
    }
}

/// The lines of a setting that has one value a line, without those that are empty: a variable often
/// ends with a line's end.
pub(super) fn lines(given: &[String]) -> impl Iterator<Item = &str> {
    let lines = given.iter().map(|line| line.trim());
    lines.filter(|line| !line.is_empty())
}
