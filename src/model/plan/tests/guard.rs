//! The guard: when most names are missing at once, only those go that are missing for long.

use crate::model::fixtures::{Scene, container, image, minutes, names};
use crate::model::plan::Why;
use crate::model::workload::Kind;

/// Deployments `w0` to `w<count - 1>`, all recorded.
fn fleet(count: usize) -> Scene {
    let mut scene = Scene::new();
    for number in 0..count {
        scene.deploy(&format!("w{number}"), "app", 1);
    }
    scene.cycle();
    scene
}

fn delete(scene: &mut Scene, count: usize) {
    for number in 0..count {
        scene.delete(&Kind::Deployment, &format!("w{number}"));
    }
}

#[test]
fn promise_2_most_names_missing_at_once_are_held_back_for_five_minutes() {
    for (of, missing, held_back) in [
        (5, 3, true),
        (5, 2, false),
        (6, 3, false),
        (7, 4, true),
        (2, 2, false),
        (3, 3, true),
    ] {
        let mut scene = fleet(of);
        delete(&mut scene, missing);
        let plan = scene.plan();
        let ends = plan.decommissions.len();
        assert_eq!(
            ends,
            if held_back { 0 } else { missing },
            "{missing} of {of}"
        );
        assert_eq!(plan.missing.len(), missing);
        let withheld = plan
            .withheld
            .iter()
            .filter(|(_, why)| *why == Why::MassDecommission);
        assert_eq!(withheld.count(), missing - ends);
    }
}

#[test]
fn the_hold_ends_for_each_name_by_itself() {
    let mut scene = fleet(5);
    delete(&mut scene, 3);
    let plan = scene.cycle();
    assert!(plan.decommissions.is_empty());
    assert_eq!(plan.due, Some(scene.now + minutes(5)));
    scene.wait(minutes(3));
    scene.delete(&Kind::Deployment, "w3");
    assert!(scene.cycle().decommissions.is_empty());
    scene.wait(minutes(2));
    let plan = scene.cycle();
    assert_eq!(
        names(&plan.decommissions),
        ["shop-w0-app", "shop-w1-app", "shop-w2-app"]
    );
    scene.deploy("w0", "app", 1);
    let plan = scene.cycle();
    assert_eq!(
        names(&plan.decommissions),
        ["shop-w3-app"],
        "one of three: no longer most"
    );
}

#[test]
fn a_name_that_came_back_begins_its_hold_anew() {
    let mut scene = fleet(7);
    delete(&mut scene, 5);
    scene.cycle();
    scene.wait(minutes(4));
    scene.deploy("w0", "app", 1);
    scene.cycle();
    scene.delete(&Kind::Deployment, "w0");
    scene.cycle();
    scene.wait(minutes(1));
    let plan = scene.plan();
    assert_eq!(plan.decommissions.len(), 4);
    assert_eq!(
        plan.withheld,
        [(scene.identity("shop-w0-app"), Why::MassDecommission)]
    );
    assert_eq!(plan.due, Some(scene.now + minutes(4)));
}

#[test]
fn reports_are_never_held_back() {
    let mut scene = fleet(3);
    delete(&mut scene, 3);
    scene.deploy("new", "app", 1);
    let plan = scene.plan();
    assert_eq!(names(&plan.reports), ["shop-new-app"]);
    assert!(plan.decommissions.is_empty());
}

#[test]
fn a_name_that_another_source_takes_over_is_not_missing() {
    let mut scene = fleet(3);
    delete(&mut scene, 3);
    for number in 0..3 {
        let name = format!("w{number}");
        scene.run(
            &Kind::StatefulSet,
            &name,
            [container("app", &image(&name), 1)],
        );
    }
    let plan = scene.plan();
    assert_eq!(plan.reports.len(), 3);
    assert!(plan.missing.is_empty() && plan.decommissions.is_empty() && plan.withheld.is_empty());
}

#[test]
fn a_tombstone_counts_on_neither_side_and_its_second_end_passes() {
    let mut scene = fleet(7);
    delete(&mut scene, 3);
    scene.cycle();
    scene.wait(minutes(10));
    scene.delete(&Kind::Deployment, "w3");
    scene.delete(&Kind::Deployment, "w4");
    // Two of four are missing; with the tombstones it were five of seven.
    assert_eq!(scene.plan().decommissions.len(), 5);
    scene.delete(&Kind::Deployment, "w5");
    let plan = scene.plan();
    assert_eq!(
        names(&plan.decommissions),
        ["shop-w0-app", "shop-w1-app", "shop-w2-app"]
    );
    assert_eq!(plan.withheld.len(), 3);
}

#[test]
fn a_move_passes_the_guard() {
    let mut scene = fleet(5);
    scene.policy.template = "{workload}".parse().unwrap();
    scene.cycle();
    assert_eq!(scene.plan().decommissions.len(), 5);
}

#[test]
fn entries_of_another_host_do_not_thin_out_what_is_missing() {
    let mut scene = fleet(9);
    let there = std::mem::replace(&mut scene.policy.destination, {
        let mut here = crate::model::fixtures::destination();
        here.host = "api.acme.ghe.com".into();
        here.into()
    });
    delete(&mut scene, 6);
    scene.cycle();
    assert_eq!(scene.ledger.len(), 12, "nine of {}", there.host);
    for number in 6..9 {
        scene.delete(&Kind::Deployment, &format!("w{number}"));
    }
    assert!(
        scene.plan().decommissions.is_empty(),
        "all three of this host are missing"
    );
}
