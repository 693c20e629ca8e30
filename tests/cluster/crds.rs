//! Definitions of kinds that are not built in, of our own writing: group, kind, plural, scope, served
//! versions and subresources are those of the real ones, their schemas take anything. The order of
//! versions is that of their files, the last one is stored.

use std::sync::OnceLock;

use serde_json::{Value, json};

use super::api::{Api, eventually};
use crate::control_plane::{ControlPlane, Options};

/// Where definitions are.
pub(crate) const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// A cluster for these tests alone: a definition is everybody's, and a broken API slows down others.
pub(crate) fn plane() -> &'static ControlPlane {
    static PLANE: OnceLock<ControlPlane> = OnceLock::new();
    PLANE.get_or_init(|| ControlPlane::start(Options::ROLLS_OUT))
}

/// A kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crd {
    pub(crate) group: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) plural: &'static str,
    pub(crate) versions: &'static [&'static str],
    /// `subresources.scale`.
    pub(crate) scale: bool,
    /// `subresources.status`.
    pub(crate) status: bool,
}

/// <https://github.com/argoproj/argo-rollouts/blob/9f8d111d8f8e3e88b6d7f8bbdf62fd3cd863ef9d/manifests/crds/rollout-crd.yaml>
pub(crate) const ROLLOUT: Crd = Crd {
    group: "argoproj.io",
    kind: "Rollout",
    plural: "rollouts",
    versions: &["v1alpha1"],
    scale: true,
    status: true,
};

/// <https://github.com/argoproj/argo-workflows/blob/f016ad89eb269d282aec06dc491c29f396a38df4/manifests/base/crds/minimal/argoproj.io_workflows.yaml>
pub(crate) const WORKFLOW: Crd = Crd {
    kind: "Workflow",
    plural: "workflows",
    scale: false,
    status: false,
    ..ROLLOUT
};

/// <https://github.com/openkruise/kruise/blob/07169cfac7b9cf7800dda1b8652f850cc3184132/config/crd/bases/apps.kruise.io_clonesets.yaml>
pub(crate) const CLONE_SET: Crd = Crd {
    group: "apps.kruise.io",
    kind: "CloneSet",
    plural: "clonesets",
    versions: &["v1alpha1", "v1beta1"],
    scale: true,
    status: true,
};

/// <https://github.com/openkruise/kruise/blob/07169cfac7b9cf7800dda1b8652f850cc3184132/config/crd/bases/apps.kruise.io_statefulsets.yaml>
pub(crate) const KRUISE_STATEFUL_SET: Crd = Crd {
    kind: "StatefulSet",
    plural: "statefulsets",
    ..CLONE_SET
};

/// <https://github.com/openkruise/kruise/blob/07169cfac7b9cf7800dda1b8652f850cc3184132/config/crd/bases/apps.kruise.io_daemonsets.yaml>
pub(crate) const KRUISE_DAEMON_SET: Crd = Crd {
    kind: "DaemonSet",
    plural: "daemonsets",
    scale: false,
    ..CLONE_SET
};

/// <https://github.com/strimzi/strimzi-kafka-operator/blob/8541da1e336bdcda9647aeacfbc2048e57580a52/packaging/install/cluster-operator/042-Crd-strimzipodset.yaml>
pub(crate) const STRIMZI_POD_SET: Crd = Crd {
    group: "core.strimzi.io",
    kind: "StrimziPodSet",
    plural: "strimzipodsets",
    versions: &["v1"],
    scale: false,
    status: true,
};

/// <https://github.com/cloudnative-pg/cloudnative-pg/blob/a95a534dbe0854495b863bbc1b7651f74d310916/config/crd/bases/postgresql.cnpg.io_clusters.yaml>
pub(crate) const CNPG_CLUSTER: Crd = Crd {
    group: "postgresql.cnpg.io",
    kind: "Cluster",
    plural: "clusters",
    versions: &["v1"],
    scale: true,
    status: true,
};

/// At `OpenShift` an aggregated API serves it, which looks the same from here:
/// <https://docs.redhat.com/en/documentation/openshift_container_platform/4.17/html/workloads_apis/deploymentconfig-apps-openshift-io-v1>.
pub(crate) const DEPLOYMENT_CONFIG: Crd = Crd {
    group: "apps.openshift.io",
    kind: "DeploymentConfig",
    plural: "deploymentconfigs",
    versions: &["v1"],
    scale: true,
    status: true,
};

/// <https://github.com/tektoncd/pipeline/blob/3ee1745ae5b2d9175b11917d7c1935eaad44910c/config/300-crds/300-taskrun.yaml>
pub(crate) const TASK_RUN: Crd = Crd {
    group: "tekton.dev",
    kind: "TaskRun",
    plural: "taskruns",
    versions: &["v1beta1", "v1"],
    scale: false,
    status: true,
};

/// One of nobody's, of this group and name.
pub(crate) const fn own(group: &'static str, kind: &'static str, plural: &'static str) -> Crd {
    Crd {
        group,
        kind,
        plural,
        versions: &["v1beta1", "v1"],
        scale: false,
        status: true,
    }
}

impl Crd {
    /// The name of its definition.
    pub(crate) fn name(&self) -> String {
        format!("{}.{}", self.plural, self.group)
    }

    /// What its controller writes into owner references.
    pub(crate) fn api_version(&self) -> String {
        let stored = self.versions.last().expect("a version");
        format!("{}/{stored}", self.group)
    }

    /// Where its objects are.
    pub(crate) fn objects(&self) -> String {
        format!("/apis/{}/{}", self.api_version(), self.plural)
    }

    /// Its definition.
    pub(crate) fn definition(&self) -> Value {
        let mut subresources = json!({});
        if self.status {
            subresources["status"] = json!({});
        }
        if self.scale {
            subresources["scale"] = json!({
                "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas",
            });
        }
        let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        let last = self.versions.len() - 1;
        let versions = self.versions.iter().enumerate().map(|(at, version)| {
            json!({
                "name": version, "served": true, "storage": at == last,
                "subresources": subresources, "schema": {"openAPIV3Schema": schema},
            })
        });
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": self.name()},
            "spec": {
                "group": self.group, "scope": "Namespaced",
                "names": {"kind": self.kind, "plural": self.plural},
                "versions": versions.collect::<Value>(),
            },
        })
    }

    /// Defines it, unless another test has, and waits until it is served.
    pub(crate) async fn define(&self, api: &Api) {
        api.create_if_missing(DEFINITIONS, &self.definition()).await;
        self.is_served(api, true).await;
    }

    /// Deletes its definition, and all objects of it.
    pub(crate) async fn remove(&self, api: &Api) {
        api.delete(
            DEFINITIONS,
            "",
            &self.name(),
            super::api::Cascade::Background,
        )
        .await;
        self.is_served(api, false).await;
    }

    /// Waits until it is served, or no longer.
    pub(crate) async fn is_served(&self, api: &Api, served: bool) {
        let objects = self.objects();
        eventually(&format!("{objects} served: {served}"), async || {
            api.answers(&objects).await == served
        })
        .await;
    }

    /// An object of it with this annotation of ours, as a person writes it.
    pub(crate) fn object(&self, ns: &str, name: &str, team: &str) -> Value {
        json!({
            "apiVersion": self.api_version(), "kind": self.kind,
            "metadata": {
                "namespace": ns, "name": name,
                "annotations": {"metadata.github.com/team": team},
            },
            "spec": {},
        })
    }
}
