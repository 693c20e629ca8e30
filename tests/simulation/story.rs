//! The story of a world: what happened, in the order in which it did, for people and for comparison.

use std::sync::{Arc, Mutex};

use tokio::time::Instant;

/// The story of a world. Clones tell the same one.
#[derive(Clone)]
pub struct Story {
    begun: Instant,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Story {
    /// One that begins now.
    pub fn begun() -> Self {
        Self {
            begun: Instant::now(),
            lines: Arc::default(),
        }
    }

    /// Tells what happens now.
    pub fn tell(&self, what: &str) {
        let at = self.begun.elapsed();
        let (seconds, millis) = (at.as_secs(), at.subsec_millis());
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let line = format!("{hours}:{minutes:02}:{seconds:02}.{millis:03} {what}");
        self.lines.lock().unwrap().push(line);
    }

    /// All of it.
    pub fn whole(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }
}
