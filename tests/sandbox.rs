//! github-sandbox from outside: every endpoint, limit and fault, in process under a paused clock
//! and over real connections.

#![cfg(feature = "sandbox")]

#[cfg(test)]
#[path = "sandbox/binary.rs"]
mod binary;
#[cfg(test)]
#[path = "sandbox/client.rs"]
mod client;
#[cfg(test)]
#[path = "sandbox/endpoints.rs"]
mod endpoints;
#[cfg(test)]
#[path = "sandbox/every_endpoint.rs"]
mod every_endpoint;
#[cfg(test)]
#[path = "sandbox/faults.rs"]
mod faults;
#[cfg(test)]
#[path = "sandbox/pace.rs"]
mod pace;
#[cfg(test)]
#[path = "sandbox/tcp.rs"]
mod tcp;
