//! Worlds that are judged apart. The stored ledger is lost or set back while no recorder has it in
//! memory, which no promise covers: what can be seen is said, nothing that runs is ended as far as what
//! is left of the ledger tells, and a person who adopts what GitHub lists (`verify --adopt`) makes it
//! right again. Or GitHub applies a request after a later one, perhaps one of a leader that is none any
//! more: that is right again by itself.

use std::time::Duration;

use deployment_recorder::sandbox::{Fault as AtGithub, FaultKind};
use serde_json::Value;
use tokio::time::Instant;

use crate::by_hand::found;
use crate::ledger;
use crate::operations::Sequels;
use crate::seeds::{in_a_runtime, number};
use crate::wire::HOST;
use crate::world::{Slot, World};

/// What happens to the stored ledger.
#[derive(Clone, Copy, Debug)]
enum Loss {
    Whole,
    SetBack,
}

impl World {
    fn parts(&self) -> Vec<Value> {
        self.land.api.all("ConfigMap")
    }

    fn lose(&self) {
        for map in self.parts() {
            let name = map["metadata"]["name"].as_str().unwrap();
            self.land.api.delete("ConfigMap", ledger::NAMESPACE, name);
        }
    }

    /// A life in which the ledger is lost while nobody runs.
    async fn live_with(mut self, loss: Loss) {
        self.settle();
        self.slots.truncate(1);
        self.some_time().await;
        let backup = self.parts();
        self.some_time().await;
        self.slots[0].process.as_ref().unwrap().stop();
        let process = self.slots[0].process.take().unwrap();
        self.story.tell(&process.end().await);
        self.lose();
        if let Loss::SetBack = loss {
            for mut map in backup {
                map["metadata"]
                    .as_object_mut()
                    .unwrap()
                    .remove("resourceVersion");
                self.land.api.apply(map);
            }
            self.wire.set_back();
        }
        // What goes now goes from nobody's memory.
        self.is_apart = true;
        for _ in 0..5 {
            self.operate();
        }
        self.pass(Duration::from_secs(30)).await;
        let first = self.slots[0]
            .process
            .as_ref()
            .unwrap()
            .status
            .lock()
            .first_start;
        assert_eq!(
            first,
            matches!(loss, Loss::Whole),
            "said where it can be seen"
        );
        self.pass(2 * self.told.interval).await;
        self.rest().await;
        assert_eq!(
            self.missing(),
            Vec::<String>::new(),
            "what runs is recorded"
        );
        self.wire.adopt();
        self.adopt_all().await;
        self.is_apart = false;
        self.pass(self.told.patience()).await;
        self.must_be(&self.differences());
    }

    /// A life in which GitHub applies a request up to a minute late, while things go on; `deposed`:
    /// who sent it is killed meanwhile, and another leads.
    async fn live_with_a_late_request(mut self, deposed: bool) {
        self.settle();
        self.slots.resize_with(2, Slot::default);
        self.some_time().await;
        self.pass(self.told.patience()).await;
        self.must_be(&self.differences());

        // Who comes after the one that is killed has to have the Lease before.
        let least = if deposed { 45 } else { 20 };
        let seconds = self.dice.number(least, 60) as u64;
        let late = AtGithub::new(FaultKind::Late { seconds }).times(1);
        self.github.fault(late);
        let before = self.github.request_count();
        while self.github.request_count() == before {
            self.operate();
            self.pass(Duration::from_secs(3)).await;
        }
        if deposed {
            // Who comes after it cannot know of a change of tags that was under way: nothing of it had
            // to be stored.
            self.is_apart = true;
            self.leader().unwrap().fuse.light(0);
        }
        let sent = self.github.request_count();
        // The request may have come three seconds ago.
        let mut left = seconds - 3;
        while left > 0 {
            self.operate();
            let step = left.min(10);
            self.pass(Duration::from_secs(step)).await;
            left -= step;
        }
        assert!(
            !deposed || self.github.request_count() > sent,
            "nobody sent anything before the late request was applied"
        );
        self.operate();
        self.pass(Duration::from_secs(10)).await;
        self.rest().await;
        // An outcome that is unknown is settled by what is answered so much later; what is held back or
        // idle waits besides, and a rollout that is under way comes to its end.
        let settled = self.told.interval.max(Duration::from_mins(2));
        let idle = self.told.idle_after.unwrap_or_default();
        let until = Instant::now() + settled + self.told.hold + idle + Duration::from_mins(2);
        while Instant::now() < until
            && !(self.differences().is_empty() && self.forgotten().is_empty())
        {
            self.pass(Duration::from_secs(10)).await;
        }
        self.is_apart = false;
        self.check();
        self.must_be(&self.differences());
    }

    async fn some_time(&mut self) {
        for _ in 0..15 {
            let wait = self.dice.seconds(1, 120);
            self.pass(wait).await;
            self.operate();
        }
        self.pass(Duration::from_mins(5)).await;
    }

    /// Nothing happens any more, and what did is told.
    async fn rest(&mut self) {
        self.sequels = Sequels::default();
        self.look();
        self.pass(Duration::from_mins(1)).await;
    }

    /// What runs and is not recorded.
    fn missing(&self) -> Vec<String> {
        let mut said = self.differences();
        said.retain(|it| it.starts_with("missing"));
        said
    }

    /// All that GitHub lists, as `verify --adopt` does it.
    async fn adopt_all(&mut self) {
        self.stop_for_a_person().await.unwrap();
        let held = self.held().into_iter();
        let found = held.map(|((environment, name), (image, digest, ..))| {
            let image = image.rsplit_once(':').map_or(&*image, |it| it.0);
            found(HOST, &environment, &name, image, &digest)
        });
        let found = found.collect();
        let adopted = self.take_over(found).await.unwrap();
        self.story.tell(&format!("{adopted} adopted"));
    }
}

/// Every world of these, each lived in a runtime of its own.
fn each<F: Future<Output = ()>>(lived: impl Fn(World) -> F) {
    let seeds = match number("SEED") {
        Some(seed) => seed..=seed,
        None => 0..=number("SEEDS").unwrap_or(1).max(1) - 1,
    };
    for seed in seeds {
        in_a_runtime(World::new, seed, |mut world| {
            world.guard.is_of(seed, "apart::");
            lived(world)
        });
    }
}

#[test]
fn a_ledger_that_is_lost_while_no_recorder_runs_is_said_and_adopting_makes_it_right() {
    each(|world| world.live_with(Loss::Whole));
}

#[test]
fn a_ledger_that_is_set_back_while_no_recorder_runs_ends_nothing_that_it_knows_to_run_and_adopting_makes_it_right()
 {
    each(|world| world.live_with(Loss::SetBack));
}

#[test]
fn what_is_applied_after_a_later_request_is_right_again_within_an_interval_whoever_sent_it() {
    each(|world| world.live_with_a_late_request(false));
    each(|world| world.live_with_a_late_request(true));
}
