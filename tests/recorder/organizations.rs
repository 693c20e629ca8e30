//! Several organizations in one cluster: each record goes to its own, with the token of its own, and
//! one organization that cannot be reached holds back no other.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use deployment_recorder::model::organization::Organizations;
use deployment_recorder::model::storage::StorageRule;
use deployment_recorder::sandbox::{AppChange, Endpoint, Entry, FaultKind, Status};
use http::Request;
use serde_json::{Value, json};
use tower::Service as _;

use crate::objects::{deployment, namespace};
use crate::sign_in;
use crate::tap::{Away, HOST};
use crate::world::{INTERVAL, MINUTE, SECOND, World};

/// The label of a namespace that names its organization.
const LABEL: &str = "github.com/organization";

/// A namespace with that label.
pub fn labelled(name: &str, organization: &str) -> Value {
    let mut namespace = namespace(name);
    namespace["metadata"]["labels"] = json!({LABEL: organization});
    namespace
}

/// A world in which `tools` is a namespace of the organization `tools`, and `shop` of `acme`.
fn world() -> World {
    let mut world = World::default();
    world.scope.organization_label = Some(LABEL.to_owned());
    world.api.apply(namespace("shop"));
    world.api.apply(labelled("tools", "tools"));
    world
}

impl World {
    /// The names that an organization has as deployed.
    pub fn deployed_in(&self, organization: &str) -> Vec<String> {
        let records = self.github.records().into_iter();
        let held = records.filter(|it| it.key.org == organization && it.status == Status::Deployed);
        held.map(|record| record.key.deployment_name).collect()
    }

    /// The requests by which records of an organization were set.
    pub fn sets(&self, organization: &str) -> Vec<Entry> {
        let path = format!("/orgs/{organization}/");
        let mut entries = self.github.requests();
        let set = Some(Endpoint::SetClusterRecords);
        entries.retain(|entry| entry.endpoint == set && entry.path.starts_with(&path));
        entries
    }

    /// Somebody else ends a record at GitHub.
    async fn end_by_hand(&self, organization: &str, name: &str) {
        let is_about =
            |line: &Value| line["deployment_name"] == format!("{organization}-{name}-main");
        let sets = self.sets(organization);
        let mut last = sets.iter().rev().filter_map(|entry| entry.body.as_deref());
        let lines = |body: &Value| body["deployments"].as_array().cloned().unwrap_or_default();
        let body = last.find(|body| lines(body).iter().any(is_about)).unwrap();
        let mut line = lines(body).into_iter().find(|line| is_about(line)).unwrap();
        line["status"] = json!("decommissioned");
        let mut body = body.clone();
        body["deployments"] = json!([line]);
        let path = &sets[0].path;
        let request = Request::post(format!("https://{HOST}{path}"))
            .header("authorization", "Bearer other")
            .header("accept", "application/vnd.github+json")
            .header("content-type", "application/json")
            .header("user-agent", "somebody")
            .header("x-github-api-version", &sets[0].api_version)
            .body(Bytes::from(body.to_string()))
            .unwrap();
        let answer = self.github.service().call(request).await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
        let full = format!("{organization}-{name}-main");
        assert!(!self.deployed_in(organization).contains(&full));
    }

    /// Waits until an organization has that record, and returns how long that took.
    async fn arrives(&self, organization: &str, name: &str, limit: Duration) -> Duration {
        let begun = tokio::time::Instant::now();
        let has = |world: &Self| {
            let held = world.deployed_in(organization);
            held.iter().any(|known| known == name)
        };
        while !has(self) {
            assert!(begun.elapsed() <= limit, "{name}: {}", self.story());
            self.pass(SECOND / 4).await;
        }
        begun.elapsed()
    }
}

