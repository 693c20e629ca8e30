//! What is said of the Lease: in the log, one line for each thing that happens and few while
//! nothing does, and in what the process shows of itself. Nothing is decided by it.

use std::time::Duration;

use super::Patience;
use super::election::Why;
use super::error::LeaseError;
use super::identity::described;
use super::record::Record;
use crate::model::moment::Moment;
use crate::recorder::status::{Holder, Shared};

/// What goes on is said again after so long.
const AGAIN: Duration = Duration::from_mins(10);

/// What was said of the Lease.
#[derive(Debug)]
pub(super) struct Herald {
    lease: String,
    patience: Patience,
    status: Shared,
    /// Whom it was said to wait for last, and when.
    waiting: Option<(String, Moment)>,
    /// When a failure was said last.
    failure: Option<Moment>,
    lapsed: bool,
}

impl Herald {
    pub(super) fn new(lease: String, patience: Patience, status: Shared) -> Self {
        Self {
            lease,
            patience,
            status,
            waiting: None,
            failure: None,
            lapsed: false,
        }
    }

    /// Whether another one was ever waited for.
    pub(super) fn has_waited(&self) -> bool {
        self.waiting.is_some()
    }

    /// The Lease is ours, for the first time.
    pub(super) fn acquired(&mut self, record: &Record, before: Option<&Record>, why: Why) {
        self.failure = None;
        self.show(record, true);
        tracing::info!(
            lease = self.lease,
            holder = record.holder,
            before = before.map(|before| described(&before.holder)),
            because = why.as_str(),
            "lease acquired"
        );
    }

    /// Another one has it.
    pub(super) fn waiting(&mut self, record: &Record, now: Moment) {
        self.failure = None;
        self.show(record, false);
        let said = self
            .waiting
            .as_ref()
            .is_some_and(|(holder, at)| *holder == record.holder && now.since(*at) < AGAIN);
        if said {
            return;
        }
        self.waiting = Some((record.holder.clone(), now));
        let (lease, holder) = (&self.lease, described(&record.holder));
        let since = record.acquired.map(|since| since.to_string());
        match self.patience {
            Patience::StandBy => tracing::info!(lease, holder, since, "standing by for the lease"),
            Patience::Wait | Patience::GiveUp => tracing::warn!(
                lease,
                holder,
                since,
                "another process holds the lease and only one may write, waiting for it"
            ),
        }
    }

    /// A look or a claim failed.
    pub(super) fn failed(&mut self, error: &LeaseError, begins: bool, now: Moment) {
        if self.failure.is_some_and(|at| now.since(at) < AGAIN) {
            return;
        }
        self.failure = Some(now);
        let error = error.to_string();
        if begins {
            tracing::warn!(error, "lease not acquired yet, trying again");
        } else {
            tracing::warn!(error, "lease not renewed, trying again");
        }
    }

    /// The Lease was not renewed in time, and nobody is known to have taken it.
    pub(super) fn lapsed(&mut self) {
        if !self.lapsed {
            self.lapsed = true;
            self.status.lock().leader = false;
            tracing::error!(
                lease = self.lease,
                "lease not renewed in time, nothing is sent or stored until it is"
            );
        }
    }

    /// It is renewed after it was not in time.
    pub(super) fn renewed_again(&mut self) {
        self.failure = None;
        self.lapsed = false;
        self.status.lock().leader = true;
        tracing::info!(lease = self.lease, "lease renewed, going on");
    }

    /// It was ours and another one has it.
    pub(super) fn lost(&mut self, record: &Record) {
        self.show(record, false);
        let holder = described(&record.holder);
        tracing::error!(lease = self.lease, holder, "lease lost");
    }

    /// It was given back.
    pub(super) fn released(&self) {
        tracing::info!(lease = self.lease, "lease given back");
    }

    /// It could not be given back.
    pub(super) fn not_released(&self, error: &LeaseError) {
        let error = error.to_string();
        tracing::warn!(
            lease = self.lease,
            error,
            "lease not given back, others wait until it runs out"
        );
    }

    /// Nobody keeps it any more.
    pub(super) fn over(&self) {
        self.status.lock().leader = false;
    }

    fn show(&self, record: &Record, ours: bool) {
        let mut status = self.status.lock();
        status.leader = ours;
        status.holder = Some(Holder {
            name: record.holder.clone(),
            since: record.acquired,
            ours,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::logged::Log;

    fn at(minute: u64) -> Moment {
        Moment::after_start(Duration::from_mins(minute))
    }

    fn held_by(holder: &str) -> Record {
        Record::claimed(None, holder, jiff::Timestamp::UNIX_EPOCH)
    }

    /// One who tells what it says to the log.
    fn herald(patience: Patience) -> Herald {
        Herald::new("shop/recorder".to_owned(), patience, Shared::default())
    }

    #[test]
    fn whom_it_waits_for_is_said_when_that_is_another_and_every_ten_minutes() {
        for (patience, words) in [
            (Patience::StandBy, "standing by for the lease"),
            (Patience::Wait, "only one may write, waiting for it"),
        ] {
            let (mut herald, log) = (herald(patience), Log::default());
            let guard = log.begin();
            let mut said = Vec::new();
            for (holder, minute) in [
                ("one", 0),
                ("one", 9),
                ("one", 10),
                ("two", 11),
                ("two", 20),
                ("two", 22),
            ] {
                herald.waiting(&held_by(holder), at(minute));
                said.push(log.count(words));
            }
            drop(guard);
            assert_eq!(said, [1, 1, 2, 3, 3, 4], "{}", log.text());
            let status = herald.status.lock();
            assert!(!status.leader && !status.holder.as_ref().unwrap().ours);
        }
    }

    #[test]
    fn a_failure_is_said_every_ten_minutes_and_anew_after_it_went_well() {
        let (mut herald, log) = (herald(Patience::Wait), Log::default());
        let error = LeaseError::Failed {
            lease: "shop/recorder".to_owned(),
            doing: "reading",
            problem: "connection refused".to_owned(),
        };
        let guard = log.begin();
        let mut said = Vec::new();
        for minute in [0, 9, 10, 11] {
            herald.failed(&error, true, at(minute));
            said.push(log.count("lease not acquired yet"));
        }
        herald.acquired(&held_by("me"), None, Why::Missing);
        herald.failed(&error, false, at(12));
        said.push(log.count("lease not renewed, trying again"));
        drop(guard);
        assert_eq!(said, [1, 1, 2, 2, 1], "{}", log.text());
        assert!(log.text().contains("connection refused"));
    }

    #[test]
    fn who_leads_is_shown_and_how_it_ends_is_said() {
        let (mut herald, log) = (herald(Patience::Wait), Log::default());
        let leads = |herald: &Herald| herald.status.lock().leader;
        let guard = log.begin();
        herald.acquired(&held_by("me"), None, Why::Missing);
        assert!(leads(&herald));
        herald.over();
        assert!(!leads(&herald));
        herald.acquired(&held_by("me"), None, Why::Ours);
        herald.lost(&held_by("other"));
        assert!(!leads(&herald));
        assert_eq!(herald.status.lock().holder.as_ref().unwrap().name, "other");
        herald.released();
        herald.not_released(&LeaseError::Failed {
            lease: "shop/recorder".to_owned(),
            doing: "writing",
            problem: "connection refused".to_owned(),
        });
        drop(guard);
        for words in [
            "because=\"there was none\"",
            "because=\"it is ours\"",
            "lease lost",
            "lease given back",
            "lease not given back",
        ] {
            assert_eq!(log.count(words), 1, "{words} in {}", log.text());
        }
    }
}
