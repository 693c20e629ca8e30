//! What a token has access to, or not.

use std::sync::Arc;

use crate::model::record::Destination;

/// A host and an organization there, letter case aside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Access {
    host: String,
    organization: String,
}

impl Access {
    /// The organization at this host.
    pub fn new(host: &str, organization: &str) -> Self {
        Self {
            host: host.to_lowercase(),
            organization: organization.to_lowercase(),
        }
    }
}

impl Access {
    /// The organization, in lower case.
    pub fn organization(&self) -> &str {
        &self.organization
    }
}

impl From<&Destination> for Access {
    fn from(destination: &Destination) -> Self {
        Self::new(&destination.host, &destination.organization)
    }
}

impl From<&Arc<Destination>> for Access {
    fn from(destination: &Arc<Destination>) -> Self {
        Self::from(&**destination)
    }
}
