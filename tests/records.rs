//! The commands that use the API's own endpoints (`records`, `storage`) against github-sandbox: the
//! built program over a socket, and what sets records in process, under a paused clock.

#![cfg(feature = "sandbox")]
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed test should say so loudly"
)]

#[cfg(test)]
#[path = "records/answers.rs"]
mod answers;
#[cfg(test)]
#[path = "records/ends.rs"]
mod ends;
#[cfg(test)]
#[path = "records/jobs.rs"]
mod jobs;
#[cfg(test)]
#[path = "records/process.rs"]
pub mod process;
#[cfg(test)]
#[path = "records/set.rs"]
mod set;
#[cfg(test)]
#[path = "records/stage.rs"]
pub mod stage;
#[cfg(test)]
#[path = "records/typed.rs"]
mod typed;
