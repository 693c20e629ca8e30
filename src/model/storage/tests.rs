//! Which storage records are sent, with which content, and when again.

use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::model::fixtures::{Scene, annotations, container, destination, digest, minutes};
use crate::model::inventory::Inventory;
use crate::model::ledger::Outcome;
use crate::model::workload::Kind;

/// A scene in which storage records are wanted, and nothing runs.
fn scene() -> Scene {
    let mut scene = Scene::new();
    scene.policy.storage = Some(StorageRule::default());
    scene
}

/// A Deployment in `shop` that runs this image with the digest of that number.
fn run(scene: &mut Scene, name: &str, image: &str, number: u64) {
    let container = container("app", image, number);
    scene.run(&Kind::Deployment, name, [container]);
}

/// GitHub acknowledges every deployment record, and what is due for registries is returned.
fn due(scene: &mut Scene) -> Vec<StorageLine> {
    scene.cycle();
    lines(&scene.plan().storage.due)
}

fn lines(steps: &[StorageStep]) -> Vec<StorageLine> {
    steps.iter().map(StorageStep::line).collect()
}

/// Everything that is due is sent, with one outcome.
fn answer(scene: &mut Scene, outcome: Outcome) {
    for step in scene.plan().storage.due {
        scene.ledger.stock_mut().answer(&step, outcome, scene.now);
    }
}

/// What runs is as the facts say, and the view of it is whole.
fn forget(scene: &mut Scene) {
    let inventory = Inventory::new(&scene.facts, &scene.policy);
    scene.ledger.forget_past(inventory.digests());
}

/// How many are kept, due, refused, unrecorded, excluded and without an address.
fn counts(scene: &Scene) -> [usize; 6] {
    let counts = scene.plan().storage.counts();
    let words = [
        "kept",
        "waiting",
        "refused",
        "unrecorded",
        "excluded",
        "no-address",
    ];
    assert_eq!(counts.map(|(word, _)| word), words);
    counts.map(|(_, count)| count)
}

/// Image as written, address, repository; no address where nothing is sent.
const REGISTRIES: &str = "
    nginx:1 | https://docker.io | library/nginx
    index.docker.io/acme/web:1 | https://docker.io | acme/web
    ghcr.io/acme/shop/web:1 | https://ghcr.io | acme/shop/web
    GHCR.io/acme/web:1 | https://ghcr.io | acme/web
    123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/web | https://123456789012.dkr.ecr.eu-west-1.amazonaws.com | team/web
    acme.azurecr.io/samples/web:latest | https://acme.azurecr.io | samples/web
    europe-west1-docker.pkg.dev/proj/repo/web:main | https://europe-west1-docker.pkg.dev | proj/repo/web
    registry.example.com:5000/web | https://registry.example.com:5000 | web
    registry.example.com:443/web | https://registry.example.com | web
    registry:5000/web | https://registry:5000 | web
    foo_bar.com/web | https://foo_bar.com | web
    10.0.0.7:32000/web:dev | https://10.0.0.7:32000 | web
    [2001:db8::7]/web | https://[2001:db8::7] | web
    [2001:DB8::7]:5000/a/web | https://[2001:db8::7]:5000 | a/web
    localhost/web | |
    localhost:5000/web | |
    LOCALHOST:443/web | |
    kind.localhost:5000/web | |
    127.0.0.1:5000/web | |
    127.8.9.10/web | |
    0.0.0.0:5000/web | |
    [::1]:5000/web | |
    [::]:5000/web | |
    [1::2::3]/web | |
    [12345::]/web | |
    registry.example.com:0/web | |
    registry.example.com:65536/web | |
";

#[test]
fn a_registry_has_the_address_that_the_contract_allows_or_nothing_is_sent() {
    let rows = REGISTRIES.lines().filter(|row| !row.trim().is_empty());
    for row in rows {
        let mut columns = row.split('|').map(str::trim);
        let [image, address, repository] = std::array::from_fn(|_| columns.next().unwrap());
        let mut scene = scene();
        run(&mut scene, "web", image, 7);
        let due = due(&mut scene);
        if address.is_empty() {
            assert!(due.is_empty(), "{image}");
            assert_eq!(counts(&scene), [0, 0, 0, 0, 0, 1], "{image}");
            continue;
        }
        let [line] = &*due else {
            panic!("{image}: {due:?}")
        };
        assert_eq!(&*line.registry_url, address, "{image}");
        assert_eq!(line.repository.as_deref(), Some(repository), "{image}");
        let host = address.strip_prefix("https://").unwrap();
        let path = format!("oci://{host}/{repository}@{}", digest(7));
        assert_eq!(line.path.as_deref(), Some(&*path), "{image}");
    }
}

