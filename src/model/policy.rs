//! Policy: what a person decided by settings, as far as the core needs it.

use std::sync::Arc;
use std::time::Duration;

use super::image_map::ImageMap;
use super::organization::Organizations;
use super::record::{Destination, Identity};
use super::regex_map::RegexMap;
use super::selection::Selection;
use super::storage::StorageRule;
use super::template::Template;

/// What a person decided by settings.
#[derive(Clone, Debug)]
pub struct Policy {
    /// What is recorded at all.
    pub selection: Selection,
    /// Where records go, unless an image or a namespace says otherwise.
    pub destination: Arc<Destination>,
    /// Whether labels of a namespace can say otherwise.
    pub environments_by_label: bool,
    /// Which images have an organization of their own.
    pub organizations: Organizations,
    /// Which prefixes of image names stand for others.
    pub image_map: ImageMap,
    /// Which repository an image is from, by its name, where no annotation says it.
    pub repositories: RegexMap,
    /// Whether an image's own label says it, where no rule does either.
    pub reads_labels: bool,
    /// How records are named.
    pub template: Template,
    /// How long a workload without pods keeps its records; `None` for ever.
    pub idle_after: Option<Duration>,
    /// How long names have to be missing when most of them are.
    pub mass_decommission_hold: Duration,
    /// How long after an unknown outcome a definite answer settles it: one interval, at least two
    /// minutes. A request may be applied that much later than it was sent.
    pub settle_after: Duration,
    /// What GitHub is told about registries; `None`: nothing.
    pub storage: Option<StorageRule>,
}

impl Policy {
    /// Whether records of that identity are at the API host to which this process speaks.
    pub fn is_here(&self, identity: &Identity) -> bool {
        let host = &identity.destination.host;
        host.eq_ignore_ascii_case(&self.destination.host)
    }
}
