//! GitHub out: what is asked of the artifact-metadata API, what its answers mean, who asks, and
//! how often. Requests, answers, redirects and the pace are pure (no I/O, no clock of their own);
//! one `call` joins them to a service that sends. Wire types stay in here, and nothing in here
//! decides about a record: it is told lines and gives back answers.
//!
//! The recorder writes with a [`client::Client`] at a pace of its own. A command that writes uses a
//! [`writer::Writer`], one that asks a [`reader::Reader`].

pub mod answer;
pub mod api;
pub mod auth;
pub mod call;
mod calls;
pub mod client;
pub mod exchange;
#[cfg(feature = "fuzz")]
pub(crate) mod fuzz;
pub mod job;
mod notice;
pub mod operation;
pub mod pace;
pub mod rate;
pub mod reader;
pub mod records;
pub mod redirect;
pub mod request;
pub mod send;
pub mod transport;
mod wire;
pub mod writer;

pub use crate::model::storage;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
