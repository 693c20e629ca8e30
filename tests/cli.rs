//! The program as people run it: what it says and how it exits. No network, no cluster.

#![expect(clippy::expect_used, reason = "what fails here fails the test")]

use std::io::Write;
use std::process::{Command, Output, Stdio};

/// Runs the program with these arguments and variables, and nothing else in its environment.
fn run_with(arguments: &[&str], variables: &[(&str, &str)], input: &str) -> Output {
    // Not a terminal, and yet read by people.
    let text = Some(("DEPLOYMENT_RECORDER_LOG_FORMAT", "text"));
    let mut program = Command::new(env!("CARGO_BIN_EXE_deployment-recorder"))
        .args(arguments)
        .env_clear()
        .env("HOME", env!("CARGO_TARGET_TMPDIR"))
        .envs(text.filter(|_| !arguments.is_empty()))
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // A program that reads nothing may be gone already.
    let _ = program
        .stdin
        .take()
        .expect("its input")
        .write_all(input.as_bytes());
    program.wait_with_output().expect("the program ends")
}

fn run(arguments: &[&str]) -> Output {
    run_with(arguments, &[], "")
}

/// What it printed.
fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

/// What it said beside.
fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

/// The arguments of a `run` that could start.
const GOOD: [&str; 8] = [
    "run",
    "--org=acme",
    "--cluster=prod",
    "--logical-environment=production",
    "--log-level=error",
    "--listen=127.0.0.1:0",
    "--github-token-file=/nowhere/token",
    "--kubeconfig=/nowhere/kubeconfig",
];

