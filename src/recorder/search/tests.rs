//! The search against a GitHub of rules: how many requests it takes, and what it comes to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use http::StatusCode;

use super::*;
use crate::github::answer::{Refusal, Taken};
use crate::github::request::MAX_LINES;
use crate::model::image::Digest;
use crate::model::ledger::Owner;
use crate::model::plan::Step;
use crate::model::record::{Body, Destination, Status};
use crate::model::risk::Risks;
use crate::model::text_map::TextMap;

fn step(environment: &str, number: usize, fresh: bool) -> Step {
    step_in("acme", environment, number, fresh)
}

fn step_in(organization: &str, environment: &str, number: usize, fresh: bool) -> Step {
    let destination = Destination {
        host: "api.github.com".into(),
        organization: organization.into(),
        cluster: "main".into(),
        logical_environment: environment.into(),
        physical_environment: None,
    };
    let body = Body {
        digest: Digest::parse(&format!("sha256:{:064x}", 1)).unwrap(),
        name: "ghcr.io/acme/web".into(),
        version: None,
        repository: None,
        tags: TextMap::default(),
        risks: Risks::default(),
    };
    let line = Line {
        identity: Identity {
            destination: Arc::new(destination),
            name: format!("{number:04}").into(),
        },
        body: Arc::new(body),
        status: Status::Deployed,
    };
    Step {
        line,
        owner: Owner::Adopted,
        fresh,
    }
}

/// Names that are to be sent, and those that GitHub takes as they are.
fn plan(new: std::ops::Range<usize>, unchanged: std::ops::Range<usize>) -> Plan {
    Plan {
        reports: new.map(|number| step("prod", number, true)).collect(),
        unchanged: unchanged
            .map(|number| step("prod", number, false))
            .collect(),
        ..Plan::default()
    }
}

/// What became of each name, and how many requests it took.
#[derive(Debug, Default)]
struct Story {
    requests: usize,
    taken: BTreeSet<usize>,
    refused: BTreeMap<usize, Reason>,
    invalid: BTreeSet<usize>,
    outage: bool,
    denied: bool,
    /// How many lines were left out.
    left: usize,
}

fn numbers(batch: &Batch) -> Vec<usize> {
    let names = batch.steps.iter().map(|step| &step.line.identity.name);
    names.map(|name| name.parse().unwrap()).collect()
}

/// Sends everything of a plan to a GitHub that answers each request so.
fn play(plan: &Plan, batches: Vec<Batch>, github: impl Fn(&[usize]) -> Answer) -> Story {
    play_asking(plan, batches, github, &mut Doubts::default())
}

/// The same, with what searches before came to.
fn play_asking(
    plan: &Plan,
    batches: Vec<Batch>,
    github: impl Fn(&[usize]) -> Answer,
    doubts: &mut Doubts,
) -> Story {
    let mut search = Search::new(plan).only_asking(doubts.asked());
    let mut story = Story::default();
    let organizations: BTreeSet<Access> = batches.iter().map(Batch::access).collect();
    for batch in batches {
        search.add(batch);
    }
    while let Some(batch) = search.next() {
        let names = numbers(&batch);
        let unique: BTreeSet<&usize> = names.iter().collect();
        assert_eq!(unique.len(), names.len(), "a name twice in {names:?}");
        assert!(names.len() <= MAX_LINES);
        let answer = github(&names);
        story.requests += 1;
        let doubted = search.doubts(&batch, &answer);
        match search.answered(batch, &answer) {
            Ruling::Settled => match &answer {
                Ok(taken) => {
                    let refused: BTreeSet<usize> =
                        taken.refused.iter().map(|(index, _)| *index).collect();
                    for (index, name) in names.into_iter().enumerate() {
                        if refused.contains(&index) {
                            story.refused.insert(name, Reason::NotFound);
                        } else {
                            story.taken.insert(name);
                        }
                    }
                }
                Err(_) => story.denied |= !doubted,
            },
            Ruling::Refused(line, reason) => {
                assert_eq!(line.identity.name.parse(), Ok(names[0]), "no witness");
                story.refused.insert(names[0], reason);
            }
            Ruling::Later | Ruling::Dropped => {}
        }
    }
    story.left = search.rest().map(|batch| batch.steps.len()).sum();
    let verdict = search.verdict();
    doubts.learn(&verdict);
    story.outage = !verdict.outages.is_empty();
    let invalid = verdict.invalid.iter();
    story.invalid = invalid
        .map(|line| line.identity.name.parse().unwrap())
        .collect();
    let most = 60 * organizations.len();
    assert!(story.requests < most, "{} requests", story.requests);
    story
}

