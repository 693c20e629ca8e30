//! Doubts about a kind: how long the API server has said that it has none, and how long it has not said
//! what it calls it. What is done about either is not decided here.

use std::time::Duration;

use kube::Client;
use tokio::time::Instant;

use crate::cluster::discovery::{Resolved, resolve};
use crate::cluster::health::LASTS;
use crate::model::workload::Kind;

/// A kind is absent only if that was said twice, so far apart: several API servers behind one address
/// do not learn of a definition at the same moment.
const SAID_TWICE: Duration = Duration::from_secs(5);
/// Whether a kind that is absent has come is asked at least this often.
const ABSENT_AT_MOST: Duration = Duration::from_mins(1);

/// A time in which the API server says that it has no such kind.
pub(super) struct Absence {
    since: Instant,
    /// When it is asked again.
    pause: Duration,
}

impl Absence {
    pub(super) fn begins() -> Self {
        Self {
            since: Instant::now(),
            pause: SAID_TWICE,
        }
    }

    /// Whether that is to be believed by now.
    pub(super) fn is_known(&self) -> bool {
        self.since.elapsed() >= SAID_TWICE
    }

    /// When to ask again: at growing pauses once it is known.
    pub(super) fn pause(&mut self) -> Duration {
        if self.is_known() {
            self.pause = (self.pause * 2).min(ABSENT_AT_MOST);
        }
        self.pause
    }
}

/// A time in which the API server does not say what it calls the kind.
pub(super) struct Failure {
    since: Instant,
    /// Whether it answered well about another group meanwhile, late enough.
    is_alone: bool,
}

impl Failure {
    pub(super) fn begins() -> Self {
        Self {
            since: Instant::now(),
            is_alone: false,
        }
    }

    /// Whether it is the kind that fails and not the API server: it has failed for long, and again
    /// after a group that every API server has was answered for.
    pub(super) async fn is_its_own(&mut self, client: &Client) -> bool {
        if self.is_alone || self.since.elapsed() < LASTS {
            return self.is_alone;
        }
        let another = resolve(client, &Kind::Deployment).await;
        self.is_alone = matches!(another, Ok(Resolved::Found(_)));
        false
    }
}