/// What is typed behind a good `run`, and the whole line that is said about it.
const REFUSED: &str = r#"
--cluster=prod/eu | invalid value "prod/eu" for --cluster: the name of a cluster has 1 to 128 letters, digits, dots, hyphens and underscores
--cluster= | invalid value "" for --cluster: it is empty; give a value, or leave the setting out
--cluster=.. | invalid value ".." for --cluster: the name of a cluster has 1 to 128 letters, digits, dots, hyphens and underscores
--org=acme/web | invalid value "acme/web" for --org: the name of an organization has 1 to 39 letters, digits and hyphens
--logical-environment= | invalid value "" for --logical-environment: it is empty; give a value, or leave the setting out
--logical-environment-label=a=b | invalid value "a=b" for --logical-environment-label: allowed is the key of a label, such as example.com/environment
--namespaces=shop,Shop | invalid value "Shop" for --namespaces: a namespace has lower-case letters, digits and hyphens, and * stands for any text
--namespaces= | invalid value "" for --namespaces: it is empty; give a value, or leave the setting out
--selector= | invalid value "" for --selector: it is empty; give a value, or leave the setting out
--logical-environment-label= | invalid value "" for --logical-environment-label: it is empty; give a value, or leave the setting out
--namespaces=a?b | invalid value "a?b" for --namespaces: a namespace has lower-case letters, digits and hyphens, and * stands for any text
--exclude-namespaces=a/b | invalid value "a/b" for --exclude-namespaces: a namespace has lower-case letters, digits and hyphens, and * stands for any text
--exclude-namespaces=* | invalid value "*" for --exclude-namespaces: with whatever else is given this leaves nothing to record
--namespaces=shop --exclude-namespaces=sh* | invalid value "sh*" for --exclude-namespaces: with --namespaces this leaves nothing to record
--images=nginx | invalid value "nginx" for --images: a pattern is matched with the image's full name: nginx is docker.io/library/nginx
--images=docker.io/nginx | invalid value "docker.io/nginx" for --images: a pattern is matched with the image's full name: docker.io/nginx is docker.io/library/nginx
--images=index.docker.io/library/nginx | invalid value "index.docker.io/library/nginx" for --images: a pattern is matched with the image's full name: index.docker.io/library/nginx is docker.io/library/nginx
--images=index.docker.io/* | invalid value "index.docker.io/*" for --images: a pattern is matched with the image's full name: index.docker.io/* is docker.io/*
--images=ghcr.io/Acme/web | invalid value "ghcr.io/Acme/web" for --images: no image has this name
--images=ghcr.io/acme/web:1 | invalid value "ghcr.io/acme/web:1" for --images: a pattern is matched with the image's name, which has no tag
--exclude-images=a\b | invalid value "a\\b" for --exclude-images: an image's name has letters, digits and . _ - / :, and * stands for any text
--selector=app=we*b | invalid value "app=we*b" for --selector: `app=we*b`: the value is not a label value; allowed is what kubectl --selector takes
--kinds=deployments,pod | invalid value "pod" for --kinds: allowed are deployments, statefulsets, daemonsets, cronjobs, replicasets, replicationcontrollers, others, jobs, pods
--add-kinds=Jobs | invalid value "Jobs" for --add-kinds: allowed are deployments, statefulsets, daemonsets, cronjobs, replicasets, replicationcontrollers, others, jobs, pods
--infer-risks=ingress,LoadBalancer | invalid value "LoadBalancer" for --infer-risks: allowed are loadbalancer, ingress, gateway, nodeport
--infer-risks= | invalid value "" for --infer-risks: it is empty; give a value, or leave the setting out
--image-map=mirror.io | invalid value "mirror.io" for --image-map: it has no `=`; allowed is FROM=TO, such as mirror.example.com/hub=docker.io
--image-map=a.io=b.io,a.io=c.io | invalid value "a.io=c.io" for --image-map: `a.io` is mapped twice; allowed is FROM=TO, such as mirror.example.com/hub=docker.io
--repository-map=ghcr.io/acme | invalid value "ghcr.io/acme" for --repository-map: it has no `=`
--repository-map=ghcr.io/acme/.*=acme/web | invalid value "ghcr.io/acme/.*=acme/web" for --repository-map: `acme/web` cannot be its value
--repository-map=ghcr.io/acme/.*=$1 | invalid value "ghcr.io/acme/.*=$1" for --repository-map: the expression has no group `1`, to which the value refers; ${1} is the first group
--org-label=a=b | invalid value "a=b" for --org-label: allowed is the key of a label, such as example.com/environment
--org-map=ghcr.io/acme | invalid value "ghcr.io/acme" for --org-map: it has no `=`
--org-map=ghcr.io/acme/.*=acme/web | invalid value "ghcr.io/acme/.*=acme/web" for --org-map: `acme/web` cannot be its value
--org-map=ghcr.io/acme/.*=$1 | invalid value "ghcr.io/acme/.*=$1" for --org-map: the expression has no group `1`, to which the value refers; ${1} is the first group
--org-token-file=/etc/token | invalid value "/etc/token" for --org-token-file: allowed is ORG=FILE, such as acme=/etc/github/acme
--org-token-file=acme= | invalid value "acme=" for --org-token-file: allowed is ORG=FILE, such as acme=/etc/github/acme
--org-token-file=a_b=/k | invalid value "a_b" for --org-token-file: the name of an organization has 1 to 39 letters, digits and hyphens
--org-token-file=tools=/k --org-token-file=Tools=/l | invalid value "Tools=/l" for --org-token-file: this organization has a file already
--storage-exclude-registries=https://ghcr.io | invalid value "https://ghcr.io" for --storage-exclude-registries: a pattern is matched with the registry alone, such as docker.io or *.dkr.ecr.*.amazonaws.com
--storage-exclude-registries=ghcr.io/acme | invalid value "ghcr.io/acme" for --storage-exclude-registries: a pattern is matched with the registry alone, such as docker.io or *.dkr.ecr.*.amazonaws.com
--storage-exclude-registries=docker | invalid value "docker" for --storage-exclude-registries: a pattern is matched with the registry alone, such as docker.io or *.dkr.ecr.*.amazonaws.com
--storage-exclude-registries=* | invalid value "*" for --storage-exclude-registries: this leaves no registry to tell of; leave --storage-records out instead
--name-template={pod} | invalid value "{pod}" for --name-template: {pod} is no placeholder; the placeholders are {namespace}, {workload}, {container} and {kind}
--name-template=web | invalid value "web" for --name-template: it has no placeholder; the placeholders are {namespace}, {workload}, {container} and {kind}
--interval=4s | invalid value "4s" for --interval: allowed is a duration such as 30s, 5m or 1h30m, 5s to 24h
--interval=10 | invalid value "10" for --interval: allowed is a duration such as 30s, 5m or 1h30m, 5s to 24h
--idle-after=soon | invalid value "soon" for --idle-after: allowed is a duration such as 30s, 5m or 1h30m, 0s to 10000h, or never
--mass-decommission-hold=25h | invalid value "25h" for --mass-decommission-hold: allowed is a duration such as 30s, 5m or 1h30m, 0s to 24h
--github-timeout=0s | invalid value "0s" for --github-timeout: allowed is a duration such as 30s, 5m or 1h30m, 1s to 10m
--github-api-version=latest | invalid value "latest" for --github-api-version: allowed is a day such as 2022-11-28
--github-app-id=7 | --github-app-private-key-file (or DEPLOYMENT_RECORDER_GITHUB_APP_PRIVATE_KEY_FILE) is missing: give the file with the private key of the App
--github-app-id=7 --github-app-private-key-file=/k | invalid value "7" for --github-app-id: --github-token-file is given too; give one of them
--github-app-id= --github-app-private-key-file=/k | invalid value "" for --github-app-id: it is empty; give a value, or leave the setting out
--github-app-private-key-file=/k | --github-app-id (or DEPLOYMENT_RECORDER_GITHUB_APP_ID) is missing: give the id or the client id of the App that the key belongs to
--github-app-installation-id=42 | --github-app-id (or DEPLOYMENT_RECORDER_GITHUB_APP_ID) is missing: give the id or the client id of the App that the key belongs to
--github-app-id=7 --github-app-installation-id=acme | invalid value "acme" for --github-app-installation-id: allowed is a number: the last part of the address of its page
--github-api-url=http://ghe.example.com | invalid value for --github-api-url: "http://ghe.example.com" would send the token unencrypted; use https, a loopback address, or allow plain HTTP with --allow-http
--github-api-url=https://user:pass@example.com | invalid value for --github-api-url: the URL of the API must not have a user
--listen=example.com:80 | invalid value "example.com:80" for --listen: allowed is [ADDRESS]:PORT, such as :8080, 127.0.0.1:8080 or [::1]:8080
--ledger-name=Ledger | invalid value "Ledger" for --ledger-name: allowed are 1 to 63 lower-case letters, digits and hyphens, none at an end
--ledger-namespace=a.b | invalid value "a.b" for --ledger-namespace: allowed are 1 to 63 lower-case letters, digits and hyphens, none at an end
--context= | invalid value "" for --context: it is empty; give a value, or leave the setting out
--log-level=loud | invalid value "loud" for --log-level: allowed are error, warn, info, debug and trace
--log-format=xml | invalid value "xml" for --log-format: allowed are text, json and auto
--clustr=prod | unexpected argument '--clustr' found; tip: a similar argument exists: '--cluster'
--dry-run=perhaps | unexpected value 'perhaps' for '--dry-run' found; no more were expected
--interval | a value is required for '--interval <DURATION>' but none was supplied
"#;

/// What is typed behind a `verify` or `decommission` that could start, and what is said about it.
const REFUSED_BY_HAND: &str = r#"
verify --only=a* | invalid value "a*" for --only: it is for --adopt alone
verify --adopt | --yes (or DEPLOYMENT_RECORDER_YES) is missing: nobody can be asked, because standard input is no terminal
verify --org= | invalid value "" for --org: it is empty; give a value, or leave the setting out
verify -o=csv | invalid value "csv" for --output: allowed are table, json and yaml
decommission --yes | --all (or DEPLOYMENT_RECORDER_ALL) is missing: no record is named; name those that are meant, or say that all are
decommission --all web | invalid value "true" for --all: records are named; only one of the two can be meant
decommission --forget --all | invalid value "true" for --forget: it is for records that are named, not for --all
decommission --forget --wait web | invalid value "true" for --wait: there is nothing to wait for with --forget
decommission web | --yes (or DEPLOYMENT_RECORDER_YES) is missing: nobody can be asked, because standard input is no terminal
decommission --scale-down=Web --all | invalid value "Web" for --scale-down: allowed are 1 to 253 lower-case letters, digits, hyphens and dots, none at an end
decommission --scale-down= --all | invalid value "" for --scale-down: it is empty; give a value, or leave the setting out
decommission --lease-timeout=2h web | invalid value "2h" for --lease-timeout: allowed is a duration such as 30s, 5m or 1h30m, 0s to 1h
decommission --interval=1s web | invalid value "1s" for --interval: allowed is a duration such as 30s, 5m or 1h30m, 5s to 24h
"#;

#[test]
fn what_is_done_by_hand_is_refused_before_any_call_where_it_is_not_allowed() {
    for row in REFUSED_BY_HAND.lines().filter(|row| !row.is_empty()) {
        let (typed, message) = row.split_once(" | ").expect("two columns");
        let typed: Vec<&str> = typed.split(' ').collect();
        let good = GOOD[1..].iter().filter(|flag| {
            let of_run = flag.starts_with("--listen");
            let of_verify = flag.starts_with("--cluster") || flag.starts_with("--logical");
            let given = typed
                .iter()
                .any(|typed| typed.split('=').next() == flag.split('=').next());
            !of_run && !given && (typed[0] == "verify" || !of_verify)
        });
        let arguments: Vec<&str> = typed.iter().chain(good).copied().collect();
        let output = run(&arguments);
        assert_eq!(said(&output), format!("error: {message}\n"), "{typed:?}");
        assert_eq!(output.status.code(), Some(2), "{typed:?}");
        assert_eq!(out(&output), "");
    }
}

#[test]
fn a_variable_that_says_false_is_as_good_as_none_and_never_means_all() {
    let nobody_agreed = "error: --yes (or DEPLOYMENT_RECORDER_YES) is missing: nobody can be asked, \
                         because standard input is no terminal\n";
    let no_name = "error: --all (or DEPLOYMENT_RECORDER_ALL) is missing: no record is named; name \
                   those that are meant, or say that all are\n";
    let all = "DEPLOYMENT_RECORDER_ALL";
    let forget = "DEPLOYMENT_RECORDER_FORGET";
    let wait = "DEPLOYMENT_RECORDER_WAIT";
    for (typed, variables, message) in [
        ("--yes", [(all, "false"), (wait, "false")], no_name),
        ("web", [(all, "false"), (wait, "false")], nobody_agreed),
        (
            "--forget web",
            [(all, "false"), (wait, "false")],
            nobody_agreed,
        ),
        ("--all", [(forget, "false"), (wait, "true")], nobody_agreed),
        (
            "web",
            [(forget, "true"), (wait, "true")],
            "error: invalid value \"true\" for --wait (from DEPLOYMENT_RECORDER_WAIT): there is \
             nothing to wait for with --forget\n",
        ),
    ] {
        let typed = ["decommission", "--org=acme", "--github-token-file=/k"]
            .into_iter()
            .chain(typed.split(' '));
        let arguments: Vec<&str> = typed.collect();
        let output = run_with(&arguments, &variables, "");
        assert_eq!(said(&output), message, "{arguments:?} {variables:?}");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn a_setting_that_is_not_allowed_is_refused_before_any_call_in_one_line() {
    for row in REFUSED.lines().filter(|row| !row.is_empty()) {
        let (typed, message) = row.split_once(" | ").expect("two columns");
        let typed: Vec<&str> = typed.split(' ').collect();
        let replaced = |good: &&&str| {
            let flag = good.split('=').next();
            !typed.iter().any(|typed| typed.split('=').next() == flag)
        };
        let good = GOOD.iter().filter(replaced).copied();
        let arguments: Vec<&str> = good.chain(typed.iter().copied()).collect();
        let output = run(&arguments);
        assert_eq!(said(&output), format!("error: {message}\n"), "{typed:?}");
        assert_eq!(output.status.code(), Some(2), "{typed:?}");
        assert_eq!(out(&output), "");
    }
}

#[test]
fn what_is_needed_and_missing_is_named_with_its_variable() {
    for (without, message) in [
        (
            "--org",
            "--org (or DEPLOYMENT_RECORDER_ORG) is missing: the GitHub organization that records \
             belong to",
        ),
        (
            "--cluster",
            "--cluster (or DEPLOYMENT_RECORDER_CLUSTER) is missing: the name of this cluster at \
             GitHub",
        ),
        (
            "--logical-environment",
            "--logical-environment (or DEPLOYMENT_RECORDER_LOGICAL_ENVIRONMENT) is missing: such \
             as production",
        ),
        (
            "--github-token-file",
            "--github-token-file (or DEPLOYMENT_RECORDER_GITHUB_TOKEN_FILE) is missing: give the \
             file with GitHub's token, set GITHUB_TOKEN or --github-app-id, or use --dry-run",
        ),
    ] {
        let kept = GOOD
            .iter()
            .filter(|good| good.split('=').next() != Some(without));
        let output = run(&kept.copied().collect::<Vec<_>>());
        assert_eq!(said(&output), format!("error: {message}\n"));
        assert_eq!(output.status.code(), Some(2));
    }
}

#[test]
fn a_variable_stands_for_its_flag_and_is_named_when_it_is_wrong() {
    let variables = [
        ("DEPLOYMENT_RECORDER_ORG", "acme"),
        ("DEPLOYMENT_RECORDER_CLUSTER", "prod/eu"),
        ("DEPLOYMENT_RECORDER_LOGICAL_ENVIRONMENT", "production"),
        ("DEPLOYMENT_RECORDER_DRY_RUN", "true"),
    ];
    let output = run_with(&["run"], &variables, "");
    let message = said(&output);
    let start =
        "error: invalid value \"prod/eu\" for --cluster (from DEPLOYMENT_RECORDER_CLUSTER): ";
    assert!(message.starts_with(start), "{message}");
    let output = run_with(&["run", "--cluster=prod", "--interval=1s"], &variables, "");
    assert!(said(&output).starts_with("error: invalid value \"1s\" for --interval: "));
    let output = run_with(&["snapshot"], &[("RUST_LOG", "a=b=c")], "");
    assert!(
        said(&output).contains("RUST_LOG is \"a=b=c\""),
        "{}",
        said(&output)
    );
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn an_empty_variable_is_as_one_that_is_not_set() {
    let variables = [
        ("DEPLOYMENT_RECORDER_NAMESPACES", ""),
        ("DEPLOYMENT_RECORDER_SELECTOR", ""),
        ("DEPLOYMENT_RECORDER_INTERVAL", ""),
        ("DEPLOYMENT_RECORDER_DRY_RUN", ""),
        ("DEPLOYMENT_RECORDER_ORG", ""),
    ];
    let output = run_with(&GOOD, &variables, "");
    let expected = "error: --github-token-file: the token file /nowhere/token cannot be read: ";
    assert!(said(&output).starts_with(expected), "{}", said(&output));
    let output = run_with(&GOOD[..1], &variables, "");
    let expected = "error: --org (or DEPLOYMENT_RECORDER_ORG) is missing: ";
    assert!(said(&output).starts_with(expected), "{}", said(&output));
    assert_eq!(output.status.code(), Some(2));
}

/// What Kubernetes sets in the pods of a namespace that has a Service of our name.
const OF_A_SERVICE: [(&str, &str); 8] = [
    ("DEPLOYMENT_RECORDER_SERVICE_HOST", "10.96.0.7"),
    ("DEPLOYMENT_RECORDER_SERVICE_PORT", "8080"),
    ("DEPLOYMENT_RECORDER_SERVICE_PORT_HTTP", "8080"),
    ("DEPLOYMENT_RECORDER_PORT", "tcp://10.96.0.7:8080"),
    ("DEPLOYMENT_RECORDER_PORT_8080_TCP", "tcp://10.96.0.7:8080"),
    ("DEPLOYMENT_RECORDER_PORT_8080_TCP_PROTO", "tcp"),
    ("DEPLOYMENT_RECORDER_PORT_8080_TCP_PORT", "8080"),
    ("DEPLOYMENT_RECORDER_PORT_8080_TCP_ADDR", "10.96.0.7"),
];

#[test]
fn what_kubernetes_sets_for_a_service_of_our_name_changes_nothing() {
    let check: Vec<&str> = ["check", "--output=json"]
        .into_iter()
        .chain(GOOD[1..].iter().copied())
        .collect();
    let hand = ["decommission", "--all", "--yes", GOOD[6], GOOD[7]];
    for arguments in [&GOOD[..], &check, &hand] {
        let (with, without) = (run_with(arguments, &OF_A_SERVICE, ""), run(arguments));
        assert_eq!(with.status.code(), Some(1), "{arguments:?}");
        assert_eq!(
            (said(&with), out(&with)),
            (said(&without), out(&without)),
            "{arguments:?}"
        );
    }
}

#[test]
fn a_check_takes_the_variables_of_run_even_those_that_it_has_no_use_for() {
    let variables = [
        ("DEPLOYMENT_RECORDER_ORG", "acme"),
        ("DEPLOYMENT_RECORDER_CLUSTER", "prod"),
        ("DEPLOYMENT_RECORDER_LOGICAL_ENVIRONMENT", "production"),
        ("DEPLOYMENT_RECORDER_GITHUB_TOKEN_FILE", "/nowhere/token"),
        ("DEPLOYMENT_RECORDER_KUBECONFIG", "/nowhere/kubeconfig"),
        // Nobody can listen there.
        ("DEPLOYMENT_RECORDER_LISTEN", "192.0.2.1:8080"),
        ("DEPLOYMENT_RECORDER_LEADER_ELECT", "true"),
        ("DEPLOYMENT_RECORDER_STORAGE_RECORDS", "true"),
        ("DEPLOYMENT_RECORDER_INTERVAL", "5m"),
        ("DEPLOYMENT_RECORDER_IDLE_AFTER", "never"),
        ("DEPLOYMENT_RECORDER_LOG_FORMAT", "json"),
        ("DEPLOYMENT_RECORDER_LOG_LEVEL", "error"),
    ];
    let output = run_with(&["check", "--output=json"], &variables, "");
    let shown: serde_json::Value = serde_json::from_str(&out(&output)).expect("JSON");
    let result = |check: &str| {
        let mut lines = shown["checks"].as_array().expect("checks").iter();
        lines.find(|line| line["check"] == check).expect("its line")["result"].clone()
    };
    assert_eq!(result("settings"), "ok");
    assert_eq!(result("api-server"), "failed");
    assert_eq!(
        (said(&output), output.status.code()),
        (String::new(), Some(1))
    );
    let wrong = ("DEPLOYMENT_RECORDER_INTERVAL", "1s");
    let output = run_with(&["check"], &[&variables[..], &[wrong]].concat(), "");
    assert_eq!(output.status.code(), Some(2), "{}", out(&output));
}

#[test]
fn a_log_in_json_tells_in_json_why_it_ends() {
    let json = ("DEPLOYMENT_RECORDER_LOG_FORMAT", "json");
    let output = run_with(&GOOD, &[json], "");
    let said = said(&output);
    let event: serde_json::Value = serde_json::from_str(&said).expect("one line of JSON");
    assert_eq!(
        (&event["level"], &event["message"]),
        (&"ERROR".into(), &"ended by an error".into())
    );
    let error = event["error"].as_str().expect("a reason");
    assert!(
        error.starts_with("--github-token-file: the token file"),
        "{error}"
    );
    assert_eq!(output.status.code(), Some(1));
    // A log that leaves errors out is no reason to say nothing.
    let output = run_with(&GOOD, &[json, ("RUST_LOG", "off")], "");
    let said = String::from_utf8(output.stderr).expect("text");
    assert!(said.starts_with("error: --github-token-file: "), "{said}");
}

#[test]
fn what_only_trying_can_show_exits_1_and_2_for_diff() {
    let file = "--github-token-file: the token file /nowhere/token cannot be read: ";
    let place = "--kubeconfig: cannot read /nowhere/kubeconfig: ";
    let destination = [
        "--org=acme",
        "--cluster=prod",
        "--logical-environment=production",
    ];
    let run_dry = [&GOOD[..6], &["--dry-run"]].concat();
    let diff = [&["diff"], &destination[..]].concat();
    let kubeconfig = "--kubeconfig=/nowhere/kubeconfig";
    for (arguments, message, code) in [
        (&GOOD[..], file, 1),
        (&[&run_dry[..], &[kubeconfig]].concat(), place, 1),
        (&["snapshot", kubeconfig], place, 1),
        (&[&diff[..], &[kubeconfig]].concat(), place, 2),
    ] {
        let output = run(arguments);
        let said = said(&output);
        assert!(
            said.starts_with(&format!("error: {message}")),
            "{arguments:?}: {said}"
        );
        assert_eq!(said.lines().count(), 1, "{said}");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
    }
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    for (file, message) in [
        (
            "/nowhere/key",
            "the private key file /nowhere/key cannot be read: ",
        ),
        (
            manifest,
            &*format!(
                "the private key file {manifest} does not hold the key of a GitHub App: it is \
                 neither PEM nor base64\n"
            ),
        ),
    ] {
        let key = format!("--github-app-private-key-file={file}");
        let output = run(&[&GOOD[..6], &["--github-app-id=7", &key]].concat());
        let start = format!("error: --github-app-private-key-file: {message}");
        assert!(said(&output).starts_with(&start), "{}", said(&output));
        assert_eq!(output.status.code(), Some(1));
    }
    let output = run_with(&GOOD[..6], &[("GITHUB_TOKEN", "two words")], "");
    assert!(
        said(&output).starts_with("error: GITHUB_TOKEN: "),
        "{}",
        said(&output)
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_check_takes_the_flags_of_run_and_says_all_that_is_wrong_at_once() {
    let check: Vec<&str> = ["check"]
        .into_iter()
        .chain(GOOD[1..].iter().copied())
        .collect();
    let output = run(&check);
    assert_eq!(said(&output), "");
    assert_eq!(output.status.code(), Some(1));
    let table = out(&output);
    let failed: Vec<&str> = table
        .lines()
        .filter(|it| it.starts_with("failed"))
        .collect();
    let [server, token] = failed[..] else {
        panic!("{table}")
    };
    let place = "--kubeconfig: cannot read /nowhere/kubeconfig: ";
    assert!(
        server.contains("api-server") && server.contains(place),
        "{server}"
    );
    assert!(
        token.contains("the token file /nowhere/token cannot be read: "),
        "{token}"
    );
    assert!(token.ends_with(". To do: let --github-token-file lead to what GitHub gave"));
    let output = run(&[&check[..], &["--output=json"]].concat());
    let shown: serde_json::Value = serde_json::from_str(&out(&output)).expect("JSON");
    assert_eq!(shown["checks"][0]["check"], "settings");
    for (wrong, flag) in [
        ("--output=xml", "--output"),
        ("--interval=1s", "--interval"),
    ] {
        let output = run(&[&check[..], &[wrong]].concat());
        assert!(
            said(&output).contains(&format!("for {flag}: ")),
            "{}",
            said(&output)
        );
        assert_eq!(
            (output.status.code(), out(&output)),
            (Some(2), String::new())
        );
    }
}

#[test]
fn a_token_is_nowhere_in_what_is_printed() {
    let variables = [("GITHUB_TOKEN", "hunter2"), ("RUST_LOG", "trace")];
    for arguments in [
        &["run", "--help"][..],
        &["help", "run"],
        &["man", "run"],
        &[&GOOD[..6], &["--kubeconfig=/nowhere/kubeconfig"]].concat(),
    ] {
        let output = run_with(arguments, &variables, "");
        let printed = format!("{}{}", out(&output), said(&output));
        assert!(
            !printed.is_empty() && !printed.contains("hunter2"),
            "{printed}"
        );
    }
}

#[test]
fn a_port_that_is_taken_exits_1_before_any_call_and_names_the_flag() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address");
    let listen = format!("--listen={address}");
    let output = run(&[&GOOD[..5], &[&listen], &GOOD[6..]].concat());
    let said = said(&output);
    assert!(
        said.starts_with(&format!("error: --listen: cannot listen on {address} (")),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1, "{said}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_stop_while_a_plugin_hangs_is_obeyed_at_once() {
    use std::sync::mpsc::channel;
    use std::time::Duration;
    let folder = env!("CARGO_TARGET_TMPDIR");
    let (began, kubeconfig) = (format!("{folder}/plugin-began"), format!("{folder}/hangs"));
    let _ = std::fs::remove_file(&began);
    let exec = serde_json::json!({
        "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never",
        "command": "sh", "args": ["-c", format!("echo > {began}; exec sleep 20")],
    });
    let config = serde_json::json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "c", "user": {"exec": exec}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
    });
    std::fs::write(&kubeconfig, config.to_string()).expect("a kubeconfig");
    let program = Command::new(env!("CARGO_BIN_EXE_deployment-recorder"))
        .args(&GOOD[..6])
        .args(["--dry-run", &format!("--kubeconfig={kubeconfig}")])
        .spawn();
    let mut program = program.expect("the program starts");
    let id = program.id().to_string();
    let (ended, end) = channel();
    std::thread::spawn(move || ended.send(program.wait()));
    let mut tries = 0;
    while !std::path::Path::new(&began).exists() {
        assert!(tries < 300, "the plugin is not started");
        assert!(
            end.recv_timeout(Duration::from_millis(100)).is_err(),
            "it ended"
        );
        tries += 1;
    }
    let sent = Command::new("kill").args(["-TERM", &id]).status();
    assert!(sent.expect("kill starts").success());
    let ended = end.recv_timeout(Duration::from_secs(10));
    let status = ended
        .expect("it ends before the plugin does")
        .expect("its status");
    assert_eq!(status.code(), Some(0));
}

#[test]
fn a_context_that_the_kubeconfig_lacks_is_named_with_those_it_has() {
    let kubeconfig = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/kubeconfig.yaml");
    let given = format!("--kubeconfig={kubeconfig}");
    let output = run(&["snapshot", &given, "--context=prod"]);
    let message = format!("error: --context: `prod` is not in {kubeconfig}; there is staging\n");
    assert_eq!(said(&output), message);
    assert_eq!(output.status.code(), Some(1));
    let output = run(&["snapshot", &given]);
    let message = format!(
        "error: --context: none given, and {kubeconfig} has no current one; there is staging\n"
    );
    assert_eq!(said(&output), message);
    assert_eq!(output.status.code(), Some(1));
}

const SHOP: &str = include_str!("cli/shop.yaml");

#[test]
fn a_snapshot_of_a_file_shows_records_and_gaps() {
    let arguments = [
        "snapshot",
        "--from=-",
        "--org=acme",
        "--cluster=prod",
        "--logical-environment=production",
        "--physical-environment=",
        "--logical-environment-label=environment",
        "--output=json",
    ];
    let output = run_with(&arguments, &[], SHOP);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let shown: serde_json::Value = serde_json::from_str(&out(&output)).expect("JSON");
    let expected: serde_json::Value =
        serde_json::from_str(include_str!("cli/shop.json")).expect("JSON");
    assert_eq!(shown, expected);
    assert_eq!(
        said(&output),
        "records: 1, gaps: 3, not selected (kind): 1\n\
         Objects are missing in the file; all of them: kubectl get namespaces,pods,deployments,\
         statefulsets,daemonsets,cronjobs,replicasets,replicationcontrollers,jobs \
         --all-namespaces -o yaml\n"
    );
    let output = run_with(
        &["snapshot", "--from=-", "--org=acme", "--output=yaml"],
        &[],
        SHOP,
    );
    assert!(
        out(&output).contains("\n    record_name: shop-web-nginx\n"),
        "{}",
        out(&output)
    );
    let output = run_with(&["snapshot", "--from=-", "--org=acme"], &[], SHOP);
    let table = out(&output);
    let widths: Vec<_> = table
        .lines()
        .map(|line| line.find("nginx ").is_some())
        .collect();
    assert_eq!(widths, [false, true, false, false], "{table}");
    assert!(
        table.starts_with("NAMESPACE   WORKLOAD         CONTAINER   RECORD "),
        "{table}"
    );
}

#[test]
fn an_explanation_of_a_file_says_where_each_thing_comes_from() {
    let explain = |name: &str, more: &[&str]| {
        let flags = ["explain", "shop", name, "--from=-", "--org=acme"];
        run_with(&[&flags, more].concat(), &[], SHOP)
    };
    let output = explain("web", &[]);
    assert_eq!((output.status.code(), &*said(&output)), (Some(0), ""));
    let text = out(&output);
    for line in [
        "Worked out from standard input, as if GitHub held nothing yet.",
        "Deployment shop/web",
        "  Pods        web-6d5f-x1 -> ReplicaSet web-6d5f -> Deployment web",
        "    Speaker     pod web-6d5f-x1: the only ready pod that runs it",
        "    Tags        team=shop: metadata.github.com/team of Namespace shop",
        "    Repository  web: metadata.github.com/repository of Deployment web",
        "    Digest      the container runtime names the image's configuration (a bare imageID), which no",
        "    Gap         invalid-risk: cats",
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "{line:?} in\n{text}"
        );
    }
    assert!(
        text.lines().all(|line| line.chars().count() <= 100),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'), "no colour, wherever it goes");

    let output = explain("db-0", &["--output=json", "--container=postgres"]);
    let shown: serde_json::Value = serde_json::from_str(&out(&output)).expect("JSON");
    assert_eq!(shown["stray"]["end"], "not-read", "{shown}");
    let output = explain("debug", &["--output=yaml"]);
    assert!(
        out(&output).contains("--kinds, --add-kinds"),
        "{}",
        out(&output)
    );

    let output = explain("wep", &[]);
    let missing =
        "error: no workload, pod or record wep in namespace shop; there is Deployment/web\n";
    assert_eq!((output.status.code(), &*said(&output)), (Some(1), missing));
    let output = explain("web", &["--container=ngin"]);
    let missing = "error: web has no container ngin; there is nginx, proxy\n";
    assert_eq!((output.status.code(), &*said(&output)), (Some(1), missing));
}

#[test]
fn an_explanation_that_nobody_could_give_is_refused_before_anybody_is_asked() {
    for (flags, message) in [
        (
            &["shop"][..],
            "the following required arguments were not provided: <[KIND/]NAME>",
        ),
        (
            &["Shop", "web"],
            "invalid value \"Shop\" for <NAMESPACE>: allowed are 1 to 63 lower-case letters, digits and hyphens, none at an end",
        ),
        (
            &["shop", " "],
            "invalid value \"\" for <NAME>: give the namespace and the name of a workload, a pod or a record in it",
        ),
        (
            &["shop", "web", "--via=me"],
            "invalid value \"me\" for --via: allowed are auto, controller and cluster",
        ),
        (
            &["shop", "web", "-o", "xml"],
            "invalid value \"xml\" for --output: allowed are text, json and yaml",
        ),
        (
            &["shop", "web", "--admin-url=ftp://me:secret@it"],
            "invalid value for --admin-url: give one like http://127.0.0.1:8080, without a user",
        ),
        (
            &["shop", "web", "--via=cluster"],
            "--org (or DEPLOYMENT_RECORDER_ORG) is missing: the GitHub organization that records belong to",
        ),
        (
            &["shop", "web", "--from=x", "--admin-url=y"],
            "the argument '--from <FILE>' cannot be used with '--admin-url <URL>'",
        ),
    ] {
        let output = run(&[&["explain"], flags].concat());
        assert_eq!(said(&output), format!("error: {message}\n"));
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
    }
}

#[test]
fn a_file_that_cannot_be_used_exits_1_and_is_named() {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    for (file, input, message) in [
        ("/nowhere/file", "", "/nowhere/file cannot be read: "),
        (manifest, "", "writes: line 1: this is not JSON: "),
        (
            "-",
            "",
            "standard input is not what kubectl get -o yaml or -o json writes: line 1: there is nothing",
        ),
        ("-", "a: b: c", "writes: line 1: this is not YAML: "),
    ] {
        let output = run_with(&["snapshot", "--from", file], &[], input);
        let said = said(&output);
        assert!(
            said.starts_with("error: --from: ") && said.contains(message),
            "{said}"
        );
        assert_eq!(said.lines().count(), 1, "{said}");
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn help_and_version_are_printed_and_exit_0() {
    let output = run(&["--version"]);
    assert_eq!(
        out(&output),
        concat!("deployment-recorder ", env!("CARGO_PKG_VERSION"), "\n")
    );
    for arguments in [
        &["--help"][..],
        &["help"],
        &["run", "-h"],
        &["snapshot", "--help"],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(0));
        assert!(
            out(&output).contains("Usage: deployment-recorder"),
            "{arguments:?}"
        );
        assert_eq!(said(&output), "");
    }
    let output = run(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("Usage: deployment-recorder"));
}

#[test]
fn every_shell_has_a_completion_and_every_command_a_page() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = run(&["completion", shell]);
        assert_eq!(output.status.code(), Some(0));
        assert!(out(&output).contains("mass-decommission-hold"), "{shell}");
    }
    for command in [
        "run",
        "snapshot",
        "diff",
        "explain",
        "verify",
        "decommission",
        "check",
        "records",
        "records-set",
        "storage-list",
        "completion",
        "man",
    ] {
        let output = run(&["man", command]);
        let title = format!(".TH deployment-recorder-{command} 1");
        assert!(out(&output).contains(&title), "{}", out(&output));
    }
    assert!(out(&run(&["man"])).contains("deployment\\-recorder\\-diff(1)"));
}
