//! Kills at chosen and at random moments, each with a workload that vanishes while nothing runs
//! (promise 3): nothing is forgotten.

use std::time::Duration;

use deployment_recorder::sandbox::{Fault, FaultKind};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::objects::deployment;
use crate::support::apiserver::{Fault as ApiFault, Verb};
use crate::world::{INTERVAL, MINUTE, SECOND, World};

#[tokio::test(start_paused = true)]
async fn a_restart_after_a_kill_reports_nothing_anew_but_what_was_unanswered() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    world.pass(2 * MINUTE).await;
    world.kill().await;
    let before = world.requests();
    world.restart().await;
    world.pass(MINUTE).await;
    assert_eq!(world.requests(), before + 1, "{}", world.story());
    world.agreed().await;
    world.finish().await;
}

/// Web is to be reported anew when the recorder is killed; then it vanishes.
async fn killed_then_vanished(mut world: World) {
    world.kill().await;
    world.check();
    world.remove("shop", "web");
    world.github.clear();
    world.api.heal();
    world.restart().await;
    world.agreed().await;
    world.pass(2 * INTERVAL).await;
    world.agreed().await;
    assert_eq!(world.ledger().tombstones(), Vec::<&str>::new());
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn killed_between_write_ahead_and_post_a_vanished_workload_is_not_forgotten() {
    let mut world = World::with(&[deployment("shop", "cart")]).await;
    world.once(FaultKind::Hang);
    world.run(&deployment("shop", "web"));
    world.requested(2, 5 * SECOND).await;
    assert!(world.ledger().names().contains(&"shop-web-main"));
    killed_then_vanished(world).await;
}

#[tokio::test(start_paused = true)]
async fn killed_between_post_and_answer_a_vanished_workload_is_not_forgotten() {
    let mut world = World::with(&[deployment("shop", "cart")]).await;
    world.once(FaultKind::Lost { hang: true });
    world.run(&deployment("shop", "web"));
    world.agreed().await;
    killed_then_vanished(world).await;
}

#[tokio::test(start_paused = true)]
async fn killed_between_answer_and_store_a_vanished_workload_is_not_forgotten() {
    let mut world = World::with(&[deployment("shop", "cart")]).await;
    world.pass(2 * MINUTE).await;
    world.run(&deployment("shop", "web"));
    world.agreed().await;
    world.pass(SECOND).await;
    let entry = &world.ledger().entries[&("production".to_owned(), "shop-web-main".to_owned())];
    assert!(
        entry["held"].is_null(),
        "the answer is stored already: {entry}"
    );
    killed_then_vanished(world).await;
}

#[tokio::test(start_paused = true)]
async fn killed_before_the_root_or_a_shard_is_written_nothing_is_sent_and_nothing_forgotten() {
    for skip in [0, 1] {
        let mut world = World::with(&[deployment("shop", "cart")]).await;
        world.pass(2 * MINUTE).await;
        world
            .api
            .fail(Verb::Update, "ConfigMap", ApiFault::Hang)
            .skip(skip)
            .forever();
        world.run(&deployment("shop", "web"));
        world.pass(5 * SECOND).await;
        assert_eq!(world.requests(), 1);
        killed_then_vanished(world).await;
    }
}

#[tokio::test(start_paused = true)]
async fn killed_while_a_decommission_is_on_its_way_it_is_said_again() {
    for kind in [
        FaultKind::Hang,
        FaultKind::Lost { hang: true },
        FaultKind::Reset,
    ] {
        let mut world = World::with(&[deployment("shop", "cart"), deployment("shop", "web")]).await;
        world.once(kind);
        world.remove("shop", "web");
        world.requested(2, 5 * SECOND).await;
        world.kill().await;
        world.check();
        world.restart().await;
        world.agreed().await;
        world.pass(2 * INTERVAL).await;
        assert_eq!(world.ledger().names(), ["shop-cart-main"]);
        world.finish().await;
    }
}

/// A fault that hides an outcome.
fn some_fault(rng: &mut StdRng) -> Fault {
    let kinds = [
        FaultKind::Reset,
        FaultKind::Lost { hang: false },
        FaultKind::Late { seconds: 40 },
        FaultKind::Status { status: 503 },
    ];
    let kind = kinds[rng.random_range(0..kinds.len())].clone();
    Fault::once(kind).after(rng.random_range(0..2))
}

/// A life in which the recorder is killed a few times while workloads come, change and go.
async fn a_life(seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut world = World {
        seed,
        ..World::default()
    };
    world.policy.mass_decommission_hold = Duration::ZERO;
    world.interval = 2 * MINUTE;
    let names = ["web", "cart", "api", "mail"];
    for name in names {
        world.run(&deployment("shop", name));
    }
    world.slow(Duration::from_millis(70), Duration::from_millis(130));
    for round in 2..5 {
        if rng.random_bool(0.3) {
            world.fault(some_fault(&mut rng));
        }
        world.start();
        world
            .pass(Duration::from_millis(rng.random_range(0..4000)))
            .await;
        let name = names[rng.random_range(0..names.len())];
        if rng.random_bool(0.5) {
            world.remove("shop", name);
        } else {
            world.run(&deployment("shop", name).image(&format!("ghcr.io/acme/{name}:{round}")));
        }
        world
            .pass(Duration::from_millis(rng.random_range(0..4000)))
            .await;
        world.kill().await;
        world.check();
        let name = names[rng.random_range(0..names.len())];
        world.remove("shop", name);
        world
            .pass(Duration::from_millis(rng.random_range(1500..5000)))
            .await;
    }
    world.github.clear();
    world.api.heal();
    world.start();
    // A request of before may still be applied; it is settled one interval later.
    world.pass(2 * world.interval + 2 * MINUTE).await;
    world.agreed().await;
    let live = world
        .wanted
        .keys()
        .map(|(_, name)| &**name)
        .collect::<Vec<_>>();
    assert_eq!(
        world.ledger().names(),
        live,
        "seed {seed}\n{}",
        world.story()
    );
    world.finish().await;
}

#[test]
fn killed_at_any_moment_of_any_life_nothing_is_forgotten() {
    for seed in 0..60 {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        let life = std::panic::AssertUnwindSafe(|| runtime.block_on(a_life(seed)));
        if let Err(panic) = std::panic::catch_unwind(life) {
            eprintln!("seed {seed}");
            std::panic::resume_unwind(panic);
        }
    }
}
