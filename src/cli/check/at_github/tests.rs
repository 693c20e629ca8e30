//! What each answer of GitHub says, check by check.

use std::time::Duration;

use http::StatusCode;

use super::super::report::{Line, Outcome, Report};
use super::*;
use crate::github::answer::{Answer, Doubt};
use crate::github::api::{ApiUrl, ApiVersion, DEFAULT, DEFAULT_VERSION};
use crate::github::auth::Permitted;
use crate::github::rate::Rate;

const NOON: &str = "2026-03-01T12:00:00Z";

fn github() -> Github {
    Github {
        url: ApiUrl::parse(DEFAULT, false).unwrap(),
        version: ApiVersion::parse(DEFAULT_VERSION).unwrap(),
        timeout: Duration::from_secs(30),
        sign_in: Some(SignIn::Token("ghp_secret".into())),
        own: Vec::new(),
    }
}

/// What is said of this answer, when this machine's clock shows noon and GitHub's that, and GitHub has
/// acknowledged something that it was asked of.
fn judged(
    answer: Answer<Records<DeploymentRecord>>,
    status: Option<u16>,
    permitted: Option<Permitted>,
    date: &str,
) -> Report {
    judged_with(true, answer, status, permitted, date)
}

fn judged_with(
    has_held: bool,
    answer: Answer<Records<DeploymentRecord>>,
    status: Option<u16>,
    permitted: Option<Permitted>,
    date: &str,
) -> Report {
    let github = github();
    let exchange = Exchange {
        answer,
        status: status.map(|status| StatusCode::from_u16(status).unwrap()),
        request_id: None,
        duration: Duration::from_millis(120),
        requests: 1,
        rate: Rate::default(),
        date: date.parse().ok(),
        token_renewed: false,
    };
    let asked = Asked {
        github: &github,
        sign_in: github.sign_in.as_ref().unwrap(),
        organization: "acme",
        permitted,
        has_held,
        middle: NOON.parse().unwrap(),
    };
    let mut report = Report::default();
    asked.judge(&exchange, &mut report);
    report
}

/// A list without records.
const NOTHING: Records<DeploymentRecord> = Records {
    total_count: Some(0),
    records: Vec::new(),
};

fn line<'a>(report: &'a Report, check: &str) -> &'a Line {
    let mut lines = report.lines().iter();
    lines.find(|line| line.check == check).unwrap()
}

fn message() -> String {
    "why".to_owned()
}

fn no_access(status: StatusCode) -> Failure {
    Failure::NoAccess {
        status,
        message: message(),
    }
}

/// An answer, its status, and what it says of GitHub, version, token and permission.
type Row = (Option<Failure>, Option<u16>, [Outcome; 4]);

fn answers() -> Vec<Row> {
    use Outcome::{Failed, Ok as Well, Skipped};
    let version = github().version;
    let unknown = |why| Failure::Unknown { why };
    vec![
        (None, Some(200), [Well, Well, Well, Well]),
        (
            Some(Failure::BadToken { message: message() }),
            Some(401),
            [Well, Well, Failed, Skipped],
        ),
        (
            Some(no_access(StatusCode::FORBIDDEN)),
            Some(403),
            [Well, Well, Well, Failed],
        ),
        (
            Some(no_access(StatusCode::NOT_FOUND)),
            Some(404),
            [Well, Well, Well, Failed],
        ),
        (
            Some(Failure::Limited {
                status: StatusCode::TOO_MANY_REQUESTS,
                message: message(),
            }),
            Some(429),
            [Well, Well, Well, Failed],
        ),
        (
            Some(Failure::VersionWithdrawn {
                version,
                message: message(),
            }),
            Some(410),
            [Well, Failed, Skipped, Skipped],
        ),
        (
            Some(unknown(Doubt::Status {
                status: StatusCode::BAD_GATEWAY,
                message: message(),
            })),
            Some(502),
            [Failed, Skipped, Skipped, Skipped],
        ),
        (
            Some(unknown(Doubt::Connection("refused".to_owned()))),
            None,
            [Failed, Skipped, Skipped, Skipped],
        ),
    ]
}

