//! github-sandbox from outside: every endpoint, limit and fault, in process under a paused clock
//! and over real connections.

#[cfg(test)]
#[path = "sandbox/client.rs"]
mod client;
#[path = "sandbox/endpoints.rs"]
mod endpoints;
#[path = "sandbox/faults.rs"]
mod faults;
#[path = "sandbox/pace.rs"]
mod pace;
