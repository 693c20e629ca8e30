//! Worlds that are judged apart: the stored ledger is lost or set back while no recorder has it in
//! memory, which no promise covers. What can be seen is said, nothing that runs is ended, and a person
//! who adopts what GitHub lists (`verify --adopt`) makes it right again.

use std::time::Duration;

use serde_json::Value;

use crate::by_hand::found;
use crate::ledger;
use crate::seeds::{in_a_runtime, number};
use crate::wire::HOST;
use crate::world::World;

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

    async fn some_time(&mut self) {
        for _ in 0..15 {
            let wait = self.dice.seconds(1, 120);
            self.pass(wait).await;
            self.operate();
        }
        self.pass(Duration::from_mins(5)).await;
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

#[test]
fn a_ledger_that_is_lost_while_no_recorder_runs_is_said_and_adopting_makes_it_right() {
    for seed in 0..number("SEEDS").unwrap_or(1) {
        in_a_runtime(World::new, seed, |world| world.live_with(Loss::Whole));
    }
}

#[test]
fn a_ledger_that_is_set_back_while_no_recorder_runs_ends_nothing_that_runs_and_adopting_makes_it_right()
 {
    for seed in 0..number("SEEDS").unwrap_or(1) {
        in_a_runtime(World::new, seed, |world| world.live_with(Loss::SetBack));
    }
}
