//! What is typed, and what stands in a file: what is refused before any call, and the requests that a
//! dry run shows.

use deployment_recorder::sandbox::Settings;
use serde_json::{Value, json};

use crate::process::{A, COMMANDS, Github, ONE, finish, program, words};

/// What is typed, behind `--org=acme`, and the whole line that is said about it. `A` is a digest.
const REFUSED: &str = r#"
records list | the following required arguments were not provided: <DIGEST|IMAGE>...
records list abc@def | invalid value "abc@def" for <DIGEST|IMAGE>: allowed is a digest, sha256: and 64 hexadecimal digits in lower case, or an image with it, REPOSITORY[:TAG]@sha256:...
records list A web:1 | invalid value "web:1" for <DIGEST|IMAGE>: an image counts only with its digest, web:1@sha256:...; that of a tag is told by `crane digest web:1` or `docker buildx imagetools inspect web:1`, that of what runs by `kubectl get pod POD -o jsonpath='{.status.containerStatuses[*].imageID}'`
records list A -o=xml | invalid value "xml" for --output: allowed are table, json and yaml
records set --job-timeout=0s | invalid value "0s" for --job-timeout: allowed is a duration such as 30s, 5m or 1h30m, 1s to 24h
records set --from= | a value is required for '--from <FILE>' but none was supplied
records set --cluster=a/b | invalid value "a/b" for --cluster: the name of a cluster has 1 to 128 letters, digits, dots, hyphens and underscores
records create | --logical-environment (or DEPLOYMENT_RECORDER_LOGICAL_ENVIRONMENT) is missing: such as production
records create --logical-environment=p | --deployment-name is missing: the record's name, such as shop-web-nginx
records create --logical-environment=p --deployment-name=w | --name is missing: the artifact's name, such as ghcr.io/acme/web; or give --image
records create --logical-environment=p --deployment-name=w --name=n | --digest is missing: the artifact's digest, sha256:...; or give --image
records create --logical-environment=p --deployment-name=w --name=n --digest=x | invalid value "x" for --digest: a digest is sha256: and 64 hexadecimal digits in lower case
records create --logical-environment=p --deployment-name=w --name=n --digest=A --status=gone | invalid value "gone" for --status: allowed are deployed and decommissioned
records create --logical-environment=p --deployment-name=w --name=n --digest=A --tags=a | invalid value "a" for --tags: allowed is KEY=TEXT, such as team=shop
records create --logical-environment=p --deployment-name=w --name=n --digest=A --tags=a=1,a=2 | invalid value "a=2" for --tags: its key is given twice
records create --logical-environment=p --deployment-name=w --name=n --digest=A --tags=a=,b=,c=,d=,e=,f= | invalid value for --tags: 6 are given, allowed are 0 to 5
records create --logical-environment=p --deployment-name=w --name=n --digest=A --runtime-risks=fire | invalid value "fire" for --runtime-risks: allowed are critical-resource, internet-exposed, lateral-movement, sensitive-data
records create --logical-environment=p --deployment-name=w --name=n --digest=A --github-repository=acme/web | invalid value "acme/web" for --github-repository: github_repository must be 1 to 100 of a-z, A-Z, 0-9, dot, dash and underscore
records create --logical-environment=p --deployment-name=w --name= --digest=A | invalid value "" for --name: it is empty; give a value, or leave the setting out
records create --logical-environment=p --deployment-name=w --name=n --digest=A --version= | invalid value "" for --version: it is empty; give a value, or leave the setting out
records create --logical-environment=p --deployment-name= --name=n --digest=A | invalid value "" for --deployment-name: it is empty; give a value, or leave the setting out
records create --logical-environment=p --deployment-name=w --image=web:1 | invalid value "web:1" for --image: an image counts only with its digest, web:1@sha256:...; that of a tag is told by `crane digest web:1` or `docker buildx imagetools inspect web:1`, that of what runs by `kubectl get pod POD -o jsonpath='{.status.containerStatuses[*].imageID}'`
storage create --name=n --digest=A | --registry-url is missing: the registry's address, such as https://ghcr.io/
storage create --name=n --digest=A --registry-url=ghcr.io | invalid value "ghcr.io" for --registry-url: registry_url must be a URL of up to 256 bytes that begins with https:// and names no user
storage create --name=n --digest=A --registry-url=https://ghcr.io --artifact-url=http://x | invalid value "http://x" for --artifact-url: artifact_url must be a URL of up to 152 bytes that begins with https:// and names no user
storage create --name=n --digest=A --registry-url=https://ghcr.io --path=a/b | invalid value "a/b" for --path: path must be a URI with a scheme, of up to 512 bytes
storage create --name=n --digest=A --registry-url=https://me:hunter2@ghcr.io | invalid value for --registry-url: registry_url must be a URL of up to 256 bytes that begins with https:// and names no user
storage create --name=n --digest=A --registry-url=https://ghcr.io --artifact-url=https://me:hunter2@ghcr.io/x | invalid value for --artifact-url: artifact_url must be a URL of up to 152 bytes that begins with https:// and names no user
storage create --name=n --digest=A --registry-url=https://ghcr.io --path=oci://me:hunter2@ghcr.io/x | invalid value for --path: path must be a URI with a scheme, of up to 512 bytes
storage create --name=n --digest=A --registry-url=https://ghcr.io --status=gone | invalid value "gone" for --status: allowed are active, eol and deleted
storage list A --github-app-id=7 | --github-app-private-key-file (or DEPLOYMENT_RECORDER_GITHUB_APP_PRIVATE_KEY_FILE) is missing: give the file with the private key of the App
"#;