#[expect(clippy::unnecessary_wraps, reason = "it is one of several answers")]
fn taken() -> Answer {
    Ok(Taken {
        refused: Vec::new(),
        unknown: Vec::new(),
    })
}

/// GitHub turns a request down whole for any name of this kind.
fn invalid(bad: impl Fn(usize) -> bool) -> impl Fn(&[usize]) -> Answer {
    move |names| {
        if names.iter().any(|name| bad(*name)) {
            Err(Failure::Invalid {
                status: StatusCode::UNPROCESSABLE_ENTITY,
                message: String::new(),
            })
        } else {
            taken()
        }
    }
}

fn changes(plan: &Plan) -> Vec<Batch> {
    super::super::batch::changes(plan, MAX_LINES)
}

/// Plays one cycle after the other until nothing is left to find out; how many that took.
fn cycles(new: usize, held: usize, bad: impl Fn(usize) -> bool + Copy) -> usize {
    let mut left: BTreeSet<usize> = (0..new).collect();
    let mut taken: BTreeSet<usize> = (new..new + held).collect();
    for cycle in 1..100 {
        let mut plan = plan(0..0, 0..0);
        plan.unchanged = taken
            .iter()
            .map(|name| step("prod", *name, false))
            .collect();
        plan.reports = left.iter().map(|name| step("prod", *name, true)).collect();
        let story = play(&plan, changes(&plan), invalid(bad));
        assert!(!story.outage, "{} left", left.len());
        assert!(story.invalid.iter().all(|name| bad(*name)));
        taken.extend(&story.taken);
        left.retain(|name| !story.taken.contains(name) && !story.invalid.contains(name));
        if left.is_empty() {
            return cycle;
        }
    }
    panic!("{} are left for ever", left.len());
}

#[test]
fn one_invalid_record_among_a_thousand_takes_twenty_one_requests() {
    let plan = plan(0..999, 2000..2001);
    let story = play(&plan, changes(&plan), invalid(|name| name == 500));
    assert_eq!(story.invalid, BTreeSet::from([500]));
    assert_eq!(story.taken.len(), 999);
    assert!(story.requests <= 22, "{}", story.requests);
}

#[test]
fn promise_5_however_many_neighbours_are_invalid_each_cycle_finds_some_of_them() {
    // As many as there are cuts, more, and nearly all; with a record that GitHub took before.
    for bad in [20, 21, 40, 150] {
        let took = cycles(bad + 1, 1, |name| name < bad);
        assert!(took <= bad / 5 + 2, "{bad}: {took} cycles");
    }
    // Without one: the good ones are found because the farthest part is tried.
    for bad in [26, 60] {
        cycles(200, 0, |name| name < bad);
        cycles(200, 0, |name| name >= 200 - bad);
    }
    cycles(1000, 1, |name| name % 62 == 0);
}

#[test]
fn promise_5_one_organization_with_hundreds_at_fault_takes_the_turns_of_no_other() {
    let mut plan = plan(0..999, 1000..1001);
    let tools = (2000..2999).map(|name| step_in("tools", "prod", name, true));
    plan.reports.extend(tools);
    plan.unchanged.push(step_in("tools", "prod", 3000, false));
    // Nineteen cuts for these two.
    let bad = |name: usize| name < 600 || name == 2000 || name == 2998;
    let story = play(&plan, changes(&plan), invalid(bad));
    assert!(
        [2000, 2998].iter().all(|name| story.invalid.contains(name)),
        "{story:?}"
    );
    let taken = story
        .taken
        .iter()
        .filter(|name| (2000..2999).contains(*name));
    assert_eq!(taken.count(), 997);
    assert!(story.invalid.len() > 2, "the other is searched too");
    // The parts of both go in turn.
    let (mut search, mut turns) = (Search::new(&plan), Vec::new());
    for batch in changes(&plan) {
        search.add(batch);
    }
    while let Some(batch) = search.next() {
        let answer = invalid(bad)(&numbers(&batch));
        turns.push(numbers(&batch)[0] < 2000);
        search.answered(batch, &answer);
    }
    let first = turns.iter().take(18).filter(|is_first| **is_first);
    assert_eq!(first.count(), 9, "{turns:?}");
}

