//! Owners of a kind that is not built in whose pods are of several sorts: servers and jobs, or jobs with
//! different parts.

use std::sync::Arc;

use crate::model::facts::{Object, Pod, State, View};
use crate::model::fixtures::{SHOP, Scene, container, minutes, names, object, pod, source_of};
use crate::model::plan::Row;
use crate::model::selection::KindGroup;
use crate::model::workload::Kind;

use super::is_quiet;

const PROXY: &str = "istio/proxyv2:1";

fn cluster() -> Kind {
    Kind::new("postgresql.cnpg.io", "Cluster")
}

/// An operator's cluster `db`, which is read.
fn with_cluster() -> (Scene, Object) {
    let mut scene = Scene::new();
    let owner = object(cluster(), SHOP, "db");
    scene.facts.objects.push(Arc::new(owner.clone()));
    scene.read(&cluster());
    (scene, owner)
}

/// The same with a server that has a sidecar, both of which GitHub holds.
fn with_server_and_sidecar() -> (Scene, Object) {
    let (mut scene, owner) = with_cluster();
    let server = [
        container("postgres", "postgres:17", 1),
        container("proxy", PROXY, 2),
    ];
    scene.add_pod(pod("db-1", server).under(&owner));
    scene.cycle();
    (scene, owner)
}

/// Neither servers nor jobs of such owners are asked for.
fn leave_out_both_sorts(scene: &mut Scene) {
    let is_of_others = |group: &KindGroup| matches!(group, KindGroup::Others | KindGroup::Jobs);
    scene.policy.selection.kinds.retain(|it| !is_of_others(it));
}

/// A job's pod of it, by a Job that is called as the operator likes.
fn job(scene: &mut Scene, owner: &Object, name: &str, pod: Pod) {
    let job = object(Kind::Job, SHOP, name).under(owner);
    scene.facts.objects.push(Arc::new(job.clone()));
    scene.add_pod(pod.once().under(&job));
}

#[test]
fn an_operators_cluster_with_servers_and_a_job_is_judged_container_by_container() {
    let (mut scene, owner) = with_cluster();
    let server = pod("db-1", [container("postgres", "postgres:17", 1)]).under(&owner);
    scene.add_pod(server);
    scene.cycle();
    let join = pod("db-2-join-x", [container("join", "postgres:17", 1)]).created(9);
    job(&mut scene, &owner, "db-2-join", join);
    let plan = scene.plan();
    assert_eq!(
        names(&plan.unchanged),
        ["shop-db-postgres"],
        "a newer job speaks not for servers"
    );
    assert!(is_quiet(&plan));
    assert_eq!(
        plan.not_selected.values().sum::<usize>(),
        1,
        "its own container is one of a job"
    );
    // Hibernated: the servers are gone, a job's pod still stands there.
    scene.facts.pods.remove(0);
    let plan = scene.plan();
    assert_eq!(names(&plan.retained), ["shop-db-postgres"]);
    scene.policy.selection.kinds.push(KindGroup::Jobs);
    assert_eq!(names(&scene.plan().reports), ["shop-db-join"]);
}

#[test]
fn promise_2_a_sidecar_that_a_job_has_too_is_the_servers_while_they_are_away() {
    let (mut scene, owner) = with_server_and_sidecar();
    let backup = [
        container("backup", "postgres:17", 1),
        container("proxy", PROXY, 9),
    ];
    let backup = pod("db-backup-x", backup).created(9);
    job(&mut scene, &owner, "db-backup", backup);
    let plan = scene.plan();
    assert!(is_quiet(&plan), "the job's is another: {:?}", plan.reports);
    assert!(plan.gaps.is_empty(), "{:?}", plan.gaps);
    let held = ["shop-db-postgres", "shop-db-proxy"];
    assert_eq!(names(&plan.unchanged), held);

    // Nobody took anything out of scope: they are away.
    scene.facts.pods.remove(0);
    let plan = scene.cycle();
    assert_eq!(names(&plan.retained), held);
    assert!(plan.decommissions.is_empty());
    let counted = plan.not_selected.values().sum::<usize>();
    assert_eq!(counted, 1, "of the job alone");
    scene.now = scene.now + minutes(59);
    assert_eq!(names(&scene.cycle().retained), held);
    scene.now = scene.now + minutes(2);
    assert_eq!(names(&scene.plan().decommissions), held, "idle");

    // Whoever asks for jobs has the sidecar of whoever runs.
    scene.policy.selection.kinds.push(KindGroup::Jobs);
    let plan = scene.plan();
    assert_eq!(
        names(&plan.reports),
        ["shop-db-backup", "shop-db-proxy"],
        "the job's"
    );
    // Whoever asks for neither has none.
    leave_out_both_sorts(&mut scene);
    assert_eq!(names(&scene.plan().decommissions), held);
}

