//! Making way for a command that is to have the Lease: the Deployment that holds it is scaled to
//! nothing, and the Lease waited for. Nothing else of any workload is ever written, and nothing of the
//! Lease is claimed here.

use std::time::Duration;

use k8s_openapi::Resource;
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

use crate::recorder::failure;

use super::RETRY;
use super::error::{LeaseError, lacking};
use super::look::is_free;

/// How long the call may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What became of a Deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scaled {
    /// It is to have no pods; so many are still there.
    Down {
        /// As the Deployment's controller counted them last.
        pods: i32,
    },
    /// There is none of that name.
    Absent,
}

/// Why a Deployment is not scaled down.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScaleError {
    /// The API server does not allow it.
    #[error(
        "Deployment {deployment}: scaling it to 0 is forbidden, so nothing was done.{} The API server says: \
         {message}",
        lacking(rule.as_deref())
    )]
    Forbidden {
        /// Namespace and name.
        deployment: String,
        /// The rule that would allow it, where that is what lacks.
        rule: Option<String>,
        /// What the API server said.
        message: String,
    },
    /// The call failed in another way; it may have been done all the same.
    #[error("Deployment {deployment}: scaling it to 0 failed: {problem}")]
    Failed {
        /// Namespace and name.
        deployment: String,
        /// What went wrong.
        problem: String,
    },
}

/// Scales the Deployment `name` to 0, whatever it is scaled to. By its `scale` alone, of which it sets
/// one number without having read it: that takes the right to `patch` and no other.
pub async fn scale_down(client: Client, namespace: &str, name: &str) -> Result<Scaled, ScaleError> {
    let deployment = format!("{namespace}/{name}");
    let api: Api<Deployment> = Api::namespaced(client, namespace);
    let patch = Patch::Merge(json!({"spec": {"replicas": 0}}));
    let parameters = PatchParams::default();
    let call = api.patch_scale(name, &parameters, &patch);
    let problem = match timeout(TIMEOUT, call).await {
        Ok(Ok(scale)) => {
            let pods = scale.status.map_or(0, |status| status.replicas);
            return Ok(Scaled::Down { pods });
        }
        Ok(Err(kube::Error::Api(status))) if failure::is_absent(&status) => {
            return Ok(Scaled::Absent);
        }
        Ok(Err(kube::Error::Api(status))) if status.code == 403 => {
            return Err(ScaleError::Forbidden {
                deployment,
                rule: failure::is_lack_of_right(&status, "patch").then(|| rule(name)),
                message: status.message,
            });
        }
        Ok(Err(kube::Error::Api(status))) => format!("{} ({})", status.message, status.code),
        Ok(Err(error)) => crate::recorder::chain(&error),
        Err(_) => format!("no answer within {} s", TIMEOUT.as_secs()),
    };
    Err(ScaleError::Failed {
        deployment,
        problem,
    })
}

/// The rule that allows it.
fn rule(name: &str) -> String {
    let (group, plural) = (Deployment::GROUP, Deployment::URL_PATH_SEGMENT);
    format!(
        "apiGroups: [{group}], resources: [{plural}/scale], verbs: [patch], resourceNames: [{name}]"
    )
}

/// Waits until nobody is seen to renew the Lease `name`, for `within` at least; an error if somebody
/// still does, or if it could not be read even then. `told` is given each reason to wait on.
pub async fn until_free(
    client: &Client,
    namespace: &str,
    name: &str,
    within: Duration,
    mut told: impl FnMut(&LeaseError),
) -> Result<(), LeaseError> {
    let begun = Instant::now();
    loop {
        let Err(error) = is_free(client.clone(), namespace, name).await else {
            return Ok(());
        };
        // A right that lacks does not come by waiting.
        if error.is_forbidden() || begun.elapsed() >= within {
            return Err(error);
        }
        told(&error);
        // One that is held was looked at for a while.
        if !matches!(error, LeaseError::Held { .. }) {
            sleep(RETRY).await;
        }
    }
}

#[cfg(test)]
mod tests;