#[test]
fn each_answer_fails_the_check_that_it_is_about_and_no_other() {
    for (failure, status, expected) in answers() {
        let answer = failure.clone().map_or(Ok(NOTHING), Err);
        let report = judged(answer, status, None, NOON);
        let checks = ["github", "api-version", "token", "permission"];
        let results = checks.map(|check| line(&report, check).result);
        assert_eq!(results, expected, "{failure:?}");
        assert_eq!(report.holds(), failure.is_none(), "{failure:?}");
        for failed in report.lines() {
            assert_eq!(
                failed.todo.is_some(),
                failed.result == Outcome::Failed,
                "{failed:?}"
            );
        }
    }
}

#[test]
fn what_to_do_names_the_setting() {
    let report = judged(
        Err(Failure::BadToken { message: message() }),
        Some(401),
        None,
        NOON,
    );
    let todo = line(&report, "token").todo.as_deref().unwrap();
    assert!(todo.contains("GITHUB_TOKEN"), "{todo}");
    let withdrawn = Failure::VersionWithdrawn {
        version: github().version,
        message: message(),
    };
    let report = judged(Err(withdrawn), Some(410), None, NOON);
    let what = &line(&report, "api-version").what;
    assert!(what.contains("--github-api-version"), "{what}");
    let report = judged(Err(no_access(StatusCode::NOT_FOUND)), Some(404), None, NOON);
    let todo = line(&report, "permission").todo.as_deref().unwrap();
    assert!(todo.contains("--org"), "{todo}");
    assert!(todo.contains("Artifact metadata: Read and write"), "{todo}");
}

#[test]
fn a_404_tells_nothing_where_github_has_acknowledged_nothing() {
    let answer = Err(no_access(StatusCode::NOT_FOUND));
    let report = judged_with(false, answer, Some(404), None, NOON);
    let permission = line(&report, "permission");
    assert_eq!(permission.result, Outcome::Skipped);
    assert!(
        permission.what.starts_with("404: either "),
        "{permission:?}"
    );
    assert!(permission.what.contains("--org"), "{permission:?}");
    assert!(report.holds());
    let answer = Err(no_access(StatusCode::FORBIDDEN));
    let report = judged_with(false, answer, Some(403), None, NOON);
    assert_eq!(line(&report, "permission").result, Outcome::Failed);
}

#[test]
fn what_a_token_may_do_is_believed_where_github_tells_it() {
    for (permitted, holds) in [
        (None, true),
        (Some(Permitted::Write), true),
        (Some(Permitted::Read), false),
        (Some(Permitted::Nothing), false),
    ] {
        let report = judged(Ok(NOTHING), Some(200), permitted, NOON);
        assert_eq!(report.holds(), holds, "{permitted:?}");
        assert_eq!(line(&report, "permission").result == Outcome::Ok, holds);
    }
}

#[test]
fn a_clock_that_is_more_than_a_minute_off_fails_whichever_way() {
    for (date, result, what) in [
        (NOON, Outcome::Ok, "0 s behind"),
        ("2026-03-01T12:00:59Z", Outcome::Ok, "59 s behind"),
        ("2026-03-01T11:59:01Z", Outcome::Ok, "58 s ahead of"),
        ("2026-03-01T12:01:00Z", Outcome::Failed, "60 s behind"),
        ("2026-03-01T11:57:00Z", Outcome::Failed, "179 s ahead of"),
        ("", Outcome::Skipped, "no date"),
    ] {
        let report = judged(Ok(NOTHING), Some(200), None, date);
        let clock = line(&report, "clock");
        assert_eq!(clock.result, result, "{clock:?}");
        assert!(clock.what.contains(what), "{clock:?}");
    }
    let refused = Err(no_access(StatusCode::FORBIDDEN));
    let report = judged(refused, Some(403), None, "2026-03-01T13:00:00Z");
    assert_eq!(line(&report, "clock").result, Outcome::Failed);
}

#[test]
fn a_token_is_nowhere_in_what_is_said() {
    let report = judged(Ok(NOTHING), Some(200), None, NOON);
    let said = serde_json::to_string(&report).unwrap();
    assert!(!said.contains("ghp_secret"), "{said}");
}
