//! `explain` against a real API server: by the running controller, through the API server's own proxy and
//! at its URL, and from the cluster and the stored ledger where nobody runs or may be asked.

use std::net::UdpSocket;

use serde_json::{Value, json};

use super::objects::{annotations, digest};
use super::program::{Ended, Program};
use super::stage::Stage;

/// An address of this machine at which the API server reaches the recorder: it passes nothing on to its
/// own loopback. Nothing is sent to find it.
fn own_address() -> String {
    let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
    socket.connect("192.0.2.1:9").expect("a network");
    socket.local_addr().expect("an address").ip().to_string()
}

/// The port at which the recorder serves its status.
fn port(recorder: &Program) -> u16 {
    let served = recorder.events("serving health, metrics and status");
    let address = served[0]["address"].as_str().expect("an address");
    let (_, port) = address.rsplit_once(':').expect("a port");
    port.parse().expect("a number")
}

impl Stage {
    /// Has the recorder run in a pod: as an object only, whose address leads to the process.
    async fn begin_in_pod(&mut self) {
        let name = format!("{}-one", self.ns);
        self.set("listen", "0.0.0.0:0");
        self.grant().await;
        let recorder = Program::start_in_pod(&name, &self.arguments("run"), &name);
        recorder.says("lease acquired", |_| true).await;
        let port = port(&recorder);
        self.recorder = Some(recorder);
        let ledger = self.ledger();
        self.api
            .wait_for("ServiceAccount", &ledger, "default")
            .await;
        let ports = json!([{"name": "http", "containerPort": port}]);
        let container = json!({"name": "recorder", "image": "recorder", "ports": ports});
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": ledger},
            "spec": {"schedulerName": "nobody", "containers": [container]},
        });
        self.api.create(&pod).await;
        let ip = own_address();
        let status = json!({"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}]});
        self.api.patch_status(&ledger, &name, &status).await;
    }

    /// The right to ask pods in the ledger's namespace.
    async fn may_ask_pods(&self) {
        let rules =
            json!([{"apiGroups": [""], "resources": ["pods", "pods/proxy"], "verbs": ["get"]}]);
        let group = "rbac.authorization.k8s.io";
        let metadata = json!({"name": "asks-pods", "namespace": self.ledger()});
        let role = json!({
            "apiVersion": format!("{group}/v1"), "kind": "Role", "metadata": metadata, "rules": rules,
        });
        let binding = json!({
            "apiVersion": format!("{group}/v1"), "kind": "RoleBinding", "metadata": metadata,
            "roleRef": {"apiGroup": group, "kind": "Role", "name": "asks-pods"},
            "subjects": self.subjects(),
        });
        self.api.create(&role).await;
        self.api.create(&binding).await;
        let asked = json!({
            "verb": "get", "resource": "pods", "subresource": "proxy", "namespace": self.ledger(),
        });
        self.api.wait_for_right(&self.user, true, &asked).await;
    }

    async fn explain(&self, name: &str, more: &[&str]) -> Ended {
        let flags = [&[&*self.ns, name], more].concat();
        self.run("explain", &flags).await
    }

    /// The explanation as JSON.
    async fn explained(&self, name: &str, more: &[&str]) -> Value {
        let ended = self.explain(name, &[more, &["-o", "json"]].concat()).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{ended:?}"))
    }
}

/// What is said of the one container of the one workload.
fn container(shown: &Value) -> &Value {
    let workloads = shown["workloads"].as_array().unwrap();
    assert_eq!(workloads.len(), 1, "{shown}");
    &workloads[0]["containers"][0]
}

