//! deployment-recorder keeps GitHub's deployment records true to what runs in a Kubernetes cluster.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")
)]

pub mod model;

pub mod cluster;
pub mod github;

pub mod recorder;

pub mod cli;

#[cfg(feature = "sandbox")]
pub mod sandbox;
