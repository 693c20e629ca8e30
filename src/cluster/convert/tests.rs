//! Tests of the conversion: odd shapes, what they mean, and digests that stay true.

use serde_json::{Value, json};

use super::*;
use crate::cluster::labels::LabelSelector;
use crate::model::facts::State;
use crate::model::image::Digest;

mod runtimes;

const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn converter() -> Converter {
    Converter::new(Scope::default())
}

fn slim(pod: &Value) -> SlimPod {
    serde_json::from_value(pod.clone()).unwrap()
}

fn convert(pod: &Value) -> Arc<Pod> {
    converter().pod(&slim(pod), None).unwrap().pod
}

fn pod() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": "web-1", "namespace": "shop", "uid": "u1", "resourceVersion": "7",
            "creationTimestamp": "2026-01-02T03:04:05Z",
            "ownerReferences": [
                {"apiVersion": "v1", "kind": "ConfigMap", "name": "other", "uid": "o"},
                {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "r", "controller": true}
            ],
            "annotations": {"metadata.github.com/team": "a", "other": "b"},
            "managedFields": [{"manager": "x", "fieldsV1": {"f:a": {}}}]
        },
        "spec": {
            "restartPolicy": "Always",
            "containers": [{"name": "main", "image": "nginx:1", "env": [{"name": "A", "value": "b"}]}]
        },
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [status("main", "containerd://1", &json!({"running": {}}))]
        }
    })
}

fn status(name: &str, container_id: &str, state: &Value) -> Value {
    json!({
        "name": name, "state": state, "lastState": {}, "restartCount": 0,
        "imageID": format!("docker.io/library/nginx@{DIGEST}"), "containerID": container_id
    })
}

fn with(mut pod: Value, pointer: &str, value: Value) -> Value {
    *pod.pointer_mut(pointer).unwrap() = value;
    pod
}

#[test]
fn an_ordinary_pod_is_read_whole() {
    let pod = convert(&pod());
    assert_eq!(
        (&*pod.namespace, &*pod.name, &*pod.uid),
        ("shop", "web-1", "u1")
    );
    assert_eq!(pod.created, 1_767_323_045);
    assert!(pod.ready && pod.restarts_always && pod.selected && !pod.deleting && !pod.finished);
    let controller = pod.controller.as_ref().unwrap();
    assert_eq!(
        (&controller.kind, &*controller.name),
        (&Kind::ReplicaSet, "web")
    );
    assert_eq!(
        pod.annotations
            .iter()
            .map(|(k, v)| (&**k, &**v))
            .collect::<Vec<_>>(),
        [("team", "a")]
    );
    assert_eq!(
        (&*pod.containers[0].name, &*pod.containers[0].image),
        ("main", "nginx:1")
    );
    assert_eq!(pod.containers[0].state, State::Running);
}

#[test]
fn an_odd_field_is_read_as_absent_and_the_rest_stays() {
    for (pointer, odd) in [
        ("/status", json!("x")),
        ("/status/conditions", json!({"type": "Ready"})),
        ("/status/conditions/0", json!(7)),
        ("/status/containerStatuses", json!(null)),
        ("/status/containerStatuses/0/state", json!([])),
        ("/status/containerStatuses/0/imageID", json!({})),
        ("/metadata/annotations", json!(["a"])),
        (
            "/metadata/annotations/metadata.github.com~1team",
            json!(true),
        ),
        ("/metadata/ownerReferences", json!("x")),
        ("/metadata/ownerReferences/1/controller", json!("true")),
        ("/metadata/creationTimestamp", json!("yesterday")),
        ("/spec/containers/0/image", json!(null)),
        ("/spec/containers/0/env", json!(7)),
        ("/spec/restartPolicy", json!(1)),
    ] {
        let read = convert(&with(pod(), pointer, odd.clone()));
        assert_eq!(
            (&*read.name, read.containers.len()),
            ("web-1", 1),
            "{pointer} {odd}"
        );
    }
}

