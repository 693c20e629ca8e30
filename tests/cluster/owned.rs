//! What the controllers of other kinds make, as they make it: names, labels and owner references. The
//! pods of those that own them themselves are made here; ReplicaSets, ReplicationControllers and Jobs
//! are the cluster's own to fill.

use serde_json::{Value, json};

use super::crds::Crd;
use super::objects::containers;

/// The reference of Kubernetes' own library, which Argo, `OpenKruise` and Tekton use:
/// <https://github.com/kubernetes/apimachinery/blob/v0.36.0/pkg/apis/meta/v1/controller_ref.go>.
/// Those of `OpenShift` and Strimzi are the same:
/// <https://github.com/openshift/library-go/blob/93ac9206ae34e602d6acf346826e3e99c22b1787/pkg/apps/appsutil/util.go#L80>,
/// <https://github.com/strimzi/strimzi-kafka-operator/blob/8541da1e336bdcda9647aeacfbc2048e57580a52/cluster-operator/src/main/java/io/strimzi/operator/cluster/model/ModelUtils.java#L229>.
pub(crate) fn owned_by(owner: &Value) -> Value {
    json!([{
        "apiVersion": owner["apiVersion"], "kind": owner["kind"],
        "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"],
        "controller": true, "blockOwnerDeletion": true,
    }])
}

fn name_of(owner: &Value) -> &str {
    owner["metadata"]["name"].as_str().expect("a name")
}

fn pod(owner: &Value, name: &str, labels: &Value, named: &[(&str, &str)]) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "namespace": owner["metadata"]["namespace"], "name": name, "labels": labels,
            "ownerReferences": owned_by(owner),
        },
        "spec": {"containers": containers(named), "terminationGracePeriodSeconds": 0},
    })
}

/// The ReplicaSet of a Rollout, named after it and the hash of its template:
/// <https://github.com/argoproj/argo-rollouts/blob/9f8d111d8f8e3e88b6d7f8bbdf62fd3cd863ef9d/rollout/sync.go#L152>.
pub(crate) fn replica_set(rollout: &Value, hash: &str, named: &[(&str, &str)]) -> Value {
    let name = name_of(rollout);
    let labels = json!({"app": name, "rollouts-pod-template-hash": hash});
    json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "namespace": rollout["metadata"]["namespace"], "name": format!("{name}-{hash}"),
            "labels": labels, "ownerReferences": owned_by(rollout),
            "annotations": {"rollout.argoproj.io/revision": "1"},
        },
        "spec": {
            "replicas": 1, "selector": {"matchLabels": labels},
            "template": template(&labels, named),
        },
    })
}

/// The ReplicationController of a `DeploymentConfig`:
/// <https://github.com/openshift/library-go/blob/93ac9206ae34e602d6acf346826e3e99c22b1787/pkg/apps/appsutil/util.go#L98>.
fn replication_controller(config: &Value, named: &[(&str, &str)]) -> Value {
    let name = name_of(config);
    let deployment = format!("{name}-1");
    let labels = json!({"deployment": deployment, "deploymentconfig": name});
    let of_config = json!({"openshift.io/deployment-config.name": name});
    json!({
        "apiVersion": "v1", "kind": "ReplicationController",
        "metadata": {
            "namespace": config["metadata"]["namespace"], "name": deployment,
            "labels": of_config, "annotations": of_config, "ownerReferences": owned_by(config),
        },
        "spec": {"replicas": 1, "selector": labels, "template": template(&labels, named)},
    })
}

fn template(labels: &Value, named: &[(&str, &str)]) -> Value {
    json!({
        "metadata": {"labels": labels},
        "spec": {"containers": containers(named), "terminationGracePeriodSeconds": 0},
    })
}

