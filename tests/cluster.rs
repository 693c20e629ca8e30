//! The program itself against a real API server with real controllers: github-sandbox stands in
//! for GitHub and kwok for nodes, everything else is what a cluster has. The recorder is a process
//! of its own with the rights of `deploy/rbac.yaml` and no others. What GitHub is to hold is known
//! by the tests alone; nothing here asks the program under test what is right.
//!
//! Most of the time these tests wait, so more of them than there are processors may run at once:
//! `cargo test --features sandbox --test cluster -- --test-threads 8`.

#![cfg(feature = "sandbox")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed test should say so loudly"
)]

#[path = "support/control_plane.rs"]
#[expect(dead_code, reason = "each test program uses its part")]
mod control_plane;

#[cfg(test)]
#[path = "cluster"]
mod cluster {
    //! The tests by what they are about, and what they stand on.
    mod answers;
    mod api;
    mod by_hand;
    mod calls;
    mod changes;
    mod check;
    mod crds;
    mod events;
    mod explain;
    mod exposure;
    mod gateways;
    mod github;
    mod grants;
    mod kills;
    mod lease;
    mod least;
    mod ledger;
    mod names;
    mod objects;
    mod organizations;
    mod owned;
    mod owners;
    mod program;
    mod proxy;
    mod pulls;
    mod rights;
    mod rollouts;
    mod scale;
    mod secrets;
    mod sign_in;
    mod stage;
    mod tunnel;
    mod uninstall;
    mod workloads;
}
