//! Answers after which GitHub is left alone for a while.

use std::sync::Arc;
use std::time::Duration;

use deployment_recorder::model::record::Destination;
use deployment_recorder::sandbox::{Fault, FaultKind};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use crate::objects::deployment;
use crate::world::{INTERVAL, MINUTE, SECOND, World};

fn throttled(status: u16, retry_after: Option<u64>, reset_after: Option<u64>) -> FaultKind {
    FaultKind::Throttled {
        status,
        retry_after,
        reset_after,
    }
}

/// How many changes were acknowledged, and how many within five minutes.
fn lags(world: &World) -> [String; 2] {
    let (mut registry, mut page) = (Registry::default(), String::new());
    let lag = world.status().lock().report_lag.0.clone();
    registry.register("lag", "of changes", lag);
    encode(&mut page, &registry).unwrap();
    let value = |name: &str| {
        let line = page.lines().find(|line| line.starts_with(name)).unwrap();
        line.rsplit(' ').next().unwrap().to_owned()
    };
    [value("lag_count"), value("lag_bucket{le=\"300.0\"}")]
}

#[tokio::test(start_paused = true)]
async fn a_change_that_github_takes_late_counts_as_late_and_what_is_repeated_does_not() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    assert_eq!(lags(&world), ["1", "1"]);
    world.run(&deployment("shop", "cart"));
    world.agreed().await;
    assert_eq!(lags(&world), ["2", "2"]);
    world.fault(Fault::new(FaultKind::Status { status: 503 }));
    world.run(&deployment("shop", "late"));
    world.pass(6 * MINUTE).await;
    world.run(&deployment("shop", "later"));
    world.pass(MINUTE).await;
    world.github.clear();
    world.agreed_within(2 * MINUTE).await;
    assert_eq!(lags(&world), ["4", "2"]);
    world.pass(2 * INTERVAL).await;
    world.run(&deployment("shop", "soon"));
    world.agreed().await;
    assert_eq!(lags(&world), ["5", "3"], "nothing is late any more");
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_limit_is_obeyed_as_its_headers_say_or_for_a_minute() {
    let table = [
        (throttled(429, Some(90), None), 90),
        (throttled(429, None, Some(200)), 200),
        (throttled(429, None, None), 60),
        (throttled(403, Some(90), None), 90),
        (throttled(403, None, Some(200)), 200),
    ];
    for (kind, seconds) in table {
        let mut world = World::with(&[deployment("shop", "web")]).await;
        world.once(kind.clone());
        world.run(&deployment("shop", "cart"));
        world.requested(2, 5 * SECOND).await;
        world.run(&deployment("shop", "api"));
        world.requested(3, 5 * MINUTE).await;
        let posts = world.posts(1);
        let pause = posts[1].at.checked_sub(posts[0].at).unwrap().as_secs();
        assert!(
            (seconds..=seconds + 2).contains(&pause),
            "{kind:?}: {pause} s"
        );
        world.agreed_within(5 * SECOND).await;
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn limits_without_headers_are_obeyed_for_a_minute_doubling_to_ten() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    world.fault(Fault::new(throttled(429, None, None)));
    world.run(&deployment("shop", "cart"));
    world.pass(60 * MINUTE).await;
    let posts = world.posts(1);
    let minutes: Vec<u64> = posts
        .windows(2)
        .map(|two| two[1].at.checked_sub(two[0].at).unwrap().as_secs() / 60)
        .collect();
    assert_eq!(minutes, [1, 2, 4, 8, 10, 10, 10, 10], "{}", world.story());
    world.github.clear();
    world.agreed_within(11 * MINUTE).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn workloads_that_vanish_and_come_back_during_a_long_pause_are_right_after_it() {
    let names = ["api", "cart", "mail", "web"];
    let mut world = World::with(&names.map(|name| deployment("shop", name))).await;
    world.once(throttled(429, Some(1800), None));
    world.run(&deployment("shop", "web").image("ghcr.io/acme/web:2"));
    world.requested(2, 5 * SECOND).await;
    world.remove("shop", "cart");
    world.remove("shop", "api");
    world.pass(10 * MINUTE).await;
    world.run(&deployment("shop", "api"));
    world.run(&deployment("shop", "new"));
    world.pass(10 * MINUTE).await;
    world.remove("shop", "new");
    world.pass(9 * MINUTE).await;
    assert_eq!(world.requests(), 2);
    world.agreed_within(2 * MINUTE).await;
    assert!(world.github.record("production", "shop-new-main").is_none());
    assert_eq!(
        world.sends_of(2, "shop-api-main"),
        world.sends_of(2, "shop-mail-main")
    );
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_refused_is_read_again_and_tried_as_soon_as_it_is_another() {
    let path = std::env::temp_dir().join(format!("recorder-token-{}", std::process::id()));
    std::fs::write(&path, "old").unwrap();
    let mut world = World {
        token_file: Some(path.clone()),
        ..World::default()
    };
    world.github.set_token(Some("old".to_owned()));
    world.run(&deployment("shop", "web"));
    world.start();
    world.agreed().await;
    world.github.set_token(Some("new".to_owned()));
    world.run(&deployment("shop", "cart"));
    world.pass(30 * SECOND).await;
    assert_eq!(world.requests(), 2);
    assert_eq!(world.status().lock().blocked.len(), 1);
    assert!(!world.reasons().contains("unauthorized"));
    std::fs::write(&path, "new").unwrap();
    world.agreed_within(20 * SECOND).await;
    assert_eq!(world.status().lock().blocked.len(), 0);
    std::fs::remove_file(&path).unwrap();
    world.run(&deployment("shop", "api"));
    world.pass(30 * SECOND).await;
    assert_eq!(world.requests(), 3);
    std::fs::write(&path, "new").unwrap();
    world.agreed_within(11 * MINUTE).await;
    world.finish().await;
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test(start_paused = true)]
async fn without_access_an_organization_is_left_alone_for_a_minute_doubling_to_ten() {
    for kind in [
        FaultKind::Bare { status: 404 },
        FaultKind::Bare { status: 403 },
    ] {
        let mut world = World::with(&[deployment("shop", "web")]).await;
        world.fault(Fault::new(kind));
        world.run(&deployment("shop", "cart"));
        world.pass(40 * MINUTE).await;
        let posts = world.posts(1);
        let minutes: Vec<u64> = posts
            .windows(2)
            .map(|two| two[1].at.checked_sub(two[0].at).unwrap().as_secs() / 60)
            .collect();
        assert_eq!(minutes, [1, 2, 4, 8, 10, 10], "{}", world.story());
        assert_eq!(world.status().lock().blocked.len(), 1);
        assert!(world.reasons().is_empty(), "{:?}", world.reasons());
        world.github.clear();
        world.agreed_within(11 * MINUTE).await;
        assert_eq!(world.status().lock().blocked.len(), 0);
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_organization_without_access_does_not_hold_back_another() {
    let mut world = World::with(&[deployment("shop", "web"), deployment("shop", "cart")]).await;
    world.stop().await;
    let moved = Destination {
        organization: "newer".into(),
        ..Destination::clone(&world.policy.destination)
    };
    world.policy.destination = Arc::new(moved);
    world
        .gate
        .set(|path| path.contains("/orgs/acme/").then_some((404, "")));
    world.restart().await;
    world.pass(MINUTE).await;
    let of = |world: &World, organization: &str| {
        let records = world.github.records().into_iter();
        let held = records.filter(|record| {
            record.key.org == organization
                && record.status == deployment_recorder::sandbox::Status::Deployed
        });
        held.count()
    };
    assert_eq!((of(&world, "newer"), of(&world, "acme")), (2, 2));
    world.run(&deployment("shop", "api"));
    world.pass(3 * SECOND).await;
    assert_eq!(of(&world, "newer"), 3);
    world.pass(2 * INTERVAL).await;
    world.gate.open();
    world.pass(10 * MINUTE + 5 * SECOND).await;
    assert_eq!((of(&world, "newer"), of(&world, "acme")), (3, 0));
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_withdrawn_version_is_asked_for_once_an_hour_and_shown() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    world.fault(Fault::new(FaultKind::Status { status: 410 }));
    world.run(&deployment("shop", "cart"));
    world.pass(3 * 60 * MINUTE).await;
    let posts = world.posts(1);
    assert_eq!(posts.len(), 3, "{}", world.story());
    assert!(
        posts
            .windows(2)
            .all(|two| two[1].at.checked_sub(two[0].at).unwrap() >= Duration::from_hours(1))
    );
    assert_eq!(world.status().lock().blocked.len(), 1);
    world.github.clear();
    world.agreed_within(61 * MINUTE).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_withdrawn_version_is_shown_as_long_as_it_is_left_alone_whatever_token_comes() {
    let token = crate::sign_in::file("old");
    let mut world = World {
        token_file: Some(token.path().to_owned()),
        ..World::default()
    };
    world.run(&deployment("shop", "web"));
    world.start();
    world.agreed().await;
    world.fault(Fault::new(FaultKind::Status { status: 410 }));
    world.run(&deployment("shop", "cart"));
    world.pass(MINUTE).await;
    let before = world.blocked();
    assert!(before[0].contains("no longer serves version"), "{before:?}");
    token.write("new");
    world.pass(30 * MINUTE).await;
    assert_eq!((world.blocked(), world.requests()), (before, 2));
    world.github.clear();
    world.agreed_within(31 * MINUTE).await;
    assert_eq!(world.blocked(), Vec::<String>::new());
    world.finish().await;
}

/// Two minutes of new workloads, one a second, with a GitHub that takes a while for each answer.
#[tokio::test(start_paused = true)]
async fn promise_6_a_storm_of_changes_is_gathered_into_few_requests_and_its_end_arrives_soon() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    world.slow(Duration::from_millis(20), Duration::from_millis(1500));
    let before = world.requests();
    for second in 0..120 {
        world.run(&deployment("shop", &format!("web-{second}")));
        world.pass(SECOND).await;
    }
    world.agreed_within(10 * SECOND).await;
    let requests = world.requests() - before;
    assert!(requests <= 12, "{requests} requests: {}", world.story());
    // When it is over a change goes out at once again.
    world.pass(2 * MINUTE).await;
    world.run(&deployment("shop", "late"));
    world.agreed_within(4 * SECOND).await;
    world.finish().await;
}

/// What waits: for what, how many records of which purpose, and for how long still.
fn waits(world: &World) -> Vec<(&'static str, &'static str, usize, u64)> {
    let now = tokio::time::Instant::now();
    let status = world.status();
    let status = status.lock();
    let waits = status.waits.iter().map(|wait| {
        let left = wait.until.saturating_duration_since(now).as_secs();
        (wait.reason, wait.purpose, wait.records, left)
    });
    waits.collect()
}

#[tokio::test(start_paused = true)]
async fn promise_6_what_waits_is_shown_with_the_reason_and_until_when() {
    let table = [
        (throttled(429, Some(1800), None), "told-to-wait", 1800),
        (throttled(429, None, None), "limited", 60),
        (FaultKind::Bare { status: 404 }, "no-access", 60),
        (FaultKind::Status { status: 410 }, "version-withdrawn", 3600),
    ];
    for (kind, reason, seconds) in table {
        let mut world = World::with(&[deployment("shop", "web")]).await;
        assert_eq!(waits(&world), []);
        world.once(kind.clone());
        world.run(&deployment("shop", "cart"));
        world.run(&deployment("shop", "api"));
        world.requested(2, 5 * SECOND).await;
        world.pass(SECOND).await;
        let [(why, "change", 2 | 3, left)] = waits(&world)[..] else {
            panic!("{kind:?}: {:?}", waits(&world))
        };
        assert_eq!(why, reason, "{kind:?}");
        assert!(
            (seconds - 3..=seconds).contains(&left),
            "{kind:?}: {left} s"
        );
        let at = world.status().lock().waits[0].at;
        world.pass(10 * SECOND).await;
        assert!(waits(&world)[0].3 <= seconds - 10, "{kind:?}");
        assert_eq!(world.status().lock().waits[0].at, at, "it is a moment");
        world.agreed_within(Duration::from_secs(seconds + 5)).await;
        world.pass(5 * SECOND).await;
        assert_eq!(waits(&world), [], "{kind:?}");
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn requests_that_are_left_are_counted_down_and_come_back_with_time() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    let left = |world: &World| {
        let room = world.status().lock().room.clone();
        room.left(tokio::time::Instant::now())
            .map(|(_, count)| count)
    };
    assert_eq!(left(&world), [79, 449]);
    let remaining = world
        .status()
        .lock()
        .room
        .remaining(tokio::time::Instant::now());
    assert_eq!(remaining, Some(4999), "by GitHub's own count");
    world.run(&deployment("shop", "cart"));
    world.agreed().await;
    assert_eq!(left(&world), [78, 448]);
    world.pass(61 * SECOND).await;
    assert_eq!(left(&world), [80, 448]);
    world.finish().await;
}
