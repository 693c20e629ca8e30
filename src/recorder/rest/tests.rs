//! What is left of a snapshot, from plan to plan.

use super::*;
use crate::model::fixtures::Scene;
use crate::model::plan::Why;

/// A plan of so many records that GitHub holds as they are.
fn plan() -> Plan {
    let mut scene = Scene::new();
    for number in 0..6 {
        scene.deploy(&format!("web{number}"), "app", number);
    }
    scene.cycle();
    let plan = scene.plan();
    assert_eq!(plan.unchanged.len(), 6);
    plan
}

/// The numbers of the records that are left.
fn left(rest: &Rest, plan: &Plan) -> Vec<usize> {
    let left = rest.of(plan).into_iter().flatten();
    left.map(|step| number(&step.line.identity)).collect()
}

/// A cycle ends.
fn end_cycle(rest: &mut Rest, plan: &Plan) {
    let left = rest.of(plan).into_iter().flatten();
    let left: Vec<Access> = left
        .map(|step| Access::from(&step.line.identity.destination))
        .collect();
    rest.goes_on(left.into_iter());
}

fn number(identity: &Identity) -> usize {
    let all = 0..6;
    let mut is_it = all.filter(|number| identity.name.contains(&format!("web{number}")));
    is_it.next().unwrap()
}

fn identities(plan: &Plan, numbers: &[usize]) -> Vec<Identity> {
    let all = plan.unchanged.iter().map(|step| &step.line.identity);
    all.filter(|it| numbers.contains(&number(it)))
        .cloned()
        .collect()
}

/// Nothing can be said of these for now.
fn withhold(plan: &mut Plan, numbers: &[usize]) {
    let withheld = identities(plan, numbers);
    plan.unchanged
        .retain(|step| !withheld.contains(&step.line.identity));
    let withheld = withheld.into_iter().map(|it| (it, Why::NotCovered));
    plan.withheld.extend(withheld);
}

#[test]
fn each_record_is_left_until_it_is_sent_in_whatever_order_that_is() {
    let (plan, mut rest) = (plan(), Rest::default());
    assert!(left(&rest, &plan).is_empty());
    rest.begin(&plan);
    assert_eq!(left(&rest, &plan), [0, 1, 2, 3, 4, 5]);
    rest.sent(&identities(&plan, &[2, 3]));
    assert_eq!(left(&rest, &plan), [0, 1, 4, 5]);
    // The next one that is due goes on with it.
    end_cycle(&mut rest, &plan);
    rest.begin(&plan);
    assert_eq!(left(&rest, &plan), [0, 1, 4, 5]);
    rest.sent(&identities(&plan, &[0, 1, 4, 5]));
    end_cycle(&mut rest, &plan);
    assert!(left(&rest, &plan).is_empty());
    rest.begin(&plan);
    assert_eq!(left(&rest, &plan).len(), 6);
}

#[test]
fn what_cannot_be_sent_for_a_moment_stays_and_what_changes_or_ends_does_not() {
    let (whole, mut rest) = (plan(), Rest::default());
    rest.begin(&whole);
    rest.sent(&identities(&whole, &[0, 5]));
    let mut later = plan();
    withhold(&mut later, &[1, 2]);
    let changed = later
        .unchanged
        .iter()
        .position(|it| number(&it.line.identity) == 3);
    let changed = later.unchanged.remove(changed.unwrap());
    later.reports.push(changed);
    rest.keep(&later);
    assert_eq!(left(&rest, &later), [4]);
    rest.keep(&whole);
    assert_eq!(left(&rest, &whole), [1, 2, 4]);
}

#[test]
fn a_snapshot_of_which_nothing_can_be_sent_when_the_next_is_due_gives_way_to_it() {
    let (whole, mut rest) = (plan(), Rest::default());
    rest.begin(&whole);
    rest.sent(&identities(&whole, &[0, 1, 2, 3]));
    let mut later = plan();
    withhold(&mut later, &[4, 5]);
    rest.keep(&later);
    end_cycle(&mut rest, &later);
    // Also where all of it is seen again in the very cycle that begins it.
    rest.begin(&whole);
    assert_eq!(left(&rest, &later), [0, 1, 2, 3]);
    assert_eq!(left(&rest, &whole), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn the_rest_of_one_organization_ends_alone() {
    let (mut plan, mut rest) = (plan(), Rest::default());
    for step in plan.unchanged.iter_mut().take(2) {
        let destination = Arc::make_mut(&mut step.line.identity.destination);
        destination.organization = "tools".into();
    }
    rest.begin(&plan);
    let lists = rest.of(&plan);
    let sizes: Vec<usize> = lists.iter().map(Vec::len).collect();
    assert_eq!(sizes, [4, 2]);
    let tools = Access::from(&lists[1][0].line.identity.destination);
    rest.end(&tools);
    assert_eq!(left(&rest, &plan), [2, 3, 4, 5]);
    // The next one begins anew there, and goes on with the others.
    rest.sent(&identities(&plan, &[3]));
    end_cycle(&mut rest, &plan);
    rest.begin(&plan);
    assert_eq!(left(&rest, &plan), [2, 4, 5, 0, 1]);
}
