//! Owners of kinds that are not built in (promises 1, 2 and 7): recorded with what they say, ended with
//! their end, and untouched by everything that only looks like it.

use std::time::Duration;

use deployment_recorder::sandbox::Status;
use serde_json::{Value, json};

use super::api::{Cascade, eventually};
use super::crds::{
    CLONE_SET, CNPG_CLUSTER, Crd, DEFINITIONS, DEPLOYMENT_CONFIG, KRUISE_DAEMON_SET,
    KRUISE_STATEFUL_SET, ROLLOUT, STRIMZI_POD_SET, TASK_RUN, WORKFLOW, own, plane,
};
use super::objects::{annotations, workload};
use super::owned::{deployer_pod, join_job, made_of, owned_by, replica_set};
use super::stage::Stage;

const API_SERVICES: &str = "/apis/apiregistration.k8s.io/v1/apiservices";

/// A stage in the cluster of these tests.
async fn stage(name: &str) -> Stage {
    let stage = Stage::in_cluster(plane(), name).await;
    stage.api.wait_for("ServiceAccount", name, "default").await;
    stage
}

impl Stage {
    /// Lets the recorder list and watch these kinds besides, in the whole cluster.
    pub(crate) async fn grant_owners(&self, crds: &[Crd]) {
        let rules = crds.iter().map(|crd| {
            json!({
                "apiGroups": [crd.group], "resources": [crd.plural], "verbs": ["list", "watch"],
            })
        });
        let rbac = "rbac.authorization.k8s.io";
        let name = format!("{}-owners", self.user);
        let role = json!({
            "apiVersion": format!("{rbac}/v1"), "kind": "ClusterRole",
            "metadata": {"name": name}, "rules": rules.collect::<Value>(),
        });
        self.create(&role).await;
        let binding = json!({
            "apiVersion": format!("{rbac}/v1"), "kind": "ClusterRoleBinding",
            "metadata": {"name": name}, "subjects": self.subjects(),
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": name},
        });
        self.create(&binding).await;
        for crd in crds {
            self.wait_for_right(true, crd.group, crd.plural, &self.ns)
                .await;
        }
    }

    /// Creates an object of this kind, and what its controller makes of it.
    pub(crate) async fn own(&self, crd: &Crd, name: &str, container: (&str, &str)) -> Value {
        let object = crd.object(&self.ns, name, "first");
        let owner = self.api.create_in(&crd.objects(), &object).await;
        self.create(&made_of(crd, &owner, &[container])).await;
        owner
    }

    /// Changes what the object says of its team.
    async fn team(&self, crd: &Crd, name: &str, team: &str) {
        let change = annotations(&json!({"metadata.github.com/team": team}));
        let path = crd.objects();
        self.api.patch(&path, &self.ns, name, &change).await;
    }

    /// Deletes the object; what it owns follows in its own time.
    async fn disown(&self, crd: &Crd, name: &str) {
        self.delete(&crd.objects(), name).await;
    }

    /// Waits until a container is recorded as of this team.
    async fn is_of_team(&self, workload: &str, container: &str, team: &str) {
        self.until(&format!("{workload}/{container} of {team}"), |_| {
            let record = self.record(workload, container);
            record.is_some_and(|it| it.tags.get("team").map(String::as_str) == Some(team))
        })
        .await;
    }

    /// Deletes the pods of this stage and waits until they are gone.
    async fn clear_pods(&self) {
        for pod in self.api.list("Pod", &self.ns).await {
            let name = pod["metadata"]["name"].as_str().unwrap();
            self.delete("Pod", name).await;
        }
        eventually("no pods", async || {
            self.api.list("Pod", &self.ns).await.is_empty()
        })
        .await;
    }

    /// Waits until the recorder has looked on for a while.
    async fn looks_on(&self) {
        for turn in 0..3 {
            let recorder = self.recorder.as_ref().unwrap();
            let done = recorder.cycles();
            let tag = json!({"metadata.github.com/looked": format!("{done}-{turn}")});
            let tag = annotations(&tag);
            self.api.patch("Namespace", "", &self.ns, &tag).await;
            recorder.cycles_after(done).await;
        }
    }