#[tokio::test]
async fn what_is_wrongly_typed_exits_2_in_one_line_before_any_call() {
    for row in REFUSED.lines().filter(|row| !row.is_empty()) {
        let (typed, message) = row.split_once(" | ").unwrap();
        let typed: Vec<String> = typed
            .split(' ')
            .map(|word| match word.strip_suffix('A') {
                Some(start) if start.is_empty() || start.ends_with('=') => format!("{start}{A}"),
                _ => word.to_owned(),
            })
            .chain(["--org=acme".to_owned(), "--dry-run".to_owned()])
            .collect();
        let typed: Vec<&str> = typed.iter().map(String::as_str).collect();
        let ended = finish(program(&typed).spawn().unwrap(), "").await;
        assert_eq!(ended.said, format!("error: {message}\n"), "{typed:?}");
        assert_eq!((ended.code, &*ended.out), (Some(2), ""), "{typed:?}");
    }
}

#[tokio::test]
async fn a_command_without_organization_or_token_says_which_settings_give_them() {
    for (command, input) in COMMANDS {
        let mut words = words(command);
        words.extend(
            ["--logical-environment=p"]
                .into_iter()
                .filter(|_| command.contains("records create")),
        );
        let ended = finish(program(&words).spawn().unwrap(), input).await;
        assert_eq!(ended.code, Some(2));
        assert!(
            ended
                .said
                .starts_with("error: --org (or DEPLOYMENT_RECORDER_ORG) is missing: ")
        );
        words.push("--org=acme");
        let ended = finish(program(&words).spawn().unwrap(), input).await;
        assert_eq!(ended.code, Some(2));
        let said =
            "error: --github-token-file (or DEPLOYMENT_RECORDER_GITHUB_TOKEN_FILE) is missing: ";
        assert!(ended.said.starts_with(said), "{ended:?}");
        assert!(ended.said.ends_with("or use --dry-run\n"), "{ended:?}");
    }
}

