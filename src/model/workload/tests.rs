//! Tests of the owner walk.

use std::sync::Arc;

use super::*;
use crate::model::facts::View;
use crate::model::fixtures::{SHOP, empty_facts, object, pod, rollout, workload};

/// Where the walk from a pod under `controller` ends when `objects` are what was read.
fn end(controller: &Object, objects: &[&Object]) -> Walk {
    let mut facts = empty_facts();
    facts.objects = objects
        .iter()
        .map(|object| Arc::new((*object).clone()))
        .collect();
    walk(&pod("p", []).under(controller), &Owners::new(&facts))
}

/// The workload at the end of the walk, and how many kinds it passed.
fn found(walk: Walk) -> (Workload, usize) {
    let Walk::Workload {
        workload, passed, ..
    } = walk
    else {
        panic!("{walk:?}");
    };
    (workload, passed.len())
}

fn node() -> Kind {
    Kind::new("", "Node")
}

#[test]
fn a_pod_without_a_controller_or_under_a_node_or_a_pod_is_bare() {
    let facts = empty_facts();
    let owners = Owners::new(&facts);
    assert_eq!(walk(&pod("p", []), &owners), Walk::Bare);
    for host in [node(), Kind::Pod] {
        assert_eq!(end(&object(host, SHOP, "host"), &[]), Walk::Bare);
    }
    // A Node of another group is a kind like any other.
    let other = object(Kind::new("example.io", "Node"), SHOP, "n");
    assert_eq!(found(end(&other, &[])).0.kind, other.kind);
}

#[test]
fn the_walk_passes_through_what_has_a_controller_and_ends_at_what_has_none() {
    let deployment = object(Kind::Deployment, SHOP, "web");
    let cron = object(Kind::CronJob, SHOP, "web");
    let config = object(
        Kind::new("apps.openshift.io", "DeploymentConfig"),
        SHOP,
        "web",
    );
    let other = object(rollout(), SHOP, "web");
    for (maker, owner) in [
        (Kind::ReplicaSet, Some(&deployment)),
        (Kind::ReplicaSet, Some(&other)),
        (Kind::ReplicaSet, None),
        (Kind::ReplicationController, Some(&config)),
        (Kind::ReplicationController, None),
        (Kind::Job, Some(&cron)),
        (Kind::Job, Some(&other)),
        (Kind::Job, None),
        (Kind::StatefulSet, None),
        (Kind::DaemonSet, None),
    ] {
        let bare = object(maker.clone(), SHOP, "web-1");
        let maker = owner.map_or(bare.clone(), |owner| bare.clone().under(owner));
        let mut objects = vec![&maker];
        objects.extend(owner.filter(|owner| owner.kind.is_built_in()));
        let expected = owner.unwrap_or(&maker);
        assert_eq!(
            found(end(&maker, &objects)),
            (
                workload(expected.kind.clone(), SHOP, &expected.name),
                usize::from(owner.is_some())
            )
        );
    }
}

#[test]
fn the_first_other_owner_is_the_workload_whatever_owns_it_in_turn() {
    let operator = object(Kind::new("example.io", "App"), SHOP, "shop");
    for kind in [Kind::StatefulSet, Kind::DaemonSet] {
        let owned = object(kind.clone(), SHOP, "web").under(&operator);
        assert_eq!(found(end(&owned, &[&owned])).0.kind, kind);
    }
    let deployment = object(Kind::Deployment, SHOP, "web").under(&operator);
    let replicas = object(Kind::ReplicaSet, SHOP, "web-1").under(&deployment);
    let end = found(end(&replicas, &[&replicas, &deployment]));
    assert_eq!(end, (workload(Kind::Deployment, SHOP, "web"), 1));
}

#[test]
fn kinds_are_told_apart_by_group_and_kind_and_objects_by_uid() {
    let foreign = object(Kind::new("example.io", "Deployment"), SHOP, "web");
    assert!(!foreign.kind.is_built_in());
    assert_eq!(found(end(&foreign, &[])).0.kind, foreign.kind);
    // Of the same name, but another object: it was deleted and made again.
    let old = object(Kind::StatefulSet, SHOP, "web");
    let mut new = old.clone();
    new.uid = "another".into();
    assert!(matches!(end(&old, &[&new]), Walk::Orphan(_)));
}

#[test]
fn a_bare_replica_set_is_itself_and_not_the_deployment_that_its_name_would_be_cut_to() {
    let deployment = object(Kind::Deployment, SHOP, "web");
    let of_it = object(Kind::ReplicaSet, SHOP, "web-v1").under(&deployment);
    let bare = object(Kind::ReplicaSet, SHOP, "web-v2");
    let objects = [&deployment, &of_it, &bare];
    let expected = workload(Kind::ReplicaSet, SHOP, "web-v2");
    assert_eq!(found(end(&bare, &objects)).0, expected);
    let expected = workload(Kind::Deployment, SHOP, "web");
    assert_eq!(found(end(&of_it, &objects)).0, expected);
}

