//! The log of requests: what came, when, what it did and how it was answered. Never a token.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::endpoint::Endpoint;
use super::pace::Violation;

/// One request to an endpoint (or to a path that GitHub does not have).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// 1 for the first request.
    pub sequence: u64,
    /// When it came, since the sandbox started.
    #[serde(serialize_with = "seconds")]
    pub at: Duration,
    /// When its answer left or its connection broke; none: not (yet).
    #[serde(serialize_with = "maybe_seconds")]
    pub answered_at: Option<Duration>,
    /// The method.
    pub method: String,
    /// The path, as sent.
    pub path: String,
    /// Which endpoint that is.
    pub endpoint: Option<Endpoint>,
    /// The body of a writing request, if it was JSON.
    pub body: Option<Arc<Value>>,
    /// The status of the answer; none: no answer (yet, or the connection broke).
    pub status: Option<u16>,
    /// How many records it wrote so far.
    pub applied: usize,
    /// What it did that it must not.
    pub violations: Vec<Violation>,
    /// The faults that struck it.
    pub faults: Vec<super::faults::FaultKind>,
    /// The `x-github-request-id` of the answer.
    pub request_id: String,
    /// The `user-agent`.
    pub user_agent: String,
    /// The version of the API that was asked for (`x-github-api-version`); empty: none.
    pub api_version: String,
}

/// A duration as JSON tells it: seconds with their fraction.
pub(super) fn seconds<S: Serializer>(it: &Duration, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_f64(it.as_secs_f64())
}

#[expect(clippy::ref_option, reason = "the signature that serde asks for")]
fn maybe_seconds<S: Serializer>(it: &Option<Duration>, out: S) -> Result<S::Ok, S::Error> {
    it.map(|it| it.as_secs_f64()).serialize(out)
}

#[derive(Debug, Default)]
pub(super) struct Log {
    entries: VecDeque<Entry>,
    violations: Vec<(u64, Violation)>,
    last: u64,
    limit: usize,
}

/// How many violations are remembered; a client out of control would fill the memory.
const VIOLATIONS: usize = 10_000;

impl Log {
    /// A log that forgets all but the newest `limit` entries.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    /// The number of the next request.
    pub(super) fn next(&self) -> u64 {
        self.last + 1
    }

    pub(super) fn push(&mut self, entry: Entry) {
        self.last = entry.sequence;
        let seen = entry
            .violations
            .iter()
            .map(|it| (entry.sequence, it.clone()));
        self.violations.extend(seen);
        self.entries.push_back(entry);
        while self.entries.len() > self.limit {
            self.entries.pop_front();
        }
        let old = self.violations.len().saturating_sub(VIOLATIONS);
        self.violations.drain(..old);
    }

    /// The entry of that number, to be completed.
    pub(super) fn entry(&mut self, sequence: u64) -> Option<&mut Entry> {
        self.entries
            .iter_mut()
            .rev()
            .find(|entry| entry.sequence == sequence)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Every violation with the number of its request, also of entries that are forgotten.
    pub(super) fn violations(&self) -> &[(u64, Violation)] {
        &self.violations
    }

    /// How many requests came since the start.
    pub(super) fn count(&self) -> u64 {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(sequence: u64, violations: Vec<Violation>) -> Entry {
        Entry {
            sequence,
            at: Duration::ZERO,
            answered_at: None,
            method: "POST".into(),
            path: "/".into(),
            endpoint: None,
            body: None,
            status: None,
            applied: 0,
            violations,
            faults: Vec::new(),
            request_id: String::new(),
            user_agent: String::new(),
            api_version: String::new(),
        }
    }

    #[test]
    fn old_entries_are_forgotten_but_their_violations_are_not() {
        let mut log = Log::new(2);
        log.push(entry(1, vec![Violation::Overlap]));
        log.push(entry(2, vec![]));
        log.push(entry(3, vec![]));
        assert_eq!(log.all().map(|it| it.sequence).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(log.violations(), [(1, Violation::Overlap)]);
        assert_eq!((log.next(), log.count()), (4, 3));
        assert!(log.entry(1).is_none() && log.entry(3).is_some());
    }
}