    /// The gaps of a container as `snapshot` shows them: reason and detail.
    async fn gaps(&self, workload: &str) -> Vec<(String, String)> {
        let ended = self.run("snapshot", &["--output=json"]).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let shown: Value = serde_json::from_str(&ended.out).unwrap();
        let rows = shown["sources"].as_array().unwrap().iter();
        let gaps = rows
            .filter(|row| row["workload"] == workload || row["name"] == workload)
            .flat_map(|row| row["gaps"].as_array().unwrap());
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        gaps.map(|gap| (text(&gap["reason"]), text(&gap["detail"])))
            .collect()
    }
}

/// An aggregated API that nobody serves.
async fn broken(stage: &Stage, group: &str, version: &str) -> String {
    let name = format!("{version}.{group}");
    let service = json!({"namespace": "default", "name": "nowhere", "port": 443});
    let object = json!({
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
        "metadata": {"name": name},
        "spec": {
            "group": group, "version": version, "groupPriorityMinimum": 100,
            "versionPriority": 10, "insecureSkipTLSVerify": true, "service": service,
        },
    });
    stage.api.create_if_missing(API_SERVICES, &object).await;
    eventually(&format!("{name} is known to be broken"), async || {
        let known = stage.api.get(API_SERVICES, "", &name).await.unwrap();
        let conditions = known["status"]["conditions"].as_array();
        let mut conditions = conditions.into_iter().flatten();
        conditions.any(|it| it["type"] == "Available" && it["status"] == "False")
    })
    .await;
    name
}