#[test]
fn a_missing_owner_is_an_orphans_only_where_its_kind_is_fully_seen() {
    let replicas = object(Kind::ReplicaSet, SHOP, "web-1");
    let mut facts = empty_facts();
    let pod = pod("p", []).under(&replicas);
    let mut end = |view: Option<View>| {
        match view {
            Some(view) => drop(facts.coverage.kinds.insert(Kind::ReplicaSet, view)),
            None => drop(facts.coverage.kinds.remove(&Kind::ReplicaSet)),
        }
        walk(&pod, &Owners::new(&facts))
    };
    let owner = replicas.as_controller();
    assert_eq!(end(Some(View::Everything)), Walk::Orphan(owner.clone()));
    assert_eq!(
        end(Some(View::Only([SHOP.into()].into()))),
        Walk::Orphan(owner.clone())
    );
    assert_eq!(
        end(Some(View::Only(["bank".into()].into()))),
        Walk::NotRead(owner.clone())
    );
    assert_eq!(end(Some(View::Nothing)), Walk::NotRead(owner.clone()));
    assert_eq!(end(None), Walk::NotWatched(owner));
}

#[test]
fn an_owner_further_up_may_be_missing_too() {
    let deployment = object(Kind::Deployment, SHOP, "web");
    let replicas = object(Kind::ReplicaSet, SHOP, "web-1").under(&deployment);
    let missing = Walk::Orphan(deployment.as_controller());
    assert_eq!(end(&replicas, &[&replicas]), missing);
}

#[test]
fn an_owner_of_a_kind_that_is_not_built_in_is_looked_up_where_that_kind_is_read() {
    let owner = object(rollout(), SHOP, "web");
    let pod = pod("p", []).under(&owner);
    let mut facts = empty_facts();
    for view in [None, Some(View::Nothing)] {
        facts
            .coverage
            .kinds
            .extend(view.map(|view| (rollout(), view)));
        assert_eq!(found(walk(&pod, &Owners::new(&facts))).0.kind, rollout());
    }
    facts.coverage.kinds.insert(rollout(), View::Everything);
    let end = walk(&pod, &Owners::new(&facts));
    assert_eq!(end, Walk::Orphan(owner.as_controller()));
}

#[test]
fn a_job_that_a_pod_made_has_no_workload_that_is_looked_at() {
    let host = object(Kind::Pod, SHOP, "runner");
    let job = object(Kind::Job, SHOP, "task").under(&host);
    assert_eq!(end(&job, &[&job]), Walk::NotWatched(host.as_controller()));
}

#[test]
fn a_ring_of_owners_ends_somewhere() {
    let one = object(Kind::ReplicaSet, SHOP, "one");
    let two = object(Kind::ReplicaSet, SHOP, "two").under(&one);
    let one = one.under(&two);
    assert!(matches!(end(&one, &[&one, &two]), Walk::Orphan(_)));
}

#[test]
fn an_owner_in_another_namespace_is_none_whatever_uid_is_written() {
    let deployment = object(Kind::Deployment, "bank", "web");
    let replicas = object(Kind::ReplicaSet, "bank", "web-1").under(&deployment);
    let job = object(Kind::Job, "bank", "task");
    let mut facts = empty_facts();
    let objects = [&replicas, &deployment, &job];
    facts.objects = objects.iter().map(|it| Arc::new((*it).clone())).collect();
    for foreign in objects {
        let mut pod = pod("p", []).under(foreign);
        pod.namespace = SHOP.into();
        let end = walk(&pod, &Owners::new(&facts));
        assert_eq!(end, Walk::Orphan(foreign.as_controller()));
    }
    let near = object(Kind::ReplicaSet, SHOP, "web-1").under(&deployment);
    let missing = Walk::Orphan(deployment.as_controller());
    assert_eq!(end(&near, &[&near, &deployment]), missing);
}

#[test]
fn an_owner_is_what_it_is_and_not_what_a_reference_calls_it() {
    let deployment = object(Kind::Deployment, SHOP, "web");
    let mut called = deployment.clone();
    (called.kind, called.name) = (Kind::StatefulSet, "bank".into());
    let expected = workload(Kind::Deployment, SHOP, "web");
    assert_eq!(found(end(&called, &[&deployment])).0, expected);
}

#[test]
fn a_kind_prints_with_its_group_only_where_it_is_not_built_in() {
    assert_eq!(rollout().to_string(), "Rollout.argoproj.io");
    assert_eq!(node().to_string(), "Node");
    assert_eq!(Kind::CronJob.to_string(), "CronJob");
    for kind in Kind::OWNERS
        .into_iter()
        .chain([Kind::Pod, rollout(), node()])
    {
        assert_eq!(Kind::new(kind.group(), kind.kind()), kind);
    }
}
