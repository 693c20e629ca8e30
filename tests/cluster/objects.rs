//! Workloads as people write them, and the digest that kwok gives an image.

use std::fmt::Write;

use aws_lc_rs::digest::{SHA256, digest as hash};
use serde_json::{Value, json};

/// The digest that an image runs with here: of its name as written.
pub(crate) fn digest(image: &str) -> String {
    let mut digest = "sha256:".to_owned();
    for byte in hash(&SHA256, image.as_bytes()).as_ref() {
        let _ = write!(digest, "{byte:02x}");
    }
    digest
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

/// A pod as the controller of this StatefulSet makes it.
pub(crate) fn pod_of(owner: &Value) -> Value {
    let meta = &owner["metadata"];
    let name = meta["name"].as_str().expect("a name");
    let reference = json!([{
        "apiVersion": "apps/v1", "kind": "StatefulSet", "controller": true,
        "name": name, "uid": meta["uid"],
    }]);
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "namespace": meta["namespace"], "name": format!("{name}-0"),
            "ownerReferences": reference,
        },
        "spec": {"containers": owner["spec"]["template"]["spec"]["containers"]},
    })
}

/// The status that a kubelet gives a pod whose containers all run.
pub(crate) fn running(pod: &Value) -> Value {
    let containers = pod["spec"]["containers"].as_array().expect("containers");
    let status = |container: &Value| {
        let image = container["image"].as_str().expect("an image");
        let (name, hash) = (&container["name"], digest(image));
        let repository = image.rsplit_once(':').expect("a tag").0;
        json!({
            "name": name, "image": image, "imageID": format!("docker.io/{repository}@{hash}"),
            "containerID": format!("containerd://{hash}"), "ready": true, "started": true,
            "restartCount": 0, "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
        })
    };
    let statuses: Value = containers.iter().map(status).collect();
    let ready = json!([{"type": "Ready", "status": "True"}]);
    json!({"phase": "Running", "conditions": ready, "containerStatuses": statuses})
}
