//! The pace, told a made-up history. No clock runs in these tests.

use std::sync::Arc;

use http::StatusCode;
use proptest::prelude::*;

use super::super::answer::{Answer, Doubt, Refusal, Taken};
use super::super::rate::Rate;
use super::super::samples::{self, destination};
use super::*;
use crate::model::record::Destination;

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

fn no_file() -> CredentialsError {
    CredentialsError::Unreadable {
        what: "token",
        path: "/nonexistent".into(),
        error: Arc::new(std::io::ErrorKind::NotFound.into()),
    }
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
fn a_limit_holds_for_all_organizations_but_an_installation_s_hour_is_its_own() {
    let (one, other) = (destination(), other_organization());
    let app = |tokens: &[&str]| {
        let tokens: Vec<String> = tokens.iter().map(|&it| it.to_owned()).collect();
        Signers::app_but_for(&tokens)
    };
    for (signers, is_shared) in [
        // Tokens of the same user share the hour, and nobody knows whose they are.
        (Signers::default(), true),
        (app(&["octo", "other"]), true),
        (app(&["other"]), false),
        (app(&[]), false),
    ] {
        for (limit, wait, is_shared) in [
            // Whose a secondary limit is nobody knows either.
            (limited(Some(90)), (90, Reason::Told), true),
            (limited(None), (60, Reason::Limited), true),
            (spent(90), (90, Reason::Told), is_shared),
        ] {
            let mut story = Story::new();
            story.pace = story.pace.signed_by(signers.clone());
            assert_eq!(story.after(&one, &limit), wait);
            let free = (1, Reason::Spacing);
            let expected = if is_shared { wait } else { free };
            assert_eq!(story.wait(&other), expected, "{signers:?}");
        }
    }
}

#[test]
fn who_met_a_limit_comes_after_those_that_did_not_until_something_is_acknowledged() {
    let mut story = Story::new();
    for limit in [limited(Some(90)), limited(None)] {
        story.after(&destination(), &limit);
        assert!(story.pace.last_trouble(&destination()).is_some());
        assert_eq!(story.pace.last_trouble(&other_organization()), None);
        story.after(&destination(), &acknowledged());
        assert_eq!(story.pace.last_trouble(&destination()), None);
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
fn changes_are_gathered_when_little_is_left_to_every_token() {
    let few = |count| Exchange {
        rate: Rate {
            remaining: Some(count),
            resets_in: Some(seconds(600)),
            ..Rate::default()
        },
        ..acknowledged()
    };
    let mut story = Story::new();
    story.pace = story.pace.signed_by(Signers::app_but_for([]));
    story.after(&destination(), &few(99));
    assert!(story.pace.is_tight(story.now));
    story.after(&other_organization(), &few(5000));
    assert!(!story.pace.is_tight(story.now), "the other is not to wait");
    story.after(&other_organization(), &few(7));
    assert!(story.pace.is_tight(story.now));
    assert!(!story.pace.is_tight(story.now + seconds(601)));
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
fn a_limit_without_a_time_pauses_everything_from_one_to_ten_minutes() {
    let mut story = Story::new();
    assert_eq!(
        story.waits(&limited(None), 6),
        [60, 120, 240, 480, 600, 600]
    );
    assert_eq!(story.wait(&other_organization()), (60, Reason::Limited));
    story.after(&destination(), &acknowledged());
    assert_eq!(story.waits(&limited(None), 1), [60]);
}

#[test]
fn who_is_limited_without_a_time_is_asked_ever_less_often_also_while_others_are_answered() {
    let mut story = Story::new();
    for expected in [60, 120, 240, 480, 600, 600] {
        let wait = story.after(&destination(), &limited(None));
        assert_eq!(wait, (expected, Reason::Limited));
        for answer in [acknowledged(), no_access()] {
            let waited = story.now;
            story.after(&other_organization(), &answer);
            assert!(story.now - waited <= MINUTE, "a plain minute");
        }
        story.pace.token_renewed(&other_organization());
    }
    // Any word about what it sent ends that, but it stays the last to be asked.
    story.after(&destination(), &no_access());
    assert!(story.pace.is_limited(&destination()));
    assert_eq!(
        story.after(&destination(), &limited(None)),
        (60, Reason::Limited)
    );
    story.after(&destination(), &acknowledged());
    assert!(!story.pace.is_limited(&destination()));
}

#[test]
fn a_limit_of_who_asks_for_tokens_is_everybody_s() {
    for (kind, is_shared) in [
        (NotMinted::Limited, true),
        (NotMinted::Denied, false),
        (NotMinted::Unknown, false),
        (NotMinted::Outage, false),
    ] {
        let mut story = Story::new();
        story.pace = story.pace.signed_by(Signers::app_but_for([]));
        let error = not_minted(kind, story.now + seconds(90));
        story.pace.unsent(&destination(), &error, story.now);
        let other = story.wait(&other_organization());
        let expected = (90, Reason::Told);
        assert_eq!(other == expected, is_shared, "{kind:?}: {other:?}");
        assert_eq!(story.pace.is_limited(&destination()), is_shared);
        assert_eq!(story.wait(&destination()).0, 90);
    }
}

#[test]
fn a_time_that_github_names_is_kept_whatever_the_status() {
    for named in [
        limited(Some(90)),
        Exchange {
            rate: limited(Some(90)).rate,
            ..unknown()
        },
    ] {
        let mut story = Story::new();
        assert_eq!(story.after(&destination(), &named), (90, Reason::Told));
        assert_eq!(story.wait(&other_organization()), (90, Reason::Told));
    }
}

#[test]
fn a_limit_that_names_a_short_time_asks_for_no_more_than_that() {
    let mut story = Story::new();
    for _ in 0..3 {
        assert_eq!(
            story.after(&destination(), &limited(Some(5))),
            (5, Reason::Told)
        );
    }
}

#[test]
fn nothing_leaves_before_the_reset_once_nothing_remains() {
    let rate = Rate {
        remaining: Some(0),
        resets_in: Some(seconds(1200)),
        ..Rate::default()
    };
    let mut story = Story::new();
    let last = Exchange {
        rate,
        ..acknowledged()
    };
    assert_eq!(story.after(&destination(), &last), (1200, Reason::Told));
}

#[test]
fn failed_access_pauses_one_organization_from_one_to_ten_minutes() {
    for denied in [no_access(), bad_token()] {
        let mut story = Story::new();
        assert_eq!(story.waits(&denied, 6), [60, 120, 240, 480, 600, 600]);
        assert_eq!(story.wait(&other_organization()), (1, Reason::Spacing));
        let shouted = Destination {
            organization: "OCTO".into(),
            ..destination()
        };
        assert_eq!(story.wait(&shouted), (600, Reason::NoAccess));
        story.after(&destination(), &acknowledged());
        assert_eq!(story.waits(&denied, 1), [60]);
    }
}

#[test]
fn an_organization_that_never_took_anything_is_asked_from_ten_minutes_to_an_hour_later() {
    let stranger = Destination {
        organization: "amce".into(),
        ..destination()
    };
    let mut story = Story::new();
    let wait = |story: &mut Story| story.after(&stranger, &no_access()).0 / 60;
    let waits: Vec<u64> = (0..8).map(|_| wait(&mut story)).collect();
    assert_eq!(waits, [10, 20, 40, 60, 60, 60, 60, 60]);
    assert!(story.pace.is_strange(&stranger) && !story.pace.is_strange(&destination()));
    story.pace.token_renewed(&stranger);
    assert_eq!(story.wait(&stranger), (1, Reason::Spacing), "a new token");
    story.after(&stranger, &acknowledged());
    assert!(!story.pace.is_strange(&stranger));
    assert_eq!(wait(&mut story), 1, "it is there");
    // What is wrong with a token says nothing of the organization.
    let mut story = Story::new();
    let waits: Vec<u64> = (0..6)
        .map(|_| story.after(&stranger, &bad_token()).0)
        .collect();
    assert_eq!(waits, [60, 120, 240, 480, 600, 600]);
    let mut story = Story::new();
    story.pace.unsent(&stranger, &no_file(), story.now);
    assert_eq!(story.wait(&stranger), (60, Reason::NoAccess));
    // What passes by itself is not held against it.
    let mut story = Story::new();
    assert_eq!(story.after(&stranger, &unknown()), (2, Reason::Outage));
    for (kind, expected) in [
        (NotMinted::Outage, 7),
        (NotMinted::Unknown, 7),
        (NotMinted::Denied, 600),
        (NotMinted::Denied, 1200),
    ] {
        let error = not_minted(kind, story.now + seconds(7));
        story.pace.unsent(&stranger, &error, story.now);
        assert_eq!(story.wait(&stranger), (expected, Reason::NoToken));
    }
}

#[test]
fn what_is_refused_alone_closes_nothing_to_others() {
    let refused = exchange(Err(Failure::Refused {
        status: StatusCode::NOT_FOUND,
        message: String::new(),
    }));
    let mut story = Story::new();
    assert_eq!(story.after(&destination(), &refused), (1, Reason::Spacing));
    // Nor does it open what was closed: it may be the organization that is meant.
    story.waits(&no_access(), 1);
    story.now += MINUTE;
    story.after(&destination(), &refused);
    assert_eq!(story.waits(&no_access(), 1), [120]);
}

#[test]
fn a_missing_token_pauses_like_a_refused_one() {
    let mut story = Story::new();
    story.pace.unsent(&destination(), &no_file(), story.now);
    assert_eq!(story.wait(&destination()), (60, Reason::NoAccess));
    story.now += seconds(60);
    story.pace.unsent(&destination(), &no_file(), story.now);
    assert_eq!(story.wait(&destination()), (120, Reason::NoAccess));
}

#[test]
fn a_token_that_cannot_be_had_before_a_known_time_pauses_until_then() {
    let mut story = Story::new();
    for wait in [7, 3] {
        let error = not_minted(NotMinted::Denied, story.now + seconds(wait));
        story.pace.unsent(&destination(), &error, story.now);
        assert_eq!(story.wait(&destination()), (wait, Reason::NoToken));
    }
    assert_eq!(story.wait(&other_organization()), (0, Reason::Free));
    story.pace.token_renewed(&destination());
    assert_eq!(story.wait(&destination()), (0, Reason::Free));
}

#[test]
fn a_request_for_a_token_counts_as_one() {
    let mut story = Story::new();
    story.pace.signed_in(story.now);
    assert_eq!(story.wait(&destination()), (1, Reason::Spacing));
}

#[test]
fn a_new_token_is_tried_at_once() {
    let mut story = Story::new();
    story.waits(&bad_token(), 3);
    story.now += SPACING;
    story.pace.token_renewed(&destination());
    assert_eq!(story.wait(&destination()), (0, Reason::Free));
    let renewed = Exchange {
        token_renewed: true,
        ..bad_token()
    };
    assert_eq!(story.after(&destination(), &renewed), (1, Reason::Spacing));
}

#[test]
fn a_withdrawn_version_is_tried_hourly_and_no_token_changes_that() {
    let mut story = Story::new();
    assert_eq!(story.waits(&withdrawn(), 3), [3600, 3600, 3600]);
    story.pace.token_renewed(&destination());
    assert_eq!(story.wait(&destination()), (3600, Reason::VersionWithdrawn));
    assert_eq!(story.wait(&other_organization()), (1, Reason::Spacing));
}

#[test]
fn the_hour_is_tight_with_less_than_a_hundred_left_by_either_count() {
    let mut story = Story::new();
    for _ in 0..350 {
        story.after(&destination(), &acknowledged());
    }
    assert!(!story.pace.is_tight(story.now));
    story.after(&destination(), &acknowledged());
    assert!(story.pace.is_tight(story.now));
    assert!(!story.pace.is_tight(story.now + HOUR));

    for (remaining, tight) in [(99, true), (100, false)] {
        let rate = Rate {
            remaining: Some(remaining),
            resets_in: Some(seconds(60)),
            ..Rate::default()
        };
        let mut story = Story::new();
        story.after(
            &destination(),
            &Exchange {
                rate,
                ..acknowledged()
            },
        );
        assert_eq!(story.pace.is_tight(story.now), tight);
        assert!(!story.pace.is_tight(story.now + seconds(60)));
    }
}

#[test]
fn redirects_that_were_followed_count_as_requests() {
    let mut story = Story::new();
    let followed = Exchange {
        requests: 3,
        ..acknowledged()
    };
    for _ in 0..117 {
        story.after(&destination(), &followed);
    }
    assert!(story.pace.is_tight(story.now));
}

#[test]
fn a_snapshot_is_repeated_no_sooner_than_its_half_of_the_hour_allows() {
    assert_eq!(shortest_snapshot_period(1), seconds(16));
    assert_eq!(shortest_snapshot_period(100), seconds(1600));
}

fn any_exchange() -> impl Strategy<Value = Exchange> {
    prop_oneof![
        30 => Just(acknowledged()),
        1 => Just(unknown()),
        1 => Just(limited(None)),
        1 => (0_u64..20).prop_map(|pause| limited(Some(pause))),
        1 => Just(no_access()),
    ]
}

/// One request: what for, how long after the earliest moment, how long until it is answered.
fn any_request() -> impl Strategy<Value = (Purpose, u64, u64, Exchange)> {
    let purpose = prop_oneof![
        Just(Purpose::Change),
        Just(Purpose::Snapshot),
        Just(Purpose::Storage)
    ];
    let delay = prop_oneof![9 => Just(0_u64), 1 => 0_u64..20_000];
    let latency = prop_oneof![3 => Just(0_u64), 1 => 0_u64..3_000];
    (purpose, delay, latency, any_exchange())
}

/// The most of these instants that lie within one window.
fn most_within(sends: &[Instant], window: Duration) -> usize {
    let ends = sends.iter().enumerate().map(|(first, start)| {
        let after = sends
            .iter()
            .skip(first)
            .take_while(|sent| **sent < *start + window);
        after.count()
    });
    ends.max().unwrap_or_default()
}

/// Sends each request as soon as the pace lets it; says when each left, and checks the spacing.
fn play(requests: &[(Purpose, u64, u64, Exchange)]) -> Vec<(Instant, Purpose)> {
    let mut story = Story::new();
    let mut sends = Vec::new();
    let mut answered = None;
    for (purpose, delay, latency, exchange) in requests {
        let slot = story.pace.slot(&destination(), *purpose, story.now);
        story.now = slot.at + Duration::from_millis(*delay);
        assert!(answered.is_none_or(|answered| story.now >= answered + seconds(1)));
        story.pace.sent(*purpose, story.now);
        sends.push((story.now, *purpose));
        story.now += Duration::from_millis(*latency);
        story.pace.answered(&destination(), exchange, story.now);
        answered = Some(story.now);
    }
    sends
}

fn check_limits(sends: &[(Instant, Purpose)]) {
    let all: Vec<Instant> = sends.iter().map(|(sent, _)| *sent).collect();
    assert!(most_within(&all, MINUTE) <= 80);
    assert!(most_within(&all, HOUR) <= 450);
    for (purpose, a_minute, an_hour) in [(Purpose::Snapshot, 40, 225), (Purpose::Storage, 20, 112)]
    {
        let of = sends.iter().filter(|(_, sent)| *sent == purpose);
        let of: Vec<Instant> = of.map(|(sent, _)| *sent).collect();
        assert!(most_within(&of, MINUTE) <= a_minute);
        assert!(most_within(&of, HOUR) <= an_hour);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn whatever_is_asked_and_answered_the_limits_hold(
        requests in prop::collection::vec(any_request(), 1..1200),
    ) {
        check_limits(&play(&requests));
    }
}

#[test]
fn requests_as_fast_as_they_may_use_the_limits_to_the_full_and_no_more() {
    let request = |purpose| (purpose, 0, 0, acknowledged());
    let changes = play(&vec![request(Purpose::Change); 1000]);
    check_limits(&changes);
    let changes: Vec<Instant> = changes.iter().map(|(sent, _)| *sent).collect();
    assert_eq!(most_within(&changes, MINUTE), 60);
    assert_eq!(most_within(&changes, HOUR), 450);

    for (purpose, a_minute, an_hour) in [(Purpose::Snapshot, 40, 225), (Purpose::Storage, 20, 112)]
    {
        let sends = play(&vec![request(purpose); 600]);
        check_limits(&sends);
        let sends: Vec<Instant> = sends.iter().map(|(sent, _)| *sent).collect();
        assert_eq!(most_within(&sends, MINUTE), a_minute);
        assert_eq!(most_within(&sends, HOUR), an_hour);
    }
}

#[test]
fn storage_records_leave_the_last_hundred_of_an_hour_to_everything_else() {
    let mut story = Story::new();
    let start = story.now;
    for _ in 0..350 {
        story.after(&destination(), &acknowledged());
    }
    let wait = |story: &Story, purpose| {
        let slot = story.pace.slot(&destination(), purpose, story.now);
        (slot.at, slot.reason)
    };
    assert_eq!(story.wait(&destination()).1, Reason::Spacing);
    assert_eq!(
        wait(&story, Purpose::Storage),
        (start + HOUR, Reason::Hour),
        "until the first of them is an hour ago"
    );
    let mut story = Story::new();
    let few = Exchange {
        rate: Rate {
            remaining: Some(99),
            resets_in: Some(seconds(600)),
            ..Rate::default()
        },
        ..acknowledged()
    };
    assert_eq!(story.after(&destination(), &few), (1, Reason::Spacing));
    assert_eq!(
        wait(&story, Purpose::Storage),
        (story.now + seconds(600), Reason::Hour)
    );
}

#[test]
fn what_goes_wrong_with_storage_records_holds_nothing_else_back() {
    let mut story = Story::new();
    let now = story.now;
    story.pace.sent(Purpose::Storage, now);
    story.pace.answered(&destination(), &unknown(), now);
    assert_eq!(story.wait(&destination()), (1, Reason::Spacing));
    let storage = story.pace.slot(&destination(), Purpose::Storage, now);
    assert_eq!((storage.at, storage.reason), (now + MINUTE, Reason::Outage));
    story
        .pace
        .storage_given_up(&destination(), now + seconds(5));
    assert_eq!(story.wait(&destination()), (6, Reason::Spacing));
    let storage = story.pace.slot(&destination(), Purpose::Storage, now);
    assert_eq!(storage.at, now + seconds(125));
    // Where the token is no good for anything, or the version withdrawn, the next change shows it.
    for failure in [bad_token(), withdrawn()] {
        story.pace.sent(Purpose::Storage, now);
        story.pace.answered(&destination(), &failure, now);
        assert_eq!(story.wait(&destination()), (1, Reason::Spacing));
        let storage = story.pace.slot(&destination(), Purpose::Storage, now);
        assert_eq!(storage.reason, Reason::Outage);
    }
}

#[test]
fn snapshots_never_keep_a_change_waiting_longer_than_the_spacing() {
    let mut story = Story::new();
    for _ in 0..225 {
        story.now = story
            .pace
            .slot(&destination(), Purpose::Snapshot, story.now)
            .at;
        story.pace.sent(Purpose::Snapshot, story.now);
        story
            .pace
            .answered(&destination(), &acknowledged(), story.now);
    }
    assert_eq!(story.wait(&destination()), (1, Reason::Spacing));
    let snapshot = story
        .pace
        .slot(&destination(), Purpose::Snapshot, story.now);
    assert_eq!(snapshot.reason, Reason::Share);
}

#[test]
fn a_process_that_begins_keeps_its_distance_from_the_one_before_it() {
    let now = Instant::now();
    let slot = Pace::begun(now).slot(&destination(), Purpose::Change, now);
    assert_eq!((slot.at, slot.reason), (now + SPACING, Reason::Spacing));
}
