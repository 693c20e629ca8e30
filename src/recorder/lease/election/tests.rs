//! Tests of who may have the Lease: a table of what follows from what was seen, and candidates with
//! clocks, networks and fates of their own in `rivals`.

use std::time::Duration;

use super::*;
use crate::model::fixtures::assert_told_apart;
use crate::recorder::lease::{LASTS, RETRY};

mod rivals;

/// The Lease of `holder` when it was renewed for the `renewal`th time.
fn lease(holder: &str, renewal: u32) -> Seen<u32> {
    let record = Record {
        holder: holder.to_owned(),
        lasts: LASTS,
        acquired: None,
        renewed: Some(jiff::Timestamp::from_second(i64::from(renewal)).unwrap()),
        transitions: 0,
    };
    Seen {
        record,
        version: renewal,
    }
}

fn at(seconds: f64) -> Moment {
    Moment::after_start(Duration::from_secs_f64(seconds))
}

fn nobody_is_gone(_: &str) -> bool {
    false
}

/// One who has looked at `lease` at 100 s.
fn looked(lease: Option<Seen<u32>>) -> Election<u32> {
    let mut me = Election::new("me".to_owned());
    assert_eq!(me.next(at(100.0), nobody_is_gone), Step::Look);
    me.found(lease, at(100.0));
    me
}

/// One who has held it since 100 s.
fn holding() -> Election<u32> {
    let mut me = looked(None);
    let claim = Step::Claim {
        from: None,
        why: Why::Missing,
    };
    assert_eq!(me.next(at(100.0), nobody_is_gone), claim);
    me.claimed(lease("me", 1), at(100.0), at(100.5));
    assert_eq!(
        me.next(at(100.5), nobody_is_gone),
        Step::Rest { until: None }
    );
    me
}

#[test]
fn why_it_may_be_claimed_is_told_apart() {
    use Why::{HolderGone, Missing, Ours, RanOut, Released};
    assert_told_apart([Missing, Ours, Released, HolderGone, RanOut].map(Why::as_str));
}

#[test]
fn whoever_holds_nothing_claims_only_what_nobody_can_hold() {
    let gone = |holder: &str| holder == "gone";
    let claimed = |lease: Option<Seen<u32>>, now| match looked(lease).next(now, gone) {
        Step::Claim { why, .. } => Some(why),
        Step::Rest { until } => {
            assert_eq!(until, Some(at(115.0)));
            None
        }
        other => panic!("{other:?}"),
    };
    let table = [
        (None, 100.0, Some(Why::Missing)),
        (Some(""), 100.0, Some(Why::Released)),
        (Some("me"), 100.0, Some(Why::Ours)),
        (Some("gone"), 100.0, Some(Why::HolderGone)),
        (Some("other"), 100.0, None),
        (Some("other"), 114.9, None),
        (Some("other"), 115.0, Some(Why::RanOut)),
    ];
    for (holder, now, expected) in table {
        let seen = holder.map(|holder| lease(holder, 1));
        assert_eq!(claimed(seen, at(now)), expected, "{holder:?} at {now}");
    }
}

#[test]
fn a_claim_is_for_the_lease_as_it_was_seen() {
    let seen = lease("", 7);
    let step = looked(Some(seen.clone())).next(at(100.0), nobody_is_gone);
    let why = Why::Released;
    let from = Some(seen);
    assert_eq!(step, Step::Claim { from, why });
}

#[test]
fn a_lease_that_is_renewed_is_waited_for_anew_from_when_that_was_seen() {
    let mut me = looked(Some(lease("other", 1)));
    assert_eq!(
        me.next(at(100.0), nobody_is_gone),
        Step::Rest {
            until: Some(at(115.0))
        }
    );
    assert!(!me.others_live());
    assert_eq!(me.next(at(114.0), nobody_is_gone), Step::Look);
    me.found(Some(lease("other", 2)), at(114.0));
    assert_eq!(
        me.next(at(114.0), nobody_is_gone),
        Step::Rest {
            until: Some(at(129.0))
        }
    );
    assert!(me.others_live());
}

#[test]
fn one_that_changes_in_nobodys_hand_or_in_ours_is_no_sign_of_another() {
    for holder in ["", "me"] {
        let mut me = looked(Some(lease(holder, 1)));
        me.found(Some(lease(holder, 2)), at(101.0));
        assert!(!me.others_live(), "{holder:?}");
    }
}