#[test]
fn an_address_of_256_bytes_is_sent_and_a_longer_one_is_not() {
    for (length, is_sent) in [(248, true), (249, false)] {
        let label = "a".repeat(60);
        let host = format!("{label}.{label}.{label}.{label}.");
        let host = format!("{host}{}", "b".repeat(length - host.len()));
        let mut scene = scene();
        run(&mut scene, "web", &format!("{host}/web"), 7);
        let due = due(&mut scene);
        assert_eq!(due.len(), usize::from(is_sent), "{length}: {due:?}");
    }
}

#[test]
fn it_says_what_the_deployment_record_says_and_where_the_image_is() {
    let mut scene = scene();
    run(&mut scene, "web", "ghcr.io/acme/web:1.2", 1);
    scene.change_object(&Kind::Deployment, |object| {
        object.annotations = annotations(&[("repository", "web")]);
    });
    let expected = StorageLine {
        name: "ghcr.io/acme/web".into(),
        digest: digest(1),
        version: Some("1.2".into()),
        registry_url: "https://ghcr.io".into(),
        artifact_url: None,
        path: Some(format!("oci://ghcr.io/acme/web@{}", digest(1)).into()),
        repository: Some("acme/web".into()),
        status: StorageStatus::Active,
        github_repository: Some("web".into()),
    };
    assert_eq!(due(&mut scene), [expected]);
}

#[test]
fn a_name_that_is_too_long_for_a_repository_leaves_it_out_and_the_path_has_it() {
    let mut scene = scene();
    let long = "x".repeat(129);
    run(&mut scene, "web", &format!("ghcr.io/{long}"), 1);
    let due = due(&mut scene);
    assert_eq!(due[0].repository, None);
    assert!(due[0].path.as_deref().unwrap().contains(&long));
}

#[test]
fn there_is_one_for_each_digest_and_registry_with_one_name_and_version_for_the_digest() {
    let mut scene = scene();
    run(&mut scene, "a", "quay.io/acme/web:2", 1);
    run(&mut scene, "b", "ghcr.io/acme/web-copy:3", 1);
    run(&mut scene, "c", "ghcr.io/acme/web:1", 1);
    run(&mut scene, "d", "GHCR.io/acme/web:1", 1);
    run(&mut scene, "e", "ghcr.io/acme/web:1", 2);
    let due = due(&mut scene);
    let shown: Vec<String> = due
        .iter()
        .map(|line| {
            let repository = line.repository.as_deref().unwrap();
            format!("{} {repository} {}", line.registry_url, line.digest)
        })
        .collect();
    let expected = [
        format!("https://ghcr.io acme/web {}", digest(1)),
        format!("https://ghcr.io acme/web {}", digest(2)),
        format!("https://quay.io acme/web {}", digest(1)),
    ];
    assert_eq!(shown, expected);
    let named = |line: &StorageLine| (line.name.clone(), line.version.clone());
    assert_eq!(named(&due[0]), named(&due[2]), "of one digest");
}

#[test]
fn a_mirror_counts_as_the_registry_that_it_stands_for() {
    use crate::model::image_map::ImageMap;
    let mut scene = scene();
    scene.policy.image_map = ImageMap::parse(["mirror.example.com/hub=docker.io"]).unwrap();
    run(&mut scene, "web", "mirror.example.com/hub/acme/web:1", 1);
    assert_eq!(&*due(&mut scene)[0].registry_url, "https://docker.io");
}

#[test]
fn without_the_setting_nothing_is_due() {
    let mut scene = Scene::recorded();
    assert_eq!(due(&mut scene), []);
    assert_eq!(counts(&scene), [0; 6]);
}

