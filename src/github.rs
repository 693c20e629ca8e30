//! GitHub out: what is asked of the artifact-metadata API, what its answers mean, who asks, and
//! how often. Requests, answers, redirects and the pace are pure (no I/O, no clock of their own);
//! the client joins them to a service that sends. Wire types stay in here, and nothing in here
//! decides about a record: it is told lines and gives back answers.

pub mod answer;
pub mod api;
pub mod auth;
pub mod client;
pub mod exchange;
pub mod pace;
pub mod rate;
pub mod redirect;
pub mod request;
pub mod transport;
mod wire;

#[cfg(test)]
mod samples;
