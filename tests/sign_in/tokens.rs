//! Tokens: minted, shared, renewed early, replaced when they are refused.

use deployment_recorder::sandbox::{
    AppChange, Endpoint, Fault, FaultKind, Permission, check_answer,
};
use futures::future::join_all;
use http::HeaderValue;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::stage::{MINUTE, SECOND, Stage};

#[tokio::test(start_paused = true)]
async fn a_token_is_minted_once_for_all_that_ask_and_lasts_until_five_minutes_before_its_end() {
    let stage = Stage::default();
    let first = stage.sign_in().await;
    assert_eq!(
        (stage.list(&first).await, stage.set(&first).await),
        (200, 200)
    );
    assert_eq!(stage.statuses(), [200, 201]);
    sleep(54 * MINUTE).await;
    assert_eq!(stage.sign_in().await, first);
    sleep(MINUTE).await;
    let second = stage.sign_in().await;
    assert_ne!(second, first);
    // The installation is not looked up again, and the first token was still good.
    assert_eq!(stage.statuses(), [200, 201, 201]);
    assert_eq!(
        (stage.list(&first).await, stage.list(&second).await),
        (200, 200)
    );
    sleep(5 * MINUTE).await;
    assert_eq!(
        (stage.list(&first).await, stage.list(&second).await),
        (401, 200)
    );
}

#[tokio::test(start_paused = true)]
async fn a_given_installation_is_not_looked_up() {
    let github = Stage::default();
    let number = github.github.installation("acme");
    assert!(number.is_some());
    let stage = Stage::with(number, SignedDuration::ZERO);
    assert_eq!(stage.github.installation("acme"), number);
    let header = stage.sign_in().await;
    assert_eq!(
        (stage.list(&header).await, stage.statuses()),
        (200, vec![201])
    );
}

#[tokio::test(start_paused = true)]
async fn many_that_need_a_token_at_once_wait_for_one_renewal() {
    let stage = Stage::default();
    let slow = Fault::new(FaultKind::Slow { millis: 3000 });
    stage
        .github
        .fault(slow.at(Endpoint::CreateInstallationToken));
    let headers = join_all((0..20).map(|_| stage.sign_in())).await;
    assert!(headers.iter().all(|header| *header == headers[0]));
    assert_eq!(stage.mints(), 1);

    sleep(56 * MINUTE).await;
    let start = Instant::now();
    let (new, old) = tokio::join!(stage.sign_in(), async {
        sleep(SECOND).await;
        let header = stage.sign_in().await;
        (header, start.elapsed())
    });
    // Whoever comes while it is renewed early need not wait.
    assert_eq!(old, (headers[0].clone(), SECOND));
    assert!(new != headers[0] && stage.mints() == 2);
}

