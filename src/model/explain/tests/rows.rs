//! Each row of the truth table is explained once, with the record as it stands.

use crate::model::facts::State as Ran;
use crate::model::fixtures::{destination, minutes};
use crate::model::gap::Reason;
use crate::model::ledger::{Entry, Ledger, Outcome, Owner};
use crate::model::moment::Moment;
use crate::model::plan::{State, Why};
use crate::model::record::{Destination, Identity, Status};
use crate::model::selection::Pattern;

use super::*;

/// The least scene in which `web` is decided by that row, and what its records are then in.
#[expect(clippy::too_many_lines, reason = "a table, a scene for each row")]
fn decided_by(row: Row) -> (Scene, &'static [State]) {
    let mut scene = Scene::recorded();
    let states: &[State] = match row {
        Row::Foreign => {
            scene.policy.destination = Arc::new(Destination {
                host: "api.acme.ghe.com".into(),
                ..destination()
            });
            scene.delete(&Kind::Deployment, "web");
            &[State::Withheld]
        }
        Row::Tombstone => {
            scene.delete(&Kind::Deployment, "web");
            scene.cycle();
            &[State::Tombstone]
        }
        // An adopted record is no workload's: below.
        Row::Adopted => &[],
        Row::NamespaceGone => {
            scene.delete(&Kind::Deployment, "web");
            scene.facts.namespaces.clear();
            &[State::Decommissioning]
        }
        Row::NotSelected => {
            scene.policy.selection.exclude_namespaces = vec![Pattern::new("shop")];
            &[State::Decommissioning]
        }
        Row::NotCovered => {
            scene.forbid(&Kind::Deployment);
            &[State::Withheld]
        }
        Row::WorkloadGone => {
            scene.delete(&Kind::Deployment, "web");
            &[State::Decommissioning]
        }
        Row::Refused => {
            scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(2)));
            scene.cycle_with(|_| Outcome::Refused(Reason::Unauthorized));
            &[State::Retained]
        }
        Row::Known => &[State::Deployed],
        Row::Moved => {
            scene.policy.template = "{namespace}/{workload}/{container}".parse().unwrap();
            &[State::Withheld, State::Reporting]
        }
        Row::New => {
            scene.ledger = Ledger::default();
            &[State::Reporting]
        }
        Row::NoDigest => {
            scene.change_pods("web", |pod| pod.containers[0].digest = None);
            &[State::Retained]
        }
        Row::NotRunning => {
            scene.change_pods("web", |pod| pod.containers[0].state = Ran::NeverRan);
            &[State::Retained]
        }
        Row::Dropped => {
            scene.change_pods("web", |pod| pod.containers[0].name = "other".into());
            &[State::Decommissioning]
        }
        Row::BetweenRuns => {
            scene = Scene::new();
            scene.run(&Kind::CronJob, "web", [container("app", &image("web"), 1)]);
            scene.cycle();
            scene.remove_pods("web");
            &[State::Retained]
        }
        Row::Idle => {
            scene.remove_pods("web");
            &[State::Retained]
        }
    };
    (scene, states)
}

#[test]
fn each_row_of_the_truth_table_is_explained_with_the_state_of_the_record() {
    for row in Row::ALL.into_iter().filter(|row| *row != Row::Adopted) {
        let (scene, states) = decided_by(row);
        let part = part(&scene, "web");
        assert_eq!(part.row, Some(row));
        let found: Vec<State> = part.records.iter().map(|record| record.state).collect();
        assert_eq!(found, states, "{row:?}");
        for record in &part.records {
            let is_withheld = record.state == State::Withheld;
            assert_eq!(record.why.is_some(), is_withheld, "{row:?}");
            assert_eq!(
                record.memory.held.is_some(),
                record.state != State::Reporting,
                "{row:?}"
            );
        }
    }
}

#[test]
fn a_record_that_is_nobodys_is_explained_by_its_name() {
    let mut scene = Scene::recorded();
    let (_, entry) = scene.ledger.entries().next().unwrap();
    let mut entry = as_stored(entry);
    entry.owner = Owner::Adopted;
    let identity = scene.identity("from-before");
    scene.ledger = Ledger::restore(None, [(identity, entry)], [], Moment::START);
    scene.forbid(&Kind::Job);
    let Answer::Unowned(found) = ask(&scene, "from-before") else {
        panic!("it is known")
    };
    let [(record, Row::Adopted)] = &*found else {
        panic!("{found:?}")
    };
    assert_eq!(
        (record.state, record.why),
        (State::Withheld, Some(Why::Adopted))
    );
    let told = |scene: &Scene| match ask(scene, "from-before") {
        Answer::Unowned(found) => (found[0].0.state, found[0].1),
        other => panic!("{other:?}"),
    };
    scene.read(&Kind::Job);
    assert_eq!(told(&scene), (State::Decommissioning, Row::Adopted));
    scene.cycle();
    assert_eq!(told(&scene), (State::Tombstone, Row::Tombstone));
}

