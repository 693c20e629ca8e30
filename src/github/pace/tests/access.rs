//! An organization that refuses, one that never took anything, a token that is missing or no good,
//! a version that is withdrawn.

use std::sync::Arc;

use super::*;

fn no_file() -> CredentialsError {
    CredentialsError::Unreadable {
        what: "token",
        path: "/nonexistent".into(),
        error: Arc::new(std::io::ErrorKind::NotFound.into()),
    }
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
    assert!(story.pace.token_renewed(&stranger));
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
    assert!(story.pace.token_renewed(&destination()));
    assert_eq!(story.wait(&destination()), (0, Reason::Free));
}

#[test]
fn a_new_token_is_tried_at_once() {
    let mut story = Story::new();
    story.waits(&bad_token(), 3);
    story.now += SPACING;
    assert!(story.pace.token_renewed(&destination()));
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
    assert!(!story.pace.token_renewed(&destination()));
    assert_eq!(story.wait(&destination()), (3600, Reason::VersionWithdrawn));
    assert_eq!(story.wait(&other_organization()), (1, Reason::Spacing));
}
