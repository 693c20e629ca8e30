//! The seeds: each one's six hours, many of them side by side, and some of them twice.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::faults::Fault;
use crate::operations::Sequels;
use crate::parts::{Lives, Parts};
use crate::table::Table;
use crate::workload::Kind;
use crate::world::World;

/// How long a world is looked at.
const ALL: Duration = Duration::from_hours(6);

/// So many seeds leave no cell of the table empty.
const ENOUGH: u64 = 500;

/// How long it takes in nine of ten seeds until GitHub is right once all is well.
const SOON: Duration = Duration::from_mins(2);

/// What a seed came to.
struct Told {
    story: String,
    table: Table,
    parts: Parts,
}

impl World {
    /// Workloads that were there before the recorder.
    pub fn settle(&mut self) {
        while self.land.workloads.len() < self.land.usual {
            let kind = *self.dice.one_of(&Kind::ALL);
            let namespace = *self.dice.one_of(&crate::land::NAMESPACES);
            let name = *self.dice.one_of(&crate::land::NAMES);
            self.land.arrive(kind, namespace, name);
        }
        self.land.apply_all();
        self.look();
    }

    pub fn operate(&mut self) {
        let mut sequels = std::mem::take(&mut self.sequels);
        let (title, said) = self.land.operate(&mut sequels);
        self.sequels = sequels;
        self.story.tell(&format!("{title}: {said}"));
        self.look();
    }

    /// All of it.
    async fn live(mut self) -> Told {
        self.settle();
        self.mind().await;
        let until = Instant::now() + ALL - self.told.patience();
        let mut faults: Vec<Fault> = Vec::new();
        let mut operations = 0;
        let time = until - Instant::now();
        let between = u64::try_from(time.as_millis() / 260).unwrap();
        let mut fault_at = Instant::now() + self.dice.seconds(60, 300);
        while Instant::now() < until {
            let wait = self.dice.millis(100, 2 * between);
            self.pass(wait).await;
            for _ in 0..self.dice.number(1, 2) {
                self.operate();
                operations += 1;
            }
            if Instant::now() >= fault_at {
                if faults.is_empty() {
                    faults = Fault::ALL.to_vec();
                    // What the fewest plans are of comes more often.
                    faults.extend([Fault::Adopted; 4]);
                    faults.push(Fault::RefusesRecord);
                }
                let index = self.dice.number(0, faults.len() - 1);
                let fault = faults.swap_remove(index);
                // Right behind an operation, or while it is being reported.
                let wait = self.dice.millis(0, 8000);
                self.pass(wait).await;
                self.strike(fault).await;
                self.check();
                // Sometimes the next one while it lasts; what was adopted, or is refused, is soon settled.
                let is_rare = matches!(fault, Fault::Adopted | Fault::RefusesRecord);
                let soon = is_rare || self.dice.percent(30);
                let least = if soon { 1 } else { 60 };
                fault_at = Instant::now() + self.dice.seconds(least, 10 * least + 100);
            }
        }
        self.end(operations).await
    }

    /// Everything is well again, and after a while GitHub is right.
    async fn end(mut self, operations: usize) -> Told {
        self.story.tell("everything is well again");
        self.relieve(true);
        self.land.api.heal();
        self.github.clear();
        self.sequels_end().await;
        self.adopt_what_is_left().await;
        self.become_right().await;
        assert!(operations >= 200, "only {operations} operations");
        assert!(self.count >= 20, "only {} faults", self.count);
        for slot in &mut self.slots {
            if let Some(process) = slot.process.take() {
                process.stop();
                let asked = Instant::now();
                let end = process.end().await;
                assert!(
                    asked.elapsed() <= Duration::from_secs(20),
                    "a stop took too long"
                );
                assert_eq!(end, "stopped");
            }
        }
        self.check();
        Told {
            story: self.story.whole(),
            table: self.table,
            parts: self.parts,
        }
    }

    /// GitHub becomes right, and stays so.
    async fn become_right(&mut self) {
        let (begun, patience) = (Instant::now(), self.told.patience());
        while begun.elapsed() < patience {
            self.pass(Duration::from_secs(10)).await;
            if !self.differences().is_empty() {
                self.parts.healed = begun.elapsed();
            }
        }
        self.must_be(&self.differences());
        // Who began again a moment ago counts anew how long a workload has been idle.
        self.parts.waits = self.told.hold > Duration::ZERO || self.told.idle_after.is_some();
    }

    /// What was begun comes to its end.
    async fn sequels_end(&mut self) {
        self.pass(Duration::from_secs(1)).await;
        self.sequels = Sequels::default();
        self.look();
    }
}

/// A world, made and lived under a paused clock of its own.
pub fn in_a_runtime<T, F: Future<Output = T>>(
    made: impl FnOnce(u64) -> World,
    seed: u64,
    lived: impl FnOnce(World) -> F,
) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async { lived(made(seed)).await })
}

/// The six hours of a seed.
fn lived(seed: u64) -> Told {
    in_a_runtime(World::new, seed, World::live)
}

/// A number from the environment.
#[expect(
    clippy::disallowed_methods,
    reason = "who runs the tests says how many"
)]
pub fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
#[ignore = "tells the story of SEED"]
fn one_seed() {
    let seed = number("SEED").unwrap_or(0);
    let told = lived(seed);
    println!("{}", told.table.text());
}

/// `each` of the first `count` seeds, as many at a time as there are processors.
fn side_by_side(count: u64, each: impl Fn(u64) + Sync) {
    let next = AtomicU64::new(0);
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= count {
                        return;
                    }
                    each(seed);
                }
            });
        }
    });
}

#[test]
fn a_seed_tells_the_same_story_twice() {
    side_by_side(number("TWICE").unwrap_or(1), |number| {
        let seed = 1_000_000 + number;
        assert_eq!(lived(seed).story, lived(seed).story, "seed {seed}");
    });
}

#[test]
fn whatever_goes_wrong_no_record_is_falsely_gone_or_forgotten_and_in_the_end_github_is_right() {
    let count = number("SEEDS").unwrap_or(1);
    let sums = Mutex::new((Table::default(), Lives::default()));
    side_by_side(count, |seed| {
        let told = lived(seed);
        let mut sums = sums.lock().unwrap();
        sums.0.add(&told.table);
        sums.1.add(told.parts);
    });
    let (table, lives) = sums.into_inner().unwrap();
    println!("{}\n{}", table.text(), lives.text());
    if count >= ENOUGH {
        assert_eq!(table.empty(), Vec::<String>::new());
        assert_eq!(lives.never(), Vec::<&str>::new());
        assert!(lives.healed(90) <= SOON, "{}", lives.text());
    }
}
