//! Which cluster this is. Nothing but the uid of a namespace tells one cluster from another; where
//! that is compared with what was known is not known here.

use std::sync::Arc;

use kube::Client;

use super::{Cluster, exact};

/// Why it is not known which cluster this is, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unidentified(String);

impl Cluster {
    /// What identifies this cluster: see [`identity`].
    pub async fn identity(&self, fallback: &str) -> Result<(Arc<str>, Arc<str>), Unidentified> {
        identity(&self.client, fallback).await
    }
}

/// What identifies a cluster: the uid of the namespace `kube-system`, or where that cannot be read
/// (403 or 404) of the namespace `fallback`, with the name of the namespace. An error says nothing
/// about the cluster.
pub async fn identity(
    client: &Client,
    fallback: &str,
) -> Result<(Arc<str>, Arc<str>), Unidentified> {
    let mut problems = Vec::new();
    for name in namespaces(fallback) {
        match exact::read(client, name).await {
            Ok(Some(namespace)) => match namespace.meta.uid.0.filter(|uid| !uid.is_empty()) {
                Some(uid) => return Ok((name.into(), uid.into())),
                None => return Err(Unidentified(format!("namespace {name} has no uid"))),
            },
            Ok(None) => problems.push(format!("namespace {name} does not exist")),
            Err(error) if error.forbidden => {
                problems.push(error.message.to_string());
                if name == fallback {
                    problems.push(lacking(name));
                }
            }
            Err(error) => {
                let problem = format!("reading namespace {name} failed: {}", error.message);
                return Err(Unidentified(problem));
            }
        }
    }
    Err(Unidentified(problems.join("; ")))
}

/// The namespaces whose uids tell clusters apart; the first of them that can be read is enough.
pub(super) fn namespaces(fallback: &str) -> [&str; 2] {
    ["kube-system", fallback]
}

/// The rule that is enough.
fn lacking(namespace: &str) -> String {
    format!(
        "the Role in {namespace} lacks this rule: apiGroups: [\"\"], resources: [namespaces], \
         verbs: [get], resourceNames: [{namespace}]"
    )
}
