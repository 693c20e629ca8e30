//! Labels read from a real registry, the one that most others are made of: docker-registry, as Debian
//! has it (`tests/tools/node-packages docker-registry`), with each way to sign in. The images are pushed
//! by the test itself, so that nothing of the program under test says what is in them.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed test should say so loudly"
)]

#[cfg(test)]
#[path = "registry/images.rs"]
pub mod images;
#[cfg(test)]
#[path = "registry/process.rs"]
pub mod process;
#[cfg(test)]
#[path = "registry/reads.rs"]
mod reads;
#[cfg(test)]
#[path = "registry/tokens.rs"]
pub mod tokens;