#[test]
fn promise_2_a_job_s_pod_does_not_make_up_for_an_owner_that_cannot_be_read() {
    let (mut scene, owner) = with_cluster();
    scene.add_pod(pod("db-1", [container("proxy", PROXY, 2)]).under(&owner));
    scene.cycle();
    let backup = pod("db-backup-x", [container("proxy", PROXY, 9)]).created(9);
    job(&mut scene, &owner, "db-backup", backup);
    scene.facts.pods.remove(0);
    scene.facts.objects.retain(|it| it.kind != cluster());
    scene.forbid(&cluster());
    for _ in 0..2 {
        let plan = scene.cycle();
        assert_eq!(plan.withheld.len(), 1, "{:?}", plan.decommissions);
        scene.now = scene.now + minutes(61);
    }
}

#[test]
fn each_part_of_a_set_of_jobs_is_recorded_by_the_pods_that_have_it() {
    let (mut scene, owner) = with_cluster();
    scene.policy.selection.kinds.push(KindGroup::Jobs);
    let driver = pod("db-driver-0", [container("driver", "driver:1", 1)]).created(1);
    let worker = pod("db-worker-0", [container("worker", "worker:1", 2)]).created(2);
    job(&mut scene, &owner, "db-driver", driver);
    job(&mut scene, &owner, "db-worker", worker);
    let plan = scene.plan();
    assert_eq!(names(&plan.reports), ["shop-db-driver", "shop-db-worker"]);
    assert_eq!(plan.not_running, 0);
}

#[test]
fn who_wants_jobs_of_others_and_not_the_others_needs_no_right_to_what_stands_between_those() {
    let (mut scene, owner) = with_cluster();
    scene.policy.selection.kinds = vec![KindGroup::Deployments, KindGroup::Jobs];
    let kinds = &mut scene.facts.coverage.kinds;
    kinds.retain(|kind, _| {
        let watched = [Kind::ReplicaSet, Kind::Deployment, Kind::Job];
        watched.contains(kind) || !kind.is_built_in()
    });
    let step = pod("db-step", [container("step", "step:1", 1)]);
    scene.add_pod(step.once().under(&owner));
    let plan = scene.cycle();
    assert!(plan.gaps.is_empty(), "{:?}", plan.gaps);
    assert_eq!(names(&plan.reports), ["shop-db-step"]);
    scene.facts.pods.clear();
    scene.facts.objects.clear();
    assert_eq!(names(&scene.plan().decommissions), ["shop-db-step"]);
    // What is watched has to be seen.
    let kinds = &mut scene.facts.coverage.kinds;
    kinds.insert(Kind::ReplicationController, View::Nothing);
    assert_eq!(scene.plan().withheld.len(), 1);
}

#[test]
fn promise_2_a_pod_behind_a_job_that_is_not_read_may_be_of_any_owner_that_is_not_built_in() {
    let (mut scene, owner) = with_cluster();
    scene.policy.selection.kinds.push(KindGroup::Jobs);
    let sync = pod("volsync-src-x", [container("sync", "sync:1", 1)]);
    job(&mut scene, &owner, "volsync-src", sync);
    assert_eq!(names(&scene.cycle().reports), ["shop-db-sync"]);
    // Started again, without the right to read Jobs.
    scene.facts.objects.retain(|it| it.kind != Kind::Job);
    let kinds = &mut scene.facts.coverage.kinds;
    kinds.insert(Kind::Job, View::Nothing);
    for _ in 0..2 {
        let plan = scene.cycle();
        assert_eq!(names(&plan.retained), ["shop-db-sync"]);
        scene.now = scene.now + minutes(61);
    }
    scene.facts.pods.clear();
    scene.cycle();
    scene.now = scene.now + minutes(61);
    assert_eq!(names(&scene.plan().decommissions), ["shop-db-sync"]);
}