#[tokio::test(start_paused = true)]
async fn records_go_to_the_organization_that_the_image_the_namespace_or_the_setting_names() {
    let mut world = world();
    world.policy.organizations = Organizations::parse(["ghcr.io/games/.*=games"]).unwrap();
    world.run(&deployment("shop", "web"));
    world.run(&deployment("tools", "lint"));
    world.run(&deployment("tools", "chess").image("ghcr.io/games/chess:1"));
    world.start();
    world.agreed().await;
    assert_eq!(world.deployed_in("acme"), ["shop-web-main"]);
    assert_eq!(world.deployed_in("tools"), ["tools-lint-main"]);
    assert_eq!(world.deployed_in("games"), ["tools-chess-main"]);
    world.pass(2 * INTERVAL).await;
    for organization in ["acme", "tools", "games"] {
        assert!(world.sets(organization).len() >= 2, "each has its snapshot");
    }
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn one_organization_that_cannot_be_reached_holds_back_no_other() {
    let away = [
        (Away::Answers(401), 5),
        (Away::Answers(403), 5),
        (Away::Answers(404), 5),
        (Away::Answers(410), 5),
        (Away::Answers(500), 8),
        // One request at a time: what is under way is waited for.
        (Away::Hangs, 40),
    ];
    for (away, limit) in away {
        let (_files, mut world) = two_tokens();
        world.run(&deployment("shop", "web"));
        world.run(&deployment("tools", "lint"));
        world.start();
        world.agreed().await;
        world.gate.away("/orgs/acme/", away);
        for turn in 0..20 {
            let (shop, tools) = (format!("web-{turn}"), format!("lint-{turn}"));
            world.run(&deployment("shop", &shop));
            world.run(&deployment("tools", &tools));
            let name = format!("tools-{tools}-main");
            world.arrives("tools", &name, limit * SECOND).await;
            world.pass(20 * SECOND).await;
        }
        let before = world.sets("tools").len();
        world.pass(2 * INTERVAL).await;
        assert!(world.sets("tools").len() > before, "{away:?}: no snapshot");
        assert_eq!(world.deployed_in("acme"), ["shop-web-main"], "{away:?}");
        world.gate.open();
        world.agreed_within(61 * MINUTE).await;
        assert_eq!(world.deployed_in("acme").len(), 21);
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_organization_that_hangs_is_asked_ever_less_often_while_others_are_answered() {
    for away in [Away::Hangs, Away::Answers(502)] {
        let (_files, mut world) = two_tokens();
        world.run(&deployment("shop", "web"));
        world.run(&deployment("tools", "lint"));
        world.start();
        world.agreed().await;
        world.gate.away("/orgs/acme/", away);
        let before = tries(&world, "acme")["acme"];
        world.run(&deployment("shop", "cart"));
        for turn in 0..120 {
            let image = format!("ghcr.io/acme/lint:{turn}");
            world.run(&deployment("tools", "lint").image(&image));
            world.pass(MINUTE).await;
        }
        let tries = tries(&world, "acme")["acme"] - before;
        // Ten in the first twenty minutes, then one every ten minutes.
        assert!((14..=22).contains(&tries), "{away:?}: {tries} in two hours");
        world.gate.open();
        world.agreed_within(12 * MINUTE).await;
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_one_token_holds_for_every_token_because_they_may_be_one_user_s() {
    let (_files, mut world) = two_tokens();
    world.run(&deployment("shop", "web"));
    world.run(&deployment("tools", "lint"));
    world.start();
    world.agreed().await;
    world.gate.away("/orgs/acme/", Away::Limits);
    world.run(&deployment("shop", "cart"));
    world.pass(5 * SECOND).await;
    for turn in 0..5 {
        let before = tries(&world, "").values().sum::<usize>();
        let name = format!("lint-{turn}");
        world.run(&deployment("tools", &name));
        world.pass(9 * MINUTE + 30 * SECOND).await;
        let sent = tries(&world, "").values().sum::<usize>() - before;
        assert_eq!(sent, 0, "for ten minutes, as it was told");
        // Whom the limit meets comes last, or the others would never be written to.
        let name = format!("tools-{name}-main");
        world.arrives("tools", &name, 40 * SECOND).await;
        world.pass(5 * SECOND).await;
    }
    world.gate.open();
    world.agreed_within(11 * MINUTE).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn an_organization_that_is_always_limited_holds_back_no_snapshot_and_no_storage_record() {
    let (_files, mut world) = two_tokens();
    world.policy.storage = Some(StorageRule::default());
    world.run(&deployment("shop", "web"));
    world.run(&deployment("tools", "lint"));
    world.start();
    world.agreed().await;
    world.pass(2 * INTERVAL).await;
    world.gate.away("/orgs/acme/", Away::Limits);
    world.run(&deployment("shop", "cart"));
    world.pass(5 * SECOND).await;
    world.end_by_hand("tools", "lint").await;
    let image = "ghcr.io/acme/test:1";
    world.run(&deployment("tools", "test").image(image));
    world
        .arrives("tools", "tools-lint-main", 3 * INTERVAL)
        .await;
    world.pass(INTERVAL + MINUTE).await;
    let stored = world.github.storage_records().into_iter();
    let stored = stored.filter(|record| record.org == "tools");
    assert_eq!(stored.count(), 2, "{}", world.story());
    // It is tried each time all the same.
    let before = tries(&world, "acme")["acme"];
    world.pass(3 * INTERVAL).await;
    let tries = tries(&world, "acme")["acme"] - before;
    assert!((2..=4).contains(&tries), "{tries} in half an hour");
    world.gate.open();
    world.agreed_within(11 * MINUTE).await;
    world.finish().await;
}

/// How often each of the organizations was asked whose names begin so.
fn tries(world: &World, prefix: &str) -> BTreeMap<String, usize> {
    let mut tries = BTreeMap::new();
    for line in world.gate.tokens() {
        let (organization, _) = line.split_once(' ').unwrap();
        if organization.starts_with(prefix) {
            *tries.entry(organization.to_owned()).or_default() += 1;
        }
    }
    tries
}

#[tokio::test(start_paused = true)]
async fn organizations_that_are_none_cost_others_little_and_come_after_them() {
    let mut world = world();
    world.policy.organizations = Organizations::parse([r"ghcr\.io/(a-.*)/.*=$1"]).unwrap();
    world.gate.away("/orgs/a-", Away::Answers(404));
    world.run(&deployment("shop", "web"));
    for number in 0..30 {
        let image = format!("ghcr.io/a-typo-{number}/app:1");
        world.roll_out(&deployment("shop", &format!("app-{number}")).image(&image));
    }
    world.start();
    world.arrives("acme", "shop-web-main", 5 * SECOND).await;
    assert!(
        tries(&world, "a-").len() <= 1,
        "the one that is there comes first"
    );
    world.pass(Duration::from_hours(6)).await;
    let tries = tries(&world, "a-");
    assert_eq!(tries.len(), 30);
    assert!(
        tries.values().all(|count| (7..=9).contains(count)),
        "{tries:?}"
    );
    world.roll_out(&deployment("shop", "cart"));
    world.arrives("acme", "shop-cart-main", 6 * SECOND).await;
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_organization_that_took_something_is_asked_again_soon_also_after_a_restart() {
    let mut world = world();
    world.run(&deployment("shop", "web"));
    world.run(&deployment("tools", "lint"));
    world.start();
    world.agreed().await;
    world.stop().await;
    world.gate.away("/orgs/tools/", Away::Answers(404));
    world.run(&deployment("tools", "test"));
    world.restart().await;
    world.pass(10 * SECOND).await;
    world.gate.open();
    world.arrives("tools", "tools-test-main", 2 * MINUTE).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_one_token_is_obeyed_in_each_organization_that_has_it() {
    let mut world = world();
    world.run(&deployment("shop", "web"));
    world.run(&deployment("tools", "lint"));
    world.start();
    world.agreed().await;
    let before = world.requests();
    world.once(FaultKind::Throttled {
        status: 429,
        retry_after: Some(300),
        reset_after: None,
    });
    world.run(&deployment("shop", "cart"));
    world.pass(5 * SECOND).await;
    world.run(&deployment("tools", "test"));
    world.pass(4 * MINUTE).await;
    assert_eq!(world.requests(), before + 1, "{}", world.story());
    world.agreed_within(2 * MINUTE).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_host_that_fails_is_asked_for_all_organizations_about_once_a_minute() {
    let mut world = world();
    for name in ["tools", "games", "music"] {
        world.api.apply(labelled(name, name));
        world.run(&deployment(name, "app"));
    }
    world.start();
    world.agreed().await;
    world.gate.away("/orgs/", Away::Answers(502));
    for name in ["tools", "games", "music"] {
        world.run(&deployment(name, "more"));
    }
    world.pass(5 * MINUTE).await;
    let before = world.sent.all().len();
    world.pass(30 * MINUTE).await;
    let tries = world.sent.all().len() - before;
    assert!((20..=40).contains(&tries), "{tries} requests in 30 min");
    world.gate.open();
    world.agreed_within(3 * MINUTE).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_moves_to_another_organization_ends_there_only_what_the_new_one_has() {
    let mut world = world();
    world.run(&deployment("shop", "web"));
    world.start();
    world.agreed().await;
    world.gate.away("/orgs/tools/", Away::Answers(404));
    world.api.apply(labelled("shop", "tools"));
    world.pass(2 * INTERVAL).await;
    assert_eq!(world.deployed_in("acme"), ["shop-web-main"]);
    assert_eq!(world.reasons(), ["moving".to_owned()].into());
    world.gate.open();
    world.arrives("tools", "shop-web-main", 11 * MINUTE).await;
    world.pass(10 * SECOND).await;
    assert_eq!(world.deployed_in("acme"), [""; 0]);
    let old = world.github.records().into_iter();
    let old: Vec<Status> = old
        .filter(|record| record.key.org == "acme")
        .map(|record| record.status)
        .collect();
    assert_eq!(old, [Status::Decommissioned]);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn an_organization_that_was_a_mistake_is_shown_no_more_once_nothing_goes_there() {
    let mut world = world();
    world.run(&deployment("shop", "web"));
    world.start();
    world.agreed().await;
    world.gate.away("/orgs/amce/", Away::Answers(404));
    world.api.apply(labelled("shop", "amce"));
    world.pass(MINUTE).await;
    assert_eq!(world.blocked().len(), 1);
    world.api.apply(labelled("shop", "acme"));
    world.pass(MINUTE).await;
    assert_eq!(world.blocked(), [""; 0]);
    // What it answered holds for as long as it would have if it had stayed.
    world.api.apply(labelled("shop", "amce"));
    world.pass(MINUTE).await;
    assert_eq!(tries(&world, "amce")["amce"], 1);
    assert_eq!(world.blocked().len(), 1);
    world.pass(8 * MINUTE).await;
    assert_eq!(tries(&world, "amce")["amce"], 2);
    world.api.apply(labelled("shop", "acme"));
    world.pass(MINUTE).await;
    let before = world.status().lock().last_success;
    world.pass(2 * INTERVAL).await;
    assert!(world.status().lock().last_success > before);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn an_organization_that_is_none_is_not_asked_each_time_that_something_goes_there_again() {
    let (_files, token) = two_tokens();
    let (_key, mut app) = sign_in::world();
    let absent = AppChange {
        installed: [("amce".to_owned(), false)].into(),
        ..AppChange::default()
    };
    app.github.change_app(absent).unwrap();
    app.scope.organization_label = Some(LABEL.to_owned());
    token.gate.away("/orgs/amce/", Away::Answers(404));
    for mut world in [token, app] {
        world.run(&deployment("shop", "web"));
        world.start();
        world.agreed().await;
        for _ in 0..30 {
            for organization in ["amce", "acme"] {
                world.api.apply(labelled("shop", organization));
                world.pass(2 * MINUTE).await;
            }
        }
        let tries = tries(&world, "amce")["amce"];
        assert!((2..=5).contains(&tries), "{tries} in two hours");
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_kill_in_the_middle_of_such_a_move_loses_neither_the_old_nor_the_new() {
    for after in [SECOND, 2 * SECOND, 3 * SECOND, 4 * SECOND] {
        for stays in [true, false] {
            let mut world = world();
            world.run(&deployment("shop", "web"));
            world.start();
            world.agreed().await;
            world.slow(SECOND, SECOND);
            world.api.apply(labelled("shop", "tools"));
            world.pass(after).await;
            world.kill().await;
            if !stays {
                world.remove("shop", "web");
            }
            world.restart().await;
            world.pass(2 * MINUTE).await;
            world.agreed_within(MINUTE).await;
            let expected: &[&str] = if stays { &["shop-web-main"] } else { &[] };
            assert_eq!(world.deployed_in("tools"), expected, "{}", world.story());
            assert_eq!(world.deployed_in("acme"), [""; 0], "{}", world.story());
            world.finish().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_app_signs_in_with_the_installation_that_each_organization_has() {
    let (_key, mut world) = sign_in::world();
    world.scope.organization_label = Some(LABEL.to_owned());
    world.api.apply(labelled("tools", "Tools"));
    world.run(&deployment("shop", "web"));
    world.run(&deployment("tools", "lint"));
    world.start();
    world.agreed().await;
    assert_eq!(world.deployed_in("acme"), ["shop-web-main"]);
    assert_eq!(world.deployed_in("Tools"), ["tools-lint-main"]);
    // Where it is not installed nothing goes, and nothing else waits for that.
    world.api.apply(labelled("games", "games"));
    let absent = AppChange {
        installed: [("games".to_owned(), false)].into(),
        ..AppChange::default()
    };
    world.github.change_app(absent).unwrap();
    world.roll_out(&deployment("games", "chess"));
    world.pass(10 * SECOND).await;
    let blocked = world.status().lock().blocked.clone();
    let blocked: Vec<&str> = blocked.keys().map(|(_, name)| &**name).collect();
    assert_eq!(blocked, ["games"]);
    world.run(&deployment("tools", "test"));
    world.arrives("Tools", "tools-test-main", 5 * SECOND).await;
    assert!(world.sets("games").is_empty());
    let present = AppChange {
        installed: [("games".to_owned(), true)].into(),
        ..AppChange::default()
    };
    world.github.change_app(present).unwrap();
    world
        .arrives("games", "games-chess-main", 11 * MINUTE)
        .await;
    world.want(&deployment("games", "chess"));
    assert_eq!(world.status().lock().blocked.len(), 0);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn promise_7_a_host_that_fails_for_longer_than_tokens_last_leaves_requests_of_the_hour() {
    let (_key, mut world) = sign_in::world();
    world.scope.organization_label = Some(LABEL.to_owned());
    let names: Vec<String> = (0..12).map(|number| format!("org-{number}")).collect();
    for name in &names {
        world.api.apply(labelled(name, name));
        world.run(&deployment(name, "app"));
    }
    world.start();
    world.agreed().await;
    world.gate.away("/", Away::Answers(502));
    for name in &names {
        world.run(&deployment(name, "more"));
    }
    world.pass(100 * MINUTE).await;
    world.gate.open();
    world.agreed_within(11 * MINUTE).await;
    world.finish().await;
}

/// A world with a token for `tools` alone, and another for all other organizations.
pub fn two_tokens() -> (Vec<sign_in::KeyFile>, World) {
    let mut world = world();
    let (most, own) = (sign_in::file("most"), sign_in::file("own"));
    world.token_file = Some(most.path().to_owned());
    world.own_tokens = vec![("Tools".into(), own.path().to_owned())];
    (vec![most, own], world)
}

#[tokio::test(start_paused = true)]
async fn no_token_goes_to_an_organization_that_it_is_not_for() {
    let (files, mut world) = two_tokens();
    world.run(&deployment("shop", "web"));
    world.run(&deployment("tools", "lint"));
    world.start();
    world.agreed().await;
    let tokens = |world: &World| {
        let sent = world.gate.tokens();
        let of = |name: &str| {
            let mut sent: Vec<String> = sent.clone();
            sent.retain(|line| line.starts_with(name));
            sent.sort();
            sent.dedup();
            sent
        };
        (of("acme "), of("tools "))
    };
    let expected = |one: &str, other: &str| (vec![one.to_owned()], vec![other.to_owned()]);
    let found = tokens(&world);
    assert_eq!(found, expected("acme Bearer most", "tools Bearer own"));
    // Where its own is refused, the other one does not come instead.
    world.gate.away("/orgs/tools/", Away::Answers(401));
    world.run(&deployment("tools", "test"));
    world.pass(MINUTE).await;
    assert_eq!(world.status().lock().blocked.len(), 1);
    let found = tokens(&world);
    assert_eq!(found, expected("acme Bearer most", "tools Bearer own"));
    // Another token for one says nothing about the other.
    world.gate.open();
    files[1].write("newer");
    world.agreed_within(20 * SECOND).await;
    assert_eq!(world.status().lock().blocked.len(), 0);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn storage_records_go_where_the_deployment_records_of_their_image_go() {
    let (_files, mut world) = two_tokens();
    world.policy.storage = Some(StorageRule::default());
    world.run(&deployment("shop", "web"));
    world.run(&deployment("tools", "lint"));
    world.start();
    world.agreed().await;
    world.pass(MINUTE).await;
    let of = |world: &World| {
        let records = world.github.storage_records().into_iter();
        let mut names: Vec<String> = records.map(|record| record.org).collect();
        names.sort();
        names
    };
    assert_eq!(of(&world), ["acme", "tools"]);
    let storage = |name: &str| format!("/orgs/{name}/artifacts/metadata/storage-record");
    for away in [Away::Answers(404), Away::Answers(502)] {
        world.gate.away(&storage("acme"), away);
        let turn = format!("{away:?}").to_lowercase();
        let turn: String = turn.chars().filter(char::is_ascii_alphanumeric).collect();
        for name in ["shop", "tools"] {
            let image = format!("ghcr.io/acme/{name}-{turn}:1");
            world.run(&deployment(name, &turn).image(&image));
        }
        let before = of(&world).iter().filter(|name| *name == "tools").count();
        world.pass(MINUTE).await;
        let after = of(&world).iter().filter(|name| *name == "tools").count();
        assert_eq!(after, before + 1, "{away:?}: {}", world.story());
        world.gate.open();
        world.pass(2 * INTERVAL).await;
    }
    let ours = of(&world).iter().filter(|name| *name == "acme").count();
    assert_eq!(ours, 3);
    world.finish().await;
}
