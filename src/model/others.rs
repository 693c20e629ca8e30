//! Others: which kinds that are not built in matter at this moment, so that somebody looks at them.
//! Nothing here says what such a kind is called elsewhere, or whether it can be read.

use std::collections::{BTreeSet, HashSet};

use super::facts::{Facts, Pod};
use super::ledger::{Ledger, Owner};
use super::selection::{KindGroup, Selection};
use super::workload::{Kind, Owners, Walk, walk};

/// Whether `selection` has such kinds at all.
pub fn are_selected(selection: &Selection) -> bool {
    let groups = [KindGroup::Others, KindGroup::Jobs];
    groups.iter().any(|it| selection.rank(*it).is_some())
}

/// The kinds that are not built in at which the walks of pods in selected namespaces end. A Node, and
/// what is passed through, are none. The labels of owners are not asked for: nobody has read them yet.
pub fn at_the_end_of_walks(facts: &Facts, selection: &Selection) -> BTreeSet<Kind> {
    let mut kinds = BTreeSet::new();
    if !are_selected(selection) {
        return kinds;
    }
    let labelled = facts.namespaces.iter().filter(|it| it.selected);
    let labelled: HashSet<&str> = labelled.map(|it| &*it.name).collect();
    let is_in = |pod: &Pod| !selection.by_namespace_labels || labelled.contains(&*pod.namespace);
    let owners = Owners::new(facts);
    for pod in facts.pods.iter().filter(|pod| is_in(pod)) {
        let kind = match walk(pod, &owners) {
            Walk::Workload { workload, .. } => workload.kind,
            Walk::Orphan(owner) | Walk::NotRead(owner) => owner.kind,
            Walk::Bare | Walk::NotWatched(_) => continue,
        };
        if !kind.is_built_in() && !kinds.contains(&kind) && is_selected(pod, &kind, selection) {
            kinds.insert(kind);
        }
    }
    kinds
}

fn is_selected(pod: &Pod, kind: &Kind, selection: &Selection) -> bool {
    let group = KindGroup::of(kind, pod.restarts_always);
    selection.rank(group).is_some() && selection.has_namespace(&pod.namespace)
}

