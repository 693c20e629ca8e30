//! The endpoints of the contract: from method and path to an [`Endpoint`] with its parameters. No
//! request bodies, no answers.

use serde::{Deserialize, Serialize};

/// One endpoint of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// `POST metadata/deployment-record`
    CreateDeploymentRecord,
    /// `POST metadata/deployment-record/cluster/{cluster}`
    SetClusterRecords,
    /// `POST metadata/deployment-record/cluster/{cluster}/jobs`
    CreateJob,
    /// `GET metadata/deployment-record/cluster/{cluster}/jobs/{job_id}`
    GetJob,
    /// `POST metadata/storage-record`
    CreateStorageRecord,
    /// `GET {subject_digest}/metadata/deployment-records`
    ListDeploymentRecords,
    /// `GET {subject_digest}/metadata/storage-records`
    ListStorageRecords,
    /// `GET /orgs/{org}/installation`
    GetInstallation,
    /// `POST /app/installations/{installation_id}/access_tokens`
    CreateInstallationToken,
}

impl Endpoint {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::CreateDeploymentRecord,
        Self::SetClusterRecords,
        Self::CreateJob,
        Self::GetJob,
        Self::CreateStorageRecord,
        Self::ListDeploymentRecords,
        Self::ListStorageRecords,
        Self::GetInstallation,
        Self::CreateInstallationToken,
    ];

    /// The path as the contract writes it.
    pub fn template(self) -> &'static str {
        match self {
            Self::CreateDeploymentRecord => "/orgs/{org}/artifacts/metadata/deployment-record",
            Self::SetClusterRecords => {
                "/orgs/{org}/artifacts/metadata/deployment-record/cluster/{cluster}"
            }
            Self::CreateJob => {
                "/orgs/{org}/artifacts/metadata/deployment-record/cluster/{cluster}/jobs"
            }
            Self::GetJob => {
                "/orgs/{org}/artifacts/metadata/deployment-record/cluster/{cluster}/jobs/{job_id}"
            }
            Self::CreateStorageRecord => "/orgs/{org}/artifacts/metadata/storage-record",
            Self::ListDeploymentRecords => {
                "/orgs/{org}/artifacts/{subject_digest}/metadata/deployment-records"
            }
            Self::ListStorageRecords => {
                "/orgs/{org}/artifacts/{subject_digest}/metadata/storage-records"
            }
            Self::GetInstallation => "/orgs/{org}/installation",
            Self::CreateInstallationToken => "/app/installations/{installation_id}/access_tokens",
        }
    }

    /// `POST` for what writes, `GET` for what reads.
    pub fn method(self) -> http::Method {
        if self.writes() {
            http::Method::POST
        } else {
            http::Method::GET
        }
    }

    /// Whether a request to it changes something, and so counts for the pace of writes.
    pub fn writes(self) -> bool {
        match self {
            Self::CreateDeploymentRecord
            | Self::SetClusterRecords
            | Self::CreateJob
            | Self::CreateStorageRecord
            | Self::CreateInstallationToken => true,
            Self::GetJob
            | Self::ListDeploymentRecords
            | Self::ListStorageRecords
            | Self::GetInstallation => false,
        }
    }

    /// Whether a GitHub App asks as itself here, with a JSON web token.
    pub fn is_of_apps(self) -> bool {
        matches!(self, Self::GetInstallation | Self::CreateInstallationToken)
    }
}

/// Where a request goes: an endpoint and what stands in its path, percent-decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// Which endpoint.
    pub(super) endpoint: Endpoint,
    /// Path parameters by the names of the contract, in their order.
    pub(super) parameters: Vec<(&'static str, String)>,
}

impl Target {
    /// The value of a path parameter; empty where the endpoint has no such parameter.
    pub(super) fn parameter(&self, name: &str) -> &str {
        self.parameters
            .iter()
            .find(|(given, _)| *given == name)
            .map_or("", |(_, value)| value)
    }

    /// The organization; empty where the path has none.
    pub(super) fn org(&self) -> &str {
        self.parameter("org")
    }

    /// The endpoints at this path, whatever the method. None: GitHub has no such path.
    pub(super) fn read(path: &str) -> Option<Self> {
        let given: Vec<String> = path.strip_prefix('/')?.split('/').map(decode).collect();
        Endpoint::ALL.into_iter().find_map(|endpoint| {
            let parameters = matches(endpoint.template(), &given)?;
            Some(Self {
                endpoint,
                parameters,
            })
        })
    }
}

fn matches(template: &'static str, given: &[String]) -> Option<Vec<(&'static str, String)>> {
    let wanted: Vec<&'static str> = template.trim_start_matches('/').split('/').collect();
    if wanted.len() != given.len() {
        return None;
    }
    let mut parameters = Vec::new();
    for (want, have) in wanted.into_iter().zip(given) {
        match want
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
        {
            Some(name) if !have.is_empty() => parameters.push((name, have.clone())),
            None if want == have => {}
            Some(_) | None => return None,
        }
    }
    Some(parameters)
}

/// One path segment with `%xx` resolved; what is no valid escape stays as it is.
fn decode(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = (first == b'%').then(|| tail.get(..2)).flatten();
        let value = escaped
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        if let Some(value) = value {
            bytes.push(value);
            rest = tail.get(2..).unwrap_or_default();
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str) -> Option<(Endpoint, Vec<String>)> {
        Target::read(path).map(|t| {
            (
                t.endpoint,
                t.parameters.into_iter().map(|(_, value)| value).collect(),
            )
        })
    }

    #[test]
    fn every_path_of_the_contract_leads_to_its_endpoint() {
        let d = format!("sha256:{}", "a".repeat(64));
        let base = "/orgs/acme/artifacts";
        let table = [
            (
                format!("{base}/metadata/deployment-record"),
                Endpoint::CreateDeploymentRecord,
            ),
            (
                format!("{base}/metadata/deployment-record/cluster/c1"),
                Endpoint::SetClusterRecords,
            ),
            (
                format!("{base}/metadata/deployment-record/cluster/c1/jobs"),
                Endpoint::CreateJob,
            ),
            (
                format!("{base}/metadata/deployment-record/cluster/c1/jobs/7"),
                Endpoint::GetJob,
            ),
            (
                format!("{base}/metadata/storage-record"),
                Endpoint::CreateStorageRecord,
            ),
            (
                format!("{base}/{d}/metadata/deployment-records"),
                Endpoint::ListDeploymentRecords,
            ),
            (
                format!("{base}/{d}/metadata/storage-records"),
                Endpoint::ListStorageRecords,
            ),
            (
                "/orgs/acme/installation".to_owned(),
                Endpoint::GetInstallation,
            ),
            (
                "/app/installations/7/access_tokens".to_owned(),
                Endpoint::CreateInstallationToken,
            ),
        ];
        for (path, endpoint) in table {
            assert_eq!(
                read(&path).map(|(found, _)| found),
                Some(endpoint),
                "{path}"
            );
        }
    }

    #[test]
    fn parameters_are_percent_decoded_and_other_paths_are_nowhere() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let path = format!(
            "/orgs/acme/artifacts/sha256%3A{}/metadata/storage-records",
            "0".repeat(64)
        );
        assert_eq!(
            read(&path),
            Some((Endpoint::ListStorageRecords, vec!["acme".into(), digest]))
        );
        for path in [
            "/",
            "/orgs/acme",
            "/orgs//artifacts/metadata/storage-record",
            "/user",
        ] {
            assert_eq!(read(path), None, "{path}");
        }
    }
}
