//! ConfigMaps by name: read, and written only if they are still as they were read. Knows nothing of
//! what is in them.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::PostParams;
use kube::{Api, Client};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::recorder::failure;

use super::StoreError;
use super::part;

/// The key in `binaryData`.
const KEY: &str = "ledger";

/// Where `kubectl apply` keeps what it was given.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// How long one call may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    Reading,
    Replacing,
    Creating,
}

impl Doing {
    pub(super) const ALL: [Self; 3] = [Self::Reading, Self::Replacing, Self::Creating];

    fn as_str(self) -> &'static str {
        match self {
            Self::Reading => "reading it",
            Self::Replacing => "replacing it",
            Self::Creating => "creating it",
        }
    }

    /// What RBAC calls it.
    pub(super) fn verb(self) -> &'static str {
        match self {
            Self::Reading => "get",
            Self::Replacing => "update",
            Self::Creating => "create",
        }
    }
}

/// The name of the root of the ledger `ledger`, or of one of its shards.
pub(super) fn name(ledger: &str, shard: Option<usize>) -> String {
    match shard {
        None => ledger.to_owned(),
        Some(index) => format!("{ledger}-{index}"),
    }
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The API server turned it down.
    #[error("{what} failed: {message} ({code}){}", lacking(rule.as_deref()))]
    Refused {
        /// What was tried.
        what: &'static str,
        /// What the API server said.
        message: String,
        /// The HTTP status.
        code: u16,
        /// Whether it said so because the object is not as it was: changed, created or gone.
        is_conflict: bool,
        /// The rule that would allow it, where that is what lacks.
        rule: Option<String>,
    },
    /// The API server was not reached, or its answer not understood.
    #[error("{what} failed")]
    Api {
        /// What was tried.
        what: &'static str,
        /// The client's error.
        source: Box<kube::Error>,
    },
    /// No answer came in time.
    #[error("{what} took longer than {} s", TIMEOUT.as_secs())]
    TimedOut {
        /// What was tried.
        what: &'static str,
    },
    /// The part is too large for a ConfigMap, or cannot be put into bytes.
    #[error("{0}")]
    Content(String),
}

impl CallError {
    /// Whether the object is not as it was when it was read.
    pub(super) fn is_conflict(&self) -> bool {
        match self {
            Self::Refused { is_conflict, .. } => *is_conflict,
            Self::Api { .. } | Self::TimedOut { .. } | Self::Content(_) => false,
        }
    }
}

/// What was known of an object when it was read or written last: its version, what others put beside
/// what is in it, which stays when it is written over, and which content it had.
#[derive(Clone, Debug)]
pub(super) struct Version {
    metadata: Option<Box<ObjectMeta>>,
    /// The header of the part, which has its checksum; none where it was not read.
    header: Option<Box<[u8]>>,
}

impl Version {
    fn of(mut metadata: ObjectMeta, header: Option<Box<[u8]>>) -> Self {
        // The API server's own account of who wrote what, which is long.
        metadata.managed_fields = None;
        // And that of `kubectl apply`, which is all of the part once more.
        if let Some(annotations) = &mut metadata.annotations {
            annotations.remove(LAST_APPLIED);
        }
        // Without its version an object would be written over whatever it is by then.
        let is_known = metadata.resource_version.is_some();
        Self {
            metadata: is_known.then(|| Box::new(metadata)),
            header,
        }
    }

    /// Whether the object has the content that it had then: somebody touched what is beside it.
    pub(super) fn is_only_touched(&self, found: &Self) -> bool {
        self.header.is_some() && self.header == found.header
    }

    /// Of an object that is not there.
    pub(super) fn absent() -> Self {
        Self {
            metadata: None,
            header: None,
        }
    }
}

/// The ConfigMaps of one ledger.
#[derive(Debug)]
pub(super) struct ConfigMaps {
    api: Api<ConfigMap>,
    namespace: String,
    name: String,
}

