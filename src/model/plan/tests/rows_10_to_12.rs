//! Rows 10 to 12: what moved, what is new, and what has no digest; one digest has one name.

use std::sync::Arc;

use crate::model::facts::{Pod, State};
use crate::model::fixtures::{
    Scene, container, destination, digest, held_by, image, minutes, names, source, source_of,
};
use crate::model::gap::Reason;
use crate::model::ledger::Outcome;
use crate::model::organization::Organizations;
use crate::model::plan::body::Canon;
use crate::model::plan::{Row, Why};
use crate::model::record::Destination;
use crate::model::workload::Kind;

use super::{WEB, is_quiet, reasons, rename, scene_spelling};

type Change = fn(&mut Scene);

#[test]
fn row_10_a_move_reports_the_new_first_and_ends_the_old_once_the_new_is_acknowledged() {
    let changes: [Change; 8] = [
        rename,
        |scene| {
            let namespace = Arc::make_mut(&mut scene.facts.namespaces[0]);
            namespace.logical_environment = Some("staging".into());
        },
        |scene| {
            let namespace = Arc::make_mut(&mut scene.facts.namespaces[0]);
            namespace.physical_environment = Some("eu".into());
        },
        |scene| {
            scene.policy.destination = Arc::new(Destination {
                cluster: "prod-2".into(),
                ..Destination::clone(&scene.policy.destination)
            });
        },
        |scene| {
            scene.policy.destination = Arc::new(Destination {
                organization: "other".into(),
                ..Destination::clone(&scene.policy.destination)
            });
        },
        |scene| label(scene, Some("tools")),
        |scene| rules(scene, &["ghcr.io/acme/.*=tools"]),
        |scene| {
            rules(scene, &["quay.io/([^/]+)/.*=$1"]);
            let image = |pod: &mut Pod| pod.containers[0].image = "quay.io/tools/web:1".into();
            scene.change_pods("web", image);
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut scene = Scene::recorded();
        let old = scene.identity(WEB);
        change(&mut scene);
        for outcome in [Outcome::NotApplied, Outcome::Unknown, Outcome::Acknowledged] {
            let plan = scene.cycle_with(|_| outcome);
            assert_eq!(plan.reports.len(), 1, "{number}");
            assert_ne!(plan.reports[0].line.identity, old, "{number}");
            assert_eq!(plan.withheld, [(old.clone(), Why::Moving)], "{number}");
            assert!(plan.decommissions.is_empty(), "{number}");
        }
        let plan = scene.cycle();
        assert_eq!(plan.decommissions[0].line.identity, old, "{number}");
        assert!(plan.missing.is_empty(), "{number}: a move is not missing");
    }
}

#[test]
fn row_10_a_move_that_was_cut_short_is_finished_although_its_source_runs_no_longer() {
    type Change = fn(&mut Scene);
    let moves: [Change; 4] = [
        rename,
        |scene| environment(scene, Some("staging")),
        |scene| label(scene, Some("tools")),
        |scene| rules(scene, &["ghcr.io/acme/.*=tools"]),
    ];
    let stops: [Change; 3] = [
        |scene| scene.change_pods("web", |pod| pod.containers[0].state = State::Ran),
        |scene| scene.change_pods("web", |pod| pod.containers[0].digest = None),
        |scene| scene.remove_pods("web"),
    ];
    for (number, (go, stop)) in moves
        .into_iter()
        .flat_map(|go| stops.map(|stop| (go, stop)))
        .enumerate()
    {
        let mut scene = Scene::recorded();
        go(&mut scene);
        // The new one is acknowledged, and before the old one ends the process is killed.
        let new = scene.cycle().reports[0].line.identity.clone();
        scene.restart();
        stop(&mut scene);
        let plan = scene.cycle();
        assert_eq!(names(&plan.decommissions), [WEB], "{number}");
        assert_ne!(plan.decommissions[0].line.identity, new, "{number}");
        assert_eq!(plan.retained.len(), 1, "{number}");
        assert_eq!(plan.retained[0].line.identity, new, "{number}");
        assert!(plan.missing.is_empty(), "{number}: a move is not missing");
        assert!(scene.plan().decommissions.is_empty(), "{number}");
    }
}

#[test]
fn row_10_what_moved_back_and_runs_no_longer_ends_where_it_is_not_any_more() {
    let mut scene = Scene::recorded();
    environment(&mut scene, Some("staging"));
    let elsewhere = scene.cycle().reports[0].line.identity.clone();
    environment(&mut scene, None);
    scene.change_pods("web", |pod| pod.containers[0].state = State::Ran);
    let plan = scene.plan();
    assert_eq!(plan.decommissions[0].line.identity, elsewhere);
    assert_eq!(plan.retained[0].line.identity, scene.identity(WEB));
}

#[test]
fn promise_2_what_may_have_ended_is_no_place_that_a_move_has_reached() {
    for runs in [false, true] {
        let mut scene = Scene::recorded();
        environment(&mut scene, Some("staging"));
        let elsewhere = scene.cycle().reports[0].line.identity.clone();
        let plan = scene.cycle_with(|_| Outcome::Unknown);
        assert_eq!(names(&plan.decommissions), [WEB]);
        environment(&mut scene, None);
        if !runs {
            scene.change_pods("web", |pod| pod.containers[0].state = State::Ran);
        }
        for outcome in [Outcome::Unknown, Outcome::NotApplied, Outcome::Acknowledged] {
            let plan = scene.cycle_with(|_| outcome);
            assert_eq!(plan.reports[0].line.identity, scene.identity(WEB));
            assert_eq!(names(&plan.decommissions), [""; 0], "it runs: {runs}");
        }
        let plan = scene.plan();
        assert_eq!(plan.decommissions[0].line.identity, elsewhere);
    }
}

/// It moved to another place, and its end was not answered.
fn moved_and_may_have_ended() -> Scene {
    let mut scene = Scene::recorded();
    environment(&mut scene, Some("staging"));
    scene.cycle();
    let plan = scene.cycle_with(|_| Outcome::Unknown);
    assert_eq!(names(&plan.decommissions), [WEB]);
    scene.change_pods("web", |pod| pod.containers[0].state = State::Ran);
    scene
}

#[test]
fn promise_2_of_two_names_that_are_made_no_more_none_is_known_to_be_the_newer() {
    let mut scene = Scene::recorded();
    scene.policy.template = "{workload}".parse().unwrap();
    scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(2)));
    scene.cycle();
    scene.policy.template = "{container}".parse().unwrap();
    scene.change_pods("web", |pod| pod.containers[0].state = State::Ran);
    let plan = scene.plan();
    assert_eq!(names(&plan.decommissions), [""; 0]);
    assert_eq!(names(&plan.retained), [WEB, "web"]);
    // A third, at a place that was left, is not kept for that.
    let mut step = plan.retained[0].clone();
    step.line.identity.destination = Arc::new(Destination {
        logical_environment: "staging".into(),
        ..Destination::clone(&step.line.identity.destination)
    });
    scene.ledger.intend(&step.line, &step.owner);
    let now = scene.now;
    scene
        .ledger
        .answer(&step.line, Outcome::Acknowledged, now, minutes(10));
    let plan = scene.plan();
    assert_eq!(plan.decommissions[0].line.identity, step.line.identity);
    assert_eq!(names(&plan.retained), [WEB, "web"]);
    scene.policy.template = "{workload}".parse().unwrap();
    assert_eq!(scene.plan().decommissions.len(), 2);
}