#[test]
fn when_everything_is_invalid_nothing_is_set_apart() {
    for held in [0, 1, 5] {
        let plan = plan(0..30, 100..100 + held);
        let story = play(&plan, changes(&plan), invalid(|_| true));
        assert!(story.outage);
        assert!(story.invalid.is_empty() && story.refused.is_empty());
    }
}

/// How many requests each of so many searches takes to which GitHub calls everything invalid.
fn searches(plan: &Plan, doubts: &mut Doubts, count: usize) -> Vec<usize> {
    let search = |_| {
        let story = play_asking(plan, changes(plan), invalid(|_| true), doubts);
        assert!(story.outage && story.invalid.is_empty());
        story.requests
    };
    (0..count).map(search).collect()
}

#[test]
fn promise_6_where_everything_is_invalid_three_requests_ask_again_and_few_searches_look_again() {
    for held in [0, 5] {
        // Two batches.
        let mut plan = plan(0..30, 100..100 + held);
        plan.decommissions = vec![step("prod", 90, false)];
        let mut doubts = Doubts::default();
        let requests = searches(&plan, &mut doubts, 40);
        for (number, requests) in requests.iter().enumerate() {
            let is_whole = [0, 4, 32].contains(&number);
            assert_eq!(*requests > 3, is_whole, "{number}: {requests}");
        }
        // What is over is found by that, and what is at fault then is searched for.
        let story = play_asking(
            &plan,
            changes(&plan),
            invalid(|name| name == 7),
            &mut doubts,
        );
        assert!(story.invalid.contains(&7), "{story:?}");
        assert_eq!(story.left, 0);
        assert!(doubts.asked().is_empty());
    }
}

#[test]
fn promise_5_who_is_only_asked_takes_what_is_valid_whatever_else_waits() {
    // One is invalid and nothing was ever taken; another comes, in the same batch or in one of its own.
    for fresh in [true, false] {
        let mut plan = plan(0..1, 0..0);
        let mut doubts = Doubts::default();
        searches(&plan, &mut doubts, 6);
        plan.reports.push(step("prod", 1, fresh));
        let story = play_asking(
            &plan,
            changes(&plan),
            invalid(|name| name == 0),
            &mut doubts,
        );
        assert_eq!(story.taken, BTreeSet::from([1]));
        assert_eq!(story.invalid, BTreeSet::from([0]));
    }
    // What was taken before is invalid itself by now.
    let plan = plan(0..4, 100..102);
    let mut doubts = Doubts::default();
    searches(&plan, &mut doubts, 6);
    let story = play_asking(
        &plan,
        changes(&plan),
        invalid(|name| name == 100),
        &mut doubts,
    );
    assert_eq!(story.left, 0);
    assert!(story.taken.contains(&101) && !story.outage, "{story:?}");
}

#[test]
fn only_who_calls_everything_invalid_is_merely_asked_and_who_is_forgotten_is_not() {
    let mut plan = plan(0..30, 100..101);
    let tools = (2000..2030).map(|name| step_in("tools", "prod", name, true));
    plan.reports.extend(tools);
    let mut doubts = Doubts::default();
    let bad = |name: usize| name < 2000 || name == 2010;
    let story = play_asking(&plan, changes(&plan), invalid(bad), &mut doubts);
    assert!(story.outage && story.invalid.contains(&2010));
    let acme = Access::new("api.github.com", "acme");
    assert_eq!(doubts.asked(), BTreeSet::from([acme.clone()]));
    let story = play_asking(&plan, changes(&plan), invalid(bad), &mut doubts);
    assert!(story.outage && story.invalid.contains(&2010), "{story:?}");
    assert_eq!(story.taken.len(), 29);
    doubts.keep(|access| *access != acme);
    assert!(doubts.asked().is_empty());
}

