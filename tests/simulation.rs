//! Six hours of a cluster in which everything happens and everything goes wrong, for each of many
//! seeds: the real recorder in process between a small API server and github-sandbox, under a paused
//! clock. What GitHub is to hold is known by an oracle that shares no code with it (docs/testing.md).
//!
//! `SEEDS=500` lives so many, `TWICE=20` tells so many stories twice; `SEED=7 ... -- --ignored --nocapture`
//! tells one.

#![cfg(feature = "sandbox")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    reason = "a failed test should say so loudly"
)]

#[cfg(test)]
#[path = "support"]
pub mod support {
    //! What tests share.
    pub mod apiserver;
}

#[cfg(test)]
#[path = "simulation/apart.rs"]
mod apart;
#[cfg(test)]
#[path = "simulation/by_hand.rs"]
mod by_hand;
#[cfg(test)]
#[path = "simulation/dice.rs"]
pub mod dice;
#[cfg(test)]
#[path = "simulation/faults.rs"]
pub mod faults;
#[cfg(test)]
#[path = "simulation/faults_api.rs"]
mod faults_api;
#[cfg(test)]
#[path = "simulation/faults_github.rs"]
mod faults_github;
#[cfg(test)]
#[path = "recorder/frost.rs"]
pub mod frost;
#[cfg(test)]
#[path = "simulation/fuse.rs"]
pub mod fuse;
#[cfg(test)]
#[path = "simulation/judge.rs"]
mod judge;
#[cfg(test)]
#[path = "simulation/land.rs"]
pub mod land;
#[cfg(test)]
#[path = "simulation/late.rs"]
mod late;
#[cfg(test)]
#[path = "recorder/ledger.rs"]
pub mod ledger;
#[cfg(test)]
#[path = "simulation/moves.rs"]
pub mod moves;
#[cfg(test)]
#[path = "recorder/objects.rs"]
pub mod objects;
#[cfg(test)]
#[path = "simulation/operations.rs"]
pub mod operations;
#[cfg(test)]
#[path = "simulation/oracle.rs"]
pub mod oracle;
#[cfg(test)]
#[path = "simulation/parts.rs"]
pub mod parts;
#[cfg(test)]
#[path = "simulation/process.rs"]
pub mod process;
#[cfg(test)]
#[path = "simulation/questions.rs"]
mod questions;
#[cfg(test)]
#[path = "simulation/rollouts.rs"]
pub mod rollouts;
#[cfg(test)]
#[path = "simulation/seeds.rs"]
pub mod seeds;
#[cfg(test)]
#[path = "simulation/seen.rs"]
pub mod seen;
#[cfg(test)]
#[path = "simulation/story.rs"]
pub mod story;
#[cfg(test)]
#[path = "simulation/table.rs"]
pub mod table;
#[cfg(test)]
#[path = "simulation/told.rs"]
pub mod told;
#[cfg(test)]
#[path = "simulation/wire.rs"]
pub mod wire;
#[cfg(test)]
#[path = "simulation/workload.rs"]
pub mod workload;
#[cfg(test)]
#[path = "simulation/world.rs"]
pub mod world;