/// What the controller of this kind makes of an object of it, at first.
pub(crate) fn made_of(crd: &Crd, owner: &Value, named: &[(&str, &str)]) -> Value {
    let name = name_of(owner);
    match crd.kind {
        "Rollout" => replica_set(owner, "6d4f8b9c5d", named),
        "DeploymentConfig" => replication_controller(owner, named),
        // https://github.com/openkruise/kruise/blob/07169cfac7b9cf7800dda1b8652f850cc3184132/pkg/controller/cloneset/core/cloneset_core.go#L95
        "CloneSet" => {
            let labels = json!({
                "apps.kruise.io/cloneset-instance-id": "7kz5v",
                "controller-revision-hash": format!("{name}-5c8f7d9b6"),
                "pod-template-hash": "5c8f7d9b6",
            });
            pod(owner, &format!("{name}-7kz5v"), &labels, named)
        }
        // https://github.com/openkruise/kruise/blob/07169cfac7b9cf7800dda1b8652f850cc3184132/pkg/controller/statefulset/stateful_set_utils.go#L495
        "StatefulSet" => {
            let pod_name = format!("{name}-0");
            let labels = json!({
                "statefulset.kubernetes.io/pod-name": pod_name,
                "controller-revision-hash": format!("{name}-7b9d6c5f8"),
            });
            pod(owner, &pod_name, &labels, named)
        }
        // https://github.com/openkruise/kruise/blob/07169cfac7b9cf7800dda1b8652f850cc3184132/pkg/controller/daemonset/daemonset_controller.go#L764
        "DaemonSet" => {
            let labels =
                json!({"controller-revision-hash": "84b7d5f6c", "pod-template-generation": "1"});
            pod(owner, &format!("{name}-x2v9q"), &labels, named)
        }
        // https://github.com/strimzi/strimzi-kafka-operator/blob/8541da1e336bdcda9647aeacfbc2048e57580a52/cluster-operator/src/main/java/io/strimzi/operator/cluster/operator/assembly/StrimziPodSetController.java#L372
        "StrimziPodSet" => {
            let pod_name = format!("{name}-0");
            let labels = json!({
                "strimzi.io/pod-name": pod_name, "strimzi.io/controller": "strimzipodset",
                "strimzi.io/controller-name": name,
            });
            pod(owner, &pod_name, &labels, named)
        }
        // https://github.com/cloudnative-pg/cloudnative-pg/blob/a95a534dbe0854495b863bbc1b7651f74d310916/pkg/specs/pods.go#L550
        "Cluster" => {
            let pod_name = format!("{name}-1");
            let labels = json!({
                "cnpg.io/cluster": name, "cnpg.io/instanceName": pod_name,
                "cnpg.io/podRole": "instance",
            });
            let mut made = pod(owner, &pod_name, &labels, named);
            // https://github.com/cloudnative-pg/cloudnative-pg/blob/a95a534dbe0854495b863bbc1b7651f74d310916/pkg/utils/ownership.go#L26
            let reference = made["metadata"]["ownerReferences"][0].as_object_mut();
            reference.expect("a reference").remove("blockOwnerDeletion");
            made
        }
        // https://github.com/tektoncd/pipeline/blob/3ee1745ae5b2d9175b11917d7c1935eaad44910c/pkg/pod/pod.go#L524
        "TaskRun" => {
            let labels = json!({"tekton.dev/taskRun": name});
            once(pod(owner, &format!("{name}-pod"), &labels, named))
        }
        // https://github.com/argoproj/argo-workflows/blob/f016ad89eb269d282aec06dc491c29f396a38df4/workflow/controller/workflowpod.go#L479
        "Workflow" => {
            let labels = json!({"workflows.argoproj.io/workflow": name});
            once(pod(
                owner,
                &format!("{name}-main-2841263904"),
                &labels,
                named,
            ))
        }
        // One of nobody's.
        _ => pod(owner, &format!("{name}-0"), &json!({}), named),
    }
}

fn once(mut pod: Value) -> Value {
    pod["spec"]["restartPolicy"] = json!("Never");
    pod
}

/// A Job that sets up a further instance, and its name for the container:
/// <https://github.com/cloudnative-pg/cloudnative-pg/blob/a95a534dbe0854495b863bbc1b7651f74d310916/pkg/specs/jobs.go#L341>.
pub(crate) fn join_job(cluster: &Value, image: &str) -> Value {
    let name = name_of(cluster);
    json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {
            "namespace": cluster["metadata"]["namespace"], "name": format!("{name}-2-join"),
            "labels": {"cnpg.io/cluster": name, "cnpg.io/jobRole": "join"},
            "ownerReferences": owned_by(cluster),
        },
        "spec": {"template": {"spec": {
            "restartPolicy": "Never", "containers": containers(&[("join", image)]),
        }}},
    })
}

/// The pod that rolls out a `DeploymentConfig`: its owner is not its controller.
/// <https://github.com/openshift/openshift-controller-manager/blob/26d20feae8892f648f5b06ed3f5492fe6ffb4532/pkg/apps/deployer/deployer_controller.go#L382>
pub(crate) fn deployer_pod(controller: &Value, image: &str) -> Value {
    let mut made = once(pod(
        controller,
        &format!("{}-deploy", name_of(controller)),
        &json!({"openshift.io/deployer-pod-for.name": name_of(controller)}),
        &[("deployment", image)],
    ));
    let reference = made["metadata"]["ownerReferences"][0].as_object_mut();
    let reference = reference.expect("a reference");
    reference.remove("controller");
    reference.remove("blockOwnerDeletion");
    made
}
