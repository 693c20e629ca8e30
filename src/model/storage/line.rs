//! What a storage record says.

use std::sync::Arc;

use crate::model::image::Digest;

/// One storage record, as it is to be at GitHub. It cannot be deleted there, only be marked so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StorageLine {
    /// The artifact's name: 1 to 256 bytes.
    pub name: Arc<str>,
    /// The artifact's digest.
    pub digest: Digest,
    /// The artifact's version: 1 to 100 bytes.
    pub version: Option<Arc<str>>,
    /// The registry's address: `https://` and up to 256 bytes in all.
    pub registry_url: Arc<str>,
    /// Where the artifact can be fetched: `https://` and up to 152 bytes in all.
    pub artifact_url: Option<Arc<str>>,
    /// The artifact's path. The contract wants a whole URI, with a scheme, of up to 512 bytes.
    pub path: Option<Arc<str>>,
    /// The repository within the registry: up to 128 bytes.
    pub repository: Option<Arc<str>>,
    /// Whether it is still there.
    pub status: StorageStatus,
    /// The GitHub repository that it was built from, without its owner: up to 100 bytes.
    pub github_repository: Option<Arc<str>>,
}

/// Whether an artifact is still kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StorageStatus {
    /// It is kept and used.
    #[default]
    Active,
    /// It is kept and not supported any longer.
    Eol,
    /// It is kept no longer.
    Deleted,
}

impl StorageStatus {
    /// Every status, in the contract's order.
    pub const ALL: [Self; 3] = [Self::Active, Self::Eol, Self::Deleted];

    /// The API's name for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Eol => "eol",
            Self::Deleted => "deleted",
        }
    }

    /// The status of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}
