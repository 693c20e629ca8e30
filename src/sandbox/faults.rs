//! Faults: what can go wrong, for which requests, how often. This room chooses; `flow.rs` acts.

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
}

impl FaultKind {
    /// Whether it strikes single records, not the whole request.
    fn per_record(&self) -> bool {
        matches!(self, Self::UnknownDigest | Self::Unauthorized)
    }

    /// Whether it decides what becomes of a request: one request takes one such fault.
    pub(super) fn is_whole(&self) -> bool {
        !self.per_record() && !matches!(self, Self::Slow { .. })
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

/// What a matcher looks at in one record of a request.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Subject<'a> {
    pub(super) record: &'a str,
    pub(super) digest: &'a str,
    pub(super) repository: &'a str,
}

impl Matcher {
    fn names_records(&self) -> bool {
        self.record.is_some() || self.digest.is_some() || self.repository.is_some()
    }

    fn takes(&self, subject: Subject<'_>) -> bool {
        fits(self.record.as_deref(), subject.record)
            && fits(self.digest.as_deref(), subject.digest)
            && fits(self.repository.as_deref(), subject.repository)
    }
}

fn fits(wanted: Option<&str>, given: &str) -> bool {
    match wanted.map(|text| (text, text.strip_suffix('*'))) {
        None => true,
        Some((_, Some(start))) => given.starts_with(start),
        Some((text, None)) => text == given,
    }
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

/// A fault that strikes a request, and which of the request's records its matcher takes.
#[derive(Clone, Debug)]
pub(super) struct Strike {
    pub(super) kind: FaultKind,
    pub(super) records: Vec<usize>,
}

#[derive(Debug, Default)]
pub(super) struct Faults {
    queue: Vec<(u64, Fault)>,
    last_id: u64,
}

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) -> u64 {
        self.last_id += 1;
        self.queue.push((self.last_id, fault));
        self.last_id
    }

    /// Removes one fault, or all.
    pub(super) fn clear(&mut self, id: Option<u64>) {
        self.queue
            .retain(|(given, _)| id.is_some_and(|id| id != *given));
    }

    pub(super) fn all(&self) -> &[(u64, Fault)] {
        &self.queue
    }

    /// The faults that strike this request, counted off: every delay and every fault of single
    /// records, and the first of the others.
    pub(super) fn strike(&mut self, endpoint: Endpoint, subjects: &[Subject<'_>]) -> Vec<Strike> {
        let mut strikes: Vec<Strike> = Vec::new();
        let mut whole = false;
        for (_, fault) in &mut self.queue {
            let exclusive = fault.kind.is_whole();
            if fault.on.endpoint.is_some_and(|wanted| wanted != endpoint) || (exclusive && whole) {
                continue;
            }
            let hit = |(i, subject): (usize, &Subject<'_>)| fault.on.takes(*subject).then_some(i);
            let records: Vec<usize> = subjects.iter().enumerate().filter_map(hit).collect();
            if records.is_empty() && (fault.on.names_records() || fault.kind.per_record()) {
                continue;
            }
            if fault.after > 0 {
                fault.after -= 1;
                continue;
            }
            fault.times = fault.times.map(|times| times.saturating_sub(1));
            whole |= exclusive;
            strikes.push(Strike {
                kind: fault.kind.clone(),
                records,
            });
        }
        self.queue.retain(|(_, fault)| fault.times != Some(0));
        strikes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SET: Endpoint = Endpoint::SetClusterRecords;

    fn subject(record: &'static str) -> Subject<'static> {
        Subject {
            record,
            digest: "d",
            repository: "r",
        }
    }

    fn kinds(faults: &mut Faults, endpoint: Endpoint, records: &[Subject<'_>]) -> Vec<FaultKind> {
        faults
            .strike(endpoint, records)
            .into_iter()
            .map(|strike| strike.kind)
            .collect()
    }

    #[test]
    fn a_fault_strikes_as_often_as_it_says_and_after_those_it_lets_pass() {
        let mut faults = Faults::default();
        faults.add(Fault::new(FaultKind::Reset).after(1).times(2));
        let struck: Vec<bool> = (0..5)
            .map(|_| !kinds(&mut faults, SET, &[subject("a")]).is_empty())
            .collect();
        assert_eq!(struck, [false, true, true, false, false]);
        assert!(faults.all().is_empty());
    }

    #[test]
    fn faults_queue_up_one_whole_fault_a_request() {
        let mut faults = Faults::default();
        faults.add(Fault::once(FaultKind::Status { status: 500 }));
        faults.add(Fault::once(FaultKind::Status { status: 429 }));
        faults.add(Fault::once(FaultKind::Slow { millis: 5 }));
        assert_eq!(
            kinds(&mut faults, SET, &[]),
            [
                FaultKind::Status { status: 500 },
                FaultKind::Slow { millis: 5 }
            ]
        );
        assert_eq!(
            kinds(&mut faults, SET, &[]),
            [FaultKind::Status { status: 429 }]
        );
    }

    #[test]
    fn a_matcher_asks_for_endpoint_record_digest_and_repository() {
        let table = [
            (Fault::new(FaultKind::Reset), true),
            (Fault::new(FaultKind::Reset).at(SET), true),
            (Fault::new(FaultKind::Reset).at(Endpoint::GetJob), false),
            (Fault::new(FaultKind::Reset).record("ab"), true),
            (Fault::new(FaultKind::Reset).record("a"), false),
            (Fault::new(FaultKind::Reset).record("a*"), true),
            (Fault::new(FaultKind::Reset).record("b*"), false),
            (
                Fault::new(FaultKind::Reset).digest("d").repository("r"),
                true,
            ),
            (
                Fault::new(FaultKind::Reset).digest("d").repository("x"),
                false,
            ),
        ];
        for (fault, wanted) in table {
            let mut faults = Faults::default();
            faults.add(fault.clone());
            let struck = !kinds(&mut faults, SET, &[subject("ab")]).is_empty();
            assert_eq!(struck, wanted, "{fault:?}");
        }
    }

    #[test]
    fn a_strike_names_the_records_it_takes() {
        let mut faults = Faults::default();
        faults.add(Fault::new(FaultKind::UnknownDigest).record("b"));
        let strikes = faults.strike(SET, &[subject("a"), subject("b")]);
        assert_eq!(
            strikes
                .iter()
                .map(|s| s.records.clone())
                .collect::<Vec<_>>(),
            [vec![1]]
        );
        assert!(faults.strike(SET, &[]).is_empty());
    }

    #[test]
    fn faults_are_read_from_json_as_a_script_writes_them() {
        let text = r#"{"kind": "throttled", "status": 429, "retry_after": 7, "times": 2,
                       "on": {"endpoint": "set_cluster_records", "record": "shop-*"}}"#;
        let read: Fault = serde_json::from_str(text).unwrap();
        let kind = FaultKind::Throttled {
            status: 429,
            retry_after: Some(7),
            reset_after: None,
        };
        assert_eq!(read, Fault::new(kind).at(SET).record("shop-*").times(2));
    }
}