#[test]
fn promise_1_a_pin_that_never_ran_in_a_job_is_not_reported() {
    let mut scene = Scene::new();
    let app = |number| container("app", "app:1", number);
    scene.run(&Kind::CronJob, "report", [app(1)]);
    scene.cycle();
    scene.remove_pods("report");
    let proxy = container("proxy", PROXY, 2);
    let never = app(3).in_state(State::NeverRan);
    scene.run(&Kind::CronJob, "report", [never, proxy]);
    let plan = scene.plan();
    assert_eq!(names(&plan.retained), ["shop-report-app"]);
    assert_eq!(names(&plan.reports), ["shop-report-proxy"]);
}

#[test]
fn what_is_behind_an_owner_that_nobody_looks_at_is_counted() {
    let mut scene = Scene::new();
    let set = object(Kind::StatefulSet, SHOP, "db");
    let containers = || [container("app", "db:1", 1), container("proxy", PROXY, 2)];
    scene.add_pod(pod("db-0", containers()).under(&set));
    scene.add_pod(pod("db-1", containers()).under(&set));
    scene.add_pod(
        pod("db-2", [container("old", "db:1", 1)])
            .under(&set)
            .finished(),
    );
    scene.policy.selection.kinds = vec![KindGroup::Deployments];
    let kinds = &mut scene.facts.coverage.kinds;
    kinds.retain(|kind, _| [Kind::ReplicaSet, Kind::Deployment].contains(kind));
    let plan = scene.plan();
    assert!(is_quiet(&plan));
    assert_eq!(plan.not_selected.into_values().collect::<Vec<_>>(), [2]);
}

#[test]
fn of_owners_whose_servers_and_jobs_are_both_left_out_all_ends_at_once() {
    let (mut scene, owner) = with_server_and_sidecar();
    scene.facts.pods.clear();
    let backup = pod("db-backup-x", [container("proxy", PROXY, 2)]);
    job(&mut scene, &owner, "db-backup", backup);
    leave_out_both_sorts(&mut scene);
    let held = ["shop-db-postgres", "shop-db-proxy"];
    assert_eq!(names(&scene.plan().decommissions), held);
}

#[test]
fn of_pods_that_have_ended_those_of_jobs_count_and_those_of_servers_do_not() {
    let (mut scene, owner) = with_cluster();
    scene.policy.selection.kinds.push(KindGroup::Jobs);
    let join = pod("db-join-x", [container("join", "postgres:17", 1)]).finished();
    job(&mut scene, &owner, "db-join", join);
    assert_eq!(names(&scene.cycle().reports), ["shop-db-join"]);
    // The pod of a server that was evicted, whose maker is not read.
    let old = container("old", "postgres:16", 2);
    let server = |name: &str| {
        let maker = object(Kind::ReplicaSet, SHOP, "db-1");
        pod(name, [old.clone()]).under(&maker)
    };
    let known = pod("db-0", [old.clone()]).under(&owner);
    scene.add_pod(known);
    scene.cycle();
    scene.facts.pods.retain(|pod| &*pod.name != "db-0");
    let row = |scene: &Scene| scene.plan().rows[&source_of(cluster(), "db", "old")];
    scene.add_pod(server("db-1"));
    assert_eq!(row(&scene), Row::NotRunning);
    scene.facts.pods.retain(|pod| &*pod.name != "db-1");
    scene.add_pod(server("db-2").finished());
    assert_eq!(row(&scene), Row::Idle);
}

#[test]
fn a_pod_behind_what_is_not_read_is_only_of_a_workload_that_it_is_called_after() {
    for (kind, maker) in [(Kind::CronJob, Kind::Job), (cluster(), Kind::ReplicaSet)] {
        let mut scene = Scene::new();
        scene.read(&cluster());
        scene.run(&kind, "nightly", [container("app", "app:1", 1)]);
        scene.cycle();
        scene.facts.pods.clear();
        let row = |scene: &Scene| scene.plan().rows[&source_of(kind.clone(), "nightly", "app")];
        let without = row(&scene);
        let stray = |owner: &str| {
            let owner = object(maker.clone(), SHOP, owner);
            pod("x", [container("app", "app:1", 2)]).under(&owner)
        };
        scene.add_pod(stray("restore-1"));
        assert_eq!(row(&scene), without, "{kind}");
        scene.add_pod(stray("nightly-2"));
        assert_eq!(row(&scene), Row::NotRunning, "{kind}");
    }
}
