//! The pace, told a made-up history. No clock runs in these tests.

use http::StatusCode;

use super::super::answer::{Answer, Doubt, Refusal, Taken};
use super::super::rate::Rate;
use super::super::samples::{self, destination};
use super::*;
use crate::model::record::Destination;

mod access;
mod limits;
mod shares;

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn exchange(answer: Answer) -> Exchange {
    samples::exchange(answer)
}

fn acknowledged() -> Exchange {
    exchange(Ok(Taken::default()))
}

fn unknown() -> Exchange {
    exchange(Err(Failure::Unknown {
        why: Doubt::Timeout(seconds(30)),
    }))
}

fn limited(pause: Option<u64>) -> Exchange {
    let status = StatusCode::TOO_MANY_REQUESTS;
    let rate = Rate {
        retry_after: pause.map(seconds),
        ..Rate::default()
    };
    Exchange {
        rate,
        ..exchange(Err(Failure::Limited {
            status,
            message: String::new(),
        }))
    }
}

fn no_access() -> Exchange {
    exchange(Err(Failure::NoAccess {
        status: StatusCode::NOT_FOUND,
        message: String::new(),
    }))
}

fn withdrawn() -> Exchange {
    exchange(Err(Failure::VersionWithdrawn {
        version: samples::version(),
        message: String::new(),
    }))
}

fn bad_token() -> Exchange {
    exchange(Err(Failure::BadToken {
        message: String::new(),
    }))
}

fn not_minted(kind: NotMinted, until: Instant) -> CredentialsError {
    CredentialsError::NotMinted {
        step: String::new(),
        why: String::new(),
        kind,
        until,
    }
}

/// A pace and the time it is told.
struct Story {
    pace: Pace,
    now: Instant,
}

impl Story {
    fn new() -> Self {
        let mut pace = Pace::new();
        pace.knows(&destination());
        pace.knows(&other_organization());
        Self {
            pace,
            now: Instant::now(),
        }
    }

    /// How long a change to the destination has to wait, and why.
    fn wait(&self, destination: &Destination) -> (u64, Reason) {
        let slot = self.pace.slot(destination, Purpose::Change, self.now);
        ((slot.at - self.now).as_secs(), slot.reason)
    }

    /// Sends as soon as it may and is answered at once; then says how long the next has to wait.
    fn after(&mut self, destination: &Destination, exchange: &Exchange) -> (u64, Reason) {
        self.now = self.pace.slot(destination, Purpose::Change, self.now).at;
        self.pace.sent(Purpose::Change, self.now);
        self.pace.answered(destination, exchange, self.now);
        self.wait(destination)
    }

    /// The waits after the same answer again and again.
    fn waits(&mut self, exchange: &Exchange, times: usize) -> Vec<u64> {
        (0..times)
            .map(|_| self.after(&destination(), exchange).0)
            .collect()
    }
}

fn other_organization() -> Destination {
    Destination {
        organization: "other".into(),
        ..destination()
    }
}

#[test]
fn the_first_request_may_leave_at_once_and_the_next_a_second_after_its_answer() {
    let mut story = Story::new();
    assert_eq!(story.wait(&destination()), (0, Reason::Free));
    story.pace.sent(Purpose::Change, story.now);
    story.now += seconds(7);
    story
        .pace
        .answered(&destination(), &acknowledged(), story.now);
    assert_eq!(story.wait(&other_organization()), (1, Reason::Spacing));
}

#[test]
fn unknown_outcomes_pause_an_organization_from_two_seconds_to_a_minute_until_one_is_acknowledged() {
    let mut story = Story::new();
    assert_eq!(story.waits(&unknown(), 7), [2, 4, 8, 16, 32, 60, 60]);
    assert_eq!(story.wait(&other_organization()), (1, Reason::Spacing));
    let partial = exchange(Ok(Taken {
        refused: vec![(0, Refusal::NotFound)],
        unknown: Vec::new(),
    }));
    assert_eq!(story.after(&destination(), &partial), (1, Reason::Spacing));
    assert_eq!(story.waits(&unknown(), 2), [2, 4]);
}

#[test]
fn where_several_organizations_hide_outcomes_it_is_the_host_until_one_is_answered() {
    let mut story = Story::new();
    let (one, other) = (destination(), other_organization());
    assert_eq!(story.after(&one, &unknown()), (2, Reason::Outage));
    assert_eq!(story.after(&other, &unknown()), (2, Reason::Outage));
    assert_eq!(story.after(&one, &unknown()), (4, Reason::Outage));
    assert_eq!(
        story.wait(&other),
        (4, Reason::Outage),
        "as long as the host"
    );
    assert_eq!(story.after(&other, &unknown()), (8, Reason::Outage));
    assert_eq!(story.wait(&one), (8, Reason::Outage));
    // Even an answer that takes nothing tells that the host is there.
    let refused = story.after(&other, &no_access());
    assert_eq!(refused, (60, Reason::NoAccess));
    assert_eq!(story.wait(&one), (1, Reason::Spacing));
    assert!(story.pace.last_trouble(&one) < story.pace.last_trouble(&other));
    story.after(&one, &acknowledged());
    assert_eq!(story.pace.last_trouble(&one), None);
}

