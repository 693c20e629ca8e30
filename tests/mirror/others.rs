//! Kinds that are not built in: found by their own group alone, followed while they change, and never
//! taken for absent before the API server has said so itself.

use std::collections::BTreeSet;

use deployment_recorder::cluster::MirrorHealth;
use tokio::time::Instant;

use super::support::apiserver::Definition;
use super::*;

fn rollout() -> Kind {
    Kind::new("argoproj.io", "Rollout")
}

fn rollouts() -> Definition {
    Definition::new("argoproj.io", "v1alpha1", "rollouts", "Rollout")
}

fn a_rollout(namespace: &str, name: &str) -> Value {
    object("argoproj.io/v1alpha1", "Rollout", namespace, name)
}

/// A pod that such an owner owns itself.
fn its_pod(namespace: &str, name: &str, owner: &str) -> Value {
    pod(
        namespace,
        name,
        Some(("argoproj.io/v1alpha1", "Rollout", owner)),
    )
}

/// A server with a namespace, a Rollout and its pod.
fn with_rollout() -> Apiserver {
    let server = server(0);
    server.define(rollouts());
    server.apply(a_rollout("shop", "web"));
    server.apply(its_pod("shop", "web-0", "web"));
    server
}

fn covers(facts: &Facts) -> bool {
    facts.coverage.covers(&rollout(), "shop")
}

fn lacks(facts: &Facts) -> Option<String> {
    let lacks = facts.coverage.lacks(&rollout(), "shop");
    lacks.map(ToString::to_string)
}

fn objects(facts: &Facts) -> usize {
    let of_kind = facts.objects.iter().filter(|it| it.kind == rollout());
    of_kind.count()
}

fn asked(server: &Apiserver) -> Vec<String> {
    let calls = server.calls().into_iter();
    let asked = calls.filter(|call| call.verb == Verb::Discover);
    asked.map(|call| call.kind).collect()
}

