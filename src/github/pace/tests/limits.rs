//! What GitHub's limits ask for, with a time and without, and of whom.

use super::*;

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
        (NotMinted::Limited { named: true }, true),
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
    // A time of our own is one organization's own.
    let mut story = Story::new();
    let error = not_minted(
        NotMinted::Limited { named: false },
        story.now + seconds(600),
    );
    story.pace.unsent(&destination(), &error, story.now);
    assert_eq!(story.wait(&other_organization()), (60, Reason::Limited));
    assert_eq!(story.wait(&destination()).0, 600);
    assert!(story.pace.is_limited(&destination()));
    // Also where the last token holds still.
    let mut story = Story::new();
    let error = not_minted(NotMinted::Limited { named: true }, story.now + seconds(90));
    story.pace.not_renewed(&destination(), &error, story.now);
    for destination in [destination(), other_organization()] {
        assert_eq!(story.wait(&destination), (90, Reason::Told));
    }
    let mut story = Story::new();
    let error = not_minted(NotMinted::Outage, story.now + seconds(90));
    story.pace.not_renewed(&destination(), &error, story.now);
    assert_eq!(story.wait(&destination()).0, 0);
}

#[test]
fn where_no_token_can_be_had_of_a_host_that_fails_one_organization_at_a_time_looks() {
    let mut story = Story::new();
    story.pace = story.pace.signed_by(Signers::app_but_for([]));
    let both = [destination(), other_organization()];
    for _ in 0..6 {
        for destination in &both {
            let error = not_minted(NotMinted::Outage, story.now + seconds(2));
            story.pace.unsent(destination, &error, story.now);
        }
    }
    for destination in &both {
        assert_eq!(story.wait(destination), (60, Reason::Outage));
        assert!(story.pace.last_trouble(destination).is_some());
    }
}

#[test]
fn a_storage_record_that_is_taken_ends_no_pause_of_deployment_records() {
    let mut story = Story::new();
    assert_eq!(story.after(&destination(), &limited(None)).0, 60);
    story.now += seconds(60);
    story.pace.sent(Purpose::Storage, story.now);
    story
        .pace
        .answered(&destination(), &acknowledged(), story.now);
    story.now += seconds(1);
    assert_eq!(story.after(&destination(), &limited(None)).0, 120);
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