#[test]
fn excluded_registries_are_never_told_of() {
    for (pattern, left) in [
        ("ghcr.io", 2),
        ("*.amazonaws.com", 2),
        ("docker.io", 2),
        ("index.docker.io", 2),
        ("GHCR.IO:443", 2),
        ("quay.io", 3),
        ("*", 0),
    ] {
        let mut scene = scene();
        let exclude = vec![Pattern::new(&registry(pattern))];
        scene.policy.storage = Some(StorageRule { exclude });
        run(&mut scene, "a", "ghcr.io/acme/web", 1);
        run(&mut scene, "b", "1.dkr.ecr.eu-west-1.amazonaws.com/web", 1);
        run(&mut scene, "c", "acme/web", 1);
        assert_eq!(due(&mut scene).len(), left, "{pattern}");
        assert_eq!(counts(&scene)[4], 3 - left, "{pattern}");
    }
}

#[test]
fn nothing_is_sent_before_github_has_acknowledged_a_record_of_the_artifact() {
    let mut scene = scene();
    run(&mut scene, "web", "ghcr.io/acme/web", 1);
    assert_eq!(counts(&scene), [0, 0, 0, 1, 0, 0]);
    scene.cycle_with(|_| Outcome::Refused(Reason::NotFound));
    assert_eq!(counts(&scene), [0, 0, 0, 1, 0, 0]);
    scene.wait(minutes(1));
    scene.cycle_with(|_| Outcome::Unknown);
    assert_eq!(counts(&scene), [0, 0, 0, 1, 0, 0]);
    scene.cycle();
    assert_eq!(counts(&scene), [0, 1, 0, 0, 0, 0]);
}

#[test]
fn of_two_sources_the_one_speaks_whose_record_github_has() {
    let mut scene = scene();
    run(&mut scene, "a", "ghcr.io/acme/a", 1);
    run(&mut scene, "b", "ghcr.io/acme/b", 1);
    scene.cycle_with(|step| {
        if step.line.identity.name.contains("-a-") {
            Outcome::Refused(Reason::NotFound)
        } else {
            Outcome::Acknowledged
        }
    });
    let due = lines(&scene.plan().storage.due);
    assert_eq!(due[0].repository.as_deref(), Some("acme/b"));
}

#[test]
fn what_is_acknowledged_is_sent_once_also_after_a_restart_and_whatever_changes() {
    let mut scene = scene();
    run(&mut scene, "web", "ghcr.io/acme/web:1", 1);
    assert_eq!(due(&mut scene).len(), 1);
    answer(&mut scene, Outcome::Acknowledged);
    assert!(!scene.ledger.is_stored());
    assert_eq!(counts(&scene), [1, 0, 0, 0, 0, 0]);
    scene.restart();
    assert!(scene.ledger.is_stored());
    assert_eq!(due(&mut scene), []);
    run(&mut scene, "copy", "ghcr.io/acme/a:2", 1);
    assert_eq!(due(&mut scene), [], "another name for it");
    assert_eq!(counts(&scene), [1, 0, 0, 0, 0, 0]);
}

#[test]
fn another_organization_or_host_is_told_anew() {
    for change in [
        (|it: &mut Destination| it.organization = "newer".into()) as fn(&mut Destination),
        |it| it.host = "api.acme.ghe.com".into(),
        |it| it.organization = "ACME".into(),
    ] {
        let mut scene = scene();
        run(&mut scene, "web", "ghcr.io/acme/web:1", 1);
        due(&mut scene);
        answer(&mut scene, Outcome::Acknowledged);
        let mut other = destination();
        change(&mut other);
        let is_same =
            other.organization.eq_ignore_ascii_case("acme") && other.host == destination().host;
        scene.policy.destination = other.into();
        assert_eq!(due(&mut scene).is_empty(), is_same);
    }
}

#[test]
fn a_refused_one_waits_as_records_do_and_one_of_unknown_outcome_like_it() {
    for (outcome, reason, minutes_to_wait) in [
        (
            Outcome::Refused(Reason::NotFound),
            Reason::NotFound,
            [1, 2, 4, 8],
        ),
        (Outcome::Unknown, Reason::Unconfirmed, [1, 2, 4, 8]),
        (
            Outcome::Refused(Reason::Invalid),
            Reason::Invalid,
            [60, 120, 240, 480],
        ),
    ] {
        let mut scene = scene();
        run(&mut scene, "web", "ghcr.io/acme/web:1", 1);
        run(&mut scene, "api", "ghcr.io/acme/api:1", 2);
        due(&mut scene);
        let api = scene.plan().storage.due.remove(1);
        let taken = Outcome::Acknowledged;
        scene.ledger.stock_mut().answer(&api, taken, scene.now);
        for time in minutes_to_wait.map(minutes) {
            answer(&mut scene, outcome);
            let plan = scene.plan();
            assert_eq!(counts(&scene), [1, 0, 1, 0, 0, 0]);
            assert_eq!(plan.storage.refused[0].1, reason);
            assert_eq!(plan.due, Some(scene.now + time));
            scene.wait(time.checked_sub(Duration::from_secs(1)).unwrap());
            assert_eq!(counts(&scene), [1, 0, 1, 0, 0, 0]);
            scene.wait(Duration::from_secs(1));
            assert_eq!(counts(&scene), [1, 1, 0, 0, 0, 0]);
        }
        answer(&mut scene, Outcome::Acknowledged);
        assert_eq!(counts(&scene), [2, 0, 0, 0, 0, 0]);
    }
}

