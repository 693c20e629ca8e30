//! Clusters of which the test writes every object itself, as controllers and kubelets would: many
//! records, lists that expire, and an API server that goes away (promises 2, 5, 6 and 7).

use deployment_recorder::sandbox::Status;
use futures::StreamExt;
use serde_json::Value;

use super::api::Cascade;
use super::objects::{pod_of, running, workload};
use super::proxy::{Expired, Proxy};
use super::stage::Stage;
use crate::control_plane::{ControlPlane, Options};

/// StatefulSets, and containers of each.
const SETS: usize = 250;
const CONTAINERS: usize = 10;

/// Writes a StatefulSet with a pod in which everything runs.
async fn write(stage: &Stage, set: &Value) {
    let set = stage.create(set).await;
    let pod = stage.create(&pod_of(&set)).await;
    let name = pod["metadata"]["name"].as_str().unwrap();
    stage
        .api
        .patch_status(&stage.ns, name, &running(&pod))
        .await;
}

fn set(ns: &str, name: &str, containers: usize) -> Value {
    let named = |index: usize| (format!("c{index}"), format!("acme/{name}-{index}:1"));
    let named: Vec<(String, String)> = (0..containers).map(named).collect();
    let named: Vec<(&str, &str)> = named.iter().map(|(a, b)| (&**a, &**b)).collect();
    workload("StatefulSet", ns, name, &named)
}

/// Deletes a StatefulSet and its pod, which nobody else does here.
async fn delete(stage: &Stage, name: &str) {
    let pod = format!("{name}-0");
    stage
        .api
        .delete("Pod", &stage.ns, &pod, Cascade::Background)
        .await;
    stage.delete("StatefulSet", name).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_and_a_half_thousand_records_are_told_once_although_lists_expire_half_way() {
    let plane = ControlPlane::start(Options::default());
    let mut stage = Stage::in_cluster(&plane, "many").await;
    stage.look_at_the_whole_cluster();
    let proxy = Proxy::start(&stage.kubeconfig).await;
    stage.set("kubeconfig", proxy.kubeconfig().to_str().unwrap());
    let sets: Vec<Value> = (0..SETS)
        .map(|index| set(&stage.ns, &format!("s{index}"), CONTAINERS))
        .collect();
    futures::stream::iter(&sets)
        .for_each_concurrent(16, |set| write(&stage, set))
        .await;

    proxy.expire(Expired::NextPage, "pods");
    proxy.expire(Expired::NextPage, "statefulsets");
    stage.begin().await;
    let all = SETS * CONTAINERS;
    stage
        .until("all of them", |github| github.records().len() == all)
        .await;
    assert_eq!(proxy.left(), 0, "both lists expired");
    let sizes = |stage: &Stage| -> Vec<usize> {
        let bodies = stage.requests().into_iter().map(|it| it.body.unwrap());
        bodies
            .map(|body| body["deployments"].as_array().unwrap().len())
            .collect()
    };
    let first = sizes(&stage);
    assert_eq!((first.len(), first.iter().sum()), (3, all), "{first:?}");

    // Pods are listed anew, and that list expires half way too; meanwhile one workload goes.
    proxy.expire(Expired::NextPage, "pods");
    proxy.expire(Expired::Watch, "pods");
    proxy.end_watches();
    delete(&stage, "s7").await;
    let ended = |github: &deployment_recorder::sandbox::Sandbox| {
        let records = github.records().into_iter();
        records
            .filter(|it| it.status == Status::Decommissioned)
            .count()
    };
    stage
        .until("its ten records end", |github| ended(github) == CONTAINERS)
        .await;
    assert_eq!(proxy.left(), 0, "the watch and the list expired");
    assert_eq!(sizes(&stage)[first.len()..], [CONTAINERS]);
    for index in 0..CONTAINERS {
        let record = stage.record("s7", &format!("c{index}")).unwrap();
        assert_eq!(record.status, Status::Decommissioned);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_api_server_that_goes_away_is_waited_for_and_nothing_ends_by_that() {
    let plane = ControlPlane::start(Options::default());
    let mut stage = Stage::in_cluster(&plane, "restarted").await;
    for name in ["goes", "stays"] {
        write(&stage, &set(&stage.ns, name, 1)).await;
    }
    stage.begin().await;
    stage.runs("goes", "c0", "acme/goes-0:1").await;
    stage.runs("stays", "c0", "acme/stays-0:1").await;

    plane.stop_component("kube-apiserver");
    stage
        .recorder()
        .says("a mirror is interrupted", |event| event["kind"] == "Pod")
        .await;
    plane.start_component("kube-apiserver");
    delete(&stage, "goes").await;
    write(&stage, &set(&stage.ns, "comes", 1)).await;
    stage.ends("goes", "c0").await;
    stage.runs("comes", "c0", "acme/comes-0:1").await;
    assert!(stage.recorder().runs());
    assert!(stage.never_ended("stays", "c0"));
}