#[test]
fn the_records_of_a_workload_are_its_own() {
    let mut scene = Scene::recorded();
    scene.deploy("api", "app", 2);
    scene.cycle();
    for name in ["api", "web"] {
        scene.change_pods(name, |pod| pod.containers[0].digest = Some(digest(3)));
    }
    scene.cycle_with(|_| Outcome::Refused(Reason::Unauthorized));
    scene.delete(&Kind::Deployment, "api");
    scene.forbid(&Kind::Deployment);
    for name in ["api", "web"] {
        let records = part(&scene, name).records;
        let names: Vec<&str> = records.iter().map(|it| &*it.identity.name).collect();
        assert_eq!(names, [format!("shop-{name}-app")]);
    }
}

#[test]
fn what_its_pods_say_of_a_container_is_told_apart() {
    use Standing::{Dropped, InSpec, NoNamespace, NoPods, NoWorkload, Runs};
    for (row, standing) in [
        (Row::NamespaceGone, NoNamespace),
        (Row::WorkloadGone, NoWorkload),
        (Row::Known, Runs),
        (Row::NotRunning, InSpec),
        (Row::Dropped, Dropped),
        (Row::Idle, NoPods),
    ] {
        let (scene, _) = decided_by(row);
        assert_eq!(part(&scene, "web").standing, standing, "{row:?}");
    }
    let all = [Runs, InSpec, Dropped, NoPods, NoWorkload, NoNamespace];
    assert_told_apart(all.map(Standing::as_str));
}

#[test]
fn what_is_refused_says_why_and_when_it_is_asked_again() {
    let (scene, _) = decided_by(Row::Refused);
    let part = part(&scene, "web");
    let [refused] = &*part.records[0].memory.refused else {
        panic!("{part:?}")
    };
    assert_eq!(
        (refused.reason, refused.status),
        (Reason::Unauthorized, Status::Deployed)
    );
    assert_eq!(refused.retry_at, scene.now + minutes(1));
    assert_eq!(refused.body.digest, digest(2));
    assert_eq!(
        part.records[0].memory.held.as_ref().unwrap().digest,
        digest(1)
    );
    assert_eq!(part.gaps[0].reason, Reason::Unauthorized);
}

#[test]
fn what_was_refused_before_it_was_ever_taken_is_explained_without_an_entry() {
    let mut scene = Scene::new();
    scene.deploy("web", "app", 1);
    scene.cycle_with(|_| Outcome::Refused(Reason::NotFound));
    assert!(scene.ledger.is_empty());
    let part = part(&scene, "web");
    assert_eq!(part.row, Some(Row::Refused));
    assert_eq!(part.records[0].state, State::Silent);
    assert_eq!(part.records[0].memory.refused[0].reason, Reason::NotFound);
    assert_eq!(part.records[0].memory.held, None);
}

#[test]
fn what_is_unanswered_stands_beside_what_was_acknowledged() {
    let mut scene = Scene::recorded();
    scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(2)));
    scene.cycle_with(|_| Outcome::Unknown);
    let record = &part(&scene, "web").records[0];
    assert_eq!(record.state, State::Reporting);
    assert_eq!(record.memory.held.as_ref().unwrap().digest, digest(1));
    let [(Status::Deployed, body)] = &*record.memory.unanswered else {
        panic!("{record:?}")
    };
    assert_eq!(body.digest, digest(2));
}

#[test]
fn how_long_something_is_missing_or_idle_is_known_where_a_ledger_knows_it() {
    let mut scene = Scene::recorded();
    scene.remove_pods("web");
    let plan = scene.plan();
    scene.observe(&plan);
    let since = scene.now;
    scene.wait(minutes(5));
    assert_eq!(
        part(&scene, "web").records[0].memory.idle_since,
        Some(since)
    );
    scene.wait(minutes(60));
    scene.cycle();
    let record = &part(&scene, "web").records[0];
    assert_eq!(record.state, State::Tombstone);
    assert_eq!(record.memory.ends_again_at, Some(scene.now + minutes(10)));
}

#[test]
fn nothing_is_kept_for_explanations_of_what_is_as_it_is_held() {
    let mut scene = Scene::recorded();
    let known = |scene: &Scene| {
        let plan = scene.plan();
        Known::all(&scene.ledger, &plan, scene.policy.settle_after).len()
    };
    assert_eq!(known(&scene), 0);
    scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(2)));
    assert_eq!(known(&scene), 1, "what is to be reported has another body");
    let identity = Identity {
        destination: Arc::new(destination()),
        name: "kept".into(),
    };
    let entries = [(identity, Entry::new(Owner::Unreadable("?".into())))];
    scene.ledger = Ledger::restore(None, entries, [], Moment::START);
    assert_eq!(known(&scene), 1);
}
