//! The runtime risk that is found out, by real Services and Ingresses and by the Gateway API (promise 2).

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::api::Cascade;
use super::gateways::{self, gateway, route};
use super::grants::deployed;
use super::objects::{annotations, pod_of, running, workload};
use super::proxy::Proxy;
use super::stage::Stage;
use crate::control_plane::{ControlPlane, Options};

const ALL: &str = "loadbalancer,ingress,gateway,nodeport";

const EXPOSED: [&str; 1] = ["internet-exposed"];

/// The rules that `docs/risks.md` asks for.
pub(crate) fn rules() -> Vec<Value> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/risks.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let begin = page.split_once("```yaml\n").expect("the rules").1;
    let rules = begin.split_once("```").expect("their end").0;
    serde_saphyr::from_str(rules).expect("they are YAML")
}

/// Lets the recorder read what leads traffic in, but for these resources.
pub(crate) async fn grant_links(stage: &Stage, but: &[&str]) {
    let mut all = deployed("ClusterRole")["rules"].clone();
    let list = all.as_array_mut().expect("rules");
    for mut rule in rules() {
        let resources = rule["resources"].as_array_mut().expect("resources");
        resources.retain(|it| !but.contains(&it.as_str().expect("a name")));
        if !resources.is_empty() {
            list.push(rule);
        }
    }
    let change = json!({"rules": all});
    stage
        .api
        .patch("ClusterRole", "", &stage.user, &change)
        .await;
    let may = !but.contains(&"services");
    stage.wait_for_right(may, "", "services", "").await;
}

/// Waits until the record of `web` has these risks.
async fn has(stage: &Stage, risks: &[&str]) {
    stage
        .until(&format!("risks {risks:?}"), |_| {
            let record = stage.record("web", "app");
            record.is_some_and(|it| it.runtime_risks == risks)
        })
        .await;
}

/// A Service of the Deployment `web`, as people write one.
fn service(ns: &str, kind: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"namespace": ns, "name": "web"},
        "spec": {
            "type": kind, "selector": {"app": "web-deployment"},
            "ports": [{"name": "http", "port": 80, "targetPort": 8080}]
        }
    })
}

/// As in <https://kubernetes.io/docs/concepts/services-networking/ingress/#the-ingress-resource>.
fn ingress(ns: &str) -> Value {
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"namespace": ns, "name": "minimal-ingress"},
        "spec": {
            "ingressClassName": "nginx-example",
            "rules": [{"http": {"paths": [{
                "path": "/", "pathType": "Prefix",
                "backend": {"service": {"name": "web", "port": {"number": 80}}}
            }]}}]
        }
    })
}

async fn remove(stage: &Stage, kind: &str, name: &str) {
    stage
        .api
        .delete(kind, &stage.ns, name, Cascade::Background)
        .await;
}

