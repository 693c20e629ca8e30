//! Several organizations, by the flags of the program: a label of the namespace says which, and each
//! has a token of its own (promise 2, promise 7).

use std::path::PathBuf;

use deployment_recorder::sandbox::{Endpoint, Fault, FaultKind, Record, Sandbox, Status};
use serde_json::{Value, json};

use super::stage::Stage;

const LABEL: &str = "example.com/organization";

/// A file of this test program.
fn token_file(name: &str, token: &str) -> PathBuf {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.token"));
    std::fs::write(&file, token).unwrap();
    file
}

/// The records of an organization.
fn of(github: &Sandbox, organization: &str) -> Vec<Record> {
    let records = github.records().into_iter();
    let of = records.filter(|record| record.key.org == organization);
    of.collect()
}

fn has(github: &Sandbox, organization: &str, status: Status) -> bool {
    let records = of(github, organization);
    records.len() == 1 && records[0].status == status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_label_of_the_namespace_moves_its_records_to_an_organization_with_its_own_token() {
    let mut stage = Stage::new("organizations").await;
    stage.look_at_the_whole_cluster();
    let (most, own) = (
        token_file("most", "token-of-most"),
        token_file("own", "token-of-tools"),
    );
    stage.github.set_token(Some("token-of-most".to_owned()));
    stage
        .github
        .set_token_of("tools", Some("token-of-tools".to_owned()));
    stage.set("org-label", LABEL);
    stage.set("github-token-file", &most.display().to_string());
    stage.set("org-token-file", &format!("tools={}", own.display()));
    // By its image this one stays where it is.
    stage.set("org-map", r".*acme/api.*=acme");
    stage.deploy("web", "acme/web:1").await;
    stage.begin().await;
    stage.runs("web", "app", "acme/web:1").await;
    assert!(has(&stage.github, "acme", Status::Deployed));

    let label = |value: Value| json!({"metadata": {"labels": {LABEL: value}}});
    let moved = label(json!("Tools"));
    stage.api.patch("Namespace", "", &stage.ns, &moved).await;
    let there = |github: &Sandbox| {
        has(github, "Tools", Status::Deployed) && has(github, "acme", Status::Decommissioned)
    };
    stage
        .until("a record in the other organization alone", there)
        .await;
    let refused = stage.github.requests();
    assert!(
        refused.iter().all(|it| it.status != Some(401)),
        "{refused:?}"
    );

    let check = stage.run("check", &["--output=json"]).await;
    assert_eq!(check.code, Some(0), "{check:?}");
    let shown: Value = serde_json::from_str(&check.out).unwrap();
    let tokens = shown["checks"].as_array().unwrap().iter();
    let tokens = tokens.filter(|line| line["check"] == "token");
    let tokens: Vec<&str> = tokens.map(|line| line["what"].as_str().unwrap()).collect();
    let expected = [
        format!("token in {}: GitHub takes it", most.display()),
        format!("Tools: token in {}: GitHub takes it", own.display()),
    ];
    assert_eq!(tokens, expected);
    assert_eq!(stage.run("verify", &[]).await.code, Some(0));

    let said = stage.recorder().said();
    assert!(!said.contains("token-of-"), "a token is in the log");
    stage.stop().await;
    tells_of_the_organizations_that_it_could_read(&stage).await;
    let ended = stage.run("decommission", &["--all", "--yes"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(has(&stage.github, "Tools", Status::Decommissioned));
    for file in [most, own] {
        std::fs::remove_file(file).unwrap();
    }
}

/// `verify` tells what differs where it could ask, and by its exit code that this is not everything.
async fn tells_of_the_organizations_that_it_could_read(stage: &Stage) {
    stage.deploy("api", "acme/api:1").await;
    stage.roll("web", "acme/web:2").await;
    stage.started("api", "acme/api:1").await;
    stage.started("web", "acme/web:2").await;
    let whole = stage.run("verify", &["--output=json"]).await;
    assert_eq!(whole.code, Some(1), "{whole:?}");
    let both = ["Tools", "acme"].map(str::to_owned).to_vec();
    assert_eq!(organizations(&whole.out), (both, vec![]));

    let lists = Endpoint::ListDeploymentRecords;
    let denied = || Fault::new(FaultKind::Status { status: 403 }).at(lists);
    stage.github.fault(denied().times(1));
    let partly = stage.run("verify", &["--output=json"]).await;
    assert_eq!(partly.code, Some(2), "{partly:?}");
    let (read, unread) = organizations(&partly.out);
    assert_eq!((read.len(), unread.len()), (1, 1), "{partly:?}");
    assert_ne!(read, unread);
    assert!(partly.said.contains(&unread[0]), "{partly:?}");

    stage.github.fault(denied());
    let nothing = stage.run("verify", &[]).await;
    assert_eq!((nothing.code, &*nothing.out), (Some(2), ""), "{nothing:?}");
    stage.github.clear();
}

/// The organizations of which `verify` says that something differs, and those that it did not read.
fn organizations(shown: &str) -> (Vec<String>, Vec<String>) {
    let shown: Value = serde_json::from_str(shown).unwrap();
    let of = |list: &str| {
        let rows = shown[list].as_array().unwrap().iter();
        let names = rows.map(|row| row["organization"].as_str().unwrap().to_owned());
        let mut names: Vec<String> = names.collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    (of("differences"), of("unread"))
}
