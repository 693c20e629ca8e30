//! Workloads as people write them, and the digest that kwok gives an image.

use aws_lc_rs::digest::{SHA256, digest as hash};
use serde_json::{Value, json};

/// The digest that an image runs with here: of its name as written.
pub(crate) fn digest(image: &str) -> String {
    let hash = hash(&SHA256, image.as_bytes());
    let hex: String = hash.as_ref().iter().map(|b| format!("{b:02x}")).collect();
    format!("sha256:{hex}")
}

/// Containers by name and image.
pub(crate) fn containers(named: &[(&str, &str)]) -> Value {
    let container = |(name, image): &(&str, &str)| json!({"name": name, "image": image});
    named.iter().map(container).collect()
}

/// A workload of one replica; its pods are replaced, not overlapped, so that nothing waits for
/// room.
pub(crate) fn workload(kind: &str, ns: &str, name: &str, named: &[(&str, &str)]) -> Value {
    let labels = json!({"app": format!("{name}-{}", kind.to_lowercase())});
    let mut spec = json!({
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {"containers": containers(named), "terminationGracePeriodSeconds": 0},
        },
    });
    match kind {
        "Deployment" => spec["replicas"] = json!(1),
        "StatefulSet" => {
            spec["replicas"] = json!(1);
            spec["serviceName"] = json!(name);
        }
        "DaemonSet" => {}
        _ => panic!("no workload is made of a {kind}"),
    }
    json!({
        "apiVersion": "apps/v1", "kind": kind,
        "metadata": {"namespace": ns, "name": name, "labels": labels}, "spec": spec,
    })
}

/// A Deployment of one replica.
pub(crate) fn deployment(ns: &str, name: &str, named: &[(&str, &str)]) -> Value {
    workload("Deployment", ns, name, named)
}

/// The change of a workload's containers.
pub(crate) fn with_containers(named: &[(&str, &str)]) -> Value {
    json!({"spec": {"template": {"spec": {"containers": containers(named)}}}})
}

/// The change of an object's own annotations; null removes one.
pub(crate) fn annotations(them: &Value) -> Value {
    json!({"metadata": {"annotations": them}})
}

/// A CronJob whose next run is far away.
pub(crate) fn cron_job(ns: &str, name: &str, named: &[(&str, &str)]) -> Value {
    json!({
        "apiVersion": "batch/v1", "kind": "CronJob",
        "metadata": {"namespace": ns, "name": name},
        "spec": {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": job_spec(named)}},
    })
}

/// A run of a CronJob, as its controller makes one.
pub(crate) fn job_of(cron_job: &Value, name: &str) -> Value {
    let owner = json!([{
        "apiVersion": "batch/v1", "kind": "CronJob", "controller": true,
        "name": cron_job["metadata"]["name"], "uid": cron_job["metadata"]["uid"],
    }]);
    json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {
            "namespace": cron_job["metadata"]["namespace"], "name": name, "ownerReferences": owner,
        },
        "spec": cron_job["spec"]["jobTemplate"]["spec"],
    })
}

fn job_spec(named: &[(&str, &str)]) -> Value {
    json!({"template": {"spec": {"restartPolicy": "Never", "containers": containers(named)}}})
}