#[test]
fn what_moved_back_is_said_once_more_to_settle_it_when_the_other_place_has_ended() {
    let mut scene = moved_and_may_have_ended();
    environment(&mut scene, None);
    assert_eq!(names(&scene.cycle().reports), [WEB]);
    assert_eq!(names(&scene.cycle().decommissions), [WEB]);
    let plan = scene.plan();
    assert_eq!(names(&plan.reports), [""; 0]);
    assert_eq!(plan.due, Some(scene.now + minutes(10)));
    scene.wait(minutes(10));
    let plan = scene.cycle();
    assert_eq!(names(&plan.reports), [WEB]);
    assert!(
        !scene
            .ledger
            .entry(&plan.reports[0].line.identity)
            .unwrap()
            .is_unanswered()
    );
}

#[test]
fn what_was_left_for_another_image_is_not_said_again_without_a_pod() {
    let mut scene = Scene::recorded();
    rules(&mut scene, &["quay.io/([^/]+)/.*=$1"]);
    scene.change_pods("web", |pod| {
        pod.containers[0].image = "quay.io/tools/web:1".into();
    });
    scene.cycle();
    let plan = scene.cycle_with(|_| Outcome::Unknown);
    assert_eq!(names(&plan.decommissions), [WEB]);
    scene.remove_pods("web");
    assert_eq!(names(&scene.plan().reports), [""; 0]);
}

