//! The pace in `/api/status`: what waits until it may be written at GitHub, why, and until when, and
//! how much may be written at once.

use std::collections::BTreeMap;

use serde::Serialize;
use tokio::time::Instant;

use crate::recorder::status::{Status, Wait};

use super::Wall;

/// The pace of what is written.
#[derive(Serialize)]
pub(super) struct PacePart<'a> {
    /// By the limits that this program keeps.
    requests_left: BTreeMap<&'static str, usize>,
    /// By GitHub's own count.
    remaining: Option<u64>,
    waits: Vec<WaitPart<'a>>,
}

/// Records that wait for the same thing.
#[derive(Serialize)]
struct WaitPart<'a> {
    host: &'a str,
    organization: &'a str,
    purpose: &'static str,
    records: usize,
    requests: usize,
    reason: &'static str,
    until: Wall,
}

impl<'a> PacePart<'a> {
    pub(super) fn new(status: &'a Status) -> Self {
        let now = Instant::now();
        Self {
            requests_left: status.room.left(now).into(),
            remaining: status.room.remaining(now),
            waits: status.waits.iter().map(WaitPart::new).collect(),
        }
    }
}

impl<'a> WaitPart<'a> {
    fn new(wait: &'a Wait) -> Self {
        Self {
            host: &wait.host,
            organization: &wait.organization,
            purpose: wait.purpose,
            records: wait.records,
            requests: wait.requests,
            reason: wait.reason,
            until: Wall(wait.at),
        }
    }
}