#[test]
fn promise_5_what_is_turned_down_whole_holds_back_no_other_batch() {
    let mut plan = plan(0..40, 100..101);
    plan.decommissions = vec![step("prod", 90, false)];
    let (mut search, batches) = (Search::new(&plan), changes(&plan));
    assert_eq!(batches.len(), 2);
    for batch in batches {
        search.add(batch);
    }
    let first = search.next().unwrap();
    let answer = invalid(|name| name < 40)(&numbers(&first));
    assert_eq!(search.answered(first, &answer), Ruling::Later);
    assert_eq!(numbers(&search.next().unwrap()), [90]);
}

/// GitHub finds only these; a request with none of them is answered 404.
fn finds(known: impl Fn(usize) -> bool) -> impl Fn(&[usize]) -> Answer {
    move |names| {
        let unknown = names.iter().enumerate().filter(|(_, name)| !known(**name));
        let refused: Vec<_> = unknown.map(|(at, _)| (at, Refusal::NotFound)).collect();
        if refused.len() == names.len() {
            return Err(Failure::NoAccess {
                status: StatusCode::NOT_FOUND,
                message: "no repositories found".to_owned(),
            });
        }
        Ok(Taken {
            refused,
            unknown: Vec::new(),
        })
    }
}

#[test]
fn promise_5_a_request_in_which_github_finds_nothing_is_no_lost_access() {
    // Held names that begin to run what GitHub does not find.
    let mut held = plan(0..3, 100..102);
    held.reports.iter_mut().for_each(|step| step.fresh = false);
    let story = play(&held, changes(&held), finds(|name| name >= 100));
    assert!(!story.denied);
    assert_eq!(story.refused.len(), 3);
    assert_eq!(story.requests, 2, "one more, with a witness");
    // New names of another place, where GitHub took nothing before.
    let mut elsewhere = plan(0..0, 100..102);
    elsewhere.reports = (0..3).map(|name| step("tools", name, true)).collect();
    let story = play(&elsewhere, changes(&elsewhere), finds(|name| name >= 100));
    assert!(!story.denied);
    assert_eq!(story.refused.len(), 3);
}

#[test]
fn access_that_is_lost_is_believed_after_one_more_request() {
    for fresh in [true, false] {
        let mut plan = plan(0..3, 100..102);
        plan.reports.iter_mut().for_each(|step| step.fresh = fresh);
        let story = play(&plan, changes(&plan), finds(|_| false));
        assert!(story.denied);
        assert!(story.refused.is_empty());
        assert_eq!(story.requests, if fresh { 2 } else { 3 });
    }
    // There is nothing that GitHub took before.
    let plan = plan(0..3, 0..0);
    let story = play(&plan, changes(&plan), finds(|_| false));
    assert!(story.denied);
    assert_eq!(story.requests, 1);
}

#[test]
fn a_full_batch_has_no_place_for_a_witness_and_none_is_sent_twice() {
    let plan = plan(0..0, 0..1500);
    let mut rest = super::super::rest::Rest::default();
    rest.begin(&plan);
    let batches = super::super::batch::snapshot(&plan, &rest, MAX_LINES);
    let story = play(&plan, batches, finds(|name| name >= 1000));
    assert!(!story.denied);
    assert_eq!(story.taken, (1000..1500).collect());
    assert_eq!(story.refused.len(), 1000);
}

