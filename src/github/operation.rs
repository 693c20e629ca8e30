//! The operations of the API that this program uses, by the names that logs and metrics give them.

/// An operation of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// One deployment record is created or updated.
    CreateDeploymentRecord,
    /// The deployment records of a cluster are created or updated.
    SetClusterDeploymentRecords,
    /// The same, as a job that GitHub does afterwards.
    CreateJob,
    /// How far such a job is.
    GetJob,
    /// One storage record is created or updated.
    CreateStorageRecord,
    /// The deployment records of one digest.
    ListDeploymentRecords,
    /// The storage records of one digest.
    ListStorageRecords,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 7] = [
        Self::CreateDeploymentRecord,
        Self::SetClusterDeploymentRecords,
        Self::CreateJob,
        Self::GetJob,
        Self::CreateStorageRecord,
        Self::ListDeploymentRecords,
        Self::ListStorageRecords,
    ];

    /// Its name: the `operationId` of GitHub's description, without `orgs/`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CreateDeploymentRecord => "create-artifact-deployment-record",
            Self::SetClusterDeploymentRecords => "set-cluster-deployment-records",
            Self::CreateJob => "create-cluster-deployment-records-job",
            Self::GetJob => "get-cluster-deployment-records-job",
            Self::CreateStorageRecord => "create-artifact-storage-record",
            Self::ListDeploymentRecords => "list-artifact-deployment-records",
            Self::ListStorageRecords => "list-artifact-storage-records",
        }
    }
}
