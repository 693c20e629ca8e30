//! Chance: everything in a world that is not decided is thrown here, from one seed.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

/// Dice that fall the same way for the same seed.
pub struct Dice(StdRng);

impl Dice {
    /// The dice of a seed; `which` tells those of its parts apart.
    pub fn new(seed: u64, which: u64) -> Self {
        Self(StdRng::seed_from_u64(
            seed.wrapping_mul(1_000_003).wrapping_add(which),
        ))
    }

    /// A number of `least..=most`.
    pub fn number(&mut self, least: usize, most: usize) -> usize {
        self.0.random_range(least..=most)
    }

    /// Whether that comes true which does so many times of a hundred.
    pub fn percent(&mut self, percent: u32) -> bool {
        self.0.random_range(0..100) < percent
    }

    /// One of them.
    pub fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.number(0, all.len() - 1)]
    }

    /// So many milliseconds.
    pub fn millis(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(self.0.random_range(least..=most))
    }

    /// So many seconds, and some milliseconds.
    pub fn seconds(&mut self, least: u64, most: u64) -> Duration {
        self.millis(least * 1000, most * 1000)
    }

    /// A seed for another source of chance.
    pub fn seed(&mut self) -> u64 {
        self.0.random()
    }
}
