//! Signing in as a GitHub App, in process under a paused clock: the credentials of the recorder on one
//! side, github-sandbox with its own reading of GitHub's rules on the other.

#![cfg(feature = "sandbox")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed test should say so loudly"
)]

#[cfg(test)]
#[path = "sign_in/commands.rs"]
mod commands;
#[cfg(test)]
#[path = "sign_in/failures.rs"]
mod failures;
#[cfg(test)]
#[path = "sign_in/keys.rs"]
mod keys;
#[cfg(test)]
#[path = "sign_in/secrets.rs"]
mod secrets;
#[cfg(test)]
#[path = "sign_in/stage.rs"]
pub mod stage;
#[cfg(test)]
#[path = "sign_in/tokens.rs"]
mod tokens;
