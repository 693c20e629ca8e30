//! What stands in the Lease: who has it, for how long at a time, since when. The times in it are
//! for people; nothing is decided by what another machine's clock said.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use super::LASTS;

/// How long a Lease lasts that was given back: nobody has to wait for it, and 0 is not allowed.
const RELEASED_LASTS: Duration = Duration::from_secs(1);

/// What stands in the Lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// Who has it; empty: nobody.
    pub(super) holder: String,
    /// For how long after it was renewed.
    pub(super) lasts: Duration,
    /// Since when the holder has had it, by the holder's clock.
    pub(super) acquired: Option<Timestamp>,
    /// When it was renewed last, by the holder's clock.
    pub(super) renewed: Option<Timestamp>,
    /// How often it went from one holder to another.
    pub(super) transitions: i32,
}

impl Record {
    /// What `lease` says. What it lacks is as this program writes it.
    pub(super) fn read(lease: &Lease) -> Self {
        let nothing = LeaseSpec::default();
        let spec = lease.spec.as_ref().unwrap_or(&nothing);
        let seconds = spec.lease_duration_seconds.map(u64::try_from);
        let lasts = seconds.and_then(Result::ok).map(Duration::from_secs);
        let time = |time: &Option<MicroTime>| time.as_ref().map(|time| time.0);
        Self {
            holder: spec.holder_identity.clone().unwrap_or_default(),
            lasts: lasts.unwrap_or(LASTS),
            acquired: time(&spec.acquire_time),
            renewed: time(&spec.renew_time),
            transitions: spec.lease_transitions.unwrap_or_default(),
        }
    }

    /// Has `lease` say this, and leaves everything else in it as it is.
    pub(super) fn write(&self, lease: &mut Lease) {
        let spec = lease.spec.get_or_insert_default();
        spec.holder_identity = Some(self.holder.clone());
        spec.lease_duration_seconds = i32::try_from(self.lasts.as_secs()).ok();
        spec.acquire_time = self.acquired.map(MicroTime);
        spec.renew_time = self.renewed.map(MicroTime);
        spec.lease_transitions = Some(self.transitions);
    }

    /// What stands in it when `holder` has claimed it, `before` being what stood there.
    pub(super) fn claimed(before: Option<&Self>, holder: &str, now: Timestamp) -> Self {
        let ours = before.filter(|before| before.holder == holder);
        let transitions = before.map_or(0, |before| before.transitions);
        Self {
            holder: holder.to_owned(),
            lasts: LASTS,
            acquired: ours.map_or(Some(now), |ours| ours.acquired),
            renewed: Some(now),
            transitions: match (before, ours) {
                (Some(_), None) => transitions.saturating_add(1),
                _ => transitions,
            },
        }
    }

    /// What stands in it when its holder has given it back.
    pub(super) fn released(&self, now: Timestamp) -> Self {
        Self {
            holder: String::new(),
            lasts: RELEASED_LASTS,
            acquired: Some(now),
            renewed: Some(now),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_record_goes_through_a_lease_unchanged_and_changes_nothing_else_of_it() {
        let mut lease = Lease::default();
        lease.metadata.labels = Some([("team".to_owned(), "shop".to_owned())].into());
        lease.spec.get_or_insert_default().strategy = Some("kept".to_owned());
        let record = Record::claimed(None, "one", at(7));
        record.write(&mut lease);
        assert_eq!(Record::read(&lease), record);
        assert_eq!(record.lasts, Duration::from_secs(15));
        assert_eq!(lease.metadata.labels.unwrap()["team"], "shop");
        assert_eq!(lease.spec.unwrap().strategy.as_deref(), Some("kept"));
    }

    #[test]
    fn what_another_hand_left_out_or_wrote_wrongly_is_taken_as_usual() {
        let mut lease = Lease::default();
        let empty = Record::read(&lease);
        assert_eq!((&*empty.holder, empty.lasts), ("", LASTS));
        lease.spec.get_or_insert_default().lease_duration_seconds = Some(-3);
        assert_eq!(Record::read(&lease).lasts, LASTS);
        lease.spec.get_or_insert_default().lease_duration_seconds = Some(60);
        assert_eq!(Record::read(&lease).lasts, Duration::from_mins(1));
    }

    #[test]
    fn since_when_and_how_often_it_changed_hands_are_kept_while_it_is_renewed() {
        let first = Record::claimed(None, "one", at(1));
        let renewed = Record::claimed(Some(&first), "one", at(3));
        assert_eq!(
            (renewed.acquired, renewed.renewed),
            (Some(at(1)), Some(at(3)))
        );
        assert_eq!(renewed.transitions, 0);
        let released = renewed.released(at(4));
        assert_eq!((&*released.holder, released.lasts.as_secs()), ("", 1));
        let times = (released.acquired, released.renewed);
        assert_eq!(times, (Some(at(4)), Some(at(4))));
        let other = Record::claimed(Some(&released), "two", at(5));
        assert_eq!((other.acquired, other.transitions), (Some(at(5)), 1));
        assert_eq!(other.lasts, LASTS);
    }
}
