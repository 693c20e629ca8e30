//! The log of the requests that came to the scripted API server.

use tokio::time::Instant;

use super::Verb;

/// A request that was made.
#[derive(Clone, Debug)]
pub struct Call {
    /// What it did.
    pub verb: Verb,
    /// The kind; where no objects are asked for, the path; empty if the server has no such kind.
    pub kind: String,
    /// The namespace, if it named one.
    pub namespace: Option<String>,
    /// The object, if it named one.
    pub name: Option<String>,
    /// The query string.
    pub query: String,
    /// The `Accept` header.
    pub accept: String,
    /// The `User-Agent` header.
    pub agent: String,
    /// When it came.
    pub at: Instant,
}
