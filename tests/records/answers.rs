//! Every command with every class of answer: what is said, what became of the records, and the exit
//! code.

use std::time::Duration;

use deployment_recorder::sandbox::{AppChange, Attestation, Endpoint, Fault, FaultKind, Settings};
use futures::StreamExt;
use futures::stream;

use crate::process::{A, B, COMMANDS, Ended, Github, ONE, finish, words, writes};

/// How many programs run at once.
const AT_ONCE: usize = 6;

/// Runs every command against a sandbox of its own, with a fault until it ends.
async fn everywhere(kind: &FaultKind) -> Vec<(&'static str, Ended, Github)> {
    let runs = COMMANDS.into_iter().map(async |(command, input)| {
        let github = Github::start(Settings::default()).await;
        github.sandbox.fault(Fault::new(kind.clone()));
        let ended = github.run(&words(command), input).await;
        (command, ended, github)
    });
    stream::iter(runs).buffered(AT_ONCE).collect().await
}

/// The one record's outcome, or the one error of a list.
fn outcome(command: &str, ended: &Ended) -> String {
    let json = ended.json();
    let text = if writes(command) {
        &json["records"][0]["outcome"]
    } else {
        assert_eq!(json["records"].as_array().unwrap().len(), 0);
        &json["asked"][0]["error"]
    };
    text.as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_does_what_it_says_and_exits_0() {
    let github = Github::start(Settings::default()).await;
    for (command, input) in COMMANDS {
        let ended = github.run(&words(command), input).await;
        assert_eq!(ended.code, Some(0), "{command}: {ended:?}");
        let json = ended.json();
        let record = &json["records"][0];
        assert_eq!(record["digest"], A, "{command}");
        if writes(command) {
            assert_eq!(record["outcome"], "acknowledged", "{command}");
        } else {
            assert_eq!(record["organization"], "acme", "{command}");
        }
    }
    assert_eq!(github.sandbox.violations(), []);
    let record = github.sandbox.record("production", "web").unwrap();
    assert_eq!((&*record.digest, &*record.key.cluster), (A, "main"));
    assert_eq!(github.sandbox.storage_records().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_definite_failure_of_every_command_is_said_once_with_what_to_do() {
    for (status, advice) in [
        (400, "Validation Failed"),
        (
            401,
            "the token is wrong, has ended or was revoked: see --github-token-file",
        ),
        (403, "the token needs the permission \"Artifact metadata: "),
        (404, "is the organization right, and may the token see it?"),
        (410, "name another one with --github-api-version"),
        (413, "give it in parts"),
        (422, "Validation Failed"),
    ] {
        for (command, ended, github) in everywhere(&FaultKind::Status { status }).await {
            let what = format!("{status} {command}: {ended:?}");
            assert_eq!(ended.code, Some(1), "{what}");
            assert_eq!(github.sandbox.request_count(), 1, "{what}");
            let advice = match status {
                404 if !writes(command) => "either GitHub knows no such digest yet, or --org is",
                _ => advice,
            };
            assert!(ended.said.contains(advice), "{what}");
            assert!(ended.said.contains("(request 5B0C:"), "{what}");
            let error = ended
                .said
                .lines()
                .filter(|line| line.starts_with("error: "));
            assert_eq!(error.count(), 1, "{what}");
            let outcome = outcome(command, &ended);
            if writes(command) {
                assert_eq!(outcome, "refused", "{what}");
            } else {
                assert!(
                    outcome.contains(&format!("GitHub answered {status}")),
                    "{what}"
                );
            }
            assert!(github.sandbox.records().is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_answered_is_tried_three_times_and_then_unknown() {
    for kind in [
        FaultKind::Status { status: 503 },
        FaultKind::Reset,
        FaultKind::Html { applied: true },
    ] {
        for (command, ended, github) in everywhere(&kind).await {
            let what = format!("{kind:?} {command}: {ended:?}");
            assert_eq!(ended.code, Some(1), "{what}");
            assert_eq!(github.sandbox.request_count(), 3, "{what}");
            let outcome = outcome(command, &ended);
            if writes(command) {
                assert_eq!(outcome, "unknown", "{what}");
                assert!(
                    ended.said.contains("the same command may be repeated"),
                    "{what}"
                );
            } else {
                assert!(!outcome.is_empty(), "{what}");
            }
            assert_eq!(github.sandbox.violations(), [], "{what}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_waited_for_and_a_long_wait_is_said() {
    let throttled = FaultKind::Throttled {
        status: 429,
        retry_after: Some(7),
        reset_after: None,
    };
    let runs = COMMANDS.into_iter().map(async |(command, input)| {
        let github = Github::start(Settings::default()).await;
        let failing = Fault::once(FaultKind::Status { status: 502 });
        github.sandbox.fault(failing.after(1));
        github.sandbox.fault(Fault::once(throttled.clone()));
        let ended = github.run(&words(command), input).await;
        (command, ended, github)
    });
    let ends: Vec<_> = stream::iter(runs).buffered(AT_ONCE).collect().await;
    for (command, ended, github) in ends {
        let what = format!("{command}: {ended:?}");
        assert_eq!(ended.code, Some(0), "{what}");
        let waits = ended
            .said
            .lines()
            .filter(|line| line.starts_with("waiting "));
        let waits: Vec<_> = waits.collect();
        assert_eq!(waits.len(), 1, "{what}");
        assert!(waits[0].ends_with("Z: GitHub asks for it"), "{what}");
        let requests = github.sandbox.requests();
        let apart = requests[1].at.saturating_sub(requests[0].at);
        assert!(apart >= Duration::from_secs(7), "{what}");
        assert!(requests.len() >= 3, "{what}");
        assert_eq!(github.sandbox.violations(), [], "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_refused_is_named_and_holds_no_other_back() {
    let settings = Settings {
        unknown_digests: true,
        ..Settings::default()
    };
    let github = Github::start(settings).await;
    github.sandbox.attest(Attestation {
        digest: A.to_owned(),
        repository: None,
    });
    let forbidden = Fault::new(FaultKind::Unauthorized).record("secret");
    github.sandbox.fault(forbidden);
    let two = ONE.replace("web,", "db,").replace(A, B);
    let three = ONE.replace("web,", "secret,");
    let input = format!("{ONE}\n{two}\n{three}");
    for command in ["records set -ojson", "records set --job -ojson"] {
        let words: Vec<&str> = command.split(' ').collect();
        let ended = github.run(&words, &input).await;
        assert_eq!(ended.code, Some(1));
        let outcomes = [
            ("web", "acknowledged"),
            ("db", "refused"),
            ("secret", "refused"),
        ];
        let outcomes = outcomes.map(|(name, outcome)| (name.to_owned(), outcome.to_owned()));
        assert_eq!(ended.outcomes(), outcomes, "{ended:?}");
        let reasons: Vec<_> = ended.json()["records"]
            .as_array()
            .unwrap()
            .iter()
            .map(|record| record["reason"].clone())
            .collect();
        assert_eq!(
            reasons,
            [
                serde_json::Value::Null,
                "not_found".into(),
                "unauthorized".into()
            ]
        );
        for said in [
            "records: 1 acknowledged, 2 refused\n",
            "error: 2 of 3 records not acknowledged: db refused: not_found; GitHub knows neither ",
            "give github_repository; secret refused: unauthorized; the token needs ",
        ] {
            assert!(ended.said.contains(said), "{ended:?}");
        }
    }
    assert_eq!(github.sandbox.records().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn repositories_that_a_token_may_not_write_are_listed() {
    let github = Github::start(Settings::default()).await;
    for (status, advice) in [
        (403, "give the token the permission"),
        (404, "is the github_repository right"),
    ] {
        github
            .sandbox
            .fault(Fault::once(FaultKind::NamingRepositories { status }));
        let input = ONE.replace('}', ", github_repository: shop}");
        let ended = github.run(&["records", "set", "-ojson"], &input).await;
        assert_eq!(ended.outcomes(), [("web".to_owned(), "refused".to_owned())]);
        assert!(ended.said.contains(advice), "{ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_short_exits_1_and_what_came_is_printed() {
    let github = Github::start(Settings::default()).await;
    let two = ONE.replace("web,", "api,");
    let set = github
        .run(&["records", "set"], &format!("{ONE}\n{two}"))
        .await;
    assert_eq!(set.code, Some(0), "{set:?}");
    github.sandbox.fault(Fault::once(FaultKind::ShortList));
    let ended = github.run(&["records", "list", A, "-ojson"], "").await;
    assert_eq!(ended.code, Some(1));
    assert_eq!(ended.json()["records"].as_array().unwrap().len(), 1);
    assert_eq!(
        ended.said,
        format!("error: not all was listed: {A}: GitHub counts 2 records and sent 1\n")
    );
    github.sandbox.fault(Fault::once(FaultKind::ListsStatus));
    let ended = github.run(&["records", "list", A, A, "-ojson"], "").await;
    assert_eq!(ended.json()["records"][0]["status"], "deployed");
    assert_eq!(ended.json()["asked"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_digest_that_is_not_answered_does_not_hide_the_others() {
    let github = Github::start(Settings::default()).await;
    github.run(&["records", "set"], ONE).await;
    let fault = Fault::new(FaultKind::Status { status: 403 });
    github.sandbox.fault(fault.digest(B));
    let ended = github.run(&["records", "list", B, A, "-ojson"], "").await;
    assert_eq!(ended.code, Some(1));
    let json = ended.json();
    assert_eq!(json["records"][0]["digest"], A);
    let errors = [&json["asked"][0]["error"], &json["asked"][1]["error"]];
    assert!(errors[0].is_string() && errors[1].is_null(), "{json}");
    assert!(ended.said.contains(B), "{ended:?}");
    let nothing = github.run(&["storage", "list", B, "-otable"], "").await;
    assert_eq!((nothing.code, &*nothing.out), (Some(1), ""));
    github.sandbox.clear();
    let nothing = github.run(&["storage", "list", B], "").await;
    assert_eq!((nothing.code, &*nothing.out), (Some(0), ""));
    assert_eq!(
        nothing.said,
        format!("GitHub holds no storage records of {B}\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_404_is_an_empty_list_where_another_digest_is_answered() {
    let github = Github::start(Settings::default()).await;
    github.run(&["records", "set"], ONE).await;
    let fault = Fault::new(FaultKind::Status { status: 404 });
    github.sandbox.fault(fault.clone().digest(B));
    for (command, what) in [("records", "deployment"), ("storage", "storage")] {
        let ended = github.run(&[command, "list", B, A, "-ojson"], "").await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let asked = &ended.json()["asked"][0];
        assert_eq!(asked["digest"], B);
        assert!(
            asked["error"].is_null() && asked["total_count"].is_null(),
            "{asked}"
        );
        let remark = format!("GitHub holds no {what} records of {B}\n");
        assert!(ended.said.starts_with(&remark), "{ended:?}");
    }
    github.sandbox.fault(fault.digest(A));
    let ended = github.run(&["records", "list", B, A, "-ojson"], "").await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let said = format!("error: not all was listed: {B} and 1 more: GitHub answered 404 ");
    assert!(ended.said.starts_with(&said), "{ended:?}");
    for cause in ["knows no such digest yet", "--org is not right"] {
        assert_eq!(ended.said.matches(cause).count(), 1, "{ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_404_is_an_empty_list_for_an_app_that_is_installed_in_the_organization() {
    let github = Github::start(Settings::default()).await;
    let key = format!("{}/records-app-404.pem", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&key, github.sandbox.app_key().unwrap()).unwrap();
    let fault = Fault::new(FaultKind::Status { status: 404 });
    let fault = fault.at(Endpoint::ListDeploymentRecords);
    github.sandbox.fault(fault);
    let file = format!("--github-app-private-key-file={key}");
    let list = ["records", "list", A, "--github-app-id=7", &file];
    let mut program = github.command(&list);
    program.env_remove("GITHUB_TOKEN");
    let ended = finish(program.spawn().unwrap(), "").await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let remark = format!("GitHub holds no deployment records of {A}\n");
    assert_eq!(ended.said, remark);
    std::fs::remove_file(key).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_ends_with_what_would_be_the_same_for_every_digest() {
    for (status, tries) in [(401, 1), (410, 1), (503, 3)] {
        let github = Github::start(Settings::default()).await;
        github
            .sandbox
            .fault(Fault::new(FaultKind::Status { status }));
        let digests: Vec<String> = (0..15)
            .map(|number| format!("sha256:{number:064}"))
            .collect();
        let digests = digests.iter().map(String::as_str);
        let words: Vec<&str> = ["records", "list", "-ojson"]
            .into_iter()
            .chain(digests)
            .collect();
        let ended = github.run(&words, "").await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let count = github.sandbox.request_count();
        assert!(count <= 4 * tries, "{status}: {count}");
        let asked = ended.json()["asked"].as_array().unwrap().clone();
        let unasked = asked.iter().filter(|it| it["error"] == "not asked").count();
        assert!(asked.len() == 15 && unasked >= 11, "{status}: {asked:?}");
        let reasons = ended.said.matches(&format!("answered {status}")).count();
        assert!(reasons == 1 || status == 410, "{ended:?}");
        assert_eq!(ended.said.matches("(request ").count(), 1, "{ended:?}");
        let rest = format!("and {} more: not asked", unasked - 1);
        assert!(ended.said.contains(&rest), "{ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_cannot_be_asked_for_is_in_doubt() {
    let github = Github::start(Settings::default()).await;
    let fault = Fault::new(FaultKind::Status { status: 404 });
    github.sandbox.fault(fault.at(Endpoint::GetJob));
    let ended = github
        .run(&["records", "set", "--job", "-ojson"], ONE)
        .await;
    assert_eq!(ended.code, Some(1));
    assert_eq!(ended.outcomes(), [("web".to_owned(), "unknown".to_owned())]);
    let said = "the job 1 was started and cannot be asked for: GitHub answered 404";
    assert!(ended.said.contains(said), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_signs_in_for_every_command_and_comes_over_what_passes() {
    let runs = COMMANDS.into_iter().enumerate();
    let runs = runs.map(async |(number, (command, input))| {
        let github = Github::start(Settings::default()).await;
        let change = AppChange {
            only: Some(true),
            ..AppChange::default()
        };
        github.sandbox.change_app(change).unwrap();
        let key = format!("{}/records-app-{number}.pem", env!("CARGO_TARGET_TMPDIR"));
        std::fs::write(&key, github.sandbox.app_key().unwrap()).unwrap();
        let refused = Fault::once(FaultKind::Status { status: 401 });
        github.sandbox.fault(refused.at(Endpoint::GetJob));
        let failing = Fault::once(FaultKind::Status { status: 503 });
        github
            .sandbox
            .fault(failing.at(Endpoint::CreateInstallationToken));
        let file = format!("--github-app-private-key-file={key}");
        let app = ["--github-app-id=7", &file];
        let mut program = github.command(&[&words(command)[..], &app].concat());
        program.env_remove("GITHUB_TOKEN");
        let ended = finish(program.spawn().unwrap(), input).await;
        (command, ended, github)
    });
    let ends: Vec<_> = stream::iter(runs).buffered(AT_ONCE).collect().await;
    for (command, ended, github) in ends {
        assert_eq!(ended.code, Some(0), "{command}: {ended:?}");
        let asked = github.sandbox.requests().into_iter();
        let mints: Vec<_> = asked
            .filter(|entry| entry.endpoint == Some(Endpoint::CreateInstallationToken))
            .map(|entry| entry.status)
            .collect();
        // A token that was good and is refused, as that of the job, is replaced by another one.
        let renewed = command.contains("--job").then_some(Some(201));
        let expected: Vec<_> = [Some(503), Some(201)].into_iter().chain(renewed).collect();
        assert_eq!(mints, expected, "{command}: {ended:?}");
        assert_eq!(github.sandbox.violations(), [], "{command}");
    }
}
