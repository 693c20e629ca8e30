//! The way of requests to the scripted API server, and the log of those that came.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::Instant;

use super::Verb;

/// The way from one client to the server. Clones are the same way.
#[derive(Clone, Default)]
pub struct Line(Arc<AtomicBool>);

impl Line {
    /// From now on requests vanish on it without a word. Watches that are open go on.
    pub fn cut(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Requests arrive again, but for those that vanished.
    pub fn mend(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    pub(super) fn is_cut(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

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
