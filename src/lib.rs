//! deployment-recorder keeps GitHub's deployment records true to what runs in a Kubernetes cluster.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")
)]

pub mod github;
pub mod cluster;
pub mod model;
#[cfg(feature = "sandbox")]
pub mod sandbox;
