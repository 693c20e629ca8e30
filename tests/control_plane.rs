//! The control plane that other tests stand on does what they take for granted.

#[path = "support/control_plane.rs"]
mod control_plane;

use std::path::Path;
use std::process::Command;

use control_plane::{ControlPlane, Options};

const TIMEOUT: &str = "--timeout=60s";

#[test]
fn a_deployment_rolls_out_and_is_deleted_with_all_it_owns() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("rolls-out");
    let ns = ["-n", &namespace];
    let create = [
        "create",
        "deployment",
        "web",
        "--image=acme/web:1.0",
        "--replicas=3",
    ];
    plane.kubectl(&[&ns[..], &create].concat());
    plane.kubectl(&[&ns[..], &["rollout", "status", "deployment/web", TIMEOUT]].concat());
    let image = "-o=jsonpath={.items[*].status.containerStatuses[*].imageID}";
    let images = plane.kubectl(&[&ns[..], &["get", "pods", image]].concat());
    assert_eq!(
        images.matches("docker.io/acme/web@sha256:").count(),
        3,
        "{images}"
    );

    let delete = [
        "delete",
        "deployment/web",
        "--cascade=foreground",
        "--wait",
        TIMEOUT,
    ];
    plane.kubectl(&[&ns[..], &delete].concat());
    assert_eq!(
        plane.kubectl(&[&ns[..], &["get", "pods", "-o=name"]].concat()),
        ""
    );
}

#[test]
fn a_pod_misbehaves_when_its_annotation_asks_for_it_and_only_so_long() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("misbehaves");
    let ns = ["-n", &namespace];
    plane.kubectl(&[&ns[..], &["run", "web", "--image=acme/web:1.0"]].concat());
    for (annotation, ready) in [
        ("kwok.example/x=y", "true"),
        ("kwok.example/crashes=web", "false"),
        ("kwok.example/crashes-", "true"),
    ] {
        plane.kubectl(&[&ns[..], &["annotate", "pod/web", annotation]].concat());
        let condition = format!("--for=condition=Ready={ready}");
        plane.kubectl(&[&ns[..], &["wait", "pod/web", &condition, TIMEOUT]].concat());
    }
}

#[test]
fn a_stopped_api_server_comes_back_with_everything_at_its_old_address() {
    let plane = ControlPlane::start(Options::default());
    plane.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: kept, namespace: default}}");
    plane.stop_component("kube-apiserver");
    assert!(
        !plane
            .try_kubectl(&["get", "configmap", "kept"])
            .status
            .success()
    );
    plane.start_component("kube-apiserver");
    plane.kubectl(&["get", "configmap", "kept"]);
    let audit = std::fs::read_to_string(plane.audit_log()).expect("there is an audit log");
    assert!(
        audit.contains("/api/v1/namespaces/default/configmaps/kept"),
        "{audit}"
    );
}

#[test]
fn a_user_may_do_what_was_granted_and_no_more() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("rights");
    let kubeconfig = plane.user("reader");
    let may = |verb: &str| {
        let question = [
            "auth",
            "can-i",
            verb,
            "pods",
            "-n",
            &namespace,
            "--as=reader",
        ];
        plane.try_kubectl(&question).status.success()
    };
    assert!(!may("list"));
    plane.apply(&format!(
        "
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: reader, namespace: {namespace}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}}
subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: reader}}]
"
    ));
    assert!(may("list") && !may("delete"));
    let text = std::fs::read_to_string(&kubeconfig).expect("there is a kubeconfig");
    let mine = plane.kubeconfig();
    assert_ne!(
        text,
        std::fs::read_to_string(&mine).expect("there is a kubeconfig")
    );
    let whoami = ["auth", "whoami", "-o=jsonpath={.status.userInfo.username}"];
    let as_reader = format!("--kubeconfig={}", kubeconfig.display());
    assert_eq!(
        plane.kubectl(&[&whoami[..], &[&as_reader]].concat()),
        "reader"
    );
}

#[test]
fn a_control_plane_ends_with_the_process_that_it_was_started_for() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("orphan");
    let mut parent = Command::new("sleep")
        .arg("600")
        .spawn()
        .expect("sleep starts");
    let launcher = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/control-plane");
    let id = parent.id().to_string();
    let up = Command::new(launcher)
        .arg("up")
        .arg(&dir)
        .args(["--parent", &id])
        .status();
    assert!(up.expect("the launcher starts").success());
    assert!(dir.join("pids/etcd.pid").exists());

    parent.kill().expect("it can be killed");
    parent.wait().expect("it is gone");
    let ended = (0..600).any(|_| {
        let waited = Command::new("sleep")
            .arg("0.1")
            .status()
            .expect("sleep starts");
        waited.success() && !dir.join("pids/etcd.pid").exists()
    });
    assert!(ended, "etcd still runs a minute after its parent ended");
    std::fs::remove_dir_all(&dir).expect("nothing of it is in use");
}