/// The kinds that are not built in of sources that `ledger` remembers.
pub fn in_ledger(ledger: &Ledger) -> BTreeSet<Kind> {
    let mut kinds = BTreeSet::new();
    for (_, entry) in ledger.entries() {
        if let Owner::Source(source) = &entry.owner {
            let kind = &source.workload.kind;
            if !kind.is_built_in() && !kinds.contains(kind) {
                kinds.insert(kind.clone());
            }
        }
    }
    kinds
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::facts::Object;
    use crate::model::fixtures::{
        SHOP, Scene, container, empty_facts, image, object, pod, rollout,
    };
    use crate::model::selection::Pattern;

    fn ends(facts: &Facts, selection: &Selection) -> Vec<String> {
        let kinds = at_the_end_of_walks(facts, selection).into_iter();
        kinds.map(|kind| kind.to_string()).collect()
    }

    fn under(facts: &mut Facts, name: &str, owner: &Object) -> Pod {
        let pod = pod(name, []).under(owner);
        facts.pods.push(Arc::new(pod.clone()));
        pod
    }

    #[test]
    fn they_are_selected_with_the_kinds_that_others_may_own() {
        let mut selection = Selection::default();
        assert!(are_selected(&selection));
        for (kinds, selected) in [
            (vec![KindGroup::Others], true),
            (vec![KindGroup::Deployments, KindGroup::Jobs], true),
            (vec![KindGroup::Deployments, KindGroup::CronJobs], false),
        ] {
            selection.kinds = kinds;
            assert_eq!(are_selected(&selection), selected, "{:?}", selection.kinds);
        }
    }

    #[test]
    fn a_kind_matters_where_a_walk_ends_at_it_however_long_the_walk() {
        let mut facts = empty_facts();
        let deployment = object(Kind::Deployment, SHOP, "web");
        let node = object(Kind::new("", "Node"), SHOP, "node-1");
        under(&mut facts, "built-in", &deployment);
        under(&mut facts, "static", &node);
        facts.pods.push(Arc::new(pod("bare", [])));
        assert_eq!(ends(&facts, &Selection::default()), [""; 0]);

        under(
            &mut facts,
            "direct",
            &object(Kind::new("a.io", "Set"), SHOP, "a"),
        );
        let makers = [Kind::ReplicaSet, Kind::ReplicationController, Kind::Job];
        for (number, maker) in makers.into_iter().enumerate() {
            let owner = object(Kind::new(&format!("b{number}.io"), "Owner"), SHOP, "b");
            let maker = object(maker, SHOP, "b-1").under(&owner);
            facts.objects.push(Arc::new(maker.clone()));
            under(&mut facts, &format!("b-{number}"), &maker);
        }
        // Its own owner is not asked for, and one without a pod ends no walk.
        let idle = object(Kind::ReplicaSet, SHOP, "idle").under(&object(rollout(), SHOP, "idle"));
        facts.objects.push(Arc::new(idle));
        let expected = ["Set.a.io", "Owner.b0.io", "Owner.b1.io", "Owner.b2.io"];
        assert_eq!(ends(&facts, &Selection::default()), expected);
    }

    #[test]
    fn a_kind_goes_on_to_matter_when_it_is_read_and_lacks_the_owner() {
        let mut facts = empty_facts();
        under(&mut facts, "web-0", &object(rollout(), SHOP, "web"));
        let everything = crate::model::facts::View::Everything;
        facts.coverage.kinds.insert(rollout(), everything);
        assert_eq!(ends(&facts, &Selection::default()), ["Rollout.argoproj.io"]);
    }

    #[test]
    fn only_selected_pods_make_a_kind_matter() {
        let mut facts = empty_facts();
        let run = Kind::new("tekton.dev", "TaskRun");
        let once = pod("run", []).under(&object(run, SHOP, "run")).once();
        facts.pods.push(Arc::new(once));
        under(&mut facts, "web-0", &object(rollout(), SHOP, "web"));
        let with = |kinds: &[KindGroup]| Selection {
            kinds: kinds.to_vec(),
            ..Selection::default()
        };
        let both = ["Rollout.argoproj.io", "TaskRun.tekton.dev"];
        assert_eq!(ends(&facts, &with(&[KindGroup::Others])), both[..1]);
        assert_eq!(ends(&facts, &with(&[KindGroup::Jobs])), both[1..]);
        assert_eq!(ends(&facts, &with(&KindGroup::ALL)), both);
        assert_eq!(ends(&facts, &with(&[KindGroup::Deployments])), [""; 0]);
        let elsewhere = Selection {
            exclude_namespaces: vec![Pattern::new(SHOP)],
            ..Selection::default()
        };
        assert_eq!(ends(&facts, &elsewhere), [""; 0]);
        let mut labelled = Selection {
            by_namespace_labels: true,
            ..Selection::default()
        };
        assert_eq!(ends(&facts, &labelled), both[..1]);
        Arc::make_mut(&mut facts.namespaces[0]).selected = false;
        assert_eq!(ends(&facts, &labelled), [""; 0]);
        labelled.by_namespace_labels = false;
        assert_eq!(ends(&facts, &labelled), both[..1]);
    }

    #[test]
    fn the_ledger_names_the_kinds_of_its_sources_and_no_built_in_ones() {
        let mut scene = Scene::recorded();
        assert!(in_ledger(&scene.ledger).is_empty());
        scene.read(&rollout());
        scene.run(&rollout(), "roll", [container("app", &image("roll"), 1)]);
        scene.cycle();
        assert_eq!(in_ledger(&scene.ledger), BTreeSet::from([rollout()]));
    }
}
