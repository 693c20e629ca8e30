//! Records: one line at GitHub, its key and its content. The shapes here follow the documented
//! meaning of the artifact-metadata API (`contract/README.md`), not its wire form.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use super::image::Digest;
use super::risk::Risks;
use super::text_map::TextMap;

/// Where a record goes: all of its key at GitHub but its name. One request has one destination.
#[derive(Clone, Debug)]
pub struct Destination {
    /// The API's host, with its port if it has one.
    pub host: Arc<str>,
    /// The organization.
    pub organization: Arc<str>,
    /// The cluster's name.
    pub cluster: Arc<str>,
    /// The logical environment.
    pub logical_environment: Arc<str>,
    /// The physical environment, never empty.
    pub physical_environment: Option<Arc<str>>,
}

impl Destination {
    /// The parts in the order in which they are compared: an absent environment is the empty one.
    pub fn parts(&self) -> [&str; 5] {
        [
            &self.host,
            &self.organization,
            &self.cluster,
            &self.logical_environment,
            self.physical_environment.as_deref().unwrap_or_default(),
        ]
    }
}

/// The key of a record at GitHub. Identities that differ only in letter case, or in an empty
/// against an absent environment, are equal: nobody knows that GitHub tells them apart.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Where the record goes.
    pub destination: Arc<Destination>,
    /// The record's name there (`deployment_name`).
    pub name: Arc<str>,
}

/// The letters of `text` with their case folded away.
fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}

/// Compares with letter case folded away. What both begin with alike is passed over byte by byte:
/// a plan compares names millions of times, and most of them begin alike.
fn compare(one: &str, other: &str) -> Ordering {
    let pairs = one.bytes().zip(other.bytes());
    let alike = pairs.take_while(|(one, other)| one == other).count();
    let alike = one.floor_char_boundary(alike);
    let rest = |text| folded(str::get(text, alike..).unwrap_or_default());
    rest(one).cmp(rest(other))
}

/// Whether two names of records differ in letter case at most.
pub fn is_same_name(one: &str, other: &str) -> bool {
    compare(one, other).is_eq()
}

impl Identity {
    /// The same key with letter case and absent environments folded away, one part a line: what a
    /// stored hash may be made of.
    pub fn folded(&self) -> String {
        let parts = self.destination.parts();
        parts
            .into_iter()
            .chain([&*self.name])
            .flat_map(|part| folded(part).chain(['\n']))
            .collect()
    }

    /// Whether both are spelled alike, to the letter.
    pub fn is_spelled_as(&self, other: &Self) -> bool {
        self.name == other.name && self.destination.is_spelled_as(&other.destination)
    }
}

impl Destination {
    /// Whether both are spelled alike, to the letter.
    pub fn is_spelled_as(&self, other: &Self) -> bool {
        self.parts() == other.parts()
            && self.physical_environment.is_some() == other.physical_environment.is_some()
    }
}

impl Ord for Destination {
    fn cmp(&self, other: &Self) -> Ordering {
        let pairs = self.parts().into_iter().zip(other.parts());
        pairs
            .map(|(one, other)| compare(one, other))
            .find(|ordering| ordering.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

impl PartialOrd for Destination {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Destination {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Destination {}

impl Ord for Identity {
    fn cmp(&self, other: &Self) -> Ordering {
        let destinations = if Arc::ptr_eq(&self.destination, &other.destination) {
            Ordering::Equal
        } else {
            self.destination.cmp(&other.destination)
        };
        destinations.then_with(|| compare(&self.name, &other.name))
    }
}

impl PartialOrd for Identity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Identity {}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// What a record says, its key and its status apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Body {
    /// The digest of the image's manifest or index.
    pub digest: Digest,
    /// The image's repository with its registry: 1 to 256 bytes.
    pub name: Arc<str>,
    /// The image's tag as typed: up to 100 bytes.
    pub version: Option<Arc<str>>,
    /// The repository that the image was built from, without its owner: up to 100 bytes.
    pub repository: Option<Arc<str>>,
    /// At most five tags.
    pub tags: TextMap,
    /// Runtime risks.
    pub risks: Risks,
}

impl Body {
    /// Whether a request with this body may create or move something at GitHub that the stored
    /// `other` does not name: tags and risks alone cannot.
    pub fn names_the_same_as(&self, other: &Self) -> bool {
        self.digest == other.digest
            && self.name == other.name
            && self.version == other.version
            && self.repository == other.repository
    }
}

/// Whether the record says that its image runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// It runs.
    Deployed,
    /// It runs no longer.
    Decommissioned,
}

impl Status {
    /// The API's name for it, which people are shown as well.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deployed => "deployed",
            Self::Decommissioned => "decommissioned",
        }
    }

    /// The status of that name.
    pub fn parse(name: &str) -> Option<Self> {
        let all = [Self::Deployed, Self::Decommissioned];
        all.into_iter().find(|status| status.as_str() == name)
    }
}

/// One line of a request: what GitHub is to know under an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The key.
    pub identity: Identity,
    /// The content.
    pub body: Arc<Body>,
    /// The status.
    pub status: Status,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::fixtures::destination;

    #[test]
    fn a_status_is_read_by_the_name_that_it_is_given() {
        for status in [Status::Deployed, Status::Decommissioned] {
            assert_eq!(Status::parse(status.as_str()), Some(status));
        }
        for other in ["", "Deployed", "xyzzy"] {
            assert_eq!(Status::parse(other), None, "{other}");
        }
    }

    #[test]
    fn an_identity_comes_before_another_and_is_shown_by_its_name() {
        let [one, other] = ["api", "web"].map(|name| Identity {
            destination: Arc::new(Destination {
                cluster: name.into(),
                ..destination()
            }),
            name: name.into(),
        });
        assert!(one < other && one.destination < other.destination);
        assert_eq!(one.to_string(), "api");
    }

    #[test]
    fn identities_are_the_same_whatever_their_case_and_whether_empty_or_absent() {
        let identity = |cluster: &str, physical: Option<&str>, name: &str| Identity {
            destination: Arc::new(Destination {
                cluster: cluster.into(),
                physical_environment: physical.map(Into::into),
                ..destination()
            }),
            name: name.into(),
        };
        let plain = identity("prod", None, "web");
        for (other, is_same) in [
            (identity("PROD", Some(""), "Web"), true),
            (identity("prod", Some("eu"), "web"), false),
            (identity("prod-2", None, "web"), false),
            (identity("prod", None, "web2"), false),
        ] {
            assert_eq!(plain == other, is_same, "{other:?}");
            assert_eq!(plain.folded() == other.folded(), is_same);
            assert!(!plain.is_spelled_as(&other));
        }
        assert!(plain.is_spelled_as(&plain.clone()));
    }

    proptest! {
        #[test]
        fn what_is_passed_over_changes_no_comparison(
            one in "[aAbéÉßK]{0,5}", other in "[aAbéÉßKé]{0,5}",
        ) {
            prop_assert_eq!(compare(&one, &other), folded(&one).cmp(folded(&other)));
        }
    }
}