#[tokio::test(start_paused = true)]
async fn a_kind_at_which_walks_end_is_read_before_the_first_look_is_over() {
    let server = with_rollout();
    // One is behind a ReplicaSet, and a Node is no such kind.
    let set = ("apps/v1", "ReplicaSet", "api-5d4");
    server.apply(pod("shop", "api-5d4-x", Some(set)));
    let mut replicas = object("apps/v1", "ReplicaSet", "shop", "api-5d4");
    replicas["metadata"]["ownerReferences"] =
        owned_by("apps.kruise.io/v1alpha1", "CloneSet", "api");
    server.apply(replicas);
    server.define(Definition::new(
        "apps.kruise.io",
        "v1alpha1",
        "clonesets",
        "CloneSet",
    ));
    server.apply(object("apps.kruise.io/v1alpha1", "CloneSet", "shop", "api"));
    server.apply(pod("shop", "static", Some(("v1", "Node", "node-1"))));
    let cluster = start(&server, Scope::default()).await;
    let facts = cluster.facts();
    let clone_set = Kind::new("apps.kruise.io", "CloneSet");
    for kind in [rollout(), clone_set] {
        assert!(facts.coverage.covers(&kind, "shop"), "{kind}");
        assert_eq!(state_of(&cluster, &kind), MirrorState::Synced);
    }
    assert_eq!(objects(&facts), 1);
    let version = |kind: &Kind| cluster.api_version(kind);
    assert_eq!(version(&rollout()).as_deref(), Some("argoproj.io/v1alpha1"));
    assert_eq!(version(&Kind::Deployment).as_deref(), Some("apps/v1"));
    assert_eq!(version(&Kind::new("argoproj.io", "Workflow")), None);
    let mut asked = asked(&server);
    asked.sort();
    let expected = [
        "/apis/apps.kruise.io",
        "/apis/apps.kruise.io/v1alpha1",
        "/apis/argoproj.io",
        "/apis/argoproj.io/v1alpha1",
    ];
    assert_eq!(asked, expected, "each once, and nothing about others");
    let lists = server
        .calls()
        .into_iter()
        .filter(|call| call.kind == "Rollout");
    for call in lists {
        assert!(call.accept.contains("PartialObjectMetadata"), "{call:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_shows_up_later_is_not_read_until_it_was_and_wakes_the_cycle_then() {
    let server = server(1);
    server.define(rollouts());
    let cluster = start(&server, Scope::default()).await;
    let mirrors = cluster.health().len();
    server.apply(a_rollout("shop", "web"));
    server.fail(Verb::List, "Rollout", Fault::Slow(Duration::from_secs(30)));
    server.apply(its_pod("shop", "web-0", "web"));
    let facts = until(&cluster, |facts| facts.pods.len() == 2).await;
    assert_eq!((covers(&facts), lacks(&facts)), (false, None));
    assert_eq!(cluster.health().len(), mirrors + 1, "it is looked for");
    let facts = until(&cluster, covers).await;
    assert_eq!(objects(&facts), 1);
}

#[tokio::test(start_paused = true)]
async fn owners_that_somebody_makes_up_are_looked_at_up_to_a_limit_and_the_ledgers_first() {
    let server = server(1);
    server.define(rollouts());
    let cluster = start(&server, Scope::default()).await;
    let mirrors = cluster.health().len();
    cluster.remember(BTreeSet::from([rollout()]));
    for number in 0..100 {
        let (group, name) = (format!("a{number}.example/v1"), format!("web-{number}"));
        server.apply(pod("shop", &name, Some((&group, "Made", "up"))));
    }
    until(&cluster, |facts| facts.pods.len() == 101).await;
    cluster.facts();
    let health = cluster.health();
    assert_eq!(health.len(), mirrors + 64);
    assert!(health.iter().any(|mirror| mirror.kind == rollout()));
}

#[tokio::test(start_paused = true)]
async fn kinds_are_looked_at_only_if_others_or_jobs_are_selected() {
    let server = with_rollout();
    let mut once = pod("shop", "run-0", Some(("tekton.dev/v1", "TaskRun", "run")));
    once["spec"]["restartPolicy"] = json!("Never");
    server.apply(once);
    server.define(Definition::new("tekton.dev", "v1", "taskruns", "TaskRun"));
    let groups = |kinds: &[KindGroup]| Scope {
        selection: Selection {
            kinds: kinds.to_vec(),
            ..Selection::default()
        },
        ..Scope::default()
    };
    let (rollout, run) = ("Rollout.argoproj.io", "TaskRun.tekton.dev");
    for (kinds, expected) in [
        (&[KindGroup::Others][..], vec![rollout]),
        (&[KindGroup::Jobs], vec![run]),
        (&[KindGroup::Others, KindGroup::Jobs], vec![rollout, run]),
        (&[KindGroup::Deployments, KindGroup::Pods], vec![]),
    ] {
        let cluster = start(&server, groups(kinds)).await;
        cluster.remember(BTreeSet::new());
        cluster.facts();
        let health = cluster.health().into_iter();
        let kinds = health.map(|mirror| mirror.kind.to_string());
        let others: Vec<String> = kinds.filter(|kind| kind.contains('.')).collect();
        assert_eq!(others, expected);
        cluster.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_only_the_ledger_names_is_read_and_dropped_a_while_after_nobody_names_it() {
    let server = with_rollout();
    server.delete("Pod", "shop", "web-0");
    let cluster = Cluster::start(server.client(), Scope::default(), 7);
    cluster.remember(BTreeSet::from([rollout()]));
    assert!(cluster.first_sync(Duration::from_mins(1)).await);
    assert_eq!(objects(&cluster.facts()), 1);
    cluster.remember(BTreeSet::new());
    cluster.facts();
    tokio::time::sleep(Duration::from_mins(9)).await;
    assert!(covers(&cluster.facts()), "pods of such kinds come and go");
    tokio::time::sleep(Duration::from_mins(2)).await;
    cluster.facts();
    settle().await;
    assert!(!cluster.facts().coverage.watches(&rollout()));
    assert_eq!(server.open_watches("Rollout"), 0);
}

/// A pod of an owner that somebody makes up, of a kind of its own.
fn apply_made_up(server: &Apiserver, number: usize) {
    let (group, name) = (format!("a{number}.example/v1"), format!("made-{number}"));
    server.apply(pod("shop", &name, Some((&group, "Made", "up"))));
}

/// Whether somebody looks at the kind of that owner.
fn looks_at_made_up(cluster: &Cluster, number: usize) -> bool {
    let kind = Kind::new(&format!("a{number}.example"), "Made");
    cluster.facts().coverage.watches(&kind)
}

#[tokio::test(start_paused = true)]
async fn promise_2_where_a_namespace_may_never_be_read_a_kind_stays_until_another_needs_its_place()
{
    let server = with_rollout();
    // Roles are missing there, or the namespace is.
    server.forbid_in("Pod", "bank");
    server.forbid_in("ReplicaSet", "bank");
    let cluster = Cluster::start(server.client(), exactly(&["shop", "bank"]), 7);
    until(&cluster, covers).await;
    server.delete("Pod", "shop", "web-0");
    until(&cluster, |facts| facts.pods.is_empty()).await;
    tokio::time::sleep(Duration::from_mins(20)).await;
    cluster.facts();
    settle().await;
    let facts = cluster.facts();
    assert_eq!(
        (covers(&facts), objects(&facts)),
        (true, 1),
        "what it said of itself, that it opts out for one, is not forgotten"
    );
    let settled = async |pods| {
        until(&cluster, |facts| facts.pods.len() == pods).await;
        settle().await;
    };
    (0..63).for_each(|number| apply_made_up(&server, number));
    settled(63).await;
    assert!(covers(&cluster.facts()));
    apply_made_up(&server, 63);
    settled(64).await;
    assert!(!cluster.facts().coverage.watches(&rollout()));
    assert_eq!(server.open_watches("Rollout"), 0);
    // Nobody makes room before it was not named for a while, and who was not for longest does first.
    for number in [7, 3] {
        server.delete("Pod", "shop", &format!("made-{number}"));
        tokio::time::sleep(Duration::from_mins(1)).await;
        cluster.facts();
    }
    server.apply(its_pod("shop", "web-1", "web"));
    settled(63).await;
    assert!(!cluster.facts().coverage.watches(&rollout()));
    tokio::time::sleep(Duration::from_mins(10)).await;
    // A walk leads to it again: it is read again.
    until(&cluster, covers).await;
    assert_eq!(
        [7, 3].map(|it| looks_at_made_up(&cluster, it)),
        [false, true]
    );
}

#[tokio::test(start_paused = true)]
async fn a_kind_takes_the_place_that_falls_free_at_the_same_look() {
    let server = with_rollout();
    server.delete("Pod", "shop", "web-0");
    let cluster = start(&server, Scope::default()).await;
    (0..64).for_each(|number| apply_made_up(&server, number));
    until(&cluster, |facts| facts.pods.len() == 64).await;
    server.delete("Pod", "shop", "made-5");
    until(&cluster, |facts| facts.pods.len() == 63).await;
    tokio::time::sleep(Duration::from_mins(11)).await;
    server.apply(its_pod("shop", "web-1", "web"));
    settle().await;
    cluster.facts();
    let health = cluster.health().into_iter();
    let looked: BTreeSet<Kind> = health.map(|mirror| mirror.kind).collect();
    assert!(looked.contains(&rollout()));
    assert!(!looks_at_made_up(&cluster, 5));
    assert!([0, 63].iter().all(|it| looks_at_made_up(&cluster, *it)));
}

#[tokio::test(start_paused = true)]
async fn promise_2_a_kind_is_absent_once_the_api_server_has_said_so_twice_and_it_may_come_later() {
    let server = server(0);
    let cluster = Cluster::start(server.client(), Scope::default(), 7);
    cluster.remember(BTreeSet::from([rollout()]));
    let begun = Instant::now();
    assert!(cluster.first_sync(Duration::from_mins(1)).await);
    assert!(begun.elapsed() >= Duration::from_secs(5));
    assert_eq!(asked(&server).len(), 4, "the group, and the list of groups");
    let facts = cluster.facts();
    assert_eq!((covers(&facts), objects(&facts)), (true, 0));

    let before = asked(&server).len();
    tokio::time::sleep(Duration::from_mins(20)).await;
    let asked = asked(&server).len() - before;
    assert!((40..=46).contains(&asked), "{asked} in twenty minutes");

    server.define(rollouts());
    server.apply(a_rollout("shop", "web"));
    let comes = tokio::time::timeout(Duration::from_secs(61), async {
        while objects(&cluster.facts()) == 0 {
            cluster.changed().await;
        }
    });
    comes.await.unwrap();
    assert!(covers(&cluster.facts()));
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_may_not_be_read_says_which_rule_is_missing_and_holds_up_no_first_look() {
    let server = with_rollout();
    server.forbid("Rollout");
    let begun = Instant::now();
    let cluster = start(&server, Scope::default()).await;
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert!(cluster.health().iter().all(MirrorHealth::has_settled));
    let facts = cluster.facts();
    assert_eq!((covers(&facts), lacks(&facts)), (false, None));
    let facts = until(&cluster, |facts| lacks(facts).is_some()).await;
    assert!((60..=90).contains(&begun.elapsed().as_secs()));
    let expected = "may not list and watch rollouts in argoproj.io";
    assert_eq!(lacks(&facts).as_deref(), Some(expected));
    assert!(!covers(&facts));
    let lists = server.count(Verb::List, "Rollout");
    tokio::time::sleep(Duration::from_mins(10)).await;
    assert!(server.count(Verb::List, "Rollout") - lists <= 30);
    let asked = asked(&server).len();
    assert!(asked <= 14, "{asked} questions about its name");
    server.allow("Rollout");
    let facts = until(&cluster, covers).await;
    assert_eq!((objects(&facts), lacks(&facts)), (1, None));
    // Taken away again, what was read stays and counts as unread.
    server.forbid("Rollout");
    server.expire("Rollout");
    let facts = until(&cluster, |facts| lacks(facts).is_some()).await;
    assert_eq!((covers(&facts), objects(&facts)), (false, 1));
}

#[tokio::test(start_paused = true)]
async fn promise_2_a_403_that_is_over_within_a_minute_says_nothing_of_a_kind() {
    let server = with_rollout();
    server.forbid("Rollout");
    let cluster = start(&server, Scope::default()).await;
    for _ in 0..3 {
        let mut states = BTreeSet::new();
        for _ in 0..55 {
            let facts = cluster.facts();
            states.insert(state_of(&cluster, &rollout()));
            assert_eq!((covers(&facts), lacks(&facts)), (false, None));
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        assert!(states.contains(&MirrorState::Forbidden));
        server.allow("Rollout");
        let facts = until(&cluster, |facts| {
            assert_eq!(lacks(facts), None);
            covers(facts)
        });
        assert_eq!(objects(&facts.await), 1);
        server.forbid("Rollout");
        server.expire("Rollout");
        until(&cluster, |facts| !covers(facts)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_looks_only_once_takes_a_403_at_its_word() {
    let server = with_rollout();
    server.forbid("Rollout");
    let cluster = Cluster::start(server.client(), Scope::default(), 7);
    let begun = Instant::now();
    cluster.first_look(Duration::from_mins(1)).await;
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert!(lacks(&cluster.facts()).is_some());
    assert!(cluster.health().iter().any(MirrorHealth::is_done_without));
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_was_forbidden_and_is_gone_is_found_absent_all_the_same() {
    let server = with_rollout();
    server.forbid("Rollout");
    let cluster = start(&server, Scope::default()).await;
    // Who may not list is told so whether or not there is such a thing.
    server.undefine("Rollout");
    server.fail(Verb::List, "", Fault::Status(403)).forever();
    let facts = until(&cluster, covers).await;
    assert_eq!((objects(&facts), lacks(&facts)), (0, None));
}

#[tokio::test(start_paused = true)]
async fn where_names_may_not_be_asked_for_the_kind_itself_is_named() {
    let server = with_rollout();
    server
        .fail(Verb::Discover, "/apis/argoproj.io", Fault::Status(403))
        .forever();
    let cluster = start(&server, Scope::default()).await;
    let facts = until(&cluster, |facts| lacks(facts).is_some()).await;
    let expected = "may not list and watch Rollout in argoproj.io";
    assert_eq!(lacks(&facts).as_deref(), Some(expected));
    server.heal();
    until(&cluster, covers).await;
}

#[tokio::test(start_paused = true)]
async fn in_single_namespaces_each_is_judged_alone() {
    let server = with_rollout();
    server.apply(namespace("bank"));
    server.apply(its_pod("bank", "web-0", "other"));
    server.forbid_in("Rollout", "bank");
    let cluster = start(&server, exactly(&["shop", "bank"])).await;
    assert_eq!(asked(&server).len(), 2, "one name for all namespaces");
    let in_bank = |facts: &Facts| facts.coverage.lacks(&rollout(), "bank").is_some();
    let facts = until(&cluster, in_bank).await;
    assert!(covers(&facts));
    assert_eq!(lacks(&facts), None);
    assert!(!facts.coverage.covers(&rollout(), "bank"));
    let lists = server
        .calls()
        .into_iter()
        .filter(|call| call.kind == "Rollout");
    assert!(lists.into_iter().all(|call| call.namespace.is_some()));
}

#[tokio::test(start_paused = true)]
async fn promise_2_a_kind_whose_api_is_broken_is_given_up_late_and_is_never_absent() {
    let version = "/apis/argoproj.io/v1alpha1";
    for (verb, what) in [(Verb::Discover, version), (Verb::List, "Rollout")] {
        let server = with_rollout();
        server.fail(verb, what, Fault::Status(503)).forever();
        let cluster = Cluster::start(server.client(), Scope::default(), 7);
        assert!(!cluster.first_sync(Duration::from_mins(1)).await);
        let facts = cluster.facts();
        assert_eq!((covers(&facts), lacks(&facts)), (false, None), "{what}");
        let facts = until(&cluster, |facts| lacks(facts).is_some()).await;
        let said = lacks(&facts).unwrap();
        assert!(said.starts_with("cannot list and watch"), "{said}");
        assert!(said.contains("503"), "{said}");
        assert!(cluster.health().iter().all(MirrorHealth::has_settled));
        let (before, begun) = (server.count(verb, what), Instant::now());
        tokio::time::sleep(Duration::from_mins(30)).await;
        let each = begun.elapsed() / u32::try_from(server.count(verb, what) - before).unwrap();
        assert!(each >= Duration::from_secs(20), "asked every {each:?}");
        assert!(!covers(&cluster.facts()));
        server.heal();
        let facts = until(&cluster, covers).await;
        assert_eq!((objects(&facts), lacks(&facts)), (1, None));
    }
}

#[tokio::test(start_paused = true)]
async fn promise_2_while_the_api_server_itself_fails_no_kind_is_given_up() {
    let server = with_rollout();
    let paths = ["/apis/argoproj.io", "/apis/apps", "/apis"];
    for path in paths {
        let planned = server.fail(Verb::Discover, path, Fault::Refused);
        planned.forever();
    }
    let cluster = Cluster::start(server.client(), Scope::default(), 7);
    assert!(!cluster.first_sync(Duration::from_mins(1)).await);
    for _ in 0..60 {
        tokio::time::sleep(Duration::from_secs(30)).await;
        let facts = cluster.facts();
        assert_eq!((covers(&facts), lacks(&facts)), (false, None));
    }
    server.heal();
    until(&cluster, |facts| {
        assert_eq!(lacks(facts), None);
        covers(facts)
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn promise_2_a_definition_that_goes_while_it_is_watched_ends_nothing_until_it_is_known_gone()
{
    let server = with_rollout();
    let cluster = start(&server, Scope::default()).await;
    let gone_at = Instant::now();
    server.undefine("Rollout");
    until(&cluster, |facts| !covers(facts)).await;
    let facts = until(&cluster, covers).await;
    // It is asked at once, not when somebody happens to have second thoughts.
    let took = gone_at.elapsed();
    assert!((5..20).contains(&took.as_secs()), "{took:?}");
    assert_eq!(objects(&facts), 0);
    server.define(rollouts());
    let facts = until(&cluster, |facts| objects(facts) == 1).await;
    assert!(covers(&facts));
}

#[tokio::test(start_paused = true)]
async fn promise_2_a_404_of_a_kind_that_the_api_server_still_has_proves_nothing_and_makes_no_storm()
{
    let server = with_rollout();
    let cluster = start(&server, Scope::default()).await;
    server
        .fail(Verb::List, "Rollout", Fault::Status(404))
        .forever();
    server
        .fail(Verb::Watch, "Rollout", Fault::Status(404))
        .forever();
    server.end_watches("Rollout");
    until(&cluster, |facts| !covers(facts)).await;
    let before = server.calls().len();
    for _ in 0..60 {
        tokio::time::sleep(Duration::from_secs(30)).await;
        let facts = cluster.facts();
        assert_eq!((covers(&facts), objects(&facts)), (false, 1));
    }
    let about_it = server.calls().into_iter().skip(before);
    let about_it = about_it.filter(|call| call.kind.contains("argoproj") || call.kind == "Rollout");
    let calls = about_it.count();
    assert!(calls <= 260, "{calls} in half an hour");
    server.heal();
    until(&cluster, covers).await;
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_changes_its_version_and_its_plural_is_followed() {
    let server = with_rollout();
    let cluster = start(&server, Scope::default()).await;
    server.undefine("Rollout");
    server.define(Definition {
        versions: vec!["v1", "v1beta1"],
        plural: "rolls",
        ..rollouts()
    });
    server.apply(a_rollout("shop", "api"));
    let begun = Instant::now();
    let facts = until(&cluster, |facts| objects(facts) == 2).await;
    assert!(covers(&facts));
    assert!(begun.elapsed() < Duration::from_secs(10));
    server.forbid("Rollout");
    server.expire("Rollout");
    let facts = until(&cluster, |facts| lacks(facts).is_some()).await;
    assert!(lacks(&facts).unwrap().contains(" rolls in argoproj.io"));
}

#[tokio::test(start_paused = true)]
async fn owners_without_a_namespace_are_read_as_they_are() {
    let server = server(0);
    server.define(Definition {
        namespaced: false,
        ..rollouts()
    });
    let mut owner = a_rollout("", "web");
    owner["metadata"] = json!({"name": "web", "uid": "web"});
    server.apply(owner);
    server.apply(its_pod("shop", "web-0", "web"));
    for scope in [Scope::default(), exactly(&["shop"])] {
        let cluster = start(&server, scope).await;
        let facts = cluster.facts();
        assert_eq!((covers(&facts), objects(&facts)), (true, 1));
        cluster.stop().await;
    }
}