#[test]
fn a_pod_without_a_name_or_readable_containers_is_not_read_at_all() {
    for (pointer, odd) in [
        ("/metadata", json!(null)),
        ("/metadata/name", json!(7)),
        ("/metadata/namespace", json!(null)),
        ("/metadata/uid", json!({})),
        ("/spec", json!("x")),
        ("/spec/containers", json!({})),
        ("/spec/containers", json!([])),
        ("/spec/containers/0", json!("main")),
        ("/spec/containers/0/name", json!(null)),
    ] {
        let odd_pod = with(pod(), pointer, odd.clone());
        assert!(
            converter().pod(&slim(&odd_pod), None).is_none(),
            "{pointer} {odd}"
        );
    }
    assert!(converter().pod(&slim(&json!("no object")), None).is_none());
}

#[test]
fn native_sidecars_count_and_other_init_and_ephemeral_containers_do_not() {
    let mut pod = pod();
    pod["spec"]["initContainers"] = json!([
        {"name": "migrate", "image": "tool"},
        {"name": "once", "image": "tool", "restartPolicy": "Never"},
        {"name": "proxy", "image": "envoy", "restartPolicy": "Always"}
    ]);
    pod["spec"]["ephemeralContainers"] = json!([{"name": "debug", "image": "busybox"}]);
    pod["status"]["initContainerStatuses"] =
        json!([status("proxy", "containerd://2", &json!({"running": {}}))]);
    let pod = convert(&pod);
    let names: Vec<(&str, State)> = pod
        .containers
        .iter()
        .map(|container| (&*container.name, container.state))
        .collect();
    assert_eq!(names, [("main", State::Running), ("proxy", State::Running)]);
}

#[test]
fn how_far_a_container_got_is_read_from_its_present_and_last_state() {
    let ended = json!({"terminated": {"exitCode": 0}});
    let waiting = json!({"waiting": {"reason": "CrashLoopBackOff"}});
    for (state, last, restarts, expected) in [
        (json!({"running": {}}), json!({}), 0, State::Running),
        (
            json!({"running": {"startedAt": "x"}}),
            ended.clone(),
            3,
            State::Running,
        ),
        (ended.clone(), json!({}), 0, State::Ran),
        (waiting.clone(), ended, 1, State::Ran),
        (waiting.clone(), json!({}), 1, State::Ran),
        (waiting, json!({}), 0, State::NeverRan),
        (json!({}), json!({}), 0, State::NeverRan),
        (json!(null), json!(null), 0, State::NeverRan),
    ] {
        let mut status = status("main", "containerd://1", &state);
        status["lastState"] = last.clone();
        status["restartCount"] = json!(restarts);
        let pod = convert(&with(pod(), "/status/containerStatuses", json!([status])));
        assert_eq!(
            pod.containers[0].state, expected,
            "{state} {last} {restarts}"
        );
    }
    let no_status = convert(&with(pod(), "/status/containerStatuses", json!([])));
    assert_eq!(no_status.containers[0].state, State::NeverRan);
}

#[test]
fn phase_and_deletion_are_read() {
    for (phase, finished) in [
        ("Succeeded", true),
        ("Failed", true),
        ("Running", false),
        ("", false),
    ] {
        assert_eq!(
            convert(&with(pod(), "/status/phase", json!(phase))).finished,
            finished,
            "{phase}"
        );
    }
    let mut deleting = pod();
    deleting["metadata"]["deletionTimestamp"] = json!("2026-01-02T03:04:05Z");
    assert!(convert(&deleting).deleting);
}

