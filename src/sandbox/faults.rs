//! The words for faults: what can go wrong, for which requests, how often. `strikes.rs` chooses the
//! faults of a request, `deeds.rs` says what they do to it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::endpoint::Endpoint;

/// What goes wrong. Unless it says otherwise, a faulty request is not applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// Per record: no artifact with that digest is known, whatever the attestations (`not_found`).
    UnknownDigest,
    /// Per record: the token may not write to the repository (`unauthorized`).
    Unauthorized,
    /// The whole request is answered with this status (400, 422) in words that name no record.
    Poison {
        /// The status of the answer.
        status: u16,
    },
    /// A plain answer: 401, 403, 404, 409, 410, 413, 422, 5xx, ... As with GitHub it carries the
    /// rate limit headers of a budget that is not spent.
    Status {
        /// The status of the answer.
        status: u16,
    },
    /// As `Status`, without any header of GitHub's: what a proxy between would answer.
    Bare {
        /// The status of the answer.
        status: u16,
    },
    /// 403 or 404 whose `message` is an object that lists repositories.
    NamingRepositories {
        /// 403 or 404.
        status: u16,
    },
    /// A rate limit: 429 or 403.
    Throttled {
        /// 429 or 403.
        status: u16,
        /// Seconds in `retry-after`; none: the header is left out.
        #[serde(default)]
        retry_after: Option<u64>,
        /// Seconds until `x-ratelimit-reset`, with nothing remaining; none: the primary limit has room.
        #[serde(default)]
        reset_after: Option<u64>,
    },
    /// The connection breaks before anything is applied.
    Reset,
    /// The connection stays open and no answer ever comes; nothing is applied.
    Hang,
    /// Applied, then the answer is lost.
    Lost {
        /// The connection hangs for good instead of breaking.
        #[serde(default)]
        hang: bool,
    },
    /// The connection breaks, and the request is applied this many seconds later all the same.
    Late {
        /// Seconds.
        seconds: u64,
    },
    /// Status 200 with an HTML page.
    Html {
        /// Whether the request is applied first.
        #[serde(default)]
        applied: bool,
    },
    /// Status 200 with JSON that is not of the contract's shape.
    WrongShape {
        /// Whether the request is applied first.
        #[serde(default)]
        applied: bool,
    },
    /// All applied; 207 with an error for a record that was not in the request.
    StrangeRecord,
    /// A request none of whose records can be written because of its repository is answered 404 as a
    /// whole, without a word about any of them.
    NothingFound,
    /// Requests with more records than this get this status once they were thought about for long.
    TooHeavy {
        /// The most records that go well.
        records: usize,
        /// The status of the answer.
        status: u16,
    },
    /// 207 whose error for the record has a cause that the contract does not know; others are applied.
    StrangeCause,
    /// A redirect.
    Redirect {
        /// 301, 302, 307 or 308.
        status: u16,
        /// Where to; none: the same path.
        #[serde(default)]
        location: Option<String>,
    },
    /// The answer takes this long; what it answers is applied at the beginning.
    Slow {
        /// Milliseconds.
        millis: u64,
    },
    /// A job ends as `failed` and writes nothing.
    JobFails,
    /// List answers leave out their last record, but count it in `total_count`.
    ShortList,
    /// List answers of deployment records tell each one's status, which the contract does not have.
    ListsStatus,
    /// The answer announces an end in its headers.
    Announces {
        /// The value of `deprecation`; none: the header is left out.
        #[serde(default)]
        deprecation: Option<String>,
        /// The value of `sunset`; none: the header is left out.
        #[serde(default)]
        sunset: Option<String>,
    },
}

impl FaultKind {
    /// Whether it strikes single records, not the whole request.
    pub(super) fn per_record(&self) -> bool {
        matches!(self, Self::UnknownDigest | Self::Unauthorized)
    }

    /// Whether it decides what becomes of a request: one request takes one such fault.
    pub(super) fn is_whole(&self) -> bool {
        match self {
            Self::Slow { .. }
            | Self::NothingFound
            | Self::ShortList
            | Self::ListsStatus
            | Self::Announces { .. } => false,
            _ => !self.per_record(),
        }
    }

    /// Whether it means anything at an endpoint: elsewhere it does not strike.
    pub(super) fn concerns(&self, endpoint: Endpoint) -> bool {
        match self {
            Self::UnknownDigest | Self::Unauthorized => endpoint.writes(),
            Self::StrangeRecord | Self::StrangeCause => {
                matches!(endpoint, Endpoint::SetClusterRecords | Endpoint::CreateJob)
            }
            Self::NothingFound => endpoint == Endpoint::SetClusterRecords,
            Self::JobFails => endpoint == Endpoint::CreateJob,
            Self::ShortList => matches!(
                endpoint,
                Endpoint::ListDeploymentRecords | Endpoint::ListStorageRecords
            ),
            Self::ListsStatus => endpoint == Endpoint::ListDeploymentRecords,
            _ => true,
        }
    }

    /// Whether it means anything for a request with so many records.
    pub(super) fn strikes(&self, count: usize) -> bool {
        match self {
            Self::TooHeavy { records, .. } => count > *records,
            _ => true,
        }
    }

    /// How long it holds the answer back.
    pub(super) fn delay(&self) -> Duration {
        let Self::Slow { millis } = self else {
            return Duration::ZERO;
        };
        Duration::from_millis(*millis)
    }
}

/// Which requests a fault strikes: all given fields must match. A request with several records
/// matches if one of them does. A text that ends in `*` matches what begins so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Matcher {
    /// The endpoint.
    pub endpoint: Option<Endpoint>,
    /// The record's `deployment_name`.
    pub record: Option<String>,
    /// The record's digest.
    pub digest: Option<String>,
    /// The record's `github_repository`, as sent.
    pub repository: Option<String>,
}

/// A fault in the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// For which requests.
    #[serde(default)]
    pub on: Matcher,
    /// For how many requests; none: until cleared.
    #[serde(default)]
    pub times: Option<u64>,
    /// How many matching requests go unharmed first.
    #[serde(default)]
    pub after: u64,
}

impl Fault {
    /// For every request until cleared.
    pub fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            on: Matcher::default(),
            times: None,
            after: 0,
        }
    }

    /// For the next request only.
    pub fn once(kind: FaultKind) -> Self {
        Self::new(kind).times(1)
    }

    /// For so many requests.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self {
            times: Some(times),
            ..self
        }
    }

    /// Lets so many matching requests pass first.
    #[must_use]
    pub fn after(self, after: u64) -> Self {
        Self { after, ..self }
    }

    /// Only at this endpoint.
    #[must_use]
    pub fn at(mut self, endpoint: Endpoint) -> Self {
        self.on.endpoint = Some(endpoint);
        self
    }

    /// Only for the record of this name (`*` at the end: that begins so).
    #[must_use]
    pub fn record(mut self, name: &str) -> Self {
        self.on.record = Some(name.to_owned());
        self
    }

    /// Only for records of this digest.
    #[must_use]
    pub fn digest(mut self, digest: &str) -> Self {
        self.on.digest = Some(digest.to_owned());
        self
    }

    /// Only for records sent with this repository.
    #[must_use]
    pub fn repository(mut self, repository: &str) -> Self {
        self.on.repository = Some(repository.to_owned());
        self
    }
}
