//! How many requests fit a minute and an hour, and which part of them is whose: changes, snapshots,
//! storage records.

use proptest::prelude::*;

use super::*;

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