#[test]
fn a_digest_seen_stays_for_the_same_container_of_the_same_pod_only() {
    let converter = converter();
    let good = slim(&pod());
    let bare = |container_id: &str, uid: &str| {
        let pod = with(
            pod(),
            "/status/containerStatuses/0/imageID",
            json!("sha256:bbbb"),
        );
        let pod = with(
            pod,
            "/status/containerStatuses/0/containerID",
            json!(container_id),
        );
        slim(&with(pod, "/metadata/uid", json!(uid)))
    };
    let digest = |kept: &KeptPod| kept.pod.containers[0].digest;
    let first = converter.pod(&good, None).unwrap();
    assert_eq!(digest(&first), Digest::parse(DIGEST));
    assert!(digest(&first).is_some());
    let same = converter
        .pod(&bare("containerd://1", "u1"), Some(&first))
        .unwrap();
    assert_eq!(digest(&same), digest(&first), "the same container");
    let again = converter
        .pod(&bare("containerd://1", "u1"), Some(&same))
        .unwrap();
    assert_eq!(
        digest(&again),
        digest(&first),
        "the same container, once more"
    );
    let restarting = converter.pod(&bare("", "u1"), Some(&again)).unwrap();
    let back = converter
        .pod(&bare("containerd://1", "u1"), Some(&restarting))
        .unwrap();
    assert_eq!(
        digest(&back),
        digest(&first),
        "the same container, named again"
    );
    let other = converter
        .pod(&bare("containerd://2", "u1"), Some(&first))
        .unwrap();
    assert_eq!(digest(&other), None, "another container");
    let reborn = converter
        .pod(&bare("containerd://1", "u2"), Some(&first))
        .unwrap();
    assert_eq!(digest(&reborn), None, "another pod");
    let unknown = converter.pod(&bare("containerd://1", "u1"), None).unwrap();
    assert_eq!(digest(&unknown), None, "nothing seen");
}

const IMAGE: &str = "/spec/containers/0/image";
const CONTAINER: &str = "/status/containerStatuses/0";

/// The image and the digest of the first container, as the pod is read after each of `steps`, the
/// image that its spec has and the container with it.
fn read_in_turn(steps: &[(&str, Value)]) -> Vec<(String, Option<Digest>)> {
    let (converter, mut kept) = (converter(), None);
    let read = steps.iter().map(|(image, status)| {
        let pod = with(with(pod(), IMAGE, json!(image)), CONTAINER, status.clone());
        let now = converter.pod(&slim(&pod), kept.as_ref()).unwrap();
        let container = now.pod.containers[0].clone();
        kept = Some(now);
        (container.image.to_string(), container.digest)
    });
    read.collect()
}

fn runs(id: &str, image: &str, image_id: &str) -> Value {
    json!({
        "name": "main", "state": {"running": {}}, "containerID": id,
        "image": image, "imageID": image_id,
    })
}

#[test]
fn an_image_changed_in_place_counts_when_its_container_has_started() {
    let other = format!("sha256:{}", "c".repeat(64));
    let pinned = format!("nginx@{other}");
    let old = runs(
        "c://1",
        "docker.io/library/nginx:1",
        &format!("nginx@{DIGEST}"),
    );
    let bare = runs("c://1", "docker.io/library/nginx:1", "sha256:bbbb");
    let new = runs("c://2", "docker.io/library/nginx:2", &pinned);
    let none = json!({"name": "main", "state": {"waiting": {}}, "imageID": ""});
    let it = |image: &str, digest: &str| (image.to_owned(), Digest::parse(digest));
    for image in ["nginx:2", &pinned] {
        let steps = [
            ("nginx:1", old.clone()),
            (image, old.clone()),
            (image, new.clone()),
        ];
        let expected = [
            it("nginx:1", DIGEST),
            it("nginx:1", DIGEST),
            it(image, &other),
        ];
        assert_eq!(read_in_turn(&steps), expected, "{image}");
        // Nobody names the digest of what runs; it is not that of what is to come.
        let steps = [
            ("nginx:1", bare.clone()),
            (image, bare.clone()),
            (image, new.clone()),
        ];
        let expected = [it("nginx:1", ""), it("nginx:1", ""), it(image, &other)];
        assert_eq!(read_in_turn(&steps), expected, "{image}");
        // What could not be started is taken back.
        let steps = [
            ("nginx:1", old.clone()),
            (image, none.clone()),
            ("nginx:1", old.clone()),
        ];
        assert_eq!(read_in_turn(&steps)[2], it("nginx:1", DIGEST), "{image}");
    }
}