#[test]
fn promise_2_what_is_said_again_and_not_answered_is_no_acknowledgement_after_a_restart() {
    let mut scene = moved_and_may_have_ended();
    environment(&mut scene, None);
    let plan = scene.cycle_with(|_| Outcome::Unknown);
    assert_eq!(names(&plan.reports), [WEB]);
    assert!(!scene.ledger.touched().is_empty(), "it is stored");
    scene.restart();
    assert_eq!(names(&scene.plan().decommissions), [""; 0]);
}

#[test]
fn what_moved_away_and_may_have_ended_is_not_said_again_where_its_source_is_not_any_more() {
    let mut scene = moved_and_may_have_ended();
    for place in [Some("staging"), Some("dev")] {
        environment(&mut scene, place);
        assert_eq!(names(&scene.plan().reports), [""; 0], "{place:?}");
    }
}

#[test]
fn row_10_what_was_sent_elsewhere_and_not_answered_ends_when_it_moved_back_and_runs_no_longer() {
    let mut scene = Scene::recorded();
    environment(&mut scene, Some("staging"));
    let plan = scene.cycle_with(|_| Outcome::Unknown);
    let elsewhere = plan.reports[0].line.identity.clone();
    environment(&mut scene, None);
    scene.restart();
    scene.remove_pods("web");
    let plan = scene.cycle();
    assert_eq!(plan.decommissions[0].line.identity, elsewhere);
    assert_eq!(plan.retained[0].line.identity, scene.identity(WEB));
    assert!(plan.missing.is_empty());
    assert!(scene.plan().decommissions.is_empty());
}

#[test]
fn promise_2_nothing_ends_by_a_move_that_github_has_not_acknowledged() {
    for outcome in [Outcome::Unknown, Outcome::Refused(Reason::NotFound)] {
        let mut scene = Scene::recorded();
        environment(&mut scene, Some("staging"));
        scene.cycle_with(|_| outcome);
        scene.change_pods("web", |pod| pod.containers[0].state = State::Ran);
        let plan = scene.cycle_with(|_| outcome);
        assert!(plan.decommissions.is_empty());
        assert_eq!(names(&plan.retained), [WEB]);
        assert!(scene.plan().decommissions.is_empty());
    }
}

#[test]
fn promise_7_a_move_that_was_not_answered_is_finished_although_nothing_is_to_be_reported_by_now() {
    let cases: [(&str, Kind, Change); 3] = [
        ("without a digest", Kind::Deployment, |scene| {
            scene.change_pods("web", |pod| pod.containers[0].digest = None);
        }),
        ("between runs", Kind::CronJob, |scene| {
            scene.remove_pods("web");
        }),
        ("gone back and there again", Kind::CronJob, |scene| {
            environment(scene, None);
            scene.remove_pods("web");
            scene.cycle_with(|_| Outcome::NotApplied);
            environment(scene, Some("staging"));
        }),
    ];
    for (case, kind, change) in cases {
        let mut scene = Scene::new();
        scene.run(&kind, "web", [container("app", "ghcr.io/acme/web:1", 1)]);
        scene.cycle();
        environment(&mut scene, Some("staging"));
        let moved = scene.cycle_with(|_| Outcome::Unknown);
        scene.restart();
        change(&mut scene);
        let plan = scene.cycle();
        assert_eq!(names(&plan.reports), [WEB], "{case}");
        assert!(plan.decommissions.is_empty(), "{case}");
        let plan = scene.cycle();
        assert_eq!(names(&plan.decommissions), [WEB], "{case}");
        assert_eq!(
            plan.retained[0].line.identity,
            moved.reports[0].line.identity
        );
    }
}

#[test]
fn a_move_that_was_not_answered_is_finished_only_where_it_is_to_be_by_now() {
    let mut scene = Scene::recorded();
    environment(&mut scene, Some("staging"));
    scene.cycle_with(|_| Outcome::Unknown);
    scene.remove_pods("web");
    environment(&mut scene, Some("dev"));
    assert!(is_quiet(&scene.plan()));
    environment(&mut scene, Some("staging"));
    scene.policy.template = "{workload}".parse().unwrap();
    let plan = scene.cycle();
    assert_eq!(names(&plan.reports), [WEB], "whatever its name will be");
    assert_eq!(names(&scene.plan().decommissions), [WEB]);
    let mut scene = Scene::new();
    scene.deploy("web", "app", 1);
    scene.cycle_with(|_| Outcome::Unknown);
    scene.remove_pods("web");
    assert!(is_quiet(&scene.plan()), "it is nowhere else");
}

