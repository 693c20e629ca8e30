//! Waits: what cannot be written at GitHub yet, why, and until when. Worked out when a cycle ends,
//! shown in status and metrics, and said in the log once when a long pause begins and once when it
//! is over. Nothing is decided by it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::github::pace::Reason;

use super::batch::Batch;
use super::delivery::PATIENCE;
use super::{Recorder, Transport};

/// Every reason to wait, by its name.
pub fn reasons() -> impl Iterator<Item = &'static str> {
    Reason::TO_WAIT.into_iter().map(Reason::as_str)
}

/// Records that wait for the same thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// The API host.
    pub host: Arc<str>,
    /// The organization.
    pub organization: Arc<str>,
    /// `change` or `snapshot`.
    pub purpose: &'static str,
    /// How many records.
    pub records: usize,
    /// In how many requests.
    pub requests: usize,
    /// What they wait for: one of [`reasons`].
    pub reason: &'static str,
    /// When the first of these requests may leave.
    pub until: Instant,
    /// The same, for people.
    pub at: Timestamp,
}

/// The pauses that the log knows of, and since when.
#[derive(Debug, Default)]
pub(super) struct Pauses(BTreeMap<Pause, Instant>);

/// Why nothing is written to an organization.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pause {
    host: Arc<str>,
    organization: Arc<str>,
    reason: Reason,
}

impl Pauses {
    /// Takes note of every pause that something waits for, and until when. Returns those that begin,
    /// and those that are over, with since when they were.
    ///
    /// One begins when it is longer than a cycle waits, and lasts until nothing waits for that reason
    /// any more, however often it is prolonged.
    fn turn(
        &mut self,
        now: Instant,
        found: &BTreeMap<Pause, Instant>,
    ) -> (Vec<Pause>, Vec<(Pause, Instant)>) {
        let over = self.0.extract_if(.., |pause, _| !found.contains_key(pause));
        let over = over.collect();
        let mut begun = Vec::new();
        for (pause, until) in found {
            if *until > now + PATIENCE && !self.0.contains_key(pause) {
                self.0.insert(pause.clone(), now);
                begun.push(pause.clone());
            }
        }
        (begun, over)
    }
}

impl<S: Transport> Recorder<S> {
    /// Takes note of which of these batches have to wait.
    pub(super) fn note_waits<'a>(&mut self, batches: impl Iterator<Item = &'a Batch>) {
        let (now, wall) = (Instant::now(), self.clock.wall());
        let mut waits: Vec<Wait> = Vec::new();
        let mut found: BTreeMap<Pause, Instant> = BTreeMap::new();
        for batch in batches {
            let slot = self.pace.slot(&batch.destination, batch.purpose, now);
            if slot.at <= now {
                continue;
            }
            let (host, organization) = (&batch.destination.host, &batch.destination.organization);
            let pause = Pause {
                host: Arc::clone(host),
                organization: Arc::clone(organization),
                reason: slot.reason,
            };
            let until = found.entry(pause).or_insert(slot.at);
            *until = slot.at.min(*until);
            let wait = Wait {
                host: Arc::clone(host),
                organization: Arc::clone(organization),
                purpose: batch.purpose.as_str(),
                records: batch.steps.len(),
                requests: 1,
                reason: slot.reason.as_str(),
                until: slot.at,
                at: wall.checked_add(slot.at - now).unwrap_or(Timestamp::MAX),
            };
            match waits.iter_mut().find(|known| known.is_like(&wait)) {
                Some(known) => known.add(&wait),
                None => waits.push(wait),
            }
        }
        let (begun, over) = self.pauses.turn(now, &found);
        for pause in begun {
            pause.begins(&waits);
        }
        for (pause, since) in over {
            pause.is_over(now.duration_since(since).as_secs());
        }
        let mut status = self.status.lock();
        status.waits = waits;
        status.room = self.pace.room();
    }
}

impl Wait {
    fn is_like(&self, other: &Self) -> bool {
        let of = |wait: &Self| {
            let Self {
                host,
                organization,
                purpose,
                reason,
                ..
            } = wait.clone();
            (host, organization, purpose, reason)
        };
        of(self) == of(other)
    }

    fn add(&mut self, other: &Self) {
        self.records += other.records;
        self.requests += other.requests;
    }
}

impl Pause {
    fn begins(&self, waits: &[Wait]) {
        let Self {
            host,
            organization,
            reason,
        } = self;
        let ours = |wait: &&Wait| {
            (&wait.host, &wait.organization, wait.reason) == (host, organization, reason.as_str())
        };
        let waits: Vec<&Wait> = waits.iter().filter(ours).collect();
        let records: usize = waits.iter().map(|wait| wait.records).sum();
        let until = waits.iter().map(|wait| wait.at).min();
        let until = until.map(|until| until.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        let (host, organization, reason) = (&**host, &**organization, self.reason.as_str());
        if self.reason.is_our_own() {
            tracing::info!(
                host,
                organization,
                reason,
                until,
                records,
                "GitHub is not written to for a while"
            );
        } else {
            tracing::warn!(
                host,
                organization,
                reason,
                until,
                records,
                "GitHub is not written to for a while"
            );
        }
    }

    fn is_over(&self, seconds: u64) {
        tracing::info!(
            host = &*self.host,
            organization = &*self.organization,
            reason = self.reason.as_str(),
            seconds,
            "GitHub is written to again"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn pause(reason: Reason) -> Pause {
        Pause {
            host: "api.github.com".into(),
            organization: "acme".into(),
            reason,
        }
    }

    #[test]
    fn a_pause_begins_once_when_it_is_long_and_lasts_however_often_it_is_prolonged() {
        let (mut pauses, start) = (Pauses::default(), Instant::now());
        let mut turn = |second: u32, found: &[(Reason, u32)]| {
            let found = found
                .iter()
                .map(|(reason, until)| (pause(*reason), start + *until * SECOND));
            let (begun, over) = pauses.turn(start + second * SECOND, &found.collect());
            let begun: Vec<Reason> = begun.into_iter().map(|it| it.reason).collect();
            let over: Vec<(Reason, u64)> = over
                .into_iter()
                .map(|(it, since)| (it.reason, (since - start).as_secs()))
                .collect();
            (begun, over)
        };
        let (outage, told) = (Reason::Outage, Reason::Told);
        let nothing = (vec![], vec![]);
        assert_eq!(turn(0, &[(outage, 2)]), nothing, "a cycle waits as long");
        assert_eq!(turn(4, &[(outage, 9)]), nothing);
        assert_eq!(turn(10, &[(outage, 26)]), (vec![outage], vec![]));
        assert_eq!(turn(24, &[(outage, 26)]), nothing, "it is not over yet");
        assert_eq!(turn(27, &[(outage, 59)]), nothing, "it is said already");
        let both = [(outage, 59), (told, 90)];
        assert_eq!(turn(30, &both), (vec![told], vec![]));
        assert_eq!(turn(60, &[(told, 90)]), (vec![], vec![(outage, 10)]));
        assert_eq!(turn(91, &[]), (vec![], vec![(told, 30)]));
        assert_eq!(turn(92, &[]), nothing);
    }
}
