//! The Lease at the API server: read, and written only if it still is as it was read. A call that
//! takes long is of no use here, so each is short, and none is repeated but by whoever asked.

use std::time::Duration;

use k8s_openapi::Resource;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::PostParams;
use kube::{Api, Client};

use crate::recorder::failure;

use super::election::Seen;
use super::error::LeaseError;
use super::record::Record;

/// How long one call may take: two fit into the time in which a Lease has to be renewed.
const TIMEOUT: Duration = Duration::from_secs(3);

/// What came of a write.
#[derive(Debug)]
pub(super) enum Written {
    /// It is written.
    As(Box<Seen<Lease>>),
    /// The Lease is not as it was when it was read.
    Outrun,
}

/// The Lease of a ledger.
#[derive(Debug)]
pub(super) struct Leases {
    api: Api<Lease>,
    namespace: String,
    name: String,
}

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    Reading,
    Creating,
    Replacing,
}

impl Leases {
    /// That of this name. The client's own retries are off, as [`crate::cluster::connect`] has them.
    pub(super) fn new(client: Client, namespace: &str, name: &str) -> Self {
        Self {
            api: Api::namespaced(client, namespace),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    /// Namespace and name, for people.
    pub(super) fn place(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// The Lease, if there is one.
    pub(super) async fn read(&self) -> Result<Option<Seen<Lease>>, LeaseError> {
        let call = async { failure::present(self.api.get(&self.name).await) };
        match self.within(Doing::Reading, call).await? {
            Ok(lease) => Ok(lease.map(seen)),
            Err(status) => Err(self.refused(Doing::Reading, &status)),
        }
    }

    /// Has the Lease say `record`, if it still is as in `from` (`None`: not there).
    pub(super) async fn write(
        &self,
        from: Option<&Seen<Lease>>,
        record: &Record,
    ) -> Result<Written, LeaseError> {
        let mut lease = from.map_or_else(|| self.fresh(), |from| from.version.clone());
        record.write(&mut lease);
        let parameters = PostParams::default();
        let (doing, answer) = if from.is_some() {
            let call = self.api.replace(&self.name, &parameters, &lease);
            (Doing::Replacing, self.within(Doing::Replacing, call).await?)
        } else {
            let call = self.api.create(&parameters, &lease);
            (Doing::Creating, self.within(Doing::Creating, call).await?)
        };
        match (answer, doing) {
            (Ok(lease), _) => Ok(Written::As(Box::new(seen(lease)))),
            (Err(status), _) if status.code == 409 => Ok(Written::Outrun),
            // One that is to be created and cannot be found has no namespace.
            (Err(status), Doing::Replacing) if failure::is_absent(&status) => Ok(Written::Outrun),
            (Err(status), _) => Err(self.refused(doing, &status)),
        }
    }

    fn fresh(&self) -> Lease {
        let labels = [
            ("app.kubernetes.io/name", "deployment-recorder"),
            ("app.kubernetes.io/component", "lease"),
            ("app.kubernetes.io/managed-by", "deployment-recorder"),
        ];
        let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned()));
        Lease {
            metadata: ObjectMeta {
                name: Some(self.name.clone()),
                labels: Some(labels.into()),
                ..ObjectMeta::default()
            },
            ..Lease::default()
        }
    }

    /// What the API server answered, if it did in time.
    async fn within<T>(
        &self,
        doing: Doing,
        call: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<Result<T, Box<kube::core::Status>>, LeaseError> {
        let failed = |problem| LeaseError::Failed {
            lease: self.place(),
            doing: doing.as_str(),
            problem,
        };
        match tokio::time::timeout(TIMEOUT, call).await {
            Err(_) => Err(failed(format!("no answer within {} s", TIMEOUT.as_secs()))),
            Ok(Err(kube::Error::Api(status))) => Ok(Err(status)),
            Ok(Err(error)) => Err(failed(crate::recorder::chain(&error))),
            Ok(Ok(answer)) => Ok(Ok(answer)),
        }
    }

    fn refused(&self, doing: Doing, status: &kube::core::Status) -> LeaseError {
        let lease = self.place();
        let doing_it = doing.as_str();
        if status.code == 403 {
            return LeaseError::Forbidden {
                lease,
                doing: doing_it,
                rule: failure::is_lack_of_right(status, doing.verb()).then(|| self.rule(doing)),
                message: status.message.clone(),
            };
        }
        let problem = format!("{} ({})", status.message, status.code);
        LeaseError::Failed {
            lease,
            doing: doing_it,
            problem,
        }
    }

    /// The rule that allows it. What is only to be created has no name yet.
    fn rule(&self, doing: Doing) -> String {
        let (group, plural) = (Lease::GROUP, Lease::URL_PATH_SEGMENT);
        let resource = format!("apiGroups: [{group}], resources: [{plural}]");
        match doing {
            Doing::Creating => format!("{resource}, verbs: [create]"),
            Doing::Reading | Doing::Replacing => format!(
                "{resource}, verbs: [get, update], resourceNames: [{}]",
                self.name
            ),
        }
    }
}

impl Doing {
    pub(super) const ALL: [Self; 3] = [Self::Reading, Self::Creating, Self::Replacing];

    /// What RBAC calls it.
    pub(super) fn verb(self) -> &'static str {
        match self {
            Self::Reading => "get",
            Self::Creating => "create",
            Self::Replacing => "update",
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Creating => "creating",
            Self::Replacing => "replacing",
        }
    }
}

fn seen(lease: Lease) -> Seen<Lease> {
    Seen {
        record: Record::read(&lease),
        version: lease,
    }
}
