//! The story of a world: what happened, in the order in which it did, for people and for comparison.

use std::sync::{Arc, Mutex};

use tokio::time::Instant;

use crate::seeds::number;

/// The story of a world. Clones tell the same one.
#[derive(Clone)]
pub struct Story {
    begun: Instant,
    lines: Arc<Mutex<Vec<String>>>,
    /// Whether it is told while it happens: one that never ends can be read too.
    aloud: bool,
}

impl Story {
    /// One that begins now.
    pub fn begun() -> Self {
        Self {
            begun: Instant::now(),
            lines: Arc::default(),
            aloud: number("SEED").is_some(),
        }
    }

    /// Tells what happens now.
    pub fn tell(&self, what: &str) {
        let at = self.begun.elapsed();
        let (seconds, millis) = (at.as_secs(), at.subsec_millis());
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let line = format!("{hours}:{minutes:02}:{seconds:02}.{millis:03} {what}");
        if self.aloud {
            println!("{line}");
        }
        self.lines.lock().unwrap().push(line);
    }

    /// What tells it and the seed when the world ends in a panic, wherever that was.
    pub fn of_seed(&self, seed: u64) -> Guard {
        Guard {
            story: self.clone(),
            again: format!("SEED={seed} {CARGO} --ignored"),
        }
    }

    /// All of it.
    pub fn whole(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }
}

/// What lives worlds.
const CARGO: &str = "cargo test --all-features --test simulation -- --nocapture";

/// Belongs to a world: says in a panic how to have that world again.
pub struct Guard {
    story: Story,
    /// The command that has it again.
    again: String,
}

impl Guard {
    /// That world is lived by the tests whose names have `tests` in them.
    pub fn is_of(&mut self, seed: u64, tests: &str) {
        self.again = format!("SEED={seed} {CARGO} {tests}");
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            if !self.story.aloud {
                println!("{}", self.story.whole());
            }
            println!("\n{}", self.again);
        }
    }
}
