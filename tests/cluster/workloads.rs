//! What a test does to the workloads of its stage.

use serde_json::Value;

use super::api::{Cascade, eventually};
use super::objects::{deployment, with_containers};
use super::stage::Stage;

impl Stage {
    /// Creates a Deployment with a container `app`.
    pub(crate) async fn deploy(&self, name: &str, image: &str) {
        self.create(&deployment(&self.ns, name, &[("app", image)]))
            .await;
    }

    /// Gives the container `app` of a Deployment another image.
    pub(crate) async fn roll(&self, name: &str, image: &str) {
        let change = with_containers(&[("app", image)]);
        self.patch("Deployment", name, &change).await;
    }

    /// Waits until a container of a Deployment runs with this image.
    pub(crate) async fn started(&self, name: &str, image: &str) {
        self.pods_are(&format!("{name}-deployment"), image, "running")
            .await;
    }

    /// Deletes a Deployment and waits until it and its pods are gone.
    pub(crate) async fn remove(&self, name: &str) {
        self.api
            .delete("Deployment", &self.ns, name, Cascade::Foreground)
            .await;
        eventually(&format!("{name} is gone"), async || {
            let found = self.api.get("Deployment", &self.ns, name).await;
            found.is_none()
        })
        .await;
    }

    /// Creates an object and gives it as stored.
    pub(crate) async fn create(&self, object: &Value) -> Value {
        self.api.create(object).await
    }

    /// Deletes a workload.
    pub(crate) async fn delete(&self, kind: &str, name: &str) {
        self.api
            .delete(kind, &self.ns, name, Cascade::Background)
            .await;
    }

    /// Changes a workload.
    pub(crate) async fn patch(&self, kind: &str, name: &str, patch: &Value) {
        self.api.patch(kind, &self.ns, name, patch).await;
    }

    /// Waits until each container of this workload's pods is in that state (`running`,
    /// `waiting`), at this image.
    pub(crate) async fn pods_are(&self, app: &str, image: &str, state: &str) {
        eventually(&format!("{app} {state} at {image}"), async || {
            let pods = self.api.list("Pod", &self.ns).await;
            let pods = pods
                .iter()
                .filter(|pod| pod["metadata"]["labels"]["app"] == app);
            let mut statuses = pods.flat_map(|pod| {
                pod["status"]["containerStatuses"]
                    .as_array()
                    .into_iter()
                    .flatten()
            });
            statuses.any(|it| it["image"] == image && !it["state"][state].is_null())
        })
        .await;
    }
}