#[test]
fn a_refused_one_is_sent_at_once_when_what_it_says_changes() {
    let mut scene = scene();
    run(&mut scene, "web", "ghcr.io/acme/web:1", 1);
    due(&mut scene);
    answer(&mut scene, Outcome::Refused(Reason::NotFound));
    assert_eq!(counts(&scene), [0, 0, 1, 0, 0, 0]);
    scene.change_object(&Kind::Deployment, |object| {
        object.annotations = annotations(&[("repository", "web")]);
    });
    assert_eq!(due(&mut scene).len(), 1);
}

#[test]
fn one_that_was_not_applied_is_due_still() {
    let mut scene = scene();
    run(&mut scene, "web", "ghcr.io/acme/web:1", 1);
    due(&mut scene);
    answer(&mut scene, Outcome::NotApplied);
    assert_eq!(counts(&scene), [0, 1, 0, 0, 0, 0]);
}

#[test]
fn what_runs_nowhere_any_more_leaves_the_ledger_and_is_told_anew_when_it_is_back() {
    let mut scene = scene();
    run(&mut scene, "web", "ghcr.io/acme/web:1", 1);
    run(&mut scene, "api", "ghcr.io/acme/api:1", 2);
    due(&mut scene);
    answer(&mut scene, Outcome::Acknowledged);
    scene.ledger.stored();
    forget(&mut scene);
    assert!(scene.ledger.is_stored());
    scene.remove_pods("web");
    forget(&mut scene);
    assert_eq!(scene.ledger.stock().touched(), &BTreeSet::from([digest(1)]));
    assert!(!scene.ledger.is_stored());
    let kept = |scene: &Scene| -> Vec<Digest> {
        scene
            .ledger
            .stock()
            .kept()
            .map(|(_, digest)| digest)
            .collect()
    };
    assert_eq!(kept(&scene), [digest(2)]);
    run(&mut scene, "web", "ghcr.io/acme/web:1", 1);
    assert_eq!(due(&mut scene).len(), 1);
    // Switched off it is forgotten in the same way.
    scene.policy.storage = None;
    scene.remove_pods("api");
    forget(&mut scene);
    assert_eq!(kept(&scene), []);
}

#[test]
fn what_the_store_knows_besides_is_united_with_what_is_known() {
    let mut scene = scene();
    run(&mut scene, "web", "ghcr.io/acme/web:1", 1);
    due(&mut scene);
    answer(&mut scene, Outcome::Acknowledged);
    let stored = scene.ledger.clone();
    run(&mut scene, "api", "ghcr.io/acme/api:1", 2);
    due(&mut scene);
    let mut newer = crate::model::ledger::Ledger::default();
    for step in scene.plan().storage.due {
        newer
            .stock_mut()
            .answer(&step, Outcome::Acknowledged, scene.now);
    }
    newer.stored();
    newer.unite(stored);
    assert_eq!(newer.stock().kept().count(), 2);
    assert_eq!(
        newer.stock().touched().len(),
        2,
        "all of it is stored again"
    );
}

#[test]
fn a_status_is_known_by_the_name_that_the_api_has_for_it() {
    let names = StorageStatus::ALL.map(StorageStatus::as_str);
    assert_eq!(names, ["active", "eol", "deleted"]);
    assert_eq!(
        names.map(StorageStatus::parse),
        StorageStatus::ALL.map(Some)
    );
    for name in ["", "Active", "closed"] {
        assert_eq!(StorageStatus::parse(name), None);
    }
}