#[test]
fn row_10_of_two_organizations_that_acknowledged_it_neither_ends_while_no_image_says_which() {
    let mut scene = Scene::recorded();
    rules(&mut scene, &["quay.io/([^/]+)/.*=$1"]);
    let moved = |pod: &mut Pod| pod.containers[0].image = "quay.io/tools/web:1".into();
    scene.change_pods("web", moved);
    let new = scene.cycle().reports[0].line.identity.clone();
    scene.restart();
    let pods = scene.facts.pods.clone();
    scene.remove_pods("web");
    let plan = scene.plan();
    assert!(is_quiet(&plan), "{plan:?}");
    assert_eq!(plan.retained.len(), 2);
    // What stands in a pod's spec says it, and so does what runs.
    for state in [State::NeverRan, State::Running] {
        scene.facts.pods.clone_from(&pods);
        scene.change_pods("web", |pod| pod.containers[0].state = state);
        let plan = scene.plan();
        assert_eq!(names(&plan.decommissions), [WEB]);
        assert_ne!(plan.decommissions[0].line.identity, new);
    }
    // Back again before the old one ended: now the new one is the one that ends.
    let back = |pod: &mut Pod| pod.containers[0].image = image("web").into();
    scene.change_pods("web", back);
    assert_eq!(scene.plan().decommissions[0].line.identity, new);
}

#[test]
fn row_10_what_says_nothing_usable_about_an_organization_moves_nothing_and_is_a_gap() {
    let mut scene = Scene::recorded();
    label(&mut scene, Some("my_org"));
    rules(&mut scene, &["ghcr.io/(acme/.*)=$1"]);
    let plan = scene.plan();
    assert!(is_quiet(&plan), "{plan:?}");
    let gaps = plan.gaps.iter().map(|gap| (gap.reason, &*gap.detail));
    let expected = [
        (
            Reason::InvalidOrganization,
            "acme/web (--org-map ghcr.io/(acme/.*)=$1)",
        ),
        (
            Reason::InvalidOrganization,
            "my_org (the label of its namespace)",
        ),
    ];
    assert_eq!(gaps.collect::<Vec<_>>(), expected);
}

#[test]
fn row_11_a_repository_is_judged_by_the_organization_of_its_own_record() {
    for (label_of, value, repository) in [
        (None, "acme/web", Some("web")),
        (Some("tools"), "acme/web", None),
        (Some("tools"), "Tools/web", Some("web")),
    ] {
        let mut scene = Scene::new();
        scene.deploy("web", "app", 1);
        label(&mut scene, label_of);
        let marks = crate::model::fixtures::annotations(&[("repository", value)]);
        scene.change_pods("web", |pod| pod.annotations = marks.clone());
        let plan = scene.plan();
        let body = &plan.reports[0].line.body;
        assert_eq!(body.repository.as_deref(), repository, "{value}");
    }
}

#[test]
fn each_organization_has_one_name_of_a_digest_for_itself() {
    let mut scene = Scene::new();
    rules(&mut scene, &["quay.io/([^/]+)/.*=$1"]);
    for (name, image) in [
        ("a", "quay.io/tools/web:2"),
        ("b", "quay.io/tools/app:1"),
        ("c", "ghcr.io/acme/web:1"),
        ("d", "docker.io/acme/web:1"),
    ] {
        scene.run(&Kind::Deployment, name, [container("app", image, 1)]);
    }
    let plan = scene.cycle();
    let of = |organization: &str| {
        let lines = plan.reports.iter().map(|step| &step.line);
        let lines = lines.filter(|it| &*it.identity.destination.organization == organization);
        let names: Vec<&str> = lines.map(|it| &*it.body.name).collect();
        names
    };
    assert_eq!(of("tools"), ["quay.io/tools/app"; 2]);
    assert_eq!(of("acme"), ["docker.io/acme/web"; 2]);
    // What is retained and what ends follows the names of its own organization.
    scene.change_pods("d", |pod| pod.containers[0].state = State::Ran);
    scene.delete(&Kind::Deployment, "b");
    let plan = scene.plan();
    assert_eq!(&*plan.decommissions[0].line.body.name, "quay.io/tools/web");
    assert_eq!(&*plan.retained[0].line.body.name, "ghcr.io/acme/web");
}

/// Labels the namespace with an organization, or not.
fn label(scene: &mut Scene, name: Option<&str>) {
    let namespace = Arc::make_mut(&mut scene.facts.namespaces[0]);
    namespace.organization = name.map(Into::into);
}