/// An answer that says that nothing remains of the hour for so long.
fn spent(pause: u64) -> Exchange {
    let rate = Rate {
        remaining: Some(0),
        resets_in: Some(seconds(pause)),
        ..Rate::default()
    };
    Exchange {
        rate,
        ..limited(None)
    }
}

#[test]
fn of_organizations_to_which_nothing_goes_nothing_is_remembered_but_what_github_asked_for() {
    let gone = other_organization();
    for answer in [unknown(), limited(Some(5))] {
        let mut story = Story::new();
        story.after(&gone, &answer);
        story.pace.sent(Purpose::Storage, story.now);
        story.pace.answered(&gone, &unknown(), story.now);
        story.now += seconds(5);
        story
            .pace
            .keep(|access| *access == Access::from(&destination()), story.now);
        assert_eq!(story.wait(&gone), (0, Reason::Free));
        assert!(story.pace.is_strange(&gone) && story.pace.last_trouble(&gone).is_none());
        let storage = story.pace.slot(&gone, Purpose::Storage, story.now);
        assert_eq!(storage.reason, Reason::Free);
    }
    for (answer, expected) in [
        (no_access(), (60, Reason::NoAccess)),
        (withdrawn(), (3600, Reason::VersionWithdrawn)),
        (limited(None), (60, Reason::Limited)),
    ] {
        let mut story = Story::new();
        story.after(&gone, &answer);
        story.pace.keep(|_| false, story.now);
        assert_eq!(story.wait(&gone), expected);
        let shut = story.pace.remembers(&Access::from(&gone), story.now);
        assert_eq!(shut, expected.1 != Reason::Limited);
        story.now += seconds(2 * expected.0);
        story.pace.keep(|_| false, story.now);
        let shut = story.pace.remembers(&Access::from(&gone), story.now);
        assert!(!shut && !story.pace.is_limited(&gone));
    }
    let mut story = Story::new();
    story.pace = story.pace.signed_by(Signers::app_but_for([]));
    story.after(&gone, &spent(90));
    story.pace.keep(|_| false, story.now);
    assert_eq!(story.wait(&gone), (90, Reason::Told));
    story.now += seconds(90);
    story.pace.keep(|_| false, story.now);
    assert_eq!(story.pace.room().remaining(story.now - seconds(1)), None);
}

#[test]
fn who_comes_and_goes_is_asked_no_more_often_than_who_stays() {
    let gone = Destination {
        organization: "amce".into(),
        ..destination()
    };
    let (mut story, mut asked) = (Story::new(), 0);
    for minute in 0..360 {
        // A pod that crashes is there for one minute of six.
        let is_there = minute % 6 == 0;
        story.pace.keep(|_| is_there, story.now);
        if is_there && story.wait(&gone).0 <= 1 {
            story.after(&gone, &no_access());
            asked += 1;
        }
        story.now += MINUTE;
    }
    assert!((5..=9).contains(&asked), "{asked} in six hours");
}

#[test]
fn an_invalid_body_neither_pauses_nor_ends_an_outage() {
    let mut story = Story::new();
    story.waits(&unknown(), 3);
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let invalid = exchange(Err(Failure::Invalid {
        status,
        message: String::new(),
    }));
    assert_eq!(story.after(&destination(), &invalid), (1, Reason::Spacing));
    assert_eq!(
        story.after(&destination(), &unknown()),
        (16, Reason::Outage)
    );
}

#[test]
fn bodies_that_are_all_invalid_may_be_called_an_outage() {
    let mut story = Story::new();
    story.pace.outage(&destination(), story.now);
    assert_eq!(story.wait(&destination()), (2, Reason::Outage));
}

#[test]
fn a_request_for_a_token_counts_as_one() {
    let mut story = Story::new();
    story.pace.signed_in(story.now);
    assert_eq!(story.wait(&destination()), (1, Reason::Spacing));
}

#[test]
fn a_process_that_begins_keeps_its_distance_from_the_one_before_it() {
    let now = Instant::now();
    let slot = Pace::begun(now).slot(&destination(), Purpose::Change, now);
    assert_eq!((slot.at, slot.reason), (now + SPACING, Reason::Spacing));
}
