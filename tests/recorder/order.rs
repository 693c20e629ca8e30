//! What is sent first, in which batches, and how often.

use std::time::Duration;

use deployment_recorder::sandbox::{Fault, FaultKind};

use crate::objects::{Deployment, deployment};
use crate::sight::Post;
use crate::world::{INTERVAL, MINUTE, SECOND, World};

/// Deployments with that many containers in all, a hundred each.
pub fn many(containers: usize) -> Vec<Deployment> {
    let one = |number: usize| {
        let mut one = deployment("shop", &format!("web{number:02}"));
        let container = |number| {
            (
                format!("c{number:02}"),
                format!("ghcr.io/acme/part:{number}"),
            )
        };
        one.containers = (0..100).map(container).collect();
        one
    };
    (0..containers / 100).map(one).collect()
}

#[tokio::test(start_paused = true)]
async fn a_change_waits_until_it_is_quiet_for_a_second_and_never_longer_than_five() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    world.pass(MINUTE).await;
    let (before, start) = (world.requests(), world.github.elapsed());
    for version in 0..30 {
        world.run(&deployment("shop", "web").image(&format!("ghcr.io/acme/web:{version}")));
        world.pass(Duration::from_millis(300)).await;
    }
    world.agreed().await;
    let posts = world.posts(before);
    let since: Vec<Duration> = posts
        .iter()
        .map(|post| post.at.checked_sub(start).unwrap())
        .collect();
    assert_eq!(since.len(), 2, "{since:?}");
    assert!(
        since[0] >= 4 * SECOND && since[0] <= 5 * SECOND + SECOND / 10,
        "{since:?}"
    );
    assert!(since[1] <= Duration::from_millis(10_100), "{since:?}");
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn changes_go_first_then_new_names_with_a_witness_then_decommissions_then_the_snapshot() {
    let old = ["api", "cart", "mail", "web"].map(|name| deployment("shop", name));
    let mut world = World::with(&old).await;
    world.stop().await;
    let before = world.requests();
    world.run(&deployment("shop", "cart").image("ghcr.io/acme/cart:2"));
    world.run(&deployment("shop", "new"));
    world.remove("shop", "mail");
    world.restart().await;
    world.agreed().await;
    world.requested(before + 4, 10 * SECOND).await;
    let posts = world.posts(before);
    let names: Vec<Vec<&str>> = posts.iter().map(Post::names).collect();
    assert_eq!(names[0], ["shop-cart-main"]);
    assert_eq!(names[1], ["shop-new-main", "shop-api-main"]);
    assert_eq!(names[2], ["shop-mail-main"]);
    assert!(posts[2].ends());
    assert_eq!(names[3], ["shop-api-main", "shop-web-main"]);
    world.pass(MINUTE).await;
    assert_eq!(world.requests(), before + 4);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_plan_of_more_than_a_minute_ago_is_made_anew_and_what_came_back_meanwhile_is_not_ended() {
    let old = ["api", "cart", "mail", "web"].map(|name| deployment("shop", name));
    let mut world = World::with(&old).await;
    let before = world.requests();
    world.fault(Fault::new(FaultKind::Slow { millis: 29_500 }).times(2));
    world.run(&deployment("shop", "cart").image("ghcr.io/acme/cart:2"));
    world.run(&deployment("shop", "new"));
    world.remove("shop", "mail");
    world.requested(before + 2, MINUTE).await;
    world.run(&deployment("shop", "mail"));
    world.agreed_within(2 * MINUTE).await;
    world.pass(MINUTE).await;
    let ended = |post: &Post| post.ends() && post.has("shop-mail-main");
    assert!(!world.posts(before).iter().any(ended), "{}", world.story());
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn many_records_go_in_batches_of_a_thousand_a_second_apart() {
    let world = World::with(&many(2500)).await;
    let posts = world.posts(0);
    let sizes: Vec<usize> = posts.iter().map(|post| post.lines.len()).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 2500, "{sizes:?}");
    assert_eq!(sizes.len(), 3);
    let apart: Vec<Duration> = posts
        .windows(2)
        .map(|two| two[1].at.checked_sub(two[0].at).unwrap())
        .collect();
    assert!(
        apart
            .iter()
            .all(|time| *time >= SECOND && *time < 2 * SECOND),
        "{apart:?}"
    );
    assert!(world.ledger().root["shards"].as_u64().unwrap() > 1);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_change_goes_before_the_rest_of_a_snapshot_which_goes_on_where_it_was() {
    let mut world = World::with(&many(2500)).await;
    world.fault(Fault::new(FaultKind::Slow { millis: 1500 }));
    let before = world.requests();
    world.requested(before + 1, 2 * INTERVAL).await;
    world.run(&deployment("pay", "api"));
    world.agreed().await;
    world.requested(before + 4, MINUTE).await;
    world.pass(MINUTE).await;
    let posts = world.posts(before);
    assert_eq!(posts.len(), 4, "{}", world.story());
    assert_eq!(posts[0].lines.len(), 1000);
    assert!(posts[1].has("pay-api-main"), "{:?}", posts[1].names());
    let mut snapshot: Vec<&str> = [0, 2, 3]
        .iter()
        .flat_map(|post| posts[*post].names())
        .collect();
    let all = snapshot.len();
    snapshot.sort_unstable();
    snapshot.dedup();
    assert_eq!((all, snapshot.len()), (2500, 2500));
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_is_paused_goes_on_where_it_was() {
    let world = World::with(&many(1200)).await;
    let before = world.requests();
    let throttled = FaultKind::Throttled {
        status: 429,
        retry_after: Some(90),
        reset_after: None,
    };
    world.fault(Fault::once(throttled).after(1));
    world.requested(before + 2, 2 * INTERVAL).await;
    world.pass(2 * MINUTE).await;
    let posts = world.posts(before);
    let sizes: Vec<(usize, Option<u16>)> = posts
        .iter()
        .map(|post| (post.lines.len(), post.status))
        .collect();
    assert_eq!(
        sizes,
        [(1000, Some(200)), (200, Some(429)), (200, Some(200))]
    );
    assert!(posts[2].at.checked_sub(posts[1].at).unwrap() >= 90 * SECOND);
    assert_eq!(posts[1].names(), posts[2].names());
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn snapshots_leave_half_of_the_limits_to_changes() {
    let mut world = World {
        interval: 5 * SECOND,
        ..World::default()
    };
    world.run(&deployment("shop", "web"));
    world.start();
    world.agreed().await;
    world.pass(2 * 60 * MINUTE).await;
    let posts = world.posts(0);
    let within = |from: usize, time: Duration| {
        posts[from..]
            .iter()
            .take_while(|post| post.at.checked_sub(posts[from].at).unwrap() < time)
            .count()
    };
    let most = |time| {
        (0..posts.len())
            .map(|from| within(from, time))
            .max()
            .unwrap()
    };
    assert!(
        most(60 * MINUTE) <= 226,
        "{} snapshots in an hour",
        most(60 * MINUTE)
    );
    assert!(posts.len() > 400, "{} snapshots in two hours", posts.len());
    world.run(&deployment("shop", "cart"));
    world.agreed_within(3 * SECOND).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn promise_7_a_change_does_not_end_a_snapshot_that_waits_for_its_share() {
    let mut world = World::with(&many(2500)).await;
    // So many requests of fifty take more than the snapshots' share of a minute.
    let heavy = FaultKind::TooHeavy {
        records: 60,
        status: 504,
    };
    world.fault(Fault::new(heavy));
    // Requests get smaller while these are asked again as changes; the next snapshot is what waits.
    let waits = |world: &World| {
        let requests = world.github.requests();
        let [.., first, _, last] = &requests[..] else {
            return false;
        };
        let idle = world.github.elapsed().checked_sub(last.at).unwrap();
        let is_under_way = last.at.checked_sub(first.at).unwrap() < 5 * SECOND;
        let body = last.body.as_deref().unwrap();
        let lines = body["deployments"].as_array().unwrap();
        let name = lines
            .last()
            .and_then(|line| line["deployment_name"].as_str());
        last.status == Some(200)
            && (is_under_way && idle > 6 * SECOND)
            && name.is_some_and(|name| lines.len() == 50 && name < "shop-web24-c99")
    };
    let start = world.github.elapsed();
    while !waits(&world) {
        assert!(world.github.elapsed() < start + 90 * MINUTE);
        world.pass(SECOND).await;
    }
    let known = world.requests();
    let last = world.posts(known - 1)[0]
        .names()
        .last()
        .unwrap()
        .to_string();
    world.run(&deployment("zoo", "api"));
    world.agreed_within(5 * SECOND).await;
    world.requested(known + 2, 2 * MINUTE).await;
    let posts = world.posts(known);
    assert!(posts[0].has("zoo-api-main"));
    let next = posts[1].names()[0].to_owned();
    assert!(next > last, "{next} after {last}: it began anew");
    world.finish().await;
}