/// Says which images go to which organization.
fn rules(scene: &mut Scene, rules: &[&str]) {
    scene.policy.organizations = Organizations::parse(rules.iter().copied()).unwrap();
}

/// Labels the namespace with a logical environment, or not.
fn environment(scene: &mut Scene, name: Option<&str>) {
    let namespace = Arc::make_mut(&mut scene.facts.namespaces[0]);
    namespace.logical_environment = name.map(Into::into);
}

#[test]
fn row_10_identities_that_differ_only_in_case_or_emptiness_are_the_same() {
    for respelled in [
        Destination {
            cluster: "PROD".into(),
            ..destination()
        },
        Destination {
            physical_environment: Some("".into()),
            ..destination()
        },
    ] {
        let mut scene = Scene::recorded();
        scene.policy.destination = Arc::new(respelled);
        scene.deploy("api", "app", 2);
        let plan = scene.plan();
        assert!(plan.decommissions.is_empty() && plan.withheld.is_empty());
        assert_eq!(names(&plan.unchanged), [WEB]);
        let lines = plan.unchanged.iter().chain(&plan.reports);
        for step in lines {
            let destination = &step.line.identity.destination;
            assert_eq!(
                &*destination.cluster, "prod",
                "the ledger's spelling is sent"
            );
            assert_eq!(destination.physical_environment, None);
        }
        assert_eq!(plan.respelled.len(), 2, "a warning says so");
        let (settings, ledger) = &plan.respelled[0];
        assert!(!settings.is_spelled_as(ledger) && settings == ledger);
        assert!(
            plan.names
                .values()
                .all(|name| name.is_spelled_as(&scene_spelling(name)))
        );
    }
}

#[test]
fn row_11_what_runs_and_is_new_is_reported() {
    let mut scene = Scene::new();
    let sidecar = container("proxy", "envoy:v1", 2);
    scene.run(
        &Kind::DaemonSet,
        "web",
        [container("app", &image("web"), 1), sidecar],
    );
    let plan = scene.cycle();
    assert_eq!(names(&plan.reports), [WEB, "shop-web-proxy"]);
    assert!(plan.reports.iter().all(|step| step.fresh));
    let body = &plan.reports[1].line.body;
    assert_eq!(&*body.name, "docker.io/library/envoy");
    assert_eq!(body.version.as_deref(), Some("v1"));
    assert_eq!(body.digest, digest(2));
    let owner = source_of(Kind::DaemonSet, "web", "app");
    assert_eq!(held_by(&scene, WEB), Some(&owner));
    assert_eq!(names(&scene.plan().unchanged), [WEB, "shop-web-proxy"]);
}

#[test]
fn row_12_without_a_digest_what_is_held_is_retained_and_a_gap() {
    let mut scene = Scene::recorded();
    for (change, reason) in [
        (
            (|pod| pod.containers[0].digest = None) as fn(&mut Pod),
            Reason::NoDigest,
        ),
        (
            |pod| pod.containers[0].image = "not an image".into(),
            Reason::InvalidImage,
        ),
        (
            |pod| pod.containers[0].image = format!("ghcr.io/{}", "a/".repeat(130) + "a").into(),
            Reason::NameTooLong,
        ),
    ] {
        scene.facts.pods.clear();
        scene.deploy("web", "app", 2);
        scene.change_pods("web", change);
        let plan = scene.plan();
        assert!(is_quiet(&plan));
        assert_eq!(plan.retained[0].line.body.digest, digest(1), "as held");
        assert_eq!(plan.gaps[0].reason, reason);
        assert_eq!(plan.rows[&source("web", "app")], Row::NoDigest);

        let held = std::mem::take(&mut scene.ledger);
        let plan = scene.plan();
        assert!(is_quiet(&plan) && plan.retained.is_empty());
        assert_eq!(plan.gaps[0].reason, reason);
        scene.ledger = held;
    }
}

#[test]
fn row_12_a_name_of_256_bytes_is_recorded_and_one_byte_more_is_a_gap() {
    let mut scene = Scene::new();
    let fits = format!("ghcr.io/{}", "a".repeat(248));
    scene.run(&Kind::Deployment, "web", [container("app", &fits, 1)]);
    let plan = scene.plan();
    assert_eq!(*plan.reports[0].line.body.name, *fits);
    scene.change_pods("web", |pod| {
        pod.containers[0].image = format!("{fits}a").into();
    });
    let plan = scene.plan();
    assert!(is_quiet(&plan));
    assert_eq!(reasons(&plan), [Reason::NameTooLong]);
}