#[test]
fn promise_5_a_witness_that_is_at_fault_itself_closes_no_organization() {
    // The first one that is unchanged is not found any more, and nobody knows it yet.
    let mut held = plan(0..2, 100..103);
    held.reports.iter_mut().for_each(|step| step.fresh = false);
    for fresh in [true, false] {
        held.reports.iter_mut().for_each(|step| step.fresh = fresh);
        let story = play(&held, changes(&held), finds(|name| name > 100));
        assert!(!story.denied);
        assert_eq!(story.refused.len(), 2);
        assert!(story.requests <= 3, "{}", story.requests);
    }
    // The same of one that is invalid.
    let plan = plan(0..1, 100..103);
    let story = play(&plan, changes(&plan), invalid(|name| name <= 100));
    assert!(!story.outage);
    assert!(story.invalid.contains(&0), "{story:?}");
}

#[test]
fn promise_5_witnesses_of_one_repository_that_is_gone_close_no_organization() {
    for fresh in [true, false] {
        // The first ones that are unchanged are not found any more, and nobody knows it yet.
        let mut held = plan(0..3, 100..500);
        held.reports.iter_mut().for_each(|step| step.fresh = fresh);
        let story = play(&held, changes(&held), finds(|name| name > 450));
        assert!(!story.denied);
        assert_eq!(story.refused.keys().filter(|name| **name < 100).count(), 3);
        assert!(story.requests <= 6, "{}", story.requests);
        // Not one is found of all that are asked for: that is believed.
        let story = play(&held, changes(&held), finds(|_| false));
        assert!(story.denied);
        assert!(story.refused.is_empty() && story.taken.is_empty());
        // The last one is held back by the pause that this begins.
        assert_eq!(story.requests, if fresh { 4 } else { 5 });
    }
}

#[test]
fn promise_5_where_something_was_taken_what_is_not_found_is_no_lost_access() {
    // A place whose records are of one repository that is gone.
    let mut plan = plan(0..0, 0..3);
    let gone = (100..104).map(|number| step("staging", number, false));
    plan.unchanged.extend(gone);
    let mut rest = super::super::rest::Rest::default();
    rest.begin(&plan);
    let batches = super::super::batch::snapshot(&plan, &rest, MAX_LINES);
    let story = play(&plan, batches, finds(|name| name < 100));
    assert!(!story.denied);
    assert_eq!(story.taken, (0..3).collect());
    assert_eq!(
        story.refused.into_keys().collect::<Vec<_>>(),
        [100, 101, 102, 103]
    );
}

#[test]
fn promise_5_one_place_of_which_nothing_is_found_closes_no_other_place() {
    // All of one repository that is gone, and one of them changes.
    let mut plan = plan(0..0, 200..300);
    plan.reports.push(step("dev", 0, false));
    let gone = (1..6).map(|number| step("dev", number, false));
    plan.unchanged.extend(gone);
    let story = play(&plan, changes(&plan), finds(|name| name >= 200));
    assert!(!story.denied);
    assert_eq!(story.refused.get(&0), Some(&Reason::NotFound));
    assert!(story.requests <= 8, "{}", story.requests);
    // One of those that are asked is invalid: GitHub has looked at them.
    let mut plan = self::plan(0..1, 100..106);
    plan.reports[0].fresh = false;
    let story = play(&plan, changes(&plan), |names: &[usize]| {
        let bad = |name: &usize| *name == 104;
        if names.iter().any(bad) {
            invalid(|_| true)(names)
        } else {
            finds(|name| name == 105)(names)
        }
    });
    assert!(!story.denied);
    assert_eq!(story.refused.get(&0), Some(&Reason::NotFound));
    assert!(story.invalid.contains(&104), "{story:?}");
}

#[test]
fn access_that_is_lost_in_the_middle_of_a_search_is_believed() {
    for held in [0, 200] {
        let mut plan = plan(0..0, 1000..1000 + held);
        plan.reports = (0..1500)
            .map(|number| step("prod", number, false))
            .collect();
        let left = std::cell::Cell::new(1);
        let story = play(&plan, changes(&plan), |names: &[usize]| {
            let is_open = left.replace(0) > 0;
            finds(|_| is_open)(names)
        });
        assert!(story.denied);
        assert_eq!(story.taken.len(), 1000);
        assert!(story.refused.is_empty(), "{:?}", story.refused.len());
        assert!(story.requests <= 6, "{}", story.requests);
    }
}
