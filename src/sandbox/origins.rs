//! Where artifacts come from: which digests have a provenance attestation, of which repository, and
//! the numbers of repositories.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::records::Origin;

/// A provenance attestation that the sandbox knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attestation {
    /// The digest it speaks about.
    pub digest: String,
    /// The repository that built it, without its owner.
    #[serde(default)]
    pub repository: Option<String>,
}

/// By digest: number and repository of its attestation.
#[derive(Debug, Default)]
pub(super) struct Origins {
    attested: BTreeMap<String, (u64, Option<String>)>,
    repositories: BTreeMap<String, u64>,
    /// Whether a digest nobody attested is unknown. Otherwise every digest counts as attested.
    pub(super) unknown_digests: bool,
}

fn count<K, V>(map: &BTreeMap<K, V>) -> u64 {
    u64::try_from(map.len()).unwrap_or(u64::MAX)
}

impl Origins {
    pub(super) fn attest(&mut self, attestation: Attestation) {
        let next = count(&self.attested) + 1;
        let id = self
            .attested
            .get(&attestation.digest)
            .map_or(next, |(id, _)| *id);
        self.attested
            .insert(attestation.digest, (id, attestation.repository));
    }

    pub(super) fn all(&self) -> impl Iterator<Item = Attestation> {
        self.attested
            .iter()
            .map(|(digest, (_, repository))| Attestation {
                digest: digest.clone(),
                repository: repository.clone(),
            })
    }

    /// The origin of a digest. With an attestation the repository given is ignored where the
    /// attestation names one; without an attestation it is needed. `None`: not found.
    pub(super) fn resolve(&mut self, digest: &str, repository: Option<&str>) -> Option<Origin> {
        if !self.unknown_digests && !self.attested.contains_key(digest) {
            self.attest(Attestation {
                digest: digest.to_owned(),
                repository: None,
            });
        }
        let given = repository
            .filter(|given| !given.is_empty())
            .map(str::to_owned);
        match self.attested.get(digest) {
            Some((id, attested)) => Some(Origin {
                attestation_id: Some(*id),
                repository: attested.clone().or(given),
            }),
            None => given.map(|given| Origin {
                attestation_id: None,
                repository: Some(given),
            }),
        }
    }

    /// The number of a repository; the same name always has the same.
    pub(super) fn repository_id(&mut self, name: &str) -> u64 {
        let next = count(&self.repositories) + 1;
        *self.repositories.entry(name.to_owned()).or_insert(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unattested_digest_needs_a_repository_only_where_digests_can_be_unknown() {
        let mut origins = Origins::default();
        assert!(origins.resolve("d", None).is_some());
        let mut origins = Origins {
            unknown_digests: true,
            ..Origins::default()
        };
        assert!(origins.resolve("d", None).is_none());
        assert!(origins.resolve("d", Some("")).is_none());
        let given = origins.resolve("d", Some("shop")).unwrap();
        assert_eq!(
            (given.attestation_id, given.repository.as_deref()),
            (None, Some("shop"))
        );
    }

    #[test]
    fn the_attested_repository_wins_over_the_one_given() {
        let mut origins = Origins {
            unknown_digests: true,
            ..Origins::default()
        };
        origins.attest(Attestation {
            digest: "d".into(),
            repository: Some("built".into()),
        });
        let origin = origins.resolve("d", Some("given")).unwrap();
        assert_eq!(origin.repository.as_deref(), Some("built"));
        assert!(origin.attestation_id.is_some());
        assert_eq!(origins.all().count(), 1);
        assert_eq!(origins.repository_id("x"), origins.repository_id("x"));
    }
}