#[test]
fn row_12_what_lacks_a_digest_or_a_name_takes_no_name() {
    let changes: [fn(&mut Pod); 2] = [
        |pod| pod.containers[0] = pod.containers[0].clone().without_digest(),
        |pod| pod.containers[0].image = "ghcr.io/acme/".into(),
    ];
    for change in changes {
        let mut scene = Scene::new();
        scene.deploy("web", "app", 1);
        assert_eq!(scene.plan().names.len(), 1);
        scene.change_pods("web", change);
        let plan = scene.plan();
        assert_eq!(plan.gaps.len(), 1);
        assert!(plan.names.is_empty(), "{:?}", plan.names);
    }
}

#[test]
fn what_has_the_name_of_its_digest_already_is_not_copied() {
    let scene = Scene::recorded();
    let held = scene.entry(WEB).and_then(|entry| entry.held.as_ref());
    let canon = Canon::new(std::iter::empty(), &scene.ledger);
    let same = canon.apply(&scene.policy.destination, held.unwrap());
    assert!(Arc::ptr_eq(&same, held.unwrap()));
}

#[test]
fn one_digest_has_one_name_and_version_in_everything_that_is_sent() {
    let mut scene = Scene::new();
    for (name, image) in [
        ("a", "ghcr.io/acme/web"),
        ("b", "ghcr.io/acme/web:2"),
        ("c", "ghcr.io/acme/zoo:1"),
    ] {
        scene.run(&Kind::StatefulSet, name, [container("app", image, 1)]);
    }
    scene.cycle();
    scene.run(
        &Kind::StatefulSet,
        "d",
        [container("app", "ghcr.io/acme/a:7", 1)],
    );
    scene.change_pods("a", |pod| pod.containers[0].digest = None);
    scene.delete(&Kind::StatefulSet, "b");
    let plan = scene.plan();
    assert_eq!(names(&plan.retained), ["shop-a-app"]);
    assert_eq!(names(&plan.decommissions), ["shop-b-app"]);
    assert_eq!(names(&plan.reports), ["shop-c-app", "shop-d-app"]);
    for step in plan
        .reports
        .iter()
        .chain(&plan.retained)
        .chain(&plan.decommissions)
    {
        let body = &step.line.body;
        assert_eq!(
            (&*body.name, body.version.as_deref()),
            ("ghcr.io/acme/a", Some("7"))
        );
    }
    // Without a running source the ledger's smallest speaks; no version comes last.
    let mut scene = Scene::new();
    for (name, image) in [("a", "ghcr.io/acme/web"), ("b", "ghcr.io/acme/web:2")] {
        scene.run(&Kind::StatefulSet, name, [container("app", image, 1)]);
    }
    assert!(
        scene
            .cycle()
            .reports
            .iter()
            .all(|step| step.line.body.version.is_some())
    );
}

#[test]
fn the_end_of_what_moved_is_told_with_its_own_name_not_with_a_former_one() {
    let mut scene = Scene::new();
    scene.run(
        &Kind::StatefulSet,
        "web",
        [container("app", "a.example/web:1", 1)],
    );
    scene.cycle();
    // The image is pulled from elsewhere, and the records go to another cluster.
    scene.change_pods("web", |pod| {
        pod.containers[0].image = "b.example/web:1".into();
    });
    scene.policy.destination = Arc::new(Destination {
        cluster: "prod-2".into(),
        ..Destination::clone(&scene.policy.destination)
    });
    scene.cycle();
    scene.remove_pods("web");
    // The end of the old one is told while nothing runs, and stays the older name's.
    scene.cycle();
    scene.delete(&Kind::StatefulSet, "web");
    let plan = scene.plan();
    assert_eq!(names(&plan.decommissions), ["shop-web-app"]);
    let line = &plan.decommissions[0].line;
    assert_eq!(&*line.identity.destination.cluster, "prod-2");
    assert_eq!(&*line.body.name, "b.example/web");
}

#[test]
fn promise_1_other_digests_of_ready_pods_are_a_gap() {
    let mut scene = Scene::recorded();
    scene.deploy("web", "app", 2);
    scene.deploy("web", "app", 2);
    let plan = scene.plan();
    assert_eq!(plan.reports[0].line.body.digest, digest(2));
    assert_eq!(plan.gaps.len(), 1);
    assert_eq!(plan.gaps[0].reason, Reason::OtherDigest);
    assert_eq!(*plan.gaps[0].detail, *digest(1).to_string());
}