#[test]
fn an_image_that_was_seen_first_before_it_ran_and_taken_back_is_forgotten() {
    let other = format!("sha256:{}", "c".repeat(64));
    let a = format!("nginx@{DIGEST}");
    for (old, new) in [("nginx:1", "nginx:2"), (&*a, &*format!("nginx@{other}"))] {
        let status = runs("c://1", "docker.io/library/nginx:1", &a);
        let read = read_in_turn(&[(new, status.clone()), (old, status.clone())]);
        assert_eq!(read[1], (old.to_owned(), Digest::parse(DIGEST)), "{old}");
    }
    let latest = runs("c://1", "docker.io/library/nginx:latest", &a);
    let read = read_in_turn(&[("nginx:2", latest.clone()), ("nginx", latest)]);
    assert_eq!(read[1].0, "nginx");
}

#[test]
fn a_pod_that_says_the_same_is_not_built_anew() {
    let converter = converter();
    let first = converter.pod(&slim(&pod()), None).unwrap();
    let heartbeat = with(pod(), "/metadata/resourceVersion", json!("8"));
    let second = converter.pod(&slim(&heartbeat), Some(&first)).unwrap();
    assert!(Arc::ptr_eq(&first.pod, &second.pod));
}

#[test]
fn labels_select_workloads_and_namespaces_and_name_environments() {
    let converter = Converter::new(Scope {
        workload_labels: Some(LabelSelector::parse("app=web").unwrap()),
        namespace_labels: Some(LabelSelector::parse("team in (a, b)").unwrap()),
        logical_environment_label: Some("env".to_owned()),
        physical_environment_label: Some("region".to_owned()),
        ..Scope::default()
    });
    let meta = |labels: Value| -> SlimMeta {
        let meta = json!({"name": "n", "namespace": "n", "uid": "u", "labels": labels});
        serde_json::from_value(json!({ "metadata": meta })).unwrap()
    };
    let object = |labels| {
        converter
            .object(&Kind::Deployment, &meta(labels))
            .unwrap()
            .selected
    };
    assert!(object(json!({"app": "web"})));
    assert!(!object(json!({"app": "api"})));
    assert!(!object(json!("odd")));
    let namespace = converter
        .namespace(&meta(json!({"team": "b", "env": "stage", "region": ""})))
        .unwrap();
    assert!(namespace.selected);
    assert_eq!(namespace.logical_environment.as_deref(), Some("stage"));
    assert_eq!(
        namespace.physical_environment, None,
        "an empty label is no label"
    );
    assert!(!converter.namespace(&meta(json!(null))).unwrap().selected);
}

#[test]
fn the_kind_of_a_controller_is_told_by_group_and_kind() {
    for (api_version, kind, expected) in [
        ("apps/v1", "ReplicaSet", Kind::ReplicaSet),
        ("apps/v1beta2", "ReplicaSet", Kind::ReplicaSet),
        ("v1", "ReplicationController", Kind::ReplicationController),
        (
            "argoproj.io/v1alpha1",
            "Rollout",
            Kind::new("argoproj.io", "Rollout"),
        ),
        (
            "example.com/v1",
            "Deployment",
            Kind::new("example.com", "Deployment"),
        ),
        ("v1", "Node", Kind::new("", "Node")),
    ] {
        let pod = with(
            pod(),
            "/metadata/ownerReferences/1/apiVersion",
            json!(api_version),
        );
        let pod = with(pod, "/metadata/ownerReferences/1/kind", json!(kind));
        assert_eq!(convert(&pod).controller.as_ref().unwrap().kind, expected);
    }
}