#[tokio::test(start_paused = true)]
async fn many_that_fail_at_once_ask_once() {
    let stage = Stage::default();
    let kind = FaultKind::Status { status: 502 };
    stage
        .github
        .fault(Fault::new(kind).at(Endpoint::CreateInstallationToken));
    let results = join_all((0..20).map(|_| stage.credentials.authorization())).await;
    assert!(results.iter().all(Result::is_err));
    assert_eq!(stage.mints(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_off_is_corrected_by_githubs_and_asked_with_once_more() {
    for minutes in [-10, 10, -600, 600] {
        let stage = Stage::with(None, SignedDuration::from_mins(minutes));
        let header = stage.sign_in().await;
        assert_eq!(stage.list(&header).await, 200);
        assert_eq!(stage.statuses(), [401, 200, 201], "{minutes}");
        let errands = stage.errands();
        assert_eq!(errands[1].at.checked_sub(errands[0].at), Some(SECOND));
        // A token lasts as long as by a clock that is right, and nothing is refused any more.
        sleep(54 * MINUTE).await;
        assert_eq!(stage.sign_in().await, header);
        sleep(MINUTE).await;
        assert_ne!(stage.sign_in().await, header);
        assert_eq!(stage.statuses(), [401, 200, 201, 201], "{minutes}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_a_little_off_does_not_show() {
    for seconds in [-500, -30, 30, 59] {
        let stage = Stage::with(None, SignedDuration::from_secs(seconds));
        let header = stage.sign_in().await;
        assert_eq!(stage.statuses(), [200, 201], "{seconds}");
        sleep(54 * MINUTE).await;
        assert_eq!(stage.sign_in().await, header);
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_good_and_is_refused_is_replaced_once() {
    let stage = Stage::default();
    let first = stage.sign_in().await;
    assert_eq!(stage.list(&first).await, 200);
    stage.credentials.accepted(&first);
    stage.change(AppChange {
        revoke: true,
        ..AppChange::default()
    });
    assert_eq!(stage.list(&first).await, 401);
    // Four readers find out at once.
    let told = join_all((0..4).map(|_| stage.credentials.refused(&first))).await;
    assert_eq!(told, [true; 4]);
    let second = stage.sign_in().await;
    assert_eq!((stage.list(&second).await, stage.mints()), (200, 2));

    // One that never was good is not replaced at once: the next would fare no better.
    assert!(!stage.credentials.refused(&second).await);
    assert_eq!(stage.sign_in().await, second);
    assert!(!stage.credentials.are_renewed(Some(&second)).await);
    sleep(MINUTE).await;
    assert!(!stage.credentials.refused(&second).await);
    assert_ne!(stage.sign_in().await, second);
    assert_eq!(stage.mints(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_for_artifact_metadata_alone_unless_github_does_not_know_the_name() {
    let stage = Stage::default();
    stage.sign_in().await;
    let bodies = |stage: &Stage| -> Vec<Value> {
        let errands = stage.errands();
        let bodies = errands.iter().filter_map(|entry| entry.body.as_deref());
        bodies.cloned().collect()
    };
    let narrow = json!({"permissions": {"artifact_metadata": "write"}});
    assert_eq!(bodies(&stage), std::slice::from_ref(&narrow));

    let stage = Stage::default();
    stage.change(AppChange {
        restrictable: Some(false),
        ..AppChange::default()
    });
    let header = stage.sign_in().await;
    assert_eq!(
        (stage.set(&header).await, stage.statuses()),
        (200, vec![200, 422, 201])
    );
    assert_eq!(bodies(&stage), [narrow, json!({})]);
    let errands = stage.errands();
    assert_eq!(errands[2].at.checked_sub(errands[1].at), Some(SECOND));
    // That is remembered.
    sleep(56 * MINUTE).await;
    stage.sign_in().await;
    assert_eq!(stage.statuses(), [200, 422, 201, 201]);
    assert_eq!(bodies(&stage)[2], json!({}));
}

#[tokio::test(start_paused = true)]
async fn what_is_denied_is_tried_with_a_new_token_but_no_more_than_one_a_minute() {
    let stage = Stage::default();
    let may = |permission| AppChange {
        permission: Some(permission),
        ..AppChange::default()
    };
    stage.change(may(Permission::None));
    let wide = stage.sign_in().await;
    assert_eq!(
        (stage.set(&wide).await, stage.statuses()),
        (403, vec![200, 422, 201])
    );
    stage.change(may(Permission::Write));
    // A token keeps the rights that it was minted with.
    assert_eq!(stage.set(&wide).await, 403);
    stage.credentials.denied(&wide);
    sleep(55 * SECOND).await;
    assert_eq!(stage.sign_in().await, wide);
    sleep(5 * SECOND).await;
    let narrow = stage.sign_in().await;
    assert_eq!(
        (stage.set(&narrow).await, stage.statuses()),
        (200, vec![200, 422, 201, 201])
    );
    // What was denied to one says nothing of the next, however often it is said.
    sleep(5 * MINUTE).await;
    stage.credentials.denied(&wide);
    assert_eq!(stage.sign_in().await, narrow);
    for minted in 4..7 {
        for _ in 0..20 {
            stage.credentials.denied(&stage.sign_in().await);
        }
        assert_eq!(stage.mints(), minted);
        sleep(MINUTE).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_app_whose_permission_is_granted_late_gets_a_token_for_that_alone_at_the_next_renewal() {
    let stage = Stage::default();
    let may = |permission| AppChange {
        permission: Some(permission),
        ..AppChange::default()
    };
    stage.change(may(Permission::None));
    stage.sign_in().await;
    sleep(56 * MINUTE).await;
    stage.sign_in().await;
    stage.change(may(Permission::Write));
    sleep(56 * MINUTE).await;
    let header = stage.sign_in().await;
    assert_eq!(stage.set(&header).await, 200);
    assert_eq!(stage.statuses(), [200, 422, 201, 422, 201, 201]);
}

#[tokio::test(start_paused = true)]
async fn an_app_that_may_only_read_reads() {
    let stage = Stage::default();
    stage.change(AppChange {
        permission: Some(Permission::Read),
        ..AppChange::default()
    });
    let header = stage.sign_in().await;
    assert_eq!(
        (stage.list(&header).await, stage.set(&header).await),
        (200, 403)
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_is_of_no_use_elsewhere_and_a_web_token_only_where_an_app_asks() {
    let stage = Stage::default();
    let token = stage.sign_in().await;
    let list = format!(
        "artifacts/sha256:{}/metadata/deployment-records",
        "a".repeat(64)
    );
    let (here, elsewhere) = (format!("/orgs/acme/{list}"), format!("/orgs/other/{list}"));
    let web = stage.web_token();
    let any = HeaderValue::from_static("Bearer ghp_any");
    let forged = HeaderValue::from_static("Bearer eyJhbGciOiJSUzI1NiJ9.e30.AAAA");
    for (path, header, status) in [
        (&*here, &token, 200),
        (&elsewhere, &token, 403),
        ("/orgs/acme/installation", &token, 401),
        (&here, &web, 401),
        ("/orgs/acme/installation", &web, 200),
        ("/orgs/acme/installation", &forged, 401),
        (&here, &any, 200),
    ] {
        assert_eq!(stage.ask("GET", path, header, "").await.0, status, "{path}");
    }
    stage.change(AppChange {
        only: Some(true),
        ..AppChange::default()
    });
    assert_eq!(
        (stage.list(&any).await, stage.list(&token).await),
        (401, 200)
    );
}

#[tokio::test(start_paused = true)]
async fn the_answers_that_an_app_gets_are_those_of_the_description() {
    let stage = Stage::default();
    let web = stage.web_token();
    let described = |endpoint, (status, body): &(u16, Value)| {
        let complaints = check_answer(endpoint, *status, body);
        assert_eq!(complaints, Some(vec![]), "{body}");
    };
    let look_up = async || {
        let path = "/orgs/acme/installation";
        let found = stage.ask("GET", path, &web, "").await;
        described(Endpoint::GetInstallation, &found);
        found.1
    };
    let path = format!("/app/installations/{}/access_tokens", look_up().await["id"]);
    let mint = async |body: &str| {
        let minted = stage.ask("POST", &path, &web, body).await;
        // The description has no 400, and no `status` in the body of a 422, which GitHub sends.
        if !matches!(minted.0, 400 | 422) {
            described(Endpoint::CreateInstallationToken, &minted);
        }
        minted.0
    };
    for (body, status) in [
        ("", 201),
        ("{}", 201),
        (r#"{"permissions": {"artifact_metadata": "read"}}"#, 201),
        ("[]", 400),
        (r#"{"permission": {}}"#, 422),
        (r#"{"permissions": {"artifact_metadata": "admin"}}"#, 422),
        (r#"{"permissions": {"contents": "read"}}"#, 422),
    ] {
        assert_eq!(mint(body).await, status, "{body}");
    }
    let unknown = "/app/installations/1/access_tokens";
    assert_eq!(stage.ask("POST", unknown, &web, "").await.0, 404);
    stage.change(AppChange {
        suspended: [("acme".to_owned(), true)].into(),
        ..AppChange::default()
    });
    assert!(look_up().await["suspended_at"].is_string());
    assert_eq!(mint("").await, 403);
}