/// Attaches a route, as its controller does.
async fn attach(stage: &Stage, route: &Value, accepted: bool) {
    let kind = route["kind"].as_str().unwrap();
    let status = gateways::status(route, accepted);
    stage
        .api
        .patch_status_of(kind, &stage.ns, "web", &status)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn each_way_exposes_a_workload_and_it_is_exposed_no_longer_when_the_object_goes() {
    let mut stage = Stage::new("exposed").await;
    gateways::install(&stage.api).await;
    stage.look_at_the_whole_cluster();
    stage.set("infer-risks", ALL);
    stage.deploy("web", "acme/web:1").await;
    stage.grant().await;
    grant_links(&stage, &[]).await;
    stage.start();
    let ns = stage.ns.clone();
    has(&stage, &[]).await;

    for kind in ["LoadBalancer", "NodePort"] {
        stage.create(&service(&ns, kind)).await;
        has(&stage, &EXPOSED).await;
        remove(&stage, "Service", "web").await;
        has(&stage, &[]).await;
    }

    stage.create(&service(&ns, "LoadBalancer")).await;
    has(&stage, &EXPOSED).await;
    let key = "networking.gke.io/load-balancer-type";
    let internal = annotations(&json!({key: "Internal"}));
    stage.api.patch("Service", &ns, "web", &internal).await;
    has(&stage, &[]).await;
    let ranges = json!({"spec": {"loadBalancerSourceRanges": ["10.0.0.0/8"]}});
    stage
        .api
        .patch("Service", &ns, "web", &annotations(&json!({key: null})))
        .await;
    has(&stage, &EXPOSED).await;
    stage.api.patch("Service", &ns, "web", &ranges).await;
    has(&stage, &[]).await;
    remove(&stage, "Service", "web").await;

    stage.create(&service(&ns, "ClusterIP")).await;
    stage.create(&ingress(&ns)).await;
    has(&stage, &EXPOSED).await;
    remove(&stage, "Ingress", "minimal-ingress").await;
    has(&stage, &[]).await;

    // The Gateway is everybody's, in another namespace.
    stage.create(&gateway(&stage.ledger(), "eg")).await;
    for kind in ["HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"] {
        let route = stage.create(&route(kind, &ns, &stage.ledger())).await;
        attach(&stage, &route, true).await;
        has(&stage, &EXPOSED).await;
        attach(&stage, &route, false).await;
        has(&stage, &[]).await;
        remove(&stage, kind, "web").await;
    }
    assert!(stage.never_ended("web", "app"));
    assert!(stage.recorder().events("a mirror is forbidden").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_risk_stays_while_services_may_not_be_read_and_goes_when_they_may_again() {
    let mut stage = Stage::new("unexposed").await;
    // A 403 shows only when a watch is begun anew.
    let proxy = Proxy::start(&stage.kubeconfig).await;
    stage.set("kubeconfig", proxy.kubeconfig().to_str().unwrap());
    stage.look_at_the_whole_cluster();
    stage.set("infer-risks", "loadbalancer");
    stage.deploy("web", "acme/web:1").await;
    let ns = stage.ns.clone();
    stage.create(&service(&ns, "LoadBalancer")).await;
    stage.grant().await;
    grant_links(&stage, &[]).await;
    stage.start();
    has(&stage, &EXPOSED).await;

    grant_links(&stage, &["services"]).await;
    proxy.end_watches();
    let forbidden = |event: &Value| event["kind"] == "Service";
    stage
        .recorder()
        .says("a mirror is forbidden", forbidden)
        .await;
    remove(&stage, "Service", "web").await;
    // Something else of the record changes, and that goes out.
    let tag = annotations(&json!({"metadata.github.com/looked": "again"}));
    stage.patch("Deployment", "web", &tag).await;
    stage
        .until("the tag", |_| {
            let record = stage.record("web", "app");
            record.is_some_and(|it| it.tags.contains_key("looked"))
        })
        .await;
    let told = stage.history("web", "app");
    let risks = told
        .iter()
        .skip_while(|it| it.record.runtime_risks.is_empty());
    assert!(risks.clone().count() > 1);
    for change in risks {
        assert_eq!(change.record.runtime_risks, EXPOSED, "{change:?}");
    }
    let snapshot = stage.run("snapshot", &["--output=json"]).await;
    assert!(snapshot.out.contains("exposure-unknown"), "{snapshot:?}");

    grant_links(&stage, &[]).await;
    has(&stage, &[]).await;
    assert!(stage.never_ended("web", "app"));
}

/// Nothing here makes pods of workloads: the test writes them.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_gateway_api_may_be_absent_at_the_start_and_come_and_go_while_it_runs() {
    let plane = ControlPlane::start(Options::default());
    let mut stage = Stage::in_cluster(&plane, "gateways").await;
    stage.look_at_the_whole_cluster();
    stage.set("infer-risks", "gateway");
    let ns = stage.ns.clone();
    let set = workload("StatefulSet", &ns, "web", &[("app", "acme/web:1")]);
    let set = stage.create(&set).await;
    let mut pod = pod_of(&set);
    pod["metadata"]["labels"] = json!({"app": "web-deployment"});
    let pod = stage.create(&pod).await;
    stage.api.patch_status(&ns, "web-0", &running(&pod)).await;
    stage.create(&service(&ns, "ClusterIP")).await;
    stage.grant().await;
    grant_links(&stage, &[]).await;
    stage.start();
    has(&stage, &[]).await;
    let seen = |event: &Value| event["kind"] == "HTTPRoute.gateway.networking.k8s.io";
    stage.recorder().says("a mirror is synced", seen).await;

    gateways::install(&stage.api).await;
    stage.create(&gateway(&ns, "eg")).await;
    let attached = stage.create(&route("HTTPRoute", &ns, &ns)).await;
    attach(&stage, &attached, true).await;
    // It is looked for once a minute.
    let begun = Instant::now();
    has(&stage, &EXPOSED).await;
    assert!(begun.elapsed() < Duration::from_secs(80));

    gateways::remove(&stage.api).await;
    has(&stage, &[]).await;
    // And nothing breaks by that.
    sleep(Duration::from_secs(2)).await;
    let health = stage.recorder().events("a mirror is synced");
    let again = health.iter().filter(|event| seen(event)).count();
    assert!(again >= 2, "it is known that there are none: {health:?}");
    assert!(stage.never_ended("web", "app"));
}