#[tokio::test]
async fn no_variable_stands_for_a_field_of_a_record() {
    for (command, input) in COMMANDS {
        let mut words = words(command);
        words.extend([
            "--org=acme",
            "--cluster=c",
            "--logical-environment=p",
            "--dry-run",
        ]);
        if !command.contains("records create") && !command.contains("set") {
            words.retain(|word| !word.starts_with("--cluster") && !word.starts_with("--logical"));
        }
        let plain = finish(program(&words).spawn().unwrap(), input).await;
        assert_eq!(plain.code, Some(0), "{plain:?}");
        let mut within = program(&words);
        for name in [
            "IMAGE",
            "NAME",
            "VERSION",
            "STATUS",
            "PATH",
            "REPOSITORY",
            "TAGS",
            "DIGEST",
        ] {
            within.env(format!("DEPLOYMENT_RECORDER_{name}"), "1.2");
        }
        let within = finish(within.spawn().unwrap(), input).await;
        assert_eq!(
            (within.code, within.out),
            (plain.code, plain.out),
            "{}",
            within.said
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_prints_the_request_that_would_leave_and_sends_none() {
    let github = Github::start(Settings::default()).await;
    for (command, input) in COMMANDS {
        let words = words(command);
        let dry = [&words[..], &["--dry-run"]].concat();
        // The token that stands in the environment is not shown.
        let shown = github.run(&dry, input).await;
        assert_eq!((shown.code, &*shown.said), (Some(0), ""), "{command}");
        let before = github.sandbox.requests().len();
        let ended = github.run(&words, input).await;
        assert_eq!(ended.code, Some(0), "{command}: {ended:?}");
        let sent = &github.sandbox.requests()[before];
        let json = shown.json();
        let request = &json["requests"][0];
        let path = request["url"].as_str().unwrap();
        assert_eq!(request["method"], *sent.method, "{command}");
        assert!(path.ends_with(&sent.path), "{path} {}", sent.path);
        assert_eq!(request["body"], json!(sent.body), "{command}");
        assert_eq!(request["headers"]["user-agent"], *sent.user_agent);
        assert_eq!(request["headers"]["authorization"], "Bearer ***");
    }
    let without = [
        "records",
        "set",
        "--org=acme",
        "--cluster=c",
        "--logical-environment=p",
        "--dry-run",
    ];
    let text = finish(program(&without).spawn().unwrap(), ONE).await;
    assert!(
        text.out
            .starts_with("POST https://api.github.com/orgs/acme/artifacts/metadata/")
    );
    assert!(
        text.out
            .contains("\n\n{\"logical_environment\":\"p\",\"deployments\":[{"),
        "{text:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_breaks_a_rule_exits_2_and_nothing_of_it_is_sent() {
    let github = Github::start(Settings::default()).await;
    let long = "x".repeat(101);
    let bad =
        |from: &str, to: &str| format!("{}\n{ONE}", ONE.replace("web,", "api,").replace(from, to));
    for (input, message) in [
        (
            bad("name: ghcr", "nmae: ghcr"),
            "record 1 (\"api\") has the unknown field \"nmae\"".to_owned(),
        ),
        (
            bad("sha256:a", "sha256:"),
            "record 1 (\"api\"): digest is ".to_owned(),
        ),
        (
            bad("}", &format!(", version: {long}}}")),
            format!(
                "in the line named \"api\", version is \"{long}\", but must be at most 100 bytes"
            ),
        ),
        (
            bad("}", ", github_repository: a/b}"),
            "in the line named \"api\", github_repository is \"a/b\", but must be 1 to 100 of"
                .to_owned(),
        ),
        (
            bad("}", ", tags: {a: '', b: '', c: '', d: '', e: '', f: ''}}"),
            "in the line named \"api\", tags has 6 items, but must have 0 to 5".to_owned(),
        ),
        (
            bad(
                "deployment_name: api",
                &format!("deployment_name: {}", "x".repeat(257)),
            ),
            "deployment_name is \"xxx".to_owned(),
        ),
        (
            bad("api,", "WEB,"),
            "record 1 (\"WEB\") and record 2 (\"web\") are one to GitHub".to_owned(),
        ),
        (String::new(), "there is nothing in it".to_owned()),
    ] {
        let ended = github.run(&["records", "set"], &input).await;
        assert_eq!((ended.code, &*ended.out), (Some(2), ""), "{ended:?}");
        assert!(ended.said.starts_with("error: --from: "), "{ended:?}");
        assert!(ended.said.contains("nothing is sent"), "{ended:?}");
        assert!(ended.said.contains(&message), "{message}\n{ended:?}");
    }
    let ended = github
        .run(&["records", "set", "--from=/nowhere/file"], "")
        .await;
    assert!(
        ended
            .said
            .starts_with("error: --from: /nowhere/file cannot be read: ")
    );
    assert_eq!(ended.code, Some(2));
    assert_eq!(github.sandbox.request_count(), 0);
    let ended = github.run(&["records", "set"], "[]").await;
    assert_eq!((ended.code, github.sandbox.request_count()), (Some(0), 0));
    assert!(ended.said.starts_with("there are no records to send\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_goes_nowhere_exits_2_and_says_which_flag_is_missing() {
    let github = Github::start(Settings::default()).await;
    let mut without = github.command(&["records", "set"]);
    without.env_remove("DEPLOYMENT_RECORDER_CLUSTER");
    let ended = finish(without.spawn().unwrap(), ONE).await;
    let said =
        "error: --from: nothing is sent: record 1 (\"web\") is for no cluster: give --cluster\n";
    assert_eq!((ended.code, &*ended.said), (Some(2), said));
    assert_eq!(github.sandbox.request_count(), 0);
}

#[tokio::test]
async fn a_dry_run_warns_as_the_call_does() {
    let two = ONE.replace("web,", "api,").replace("acme/web", "acme/api");
    let words = [
        "records",
        "set",
        "--org=acme",
        "--cluster=c",
        "--logical-environment=p",
    ];
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("records-warned-token");
    std::fs::write(&file, "ghp_file").unwrap();
    let mut program = program(&[&words[..], &["--dry-run"]].concat());
    program.env("GITHUB_TOKEN", "ghp_secret");
    program.env("DEPLOYMENT_RECORDER_GITHUB_TOKEN_FILE", &file);
    let ended = finish(program.spawn().unwrap(), &format!("{ONE}\n{two}")).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for warning in [
        "warning: web and api have one digest",
        "warning: both --github-token-file",
    ] {
        assert!(ended.said.contains(warning), "{ended:?}");
    }
    std::fs::remove_file(file).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_snapshot_prints_can_be_set_as_it_is() {
    let github = Github::start(Settings::default()).await;
    let shop = include_str!("../cli/shop.yaml");
    for (form, label) in [
        ("json", "environment"),
        ("yaml", "environment"),
        ("json", "none"),
    ] {
        let output = format!("-o{form}");
        let label = format!("--logical-environment-label={label}");
        let snapshot = github
            .run(&["snapshot", "--from=-", &label, &output], shop)
            .await;
        assert_eq!(snapshot.code, Some(0), "{snapshot:?}");
        let mut set = github.command(&["records", "set", "-ojson"]);
        if label.ends_with("environment") {
            // Its namespace says another one than the flag, and the two may not differ.
            let refused = github.run(&["records", "set"], &snapshot.out).await;
            let said = "record 1 (\"shop-web-nginx\") is for the logical_environment \"staging\", but \
                        --logical-environment is \"production\"";
            assert!(refused.said.contains(said), "{refused:?}");
            set.env_remove("DEPLOYMENT_RECORDER_LOGICAL_ENVIRONMENT");
        }
        let ended = finish(set.spawn().unwrap(), &snapshot.out).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(
            ended.said.starts_with("containers without a record: "),
            "{ended:?}"
        );
        let snapshot = snapshot.yaml();
        let (mut set, mut was) = (ended.json()["records"][0].clone(), Value::Null);
        for source in snapshot["sources"].as_array().unwrap() {
            if source["record"].is_object() {
                was = source["record"].clone();
            }
        }
        for field in ["status", "outcome", "reason"] {
            set.as_object_mut().unwrap().remove(field);
        }
        assert_eq!(set, was);
    }
    assert!(github.sandbox.record("staging", "shop-web-nginx").is_some());
    assert!(
        github
            .sandbox
            .record("production", "shop-web-nginx")
            .is_some()
    );
}
