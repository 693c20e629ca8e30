//! deployment-recorder keeps GitHub's deployment records true to what runs in a Kubernetes cluster.
//!
//! # The house
//!
//! Each module is a floor; what stands lower knows nothing of what stands above it
//! (`docs/architecture.md` draws it, `tests/house.rs` holds the code against the drawing):
//!
//! ```text
//!            main
//!              |
//!             cli ----------- admin
//!              |                |
//!           recorder <----------+      the cycle, its schedule, the ledger store
//!         /    |     \
//!  cluster registry github             Kubernetes in, labels of images in, GitHub out
//!         \    |     /
//!            model                     what is true, and what to do about it: pure
//! ```
//!
//! [`clock`] stands beside [`model`]: all but the cluster and the core tell the time by it. So does [`bounded`], by
//! which GitHub and registries are asked and their answers are bounded.
//!
//! # The way of a record
//!
//! [`cluster`] mirrors what runs and reduces it to [`model::facts`]; [`model::inventory`] sorts the
//! facts by source and finds the container that speaks for each; [`model::naming`] gives each a
//! name; [`model::plan`] compares that with [`model::ledger`], what GitHub may hold because of us;
//! [`recorder`] stores what it is about to send, sends it through [`github`], and tells the ledger
//! what came of it.
//!
//! # The promises
//!
//! 1. **Complete.** Everything that runs under a selected workload has a record, or a counted
//!    reason why not.
//! 2. **Never falsely gone.** A record is decommissioned only on proof. What is forbidden, expired,
//!    failed, half-read or not yet read never means gone.
//! 3. **Never forgotten.** What GitHub may hold as deployed is in the stored ledger before the
//!    request that could create it leaves.
//! 4. **True digests.** What is sent is a manifest or index digest as the spec or the runtime names
//!    it.
//! 5. **Valid.** No request breaks the contract, and one refused record never holds back another.
//! 6. **Polite.** Paged lists and watches there, serial and paced writes here.
//! 7. **Self-healing.** After a fault is over GitHub is right again within one interval.
//! 8. **Repeatable.** The same facts and the same ledger give the same bytes.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")
)]

pub mod model;

pub mod bounded;
pub mod clock;

pub mod cluster;
pub mod github;
pub mod registry;

pub mod recorder;

pub mod admin;
pub mod cli;

#[cfg(feature = "fuzz")]
pub mod fuzz;
#[cfg(feature = "sandbox")]
pub mod sandbox;