#[test]
fn somebodys_label_on_the_lease_of_a_dead_holder_holds_nothing_up() {
    let mut me = looked(Some(lease("other", 1)));
    me.next(at(100.0), nobody_is_gone);
    me.next(at(115.0), nobody_is_gone);
    let labelled = Seen {
        version: 9,
        ..lease("other", 1)
    };
    me.found(Some(labelled.clone()), at(115.0));
    assert!(!me.others_live());
    let (from, why) = (Some(labelled), Why::RanOut);
    assert_eq!(
        me.next(at(115.0), nobody_is_gone),
        Step::Claim { from, why }
    );
}

#[test]
fn a_lease_lasts_as_long_as_its_holder_says() {
    let mut long = lease("other", 1);
    long.record.lasts = Duration::from_mins(1);
    let step = looked(Some(long)).next(at(159.9), nobody_is_gone);
    assert_eq!(
        step,
        Step::Rest {
            until: Some(at(160.0))
        }
    );
}

#[test]
fn it_is_ours_from_when_the_claim_began_and_for_less_long_than_others_wait() {
    let me = holding();
    assert!(me.holds(at(100.0)));
    assert!(me.holds(at(110.0)));
    assert!(!me.holds(at(110.001)));
    assert!(RENEW_WITHIN + 2 * RETRY < LASTS);
}

#[test]
fn what_is_ours_is_renewed_without_a_look() {
    let mut me = holding();
    let from = Some(lease("me", 1));
    let why = Why::Ours;
    assert_eq!(
        me.next(at(102.0), nobody_is_gone),
        Step::Claim { from, why }
    );
    me.claimed(lease("me", 2), at(102.0), at(103.0));
    assert!(me.holds(at(112.0)) && !me.holds(at(112.1)));
}

/// What a holder does that was told its renewal came too late, and then found `found`.
fn outrun(found: Option<Seen<u32>>, now: Moment) -> Step<u32> {
    let mut me = holding();
    me.next(now, nobody_is_gone);
    me.outrun();
    assert_eq!(me.next(now, nobody_is_gone), Step::Look);
    me.found(found, now);
    me.next(now, |_| true)
}

#[test]
fn a_holder_that_was_outrun_goes_on_if_it_was_itself_and_else_has_lost() {
    // In time, and long after it was ours.
    for now in [at(102.0), at(500.0)] {
        let ours = Some(lease("me", 2));
        let (from, why) = (ours.clone(), Why::Ours);
        assert_eq!(outrun(ours, now), Step::Claim { from, why });
        let (from, why) = (None, Why::Missing);
        assert_eq!(outrun(None, now), Step::Claim { from, why });
        for other in ["other", ""] {
            let holder = other.to_owned();
            assert_eq!(outrun(Some(lease(other, 2)), now), Step::Lost { holder });
        }
    }
}

#[test]
fn an_attempt_that_failed_is_over_and_the_next_one_begins_as_the_first() {
    let mut me = looked(Some(lease("", 1)));
    assert!(matches!(
        me.next(at(100.0), nobody_is_gone),
        Step::Claim { .. }
    ));
    me.failed();
    assert_eq!(
        me.next(at(103.0), nobody_is_gone),
        Step::Rest { until: None }
    );
    // Whether the claim was heard is not known, so it is not ours.
    assert!(!me.holds(at(103.0)));
    assert_eq!(me.next(at(105.0), nobody_is_gone), Step::Look);
    me.found(Some(lease("me", 2)), at(105.0));
    let (from, why) = (Some(lease("me", 2)), Why::Ours);
    assert_eq!(
        me.next(at(105.0), nobody_is_gone),
        Step::Claim { from, why }
    );
}

#[test]
fn whoever_is_outrun_twice_in_one_attempt_rests() {
    let mut me = looked(Some(lease("", 1)));
    me.next(at(100.0), nobody_is_gone);
    me.outrun();
    assert_eq!(
        me.next(at(100.0), nobody_is_gone),
        Step::Rest { until: None }
    );
    let mut me = holding();
    me.next(at(102.0), nobody_is_gone);
    me.outrun();
    me.next(at(102.0), nobody_is_gone);
    me.found(Some(lease("me", 2)), at(102.0));
    me.next(at(102.0), nobody_is_gone);
    me.outrun();
    assert_eq!(
        me.next(at(102.0), nobody_is_gone),
        Step::Rest { until: None }
    );
}