/// Owners of services: the one of two hyphens and more in its name is a Rollout.
pub(crate) const SERVICES: [(Crd, &str); 7] = [
    (ROLLOUT, "web-shop-api"),
    (CLONE_SET, "clones"),
    (KRUISE_STATEFUL_SET, "queue"),
    (KRUISE_DAEMON_SET, "agent"),
    (STRIMZI_POD_SET, "kafka-pool-a"),
    (CNPG_CLUSTER, "db"),
    (DEPLOYMENT_CONFIG, "frontend"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn promise_1_owners_of_any_kind_are_recorded_with_their_tags_and_end_with_their_end() {
    let mut stage = stage("owners").await;
    stage.look_at_the_whole_cluster();
    let crds = SERVICES.map(|(crd, _)| crd);
    for crd in &crds {
        crd.define(&stage.api).await;
    }
    stage.grant_owners(&crds).await;
    for (crd, name) in &SERVICES[..4] {
        stage.own(crd, name, ("app", "acme/web:1")).await;
    }
    stage.begin().await;
    // Some are there at the start, and some come later.
    for (crd, name) in &SERVICES[4..] {
        stage.own(crd, name, ("app", "acme/web:1")).await;
    }
    for (_, name) in &SERVICES {
        stage.runs(name, "app", "acme/web:1").await;
        let first = stage.history(name, "app").remove(0);
        assert_eq!(first.record.tags["team"], "first", "{name}");
    }
    for (crd, name) in &SERVICES {
        stage.team(crd, name, "second").await;
        stage.is_of_team(name, "app", "second").await;
    }
    for (crd, name) in &SERVICES {
        assert!(stage.never_ended(name, "app"), "{name}");
        stage.disown(crd, name).await;
        stage.ends(name, "app").await;
    }
    assert!(stage.deployed().is_empty());
}

/// Owners of pods that run to their end, and others that have such pods beside their own.
async fn services_and_one_shots(stage: &mut Stage) {
    stage
        .own(&TASK_RUN, "build", ("step-build", "acme/task:1"))
        .await;
    stage.own(&WORKFLOW, "etl", ("main", "acme/flow:1")).await;
    let db = stage
        .own(&CNPG_CLUSTER, "db", ("postgres", "acme/pg:17"))
        .await;
    stage.create(&join_job(&db, "acme/pg:16")).await;
    stage
        .own(&DEPLOYMENT_CONFIG, "web", ("app", "acme/web:1"))
        .await;
    let controller = stage
        .api
        .get("ReplicationController", &stage.ns, "web-1")
        .await;
    stage
        .create(&deployer_pod(&controller.unwrap(), "acme/deployer:1"))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_runs_to_its_end_counts_as_a_job_whoever_owns_it() {
    let mut stage = stage("runs-to-end").await;
    let crds = [TASK_RUN, WORKFLOW, CNPG_CLUSTER, DEPLOYMENT_CONFIG];
    for crd in &crds {
        crd.define(&stage.api).await;
    }
    stage.grant_owners(&crds).await;
    services_and_one_shots(&mut stage).await;
    stage.begin().await;
    stage.runs("db", "postgres", "acme/pg:17").await;
    stage.runs("web", "app", "acme/web:1").await;
    stage
        .patch(
            "ReplicationController",
            "web-1",
            &json!({"metadata": {"labels": {"a": "b"}}}),
        )
        .await;
    assert_eq!(stage.deployed().len(), 2, "no one-shot names by default");
    let found = stage.recorder().events("a kind is found");
    let kinds: Vec<&Value> = found.iter().map(|event| &event["kind"]).collect();
    assert!(
        !kinds.contains(&&json!("TaskRun.tekton.dev")),
        "nor a look at their kinds: {kinds:?}"
    );
    stage.stop().await;

    stage.set("add-kinds", "jobs");
    stage.start();
    for (workload, container, image) in [
        ("build", "step-build", "acme/task:1"),
        ("etl", "main", "acme/flow:1"),
        ("db", "join", "acme/pg:16"),
    ] {
        stage.runs(workload, container, image).await;
    }
    stage.is_of_team("etl", "main", "first").await;
    // At its end it is what ran last, until its object goes.
    let ends = annotations(&json!({"kwok.example/runs-for": "1s"}));
    stage.patch("Pod", "build-pod", &ends).await;
    eventually("the pod of the TaskRun has ended", async || {
        let pod = stage.api.get("Pod", &stage.ns, "build-pod").await.unwrap();
        pod["status"]["phase"] == "Succeeded"
    })
    .await;
    stage.team(&TASK_RUN, "build", "second").await;
    stage.is_of_team("build", "step-build", "second").await;
    assert!(stage.never_ended("build", "step-build"));
    stage.disown(&TASK_RUN, "build").await;
    stage.ends("build", "step-build").await;
    assert!(stage.never_ended("db", "postgres"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn promise_2_an_owner_that_may_not_be_read_is_recorded_with_what_its_pods_say_and_never_ended()
 {
    let mut stage = stage("owner-forbidden").await;
    stage.set("interval", "5s");
    ROLLOUT.define(&stage.api).await;
    stage.own(&ROLLOUT, "web", ("app", "acme/web:1")).await;
    stage.begin().await;
    // A refusal is believed when it is repeated after a minute.
    stage
        .recorder()
        .says("a mirror is forbidden", |event| {
            event["kind"] == "Rollout.argoproj.io"
        })
        .await;
    assert_eq!(stage.history("web", "app").len(), 0);
    tokio::time::sleep(Duration::from_mins(1)).await;
    stage.runs("web", "app", "acme/web:1").await;
    assert_eq!(stage.record("web", "app").unwrap().tags.len(), 0);
    let rule = "may not list and watch rollouts in argoproj.io".to_owned();
    let gap = ("owner-unreadable".to_owned(), rule.clone());
    assert_eq!(stage.gaps("web").await, [gap]);
    let checked = stage.run("check", &[]).await;
    assert_eq!(checked.code, Some(0), "{checked:?}");
    assert!(checked.out.contains(&rule), "{}", checked.out);

    // Its pods are all that is seen of it: without them nothing is known.
    stage
        .patch(
            "ReplicaSet",
            "web-6d4f8b9c5d",
            &json!({"spec": {"replicas": 0}}),
        )
        .await;
    eventually("no pods", async || {
        stage.api.list("Pod", &stage.ns).await.is_empty()
    })
    .await;
    stage.looks_on().await;
    stage.disown(&ROLLOUT, "web").await;
    stage.looks_on().await;
    assert!(stage.never_ended("web", "app"));
    stage.grant_owners(&[ROLLOUT]).await;
    stage.ends("web", "app").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_owner_that_opts_out_is_never_recorded_however_late_its_kind_is_seen() {
    let mut stage = stage("owner-opts-out").await;
    CLONE_SET.define(&stage.api).await;
    stage.grant_owners(&[CLONE_SET]).await;
    stage.begin().await;
    stage.deploy("seen", "acme/seen:1").await;
    stage.runs("seen", "app", "acme/seen:1").await;
    let mut object = CLONE_SET.object(&stage.ns, "web", "first");
    object["metadata"]["annotations"]["metadata.github.com/ignore"] = json!("true");
    let owner = stage.api.create_in(&CLONE_SET.objects(), &object).await;
    stage
        .create(&made_of(&CLONE_SET, &owner, &[("app", "acme/web:1")]))
        .await;
    let recorder = stage.recorder();
    recorder
        .says("a mirror is synced", |event| {
            event["kind"] == "CloneSet.apps.kruise.io"
        })
        .await;
    stage.deploy("later", "acme/later:1").await;
    stage.runs("later", "app", "acme/later:1").await;
    assert_eq!(stage.history("web", "app").len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn roles_in_one_namespace_are_enough_for_owners_there() {
    let mut stage = stage("owner-roles").await;
    ROLLOUT.define(&stage.api).await;
    stage.grant_namespaced().await;
    let rbac = "rbac.authorization.k8s.io";
    let metadata = json!({"name": "owners", "namespace": stage.ns});
    let rule = json!({
        "apiGroups": [ROLLOUT.group], "resources": [ROLLOUT.plural], "verbs": ["list", "watch"],
    });
    for object in [
        json!({
            "apiVersion": format!("{rbac}/v1"), "kind": "Role", "metadata": metadata,
            "rules": [rule],
        }),
        json!({
            "apiVersion": format!("{rbac}/v1"), "kind": "RoleBinding", "metadata": metadata,
            "subjects": stage.subjects(),
            "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "owners"},
        }),
    ] {
        stage.create(&object).await;
    }
    stage
        .wait_for_right(true, ROLLOUT.group, ROLLOUT.plural, &stage.ns)
        .await;
    stage.own(&ROLLOUT, "web", ("app", "acme/web:1")).await;
    stage.start();
    stage.is_of_team("web", "app", "first").await;
    stage.disown(&ROLLOUT, "web").await;
    stage.ends("web", "app").await;
    assert!(stage.recorder().events("a mirror is forbidden").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn promise_2_kinds_of_one_name_and_two_groups_are_never_taken_for_each_other() {
    let mut stage = stage("two-groups").await;
    KRUISE_STATEFUL_SET.define(&stage.api).await;
    stage.grant_owners(&[KRUISE_STATEFUL_SET]).await;
    let core = workload("StatefulSet", &stage.ns, "web", &[("core", "acme/core:1")]);
    stage.create(&core).await;
    let owner = KRUISE_STATEFUL_SET.object(&stage.ns, "web", "first");
    let owner = stage
        .api
        .create_in(&KRUISE_STATEFUL_SET.objects(), &owner)
        .await;
    let mut pod = made_of(&KRUISE_STATEFUL_SET, &owner, &[("kruise", "acme/kruise:1")]);
    // Both controllers would call it web-0.
    pod["metadata"]["name"] = json!("web-0-kruise");
    stage.create(&pod).await;
    stage.begin().await;
    stage.runs("web", "core", "acme/core:1").await;
    stage.runs("web", "kruise", "acme/kruise:1").await;
    let tags = |container| stage.record("web", container).unwrap().tags.len();
    assert_eq!((tags("core"), tags("kruise")), (0, 1));
    stage.disown(&KRUISE_STATEFUL_SET, "web").await;
    stage.ends("web", "kruise").await;
    assert!(stage.never_ended("web", "core"));
    let owner = stage
        .own(&KRUISE_STATEFUL_SET, "api", ("kruise", "acme/kruise:1"))
        .await;
    assert_eq!(owned_by(&owner)[0]["apiVersion"], "apps.kruise.io/v1beta1");
    stage.runs("api", "kruise", "acme/kruise:1").await;
    stage.delete("StatefulSet", "web").await;
    stage.ends("web", "core").await;
    assert!(stage.never_ended("api", "kruise"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn promise_7_a_definition_may_go_and_come_again_and_its_owners_are_followed() {
    let mut stage = stage("definition-goes").await;
    let thing = own("goes.example.io", "Thing", "things");
    thing.define(&stage.api).await;
    stage.grant_owners(&[thing]).await;
    stage.own(&thing, "web", ("app", "acme/web:1")).await;
    stage.begin().await;
    stage.is_of_team("web", "app", "first").await;
    thing.remove(&stage.api).await;
    stage.ends("web", "app").await;
    let absent = |event: &Value| event["kind"] == "Thing.goes.example.io";
    stage
        .recorder()
        .says("the API server has no such kind", absent)
        .await;

    stage.clear_pods().await;
    thing.define(&stage.api).await;
    stage.own(&thing, "web", ("app", "acme/web:2")).await;
    stage.runs("web", "app", "acme/web:2").await;
    stage.team(&thing, "web", "second").await;
    stage.is_of_team("web", "app", "second").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_definition_that_comes_after_the_pods_is_found_and_they_are_recorded_then() {
    let mut stage = stage("definition-comes").await;
    let thing = own("comes.example.io", "Thing", "things");
    stage.grant_owners(&[thing]).await;
    let mut nobody = thing.object(&stage.ns, "web", "first");
    nobody["metadata"]["uid"] = json!("00000000-0000-0000-0000-000000000000");
    stage
        .create(&made_of(&thing, &nobody, &[("app", "acme/web:1")]))
        .await;
    stage.begin().await;
    let absent = |event: &Value| event["kind"] == "Thing.comes.example.io";
    stage
        .recorder()
        .says("the API server has no such kind", absent)
        .await;
    stage.deploy("seen", "acme/seen:1").await;
    stage.runs("seen", "app", "acme/seen:1").await;
    assert_eq!(stage.record("web", "app"), None);

    thing.define(&stage.api).await;
    let owner = thing.object(&stage.ns, "web", "first");
    let owner = stage.api.create_in(&thing.objects(), &owner).await;
    let adopted = json!({"metadata": {"ownerReferences": owned_by(&owner)}});
    stage.patch("Pod", "web-0", &adopted).await;
    stage.is_of_team("web", "app", "first").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn promise_2_a_version_that_is_no_longer_served_ends_nothing_and_another_is_followed() {
    let mut stage = stage("version-goes").await;
    let thing = own("versions.example.io", "Thing", "things");
    thing.define(&stage.api).await;
    stage.grant_owners(&[thing]).await;
    stage.own(&thing, "web", ("app", "acme/web:1")).await;
    stage.begin().await;
    stage.is_of_team("web", "app", "first").await;
    let found = |version: &'static str| move |event: &Value| event["version"] == version;
    let is_found = "a kind is found";
    stage
        .recorder()
        .says(is_found, found("versions.example.io/v1"))
        .await;

    let mut definition = thing.definition();
    definition["spec"]["versions"][1]["served"] = json!(false);
    let versions = json!({"spec": {"versions": definition["spec"]["versions"]}});
    stage
        .api
        .patch(DEFINITIONS, "", &thing.name(), &versions)
        .await;
    stage
        .recorder()
        .says(is_found, found("versions.example.io/v1beta1"))
        .await;
    let change = annotations(&json!({"metadata.github.com/team": "second"}));
    let path = "/apis/versions.example.io/v1beta1/things";
    stage.api.patch(path, &stage.ns, "web", &change).await;
    stage.is_of_team("web", "app", "second").await;
    assert!(stage.never_ended("web", "app"));
    stage.delete(path, "web").await;
    stage.ends("web", "app").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn promise_2_an_aggregated_api_that_is_broken_decides_nothing_about_its_group_or_another() {
    let mut stage = stage("aggregated").await;
    stage.set("interval", "5s");
    let thing = own("partly.example.io", "Thing", "things");
    let other = own("partly.example.io", "Other", "others");
    for crd in [thing, other] {
        crd.define(&stage.api).await;
    }
    stage.grant_owners(&[thing, other]).await;
    let elsewhere = broken(&stage, "broken.example.io", "v1").await;
    stage.own(&thing, "web", ("app", "acme/web:1")).await;
    stage.own(&other, "api", ("app", "acme/api:1")).await;
    stage.begin().await;
    stage.is_of_team("web", "app", "first").await;
    stage.is_of_team("api", "app", "first").await;
    stage.stop().await;

    // Whether the broken version has the kind that the others have no longer is not known.
    let here = broken(&stage, "partly.example.io", "v9").await;
    other.remove(&stage.api).await;
    stage.start();
    let asked = "a mirror is interrupted";
    let of_other = |event: &Value| event["kind"] == "Other.partly.example.io";
    stage.recorder().says(asked, of_other).await;
    stage.looks_on().await;
    stage.team(&thing, "web", "second").await;
    stage.is_of_team("web", "app", "second").await;
    assert!(stage.never_ended("api", "app"));
    stage
        .api
        .delete(API_SERVICES, "", &here, Cascade::Background)
        .await;
    stage.ends("api", "app").await;
    assert!(stage.never_ended("web", "app"));
    stage
        .api
        .delete(API_SERVICES, "", &elsewhere, Cascade::Background)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn promise_3_a_kind_that_only_the_ledger_names_is_looked_at_after_a_restart() {
    let mut stage = stage("only-ledger").await;
    stage.set("interval", "5s");
    ROLLOUT.define(&stage.api).await;
    stage.grant_owners(&[ROLLOUT]).await;
    for name in ["goes", "stays"] {
        stage.own(&ROLLOUT, name, ("app", "acme/web:1")).await;
    }
    stage.begin().await;
    for name in ["goes", "stays"] {
        stage.runs(name, "app", "acme/web:1").await;
        let none = json!({"spec": {"replicas": 0}});
        stage
            .patch("ReplicaSet", &format!("{name}-6d4f8b9c5d"), &none)
            .await;
    }
    eventually("no pods", async || {
        stage.api.list("Pod", &stage.ns).await.is_empty()
    })
    .await;
    stage.stop().await;
    stage.disown(&ROLLOUT, "goes").await;
    stage.start();
    stage.ends("goes", "app").await;
    stage.looks_on().await;
    assert!(
        stage.never_ended("stays", "app"),
        "it has no pod and is there"
    );

    // A rollout to another template is another ReplicaSet.
    let owner = stage
        .api
        .get(&ROLLOUT.objects(), &stage.ns, "stays")
        .await
        .unwrap();
    stage
        .create(&replica_set(&owner, "7f9d8c6b5", &[("app", "acme/web:2")]))
        .await;
    stage.runs("stays", "app", "acme/web:2").await;
    let record = stage.record("stays", "app").unwrap();
    assert_eq!(record.status, Status::Deployed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_an_owner_leaves_behind_when_it_is_deleted_alone_is_no_longer_recorded() {
    let mut stage = stage("orphaned").await;
    ROLLOUT.define(&stage.api).await;
    stage.grant_owners(&[ROLLOUT]).await;
    stage.own(&ROLLOUT, "web", ("app", "acme/web:1")).await;
    stage.begin().await;
    stage.runs("web", "app", "acme/web:1").await;
    let path = ROLLOUT.objects();
    stage
        .api
        .delete(&path, &stage.ns, "web", Cascade::Orphan)
        .await;
    stage.ends("web", "app").await;
    let left = "web-6d4f8b9c5d";
    eventually("the ReplicaSet is nobody's", async || {
        let set = stage.api.get("ReplicaSet", &stage.ns, left).await.unwrap();
        set["metadata"]["ownerReferences"].is_null()
    })
    .await;
    stage.runs(left, "app", "acme/web:1").await;
}
