//! Settings: what is refused before any call, what a variable does, what is missing. In one line each.

use super::*;

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
--exclude-namespaces=** | invalid value "**" for --exclude-namespaces: with whatever else is given this leaves nothing to record
--namespaces=team-* --exclude-namespaces=team-* | invalid value "team-*" for --exclude-namespaces: with --namespaces this leaves nothing to record
--namespaces=shop,team-a* --exclude-namespaces=shop,team-** | invalid value "shop" for --exclude-namespaces: with --namespaces this leaves nothing to record
--exclude-images=*/* | invalid value "*/*" for --exclude-images: with whatever else is given this leaves nothing to record
--exclude-images=**/** | invalid value "**/**" for --exclude-images: with whatever else is given this leaves nothing to record
--images=ghcr.io/acme/* --exclude-images=ghcr.io/* | invalid value "ghcr.io/*" for --exclude-images: with --images this leaves nothing to record
--images=nginx | invalid value "nginx" for --images: a pattern is matched with the image's full name: nginx is docker.io/library/nginx
--images=docker.io/nginx | invalid value "docker.io/nginx" for --images: a pattern is matched with the image's full name: docker.io/nginx is docker.io/library/nginx
--images=index.docker.io/library/nginx | invalid value "index.docker.io/library/nginx" for --images: a pattern is matched with the image's full name: index.docker.io/library/nginx is docker.io/library/nginx
--images=index.docker.io/* | invalid value "index.docker.io/*" for --images: a pattern is matched with the image's full name: index.docker.io/* is docker.io/*
--images=ghcr.io/Acme/web | invalid value "ghcr.io/Acme/web" for --images: no image has this name
--images=ghcr.io/acme/web:1 | invalid value "ghcr.io/acme/web:1" for --images: a pattern is matched with the image's name, which has no tag
--images=ghcr.io/Acme/* | invalid value "ghcr.io/Acme/*" for --images: a pattern is matched with the image's full name, which has upper case in its registry alone: write ghcr.io/acme/*
--images=*nginx:1.25 | invalid value "*nginx:1.25" for --images: a pattern is matched with the image's name, which has no tag
--images=*:latest | invalid value "*:latest" for --images: a pattern is matched with the image's name, which has no tag
--images=*:v1* | invalid value "*:v1*" for --images: a pattern is matched with the image's name, which has no tag
--images=https://ghcr.io/acme/* | invalid value "https://ghcr.io/acme/*" for --images: a pattern is matched with the image's name, which has no scheme and no empty part: ghcr.io/acme/web, not https://ghcr.io/acme/web
--images=ghcr.io/acme/*/ | invalid value "ghcr.io/acme/*/" for --images: a pattern is matched with the image's name, which has no scheme and no empty part: ghcr.io/acme/web, not https://ghcr.io/acme/web
--exclude-images=*/Web* | invalid value "*/Web*" for --exclude-images: a pattern is matched with the image's full name, which has upper case in its registry alone: write */web*
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
--storage-exclude-registries=ghcr.io,** | invalid value "**" for --storage-exclude-registries: this leaves no registry to tell of; leave --storage-records out instead
--storage-exclude-registries=*:443 | invalid value "*:443" for --storage-exclude-registries: this leaves no registry to tell of; leave --storage-records out instead
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
verify --adopt --namespaces=shop | --only (or DEPLOYMENT_RECORDER_ONLY) is missing: with --namespaces workloads of other namespaces count as gone, and GitHub lists their records too where they run one of the same images; name the records that are yours, such as shop-* for those that begin with shop-
verify --adopt --yes --exclude-namespaces=kube-* | --only (or DEPLOYMENT_RECORDER_ONLY) is missing: with --exclude-namespaces workloads of other namespaces count as gone, and GitHub lists their records too where they run one of the same images; name the records that are yours, such as shop-* for those that begin with shop-
verify --adopt --yes --namespace-selector=team=a | --only (or DEPLOYMENT_RECORDER_ONLY) is missing: with --namespace-selector workloads of other namespaces count as gone, and GitHub lists their records too where they run one of the same images; name the records that are yours, such as shop-* for those that begin with shop-
verify --adopt --namespaces=shop --only=shop-* | --yes (or DEPLOYMENT_RECORDER_YES) is missing: nobody can be asked, because standard input is no terminal
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

/// Whether nothing is done, and nothing said but that.
#[track_caller]
fn is_refused(arguments: &[&str], message: &str) {
    let output = run(arguments);
    assert_eq!(
        said(&output),
        format!("error: {message}\n"),
        "{arguments:?}"
    );
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    assert_eq!(out(&output), "");
}

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
        is_refused(&arguments, message);
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
        is_refused(&arguments, message);
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
fn a_token_for_one_organization_alone_is_not_enough_and_that_is_said() {
    let own = [&GOOD[..6], &["--org-token-file=acme=/nowhere/token"]].concat();
    is_refused(
        &own,
        "--github-token-file (or DEPLOYMENT_RECORDER_GITHUB_TOKEN_FILE) is missing: give the file \
         with GitHub's token, set GITHUB_TOKEN or --github-app-id; --org-token-file is for the \
         organizations that it names alone and does not replace that, but both may name one file, \
         or use --dry-run",
    );
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