impl ConfigMaps {
    pub(super) fn new(client: Client, namespace: &str, name: &str) -> Self {
        Self {
            api: Api::namespaced(client, namespace),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    pub(super) fn place(&self) -> (&str, &str) {
        (&self.namespace, &self.name)
    }

    /// The name of the root, or of a shard.
    pub(super) fn name(&self, shard: Option<usize>) -> String {
        name(&self.name, shard)
    }

    /// The content of the root or a shard; `None` where it is not there.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        shard: Option<usize>,
    ) -> Result<Option<(T, Version)>, StoreError> {
        let Some(mut map) = self.get(shard).await? else {
            return Ok(None);
        };
        let bytes = map
            .binary_data
            .as_mut()
            .and_then(|data| data.remove(KEY))
            .unwrap_or_default();
        let content = part::read(&bytes.0).map_err(|source| StoreError::Unreadable {
            part: self.name(shard),
            source,
        })?;
        let header = part::header(&bytes.0).into();
        Ok(Some((content, Version::of(map.metadata, Some(header)))))
    }

    /// The version alone of the root or a shard; `None` where it is not there.
    pub(super) async fn version(
        &self,
        shard: Option<usize>,
    ) -> Result<Option<Version>, StoreError> {
        let map = self.get(shard).await?;
        Ok(map.map(|map| Version::of(map.metadata, None)))
    }

    async fn get(&self, shard: Option<usize>) -> Result<Option<ConfigMap>, StoreError> {
        let name = self.name(shard);
        let call = async { failure::present(self.api.get(&name).await) };
        self.call(shard, Doing::Reading, call).await
    }

    /// The bytes of the root or a shard, in that version of the stored form.
    pub(super) fn part(
        &self,
        shard: Option<usize>,
        content: &impl Serialize,
        version: u32,
    ) -> Result<Vec<u8>, StoreError> {
        part::write(content, version).map_err(|error| StoreError::Call {
            part: self.name(shard),
            source: CallError::Content(error.to_string()),
        })
    }

    /// Writes the bytes of the root or a shard, if it still is of that version.
    pub(super) async fn write(
        &self,
        shard: Option<usize>,
        content: Vec<u8>,
        version: Option<&Version>,
    ) -> Result<Version, StoreError> {
        let name = self.name(shard);
        let header = part::header(&content).into();
        let known = version.and_then(|version| version.metadata.clone());
        let exists = known.is_some();
        let mut metadata = known.map_or_else(|| self.fresh(&name), |known| *known);
        metadata.labels.get_or_insert_default().extend(labels());
        let map = ConfigMap {
            metadata,
            binary_data: Some(BTreeMap::from([(KEY.to_owned(), ByteString(content))])),
            ..ConfigMap::default()
        };
        let parameters = PostParams::default();
        let written = if exists {
            self.call(
                shard,
                Doing::Replacing,
                self.api.replace(&name, &parameters, &map),
            )
            .await?
        } else {
            self.call(shard, Doing::Creating, self.api.create(&parameters, &map))
                .await?
        };
        Ok(Version::of(written.metadata, Some(header)))
    }

    fn fresh(&self, name: &str) -> ObjectMeta {
        ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(self.namespace.clone()),
            ..ObjectMeta::default()
        }
    }

    /// The rule that allows it. What is only to be created has no name yet.
    fn rule(&self, shard: Option<usize>, doing: Doing) -> String {
        let resource = "apiGroups: [\"\"], resources: [configmaps]";
        if doing == Doing::Creating {
            return format!("{resource}, verbs: [create]");
        }
        let name = self.name(shard);
        format!("{resource}, verbs: [get, update], resourceNames: [{name}]")
    }

    async fn call<T>(
        &self,
        shard: Option<usize>,
        doing: Doing,
        call: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T, StoreError> {
        let what = doing.as_str();
        let failed = |source| StoreError::Call {
            part: self.name(shard),
            source,
        };
        match tokio::time::timeout(TIMEOUT, call).await {
            Err(_) => Err(failed(CallError::TimedOut { what })),
            Ok(Err(kube::Error::Api(status))) => Err(failed(CallError::Refused {
                what,
                rule: failure::is_lack_of_right(&status, doing.verb())
                    .then(|| self.rule(shard, doing)),
                is_conflict: status.code == 409 || failure::is_absent(&status),
                message: status.message,
                code: status.code,
            })),
            Ok(Err(error)) => Err(failed(CallError::Api {
                what,
                source: Box::new(error),
            })),
            Ok(Ok(answer)) => Ok(answer),
        }
    }
}

/// What the Role of the ledger lacks, in words.
fn lacking(rule: Option<&str>) -> String {
    let words = |rule| format!("; the Role in its namespace lacks this rule: {rule}");
    rule.map(words).unwrap_or_default()
}

fn labels() -> BTreeMap<String, String> {
    let labels = [
        ("app.kubernetes.io/name", "deployment-recorder"),
        ("app.kubernetes.io/component", "ledger"),
        ("app.kubernetes.io/managed-by", "deployment-recorder"),
    ];
    labels
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}
