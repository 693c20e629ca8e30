//! Which faults of the queue strike a request. What a fault then does is in `deeds.rs`.

use super::endpoint::Endpoint;
use super::faults::{Fault, FaultKind, Matcher};

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
            let elsewhere = fault.on.endpoint.is_some_and(|wanted| wanted != endpoint);
            let idle = !fault.kind.concerns(endpoint) || !fault.kind.strikes(subjects.len());
            if elsewhere || idle || (exclusive && whole) {
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
    fn a_fault_waits_for_an_endpoint_where_it_means_something() {
        let mut faults = Faults::default();
        faults.add(Fault::once(FaultKind::JobFails));
        faults.add(Fault::once(FaultKind::ShortList));
        assert!(kinds(&mut faults, SET, &[subject("a")]).is_empty());
        let lists = kinds(&mut faults, Endpoint::ListStorageRecords, &[]);
        assert_eq!(lists, [FaultKind::ShortList]);
        let jobs = kinds(&mut faults, Endpoint::CreateJob, &[subject("a")]);
        assert_eq!(jobs, [FaultKind::JobFails]);
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