/// A pod's name and a record's lead to the same; what nothing has is told with what is near.
async fn names_lead_to_it(stage: &Stage) {
    let pods = stage.api.list("Pod", &stage.ns).await;
    let pod = pods[0]["metadata"]["name"].as_str().unwrap();
    for (name, what) in [(pod, "pod"), ("explained-web-app", "record")] {
        let shown = stage.explained(name, &[]).await;
        assert_eq!(
            shown["workloads"][0]["found_by"],
            json!({"what": what, "name": name})
        );
    }
    let ended = stage.explain("wep", &[]).await;
    let missing =
        "error: no workload, pod or record wep in namespace explained; there is Deployment/web\n";
    assert_eq!((ended.code, &*ended.said), (Some(1), missing), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_running_controller_is_found_by_its_lease_and_asked_through_the_api_server() {
    let mut stage = Stage::new("explained").await;
    stage.deploy("web", "acme/web:1").await;
    let marks = annotations(&json!({"metadata.github.com/team": "shop"}));
    stage.patch("Deployment", "web", &marks).await;
    stage.begin_in_pod().await;
    stage.runs("web", "app", "acme/web:1").await;
    let cycles = stage.recorder().cycles();
    stage
        .recorder()
        .cycles_after(cycles.saturating_sub(1))
        .await;

    // Without the right it is worked out here, and said so, with the rule that is missing.
    let ended = stage.explain("web", &[]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let rule = "resources: [pods/proxy], verbs: [get]";
    assert!(ended.said.contains(rule), "{ended:?}");
    assert!(
        ended
            .out
            .starts_with("Worked out here from namespace explained"),
        "{ended:?}"
    );
    let ended = stage.explain("web", &["--via=controller"]).await;
    assert!(
        ended.code == Some(1) && ended.said.contains(rule),
        "{ended:?}"
    );

    stage.may_ask_pods().await;
    let pod = format!("pod {}/{}-one", stage.ledger(), stage.ns);
    let ended = stage.explain("deploy/web", &[]).await;
    assert_eq!((ended.code, &*ended.said), (Some(0), ""), "{ended:?}");
    let told = format!(
        "Told by the controller {pod}, {}",
        env!("CARGO_PKG_VERSION")
    );
    assert!(ended.out.starts_with(&told), "{ended:?}");
    assert!(
        ended.out.contains("\nDeployment explained/web\n"),
        "{ended:?}"
    );
    let tag = "team=shop: metadata.github.com/team of Deployment web";
    assert!(ended.out.contains(tag), "{ended:?}");

    let shown = stage.explained("web", &[]).await;
    assert_eq!(shown["from"]["way"], "controller");
    let it = container(&shown);
    assert_eq!(it["row"]["name"], "known");
    assert_eq!(it["speaker"]["digest"]["digest"], digest("acme/web:1"));
    let record = &it["records"][0];
    assert_eq!(
        (&record["state"], &record["wanted"]),
        (&"deployed".into(), &record["held"])
    );

    names_lead_to_it(&stage).await;

    at_its_url_nothing_of_the_cluster_is_asked(&mut stage).await;
    stage.stop().await;
}

async fn at_its_url_nothing_of_the_cluster_is_asked(stage: &mut Stage) {
    let url = format!(
        "--admin-url=http://{}:{}",
        own_address(),
        port(stage.recorder())
    );
    stage.set("kubeconfig", "/nowhere");
    let shown = stage.explained("web", &[&url]).await;
    assert_eq!(shown["from"]["way"], "controller");
    assert_eq!(container(&shown)["row"]["name"], "known");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn without_a_controller_cluster_and_ledger_explain_and_nothing_is_written() {
    let mut stage = Stage::new("worked-out").await;
    stage.deploy("web", "acme/web:1").await;
    stage.begin().await;
    stage.runs("web", "app", "acme/web:1").await;

    // A process of this machine is no pod.
    let ended = stage.explain("web", &[]).await;
    let why = "The controller is not asked: process ";
    assert!(
        ended.code == Some(0) && ended.said.starts_with(why),
        "{ended:?}"
    );
    stage.stop().await;
    let ledger = stage.ledger();
    let before = stage.api.list("ConfigMap", &ledger).await;
    let ended = stage.explain("web", &[]).await;
    assert!(
        ended
            .said
            .contains("nobody holds the Lease worked-out-ledger/deployment-recorder"),
        "{ended:?}"
    );

    let shown = stage.explained("web", &["--via=cluster"]).await;
    assert_eq!(shown["from"]["way"], "cluster");
    let it = container(&shown);
    assert_eq!(
        (&it["row"]["name"], &it["record_name"]["from"]),
        (&"known".into(), &"ledger".into())
    );
    assert_eq!(it["records"][0]["held"]["digest"], digest("acme/web:1"));
    stage.remove("web").await;
    let shown = stage.explained("web", &["--via=cluster"]).await;
    let it = container(&shown);
    assert_eq!(
        (&it["standing"], &it["row"]["name"]),
        (&"no-workload".into(), &"workload-gone".into())
    );
    assert_eq!(it["records"][0]["state"], "decommissioning");
    assert_eq!(
        stage.api.list("ConfigMap", &ledger).await,
        before,
        "it only reads"
    );

    // Whoever may not read the ledger is told so, and what runs all the same.
    stage.deploy("api", "acme/api:1").await;
    stage.started("api", "acme/api:1").await;
    stage.set("ledger-namespace", "kube-public");
    let ended = stage.explain("api", &["--via=cluster"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended
            .said
            .starts_with("The ledger is left out, as if GitHub held nothing: "),
        "{ended:?}"
    );
    assert!(
        ended
            .out
            .contains("Because     new: it runs and was never recorded (row 11)"),
        "{ended:?}"
    );
}
