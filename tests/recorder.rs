//! The whole recorder in process under a paused clock: a scripted API server on one side,
//! github-sandbox on the other, faults and kills between them. What it must come to is known by the
//! tests alone; nothing here asks the program under test what is right.

#![cfg(feature = "sandbox")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed test should say so loudly"
)]

#[cfg(test)]
#[path = "support"]
pub mod support {
    //! What tests share.
    pub mod apiserver;
}

#[cfg(test)]
#[path = "recorder/answers.rs"]
mod answers;
#[cfg(test)]
#[path = "recorder/backups.rs"]
mod backups;
#[cfg(test)]
#[path = "recorder/endings.rs"]
mod endings;
#[cfg(test)]
#[path = "recorder/events.rs"]
mod events;
#[cfg(test)]
#[path = "recorder/frost.rs"]
pub mod frost;
#[cfg(test)]
#[path = "recorder/halving.rs"]
mod halving;
#[cfg(test)]
#[path = "recorder/hand.rs"]
mod hand;
#[cfg(test)]
#[path = "recorder/hostile.rs"]
mod hostile;
#[cfg(test)]
#[path = "recorder/hour.rs"]
mod hour;
#[cfg(test)]
#[path = "recorder/images.rs"]
mod images;
#[cfg(test)]
#[path = "recorder/kills.rs"]
mod kills;
#[cfg(test)]
#[path = "recorder/labels.rs"]
pub mod labels;
#[cfg(test)]
#[path = "recorder/lapses.rs"]
mod lapses;
#[cfg(test)]
#[path = "recorder/lease.rs"]
pub mod lease;
#[cfg(test)]
#[path = "recorder/ledger.rs"]
pub mod ledger;
#[cfg(test)]
#[path = "recorder/life.rs"]
pub mod life;
#[cfg(test)]
#[path = "../src/recorder/logged.rs"]
mod logged;
#[cfg(test)]
#[path = "recorder/many.rs"]
mod many;
#[cfg(test)]
#[path = "recorder/mirrors.rs"]
mod mirrors;
#[cfg(test)]
#[path = "recorder/names.rs"]
mod names;
#[cfg(test)]
#[path = "recorder/objects.rs"]
pub mod objects;
#[cfg(test)]
#[path = "recorder/order.rs"]
pub mod order;
#[cfg(test)]
#[path = "recorder/organizations.rs"]
pub mod organizations;
#[cfg(test)]
#[path = "recorder/pauses.rs"]
mod pauses;
#[cfg(test)]
#[path = "recorder/refusals.rs"]
mod refusals;
#[cfg(test)]
#[path = "recorder/rest.rs"]
mod rest;
#[cfg(test)]
#[path = "recorder/samples.rs"]
mod samples;
#[cfg(test)]
#[path = "recorder/shards.rs"]
pub mod shards;
#[cfg(test)]
#[path = "recorder/shelves.rs"]
mod shelves;
#[cfg(test)]
#[path = "recorder/sight.rs"]
pub mod sight;
#[cfg(test)]
#[path = "recorder/sign_in.rs"]
pub mod sign_in;
#[cfg(test)]
#[path = "recorder/starts.rs"]
mod starts;
#[cfg(test)]
#[path = "recorder/stolen.rs"]
mod stolen;
#[cfg(test)]
#[path = "recorder/stops.rs"]
mod stops;
#[cfg(test)]
#[path = "recorder/storage.rs"]
mod storage;
#[cfg(test)]
#[path = "recorder/story.rs"]
pub mod story;
#[cfg(test)]
#[path = "recorder/tap.rs"]
pub mod tap;
#[cfg(test)]
#[path = "recorder/world.rs"]
pub mod world;
